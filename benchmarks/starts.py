"""Handlers under AWS's runtime, in one container after another: starts, calls and memory."""

from __future__ import annotations

import json
import shutil
import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import jwt

from benchmarks.container import Container, ContainerFailure, read_times
from benchmarks.ratios import COMPILED, PLAIN
from jitsi_tokens.core.rsa_keys import make_rsa_key, private_pem
from local_stack import deployment
from local_stack.building import BUILT
from local_stack.emulator import LOCAL, ROOT
from tests.conftest import ENVIRONS, NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.peers.build import Built
    from benchmarks.ratios import Pairs
    from local_stack.emulator import Emulator

LAYER = BUILT / "JitsiTokensLayer" / "python"
# Each function's AWS clients. Its floor is an empty handler that makes the same ones by boto3.
FLOORS = {
    "IssueToken": "secretsmanager",
    "AuthorizeClient": "dynamodb",
    "ProbeConfig": "ssm",
    "ServePublicKey": "ssm",
    "CheckKey": "secretsmanager,ssm",
    "RotateSigningKey": "secretsmanager,ssm",
    "JoinVisit": "dynamodb,secretsmanager,ssm",
    "ManageVisits": "dynamodb,secretsmanager",
}
# Enough for a start: nobody listens there.
NO_AWS = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nothing",
    "AWS_DEFAULT_REGION": "us-east-1",
}
_CLIENT = Path(__file__).parent / "peers" / "client"
_LOG = LOCAL / "bench.log"
_SECRET = "0123456789abcdef" * 4


class Subject(NamedTuple):
    """A handler to start; where it has an event, to call as well. `check` raises where wrong."""

    folder: Path
    layers: tuple[Path, ...]
    environment: Mapping[str, str]
    event: Mapping[str, Any] | None = None
    check: Callable[[Any], object] = bool


class Round(NamedTuple):
    """One container: times in milliseconds, as the runtime sees them; memory in KiB.

    `warm` is the median of all calls but the first, or 0 where there were none.
    """

    init: float
    first: float
    warm: float
    peak: float


def beside_floors(aws: dict[str, str], boto3: Path) -> dict[str, Subject]:
    """Return every function, to start only, each after its floor; those that share one adjacent."""
    subjects: dict[str, Subject] = {}
    for function, clients in FLOORS.items():
        floor = {**aws, "FLOOR_CLIENTS": clients}
        subjects[_floor(function)] = Subject(_CLIENT, (LAYER, boto3), floor)
        name = "IssueToken, HS256" if function == "IssueToken" else function
        kind = "self-hosted" if function == "IssueToken" else "published"
        subjects[name] = _function(function, ENVIRONS[kind] | NAMES | aws)
    return subjects


def called(running: Emulator, built: Built) -> dict[str, Subject]:
    """Return IssueToken and its peers, to call as well; an emulator has their secrets."""
    aws = running.environment()
    manager = deployment.client(running, "secretsmanager")
    key = make_rsa_key(4096)
    documents = {
        "shared": {"algorithm": "HS256", "kid": "measured", "secret": _SECRET},
        "published": {"algorithm": "RS256", "kid": "measured", "private_key": private_pem(key)},
    }
    for name, document in documents.items():
        manager.create_secret(Name=name, SecretString=json.dumps(document))
    manager.create_secret(Name=NAMES["DIGEST_KEY_SECRET"], SecretString=_SECRET)
    shared = ENVIRONS["self-hosted"] | NAMES | aws | {"SIGNING_KEY_SECRET": "shared"}
    published = ENVIRONS["published"] | NAMES | aws | {"SIGNING_KEY_SECRET": "published"}
    with_secret, with_key = _verified("HS256", _SECRET), _verified("RS256", key.public_key())
    event = json.loads((ROOT / "events" / "issue_token_doctor.json").read_text())
    return {
        "IssueToken, HS256": _function("IssueToken", shared, event, with_secret),
        "IssueToken, RS256": _function("IssueToken", published, event, with_key),
        COMPILED: Subject(built.compiled, (), shared, event, with_secret),
        PLAIN: Subject(built.plain, (), shared, event, with_secret),
        "an empty handler": Subject(_CLIENT, (), {}, {}),
    }


def measure(
    subjects: Mapping[str, Subject], *, rounds: int, calls: int = 0
) -> dict[str, list[Round]]:
    """Give each handler so many containers, and so many warm calls in each.

    They take turns, so that what slows the machine for a while slows all of them.

    Raises:
        ContainerFailure: a handler did not start, or gave a wrong answer.
    """
    taken: dict[str, list[Round]] = {name: [] for name in subjects}
    for number in range(1, rounds + 1):
        print(f"  round {number} of {rounds}: {len(subjects)} containers", flush=True)
        for name, subject in subjects.items():
            try:
                taken[name].append(_run(subject, calls if subject.event is not None else 0))
            except (ContainerFailure, LookupError, ValueError, jwt.PyJWTError) as error:
                raise ContainerFailure(f"{name}: {error}; see {_LOG}") from error
    return taken


def pairs(taken: Mapping[str, list[Round]]) -> Pairs:
    """Return starts and memory over the floors', and IssueToken's start over the peers'."""
    inits = {name: [each.init for each in rounds] for name, rounds in taken.items()}
    peaks = {name: [each.peak for each in rounds] for name, rounds in taken.items()}
    found: Pairs = {}
    for name in taken:
        function = name.partition(",")[0]
        if function not in FLOORS:
            continue
        floor = _floor(function)
        found[f"start: {name}, over {floor}"] = (inits[name], inits[floor])
        found[f"memory: {name}, over {floor}"] = (peaks[name], peaks[floor])
        for peer in (COMPILED, PLAIN):
            if function == "IssueToken" and peer in taken:
                found[f"start: {name}, over {peer}"] = (inits[name], inits[peer])
    return found


def table(taken: Mapping[str, list[Round]]) -> str:
    """Return the medians as Markdown; no calls of what was only started."""
    lines = [
        "|  | start, ms | first call, ms | warm call, ms | peak, MiB |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name, rounds in taken.items():
        init, first, warm, peak = map(statistics.median, zip(*rounds, strict=True))
        calls = f"{first:.1f} | {warm:.2f}" if warm else " | "
        lines.append(f"| {name} | {init:.0f} | {calls} | {peak / 1024:.0f} |")
    return "\n".join(lines)


def _run(subject: Subject, calls: int) -> Round:
    with Container(subject.folder, subject.layers, subject.environment, _LOG) as container:
        answers = [container.call(subject.event or {}) for _ in range(1 + calls)]
        peak = container.peak_kib()
    init, (first, *others) = read_times(_LOG.read_text())
    for answer in answers:
        subject.check(answer)
    return Round(init, first, statistics.median(others) if others else 0, peak)


def _floor(function: str) -> str:
    return f"a client of {FLOORS[function]}"


def _function(
    name: str,
    environment: Mapping[str, str],
    event: Mapping[str, Any] | None = None,
    check: Callable[[Any], object] = bool,
) -> Subject:
    folder = BUILT / name
    # `sam build` leaves none, but somebody may have run the function there since.
    shutil.rmtree(folder / "__pycache__", ignore_errors=True)
    return Subject(folder, (LAYER,), environment, event, check)


def _verified(algorithm: str, key: Any) -> Callable[[Any], object]:
    def check(answer: Any) -> object:
        token = json.loads(answer["body"])["token"]
        return jwt.decode(token, key, algorithms=[algorithm], options={"verify_aud": False})

    return check
