"""The fields of a token request: their types, and their descriptions in docs/openapi.yaml."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from jitsi_tokens.core.features import FEATURES

MIN_LIFETIME_SECONDS = 60
DEFAULT_LIFETIME_SECONDS = 3600
# The highest limit that a stack can have (template.yaml, MaximumLifetimeSeconds).
_MOST_LIFETIME_SECONDS = 86_400
# The highest limit that a stack can have (template.yaml, MaximumAdvanceSeconds).
MOST_ADVANCE_SECONDS = 31 * 86_400
_MAX_AVATAR_CHARACTERS = 2048
# The part of text.py's and rooms.py's rules that a JSON Schema can express. Those say why, too.
_UNSAFE = r"\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufffd"
_TEXT = {"pattern": f"^[^{_UNSAFE}]*$"}
_ROOM = {"pattern": f"^[^{_UNSAFE}/?&:'\"]*$"}
_AVATAR = {"format": "uri", "pattern": "^[Hh][Tt][Tt][Pp][Ss]://"}

UserId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=128,
        description=(
            "Your application's id of the person: 1 to 128 characters, at least one of them"
            " visible."
        ),
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
            "The name that others in the meeting see: 1 to 255 characters, at least one of them"
            " visible."
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
            "The one room that the token opens, without the tenant: 1 to 255 characters, at most"
            " 960 bytes once percent-encoded. Prefer `a-z`, `0-9` and `-`. In rooms whose name"
            ' needs percent-encoding, Jitsi\'s polls, breakout rooms and "End meeting for all"'
            " do not work. Rejected are the wildcard `*`, relative paths and names with `/ ? & :"
            " ' \"`. So are paths that Jitsi's web server serves itself, such as `http-bind` or"
            " `static`, and names that end in .js, .html, .txt, .json, .ico, .css or .map. The"
            " same goes for names that Jitsi decodes or folds to one of these. Also rejected are"
            " characters newer than Unicode 15, and names from whose URL Jitsi would compute"
            " another room."
        ),
        examples=["session-123"],
        extra_json_schema=_ROOM,
    ),
]
UserEmail = Annotated[
    str,
    Meta(
        max_length=254,
        description=(
            "The person's e-mail address, at most 254 characters. Jitsi shows it to everybody in"
            " the meeting."
        ),
        examples=["dr.smith@clinic.example"],
        extra_json_schema={"format": "idn-email"},
    ),
]
UserAvatar = Annotated[
    str,
    Meta(
        max_length=_MAX_AVATAR_CHARACTERS,
        description=(
            "The https URL of a picture, at most 2048 characters, without user name or password."
            " Jitsi shows the picture to everybody in the meeting."
        ),
        examples=["https://clinic.example/staff/smith.png"],
        extra_json_schema=_AVATAR,
    ),
]
IsModerator = Annotated[
    bool,
    Meta(
        description=(
            "Whether the person moderates the meeting. Default `false`. The client's policy must"
            " allow `true`."
        ),
        examples=[True],
    ),
]
ExpirationSeconds = Annotated[
    int,
    Meta(
        ge=MIN_LIFETIME_SECONDS,
        description=(
            "How long the token works, in whole seconds (not 60.0). At least 60; at most the"
            " stack's limit (`maximumSeconds` in the diagnostics) and the client's. Default:"
            " 3600, or the limit if that is lower."
        ),
        examples=[DEFAULT_LIFETIME_SECONDS],
        extra_json_schema={"maximum": _MOST_LIFETIME_SECONDS},
    ),
]
NotBefore = Annotated[
    int | Annotated[datetime, Meta(tz=True)],
    Meta(
        description=(
            "When the token starts to work: whole epoch seconds (not 60.0), or an RFC 3339 time"
            " with an offset. Default: now. The stack (`maximumAdvanceSeconds` in the diagnostics)"
            " and the client's policy limit how far ahead it may be. This time plus"
            " `expirationSeconds` must be in the future."
        ),
        examples=[1795316236, "2026-11-22T14:30:00+01:00"],
    ),
]
Features = Annotated[
    dict[str, bool],
    Meta(
        description=(
            "Jitsi features by name: `true` switches one on, `false` off. `{}` denies all. The"
            " client's policy must allow each feature that you switch on. Left out: none on JaaS;"
            " on a self-hosted Jitsi, the server's defaults."
        ),
        examples=[{"livestreaming": False, "recording": False}],
        extra_json_schema={"propertyNames": {"enum": sorted(FEATURES)}},
    ),
]
