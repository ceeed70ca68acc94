"""What the template promises: read as it stands, and asserted where no emulator would notice."""

import pytest
import yaml

from local_stack.emulator import ROOT
from tests.template_reading import (
    HEX,
    LONGEST_APP_ID,
    PARAMETERS,
    PUBLIC_KEYS_PATH,
    SIGNING_KEY,
    TEMPLATE,
    accepts,
    references,
    values,
)

UUID = "12345678-90ab-cdef-1234-567890abcdef"


def test_what_has_the_name_of_a_parameter_or_a_resource_refers_to_it() -> None:
    """The tags are dropped in what follows: without this a forgotten `!Ref` would pass."""
    tree = yaml.compose((ROOT / "template.yaml").read_text(encoding="utf-8"), yaml.SafeLoader)
    assert isinstance(tree, yaml.MappingNode)
    sections = {key.value: section for key, section in tree.value}
    dropped = {"Metadata", "Parameters", "Transform", "AWSTemplateFormatVersion", "Description"}

    forgotten = [
        node.value
        for name in sections.keys() - dropped
        for node in values(sections[name])
        if references(node.value) and not node.tag.startswith("!")
    ]

    assert forgotten == []


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_says_what_it_is(name: str) -> None:
    """Whoever deploys reads it, and finds it in a group."""
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]

    assert PARAMETERS[name]["Description"].strip()
    assert [name in group["Parameters"] for group in groups].count(True) == 1


@pytest.mark.parametrize(
    ("name", "default", "most"),
    [
        ("MaximumLifetimeSeconds", 14_400, 86_400),
        ("MaximumAdvanceSeconds", 604_800, 2_678_400),
        ("ClockSkewSeconds", 10, 300),
        ("MaximumStaleSeconds", 14_400, 86_400),
        ("AuthorizerCacheSeconds", 60, 3600),
        ("RotationDays", 90, 1000),
        ("PublicationLeadSeconds", 130, 600),
    ],
)
def test_a_limit_has_its_default_and_its_own_limit(name: str, default: int, most: int) -> None:
    """As the contract says."""
    assert (PARAMETERS[name]["Default"], PARAMETERS[name]["MaxValue"]) == (default, most)


@pytest.mark.parametrize(
    ("rule", "provider", "needed"),
    [
        ("JaasNeedsAppId", "jaas", "JaasAppId"),
        ("SelfHostedNeedsDomain", "self-hosted", "JitsiDomain"),
    ],
)
def test_a_provider_has_what_it_needs(rule: str, provider: str, needed: str) -> None:
    """Before anything is deployed, and with a sentence that names the parameter."""
    found = TEMPLATE["Rules"][rule]

    assert found["RuleCondition"] == ["Provider", provider]  # !Equals
    [assertion] = found["Assertions"]
    assert assertion["Assert"] == [[needed, ""]]  # !Not [!Equals …]
    assert needed in assertion["AssertDescription"]
    assert provider in PARAMETERS["Provider"]["AllowedValues"]


def test_a_domain_name_has_its_certificate() -> None:
    """Before anything is deployed."""
    found = TEMPLATE["Rules"]["DomainNameNeedsCertificate"]

    assert found["RuleCondition"] == [["DomainName", ""]]  # !Not [!Equals …]
    [assertion] = found["Assertions"]
    assert assertion["Assert"] == [["CertificateArn", ""]]
    assert "CertificateArn" in assertion["AssertDescription"]


