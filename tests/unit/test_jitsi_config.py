"""What the Jitsi side gets: each way to install it, both algorithms, with and without tenant."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml

from jitsi_tokens.core.policy import Policy
from jitsi_tokens.diagnostics import diagnosis
from jitsi_tokens.settings import read_settings
from jitsi_tokens.status import NEVER_CHECKED
from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.jitsi_config.formats import (
    JitsiSide,
    SecretStore,
    check_values,
    env_text,
    external_secrets_text,
    kubernetes_text,
    prosody_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:SigningKey-AbCdEf"
READ_SECRET = f"aws secretsmanager get-secret-value --secret-id '{SECRET}'"
MODERATORS = {
    "XMPP_MUC_MODULES": "token_affiliation,token_lobby_bypass",
    "JICOFO_ENABLE_AUTH": "0",
    "ENABLE_AUTO_OWNER": "0",
    "WAIT_FOR_HOST_DISABLE_AUTO_OWNERS": "1",
}
SHARED = {
    "ENABLE_AUTH": "1",
    "AUTH_TYPE": "jwt",
    "ENABLE_GUESTS": "0",
    "ENABLE_WELCOME_PAGE": "0",
    "JWT_ALLOW_EMPTY": "0",
    "JWT_APP_ID": "openemr_telehealth",
    "JWT_SIGN_TYPE": "HS256",
    "JWT_ACCEPTED_ISSUERS": "openemr",
    "JWT_ACCEPTED_AUDIENCES": "openemr_audience",
    "JWT_ENABLE_DOMAIN_VERIFICATION": "0",
    **MODERATORS,
}
PUBLISHED = SHARED | {
    "JWT_SIGN_TYPE": "RS256",
    "JWT_ASAP_KEYSERVER": "https://tokens.example.org/v1/asap",
}


def _side(environ: dict[str, str], **changed: str) -> JitsiSide:
    settings = read_settings(environ | changed)
    key_server = "https://tokens.example.org/v1/asap"
    side = JitsiSide(
        settings=settings,
        stack_name="meetings",
        region="eu-central-1",
        signing_secret=SECRET,
        key_server=key_server if settings.trust == "published" else None,
        read_secret=READ_SECRET,
    )
    check_values(side)
    return side


def _assigned(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Z_]+=[!-~]+", line) for line in lines)
    return dict(line.split("=", 1) for line in lines)


def _lua(text: str) -> dict[str, str]:
    """Return each `name = value` of a text of Lua, a list over several lines as one."""
    code = re.sub(r"--.*", "", text)
    assignment = re.compile(r"(\w+) = (\{.*?\}|\"[^\"\n]*\"|true|false)", re.DOTALL)
    rest = assignment.sub("", code)
    assert re.sub(r"(VirtualHost|Component) \"[^\"]*\"( \"muc\")?", "", rest).split() == []
    return {name: " ".join(value.split()) for name, value in assignment.findall(code)}


def test_env_of_a_shared_secret(self_hosted_environ: dict[str, str]) -> None:
    """Every line is NAME=VALUE; the secret is added by a command that shows it to nobody."""
    text = env_text(_side(self_hosted_environ))

    assert _assigned(text) == SHARED
    assert f'#   {READ_SECRET} | jq -r \'"JWT_APP_SECRET=" + (if .secret | test(' in text
    assert "\n#JWT_APP_SECRET=\n" in text


@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed: apt-get install jq")
@pytest.mark.parametrize("secret", ["s3cret" * 6, "with#hash" * 4, "with$dollar" * 3])
def test_env_takes_no_secret_that_it_cannot_carry(
    self_hosted_environ: dict[str, str], secret: str
) -> None:
    """Compose reads # as a comment and $ as a variable."""
    [program] = re.findall(r"jq -r '(.*)' >> .env", env_text(_side(self_hosted_environ)))

    finished = subprocess.run(  # noqa: S603
        ["jq", "-r", program],  # noqa: S607
        input=json.dumps({"secret": secret}),
        capture_output=True,
        text=True,
        check=False,
    )

    if {"#", "$"} & set(secret):
        assert (finished.returncode, finished.stdout) == (5, "")
        assert "key stage" in finished.stderr
        assert secret not in finished.stderr
    else:
        assert finished.stdout == f"JWT_APP_SECRET={secret}\n"


def test_env_of_public_keys(published_environ: dict[str, str]) -> None:
    """Jitsi fetches keys by an address without a slash at its end, and is given no secret."""
    text = env_text(_side(published_environ))

    assert _assigned(text) == PUBLISHED
    assert READ_SECRET not in text
    assert "remove JWT_APP_SECRET" in " ".join(text.replace("#", "").split())
    assert "another key needs another kid" in text


def test_each_setting_of_env_has_its_reason_above_it(published_environ: dict[str, str]) -> None:
    """No line is there unexplained."""
    lines = env_text(_side(published_environ)).splitlines()

    for before, line in itertools.pairwise(lines):
        if "=" in line and not line.startswith("#"):
            assert before.startswith("# ")


