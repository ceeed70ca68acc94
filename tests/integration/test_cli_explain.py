"""`jitsi-tokens token explain`: with a stack, with flags, with neither."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from jitsi_tokens.core.public_keys import name_of
from jitsi_tokens.core.rsa_keys import public_pem
from tests.integration.cli_world import (
    APP_ID,
    HANGS_UP,
    STACK,
    Answer,
    World,
    json_error,
    running_world,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KID = f"{APP_ID}/abc"
SECRET = "s" * 64
SELF_HOSTED = {"iss": "openemr", "aud": "openemr_audience", "sub": "meet.example.org"}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, aws: None, rsa_pem: str) -> Iterator[World]:  # noqa: ARG001
    """Return a JaaS stack with a key."""
    with running_world(monkeypatch) as world:
        world.store({"algorithm": "RS256", "kid": KID, "private_key": rsa_pem})
        yield world


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch, aws: None) -> Iterator[World]:  # noqa: ARG001
    """Return a self-hosted stack with a shared secret."""
    with running_world(monkeypatch, provider="self-hosted") as world:
        world.store({"algorithm": "HS256", "kid": "initial", "secret": SECRET})
        yield world


@pytest.fixture
def published(
    monkeypatch: pytest.MonkeyPatch,
    aws: None,  # noqa: ARG001
    rsa_key: rsa.RSAPrivateKey,
) -> Iterator[World]:
    """Return a self-hosted stack that publishes one key, k-1."""
    with running_world(monkeypatch, provider="self-hosted", algorithm="RS256") as world:
        pem = public_pem(rsa_key.public_key())
        paths = [f"{path}/{name_of('k-1')}.pem" for path in ("/v1/asap", "/other/asap", "/keys")]
        world.web = lambda path: Answer(200, pem) if path in paths else Answer(404, "{}")
        yield world


def _claims(**claims: Any) -> dict[str, Any]:
    now = int(time.time())
    return {
        "iss": "chat",
        "aud": "jitsi",
        "sub": APP_ID,
        "room": "visit-12",
        "exp": now + 3600,
        "nbf": now - 10,
        "context": {"user": {"name": "Dr. Roe", "moderator": "true"}, "features": {}},
        **claims,
    }


def _jaas(key: rsa.RSAPrivateKey, kid: str = KID, **claims: Any) -> str:
    return jwt.encode(_claims(**claims), key, "RS256", {"kid": kid})


def _explained(world: World, *arguments: str, stack: bool = True) -> dict[str, Any]:
    result = world.run("token", "explain", *arguments, "--json", stack=stack)
    answer: dict[str, Any] = json.loads(result.stdout)
    assert result.exit_code == (1 if answer["verdict"] == "refused" else 0)
    return answer


def _rule(answer: dict[str, Any], name: str) -> dict[str, str]:
    rules: list[dict[str, str]] = answer["rules"]
    return next(rule for rule in rules if rule["rule"] == name)


# With a stack


def test_a_good_token_passes_every_rule(world: World, rsa_key: rsa.RSAPrivateKey) -> None:
    """A table for people, with the room as Jitsi will see it, and exit code 0."""
    result = world.run("token", "explain", _jaas(rsa_key), "--room", "Visit-12")

    assert result.exit_code == 0
    assert "Jitsi will see the room as: visit-12\n" in result.stdout
    assert "breaks no rule: Jitsi accepts it" in result.stdout
    assert "that of Jitsi's key" in result.stdout
    assert "Dr. Roe" not in result.output


def test_a_broken_token_names_the_rule_first(world: World, rsa_key: rsa.RSAPrivateKey) -> None:
    """The broken rules stand on top, and the exit code is 1."""
    token = _jaas(rsa_key, room="*", aud=["jitsi"])

    result = world.run("token", "explain", typed=f"{token}\n")

    lines = result.stdout.splitlines()
    assert result.exit_code == 1
    assert lines[0] == "Jitsi will see no one room in this token."
    assert lines[1].startswith("This token breaks 2 rules. The first: aud. It is an array")
    assert lines[3].startswith("aud\tfail\t")
    assert token not in result.output


def test_json_is_for_scripts(world: World, rsa_key: rsa.RSAPrivateKey) -> None:
    """The verdict, the first broken rule, the room, and every rule in Jitsi's order."""
    answer = _explained(world, _jaas(rsa_key, room=f"{APP_ID}/visit-12"))

    assert answer["verdict"] == "refused"
    assert answer["firstFailure"] == "room"
    assert answer["room"] == "visit-12"
    assert {rule["outcome"] for rule in answer["rules"]} == {"pass", "fail", "not-applicable"}
    assert _rule(answer, "room").keys() == {"rule", "outcome", "found", "why", "remedy"}


