"""POST /api/jitsi/jwt of a self-hosted Jitsi, by Powertools' validating resolver and pydantic.

What most people would build, after Powertools' documentation, with its utilities for secrets, logs
and metrics. It takes the events and variables of the function issue_token, makes the same claims,
and shares no code with it: tests/unit/test_peers.py keeps the two equal.
"""

import hmac
import json
import os
import re
import time
import unicodedata
import uuid
from functools import lru_cache
from http import HTTPStatus
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import quote

import jwt
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response, content_types
from aws_lambda_powertools.event_handler.exceptions import (
    BadRequestError,
    ForbiddenError,
    ServiceUnavailableError,
    UnauthorizedError,
)
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.typing import LambdaContext
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

SECRET_MAX_AGE_SECONDS = 300
MAX_LIFETIME_SECONDS = int(os.environ["MAXIMUM_LIFETIME_SECONDS"])
MAX_ADVANCE_SECONDS = int(os.environ["MAXIMUM_ADVANCE_SECONDS"])
CLOCK_SKEW_SECONDS = int(os.environ["CLOCK_SKEW_SECONDS"])
ALGORITHM = os.environ["SIGNING_ALGORITHM"]
ISSUER = os.environ["JITSI_ISSUER"]
AUDIENCE = os.environ["JITSI_AUDIENCE"]
DOMAIN = os.environ["JITSI_DOMAIN"]
SUBJECT = DOMAIN.partition(":")[0]

# The audit record is wanted whatever the level of the rest.
logger = Logger(level="INFO")
metrics = Metrics(namespace="JitsiTokens")
app = APIGatewayRestResolver(enable_validation=True)

# Control characters, line ends, bidirectional overrides, and what broken UTF-8 becomes.
UNSAFE = r"\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufffd"
TEXT = rf"^[^{UNSAFE}]*$"
Feature = Literal[
    "branding", "calendar", "create-polls", "file-upload", "flip", "inbound-call", "list-visitors",
    "livestreaming", "live-translation", "lobby", "moderation", "outbound-call", "recording",
    "room", "screen-sharing", "send-groupchat", "send-private-message", "sip-inbound-call",
    "sip-outbound-call", "transcription",
]  # fmt: skip


class TokenRequest(BaseModel):
    """Who joins which room, as what, and when."""

    model_config = ConfigDict(alias_generator=to_camel, strict=True, extra="forbid", frozen=True)

    user_id: str = Field(min_length=1, max_length=128, pattern=TEXT)
    user_name: str = Field(min_length=1, max_length=255, pattern=TEXT)
    room_name: str = Field(min_length=1, max_length=255, pattern=rf"^[^{UNSAFE}/']*$")
    user_email: str | None = Field(
        None, max_length=254, pattern=rf"^[^@\s{UNSAFE}]+@[^@\s{UNSAFE}]+$"
    )
    user_avatar: str | None = Field(
        None, max_length=2048, pattern=rf"^(?i:https)://[^/@?#\s{UNSAFE}]+([/?#][^\s{UNSAFE}]*)?$"
    )
    is_moderator: bool = False
    expiration_seconds: int = Field(3600, ge=60, le=MAX_LIFETIME_SECONDS)
    not_before: int | Annotated[AwareDatetime, Field(strict=False)] | None = None
    features: dict[Feature, bool] | None = None


class IssuedToken(BaseModel):
    """A meeting token. Times are epoch seconds."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True)

    token: str
    expires_at: int
    not_before: int
    meeting_url: str
    room_name: str


class Policy(BaseModel):
    """What a client may ask for."""

    rooms: list[str]
    moderator: bool = False
    features: list[str] = []
    max_lifetime_seconds: int | None = None


class Client(BaseModel):
    """Who is calling, as the authorizer hands it on."""

    name: str
    policy: Policy


class SigningKey(NamedTuple):
    """A key that is ready to sign."""

    kid: str
    key: RSAPrivateKey | bytes


@lru_cache(maxsize=1)
def signing_key(document: str) -> SigningKey:
    """Return the key in a secret's text, parsed once for as long as the text stays the same."""
    fields = json.loads(document)
    if ALGORITHM == "HS256":
        return SigningKey(fields["kid"], fields["secret"].encode())
    key = load_pem_private_key(fields["private_key"].encode(), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("the private key is not an RSA key")
    return SigningKey(fields["kid"], key)


def backend_safe(name: str) -> str:
    """Return the room as Jitsi compares it: NFKC, lower case, encodeURIComponent.

    Plainer than the service, which decodes a percent-encoded name first.
    """
    folded = unicodedata.normalize("NFKC", name).lower()
    room = quote(folded, safe="!'()*").lower()
    if room in {"*", ".", ".."} or "'" in room or "%2f" in room:
        raise BadRequestError("roomName must name one room")
    return room


def matches(pattern: str, room: str) -> bool:
    """Tell whether a room pattern, in which `*` alone is special, covers a room."""
    return bool(re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), room))


