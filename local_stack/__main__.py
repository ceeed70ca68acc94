"""`python -m local_stack run|redeploy|stop|rotate|metrics`: `make` has the same names."""

from __future__ import annotations

import argparse
import sys

from botocore.exceptions import ClientError

from jitsi_tokens.settings import JAAS_DOMAIN
from local_stack import building, deployment, emulator, sam_local
from local_stack.demonstration import demonstrate, last_stack
from local_stack.jitsi import background
from local_stack.metrics import alarm_states, put_metrics
from local_stack.redeployment import redeploy
from local_stack.rotation import rotate
from local_stack.steps import Failure, step


def main() -> int:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(prog="python -m local_stack", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="start it, build, deploy, and create a visit")
    run.add_argument("--provider", choices=("jaas", "self-hosted"), default="jaas")
    run.add_argument("--algorithm", choices=("HS256", "RS256"), default="HS256", help="self-hosted")
    run.add_argument(
        "--jitsi-domain", metavar="HOST", help="your own Jitsi instead of the stand-in"
    )
    run.add_argument(
        "--jaas-app-id", metavar="ID", help="your App ID at 8x8, instead of the stand-in"
    )
    run.add_argument(
        "--listen", metavar="ADDRESS", help="one more address to listen on, for `sam local`"
    )
    run.add_argument("--verbose", action="store_true", help="show a token's claims")
    commands.add_parser("stop", help="stop it; keys, clients and visits are kept")
    for name, what in (
        ("redeploy", "deploy changed handlers, modules and pages, in seconds"),
        ("rotate", "replace the key of an RS256 stack, as Secrets Manager does on AWS"),
        ("metrics", "make metrics from the log, and show the alarms"),
    ):
        command = commands.add_parser(name, help=what)
        command.add_argument("--stack-name", default=last_stack())
    arguments = parser.parse_args()
    try:
        return {
            "run": _run,
            "redeploy": _redeploy,
            "stop": _stop,
            "rotate": _rotate,
            "metrics": _metrics,
        }[arguments.command](arguments)
    except KeyboardInterrupt:
        print("\nInterrupted. Run the command again to continue.", file=sys.stderr)
        return 130
    except Failure as error:
        print(error, file=sys.stderr)
        return 1


def _run(arguments: argparse.Namespace) -> int:
    found = emulator.running()
    if found and arguments.listen:
        raise Failure(
            "The emulator is already running. Run `make stop`, then `make run` with LISTEN again."
        )
    with step("emulator") as emulating:
        running = emulator.start(also_listen=arguments.listen or None)
        emulating.told = f"{'running' if found else 'started'}, IAM enforced: {running.endpoint}"
    with step("sam build"):
        deployment.build()
    provider, app_id = arguments.provider, arguments.jaas_app_id
    # A stack of its own, which keeps the key that was uploaded to 8x8.
    name = "jitsi-tokens-8x8" if app_id else deployment.name_of(provider, arguments.algorithm)
    domain = arguments.jitsi_domain or (JAAS_DOMAIN if app_id else "")
    port = None if domain else background.port_of(name)
    parameters = {"JaasAppId": app_id} if app_id else {}
    with step("sam deploy") as deploying:
        stack = deployment.deploy(
            running,
            provider,
            arguments.algorithm,
            name=name,
            JitsiDomain=domain or f"127.0.0.1:{port}",
            **parameters,
        )
        deploying.told = stack.name
    if port:
        with step("stand-in for Jitsi") as standing_in:
            background.start(running, stack, port)
            standing_in.told = f"http://127.0.0.1:{port}"
    sam_local.write(running, stack)
    demonstrate(running, stack, real_jitsi=domain, verbose=arguments.verbose)
    return 0


def _redeploy(arguments: argparse.Namespace) -> int:
    running, stack = _find(arguments)
    with step("build"):
        building.rebuild_code()
    with step("update") as updating:
        changed = redeploy(running, stack)
        updating.told = f"{stack.name}: {', '.join(changed) or 'nothing has changed'}"
    return 0


def _stop(_arguments: argparse.Namespace) -> int:
    background.stop()
    emulator.stop()
    print("The local stack is stopped.")
    return 0


def _rotate(arguments: argparse.Namespace) -> int:
    running, stack = _find(arguments)
    for name in rotate(running, stack):
        print(name, flush=True)
    return 0


def _metrics(arguments: argparse.Namespace) -> int:
    running, stack = _find(arguments)
    for name, value in put_metrics(running, stack).items():
        print(f"{name:<20}{value:g}")
    for name, state in alarm_states(running, stack).items():
        print(f"{state:<20}{name}")
    return 0


def _find(arguments: argparse.Namespace) -> tuple[emulator.Emulator, deployment.Stack]:
    running = emulator.running()
    if not running or not arguments.stack_name:
        raise Failure("The local stack does not run: `make run` first.")
    try:
        return running, deployment.find(running, arguments.stack_name)
    except ClientError:
        raise Failure(
            f"The stack {arguments.stack_name} is not deployed here. `make run` deploys one."
        ) from None


if __name__ == "__main__":
    sys.exit(main())