def test_a_meeting_url_is_compared_with_the_stacks(
    world: World, rsa_key: rsa.RSAPrivateKey, tmp_path: Path
) -> None:
    """Room, host and tenant come from the URL, which may lie in a file; --room stands above it."""
    token = _jaas(rsa_key)
    file = tmp_path / "link.txt"
    file.write_text(f"https://8x8.vc/{APP_ID}/Visit-12#jwt=%22{token}%22\n")

    good = _explained(world, str(file))
    meant = _explained(world, str(file), "--room", "other")
    lost = _explained(world, f"https://meet.example.org/visit-12#jwt=%22{token}%22")

    assert (good["verdict"], good["room"]) == ("accepted", "visit-12")
    assert (meant["firstFailure"], meant["room"]) == ("room", "other")
    assert lost["firstFailure"] == "link"


def test_a_key_id_that_the_stack_does_not_have_is_named(
    world: World, rsa_key: rsa.RSAPrivateKey
) -> None:
    """The right key under a wrong id is the kid's fault, not the signature's."""
    answer = _explained(world, _jaas(rsa_key, f"{APP_ID}/other"))

    assert answer["firstFailure"] == "kid"
    assert KID in _rule(answer, "kid")["why"]


def test_the_key_before_the_present_one_is_known(
    world: World, rsa_key: rsa.RSAPrivateKey, rsa_pem: str
) -> None:
    """A token of AWSPREVIOUS is verified with it, chosen by its kid."""
    world.store({"algorithm": "RS256", "kid": f"{APP_ID}/new", "private_key": rsa_pem})
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    answer = _explained(world, _jaas(rsa_key))
    forged = _explained(world, _jaas(other))

    assert answer["verdict"] == "accepted"
    assert "the key before" in _rule(answer, "kid")["remedy"]
    assert forged["firstFailure"] == "signature"


@pytest.mark.parametrize("previous", ["{}", ""])
def test_a_version_before_that_is_no_key_is_left_alone(
    world: World, rsa_key: rsa.RSAPrivateKey, rsa_pem: str, previous: str
) -> None:
    """It may have been anything."""
    if previous:
        world.secrets.put_secret_value(SecretId=world.secret, SecretString=previous)
    else:
        world.store_bytes(b"bytes")
    world.store({"algorithm": "RS256", "kid": f"{APP_ID}/new", "private_key": rsa_pem})

    assert _explained(world, _jaas(rsa_key))["firstFailure"] == "kid"


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({"algorithm": "RS256", "private_key": "x"}, "cannot sign"),
        ({"algorithm": "RS256", "kid": KID}, "cannot sign"),
        ({"kid": KID}, "cannot sign"),
    ],
)
def test_a_key_that_cannot_sign_leaves_the_signature_unchecked(
    world: World, rsa_key: rsa.RSAPrivateKey, document: dict[str, str], sentence: str
) -> None:
    """Staged without a key id, or damaged: everything else is explained."""
    world.store(document)

    answer = _explained(world, _jaas(rsa_key))

    assert answer["verdict"] == "undecided"
    assert sentence in _rule(answer, "signature")["why"]


def test_who_may_not_read_the_secret_is_told_the_rest(
    world: World, rsa_key: rsa.RSAPrivateKey
) -> None:
    """The signature is not checked, and why."""
    world.with_secrets_manager(lambda _: json_error("AccessDeniedException"))

    good = _explained(world, _jaas(rsa_key))
    bad = _explained(world, _jaas(rsa_key, room="*"))

    assert good["verdict"] == "undecided"
    assert "You may not read the stack's signing secret" in _rule(good, "signature")["why"]
    assert bad["firstFailure"] == "room"


