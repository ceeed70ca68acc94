"""Rules of the template that no deployment to the emulator would show: what breaks silently."""

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import jwt
import msgspec
import pytest
import yaml

from jitsi_tokens import visit_page
from jitsi_tokens.core import clients, links
from jitsi_tokens.publication import FRESH_SECONDS
from jitsi_tokens.status import NEVER_CHECKED, KeyStatus
from local_stack.emulator import ROOT
from tests.template_reading import (
    FUNCTIONS,
    PARAMETERS,
    RESOURCES,
    SIGNING_KEYS,
    TEMPLATE,
    log_of,
    of_type,
    properties,
    references,
)

TEXT = (ROOT / "template.yaml").read_text(encoding="utf-8")


def scalars(node: yaml.Node) -> Iterator[yaml.ScalarNode]:
    """Return the values of a tree of YAML, except types and names without a tag."""
    match node:
        case yaml.MappingNode():
            for key, child in node.value:
                if key.value not in ("Type", "DependsOn"):
                    yield from scalars(child)
        case yaml.SequenceNode():
            for child in node.value:
                yield from scalars(child)
        case yaml.ScalarNode():
            yield node


def test_the_name_of_a_parameter_or_a_resource_is_a_reference() -> None:
    """Without `!Ref` it would be a text of that name; the other tests here do not see tags."""
    tree = yaml.compose(TEXT, yaml.SafeLoader)
    assert isinstance(tree, yaml.MappingNode)

    forgotten = [
        node.value
        for key, section in tree.value
        if key.value in ("Conditions", "Globals", "Resources", "Outputs")
        for node in scalars(section)
        if references(node.value) and not node.tag.startswith("!")
    ]

    assert forgotten == []


# Parameters


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_is_described_and_in_one_group(name: str) -> None:
    """People who deploy read both in the console."""
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]

    assert PARAMETERS[name]["Description"].strip()
    assert [name in group["Parameters"] for group in groups].count(True) == 1


def test_a_missing_parameter_is_found_before_the_deployment() -> None:
    """With a sentence that names the parameter; the emulator evaluates no rules."""
    rules = []
    for rule in TEMPLATE["Rules"].values():
        [assertion] = rule["Assertions"]
        [[needed, empty]] = assertion["Assert"]  # !Not [!Equals …]
        assert empty == ""
        assert needed in assertion["AssertDescription"]
        rules.append((rule["RuleCondition"], needed))

    assert rules == [
        (["Provider", "jaas"], "JaasAppId"),
        (["Provider", "self-hosted"], "JitsiDomain"),
        ([["DomainName", ""]], "CertificateArn"),
    ]


