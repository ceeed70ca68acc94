"""`token explain`: each rule of Jitsi's, broken on purpose, and kept by the service's tokens."""

from __future__ import annotations

import json
import string
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any, NamedTuple

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from jitsi_tokens.core.claims import meeting_claims
from jitsi_tokens.core.requests import parse
from jitsi_tokens.core.rooms import backend_safe, meeting_url
from jitsi_tokens.settings import Settings, read_settings
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
from jitsi_tokens_cli.token.explain.link import read_address
from jitsi_tokens_cli.token.explain.report import put_json_report, put_report
from jitsi_tokens_cli.token.explain.rules import Explanation, explain
from jitsi_tokens_cli.token.text import Found, Token, decode, token_in
from tests.conftest import APP_ID

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = 1_800_000_000
SECRET = b"0123456789abcdef0123456789abcdef"
REQUEST = {"userId": "u-1", "userName": "Anna Roe", "roomName": "My Room"}
KINDS = ["jaas", "shared-secret", "public-key", "tenant"]
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

    def broken(self, change: Change) -> Explanation:
        """Explain a good token that was changed before it was signed."""
        header, claims = self.parts()
        change(header, claims)
        return explained(self.expected, self.sign(header, claims))


def explained(expected: Expectations, text: str, meant: str | None = None) -> Explanation:
    """Explain a token, or a meeting URL, at NOW."""
    found = token_in(text)
    assert found
    address = read_address(found.url)
    room = meant or (address and address.room)
    return explain(TokenUnderTest(found, decode(found.text), expected, room, NOW))


def first(explanation: Explanation) -> str | None:
    """Return the rule that is named first."""
    return explanation.failures[0].rule if explanation.failures else None


def advice(explanation: Explanation) -> str:
    """Return all that is said of the first broken rule."""
    rule = explanation.failures[0]
    return f"{rule.found} {rule.why} {rule.remedy}"


@pytest.fixture(params=KINDS)
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
public_key_only = pytest.mark.parametrize("jitsi", ["public-key"], indirect=True)


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
    """No rule fails, none is left unchecked, and Jitsi's room is the one that was asked for."""
    header, claims = jitsi.parts(**request_fields)
    room = backend_safe(request_fields.get("roomName", "My Room"))

    explanation = explained(jitsi.expected, jitsi.sign(header, claims), room)

    assert explanation.verdict == "accepted"
    assert explanation.room == room
    assert [rule.rule for rule in explanation.rules] == RULES


@pytest.mark.parametrize("placement", ["fragment", "query"])
def test_a_link_of_the_service_passes_every_rule(jitsi: Jitsi, placement: Any) -> None:
    """Room, host and tenant are taken from the URL."""
    header, claims = jitsi.parts(roomName="Dr. Müller's (2)!".replace("'", ""))
    url = meeting_url(
        jitsi.settings.domain,
        jitsi.settings.tenant,
        claims["room"],
        jitsi.sign(header, claims),
        placement,
    )

    explanation = explained(jitsi.expected, url)

    assert explanation.verdict == "accepted"
    assert explanation.room == "dr.%20m%c3%bcllers%20(2)!"
    advised = explanation.rules[0].remedy
    assert ("stays in access logs" in advised) is (placement == "query")


def test_only_what_has_no_meaning_there_is_not_applicable(jitsi: Jitsi) -> None:
    """A kid where a secret is shared, and the link where there is none."""
    explanation = explained(jitsi.expected, jitsi.sign(*jitsi.parts()))

    kid = ["kid"] if isinstance(jitsi.key, bytes) else []
    assert [rule.rule for rule in explanation.rules if rule.outcome == "not-applicable"] == [
        "link",
        *kid,
    ]


# Each rule of jitsi.md, broken


def _set(where: int, **values: Any) -> Change:
    return lambda header, claims: (header, claims)[where].update(values)


def _header(**values: Any) -> Change:
    return _set(0, **values)


def _claims(**values: Any) -> Change:
    return _set(1, **values)


def _user(**values: Any) -> Change:
    return lambda _, claims: claims["context"]["user"].update(values)