def test_a_stack_without_a_key_cannot_check(
    monkeypatch: pytest.MonkeyPatch,
    aws: None,  # noqa: ARG001
    rsa_key: rsa.RSAPrivateKey,
) -> None:
    """Nor is there anything to refuse."""
    with running_world(monkeypatch) as empty:
        answer = _explained(empty, _jaas(rsa_key))

    assert answer["verdict"] == "undecided"
    assert "no signing key yet" in _rule(answer, "signature")["why"]


def test_a_shared_secret_is_checked(shared: World) -> None:
    """With the very bytes of the stack's secret, and whatever kid."""
    good = jwt.encode(_claims(**SELF_HOSTED), SECRET, headers={"kid": "any"})
    forged = jwt.encode(_claims(**SELF_HOSTED), SECRET[::-1] + "x")

    accepted, refused = _explained(shared, good), _explained(shared, forged)

    assert accepted["verdict"] == "accepted"
    assert "token_affiliation" in _rule(accepted, "moderator")["remedy"]
    assert refused["firstFailure"] == "signature"
    assert "never base64-decoded" in _rule(refused, "signature")["remedy"]


def test_a_published_key_is_fetched_as_prosody_does(
    published: World, rsa_key: rsa.RSAPrivateKey
) -> None:
    """By the digest of the kid, from the stack's address or from --url."""
    token = jwt.encode(_claims(**SELF_HOSTED), rsa_key, "RS256", {"kid": "k-1"})

    from_stack = _explained(published, token)
    asked = published.received[-1].path
    from_url = _explained(published, token, "--url", f"{published.url}/other/")
    from_nowhere = _explained(published, token, "--url", f"{published.url}/nowhere")

    assert from_stack["verdict"] == "accepted"
    assert asked == f"/v1/asap/{name_of('k-1')}.pem"
    assert from_url["verdict"] == "accepted"
    assert from_nowhere["firstFailure"] == "kid"
    assert "404" in _rule(from_nowhere, "kid")["why"]