HEX = "0123456789abcdef0123456789ABCDEF"
LONGEST_APP_ID = f"vpaas-magic-cookie-{HEX}"
UUID = "12345678-90ab-cdef-1234-567890abcdef"
LINK = links.derive(b"key", links.Holder("stack", "client", "visit", "instance", "patient", 1))
ACM = "arn:aws:acm:eu-central-1:123456789012:certificate"
# What a person may type, and what would fail later: in a meeting's address, in a claim, or in
# docker-jitsi-meet's configuration.
NAME = (f"openemr_telehealth A.b-c_1 {'x' * 25}", f"a\"b a'b a\\b a,b a/b a|b * é {'x' * 26}")
VALUES = {
    "JitsiDomain": (
        "meet.example.org meet MEET.example.org 203.0.113.10 a-1.org:8443",
        "https://meet.example.org meet.example.org/ meet.example.org/clinic meet_1.org a.org: "
        "a:https a.org:123456 -a.org .a.org a.org. user@a.org a.org?x a.org#x *.a.org " + "x" * 65,
    ),
    "JaasAppId": (
        f"{HEX} {LONGEST_APP_ID}",
        f"{HEX[:-1]} {HEX}0 {HEX[:-1]}g {LONGEST_APP_ID}0 VPAAS-MAGIC-COOKIE-{HEX} {HEX}/4f4910",
    ),
    "JitsiAppId": NAME,
    "JitsiIssuer": NAME,
    "JitsiAudience": NAME,
    "JitsiSubject": (
        f"* meet.jitsi meet.example.org clinic_1 {'x' * 38}",
        f'a"b a/b https://meet.example.org é {"x" * 39}',
    ),
    "JitsiTenant": (
        f"clinic clinic-1 clinic_1 statics {'x' * 24}",
        f"Clinic clinic/1 /clinic a.b a%20b é static http-bind _unlock {'x' * 25}",
    ),
    "PublicUrl": (
        "https://a.example https://a.example:8443 https://a.example/b-1/c",
        "http://a.example a.example https:// https://a.example/ https://a.example?x "
        "https://a.example#x https://user@a.example https://a.example//v1 https://" + "x" * 200,
    ),
    "DomainName": (
        "tokens.example.org t a-1.b-2.example",
        f"https://a.org a.org/ A.example.org .a.org a.org. -a.example *.a.org {'x' * 201}",
    ),
    "CertificateArn": (
        f"{ACM}/{UUID}",
        f"{UUID} arn:aws:iam::123456789012:server-certificate/{UUID} {ACM}/{UUID},",
    ),
    "HostedZoneId": ("Z0123456789ABCDEFGHIJ", "/hostedzone/Z0123 z0123 0123"),
    "AllowedNetworks": (
        "203.0.113.0/24 203.0.113.7/32,198.51.100.0/24",
        "203.0.113.7 203.0.113.0/24, any 203.0.113.0/2444 example.org/24 2001:db8::/32",
    ),
    "AlarmEmail": ("on-call@example.org a+b@c.example", "on-call on-call@example @example.org"),
    "PermissionsBoundary": (
        "arn:aws:iam::123456789012:policy/jitsi-tokens/Boundary-1A",
        "Boundary arn:aws:iam::123456789012:role/Boundary arn:aws:iam",
    ),
}


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, rules in PARAMETERS.items()
        if rules["Type"] == "String" and "AllowedValues" not in rules and name != "ContactText"
    ],
)
def test_a_parameter_takes_what_is_right_and_no_more(name: str) -> None:
    """As people paste it: no spaces, and nothing where that is the default."""
    rules = PARAMETERS[name]

    def accepted(value: str) -> bool:
        return len(value) <= rules.get("MaxLength", 4096) and bool(
            re.search(rules["AllowedPattern"], value)
        )

    right, wrong = (values.split(" ") for values in VALUES[name])
    spaced = [f"{value} " for value in right] + [f" {value}" for value in right] + ["a b"]
    assert [value for value in [*right, rules["Default"]] if not accepted(value)] == []
    assert [value for value in wrong + spaced if accepted(value)] == []
    assert accepted("") == (rules["Default"] == "")
    assert rules["ConstraintDescription"]


CONTACT_TEXTS = (
    "",
    "Rufen Sie 112 | Call 112, or +43 1 2345678.",
    "Allô ? <112> & 'wir'",
    "x" * 1000,
)


def test_a_contact_text_has_no_control_characters() -> None:
    """It has blanks, unlike all other parameters."""
    rules = PARAMETERS["ContactText"]
    wrong = ("a\nb", "a\tb", "x" * 1001)

    accepted = [
        text
        for text in (*CONTACT_TEXTS, *wrong)
        if len(text) <= rules["MaxLength"] and re.search(rules["AllowedPattern"], text)
    ]
    assert accepted == list(CONTACT_TEXTS)


# Functions


