"""A deployment that changes parameters alone, or the layer alone, changes what callers get."""

from __future__ import annotations

import compileall
import py_compile
import shutil
from typing import TYPE_CHECKING

import pytest

from local_stack import building, deployment, redeployment
from local_stack.emulator import ROOT
from local_stack.steps import Failure

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stack.service import Service

pytestmark = pytest.mark.stack


@pytest.mark.slow
def test_a_layer_alone_reaches_the_api(changing: Service, built: Path, tmp_path: Path) -> None:
    """The version is published again although no function's code changed."""
    before = changing.http.get("/nothing").json()["title"]
    copied = shutil.copytree(built, tmp_path / "build")
    package = copied / "JitsiTokensLayer" / "python" / "jitsi_tokens"
    problems = package / "core" / "problems.py"
    problems.write_text(problems.read_text().replace("There is nothing", "There is not a thing"))
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(package, quiet=1, force=True, invalidation_mode=unchecked)

    deployment.deploy(
        changing.emulator,
        "self-hosted",
        name=changing.stack.name,
        template=copied / "template.yaml",
    )

    assert before == "There is nothing at this path"
    assert changing.http.get("/nothing").json()["title"] == "There is not a thing at this path"


@pytest.mark.slow
def test_changed_code_reaches_the_api_without_sam(
    changing: Service, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`make redeploy`, in a copy: a handler and a module; a failure says why."""
    shutil.copytree(built.parent, tmp_path / ".aws-sam")
    for name in ("functions", "layers"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("template.yaml", "samconfig.toml", "requirements/sam.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.setattr(building, "ROOT", tmp_path)
    monkeypatch.setattr(building, "BUILT", tmp_path / ".aws-sam" / "build")
    monkeypatch.setattr(building, "_STAMP", tmp_path / ".aws-sam" / "built-from")
    monkeypatch.setattr(redeployment, "BUILT", tmp_path / ".aws-sam" / "build")
    handler = tmp_path / "functions" / "probe_config" / "app.py"
    problems = tmp_path / "layers" / "jitsi_tokens" / "jitsi_tokens" / "core" / "problems.py"
    handler.write_text(handler.read_text().replace("The service answers", "We answer"))
    problems.write_text(problems.read_text().replace("There is nothing", "Nothing is"))

    building.rebuild_code()
    changed = redeployment.redeploy(changing.emulator, changing.stack)
    answer = changing.http.get("/nothing").json()

    assert changed == ["JitsiTokensLayer", "ProbeConfig"]
    assert answer["title"] == "Nothing is at this path"
    assert answer["detail"].startswith("We answer at ")
    handler.write_text("def")
    building.rebuild_code()
    with pytest.raises(Failure, match=r"ProbeConfig does not start: .*invalid syntax"):
        redeployment.redeploy(changing.emulator, changing.stack)
    (tmp_path / "template.yaml").write_text("{}")
    with pytest.raises(Failure, match=r"template\.yaml changed: `make run`"):
        building.rebuild_code()


def test_parameters_alone_reach_the_api(changing: Service) -> None:
    """The published versions take the new lifetime, and the stage its limit: 429 is a problem too.

    Public keys have the higher limit, for HEAD too.
    """
    before = changing.post(expirationSeconds=901)

    deployment.deploy(
        changing.emulator,
        "self-hosted",
        name=changing.stack.name,
        MaximumLifetimeSeconds="900",
        PublicThrottlingRate="1",
        PublicThrottlingBurst="1",
    )
    after = [changing.post(expirationSeconds=seconds).status_code for seconds in (901, 900)]
    answers = [changing.http.get("/api/jitsi/jwt") for _ in range(20)]
    of_keys = {changing.http.head("/.well-known/jwks.json").status_code for _ in range(20)}

    assert (before.status_code, after, of_keys) == (200, [400, 200], {404})
    throttled = next(answer for answer in answers if answer.status_code == 429)
    assert throttled.headers["content-type"] == "application/problem+json"
    assert int(throttled.headers["retry-after"]) > 0
    assert throttled.json()["type"] == "urn:jitsi-tokens:problem:too-many-requests"
