"""The rule of the room."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jitsi_tokens.core.rooms import RoomRefused, backend_safe, scoped_room, unopened
from jitsi_tokens_cli.token.explain.verdicts import Verdict, claim, failed, passed

if TYPE_CHECKING:
    from jitsi_tokens_cli.token.explain.expectations import TokenUnderTest

_SLASH = re.compile("/|%2f", re.IGNORECASE)
_EVERY_ROOM = "*"
_OTHER_NAME = "Choose another name for the room."


def room_seen(evidence: TokenUnderTest) -> str | None:
    """Return the room as Jitsi will see it: the one that is meant, else the claim's."""
    room = evidence.claims.get("room")
    if evidence.intended_room or not isinstance(room, str) or room == _EVERY_ROOM:
        return evidence.intended_room
    return _folded(_SLASH.split(room)[-1]) or None


def room_rule(evidence: TokenUnderTest) -> Verdict:
    """Compare the claim with the room (Prosody: token/util.lib.lua, verify_room)."""
    room, found = evidence.claims.get("room"), claim(evidence.claims, "room")
    if not isinstance(room, str):
        why = "Jitsi requires it, as a string."
        if "room" in evidence.claims and room is None:
            why = "A null there hangs the login without an answer."
        return failed("room", found, why, _write(evidence.intended_room))
    if room == _EVERY_ROOM:
        return failed(
            "room",
            found,
            "It opens every room: whoever holds the token can join any meeting.",
            _write(evidence.intended_room),
        )
    if _SLASH.search(room):
        return failed(
            "room",
            found,
            "It holds a slash. The claim is the bare room name: with a tenant or an App ID before"
            " it, room and token do not match. The tenant stands in sub and in the URL.",
            _write(evidence.intended_room or room_seen(evidence)),
        )
    return _named_room(evidence, room, found)


def _named_room(evidence: TokenUnderTest, room: str, found: str) -> Verdict:
    folded, meant = _folded(room), evidence.intended_room
    try:
        scoped_room(room)
    except RoomRefused as refused:
        return failed("room", found, f"The name {refused}.", _OTHER_NAME)
    if room != folded:
        return failed(
            "room",
            found,
            "It is not the form in which Jitsi compares rooms"
            + (f': it will see "{folded}".' if folded else "."),
            _write(meant or folded),
        )
    if meant is not None and room != meant:
        return failed(
            "room",
            found,
            f'The token is for this room, and the person joins "{meant}".',
            _write(meant),
        )
    if meant is None:
        return passed("room", found, "Give --room to compare it with the room that is meant.")
    return passed("room", found)


def _folded(name: str) -> str | None:
    try:
        return backend_safe(name)
    except UnicodeEncodeError:
        return None


def _write(room: str | None) -> str:
    if room and unopened(room):
        return _OTHER_NAME
    # In full, as it is to be copied; no quote stands in a room once it is percent-encoded.
    return f'Write "{room}".' if room else "Write the name of the one room that is meant."
