"""The containers that hold the signing key, replaced where Jitsi knows one shared secret only.

A running container keeps its key for minutes. New ones are had with a version whose environment
names the key's version: published while the earlier key signs, and put in place right after.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from jitsi_tokens_cli.errors import CommandError, OutOfReach, aws_sentence
from jitsi_tokens_cli.output import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jitsi_tokens_cli.stack import Stack

MARK = "SIGNING_KEY_VERSION"
# What CloudFormation publishes is described otherwise, and never deleted here.
DESCRIPTION = "jitsi-tokens key promote"
_TIMES = "/"
_ALIAS = "live"
_POLL_SECONDS = 5
_TELL_SECONDS = 30
# SnapStart takes minutes.
_LONGEST_SECONDS = 15 * 60
# Lambda goes on calling the version before for a moment.
_SETTLED_SECONDS = 5


@contextlib.contextmanager
def replaced(stack: Stack, key_version: str, *, is_current: bool) -> Iterator[None]:
    """Make a key's version current inside of this: new containers stand ready, and follow at once.

    Safe to repeat wherever it was broken off; `is_current` tells that the key's part was done.

    Raises:
        CommandError: a deployment is in the way. Nothing was changed.
        OutOfReach: Lambda did not get ready. The containers are as they were.
    """
    function = _Function(stack)
    live = function.live_version()
    was_made_for_it = _mark(function.configuration(live)) == key_version
    if was_made_for_it and is_current:
        yield
        return
    # Those that were made for it before it was replaced hold the key that replaced it.
    version = function.publish(live, key_version, afresh=was_made_for_it)
    if function.live_version() != live:
        raise CommandError("The stack was deployed meanwhile: run the command again.")
    yield
    function.put_in_place(version)


def broken_off(stack: Stack, key_version: str) -> bool:
    """Tell whether a change to the current key ended before the containers were replaced."""
    function = _Function(stack)
    live = function.configuration(function.live_version())
    return _mark(function.configuration()) == key_version != _mark(live)


def delete_earlier(stack: Stack) -> None:
    """Delete the versions that earlier changes published: SnapStart is paid for each."""
    function = _Function(stack)
    try:
        earlier = function.versions_of_ours_but(function.live_version())
        if earlier:
            time.sleep(_SETTLED_SECONDS)
        for version in earlier:
            function.delete(version)
    except (ClientError, BotoCoreError, CommandError) as error:
        sentence = str(error) if isinstance(error, CommandError) else aws_sentence(error)
        say(
            "Warning: versions of the function that earlier changes published may be left, and"
            f" cost what SnapStart costs. {sentence}"
        )


class _Function:
    """The function that signs."""

    def __init__(self, stack: Stack) -> None:
        self._lambda = stack.client("lambda")
        self._name = stack.issue_function
        self._revision: str | None = None

    def live_version(self) -> str:
        """Return the version that answers."""
        alias = self._lambda.get_alias(FunctionName=self._name, Name=_ALIAS)
        if (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights"):
            raise CommandError("A deployment is under way: run the command again when it is over.")
        self._revision = alias.get("RevisionId")
        return str(alias["FunctionVersion"])

    def configuration(self, version: str = "$LATEST") -> dict[str, Any]:
        """Return a version's configuration."""
        answer: dict[str, Any] = self._lambda.get_function_configuration(
            FunctionName=self._name, Qualifier=version
        )
        return answer

    def publish(self, live: str, key_version: str, *, afresh: bool) -> str:
        """Return a version like the one that answers, its containers yet to come."""
        latest = self._settled()
        if _code(latest) != _code(self.configuration(live)):
            raise CommandError(
                "The function's code is not the one that answers, as after a deployment that did"
                " not finish. Deploy the stack, then run the command again."
            )
        if afresh or _mark(latest) != key_version:
            mark = f"{key_version}{_TIMES}{secrets.token_hex(4)}" if afresh else key_version
            environment = _environment(latest) | {MARK: mark}
            self._lambda.update_function_configuration(
                FunctionName=self._name, Environment={"Variables": environment}
            )
            self._settled()
        # What is published already is not published again.
        version = str(
            self._lambda.publish_version(
                FunctionName=self._name,
                CodeSha256=latest["CodeSha256"],
                Description=DESCRIPTION,
            )["Version"]
        )
        say(f"Getting containers ready (version {version}). This takes a few minutes ...")
        if _mark(self._settled(version)) != key_version:
            raise CommandError("The stack was deployed meanwhile: run the command again.")
        return version

    def put_in_place(self, version: str) -> None:
        """Let a version answer, unless a deployment has let another one meanwhile."""
        unchanged = {"RevisionId": self._revision} if self._revision else {}
        try:
            self._lambda.update_alias(
                FunctionName=self._name, Name=_ALIAS, FunctionVersion=version, **unchanged
            )
        except (ClientError, BotoCoreError) as error:
            raise OutOfReach(
                "The key was changed, but the containers were not replaced: they take it up one by"
                f" one. Run the same command again now. {aws_sentence(error)}"
            ) from None

    def versions_of_ours_but(self, version: str) -> list[str]:
        """Return the versions that this module published, less one."""
        pages = self._lambda.get_paginator("list_versions_by_function").paginate(
            FunctionName=self._name
        )
        return [
            found["Version"]
            for page in pages
            for found in page["Versions"]
            if found.get("Description") == DESCRIPTION
            and found["Version"] not in (version, "$LATEST")
        ]

    def delete(self, version: str) -> None:
        """Delete a version."""
        self._lambda.delete_function(FunctionName=self._name, Qualifier=version)

    def _settled(self, version: str = "$LATEST") -> dict[str, Any]:
        began = told = time.monotonic()
        while True:
            present = self.configuration(version)
            states = (present.get("State"), present.get("LastUpdateStatus"))
            if "Failed" in states:
                cause = present.get("LastUpdateStatusReason") or present.get("StateReason") or ""
                raise OutOfReach(f"Lambda could not get the function ready. {cause}".strip())
            if states[0] != "Pending" and states[1] != "InProgress":
                return present
            now = time.monotonic()
            if now - began > _LONGEST_SECONDS:
                raise OutOfReach("Lambda has not got the function ready: run the command again.")
            if now - told >= _TELL_SECONDS:
                told = now
                say(f"... still waiting for Lambda, {int(now - began)} seconds so far")
            time.sleep(_POLL_SECONDS)


def _environment(configuration: dict[str, Any]) -> dict[str, str]:
    environment = configuration.get("Environment") or {}
    if environment.get("Error"):
        raise OutOfReach("The function's environment cannot be read: it takes kms:Decrypt.")
    variables: dict[str, str] = environment.get("Variables") or {}
    return variables


def _mark(configuration: dict[str, Any]) -> str | None:
    mark = _environment(configuration).get(MARK)
    return mark.partition(_TIMES)[0] if mark else None


def _code(configuration: dict[str, Any]) -> tuple[str, list[str]]:
    layers = configuration.get("Layers") or []
    return configuration["CodeSha256"], [layer["Arn"] for layer in layers]
