"""GET /asap/{file} and GET /.well-known/jwks.json: the public keys that verify the tokens."""

from __future__ import annotations

import functools
import json
import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from botocore.parsers import ResponseParserError
from msgspec.structs import replace

from jitsi_tokens.core.public_keys import PublicKey, name_of, write_public_key
from jitsi_tokens.publication import Publication
from tests.public_key_of import public_key_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from tests.conftest import LoadApp

NOW = 1_800_000_000
PATH = "/jitsi-tokens/test/public-keys"
BEGIN, END = "-----BEGIN PUBLIC KEY-----\n", "\n-----END PUBLIC KEY-----\n"
NAME = name_of("a")
OUTAGES = [
    ClientError({"Error": {"Code": "ThrottlingException"}}, "GetParametersByPath"),
    ConnectTimeoutError(endpoint_url="https://ssm"),
    ResponseParserError("an answer that is no XML"),
]


class Site:
    """The function, what it publishes, its readings of SSM, and the clock that it looks at."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.now = float(NOW)
        self.reads = 0
        self.error: Exception | None = None
        self.publication = Publication(boto3.client("ssm"), PATH)
        app.time = SimpleNamespace(time=lambda: self.now)
        for client in (app.FIRST_FETCH, app.REFRESH):
            client.meta.events.register("before-call.ssm.*", self._read)

    def get(self, file: object, *, method: str = "GET", **headers: str) -> dict[str, Any]:
        """Answer a request for a file."""
        more = {"pathParameters": {"file": file}, "httpMethod": method}
        return self._send("/asap/{file}", headers, more)

    def key(self, key: PublicKey, **headers: str) -> dict[str, Any]:
        """Answer a request for a key, as Prosody sends it."""
        return self.get(f"{key.name}.pem", **headers)

    def jwks(self, *, method: str = "GET", **headers: str) -> dict[str, Any]:
        """Answer a request for the set."""
        more = {"pathParameters": None, "httpMethod": method}
        return self._send("/.well-known/jwks.json", headers, more)

    def find(self, name: str, after: float) -> int:
        """Return the status of the answer for a name, at a time."""
        self.now = NOW + after
        status: int = self.get(f"{name}.pem")["statusCode"]
        return status

    def kids(self, after: float) -> set[str]:
        """Return the keys of the set at a time; none where there is no set."""
        self.now = NOW + after
        return {key["kid"] for key in json.loads(self.jwks()["body"]).get("keys", [])}

    def _send(self, resource: str, headers: dict[str, str], more: dict[str, Any]) -> dict[str, Any]:
        event = {"resource": resource, "headers": headers or None, **more}
        response: dict[str, Any] = self.app.handler(event, None)
        return response

    def _read(self, **_arguments: Any) -> None:
        self.reads += 1
        if self.error:
            raise self.error


@pytest.fixture
def site(load_app: LoadApp) -> Site:
    """Return the function of a stack that has published nothing."""
    return Site(load_app("serve_public_key", {"PUBLIC_KEYS_PATH": PATH}))


@pytest.fixture
def key(rsa_pool: list[RSAPrivateKey]) -> PublicKey:
    """Return a key to publish."""
    return public_key_of(rsa_pool[0])


@pytest.fixture
def other(rsa_pool: list[RSAPrivateKey]) -> PublicKey:
    """Return an earlier one."""
    return public_key_of(rsa_pool[1], published_at=NOW - 1000)


def max_age(response: dict[str, Any]) -> int:
    """Return for how many seconds an answer may be kept."""
    found = re.fullmatch(r"public, max-age=(\d+)", response["headers"]["Cache-Control"])
    assert found
    return int(found[1])


def problem_of(response: dict[str, Any]) -> str:
    """Return the kind of the problem in a response."""
    assert response["headers"]["Content-Type"] == "application/problem+json"
    return str(json.loads(response["body"])["type"]).rpartition(":")[2]


# A key


def test_prosody_is_given_the_pem(site: Site, key: PublicKey, other: PublicKey) -> None:
    """The one it asks for, byte for byte, to be kept for a minute."""
    site.publication.publish(key)
    site.publication.publish(other)

    response = site.key(key)

    assert (response["statusCode"], response["body"]) == (200, key.pem)
    assert response["headers"] == {
        "Content-Type": "application/x-pem-file",
        "Cache-Control": "public, max-age=60",
        "ETag": response["headers"]["ETag"],
        "Strict-Transport-Security": "max-age=63072000",
        "X-Content-Type-Options": "nosniff",
    }
    assert response["headers"]["ETag"] != site.key(other)["headers"]["ETag"]


def test_who_has_it_is_not_sent_it_again(site: Site, key: PublicKey, other: PublicKey) -> None:
    """304, to be kept for as long as a 200 would be; a tag is of one body alone."""
    site.publication.publish(key)
    site.publication.publish(other)

    for ask in (functools.partial(site.key, key), site.jwks):
        tag = ask()["headers"]["ETag"]
        response = ask(**{"if-none-match": tag})
        assert (response["statusCode"], response["body"]) == (304, "")
        assert (response["headers"]["ETag"], max_age(response)) == (tag, 60)
        assert site.key(other, **{"If-None-Match": tag})["body"] == other.pem


def test_head_is_get_without_a_body(site: Site, key: PublicKey) -> None:
    """With the ETag of the body that GET would send; 304 and 404 too."""
    site.publication.publish(key)
    file = f"{key.name}.pem"
    tag = {"If-None-Match": site.get(file)["headers"]["ETag"]}

    for got, head in (
        (site.get(file), site.get(file, method="HEAD")),
        (site.get(file, **tag), site.get(file, method="HEAD", **tag)),
        (site.get("x.pem"), site.get("x.pem", method="HEAD")),
        (site.jwks(), site.jwks(method="HEAD")),
    ):
        assert head == got | {"body": ""}


@pytest.mark.parametrize("headers", [{}, {"If-None-Match": "*"}])
def test_an_unknown_key_is_a_404(site: Site, key: PublicKey, headers: dict[str, str]) -> None:
    """Nobody keeps it, as the key may be published the next moment; nor is it ever a 304."""
    site.publication.publish(key)

    response = site.get(f"{NAME}.pem", **headers)

    assert response["statusCode"] == 404
    assert problem_of(response) == "not-found"


@pytest.mark.parametrize(
    "file",
    [
        *(None, "", 7, [f"{NAME}.pem"], NAME, f"{NAME.upper()}.pem", f"{NAME[1:]}.pem"),
        *(f"{NAME}0.pem", f"{NAME[1:]}g.pem", f"{NAME}.pem\n", f"\n{NAME}.pem", f"../{NAME}.pem"),
        *(f"{NAME}.pem.pem", f"{NAME}xpem", f"%61{NAME[1:]}.pem", "0" * 1_000_000 + ".pem"),
        *("\u0661" * 64 + ".pem", "\ud800" * 64 + ".pem"),
    ],
    ids=lambda file: ascii(file)[:20],
)
def test_a_name_that_no_key_has_is_a_404_at_no_cost(site: Site, file: object) -> None:
    """SSM is not asked for it: anybody may send it, as often as they like."""
    response = site.get(file)

    assert response["statusCode"] == 404
    assert problem_of(response) == "not-found"
    assert site.reads == 0


def test_a_key_whose_time_is_over_is_a_404(site: Site, key: PublicKey, other: PublicKey) -> None:
    """And in the set no more, although it is in SSM still, also out of what is kept."""
    site.publication.publish(key)
    site.publication.publish(other)
    site.publication.expire(other, NOW + 30)

    assert [site.find(other.name, after) for after in (0, 29.9, 30)] == [200, 200, 404]
    assert [len(site.kids(after)) for after in (0, 29.9, 30)] == [2, 2, 1]
    site.error = OUTAGES[0]
    assert (site.find(key.name, 90), site.find(other.name, 90)) == (200, 503)


@pytest.mark.parametrize(
    ("left", "age"),
    [(3600.0, 60), (60.0, 60), (59.5, 59), (1.0, 1), (0.9, 0)],
)
def test_nobody_keeps_a_key_beyond_its_end(
    site: Site, key: PublicKey, other: PublicKey, left: float, age: int
) -> None:
    """Neither alone nor in a set, in which the first to end counts."""
    site.publication.publish(key)
    site.publication.publish(other)
    site.publication.expire(other, NOW + 7200)
    site.now = NOW + 7200 - left

    ages = (max_age(site.key(other)), max_age(site.jwks()), max_age(site.key(key)))

    assert ages == (age, age, 60)


# The set


def test_the_set_has_the_latest_key_first(site: Site, key: PublicKey, other: PublicKey) -> None:
    """To be kept for a minute, as a key is."""
    site.publication.publish(key)
    site.publication.publish(other)

    response = site.jwks()

    assert response["statusCode"] == 200
    assert response["headers"]["Content-Type"] == "application/jwk-set+json"
    assert max_age(response) == 60
    assert json.loads(response["body"]) == {"keys": [key.jwk(), other.jwk()]}


@pytest.mark.parametrize("over", [False, True])
def test_no_key_at_all_is_a_404(site: Site, key: PublicKey, *, over: bool) -> None:
    """Not an empty set, which a reader would keep: the first key may come the next moment."""
    if over:
        site.publication.publish(key)
        site.publication.expire(key, NOW)

    response = site.jwks()

    assert response["statusCode"] == 404
    assert problem_of(response) == "not-found"


# What a container keeps


@pytest.fixture
def kept(site: Site, key: PublicKey) -> Site:
    """Return the function with a key that it has read."""
    site.publication.publish(key)
    assert site.kids(0) == {key.kid}
    return site


def test_what_is_published_is_read_once_a_minute(
    kept: Site, key: PublicKey, other: PublicKey
) -> None:
    """SSM answers forty reads a second to the whole account. Then what is new is there too."""
    kept.publication.publish(other)
    kept.publication.withdraw(key.kid)

    assert [kept.find(key.name, after) for after in (1, 30, 59.9)] == [200] * 3
    assert (kept.kids(59.9), kept.reads) == ({key.kid}, 1)
    assert (kept.kids(60), kept.reads) == ({other.kid}, 2)
    assert kept.find(key.name, 60) == 404


@pytest.mark.parametrize(("each", "most"), [(0.004, 2), (0.05, 14)], ids=["flood", "minute"])
def test_unknown_names_read_hardly_more(kept: Site, key: PublicKey, each: float, most: int) -> None:
    """Anybody may ask for a key, and others in the account read SSM too; what is known is found."""
    for number in range(1200):
        assert kept.find(name_of(str(number)), number * each) == 404
        assert kept.find(key.name, number * each) == 200

    assert kept.reads <= most


@pytest.mark.parametrize("published_after", [0.0, 0.1, 3.0, 59.0, 61.0])
def test_a_new_key_is_found_within_five_seconds(
    kept: Site, other: PublicKey, published_after: float
) -> None:
    """However often it was asked for before: Jitsi asks once a login. It is in the set then."""
    for tick in range(int(published_after * 10) + 1):
        assert kept.find(other.name, tick / 10) == 404
    kept.publication.publish(other)

    found = [kept.find(other.name, published_after + tick / 10) for tick in range(51)]

    assert found[-1] == 200
    assert found.index(200) == found.count(404)
    assert other.kid in kept.kids(published_after + 5)


@pytest.mark.parametrize("error", OUTAGES, ids=["throttled", "timeout", "unreadable"])
def test_what_is_known_is_outlived_when_ssm_fails(
    kept: Site, key: PublicKey, error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    """However long: a login depends on it. With a warning for each reading that failed."""
    kept.error = error

    assert [kept.find(key.name, after) for after in (60, 61, 86_400)] == [200] * 3
    assert (kept.kids(86_400), kept.reads) == ({key.kid}, 3)
    logged = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["level"], line["cause"]) for line in logged] == [
        ("WARNING", type(error).__name__)
    ] * 2


def test_an_unknown_name_is_a_503_while_ssm_fails(kept: Site, other: PublicKey) -> None:
    """A 404 would be kept by Prosody's caller as the answer, and it may be a key that is new."""
    kept.error = OUTAGES[0]

    assert [kept.find(other.name, after) for after in (5, 6, 9.9, 10, 60, 3600)] == [503] * 6
    response = kept.key(other)
    assert (problem_of(response), response["headers"]["Retry-After"]) == ("unavailable", "5")
    kept.error = None
    kept.publication.publish(other)
    assert [kept.find(name, 3605) for name in (NAME, other.name)] == [404, 200]


