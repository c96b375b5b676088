"""Choose the styles that come with a hand: lines that it wrote itself, legible and unlike.

Run it from anywhere: `python scripts/styles.py HAND [--reader NAME]`, HAND an installed hand's
name or a file.  NAME.styles.jsonl appears beside the hand; with the same hand and options, the
same styles.  It prints how each style looks, and how lines that are primed with it do.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import handwriter
from handwriter import Ink, Line, Style, Written
from handwriter.author import UNIT
from handwriter.edits import Errors, character_errors
from handwriter.errors import BadData
from handwriter.output import render, write_file
from handwriter.styles import style_of
from handwriter.traits import Traits, traits
from handwriter.weights import STYLES, installed_hands

NAMES = (
    "alder", "ash", "birch", "cedar", "elm", "hazel", "larch", "maple", "oak", "pine", "rowan",
    "willow",
)  # fmt: skip
TEXTS = (
    "A quick fox jumped over it",
    "Five jars of good plum jam",
    "Why did the bank close?",
    "Haze lay over the big town",
    "Mary walked up the hill",
    "Six vows kept by my judge",
)
TRIALS = ("having read all day,", "they went back to the farm", "a jumble of quiet voices")
SMOOTHNESSES = (0.0, 0.25, 0.5)  # varied as people are
STEADIER = (0.75, 1.0)  # for a hand of which too few of those lines can be read
ENOUGH = 6  # legible lines for each style to choose from
TRIAL_SMOOTHNESS = 1.0
MOST_UNEVEN = 0.7  # a share: the more uneven rest of what can be read is left out
MOST_TRIED = 72  # legible candidates that are tried as styles
MOST_ILLEGIBLE = 0.5  # a share: so many of the tried, the worst, are left out


@dataclass(frozen=True, eq=False)
class Candidate:
    """A line that may become a style, how it looks, and how lines written in it do."""

    written: Written
    style: Style
    look: Traits
    strokes: float  # a character
    trials: tuple[Written, ...]
    errors: Errors

    @property
    def place(self) -> list[float]:
        """Where it stands among the candidates: what is to differ."""
        return [self.look.slant, self.look.size, self.look.spacing, self.strokes]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("hand")
    parser.add_argument("--reader", default="open")
    parser.add_argument("--styles", type=int, default=10, help="how many (at most 12)")
    parser.add_argument("--lines", type=int, default=600, help="drawn at each smoothness")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    hand, reader = handwriter.load(arguments.hand), handwriter.load_reader(arguments.reader)
    enough = ENOUGH * arguments.styles
    legible = legible_lines(hand, reader, arguments.lines, arguments.seed, enough)
    tried = tried_candidates(hand, reader, most_even(legible)[:MOST_TRIED])
    best = sorted(tried, key=lambda one: one.errors.rate)
    best = best[: max(arguments.styles, round(len(best) * MOST_ILLEGIBLE))]
    chosen = sorted(unlike(best, arguments.styles), key=lambda one: one.look.slant)
    if not chosen:
        raise SystemExit("no line can be read; train the hand further")
    report(hand, chosen, tried)
    write_file(styles_file(arguments.hand), content(chosen))


def legible_lines(
    hand: handwriter.Hand, reader: handwriter.Reader, n_lines: int, seed: int, enough: int
) -> list[Written]:
    """The lines at each low smoothness that came to their end and are read as they are.

    Only while these are not enough, steadier ones follow.
    """
    texts = [TEXTS[number % len(TEXTS)] for number in range(n_lines)]
    legible: list[Written] = []
    for number, smoothness in enumerate((*SMOOTHNESSES, *STEADIER)):
        if smoothness in STEADIER and len(legible) >= enough:
            break
        lines = hand.write_lines(texts, smoothness=smoothness, seed=seed + number * n_lines)
        read = reader.read_lines(lines, spread=UNIT)
        found = [
            line
            for line, reading in zip(lines, read, strict=True)
            if line.finished and reading.text == line.text
        ]
        print(
            f"smoothness {smoothness:g}: {len(found)} of {n_lines} lines are read without an error"
        )
        legible += found
    return legible


def most_even(lines: Sequence[Written]) -> list[Written]:
    """Those whose size and baseline wander the least, the most even ones first."""
    looks = [(traits(line, len(line.text)), line) for line in lines]
    ordered = sorted(looks, key=lambda pair: pair[0].unevenness if pair[0] else np.inf)
    return [line for _, line in ordered[: round(len(ordered) * MOST_UNEVEN)]]


def tried_candidates(
    hand: handwriter.Hand, reader: handwriter.Reader, lines: Sequence[Written]
) -> list[Candidate]:
    """Each line as a style, with some short lines written in it and read."""
    tried = []
    for line in lines:
        try:
            style = style_of(hand, Line(Ink(line.strokes), line.text, source=f"seed {line.seed}"))
        except BadData as error:  # the window went astray
            print(f"left out: {error}")
            continue
        trials = hand.write_lines(TRIALS, smoothness=TRIAL_SMOOTHNESS, seed=1, style=style)
        errors = Errors()
        for trial, reading in zip(trials, reader.read_lines(trials, spread=UNIT), strict=True):
            errors += character_errors(reading.text, trial.text)
        look = traits(style.ink, len(style.text))
        assert look is not None, "what can be read is no mere dots"
        n_strokes = len(style.ink.strokes) / len(style.text)
        tried.append(Candidate(line, style, look, n_strokes, tuple(trials), errors))
    return tried


def unlike(candidates: Sequence[Candidate], n: int) -> list[Candidate]:
    """The most legible one, then always the one farthest from all that are chosen.

    Each trait counts in its own standard deviations.
    """
    if not candidates:
        return []
    places: NDArray[np.float64] = np.array([one.place for one in candidates])
    places = (places - places.mean(axis=0)) / np.maximum(places.std(axis=0), 1e-9)
    chosen = [0]
    nearest = np.hypot.reduce(places - places[0], axis=1)
    while len(chosen) < min(n, len(candidates)):
        chosen.append(int(np.argmax(nearest)))
        nearest = np.minimum(nearest, np.hypot.reduce(places - places[chosen[-1]], axis=1))
    return [candidates[number] for number in chosen]


def report(hand: handwriter.Hand, chosen: Sequence[Candidate], tried: Sequence[Candidate]) -> None:
    """Print how the styles look, and beside it how what is written in them does."""
    print("style    slant        size         spacing      strokes a char.  CER")
    rows = []
    for name, one in zip(NAMES, chosen, strict=False):
        looks = [traits(trial, len(trial.text)) for trial in one.trials if trial.n_points > 1]
        seen = [[t.slant, t.size, t.spacing] for t in looks if t]
        primed = np.mean(seen, axis=0) if seen else np.zeros(3)
        own = [one.look.slant, one.look.size, one.look.spacing]
        pairs = "  ".join(f"{a:5.2f} {b:5.2f}" for a, b in zip(own, primed, strict=True))
        print(f"{name:<8} {pairs}  {one.strokes:15.2f}  {100 * one.errors.rate:3.0f} %")
        rows.append([*own, *primed])
    table = np.array(rows)
    for number, trait in enumerate(("slant", "size", "spacing")):
        styles, lines = table[:, number], table[:, number + 3]
        r = np.corrcoef(styles, lines)[0, 1]
        off = np.abs(styles - lines).mean()
        print(f"{trait}: correlation {r:.2f}, mean difference {off:.2f}, spread {styles.std():.2f}")
    errors = sum((one.errors for one in tried), Errors())
    print(f"CER of all {len(tried)} tried: {100 * errors.rate:.0f} %; hand {hand.name}")


def content(chosen: Sequence[Candidate]) -> bytes:
    """The styles as JSON-lines, each with its name as the writer."""
    rows = render(".jsonl", [one.written for one in chosen]).decode().splitlines()
    named = [{"writer": name} | json.loads(row) for name, row in zip(NAMES, rows, strict=False)]
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in named).encode()


def styles_file(hand: str) -> Path:
    """Beside the hand's file."""
    if hand in installed_hands():
        return Path(str(resources.files("handwriter") / "hands" / f"{hand}{STYLES}"))
    return Path(hand).with_suffix(STYLES)


if __name__ == "__main__":
    main()
