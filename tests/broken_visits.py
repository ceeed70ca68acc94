"""Each rule of PUT /api/visits/{visitId}, broken: what changes in a good body, and the field."""

from typing import Any

DAY = 86_400


def _participant(**changed: Any) -> dict[str, Any]:
    return {"participants": [{"participantId": "a", "userName": "x"} | changed]}


# By name. None leaves a field out; `starts_in` is in seconds from now.
BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "no start": ({"startsAt": None}, "/startsAt"),
    "no offset": ({"startsAt": "2027-01-15T09:30:00"}, "/startsAt"),
    "401 days ahead": ({"starts_in": 401 * DAY}, "/startsAt"),
    "over": ({"starts_in": -2 * 3600}, "/startsAt"),
    "no length": ({"durationMinutes": 0}, "/durationMinutes"),
    "too long": ({"durationMinutes": 1381}, "/durationMinutes"),
    "25 hours": ({"durationMinutes": 1380, "overrunMinutes": 105}, "/durationMinutes"),
    "no time zone": ({"timeZone": None}, "/timeZone"),
    "no place": ({"timeZone": "Europe/Vienn"}, "/timeZone"),
    "no summer time": ({"timeZone": "CET"}, "/timeZone"),
    "opens too early": ({"opensBeforeMinutes": 721}, "/opensBeforeMinutes"),
    "overruns too little": ({"overrunMinutes": -1}, "/overrunMinutes"),
    "admission": ({"admission": "by-moderator"}, "/admission"),
    "no contact": ({"contact": None}, "/contact"),
    "no phone": ({"contact": {"name": "x"}}, "/contact/phone"),
    "a long phone": ({"contact": {"name": "x", "phone": "1" * 41}}, "/contact/phone"),
    "no clinic": ({"contact": {"name": "", "phone": "1"}}, "/contact/name"),
    "fax": ({"contact": {"name": "x", "phone": "1", "fax": "1"}}, "/contact/fax"),
    "no https": (
        {"contact": {"name": "x", "phone": "1", "privacyUrl": "http://x.example"}},
        "/contact/privacyUrl",
    ),
    "no host": ({"hostName": ""}, "/hostName"),
    "two lines": ({"hostName": "a\nb"}, "/hostName"),
    "every room": ({"roomName": "*"}, "/roomName"),
    "revision below 0": ({"revision": -1}, "/revision"),
    "revision of 2^53": ({"revision": 2**53}, "/revision"),
    "a field nobody knows": ({"surprise": 1}, "/surprise"),
    "31 people": (
        {"participants": [{"participantId": f"p{n}", "userName": "x"} for n in range(31)]},
        "/participants",
    ),
    "two of one id": (
        {"participants": [{"participantId": "a", "userName": "x"}] * 2},
        "/participants/1/participantId",
    ),
    "an id": (_participant(participantId="A"), "/participants/0/participantId"),
    "no name": ({"participants": [{"participantId": "a"}]}, "/participants/0/userName"),
    "their unknown field": (_participant(x=1), "/participants/0/x"),
    "unsafe text": (_participant(userName="a\u202eb"), "/participants/0/userName"),
    "address": (_participant(userEmail="x"), "/participants/0/userEmail"),
    "language": (_participant(language="d"), "/participants/0/language"),
    "flip": (_participant(features={"flip": False}), "/participants/0/features/flip"),
}