def test_the_moderator_settings_are_those_of_the_diagnostics(
    self_hosted_environ: dict[str, str],
) -> None:
    """What the service advises and what the command prints is the same."""
    settings = read_settings(self_hosted_environ)
    (advice,) = diagnosis(settings, Policy(), NEVER_CHECKED, 0).advice

    advised = dict(re.findall(r"([A-Z_]+)=([\w,]*\w)", advice.remedy))

    assert advised == MODERATORS
    assert advice.what.rstrip(".").removeprefix("A ") in " ".join(
        env_text(_side(self_hosted_environ)).replace("#", "").split()
    )


@pytest.mark.parametrize(
    ("tenant", "subject", "in_docker", "on_debian"),
    [
        ("", "", False, True),
        ("", "meet.jitsi", True, False),
        ("", "*", True, True),
        ("clinic", "", True, True),
        ("clinic", "*", True, True),
        ("clinic", "meet.example.org", False, False),
    ],
)
def test_the_domain_is_verified_only_where_sub_can_match(
    self_hosted_environ: dict[str, str],
    tenant: str,
    subject: str,
    *,
    in_docker: bool,
    on_debian: bool,
) -> None:
    """Docker's XMPP domain is meet.jitsi, Debian's the public one; a tenant replaces both."""
    side = _side(self_hosted_environ, JITSI_TENANT=tenant, JITSI_SUBJECT=subject)

    docker = _assigned(env_text(side))["JWT_ENABLE_DOMAIN_VERIFICATION"]
    debian = _lua(prosody_text(side))["enable_domain_verification"]

    assert docker == str(int(in_docker))
    assert debian == str(on_debian).lower()


def test_the_reason_names_what_sub_would_have_to_be(self_hosted_environ: dict[str, str]) -> None:
    """Who wants the domain verified learns which parameter to change."""
    text = " ".join(env_text(_side(self_hosted_environ)).replace("#", "").split())

    assert "the XMPP domain meet.jitsi in the tokens' sub, which is meet.example.org" in text
    assert "JitsiSubject" in text


def _words(text: str) -> str:
    return " ".join(word for word in text.split() if word not in ("#", "--"))


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        (env_text, "/prosody-plugins-custom"),
        (lambda side: kubernetes_text(side, "meet"), "/prosody-plugins-custom"),
        (prosody_text, "/usr/share/jitsi-meet/prosody-plugins"),
    ],
    ids=["env", "kubernetes", "prosody"],
)
def test_each_module_says_where_it_is_and_what_is_logged_without_it(
    self_hosted_environ: dict[str, str], text: Callable[[JitsiSide], str], folder: str
) -> None:
    """A Jitsi that lacks one starts all the same, and only the log says so."""
    words = _words(text(_side(self_hosted_environ)))

    assert "since 2026-05-08 (docker-jitsi-meet: stable-10978)" in words
    assert "https://github.com/jitsi-contrib/prosody-plugins" in words
    assert folder in words
    for module in ("token_affiliation", "token_lobby_bypass"):
        assert f"\"Unable to load module '{module}'\"" in words


def test_jibri_and_jigasi_are_named_where_the_domain_is_verified(
    self_hosted_environ: dict[str, str],
) -> None:
    """They join without a token; with the verification off they are let in."""
    side = _side(self_hosted_environ)
    on, off = _words(prosody_text(side)), _words(env_text(side))

    assert "Jibri and Jigasi" in on
    assert "token_verification_allowlist" in on
    assert "Jibri" not in off


def test_kubernetes_of_a_shared_secret(self_hosted_environ: dict[str, str]) -> None:
    """A ConfigMap of strings, and a Secret without data that a command fills."""
    text = kubernetes_text(_side(self_hosted_environ), "meet")

    config_map, secret = yaml.safe_load_all(text)
    assert config_map == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "jitsi-tokens", "namespace": "meet"},
        "data": SHARED,
    }
    assert secret == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "jitsi-tokens", "namespace": "meet"},
        "type": "Opaque",
    }
    assert (
        f"#   {READ_SECRET} | jq '{{stringData: {{JWT_APP_SECRET: .secret}}}}' | kubectl patch"
        " secret jitsi-tokens --namespace meet --type merge --patch-file /dev/stdin\n"
    ) in text


def test_kubernetes_of_public_keys(published_environ: dict[str, str]) -> None:
    """There is no Secret, nor a word of one to take."""
    text = kubernetes_text(_side(published_environ), "meet")

    (config_map,) = yaml.safe_load_all(text)
    assert config_map["data"] == PUBLISHED
    assert "secretRef" not in text


