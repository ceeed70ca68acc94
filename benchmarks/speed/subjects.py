"""What is run in containers, by name; floors, and functions that are only started."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from local_stack.building import BUILT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.peers.build import Built

EXTENSION = "IssueToken, HS256, secrets from a stand-in for AWS's extension"
COMPILED = "Powertools and pydantic, HS256, compiled"
PLAIN = "Powertools and pydantic, HS256, as plain sam build leaves it"
BOTOCORE_CLIENT = "a client of secretsmanager, by botocore"

LAYER = BUILT / "JitsiTokensLayer" / "python"
# Each function's clients: an empty handler that makes them is the floor of its start.
FLOORS = {
    "IssueToken": "secretsmanager",
    "AuthorizeClient": "dynamodb",
    "ProbeConfig": "ssm",
    "CheckKey": "secretsmanager,ssm",
    "ServePublicKey": "ssm",
    "RotateSigningKey": "secretsmanager,ssm",
}

_FLOOR = "a client of "
_HERE = Path(__file__).parent
_CLIENT = _HERE.parent / "peers" / "client"
_BOTOCORE_CLIENT_FOLDER = _HERE.parent / "peers" / "botocore_client"


class Subject(NamedTuple):
    """A handler to measure: where it is, what it is called with, what it must answer."""

    name: str
    folder: Path
    layers: tuple[Path, ...]
    environment: dict[str, str]
    event: dict[str, Any]
    check: Callable[[Any], None]


def nothing(_answer: object) -> None:
    """Take any answer."""


EMPTY = Subject("an empty handler", _HERE / "empty", (), {}, {}, nothing)


def floor(name: str, peers: Built, environment: Mapping[str, str]) -> Subject:
    """Return an empty handler that makes clients, with boto3 over the layer's own botocore."""
    variables = {**environment, "FLOOR_CLIENTS": name.removeprefix(_FLOOR)}
    return Subject(name, _CLIENT, (LAYER, peers.trimmed), variables, {}, nothing)


def botocore_client(environment: Mapping[str, str]) -> Subject:
    """Return an empty handler that makes its client without boto3: what boto3 adds to a floor."""
    return Subject(
        BOTOCORE_CLIENT, _BOTOCORE_CLIENT_FOLDER, (LAYER,), dict(environment), {}, nothing
    )


def floor_of(function: str) -> str:
    """Return the name of a function's floor; whatever stands behind its name is no part of it."""
    return f"{_FLOOR}{FLOORS[function.partition(',')[0]]}"


def started(function: str, environment: Mapping[str, str]) -> Subject:
    """Return a built function that is started, and called for nothing."""
    folder = function_folder(function.partition(",")[0])
    return Subject(function, folder, (LAYER,), dict(environment), {}, nothing)


def function_folder(name: str) -> Path:
    """Return a built function's folder, as `sam build` leaves it: without bytecode."""
    folder = BUILT / name
    shutil.rmtree(folder / "__pycache__", ignore_errors=True)
    return folder
