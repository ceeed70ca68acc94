"""What the functions asked of AWS, read from what passed between them and the emulator."""

from __future__ import annotations

import re
from typing import NamedTuple

_ACCESS_KEY = re.compile(rb"Credential=(\w+)/\d+/[\w-]+/([\w-]+)/aws4_request")
# AWS's JSON protocols name the operation in a header, its query protocol in the body.
_IN_TRANSACTION = re.compile(rb'"(Put|Update|Delete|ConditionCheck)": ?\{"TableName"')
_OPERATION = re.compile(rb"\r\nX-Amz-Target: (?:\w+\.)?(\w+)\r\n|\bAction=(\w+)", re.IGNORECASE)


class Call(NamedTuple):
    """One request to AWS.

    Attributes:
        action: as IAM names it, such as `ssm:GetParameter`; where the operation is no part of the
            request's form, `<service>:<method and path>`.
        access_key: of the credentials that signed it.
        refused: whether IAM denied it.
    """

    action: str
    access_key: str
    refused: bool


class Exchanges:
    """The requests and answers of one connection, each request sent once the last is answered."""

    def __init__(self, everything: list[tuple[bytearray, bytearray]]) -> None:
        self._everything = everything
        self._request, self._answer = bytearray(), bytearray(b"none is open")

    def sent(self, data: bytes) -> None:
        """Note what the caller sent."""
        if self._answer:
            self._request, self._answer = bytearray(), bytearray()
            self._everything.append((self._request, self._answer))
        self._request += data

    def answered(self, data: bytes) -> None:
        """Note what it was answered."""
        self._answer += data


class Calls:
    """The calls of a whole run."""

    def __init__(self) -> None:
        self._exchanges: list[tuple[bytearray, bytearray]] = []

    def watch(self) -> Exchanges:
        """Return what is to be given all that passes on a new connection."""
        return Exchanges(self._exchanges)

    def so_far(self) -> list[Call]:
        """Return the calls up to now."""
        exchanges = self._exchanges.copy()
        return [call for sent, got in exchanges for call in _calls(bytes(sent), bytes(got))]


def _calls(request: bytes, answer: bytes) -> list[Call]:
    """Return the call that it was, of a transaction each that IAM asks about."""
    signed = _ACCESS_KEY.search(request)
    assert signed, f"not signed: {request.partition(b'?')[0][:80]!r}"
    named = _OPERATION.search(request)
    operation = (named[1] or named[2]) if named else request.partition(b" HTTP/")[0]
    operations = [operation]
    if operation == b"TransactWriteItems":
        operations = [each + b"Item" for each in _IN_TRANSACTION.findall(request)]
    return [
        Call(
            action=f"{signed[2].decode()}:{each.decode()}",
            access_key=signed[1].decode(),
            refused=b"AccessDenied" in answer,
        )
        for each in operations
    ]