def _context(**values: Any) -> Change:
    return lambda _, claims: claims["context"].update(values)


def _without(*names: str) -> Change:
    def change(header: dict[str, Any], claims: dict[str, Any]) -> None:
        for name in names:
            header.pop(name, None)
            claims.pop(name, None)

    return change


def _nbf_time(_: dict[str, Any], claims: dict[str, Any]) -> None:
    claims["nbfTime"] = claims.pop("nbf")


def _official_sample(_: dict[str, Any], claims: dict[str, Any]) -> None:
    _nbf_time({}, claims)
    claims.update(room="*")
    claims["context"]["user"]["moderator"] = True


@pytest.mark.parametrize(
    ("change", "rule", "said"),
    [
        (_without("typ"), "typ", "exactly JWT"),
        (_header(typ="jwt"), "typ", "exactly JWT"),
        (_header(typ=None), "typ", "null"),
        (_header(alg="none"), "alg", "no token without a signature"),
        (_header(alg="ES256"), "alg", "no ES*"),
        (_header(alg="PS256"), "alg", "no PS*"),
        (_header(alg="EdDSA"), "alg", "no EdDSA"),
        (_header(alg="HS512"), "alg", "and no other algorithm"),
        (_header(alg="RS512"), "alg", "and no other algorithm"),
        (_without("alg"), "alg", "missing"),
        (_without("exp"), "exp", "lives for ever"),
        (_claims(exp=None), "exp", "JSON number"),
        (_claims(exp=str(NOW + 60)), "exp", "JSON number"),
        (_claims(exp=True), "exp", "JSON number"),
        (_claims(exp=NOW + 60.5), "exp", "wants a whole number"),
        (_claims(exp=float(NOW + 60)), "exp", "is a float"),
        (_claims(exp=(NOW + 60) * 1000), "exp", "milliseconds"),
        (_claims(exp=NOW), "exp", "was over 0 min 00 s ago"),
        (_claims(exp=NOW - 3600), "exp", "was over 1 h 00 min 00 s ago"),
        (_claims(nbf=NOW + 1), "nbf", "begins in 0 min 01 s"),
        (_claims(nbf=NOW + 3), "nbf", "no leeway"),
        (_claims(nbf=NOW + 86_400), "nbf", "begins in 24 h"),
        (_claims(nbf=str(NOW - 60)), "nbf", "JSON number"),
        (_claims(nbf=None), "nbf", "JSON number"),
        (_claims(nbf=NOW - 0.5), "nbf", "whole number"),
        (_claims(nbf=(NOW - 60) * 1000), "nbf", "milliseconds"),
        (_nbf_time, "nbf", "nothing reads it"),
        (_without("iss"), "iss", "requires iss"),
        (_claims(iss="someone"), "iss", "letter for letter"),
        (_claims(iss=["chat", "openemr"]), "iss", "as a string"),
        (_without("aud"), "aud", "requires aud"),
        (_claims(aud="someone"), "aud", "letter for letter"),
        (_claims(aud=["jitsi"]), "aud", "an array never matches"),
        (_claims(aud=["openemr_audience"]), "aud", "an array never matches"),
        (_claims(aud=[]), "aud", "an array never matches"),
        (_without("sub"), "sub", "sub"),
        (_claims(sub="other"), "sub", "Write"),
        (_claims(sub=None), "sub", "null"),
        (_claims(admin=True), "admin", "ban, kick, destroy"),
        (_claims(admin="true"), "admin", "ban, kick, destroy"),
        (_without("room"), "room", "missing"),
        (_claims(room=None), "room", "hangs the login"),
        (_claims(room="*"), "room", "opens every room"),
        (_claims(room="My Room"), "room", '"my%20room"'),
        (_claims(room="Café"), "room", '"caf%c3%a9"'),
        (_claims(room="100%"), "room", '"100%25"'),
        (_claims(room="MyRoom"), "room", '"myroom"'),
        (_claims(room="clinic/my%20room"), "room", "It holds a slash. The claim is the bare room"),
        (_claims(room="clinic%2Fmy%20room"), "room", "bare room name"),
        (_claims(room=["my%20room"]), "room", "as a string"),
        (_claims(room=""), "room", "visible character"),
        (_claims(room="o'brien"), "room", "apostrophe"),
        (_claims(room="me%20%26%20you"), "room", "an ampersand: Jitsi's web server opens no such"),
        (_claims(room="Visit 16:23"), "room", "Choose another name"),
        (_claims(room="config.js"), "room", "must not end in .js"),
        (_claims(room="\ud800"), "room", "\\ud800"),
        (_claims(context=None), "context", "hangs the login"),
        (_context(group=None), "context", "context.group"),
        (_user(email=None), "context", "context.user.email"),
        (_context(features={"recording": None}), "context", "context.features.recording"),
        (_context(groups=[{"id": None}]), "context", "context.groups[0].id"),
        (_claims(context="text"), "context", "an object"),
        (_user(**{"first name": "Anna"}), "context.user", "crashes the join"),
        (_user(**{"1st": "Anna"}), "context.user", "crashes the join"),
        (_user(**{"": "Anna"}), "context.user", "crashes the join"),
        (_user(id=7), "context.user", "Write a string"),
        (_user(hidden=True), "context.user", "Write a string"),
        (_context(user="Anna"), "context.user", "an object"),
        (_context(features={"no-such": True}), "features", "no such feature"),
        (_context(features={"recording": "yes"}), "features", "neither true nor false"),
        (_context(features={"recording": 1}), "features", "neither true nor false"),
        (_context(features=["recording"]), "features", "an object of switches"),
        (_user(moderator="yes"), "moderator", "Anything else is a guest"),
        (_user(moderator="True"), "moderator", "Anything else is a guest"),
        (_official_sample, "nbf", "nothing reads it"),
    ],
)
def test_a_mistake_is_named_by_its_rule(jitsi: Jitsi, change: Change, rule: str, said: str) -> None:
    """The rule that is named first is the one to be mended, with why and what to do."""
    explanation = jitsi.broken(change)

    assert first(explanation) == rule
    assert explanation.verdict == "refused"
    assert said in advice(explanation)
    assert all(broken.why and broken.remedy for broken in explanation.failures)