def longest(value: Any, *, is_jaas: bool) -> int:
    """Return how many characters a value resolves to at most."""
    match value:
        case str() if value in PARAMETERS:
            rules: dict[str, Any] = PARAMETERS[value]
            values = rules.get("AllowedValues") or [rules.get("MaxValue", LONGEST_APP_ID)]
            return int(rules.get("MaxLength", max(len(str(each)) for each in values)))
        case [7, [":", "JitsiTokensLayer"]]:
            return 5  # the layer's version
        case [
            "SharesSecret" | "Traces" | "TakesSnapshots" | "HasPublicUrl",
            str(then),
            str(other),
        ]:
            return max(
                longest(each, is_jaas=is_jaas) if each in PARAMETERS else len(each)
                for each in (then, other)
            )
        case ["IsJaas", then, other]:
            return longest(then if is_jaas else other, is_jaas=is_jaas)
        case [str(separator), [*parts]]:
            lengths = [longest(part, is_jaas=is_jaas) for part in parts]
            return sum(lengths) + len(separator) * (len(parts) - 1)
    raise AssertionError(f"cannot tell the length of {value}")


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name != "RotateSigningKey"])
def test_a_change_of_a_setting_publishes_a_new_version(name: str) -> None:
    """CloudFormation sees a change in the description alone; Lambda takes 256 characters."""
    settings = {"LogLevel"}
    if name in ("IssueToken", "CheckKey", "ProbeConfig", "JoinVisit"):
        settings = references(TEMPLATE["Globals"]["Function"]["Environment"]["Variables"])
    described = properties(name)["VersionDescription"]

    assert references(described) >= settings | {"JitsiTokensLayer", "Tracing", "SnapStart"}
    assert max(longest(described, is_jaas=is_jaas) for is_jaas in (True, False)) <= 256


def test_a_function_outlives_its_waits() -> None:
    """A caller gets its answer, not Lambda's; the rotation waits for the lead and the address."""
    timeouts = {
        name: (TEMPLATE["Globals"]["Function"] | properties(name))["Timeout"] for name in FUNCTIONS
    }
    lead = PARAMETERS["PublicationLeadSeconds"]

    assert min(timeouts.values()) >= 15
    assert timeouts["RotateSigningKey"] >= lead["MaxValue"] + 240
    # The list of keys is cached for a minute by the function, and for another by its readers.
    assert lead["Default"] > 2 * FRESH_SECONDS
    # The schedule starts a rotation at once: the permission and the public address come before.
    assert RESOURCES["RotationSchedule"]["DependsOn"] == ["RotationPermission", "Apiv1Stage"]


def test_no_secret_is_a_parameter_or_resolved_at_deployment() -> None:
    """It would be in the template's events and in a function's environment."""
    assert "{{resolve" not in TEXT
    assert "NoEcho" not in TEXT


def test_the_first_status_is_that_nothing_was_checked() -> None:
    """Before the first check the probe reads the template's value."""
    assert msgspec.json.decode(properties("KeyStatus")["Value"], type=KeyStatus) == NEVER_CHECKED


# What must not be lost


def test_a_generated_secret_is_frozen() -> None:
    """Any change of these replaces the secret, and with it the key of every token."""
    letters = {
        "PasswordLength": 64,
        "ExcludePunctuation": True,
        "ExcludeCharacters": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    }
    document = {
        "SecretStringTemplate": '{"algorithm": "HS256", "kid": "initial"}',
        "GenerateStringKey": "secret",
    }

    assert {
        name: properties(name).get("GenerateSecretString")
        for name in of_type("AWS::SecretsManager::Secret")
    } == {
        "JaasSigningKey": None,
        "PublishedSigningKey": None,
        "SharedSigningKey": letters | document,
        "DigestKey": letters,
        "LinkKey": letters,
    }


