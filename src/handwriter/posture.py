"""How a line of ink stands: level or wavering, and where it reaches."""

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
