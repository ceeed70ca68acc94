"""`python -m local_stack run|stop`, which `make run` and `make stop` call, and `metrics`."""

from __future__ import annotations

import argparse
import os
import sys

from local_stack import deployment, emulator, sam_local
from local_stack.commands import CommandFailure
from local_stack.demonstration import DemonstrationFailure, demonstrate, say
from local_stack.metrics import alarm_states, put_metrics
from local_stack.rotation import RotationFailure


def main() -> int:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(prog="python -m local_stack", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="start, build, deploy, and issue two tokens")
    run.add_argument("--provider", choices=("jaas", "self-hosted"), default="jaas")
    run.add_argument("--algorithm", choices=("HS256", "RS256"), default="HS256", help="self-hosted")
    run.add_argument("--listen", metavar="ADDRESS", help="besides loopback, for `sam local`")
    commands.add_parser("stop", help="stop the emulator; keys and clients are kept")
    metrics = commands.add_parser("metrics", help="make metrics of the log, and show the alarms")
    metrics.add_argument("--stack-name", default=os.environ.get("JITSI_TOKENS_STACK_NAME"))
    arguments = parser.parse_args()
    try:
        return {"run": _run, "stop": _stop, "metrics": _metrics}[arguments.command](arguments)
    except (
        emulator.EmulatorFailure,
        deployment.DeploymentFailure,
        CommandFailure,
        DemonstrationFailure,
        RotationFailure,
    ) as error:
        print(error, file=sys.stderr)
        return 1


def _run(arguments: argparse.Namespace) -> int:
    found = emulator.running()
    if found and arguments.listen:
        raise emulator.EmulatorFailure("the emulator runs already: `make stop`, then LISTEN again")
    say("the emulator runs already" if found else "starting the emulator, IAM enforced")
    running = emulator.start(also_listen=arguments.listen or None)
    say("sam build")
    deployment.build()
    say(f"sam deploy --config-env local ({arguments.provider})")
    stack = deployment.deploy(running, arguments.provider, arguments.algorithm)
    say(f"{stack.name} answers at {stack.url}")
    sam_local.write(running, stack)
    demonstrate(running, stack)
    return 0


def _stop(_arguments: argparse.Namespace) -> int:
    say("stopped the emulator" if emulator.stop() else "no emulator of this folder runs")
    return 0


def _metrics(arguments: argparse.Namespace) -> int:
    running = emulator.running()
    if not running or not arguments.stack_name:
        raise emulator.EmulatorFailure("`make run` first, then `. .local/stack.env`")
    stack = deployment.find(running, arguments.stack_name)
    for name, value in put_metrics(running, stack).items():
        print(f"{name:<20}{value:g}")
    for name, state in alarm_states(running, stack).items():
        print(f"{state:<20}{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
