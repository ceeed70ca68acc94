"""`jitsi-tokens key list`, `cleanup`, `withdraw` and `rotate`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from jitsi_tokens.core.clock import Clock
from jitsi_tokens.core.public_keys import PublicKey
from jitsi_tokens.core.rsa_keys import fingerprint, private_pem, public_pem
from jitsi_tokens.publication import Publication
from tests.integration.cli_world import APP_ID, Answer, World, checked, json_error, running_world
from tests.integration.test_cli_key_change import labels, leave_pending
from tests.public_key_of import public_key_of

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
            publication.publish(
                public_key_of(key, kid, published_at=PUBLISHED_AT, expires_at=ends[kid])
            )
        for kid in ("before", "now"):
            world.store({"algorithm": "RS256", "kid": kid, "private_key": private_pem(keys[kid])})
        yield world


def _published(world: World) -> set[str]:
    keys = Publication(world.ssm, world.outputs["PublicKeysPath"]).keys()
    return {key.kid for key in keys.values()}


def _listed(world: World) -> list[dict[str, Any]]:
    keys: list[dict[str, Any]] = json.loads(world.run("key", "list", "--json").stdout)
    return keys


def _rows(world: World) -> list[list[str]]:
    """Return the lines of the table, its headings apart."""
    result = world.run("key", "list")
    assert result.exit_code == 0
    return [line.split("\t") for line in result.stdout.splitlines()[1:]]


def test_list_shows_each_labelled_version(
    jaas: World, rsa_key: rsa.RSAPrivateKey, rsa_pool: list[rsa.RSAPrivateKey]
) -> None:
    """The one that signs first, and its role; the next key has no id yet."""
    jaas.run("key", "stage", "--from", "-", typed=private_pem(rsa_pool[0]))

    result = jaas.run("key", "list")
    keys = _listed(jaas)

    created = [key["createdAt"] for key in keys]
    prints = [fingerprint(key.public_key()) for key in (rsa_key, rsa_pool[0])]
    assert result.stdout.splitlines() == [
        "key id (kid)\trole\tcreated\tfingerprint (sha-256)",
        f"{APP_ID}/old\tcurrent\t{created[0]}\t{prints[0]}",
        f"without an id\tstaged\t{created[1]}\t{prints[1]}",
    ]
    assert all(moment.endswith("Z") for moment in created)
    assert keys[0] == {
        "kid": f"{APP_ID}/old",
        "roles": ["current"],
        "versionId": labels(jaas)["AWSCURRENT"],
        "algorithm": "RS256",
        "createdAt": created[0],
        "fingerprint": prints[0],
        "problem": None,
        "publishedAt": None,
        "publishedUntil": None,
    }
    jaas.run("key", "promote", "--kid", "new", "--yes")
    # The label NEXT stays where it was.
    assert [key["roles"] for key in _listed(jaas)] == [
        ["current"],
        ["previous"],
        ["staged", "promoted"],
    ]


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

    problems = {key["roles"][0]: key["problem"] for key in _listed(jaas)}
    assert problems["pending"] == "The version has no value."
    assert problems["staged"] == "The version holds no key document."
    assert "kid does not belong to this stack" in problems["mine"]
    assert "The version has no value." in result.stdout
    assert "hunter2" not in result.output


def test_list_of_a_shared_secret_has_no_fingerprint(shared: World) -> None:
    """There is nothing of it that may be shown."""
    [row] = _rows(shared)

    assert (row[0], row[3]) == ("initial", "a shared secret")


def test_list_shows_what_is_published(rotating: World, rsa_pool: list[rsa.RSAPrivateKey]) -> None:
    """Until when each public key is there, also of those that the secret holds no longer."""
    rows = _rows(rotating)
    publication = Publication(rotating.ssm, rotating.outputs["PublicKeysPath"])
    publication.withdraw("now")
    pem = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"
    publication.publish(PublicKey(kid="odd", pem=pem, n="AA", e="AA", published_at=1))
    keys = _listed(rotating)

    assert [(kid, role, public) for kid, role, _, public, _ in rows] == [
        ("now", "current", "since 2023-11-14T22:13:20Z"),
        ("before", "previous", "until 2096-10-02T07:06:40Z"),
        ("long-before", "none", "ended 2023-11-21T20:53:20Z"),
    ]
    assert [(key["kid"], key["roles"], key["publishedAt"]) for key in keys] == [
        ("now", ["current"], None),
        ("before", ["previous"], "2023-11-14T22:13:20Z"),
        ("long-before", [], "2023-11-14T22:13:20Z"),
        ("odd", [], "1970-01-01T00:00:01Z"),
    ]
    assert keys[1]["publishedUntil"] == "2096-10-02T07:06:40Z"
    assert keys[2]["versionId"] is None
    assert keys[2]["fingerprint"] == fingerprint(rsa_pool[1].public_key())
    assert keys[3]["problem"] == "The published value is not an RSA public key."
    assert _rows(rotating)[0][3] == "no"


@pytest.mark.parametrize("kind", ["jaas", "rotating"])
def test_a_key_is_a_line_of_a_terminal(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Of 80 columns, with the whole id that `key withdraw` takes; --wide shows all."""
    world: World = request.getfixturevalue(kind)
    thumbprint = "x" * 43
    if kind == "rotating":
        world.store({"algorithm": "RS256", "kid": thumbprint, "private_key": "unreadable"})
    for module in ("output", "key.listing"):
        monkeypatch.setattr(f"jitsi_tokens_cli.{module}.is_terminal", lambda _: True)
    monkeypatch.setenv("COLUMNS", "80")

    result = world.run("key", "list")
    narrow = result.stdout.splitlines()
    wide = world.run("key", "list", "--wide").stdout.splitlines()

    assert len(narrow) == len(wide) == len(_listed(world)) + 1
    assert max(len(line) for line in narrow) <= 80
    assert (thumbprint in narrow[1]) == (kind == "rotating")
    assert (f"{thumbprint}: The private key is not" in result.stderr) == (kind == "rotating")
    assert (narrow[1].split()[:2] == ["old", "current"]) == (kind == "jaas")
    assert (f"{APP_ID}/old" in wide[1]) == (kind == "jaas")


