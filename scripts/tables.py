"""Make the Markdown tables of docs/results.md from what `handwriter evaluate … --json` prints.

`handwriter evaluate open --data lines.npz --json | python scripts/tables.py`; what the rows tell,
legibility, characters, traits or classifiers, they show by themselves.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from handwriter.alphabet import KINDS
from handwriter.evaluation import TRAITS

Row = Mapping[str, Any]


def main() -> None:
    print("\n".join(tables([json.loads(row) for row in sys.stdin if row.strip()])))


def tables(rows: Sequence[Row]) -> list[str]:
    """The lines of Markdown for the rows of one command."""
    legible = [row for row in rows if "character_error_rate" in row]
    traits = [row for row in rows if "trait" in row]
    shares = [row for row in rows if "cursive" in row]
    characters = [row for row in rows if "character" in row]
    told = [row for row in rows if "accuracy" in row]
    found: list[str] = []
    for some, table in (
        (legible, legibility), (legible, aims), (traits, likeness), (shares, manners),
        (characters, too_few), (told, classifiers),
    ):  # fmt: skip
        if some:
            found += [*([""] if found else []), *table(some)]
    return found


def legibility(rows: Sequence[Row]) -> Iterator[str]:
    yield from markdown(
        ["smoothness", "", "lines", "CER %", "to people", "WER %", "worst line %", "broken %",
         "unfinished %", "drafts a line", "seconds a line", *(f"{kind} %" for kind in KINDS),
         *TRAITS],
        (
            [
                "" if row["smoothness"] is None else f"{row['smoothness']:g}",
                row["how"],
                str(row["lines"]),
                percent(row["character_error_rate"]),
                f"{row['to_people']:.2f}" if row["to_people"] else "",
                percent(row["word_error_rate"]),
                percent(row["worst_line"]),
                percent(row["broken"]),
                percent(row["unfinished"]),
                f"{row['candidates']:.1f}",
                f"{row['seconds']:.3f}",
                *(percent(row["missed"][kind]) if kind in row["missed"] else "" for kind in KINDS),
                *(spread(row[name]) for name in TRAITS),
            ]
            for row in rows
        ),
    )  # fmt: skip


def aims(rows: Sequence[Row]) -> Iterator[str]:
    """What is asked of a hand, beside what was measured; what was not measured is left out."""
    found = {(row["smoothness"], row["how"]): row for row in rows}
    raw = {smoothness: found.get((smoothness, "raw")) for smoothness in (0.0, 1.5)}
    checked = found.get((1.5, "checked"))
    measured = []
    for smoothness, most in ((0.0, 1.5), (1.5, 0.7)):
        if row := raw[smoothness]:
            measured += [
                (f"raw at {smoothness:g}: CER at most {most:g} times people's",
                 _to_people(row, f"{percent(row['character_error_rate'])} %")),
                (f"broken at {smoothness:g}: at most {2 if smoothness == 0 else 0.5:g} %",
                 f"{percent(row['broken'])} %"),
                (f"unfinished at {smoothness:g}: at most 0.5 %", f"{percent(row['unfinished'])} %"),
            ]  # fmt: skip
    if row := raw[1.5]:
        measured.append(("no kind of character worse than 3 times the lower case, raw at 1.5",
                         f"{row['worst_to_lower_case']:.1f} times"))  # fmt: skip
    if checked:
        measured += [
            ("checked at 1.5: CER at most a fifth of people's",
             _to_people(checked, f"{100 * checked['character_error_rate']:.2f} %")),
            ("checked: no line over 20 %", f"{percent(checked['worst_line'])} %"),
        ]  # fmt: skip
    if checked and (row := raw[1.5]):
        measured.append(("checked: at most the time of 10 raw lines",
                         f"{checked['seconds'] / row['seconds']:.1f}"))  # fmt: skip
    if measured:
        yield from markdown(["asked", "measured"], measured)


def _to_people(row: Row, rate: str) -> str:
    """An error rate beside people's, where there were any."""
    return f"{row['to_people']:.2f} times ({rate})" if row["to_people"] else rate


def likeness(rows: Sequence[Row]) -> Iterator[str]:
    smoothnesses = sorted({row["smoothness"] for row in rows if row["how"] == "raw"})
    of = {(row["trait"], row["smoothness"]): row for row in rows if row["how"] == "raw"}
    halves = {row["trait"]: row for row in rows if row["how"] != "raw"}
    first, *others = smoothnesses
    yield from markdown(
        ["trait", "people", f"smoothness {first:g}", "d", "KS", *(f"d at {s:g}" for s in others),
         "half against half, d"],
        (
            [
                trait.replace("_", " "),
                spread(of[trait, first]["people"]),
                spread(of[trait, first]["others"]),
                f"{of[trait, first]['d']:+.2f}",
                f"{of[trait, first]['ks']:.2f}",
                *(f"{of[trait, s]['d']:+.2f}" for s in others),
                f"{halves[trait]['d']:+.2f}",
            ]
            for trait in halves
        ),
    )  # fmt: skip


def manners(rows: Sequence[Row]) -> Iterator[str]:
    yield from markdown(
        ["", "print %", "cursive %", "mixed %"],
        (
            [
                "people" if row["smoothness"] is None else f"smoothness {row['smoothness']:g}",
                *(f"{100 * row[name]:.0f}" for name in ("print", "cursive", "mixed")),
            ]
            for row in rows
        ),
    )


def too_few(rows: Sequence[Row]) -> Iterator[str]:
    """How many characters are read often enough, and which are not."""
    short = [row for row in rows if not row["enough"]]
    yield f"{len(rows) - len(short)} of {len(rows)} characters are read often enough."
    if short:
        yield ""
        yield from markdown(
            ["character", "right", "words", "read instead"],
            (
                [
                    f"`` {row['character']} ``",
                    str(row["right"]),
                    str(row["words"]),
                    ", ".join(
                        f"`` {read or 'nothing'} `` {n}" for read, n in row["instead"].items()
                    ),
                ]
                for row in short
            ),
        )


def classifiers(rows: Sequence[Row]) -> Iterator[str]:
    yield from markdown(
        ["told by", "right %", "standard error", "lines of each kind", "writers"],
        (
            [
                row["how"],
                percent(row["accuracy"]),
                percent(row["standard_error"]),
                str(row["lines"]),
                str(row["writers"]),
            ]
            for row in rows
        ),
    )


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def percent(share: float) -> str:
    return f"{100 * share:.1f}"


def spread(pair: Sequence[float]) -> str:
    return f"{pair[0]:.2f} ± {pair[1]:.2f}"


if __name__ == "__main__":
    main()
