"""What `evaluate` does besides: each character alone, and hands beside people."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handwriter.cli.printing import counted, print_json, say, with_bar
from handwriter.errors import BadData, BadOption

if TYPE_CHECKING:
    from PIL import Image

    from handwriter.hand import Hand
    from handwriter.ink import Line
    from handwriter.training.lines import Lines


def show_characters(
    hand: str, reader: str | None, words: int | None, smoothness: float | None,
    candidates: int, seed: int, checked: bool, output: Path | None, as_json: bool, quiet: bool,
) -> None:  # fmt: skip
    """Print how often each character is read rightly; draw all words, where that is asked."""
    from handwriter.author import Author
    from handwriter.characters import N_WORDS, attempts, n_attempts, scores, sheet
    from handwriter.hand import load
    from handwriter.pieces import DEFAULT_SMOOTHNESS

    author = Author.of(load(hand), reader)
    n_words = words or N_WORDS
    going = attempts(
        author, words=n_words, seed=seed, candidates=candidates, checked=checked,
        smoothness=DEFAULT_SMOOTHNESS if smoothness is None else smoothness,
    )  # fmt: skip
    found = list(with_bar(going, n_attempts(author, n_words), "writing words", quiet))
    if output is not None:
        _save_picture(sheet(found), output, author.hand)
    rows = [score.row() for score in scores(found, author.reader.characters)]
    if as_json:
        for row in rows:
            print_json(row)
        return
    _print_characters(rows)
    _say_saved(output, quiet)


def show_likeness(
    hand: str, data: Path, leave_out: Sequence[str], n: int, smoothnesses: Sequence[float],
    seed: int, output: Path | None, as_json: bool, quiet: bool,
) -> None:  # fmt: skip
    """Print how the hand's lines differ from people's with the same texts, and draw it."""
    from handwriter.hand import load
    from handwriter.likeness import differences, halves, looks, manners, picture

    writer = load(hand)
    people = _people(writer, data, leave_out, n, quiet)
    tables = {}
    for smoothness in smoothnesses:
        _, written = _twins(writer, people, smoothness, seed, quiet)
        tables[smoothness] = looks([written.line(i) for i in range(len(written))])
    own = looks([people.line(i) for i in range(len(people))])
    first = halves(people.writers)
    rows: list[dict[str, Any]] = [
        {"how": "people, half against half", "smoothness": None, **found.row()}
        for found in differences(own[first], own[~first])
    ]
    rows += [
        {"how": "raw", "smoothness": smoothness, **found.row()}
        for smoothness, table in tables.items()
        for found in differences(own, table)
    ]
    shares: list[dict[str, Any]] = [{"how": "people", "smoothness": None, **manners(own)}]
    shares += [{"how": "raw", "smoothness": s, **manners(table)} for s, table in tables.items()]
    if output is not None:
        foot = f"{counted(len(people), 'line')} of people, and the same texts by {writer.name}, raw"
        samples = {f"smoothness {s:g}": table for s, table in tables.items()}
        _save_picture(picture(own, samples, foot), output, writer)
    if as_json:
        for row in [*rows, *shares]:
            print_json(row)
        return
    _print_differences(rows)
    _print_shares(shares)
    _say_saved(output, quiet)


def show_told(
    hand: str, data: Path, leave_out: Sequence[str], n: int, smoothness: float, seed: int,
    as_json: bool, quiet: bool,
) -> None:  # fmt: skip
    """Print how well the hand's lines are told from people's with the same texts."""
    from handwriter.hand import load
    from handwriter.likeness import looks, told_by_traits
    from handwriter.training.turing import EPOCHS, told_by_network

    writer = load(hand)
    people = _people(writer, data, leave_out, n, quiet)
    real, written = _twins(writer, people, smoothness, seed, quiet, as_tall=True)
    traits_of_real, traits_of_written = (
        looks([lines.line(i) for i in range(len(lines))]) for lines in (real, written)
    )
    by_network = told_by_network(
        real, written, seed=seed,
        watch=lambda epochs: with_bar(epochs, 2 * EPOCHS, "learning to tell", quiet),
    )  # fmt: skip
    by_traits = told_by_traits(traits_of_real, traits_of_written, real.writers)
    rows = [by_traits.row(), by_network.row()]
    if as_json:
        for row in rows:
            print_json({"smoothness": smoothness, **row})
        return
    _print_told(rows, smoothness)


# --- Lines of people, and the same by a hand ---------------------------------------------------


def _people(hand: Hand, data: Path, leave_out: Sequence[str], n: int, quiet: bool) -> Lines:
    """Validation lines whose text the hand can write: at most n, evenly from all of them."""
    from handwriter.training.lines import Lines, load_lines

    lines = load_lines(data)
    wanted = lines.where("validation", leave_out).tolist()
    known = {*hand.characters, " "}
    usable = [i for i in wanted if lines.texts[i].strip() and set(lines.texts[i]) <= known]
    if len(usable) < 2:
        raise BadData(
            f"{data} has {counted(len(usable), 'validation line')} that {hand.name} can write, of "
            f"{len(wanted):,}; at least two are compared: give another --data"
        )
    if len(usable) < len(wanted) and not quiet:
        say(f"{len(wanted) - len(usable):,} of {counted(len(wanted), 'validation line')} left out: "
            f"{hand.name} lacks a character of their text")  # fmt: skip
    chosen = [lines.line(i) for i in spread_over(usable, n)]
    return Lines.from_lines(chosen, lines.recipe, lines.unit, {})


def spread_over(numbers: Sequence[int], n: int | None) -> list[int]:
    """At most n of the numbers, evenly from the first to the last; all where n is not given."""
    if n is None or n >= len(numbers):
        return list(numbers)
    return [numbers[i * len(numbers) // n] for i in range(n)]


def _twins(
    hand: Hand, people: Lines, smoothness: float, seed: int, quiet: bool, *, as_tall: bool = False
) -> tuple[Lines, Lines]:
    """People's lines, and the same texts as the hand writes them, rounded to the same unit.

    A pair is left out, and told, where the written line is too long to be stored.
    """
    from handwriter import likeness
    from handwriter.ink import Line
    from handwriter.training.lines import Lines, fits

    real = [people.line(i) for i in range(len(people))]
    going = hand.iter_lines(people.texts, smoothness=smoothness, seed=seed)
    what = f"writing at smoothness {smoothness:g}"
    pairs: list[tuple[Line, Line]] = []
    for line, ink in zip(real, with_bar(going, len(real), what, quiet), strict=True):
        shown = likeness.as_tall(ink, line.ink) if as_tall else ink
        if fits(shown, people.unit):
            pairs.append((line, Line(shown, line.text, line.writer, line.split, line.source)))
    if len(pairs) < len(real):
        say(f"{counted(len(real) - len(pairs), 'line')} left out: the pen ran off the paper")
    if len(pairs) < 2:
        raise BadData(f"no lines that {hand.name} wrote can be compared; use another hand")
    both: Iterator[Sequence[Line]] = zip(*pairs, strict=True)
    a, b = (Lines.from_lines(lines, people.recipe, people.unit, {}) for lines in both)
    return a, b


# --- Tables ------------------------------------------------------------------------------------


def print_table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns flush right; on paper and in a pipe as wide as they need."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None)
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))  # what was read is no markup
    Console(width=None if sys.stdout.isatty() else 140).print(table)


def _print_characters(rows: Sequence[dict[str, Any]]) -> None:
    from handwriter.characters import ALIKE_TOLD

    shown = []
    for row in rows:
        instead = ", ".join(
            f"{found or 'nothing'} {n}" for found, n in list(row["instead"].items())[:6]
        )
        note = "too few" if row["known_to_reader"] else "unknown to the reader"
        shown.append(
            (
                row["character"].replace(" ", "' '"),
                row["kind"],
                f"{row['right']} of {row['words']}",
                "" if row["enough"] else note,
                row["alike"],
                instead,
            )
        )
    print_table(["character", "kind", "right", "", "like", "read instead"], shown)
    n_enough = sum(row["enough"] for row in rows)
    print(
        f"\n{n_enough} of {len(rows)} characters are read often enough (18 of 20, signs 15 of 20)."
    )
    print(f"{ALIKE_TOLD}.")


def _print_differences(rows: Sequence[dict[str, Any]]) -> None:
    shown = [
        (
            row["trait"].replace("_", " "),
            row["how"] if row["smoothness"] is None else f"smoothness {row['smoothness']:g}",
            *(f"{row[who][0]:.2f} \u00b1 {row[who][1]:.2f}" for who in ("people", "others")),
            f"{row['d']:+.2f}",
            f"{row['ks']:.2f}",
            row["verdict"],
        )
        for row in sorted(rows, key=lambda row: _trait_number(row["trait"]))
    ]
    print_table(["trait", "", "people", "compared", "d", "KS", ""], shown)


def _trait_number(trait: str) -> int:
    from handwriter.likeness import TRAITS

    return TRAITS.index(trait)


def _print_shares(shares: Sequence[dict[str, Any]]) -> None:
    from handwriter.likeness import CLOSE, CURSIVE, NEAR, PRINT

    print()
    print_table(
        ["", "print", "cursive", "between"],
        [
            (
                "people" if row["smoothness"] is None else f"smoothness {row['smoothness']:g}",
                *(f"{100 * row[name]:.0f} %" for name in ("print", "cursive", "mixed")),
            )
            for row in shares
        ],
    )
    print(
        f"\nclose: d up to {CLOSE[0]:g} and KS up to {CLOSE[1]:g}; near: up to {NEAR[0]:g} and "
        f"{NEAR[1]:g}. print: over {PRINT:g} lifts a joint of letters, cursive: under {CURSIVE:g}."
    )


def _print_told(rows: Sequence[dict[str, Any]], smoothness: float) -> None:
    print_table(
        ["told by", "accuracy", "real taken for real", "written for written", "lines", "writers"],
        [
            (
                row["how"],
                f"{100 * row['accuracy']:.1f} \u00b1 {100 * row['standard_error']:.1f} %",
                f"{100 * row['real_right']:.1f} %",
                f"{100 * row['written_right']:.1f} %",
                f"2 x {row['lines']:,}",
                f"{row['writers']:,}",
            )
            for row in rows
        ],
    )
    print(f"\nsmoothness {smoothness:g}, on writers that were not trained on; 50 % is perfect.")


# --- Pictures ----------------------------------------------------------------------------------


def check_picture(output: Path | None) -> None:
    """Raise BadOption before any work where no picture can be saved there."""
    from handwriter.output import check_output

    if output is None:
        return
    if output.suffix.lower() != ".png":
        raise BadOption(
            f"the picture is a PNG; give -o a name that ends in .png, not {output.name!r}"
        )
    check_output(output)


def _save_picture(image: Image.Image, output: Path, hand: Hand) -> None:
    from handwriter.output import write_file
    from handwriter.picture import png_of

    write_file(output, png_of(image, hand.name, hand.licence))


def _say_saved(output: Path | None, quiet: bool) -> None:
    if output is not None and not quiet:
        say(str(output))
