"""Defaults from `handwriter.toml`: a table a command, its keys named like the long options.

    [write]
    smoothness = 1.0
    check = false

    [data.show]
    lines = 10

The user's own file comes first, then the one in the current folder, whose values win.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, get_args, get_type_hints

import typer

from handwriter.errors import BadOption

NAME = "handwriter.toml"


def default_map(context: typer.Context, file: Path | None) -> dict[str, Any]:
    """The defaults of every command by the names of its parameters, nested as commands are.

    They come from `file` alone, or else from the files that lie where they are looked for.
    Raises BadOption, which names file and key, where a file cannot be used as it is.
    """
    found: dict[str, Any] = {}
    for path in [file] if file else [path for path in places() if path.exists()]:
        _merge(found, _of_group(context, context.command, _read(path), str(path)))
    return found


def places() -> list[Path]:
    """Where a file is looked for: the user's configuration folder, then the current folder."""
    return [Path(typer.get_app_dir("handwriter")) / NAME, Path(NAME)]


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise BadOption(f"cannot read {path} ({error.strerror}); give a TOML file") from None
    except UnicodeDecodeError as error:
        raise BadOption(
            f"{path} is not UTF-8 text (byte {error.start + 1}); save it as UTF-8 first"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise BadOption(
            f"{path} is not TOML: {error}; mend it, or pass it by: --no-config"
        ) from None


def _of_group(
    context: typer.Context, group: Any, table: dict[str, Any], file: str, above: str = ""
) -> dict[str, Any]:
    """The defaults of the commands in a group, from a table of their tables."""
    found = {}
    for name, inner in table.items():
        command, key = group.commands.get(name), f"{above}{name}"
        if command is None:
            raise BadOption(f"{file}: there is no command {key!r}; {_choice(group.commands)}")
        if not isinstance(inner, dict):
            raise BadOption(f"{file}: {key} is {inner!r}; make it a table, [{key}]")
        if hasattr(command, "commands"):
            found[name] = _of_group(context, command, inner, file, f"{key}.")
        else:
            found[name] = _of_command(context, command, inner, f"{file}: {key}")
    return found


def _of_command(
    context: typer.Context, command: Any, table: dict[str, Any], where: str
) -> dict[str, Any]:
    """The defaults of one command, from a table of its options."""
    options, kinds = _options(command), get_type_hints(command.callback)
    found = {}
    for key, value in table.items():
        if key not in options:
            raise BadOption(f"{where} has no option {key!r}; {_choice(options)}")
        option = options[key]
        wanted = _expected(kinds[option.name])
        if type(value) not in wanted:
            names = {bool: "true or false", int: "a whole number", float: "a number"}
            raise BadOption(
                f"{where}.{key} is {value!r}; make it {names.get(wanted[-1], 'a string')}"
            )
        try:
            option.process_value(context, value)
        except typer.TyperException as error:
            raise BadOption(f"{where}.{key} is {value!r}: {error.format_message()}") from None
        found[option.name] = value
    return found


def _options(command: Any) -> dict[str, Any]:
    """The command's options by their long names, without the dashes."""
    return {
        name.removeprefix("--"): parameter
        for parameter in command.params
        for name in parameter.opts
        if name.startswith("--") and name != "--help"
    }


def _expected(kind: Any) -> tuple[type, ...]:
    """The TOML types that an option takes; the last is the one that it is named after."""
    (kind,) = [one for one in get_args(kind) or (kind,) if one is not type(None)]
    return {bool: (bool,), int: (int,), float: (int, float)}.get(kind, (str,))


def _choice(names: Any) -> str:
    return f"choose one of {', '.join(names)}"


def _merge(below: dict[str, Any], above: dict[str, Any]) -> None:
    """Put a mapping over another, table by table."""
    for key, value in above.items():
        if isinstance(value, dict):
            _merge(below.setdefault(key, {}), value)
        else:
            below[key] = value
