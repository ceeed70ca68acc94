"""What a client's policy allows in a visit: asked when it is put, and again at each mint."""

from collections.abc import Sequence

from jitsi_tokens.core.policy import Policy
from jitsi_tokens.core.problems import (
    FORBIDDEN,
    MAX_ERRORS,
    FieldError,
    Problem,
    field_error,
    field_problem,
)
from jitsi_tokens.core.requests import TokenRequest
from jitsi_tokens.core.visit_records import Member, Visit
from jitsi_tokens.core.visit_requests import Participant, ParticipantBody


def check_put(policy: Policy, visit: Visit, participants: Sequence[Participant]) -> None:
    """Refuse a visit that the policy does not allow; nobody chose a drawn room.

    Raises:
        Problem: 403, with the fields at fault in the body of PUT.
    """
    errors: list[FieldError] = []
    if not _opens_room(policy, visit):
        errors.append(field_error("/roomName", "is outside the rooms of this client"))
    for number, participant in enumerate(participants):
        errors += _faults(policy, participant, f"/participants/{number}")
    _refuse(errors)


def check_participant(policy: Policy, body: ParticipantBody) -> None:
    """Refuse a participant whom the policy does not allow.

    Raises:
        Problem: 403, with the fields at fault.
    """
    _refuse(_faults(policy, body, ""))


def has_link(policy: Policy, member: Member) -> bool:
    """Tell whether a participant has a link: moderators only where the policy allows it."""
    return policy.moderator_links or not member.is_moderator


def check_new_link(policy: Policy, member: Member) -> None:
    """Refuse a link that the policy does not allow.

    Raises:
        Problem: 403.
    """
    if not has_link(policy, member):
        raise Problem(FORBIDDEN, "This client may not give moderators links.")


def allows(policy: Policy, visit: Visit, member: Member) -> bool:
    """Tell whether the policy, as it is now, allows a participant a token."""
    if not policy.visits or not _opens_room(policy, visit):
        return False
    return member.participant is None or not _faults(policy, member.participant, "")


def token_request(visit: Visit, user_id: str, participant: Participant) -> TokenRequest:
    """Return the request whose token a participant gets."""
    return TokenRequest(
        user_id=user_id,
        user_name=participant.user_name,
        room_name=visit.room,
        user_email=participant.user_email,
        user_avatar=participant.user_avatar,
        is_moderator=participant.is_moderator,
        features=participant.features,
    )


def _opens_room(policy: Policy, visit: Visit) -> bool:
    return visit.room_is_drawn or policy.opens(visit.room)


def _faults(policy: Policy, person: ParticipantBody, pointer: str) -> list[FieldError]:
    request = TokenRequest(
        user_id="",
        user_name=person.user_name,
        room_name="",
        is_moderator=person.is_moderator,
        features=person.features,
    )
    found = policy.faults_of_person(request)
    return [FieldError(f"{pointer}{error.pointer}", error.detail) for error in found]


def _refuse(errors: list[FieldError]) -> None:
    if errors:
        raise field_problem(FORBIDDEN, errors[:MAX_ERRORS])
