"""The fields of a token request: their types, and what docs/openapi.yaml says of them."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from jitsi_tokens.core.features import FEATURES

MIN_LIFETIME_SECONDS = 60
DEFAULT_LIFETIME_SECONDS = 3600
# No stack gives more; most give less (template.yaml, MaximumLifetimeSeconds).
_MOST_LIFETIME_SECONDS = 86_400
# The most that a stack gives (template.yaml, MaximumAdvanceSeconds).
MOST_ADVANCE_SECONDS = 31 * 86_400
_MAX_AVATAR_CHARACTERS = 2048
# As much of text.py and rooms.py as a JSON Schema can say. Those refuse it with a better reason.
_UNSAFE = r"\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufffd"
_TEXT = {"pattern": f"^[^{_UNSAFE}]*$"}
_ROOM = {"pattern": f"^[^{_UNSAFE}/?&:'\"]*$"}
_AVATAR = {"format": "uri", "pattern": "^[Hh][Tt][Tt][Pp][Ss]://"}

UserId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=128,
        description="The caller's own id of the person, at least one character of it visible.",
        examples=["user-123"],
        extra_json_schema=_TEXT,
    ),
]
UserName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=255,
        description=(
            "The name that the others in the meeting see, at least one character of it visible."
        ),
        examples=["Dr. Jane Smith"],
        extra_json_schema=_TEXT,
    ),
]
RoomName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=255,
        description=(
            "The one room that the token opens, without the tenant. Prefer lower-case letters,"
            ' digits and hyphens: Jitsi\'s polls, breakout rooms and "End meeting for all" do not'
            " work in a room whose name needs percent-encoding. Refused are the wildcard `*`,"
            " relative paths, the characters `/ ? & : ' \"` and paths that Jitsi's web server keeps"
            " for itself, such as `http-bind`, `static` or any name that ends in .js, .html, .txt,"
            " .json, .ico, .css or .map; what Jitsi decodes or folds to one of these; characters"
            " that Unicode 15 does not know, names that Jitsi would not find again from their own"
            " URL, and what exceeds 960 bytes once percent-encoded."
        ),
        examples=["session-123"],
        extra_json_schema=_ROOM,
    ),
]
UserEmail = Annotated[
    str,
    Meta(
        max_length=254,
        description="An e-mail address, which Jitsi shows to everybody in the meeting.",
        examples=["dr.smith@clinic.example"],
        extra_json_schema={"format": "idn-email"},
    ),
]
UserAvatar = Annotated[
    str,
    Meta(
        max_length=_MAX_AVATAR_CHARACTERS,
        description=(
            "The https address of a picture, without user name or password. Jitsi shows it to"
            " everybody in the meeting."
        ),
        examples=["https://clinic.example/staff/smith.png"],
        extra_json_schema=_AVATAR,
    ),
]
IsModerator = Annotated[
    bool,
    Meta(
        description="Whether the person moderates the meeting. A client needs leave for `true`.",
        examples=[True],
    ),
]
ExpirationSeconds = Annotated[
    int,
    Meta(
        ge=MIN_LIFETIME_SECONDS,
        description=(
            "How long the token works. At most `maximumSeconds` of the stack, see the"
            " diagnostics, and what the client's policy says. Left out: an hour, or the lower of"
            " these two limits. Without a fraction: not 60.0."
        ),
        examples=[DEFAULT_LIFETIME_SECONDS],
        extra_json_schema={"maximum": _MOST_LIFETIME_SECONDS},
    ),
]
NotBefore = Annotated[
    int | Annotated[datetime, Meta(tz=True)],
    Meta(
        description=(
            "From when the token works, in epoch seconds or as RFC 3339 time with an offset; left"
            " out, from now on. At most `maximumAdvanceSeconds` ahead, see the diagnostics, and"
            " what the client's policy says; `expirationSeconds` later must lie in the future."
            " Numbers have no fraction: not 60.0."
        ),
        examples=[1795316236, "2026-11-22T14:30:00+01:00"],
    ),
]
Features = Annotated[
    dict[str, bool],
    Meta(
        description=(
            "Features of Jitsi by name, on or off. `{}` denies all of them. A client needs leave"
            " for each that it switches on."
        ),
        examples=[{"livestreaming": False, "recording": False}],
        extra_json_schema={"propertyNames": {"enum": sorted(FEATURES)}},
    ),
]
