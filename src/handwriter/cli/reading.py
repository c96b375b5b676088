"""The command that reads: `read`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handwriter.cli.options import AsJson, Format, Quiet, ReaderName
from handwriter.cli.outputs import is_standard
from handwriter.cli.printing import counted, say
from handwriter.cli.texts import text_lines
from handwriter.errors import BadOption

if TYPE_CHECKING:
    from handwriter.ink import Line

commands = typer.Typer()


@commands.command(epilog="Example: handwriter read notes.inkml; or with --json, for programs")
def read(
    file: Annotated[
        Path,
        typer.Argument(help="Ink: .jsonl, .inkml, or .svg of single strokes; - is standard input."),
    ],
    truth: Annotated[
        Path | None,
        typer.Option("--truth", help="What it says: a text file, one line a line of ink."),
    ] = None,
    reader: ReaderName = None,
    format: Format = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Read ink: what each line says, and where that is doubtful.

    Doubtful characters are marked, with how sure the reader is of them. Where it is known what
    the ink says, from the file or by --truth, the error rates of characters (CER) and words
    (WER) follow.
    """
    from handwriter.interchange import read_ink
    from handwriter.reader import load_reader
    from handwriter.transcript import Tally, transcribe
    from handwriter.weights import DEFAULT_READER

    if is_standard(file):
        _check_pipe(format, truth)
    lines, left_out = read_ink(file, f".{format}" if format else "")
    if truth is not None:
        lines = _with_truth(list(lines), truth)
    tally = Tally()
    for transcript in transcribe(load_reader(reader or DEFAULT_READER), lines):
        print(transcript.as_json() if as_json else transcript.as_text())
        tally.add(transcript)
    if quiet:
        return
    if left_out:
        counts = ", ".join(f"{what} {n:,}" for what, n in left_out.items())
        say(f"{file}: left out, since they are no pen strokes: {counts}")
    if tally.n_known and as_json:
        say(str(tally))
    elif tally.n_known:
        print(tally)


def _check_pipe(format: str | None, truth: Path | None) -> None:
    """Raise BadOption where ink from standard input cannot be read with these options."""
    from handwriter.interchange import SUFFIXES

    if format is None:
        names = ", ".join(suffix.removeprefix(".") for suffix in SUFFIXES)
        raise BadOption(f"standard input has no suffix; add --format, one of {names}")
    if truth is not None and is_standard(truth):
        raise BadOption("the ink and --truth both come from standard input; give one a file")


def _with_truth(lines: list[Line], file: Path) -> list[Line]:
    """The lines with the texts of a file, whatever they had before."""
    texts = text_lines(None, file)
    if len(texts) != len(lines):
        raise BadOption(
            f"{file} has {counted(len(texts), 'line')} of text, but there are {len(lines):,} of "
            "ink; give one line of text a line of ink"
        )
    return [replace(line, text=text) for line, text in zip(lines, texts, strict=True)]
