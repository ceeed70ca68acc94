"""The stack's settings, read once from the environment and checked."""

import pytest

from jitsi_tokens.core.claims import TokenProfile
from jitsi_tokens.core.requests import Limits
from jitsi_tokens.settings import SettingMissing, Settings, jaas_app_id, read_settings

APP_ID = "vpaas-magic-cookie-0123456789abcdef0123456789ABCDEF"


def test_the_settings_of_jaas(jaas_environ: dict[str, str]) -> None:
    """What 8x8 fixes is fixed, and the App ID stands wherever JaaS looks for it."""
    settings = read_settings(jaas_environ)

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


def test_the_settings_of_a_jitsi_of_ones_own(self_hosted_environ: dict[str, str]) -> None:
    """Each claim from its own setting."""
    settings = read_settings(self_hosted_environ | {"MEETING_URL_TOKEN_PLACEMENT": "query"})

    assert settings == Settings(
        trust="shared",
        provider="self-hosted",
        algorithm="HS256",
        domain="meet.example.org",
        app_id="openemr_telehealth",
        tenant=None,
        profile=TokenProfile(
            "openemr",
            "openemr_audience",
            "meet.example.org",
            affiliation=True,
            features_expected=False,
        ),
        limits=Limits(14_400, 604_800),
        clock_skew_seconds=10,
        max_stale_seconds=14_400,
        token_placement="query",
    )
    assert settings.kid_prefix == ""


@pytest.mark.parametrize("pasted", [APP_ID, APP_ID.removeprefix("vpaas-magic-cookie-")])
def test_an_app_id_is_pasted_with_or_without_its_prefix(pasted: str) -> None:
    """Its hex digits keep their case: JaaS compares them."""
    assert jaas_app_id(pasted) == APP_ID


def test_jaas_may_stand_at_another_domain(jaas_environ: dict[str, str]) -> None:
    """8x8.vc is a default."""
    assert read_settings(jaas_environ | {"JITSI_DOMAIN": "stage.8x8.vc"}).domain == "stage.8x8.vc"


@pytest.mark.parametrize(
    ("changes", "subject"),
    [
        ({}, "meet.example.org"),
        ({"JITSI_DOMAIN": "meet.example.org:8443"}, "meet.example.org"),
        ({"JITSI_TENANT": "clinic"}, "clinic"),
        ({"JITSI_SUBJECT": "xmpp.example.org"}, "xmpp.example.org"),
        ({"JITSI_SUBJECT": "*", "JITSI_TENANT": "clinic"}, "*"),
    ],
    ids=["domain", "domain-without-its-port", "tenant", "setting", "setting-before-tenant"],
)
def test_the_subject_has_a_right_default(
    self_hosted_environ: dict[str, str], changes: dict[str, str], subject: str
) -> None:
    """The setting, else the tenant, else the domain, which in XMPP has no port."""
    settings = read_settings(self_hosted_environ | changes)

    assert settings.profile.subject == subject
    assert settings.tenant == changes.get("JITSI_TENANT")


def test_the_audience_is_the_app_id_by_default(self_hosted_environ: dict[str, str]) -> None:
    """As in docker-jitsi-meet."""
    settings = read_settings(self_hosted_environ | {"JITSI_AUDIENCE": ""})

    assert settings.profile.audience == "openemr_telehealth"


@pytest.mark.parametrize(
    "name",
    [
        *("PROVIDER", "SIGNING_ALGORITHM", "JITSI_DOMAIN", "JITSI_APP_ID", "JITSI_ISSUER"),
        *("MAXIMUM_LIFETIME_SECONDS", "MAXIMUM_ADVANCE_SECONDS", "CLOCK_SKEW_SECONDS"),
        *("MAXIMUM_STALE_SECONDS", "MEETING_URL_TOKEN_PLACEMENT"),
    ],
)
@pytest.mark.parametrize("empty", [True, False], ids=["empty", "absent"])
def test_a_missing_variable_is_named(
    self_hosted_environ: dict[str, str], name: str, *, empty: bool
) -> None:
    """A function that cannot work says at once what it misses."""
    del self_hosted_environ[name]
    environ = self_hosted_environ | ({name: ""} if empty else {})

    with pytest.raises(SettingMissing, match=rf"^{name} is not set$"):
        read_settings(environ)


def test_jaas_needs_its_app_id(jaas_environ: dict[str, str]) -> None:
    """Without it there is no subject and no address."""
    with pytest.raises(SettingMissing, match=r"^JAAS_APP_ID is not set$"):
        read_settings(jaas_environ | {"JAAS_APP_ID": ""})


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("PROVIDER", "zoom", "must be one of: jaas, self-hosted"),
        ("MEETING_URL_TOKEN_PLACEMENT", "header", "must be one of: fragment, query"),
        ("MAXIMUM_LIFETIME_SECONDS", "4h-secret", "must be a whole number of seconds"),
        ("MAXIMUM_ADVANCE_SECONDS", "-1", "must be a whole number of seconds"),
        ("CLOCK_SKEW_SECONDS", "1.5", "must be a whole number of seconds"),
        ("MAXIMUM_STALE_SECONDS", "²", "must be a whole number of seconds"),
    ],
)
def test_a_variable_of_another_form_is_named_and_its_value_is_not(
    jaas_environ: dict[str, str], name: str, value: str, rule: str
) -> None:
    """The rule is told, the value is not: it may be a secret in the wrong place."""
    with pytest.raises(SettingMissing) as refused:
        read_settings(jaas_environ | {name: value})

    assert str(refused.value) == f"{name} {rule}"


@pytest.mark.parametrize("algorithm", ["none", "hs256", "RS512", "ES256"])
def test_another_algorithm_is_refused(self_hosted_environ: dict[str, str], algorithm: str) -> None:
    """Of a self-hosted Jitsi's, two are issued for."""
    with pytest.raises(SettingMissing, match=r"^SIGNING_ALGORITHM must be one of: HS256, RS256$"):
        read_settings(self_hosted_environ | {"SIGNING_ALGORITHM": algorithm})


@pytest.mark.parametrize("algorithm", ["HS256", "RS256", "", "none", None])
def test_jaas_signs_with_rs256_whatever_else_is_set(
    jaas_environ: dict[str, str], algorithm: str | None
) -> None:
    """8x8 takes nothing else, and fetches no key from here."""
    environ = jaas_environ | ({} if algorithm is None else {"SIGNING_ALGORITHM": algorithm})

    settings = read_settings(environ)

    assert settings.algorithm == "RS256"
    assert settings.trust == "console"


@pytest.mark.parametrize(("algorithm", "trust"), [("HS256", "shared"), ("RS256", "published")])
def test_a_self_hosted_stack_publishes_the_keys_that_have_a_public_part(
    self_hosted_environ: dict[str, str], algorithm: str, trust: str
) -> None:
    """A shared secret has none."""
    settings = read_settings(self_hosted_environ | {"SIGNING_ALGORITHM": algorithm})

    assert settings.algorithm == algorithm
    assert settings.trust == trust
