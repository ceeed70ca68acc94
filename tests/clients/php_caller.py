"""The PHP client, asked as the tests ask all callers."""

from __future__ import annotations

import base64
import functools
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, NoReturn

import pytest

from local_stack.emulator import ROOT
from tests.clients.outcome import Outcome

CLIENT = ROOT / "clients" / "php"
# Debian's.
GUZZLE = Path("/usr/share/php/GuzzleHttp/autoload.php")
_CALL = Path(__file__).with_name("call.php")
# What a trace holds of arguments where nobody has set PHP up for production.
_TALKATIVE = (
    *("-d", "zend.exception_ignore_args=0"),
    *("-d", "zend.exception_string_param_max_len=1000000"),
    *("-d", "error_reporting=-1", "-d", "display_errors=stderr"),
)


def php(*arguments: str, text: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """Run PHP with nothing of this service in its environment but what is given."""
    require_php()
    # What SSL_CERT_FILE is to others, php.ini says to PHP's curl.
    trusted = variables.pop("SSL_CERT_FILE", None)
    trust = ["-d", f"curl.cainfo={trusted}"] if trusted else []
    return subprocess.run(  # noqa: S603 - our own files
        ["php", *_TALKATIVE, *trust, *arguments],  # noqa: S607 - the machine's own
        input=text,
        capture_output=True,
        text=True,
        env=inherited() | variables,
        timeout=60,
        check=False,
    )


def inherited() -> dict[str, str]:
    """Return the environment without what is this service's; a faked clock is in it."""
    return {k: v for k, v in os.environ.items() if not k.startswith("JITSI_TOKENS_")}


def require_php() -> None:
    """Leave a test out where there is no PHP; where CI runs there has to be."""
    require("php", "apt-get install php-cli php-curl", available=_has_php())


def require_guzzle() -> None:
    """Leave a test out where there is no Guzzle; where CI runs there has to be."""
    require_php()
    require("Guzzle", "apt-get install php-guzzlehttp-guzzle", available=GUZZLE.exists())


def require(name: str, remedy: str, *, available: bool) -> None:
    """Leave a test out where something is missing, and say why; fail where CI runs."""
    if not available:
        leave_out(f"{name} is not installed: {remedy}")


def leave_out(reason: str) -> NoReturn:
    """Leave a test out and say why; where CI runs, fail."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@functools.cache
def _has_php() -> bool:
    if not shutil.which("php"):
        return False
    modules = subprocess.run(["php", "-m"], capture_output=True, text=True, check=True)  # noqa: S607
    return "curl" in modules.stdout.split()


class PhpCaller:
    r"""Asks with `JitsiTokens\Client`, by curl or by Guzzle (PSR-18)."""

    name = "php"

    def __init__(self, transport: str, client: Path = CLIENT) -> None:
        self._transport = transport
        self._client = client

    def issue(
        self, settings: dict[str, Any], environment: dict[str, str] | None = None, **request: Any
    ) -> Outcome:
        """Ask for a token."""
        return self.call("issue", settings, environment, **request)

    def is_configured(
        self, settings: dict[str, Any], environment: dict[str, str] | None = None
    ) -> Outcome:
        """Ask whether the service has a key."""
        return self.call("is_configured", settings, environment)

    def call(
        self,
        method: str,
        settings: dict[str, Any],
        environment: dict[str, str] | None = None,
        **request: Any,
    ) -> Outcome:
        """Call a method of the client, by its name in Python."""
        if self._transport == "guzzle":
            require_guzzle()
        ask = {
            "client": str(self._client),
            "transport": self._transport,
            "settings": settings,
            "method": method,
            "request": request,
        }
        finished = php(str(_CALL), text=json.dumps(ask), **environment or {})
        assert finished.returncode == 0, finished.stderr
        assert not finished.stderr
        told = json.loads(finished.stdout)
        assert not told.get("previous")
        dumps = base64.b64decode(told["dumps"]).decode("utf-8", "replace")
        return Outcome(told["kind"], told["values"], told["seconds"], dumps)
