"""What GET /api/jitsi/diagnostics tells a client that may ask."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from jitsi_tokens import diagnostics
from jitsi_tokens.core import moderators
from jitsi_tokens.core.findings import finding
from jitsi_tokens.core.policy import Policy
from jitsi_tokens.settings import read_settings
from jitsi_tokens.status import NEVER_CHECKED, KeyFacts, KeyStatus

if TYPE_CHECKING:
    from jitsi_tokens.core.keys import Trust
    from jitsi_tokens.settings import Settings

NOW = 1_800_000_000
KEY = KeyFacts(kid="app/key", algorithm="RS256", fingerprint="ab12", created_at=NOW - 86_400)


def document(settings: Settings, status: KeyStatus, now: int) -> dict[str, Any]:
    """Return the diagnostics as they are answered."""
    told: dict[str, Any] = msgspec.to_builtins(
        diagnostics.diagnosis(settings, Policy(), status, now)
    )
    return told


def test_the_diagnostics_of_a_stack_that_works(jaas_environ: dict[str, str]) -> None:
    """What it is, which key it signs with, how long tokens live, and that nothing is wrong."""
    status = KeyStatus(configured=True, checked_at=NOW - 60, key=KEY)

    told = document(read_settings(jaas_environ), status, NOW)

    assert told == {
        "configured": True,
        "checkedAt": NOW - 60,
        "provider": "jaas",
        "domain": "8x8.vc",
        "appId": jaas_environ["JAAS_APP_ID"],
        "algorithm": "RS256",
        "keyId": "app/key",
        "publicKeyFingerprint": "ab12",
        "keyAgeSeconds": 86_400,
        "lifetimes": {
            "minimumSeconds": 60,
            "defaultSeconds": 3600,
            "maximumSeconds": 14_400,
            "maximumAdvanceSeconds": 604_800,
            "clockSkewSeconds": 10,
            "maximumStaleSeconds": 14_400,
        },
        "problems": [],
        "advice": [],
    }


def test_the_diagnostics_before_the_first_check(jaas_environ: dict[str, str]) -> None:
    """There is no key to tell of, and a problem says so."""
    told = document(read_settings(jaas_environ), NEVER_CHECKED, NOW)

    assert told["configured"] is False
    assert [told[name] for name in ("checkedAt", "keyId", "publicKeyFingerprint")] == [None] * 3
    assert told["keyAgeSeconds"] is None
    assert told["problems"] == [msgspec.to_builtins(finding("never-checked", trust="console"))]


REPLACE = "Replace the key: `jitsi-tokens key stage`, then `jitsi-tokens key promote`."


@pytest.mark.parametrize(
    ("trust", "code", "what", "remedy"),
    [
        ("console", "wrong-kid", "", f"^{REPLACE}$"),
        ("shared", "secret-deleted", "", f"`aws secretsmanager restore-secret`. {REPLACE}"),
        ("shared", "no-key", "", "`jitsi-tokens key create` or `jitsi-tokens key import`."),
        ("published", "no-key", "", "`jitsi-tokens key rotate`. Where that fails"),
        ("published", "not-published", "public part is not published.", "key rotate`. Until then"),
        ("console", "check-overdue", "not checked for 15 minutes.", "CheckKey's schedule"),
    ],
)
def test_a_finding_says_what_is_wrong_and_what_to_do(
    trust: Trust, code: str, what: str, remedy: str
) -> None:
    """A code for programs, two sentences for people: a remedy of this kind of stack."""
    found = finding(code, trust=trust)

    assert found.code == code
    assert found.what.endswith(what)
    assert bool(found.what) == bool(what)
    assert re.search(remedy, found.remedy)
    assert finding("not-published", "My own.", trust=trust).what == "My own."


@pytest.mark.parametrize(("age", "codes"), [(900, []), (901, ["check-overdue"])])
def test_a_check_that_stopped_is_a_problem(
    jaas_environ: dict[str, str], age: int, codes: list[str]
) -> None:
    """After fifteen minutes."""
    status = KeyStatus(configured=True, checked_at=NOW - age, key=KEY)

    told = document(read_settings(jaas_environ), status, NOW)

    assert [problem["code"] for problem in told["problems"]] == codes


def test_a_key_is_never_younger_than_nothing(jaas_environ: dict[str, str]) -> None:
    """Clocks differ."""
    status = KeyStatus(configured=True, checked_at=NOW, key=KEY)

    told = document(read_settings(jaas_environ), status, KEY.created_at - 5)

    assert told["keyAgeSeconds"] == 0


def test_a_jitsi_of_ones_own_is_told_of_its_moderators(
    self_hosted_environ: dict[str, str],
) -> None:
    """No server tells how it is set up, so the advice is always there."""
    told = document(read_settings(self_hosted_environ), NEVER_CHECKED, NOW)

    [advice] = told["advice"]
    assert advice["code"] == "moderator-settings"
    assert moderators.settings_text() in advice["remedy"]
    assert moderators.settings_text() == (
        "XMPP_MUC_MODULES=token_affiliation,token_lobby_bypass, JICOFO_ENABLE_AUTH=0,"
        " ENABLE_AUTO_OWNER=0 and WAIT_FOR_HOST_DISABLE_AUTO_OWNERS=1"
    )