def test_a_container_that_never_reached_ssm_says_so(site: Site, key: PublicKey) -> None:
    """503, not 404: Jitsi may ask again. SSM is asked after five seconds, and not before."""
    site.publication.publish(key)
    site.error = OUTAGES[0]

    assert [site.find(key.name, after) for after in (0, 1, 4.9)] == [503] * 3
    assert (problem_of(site.jwks()), site.reads) == ("unavailable", 1)
    site.error = None
    assert (site.find(key.name, 5), site.reads) == (200, 2)


def test_an_outage_is_tried_every_five_seconds(kept: Site, key: PublicKey) -> None:
    """Whatever is asked for: known, unknown or all."""
    kept.error = OUTAGES[0]

    for tick in range(600, 900):
        assert kept.find(key.name, tick / 10) == 200
        assert kept.kids(tick / 10) == {key.kid}
        assert kept.find(NAME, tick / 10) == 503

    assert kept.reads == 1 + 6


def test_a_clock_that_goes_backwards_reads_again(kept: Site, other: PublicKey) -> None:
    """What was read in the future is not kept until the clock is right again."""
    kept.publication.publish(other)

    assert other.kid in kept.kids(-3600)
    assert (kept.find(NAME, -3600 + 4.9), kept.reads) == (404, 2)


