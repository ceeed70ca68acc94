"""Each client in each way that it is called, for the same tests."""

from __future__ import annotations

import pytest

from tests.clients.php_caller import PhpCaller, require_guzzle, require_php
from tests.clients.python_callers import PythonCaller

type Caller = PhpCaller | PythonCaller

CALLERS: dict[str, Caller] = {
    "python": PythonCaller(asynchronous=False),
    "python-async": PythonCaller(asynchronous=True),
    "php": PhpCaller("curl"),
    "php-guzzle": PhpCaller("guzzle"),
}


@pytest.fixture(params=list(CALLERS))
def caller(request: pytest.FixtureRequest) -> Caller:
    """A client, called in one of its ways."""
    if request.param == "php-guzzle":
        require_guzzle()
    elif request.param == "php":
        require_php()
    return CALLERS[request.param]
