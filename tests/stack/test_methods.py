"""HEAD, wrong methods and unknown paths, each with and without an API key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jitsi_tokens.core.public_keys import name_of

if TYPE_CHECKING:
    import httpx

    from tests.stack.service import Service

pytestmark = pytest.mark.stack

DIAGNOSTICS = "/api/jitsi/diagnostics"
ALLOWED = {
    "/api/jitsi/jwt": "GET, HEAD, POST",
    DIAGNOSTICS: "GET, HEAD",
    "/api/visits": "GET",
    "/api/visits/a": "DELETE, GET, PATCH, PUT",
    "/api/visits/a/end": "POST",
    "/api/visits/a/participants/b": "DELETE, PUT",
    "/api/visits/a/participants/b/join": "POST",
    "/api/visits/a/participants/b/new-link": "POST",
    "/join": "GET, HEAD",
    "/join/a": "GET, HEAD",
    "/join/enter": "POST",
    "/join/status": "POST",
    "/.well-known/jwks.json": "GET, HEAD",
    "/asap/{file}": "GET, HEAD",
}
WITH_HEAD = [path for path, methods in ALLOWED.items() if "HEAD" in methods]
ZEROS = "0" * 64
NOWHERE = [
    *("/", "/api", "/api/jitsi/nothing", "/api/jitsi/jwt/x", "/api/jitsi/diagnostics/x"),
    *("/asap", "/asap/", "/asap/a/b", "/asap/x.pem", f"/asap/{ZEROS}.pem", f"/asap/{ZEROS}.pem%0a"),
    *(f"/asap/%2e%2e%2f{ZEROS}.pem", f"/asap//{ZEROS}.pem", "/.well-known", "/.well-known/x"),
]

known = pytest.mark.parametrize("known", [False, True], ids=["nobody", "a client"])


def request(service: Service, method: str, path: str, *, known: bool) -> httpx.Response:
    """Send a request; for every caller, the answer repeats no API key."""
    headers = {"Authorization": f"Bearer {service.api_key}"} if known else {}
    file = f"{name_of(service.secret_document()['kid'])}.pem"
    answer = service.http.request(method, path.replace("{file}", file), headers=headers)
    assert service.api_key not in answer.text + str(answer.headers)
    return answer


def own_headers(answer: httpx.Response) -> dict[str, str]:
    """Return the headers that are the service's: Content-Length and ids are the gateway's."""
    others = ("date", "content-length", "x-amz")
    return {name: text for name, text in answer.headers.items() if not name.startswith(others)}


@known
@pytest.mark.parametrize("path", [*WITH_HEAD, "/", f"/asap/{ZEROS}.pem", "/api/jitsi/nothing"])
def test_head_is_get_without_a_body(published: Service, path: str, *, known: bool) -> None:
    """The same status and headers, of a 401 and of a 404 too."""
    got = request(published, "GET", path, known=known)
    head = request(published, "HEAD", path, known=known)

    assert (head.status_code, head.content) == (got.status_code, b"")
    assert own_headers(head) == own_headers(got)
    status = 401 if path == DIAGNOSTICS and not known else 200 if path in ALLOWED else 404
    assert got.status_code == status


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


@pytest.mark.parametrize(("method", "path"), [("OPTIONS", "/x"), *(("GET", at) for at in NOWHERE)])
def test_there_is_nothing_elsewhere(published: Service, method: str, path: str) -> None:
    """Every other path is our 404, and nobody keeps it: the next answer may be a key."""
    answer = request(published, method, path, known=True)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["type"] == "urn:jitsi-tokens:problem:not-found"
