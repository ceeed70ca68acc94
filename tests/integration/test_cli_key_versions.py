"""`jitsi-tokens key list`, `cleanup` and `withdraw`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from jitsi_tokens.core.public_keys import PublicKey
from jitsi_tokens.core.rsa_keys import fingerprint, jwk, private_pem, public_pem
from jitsi_tokens.publication import Publication
from tests.integration.cli_world import APP_ID, Answer, World, json_error, running_world
from tests.integration.test_cli_key_change import labels, leave_pending

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.hazmat.primitives.asymmetric import rsa

PUBLISHED_AT = 1_700_000_000
ENDS_AT = 4_000_000_000
ENDED_AT = 1_700_600_000


@pytest.fixture
def jaas(
    monkeypatch: pytest.MonkeyPatch,
    aws: None,  # noqa: ARG001
    rsa_pem: str,
) -> Iterator[World]:
    """Return a JaaS stack with a key."""
    with running_world(monkeypatch) as world:
        world.store({"algorithm": "RS256", "kid": f"{APP_ID}/old", "private_key": rsa_pem})
        yield world


@pytest.fixture
def shared(
    monkeypatch: pytest.MonkeyPatch,
    aws: None,  # noqa: ARG001
) -> Iterator[World]:
    """Return a self-hosted stack with a shared secret."""
    with running_world(monkeypatch, provider="self-hosted") as world:
        world.store({"algorithm": "HS256", "kid": "initial", "secret": "i" * 64})
        yield world


@pytest.fixture
def rotating(
    monkeypatch: pytest.MonkeyPatch,
    aws: None,  # noqa: ARG001
    rsa_key: rsa.RSAPrivateKey,
    rsa_pool: list[rsa.RSAPrivateKey],
) -> Iterator[World]:
    """Return a stack whose keys rotate: one that signs, the one before, and one long before."""
    with running_world(monkeypatch, provider="self-hosted", algorithm="RS256") as world:
        publication = Publication(world.ssm, world.outputs["PublicKeysPath"])
        keys = {"now": rsa_key, "before": rsa_pool[0], "long-before": rsa_pool[1]}
        ends = {"now": None, "before": ENDS_AT, "long-before": ENDED_AT}
        for kid, key in keys.items():
            numbers = jwk(key.public_key())
            publication.publish(
                PublicKey(
                    kid=kid,
                    pem=public_pem(key.public_key()),
                    n=numbers.n,
                    e=numbers.e,
                    published_at=PUBLISHED_AT,
                    expires_at=ends[kid],
                )
            )
        for kid in ("before", "now"):
            world.store({"algorithm": "RS256", "kid": kid, "private_key": private_pem(keys[kid])})
        yield world


def _published(world: World) -> set[str]:
    keys = Publication(world.ssm, world.outputs["PublicKeysPath"]).keys()
    return {key.kid for key in keys.values()}


def test_list_shows_each_labelled_version(
    jaas: World, rsa_key: rsa.RSAPrivateKey, rsa_pool: list[rsa.RSAPrivateKey]
) -> None:
    """The one that signs first, and its role; the next key has no id yet."""
    jaas.run("key", "stage", "--from", "-", typed=private_pem(rsa_pool[0]))

    result = jaas.run("key", "list")

    lines = result.stdout.splitlines()
    [current] = [line for line in lines if "current" in line]
    [following] = [line for line in lines if "staged" in line]
    assert result.exit_code == 0
    assert f"{APP_ID}/old" in current
    assert fingerprint(rsa_key.public_key()) in current
    assert "without an id" in following
    assert fingerprint(rsa_pool[0].public_key()) in following
    assert lines.index(current) < lines.index(following)
    assert "Published" not in result.stdout


def test_list_has_json_for_scripts(jaas: World, rsa_key: rsa.RSAPrivateKey) -> None:
    """--json holds the same."""
    [key] = json.loads(jaas.run("key", "list", "--json").stdout)

    assert key.pop("createdAt").endswith("Z")
    assert key == {
        "kid": f"{APP_ID}/old",
        "roles": ["current"],
        "versionId": labels(jaas)["AWSCURRENT"],
        "algorithm": "RS256",
        "fingerprint": fingerprint(rsa_key.public_key()),
        "problem": None,
        "publishedAt": None,
        "publishedUntil": None,
    }


def test_list_tells_a_promoted_key_from_a_waiting_one(
    jaas: World, rsa_pool: list[rsa.RSAPrivateKey]
) -> None:
    """The label NEXT stays where it was."""

    def roles() -> list[list[str]]:
        return [key["roles"] for key in json.loads(jaas.run("key", "list", "--json").stdout)]

    jaas.run("key", "stage", "--from", "-", typed=private_pem(rsa_pool[0]))
    waiting = roles()
    jaas.run("key", "promote", "--kid", "new", "--yes")

    assert waiting == [["current"], ["staged"]]
    assert roles() == [["current"], ["previous"], ["staged", "promoted"]]


def test_list_shows_versions_that_hold_no_key(jaas: World) -> None:
    """Without a value, no document, no key: each said so, and nothing of it shown."""
    leave_pending(jaas)
    for stage, text in (
        ("NEXT", "hunter2"),
        ("mine", '{"algorithm": "RS256", "kid": "x", "private_key": "hunter2"}'),
    ):
        jaas.secrets.put_secret_value(
            SecretId=jaas.secret, SecretString=text, VersionStages=[stage]
        )

    result = jaas.run("key", "list")
    answer = json.loads(jaas.run("key", "list", "--json").stdout)

    problems = {key["roles"][0]: key["problem"] for key in answer}
    assert problems["pending"] == "The version has no value."
    assert problems["staged"] == "The version holds no key document."
    assert "kid does not belong to this stack" in problems["mine"]
    assert "The version has no value." in result.stdout
    assert "hunter2" not in result.output


def test_list_of_a_shared_secret_has_no_fingerprint(shared: World) -> None:
    """There is nothing of it that may be shown."""
    result = shared.run("key", "list")

    assert "initial" in result.stdout
    assert "none: a shared secret" in result.stdout
    assert "i" * 64 not in result.output


def test_list_shows_what_is_published(rotating: World) -> None:
    """Until when each public key is there, also of those that the secret holds no longer."""
    lines = rotating.run("key", "list").stdout.splitlines()

    [now] = [line for line in lines if "current" in line]
    [before] = [line for line in lines if "previous" in line]
    [long_before] = [line for line in lines if "long-before" in line]
    assert "since 2023-11-14T22:13:20Z, while it signs" in now
    assert "since 2023-11-14T22:13:20Z, until 2096-10-02T07:06:40Z" in before
    assert "no more since 2023-11-21T20:53:20Z" in long_before


def test_list_tells_a_script_what_is_published(
    rotating: World, rsa_pool: list[rsa.RSAPrivateKey]
) -> None:
    """A published key has its times, and a role only if the secret holds it."""
    Publication(rotating.ssm, rotating.outputs["PublicKeysPath"]).withdraw("now")

    keys = json.loads(rotating.run("key", "list", "--json").stdout)

    assert [(key["kid"], key["roles"]) for key in keys] == [
        ("now", ["current"]),
        ("before", ["previous"]),
        ("long-before", []),
    ]
    assert keys[0]["publishedAt"] is None
    assert (keys[1]["publishedAt"], keys[1]["publishedUntil"]) == (
        "2023-11-14T22:13:20Z",
        "2096-10-02T07:06:40Z",
    )
    assert keys[2]["versionId"] is None
    assert keys[2]["fingerprint"] == fingerprint(rsa_pool[1].public_key())
    assert "no" in rotating.run("key", "list").stdout


def test_list_shows_a_published_key_that_is_none(rotating: World) -> None:
    """Somebody may have written to the path by hand."""
    publication = Publication(rotating.ssm, rotating.outputs["PublicKeysPath"])
    pem = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"
    publication.publish(PublicKey(kid="odd", pem=pem, n="AA", e="AA", published_at=1))

    assert "What is published is no RSA public key." in rotating.run("key", "list").stdout


def test_list_of_an_empty_stack(
    monkeypatch: pytest.MonkeyPatch,
    aws: None,  # noqa: ARG001
) -> None:
    """There is nothing to show, and nothing wrong."""
    with running_world(monkeypatch) as world:
        result = world.run("key", "list")

        assert result.exit_code == 0
        assert "There are no keys yet." in result.stderr
        assert json.loads(world.run("key", "list", "--json").stdout) == []


def test_cleanup_removes_what_a_rotation_left(jaas: World) -> None:
    """The version stays without its label; run again there is nothing to do."""
    left = leave_pending(jaas)

    asked = jaas.run("key", "cleanup")
    result = jaas.run("key", "cleanup", "--yes")
    again = jaas.run("key", "cleanup")

    assert asked.exit_code == 1
    assert "A rotation that is under way would fail." in asked.stderr
    assert left in asked.stderr
    assert result.exit_code == again.exit_code == 0
    assert "AWSPENDING" not in labels(jaas)
    assert "nothing to clean up" in again.stderr


def test_pending_on_the_current_version_is_nothing_left_behind(jaas: World) -> None:
    """A rotation that ended may leave it there, and Secrets Manager minds that as little."""
    leave_pending(jaas)
    jaas.secrets.update_secret_version_stage(
        SecretId=jaas.secret, VersionStage="AWSPENDING", RemoveFromVersionId="e" * 32
    )
    jaas.secrets.update_secret_version_stage(
        SecretId=jaas.secret,
        VersionStage="AWSPENDING",
        MoveToVersionId=labels(jaas)["AWSCURRENT"],
    )

    result = jaas.run("key", "cleanup")
    listed = json.loads(jaas.run("key", "list", "--json").stdout)

    assert result.exit_code == 0
    assert "nothing to clean up" in result.stderr
    assert "AWSPENDING" in labels(jaas)
    assert [key["roles"] for key in listed] == [["current"]]


def test_cleanup_has_json_for_scripts(jaas: World) -> None:
    """--json tells what was removed."""
    left = leave_pending(jaas)

    first = jaas.run("key", "cleanup", "--yes", "--json")
    second = jaas.run("key", "cleanup", "--yes", "--json")

    assert json.loads(first.stdout) == {"cleaned": True, "versionId": left}
    assert json.loads(second.stdout) == {"cleaned": False, "versionId": None}


def test_withdraw_unpublishes_at_once(rotating: World) -> None:
    """And says what Prosody keeps until it restarts."""
    result = rotating.run("key", "withdraw", "before", "--yes")

    assert result.exit_code == 0
    assert _published(rotating) == {"now", "long-before"}
    assert "120 seconds longer at most" in result.stderr
    assert "docker compose restart prosody" in result.stderr


def test_withdraw_asks(rotating: World) -> None:
    """Nothing brings a withdrawn key back."""
    result = rotating.run("key", "withdraw", "before")

    assert result.exit_code == 1
    assert "Withdraw before? There is no terminal to ask" in result.stderr
    assert "SIGNS NOW" not in result.stderr
    assert "before" in _published(rotating)


def test_withdraw_warns_of_the_key_that_signs(rotating: World) -> None:
    """Jitsi would refuse every new token."""
    refused = rotating.run("key", "withdraw", "now")
    result = rotating.run("key", "withdraw", "now", "--yes")

    assert "IT IS THE KEY THAT SIGNS NOW" in refused.stderr
    assert "aws secretsmanager rotate-secret" in refused.stderr
    assert result.exit_code == 0
    assert "now" not in _published(rotating)


def test_withdraw_needs_no_leave_to_read_the_secret(rotating: World) -> None:
    """Who may not is told that nobody compared."""
    rotating.with_secrets_manager(lambda _: json_error("AccessDeniedException"))

    asked = rotating.run("key", "withdraw", "now")
    result = rotating.run("key", "withdraw", "now", "--yes")

    assert "Whether it signs now is not known." in asked.stderr
    assert result.exit_code == 0
    assert "now" not in _published(rotating)


def test_withdraw_again_is_nothing_to_do(rotating: World) -> None:
    """Nor is a mistyped id, so what is published is told."""
    result = rotating.run("key", "withdraw", "befor")

    assert result.exit_code == 0
    assert "befor is not published: there is nothing to do." in result.stderr
    assert "Published: before, long-before, now." in result.stderr
    assert len(_published(rotating)) == 3


def test_withdraw_has_json_for_scripts(rotating: World) -> None:
    """--json tells what is published still."""
    first = rotating.run("key", "withdraw", "before", "--yes", "--json")
    second = rotating.run("key", "withdraw", "before", "--yes", "--json")

    left = ["long-before", "now"]
    assert json.loads(first.stdout) == {"kid": "before", "withdrawn": True, "published": left}
    assert json.loads(second.stdout) == {"kid": "before", "withdrawn": False, "published": left}


@pytest.mark.parametrize(
    ("stack", "sentence"), [("jaas", "https://jaas.8x8.vc"), ("shared", "Jitsi's restart")]
)
def test_withdraw_says_where_else_a_key_is_removed(
    request: pytest.FixtureRequest, stack: str, sentence: str
) -> None:
    """Only one kind of stack publishes keys."""
    world: World = request.getfixturevalue(stack)

    result = world.run("key", "withdraw", "initial", "--yes")

    assert result.exit_code == 1
    assert sentence in result.stderr


def test_check_and_create_have_json_for_scripts(
    jaas: World, rsa_pool: list[rsa.RSAPrivateKey]
) -> None:
    """Times are readable, and nothing else is on stdout."""
    imported = jaas.run(
        *("key", "import", "-", "--kid", "new", "--replace", "--yes", "--json"),
        typed=private_pem(rsa_pool[0]),
    )
    check = jaas.run("key", "check", "--json")

    public = rsa_pool[0].public_key()
    assert json.loads(imported.stdout) == {
        "kid": f"{APP_ID}/new",
        "algorithm": "RS256",
        "fingerprint": fingerprint(public),
        "publicKey": public_pem(public),
        "versionId": labels(jaas)["AWSCURRENT"],
    }
    assert json.loads(check.stdout) == {
        "configured": True,
        "checkedAt": "1970-01-01T00:00:01Z",
        "key": None,
        "problems": [],
    }


def test_a_failed_check_is_told_to_a_script_too(jaas: World) -> None:
    """The answer comes with the exit code 1."""
    key = {"kid": "k", "algorithm": "RS256", "fingerprint": None, "createdAt": 60}
    answer = {"configured": False, "checkedAt": 1, "problems": [], "key": key}
    jaas.check = lambda: Answer(200, json.dumps(answer))

    result = jaas.run("key", "check", "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["key"]["createdAt"] == "1970-01-01T00:01:00Z"
