"""Each rule by which Jitsi reads a token, held by the tokens that this service makes."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import unicodedata
from base64 import urlsafe_b64decode
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, unquote, urlsplit

import jwt
import msgspec
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from jitsi_tokens import diagnostics
from jitsi_tokens.core.claims import meeting_claims
from jitsi_tokens.core.features import FEATURES
from jitsi_tokens.core.keys import SigningKey, read_key
from jitsi_tokens.core.policy import Policy
from jitsi_tokens.core.problems import Problem
from jitsi_tokens.core.requests import parse
from jitsi_tokens.core.rooms import meeting_url
from jitsi_tokens.settings import Settings, read_settings
from jitsi_tokens.status import NEVER_CHECKED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

NOW = 1_800_000_000
SECRET = "0123456789abcdef0123456789abcdef"
REQUIRED = {"userId": "u-1", "userName": "Anna", "roomName": "My Room"}
EVERYTHING = {
    **REQUIRED,
    "userEmail": "anna@example.org",
    "userAvatar": "https://example.org/a.png",
    "isModerator": True,
    "expirationSeconds": 900,
    "notBefore": NOW + 60,
    "features": {"recording": True, "lobby": False},
}
POLICY = Policy(rooms=["*"], moderator=True, features=sorted(FEATURES))
ROOM_TABLE = [
    ("My Room", "my%20room"),
    ("Café", "caf%c3%a9"),
    ("a+b=c", "a%2bb%3dc"),
    ("100%", "100%25"),
    ("Straße", "stra%c3%9fe"),
    ("ﬁn", "fin"),
    ("İstanbul", "i%cc%87stanbul"),
    ("!()*-._~", "!()*-._~"),
]


class Meeting(NamedTuple):
    """What a request is answered, and what its token holds."""

    token: str
    url: str
    room: str
    header: dict[str, Any]
    claims: dict[str, Any]


class Shape(NamedTuple):
    """One of the three kinds of stack."""

    name: str
    settings: Settings
    key: SigningKey

    def issue(self, **changes: Any) -> Meeting:
        """Issue a token as the function does, at NOW."""
        request = parse(json.dumps(REQUIRED | changes).encode())
        room = request.room()
        validity = request.validity(self.settings.limits, NOW)
        POLICY.check(request, room, 0)
        claims = meeting_claims(
            request,
            profile=self.settings.profile,
            room=room,
            validity=validity,
            clock_skew_seconds=self.settings.clock_skew_seconds,
            now=NOW,
            jti="jti-1",
        )
        token = self.key.sign(claims)
        url = meeting_url(
            self.settings.domain,
            self.settings.tenant,
            room,
            token,
            self.settings.token_placement,
        )
        return Meeting(token, url, room, part(token, 0), part(token, 1))


class Prosody(NamedTuple):
    """A host as Jitsi's token plugins see it, written from jitsi.md and from nothing else."""

    algorithm: str
    keys: Mapping[str, RSAPublicKey | bytes]
    issuers: list[str]
    audiences: list[str]
    subject: str

    def objection(self, token: str, room_in_url: str, now: float) -> str | None:
        """Return the rule that a token breaks at a room; None when it lets in."""
        header, claims = part(token, 0), part(token, 1)
        checks = {
            "typ": header.get("typ") == "JWT",
            "alg": header.get("alg") == self.algorithm,
            "kid": header.get("kid") in self.keys,
            "signature": self._is_signed(token, header.get("kid")),
            "exp": type(claims.get("exp")) is int and now < claims["exp"],
            "nbf": type(claims.get("nbf")) is int and claims["nbf"] <= now,
            "iss": claims.get("iss") in self.issuers,
            "aud": isinstance(claims.get("aud"), str) and claims["aud"] in self.audiences,
            "room": claims.get("room") == room_of_the_web_client(room_in_url),
            "sub": claims.get("sub") in (self.subject, "*"),
            "null": None not in values_in(claims),
            "user": all(
                re.fullmatch("[A-Za-z_][A-Za-z0-9_.-]*", name)
                and isinstance(value, bool if name == "lobby_bypass" else str)
                for name, value in claims.get("context", {}).get("user", {}).items()
            ),
        }
        return next((rule for rule, holds in checks.items() if not holds), None)

    def _is_signed(self, token: str, kid: object) -> bool:
        signed, _, signature = token.rpartition(".")
        key = self.keys.get(str(kid))
        if isinstance(key, bytes):
            expected = hmac.new(key, signed.encode(), hashlib.sha256).digest()
            return hmac.compare_digest(expected, decoded(signature))
        if key is None:
            return False
        try:
            key.verify(decoded(signature), signed.encode(), PKCS1v15(), SHA256())
        except InvalidSignature:
            return False
        return True


