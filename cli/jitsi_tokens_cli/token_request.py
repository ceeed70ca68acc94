"""Options of `token issue` that need more reading than typer does."""

from jitsi_tokens_cli.errors import CommandError

_SWITCHES = {"true": True, "false": False}


def not_before_value(text: str) -> int | str:
    """Return a time as the service takes it: epoch seconds as a number, the rest as it is."""
    return int(text) if text.isascii() and text.isdecimal() else text


def switches(options: list[str]) -> dict[str, bool]:
    """Return the switches of `NAME=true` and `NAME=false`.

    Raises:
        CommandError: an option is of another form, or a feature is named twice.
    """
    features: dict[str, bool] = {}
    for option in options:
        name, _, value = option.partition("=")
        if value not in _SWITCHES:
            raise CommandError("A feature is given as NAME=true or NAME=false.")
        if name in features:
            raise CommandError("A feature is given twice.")
        features[name] = _SWITCHES[value]
    return features
