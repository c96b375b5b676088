"""The command that measures: `evaluate`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from handwriter.cli.comparing import (
    check_picture,
    print_table,
    show_characters,
    show_likeness,
    show_told,
    spread_over,
)
from handwriter.cli.options import DEFAULT_CANDIDATES, AsJson, Candidates, Quiet, ReaderName
from handwriter.cli.printing import print_json, print_report, short, with_bar
from handwriter.errors import BadData, BadOption

commands = typer.Typer()

LIKENESS_LINES, TOLD_LINES = 400, 800  # unless --lines says how many
MOST_COMPARED = 4  # smoothnesses in one picture of likeness
KINDS = ("digits", "capitals", "lower case", "signs")
TRAITS = ("slant", "size", "spacing")


@commands.command(
    epilog="Example: handwriter evaluate open; "
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
    reader: ReaderName = None,
    sentences: Annotated[
        Path | None, typer.Option("--sentences", help="A text file in place of our 500 sentences.")
    ] = None,
    smoothness: Annotated[
        str | None,
        typer.Option("--smoothness", help="One or several, with commas between."),
    ] = None,
    candidates: Candidates = DEFAULT_CANDIDATES,
    seed: Annotated[int, typer.Option("--seed", help="Of the first line.")] = 1,
    characters: Annotated[
        bool, typer.Option("--characters", help="20 words with each character, read one by one.")
    ] = False,
    likeness: Annotated[
        bool, typer.Option("--likeness", help="Whether its lines look like those of --data.")
    ] = False,
    classifier: Annotated[
        bool, typer.Option("--classifier", help="Whether they can be told from those of --data.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="With --characters: choose by reading.")
    ] = True,
    lines: Annotated[
        int | None,
        typer.Option("--lines", help="At most so many sentences, real lines, or words each."),
    ] = None,
    leave_out: Annotated[
        str, typer.Option("--leave-out", help="Real lines whose source begins so, with commas.")
    ] = "",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="A .png of the words, or of how lines are spread."),
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Measure a hand, or recompute the figures of a checkpoint.

    A hand writes sentences that no training saw, once as its network samples them and once
    checked, at each smoothness; the reader reads them, and the validation lines of --data to
    compare.  A checkpoint that writes is told in nats and squared errors, in the normalised units
    of its training lines; one that reads, in its character error rate.

    --characters, --likeness and --classifier measure something else each: see docs/evaluation.md.
    """
    asked = [name for name, is_asked in (("--characters", characters), ("--likeness", likeness),
                                         ("--classifier", classifier)) if is_asked]  # fmt: skip
    if len(asked) > 1:
        raise BadOption(f"{' and '.join(asked)} are one command each; give one of them")
    if output is not None and not (characters or likeness):
        raise BadOption("-o is for a picture of --characters or --likeness; leave it out")
    if lines is not None and lines < 1:
        raise BadOption(f"--lines is {lines}; it takes a whole number from 1")
    check_picture(output)
    left_out = [source for source in leave_out.split(",") if source]
    if Path(what).suffix == ".safetensors":
        if asked:
            raise BadOption(f"{asked[0]} is for a hand; export the checkpoint first")
        _evaluate_checkpoint(Path(what), data, split, as_json)
    elif characters:
        show_characters(
            what, reader, lines, _one(smoothness), candidates, seed, check, output, as_json, quiet
        )
    elif likeness:
        show_likeness(
            what, _real(data, asked[0]), left_out, lines or LIKENESS_LINES,
            _a_few(smoothness or "0,0.5,1"), seed, output, as_json, quiet,
        )  # fmt: skip
    elif classifier:
        show_told(
            what, _real(data, asked[0]), left_out, lines or TOLD_LINES, _one(smoothness) or 0.0,
            seed, as_json, quiet,
        )  # fmt: skip
    else:
        rows = _legibility_rows(
            what, reader, data, left_out, sentences, lines,
            _numbers(smoothness or "0,0.5,1,1.5,2,3"), candidates, seed, quiet,
        )  # fmt: skip
        _print_legibility(rows, as_json)


def _real(data: Path | None, option: str) -> Path:
    if data is None:
        raise BadOption(f"{option} compares with real ink; give it with --data lines.npz")
    return data


def _a_few(smoothness: str) -> list[float]:
    numbers = list(dict.fromkeys(_numbers(smoothness)))
    if len(numbers) > MOST_COMPARED:
        raise BadOption(f"at most {MOST_COMPARED} smoothnesses are compared at a time")
    return numbers


def _one(smoothness: str | None) -> float | None:
    if smoothness is None:
        return None
    first, *more = _numbers(smoothness)
    if more:
        raise BadOption(f"--smoothness is {smoothness!r}; one number is asked for here")
    return first


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
    hand: str, reader: str | None, data: Path | None, leave_out: list[str], sentences: Path | None,
    n: int | None, smoothnesses: list[float], candidates: int, seed: int, quiet: bool,
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

    author = Author.of(load(hand), reader)
    texts = load_sentences(sentences)[:n]
    people = None
    if data is not None:
        from handwriter.training.lines import load_lines

        real = load_lines(data)
        chosen = spread_over(real.where("validation", leave_out).tolist(), n)
        if not chosen:
            raise BadData(f"{data} has no validation line left to read; give another --data")
        people = real_legibility(author.reader, [real.line(i) for i in chosen])
        yield {"smoothness": None, "how": "people", **people.row(), "to_people": None}
    asked = [(smoothness, how) for smoothness in smoothnesses for how in ("raw", "checked")]
    for smoothness, how in with_bar(iter(asked), len(asked), "evaluating", quiet):
        if how == "raw":
            found = raw_legibility(author.hand, author.reader, texts, smoothness, seed)
        else:
            found = selected_legibility(author, texts, smoothness, seed, candidates)
        ratio = found.to(people) if people else None
        yield {"smoothness": smoothness, "how": how, **found.row(), "to_people": ratio}


def _print_legibility(rows: Iterator[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        for row in rows:
            print_json(row)
        return
    found = list(rows)
    figures = ("character_error_rate", "word_error_rate", "worst_line", "broken", "unfinished")
    print_table(
        ["smoothness", "", "CER", "WER", "worst line", "broken", "unfinished", "drawn", "slant",
         "size", "spacing"],
        [
            (
                *_named(row),
                *(f"{100 * row[name]:.1f} %" for name in figures),
                f"{row['candidates']:.1f}",
                *(f"{row[name][0]:.2f} ± {row[name][1]:.2f}" for name in TRAITS),
            )
            for row in found
        ],
    )  # fmt: skip
    print("\nnot read rightly, of each kind of character:")
    print_table(
        ["smoothness", "", *KINDS, "worst to lower case", "CER to people's"],
        [
            (
                *_named(row),
                *(_percent(row["missed"].get(kind)) for kind in KINDS),
                _times(row["worst_to_lower_case"]),
                _times(row["to_people"]),
            )
            for row in found
        ],
    )


def _named(row: dict[str, Any]) -> tuple[str, str]:
    return "" if row["smoothness"] is None else f"{row['smoothness']:g}", row["how"]


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def _times(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.2f} x"


def _numbers(listed: str) -> list[float]:
    try:
        return [float(part) for part in listed.split(",")]
    except ValueError:
        raise BadOption(f"{listed!r} is no list of numbers; give them as 0,0.5,1") from None
