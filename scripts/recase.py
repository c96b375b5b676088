"""Write people's words with the other kind of letter first: she as She, and World as world.

Run it from anywhere: `python scripts/recase.py LINES -o recased.jsonl [--reader NAME]`, LINES a
lines file.  `handwriter prepare` reads the JSON-lines like any other ink, for a reader to learn
from: it takes from the words around it what a shape does not tell, and reads She as she, which is
the more usual, however tall the S is.

C, O, S, V, W and Z have the shape of their small letters, and only their height tells which they
are.  Where a word begins with one of these in a stroke of its own, it is drawn larger or smaller,
upon the same bottom; what comes after it makes room.  `--reader` finds the letters: a line is
taken where it reads all of it but for the kind of some letters.  `--leave-out SOURCES` (beginnings,
with commas between them) passes over training lines.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

import handwriter
from handwriter.ctc import FrameTable
from handwriter.features import seen
from handwriter.ink import Array, Ink, Line
from handwriter.output import write_file
from handwriter.training.lines import load_lines
from handwriter.traits import x_height

ALIKE = "cosvwz"  # small letters of the shape of their capitals
AT_ONCE = 256
SHARE = 0.6  # of the words that can be changed
# Heights in x-heights: of letters that are taken for what they are, and of those that are made.
SMALL, TALL = (0.6, 1.25), (1.35, 2.6)
MADE_SMALL, MADE_TALL = (0.85, 1.1), (1.55, 2.1)
OVERLAP = 0.2  # x-heights that a letter may reach into its neighbours' room


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lines", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--leave-out", default="", help="sources that are passed over")
    parser.add_argument("--reader", default="open")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    reader, lines = handwriter.load_reader(arguments.reader), load_lines(arguments.lines)
    left_out = [source for source in arguments.leave_out.split(",") if source]
    own = [lines.line(i) for i in lines.where("train", left_out).tolist()]
    rng = np.random.default_rng(arguments.seed)
    made = []
    for begin in range(0, len(own), AT_ONCE):
        some = own[begin : begin + AT_ONCE]
        tables = reader.iter_frames([line.ink for line in some])
        changed = (recased(line, table, rng) for line, table in zip(some, tables, strict=True))
        made += [line for line in changed if line is not None]
    write_file(arguments.output, content(made))
    n = sum(a != b for line in made for a, b in zip(line.text, line.source, strict=True))
    print(f"{len(made)} of {len(own)} lines, {n} words changed")


def recased(line: Line, table: FrameTable, rng: np.random.Generator) -> Line | None:
    """The line with some words' first letters of the other kind; None where none can be changed.

    Its `source` is the text that it had.
    """
    height = x_height(line.ink)
    if height is None or table.reading().text.lower() != line.text.lower():
        return None
    strokes, text = list(line.ink.strokes), list(line.text)
    for place, number in first_letters(line, table, height):
        stroke, is_small = strokes[number], text[place].islower()
        least, most = SMALL if is_small else TALL
        own = float(np.ptp(stroke[:, 1])) / height
        if not least <= own <= most or rng.random() > SHARE:
            continue
        strokes = resized(
            strokes, number, rng.uniform(*(MADE_TALL if is_small else MADE_SMALL)) / own
        )
        text[place] = text[place].swapcase()
    if "".join(text) == line.text:
        return None
    return replace(line, ink=Ink(tuple(strokes)), text="".join(text), source=line.text)


def first_letters(line: Line, table: FrameTable, height: float) -> Iterator[tuple[int, int]]:
    """The words' first letters that are a stroke by themselves: their places, and their strokes.

    `height` is that of an n.
    """
    stroke_of = strokes_of(line.ink, table)
    strokes = line.ink.strokes
    for place, character in enumerate(line.text):
        begins = place == 0 or line.text[place - 1] == " "
        goes_on = place + 1 < len(line.text) and line.text[place + 1].isalpha()
        if begins and goes_on and character.lower() in ALIKE:
            number = stroke_of[place]
            before = strokes[number - 1][:, 0].max() if number else -np.inf
            left, right = strokes[number][:, 0].min(), strokes[number][:, 0].max()
            if (
                stroke_of[place + 1] == number + 1
                and before < left
                and strokes[number + 1][:, 0].min() > right - OVERLAP * height
            ):
                yield place, number


def strokes_of(ink: Ink, table: FrameTable) -> list[int]:
    """For each character of what is read the number of the stroke that it is first seen in."""
    points, is_begin = seen(ink)
    numbers: list[int] = (np.cumsum(is_begin) - 1)[table.points(len(points))].tolist()
    return numbers


def resized(strokes: list[Array], number: int, factor: float) -> list[Array]:
    """One stroke larger by a factor upon its bottom, and what comes after it moved by as much."""
    left, bottom = strokes[number][:, 0].min(), strokes[number][:, 1].max()
    wider = (factor - 1) * float(np.ptp(strokes[number][:, 0]))
    corner = np.array([left, bottom])
    return [
        *strokes[:number],
        corner + factor * (strokes[number] - corner),
        *(stroke + np.array([wider, 0.0]) for stroke in strokes[number + 1 :]),
    ]


def content(lines: list[Line]) -> bytes:
    """The lines as JSON-lines, all to train on."""
    rows = (
        {
            "split": "train",
            "text": line.text,
            "writer": line.writer,
            "strokes": [np.round(stroke, 4).tolist() for stroke in line.ink.strokes],
        }
        for line in lines
    )
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


if __name__ == "__main__":
    main()
