"""How every command is built: the stack's options before or after it, examples, `-h`."""

from __future__ import annotations

import functools
import inspect
import os
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand

from jitsi_tokens_cli.stack import Target

if TYPE_CHECKING:
    from collections.abc import Callable


class StackCommand(TyperCommand):
    """A command that takes the options of `jitsi-tokens` that name the stack, too."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the command's own options, then those of the stack."""
        own = super().get_params(ctx)
        root = ctx.find_root()
        if root.command is self:
            return own
        names = (*Target._fields, "no_color")
        stack = [option for option in root.command.params if option.name in names]
        # Help comes last.
        return [*own[:-1], *stack, *own[-1:]]

    def invoke(self, ctx: Any) -> Any:
        """Run the command for the stack that is named last."""
        if ctx.params.pop("no_color", False):
            os.environ["NO_COLOR"] = "1"
        for name in Target._fields:
            value = ctx.params.pop(name, None)
            # Left out here, an option has the value given before the command.
            source = ctx.get_parameter_source(name)
            if source is not None and source.name == "COMMANDLINE":
                ctx.obj = ctx.obj._replace(**{name: value})
        return super().invoke(ctx)


class App(typer.Typer):
    """A group of commands."""

    def __init__(self, help_text: str = "", **settings: Any) -> None:
        # Rich's panels cut examples to the terminal, which then cannot be copied.
        super().__init__(
            help=help_text or None,
            no_args_is_help=True,
            rich_markup_mode=None,
            context_settings={"help_option_names": ["-h", "--help"]},
            **settings,
        )

    def command(self, name: str | None = None, **settings: Any) -> Callable[..., Any]:
        """Add a command; its options are `typer.Typer.command`'s."""
        return super().command(name, cls=StackCommand, **settings)


def examples(*lines: str) -> str:
    """Return the end of a command's help: examples to copy, a line each, without the prompt."""
    return "\b\n" + "\n".join(["Examples:", *(f"  {line}" for line in lines)])


def takes(options: type[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Replace a command's parameter, a named tuple, with an option for each of its fields."""
    fields = inspect.signature(options).parameters

    def decorated(command: Callable[..., None]) -> Callable[..., None]:
        # Typer reads a command's options from its signature.
        parameters: list[inspect.Parameter] = []
        for parameter in inspect.signature(command).parameters.values():
            if parameter.annotation is options:
                name, kind = parameter.name, parameter.kind
                parameters += [field.replace(kind=kind) for field in fields.values()]
            else:
                parameters.append(parameter)

        @functools.wraps(command)
        def with_options(**given: Any) -> None:
            values = {field: given.pop(field) for field in fields}
            command(**given, **{name: options(**values)})

        vars(with_options)["__signature__"] = inspect.Signature(parameters)
        return with_options

    return decorated
