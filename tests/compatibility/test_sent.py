"""What callers sent to earlier versions is answered as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.compatibility import sent
from tests.compatibility.recordings import Recording, holds, recorded

if TYPE_CHECKING:
    from tests.compatibility.scene import Scene


@recorded("token_requests")
def test_a_request_gets_the_same_answer(scene: Scene, recording: Recording) -> None:
    """By the same policy: the answer, the token's claims and the fields of the audit record."""
    today = sent.token_request(scene, recording.given)

    assert holds(recording.then, today)


@recorded("script_calls")
def test_a_call_of_a_script_sends_the_same(scene: Scene, recording: Recording) -> None:
    """With the arguments that it always had; a person keeps their id."""
    today = sent.script_call(scene, recording.given)

    assert holds(recording.then, today)