def test_a_single_mistake_breaks_a_single_rule(jitsi: Jitsi) -> None:
    """What follows from it is not counted again."""
    changes = [
        *(_header(alg="none"), _claims(room="*"), _claims(exp=1), _user(email=None)),
        *(_user(moderator=None), _context(features={"recording": None})),
    ]

    assert [len(jitsi.broken(change).failures) for change in changes] == [1] * len(changes)


@jaas_only
@pytest.mark.parametrize(
    ("change", "rule", "said"),
    [
        (_without("kid"), "kid", "none to try"),
        (_header(kid=None), "kid", "none to try"),
        (_header(kid=7), "kid", "none to try"),
        (_header(kid=APP_ID), "kid", "lacks the key id"),
        (_header(kid=f"{APP_ID}/"), "kid", "lacks the key id"),
        (_header(kid="ab12cd"), "kid", "32 hexadecimal digits"),
        (_header(kid=f"{APP_ID[-32:]}/ab12cd"), "kid", "32 hexadecimal digits"),
        (_header(kid=f"{APP_ID}/{APP_ID}/ab12cd"), "kid", "a part too many"),
        (_header(kid=f"{APP_ID.lower()}/ab12cd"), "kid", "in another case"),
        (_header(kid=f"{APP_ID[:-1]}0/ab12cd"), "kid", "another one"),
        (_header(kid=f"{APP_ID}/other"), "kid", "not published"),
        (_claims(sub=APP_ID.lower()), "sub", "letter for letter"),
        (_claims(sub=APP_ID[-32:]), "sub", APP_ID),
        (_claims(sub="*"), "sub", APP_ID),
        (_claims(room=f"{APP_ID}/session-123"), "room", 'Write "session-123".'),
        (_claims(aud="someone"), "aud", 'Write "jitsi".'),
        (_without("context"), "context", "requires it"),
        (lambda _, claims: claims["context"].pop("features"), "features", '"features": {}'),
        (_header(alg="HS256"), "alg", "RS256"),
    ],
)
def test_a_mistake_for_jaas_is_named_by_its_rule(
    jitsi: Jitsi, change: Change, rule: str, said: str
) -> None:
    """8x8's own rules: key id, App ID, bare room, context and features."""
    explanation = jitsi.broken(change)

    assert first(explanation) == rule
    assert said in advice(explanation)