def decoded(text: str) -> bytes:
    """Decode base64url without padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def part(token: str, index: int) -> dict[str, Any]:
    """Return the header or the claims of a token, numbers as JSON has them."""
    fields: dict[str, Any] = json.loads(decoded(token.split(".")[index]))
    return fields


def values_in(value: Any) -> Iterator[Any]:
    """Return every value inside a value, at any depth."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from values_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from values_in(inner)
    else:
        yield value


def room_of_the_web_client(name: str) -> str:
    """Return what the web client makes of the room in its URL."""
    folded = unicodedata.normalize("NFKC", unquote(name, errors="strict")).lower()
    return quote(folded, safe="!'()*").lower()


@pytest.fixture(params=["jaas", "self-hosted", "self-hosted-with-tenant"])
def shape(
    request: pytest.FixtureRequest,
    jaas_environ: dict[str, str],
    self_hosted_environ: dict[str, str],
    rsa_pem: str,
) -> Shape:
    """Return a stack of each kind, with a key from its document."""
    if request.param == "jaas":
        settings = read_settings(jaas_environ)
        document = {
            "algorithm": "RS256",
            "kid": f"{jaas_environ['JAAS_APP_ID']}/ab12cd",
            "private_key": rsa_pem,
        }
    else:
        tenant = "clinic" if request.param == "self-hosted-with-tenant" else ""
        settings = read_settings(self_hosted_environ | {"JITSI_TENANT": tenant})
        document = {"algorithm": "HS256", "kid": "initial", "secret": SECRET}
    key = read_key(
        json.dumps(document), algorithm=settings.algorithm, kid_prefix=settings.kid_prefix
    )
    return Shape(request.param, settings, key)


@pytest.fixture
def prosody(shape: Shape) -> Prosody:
    """Return the server that each kind of stack issues tokens for."""
    if shape.name == "jaas":
        assert shape.key.public_key
        app_id = shape.settings.app_id
        key = {f"{app_id}/ab12cd": shape.key.public_key}
        return Prosody("RS256", key, ["chat"], ["jitsi"], app_id)
    subject = "clinic" if shape.name == "self-hosted-with-tenant" else "meet.example.org"
    return Prosody(
        "HS256", {"initial": SECRET.encode()}, ["openemr"], ["openemr_audience"], subject
    )


@pytest.fixture(params=[REQUIRED, EVERYTHING], ids=["required-only", "everything"])
def meeting(request: pytest.FixtureRequest, shape: Shape) -> Meeting:
    """Return a meeting of each kind of stack, for a guest and for a moderator."""
    return shape.issue(**request.param)


# The header


def test_typ_is_exactly_jwt(meeting: Meeting) -> None:
    """Prosody compares it, case and all."""
    assert meeting.header["typ"] == "JWT"


def test_alg_is_the_one_the_host_is_set_to(shape: Shape, meeting: Meeting) -> None:
    """RS256 for JaaS, HS256 with a shared secret."""
    assert meeting.header["alg"] == ("RS256" if shape.name == "jaas" else "HS256")


def test_kid_names_the_key(shape: Shape, meeting: Meeting) -> None:
    """For JaaS it is the App ID and 8x8's id of the key; elsewhere the document's own."""
    form = "vpaas-magic-cookie-[0-9A-Fa-f]{32}/ab12cd" if shape.name == "jaas" else "initial"

    assert re.fullmatch(form, meeting.header["kid"])


def test_nothing_else_is_in_the_header(meeting: Meeting) -> None:
    """No parameter that a server would have to understand or could be misled by."""
    assert meeting.header.keys() == {"typ", "alg", "kid"}


# Times


def test_exp_and_nbf_are_whole_json_numbers(meeting: Meeting) -> None:
    """Neither strings nor floats: the web client wants exp to be whole."""
    claims = urlsafe_b64decode(meeting.token.split(".")[1] + "==").decode()

    assert re.search(r'"exp":\d{10}[,}]', claims)
    assert re.search(r'"nbf":\d{10}[,}]', claims)


