"""How a line of ink stands and spreads: level or wavering, its words nearer or further apart."""

from __future__ import annotations

import numpy as np

from handwriter.errors import BadOption
from handwriter.ink import Array, Ink
from handwriter.levelling import levelled


def stood(ink: Ink) -> Ink:
    """The ink turned level, its letters standing on y = 0, in the unit that it has.

    A hand's line climbs or falls by some of its own height; on paper it has to stay in its place.
    """
    level = levelled(ink)
    if level is None:
        return ink
    size, level_size = _way(ink), _way(level)
    return level.transformed(np.eye(2) * (size / level_size)) if level_size else ink


def _way(ink: Ink) -> float:
    """How far the pen goes from the first point to the last one, which turning does not change."""
    return float(np.hypot(*np.diff(ink.points, axis=0).T).sum())


def widened(ink: Ink, n_gaps: int, by: float, *, most: float) -> Ink:
    """The ink made wider by so much, in its widest `n_gaps` gaps alone.

    No gap grows by more than `most`; ink with fewer gaps, or none, stays narrower.
    """
    gaps = word_gaps(ink, n_gaps)
    if not gaps:
        return ink
    step = min(by / len(gaps), most)
    moved = []
    for stroke in ink.strokes:
        middle = (stroke[:, 0].min() + stroke[:, 0].max()) / 2
        shift = step * sum(middle > gap for gap in gaps)
        moved.append(stroke + np.array([shift, 0.0]))
    return Ink(tuple(moved))


def word_gaps(ink: Ink, n: int) -> list[float]:
    """The middles of the n widest places that no ink is above or below, from left to right."""
    spans = sorted((float(s[:, 0].min()), float(s[:, 0].max())) for s in ink.strokes)
    gaps: list[tuple[float, float]] = []
    reach = spans[0][1] if spans else 0.0
    for left, right in spans:
        if left > reach:
            gaps.append((left - reach, (left + reach) / 2))
        reach = max(reach, right)
    widest = sorted(gaps, reverse=True)[: max(n, 0)]
    return sorted(middle for _, middle in widest)


def wavering(ink: Ink, amount: float, rng: np.random.Generator) -> Ink:
    """The ink on a baseline that is neither level nor straight, strays of some `amount` / 4."""
    if not amount:
        return ink
    height, rise, swing, phase = rng.normal(size=4) * [0.12, 0.15, 0.1, np.pi]
    left, _, right, _ = ink.bounds
    length = max(right - left, 1.0)

    def strayed(stroke: Array) -> Array:
        along = (stroke[:, 0] - left) / length - 0.5
        stray = height + rise * along + swing * np.sin(2 * np.pi * along * length / 120 + phase)
        return np.column_stack([stroke[:, 0], stroke[:, 1] + amount * stray])

    return Ink(tuple(strayed(stroke) for stroke in ink.strokes))


def kept_between(ink: Ink, top: float, bottom: float) -> Ink:
    """The ink, moved up or down no more than it must to lie between the two."""
    _, highest, _, lowest = reach(ink)
    if lowest - highest > bottom - top:
        raise BadOption(
            f"a line is {lowest - highest:.0f} mm high, but there are {bottom - top:.0f} mm "
            "between the margins; choose a smaller x-height or smaller margins"
        )
    return ink.moved(0.0, max(top - highest, 0.0) or min(bottom - lowest, 0.0))


def reach(ink: Ink) -> tuple[float, float, float, float]:
    """The bounds of the curve, which swings a little further out than its points."""
    return ink.smoothed(8).bounds
