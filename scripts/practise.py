"""Let a hand practise: write many short lines as varied as people do, and keep what can be read.

Run it from anywhere: `python scripts/practise.py HAND LINES -o practice.jsonl [--reader NAME]`,
HAND an installed hand's name or a file, LINES the lines file that it was trained on.  What it
writes is taken from the training lines' texts.  `handwriter prepare` reads the JSON-lines like
any other ink, and a hand that goes on training with them too learns from its own good lines, which
teach it what its data cannot: how to go on after ink of its own.

The reader likes print that stands upright, and so would the hand after a few rounds.  So what is
kept is made to lean, join and reach up as the training lines do: lines of a kind that people write
more often come several times, others are left out.  What is drawn smoothly is narrower than what
people write, and narrower with each round: so it is stretched to be as wide as theirs (`widened`).
And a hand begins lines wide and ends them narrow, which people do not: that is mended (`evened`).
With `--primed` the lines go on from training lines (`Models`), the sooner from those of a look that
is lacking among what is kept: what hardly comes by chance, cursive above all, comes so.
`--leave-out SOURCES` (beginnings, with commas between them) names training lines that do not tell
how people write, such as those set from single letters.

Each text is drawn once, which is far cheaper than drawing until it is right, and kept where the
reader reads just that text, stretched too, but for shapes that it lets pass and people do not
(`n_misshapen`); `--surest 0.75` keeps of these the share that it is surest of, each character held
against that character elsewhere; `--again FILE` has lines of an earlier round judged and chosen
among as well.  What is misread is asked for the more often, letters, digits and signs each by the
share of them that was, and by how usual they are.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import handwriter
from handwriter import Hand, Line, Reader, Written
from handwriter.ctc import Reading
from handwriter.errors import BadData
from handwriter.misshapen import n_misshapen
from handwriter.output import render, write_file
from handwriter.training.lines import Lines, load_lines
from handwriter.training.practice_looks import (
    Models,
    as_people,
    evened,
    look_of,
    widened,
    width_of,
)
from handwriter.training.practice_texts import KINDS, Skill, invented

SPREAD = 0.95  # that of people's lines, so that short words keep their size
AT_ONCE = 256
TEXTS_A_MODEL = 16
MOST_PEOPLE = 4000  # training lines that are looked at
STRETCHED = "as even and wide as people's"  # what is no kind of text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("hand")
    parser.add_argument("lines", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--leave-out", default="", help="sources that do not tell how people write")
    parser.add_argument("--reader", default="open")
    parser.add_argument("--smoothness", type=float, default=0.0)
    parser.add_argument("--longest", type=int, default=24, help="characters of a line")
    parser.add_argument("--primed", action="store_true", help="go on from training lines")
    parser.add_argument("--kinds", default=",".join(KINDS), help="of text (all: %(default)s)")
    parser.add_argument("--keep", type=int, default=6000, help="lines that are to be kept")
    parser.add_argument("--minutes", type=float, default=60.0, help="or as many as these give")
    parser.add_argument("--surest", type=float, default=1.0, help="the share kept of what is read")
    parser.add_argument("--again", type=Path, action="append", default=[], help="an earlier round")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    hand, reader = handwriter.load(arguments.hand), handwriter.load_reader(arguments.reader)
    if not 0 < arguments.surest <= 1:
        parser.error(f"--surest is {arguments.surest:g}; give a share, above 0 and at most 1")
    kinds = arguments.kinds.split(",")
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        parser.error(f"--kinds names {unknown[0]!r}; there are {', '.join(KINDS)}")
    try:
        again = list(earlier(arguments.again))
    except (OSError, BadData) as error:
        parser.error(str(error))
    skill, kept = Skill(), Kept()
    lines = load_lines(arguments.lines)
    sources = [source for source in arguments.leave_out.split(",") if source]
    people = some_people(lines, sources)
    said = [(line.ink, line.text) for line in people]
    looks_of_people = [look for look in itertools.starmap(look_of, said) if look is not None]
    widths_of_people = [width for width in itertools.starmap(width_of, said) if width is not None]
    if not looks_of_people or not widths_of_people:
        parser.error(
            f"{arguments.lines} has no train line left that tells how people write; leave out fewer"
        )
    models = Models.of(people, hand.characters, arguments.seed) if arguments.primed else None
    if models is not None and not models.lines:
        parser.error(f"{arguments.lines} has no train line that the hand could go on from")
    texts = invented(lines, arguments.longest, arguments.seed, skill, kinds)
    end = time.monotonic() + 60 * arguments.minutes
    for number in itertools.count():
        if len(kept.lines) >= arguments.keep or time.monotonic() > end:
            break
        some = list(itertools.islice(texts, AT_ONCE))
        seed = (arguments.seed << 32) + number * AT_ONCE
        written = write(hand, [text for _, text in some], models, arguments.smoothness, seed)
        for (kind, _), (line, reading, is_right) in zip(some, judged(written, reader), strict=True):
            skill.learn(reading.text, line.text)
            kept.take(kind, line, reading, is_right)
            if models and is_right:
                models.learn(look_of(line, line.text))
    wide = Kept()
    even = widened(evened([*kept.lines, *again]), widths_of_people)
    for line, reading, is_right in judged(even, reader):
        wide.take(STRETCHED, line, reading, is_right)
    chosen = [wide.lines[i] for i in surest(wide.readings, arguments.surest, skill)]
    looks = [look_of(line, line.text) for line in chosen]
    copies = as_people(looks, looks_of_people, np.random.default_rng(arguments.seed))
    write_file(
        arguments.output,
        content([line for line, n in zip(chosen, copies, strict=True) for _ in range(n)]),
    )
    for kind in KINDS:
        print(f"{kind}: {kept.good[kind]} of {kept.tried[kind]} lines read rightly")
    for kind in wide.tried:
        print(f"{kind}: {wide.good[kind]} of {wide.tried[kind]} lines read rightly")
    n_different = sum(n > 0 for n in copies)
    print(f"the surest: {len(chosen)} lines")
    print(f"as people write: {sum(copies)} lines, {n_different} of them different ones")


@dataclass
class Kept:
    """What was read rightly, and of each kind how many lines were and how many were tried."""

    lines: list[Written] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    tried: Counter[str] = field(default_factory=Counter)
    good: Counter[str] = field(default_factory=Counter)

    def take(self, kind: str, line: Written, reading: Reading, is_right: bool) -> None:
        self.tried[kind] += 1
        if is_right:
            self.good[kind] += 1
            self.lines.append(line)
            self.readings.append(reading)


def write(
    hand: Hand, texts: Sequence[str], models: Models | None, smoothness: float, seed: int
) -> Iterator[Written]:
    """The texts in order, line i with the seed + i; some of them at a time go on from one model."""
    n = TEXTS_A_MODEL if models else max(len(texts), 1)
    for begin in range(0, len(texts), n):
        yield from hand.iter_lines(
            texts[begin : begin + n],
            smoothness=smoothness,
            seed=seed + begin,
            style=models.some() if models else None,
        )


def judged(lines: Iterable[Written], reader: Reader) -> Iterator[tuple[Written, Reading, bool]]:
    """Each line, what is read, and whether all of it is there and as it should be."""
    rest = iter(lines)
    while some := list(itertools.islice(rest, AT_ONCE)):
        for line, table in zip(some, reader.iter_frames(some, spread=SPREAD), strict=True):
            reading = table.reading()
            is_right = (
                line.finished
                and reading.text == line.text
                and not n_misshapen(line, line.text, line.begins, table, SPREAD)
            )
            yield line, reading, is_right


def earlier(paths: Iterable[Path]) -> Iterator[Written]:
    """The lines of earlier rounds, each once; raises BadData where there is something else."""
    seen: set[bytes] = set()
    for path in paths:
        with path.open("rb") as rows:
            for number, row in enumerate(rows, start=1):
                if row not in seen:
                    seen.add(row)
                    yield written_of(row, f"{path}, line {number}")


def written_of(row: bytes, where: str) -> Written:
    """The line that `content` made such a row of."""
    try:
        entry = json.loads(row)
        line = Written(
            strokes=tuple(np.array(stroke) for stroke in entry["strokes"]),
            text=entry["text"], hand=entry["hand"], licence=entry["licence"], seed=entry["seed"],
            smoothness=entry["smoothness"], finished=entry["finished"], n_steps=entry["steps"],
            begins=tuple(entry["words"]),
        )  # fmt: skip
        if len(line.begins) != len(line.text.split()):
            raise ValueError
        return line
    except (ValueError, LookupError, TypeError):
        raise BadData(f"{where}, is not what practise.py writes; give its output") from None


def surest(readings: Sequence[Reading], share: float, skill: Skill) -> list[int]:
    """The numbers of that share of the lines that the reader is surest of, in order.

    How sure it is of a character is the rank among all lines' of that character, from 0 to 1, since
    signs are never as sure as letters.  A line teaches its least sure character too, and teaches
    most of the one that is misread most often: it counts as the less sure of all of them together
    and of those that are the latter.
    """
    every: defaultdict[str, list[float]] = defaultdict(list)
    for reading in readings:
        for character, confidence in zip(reading.text, reading.confidences, strict=True):
            every[character].append(confidence)
    ordered = {character: np.sort(found) for character, found in every.items()}

    def rank(character: str, confidence: float) -> float:
        among = ordered[character]
        below, upto = (np.searchsorted(among, confidence, side) for side in ("left", "right"))
        return float(below + upto) / (2 * len(among))

    chances = []
    for reading in readings:
        ranks = list(itertools.starmap(rank, zip(reading.text, reading.confidences, strict=True)))
        weakest = max(reading.text, key=skill.misread)
        of_it = [
            r for character, r in zip(reading.text, ranks, strict=True) if character == weakest
        ]
        chances.append(min(_none_lower(ranks), _none_lower(of_it)))
    best = np.argsort(chances)[::-1][: math.ceil(share * len(chances))]
    return sorted(best.tolist())


def _none_lower(ranks: Sequence[float]) -> float:
    """The chance that the least of so many ranks drawn at random is lower than that of these."""
    return float(1 - (1 - min(ranks)) ** len(ranks))


def some_people(lines: Lines, left_out: Sequence[str]) -> list[Line]:
    """Training lines of other sources, some thousand at most."""
    own = lines.where("train", left_out)
    some = np.random.default_rng(1).permutation(own)[:MOST_PEOPLE]
    return [lines.line(i) for i in some.tolist()]


def content(kept: Sequence[Written]) -> bytes:
    """The lines as JSON-lines, all to train on: what validates is people's."""
    rows = render(".jsonl", kept).decode().splitlines()
    marked = [{"split": "train"} | json.loads(row) for row in rows]
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in marked).encode()


if __name__ == "__main__":
    main()
