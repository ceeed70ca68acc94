"""The command's entry point: Ctrl-C ends it with a line, even while it loads."""

import sys


def run() -> None:
    """Run `jitsi-tokens`."""
    try:
        from jitsi_tokens_cli.main import app  # noqa: PLC0415 - loading takes a third of a second

        app(prog_name="jitsi-tokens")
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        sys.exit(130)


if __name__ == "__main__":
    run()
