"""Where a command's file goes: to a path, or to standard output, which is called "-"."""

from __future__ import annotations

import sys
from pathlib import Path

from handwriter.errors import BadOption


def is_standard(file: Path) -> bool:
    """Whether standard input or output is meant, not a file."""
    return str(file) == "-"


def called(output: Path) -> str:
    """What to call the output in a message."""
    return "standard output" if is_standard(output) else str(output)


def output_suffix(output: Path, format: str | None, *, as_json: bool) -> str:
    """The suffix of the format to write, which --format names where the output does not.

    Raises BadOption now for what would stop `give` later: no format, an unknown one, no folder,
    or standard output that is wanted for the file and for --json.
    """
    from handwriter.output import FORMATS, check_output

    names = ", ".join(suffix.removeprefix(".") for suffix in FORMATS)
    asked = f".{format.lower().removeprefix('.')}" if format else ""
    suffix = output.suffix.lower()
    if asked and asked not in FORMATS:
        raise BadOption(f"--format is {format!r}; choose one of {names}")
    if asked and suffix in FORMATS and suffix != asked:
        raise BadOption(f"{str(output)!r} is no {format}; change its suffix, or leave --format out")
    if is_standard(output):
        if as_json:
            raise BadOption("--json and -o - both take standard output; give -o a file")
        if not asked:
            raise BadOption(f"standard output has no suffix; add --format, one of {names}")
    else:
        check_output(output, asked or suffix)
    return asked or suffix


def give(output: Path, content: bytes) -> None:
    """Write the file whole, or all of it to standard output; raises BadOption if it cannot be.

    What is no text goes to no terminal.
    """
    if not is_standard(output):
        from handwriter.output import write_file

        write_file(output, content)
        return
    if sys.stdout.isatty() and not _is_text(content):
        raise BadOption("this format is not for a terminal; send it on by a pipe, or to a file")
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def _is_text(content: bytes) -> bool:
    try:
        return "\0" not in content.decode()
    except UnicodeDecodeError:
        return False