@jaas_only
def test_a_token_for_jaass_rest_interface_is_named_as_such(jitsi: Jitsi) -> None:
    """It has no context and no room, and yet the first that is said is what it can do."""
    explanation = jitsi.broken(
        lambda _, claims: (claims.update(admin=True), claims.pop("context"), claims.pop("room"))
    )

    assert first(explanation) == "admin"


@public_key_only
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_without("kid"), "asks its key server"),
        (_header(kid=""), "in a string"),
        (_header(kid=7), "in a string"),
        (_header(kid="other"), "not published"),
    ],
)
def test_a_kid_that_no_key_server_knows_is_named_first(
    jitsi: Jitsi, change: Change, said: str
) -> None:
    """The signature is not looked at then: no key would fit."""
    explanation = jitsi.broken(change)

    assert first(explanation) == "kid"
    assert said in advice(explanation)
    assert [rule.found for rule in explanation.rules if rule.rule == "signature"] == [
        "not looked at"
    ]


def test_a_signature_of_another_key_is_named(jitsi: Jitsi) -> None:
    """All else is right, so it is the signature."""
    other = (
        b"x" * 32
        if isinstance(jitsi.key, bytes)
        else rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )
    forged = jitsi._replace(key=other).sign(*jitsi.parts())

    explanation = explained(jitsi.expected, forged)

    assert [rule.rule for rule in explanation.failures] == ["signature"]
    assert "Another key signed" in advice(explanation)


@pytest.mark.parametrize("cut", [1, 3], ids=["no-base64url", "cut-off"])
def test_a_signature_that_was_cut_off_fails(jitsi: Jitsi, cut: int) -> None:
    """A token that lost its end in a copy."""
    token = jitsi.sign(*jitsi.parts())
    signature = len(token.rpartition(".")[2])
    cut += (signature - cut - 1) % 4 if cut == 1 else 0

    assert first(explained(jitsi.expected, token[:-cut])) == "signature"


def test_a_secret_is_never_a_public_key(rsa_key: rsa.RSAPrivateKey) -> None:
    """A token that names another family of algorithms than the key's is not verified with it."""
    for key, algorithm in ((SECRET, "RS256"), (rsa_key.public_key(), "HS256")):
        expected = Expectations(None, lambda _, key=key: KeyFound(key), algorithm=algorithm)  # type: ignore[misc]
        token = jwt.encode({}, SECRET, headers={"alg": "HS256", "kid": "k"})
        header = {"typ": "JWT", "alg": algorithm, "kid": "k"}
        evidence = TokenUnderTest(Found(token), Token(token, header, {}), expected, None, NOW)

        assert first(explain(evidence)) == "signature"


def test_the_moderator_is_foretold(jitsi: Jitsi) -> None:
    """What Jitsi makes of the person, and which settings that takes where 8x8 does not host."""
    for moderator, role in ((True, "a moderator"), (False, "a guest")):
        header, claims = jitsi.parts(isModerator=moderator)
        verdict = explained(jitsi.expected, jitsi.sign(header, claims)).rules[-1]

        assert (verdict.rule, verdict.outcome) == ("moderator", "pass")
        assert role in verdict.found
        assert ("token_affiliation" in verdict.remedy) is (jitsi.kind != "jaas")


@pytest.mark.parametrize("value", [True, "true"], ids=str)
def test_a_moderator_may_be_a_boolean(jitsi: Jitsi, value: object) -> None:
    """As 8x8's own samples write it."""
    explanation = jitsi.broken(_user(moderator=value, **{"hidden-from-recorder": False}))

    assert explanation.verdict == "accepted"
    assert "a moderator" in explanation.rules[-1].found


