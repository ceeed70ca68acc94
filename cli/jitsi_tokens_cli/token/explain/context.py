"""The rules of the context: no null, and the person's fields."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from jitsi_tokens_cli.token.explain.verdicts import (
    MISSING,
    Verdict,
    claim,
    failed,
    listed,
    not_applicable,
    passed,
)

if TYPE_CHECKING:
    from jitsi_tokens_cli.token.explain.expectations import TokenUnderTest

# Extensible Markup Language 1.0, 2.3: NameStartChar, NameChar.
_NAME_START = (
    "A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d"
    "\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_XML_NAME = re.compile(f"[{_NAME_START}][{_NAME_START}\\-.0-9\u00b7\u0300-\u036f\u203f\u2040]*")
# 8x8's own samples write booleans there, and mod_token_lobby_bypass takes nothing else.
_SWITCHES = frozenset(["moderator", "hidden-from-recorder", "lobby_bypass"])


def context_rules(evidence: TokenUnderTest) -> list[Verdict]:
    """Apply the rules of context and context.user."""
    context = evidence.claims.get("context")
    return [_context(evidence), _user(context if isinstance(context, dict) else {})]


def _context(evidence: TokenUnderTest) -> Verdict:
    found, context = claim(evidence.claims, "context"), evidence.claims.get("context")
    if "context" not in evidence.claims:
        if evidence.expected.is_jaas:
            return failed(
                "context",
                MISSING,
                "JaaS requires it.",
                'Add "context": {"user": {…}, "features": {}}.',
            )
        return passed("context", MISSING, "Nobody's name is known then: the person types one.")
    if nulls := _nulls(context):
        return failed(
            "context",
            f"null for {listed(nulls)}",
            "A null anywhere in it hangs the login without an answer.",
            "Leave the key out where there is no value.",
        )
    if not isinstance(context, dict):
        return failed("context", found, "Jitsi wants an object there.", "Write an object.")
    return passed("context", found)


def _user(context: dict[str, Any]) -> Verdict:
    rule = "context.user"
    if "user" not in context:
        return not_applicable(rule, MISSING, "The token says nothing of the person.")
    user = context["user"]
    if not isinstance(user, dict):
        return failed(rule, "not an object", "Jitsi wants an object there.", "Write an object.")
    if odd := [name for name in user if not _XML_NAME.fullmatch(name)]:
        return failed(
            rule,
            f"the key {listed(odd)}",
            "Each key becomes the name of an XML element: one that cannot be a name, as with a"
            " space, crashes the join.",
            "Name it with letters, digits, - and _, beginning with a letter.",
        )
    if untold := [
        name
        for name, value in user.items()
        # A null is the rule of context.
        if value is not None
        and not isinstance(value, str)
        and not (name in _SWITCHES and isinstance(value, bool))
    ]:
        return failed(
            rule,
            f"{listed(untold)} not a string",
            "Each value becomes a text that is shown to every participant.",
            "Write a string, and leave the key out where there is none.",
        )
    return passed(rule, f"{len(user)} fields, shown to every participant")


def _nulls(context: object) -> list[str]:
    """Return where null stands, at any depth."""
    nulls = []
    left = [("context", context)]
    while left:
        path, value = left.pop()
        if value is None:
            nulls.append(path)
        elif isinstance(value, dict):
            left += [(f"{path}.{name}", inner) for name, inner in value.items()]
        elif isinstance(value, list):
            left += [(f"{path}[{index}]", inner) for index, inner in enumerate(value)]
    return sorted(nulls)
