"""What a hand looks like, in a few numbers: slant, size, spacing, how even it is, how it joins."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from handwriter.ink import Array, Ink

STRETCH = 10.0  # spreads of y along the line: over so much, size and height are taken as one
FEWEST_PIECES = 8  # straight pieces of ink that a stretch needs to be judged
SHORTEST_DOWNSTROKE = 0.25  # of the long ones: shorter ones are joints and trembles


@dataclass(frozen=True)
class Traits:
    """The look of one line of ink; lengths in the ink's unit or in spreads, as told.

    `slant` is how far the downstrokes lean to the right, in degrees from upright.  `size` is the
    standard deviation of y along the way of the pen, in the ink's unit.  `spacing` is the width
    of the ink for each character, in sizes.  `baseline_wander` is how far the height of the
    writing strays along the line, in sizes, and `size_wander` how far its size does, as a
    logarithm; both are standard deviations over stretches of ten sizes.
    """

    slant: float
    size: float
    spacing: float
    baseline_wander: float
    size_wander: float

    @property
    def unevenness(self) -> float:
        return self.baseline_wander + self.size_wander


def traits(ink: Ink, n_characters: int) -> Traits | None:
    """The traits of a line of so many characters; None for ink that is nothing but dots."""
    middles, ways = _pieces(ink)
    lengths = np.hypot(*ways.T)
    if not lengths.sum() > 0:
        return None
    left, _, right, _ = ink.bounds
    size = _deviation(middles[:, 1], ways[:, 1], lengths) or 1.0
    heights, sizes = _along(middles, ways, lengths, STRETCH * size)
    return Traits(
        slant=_slant(ways),
        size=size,
        spacing=(right - left) / max(n_characters, 1) / size,
        baseline_wander=float(np.std(heights)) / size,
        size_wander=float(np.std(np.log(sizes))),
    )


def _crowding(ink: Ink) -> float:
    left, _, right, _ = ink.bounds
    places, _ = _long_downstrokes(ink)
    if not len(places) or not right > left:
        return 0.0
    return float(np.median(places) - left) / (right - left) - 0.5


def x_height(ink: Ink) -> float | None:
    """How high a letter such as n or x is, in the ink's unit; None for ink without downstrokes.

    It is the median downstroke: most strokes of a text are those of letters without ascenders
    and descenders.  Measured from turn to turn, it is the same however the line rises or falls.
    """
    _, lengths = _long_downstrokes(ink)
    return float(np.median(lengths)) if len(lengths) else None


def _long_downstrokes(ink: Ink) -> tuple[Array, Array]:
    """All that are no joints and trembles: where they begin, and how far down they go."""
    found = [_downstrokes(stroke) for stroke in ink.strokes]
    places, lengths = (np.concatenate([np.zeros(0), *(one[i] for one in found)]) for i in range(2))
    if not len(lengths):
        return places, lengths
    long = lengths > SHORTEST_DOWNSTROKE * np.quantile(lengths, 0.95)
    return places[long], lengths[long]


def _downstrokes(stroke: Array) -> tuple[Array, Array]:
    """Where the pen begins to go down, its x, and how far down it goes, each time; (n,) twice."""
    moves = np.concatenate([[True], np.diff(stroke[:, 1]) != 0])
    x, y = stroke[moves].T
    ways = np.diff(y)
    begins = np.append(0, np.flatnonzero(np.diff(np.sign(ways))) + 1)[: len(ways)]
    runs = np.add.reduceat(ways, begins) if len(ways) else ways
    return x[begins][runs > 0], runs[runs > 0]


@dataclass(frozen=True)
class Manner:
    """How a line was written: the pen's speed, how it joins letters and how it fills the line.

    `speed` is the mean length of a step while the pen is down, in sizes: pens are sampled evenly
    in time.  `points` counts the points a character, `stroke_length` is the mean way from pen down
    to pen up, in sizes.  `lifts` is how often the pen lifts within words, for each place between
    two letters: what exceeds one lift between words.  Dots and bars lift it as well, so about
    a third is cursive and over one is print.  `crowding` is how far beyond the middle of the line
    the pen is when half of the downstrokes are done, in widths of the line: positive where letters
    stand closer towards the end.
    """

    speed: float
    points: float
    stroke_length: float
    lifts: float
    crowding: float


def manner(ink: Ink, text: str) -> Manner | None:
    """How a line with this text was written; None for ink that is nothing but dots."""
    middles, ways = _pieces(ink)
    lengths = np.hypot(*ways.T)
    way = float(lengths.sum())
    if not way > 0:
        return None
    size = _deviation(middles[:, 1], ways[:, 1], lengths) or 1.0
    words = text.split()
    n_letters = sum(map(len, words))
    n_joints = n_letters - len(words)
    return Manner(
        speed=way / len(lengths) / size,
        points=ink.n_points / max(n_letters, 1),
        stroke_length=way / len(ink.strokes) / size,
        lifts=max(len(ink.strokes) - len(words), 0) / max(n_joints, 1),
        crowding=_crowding(ink),
    )


def _pieces(ink: Ink) -> tuple[Array, Array]:
    """The middles of all straight pieces between two points, and the ways along them, (n, 2)."""
    starts = np.concatenate([np.zeros((0, 2)), *(stroke[:-1] for stroke in ink.strokes)])
    ends = np.concatenate([np.zeros((0, 2)), *(stroke[1:] for stroke in ink.strokes)])
    return (starts + ends) / 2, ends - starts


def _slant(ways: Array) -> float:
    """The mean lean of the pieces that run more down than across, long ones counting more."""
    down = ways[ways[:, 1] > np.abs(ways[:, 0])]
    if not len(down):
        return 0.0
    return -math.degrees(
        math.atan(float((down[:, 0] * down[:, 1]).sum() / (down[:, 1] ** 2).sum()))
    )


def _deviation(y: Array, rise: Array, weights: Array) -> float:
    """The standard deviation of y along straight pieces with these middles and rises."""
    share = weights / weights.sum()
    return float(np.sqrt(share @ ((y - share @ y) ** 2 + rise**2 / 12)))


def _along(middles: Array, ways: Array, lengths: Array, stretch: float) -> tuple[Array, Array]:
    """Mean height and size of each stretch of the line; of the whole where none is long enough."""
    place = np.floor((middles[:, 0] - middles[:, 0].min()) / stretch)
    heights, sizes = [], []
    for number in np.unique(place):
        here = place == number
        if here.sum() < FEWEST_PIECES or not lengths[here].sum() > 0:
            continue
        size = _deviation(middles[here, 1], ways[here, 1], lengths[here])
        if size > 0:
            heights.append(np.average(middles[here, 1], weights=lengths[here]))
            sizes.append(size)
    return (np.array(heights), np.array(sizes)) if sizes else (np.zeros(1), np.ones(1))