@pytest.mark.parametrize("value", [True, False, "true"], ids=repr)
def test_what_lets_past_the_lobby_is_a_boolean(jitsi: Jitsi, value: object) -> None:
    """Jitsi takes a token with a text there as well, and its holder waits in the lobby."""
    explanation = jitsi.broken(_user(lobby_bypass=value))

    assert explanation.verdict == "accepted"
    warned = "boolean true" in explanation.rules[-1].remedy
    assert warned is (value == "true" and jitsi.kind != "jaas")


def test_what_jitsi_does_without_may_be_missing(jitsi: Jitsi) -> None:
    """Neither nbf nor jti nor iat, nor anything of the person, is required."""
    explanation = jitsi.broken(
        lambda _, claims: (_without("nbf", "iat", "jti")({}, claims), claims["context"].pop("user"))
    )

    assert explanation.verdict == "accepted"


def test_clocks_that_differ_are_warned_of(jitsi: Jitsi) -> None:
    """An nbf of just now passes here, and not on a server whose clock is behind."""
    explanation = jitsi.broken(_claims(nbf=NOW))

    advised = {rule.rule: rule.remedy for rule in explanation.rules}
    assert explanation.verdict == "accepted"
    assert "whose clock is behind" in advised["nbf"]


@pytest.mark.parametrize(
    ("skew", "nbf", "remedy"),
    [
        (0, NOW, ""),
        (0, NOW + 1, "Wait."),
        (45, NOW - 44, "A Jitsi whose clock is behind still refuses it: let nbf lie 45 seconds"),
        (45, NOW - 45, ""),
        (45, NOW + 1, "Wait, or sign with an nbf that lies 45 seconds before the start."),
    ],
)
def test_the_clock_skew_is_the_stacks(
    self_hosted_environ: dict[str, str], skew: int, nbf: int, remedy: str
) -> None:
    """ClockSkewSeconds says how far clocks may differ."""
    settings = read_settings(self_hosted_environ | {"CLOCK_SKEW_SECONDS": str(skew)})

    explanation = Jitsi("shared-secret", settings, "initial", SECRET).broken(_claims(nbf=nbf))

    [told] = [rule.remedy for rule in explanation.rules if rule.rule == "nbf"]
    assert told.startswith(remedy)
    assert bool(told) == bool(remedy)


# The room that is meant


def test_another_room_than_the_one_that_is_meant_fails(jitsi: Jitsi) -> None:
    """With --room, or in the URL's path."""
    token = jitsi.sign(*jitsi.parts())
    tenant = f"{jitsi.settings.tenant}/" if jitsi.settings.tenant else ""
    url = f"https://{jitsi.settings.domain}/{tenant}other#jwt=%22{token}%22"

    for explanation in (explained(jitsi.expected, token, "other"), explained(jitsi.expected, url)):
        assert first(explanation) == "room"
        assert 'the person joins "other"' in advice(explanation)
        assert explanation.room == "other"


def test_the_form_of_the_room_comes_before_its_name(jitsi: Jitsi) -> None:
    """`My Room` in the claim is a matter of form, also when my%20room is meant."""
    header, claims = jitsi.parts()
    claims["room"] = "My Room"

    explanation = explained(jitsi.expected, jitsi.sign(header, claims), "my%20room")

    assert first(explanation) == "room"
    assert "not the form" in advice(explanation)
    assert explanation.room == "my%20room"


@pytest.mark.parametrize(
    ("room", "seen"),
    [("My Room", "my%20room"), (f"{APP_ID}/Visit", "visit"), ("*", None), (None, None), (7, None)],
)
def test_the_room_is_named_as_jitsi_will_see_it(
    jitsi: Jitsi, room: object, seen: str | None
) -> None:
    """Even where the claim is wrong."""
    assert jitsi.broken(_claims(room=room)).room == seen


# The link


def test_a_bare_token_in_a_fragment_is_dropped(jitsi: Jitsi) -> None:
    """The web client wants it in double quotes there, and not in a query."""
    token = jitsi.sign(*jitsi.parts())

    explanation = explained(jitsi.expected, f"https://{jitsi.settings.domain}/x#jwt={token}")

    assert first(explanation) == "link"
    assert "#jwt=%22<token>%22" in advice(explanation)


