"""GET /asap/{file} and GET /.well-known/jwks.json: the public keys that verify the tokens."""

from __future__ import annotations

import base64
import json
import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import jwt
import pytest
from botocore.exceptions import EndpointConnectionError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from jitsi_tokens.core.public_keys import PublicKey, name_of, write_public_key
from jitsi_tokens.core.rsa_keys import private_pem
from jitsi_tokens.publication import CachedPublication, Publication
from tests.public_key_of import public_key_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from tests.conftest import LoadApp

NOW = 1_800_000_000
PATH = "/jitsi-tokens/test/public-keys"
BEGIN, END = "-----BEGIN PUBLIC KEY-----\n", "\n-----END PUBLIC KEY-----\n"
NAME = name_of("a")
MISSING = object()


class Site:
    """The function, what it publishes, its readings of SSM, and the clock that it looks at."""

    def __init__(self, app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.app = app
        self.now = float(NOW)
        self.reads = 0
        self.publication = Publication(boto3.client("ssm"), PATH)
        monkeypatch.setattr(app, "time", SimpleNamespace(time=lambda: self.now))
        for client in (app.FIRST_FETCH, app.REFRESH):
            client.meta.events.register("before-call.ssm.*", self._count)

    def get(self, file: object, *, method: str = "GET", **headers: str) -> dict[str, Any]:
        """Answer a request for a file."""
        parameters = {} if file is MISSING else {"file": file}
        more = {"pathParameters": parameters, "httpMethod": method}
        return self._send("/asap/{file}", headers, more)

    def key(self, key: PublicKey, **headers: str) -> dict[str, Any]:
        """Answer a request for a key, as Prosody sends it."""
        return self.get(f"{key.name}.pem", **headers)

    def jwks(self, *, method: str = "GET", **headers: str) -> dict[str, Any]:
        """Answer a request for the set."""
        more = {"pathParameters": None, "httpMethod": method}
        return self._send("/.well-known/jwks.json", headers, more)

    def cut_off(self) -> None:
        """Make SSM unreachable."""

        def fail(**_arguments: Any) -> None:
            raise EndpointConnectionError(endpoint_url="https://ssm")

        for client in (self.app.FIRST_FETCH, self.app.REFRESH):
            client.meta.events.register("before-call.ssm.*", fail)

    def _send(self, resource: str, headers: dict[str, str], more: dict[str, Any]) -> dict[str, Any]:
        event = {"resource": resource, "headers": headers or None, **more}
        response: dict[str, Any] = self.app.handler(event, None)
        return response

    def _count(self, **_arguments: Any) -> None:
        self.reads += 1


@pytest.fixture
def site(load_app: LoadApp, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Return the function of a stack that has published nothing."""
    return Site(load_app("serve_public_key", {"PUBLIC_KEYS_PATH": PATH}), monkeypatch)


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
    """Return the kind of the problem in a response, its headers checked."""
    assert response["headers"]["Content-Type"] == "application/problem+json"
    assert response["headers"]["Cache-Control"] == "no-store"
    assert response["headers"]["X-Content-Type-Options"] == "nosniff"
    assert "ETag" not in response["headers"]
    problem = json.loads(response["body"])
    assert problem["status"] == response["statusCode"]
    return str(problem["type"]).rpartition(":")[2]


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


@pytest.mark.parametrize("name", ["If-None-Match", "if-none-match"])
@pytest.mark.parametrize("known", ["TAG", "W/TAG", '"other", TAG', "*"])
@pytest.mark.parametrize("what", ["key", "set"])
def test_who_has_it_is_not_sent_it_again(
    site: Site, key: PublicKey, name: str, known: str, what: str
) -> None:
    """304, to be kept for as long as a 200 would be."""
    site.publication.publish(key)
    tag = (site.key(key) if what == "key" else site.jwks())["headers"]["ETag"]

    headers = {name: known.replace("TAG", tag)}
    response = site.key(key, **headers) if what == "key" else site.jwks(**headers)

    assert (response["statusCode"], response["body"]) == (304, "")
    assert response["headers"]["ETag"] == tag
    assert max_age(response) == 60


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


def test_who_has_another_is_sent_this_one(site: Site, key: PublicKey, other: PublicKey) -> None:
    """A tag is of one body alone."""
    site.publication.publish(key)
    site.publication.publish(other)

    tag = site.key(other)["headers"]["ETag"]
    response = site.key(key, **{"If-None-Match": tag})

    assert (response["statusCode"], response["body"]) == (200, key.pem)


@pytest.mark.parametrize("tag", ["*", '"x"'])
def test_what_is_not_there_is_not_unmodified(site: Site, tag: str) -> None:
    """A condition never makes a 304 of a 404."""
    response = site.get(f"{NAME}.pem", **{"If-None-Match": tag})

    assert response["statusCode"] == 404


def test_an_unknown_key_is_a_404(site: Site, key: PublicKey) -> None:
    """Nobody keeps it: the key may be published the next moment."""
    site.publication.publish(key)

    response = site.get(f"{NAME}.pem")

    assert response["statusCode"] == 404
    assert problem_of(response) == "not-found"


@pytest.mark.parametrize(
    "file",
    [
        pytest.param("", id="empty"),
        pytest.param(None, id="null"),
        pytest.param(MISSING, id="missing"),
        pytest.param(7, id="number"),
        pytest.param([f"{NAME}.pem"], id="list"),
        pytest.param(".pem", id="suffix-alone"),
        pytest.param(NAME, id="no-suffix"),
        pytest.param(f"{NAME}.", id="no-type"),
        pytest.param(f"{NAME.upper()}.pem", id="upper-case"),
        pytest.param(f"{NAME}.PEM", id="upper-case-suffix"),
        pytest.param(f"{NAME[1:]}.pem", id="63-digits"),
        pytest.param(f"{NAME}0.pem", id="65-digits"),
        pytest.param(f"{NAME[1:]}g.pem", id="no-hex-digit"),
        pytest.param(f"{NAME}.pem\n", id="newline"),
        pytest.param(f"\n{NAME}.pem", id="newline-first"),
        pytest.param(f"{NAME}\n.pem", id="newline-within"),
        pytest.param(f"{NAME}.pem ", id="blank"),
        pytest.param(f"{NAME}.pem\0", id="null-byte"),
        pytest.param(f"{NAME}.pem.pem", id="two-suffixes"),
        pytest.param(f"{NAME}xpem", id="no-dot"),
        pytest.param(f"{NAME}.pem/", id="slash"),
        pytest.param(f"../{NAME}.pem", id="traversal"),
        pytest.param(f"../public-keys/{NAME}.pem", id="traversal-and-back"),
        pytest.param("../../../../etc/passwd", id="traversal-of-the-host"),
        pytest.param("..%2F..%2Fkey-status", id="percent-escaped-traversal"),
        pytest.param(f"%61{NAME[1:]}.pem", id="percent-escape"),
        pytest.param(f"{NAME}%2Epem", id="percent-escaped-dot"),
        pytest.param(f"{NAME}.pem%00", id="percent-escaped-null"),
        pytest.param("\u0661" * 64 + ".pem", id="arabic-digits"),
        pytest.param("\uff10" * 64 + ".pem", id="full-width-digits"),
        pytest.param("\u0430" * 64 + ".pem", id="cyrillic-a"),
        pytest.param("\ud800" * 64 + ".pem", id="surrogates"),
        pytest.param(f"{NAME}.key", id="another-type"),
        pytest.param(f"{NAME}.json", id="json"),
        pytest.param("jwks.json", id="jwks"),
        pytest.param("*.pem", id="star"),
        pytest.param("0" * 1_000_000 + ".pem", id="a-megabyte"),
    ],
)
def test_a_name_that_no_key_has_is_a_404_at_no_cost(site: Site, file: object) -> None:
    """SSM is not asked for it: anybody may send it, as often as they like."""
    response = site.get(file)

    assert response["statusCode"] == 404
    assert problem_of(response) == "not-found"
    assert site.reads == 0


def test_a_key_whose_time_is_over_is_a_404(site: Site, key: PublicKey, other: PublicKey) -> None:
    """And in the set no more, although it is in SSM still."""
    site.publication.publish(key)
    site.publication.publish(other)
    site.publication.expire(other, NOW + 30)

    before = (site.key(other)["statusCode"], len(json.loads(site.jwks()["body"])["keys"]))
    site.now = NOW + 30
    after = (site.key(other)["statusCode"], len(json.loads(site.jwks()["body"])["keys"]))

    assert (before, after) == ((200, 2), (404, 1))
    assert site.key(key)["statusCode"] == 200


@pytest.mark.parametrize(
    ("left", "age"),
    [(3600.0, 60), (60.0, 60), (59.5, 59), (1.9, 1), (1.0, 1), (0.9, 0), (0.001, 0)],
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


def test_the_set_verifies_a_token(
    site: Site, rsa_pool: list[RSAPrivateKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As PyJWT's client reads it, which looks for the token's `kid`; the latest stands first."""
    keys = [public_key_of(key, published_at=NOW + age) for age, key in enumerate(rsa_pool[:3])]
    for key in keys:
        site.publication.publish(key)

    response = site.jwks()

    document = json.loads(response["body"])
    client = jwt.PyJWKClient("https://keys.example.org/.well-known/jwks.json")
    monkeypatch.setattr(client, "fetch_data", lambda: document)
    for private, public in zip(rsa_pool, keys, strict=False):
        token = jwt.encode(
            {"room": "visit-1"}, private_pem(private), "RS256", headers={"kid": public.kid}
        )
        found = client.get_signing_key_from_jwt(token)
        assert jwt.decode(token, found, algorithms=["RS256"]) == {"room": "visit-1"}
    assert response["statusCode"] == 200
    assert response["headers"]["Content-Type"] == "application/jwk-set+json"
    assert max_age(response) == 60
    assert [member["kid"] for member in document["keys"]] == [key.kid for key in reversed(keys)]


def test_no_key_at_all_is_a_404(site: Site) -> None:
    """Not an empty set, which a reader would keep: the first key may come the next moment."""
    response = site.jwks()

    assert response["statusCode"] == 404
    assert problem_of(response) == "not-found"


def test_a_set_whose_keys_are_all_over_is_a_404(site: Site, key: PublicKey) -> None:
    """It is no other than none."""
    site.publication.publish(key)
    site.publication.expire(key, NOW)

    assert site.jwks()["statusCode"] == 404


# What goes wrong


def test_what_is_known_is_served_while_ssm_fails(site: Site, key: PublicKey) -> None:
    """Logins go on; of what is not known nobody can tell."""
    site.publication.publish(key)
    site.jwks()
    site.cut_off()
    site.now = NOW + 3600

    responses = [site.key(key), site.jwks(), site.get(f"{NAME}.pem")]

    assert [response["statusCode"] for response in responses] == [200, 200, 503]
    assert problem_of(responses[2]) == "unavailable"
    assert responses[2]["headers"]["Retry-After"] == "5"


def test_a_container_that_never_reached_ssm_says_so(site: Site, key: PublicKey) -> None:
    """503, not 404: Jitsi may ask again."""
    site.cut_off()

    responses = [site.key(key), site.jwks()]

    assert [response["statusCode"] for response in responses] == [503, 503]
    assert [problem_of(response) for response in responses] == ["unavailable"] * 2


@pytest.mark.parametrize("what", ["key", "set"])
def test_a_bug_tells_nobody_anything(
    site: Site,
    key: PublicKey,
    what: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """503; the log has the error's type and place, and no text of it."""

    def fail(*_arguments: object) -> None:
        raise ValueError("secret-of-a-bug")

    monkeypatch.setattr(site.app.KEYS, "find", fail)
    monkeypatch.setattr(site.app.KEYS, "all", fail)

    response = site.key(key) if what == "key" else site.jwks()

    printed = "".join(capsys.readouterr())
    [logged] = map(json.loads, printed.splitlines())
    assert response["statusCode"] == 503
    assert problem_of(response) == "unavailable"
    assert response["headers"]["Retry-After"] == "30"
    assert (logged["level"], logged["error"]) == ("ERROR", "ValueError")
    assert "secret-of-a-bug" not in printed + json.dumps(response)


@pytest.mark.parametrize("event", [{}, {"pathParameters": None}, {"resource": "/elsewhere"}])
def test_an_event_without_a_file_is_a_404(site: Site, event: dict[str, Any]) -> None:
    """Whatever sent it."""
    assert site.app.handler(event, None)["statusCode"] == 404
    assert site.reads == 0


class Parameters:
    """SSM with one parameter of any content."""

    def __init__(self, name: str, value: object) -> None:
        self._page = {"Parameters": [{"Name": f"{PATH}/{name}", "Value": value}]}

    def get_paginator(self, _operation: str) -> Parameters:
        """Stand for the paginator too."""
        return self

    def paginate(self, **_arguments: object) -> list[Any]:
        """Return the one page."""
        return [self._page]


PEMS = st.one_of(
    st.text(),
    st.builds(
        lambda body: BEGIN + body + END,
        st.text() | st.text("MIB/+=-\n ") | st.text("MIB/", min_size=4, max_size=4),
    ),
)
KEYS = st.fixed_dictionaries(
    {
        "kid": st.just("a") | st.text(),
        "pem": PEMS,
        "n": st.text(),
        "e": st.text(),
        "publishedAt": st.integers(),
    },
    optional={"expiresAt": st.integers() | st.just(NOW + 1)},
).map(json.dumps)


# The fixture's function has no state but what each example replaces.
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(value=KEYS | st.text())
def test_a_200_is_always_a_pem(site: Site, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """Whatever stands in SSM: Prosody keeps a 200, and what is no PEM hangs its logins."""
    parameters: Any = Parameters(NAME, value)
    publication = Publication(parameters, PATH)
    cached = CachedPublication(first_fetch=publication, refresh=publication)
    monkeypatch.setattr(site.app, "KEYS", cached)

    response = site.get(f"{NAME}.pem")
    jwks = site.jwks()

    assert response["statusCode"] in (200, 404)
    assert jwks["statusCode"] == response["statusCode"]
    if response["statusCode"] == 200:
        body = response["body"]
        assert body.startswith(BEGIN)
        assert body.endswith(END)
        text = body.removeprefix(BEGIN).removesuffix(END)
        assert base64.b64decode(text.replace("\n", ""), validate=True)


def test_what_is_malformed_hides_no_other_key(site: Site, key: PublicKey) -> None:
    """One bad parameter is that key's matter alone."""
    ssm = boto3.client("ssm")
    ssm.put_parameter(Name=f"{PATH}/{NAME}", Value=write_public_key(key), Type="String")
    site.publication.publish(key)

    assert site.get(f"{NAME}.pem")["statusCode"] == 404
    assert site.key(key)["statusCode"] == 200
    assert len(json.loads(site.jwks()["body"])["keys"]) == 1


def test_the_numbers_of_a_jwk_are_the_pems(site: Site, key: PublicKey, other: PublicKey) -> None:
    """Whoever may write to SSM could put another key's beside it."""
    site.publication.publish(replace(key, n=other.n))

    [served] = json.loads(site.jwks()["body"])["keys"]

    assert (served["n"], served["e"]) == (key.n, key.e)
