"""The rule of the kid: its form, and whether Jitsi finds a key under it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jitsi_tokens_cli.token.explain.expectations import (
    APP_ID,
    APP_ID_PREFIX,
    KeyFound,
    KeyUnknown,
    NoKey,
)
from jitsi_tokens_cli.token.explain.verdicts import (
    MISSING,
    Verdict,
    claim,
    failed,
    not_applicable,
    not_checked,
    passed,
)

if TYPE_CHECKING:
    from jitsi_tokens_cli.token.explain.expectations import KeyAnswer, TokenUnderTest

_JAAS_FORM = "Write <App ID>/<key id>, the key id as 8x8's console shows it under API Keys."


def kid_form(evidence: TokenUnderTest) -> Verdict:
    """Judge the kid as far as it can be without a look at the keys."""
    found, kid = claim(evidence.header, "kid"), evidence.header.get("kid")
    algorithm = evidence.expected.algorithm or str(evidence.header.get("alg"))
    if not evidence.expected.is_jaas and not algorithm.startswith("RS"):
        return not_applicable("kid", found, "Nothing looks at it where a secret is shared.")
    if evidence.expected.is_jaas:
        return _jaas_kid_form(evidence, kid, found)
    if isinstance(kid, str) and kid:
        return passed("kid", found)
    return failed(
        "kid",
        found,
        "A Jitsi that fetches public keys asks its key server for the key of this name."
        if found == MISSING
        else "A kid is a name, in a string: a Jitsi that fetches public keys asks for it by that.",
        "Put the kid of the key that signs into the header.",
    )


def kid_looked_up(kid: Verdict, answer: KeyAnswer, evidence: TokenUnderTest) -> Verdict:
    """Return what the look at the keys makes of a kid whose form holds."""
    match answer:
        case NoKey(why, remedy):
            return failed("kid", kid.found, why, remedy)
        case KeyFound(_, remark) if remark:
            return passed("kid", kid.found, remark)
        case KeyUnknown(why, remedy) if not evidence.expected.is_jaas:
            return not_checked("kid", kid.found, why, remedy)
    return kid


def _jaas_kid_form(evidence: TokenUnderTest, kid: object, found: str) -> Verdict:
    if not isinstance(kid, str) or not kid:
        return failed(
            "kid", found, "JaaS finds the public key by it, and it has none to try.", _JAAS_FORM
        )
    app_id, _, key_id = kid.partition("/")
    ours = evidence.expected.subject
    if not APP_ID.fullmatch(app_id):
        why = (
            f"JaaS wants <App ID>/<key id> there, and an App ID is {APP_ID_PREFIX} and 32"
            " hexadecimal digits."
        )
    elif not key_id:
        why = "It lacks the key id: JaaS wants <App ID>/<key id>, and finds no key under an App ID."
    elif "/" in key_id:
        why = "It has a part too many: JaaS wants <App ID>/<key id>, the App ID once."
    elif ours and app_id != ours:
        other = "written in another case" if app_id.lower() == ours.lower() else "another one"
        why = f"Its App ID is {other}: this Jitsi's is {ours}."
    else:
        return passed("kid", found)
    return failed("kid", found, why, _JAAS_FORM)