def test_exp_and_nbf_are_seconds_and_end_the_window(shape: Shape) -> None:
    """From now for as long as asked; from the start given for as long as asked."""
    now = shape.issue(expirationSeconds=900).claims
    later = shape.issue(expirationSeconds=900, notBefore=NOW + 86_400).claims

    assert (now["nbf"], now["exp"]) == (NOW - 10, NOW + 900)
    assert (later["nbf"], later["exp"]) == (NOW + 86_390, NOW + 87_300)


def test_nbf_is_10_seconds_in_the_past(shape: Shape) -> None:
    """The server compares without leeway."""
    assert shape.issue().claims["nbf"] == NOW - 10


# Issuer, audience, subject


def test_iss_is_an_accepted_issuer(shape: Shape, meeting: Meeting) -> None:
    """`chat` for JaaS, else the setting."""
    assert meeting.claims["iss"] == ("chat" if shape.name == "jaas" else "openemr")


def test_aud_is_a_string_and_not_an_array(shape: Shape, meeting: Meeting) -> None:
    """`jitsi` for JaaS, else the setting; an array never matches."""
    assert meeting.claims["aud"] == ("jitsi" if shape.name == "jaas" else "openemr_audience")


def test_sub_is_app_id_domain_or_tenant(shape: Shape, meeting: Meeting) -> None:
    """What domain verification wants of each kind."""
    expected = {
        "jaas": shape.settings.app_id,
        "self-hosted": "meet.example.org",
        "self-hosted-with-tenant": "clinic",
    }

    assert meeting.claims["sub"] == expected[shape.name]


def test_sub_is_the_setting_where_there_is_one(self_hosted_environ: dict[str, str]) -> None:
    """An XMPP domain that is not the public one, or a star."""
    settings = read_settings(self_hosted_environ | {"JITSI_SUBJECT": "xmpp.example.org"})
    shape = Shape("self-hosted", settings, SigningKey("HS256", "k", SECRET.encode()))

    assert shape.issue().claims["sub"] == "xmpp.example.org"


@pytest.mark.parametrize("shape", ["jaas"], indirect=True)
def test_sub_has_exactly_the_case_of_the_kid(meeting: Meeting) -> None:
    """JaaS compares the App ID in both as bytes; here it has capitals."""
    app_id, _, _ = meeting.header["kid"].partition("/")

    assert meeting.claims["sub"] == app_id
    assert app_id != app_id.lower()


# The room


@pytest.mark.parametrize(("name", "room"), ROOM_TABLE, ids=[name for name, _ in ROOM_TABLE])
def test_room_is_the_backend_safe_name(shape: Shape, name: str, room: str) -> None:
    """Each row of the table of what the web client makes of a name."""
    assert shape.issue(roomName=name).claims["room"] == room


def test_room_is_bare_without_the_tenant(shape: Shape, meeting: Meeting) -> None:
    """With the tenant in it JaaS says that room and token do not match."""
    assert meeting.claims["room"] == "my%20room"
    assert "/" not in meeting.claims["room"]
    assert str(shape.settings.tenant) not in meeting.claims["room"]


def test_room_is_never_the_wildcard(shape: Shape) -> None:
    """A star opens every room, and a room of that name cannot be scoped."""
    with pytest.raises(Problem):
        shape.issue(roomName="%2A")


# The context


def test_null_is_nowhere(meeting: Meeting) -> None:
    """It hangs the login without an answer."""
    assert None not in list(values_in(meeting.claims))


def test_keys_of_the_user_are_xml_names(meeting: Meeting) -> None:
    """One with a space crashes the join."""
    user = meeting.claims["context"]["user"]

    assert all(re.fullmatch("[a-z_]+", name) for name in user)
    assert {"id", "name", "moderator"} <= user.keys()


def test_values_of_the_user_are_strings(meeting: Meeting) -> None:
    """The moderator's flag too; mod_token_lobby_bypass alone takes a boolean."""
    user = meeting.claims["context"]["user"]

    assert user.pop("lobby_bypass", True) is True
    assert all(type(value) is str for value in user.values())


@pytest.mark.parametrize(("asked", "said"), [(True, "true"), (False, "false")], ids=str)
def test_moderator_is_a_string(shape: Shape, *, asked: bool, said: str) -> None:
    """`"true"` or `"false"`, as 8x8 documents it."""
    assert shape.issue(isModerator=asked).claims["context"]["user"]["moderator"] == said


def test_features_are_strings_that_the_client_knows(shape: Shape) -> None:
    """`"true"` or `"false"`, and all twenty of them."""
    features = shape.issue(features=dict.fromkeys(FEATURES, True)).claims["context"]["features"]

    assert features == dict.fromkeys(FEATURES, "true")


