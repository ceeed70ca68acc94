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


@pytest.fixture
def k_1(rsa_key: rsa.RSAPrivateKey) -> str:
    """Return a token of the published key."""
    return jwt.encode(_claims(**SELF_HOSTED), rsa_key, "RS256", {"kid": "k-1"})


def _claims(**claims: Any) -> dict[str, Any]:
    now = int(time.time())
    return {
        "iss": "chat",
        "aud": "jitsi",
        "sub": APP_ID,
        "room": "visit-12",
        "exp": now + 3600,
        "nbf": now - 60,
        "context": {"user": {"name": "Dr. Roe", "moderator": "true"}, "features": {}},
        **claims,
    }


def _jaas(key: rsa.RSAPrivateKey, kid: str = KID, **claims: Any) -> str:
    return jwt.encode(_claims(**claims), key, "RS256", {"kid": kid})


def _hs256(**claims: Any) -> str:
    return jwt.encode(_claims(**{**SELF_HOSTED, **claims}), SECRET)


def _explained(world: World, *arguments: str, stack: bool = True) -> dict[str, Any]:
    result = world.run("token", "explain", *arguments, "--json", stack=stack)
    answer: dict[str, Any] = json.loads(result.stdout)
    assert result.exit_code == (1 if answer["verdict"] == "refused" else 0)
    return answer


def _rule(answer: dict[str, Any], name: str) -> dict[str, str]:
    rules: list[dict[str, str]] = answer["rules"]
    return next(rule for rule in rules if rule["rule"] == name)


# What is printed


def test_each_rule_is_a_line_for_scripts_and_the_last_is_the_verdict(
    world: World, rsa_key: rsa.RSAPrivateKey
) -> None:
    """Outcome, rule, what was found and why, what to do; nothing of the person or the key."""
    good = world.run("token", "explain", _jaas(rsa_key), "--room", "Visit-12")
    token = _jaas(rsa_key, room="*", aud=["jitsi"], iss="x\nfail\t\x1b[2J\u202e" + "y" * 1000)
    bad = world.run("token", "explain", typed=f"{token}\n")

    lines = [line.split("\t") for line in good.stdout.splitlines()]
    assert (good.exit_code, bad.exit_code) == (0, 1)
    assert {len(line) for line in lines} == {4}
    assert lines[4][:2] == ["pass", "signature"]
    assert lines[-1] == ["accepted", "verdict", "Jitsi accepts this token. Room: visit-12.", ""]
    *rules, verdict = bad.stdout.splitlines()
    assert verdict == "refused\tverdict\tJitsi refuses this token: iss, aud. Warnings: room.\t"
    assert [len(line.split("\t")) for line in rules] == [4] * 16
    assert 'fail\tiss\t"x\\nfail\\t\\u001b[2J\\u202ey' in rules[7]
    assert len(rules[7]) < 250
    for secret in ("Dr. Roe", token, token.split(".")[2], "\x1b"):
        assert secret not in good.output + bad.output


