"""Every rule by which Jitsi reads a token; those of the header, the times and the names are here.

A rule fails where Prosody refuses the token (token/util.lib.lua, luajwtjitsi.lib.lua). What is
unsafe, or what the web client alone objects to after a refusal (validateJwt), is a warning.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Literal, NamedTuple

import jwt

from jitsi_tokens_cli.checks import Check, failed, not_applicable, not_checked, passed, warning
from jitsi_tokens_cli.output import duration_text, time_text
from jitsi_tokens_cli.token.explain.context import context, features, moderator, user
from jitsi_tokens_cli.token.explain.expectations import (
    ALGORITHMS,
    APP_ID_PREFIX,
    KeyFound,
    KeyUnknown,
    NoKey,
    TokenUnderTest,
    claim,
    listed,
    shown,
)
from jitsi_tokens_cli.token.explain.rooms import link, room, room_seen
from jitsi_tokens_cli.token.text import is_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jitsi_tokens_cli.checks import Outcome

_JAAS_KID = re.compile(f"{APP_ID_PREFIX}[0-9A-Fa-f]{{32}}/[^/]+")
_ANY = "*"
# The year 5138 in seconds, the year 1973 in milliseconds.
_FIRST_MILLISECONDS = 100_000_000_000
_WHOLE_NUMBER = "Write epoch seconds as a whole number, in Python int(time.time()) + 3600."
_FLOAT = "Prosody takes a float; the web client, after a refusal, calls it invalid."


class Explanation(NamedTuple):
    """What became of each rule, and the room as Jitsi will see it."""

    rules: list[Check]
    room: str | None

    @property
    def failures(self) -> list[Check]:
        """The rules by which Jitsi refuses the token."""
        return self.with_outcome("fail")

    @property
    def not_checked(self) -> list[Check]:
        """The rules that Jitsi applies and that could not be applied here."""
        return self.with_outcome("not-checked")

    @property
    def verdict(self) -> Literal["accepted", "refused", "undecided"]:
        """What the rules come to; undecided where none is broken, and one was not checked."""
        if self.failures:
            return "refused"
        return "undecided" if self.not_checked else "accepted"

    def with_outcome(self, outcome: Outcome) -> list[Check]:
        """Return the rules that came to an outcome."""
        return [check for check in self.rules if check.outcome == outcome]


def explain(tested: TokenUnderTest) -> Explanation:
    """Apply every rule of how Jitsi reads a token."""
    return Explanation(list(checks(tested)), room_seen(tested))


def checks(tested: TokenUnderTest) -> Iterator[Check]:
    """Apply the rules one by one: a key server may take its time."""
    return (rule(tested) for rule in RULES)


def typ(tested: TokenUnderTest) -> Check:
    """Compare it letter for letter."""
    found = claim(tested.header, "typ")
    if tested.header.get("typ") == "JWT":
        return passed("typ", found)
    why = "Jitsi wants exactly JWT, in capitals."
    return failed("typ", found, 'Write "typ": "JWT" into the header.', why=why)


def alg(tested: TokenUnderTest) -> Check:
    """Compare it with the one algorithm that the host is set to."""
    found, value = claim(tested.header, "alg"), tested.header.get("alg")
    expected = tested.expected.algorithm
    why = f"This Jitsi takes {expected} alone."
    if value not in ALGORITHMS:
        why = f"Jitsi takes {', '.join(ALGORITHMS)} alone, and no unsigned token."
    elif expected is None:
        why = "Jitsi takes the one algorithm that its host is set to."
        return not_checked("alg", found, "Give --stack-name or --algorithm.", why=why)
    elif value == expected:
        return passed("alg", found)
    return failed("alg", found, f"Sign with {expected or 'the one that Jitsi is set to'}.", why=why)


def kid(tested: TokenUnderTest) -> Check:
    """Find a public key by it; where a secret is shared, nothing reads it."""
    found, value = claim(tested.header, "kid"), tested.header.get("kid")
    is_jaas = tested.expected.is_jaas
    if not _finds_key_by_kid(tested):
        return not_applicable("kid", found, why="With a shared secret, nothing reads it.")
    if is_jaas and (why := _jaas_kid_flaw(value, tested.expected.subject)):
        remedy = "Write <App ID>/<key id>; 8x8's console shows the key id under API Keys."
        return failed("kid", found, remedy, why=why)
    if not isinstance(value, str) or not value:
        why = "Jitsi asks its key server for the public key of this name: a string."
        return failed("kid", found, "Put the kid of the key that signs into the header.", why=why)
    match tested.expected.find_key(value):
        case NoKey(why, remedy):
            return failed("kid", found, remedy, why=why)
        case KeyUnknown(why, remedy) if not is_jaas:
            return not_checked("kid", found, remedy, why=why)
        case answer:
            return passed("kid", found, answer.remark if isinstance(answer, KeyFound) else "")


def signature(tested: TokenUnderTest) -> Check:
    """Verify it, unless alg or kid is what must change."""
    for check in (alg(tested), kid(tested)):
        if check.outcome == "fail":
            why = f"Jitsi stops at the {check.name}, before it."
            return not_applicable("signature", "not looked at", why=why)
    algorithm = str(tested.header["alg"])
    answer = tested.expected.find_key(tested.header["kid"] if _finds_key_by_kid(tested) else None)
    if isinstance(answer, KeyUnknown):
        return not_checked("signature", "not looked at", answer.remedy, why=answer.why)
    if isinstance(answer, KeyFound) and _is_signed_with(tested.token.text, answer, algorithm):
        return passed("signature", f"made with Jitsi's key ({shown(algorithm)})")
    remedy = "Sign with the private key whose public part Jitsi has under this kid."
    if algorithm.startswith("HS"):
        remedy = "Sign with the characters of JWT_APP_SECRET: Jitsi never base64-decodes them."
    why = "Another key signed the token, or the token was changed afterwards."
    return failed("signature", "not made with Jitsi's key", remedy, why=why)


def exp(tested: TokenUnderTest) -> Check:
    """Compare the end with the clock, with no leeway; Prosody does not ask for an end."""
    found, end = claim(tested.claims, "exp"), tested.claims.get("exp", False)
    # Lua takes false for absent.
    if end is False:
        why = "Jitsi lets it in for ever."
        return warning("exp", found, "Add exp, the token's end in epoch seconds.", why=why)
    if not is_number(end):
        return _not_a_number("exp", found)
    found = _time(end)
    if end <= tested.now:
        why = f"The token ended {duration_text(tested.now - end)} ago."
        remedy = "Get a new token: sign for the appointment's time, or when the person clicks."
        return failed("exp", found, remedy, why=why)
    if end >= _FIRST_MILLISECONDS:
        why = "Jitsi reads seconds, so it practically never ends: are these milliseconds?"
        return warning("exp", found, "Divide by 1000: exp counts seconds.", why=why)
    if isinstance(end, float):
        return warning("exp", found, _WHOLE_NUMBER, why=_FLOAT)
    return passed("exp", f"{found}, in {duration_text(end - tested.now)}")


def nbf(tested: TokenUnderTest) -> Check:
    """Compare the start with the clock, with no leeway; Prosody does not ask for a start."""
    found, start = claim(tested.claims, "nbf"), tested.claims.get("nbf", False)
    skew = tested.expected.clock_skew_seconds
    early = f"sign with an nbf {skew} seconds before the start."
    if start is False and "nbfTime" in tested.claims:
        why = "Nothing reads nbfTime: the token works at once."
        return warning("nbf", f"{found}, but there is nbfTime", "Name the claim nbf.", why=why)
    if start is False:
        return passed("nbf", f"{found}: the token works at once")
    if not is_number(start):
        return _not_a_number("nbf", found)
    found = _time(start)
    if start > tested.now:
        why = f"The token begins in {duration_text(start - tested.now)}, and there is no leeway."
        remedy = f"Wait, or {early}" if skew else "Wait."
        if start >= _FIRST_MILLISECONDS:
            why = "Jitsi reads seconds, so it never begins: are these milliseconds?"
            remedy = "Divide by 1000: nbf counts seconds."
        return failed("nbf", found, remedy, why=why)
    if (is_close := tested.now - start < skew) or isinstance(start, float):
        why = "A Jitsi whose clock is behind still refuses it." if is_close else _FLOAT
        return warning("nbf", found, early.capitalize() if is_close else _WHOLE_NUMBER, why=why)
    return passed("nbf", found)


def iss(tested: TokenUnderTest) -> Check:
    """Look for it among the accepted issuers: by default the app id alone."""
    return _accepted(tested, "iss", tested.expected.issuers, "--issuer", "JWT_ACCEPTED_ISSUERS")


def aud(tested: TokenUnderTest) -> Check:
    """Look for it among the accepted audiences: by default any, and then of any type."""
    value, accepted = tested.claims.get("aud"), tested.expected.audiences
    if not isinstance(value, list) or (accepted and _ANY not in accepted):
        return _accepted(tested, "aud", accepted, "--audience", "JWT_ACCEPTED_AUDIENCES")
    found, remedy = claim(tested.claims, "aud"), "Write one string: the audience."
    if value:
        remedy = f"Write one string: {shown(value[0])}."
    if accepted:
        why = "This Jitsi accepts any aud. One that lists audiences refuses an array."
        return warning("aud", found, remedy, why=why)
    why = "A Jitsi that lists audiences refuses an array; by default it lists none."
    return not_checked("aud", found, f"{remedy} Or give --stack-name or --audience.", why=why)


def sub(tested: TokenUnderTest) -> Check:
    """Compare it with the App ID for JaaS, with Jitsi's domain or tenant where it verifies them."""
    found, value = claim(tested.claims, "sub"), tested.claims.get("sub")
    is_jaas, in_kid = tested.expected.is_jaas, tested.header.get("kid")
    wanted = tested.expected.subject or ""
    if is_jaas and not wanted and isinstance(in_kid, str):
        wanted = in_kid.partition("/")[0]
    remedy = f"Write {wanted}." if wanted else "Give --stack-name, --subject or --domain."
    if not isinstance(value, str):
        remedy = f"Write {wanted or 'the domain, tenant or App ID'}."
        return failed("sub", found, remedy, why="Jitsi requires sub, as a string.")
    if value and (value == wanted if is_jaas else value.lower() in (wanted.lower(), _ANY)):
        return passed("sub", found)
    if wanted and (is_jaas or tested.expected.verifies_domain):
        why = "JaaS compares it with the App ID in kid, letter for letter."
        return failed("sub", found, remedy, why=why if is_jaas else f"This Jitsi wants {wanted}.")
    why = (
        "There is no App ID to compare it with."
        if is_jaas
        else "Debian's Jitsi verifies domains and refuses another sub than its own;"
        " docker-jitsi-meet does so only with JWT_ENABLE_DOMAIN_VERIFICATION."
    )
    return not_checked("sub", found, remedy, why=why)


