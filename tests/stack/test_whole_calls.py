"""Least privilege, from what was called: a role lists what its function asks for, and no more."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

import pytest

from jitsi_tokens.core.public_keys import write_public_key
from jitsi_tokens.core.rsa_keys import make_rsa_key
from local_stack import deployment
from tests.public_key_of import public_key_of
from tests.stack.visits import Visits, at, links_of
from tests.template_reading import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_stack.emulator import Emulator
    from tests.stack.calls import Calls
    from tests.stack.service import Service

pytestmark = [pytest.mark.stack, pytest.mark.whole]

# Runs after the other files but the search of the log, so that what they called is seen too; what
# `worked` does is enough where this file is run alone.

OTHERS_CALL = {
    "logs:CreateLogStream": "Lambda writes what a function prints",
    "logs:PutLogEvents": "Lambda writes what a function prints",
    "xray:PutTraceSegments": "Lambda sends the trace of a function that is traced",
    "xray:PutTelemetryRecords": "Lambda sends the trace of a function that is traced",
    "kms:Decrypt": "Secrets Manager and DynamoDB decrypt for who may read there",
    "kms:GenerateDataKey": "Secrets Manager encrypts for who may write there",
}
MOST_VERSIONS = 200  # of one function, in one run


@pytest.fixture(scope="module")
def worked(jaas: Service, self_hosted: Service, published: Service) -> None:
    """Every function has done each kind of its work, on one stack at least."""
    for service in (jaas, self_hosted, published):
        assert service.http.get("/api/jitsi/jwt").status_code == 200
        assert service.post().status_code == 200
        service.check_key()
    assert published.http.get("/.well-known/jwks.json").status_code == 200
    visits = Visits(self_hosted, self_hosted.add_client("worked", "--visits", "--moderator"), "")
    link = links_of(visits.put("worked"))["patient"]
    visits.put("worked", durationMinutes=45)
    for answer in (visits.join("worked"), visits.status(link, 1), visits.enter(link)):
        assert answer.status_code == 200
    window = {"from": at(), "to": at(3600)}
    assert len(visits.call("GET", "", params=window).json()["visits"]) == 1
    # The rotation unpublishes a key whose time is over.
    ended = public_key_of(
        make_rsa_key(2048), "ended", published_at=1, expires_at=int(time.time()) - 1
    )
    name = f"{published.stack.outputs['PublicKeysPath']}/{ended.name}"
    ssm = deployment.client(published.emulator, "ssm")
    ssm.put_parameter(Name=name, Value=write_public_key(ended), Type="String")
    published.rotate()
    assert ssm.get_parameters(Names=[name])["InvalidParameters"] == [name]


def listed_actions(iam: Any, role: str) -> Iterator[str]:
    """Yield what the policies of a role allow."""
    assert not iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for statement in document["Statement"]:
            assert statement["Effect"] == "Allow"
            listed = statement["Action"]
            yield from [listed] if isinstance(listed, str) else listed


def access_keys(function: dict[str, Any]) -> Iterator[str]:
    """Yield those that the emulator gives a function: ministack, lambda_runtime.py."""
    for version in ("", ":live", *(f":{number}" for number in range(1, MOST_VERSIONS))):
        text = f"{function['FunctionArn']}{version}:{function['Role']}"
        yield f"ASIA{hashlib.sha256(text.encode()).hexdigest()[:16].upper()}"


@pytest.mark.usefixtures("worked")
def test_each_function_calls_what_its_role_lists_and_no_more(
    running_emulator: Emulator,
    calls: Calls,
    jaas: Service,
    self_hosted: Service,
    published: Service,
) -> None:
    """IAM refused nothing, and what a role lists on some stack its function called on one at least.

    No one stack has every shape: the rotation works where keys are published, and there alone.
    What test_permissions.py tried in a role is no call of these functions.
    """
    iam = deployment.client(running_emulator, "iam")
    listed: dict[str, set[str]] = {}
    whose: dict[str, str] = {}
    for service in (jaas, self_hosted, published):
        for name in FUNCTIONS:
            function = service.function(name)
            role = function["Role"].rpartition("/")[2]
            listed.setdefault(name, set()).update(listed_actions(iam, role))
            whose |= dict.fromkeys(access_keys(function), name)
    called: dict[str, set[str]] = {name: set() for name in listed}
    for call in calls.so_far():
        if caller := whose.get(call.access_key):
            assert not call.refused, (caller, call.action)
            called[caller].add(call.action)

    for name, actions in listed.items():
        assert called[name] <= actions
        assert actions - called[name] <= OTHERS_CALL.keys(), name
