"""Every field at fault in a body that was refused: for the error path alone."""

import itertools
from collections.abc import Callable, Iterator

import msgspec

from jitsi_tokens.core.features import FEATURES
from jitsi_tokens.core.problems import (
    INVALID_REQUEST,
    MAX_ERRORS,
    FieldError,
    Problem,
    field_error,
    field_problem,
)
from jitsi_tokens.core.requests import Limits, TokenRequest, malformed, parse, refuse_repetition
from jitsi_tokens.core.validation import json_pointer

_VALUES = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NAMES = TokenRequest.__struct_encode_fields__
_REQUIRED = _NAMES[: -len(TokenRequest.__struct_defaults__)]
# A pointer to anything else holds what the caller sent.
_POINTERS = {f"/{name}" for name in _NAMES} | {f"/features/{name}" for name in FEATURES}


def known_field(problem: Problem) -> str | None:
    """Return the pointer to the first field at fault; None if the caller made up its name."""
    pointer = problem.errors[0].pointer if problem.errors else None
    return pointer if pointer in _POINTERS else None


def every_fault(first: Problem, body: bytes, limits: Limits, now: int) -> Problem:
    """Return the problem of a body that was refused, with all of its fields at fault.

    Each field is tried in a request that is otherwise valid. `first` is what the body was
    refused for; `now` in epoch seconds.
    """
    try:
        body.decode()
        sent = _VALUES.decode(body)
        refuse_repetition(body)
    except Problem as problem:
        return problem
    except msgspec.ValidationError:
        return first
    except (msgspec.DecodeError, UnicodeError):
        return malformed()
    except (ValueError, RecursionError):
        # JSON, but with a number or a depth beyond what Python reads.
        return first
    good = dict.fromkeys(_REQUIRED, msgspec.Raw(b'"x"'))

    def faults(tried: dict[str, msgspec.Raw]) -> list[FieldError]:
        try:
            request = parse(msgspec.json.encode(good | tried))
            request.room()
            request.validity(limits, now)
        except Problem as problem:
            return list(problem.errors)
        return []

    # Together they end the window: notBefore is tried with the lifetime that was sent, or with the
    # longest if that one is at fault itself.
    lifetime = {name: value for name, value in sent.items() if name == "expirationSeconds"}
    longest = {"expirationSeconds": msgspec.Raw(str(limits.max_lifetime_seconds).encode())}
    good |= longest if faults(lifetime) else lifetime

    errors = itertools.chain(
        (error for name, value in sent.items() for error in _by_entry(name, value, faults)),
        (field_error(f"/{name}", "is required") for name in _REQUIRED if name not in sent),
    )
    named = list(itertools.islice(errors, MAX_ERRORS))
    return field_problem(INVALID_REQUEST, named) if named else first


def _by_entry(
    name: str, value: msgspec.Raw, faults: Callable[[dict[str, msgspec.Raw]], list[FieldError]]
) -> Iterator[FieldError]:
    """Yield the faults of one field; where it takes an object, those of each entry by itself."""
    whole = faults({name: value})
    if not whole or name not in _NAMES or faults({name: msgspec.Raw(b"{}")}):
        yield from whole
        return
    try:
        entries = _VALUES.decode(value)
    except msgspec.ValidationError:
        yield from whole
        return
    for key, entry in entries.items():
        for error in faults({name: msgspec.Raw(msgspec.json.encode({key: entry}))}):
            yield FieldError(f"/{name}{json_pointer(key)}", error.detail)