@pytest.mark.parametrize("denied", ["GetSecretValue", "DescribeSecret"])
@pytest.mark.parametrize("signs", [False, True])
def test_list_shows_what_the_caller_may_see(rotating: World, denied: str, *, signs: bool) -> None:
    """Who may read no value has the current key from the stack's own check."""
    at = {"VersionIdsToStages": {"a" * 32: ["AWSCURRENT"], "b" * 32: ["AWSPENDING"]}}
    rotating.with_secrets_manager(
        lambda operation: (
            json_error("AccessDeniedException")
            if operation in ("GetSecretValue", denied)
            else Answer(200, json.dumps(at))
        )
    )
    key = {"kid": "now", "algorithm": "RS256", "fingerprint": "f" * 64, "createdAt": 60}
    problem = {"code": "no-key", "what": "There is none.", "remedy": "x"}
    rotating.check = lambda: (
        checked(key=key) if signs else checked(configured=False, problems=[problem])
    )

    result = rotating.run("key", "list")
    keys = _listed(rotating)

    assert result.exit_code == 0
    assert "Missing permission on the signing secret" in result.stderr
    assert keys[0]["roles"] == ["current"]
    assert (keys[0]["kid"], keys[0]["problem"]) == (
        ("now", None) if signs else (None, "There is none.")
    )
    if signs:
        assert keys[0]["createdAt"] == "1970-01-01T00:01:00Z"
        assert keys[0]["publishedAt"] == "2023-11-14T22:13:20Z"
    pending = [key["problem"] for key in keys if key["roles"] == ["pending"]]
    assert pending == (
        ["Missing permission to read this version."] if denied == "GetSecretValue" else []
    )
    assert {"before", "long-before"} <= {key["kid"] for key in keys}


def test_list_says_so_where_nothing_may_be_seen(rotating: World) -> None:
    """Neither the secret, nor what is published, nor the stack's check."""
    denied = json_error("AccessDeniedException")
    rotating.with_secrets_manager(lambda _: denied)
    rotating.with_ssm(denied)

    some = rotating.run("key", "list")
    rotating.check = lambda: Answer(403, "{}", (("x-amzn-errortype", "AccessDeniedException"),))
    none = rotating.run("key", "list")

    assert some.exit_code == 0
    assert "on the published keys: ssm:GetParametersByPath" in some.stderr
    assert none.exit_code == 3
    assert "AWS refused Invoke" in none.stderr


def test_list_of_an_empty_stack(
    monkeypatch: pytest.MonkeyPatch,
    aws: None,  # noqa: ARG001
) -> None:
    """There is nothing to show, and nothing wrong."""
    with running_world(monkeypatch) as world:
        result = world.run("key", "list")

        assert result.exit_code == 0
        assert "There are no keys yet." in result.stderr
        assert _listed(world) == []


