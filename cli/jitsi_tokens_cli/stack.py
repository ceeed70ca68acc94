"""The deployed stack, found by its name."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, assert_never, cast

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, NoRegionError

from jitsi_tokens.aws import error_code
from jitsi_tokens.core.findings import finding
from jitsi_tokens.core.keys import read_key
from jitsi_tokens.publication import Publication
from jitsi_tokens.secrets_manager import SigningSecret
from jitsi_tokens.settings import SettingMissing, read_settings
from jitsi_tokens_cli.errors import CommandError, Unreachable, UsageError
from jitsi_tokens_cli.output import progress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jitsi_tokens.core.findings import Finding
    from jitsi_tokens.core.keys import Algorithm, SigningKey, Trust
    from jitsi_tokens.settings import Settings

# Between the words of JaasAppId.
_WORD_BEGINS = re.compile("(?<=[a-z])(?=[A-Z])")
# Together under twenty seconds where AWS does not answer.
_CONFIG = Config(
    connect_timeout=3, read_timeout=8, retries={"total_max_attempts": 2, "mode": "standard"}
)
# CheckKey may take twenty seconds; asked twice, it would check twice.
_INVOKE_CONFIG = Config(connect_timeout=3, read_timeout=30, retries={"total_max_attempts": 1})


class DeploymentUnfinished(Unreachable):
    """The stack is being deployed for the first time, and has no outputs yet."""


class Target(NamedTuple):
    """The stack that the options name."""

    stack_name: str | None
    region: str | None
    profile: str | None


@dataclass(frozen=True)
class Stack:
    """A stack: its settings, its outputs, and an AWS session for its region."""

    name: str
    session: boto3.Session
    settings: Settings
    signing_secret: str
    clients_table: str
    check_function: str
    rotation_function: str
    status_parameter: str
    public_keys_path: str
    api_url: str
    authorizer_cache_seconds: str
    rotation_days: int
    joins_in_frame: bool
    status: str
    outputs: Mapping[str, str]

    @property
    def trust(self) -> Trust:
        """The kind of stack: how Jitsi comes to trust its key."""
        return self.settings.trust

    @property
    def algorithm(self) -> Algorithm:
        """The algorithm of its tokens."""
        return self.settings.algorithm

    @property
    def kid_prefix(self) -> str:
        """What the `kid` of its keys begins with: `<App ID>/` for JaaS."""
        return self.settings.kid_prefix

    @property
    def region(self) -> str:
        """Its AWS region."""
        return str(self.session.region_name)

    @property
    def rotates(self) -> bool:
        """Whether a rotation makes its keys, rather than a person."""
        match self.trust:
            case "console" | "shared":
                return False
            case "published":
                return True
            case _:
                assert_never(self.trust)

    @property
    def rotates_by_schedule(self) -> bool:
        """Whether Secrets Manager rotates its key on a schedule."""
        return self.rotates and self.rotation_days > 0

    @property
    def read_secret_command(self) -> str:
        """The command that prints the signing secret's document."""
        return (
            f"aws secretsmanager get-secret-value --region {self.region}"
            f" --secret-id '{self.signing_secret}' --query SecretString --output text"
        )

    def finding(self, code: str, what: str = "") -> Finding:
        """Return a finding about the signing key, with a remedy for this kind of stack."""
        return finding(code, what, trust=self.trust)

    def output(self, name: str) -> str:
        """Return an output that stacks of earlier releases lack.

        Raises:
            CommandError: this one lacks it.
        """
        if name not in self.outputs:
            raise CommandError(
                f"The stack {self.name} has no output {name}: it is from an earlier release."
                " Deploy this release; keys and clients are kept."
            )
        return self.outputs[name]

    @cached_property
    def secret(self) -> SigningSecret:
        """The signing secret, with an AWS client of its own."""
        return SigningSecret(self.client("secretsmanager"), self.signing_secret)

    @property
    def publication(self) -> Publication:
        """The public keys that it publishes, with an AWS client of their own."""
        return Publication(self.client("ssm"), self.public_keys_path)

    def read_key(self, text: str) -> SigningKey:
        """Return the key of a secret's text; KeyRefused where the stack cannot sign with it."""
        return read_key(text, algorithm=self.algorithm, kid_prefix=self.kid_prefix)

    def client(self, service: str) -> Any:
        """Return an AWS client in the stack's region."""
        # boto3's stubs know no client whose name is a variable.
        config = _INVOKE_CONFIG if service == "lambda" else _CONFIG
        return cast("Any", self.session).client(service, config=config)


