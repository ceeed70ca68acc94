"""The types of clients/nextjs and clients/react, in an application made of the docs' examples."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from tests.clients.npm import NODE_MODULES, package

_ROOT = Path(__file__).parents[2]
_SESSION = """
export interface User { id: string; name: string }
interface Visit { hostId: string; guestIds: string[] }
export declare function currentUser(request: Request): Promise<User | null>;
export declare function visitInRoom(roomName: string): Promise<Visit | null>;
export declare function appointmentOf(
  id: string | undefined,
): Promise<{ doctorId: string; visitId: string } | null>;
"""
# Each is an error, or the compiler reports the comment above it.
_WRONG = """
import { JitsiMeeting } from '../lib/jitsi-tokens-react/meeting.js';
import { jitsiRoute, joinRoute } from '../lib/jitsi-tokens/route.js';

// @ts-expect-error there is no such kind of session
export const kind = <JitsiMeeting roomName="session-123" sessionType="telepathy" />;
// @ts-expect-error the token comes from the route
export const token = <JitsiMeeting roomName="session-123" jwt="eyJ" />;
// @ts-expect-error there is no such message
export const messages = <JitsiMeeting roomName="session-123" messages={{ fobidden: 'No.' }} />;
// @ts-expect-error who is asking is not said
jitsiRoute({});
// @ts-expect-error a person has a name
jitsiRoute({ identify: async () => ({ userId: 'u-7', isModerator: true }) });
// @ts-expect-error a visit has an id
joinRoute({ identify: async () => ({ participantId: 'doctor' }) });
"""
# The type of the messages is written by hand: it names each, and no other.
_MESSAGES = """
import type { Messages } from '../lib/jitsi-tokens-react/meeting.js';
import { MESSAGES } from '../lib/jitsi-tokens-react/messages.js';

export const each: typeof MESSAGES = {} as Messages;
export const noOther: Messages = MESSAGES;
"""


def _examples(page: str, language: str) -> list[str]:
    """Return a page's blocks in a language."""
    text = (_ROOT / page).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def test_the_types_fit_the_docs_examples(tmp_path: Path) -> None:
    """In TypeScript's strict mode; and what is wrong is an error."""
    compiler = package("@typescript/typescript-linux-x64") / "lib/tsc"
    [room] = _examples("docs/migrating.md", "js")
    [visit] = _examples("clients/nextjs/README.md", "js")
    session, of_a_visit = _examples("clients/react/README.md", "tsx")
    files = {
        "app/api/jitsi/jwt/route.ts": room,
        "app/api/visits/[id]/join/route.ts": visit,
        "app/session.tsx": f"{session}export const visit = (handleEnd: () => void) => {of_a_visit}",
        "app/messages.ts": _MESSAGES,
        "app/wrong.tsx": _WRONG,
        "lib/session.d.ts": _SESSION,
    }
    for name, content in files.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    shutil.copytree(_ROOT / "clients/nextjs", tmp_path / "lib/jitsi-tokens")
    shutil.copytree(_ROOT / "clients/react", tmp_path / "lib/jitsi-tokens-react")
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)

    done = subprocess.run(  # noqa: S603 - pinned by its checksum
        [
            *(compiler, "--noEmit", "--strict", "--jsx", "react-jsx", "--target", "es2022"),
            *("--module", "esnext", "--moduleResolution", "bundler", "--skipLibCheck", "--allowJs"),
            *(tmp_path / name for name in files),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, "")