@pytest.mark.parametrize(("asked", "said"), [(True, "owner"), (False, "member")], ids=str)
def test_affiliation_is_for_self_hosted_only(shape: Shape, *, asked: bool, said: str) -> None:
    """As mod_token_affiliation reads it; JaaS does not know it."""
    user = shape.issue(isModerator=asked).claims["context"]["user"]

    assert user.get("affiliation") == (None if shape.name == "jaas" else said)


def test_features_are_there_for_jaas_and_left_out_elsewhere_when_not_asked(shape: Shape) -> None:
    """JaaS's client expects them; elsewhere an empty object would take the defaults away."""
    context = shape.issue().claims["context"]

    assert context.get("features") == ({} if shape.name == "jaas" else None)


def test_admin_is_never_there(shape: Shape, meeting: Meeting) -> None:
    """It drives JaaS's REST interface, and cannot be asked for."""
    assert "admin" not in json.dumps(meeting.claims)
    with pytest.raises(Problem):
        shape.issue(admin=True)
    with pytest.raises(Problem):
        shape.issue(features={"admin": True})


def test_absent_values_are_left_out(shape: Shape) -> None:
    """No empty e-mail address, no empty avatar."""
    assert not {"email", "avatar"} & shape.issue().claims["context"]["user"].keys()


# The link


def test_the_link_carries_the_token_in_double_quotes_in_its_fragment(
    shape: Shape, meeting: Meeting
) -> None:
    """Percent-encoded, as a bare one is dropped; what goes to the server holds no token."""
    url = urlsplit(meeting.url)

    assert url.fragment == f"jwt=%22{meeting.token}%22"
    assert (url.scheme, url.netloc, url.query) == ("https", shape.settings.domain, "")


def test_the_link_carries_the_token_in_its_query_when_the_stack_says_so(shape: Shape) -> None:
    """For what cannot pass a fragment on."""
    in_query = shape._replace(settings=shape.settings._replace(token_placement="query"))

    meeting = in_query.issue()

    assert urlsplit(meeting.url).query == f"jwt={meeting.token}"
    assert urlsplit(meeting.url).fragment == ""


def test_the_link_has_the_tenant_in_its_path(shape: Shape, meeting: Meeting) -> None:
    """`/<AppID>/<room>` for JaaS, `/<tenant>/<room>` or `/<room>` elsewhere."""
    tenant = {
        "jaas": f"/{shape.settings.app_id}",
        "self-hosted": "",
        "self-hosted-with-tenant": "/clinic",
    }

    assert urlsplit(meeting.url).path == f"{tenant[shape.name]}/my%20room"


# Prosody itself, as jitsi.md has it


@pytest.mark.parametrize("name", [name for name, _ in ROOM_TABLE])
def test_prosody_lets_in_who_follows_the_link(shape: Shape, prosody: Prosody, name: str) -> None:
    """The room of the link, folded by the web client, is the room of the token."""
    meeting = shape.issue(**(EVERYTHING | {"roomName": name, "notBefore": NOW}))
    room_in_url = urlsplit(meeting.url).path.rpartition("/")[2]

    assert prosody.objection(meeting.token, room_in_url, NOW) is None


@pytest.mark.parametrize(
    ("after", "rule"),
    [(-10, None), (-10.001, "nbf"), (899.999, None), (900, "exp")],
    ids=["at-nbf", "before-nbf", "before-exp", "at-exp"],
)
def test_prosody_lets_in_from_nbf_until_exp(
    shape: Shape, prosody: Prosody, after: float, rule: str | None
) -> None:
    """And not a moment more: there is no leeway."""
    meeting = shape.issue(expirationSeconds=900)

    assert prosody.objection(meeting.token, "my%20room", NOW + after) == rule


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        *(("room", "*"), ("room", "My Room"), ("room", "tenant/my%20room"), ("room", None)),
        *(("aud", ["jitsi", "openemr_audience"]), ("iss", "someone"), ("sub", "other")),
        *(("exp", str(NOW + 60)), ("exp", NOW + 60.5), ("exp", None), ("nbf", NOW * 1000)),
    ],
)
def test_prosody_finds_the_claim_that_breaks_a_rule(
    shape: Shape, prosody: Prosody, claim: str, value: Any
) -> None:
    """The check above would find a token that is wrong."""
    claims = shape.issue().claims | {claim: value}

    assert prosody.objection(shape.key.sign(claims), "my%20room", NOW) == claim


