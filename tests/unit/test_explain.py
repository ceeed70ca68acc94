"""`token explain`: each rule of Jitsi's, broken on purpose, and kept by the service's tokens."""

from __future__ import annotations

import json
import string
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any, NamedTuple

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitsi_tokens.core.claims import meeting_claims
from jitsi_tokens.core.requests import parse
from jitsi_tokens.core.rooms import backend_safe, meeting_url
from jitsi_tokens.settings import Settings, read_settings
from jitsi_tokens_cli.output import echo_check
from jitsi_tokens_cli.token.explain.expectations import (
    Expectations,
    KeyAnswer,
    KeyFound,
    KeyUnknown,
    NoKey,
    TokenUnderTest,
    looks_like_jaas,
    of_jaas,
    of_settings,
)
from jitsi_tokens_cli.token.explain.lua_pattern import matches
from jitsi_tokens_cli.token.explain.rooms import read_address
from jitsi_tokens_cli.token.explain.rules import Explanation, checks, explain
from jitsi_tokens_cli.token.text import Found, Token, decode, token_in
from tests.conftest import APP_ID

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric import rsa

    from jitsi_tokens_cli.checks import Check

NOW = 1_800_000_000
SECRET = b"0123456789abcdef0123456789abcdef"
REQUEST = {"userId": "u-1", "userName": "Anna Roe", "roomName": "My Room"}
RULES = [
    *("link", "typ", "alg", "kid", "signature", "exp", "nbf", "iss", "aud", "sub", "admin"),
    *("room", "context", "context.user", "features", "moderator"),
]
type Change = Callable[[dict[str, Any], dict[str, Any]], object]