def test_people_see_the_refusals_again_at_the_end(
    world: World, rsa_key: rsa.RSAPrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are below what scrolled by, and above the verdict."""
    for module in ("output", "token.explain.command"):
        monkeypatch.setattr(f"jitsi_tokens_cli.{module}.is_terminal", lambda _: True)
    monkeypatch.setenv("COLUMNS", "120")

    result = world.run("token", "explain", _jaas(rsa_key, exp=1, room="*"))

    *_, blank, first, _, below, verdict = result.stdout.splitlines()
    assert (blank, below) == ("", "")
    assert first.startswith("✗ exp           1 (1970-01-01T00:00:01Z). The token ended")
    assert verdict == "Jitsi refuses this token: exp. Warnings: room."


def test_json_is_for_scripts(world: World, rsa_key: rsa.RSAPrivateKey) -> None:
    """The verdict, the first broken rule, the room, and every rule in Jitsi's order."""
    answer = _explained(world, _jaas(rsa_key, room=f"{APP_ID}/visit-12", admin=True))

    assert answer["verdict"] == "refused"
    assert answer["firstFailure"] == "room"
    assert answer["room"] == "visit-12"
    outcomes = {rule["outcome"] for rule in answer["rules"]}
    assert outcomes == {"pass", "warning", "fail", "not-applicable"}
    assert _rule(answer, "room").keys() == {"rule", "outcome", "found", "why", "remedy"}


# The nine mistakes that people make


def _mistakes() -> list[Any]:
    now = int(time.time())
    guest = {"user": {"name": "Ann", "moderator": "false"}}
    sample = {"nbfTime": now, "room": "*", "context": {"user": {"moderator": True}}}
    return [
        pytest.param({"room": "My Room"}, "fail", "room", 'Write "my%20room"', id="1-room"),
        pytest.param({"context": guest}, "pass", "moderator", "JICOFO_ENABLE_AUTH=0", id="2-guest"),
        pytest.param({"aud": ["openemr_audience"]}, "fail", "aud", "array never", id="3-array"),
        pytest.param({"exp": str(now + 60)}, "fail", "exp", "JSON number", id="3-string"),
        pytest.param({"exp": now + 86_400.5}, "warning", "exp", "a whole number", id="3-float"),
        pytest.param({"nbf": now + 3000}, "fail", "nbf", "there is no leeway", id="4-clock"),
        pytest.param({"exp": now - 82_800}, "fail", "exp", "appointment's time", id="5-day-ahead"),
        pytest.param({"sub": "meet.jitsi"}, "not-checked", "sub", "verifies domains", id="6-sub"),
        pytest.param({"room": "café"}, "fail", "room", "it will see", id="8-no-reason"),
        pytest.param(sample, "warning", "room", "opens every room", id="9-sample-room"),
        pytest.param(sample, "warning", "nbf", "Nothing reads nbfTime", id="9-sample-start"),
    ]


@pytest.mark.parametrize(("claims", "outcome", "rule", "words"), _mistakes())
def test_a_mistake_is_named_with_its_remedy(
    shared: World, claims: dict[str, Any], outcome: str, rule: str, words: str
) -> None:
    """By its rule, and as a refusal only where Jitsi refuses."""
    whole = _claims(**{**SELF_HOSTED, **claims})
    if "nbfTime" in claims:
        del whole["nbf"]

    answer = _explained(shared, jwt.encode(whole, SECRET))

    told = _rule(answer, rule)
    assert told["outcome"] == outcome
    assert words in told["why"] + told["remedy"]
    assert answer["firstFailure"] == (rule if outcome == "fail" else None)
    expected = {"fail": "refused", "not-checked": "undecided"}.get(outcome, "accepted")
    assert answer["verdict"] == expected


def test_mistake_9_the_official_sample_prints_bytes(shared: World) -> None:
    """People who paste its output hand over no token."""
    answer = _explained(shared, str(_hs256().encode()))

    assert answer["firstFailure"] == "link"


# With a stack


def test_mistake_7_a_kid_of_another_key(world: World, rsa_key: rsa.RSAPrivateKey) -> None:
    """The right key under a wrong id is the kid's fault, not the signature's."""
    answer = _explained(world, _jaas(rsa_key, f"{APP_ID}/other"))

    assert answer["firstFailure"] == "kid"
    assert KID in _rule(answer, "kid")["why"]


def test_a_meeting_link_is_compared_with_the_stacks(
    world: World, rsa_key: rsa.RSAPrivateKey, tmp_path: Path
) -> None:
    """Room, host and tenant come from the link, which a file may hold; --room goes before it."""
    token = _jaas(rsa_key)
    file = tmp_path / "mail.txt"
    file.write_text(f"Join\nhttps://8x8.vc/{APP_ID}/Visit-12#jwt=%22{token}%22 at ten.\n")

    good = _explained(world, str(file))
    meant = _explained(world, str(file), "--room", "other")
    lost = _explained(world, f"https://meet.example.org/visit-12#jwt=%22{token}%22")

    assert (good["verdict"], good["room"]) == ("accepted", "visit-12")
    assert (meant["firstFailure"], meant["room"]) == ("room", "other")
    assert lost["firstFailure"] == "link"


def test_the_key_before_the_present_one_is_known(
    world: World, rsa_key: rsa.RSAPrivateKey, rsa_pem: str, rsa_pool: list[rsa.RSAPrivateKey]
) -> None:
    """A token of AWSPREVIOUS is verified with it, chosen by its kid."""
    world.store({"algorithm": "RS256", "kid": f"{APP_ID}/new", "private_key": rsa_pem})

    answer = _explained(world, _jaas(rsa_key))
    forged = _explained(world, _jaas(rsa_pool[0]))

    assert answer["verdict"] == "accepted"
    assert "previous key" in _rule(answer, "kid")["remedy"]
    assert forged["firstFailure"] == "signature"


def test_a_version_before_that_is_no_key_is_left_alone(
    world: World, rsa_key: rsa.RSAPrivateKey, rsa_pem: str
) -> None:
    """It may have been anything."""
    world.store_bytes(b"bytes")
    world.store({"algorithm": "RS256", "kid": f"{APP_ID}/new", "private_key": rsa_pem})

    assert _explained(world, _jaas(rsa_key))["firstFailure"] == "kid"


def test_a_version_before_that_cannot_be_read_is_not_checked(
    world: World, rsa_key: rsa.RSAPrivateKey
) -> None:
    """The token names neither the current key nor, for all that is known, another."""
    current = {"SecretString": json.dumps(world.stored()), "VersionId": "v" * 32, "CreatedDate": 1}
    answers = iter([Answer(200, json.dumps(current)), json_error("InternalServiceError")])
    world.with_secrets_manager(lambda _: next(answers))

    answer = _explained(world, _jaas(rsa_key, f"{APP_ID}/new"))

    assert answer["verdict"] == "undecided"
    assert "InternalServiceError" in _rule(answer, "signature")["why"]


def test_who_may_not_read_the_secret_is_told_the_rest(
    world: World, rsa_key: rsa.RSAPrivateKey
) -> None:
    """The signature is not checked, and why."""
    world.with_secrets_manager(lambda _: json_error("AccessDeniedException"))

    good = _explained(world, _jaas(rsa_key))
    bad = _explained(world, _jaas(rsa_key, room="A B"))

    assert good["verdict"] == "undecided"
    assert "signing secret" in _rule(good, "signature")["why"]
    assert bad["firstFailure"] == "room"


def test_a_stack_without_a_good_key_cannot_check(
    monkeypatch: pytest.MonkeyPatch,
    aws: None,  # noqa: ARG001
    rsa_key: rsa.RSAPrivateKey,
) -> None:
    """Nor is there anything to refuse; everything else is explained."""
    with running_world(monkeypatch) as empty:
        none = _explained(empty, _jaas(rsa_key))
        empty.store({"algorithm": "RS256", "kid": KID})
        damaged = _explained(empty, _jaas(rsa_key))

    assert none["verdict"] == damaged["verdict"] == "undecided"
    assert "no signing key yet" in _rule(none, "signature")["why"]
    assert "cannot sign" in _rule(damaged, "signature")["why"]


def test_a_shared_secret_is_checked(shared: World) -> None:
    """With the very bytes of the stack's secret, and whatever kid."""
    good = jwt.encode(_claims(**SELF_HOSTED), SECRET, headers={"kid": "any"})
    forged = jwt.encode(_claims(**SELF_HOSTED), SECRET[::-1] + "x")

    accepted, refused = _explained(shared, good), _explained(shared, forged)

    assert accepted["verdict"] == "accepted"
    assert refused["firstFailure"] == "signature"
    assert "never base64-decodes" in _rule(refused, "signature")["remedy"]


def test_a_published_key_is_fetched_as_prosody_does(
    published: World, k_1: str, rsa_pool: list[rsa.RSAPrivateKey]
) -> None:
    """Once, by the digest of the kid, from the stack's address or from --url."""
    from_stack = _explained(published, k_1)
    asked = [request.path for request in published.received if request.method == "GET"]
    from_url = _explained(published, k_1, "--url", f"{published.url}/other/")
    from_nowhere = _explained(published, k_1, "--url", f"{published.url}/nowhere")
    forged = jwt.encode(_claims(**SELF_HOSTED), rsa_pool[0], "RS256", {"kid": "k-1"})

    assert from_stack["verdict"] == from_url["verdict"] == "accepted"
    assert asked == [f"/v1/asap/{name_of('k-1')}.pem"]
    assert from_nowhere["firstFailure"] == "kid"
    assert "404" in _rule(from_nowhere, "kid")["why"]
    assert _explained(published, forged)["firstFailure"] == "signature"


def _elliptic_pem() -> str:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize(
    ("answer", "verdict", "sentence"),
    [
        (Answer(403, "{}"), "refused", "HTTP 403"),
        (Answer(200, "<html>"), "refused", "logins hang"),
        (Answer(200, " " * 1_000_000), "refused", "logins hang"),
        (Answer(200, _elliptic_pem()), "refused", "logins hang"),
        (Answer(204, ""), "refused", "logins hang"),
        (Answer(302, "", (("Location", "https://example.org"),)), "undecided", "HTTP 302"),
        (Answer(503, ""), "undecided", "HTTP 503"),
        (HANGS_UP, "undecided", "does not answer (RemoteProtocolError)"),
    ],
)
def test_a_key_server_that_gives_no_key_is_the_kids_matter(
    published: World, k_1: str, answer: Answer, verdict: str, sentence: str
) -> None:
    """What Prosody would refuse by fails; what may pass is not checked."""
    published.web = lambda _: answer

    explained = _explained(published, k_1)

    assert explained["verdict"] == verdict
    assert sentence in _rule(explained, "kid")["why"]
    signature = "not-checked" if verdict == "undecided" else "not-applicable"
    assert _rule(explained, "signature")["outcome"] == signature


def test_a_kid_that_is_no_unicode_is_looked_for_nowhere(
    published: World, rsa_key: rsa.RSAPrivateKey
) -> None:
    """Half a character has no digest."""
    token = jwt.encode(_claims(**SELF_HOSTED), rsa_key, "RS256", {"kid": "\ud800"})

    assert _rule(_explained(published, token), "kid")["outcome"] == "not-checked"


# With flags


def test_flags_describe_another_jitsi(shared: World, tmp_path: Path) -> None:
    """Issuers, audiences, subject and a secret in a file; the stack is not asked."""
    (tmp_path / "secret").write_text("short\n")
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = jwt.encode(_claims(iss="b", aud="y", sub="s"), "short")
    flags = ["--issuer", "a", "--issuer", "b", "--audience", "x", "--audience", "y"]
    flags += ["--secret-file", str(tmp_path / "secret")]

    good = _explained(shared, token, *flags, "--subject", "s")
    other = _explained(shared, token, *flags, "--subject", "t")
    bad = _explained(shared, token, *flags, "--algorithm", "HS512")

    assert good["verdict"] == "accepted"
    assert other["firstFailure"] == "sub"
    assert bad["firstFailure"] == "alg"
    assert shared.received == []


def test_a_domain_or_a_tenant_is_the_subject(shared: World, tmp_path: Path) -> None:
    """As it is in a stack's parameters; whether it is verified is not known."""
    (tmp_path / "secret").write_text(SECRET)
    flags = ["--issuer", "openemr", "--audience", "*", "--secret-file", str(tmp_path / "secret")]
    domain = [*flags, "--domain", "meet.example.org:8443"]

    assert _explained(shared, _hs256(), *domain)["verdict"] == "accepted"
    assert _explained(shared, _hs256(), *domain, "--tenant", "clinic")["verdict"] == "undecided"


def test_a_key_server_is_asked(
    published: World, k_1: str, rsa_key: rsa.RSAPrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--key-server is Jitsi's JWT_ASAP_KEYSERVER, and may be plain http: no API key goes there."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    flags = ["--issuer", "openemr", "--audience", "*", "--subject", "meet.example.org"]
    server = [*flags, "--key-server", f"{published.url}/keys"]
    unknown = jwt.encode(_claims(**SELF_HOSTED), rsa_key, "RS256", {"kid": "k-2"})

    assert _explained(published, k_1, *server, stack=False)["verdict"] == "accepted"
    assert _explained(published, unknown, *server, stack=False)["firstFailure"] == "kid"
    monkeypatch.delenv("HTTP_PROXY")
    silent = _explained(published, k_1, "--key-server", "http://keys.invalid", stack=False)
    assert "keys.invalid does not answer (ConnectError)" in _rule(silent, "kid")["why"]


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
    ("flags", "code", "sentence"),
    [
        (["--jaas-app-id", "x"], 2, "32 hexadecimal digits"),
        (["--jaas-app-id", APP_ID, "--issuer", "a"], 2, "give only --public-key"),
        (["--public-key", "{secret}", "--secret-file", "{secret}"], 2, "Give one of"),
        (["--secret-file", "{secret}", "--algorithm", "RS256"], 2, "no secret"),
        (["--key-server", "https://x", "--algorithm", "HS256"], 2, "takes --secret-file"),
        (["--key-server", "ftp://x"], 2, "must begin with https://"),
        (["--key-server", "https://[::1"], 2, "is malformed"),
        (["--algorithm", "ES256"], 2, "knows the algorithms"),
        (["--room", "\udcff"], 2, "not valid Unicode"),
        (["--public-key", "{secret}"], 1, "no RSA public key"),
        (["--secret-file", "{empty}"], 1, "is empty"),
    ],
)
def test_flags_that_make_no_sense_are_refused(
    world: World, tmp_path: Path, flags: list[str], code: int, sentence: str
) -> None:
    """A contradiction is reported, not guessed away, and no file's content is repeated."""
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "empty").write_text("\n")
    files = {name: str(tmp_path / name) for name in ("secret", "empty")}

    result = world.run(
        "token", "explain", _hs256(), *(flag.format(**files) for flag in flags), stack=False
    )

    assert result.exit_code == code
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
    people = world.run("token", "explain", _hs256(), stack=False)

    assert people.exit_code == 0
    assert "Give --stack-name or --issuer." in people.stdout
    assert "Not checked: alg, signature, iss, aud, sub." in people.stdout
    assert _explained(world, _hs256(room="A B"), stack=False)["firstFailure"] == "room"
