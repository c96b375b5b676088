"""Whether a hand's lines look like people's: the same texts by both, compared trait by trait.

Two measures a person can read.  Cohen's d is the difference of two means in (pooled) standard
deviations: at 0.2 two bells overlap by 92 %, at 0.5 by 80 %.  The Kolmogorov-Smirnov distance is
the largest gap between the two cumulated distributions: the share of lines that would have to
change.  Both are also given for one half of the people against the other, since two groups of
people differ too.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from handwriter.histograms import Panel, histograms
from handwriter.ink import Array, Ink, Line
from handwriter.traits import manner, traits

TRAITS = ("slant", "size", "spacing", "speed", "points", "stroke_length", "lifts",
          "baseline_wander", "size_wander", "crowding")  # fmt: skip
UNITS = {
    "slant": "degrees to the right", "size": "deviation of y, in the hand's unit",
    "spacing": "width a character, in sizes", "speed": "way of a step, in sizes",
    "points": "a character", "stroke_length": "from pen down to pen up, in sizes",
    "lifts": "within words, for each joint of letters",
    "baseline_wander": "deviation along the line, in sizes",
    "size_wander": "deviation of its logarithm along the line",
    "crowding": "half of the downstrokes beyond the middle, in widths",
}  # fmt: skip
# Up to which d, and which Kolmogorov-Smirnov distance, two distributions are called so.
CLOSE, NEAR = (0.2, 0.15), (0.5, 0.25)
CURSIVE, PRINT = 0.6, 0.9  # lifts a joint: below the first, above the second
RIDGE = 1.0  # on the weights of standardised traits, so that few lines do not overfit
MOST_NEWTON_STEPS = 30

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Difference:
    """One trait in people's lines and in others: means, standard deviations, how far apart."""

    trait: str
    people: tuple[float, float]
    others: tuple[float, float]
    d: float
    ks: float

    @property
    def verdict(self) -> str:
        """ "close", "near" or "apart": by d, and by the Kolmogorov-Smirnov distance."""
        for name, (most_d, most_ks) in (("close", CLOSE), ("near", NEAR)):
            if abs(self.d) <= most_d and self.ks <= most_ks:
                return name
        return "apart"

    def row(self) -> dict[str, Any]:
        return {**asdict(self), "verdict": self.verdict}


@dataclass(frozen=True)
class Told:
    """How often real lines and written ones were told apart, on lines of writers not trained on.

    `lines` counts those of one kind; there are as many of the other.  The standard error allows
    for lines of one writer being alike.  An `accuracy` of a half is a coin's.
    """

    how: str
    accuracy: float
    standard_error: float
    real_right: float
    written_right: float
    lines: int
    writers: int

    def row(self) -> dict[str, Any]:
        return asdict(self)


def looks(lines: Sequence[Line]) -> Array:
    """The traits of each line in the order of `TRAITS`, (lines, traits); NaN for mere dots."""
    return np.array([_look(line.ink, line.text) for line in lines]).reshape(-1, len(TRAITS))


def differences(people: Array, others: Array) -> list[Difference]:
    """How two tables of `looks` differ, trait by trait; lines of mere dots do not count."""
    return [
        _difference(trait, _finite(people[:, i]), _finite(others[:, i]))
        for i, trait in enumerate(TRAITS)
    ]


def manners(table: Array) -> dict[str, float]:
    """The shares of lines in print, in cursive, and between the two."""
    lifts = _finite(table[:, TRAITS.index("lifts")])
    n = max(len(lifts), 1)
    in_print, cursive = int((lifts > PRINT).sum()), int((lifts < CURSIVE).sum())
    return {
        "print": in_print / n, "cursive": cursive / n,
        "mixed": (len(lifts) - in_print - cursive) / n,
    }  # fmt: skip


def picture(people: Array, samples: Mapping[str, Array], foot: str) -> Image.Image:
    """The distributions of all traits: people's in grey, of each sample an outline."""
    compared = {name: differences(people, table) for name, table in samples.items()}
    panels = []
    for i, trait in enumerate(TRAITS):
        tables = [people, *samples.values()]
        notes = [_told_spread(_mean_and_deviation(_finite(people[:, i])))]
        for found in compared.values():
            one = found[i]
            notes.append(
                f"{_told_spread(one.others)}   d {one.d:+.2f}   KS {one.ks:.2f}   {one.verdict}"
            )
        values = tuple(_finite(table[:, i]) for table in tables)
        panels.append(Panel(trait.replace("_", " "), UNITS[trait], values, tuple(notes)))
    return histograms(panels, ["people", *samples], foot)


def halves(writers: Sequence[str]) -> Mask:
    """Which lines belong to the first half: whole writers, shared out so that it is about half.

    Where not even two writers are known, every second line does.
    """
    lines_of = Counter(writers)
    if len(lines_of) < 2:
        every_second: Mask = np.arange(len(writers)) % 2 == 0
        return every_second
    first: set[str] = set()
    n_first = n_second = 0
    for writer, n in sorted(lines_of.items(), key=lambda entry: (-entry[1], entry[0])):
        if n_first <= n_second:
            first.add(writer)
            n_first += n
        else:
            n_second += n
    return np.array([writer in first for writer in writers])


