"""The command line: parse, one call, print.

Heavy things are imported inside the commands, so that `--help` answers at once and writing
never loads torch.  Each family of commands has its own module, and one line below that adds it.

Exit status: 0 done, 1 a fault of ours, 2 something the user can mend,
130 interrupted.
"""

from __future__ import annotations

import os
import sys

import typer

from handwriter.cli import evaluating, learning, reading, writing
from handwriter.cli.printing import say
from handwriter.errors import HandwriterError

app = typer.Typer(
    help="Writes any text as a person would, pen stroke by pen stroke.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(writing.commands)
app.add_typer(reading.commands)
app.add_typer(learning.commands)
app.add_typer(evaluating.commands)


def main() -> None:
    """Run the command line; every error ends in one line and an exit status."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command; returns its exit status."""
    try:
        status = int(app(arguments, prog_name="handwriter", standalone_mode=False) or 0)
        # Typer makes this status of Ctrl-C, without a word.
        return _failed("interrupted", 130) if status == 130 else status
    except HandwriterError as error:
        return _failed(str(error), 2)
    except typer.TyperException as error:
        return _failed(f"{error.format_message()} (see --help)", 2)
    except (KeyboardInterrupt, typer.Abort):
        return _failed("interrupted", 130)
    except BrokenPipeError:
        sys.stdout = None  # nobody reads what is left in it
        return 0
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "onnx", "safetensors", "tensorboard"):
            raise
        return _failed(f"this needs {error.name}; run `pip install 'handwriter[train]'`", 2)
    except Exception as error:
        if os.environ.get("HANDWRITER_DEBUG"):
            raise
        return _failed(
            f"a fault in handwriter itself ({type(error).__name__}: {error}); please report it, "
            "with what HANDWRITER_DEBUG=1 prints",
            1,
        )


def _failed(message: str, status: int) -> int:
    """Print one line, whatever the message holds."""
    say(" ".join(message.split()))
    return status
