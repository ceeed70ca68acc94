"""The rules of the header and the signature: typ, alg, kid, signature."""

from __future__ import annotations

import base64
import binascii

import jwt

from jitsi_tokens_cli.token.explain.expectations import (
    ALGORITHMS,
    KeyAnswer,
    KeyFound,
    KeyUnknown,
    TokenUnderTest,
)
from jitsi_tokens_cli.token.explain.kid import kid_form, kid_looked_up
from jitsi_tokens_cli.token.explain.verdicts import (
    Verdict,
    claim,
    failed,
    not_applicable,
    not_checked,
    passed,
    shown,
)


def header_rules(evidence: TokenUnderTest) -> list[Verdict]:
    """Apply typ, alg, kid and signature.

    A wrong alg or kid is what is to be changed: the signature is then left alone. Prosody:
    token/util.lib.lua looks the key up, luajwtjitsi.lib.lua does the rest.
    """
    alg = _alg(evidence)
    kid = kid_form(evidence)
    answer: KeyAnswer | None = None
    if kid.outcome == "pass":
        answer = evidence.expected.find_key(evidence.header["kid"])
        kid = kid_looked_up(kid, answer, evidence)
    elif kid.outcome == "not-applicable":
        answer = evidence.expected.find_key(None)
    return [_typ(evidence), alg, kid, _signature(evidence, alg, kid, answer)]


def is_signed_with(token: str, key: KeyFound, algorithm: str) -> bool:
    """Tell whether a key made a token's signature, whatever the token says."""
    signed, _, signature = token.rpartition(".")
    try:
        signature_bytes = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    except binascii.Error:
        return False
    if isinstance(key.key, bytes) is algorithm.startswith("RS"):
        return False
    return bool(
        jwt.get_algorithm_by_name(algorithm).verify(signed.encode(), key.key, signature_bytes)
    )


def _typ(evidence: TokenUnderTest) -> Verdict:
    found = claim(evidence.header, "typ")
    if evidence.header.get("typ") == "JWT":
        return passed("typ", found)
    return failed(
        "typ",
        found,
        "Jitsi wants the header's typ to be exactly JWT, in capitals.",
        'Write "typ": "JWT" into the header.',
    )


def _alg(evidence: TokenUnderTest) -> Verdict:
    found, alg = claim(evidence.header, "alg"), evidence.header.get("alg")
    expected = evidence.expected.algorithm
    remedy = f"Sign with {expected or 'the algorithm that the host is set to'}."
    if alg not in ALGORITHMS:
        return failed(
            "alg",
            found,
            "Jitsi knows HS256, HS384, HS512, RS256, RS384 and RS512: no ES*, no PS*, no EdDSA, and"
            " no token without a signature.",
            remedy,
        )
    if expected is None:
        return not_checked(
            "alg",
            found,
            "Jitsi takes the one algorithm that its host is set to, and it is not known which.",
            "Give --stack-name or --algorithm.",
        )
    if alg == expected:
        return passed("alg", found)
    return failed(
        "alg", found, f"This Jitsi takes {expected} and no other algorithm, whatever signs.", remedy
    )


def _signature(
    evidence: TokenUnderTest, alg: Verdict, kid: Verdict, answer: KeyAnswer | None
) -> Verdict:
    for verdict in (alg, kid):
        if verdict.outcome == "fail":
            return not_applicable(
                "signature", "not looked at", f"Jitsi stops at the {verdict.rule}, before it."
            )
    if isinstance(answer, KeyUnknown):
        return not_checked("signature", "not looked at", answer.why, answer.remedy)
    # An alg that is not the expected one has failed above.
    algorithm = str(evidence.header["alg"])
    if isinstance(answer, KeyFound) and is_signed_with(evidence.token.text, answer, algorithm):
        return passed("signature", f"that of Jitsi's key ({shown(algorithm)})")
    if algorithm.startswith("HS"):
        remedy = (
            "Sign with the very characters of the secret that Jitsi has (JWT_APP_SECRET): they are"
            " never base64-decoded."
        )
    else:
        remedy = "Sign with the private key whose public part Jitsi has under this kid."
    return failed(
        "signature",
        "not that of Jitsi's key",
        "Another key signed the token, or it was changed after that.",
        remedy,
    )
