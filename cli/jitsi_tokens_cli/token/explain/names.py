"""The rules of who a token is from and for: iss, aud, sub; and admin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jitsi_tokens_cli.token.explain.verdicts import (
    Verdict,
    claim,
    failed,
    listed,
    not_checked,
    passed,
)

if TYPE_CHECKING:
    from jitsi_tokens_cli.token.explain.expectations import TokenUnderTest

_ANY = "*"


def name_rules(evidence: TokenUnderTest) -> list[Verdict]:
    """Apply iss, aud, sub and admin (Prosody: token/util.lib.lua; the last is JaaS's)."""
    return [_iss(evidence), _aud(evidence), _sub(evidence), _admin(evidence)]


def _iss(evidence: TokenUnderTest) -> Verdict:
    return _accepted(
        evidence,
        "iss",
        evidence.expected.issuers,
        "Give --stack-name or --issuer.",
        "Write one of them, or add yours to Jitsi's JWT_ACCEPTED_ISSUERS.",
    )


def _aud(evidence: TokenUnderTest) -> Verdict:
    if isinstance(evidence.claims.get("aud"), list):
        return failed(
            "aud",
            claim(evidence.claims, "aud"),
            "It is an array, and Jitsi compares strings: an array never matches.",
            f"Write one string: {listed(evidence.expected.audiences) or 'the audience'}.",
        )
    return _accepted(
        evidence,
        "aud",
        evidence.expected.audiences,
        "Give --stack-name or --audience.",
        "Write one of them, or add yours to Jitsi's JWT_ACCEPTED_AUDIENCES.",
    )


def _accepted(
    evidence: TokenUnderTest, name: str, accepted: tuple[str, ...], tell: str, change: str
) -> Verdict:
    found, value = claim(evidence.claims, name), evidence.claims.get(name)
    wanted = f"Write {listed(accepted)}." if accepted else f"Write the {name} that Jitsi accepts."
    if not isinstance(value, str):
        return failed(name, found, f"Jitsi requires {name}, as a string.", wanted)
    if not accepted:
        return not_checked(name, found, f"It is not known which {name} this Jitsi accepts.", tell)
    if value in accepted or _ANY in accepted:
        return passed(name, found)
    return failed(
        name,
        found,
        f"This Jitsi accepts {listed(accepted)}, letter for letter.",
        wanted if evidence.expected.is_jaas else change,
    )


def _sub(evidence: TokenUnderTest) -> Verdict:
    found, sub = claim(evidence.claims, "sub"), evidence.claims.get("sub")
    if evidence.expected.is_jaas:
        return _jaas_sub(evidence, sub, found)
    wanted = evidence.expected.subject
    remedy = f"Write {wanted}." if wanted else "Write Jitsi's XMPP domain, or the tenant."
    if not isinstance(sub, str):
        return failed("sub", found, "Current versions of Jitsi require sub, a string.", remedy)
    if sub in (wanted, _ANY):
        return passed("sub", found)
    if wanted is None:
        return not_checked(
            "sub",
            found,
            "Jitsi in Docker ignores its value. With domain verification (Debian) it is the XMPP"
            " domain, the tenant of /tenant/room, or *.",
            "Give --stack-name, --subject, --tenant or --domain.",
        )
    return failed(
        "sub",
        found,
        f"A Jitsi that verifies domains wants {wanted}: Debian's packages do, Docker's images when"
        " JWT_ENABLE_DOMAIN_VERIFICATION is on. Any other ignores the value.",
        remedy,
    )


def _jaas_sub(evidence: TokenUnderTest, sub: object, found: str) -> Verdict:
    kid = evidence.header.get("kid")
    in_kid = kid.partition("/")[0] if isinstance(kid, str) else None
    wanted = evidence.expected.subject or in_kid
    remedy = f"Write {wanted or 'the App ID'}, in the same case as in kid."
    if not isinstance(sub, str):
        return failed("sub", found, "JaaS requires sub, the App ID as a string.", remedy)
    if wanted is None:
        return not_checked("sub", found, "There is no App ID to compare it with.", remedy)
    if sub == wanted:
        return passed("sub", found)
    if sub.lower() == wanted.lower():
        why = f"It is in another case than {wanted}: JaaS compares it with kid letter for letter."
    else:
        why = f"JaaS wants the App ID there, the same as in kid: {wanted}."
    return failed("sub", found, why, remedy)


def _admin(evidence: TokenUnderTest) -> Verdict:
    admin = evidence.claims.get("admin", False)
    if admin is False or admin == "false":
        return passed("admin", claim(evidence.claims, "admin"))
    return failed(
        "admin",
        claim(evidence.claims, "admin"),
        "Whoever holds the token drives JaaS's REST interface with it: ban, kick, destroy.",
        "Leave admin out: a meeting token never carries it.",
    )
