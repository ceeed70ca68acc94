"""The check of who is let through to a token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from jitsi_tokens.core.clients import make_api_key
from jitsi_tokens_cli.checks import Check, failed, passed
from jitsi_tokens_cli.doctor.unknown import rate_limited
from jitsi_tokens_cli.web import PROBLEM

if TYPE_CHECKING:
    from jitsi_tokens_cli.web import Web

_AUTHORIZER_LOG = "Look at the log of AuthorizeClient: may it read the table of clients?"


def authorizer_check(web: Web) -> Check:
    """Ask for a token without an API key, and with one that nobody has.

    Raises:
        Unanswered: nothing came.
    """
    name = "authorizer"
    for api_key, whom in ((None, "without an API key"), (make_api_key(), "with an unknown one")):
        reply = web.ask_token({}, api_key)
        if reply.status == httpx.codes.TOO_MANY_REQUESTS:
            return rate_limited(name)
        if reply.is_failure:
            return failed(
                name, f"A caller {whom} is answered HTTP {reply.status}.", _AUTHORIZER_LOG
            )
        if reply.status == httpx.codes.FORBIDDEN:
            return failed(
                name,
                f"A caller {whom} is answered HTTP {reply.status}, before the authorizer.",
                "Look at the API's resource policy, and at the web application firewall.",
            )
        if reply.status != httpx.codes.UNAUTHORIZED:
            return failed(
                name,
                f"A caller {whom} is not refused: HTTP {reply.status}.",
                "Look whether the route POST /api/jitsi/jwt has its authorizer, and deploy again.",
            )
        if reply.media_type != PROBLEM:
            return failed(
                name,
                f"A caller {whom} is answered 401, but not as the stack does ({PROBLEM}).",
                "Look for what stands between, and whether the stage is deployed: the API's"
                " gateway responses are part of the template.",
            )
    return passed(name, "Callers without an API key, and with an unknown one, are answered 401.")