def test_pythons_notation_of_bytes_is_named_first(jitsi: Jitsi) -> None:
    """The official sample prints it, and Jitsi can read no such token."""
    explanation = explained(jitsi.expected, f"b'{jitsi.sign(*jitsi.parts())}'")

    assert [rule.rule for rule in explanation.failures] == ["link"]
    assert "how Python prints bytes" in advice(explanation)


def test_a_url_of_another_jitsi_or_tenant_is_named_first(jitsi: Jitsi) -> None:
    """Host and tenant are those of the stack."""
    token, domain = jitsi.sign(*jitsi.parts()), jitsi.settings.domain

    host = explained(jitsi.expected, f"https://meet.example.com/my%20room?jwt={token}")
    tenant = explained(jitsi.expected, f"https://{domain}/other/my%20room?jwt={token}")

    assert (first(host), first(tenant)) == ("link", "link")
    assert "another Jitsi" in advice(host)
    assert "the tenant" in advice(tenant)


def test_a_url_that_the_web_server_does_not_open_is_named_first(jitsi: Jitsi) -> None:
    """The web client would drop the colon from the path; the server answers 404 before that."""
    expected = jitsi.expected
    path = f"{expected.tenant}/my:%20room" if expected.tenant else "my:%20room"
    token = jitsi.sign(*jitsi.parts())

    explanation = explained(expected, f"https://{expected.domain}/{path}?jwt={token}")

    assert first(explanation) == "link"
    assert "must not hold a colon" in advice(explanation)


def test_a_room_that_cannot_be_opened_is_no_remedy(jitsi: Jitsi) -> None:
    """What is meant needs another name then, and the token as well."""
    explanation = explained(jitsi.expected, jitsi.sign(*jitsi.parts()), meant="me%26you")

    assert first(explanation) == "room"
    assert explanation.failures[0].remedy == "Choose another name for the room."


@jaas_only
def test_a_jaas_url_without_its_app_id_is_named_first(jitsi: Jitsi) -> None:
    """Also where the App ID is known from the token alone."""
    url = f"https://8x8.vc/my%20room?jwt={jitsi.sign(*jitsi.parts())}"
    expected = of_jaas(None, lambda _: KeyUnknown("Nobody knows."))

    assert first(explained(expected, url)) == "link"


@pytest.mark.parametrize(
    ("url", "room"),
    [
        ("https://h/a+b&c?jwt=x", "abc"),
        ("https://h/a%2Bb%26c", "a%2bb%26c"),
        ("https://h/t/My Room", "my%20room"),
        ("https://h/t/", None),
        ("https://h", None),
    ],
)
def test_the_room_of_a_url_is_the_web_clients(url: str, room: str | None) -> None:
    """It drops what it cannot have in a path, and folds the rest."""
    address = read_address(url)

    assert address
    assert address.room == room


@pytest.mark.parametrize("url", [None, "https://[::1/room", "room"])
def test_what_is_no_url_has_no_address(url: str | None) -> None:
    """Nothing is said of the link then."""
    assert read_address(url) is None


# What is not known


@pytest.mark.parametrize("algorithm", ["HS256", "RS256"])
def test_without_a_configuration_only_what_is_always_wrong_fails(
    algorithm: str, rsa_key: rsa.RSAPrivateKey
) -> None:
    """The rest is not applicable, with what to give, and nothing is called accepted."""
    expected = Expectations(None, lambda _: KeyUnknown("No key.", "Give --stack-name."))
    claims = {"iss": "a", "aud": "b", "sub": "c", "room": "d", "exp": NOW + 60, "nbf": NOW - 60}
    key: Any = SECRET if algorithm == "HS256" else rsa_key
    good = jwt.encode(claims, key, algorithm, headers={"kid": "k"})
    bad = jwt.encode(claims | {"room": "*", "aud": ["b"]}, key, algorithm, headers={"kid": "k"})

    explanation = explained(expected, good)

    kid = ["kid"] if algorithm == "RS256" else []
    assert explanation.verdict == "undecided"
    assert [rule.rule for rule in explanation.not_checked] == [
        *("alg", *kid, "signature", "iss", "aud", "sub"),
    ]
    assert all("Give --stack-name" in rule.remedy for rule in explanation.not_checked)
    assert [rule.rule for rule in explained(expected, bad).failures] == ["aud", "room"]


