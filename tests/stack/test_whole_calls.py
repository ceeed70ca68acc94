"""Least privilege, from what was called: a role lists what its function asks for, and no more."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from jitsi_tokens.core.public_keys import write_public_key
from jitsi_tokens.core.rsa_keys import make_rsa_key
from local_stack import deployment
from tests.public_key_of import public_key_of
from tests.stack.roles import ATTEMPTS, callers, deployed_roles, union

if TYPE_CHECKING:
    from local_stack.emulator import Emulator
    from tests.stack.calls import Calls
    from tests.stack.roles import Roles
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


def unlisted(roles: Roles, made: dict[str, set[str]]) -> dict[str, set[str]]:
    """Return what was called by a function whose own role, on that stack, does not list it."""
    return {name: more for name, done in made.items() if (more := done - roles.actions[name])}


def unused(listed: dict[str, set[str]], made: dict[str, set[str]]) -> dict[str, set[str]]:
    """Return what a role lists on some stack, and its function called on none."""
    return {
        role: more
        for role, actions in listed.items()
        if (more := actions - made.get(role, set()) - OTHERS_CALL.keys())
    }


@pytest.fixture(scope="module")
def worked(jaas: Service, self_hosted: Service, published: Service) -> None:
    """Every function has done each kind of its work, on one stack at least."""
    for service in (jaas, self_hosted, published):
        assert service.http.get("/api/jitsi/jwt").status_code == 200
        assert service.post().status_code == 200
        service.check_key()
    assert published.http.get("/.well-known/jwks.json").status_code == 200
    # The rotation unpublishes a key whose time is over.
    ended = public_key_of(
        make_rsa_key(2048), "ended", published_at=1, expires_at=int(time.time()) - 1
    )
    name = f"{published.stack.outputs['PublicKeysPath']}/{ended.name}"
    ssm = deployment.client(published.emulator, "ssm")
    ssm.put_parameter(Name=name, Value=write_public_key(ended), Type="String")
    published.rotate()
    assert ssm.get_parameters(Names=[name])["InvalidParameters"] == [name]


@pytest.mark.usefixtures("worked")
def test_each_function_calls_what_its_role_lists_and_no_more(
    running_emulator: Emulator, calls: Calls
) -> None:
    """A role is held to its own list for what is called, and to all stacks' for what is not.

    What a function may do is the same on every stack that has the shape for it, but no one stack
    has every shape: the rotation works where keys are published, and there alone.
    """
    roles = deployed_roles(running_emulator)
    everything = calls.so_far()
    made = [
        (caller, call)
        for caller, call in zip(
            callers(running_emulator, roles, everything), everything, strict=True
        )
        if not caller.function.startswith(ATTEMPTS)
    ]
    physical = {names: name for name, names in roles.names.items()}
    by_role = union((physical[caller.stack, caller.role], [call.action]) for caller, call in made)
    anywhere = union((caller.role, [call.action]) for caller, call in made)

    assert {(*caller, call.action) for caller, call in made if call.refused} == set()
    assert unlisted(roles, by_role) == {}
    assert unused(roles.union(), anywhere) == {}
    assert anywhere.keys() == roles.union().keys()