def check_policy(policy: Policy, request: TokenRequest, room: str) -> None:
    """Refuse what the client may not ask for, with a 403."""
    if request.is_moderator and not policy.moderator:
        raise ForbiddenError("isModerator must be false: this client makes no moderators")
    if not any(matches(pattern, room) for pattern in policy.rooms):
        raise ForbiddenError("roomName is outside the rooms of this client")
    longest = policy.max_lifetime_seconds
    if longest is not None and request.expiration_seconds > longest:
        raise ForbiddenError(f"expirationSeconds must be at most {longest} for this client")
    for name, wanted in (request.features or {}).items():
        if wanted and name not in policy.features:
            raise ForbiddenError(f"features/{name} may not be switched on by this client")


def start_of(request: TokenRequest, now: int) -> int:
    """Return from when the token is wanted, in epoch seconds; 400 for a time that cannot be."""
    start = now if request.not_before is None else request.not_before
    start = start if isinstance(start, int) else int(start.timestamp())
    if start > now + MAX_ADVANCE_SECONDS:
        raise BadRequestError(f"notBefore must lie at most {MAX_ADVANCE_SECONDS} seconds ahead")
    if start + request.expiration_seconds <= now:
        raise BadRequestError("notBefore plus expirationSeconds must lie in the future")
    return start


def claims_of(request: TokenRequest, room: str, start: int, now: int) -> dict[str, Any]:
    """Return the claims; what is absent is left out."""
    user: dict[str, Any] = {
        "id": request.user_id,
        "name": request.user_name,
        "moderator": str(request.is_moderator).lower(),
        "email": request.user_email,
        "avatar": request.user_avatar,
        "affiliation": "owner" if request.is_moderator else "member",
        "lobby_bypass": request.is_moderator or None,
    }
    context: dict[str, Any] = {"user": {k: v for k, v in user.items() if v is not None}}
    if request.features is not None:
        context["features"] = {k: str(v).lower() for k, v in request.features.items()}
    return {
        "aud": AUDIENCE,
        "iss": ISSUER,
        "sub": SUBJECT,
        "room": room,
        "exp": start + request.expiration_seconds,
        "nbf": start - CLOCK_SKEW_SECONDS,
        "iat": now,
        "jti": str(uuid.uuid4()),
        "context": context,
    }


def secret(variable: str) -> str:
    """Return the text of the secret that a variable names; 503 while there is none."""
    try:
        return parameters.get_secret(os.environ[variable], max_age=SECRET_MAX_AGE_SECONDS)
    except parameters.exceptions.GetParameterError:
        raise ServiceUnavailableError("There is no key to work with. Try again later") from None


def caller() -> Client:
    """Return the client that the authorizer recognised; 401 for anything else."""
    try:
        authorizer = app.current_event.request_context.authorizer
        return Client.model_validate_json(authorizer["client"])
    except (KeyError, TypeError, ValidationError):
        raise UnauthorizedError("Send a valid API key: Authorization: Bearer <API key>") from None


def record(outcome: str, role: str, **fields: Any) -> None:
    """Leave the audit record, and say what the metrics are of."""
    request_id = app.current_event.request_context.extended_request_id
    logger.info("request", outcome=outcome, role=role, requestId=request_id, **fields)
    metrics.add_dimension("outcome", outcome)
    metrics.add_dimension("role", role)


@app.post("/api/jitsi/jwt")
def issue(request: TokenRequest) -> Response[IssuedToken]:
    """Issue a meeting token for one person, one room and one time."""
    now = int(time.time())
    client = caller()
    room = backend_safe(request.room_name)
    start = start_of(request, now)
    check_policy(client.policy, request, room)
    kid, key = signing_key(secret("SIGNING_KEY_SECRET"))
    claims = claims_of(request, room, start, now)
    token = jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": kid})
    digest_key = secret("DIGEST_KEY_SECRET").encode()
    record(
        "issued",
        "moderator" if request.is_moderator else "guest",
        client=client.name,
        moderator=request.is_moderator,
        room=hmac.digest(digest_key, f"room:{room}".encode(), "sha256").hex(),
        user=hmac.digest(digest_key, f"user:{request.user_id}".encode(), "sha256").hex(),
        jti=claims["jti"],
        kid=kid,
        exp=claims["exp"],
    )
    return Response(
        status_code=HTTPStatus.OK,
        content_type=content_types.APPLICATION_JSON,
        headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
        body=IssuedToken(
            token=token,
            expires_at=claims["exp"],
            not_before=claims["nbf"],
            meeting_url=f"https://{DOMAIN}/{quote(room, safe='%')}#jwt=%22{token}%22",
            room_name=room,
        ),
    )


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer the request, and leave its record and its metrics."""
    started = time.perf_counter()
    response = app.resolve(event, context)
    status = response["statusCode"]
    if status != HTTPStatus.OK:
        outcome = "failed" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "refused"
        record(outcome, "unknown", status=status)
    latency = (time.perf_counter() - started) * 1000
    metrics.add_metric("Requests", MetricUnit.Count, 1)
    metrics.add_metric("Latency", MetricUnit.Milliseconds, latency)
    return response
