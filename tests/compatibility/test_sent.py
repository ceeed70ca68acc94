"""What callers sent to earlier versions is answered as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.compatibility import sent
from tests.compatibility.recordings import Recording, holds, recorded

if TYPE_CHECKING:
    from tests.compatibility.scene import Scene


@recorded("token_requests")
def test_a_request_gets_its_claims_or_its_refusal(scene: Scene, recording: Recording) -> None:
    """At the same time, by the same policy; the meeting URL and the answer's fields too."""
    today = sent.token_request(scene, recording.given)

    assert holds({**recording.then, "line": {}}, today)


@recorded("token_requests")
def test_a_request_leaves_its_line(scene: Scene, recording: Recording) -> None:
    """What reads the audit record finds each field, and the digests of room and user."""
    today = sent.token_request(scene, recording.given)

    assert holds(recording.then["line"], today["line"])


@recorded("events")
def test_an_event_is_understood(scene: Scene, recording: Recording) -> None:
    """In the form in which API Gateway, EventBridge and Secrets Manager sent it."""
    today = sent.event(scene, recording.given)

    assert holds(recording.then, today)


@recorded("script_calls")
def test_a_call_of_a_script_sends_the_same(scene: Scene, recording: Recording) -> None:
    """With the arguments that it always had; a person keeps their id."""
    today = sent.script_call(scene, recording.given)

    assert holds(recording.then, today)
