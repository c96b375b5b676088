"""The command that reads: `read`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handwriter.cli.options import ReaderName
from handwriter.cli.printing import counted, say
from handwriter.cli.texts import text_lines
from handwriter.errors import BadOption

if TYPE_CHECKING:
    from handwriter.ink import Line

commands = typer.Typer()


@commands.command(epilog="Example: handwriter read notes.inkml; or with --json, for programs")
def read(
    file: Annotated[Path, typer.Argument(help="Ink: .jsonl, .inkml, or .svg of single strokes.")],
    truth: Annotated[
        Path | None,
        typer.Option("--truth", help="What it says: a text file, one line a line of ink."),
    ] = None,
    reader: ReaderName = "research",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Read ink: what each line says, and where that is doubtful.

    Doubtful characters are marked, with how sure the reader is of them. Where it is known what
    the ink says, from the file or by --truth, the error rates of characters (CER) and words
    (WER) follow.
    """
    from handwriter.interchange import read_ink
    from handwriter.reader import load_reader
    from handwriter.transcript import Tally, transcribe

    lines, left_out = read_ink(file)
    if truth is not None:
        lines = _with_truth(list(lines), truth)
    tally = Tally()
    for transcript in transcribe(load_reader(reader), lines):
        print(transcript.as_json() if as_json else transcript.as_text())
        tally.add(transcript)
    if left_out:
        counts = ", ".join(f"{what} {n:,}" for what, n in left_out.items())
        say(f"{file}: left out, since they are no pen strokes: {counts}")
    if tally.n_known and as_json:
        say(str(tally))
    elif tally.n_known:
        print(tally)


def _with_truth(lines: list[Line], file: Path) -> list[Line]:
    """The lines with the texts of a file, whatever they had before."""
    texts = text_lines(None, file)
    if len(texts) != len(lines):
        raise BadOption(
            f"{file} has {counted(len(texts), 'line')} of text, but there are {len(lines):,} of "
            "ink; give one line of text a line of ink"
        )
    return [replace(line, text=text) for line, text in zip(lines, texts, strict=True)]