class Jitsi(NamedTuple):
    """A Jitsi, the service that issues tokens for it, and the key of both."""

    kind: str
    settings: Settings
    kid: str
    key: rsa.RSAPrivateKey | bytes

    @property
    def expected(self) -> Expectations:
        """What `token explain` knows of it."""
        return of_settings(self.settings, self.find_key)

    def find_key(self, kid: str | None) -> KeyAnswer:
        """Answer as the signing secret or the key server does."""
        if isinstance(self.key, bytes):
            return KeyFound(self.key)
        if kid != self.kid:
            return NoKey("It is not published.", "Publish it.")
        return KeyFound(self.key.public_key())

    def parts(self, **changes: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return header and claims of a token of the service, issued a minute ago."""
        request = parse(json.dumps(REQUEST | changes).encode())
        claims = meeting_claims(
            request,
            profile=self.settings.profile,
            room=request.room(),
            validity=request.validity(self.settings.limits, NOW - 60),
            clock_skew_seconds=10,
            now=NOW - 60,
            jti="jti-1",
        )
        return {"typ": "JWT", "alg": self.settings.algorithm, "kid": self.kid}, claims

    def sign(self, header: dict[str, Any], claims: dict[str, Any]) -> str:
        """Return a token of these parts, whatever they say of themselves."""
        signed = ".".join(
            urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
            for part in (header, claims)
        )
        algorithm: Any = jwt.get_algorithm_by_name(self.settings.algorithm)
        signature = algorithm.sign(signed.encode(), self.key)
        return f"{signed}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"

    def explain(self, change: Change, meant: str | None = None) -> Explanation:
        """Explain a good token that was changed before it was signed."""
        header, claims = self.parts()
        change(header, claims)
        return explained(self.expected, self.sign(header, claims), meant)


def explained(expected: Expectations, text: str, meant: str | None = None) -> Explanation:
    """Explain a token, or a meeting link, at NOW."""
    found = token_in(text)
    assert found
    address = read_address(found.url)
    room = meant or (address and address.room)
    return explain(TokenUnderTest(found, decode(found.text), expected, room, NOW))


def names(found: list[Check]) -> list[str]:
    """Return which rules these are."""
    return [check.name for check in found]


def said(explanation: Explanation, rule: str) -> str:
    """Return the outcome of a rule, and all that is said of it."""
    [check] = [check for check in explanation.rules if check.name == rule]
    return f"{check.outcome}: {check.found} {check.why} {check.remedy}"


@pytest.fixture(params=["jaas", "shared-secret", "public-key", "tenant"])
def jitsi(
    request: pytest.FixtureRequest,
    jaas_environ: dict[str, str],
    self_hosted_environ: dict[str, str],
    published_environ: dict[str, str],
    rsa_key: rsa.RSAPrivateKey,
) -> Jitsi:
    """Return each kind of Jitsi."""
    match request.param:
        case "jaas":
            return Jitsi("jaas", read_settings(jaas_environ), f"{APP_ID}/ab12cd", rsa_key)
        case "public-key":
            return Jitsi("public-key", read_settings(published_environ), "thumbprint", rsa_key)
        case kind:
            tenant = {"JITSI_TENANT": "clinic"} if kind == "tenant" else {}
            return Jitsi(kind, read_settings(self_hosted_environ | tenant), "initial", SECRET)


jaas_only = pytest.mark.parametrize("jitsi", ["jaas"], indirect=True)
self_hosted_only = pytest.mark.parametrize("jitsi", ["shared-secret", "tenant"], indirect=True)


# Good tokens


@pytest.mark.parametrize(
    "request_fields",
    [
        {},
        {"isModerator": True, "userEmail": "a@example.org", "features": {"recording": True}},
        {"roomName": "Café (Zoë)!", "features": {}},
    ],
    ids=["guest", "moderator", "accents"],
)
def test_a_token_of_the_service_passes_every_rule(
    jitsi: Jitsi, request_fields: dict[str, Any]
) -> None:
    """No rule fails or warns, none is left unchecked, and the room is the one asked for."""
    header, claims = jitsi.parts(**request_fields)
    room = backend_safe(request_fields.get("roomName", "My Room"))

    explanation = explained(jitsi.expected, jitsi.sign(header, claims), room)

    assert names(explanation.rules) == RULES
    kid = ["kid"] if isinstance(jitsi.key, bytes) else []
    assert names(explanation.with_outcome("not-applicable")) == ["link", *kid]
    assert len(explanation.with_outcome("pass")) == len(RULES) - 1 - len(kid)
    assert (explanation.verdict, explanation.room) == ("accepted", room)


@pytest.mark.parametrize("placement", ["fragment", "query"])
def test_a_link_of_the_service_is_accepted(jitsi: Jitsi, placement: Any) -> None:
    """Room, host and tenant are taken from the link; in the query the token leaks."""
    header, claims = jitsi.parts(roomName="Dr. Müllers (2)!")
    token, settings = jitsi.sign(header, claims), jitsi.settings
    url = meeting_url(settings.domain, settings.tenant, claims["room"], token, placement)

    explanation = explained(jitsi.expected, url)

    assert explanation.verdict == "accepted"
    assert explanation.room == "dr.%20m%c3%bcllers%20(2)!"
    warned = names(explanation.with_outcome("warning"))
    assert warned == (["link"] if placement == "query" else [])


# Each rule, broken


def _header(**values: Any) -> Change:
    return lambda header, _: header.update(values)


def _claims(**values: Any) -> Change:
    return lambda _, claims: claims.update(values)


def _user(**values: Any) -> Change:
    return lambda _, claims: claims["context"]["user"].update(values)


def _context(**values: Any) -> Change:
    return lambda _, claims: claims["context"].update(values)


def _without(*names: str) -> Change:
    return lambda *parts: [part.pop(name, None) for part in parts for name in names]


REFUSED: list[tuple[Change, str, str]] = [
    (_without("typ"), "typ", "exactly JWT"),
    (_header(typ="jwt"), "typ", "exactly JWT"),
    (_header(typ=None), "typ", "null"),
    *((_header(alg=alg), "alg", "no unsigned") for alg in ("none", "ES256", "PS256", "EdDSA")),
    (_header(alg="HS512"), "alg", "alone"),
    (_header(alg="RS512"), "alg", "alone"),
    (_without("alg"), "alg", "missing"),
    *((_claims(exp=exp), "exp", "JSON number") for exp in (None, str(NOW + 60), True)),
    (_claims(exp=NOW), "exp", "ended 0 s ago"),
    (_claims(exp=NOW - 3600), "exp", "ended 1 h 00 min 00 s ago"),
    (_claims(exp=NOW - 0.5), "exp", "ended 0 s ago"),
    (_claims(nbf=NOW + 3), "nbf", "begins in 3 s, and there is no leeway"),
    (_claims(nbf=NOW + 0.5), "nbf", "no leeway"),
    (_claims(nbf=NOW + 86_400), "nbf", "begins in 24 h"),
    (_claims(nbf=str(NOW - 60)), "nbf", "JSON number"),
    (_claims(nbf=None), "nbf", "JSON number"),
    (_claims(nbf=(NOW - 60) * 1000), "nbf", "milliseconds"),
    (_claims(exp=NOW - 86_400), "exp", "sign for the appointment's time"),
    (_without("iss"), "iss", "requires iss"),
    (_claims(iss="someone"), "iss", "alone"),
    (_claims(iss=["chat", "openemr"]), "iss", "as a string"),
    (_without("aud"), "aud", "requires aud"),
    (_claims(aud="someone"), "aud", "alone"),
    (_claims(aud=["jitsi", "openemr_audience"]), "aud", "an array never matches"),
    (_claims(aud=[]), "aud", "an array never matches"),
    (_without("sub"), "sub", "requires sub"),
    (_claims(sub=None), "sub", "null"),
    (_without("room"), "room", "missing"),
    (_claims(room=None), "room", "hangs the login"),
    (_claims(room=["my%20room"]), "room", "as a string"),
    (_claims(room="My Room"), "room", 'Write "my%20room"'),
    (_claims(room="Café"), "room", 'Write "caf%c3%a9"'),
    (_claims(room="100%"), "room", 'Write "100%25"'),
    (_claims(room="MÜLLER"), "room", 'Write "m%c3%bcller"'),
    (_claims(room="clinic/my%20room"), "room", "bare room"),
    (_claims(room="clinic%2Fmy%20room"), "room", "bare room"),
    (_claims(room=""), "room", "visible character"),
    (_claims(room="o'brien"), "room", "apostrophe"),
    (_claims(room="me%20%26%20you"), "room", "an ampersand: Jitsi's web server opens no such"),
    (_claims(room="Visit 16:23"), "room", "Choose another name"),
    (_claims(room="config.js"), "room", "must not end in .js"),
    (_claims(room="x" * 1024), "room", "960 bytes"),
    (_claims(room="\ud800"), "room", "\\ud800"),
    (_claims(context=None), "context", "hangs the login"),
    (_context(group=None), "context", "context.group"),
    (_context(features={"recording": None}), "context", "context.features.recording"),
    (_context(groups=[{"id": None}]), "context", "context.groups[0].id"),
    (_user(moderator=None), "context", "context.user.moderator"),
    (_claims(context=7), "context", "an object"),
    *((_user(**{key: "Anna"}), "context.user", "crashes") for key in ("first name", "1st", "")),
    (_context(user="Anna"), "context.user", "an object"),
]
# Prosody lets them in: they are unsafe, or the web client alone objects, or another version does.
WARNED: list[tuple[Change, str, str]] = [
    (_without("exp"), "exp", "lets it in for ever"),
    (_claims(exp=NOW + 60.5), "exp", "a whole number"),
    (_claims(exp=float(NOW + 60)), "exp", "takes a float"),
    (_claims(exp=(NOW + 60) * 1000), "exp", "milliseconds"),
    (_claims(nbf=NOW), "nbf", "whose clock is behind"),
    (_claims(nbf=NOW - 60.5), "nbf", "takes a float"),
    (lambda _, claims: claims.update(nbfTime=claims.pop("nbf")), "nbf", "Nothing reads nbfTime"),
    (_claims(admin=True), "admin", "REST API"),
    (_claims(admin="true"), "admin", "REST API"),
    (_claims(room="*"), "room", "opens every room"),
    (_claims(room="MyRoom"), "room", 'Write "myroom"'),
    (_claims(room="Caf%C3%A9"), "room", 'Write "caf%c3%a9"'),
    (_claims(room="a%e2%80%aeb"), "room", "U+202E"),
    (_claims(room="x" * 961), "room", "960 bytes"),
    (_claims(context="text"), "context", "nobody's name"),
    (_user(id=7), "context.user", "Write a string"),
    (_user(hidden=True), "context.user", "Write a string"),
    (_context(features={"no-such": True}), "features", "ignores what it does not know"),
    (_context(features={"recording": "yes"}), "features", "neither true nor false"),
    (_context(features={"recording": 1}), "features", "neither true nor false"),
    (_context(features=["recording"]), "features", "not an object"),
    (_user(moderator="yes"), "moderator", "Anything else is a guest"),
    (_user(moderator="True"), "moderator", "Anything else is a guest"),
]
JAAS_REFUSED: list[tuple[Change, str, str]] = [
    (_without("kid"), "kid", "missing JaaS finds the public key by"),
    *(
        (_header(kid=kid), "kid", "32 hexadecimal digits, / and key id")
        for kid in (
            *(None, 7, "", APP_ID, f"{APP_ID}/", "ab12cd"),
            *(f"{APP_ID[-32:]}/ab12cd", f"{APP_ID}/{APP_ID}/ab12cd"),
        )
    ),
    (_header(kid=f"{APP_ID.lower()}/ab12cd"), "kid", f"letter for letter: {APP_ID}"),
    (_header(kid=f"{APP_ID[:-1]}0/ab12cd"), "kid", f"letter for letter: {APP_ID}"),
    (_header(kid=f"{APP_ID}/other"), "kid", "not published"),
    (_claims(sub=APP_ID.lower()), "sub", "letter for letter"),
    (_claims(sub=APP_ID[-32:]), "sub", f"Write {APP_ID}."),
    (_claims(sub="*"), "sub", "letter for letter"),
    (_claims(room=f"{APP_ID}/session-123"), "room", 'Write "session-123".'),
    (_claims(aud="someone"), "aud", 'Write "jitsi".'),
    (_without("context"), "context", "requires it"),
]
PUBLIC_KEY_REFUSED: list[tuple[Change, str, str]] = [
    (_without("kid"), "kid", "asks its key server"),
    (_header(kid=""), "kid", "a string"),
    (_header(kid=7), "kid", "a string"),
    (_header(kid="other"), "kid", "not published"),
]


@pytest.mark.parametrize(
    ("jitsi", "change", "rule", "why"),
    [
        *((kind, *row) for kind in ("jaas", "shared-secret", "public-key") for row in REFUSED),
        *(("jaas", *row) for row in JAAS_REFUSED),
        *(("public-key", *row) for row in PUBLIC_KEY_REFUSED),
    ],
    indirect=["jitsi"],
)
def test_what_jitsi_refuses_fails_one_rule(
    jitsi: Jitsi, change: Change, rule: str, why: str
) -> None:
    """The rule to be mended, with why and what to do; what follows from it is not counted again."""
    explanation = jitsi.explain(change)

    assert explanation.verdict == "refused"
    assert names(explanation.failures) == [rule]
    assert why in said(explanation, rule)
    assert explanation.failures[0].why
    assert explanation.failures[0].remedy
    signature = "not looked at" if rule in ("alg", "kid") else "made with Jitsi's key"
    assert signature in said(explanation, "signature")


@pytest.mark.parametrize(("change", "rule", "why"), WARNED)
def test_what_jitsi_accepts_is_no_refusal(
    jitsi: Jitsi, change: Change, rule: str, why: str
) -> None:
    """Bad practice is a warning, and the verdict is that of Prosody."""
    explanation = jitsi.explain(change)

    assert explanation.verdict == "accepted"
    assert rule in names(explanation.with_outcome("warning"))
    assert why in said(explanation, rule)


@pytest.mark.parametrize("jitsi", ["jaas", "public-key", "tenant"], indirect=True)
def test_features_are_expected_by_jaass_web_client_alone(jitsi: Jitsi) -> None:
    """Elsewhere a moderator has the defaults."""
    told = said(jitsi.explain(lambda _, claims: claims["context"].pop("features", 0)), "features")

    assert told.startswith("warning: missing" if jitsi.kind == "jaas" else "pass: missing")


@self_hosted_only
def test_what_lets_past_the_lobby_is_a_boolean(jitsi: Jitsi) -> None:
    """Jitsi takes a token with a text there as well, and its holder waits in the lobby."""
    assert said(jitsi.explain(_user(lobby_bypass="true")), "moderator").startswith("warning")


@self_hosted_only
def test_another_sub_is_refused_where_domains_are_verified(jitsi: Jitsi) -> None:
    """Docker's images ignore it, and nobody knows from here which Jitsi it is."""
    other, expected = jitsi.sign(*jitsi.parts()), jitsi.expected
    wanted = str(expected.subject)

    for sub, outcome in (("other", "not-checked"), (wanted.upper(), "pass"), ("*", "pass")):
        assert said(jitsi.explain(_claims(sub=sub)), "sub").startswith(outcome)
    strict = expected._replace(subject="xmpp.example.org", verifies_domain=True)
    assert names(explained(strict, other).failures) == ["sub"]


@pytest.mark.parametrize(
    ("audiences", "aud", "told", "remedy"),
    [
        (("*",), ["jitsi"], "warning", 'Write one string: "jitsi".'),
        (("*",), "jitsi", "pass", ""),
        (("a", "b"), ["a"], "fail", 'Write "a" or "b".'),
        ((), ["jitsi"], "not-checked", 'Write one string: "jitsi". Or give --stack-name'),
        ((), [], "not-checked", "Write one string: the audience."),
    ],
)
def test_an_array_of_audiences_is_refused_where_audiences_are_listed(
    audiences: tuple[str, ...], aud: object, told: str, remedy: str
) -> None:
    """By default any is accepted, whatever its type; the remedy names a real audience."""
    expected = Expectations(None, lambda _: KeyFound(SECRET), "HS256", ("*",), audiences, "x")
    claims = {"iss": "a", "aud": aud, "sub": "*", "room": "d", "exp": NOW + 60}

    answer = said(explained(expected, jwt.encode(claims, SECRET)), "aud")

    assert answer.startswith(told)
    assert remedy in answer


def test_a_signature_of_another_key_is_named(jitsi: Jitsi, rsa_pool: list[Any]) -> None:
    """All else is right, so it is the signature."""
    key = b"x" * 32 if isinstance(jitsi.key, bytes) else rsa_pool[0]

    explanation = explained(jitsi.expected, jitsi._replace(key=key).sign(*jitsi.parts()))

    assert names(explanation.failures) == ["signature"]
    assert "Another key signed" in said(explanation, "signature")


@pytest.mark.parametrize("remainder", [1, 2], ids=["no-base64url", "cut-off"])
def test_a_signature_that_was_cut_off_fails(jitsi: Jitsi, remainder: int) -> None:
    """A token that lost its end in a copy."""
    token = jitsi.sign(*jitsi.parts())
    cut = 4 + (len(token.rpartition(".")[2]) - remainder) % 4

    assert names(explained(jitsi.expected, token[:-cut]).failures) == ["signature"]


def test_a_secret_is_never_a_public_key(rsa_key: rsa.RSAPrivateKey) -> None:
    """A token that names another family of algorithms than the key's is not verified with it."""
    for key, algorithm in ((SECRET, "RS256"), (rsa_key.public_key(), "HS256")):
        expected = Expectations(None, lambda _, key=key: KeyFound(key), algorithm=algorithm)  # type: ignore[misc]
        token = jwt.encode({}, SECRET, headers={"alg": "HS256", "kid": "k"})
        header = {"typ": "JWT", "alg": algorithm, "kid": "k"}
        tested = TokenUnderTest(Found(token), Token(token, header, {}), expected, None, NOW)

        assert names(explain(tested).failures)[0] == "signature"
    assert repr(KeyFound(SECRET)) == "KeyFound()"


@pytest.mark.parametrize(
    ("fields", "role"),
    [
        ({"moderator": True}, "a moderator"),
        ({"moderator": "true", "hidden-from-recorder": False}, "a moderator"),
        ({"moderator": "false", "affiliation": "member"}, "a guest"),
        ({"affiliation": "teacher"}, "a moderator"),
        ({"lobby_bypass": True}, "a guest"),
    ],
)
def test_the_moderator_is_foretold(jitsi: Jitsi, fields: dict[str, Any], role: str) -> None:
    """What Jitsi makes of the person, and which settings that takes where 8x8 does not host."""
    told = said(jitsi.explain(_user(**fields)), "moderator")

    assert told.startswith("pass")
    assert role in told or (jitsi.kind == "jaas" and "moderator" not in fields)
    assert ("token_affiliation" in told) is (jitsi.kind != "jaas")


def test_what_jitsi_does_without_may_be_missing(jitsi: Jitsi) -> None:
    """Neither nbf nor jti nor iat, nor anything of the person, is required."""
    explanation = jitsi.explain(
        lambda _, claims: (_without("nbf", "iat", "jti")({}, claims), claims["context"].pop("user"))
    )

    assert explanation.verdict == "accepted"
    assert explanation.with_outcome("warning") == []


@pytest.mark.parametrize(
    ("skew", "nbf", "told"),
    [
        (0, NOW, "pass"),
        (0, NOW + 1, "Wait."),
        (45, NOW - 44, "Sign with an nbf 45 seconds before the start."),
        (45, NOW - 45, "pass"),
        (45, NOW + 1, "Wait, or sign with an nbf 45 seconds before the start."),
    ],
)
def test_the_clock_skew_is_the_stacks(
    self_hosted_environ: dict[str, str], skew: int, nbf: int, told: str
) -> None:
    """ClockSkewSeconds says how far clocks may differ."""
    settings = read_settings(self_hosted_environ | {"CLOCK_SKEW_SECONDS": str(skew)})

    explanation = Jitsi("shared-secret", settings, "initial", SECRET).explain(_claims(nbf=nbf))

    assert told in said(explanation, "nbf")


# The room and the link


def test_another_room_than_the_one_that_is_meant_fails(jitsi: Jitsi) -> None:
    """With --room, or in the link's path."""
    token = jitsi.sign(*jitsi.parts())
    tenant = f"{jitsi.settings.tenant}/" if jitsi.settings.tenant else ""
    url = f"https://{jitsi.settings.domain}/{tenant}other#jwt=%22{token}%22"

    for explanation in (explained(jitsi.expected, token, "other"), explained(jitsi.expected, url)):
        assert names(explanation.failures) == ["room"]
        assert 'the person joins "other"' in said(explanation, "room")
        assert explanation.room == "other"
    assert "Choose another name" in said(explained(jitsi.expected, token, "me%26you"), "room")


@pytest.mark.parametrize(
    ("room", "seen"),
    [("My Room", "my%20room"), (f"{APP_ID}/Visit", "visit"), ("*", None), (None, None), (7, None)],
)
def test_the_room_is_named_as_jitsi_will_see_it(
    jitsi: Jitsi, room: object, seen: str | None
) -> None:
    """Even where the claim is wrong."""
    assert jitsi.explain(_claims(room=room)).room == seen


@pytest.mark.parametrize(
    ("pattern", "meant", "told"),
    [
        ("visit-.*", None, "warning: opens every room that matches"),
        ("visit-.*", "visit-12", "warning: opens every room that matches"),
        ("visit-.*", "visible", "warning: opens every room that matches"),
        ("visit%-%d+", "visit-12", "warning: opens every room that matches"),
        ("Visit%-%D+", "visit-12", "warning: opens every room that matches"),
        ("visit%-%d+", "visit-12b", "fail: does not match"),
        ("visit%-%d+", "other", "fail: does not match"),
        ("%a*%d*%a*%d*", "visit12", "not-checked: beyond what current Jitsi takes"),
        ("*", "other", "warning: opens every room"),
    ],
)
def test_a_pattern_opens_the_rooms_that_it_matches(
    jitsi: Jitsi, pattern: str, meant: str | None, told: str
) -> None:
    """context.room.regex makes the claim a Lua pattern, which the whole room must match."""
    for regex in (True, "true"):
        explanation = jitsi.explain(
            lambda _, claims, regex=regex: (  # type: ignore[misc]
                claims.update(room=pattern),
                claims["context"].update(room={"regex": regex}),
            ),
            meant,
        )

        outcome, _, why = told.partition(": ")
        assert said(explanation, "room").startswith(outcome)
        assert why in said(explanation, "room")
        assert explanation.room == meant


@pytest.mark.parametrize(
    ("pattern", "room", "expected"),
    [
        ("visit", "visit-12", False),
        ("visit-12", "visit-12", False),
        ("^visit.+$", "visit-12", True),
        ("isit.+", "visit-12", False),
        ("(.-)%-12", "visit-12", False),
        ("(.*)", "visit-12", True),
        ("[a-z]+%-[%d]?%d", "visit-12", True),
        ("[^-]+%-1[^13]", "visit-12", True),
        ("[]v]isit[%w-]*", "visit-12", True),
        ("%l+%p%x%D?2", "visit-12", True),
        ("a$b", "a$b", True),
        ("visit%-12$", "visit-12", True),
        ("%bvt%-12", "visit-12", None),
        ("(v)isit%1", "visitv", None),
        ("()visit", "visit", None),
        ("[visit", "visit", None),
        ("visit)", "visit", None),
        (".+", "x" * 129, None),
    ],
)
def test_lua_patterns(pattern: str, room: str, *, expected: bool | None) -> None:
    """As string.match of Lua 5.4 finds them; None where Jitsi's limits or ours end."""
    assert matches(pattern, room) is expected


@pytest.mark.parametrize(
    ("link", "found", "remedy"),
    [
        ("https://{host}/x#jwt={token}", "#jwt= without quotes", "#jwt=%22<token>%22"),
        ("https://{host}/x#jwt=%27{token}%27", "#jwt= without quotes", "#jwt=%22<token>%22"),
        ("https://{host}/x?jwt=%22{token}%22", "?jwt= with quotes", "#jwt=%22<token>%22"),
        ("b'{token}'", "b'…' is around", "token.decode()"),
        ("https://{host}/x?jwt=b'{token}'", "b'…' is around", "token.decode()"),
        ("https://meet.example.com/my%20room?jwt={token}", "meet.example.com", "Open the meeting"),
        ("https://{host}/other/my%20room?jwt={token}", "the tenant", "Open /"),
        ("https://{host}/{tenant}my:%20room?jwt={token}", "the room in the link", "another name"),
        ("org.jitsi.meet://{host}/other/x?jwt={token}", "the tenant", "Open /"),
    ],
)
def test_a_link_that_does_not_work_is_named_first(
    jitsi: Jitsi, link: str, found: str, remedy: str
) -> None:
    """The web client drops the token, or the link leads elsewhere."""
    tenant = f"{jitsi.settings.tenant}/" if jitsi.settings.tenant else ""
    token = jitsi.sign(*jitsi.parts())

    explanation = explained(
        jitsi.expected, link.format(host=jitsi.settings.domain, tenant=tenant, token=token)
    )

    assert names(explanation.failures)[0] == "link"
    assert found in said(explanation, "link")
    assert remedy in said(explanation, "link")


@pytest.mark.parametrize(
    ("url", "room"),
    [
        ("https://h/a+b&c?jwt=x", "abc"),
        ("https://h/a%2Bb%26c", "a%2bb%26c"),
        ("https://h/t/My Room", "my%20room"),
        ("org.jitsi.meet://h/Visit?jwt=x", "visit"),
        ("https://h/t/", None),
        ("https://h", None),
        ("https://[::1/room", None),
        ("room", None),
        (None, None),
    ],
)
def test_the_room_of_a_url_is_the_web_clients(url: str | None, room: str | None) -> None:
    """It drops what it cannot have in a path, and folds the rest."""
    address = read_address(url)

    assert (address and address.room) == room


# What is not known


@pytest.mark.parametrize("algorithm", ["HS256", "RS256"])
def test_without_a_configuration_only_what_is_always_wrong_fails(
    algorithm: str, rsa_key: rsa.RSAPrivateKey
) -> None:
    """The rest is not checked, with what to give, and nothing is called accepted."""
    expected = Expectations(None, lambda _: KeyUnknown("No key.", "Give --stack-name."))
    claims = {"iss": "a", "aud": "b", "sub": "c", "room": "d", "exp": NOW + 60, "nbf": NOW - 60}
    key: Any = SECRET if algorithm == "HS256" else rsa_key
    good = explained(expected, jwt.encode(claims, key, algorithm, headers={"kid": "k"}))
    bad = explained(expected, jwt.encode(claims | {"room": "A B"}, key, algorithm, {"kid": "k"}))

    kid = ["kid"] if algorithm == "RS256" else []
    assert (good.verdict, bad.verdict) == ("undecided", "refused")
    link = explained(expected, f"https://h/a&b/d?jwt={jwt.encode(claims, SECRET)}")
    assert "A tenant must not hold an ampersand" in said(link, "link")
    assert names(good.not_checked) == ["alg", *kid, "signature", "iss", "aud", "sub"]
    assert all("Give --stack-name" in check.remedy for check in good.not_checked)


@jaas_only
def test_jaas_without_a_key_is_undecided(jitsi: Jitsi) -> None:
    """The form of the kid, the App IDs in it and the link are checked, the signature is not."""
    expected = of_jaas(None, lambda _: KeyUnknown("Nobody knows."))
    header, claims = jitsi.parts()

    good = explained(expected, jitsi.sign(header, claims))
    other = explained(expected, jitsi.sign(header, claims | {"sub": APP_ID.lower()}))
    none = explained(expected, jitsi.sign(header | {"kid": None}, claims))
    link = explained(expected, f"https://8x8.vc/my%20room?jwt={jitsi.sign(header, claims)}")

    assert (good.verdict, names(good.not_checked)) == ("undecided", ["signature"])
    assert names(other.failures) == ["sub"]
    assert (names(none.failures), names(none.not_checked)) == (["kid"], ["sub"])
    assert names(link.failures) == ["link"]


@pytest.mark.parametrize(
    ("header", "claims", "expected"),
    [
        ({}, {"iss": "chat", "aud": "jitsi"}, True),
        ({"kid": f"{APP_ID}/k"}, {}, True),
        ({"kid": 7}, {"sub": APP_ID, "aud": ["jitsi"]}, True),
        ({}, {"iss": "chat", "aud": "other"}, False),
        ({"kid": "k"}, {"sub": ["x"]}, False),
    ],
)
def test_a_token_for_jaas_is_recognised(
    header: dict[str, Any], claims: dict[str, Any], *, expected: bool
) -> None:
    """By issuer and audience, or by an App ID in kid or sub."""
    assert looks_like_jaas(header, claims) is expected


def test_rules_are_applied_one_by_one(jitsi: Jitsi) -> None:
    """What needs no key is said before a key server is asked."""
    asked: list[str | None] = []

    def find_key(kid: str | None) -> KeyAnswer:
        asked.append(kid)
        return jitsi.find_key(kid)

    token = jitsi.sign(*jitsi.parts())
    expected = jitsi.expected._replace(find_key=find_key)
    rules = checks(TokenUnderTest(Found(token), decode(token), expected, None, NOW))

    assert [next(rules).name for _ in range(3)] == RULES[:3]
    assert asked == []


# Any token


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
_NAMES = ["typ", "alg", "kid", "iss", "aud", "sub", "room", "exp", "nbf", "nbfTime", "admin"]
_PART = st.dictionaries(
    st.sampled_from([*_NAMES, "context"]) | st.text(string.ascii_letters, max_size=5),
    _JSON
    | st.sampled_from(
        ["JWT", "HS256", "RS256", "*", APP_ID, f"{APP_ID}/k", NOW, 10**30, -(10**400)]
    )
    | st.fixed_dictionaries(
        {}, optional={"user": _JSON, "features": _JSON, "room": st.just({"regex": True})}
    ),
    max_size=12,
)


@given(
    header=_PART,
    claims=_PART,
    jaas=st.booleans(),
    known=st.booleans(),
    meant=st.sampled_from([None, "visit"]),
)
def test_no_token_is_beyond_explanation(
    header: dict[str, Any], claims: dict[str, Any], meant: str | None, *, jaas: bool, known: bool
) -> None:
    """Whatever JSON is in a token, each rule has its outcome, and each refusal its reason."""

    def find_key(_: str | None) -> KeyAnswer:
        return KeyFound(SECRET) if known else KeyUnknown("Nobody knows.")

    expected = of_jaas(None, find_key) if jaas else Expectations(None, find_key)
    text = "eyJh.e30.c2ln"
    tested = TokenUnderTest(Found(text), Token(text, header, claims), expected, meant, NOW)

    explanation = explain(tested)

    assert names(explanation.rules) == RULES
    told = [*explanation.failures, *explanation.with_outcome("warning")]
    assert all(check.why and check.remedy for check in told)
    for check in explanation.rules:
        echo_check(check)
