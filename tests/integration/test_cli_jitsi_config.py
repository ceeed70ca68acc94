"""`jitsi-tokens jitsi-config`: what it prints for which stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from tests.integration.cli_world import STACK, Answer, World, running_world

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMATS = ["env", "kubernetes", "external-secrets", "prosody"]


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch, aws: None) -> Iterator[World]:  # noqa: ARG001
    """Return a self-hosted stack with a shared secret."""
    with running_world(monkeypatch, provider="self-hosted") as world:
        world.store({"algorithm": "HS256", "kid": "initial", "secret": "hunter2" * 8})
        yield world


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch, aws: None) -> Iterator[World]:  # noqa: ARG001
    """Return a self-hosted stack that publishes its keys."""
    with running_world(monkeypatch, provider="self-hosted", algorithm="RS256") as world:
        yield world


def test_env_is_what_is_printed_by_default(shared: World) -> None:
    """The result alone is on stdout, so that it can be redirected into the file."""
    result = shared.run("jitsi-config")

    assert result.exit_code == 0
    assert result.stderr == ""
    assert result.stdout.startswith(
        "# docker-jitsi-meet's .env for the tokens of the stack meetings"
    )
    assert "\nJWT_ACCEPTED_AUDIENCES=openemr_audience\n" in result.stdout
    assert f"--region eu-central-1 --secret-id '{shared.secret}'" in result.stdout


@pytest.mark.parametrize("output", FORMATS)
def test_the_shared_secret_is_never_printed(shared: World, output: str) -> None:
    """It is not even read."""
    shared.with_secrets_manager(lambda _: Answer(500, ""))

    result = shared.run("jitsi-config", "--format", output)

    assert result.exit_code == 0
    assert not any("secretsmanager" in str(sent.headers) for sent in shared.received)
    assert "hunter2" not in result.output
    assert shared.secret in result.stdout


@pytest.mark.parametrize("by_option", [True, False], ids=["option", "environment"])
def test_the_key_server_may_have_another_address(
    published: World, monkeypatch: pytest.MonkeyPatch, *, by_option: bool
) -> None:
    """--url, or JITSI_TOKENS_URL with the stack's name, names a domain of one's own."""
    url = "https://tokens.example.org/api/jitsi/jwt/"
    if not by_option:
        monkeypatch.setenv("JITSI_TOKENS_STACK_NAME", STACK)
        monkeypatch.setenv("JITSI_TOKENS_URL", url)

    result = published.run("jitsi-config", *(["--url", url] if by_option else []))

    assert "\nJWT_ASAP_KEYSERVER=https://tokens.example.org/asap\n" in result.stdout


@pytest.mark.parametrize("named", ["another", None])
def test_the_environments_url_is_not_another_stacks(
    published: World, monkeypatch: pytest.MonkeyPatch, named: str | None
) -> None:
    """A stack that --stack-name names has its own: a Jitsi must not ask the other one for keys."""
    if named:
        monkeypatch.setenv("JITSI_TOKENS_STACK_NAME", named)
    monkeypatch.setenv("JITSI_TOKENS_URL", "https://tokens.example.org")

    result = published.run("jitsi-config")

    assert f"\nJWT_ASAP_KEYSERVER={published.url}/v1/asap\n" in result.stdout


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://tokens.example.org", "must be https"),
        ("https://tokens.example.org/?a=b", "must end with its path"),
    ],
)
def test_an_address_that_is_none_is_refused(published: World, url: str, sentence: str) -> None:
    """Over http anybody on the way could hand Jitsi a key of their own."""
    result = published.run("jitsi-config", "--url", url)

    assert result.exit_code == 2
    assert sentence in result.stderr
    assert result.stdout == ""


def test_an_address_that_jitsi_would_break_on_is_refused(published: World) -> None:
    """Its images write it into Lua between quotes."""
    result = published.run("jitsi-config", "--url", 'https://tokens.example.org/"')

    assert result.exit_code == 1
    assert "cannot carry the service's URL" in result.stderr


def test_public_keys_leave_no_secret_to_sync(published: World) -> None:
    """The External Secrets Operator has nothing to do."""
    result = published.run("jitsi-config", "--format", "external-secrets")

    assert result.exit_code == 1
    assert "There is no secret to sync" in result.stderr
    assert "--format kubernetes" in result.stderr


def test_external_secrets_takes_names_of_ones_own(shared: World) -> None:
    """Namespace and store are the cluster's."""
    options = ["--namespace", "meet", "--secret-store", "vault", "--cluster-store"]

    result = shared.run("jitsi-config", "--format", "external-secrets", *options)

    _, external = yaml.safe_load_all(result.stdout)
    assert external["metadata"]["namespace"] == "meet"
    assert external["spec"]["secretStoreRef"] == {"kind": "ClusterSecretStore", "name": "vault"}


@pytest.mark.parametrize("option", ["--namespace", "--secret-store"])
@pytest.mark.parametrize("name", ["Meet", "a b", "-a", 'a"', ""])
def test_a_name_that_kubernetes_refuses_is_wrong_usage(
    shared: World, option: str, name: str
) -> None:
    """What would break the manifest is refused before anything is printed."""
    result = shared.run("jitsi-config", option, name)

    assert result.exit_code == 2
    assert result.stdout == ""


@pytest.mark.parametrize("output", FORMATS)
def test_jaas_has_nothing_to_set_but_the_key(
    monkeypatch: pytest.MonkeyPatch,
    aws: None,  # noqa: ARG001
    output: str,
) -> None:
    """Its Jitsi is 8x8's, and only 8x8's console needs something."""
    with running_world(monkeypatch) as world:
        result = world.run("jitsi-config", "--format", output)

    assert result.exit_code == 1
    assert "nothing to set but the key" in result.stderr
    assert "https://jaas.8x8.vc" in result.stderr