def test_cleanup_removes_what_a_rotation_left(jaas: World) -> None:
    """The version stays without its label; run again there is nothing to do."""
    left = leave_pending(jaas)

    asked = jaas.run("key", "cleanup")
    result = jaas.run("key", "cleanup", "--yes", "--json")
    again = jaas.run("key", "cleanup", "--json")

    assert asked.exit_code == 1
    assert "A rotation that is under way would fail." in asked.stderr
    assert left in asked.stderr
    assert result.exit_code == again.exit_code == 0
    assert "AWSPENDING" not in labels(jaas)
    assert "Nothing to clean up" in again.stderr
    assert json.loads(result.stdout) == {"cleaned": True, "versionId": left}
    assert json.loads(again.stdout) == {"cleaned": False, "versionId": None}


def test_pending_on_the_current_version_is_nothing_left_behind(jaas: World) -> None:
    """A rotation that ended may leave it there, and Secrets Manager minds that as little."""
    current = labels(jaas)["AWSCURRENT"]
    leave_pending(jaas)
    jaas.secrets.update_secret_version_stage(
        SecretId=jaas.secret,
        VersionStage="AWSPENDING",
        RemoveFromVersionId="e" * 32,
        MoveToVersionId=current,
    )

    result = jaas.run("key", "cleanup")

    assert result.exit_code == 0
    assert "Nothing to clean up" in result.stderr
    assert labels(jaas)["AWSPENDING"] == current
    assert [key["roles"] for key in _listed(jaas)] == [["current"]]


def test_withdraw_unpublishes_at_once(rotating: World) -> None:
    """After asking; it says what Prosody keeps until it restarts, and what is published still."""
    asked = rotating.run("key", "withdraw", "before")
    result = rotating.run("key", "withdraw", "before", "--yes", "--json")

    assert asked.exit_code == 1
    assert "Withdraw before? There is no terminal to ask" in asked.stderr
    assert "SIGNS NOW" not in asked.stderr
    assert result.exit_code == 0
    assert _published(rotating) == {"now", "long-before"}
    assert "120 more seconds at most" in result.stderr
    assert "docker compose restart prosody" in result.stderr
    assert json.loads(result.stdout) == {
        "kid": "before",
        "withdrawn": True,
        "published": ["long-before", "now"],
    }


@pytest.mark.parametrize("reads", [False, True])
def test_withdraw_warns_of_the_key_that_signs(rotating: World, *, reads: bool) -> None:
    """Jitsi would refuse every new token; without leave to read the secret nobody compared."""
    if not reads:
        rotating.with_secrets_manager(lambda _: json_error("AccessDeniedException"))

    asked = rotating.run("key", "withdraw", "now")
    result = rotating.run("key", "withdraw", "now", "--yes")

    assert ("IT IS THE KEY THAT SIGNS NOW" in asked.stderr) == reads
    assert ("`jitsi-tokens key rotate" in asked.stderr) == reads
    assert ("It is unknown whether it signs now." in asked.stderr) != reads
    assert result.exit_code == 0
    assert "now" not in _published(rotating)


def test_withdraw_of_a_mistyped_id_fails(rotating: World) -> None:
    """In a leak drill the key would go on opening rooms; so it prints what is published."""
    result = rotating.run("key", "withdraw", "befor", "--yes", "--json")

    assert result.exit_code == 1
    assert "befor is not published, so nothing was withdrawn." in result.stderr
    assert "Published: before, long-before, now." in result.stderr
    assert len(_published(rotating)) == 3
    assert json.loads(result.stdout) == {
        "kid": "befor",
        "withdrawn": False,
        "published": ["before", "long-before", "now"],
    }


@pytest.mark.parametrize(
    ("stack", "command", "sentence"),
    [
        ("jaas", ["withdraw", "x", "--yes"], "https://jaas.8x8.vc"),
        ("shared", ["withdraw", "x", "--yes"], "Jitsi's restart"),
        ("jaas", ["rotate"], "`jitsi-tokens key stage`, then `jitsi-tokens key promote --kid"),
        ("shared", ["rotate"], "`jitsi-tokens key stage`, then `jitsi-tokens key promote`"),
    ],
)
def test_only_one_kind_of_stack_publishes_its_keys(
    request: pytest.FixtureRequest, stack: str, command: list[str], sentence: str
) -> None:
    """For the others, it says what does it there."""
    world: World = request.getfixturevalue(stack)

    result = world.run("key", *command)

    assert result.exit_code == 1
    assert sentence in " ".join(result.stderr.split())