def test_a_star_accepts_any_issuer_and_audience() -> None:
    """As Jitsi's settings can say."""
    expected = Expectations(None, lambda _: KeyFound(SECRET), "HS256", ("*",), ("*",), "x")
    claims = {"iss": "a", "aud": "b", "sub": "*", "room": "d", "exp": NOW + 60}

    explanation = explained(expected, jwt.encode(claims, SECRET))

    assert explanation.verdict == "accepted"


@jaas_only
def test_jaas_without_a_key_is_undecided(jitsi: Jitsi) -> None:
    """The form of the kid and the App IDs in it are checked, the signature is not."""
    expected = of_jaas(None, lambda _: KeyUnknown("Nobody knows."))
    good = explained(expected, jitsi.sign(*jitsi.parts()))
    header, claims = jitsi.parts()
    other = explained(expected, jitsi.sign(header, claims | {"sub": APP_ID.lower()}))

    assert good.verdict == "undecided"
    assert [rule.rule for rule in good.not_checked] == ["signature"]
    assert first(other) == "sub"


@jaas_only
def test_without_any_app_id_sub_is_unchecked(jitsi: Jitsi) -> None:
    """The kid is the one that is missing."""
    header, claims = jitsi.parts()
    del header["kid"]
    expected = of_jaas(None, lambda _: KeyUnknown("Nobody knows."))

    explanation = explained(expected, jitsi.sign(header, claims))

    assert first(explanation) == "kid"
    assert [rule.rule for rule in explanation.not_checked] == ["sub"]


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


# What is shown


def test_nothing_of_the_person_and_nothing_of_the_key_is_shown(
    jitsi: Jitsi, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither name nor e-mail address, neither token nor secret."""
    header, claims = jitsi.parts(userEmail="anna@example.org", isModerator=True)
    token = jitsi.sign(header, claims)
    explanation = explained(jitsi.expected, token)

    put_report(explanation)
    put_json_report(explanation)

    shown = capsys.readouterr().out
    for secret in ("Anna", "anna@example.org", "u-1", token, token.split(".")[2], SECRET.decode()):
        assert secret not in shown
    assert repr(jitsi.find_key(jitsi.kid)) == "KeyFound()"


def test_a_claim_can_forge_no_line_of_the_report(
    jitsi: Jitsi, capsys: pytest.CaptureFixture[str]
) -> None:
    """Line ends and control characters in it are shown as such, and long values are cut."""
    explanation = jitsi.broken(_claims(iss="x\nPASS\x1b[2J\u202e" + "y" * 1000))

    put_report(explanation)

    found = explanation.failures[0].found
    assert found.startswith('"x\\nPASS\\u001b[2J\\u202ey')
    assert len(found) < 130
    assert "\x1b" not in capsys.readouterr().out


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
    | st.fixed_dictionaries({}, optional={"user": _JSON, "features": _JSON}),
    max_size=12,
)


@given(header=_PART, claims=_PART, jaas=st.booleans(), known=st.booleans())
def test_no_token_is_beyond_explanation(
    header: dict[str, Any], claims: dict[str, Any], *, jaas: bool, known: bool
) -> None:
    """Whatever JSON stands in a token, each rule has its verdict, and each failure its reason."""

    def find_key(_: str | None) -> KeyAnswer:
        return KeyFound(SECRET) if known else KeyUnknown("Nobody knows.")

    expected = of_jaas(None, find_key) if jaas else Expectations(None, find_key)
    text = "eyJh.e30.c2ln"
    evidence = TokenUnderTest(Found(text), Token(text, header, claims), expected, None, NOW)

    explanation = explain(evidence)

    assert [rule.rule for rule in explanation.rules] == RULES
    assert all(rule.why and rule.remedy for rule in explanation.failures)
    put_report(explanation)
    put_json_report(explanation)
