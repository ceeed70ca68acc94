"""The rules of what a token says of the person: context, user, features, moderator."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jitsi_tokens.core import moderators
from jitsi_tokens.core.features import FEATURES
from jitsi_tokens_cli.checks import Check, failed, not_applicable, passed, warning
from jitsi_tokens_cli.token.explain.expectations import claim, listed, shown

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
# mod_token_affiliation makes members of all others.
_OWNERS = ("owner", "moderator", "teacher")
_SETTINGS = (
    f"{moderators.MODERATOR_WARNING} It follows the token with {moderators.settings_text()}."
)
_TRUE_OR_FALSE = 'Write "true" or "false".'


def context(tested: TokenUnderTest) -> Check:
    """Look for a null, which hangs the login, and for what Lua cannot index."""
    found, value = claim(tested.claims, "context"), tested.claims.get("context")
    remedy = 'Write an object: {"user": {…}, "features": {}}.'
    if "context" not in tested.claims:
        if tested.expected.is_jaas:
            return failed("context", found, remedy, why="JaaS requires it.")
        return passed("context", found, "Nobody's name is known then: the person types one.")
    if nulls := _nulls(value):
        why = "A null anywhere in it hangs the login without an answer."
        leave_out = "Leave the key out where there is no value."
        return failed("context", f"null for {listed(nulls)}", leave_out, why=why)
    if isinstance(value, str | list):
        return warning("context", found, remedy, why="Jitsi finds nobody's name in it.")
    if not isinstance(value, dict):
        return failed("context", found, remedy, why="Jitsi requires an object there.")
    return passed("context", found)


def user(tested: TokenUnderTest) -> Check:
    """Look at its keys, which become XML elements, and its values, which become their text."""
    name, fields = "context.user", tested.user
    if "user" not in tested.context:
        return not_applicable(name, "missing", why="The token says nothing about the person.")
    if not isinstance(tested.context["user"], dict):
        remedy = 'Write an object: {"name": "…"}.'
        return failed(name, "not an object", remedy, why="Jitsi requires an object there.")
    if odd := [key for key in fields if not _XML_NAME.fullmatch(key)]:
        why = "Each key becomes an XML name. What cannot be one, as with a space, crashes the join."
        remedy = "Use letters, digits, - and _, beginning with a letter."
        return failed(name, f"the key {listed(odd)}", remedy, why=why)
    if odd := [key for key, value in fields.items() if not _is_text(key, value)]:
        why = "Each value becomes a text that everybody sees. Older Jitsi takes strings alone."
        remedy = "Write a string, and leave the key out where there is none."
        return warning(name, f"{listed(odd)} not a string", remedy, why=why)
    return passed(name, f"{len(fields)} fields, shown to every participant")


def features(tested: TokenUnderTest) -> Check:
    """Look for what the web client alone objects to (validateJwt)."""
    found, value = "not an object", tested.context.get("features")
    remedy, why = 'Write {"recording": "true"} and the like.', "Jitsi finds no switch in it."
    if value is None:
        if not tested.expected.is_jaas:
            return passed("features", "missing: a moderator has Jitsi's defaults")
        found, remedy = "missing", 'Add "features": {}: it allows none.'
        why = "JaaS's web client expects context.features."
    elif isinstance(value, dict):
        if unknown := [name for name in value if name not in FEATURES]:
            found, why = f"unknown: {listed(unknown)}", "Jitsi ignores what it does not know."
            remedy = f"Leave it out. Jitsi knows: {', '.join(sorted(FEATURES))}."
        elif odd := [name for name, switch in value.items() if not _is_switch(switch)]:
            found, remedy = f"{listed(odd)} neither true nor false", _TRUE_OR_FALSE
            why = "Jitsi takes true and false, as strings or booleans. Anything else denies."
        else:
            allowed = [name for name, switch in value.items() if switch in (True, "true")]
            none = "none" if value else "none: {} denies all of them, even to a moderator"
            return passed("features", f"allowed: {listed(allowed)}" if allowed else none)
    return warning("features", found, remedy, why=why)


def moderator(tested: TokenUnderTest) -> Check:
    """Predict the role: a stock Jitsi ignores it, JaaS and mod_token_affiliation do not."""
    fields = tested.user
    found, value = f"moderator {claim(fields, 'moderator')}", fields.get("moderator")
    if not _is_switch(value):
        why = "Jitsi takes true and false, as strings or booleans. Anything else is a guest."
        return warning("moderator", found, _TRUE_OR_FALSE, why=why)
    role = "a moderator" if makes_moderator(tested) else "a guest"
    if tested.expected.is_jaas:
        return passed("moderator", f"{found}: JaaS makes {role}")
    if "affiliation" in fields:
        found += f", affiliation {claim(fields, 'affiliation')}"
    found += f": a Jitsi that follows it makes {role}"
    bypass = fields.get("lobby_bypass", False)
    if not isinstance(bypass, bool):
        why = f"lobby_bypass {shown(bypass)} lets nobody past the lobby."
        return warning("moderator", found, "Write lobby_bypass as the boolean true.", why=why)
    return passed("moderator", found, _SETTINGS)


def makes_moderator(tested: TokenUnderTest) -> bool:
    """Tell whether JaaS, or a Jitsi that follows the token, makes a moderator."""
    value = tested.user.get("moderator")
    if value is True or value == "true":
        return True
    return not tested.expected.is_jaas and tested.user.get("affiliation") in _OWNERS


def _is_text(key: str, value: object) -> bool:
    is_switch = key in _SWITCHES and isinstance(value, bool)
    # A null is the rule of context.
    return value is None or isinstance(value, str) or is_switch


def _is_switch(value: object) -> bool:
    return value is None or isinstance(value, bool) or value in ("true", "false")


def _nulls(value: object, path: str = "context") -> list[str]:
    """Return the path of each null, at any depth."""
    inner: list[tuple[str, object]] = []
    if isinstance(value, dict):
        inner = [(f"{path}.{name}", member) for name, member in value.items()]
    elif isinstance(value, list):
        inner = [(f"{path}[{index}]", member) for index, member in enumerate(value)]
    elif value is None:
        return [path]
    return sorted(null for where, member in inner for null in _nulls(member, where))