def find_stack(target: Target) -> Stack:
    """Return the stack that the options name.

    Raises:
        UsageError: no name was given.
        CommandError: there is no such stack, or it is not of jitsi-tokens.
        DeploymentUnfinished: it is being deployed.
    """
    if not target.stack_name:
        raise UsageError(
            "Which stack? Give --stack-name, or set JITSI_TOKENS_STACK_NAME. `aws cloudformation"
            " list-stacks` shows your stacks."
        )
    session = boto3.Session(region_name=target.region, profile_name=target.profile)
    if not session.region_name:
        # An empty AWS_DEFAULT_REGION would be a fault to botocore.
        raise NoRegionError
    _show_progress(session)
    status, outputs, parameters = _describe(session, target.stack_name)
    try:
        return Stack(
            name=target.stack_name,
            session=session,
            settings=read_settings(_as_environment(parameters)),
            signing_secret=outputs["SigningKeySecret"],
            clients_table=outputs["ClientsTable"],
            check_function=outputs["CheckKeyFunction"],
            rotation_function=outputs["RotateSigningKeyFunction"],
            status_parameter=outputs["KeyStatusParameter"],
            public_keys_path=outputs["PublicKeysPath"],
            api_url=outputs["ApiUrl"],
            authorizer_cache_seconds=parameters["AuthorizerCacheSeconds"],
            rotation_days=int(parameters["RotationDays"]),
            joins_in_frame=parameters.get("JoinMode") == "embed",
            status=status,
            outputs=outputs,
        )
    except KeyError as missing:
        if status == "CREATE_IN_PROGRESS":
            raise DeploymentUnfinished(
                f"The stack {target.stack_name} is being deployed: try again when the deployment"
                " is complete."
            ) from None
        raise _not_ours(target.stack_name, f"{missing.args[0]} is missing") from None
    except SettingMissing as error:
        raise _not_ours(target.stack_name, str(error)) from None


def _not_ours(name: str, reason: str) -> CommandError:
    return CommandError(
        f"The stack {name} is not a jitsi-tokens stack, is from an earlier release, or its"
        f" deployment did not finish: {reason}."
    )


def _show_progress(session: boto3.Session) -> None:
    """Name each slow call to AWS while it lasts."""
    calls = ExitStack()

    def begin(model: Any, **_: Any) -> None:
        calls.enter_context(progress(f"{model.service_model.service_name}: {model.name}"))

    def end(**_: Any) -> None:
        calls.close()

    session.events.register("before-call", begin)
    session.events.register("after-call", end)
    session.events.register("after-call-error", end)


def _as_environment(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters under the names that the functions read them by."""
    return {_WORD_BEGINS.sub("_", name).upper(): value for name, value in parameters.items()}


def _describe(session: boto3.Session, name: str) -> tuple[str, dict[str, str], dict[str, str]]:
    client = session.client("cloudformation", config=_CONFIG)
    try:
        found = client.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if error_code(error) != "ValidationError":
            raise
        raise CommandError(
            f"There is no stack {name} in {session.region_name}. Check --stack-name, --region, and"
            " the account of your AWS credentials."
        ) from None
    outputs = {
        output.get("OutputKey", ""): output.get("OutputValue", "")
        for output in found.get("Outputs", [])
    }
    parameters = {
        parameter.get("ParameterKey", ""): parameter.get("ParameterValue", "")
        for parameter in found.get("Parameters", [])
    }
    return found["StackStatus"], outputs, parameters