def admin(tested: TokenUnderTest) -> Check:
    """Look for what JaaS's REST API reads, and no meeting."""
    found = claim(tested.claims, "admin")
    if tested.claims.get("admin", False) in (False, "false"):
        return passed("admin", found)
    why = "With JaaS, its holder can ban people and destroy meetings by the REST API."
    return warning("admin", found, "Leave admin out of every meeting token.", why=why)


# In Jitsi's order: web client (the link), login (header, times, names), joining the room.
RULES: tuple[Callable[[TokenUnderTest], Check], ...] = (
    *(link, typ, alg, kid, signature, exp, nbf, iss, aud, sub, admin),
    *(room, context, user, features, moderator),
)


def _finds_key_by_kid(tested: TokenUnderTest) -> bool:
    algorithm = tested.expected.algorithm or str(tested.header.get("alg"))
    return tested.expected.is_jaas or algorithm.startswith("RS")


def _jaas_kid_flaw(value: object, ours: str | None) -> str | None:
    if not isinstance(value, str) or not _JAAS_KID.fullmatch(value):
        return f"JaaS finds the public key by {APP_ID_PREFIX}, 32 hexadecimal digits, / and key id."
    if ours and value.partition("/")[0] != ours:
        return f"Its App ID is not this Jitsi's, letter for letter: {ours}."
    return None


