"""What `make redeploy` does: CloudFormation gets changed code without SAM CLI, in seconds.

The stack stays what its template says, so the next `make run` sees what it has to deploy.
"""

from __future__ import annotations

import hashlib
import io
import json
import zlib
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import yaml
from botocore.exceptions import WaiterError

from local_stack.building import BUILT
from local_stack.deployment import client, finish_functions
from local_stack.steps import Failure

if TYPE_CHECKING:
    from pathlib import Path

    from local_stack.deployment import Stack
    from local_stack.emulator import Emulator


def redeploy(emulator: Emulator, stack: Stack) -> list[str]:
    """Deploy each function and layer whose build is not what runs, and return their names.

    Raises:
        Failure: the stack has another template, or the code does not start.
    """
    formation, store = client(emulator, "cloudformation"), client(emulator, "s3")
    text = formation.get_template(StackName=stack.name, TemplateStage="Original")["TemplateBody"]
    deployed, built = _resources(text), _resources((BUILT / "template.yaml").read_text())
    addresses = {name: _code(resource) for name, resource in deployed.items()}
    for resource in (*deployed.values(), *built.values()):
        resource.pop("Metadata", None)
        resource["Properties"] |= {"CodeUri": None, "ContentUri": None}
    if deployed != built:
        raise Failure(f"{stack.name} has another template: `make run` deploys this one.")
    # Stacks share a bucket, and each deletes what it replaces.
    prefix = f"redeployed/{stack.name}/"
    changed = {}
    for name, address in addresses.items():
        if not address:
            continue
        bucket, _, key = address.removeprefix("s3://").partition("/")
        archive = store.get_object(Bucket=bucket, Key=key)["Body"].read()
        if _files_of(archive) != _files_in(BUILT / name):
            packed = _pack(BUILT / name)
            new_key = prefix + hashlib.sha256(packed).hexdigest()
            store.put_object(Bucket=bucket, Key=new_key, Body=packed)
            text = text.replace(address, f"s3://{bucket}/{new_key}")
            changed[name] = key
    if changed:
        store.put_object(Bucket=bucket, Key=f"{prefix}template", Body=text.encode())
        _update(formation, stack.name, f"{emulator.endpoint}/{bucket}/{prefix}template")
        for key in changed.values():
            if key.startswith(prefix):  # in the emulator's memory
                store.delete_object(Bucket=bucket, Key=key)
    finish_functions(emulator, stack)
    # The layer with the function that loads most of it. No version of the rotation is published.
    names = {"IssueToken" if name == "JitsiTokensLayer" else name for name in changed}
    for name in names - {"RotateSigningKey"}:
        _start(emulator, stack, name)
    return list(changed)


def _resources(template: str) -> dict[str, Any]:
    resources: dict[str, Any] = yaml.load(template, yaml.CSafeLoader)["Resources"]
    return resources


def _code(resource: dict[str, Any]) -> str:
    properties = resource["Properties"]
    return str(properties.get("CodeUri") or properties.get("ContentUri") or "")


def _files_of(archive: bytes) -> dict[str, int]:
    with ZipFile(io.BytesIO(archive)) as opened:
        entries = [entry for entry in opened.infolist() if not entry.is_dir()]
    return {entry.filename: entry.CRC for entry in entries if not _is_bytecode(entry.filename)}


def _files_in(folder: Path) -> dict[str, int]:
    return {
        path.relative_to(folder).as_posix(): zlib.crc32(path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file() and not _is_bytecode(path.name)
    }


def _is_bytecode(name: str) -> bool:
    return name.endswith(".pyc")  # may differ where the source does not


def _pack(folder: Path) -> bytes:
    packed = io.BytesIO()
    # Not compressed: each of the emulator's workers unpacks the layer.
    with ZipFile(packed, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder))
    return packed.getvalue()


def _update(formation: Any, stack_name: str, template_url: str) -> None:
    [stack] = formation.describe_stacks(StackName=stack_name)["Stacks"]
    formation.update_stack(
        StackName=stack_name,
        TemplateURL=template_url,
        Parameters=[
            # Without snapshots, a changed layer starts only the functions that are called.
            {"ParameterKey": "SnapStart", "ParameterValue": "None"},
            *(
                {"ParameterKey": parameter["ParameterKey"], "UsePreviousValue": True}
                for parameter in stack["Parameters"]
                if parameter["ParameterKey"] != "SnapStart"
            ),
        ],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    waiter = formation.get_waiter("stack_update_complete")
    try:
        waiter.wait(StackName=stack_name, WaiterConfig={"Delay": 1})
    except WaiterError as error:
        raise Failure(f"{stack_name} could not be updated: {error}") from None


def _start(emulator: Emulator, stack: Stack, name: str) -> None:
    found = client(emulator, "cloudformation").describe_stack_resource(
        StackName=stack.name, LogicalResourceId=name
    )
    answer = client(emulator, "lambda").invoke(
        FunctionName=found["StackResourceDetail"]["PhysicalResourceId"],
        Qualifier="live",
        Payload=b'{"keepAlive": true}',
    )
    if "FunctionError" in answer:
        why = json.loads(answer["Payload"].read())["errorMessage"]
        raise Failure(f"{name} does not start: {why}")