def test_prosody_finds_a_token_that_another_key_signed(shape: Shape, prosody: Prosody) -> None:
    """A signature is verified, not looked at."""
    meeting = shape.issue()
    forged = jwt.encode(meeting.claims, SECRET[::-1], headers={"kid": shape.key.kid})
    tampered = f"{meeting.token.rpartition('.')[0]}.{forged.rpartition('.')[2]}"

    assert prosody.objection(tampered, "my%20room", NOW) == "signature"


def test_prosody_keeps_a_token_out_of_every_other_room(shape: Shape, prosody: Prosody) -> None:
    """It opens one."""
    token = shape.issue().token

    assert prosody.objection(token, "my%20room2", NOW) == "room"


# What goes wrong for people, in the order of jitsi.md


def test_mistake_1_the_room_of_the_claim_is_that_of_the_link(shape: Shape) -> None:
    """Spaces, capitals and accents are folded once, for both."""
    meeting = shape.issue(roomName="Sprechstunde Dr. Müller")

    assert meeting.claims["room"] == "sprechstunde%20dr.%20m%c3%bcller"
    assert urlsplit(meeting.url).path.endswith(f"/{meeting.claims['room']}")
    assert meeting.room == meeting.claims["room"]


def test_mistake_2_a_moderator_who_is_none_is_explained(shape: Shape) -> None:
    """A guest's token says so twice, and the diagnostics say what Jitsi needs to heed it."""
    user = shape.issue(isModerator=False).claims["context"]["user"]
    advice = diagnostics.diagnosis(shape.settings, POLICY, NEVER_CHECKED, NOW).advice

    assert user["moderator"] == "false"
    assert [entry.code for entry in advice] == (
        [] if shape.name == "jaas" else ["moderator-settings"]
    )


def test_mistake_3_no_claim_has_a_type_that_never_matches(meeting: Meeting) -> None:
    """No array for aud, no string and no float for a time."""
    assert {name: type(value) for name, value in meeting.claims.items()} == {
        **dict.fromkeys(["aud", "iss", "sub", "room", "jti"], str),
        **dict.fromkeys(["exp", "nbf", "iat"], int),
        "context": dict,
    }


def test_mistake_4_a_server_whose_clock_is_behind_lets_in(shape: Shape, prosody: Prosody) -> None:
    """Ten seconds of it."""
    assert prosody.objection(shape.issue().token, "my%20room", NOW - 10) is None


def test_mistake_5_a_link_mailed_a_day_ahead_works_at_its_time(
    shape: Shape, prosody: Prosody
) -> None:
    """Its token is for the appointment's window, not for the hour after the mail."""
    token = shape.issue(notBefore=NOW + 86_400, expirationSeconds=1800).token

    assert prosody.objection(token, "my%20room", NOW) == "nbf"
    assert prosody.objection(token, "my%20room", NOW + 86_400 + 1799) is None
    assert prosody.objection(token, "my%20room", NOW + 86_400 + 1800) == "exp"


def test_mistake_6_sub_is_right_where_domain_verification_is_on(
    shape: Shape, prosody: Prosody
) -> None:
    """Without anybody having set it."""
    meeting = shape.issue()

    assert prosody._replace(subject="other").objection(meeting.token, "my%20room", NOW) == "sub"
    assert prosody.objection(meeting.token, "my%20room", NOW) is None


def test_mistake_7_kid_and_key_change_together(shape: Shape) -> None:
    """Both come from one document, so another document's kid is in its tokens' headers."""
    changed = SigningKey("HS256", "next", b"x" * 32)

    assert shape._replace(key=changed).issue().header["kid"] == "next"
    assert shape.issue().header["kid"] == shape.key.kid


def test_mistake_8_a_refusal_says_which_rule_is_broken(shape: Shape) -> None:
    """Not at the door of the meeting, but here, with the field and what to change."""
    with pytest.raises(Problem) as refused:
        shape.issue(roomName="tenant/room")

    assert msgspec.to_builtins(refused.value.details())["errors"] == [
        {
            "pointer": "/roomName",
            "detail": "must not hold a slash: the tenant is a setting of the stack.",
        }
    ]


def test_mistake_9_nothing_of_the_official_sample_is_here(shape: Shape) -> None:
    """No nbfTime, no moderator and no wildcard by default, no b'' around the token."""
    meeting = shape.issue()

    assert "nbfTime" not in meeting.claims
    assert meeting.claims["context"]["user"]["moderator"] == "false"
    assert meeting.claims["room"] != "*"
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", meeting.token)
