"""The command line: parse, one call, print.

Heavy things are imported inside the commands, so that `--help` answers at once and writing
never loads torch.  Each family of commands has its own module, and one line below that adds it.

Exit status: 0 done, 1 a fault of ours, 2 something the user can mend, 130 interrupted.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from handwriter.cli import evaluating, learning, pages, reading, writing
from handwriter.cli.config import default_map
from handwriter.cli.printing import say
from handwriter.errors import BadOption, HandwriterError

LEARNING_TOOLS = {"torch", "onnx", "safetensors", "tensorboard"}

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(writing.commands)
app.add_typer(pages.commands)
app.add_typer(reading.commands)
app.add_typer(learning.commands)
app.add_typer(evaluating.commands)


def _print_version(is_asked: bool) -> None:
    from importlib.metadata import version

    if is_asked:
        print(f"handwriter {version('handwriter')}")
        raise typer.Exit


@app.callback()
def _before_any_command(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option("--config", help="Take the defaults from this file, not handwriter.toml."),
    ] = None,
    no_config: Annotated[
        bool, typer.Option("--no-config", help="Pass handwriter.toml by.")
    ] = False,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Writes any text as a person would, pen stroke by pen stroke."""
    if config and no_config:
        raise BadOption("give --config or --no-config, not both")
    if not no_config:
        context.default_map = default_map(context, config)


def main() -> None:
    """Run the command line; every error ends in one line and an exit status."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command; returns its exit status."""
    try:
        colour = False if os.environ.get("NO_COLOR") else None  # None: on terminals only
        status = app(arguments, prog_name="handwriter", standalone_mode=False, color=colour)
        sys.stdout.flush()
        match int(status or 0):
            case 130:  # Typer makes this status of Ctrl-C, without a word
                return _failed("interrupted", 130)
            case 0:
                return 0
            case _:  # Typer has told what it did not understand
                return 2
    except HandwriterError as error:
        return _failed(str(error), 2)
    except typer.TyperException as error:
        return _failed(f"{error.format_message()} (see --help)", 2)
    except (KeyboardInterrupt, typer.Abort):
        return _failed("interrupted", 130)
    except BrokenPipeError:
        sys.stdout = None  # nobody reads what is left in it
        return 0
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # Typer makes status 1 of it
            return 0
        raise
    except Exception as error:
        return _failed(*_told(error))


def _told(error: Exception) -> tuple[str, int]:
    """What to say of an error that no command expected, and the exit status."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        sys.stdout = None  # it has no room for what is left in it
        return "the disk is full; free some space, or save to another disk", 2
    if isinstance(error, ModuleNotFoundError) and error.name in LEARNING_TOOLS:
        return f"this needs {error.name}; run `pip install 'handwriter[train]'`", 2
    if os.environ.get("HANDWRITER_DEBUG"):
        raise error
    return (
        f"a fault in handwriter itself ({type(error).__name__}: {error}); please report it, "
        "with what HANDWRITER_DEBUG=1 prints",
        1,
    )


def _failed(message: str, status: int) -> int:
    """Print one line, whatever the message holds."""
    say(" ".join(message.split()))
    return status
