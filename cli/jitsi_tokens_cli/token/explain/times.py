"""The rules of the times: exp and nbf. Prosody compares them with no leeway."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jitsi_tokens_cli.output import duration_text, time_text
from jitsi_tokens_cli.token.explain.verdicts import MISSING, Verdict, claim, failed, passed

if TYPE_CHECKING:
    from jitsi_tokens_cli.token.explain.expectations import TokenUnderTest

# The year 5138 in seconds, the year 1973 in milliseconds.
_FIRST_MILLISECONDS = 100_000_000_000
_WHOLE = "Write epoch seconds as a whole number, in Python int(time.time()) + 3600."


def time_rules(evidence: TokenUnderTest) -> list[Verdict]:
    """Apply exp and nbf (Prosody: luajwtjitsi.lib.lua; web client: validateJwt)."""
    return [_exp(evidence), _nbf(evidence)]


def _exp(evidence: TokenUnderTest) -> Verdict:
    if "exp" not in evidence.claims:
        return failed(
            "exp",
            MISSING,
            "Without it the token lives for ever on the server, and the web client takes it for"
            " invalid.",
            "Add exp, the end of the token in epoch seconds.",
        )
    exp = evidence.claims["exp"]
    if flawed := _flawed(evidence, "exp"):
        return flawed
    if exp >= _FIRST_MILLISECONDS:
        return failed(
            "exp",
            _time(exp),
            "Jitsi reads it as seconds, so that the token lives practically for ever: it looks like"
            " milliseconds.",
            "Divide by 1000: exp counts seconds.",
        )
    if exp <= evidence.now:
        return failed(
            "exp",
            _time(exp),
            f"The token was over {duration_text(evidence.now - exp)} ago.",
            "Get a new token: sign for the appointment's time, or when the person clicks.",
        )
    return passed("exp", f"{_time(exp)}, in {duration_text(exp - evidence.now)}")


def _nbf(evidence: TokenUnderTest) -> Verdict:
    if "nbf" not in evidence.claims:
        if "nbfTime" in evidence.claims:
            return failed(
                "nbf",
                "missing, but there is nbfTime",
                "nbfTime is not nbf: nothing reads it, and the token works at once.",
                "Name the claim nbf.",
            )
        return passed("nbf", "missing: the token works at once")
    nbf = evidence.claims["nbf"]
    if flawed := _flawed(evidence, "nbf"):
        return flawed
    if nbf >= _FIRST_MILLISECONDS:
        return failed(
            "nbf",
            _time(nbf),
            "Jitsi reads it as seconds, so that the token never begins: it looks like"
            " milliseconds.",
            "Divide by 1000: nbf counts seconds.",
        )
    return _nbf_in_seconds(nbf, evidence.now, evidence.expected.clock_skew_seconds)


def _nbf_in_seconds(nbf: int, now: int, clock_skew_seconds: int) -> Verdict:
    if nbf > now:
        early = f", or sign with an nbf that lies {clock_skew_seconds} seconds before the start"
        return failed(
            "nbf",
            _time(nbf),
            f"The token begins in {duration_text(nbf - now)}, and Jitsi's clock has no leeway.",
            f"Wait{early if clock_skew_seconds else ''}.",
        )
    if now - nbf < clock_skew_seconds:
        return passed(
            "nbf",
            _time(nbf),
            "A Jitsi whose clock is behind still refuses it: let nbf lie"
            f" {clock_skew_seconds} seconds before the start.",
        )
    return passed("nbf", _time(nbf))


def _flawed(evidence: TokenUnderTest, name: str) -> Verdict | None:
    """Say what is wrong with a time that is no whole number."""
    value, found = evidence.claims[name], claim(evidence.claims, name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        why = f"Jitsi wants a JSON number for {name}, and refuses any other type."
    elif isinstance(value, int):
        return None
    elif value.is_integer():
        why = (
            f"{name} is a float. Nothing follows its point, so this one passes; the next may not:"
            " the web client takes a time with a fraction for invalid."
        )
    else:
        why = f"{name} is a float: the web client wants a whole number, and takes it for invalid."
    return failed(name, found, why, _WHOLE)


def _time(seconds: int) -> str:
    return f"{str(seconds)[:20]} ({time_text(seconds)})"
