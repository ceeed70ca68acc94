"""What tests share: RSA keys, settings, and the functions loaded as Lambda loads them."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import itertools
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import botocore.session
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import HealthCheck, settings
from moto import mock_aws

from jitsi_tokens import telemetry
from tests.page_sources import build_page

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

APP_ID = "vpaas-magic-cookie-0123456789abcdef0123456789ABCDEF"

# A machine that is shared or new is slow at times, and no test here is about speed.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")

_FUNCTIONS = Path(__file__).parents[1] / "functions"
_BUILT = tempfile.TemporaryDirectory()
_COUNTER = itertools.count()
_LIMITS = {
    "MAXIMUM_LIFETIME_SECONDS": "14400",
    "MAXIMUM_ADVANCE_SECONDS": "604800",
    "CLOCK_SKEW_SECONDS": "10",
    "MAXIMUM_STALE_SECONDS": "14400",
    "MEETING_URL_TOKEN_PLACEMENT": "fragment",
}
_JAAS = {"PROVIDER": "jaas", "JAAS_APP_ID": APP_ID, "JITSI_DOMAIN": "", **_LIMITS}
_SELF_HOSTED = {
    "PROVIDER": "self-hosted",
    "SIGNING_ALGORITHM": "HS256",
    "JAAS_APP_ID": "",
    "JITSI_DOMAIN": "meet.example.org",
    "JITSI_APP_ID": "openemr_telehealth",
    "JITSI_ISSUER": "openemr",
    "JITSI_AUDIENCE": "openemr_audience",
    "JITSI_SUBJECT": "",
    "JITSI_TENANT": "",
    **_LIMITS,
}
# What the template sets, by the kind of stack.
ENVIRONS = {
    "jaas": _JAAS,
    "self-hosted": _SELF_HOSTED,
    "tenant": _SELF_HOSTED | {"JITSI_TENANT": "clinic"},
    "published": _SELF_HOSTED | {"SIGNING_ALGORITHM": "RS256"},
}
# What the template names to the functions.
NAMES = {
    "AWS_DEFAULT_REGION": "eu-central-1",
    "POWERTOOLS_SERVICE_NAME": "jitsi-tokens",
    "CLIENTS_TABLE": "clients",
    "SIGNING_KEY_SECRET": "signing-key",
    "DIGEST_KEY_SECRET": "digest-key",
    "VISITS_TABLE": "visits",
    "VISIT_RETENTION_DAYS": "7",
    "LINK_KEY_SECRET": "link-key",
    "PAGE_PARAMETER": "page",
    "JOIN_URL": "https://visits.example",
    "STACK_NAME": "tokens",
    "STATUS_PARAMETER": "key-status",
    "PUBLIC_KEYS_PATH": "/public-keys",
    "PUBLIC_URL": "https://keys.example.org",
    "PUBLICATION_LEAD_SECONDS": "300",
}


class LoadApp(Protocol):
    """Load a function's app.py again, with its environment set for as long as the test runs."""

    def __call__(self, function: str, environ: Mapping[str, str]) -> Any:
        """Return the module."""


@pytest.fixture(scope="session")
def rsa_key() -> rsa.RSAPrivateKey:
    """Return an RSA key made for this run."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="session")
def rsa_pem(rsa_key: rsa.RSAPrivateKey) -> str:
    """Return that key as the PEM which a signing key's document holds."""
    return rsa_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.fixture(scope="session")
def rsa_pool() -> list[rsa.RSAPrivateKey]:
    """Return RSA keys made for this run, no two the same."""
    return [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(5)]


@pytest.fixture
def jaas_environ() -> dict[str, str]:
    """Return what the template sets for JaaS."""
    return ENVIRONS["jaas"].copy()


@pytest.fixture
def self_hosted_environ() -> dict[str, str]:
    """Return what the template sets for a Jitsi of one's own."""
    return ENVIRONS["self-hosted"].copy()


@pytest.fixture
def published_environ() -> dict[str, str]:
    """Return what the template sets for a Jitsi that fetches public keys."""
    return ENVIRONS["published"].copy()


@pytest.fixture(scope="session", autouse=True)
def _service_models_once() -> Iterator[None]:
    # Each test has sessions of its own, and each of them would parse AWS's service models again.
    with pytest.MonkeyPatch.context() as monkeypatch:
        loader = functools.cache(botocore.session.create_loader)
        monkeypatch.setattr(botocore.session, "create_loader", loader)
        yield


@pytest.fixture(autouse=True)
def _own_logger(monkeypatch: pytest.MonkeyPatch) -> None:
    # Powertools keeps a logger by its service's name, and that one the stdout it was made with.
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", f"test-{next(_COUNTER)}")
    telemetry.logger.cache_clear()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stand in for AWS while a test runs."""
    with stood_in_for_aws(monkeypatch):
        yield


@pytest.fixture
def load_app(monkeypatch: pytest.MonkeyPatch, aws: None) -> LoadApp:  # noqa: ARG001
    """Return the loader of functions; AWS is stood in for."""
    return functools.partial(load_function, monkeypatch)


@contextlib.contextmanager
def stood_in_for_aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have moto answer for AWS."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        yield


@functools.cache
def function_folder(function: str) -> Path:
    """Return the folder that Lambda has: the page is beside its handler, as `sam build` puts it."""
    folder = _FUNCTIONS / function
    if function != "join_visit":
        return folder
    built = Path(_BUILT.name)
    (built / "app.py").symlink_to(folder / "app.py")
    build_page(built / "page.html")
    return built


def load_function(
    monkeypatch: pytest.MonkeyPatch, function: str, environ: Mapping[str, str]
) -> Any:
    """Return a function's app.py, loaded as Lambda loads it, with this environment set."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    path = function_folder(function) / "app.py"
    spec = importlib.util.spec_from_file_location(f"{function}_{next(_COUNTER)}", path)
    assert spec
    assert spec.loader
    app = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(app)
    return app
