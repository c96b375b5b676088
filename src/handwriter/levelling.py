"""Ink brought to a hand's unit: the sensor's jumps mended, level on its baseline, of one size."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from handwriter.ink import Array, Ink

MAX_JUMP = 4.0  # in spreads of the line: about 400 units of IAM-OnDB's whiteboard
MAX_EXCURSION = 8  # points; a longer piece far from its stroke is ink of its own
LONG = 5.0  # a line this many times as wide as high (in standard deviations) shows its slope
BAND = 0.4  # half the width of the band of the baseline, in standard deviations of y
STRAYING = 0.05  # the usual slope of the baseline against the long axis, generously
WORD_STRAYING = 0.5  # how far a word usually stands from its line, generously, in x-heights
WORD_BAND = 0.35  # half the width of the band of a word's baseline, in x-heights


def without_jumps(ink: Ink) -> tuple[Ink, Counter[str]]:
    """Ink without jumps of the sensor, and what was done how often.

    A jump is longer than `MAX_JUMP` times the line's spread.  A few points that the pen jumps
    to and back from are dropped; any other jump within a stroke lifts the pen.
    """
    done: Counter[str] = Counter()
    limit = MAX_JUMP * spread(ink)
    points, starts = ink.points, _starts(ink)
    far = _steps(points) > limit
    far[starts[1:] - 1] = False
    if limit == 0 or not far.any():
        return ink, done
    strokes: list[Array] = []
    for stroke in ink.strokes:
        pieces = _without_excursions(_cut(stroke, limit), limit)
        done["outlier point dropped"] += len(stroke) - sum(len(piece) for piece in pieces)
        done["jump made a pen lift"] += len(pieces) - 1
        strokes += pieces
    return Ink(tuple(strokes)), +done


def spread(ink: Ink) -> float:
    """A robust standard deviation of y: one stray point does not change it."""
    y = ink.points[:, 1]
    return 1.4826 * float(np.median(np.abs(y - np.median(y))))


def levelled(ink: Ink) -> Ink | None:
    """The line with its baseline at y = 0, level, its y of standard deviation 1.

    It begins at x = 0.  A line too short to show its slope is not turned, nor ink that is
    higher than wide: a lone I or 1.  None where the ink has no height.  A line that is moved,
    scaled or turned, by less than 45 degrees, comes out the same.
    """
    points, starts = ink.points, _starts(ink)
    angle = _long_angle(points)
    points = points @ _turn(-(angle or 0.0)).T
    height, slope = _baseline(points, starts, sloped=angle is not None)
    points = (points - (0.0, height)) @ _turn(-np.arctan(slope)).T
    deviation = float(points[:, 1].std())
    if deviation < 1e-9:
        return None
    level = (points - (points[0, 0], 0.0)) / deviation
    ends = [*starts[1:], len(level)]
    return Ink(tuple(level[start:end] for start, end in zip(starts, ends, strict=True)))


def footing(word: Ink, x_height: float) -> float:
    """How far below y = 0 the letters of one word of a level line stand, in the ink's unit.

    `x_height` is in the same unit.  Tails of letters reach lower but do not count: the fullest
    band of bottoms does, the likelier the nearer it is to the line.
    """
    bottoms, drops = _bottoms(word.points, _starts(word))
    y, weights = bottoms[:, 1] / x_height, np.minimum(drops / x_height, 1.0)
    likely = np.exp(-0.5 * (y / WORD_STRAYING) ** 2)
    fullest = y[int(np.argmax(likely * _fullness(y, weights, WORD_BAND)))]
    near = np.abs(y - fullest) <= WORD_BAND
    return x_height * float(np.average(y[near], weights=weights[near]))


def _starts(ink: Ink) -> NDArray[np.int64]:
    """The numbers of the points that begin a stroke."""
    return np.cumsum([0, *(len(stroke) for stroke in ink.strokes[:-1])], dtype=np.int64)


def _steps(stroke: Array) -> Array:
    """Distances from point to point, shape (points - 1,)."""
    dx, dy = (stroke[1:] - stroke[:-1]).T
    distances: Array = np.hypot(dx, dy)
    return distances


def _cut(stroke: Array, limit: float) -> list[Array]:
    return np.split(stroke, np.flatnonzero(_steps(stroke) > limit) + 1)


def _without_excursions(pieces: list[Array], limit: float) -> list[Array]:
    """The pieces of a stroke, without the short ones that leave it and come back."""
    kept = pieces[:1]
    for i, piece in enumerate(pieces[1:], start=1):
        after = pieces[i + 1] if i + 1 < len(pieces) else None
        if after is not None and len(piece) <= MAX_EXCURSION and _gap(kept[-1], after) <= limit:
            continue
        if _gap(kept[-1], piece) <= limit:
            kept[-1] = np.vstack([kept[-1], piece])
        else:
            kept.append(piece)
    return kept


def _gap(before: Array, after: Array) -> float:
    return float(np.hypot(*(after[0] - before[-1])))


def _long_angle(points: Array) -> float | None:
    """The angle of the line's long axis, if there is one, and it is nearer level than upright."""
    if len(points) < 2:
        return None
    values, vectors = np.linalg.eigh(np.cov(points.T))
    if values[1] <= LONG**2 * values[0]:
        return None
    dx, dy = vectors[:, 1] * np.sign(vectors[0, 1] or 1.0)
    return float(np.arctan2(dy, dx)) if abs(dy) < dx else None


