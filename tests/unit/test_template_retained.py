"""What must never be lost or change."""

import json
import re
import uuid
from typing import Any

import jwt
import pytest

from jitsi_tokens.core import clients
from jitsi_tokens.publication import FRESH_SECONDS
from tests.template_reading import (
    FUNCTIONS,
    NO_PUNCTUATION,
    PARAMETERS,
    RESOURCES,
    SIGNING_KEYS,
    TEMPLATE,
    function,
    leaves,
    of_type,
    properties,
)

OTHERS = ["SharedSigningKey", "PublishedSigningKey"]


def identifiers(log_group: str) -> list[dict[str, str]]:
    """Return what a log group masks by a pattern of ours."""
    policy = properties(log_group)["DataProtectionPolicy"]
    return list(policy["Configuration"]["CustomDataIdentifier"])


@pytest.mark.parametrize(
    ("name", "generated"),
    [
        (
            "SharedSigningKey",
            {
                "SecretStringTemplate": '{"algorithm": "HS256", "kid": "initial"}',
                "GenerateStringKey": "secret",
                "PasswordLength": 64,
                "ExcludePunctuation": True,
                "ExcludeCharacters": NO_PUNCTUATION,
            },
        ),
        (
            "DigestKey",
            {
                "PasswordLength": 64,
                "ExcludePunctuation": True,
                "ExcludeCharacters": NO_PUNCTUATION,
            },
        ),
    ],
)
def test_a_generated_secret_is_frozen(name: str, generated: dict[str, Any]) -> None:
    """Any change to how it is generated would replace it, and with it the key of every token."""
    assert properties(name)["GenerateSecretString"] == generated
    assert properties(name)["KmsKeyId"] == "EncryptionKey.Arn"


@pytest.mark.parametrize("name", ["JaasSigningKey", "PublishedSigningKey"])
def test_an_rsa_key_is_not_generated_by_cloudformation(name: str) -> None:
    """It makes no RSA keys; a person or the rotation does."""
    assert not {"GenerateSecretString", "SecretString"} & properties(name).keys()
    assert properties(name)["KmsKeyId"] == "EncryptionKey.Arn"


def test_there_is_one_signing_key() -> None:
    """Each provider and algorithm has a resource of its own, and a stack has one of them."""
    assert TEMPLATE["Conditions"]["SharesSecret"] == [
        ["Provider", "self-hosted"],
        ["SigningAlgorithm", "HS256"],
    ]
    assert TEMPLATE["Conditions"]["PublishesKeys"] == [
        ["Provider", "self-hosted"],
        ["SigningAlgorithm", "RS256"],
    ]
    assert {name: RESOURCES[name]["Condition"] for name in sorted(SIGNING_KEYS)} == {
        "JaasSigningKey": "IsJaas",
        "PublishedSigningKey": "PublishesKeys",
        "SharedSigningKey": "SharesSecret",
    }


def test_the_key_rotates_once_it_can() -> None:
    """The schedule makes the first key at once, so the address and the permission come before."""
    schedule = RESOURCES["RotationSchedule"]

    assert schedule["Condition"] == "RotatesBySchedule"
    assert TEMPLATE["Conditions"]["RotatesBySchedule"] == ["PublishesKeys", [["RotationDays", 0]]]
    assert schedule["DependsOn"] == ["RotationPermission", "Apiv1Stage"]
    assert schedule["Properties"] == {
        "SecretId": "PublishedSigningKey.Id",
        "RotationLambdaARN": "RotateSigningKey.Arn",
        "RotationRules": {"AutomaticallyAfterDays": "RotationDays"},
    }


def test_secrets_manager_alone_may_call_the_rotation() -> None:
    """For this account and this secret: nobody's confused deputy."""
    permission = RESOURCES["RotationPermission"]

    assert permission["Condition"] == "PublishesKeys"
    assert permission["Properties"] == {
        "FunctionName": "RotateSigningKey.Arn",
        "Action": "lambda:InvokeFunction",
        "Principal": "secretsmanager.amazonaws.com",
        "SourceAccount": "AWS::AccountId",
        "SourceArn": "PublishedSigningKey.Id",
    }


def test_the_rotation_has_no_alias_and_no_snapshot() -> None:
    """Secrets Manager calls it by its name, so a change reaches it at once."""
    found = function("RotateSigningKey")

    assert found["AutoPublishAlias"] == ""
    assert found["SnapStart"] == {"ApplyOn": "None"}
    assert found["MemorySize"] == 1769


def test_the_rotation_outlives_its_longest_wait() -> None:
    """The lead, and then the wait for the public address."""
    longest_lead = PARAMETERS["PublicationLeadSeconds"]["MaxValue"]

    assert function("RotateSigningKey")["Timeout"] >= longest_lead + 240
    # A list of the keys that is kept for a minute here, and for another by who fetched it.
    assert PARAMETERS["PublicationLeadSeconds"]["Default"] > 2 * FRESH_SECONDS


