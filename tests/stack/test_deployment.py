"""A deployment that changes a parameter alone, or the layer alone, changes what callers get."""

from __future__ import annotations

import compileall
import py_compile
import shutil
from typing import TYPE_CHECKING

import httpx
import pytest

from local_stack import deployment
from tests.stack.service import Service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local_stack.deployment import Stack
    from local_stack.emulator import Emulator

pytestmark = pytest.mark.stack

NAME = "jitsi-tokens-changing"


@pytest.fixture(scope="module")
def changing(running_emulator: Emulator) -> Stack:
    """A stack that these tests alone deploy anew."""
    return deployment.deploy(running_emulator, "self-hosted", name=NAME)


@pytest.fixture
def copied(built: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of what `sam build` made, to change."""
    copy = tmp_path / "build"
    shutil.copytree(built, copy)
    yield copy
    shutil.rmtree(copy)


def not_found(stack: Stack) -> str:
    """Return the title of the service's 404."""
    return str(httpx.get(f"{stack.url}/nothing", timeout=30).json()["title"])


@pytest.mark.slow
def test_a_layer_alone_reaches_the_api(
    running_emulator: Emulator, changing: Stack, copied: Path
) -> None:
    """The version is published anew although no function's code changed."""
    before = not_found(changing)
    package = copied / "JitsiTokensLayer" / "python" / "jitsi_tokens"
    problems = package / "core" / "problems.py"
    problems.write_text(problems.read_text().replace("There is nothing", "There is not a thing"))
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(package, quiet=1, force=True, invalidation_mode=unchecked)

    stack = deployment.deploy(
        running_emulator, "self-hosted", name=NAME, template=copied / "template.yaml"
    )

    assert before == "There is nothing at this path"
    assert not_found(stack) == "There is not a thing at this path"


def test_a_parameter_alone_reaches_the_api(running_emulator: Emulator, changing: Stack) -> None:
    """The published versions take the new setting."""
    service = Service(running_emulator, changing)
    with service.http:
        before = service.post(expirationSeconds=901)

        deployment.deploy(running_emulator, "self-hosted", name=NAME, MaximumLifetimeSeconds="900")

        assert before.status_code == 200
        assert service.post(expirationSeconds=901).status_code == 400
        assert service.post(expirationSeconds=900).status_code == 200


@pytest.mark.slow
def test_a_burst_over_the_limit_is_told_to_wait(
    running_emulator: Emulator, changing: Stack
) -> None:
    """Its answer is a problem like any other. Public keys have the higher limit, for HEAD too."""
    deployment.deploy(
        running_emulator,
        "self-hosted",
        name=changing.name,
        PublicThrottlingRate="1",
        PublicThrottlingBurst="1",
    )

    with httpx.Client(base_url=changing.url, timeout=30) as http:
        answers = [http.get("/api/jitsi/jwt") for _ in range(20)]
        of_public_keys = [http.head("/.well-known/jwks.json").status_code for _ in range(20)]

    assert set(of_public_keys) == {404}
    throttled = [answer for answer in answers if answer.status_code == 429]
    assert throttled
    assert throttled[0].headers["content-type"] == "application/problem+json"
    assert int(throttled[0].headers["retry-after"]) > 0
    assert throttled[0].json()["type"] == "urn:jitsi-tokens:problem:too-many-requests"