def _turn(angle: float) -> Array:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _baseline(points: Array, starts: NDArray[np.int64], sloped: bool) -> tuple[float, float]:
    """Height at x = 0 and slope of the line on which the letters stand.

    `starts` are the numbers of the points (n, 2) that begin a stroke.
    Fitted to the bottoms of the downstrokes.  The fullest band of them is found first and the
    fit keeps to it, so that descenders do not count.
    """
    bottoms, drops = _bottoms(points, starts)
    x, y = bottoms.T
    deviation = float(points[:, 1].std())
    weights = np.minimum(drops, deviation) + 1e-9
    band = BAND * deviation
    slopes = np.linspace(-0.06, 0.06, 13) if sloped else np.zeros(1)
    crowds = [_fullest(y - slope * x, weights, band) for slope in slopes]
    # The long axis is nearly level already: a steeper fit needs a fuller band.
    likely = np.exp(-0.5 * (slopes / STRAYING) ** 2)
    best = int(np.argmax(likely * [weight for weight, _ in crowds]))
    height, slope = crowds[best][1], float(slopes[best])
    for _ in range(3):
        near = np.abs(y - height - slope * x) <= band
        if sloped and near.sum() > 3:
            height, slope = _fitted(x[near], y[near], weights[near])
        elif near.any():
            height = float(weights[near] @ (y - slope * x)[near] / weights[near].sum())
    return height, slope


def _fitted(x: Array, y: Array, weights: Array) -> tuple[float, float]:
    """Height at x = 0 and slope of the weighted least-squares line."""
    share = weights / weights.sum()
    x_mean, y_mean = float(share @ x), float(share @ y)
    variance = float(share @ (x - x_mean) ** 2)
    slope = float(share @ ((x - x_mean) * (y - y_mean))) / variance if variance else 0.0
    return y_mean - slope * x_mean, slope


def _bottoms(points: Array, starts: NDArray[np.int64]) -> tuple[Array, Array]:
    """Where the pen turns upward or lifts, (n, 2), and how far it came down to there, (n,).

    The first point is one where there is no other.
    """
    y = points[:, 1]
    fell = np.zeros(len(y) + 1, bool)  # whether the pen came down to this point
    fell[1:-1] = y[1:] > y[:-1]
    fell[starts] = False
    fell, falls = fell[:-1], fell[1:]
    bottoms, tops = np.flatnonzero(fell & ~falls), np.flatnonzero(~fell & falls)
    if not len(bottoms):
        return points[:1], np.ones(1)
    return points[bottoms], y[bottoms] - y[tops]


def _fullest(values: Array, weights: Array, width: float) -> tuple[float, float]:
    """The greatest weight within `width` of one of the values, and that value."""
    totals = _fullness(values, weights, width)
    fullest = int(np.argmax(totals))
    return float(totals[fullest]), float(values[fullest])


def _fullness(values: Array, weights: Array, width: float) -> Array:
    """The weight within `width` of each of the values, tapering off (n,)."""
    nearness = np.maximum(0.0, 1 - np.abs(values[:, None] - values) / (width or 1.0))
    return np.asarray(nearness @ weights)