def test_the_environments_url_is_that_of_its_stack(
    published: World, rsa_key: rsa.RSAPrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stack that --stack-name names has its own."""
    token = jwt.encode(_claims(**SELF_HOSTED), rsa_key, "RS256", {"kid": "k-1"})
    monkeypatch.setenv("JITSI_TOKENS_URL", f"{published.url}/nowhere")
    monkeypatch.setenv("JITSI_TOKENS_STACK_NAME", "another")

    by_option = _explained(published, token)
    monkeypatch.setenv("JITSI_TOKENS_STACK_NAME", STACK)
    by_environment = _explained(published, token, stack=False)

    assert by_option["verdict"] == "accepted"
    assert by_environment["firstFailure"] == "kid"


def test_a_key_server_may_be_plain_http(world: World, rsa_key: rsa.RSAPrivateKey) -> None:
    """Prosody allows it, inside a cluster: no API key goes there."""
    token = jwt.encode(_claims(**SELF_HOSTED), rsa_key, "RS256", {"kid": "k-1"})

    answer = _explained(world, token, "--key-server", "http://keys.invalid", stack=False)

    assert "keys.invalid does not answer (ConnectError)" in _rule(answer, "kid")["why"]


def test_a_key_server_that_does_not_end(published: World, rsa_key: rsa.RSAPrivateKey) -> None:
    """No more is read than any key is long."""
    published.web = lambda _: Answer(200, " " * 1_000_000)
    token = jwt.encode(_claims(**SELF_HOSTED), rsa_key, "RS256", {"kid": "k-1"})

    assert _explained(published, token)["firstFailure"] == "kid"


def test_a_published_key_verifies_its_own_tokens_only(published: World) -> None:
    """Another key's token under its kid fails by its signature."""
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    token = jwt.encode(_claims(**SELF_HOSTED), other, "RS256", {"kid": "k-1"})

    assert _explained(published, token)["firstFailure"] == "signature"


def _elliptic_pem() -> str:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize(
    ("answer", "verdict", "sentence"),
    [
        (Answer(403, "{}"), "refused", "HTTP 403"),
        (Answer(200, "<html>"), "refused", "logins hang"),
        (Answer(200, _elliptic_pem()), "refused", "logins hang"),
        (Answer(204, ""), "refused", "logins hang"),
        (Answer(302, "", (("Location", "https://example.org"),)), "undecided", "HTTP 302"),
        (Answer(503, ""), "undecided", "HTTP 503"),
        (HANGS_UP, "undecided", "does not answer (RemoteProtocolError)"),
    ],
)
def test_a_key_server_that_gives_no_key_is_the_kids_matter(
    published: World, rsa_key: rsa.RSAPrivateKey, answer: Answer, verdict: str, sentence: str
) -> None:
    """What Prosody would refuse by fails; what may pass is not checked."""
    published.web = lambda _: answer
    token = jwt.encode(_claims(**SELF_HOSTED), rsa_key, "RS256", {"kid": "k-1"})

    explained = _explained(published, token)

    assert explained["verdict"] == verdict
    assert sentence in _rule(explained, "kid")["why"]
    signature = "not-checked" if verdict == "undecided" else "not-applicable"
    assert _rule(explained, "signature")["outcome"] == signature


def test_a_kid_that_is_no_unicode_is_looked_for_nowhere(
    published: World, rsa_key: rsa.RSAPrivateKey
) -> None:
    """Half a character has no digest."""
    token = jwt.encode(_claims(**SELF_HOSTED), rsa_key, "RS256", {"kid": "\ud800"})

    answer = _explained(published, token)

    assert answer["verdict"] == "undecided"
    assert _rule(answer, "kid")["outcome"] == "not-checked"


# With flags


def test_flags_describe_another_jitsi(shared: World, tmp_path: Path) -> None:
    """Issuers, audiences, subject and a secret in a file; the stack is not asked."""
    (tmp_path / "secret").write_text("short\n")
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = jwt.encode(_claims(iss="b", aud="y", sub="s"), "short")
    accepted = ["--issuer", "a", "--issuer", "b", "--audience", "x", "--audience", "y"]
    flags = [*accepted, "--subject", "s", "--secret-file", str(tmp_path / "secret")]

    good = _explained(shared, token, *flags)
    bad = _explained(shared, token, *flags, "--algorithm", "HS512")

    assert good["verdict"] == "accepted"
    assert bad["firstFailure"] == "alg"
    assert shared.received == []


def test_a_domain_or_a_tenant_stands_for_the_subject(shared: World, tmp_path: Path) -> None:
    """As it does in a stack's parameters."""
    (tmp_path / "secret").write_text(SECRET)
    token = jwt.encode(_claims(iss="a", aud="x", sub="meet.example.org"), SECRET)
    flags = ["--issuer", "a", "--audience", "x", "--secret-file", str(tmp_path / "secret")]

    by_domain = _explained(shared, token, *flags, "--domain", "meet.example.org:8443")
    by_tenant = _explained(shared, token, *flags, "--domain", "x.org", "--tenant", "clinic")

    assert by_domain["verdict"] == "accepted"
    assert by_tenant["firstFailure"] == "sub"


def test_a_key_server_is_asked(
    published: World, rsa_key: rsa.RSAPrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--key-server is what Jitsi has as JWT_ASAP_KEYSERVER; no proxy is between it and loopback."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    flags = ["--issuer", "openemr", "--audience", "*", "--subject", "meet.example.org"]
    server = ["--key-server", f"{published.url}/keys"]
    token = jwt.encode(_claims(**SELF_HOSTED), rsa_key, "RS256", {"kid": "k-1"})
    unknown = jwt.encode(_claims(**SELF_HOSTED), rsa_key, "RS256", {"kid": "k-2"})

    assert _explained(published, token, *flags, *server, stack=False)["verdict"] == "accepted"
    assert _explained(published, unknown, *flags, *server, stack=False)["firstFailure"] == "kid"


@pytest.mark.parametrize("app_id", [APP_ID, APP_ID[-32:]])
def test_a_jaas_that_is_not_ours_is_named_by_its_app_id(
    world: World, rsa_key: rsa.RSAPrivateKey, tmp_path: Path, app_id: str
) -> None:
    """With or without its prefix, and with the public key in a file."""
    (tmp_path / "key.pub").write_text(public_pem(rsa_key.public_key()))
    flags = ["--jaas-app-id", app_id, "--public-key", str(tmp_path / "key.pub")]

    good = _explained(world, _jaas(rsa_key), *flags, stack=False)
    bad = _explained(world, _jaas(rsa_key, f"{APP_ID[:-1]}0/abc"), *flags, stack=False)

    assert good["verdict"] == "accepted"
    assert bad["firstFailure"] == "kid"


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--jaas-app-id", "x"], "32 hexadecimal digits"),
        (["--jaas-app-id", APP_ID, "--issuer", "a"], "goes with --public-key alone"),
        (["--public-key", "{secret}", "--secret-file", "{secret}"], "Give one of"),
        (["--secret-file", "{secret}", "--algorithm", "RS256"], "no secret"),
        (["--key-server", "https://x", "--algorithm", "HS256"], "takes --secret-file"),
        (["--key-server", "ftp://x"], "begins with https://"),
        (["--key-server", "https://[::1"], "is malformed"),
        (["--algorithm", "ES256"], "knows the algorithms"),
        (["--room", "\udcff"], "not valid Unicode"),
    ],
)
def test_flags_that_make_no_sense_are_refused(
    world: World, rsa_key: rsa.RSAPrivateKey, tmp_path: Path, flags: list[str], sentence: str
) -> None:
    """A contradiction is told, not guessed away."""
    (tmp_path / "secret").write_text(SECRET)
    files = {"secret": str(tmp_path / "secret")}
    # An own issuer, so that the token is not taken for JaaS's.
    token = jwt.encode(_claims(iss="a", sub="s"), rsa_key, "RS256", {"kid": "k"})

    result = world.run(
        "token", "explain", token, *(flag.format(**files) for flag in flags), stack=False
    )

    assert result.exit_code == 2
    assert sentence in result.stderr
    assert SECRET not in result.output


