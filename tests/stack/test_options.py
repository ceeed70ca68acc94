"""Every option on, and every option off: an update to the one and back keeps keys and clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local_stack import deployment
from tests.options import OFF, ON
from tests.stack.service import deployed

if TYPE_CHECKING:
    from tests.stack.service import Service

pytestmark = [pytest.mark.stack, pytest.mark.slow]

# AWS::CodeDeploy::*, AWS::SecretsManager::ResourcePolicy, AWS::Logs::QueryDefinition and
# AWS::WAFv2::WebACLAssociation: tests/integration/test_template_options.py has these on.
UNKNOWN_TO_THE_EMULATOR = {"CanaryEnabled", "DeletionProtection", "SavedQueries", "FirewallEnabled"}


def test_an_update_to_on_and_to_off_keeps_keys_and_clients(changing: Service) -> None:
    """A token is signed by the same key, for the same API key, each time."""
    zone = deployment.client(changing.emulator, "route53").create_hosted_zone(
        Name="clinic.example", CallerReference=changing.stack.name
    )["HostedZone"]["Id"]
    off_there = {name: OFF[name] for name in UNKNOWN_TO_THE_EMULATOR}
    on = (
        ON | off_there | {"AllowedNetworks": "127.0.0.0/8", "HostedZoneId": zone.rpartition("/")[2]}
    )
    api_key = changing.api_key
    kept = [what_is_kept(changing)]

    for options in (on, OFF):
        name = changing.stack.name
        with deployed(changing.emulator, "self-hosted", name=name, **options) as service:
            service.claims(service.post(api_key).json()["token"])
            kept.append(what_is_kept(service))
            assert ("DomainTarget" in service.stack.outputs) == (options is on)

    assert kept[0] == kept[1] == kept[2]


def what_is_kept(service: Service) -> tuple[str, str, str]:
    """Return the shared secret, and where clients and records are."""
    outputs = service.stack.outputs
    return service.secret_document()["secret"], outputs["ClientsTable"], outputs["AuditLogGroup"]