class Rotation:
    """Secrets Manager and the clock of a rotation that ends after some time."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch, ends_after: float) -> None:
        self.world = world
        self.slept = 0.0
        self.asked: list[dict[str, Any]] = []
        self.refused = ""
        self._ends_after = ends_after
        clock = Clock(lambda: 1_800_000_000 + self.slept, self._sleep)
        monkeypatch.setattr("jitsi_tokens_cli.key.published.CLOCK", clock)
        call = vars(BaseClient)["_make_api_call"]

        def calling(client: Any, operation: str, parameters: Any) -> Any:
            if operation != "RotateSecret":
                return call(client, operation, parameters)
            if self.refused:
                raise ClientError({"Error": {"Code": self.refused}}, operation)
            self.asked.append(parameters)
            return {"VersionId": "x"}

        monkeypatch.setattr(BaseClient, "_make_api_call", calling)

    def _sleep(self, seconds: float) -> None:
        before, self.slept = self.slept, self.slept + seconds
        if before < self._ends_after <= self.slept:
            document = {"algorithm": "RS256", "kid": self.kid, "private_key": self.next_pem}
            self.world.store(document)

    kid = "next"
    next_pem = ""


@pytest.fixture
def rotation(
    rotating: World, monkeypatch: pytest.MonkeyPatch, rsa_pool: list[rsa.RSAPrivateKey]
) -> Rotation:
    """Return a rotation that takes as long as the key has to be published before it signs."""
    rotation = Rotation(rotating, monkeypatch, 140)
    rotation.next_pem = private_pem(rsa_pool[2])
    return rotation


def test_rotate_waits_until_the_next_key_signs(
    rotation: Rotation, rsa_pool: list[rsa.RSAPrivateKey]
) -> None:
    """It tells how long it waits, which key signs then, and what a leak still takes."""
    result = rotation.world.run("key", "rotate", "--json")

    public = rsa_pool[2].public_key()
    assert result.exit_code == 0
    assert rotation.asked == [{"SecretId": rotation.world.secret}]
    assert rotation.slept == 140
    assert result.stderr.count("the next key does not sign yet") == 4
    assert "next signs." in result.stderr
    assert "`jitsi-tokens key withdraw now`" in result.stderr
    assert rotation.world.received[-1].path.endswith("/invocations")
    assert json.loads(result.stdout) == {
        "kid": "next",
        "algorithm": "RS256",
        "fingerprint": fingerprint(public),
        "publicKey": public_pem(public),
        "versionId": labels(rotation.world)["AWSCURRENT"],
        "changed": True,
        "replacedKid": "now",
    }


def test_a_rotation_that_makes_no_key_is_no_success(rotation: Rotation) -> None:
    """As in an emulator that stores the old key once more: nobody must withdraw it then."""
    rotation.kid = "now"

    result = rotation.world.run("key", "rotate", "--json")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "did not run RotateSigningKey" in result.stderr


def test_rotate_makes_a_schedule_where_there_is_none(rotation: Rotation) -> None:
    """Secrets Manager rotates nothing without one."""
    rotation.world.parameters["RotationDays"] = "0"

    assert rotation.world.run("key", "rotate").exit_code == 0
    [asked] = rotation.asked
    assert asked["RotationLambdaARN"] == rotation.world.outputs["RotateSigningKeyFunction"]
    assert asked["RotationRules"] == {"AutomaticallyAfterDays": 1000}


@pytest.mark.parametrize(
    ("refused", "exit_code", "sentence"),
    [
        ("InvalidRequestException", 1, "jitsi-tokens key cleanup --stack-name meetings"),
        ("AccessDeniedException", 3, "AWS refused RotateSecret (AccessDeniedException)"),
        ("", 1, "The next key does not sign after 20 minutes"),
    ],
)
def test_a_rotation_that_does_not_end_is_told_so(
    rotation: Rotation, refused: str, exit_code: int, sentence: str
) -> None:
    """Or does not start, where an earlier one is in its way."""
    rotation.refused, rotation._ends_after = refused, 10_000

    result = rotation.world.run("key", "rotate")

    assert result.exit_code == exit_code
    assert sentence in result.stderr
    assert rotation.world.stored()["kid"] == "now"