@pytest.mark.parametrize(
    ("of_cluster", "kind"), [(False, "SecretStore"), (True, "ClusterSecretStore")]
)
def test_external_secrets(
    self_hosted_environ: dict[str, str], kind: str, *, of_cluster: bool
) -> None:
    """The secret is named by its ARN and its field, so that it is in one place."""
    store = SecretStore("aws", of_cluster=of_cluster)

    text = external_secrets_text(_side(self_hosted_environ), "meet", store)

    config_map, external = yaml.safe_load_all(text)
    assert config_map["data"] == SHARED
    assert external == {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": "jitsi-tokens", "namespace": "meet"},
        "spec": {
            "refreshInterval": "1h",
            "secretStoreRef": {"kind": kind, "name": "aws"},
            "target": {"name": "jitsi-tokens"},
            "data": [
                {
                    "secretKey": "JWT_APP_SECRET",
                    "remoteRef": {"key": SECRET, "property": "secret"},
                }
            ],
        },
    }
    assert "eu-central-1" in text


def test_prosody_of_a_shared_secret(self_hosted_environ: dict[str, str]) -> None:
    """The Lua sets everything but the secret, which a comment says how to read."""
    text = prosody_text(_side(self_hosted_environ, JITSI_DOMAIN="Meet.example.org:8443"))

    assert _lua(text) == {
        "authentication": '"token"',
        "allow_empty_token": "false",
        "app_id": '"openemr_telehealth"',
        "signature_algorithm": '"HS256"',
        "asap_accepted_issuers": '{ "openemr" }',
        "asap_accepted_audiences": '{ "openemr_audience" }',
        "enable_domain_verification": "true",
        "modules_enabled": '{ "token_verification"; "token_affiliation"; "token_lobby_bypass"; }',
        "wait_for_host_disable_auto_owners": "true",
    }
    assert '\nVirtualHost "meet.example.org"\n' in text
    assert '\nComponent "conference.meet.example.org" "muc"\n' in text
    assert f"--   {READ_SECRET} | jq -r .secret\n    -- app_secret" in text
    assert " /etc/jitsi/meet/meet.example.org-config.js." in text
    assert "\n--   config.welcomePage = { disabled: true };\n" in text


def test_prosody_of_public_keys(published_environ: dict[str, str]) -> None:
    """A key server replaces the secret."""
    text = prosody_text(_side(published_environ))

    assert _lua(text)["asap_key_server"] == '"https://tokens.example.org/v1/asap"'
    assert "app_secret" not in _lua(text)
    assert READ_SECRET not in text


def test_prosody_comes_with_jicofos_lines(published_environ: dict[str, str]) -> None:
    """They are comments, as the rest is Lua."""
    text = prosody_text(_side(published_environ))

    after = text.partition("/etc/jitsi/jicofo/jicofo.conf:\n")[2].partition("\n\n")[0]
    settings = [line for line in after.splitlines() if not line.startswith("--       #")]
    assert all(line.startswith("--") for line in settings)
    assert "".join("".join(settings).replace("--", "").split()) == (
        "jicofo{authentication{enabled=false}conference{enable-auto-owner=false}}"
    )


@pytest.mark.parametrize(
    ("tenant", "opened", "left"),
    [
        (
            "",
            ["/visit-7", "/my room", "/dr.smith"],
            ["/clinic/visit-7", "/config.js", "/http-bind"],
        ),
        (
            "clinic",
            ["/visit-7", "/clinic/visit-7", "/clinic/caf\xe9"],
            ["/static/close.html", "/clinic/config.js", "/xmpp-websocket", "/libs/x/y"],
        ),
    ],
)
def test_prosody_comes_with_apaches_line(
    self_hosted_environ: dict[str, str], tenant: str, opened: list[str], left: list[str]
) -> None:
    """mod_rewrite applies it to the decoded path; what is no room's stays where it is."""
    text = prosody_text(_side(self_hosted_environ, JITSI_TENANT=tenant))

    [pattern] = re.findall(r"^--   RewriteRule (\S+) /index\.html$", text, re.MULTILINE)
    assert all(re.search(pattern, path) for path in opened)
    assert not any(re.search(pattern, path) for path in left)


@pytest.mark.parametrize("text", ['a"b', "a\\b", "a b", "a,b", "a$b", "a'b", "a\nb", "a#b"])
@pytest.mark.parametrize("name", ["JITSI_APP_ID", "JITSI_ISSUER", "JITSI_AUDIENCE"])
def test_what_jitsis_templates_break_on_is_refused(
    self_hosted_environ: dict[str, str], name: str, text: str
) -> None:
    """A quote ends a string of Lua, a comma begins another entry of a list."""
    with pytest.raises(CommandError, match="Jitsi's configuration cannot carry Jitsi"):
        _side(self_hosted_environ, **{name: text})


@pytest.mark.parametrize("algorithm", ["HS256", "RS256"])
def test_no_line_break_of_a_parameter_ends_a_comment(
    self_hosted_environ: dict[str, str], algorithm: str
) -> None:
    """What is in comments alone stays there."""
    side = _side(
        self_hosted_environ,
        SIGNING_ALGORITHM=algorithm,
        JITSI_SUBJECT="x\nEVIL=1",
        JITSI_TENANT="y\nEVIL=1",
    )

    assert "EVIL" not in _assigned(env_text(side))
    assert "EVIL" not in str(list(yaml.safe_load_all(kubernetes_text(side, "meet"))))
    assert "EVIL" not in _lua(prosody_text(side))
