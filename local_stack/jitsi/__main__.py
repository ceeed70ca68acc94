"""`python -m local_stack.jitsi`: the stand-in alone, until it is interrupted."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from jitsi_tokens_cli.address import service_url
from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.stack import Target, find_stack
from jitsi_tokens_cli.token.explain.keys import expectations_of_stack
from local_stack.jitsi.server import StandIn

if TYPE_CHECKING:
    from collections.abc import Callable

    from jitsi_tokens_cli.token.explain.expectations import Expectations
    from jitsi_tokens_cli.token.text import Token


def main() -> int:
    """Serve, with what the environment says of the stack as for jitsi-tokens."""
    parser = argparse.ArgumentParser(prog="python -m local_stack.jitsi", description=__doc__)
    parser.add_argument(
        "--port", type=int, default=0, help="port on 127.0.0.1; default: any free one"
    )
    parser.add_argument(
        "--stack-name",
        default=os.environ.get("JITSI_TOKENS_STACK_NAME"),
        help="the stack whose Jitsi it replaces; default: none, and signatures are not checked",
    )
    arguments = parser.parse_args()
    with StandIn(arguments.port) as standin:
        if arguments.stack_name:
            standin.expect = _of_stack(arguments.stack_name, standin)
        print(f"http://{standin.domain}/", flush=True)
        with suppress(KeyboardInterrupt):
            standin.serve_forever()
    return 0


def _of_stack(name: str, standin: StandIn) -> Callable[[Token], Expectations]:
    def expect(token: Token) -> Expectations:
        try:
            # Each time: a key may have been replaced since.
            stack = find_stack(Target(name, None, None))
        except (CommandError, BotoCoreError, ClientError):
            return standin.expect_without_key(token)
        return expectations_of_stack(stack, service_url(stack, None))

    return expect


if __name__ == "__main__":
    sys.exit(main())
