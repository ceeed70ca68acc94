"""A warm request in this process, next to its bare signature and to what else one could run.

Calls that are compared take turns, so that what slows the machine for a while slows all of them.
Moto answers for Secrets Manager, once.
"""

from __future__ import annotations

import contextlib
import importlib
import itertools
import json
import os
import secrets
import statistics
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import jwt
import pytest
from aws_lambda_powertools.utilities import parameters

from benchmarks.peers.scripts import pasted_secret, pem_each_time
from jitsi_tokens.core.clients import Client, write_client
from jitsi_tokens.core.policy import make_policy
from jitsi_tokens.core.rsa_keys import make_rsa_key, private_pem
from local_stack.emulator import ROOT
from tests.conftest import ENVIRONS, NAMES, load_function, stood_in_for_aws

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from benchmarks.ratios import Pairs

# By name: bits of an RSA key; None is a shared secret.
KEYS = {"HS256": None, "RSA-2048": 2048, "RSA-4096": 4096}
BLOCKS = 20
_WARM_UP = 20
# PEM each time takes up to half a second: so many calls a block.
_SELDOM = 2
_HANDLER, _MANY = "handler", "50 room patterns"
_SIGN, _ENCODE = "bare sign", "a bare encode"
_PEER, _PEM, _SCRIPT = "Powertools and pydantic", "PEM each time", "the pasted script"
_CONTEXT = SimpleNamespace(
    function_name="peer",
    memory_limit_in_mb=1769,
    invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:peer",
    aws_request_id="r",
)
_COUNTER = itertools.count()


def over_the_signature(times: int, keys: Iterable[str] = KEYS) -> Pairs:
    """Return the handler over its signature, and the rest of it over a bare HS256 encode."""
    pairs: Pairs = {}
    for name in keys:
        blocks = _blocks(name, (_HANDLER, _SIGN, _ENCODE), times)
        handler, sign = blocks[_HANDLER], blocks[_SIGN]
        rest = [whole - bare for whole, bare in zip(handler, sign, strict=True)]
        pairs[f"{name}: handler less its signature, over {_ENCODE}"] = (rest, blocks[_ENCODE])
        pairs[f"{name}: handler over its signature"] = (handler, sign)
    return pairs


def over_the_peers(times: int, keys: Iterable[str] = KEYS) -> Pairs:
    """Return the handler over what else one could run."""
    pairs: Pairs = {}
    for name in keys:
        peers = (_PEER, _PEM if KEYS[name] else _SCRIPT)
        blocks = _blocks(name, (_HANDLER, *peers), times)
        for peer in peers:
            pairs[f"{name}: handler over {peer}"] = (blocks[_HANDLER], blocks[peer])
    return pairs


def by_patterns(times: int, keys: Iterable[str]) -> Pairs:
    """Return the handler for a client with 50 room patterns, the last of which matches, over 1."""
    pairs: Pairs = {}
    for name in keys:
        blocks = _blocks(name, (_HANDLER, _MANY), times)
        pairs[f"{name}: {_MANY} over 1"] = (blocks[_MANY], blocks[_HANDLER])
    return pairs


def take_turns(calls: Mapping[str, Callable[[], object]], times: int) -> dict[str, list[float]]:
    """Make each call so many times, and return the median of each of its blocks, in microseconds.

    Args:
        calls: what to call, by name.
        times: how often; a multiple of BLOCKS.
    """
    medians: dict[str, list[float]] = {name: [] for name in calls}
    for name, call in calls.items():
        for _ in range(1 if name == _PEM else _WARM_UP):
            call()
    for _ in range(BLOCKS):
        taken: dict[str, list[float]] = {name: [] for name in calls}
        for turn in range(times // BLOCKS):
            for name, call in calls.items():
                if name == _PEM and turn >= _SELDOM:
                    continue
                started = time.perf_counter()
                call()
                taken[name].append(time.perf_counter() - started)
        for name, seconds in taken.items():
            medians[name].append(statistics.median(seconds) * 1e6)
    return medians


def load_peer() -> Any:
    """Return peers/powertools, which reads its settings when it loads."""
    name = "benchmarks.peers.powertools.app"
    sys.modules.pop(name, None)
    parameters.clear_caches()  # type: ignore[no-untyped-call]
    return importlib.import_module(name)


def _blocks(key: str, names: Iterable[str], times: int) -> dict[str, list[float]]:
    with _calls(key) as calls:
        return take_turns({name: calls[name] for name in names}, times)


@contextlib.contextmanager
def _calls(key: str) -> Iterator[dict[str, Callable[[], object]]]:
    """Load IssueToken and its peers with a key by its name in KEYS; drop what they print.

    Raises:
        ValueError: IssueToken refuses the request, which would be faster than a token.
    """
    bits, secret = KEYS[key], secrets.token_urlsafe(48)
    pem = private_pem(make_rsa_key(bits)) if bits else None
    algorithm = jwt.get_algorithm_by_name("RS256" if pem else "HS256")
    prepared = algorithm.prepare_key(pem or secret)
    document = {
        "kid": "measured",
        **(
            {"algorithm": "RS256", "private_key": pem}
            if pem
            else {"algorithm": "HS256", "secret": secret}
        ),
    }
    # Powertools keeps a logger by its service's name, with the stdout of when it was made.
    service = {"POWERTOOLS_SERVICE_NAME": f"jitsi-tokens-{next(_COUNTER)}"}
    with (
        Path(os.devnull).open("w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        pytest.MonkeyPatch.context() as monkeypatch,
        stood_in_for_aws(monkeypatch),
    ):
        manager = boto3.client("secretsmanager")
        manager.create_secret(Name=NAMES["SIGNING_KEY_SECRET"], SecretString=json.dumps(document))
        manager.create_secret(Name=NAMES["DIGEST_KEY_SECRET"], SecretString=secret)
        environ = ENVIRONS["published" if pem else "self-hosted"] | NAMES | service
        app, peer = load_function(monkeypatch, "issue_token", environ), load_peer()
        event, many = _event(1), _event(50)
        for answer in (app.handler(many, None), app.handler(event, None)):
            if answer["statusCode"] != 200:  # noqa: PLR2004 - HTTP's
                raise ValueError(answer["body"])
        token = json.loads(answer["body"])["token"]
        signed = token.rpartition(".")[0].encode()
        claims = jwt.decode(token, options={"verify_signature": False})
        yield {
            _HANDLER: lambda: app.handler(event, None),
            _MANY: lambda: app.handler(many, None),
            _SIGN: lambda: algorithm.sign(signed, prepared),
            _ENCODE: lambda: jwt.encode(claims, secret, algorithm="HS256"),
            _PEER: lambda: peer.handler(event, _CONTEXT),
            **({_PEM: pem_each_time(pem)} if pem else {_SCRIPT: pasted_secret(secret)}),
        }


def _event(patterns: int) -> dict[str, Any]:
    rooms = [f"ward-{number:02}-*" for number in range(1, patterns)] + ["session-*"]
    policy = make_policy(rooms=rooms, moderator=True, features=["moderation"])
    # make_policy sorts them; the one that matches has to come last.
    policy.rooms.sort(key="session-*".__eq__)
    event: dict[str, Any] = json.loads((ROOT / "events" / "issue_token_doctor.json").read_text())
    client = write_client(Client(name="openemr", policy=policy))
    event["requestContext"]["authorizer"]["client"] = client
    return event