def _is_signed_with(token: str, key: KeyFound, algorithm: str) -> bool:
    signed, _, encoded = token.rpartition(".")
    if isinstance(key.key, bytes) is algorithm.startswith("RS"):
        return False
    try:
        made = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    except binascii.Error:
        return False
    return bool(jwt.get_algorithm_by_name(algorithm).verify(signed.encode(), key.key, made))


def _not_a_number(name: str, found: str) -> Check:
    return failed(name, found, _WHOLE_NUMBER, why="Jitsi refuses all but a JSON number there.")


def _time(seconds: float) -> str:
    return f"{str(seconds)[:20]} ({time_text(seconds)})"


def _accepted(
    tested: TokenUnderTest, name: str, accepted: tuple[str, ...], option: str, variable: str
) -> Check:
    found, value = claim(tested.claims, name), tested.claims.get(name)
    remedy = f"Write {' or '.join(map(shown, accepted)) or f'the {name} that Jitsi accepts'}."
    if name in tested.claims and (value in accepted or _ANY in accepted):
        return passed(name, found)
    if not isinstance(value, str):
        why = f"Jitsi requires {name}, as a string: an array never matches."
        return failed(name, found, remedy, why=why)
    if not accepted:
        why = f"It is not known which {name} this Jitsi accepts."
        return not_checked(name, found, f"Give --stack-name or {option}.", why=why)
    if not tested.expected.is_jaas:
        remedy = f"Write one of them, or add yours to Jitsi's {variable}."
    return failed(name, found, remedy, why=f"This Jitsi accepts {listed(accepted)} alone.")
