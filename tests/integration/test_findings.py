"""What is advised where something is wrong with the key: no command of it is one that refuses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from jitsi_tokens.core import findings
from jitsi_tokens.core.findings import finding
from jitsi_tokens.core.rsa_keys import private_pem
from jitsi_tokens.publication import Publication
from tests.integration.cli_world import World, running_world
from tests.public_key_of import public_key_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from jitsi_tokens.core.keys import Trust


# The provider and the algorithm of each kind of stack.
KINDS: dict[Trust, tuple[str, str]] = {
    "console": ("jaas", "RS256"),
    "shared": ("self-hosted", "HS256"),
    "published": ("self-hosted", "RS256"),
}
OF_PUBLICATION = {
    *("not-published", "published-key-differs", "published-key-ends"),
    *("unknown-key-published", "publication-unreadable"),
}
OF_A_KEY = {
    *("not-a-key-document", "wrong-algorithm", "wrong-kid", "unreadable-key"),
    *("not-rsa", "key-too-short", "self-check-failed"),
}
OF_THE_CHECK = {"never-checked", "check-overdue"}
CODES = {*findings._REMEDIES, "no-key"} | OF_THE_CHECK | OF_A_KEY
POSSIBLE = [
    (trust, code)
    for trust in KINDS
    for code in sorted(CODES)
    if trust == "published" or code not in OF_PUBLICATION
]


def ways(trust: Trust, code: str) -> list[list[str]]:
    """Return the commands that a remedy names, those of each of its alternatives.

    `key rotate` takes a Secrets Manager that rotates: test_cli_key_versions.py has it.
    """
    remedy = finding(code, trust=trust).remedy
    alternatives = (
        re.findall("`jitsi-tokens ((?!key rotate)[^`]+)`", part) for part in remedy.split(" or ")
    )
    return [commands for commands in alternatives if commands]


@pytest.fixture
def world(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    aws: None,  # noqa: ARG001
) -> Iterator[World]:
    """Return a stack of the kind that a test is about, without a key."""
    provider, algorithm = KINDS[request.param]
    with running_world(monkeypatch, provider=provider, algorithm=algorithm) as world:
        yield world


@pytest.mark.parametrize(
    ("world", "code", "commands"),
    [
        pytest.param(trust, code, commands, id=f"{trust}-{code}-{commands[0]}")
        for trust, code in POSSIBLE
        for commands in ways(trust, code)
    ],
    indirect=["world"],
)
def test_no_command_of_a_remedy_refuses(
    world: World, code: str, commands: list[str], rsa_key: RSAPrivateKey, tmp_path: Path
) -> None:
    """Where nothing is there, and where something is that is no key."""
    key = tmp_path / "key"
    rsa = private_pem(rsa_key)
    key.write_text(rsa if world.parameters["SigningAlgorithm"] == "RS256" else "s" * 64)
    kid = ["--kid", "next"]
    arguments = {
        "key create": kid,
        "key import": [str(key), *kid],
        "key stage": ["--from", str(key)],
        "key promote": [
            *(["--no-wait"] if world.parameters["SigningAlgorithm"] == "HS256" else kid),
            "--yes",
        ],
        "key list": [],
        "key withdraw": ["stranger", "--yes"],
    }
    if code != "no-key":
        world.secrets.put_secret_value(SecretId=world.secret, SecretString="{}")
    stranger = public_key_of(rsa_key, kid="stranger")
    Publication(world.ssm, world.outputs["PublicKeysPath"]).publish(stranger)

    for command in commands:
        result = world.run(*command.split(), *arguments[command])
        assert result.exit_code == 0, result.output


@pytest.mark.parametrize(("trust", "code"), POSSIBLE)
def test_a_key_comes_to_sign_as_its_stack_has_it(trust: Trust, code: str) -> None:
    """By a rotation where the stack publishes keys, and by a person elsewhere."""
    found = finding(code, trust=trust)
    remedy = found.remedy

    assert remedy
    if code in OF_THE_CHECK | OF_PUBLICATION - {"publication-unreadable"}:
        assert found.what.endswith(".")
    if trust == "published":
        assert not re.search("key (create|import|stage|promote)", remedy)
    else:
        assert "rotat" not in remedy.lower()
    if code in OF_A_KEY:
        assert ("key rotate" if trust == "published" else "key promote") in remedy