@pytest.mark.parametrize(
    ("flag", "content", "sentence"),
    [("--public-key", SECRET, "no RSA public key"), ("--secret-file", "\n", "is empty")],
)
def test_a_file_that_holds_no_key_is_refused(
    world: World, tmp_path: Path, flag: str, content: str, sentence: str
) -> None:
    """And what it holds is not repeated."""
    (tmp_path / "file").write_text(content)
    token = jwt.encode(_claims(iss="a", sub="s"), SECRET)

    result = world.run("token", "explain", token, flag, str(tmp_path / "file"), stack=False)

    assert result.exit_code == 1
    assert sentence in result.stderr
    assert SECRET not in result.output


# With neither


def test_jaas_is_recognised_by_its_tokens(world: World, rsa_key: rsa.RSAPrivateKey) -> None:
    """Its rules are applied, and the signature is not checked."""
    good = _explained(world, _jaas(rsa_key), stack=False)
    bad = _explained(world, _jaas(rsa_key, APP_ID), stack=False)

    assert good["verdict"] == "undecided"
    assert "anyone may have written" in _rule(good, "signature")["why"]
    assert bad["firstFailure"] == "kid"


def test_what_needs_a_configuration_is_not_checked(world: World) -> None:
    """With what to give; what is wrong anywhere fails."""
    token = jwt.encode(_claims(**SELF_HOSTED), SECRET)
    wrong = jwt.encode(_claims(**SELF_HOSTED, exp=(int(time.time()) + 60) * 1000), SECRET)

    answer = _explained(world, token, stack=False)
    people = world.run("token", "explain", token, stack=False)

    assert answer["verdict"] == "undecided"
    assert {rule["outcome"] for rule in answer["rules"]} == {
        "pass",
        "not-applicable",
        "not-checked",
    }
    assert _rule(answer, "iss")["remedy"] == "Give --stack-name or --issuer."
    assert "Not checked: alg, signature, iss, aud, sub" in people.stdout
    assert _explained(world, wrong, stack=False)["firstFailure"] == "exp"
