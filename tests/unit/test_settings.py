"""The stack's settings, read once from the environment and checked."""

import pytest

from jitsi_tokens.core.claims import TokenProfile
from jitsi_tokens.core.requests import Limits
from jitsi_tokens.settings import SettingMissing, Settings, jaas_app_id, read_settings
from tests.conftest import APP_ID, ENVIRONS

SECONDS = "must be a whole number of seconds"


@pytest.mark.parametrize("algorithm", ["HS256", "RS256", "", "none", None])
def test_the_settings_of_jaas(algorithm: str | None) -> None:
    """What 8x8 fixes is fixed, whatever else is set; the App ID is wherever JaaS looks."""
    changed = {} if algorithm is None else {"SIGNING_ALGORITHM": algorithm}

    settings = read_settings(ENVIRONS["jaas"] | changed)

    assert settings == Settings(
        trust="console",
        provider="jaas",
        algorithm="RS256",
        domain="8x8.vc",
        app_id=APP_ID,
        tenant=APP_ID,
        profile=TokenProfile("chat", "jitsi", APP_ID, affiliation=False, features_expected=True),
        limits=Limits(14_400, 604_800),
        clock_skew_seconds=10,
        max_stale_seconds=14_400,
        token_placement="fragment",
    )
    assert settings.kid_prefix == f"{APP_ID}/"


@pytest.mark.parametrize(("algorithm", "trust"), [("HS256", "shared"), ("RS256", "published")])
def test_the_settings_of_a_self_hosted_jitsi(algorithm: str, trust: str) -> None:
    """Each claim from its own setting; a key with a public part is published."""
    changed = {"SIGNING_ALGORITHM": algorithm, "MEETING_URL_TOKEN_PLACEMENT": "query"}

    settings = read_settings(ENVIRONS["self-hosted"] | changed)

    assert settings._asdict() == {
        "trust": trust,
        "provider": "self-hosted",
        "algorithm": algorithm,
        "domain": "meet.example.org",
        "app_id": "openemr_telehealth",
        "tenant": None,
        "profile": TokenProfile(
            "openemr",
            "openemr_audience",
            "meet.example.org",
            affiliation=True,
            features_expected=False,
        ),
        "limits": Limits(14_400, 604_800),
        "clock_skew_seconds": 10,
        "max_stale_seconds": 14_400,
        "token_placement": "query",
    }
    assert settings.kid_prefix == ""


@pytest.mark.parametrize("pasted", [APP_ID, APP_ID.removeprefix("vpaas-magic-cookie-")])
def test_an_app_id_is_pasted_with_or_without_its_prefix(pasted: str) -> None:
    """Its hex digits keep their case: JaaS compares them."""
    assert jaas_app_id(pasted) == APP_ID


@pytest.mark.parametrize(
    ("changes", "subject"),
    [
        ({"JITSI_DOMAIN": "meet.example.org:8443"}, "meet.example.org"),
        ({"JITSI_TENANT": "clinic"}, "clinic"),
        ({"JITSI_SUBJECT": "xmpp.example.org"}, "xmpp.example.org"),
        ({"JITSI_SUBJECT": "*", "JITSI_TENANT": "clinic"}, "*"),
    ],
)
def test_the_subject_has_a_right_default(changes: dict[str, str], subject: str) -> None:
    """The setting, else the tenant, else the domain, which in XMPP has no port."""
    settings = read_settings(ENVIRONS["self-hosted"] | changes)

    assert settings.profile.subject == subject
    assert settings.tenant == changes.get("JITSI_TENANT")


def test_other_defaults() -> None:
    """The audience is the App ID, as in docker-jitsi-meet; 8x8.vc may be another domain."""
    settings = read_settings(ENVIRONS["self-hosted"] | {"JITSI_AUDIENCE": ""})
    jaas = read_settings(ENVIRONS["jaas"] | {"JITSI_DOMAIN": "stage.8x8.vc"})

    assert settings.profile.audience == "openemr_telehealth"
    assert jaas.domain == "stage.8x8.vc"


@pytest.mark.parametrize(
    ("stack", "name"),
    [
        ("jaas", "JAAS_APP_ID"),
        *(
            ("self-hosted", name)
            for name in (
                *("PROVIDER", "SIGNING_ALGORITHM", "JITSI_DOMAIN", "JITSI_APP_ID", "JITSI_ISSUER"),
                *("MAXIMUM_LIFETIME_SECONDS", "MAXIMUM_ADVANCE_SECONDS", "CLOCK_SKEW_SECONDS"),
                *("MAXIMUM_STALE_SECONDS", "MEETING_URL_TOKEN_PLACEMENT"),
            )
        ),
    ],
)
def test_a_missing_variable_is_named(stack: str, name: str) -> None:
    """A function that cannot work says at once what it misses."""
    absent = {other: value for other, value in ENVIRONS[stack].items() if other != name}

    for environ in (absent, absent | {name: ""}):
        with pytest.raises(SettingMissing, match=rf"^{name} is not set$"):
            read_settings(environ)


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("PROVIDER", "zoom", "must be one of: jaas, self-hosted"),
        ("MEETING_URL_TOKEN_PLACEMENT", "header", "must be one of: fragment, query"),
        ("MAXIMUM_LIFETIME_SECONDS", "4h-secret", SECONDS),
        ("MAXIMUM_ADVANCE_SECONDS", "-1", SECONDS),
        ("CLOCK_SKEW_SECONDS", "1.5", SECONDS),
        ("MAXIMUM_STALE_SECONDS", "²", SECONDS),
        *(
            ("SIGNING_ALGORITHM", algorithm, "must be one of: HS256, RS256")
            for algorithm in ("none", "hs256", "RS512")
        ),
    ],
)
def test_a_variable_of_another_form_is_named_and_its_value_is_not(
    name: str, value: str, rule: str
) -> None:
    """The rule is shown, the value is not: it may be a secret in the wrong place."""
    with pytest.raises(SettingMissing) as refused:
        read_settings(ENVIRONS["self-hosted"] | {name: value})

    assert str(refused.value) == f"{name} {rule}"
