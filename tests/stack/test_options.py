"""Every option on, and every option off: an update to the one and back keeps keys and clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jwt
import pytest

from local_stack import deployment
from local_stack.template import read_template
from tests.options import OFF, ON
from tests.stack.service import EVERYTHING, Service

if TYPE_CHECKING:
    from local_stack.emulator import Emulator

pytestmark = pytest.mark.stack

NAME = "jitsi-tokens-options"
# AWS::CodeDeploy::*, AWS::SecretsManager::ResourcePolicy, AWS::Logs::QueryDefinition and
# AWS::WAFv2::WebACLAssociation: tests/integration/test_template_options.py has these on.
UNKNOWN_TO_THE_EMULATOR = {"CanaryEnabled", "DeletionProtection", "SavedQueries", "FirewallEnabled"}


def test_every_option_is_among_these() -> None:
    """A parameter that switches something, by its values or by being empty."""
    switches = {
        name
        for name, rules in read_template()["Parameters"].items()
        if rules.get("AllowedValues") in (["true", "false"], ["Active", "PassThrough"])
    }

    assert switches <= OFF.keys()
    assert OFF.keys() >= UNKNOWN_TO_THE_EMULATOR


@pytest.mark.slow
def test_an_update_from_off_to_on_and_back_keeps_keys_and_clients(
    running_emulator: Emulator,
) -> None:
    """A token is signed by the same key, for the same API key, each time."""
    zone = deployment.client(running_emulator, "route53").create_hosted_zone(
        Name="clinic.example", CallerReference=NAME
    )["HostedZone"]["Id"]
    on = (
        ON
        | {name: OFF[name] for name in UNKNOWN_TO_THE_EMULATOR}
        | {
            "AllowedNetworks": "127.0.0.0/8",
            "HostedZoneId": zone.removeprefix("/hostedzone/"),
        }
    )
    api_key = ""
    verified = []

    for options in (OFF, on, OFF):
        stack = deployment.deploy(running_emulator, "self-hosted", name=NAME, **options)
        service = Service(running_emulator, stack)
        with service.http:
            api_key = api_key or service.add_client("options", *EVERYTHING)
            secret = service.secret_document()["secret"]
            token = service.post(api_key).json()["token"]
        jwt.decode(token, secret, algorithms=["HS256"], audience="openemr_telehealth")
        verified.append((secret, stack.outputs["ClientsTable"], stack.outputs["AuditLogGroup"]))
        assert ("DomainTarget" in stack.outputs) == (options is on)

    assert len(verified) == 3
    assert len(set(verified)) == 1
