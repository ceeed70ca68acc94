"""HEAD, wrong methods and unknown paths, each with and without an API key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jitsi_tokens.core.public_keys import name_of

if TYPE_CHECKING:
    import httpx

    from tests.stack.service import Service

pytestmark = pytest.mark.stack

DIAGNOSTICS, JWKS = "/api/jitsi/diagnostics", "/.well-known/jwks.json"
ALLOWED = {
    "/api/jitsi/jwt": "GET, HEAD, POST",
    DIAGNOSTICS: "GET, HEAD",
    JWKS: "GET, HEAD",
    "/asap/{file}": "GET, HEAD",
}

known = pytest.mark.parametrize("known", [False, True], ids=["nobody", "a client"])


def request(
    service: Service, method: str, path: str, *, known: bool, **headers: str
) -> httpx.Response:
    """Send a request; whoever asks, the answer repeats no API key."""
    if known:
        headers["Authorization"] = f"Bearer {service.api_key}"
    if "{file}" in path:
        file = f"{name_of(service.secret_document()['kid'])}.pem"
        path = path.replace("{file}", file)
    answer = service.http.request(method, path, headers=headers)
    assert service.api_key not in answer.text + str(answer.headers)
    return answer


def own_headers(answer: httpx.Response) -> dict[str, str]:
    """Return the headers that are the service's: Content-Length and ids are the gateway's."""
    others = ("date", "content-length", "x-amz")
    return {name: text for name, text in answer.headers.items() if not name.startswith(others)}


@known
@pytest.mark.parametrize(
    "path", [*ALLOWED, "/asap/unknown.pem", "/", "/asap", "/api/jitsi/nothing"]
)
def test_head_is_get_without_a_body(published: Service, path: str, *, known: bool) -> None:
    """The same status and headers, of a 401 and of a 404 too."""
    got = request(published, "GET", path, known=known)
    head = request(published, "HEAD", path, known=known)

    assert (head.status_code, head.content) == (got.status_code, b"")
    assert own_headers(head) == own_headers(got)
    if path in ALLOWED:
        assert got.status_code == (200 if known or path != DIAGNOSTICS else 401)


@pytest.mark.parametrize("path", [JWKS, "/asap/{file}"])
def test_head_of_what_is_known_already_is_304(published: Service, path: str) -> None:
    """As GET of it is."""
    tag = request(published, "HEAD", path, known=False).headers["etag"]

    answer = request(published, "HEAD", path, known=False, **{"If-None-Match": tag})

    assert (answer.status_code, answer.content) == (304, b"")


@known
@pytest.mark.parametrize("path", ALLOWED)
def test_a_wrong_method_is_405(published: Service, path: str, *, known: bool) -> None:
    """OPTIONS too: no other site's page may call the service."""
    for method in {"POST", "PUT", "PATCH", "DELETE", "OPTIONS"} - set(ALLOWED[path].split(", ")):
        answer = request(published, method, path, known=known)

        assert (answer.status_code, answer.headers["allow"]) == (405, ALLOWED[path])
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json()["type"] == "urn:jitsi-tokens:problem:method-not-allowed"
        assert not [name for name in answer.headers if name.startswith("access-control")]


@known
@pytest.mark.parametrize(
    "path",
    [
        *("/", "/api", "/api/jitsi", "/x/y/z", "/api/jitsi/jwt/x", "/api/jitsi/diagnostics/x"),
        *("/asap", "/asap/", "/asap/a/b", "/.well-known", "/.well-known/x"),
    ],
)
def test_there_is_nothing_elsewhere(published: Service, path: str, *, known: bool) -> None:
    """Every other path is our 404, which names those that there are."""
    for method in ("GET", "OPTIONS"):
        answer = request(published, method, path, known=known)

        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json()["type"] == "urn:jitsi-tokens:problem:not-found"
        assert all(there in answer.json()["detail"] for there in ALLOWED)