@pytest.mark.parametrize(
    "name", [*sorted(SIGNING_KEYS), *("DigestKey", "Clients", "EncryptionKey", "IssueTokenLog")]
)
def test_what_cannot_be_made_again_is_retained(name: str) -> None:
    """When the stack is deleted, and when an update would replace it."""
    assert RESOURCES[name]["DeletionPolicy"] == "Retain"
    assert RESOURCES[name]["UpdateReplacePolicy"] == "Retain"


def test_every_secret_table_and_key_is_among_those() -> None:
    """One that comes later must be retained too."""
    kinds = ("AWS::SecretsManager::Secret", "AWS::DynamoDB::Table", "AWS::KMS::Key")

    assert all(
        RESOURCES[name].get("DeletionPolicy") == "Retain"
        for kind in kinds
        for name in of_type(kind)
    )


def test_the_table_is_encrypted_and_can_be_restored() -> None:
    """With the stack's key, to any point in time."""
    table = properties("Clients")

    assert table["SSESpecification"] == {
        "SSEEnabled": True,
        "SSEType": "KMS",
        "KMSMasterKeyId": "EncryptionKey.Arn",
    }
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_the_table_has_one_item_a_key() -> None:
    """Under the key's digest, and found by the client's name."""
    table = properties("Clients")

    assert table["KeySchema"] == [{"AttributeName": "key_digest", "KeyType": "HASH"}]
    [index] = table["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "by-client"


def test_what_is_retained_cannot_be_deleted_by_hand() -> None:
    """Neither by a slip nor by whoever has the leave to: a parameter comes first."""
    protected = ["ProtectsFromDeletion", True, False]
    assert properties("Clients")["DeletionProtectionEnabled"] == protected
    assert properties("IssueTokenLog")["DeletionProtectionEnabled"] == protected

    for policy, secret in (
        ("SigningKeyProtection", ["IsJaas", "JaasSigningKey", ["SharesSecret", *OTHERS]]),
        ("DigestKeyProtection", "DigestKey"),
    ):
        assert RESOURCES[policy]["Condition"] == "ProtectsFromDeletion"
        assert properties(policy)["SecretId"] == secret
        [statement] = properties(policy)["ResourcePolicy"]["Statement"]
        assert (statement["Effect"], statement["Action"]) == (
            "Deny",
            "secretsmanager:DeleteSecret",
        )


@pytest.mark.parametrize("name", of_type("AWS::Logs::LogGroup"))
def test_a_log_group_is_encrypted_masked_and_ends(name: str) -> None:
    """With the stack's key, after the days of the parameter: the audit record has its own."""
    group = properties(name)

    kept = "AuditRetentionDays" if name == "IssueTokenLog" else "LogRetentionDays"
    assert group["KmsKeyId"] == "EncryptionKey.Arn"
    assert group["RetentionInDays"] == kept
    find, mask = group["DataProtectionPolicy"]["Statement"]
    assert find["DataIdentifier"] == mask["DataIdentifier"]
    assert (find["Operation"], mask["Operation"]) == (
        {"Audit": {"FindingsDestination": {}}},
        {"Deidentify": {"MaskConfig": {}}},
    )
    named = {each.rpartition("/")[2] for each in find["DataIdentifier"]}
    assert {"EmailAddress", "PkcsPrivateKey", "OpenSshPrivateKey"} <= named
    assert {each["Name"] for each in identifiers(name)} <= named


def test_the_second_net_knows_an_api_key_and_a_token() -> None:
    """As they really look; and nothing that the audit record holds."""
    masks = [re.compile(each["Regex"]) for each in identifiers("IssueTokenLog")]
    token = jwt.encode({"room": "x"}, "k" * 32, headers={"kid": "initial"})
    record = {"jti": str(uuid.uuid4()), "room": "0" * 64, "kid": "vpaas-magic-cookie-0/ab12"}

    def masked(text: str) -> bool:
        return any(mask.search(text) for mask in masks)

    assert masked(f"Authorization: Bearer {clients.make_api_key()}")
    assert masked(f"https://meet.example.org/room#jwt={token}")
    assert not masked(json.dumps(record))
    assert all(len(mask.pattern) <= 200 for mask in masks)


def test_the_audit_record_outlives_its_stack_without_standing_in_the_way() -> None:
    """A name of its own would keep the next stack of that name from being made."""
    assert "LogGroupName" not in properties("IssueTokenLog")
    assert PARAMETERS["AuditRetentionDays"]["Default"] == 2192
    assert PARAMETERS["LogRetentionDays"]["Default"] == 30


def test_a_tag_is_one_that_cloudwatch_logs_takes() -> None:
    """Its own rule: an apostrophe would keep the stack from being made."""
    for name in of_type("AWS::Logs::LogGroup"):
        for tag in properties(name).get("Tags", []):
            for text in leaves(tag):
                assert re.fullmatch(r"[\w ./:=+@-]*", text)


def test_every_function_has_its_log_group() -> None:
    """Lambda would make one without encryption and without an end."""
    assert {f"{name}Log" for name in FUNCTIONS} <= set(of_type("AWS::Logs::LogGroup"))
