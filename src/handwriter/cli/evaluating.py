"""The command that measures: `evaluate`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from handwriter.cli.options import AsJson, Candidates, Quiet, ReaderName
from handwriter.cli.printing import print_json, print_report, short, with_bar
from handwriter.errors import BadOption

commands = typer.Typer()


@commands.command(
    epilog="Example: handwriter evaluate research; "
    "or handwriter evaluate runs/first/best.safetensors --data lines.npz"
)
def evaluate(
    what: Annotated[str, typer.Argument(help="A hand's name or file, or a checkpoint.")],
    data: Annotated[
        Path | None,
        typer.Option("--data", help="A lines file: the checkpoint's own, or real ink to compare."),
    ] = None,
    split: Annotated[
        str, typer.Option("--split", help="For a checkpoint: validation or train.")
    ] = "validation",
    reader: ReaderName = "research",
    sentences: Annotated[
        Path | None, typer.Option("--sentences", help="A text file in place of our 500 sentences.")
    ] = None,
    smoothness: Annotated[
        str, typer.Option("--smoothness", help="One or several, with commas between.")
    ] = "0,0.5,1,1.5,2,3",
    candidates: Candidates = 4,
    seed: Annotated[int, typer.Option("--seed", help="Of the first line.")] = 1,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Measure a hand, or recompute the figures of a checkpoint.

    A hand writes sentences that no training saw, once as its network samples them and once
    checked, at each smoothness; the reader reads them, and the validation lines of --data to
    compare.  A checkpoint that writes is told in nats and squared errors, in the normalised units
    of its training lines; one that reads, in its character error rate.
    """
    if Path(what).suffix == ".safetensors":
        _evaluate_checkpoint(Path(what), data, split, as_json)
    else:
        rows = _legibility_rows(
            what, reader, data, sentences, _numbers(smoothness), candidates, seed, quiet
        )
        _print_legibility(rows, as_json)


def _evaluate_checkpoint(checkpoint: Path, data: Path | None, split: str, as_json: bool) -> None:
    from handwriter.training.checkpoint import load_checkpoint
    from handwriter.training.lines import load_lines
    from handwriter.training.session import evaluate_checkpoint

    if data is None:
        raise BadOption("a checkpoint is evaluated on its lines; give them with --data lines.npz")
    score = vars(evaluate_checkpoint(load_checkpoint(checkpoint), load_lines(data), split))
    if as_json:
        print_json(score)
    else:
        print_report({name: short(figure) for name, figure in score.items()})


def _legibility_rows(
    hand: str, reader: str, data: Path | None, sentences: Path | None, smoothnesses: list[float],
    candidates: int, seed: int, quiet: bool,
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """A row of figures for people's lines, then for each smoothness, raw and checked."""
    from handwriter.author import Author
    from handwriter.evaluation import (
        load_sentences,
        raw_legibility,
        real_legibility,
        selected_legibility,
    )
    from handwriter.hand import load
    from handwriter.reader import load_reader

    author = Author(load(hand), load_reader(reader))
    texts = load_sentences(sentences)
    if data is not None:
        from handwriter.training.lines import load_lines

        lines = load_lines(data)
        people = [lines.line(int(i)) for i in lines.where("validation")]
        yield {"smoothness": None, "how": "people", **real_legibility(author.reader, people).row()}
    for smoothness in with_bar(iter(smoothnesses), len(smoothnesses), "evaluating", quiet):
        raw = raw_legibility(author.hand, author.reader, texts, smoothness, seed)
        checked = selected_legibility(author, texts, smoothness, seed, candidates)
        for how, found in (("raw", raw), ("checked", checked)):
            yield {"smoothness": smoothness, "how": how, **found.row()}


def _print_legibility(rows: Iterator[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        for row in rows:
            print_json(row)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None)
    for name in ("smoothness", "", "CER", "WER", "worst line", "broken", "unfinished",
                 "drawn", "slant", "size", "spacing"):  # fmt: skip
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        rates = ("character_error_rate", "word_error_rate", "worst_line", "broken", "unfinished")
        table.add_row(
            "" if row["smoothness"] is None else f"{row['smoothness']:g}",
            row["how"],
            *(f"{100 * row[name]:.1f} %" for name in rates),
            f"{row['candidates']:.1f}",
            *(f"{row[name][0]:.2f} ± {row[name][1]:.2f}" for name in ("slant", "size", "spacing")),
        )
    Console(width=120 if not sys.stdout.isatty() else None).print(table)


def _numbers(listed: str) -> list[float]:
    try:
        return [float(part) for part in listed.split(",")]
    except ValueError:
        raise BadOption(f"{listed!r} is no list of numbers; give them as 0,0.5,1") from None