def as_tall(ink: Ink, model: Ink) -> Ink:
    """The ink made as tall as another, by the deviation of y over its points.

    Prepared lines have one size; lines that are written have not, and that would tell them.
    """
    if not ink.strokes or not model.strokes:
        return ink
    own = float(np.std(ink.points[:, 1]))
    scale = float(np.std(model.points[:, 1])) / own if own > 0 else 1.0
    return ink.transformed(np.eye(2) * scale)


def told_by_traits(real: Array, written: Array, writers: Sequence[str]) -> Told:
    """Logistic regression on the traits, trained on one half of the writers, tried on the other.

    Then the other way round.  Row i of both tables is the same text; NaN counts as the mean.
    There must be two rows or more.
    """
    first = halves(writers)
    right = np.zeros((2, len(real)), np.bool_)
    for trained in (first, ~first):
        known = np.concatenate([real[trained], written[trained]])
        mean, deviation = _moments(known)
        weights = _logistic(
            _standardised(known, mean, deviation), np.repeat([0.0, 1.0], trained.sum())
        )
        right[0, ~trained] = _standardised(real[~trained], mean, deviation) @ weights < 0
        right[1, ~trained] = _standardised(written[~trained], mean, deviation) @ weights > 0
    return told("traits", right[0], right[1], writers)


def told(how: str, real_right: Mask, written_right: Mask, writers: Sequence[str]) -> Told:
    """The accuracy over pairs of a real line and the same text as it was written, one a row."""
    n = len(writers)
    accuracy = float(real_right.mean() + written_right.mean()) / 2
    known = writers if len(set(writers)) > 1 else [str(i) for i in range(n)]
    beyond: Counter[str] = Counter()
    for writer, a, b in zip(known, real_right.tolist(), written_right.tolist(), strict=True):
        beyond[writer] += a + b - 2 * accuracy
    many = len(beyond) / max(len(beyond) - 1, 1)
    variance = many * sum(excess**2 for excess in beyond.values()) / (2 * n) ** 2
    return Told(
        how=how,
        accuracy=accuracy,
        standard_error=math.sqrt(variance),
        real_right=float(real_right.mean()),
        written_right=float(written_right.mean()),
        lines=n,
        writers=len(set(writers)),
    )


def _look(ink: Ink, text: str) -> list[float]:
    look, way = traits(ink, len(text)), manner(ink, text)
    found = {**(vars(look) if look else {}), **(vars(way) if way else {})}
    return [found.get(trait, math.nan) for trait in TRAITS]


def _told_spread(figures: tuple[float, float]) -> str:
    return f"{figures[0]:.2f} \u00b1 {figures[1]:.2f}"


def _difference(trait: str, people: Array, others: Array) -> Difference:
    a, b = _mean_and_deviation(people), _mean_and_deviation(others)
    pooled = math.sqrt((a[1] ** 2 + b[1] ** 2) / 2)
    return Difference(
        trait=trait,
        people=a,
        others=b,
        d=(b[0] - a[0]) / max(pooled, 1e-9),
        ks=ks_distance(people, others),
    )


def ks_distance(a: Array, b: Array) -> float:
    """The largest gap between the cumulated distributions of two samples; 1 where one is empty."""
    if not len(a) or not len(b):
        return 1.0
    places = np.concatenate([a, b])
    shares = [np.searchsorted(np.sort(x), places, side="right") / len(x) for x in (a, b)]
    return float(np.abs(shares[0] - shares[1]).max())


def _mean_and_deviation(values: Array) -> tuple[float, float]:
    if not len(values):
        return 0.0, 0.0
    return float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else 0.0


def _finite(values: Array) -> Array:
    return values[np.isfinite(values)]


def _moments(table: Array) -> tuple[Array, Array]:
    """Mean and deviation of each trait over the lines that have them."""
    whole = table[np.isfinite(table).all(axis=1)]
    if not len(whole):
        return np.zeros(table.shape[1]), np.ones(table.shape[1])
    return whole.mean(axis=0), np.maximum(whole.std(axis=0), 1e-9)


def _standardised(table: Array, mean: Array, deviation: Array) -> Array:
    """Traits in deviations, and their squares, that a wider spread tells as well; and ones."""
    z = np.clip(np.nan_to_num((table - mean) / deviation), -4, 4)
    return np.column_stack([z, z**2 - 1, np.ones(len(z))])


def _logistic(x: Array, y: Array) -> Array:
    """The weights of a logistic regression with a ridge, by Newton's method."""
    weights = np.zeros(x.shape[1])
    ridge = RIDGE * np.eye(x.shape[1])
    for _ in range(MOST_NEWTON_STEPS):
        p = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        slope = x.T @ (y - p) - ridge @ weights
        bend = (x * (p * (1 - p))[:, None]).T @ x + ridge
        step = np.linalg.solve(bend, slope)
        weights = weights + step
        if float(np.abs(step).max()) < 1e-9:
            break
    return weights