# What goes wrong


def test_a_bug_tells_nobody_anything(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """503; the log has the error's type and place, and no text of it."""

    def fail(*_arguments: object) -> None:
        raise ValueError("secret-of-a-bug")

    monkeypatch.setattr(site.app.KEYS, "all", fail)

    response = site.jwks()

    printed = "".join(capsys.readouterr())
    [logged] = map(json.loads, printed.splitlines())
    assert (response["statusCode"], problem_of(response)) == (503, "unavailable")
    assert response["headers"]["Retry-After"] == "30"
    assert (logged["level"], logged["error"]) == ("ERROR", "ValueError")
    assert "secret-of-a-bug" not in printed + json.dumps(response)


@pytest.mark.parametrize("event", [{}, {"pathParameters": None}, {"resource": "/elsewhere"}])
def test_an_event_without_a_file_is_a_404(site: Site, event: dict[str, Any]) -> None:
    """Whatever sent it."""
    assert site.app.handler(event, None)["statusCode"] == 404
    assert site.reads == 0


def test_what_is_malformed_or_forged_is_that_keys_matter_alone(site: Site, key: PublicKey) -> None:
    """Prosody keeps a 200, and what is no PEM hangs its logins; numbers beside a PEM do not count.

    A key under another's name, a PEM of no key, and rubbish.
    """
    ssm = boto3.client("ssm")
    no_pem = replace(key, kid="a", pem=f"{BEGIN}MIIB{END}")
    values = {
        key.name: write_public_key(replace(key, n="AA", e="AQ")),
        name_of("moved"): write_public_key(key),
        name_of("a"): write_public_key(no_pem),
        name_of("rubbish"): "rubbish",
    }
    for name, value in values.items():
        ssm.put_parameter(Name=f"{PATH}/{name}", Value=value, Type="String")

    assert [site.find(name, 0) for name in values] == [200, 404, 404, 404]
    assert json.loads(site.jwks()["body"]) == {"keys": [key.jwk()]}