def test_what_cannot_be_made_again_is_retained_and_protected() -> None:
    """On deletion, on replacement, and by `DeletionProtection` from a slip by hand."""
    kinds = ("AWS::SecretsManager::Secret", "AWS::DynamoDB::Table", "AWS::KMS::Key")

    for name in [each for kind in kinds for each in of_type(kind)] + ["IssueTokenLog"]:
        assert RESOURCES[name]["DeletionPolicy"] == "Retain", name
        assert RESOURCES[name]["UpdateReplacePolicy"] == "Retain", name
    # A retained group with a name would keep the next stack of that name from being made.
    assert "LogGroupName" not in properties("IssueTokenLog")
    for name in ("Clients", "VisitsTable", "IssueTokenLog"):
        protected = properties(name)["DeletionProtectionEnabled"]
        assert protected == ["ProtectsFromDeletion", True, False]
    for policy, secrets in (
        ("SigningKeyProtection", SIGNING_KEYS),
        ("DigestKeyProtection", {"DigestKey"}),
        ("LinkKeyProtection", {"LinkKey"}),
    ):
        [statement] = properties(policy)["ResourcePolicy"]["Statement"]
        denied = (statement["Effect"], statement["Action"])
        assert RESOURCES[policy]["Condition"] == "ProtectsFromDeletion"
        assert denied == ("Deny", "secretsmanager:DeleteSecret")
        assert secrets <= references(properties(policy)["SecretId"])


# Logs


@pytest.mark.parametrize("name", of_type("AWS::Logs::LogGroup"))
def test_a_log_group_masks_keys_and_tokens_and_ends(name: str) -> None:
    """The audit record is kept longer than the rest."""
    group = properties(name)
    find, mask = group["DataProtectionPolicy"]["Statement"]
    own = group["DataProtectionPolicy"]["Configuration"]["CustomDataIdentifier"]

    kept = "AuditRetentionDays" if name == "IssueTokenLog" else "LogRetentionDays"
    assert group["RetentionInDays"] == kept
    assert mask["Operation"] == {"Deidentify": {"MaskConfig": {}}}
    assert find["DataIdentifier"] == mask["DataIdentifier"]
    masked = {each.rpartition("/")[2] for each in mask["DataIdentifier"]}
    assert masked >= {"EmailAddress", "PkcsPrivateKey", *(each["Name"] for each in own)}


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"Authorization: Bearer {clients.make_api_key()}", True),
        (f"https://a.example/room#jwt={jwt.encode({'room': 'x'}, 'k' * 32)}", True),
        (f"https://visits.example/join/#{LINK}", True),
        (json.dumps({"jti": str(uuid.uuid4()), "room": "0" * 64, "kid": "vpaas-0/ab12"}), False),
    ],
    ids=["API key", "token", "link", "audit record"],
)
def test_the_masks_know_an_api_key_and_a_token(text: str, *, masked: bool) -> None:
    """And nothing that the audit record holds."""
    policy = properties("IssueTokenLog")["DataProtectionPolicy"]
    own = policy["Configuration"]["CustomDataIdentifier"]

    assert any(re.search(each["Regex"], text) for each in own) == masked


def test_every_function_has_a_log_group() -> None:
    """Lambda would make one that is not encrypted and never ends."""
    for name in FUNCTIONS:
        assert properties(name)["LoggingConfig"] == {"LogGroup": log_of(name)}


def test_a_visit_is_erased_and_not_restored_for_long() -> None:
    """The emulator heeds neither; names of patients are in the table."""
    table = properties("VisitsTable")

    assert table["TimeToLiveSpecification"] == {"AttributeName": "erase_at", "Enabled": True}
    assert table["PointInTimeRecoverySpecification"]["RecoveryPeriodInDays"] == 7


def test_the_page_reads_its_settings() -> None:
    """From one parameter, which no version of the function has to be published for."""
    value = properties("PageSettings")["Value"]
    written = value.replace("${JoinMode}", "redirect").replace("${ContactText}", "Ruf an. | Call.")

    read = visit_page.read_page_settings(written)

    assert (read.embed, read.contact) == (False, ("Ruf an.", "Call."))
    assert visit_page.read_page_settings("embed\n").embed