GOOD_VALUES = {
    "JitsiDomain": [
        "",
        *("meet.example.org", "meet", "MEET.example.org", "meet-1.example.org"),
        *("203.0.113.10", "meet.example.org:8443", "x" * 64),
    ],
    "JaasAppId": ["", HEX, LONGEST_APP_ID],
    "JitsiAppId": ["openemr_telehealth", "a", "A.b-c_1", "x" * 25],
    "JitsiIssuer": ["openemr", "a", "A.b-c_1", "x" * 25],
    "JitsiAudience": ["openemr_telehealth", "jitsi", "A.b-c_1", "x" * 25],
    "JitsiSubject": ["", "*", "meet.jitsi", "meet.example.org", "clinic_1", "x" * 38],
    "JitsiTenant": ["", "clinic", "clinic-1", "clinic_1", "x" * 24],
    "PublicUrl": [
        "",
        *("https://tokens.example.org", "https://tokens.example.org:8443"),
        *("https://example.org/tokens", "https://example.org/a/b-1", "https://10.0.0.1/v1"),
    ],
    "DomainName": ["", "tokens.example.org", "t", "a-1.b-2.example"],
    "CertificateArn": ["", f"arn:aws:acm:eu-central-1:123456789012:certificate/{UUID}"],
    "HostedZoneId": ["", "Z0123456789ABCDEFGHIJ"],
    "AllowedNetworks": ["", "203.0.113.0/24", "203.0.113.7/32,198.51.100.0/24"],
    "AlarmEmail": ["", "on-call@example.org", "a+b@c.example"],
    "PermissionsBoundary": ["", "arn:aws:iam::123456789012:policy/jitsi-tokens/Boundary-1A"],
}
BAD_VALUES = {
    "JitsiDomain": [
        *("https://meet.example.org", "meet.example.org/", "meet.example.org/clinic"),
        *("meet example.org", " meet.example.org", "meet.example.org ", "meet_1.example.org"),
        *("meet.example.org:", "meet.example.org:https", "meet.example.org:123456"),
        *("-meet.example.org", ".example.org", "meet.example.org.", "user@meet.example.org"),
        *("meet.example.org?x", "meet.example.org#x", "*.example.org", "x" * 65),
    ],
    "JaasAppId": [
        *(HEX[:-1], f"{HEX}0", f"{HEX[:-1]}g", LONGEST_APP_ID[:-1], f"{LONGEST_APP_ID}0"),
        *("vpaas-magic-cookie-", f"vpaas-magic-{HEX}", f"VPAAS-MAGIC-COOKIE-{HEX}"),
        *(f"{LONGEST_APP_ID}/4f4910", f" {HEX}", f"{HEX} ", f"{LONGEST_APP_ID}{LONGEST_APP_ID}"),
    ],
    **{
        name: ["", 'a"b', "a'b", "a\\b", "a b", "a,b", "a/b", "a|b", "*", "é", "x" * 26]
        for name in ("JitsiAppId", "JitsiIssuer", "JitsiAudience")
    },
    "JitsiSubject": ['a"b', "a b", "a/b", "https://meet.example.org", "é", "x" * 39],
    "PublicUrl": [
        *("http://tokens.example.org", "tokens.example.org", "https://", "https://a.example/"),
        *("https://a.example/v1/", "https://a.example?x", "https://a.example#x"),
        *("https://user@a.example", "https://a.example//v1", "https://a b.example"),
        *("https://a.example/v1 ", f"https://{'x' * 200}"),
    ],
    "DomainName": [
        *("https://tokens.example.org", "tokens.example.org/", "Tokens.example.org", "a b"),
        *(".example.org", "example.org.", "-a.example", "*.example.org", "x" * 254),
    ],
    "CertificateArn": [
        *(UUID, f"arn:aws:iam::123456789012:server-certificate/{UUID}"),
        f"arn:aws:acm:eu-central-1:123456789012:certificate/{UUID},",
    ],
    "HostedZoneId": ["/hostedzone/Z0123", "z0123", "0123"],
    "AllowedNetworks": [
        *("203.0.113.7", "203.0.113.0/24, 203.0.114.0/24", "203.0.113.0/24,", "any"),
        *("203.0.113.0/2444", "example.org/24", "2001:db8::/32", "203.0.113.0/24,2001:db8::/32"),
    ],
    "AlarmEmail": ["on-call", "on-call@example", "a b@example.org", "@example.org"],
    "PermissionsBoundary": ["Boundary", "arn:aws:iam::123456789012:role/Boundary", "arn:aws:iam"],
    "JitsiTenant": ["Clinic", "clinic/1", "/clinic", "a b", "a.b", "a%20b", "é", "x" * 25],
}


def test_every_text_is_tried() -> None:
    """A parameter that a person types, and no list that it is chosen from."""
    texts = {
        name
        for name, rules in PARAMETERS.items()
        if rules["Type"] == "String" and "AllowedValues" not in rules
    }

    assert GOOD_VALUES.keys() == BAD_VALUES.keys() == texts
    assert all("ConstraintDescription" in PARAMETERS[name] for name in texts)


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, good in GOOD_VALUES.items() for value in good]
)
def test_a_parameter_takes_what_is_right(name: str, value: str) -> None:
    """As people paste it."""
    assert accepts(name, value)


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, bad in BAD_VALUES.items() for value in bad]
)
def test_a_parameter_refuses_what_would_fail_later(name: str, value: str) -> None:
    """In a meeting's address, in a claim, or in docker-jitsi-meet's configuration."""
    assert not accepts(name, value)


# Outputs


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (
            "ApiUrl",
            [
                "HasPublicUrl",
                "PublicUrl",
                [
                    "HasDomainName",
                    "https://${DomainName}",
                    "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/v1",
                ],
            ],
        ),
        ("Provider", "Provider"),
        ("SigningAlgorithm", ["IsJaas", "RS256", "SigningAlgorithm"]),
        ("SigningKeySecret", SIGNING_KEY),
        ("ClientsTable", "Clients"),
        ("CheckKeyFunction", "CheckKey.Alias"),
        ("IssueTokenFunction", "IssueToken"),
        ("RotateSigningKeyFunction", "RotateSigningKey.Arn"),
        ("KeyStatusParameter", "KeyStatus"),
        ("PublicKeysPath", PUBLIC_KEYS_PATH),
        ("AuditLogGroup", "IssueTokenLog"),
        ("AccessLogGroup", "AccessLog"),
        ("DigestKeySecret", "DigestKey.Id"),
        ("NoticesTopic", "Notices"),
        ("OnCallPolicy", "OnCallPolicy"),
    ],
)
def test_the_stack_tells_what_its_users_need(name: str, value: object) -> None:
    """The command line and the health record read these, of either provider."""
    output = TEMPLATE["Outputs"][name]

    assert output["Value"] == value
    assert "Condition" not in output
    assert output["Description"]
