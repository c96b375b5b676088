"""What the reader sees of ink: a row of numbers for each step of equal length along the pen's way.

Both sides use it, `reader` to read and `training.recogniser` to learn to.  Resampled by arc
length, ink looks the same whatever the pen's speed, its sampling rate or its unit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from handwriter.errors import BadData
from handwriter.ink import Array, Ink

STEP = 0.3  # between two points along a stroke, in spreads
FEWEST = 8  # points of a stroke: two frames of the network's even for a full stop
CELL = 0.5  # a cell of the picture around the pen, in spreads
ROWS, COLUMNS = 11, 5  # of that picture; the pen is in its middle
N_FEATURES = 4 + ROWS * COLUMNS
LEVELLING = 9.0  # how many times wider than high ink must be to show its slope
THINNEST = 0.01  # the least spread, as a share of the deviation of x
# All that a reader must have been trained with to be shown what is made here.
VIEW = {
    "size": N_FEATURES, "step": STEP, "fewest": FEWEST, "cell": CELL, "rows": ROWS,
    "columns": COLUMNS, "levelling": LEVELLING, "thinnest": THINNEST,
}  # fmt: skip

MOST_POINTS = 100_000  # that a line is resampled to; one of 2,000 characters has some 30,000
MOST_CELLS = 10_000_000  # of the picture of all its ink
SPREADS = (1e-9, 1e12)
ROUNDING = 1e-13  # of how far ink is from the origin: a spread below it is an error of sums
FARTHEST = 1e12  # from the origin; squares of sums must not overflow

Floats = NDArray[np.float32]


def features(ink: Ink, spread: float | None = None) -> Floats:
    """The reader's view of a line of ink, shape (points, N_FEATURES).

    Each row is one point: the way to it from the point before (x and y, its length l as
    asinh(l / STEP)), 1 where a stroke begins there, its height y over the middle of the ink, and
    a picture of the ink around it, ROWS x COLUMNS counts as log(1 + count), later strokes
    included: so the dot of an i is seen from its stem.

    The unit is the spread (`spread_of`); give it, in the ink's own unit, where it is known: a
    lone dash does not show it.  Raises BadData where the ink is larger than any line of writing.
    """
    points, begins = seen(ink, spread)
    rows = np.empty((len(points), N_FEATURES), np.float32)
    way = np.diff(points, axis=0, prepend=points[:1]) / STEP
    length = np.hypot(way[:, 0], way[:, 1])
    rows[:, :2] = way * (np.arcsinh(length) / np.maximum(length, 1e-6))[:, None]
    rows[:, 2] = begins
    rows[:, 3] = points[:, 1]
    rows[:, 4:] = _pictures(points)
    return rows


def seen(ink: Ink, spread: float | None = None) -> tuple[Array, NDArray[np.bool_]]:
    """The points that the rows of `features` stand for (points, 2), and which begin a stroke.

    Level about (0, 0), in spreads, y down.  Raises BadData as `features` does.
    """
    _check_reach(ink)
    levelled, found = _levelled(ink)
    spread = found if spread is None else spread
    _check_size(levelled, spread)
    return _resampled(levelled, 1.0 / spread)


def n_features(ink: Ink) -> int:
    """How many rows `features` gives; its pictures, which take the time, are left out."""
    levelled, spread = _levelled(ink)
    return len(_resampled(levelled, 1.0 / spread)[0])


def spread_of(ink: Ink) -> float:
    """The standard deviation of y along the way of the pen, its slope taken out."""
    return _levelled(ink)[1]


def _check_reach(ink: Ink) -> None:
    if len(ink.strokes) > MOST_POINTS:
        raise BadData(
            f"the ink has {len(ink.strokes):,} strokes, no line of writing has so many; "
            "give one line at a time"
        )
    farthest = max(map(abs, ink.bounds))
    if not farthest <= FARTHEST:
        raise BadData(
            f"the ink goes {farthest:.3g} units from the origin; at most {FARTHEST:g} can be read: "
            "give it in another unit"
        )


def _check_size(ink: Ink, spread: float) -> None:
    """Before any memory is taken for it: how much there is to resample and to picture."""
    if not SPREADS[0] <= spread <= SPREADS[1]:
        raise BadData(
            f"the spread of the ink is {spread:.3g} units; from {SPREADS[0]:g} to {SPREADS[1]:g} "
            "can be read: give it in another unit"
        )
    way = sum(float(np.hypot(*np.diff(stroke, axis=0).T).sum()) for stroke in ink.strokes)
    n_points = way / spread / STEP + FEWEST * len(ink.strokes)
    left, top, right, bottom = ink.bounds
    width, height = (right - left) / spread, (bottom - top) / spread
    if n_points > MOST_POINTS or (width / CELL + COLUMNS) * (height / CELL + ROWS) > MOST_CELLS:
        raise BadData(
            f"the ink is {width:.3g} letters wide, {height:.3g} high and {way / spread:.3g} long, "
            "no line of writing is so large; give one line at a time, without stray points"
        )


def _levelled(ink: Ink) -> tuple[Ink, float]:
    """The ink with its middle at (0, 0) and its slope taken out, and its spread.

    All moments are taken along the pen's way, so that slow places do not count more.  The
    slope shrinks to nothing for ink that is not much wider than high.
    """
    starts = np.concatenate([s[:-1] if len(s) > 1 else s for s in ink.strokes])
    ends = np.concatenate([s[1:] if len(s) > 1 else s for s in ink.strokes])
    weights = np.hypot(*(ends - starts).T) + 1e-12
    weights /= weights.sum()
    middles, halves = (starts + ends) / 2, (ends - starts) / 2
    centre = weights @ middles
    (x, y), (u, v) = (middles - centre).T, halves.T
    # A straight piece has a third of its half length, squared, as moment about its own middle.
    xx, xy, yy = (weights @ (a * b + c * d / 3)
                  for a, b, c, d in ((x, x, u, u), (x, y, u, v), (y, y, v, v)))  # fmt: skip
    slope = xy / max(xx + LEVELLING * yy, 1e-12)
    spread = np.sqrt(max(yy - 2 * slope * xy + slope**2 * xx, THINNEST**2 * xx))
    shear = np.array([[1.0, 0.0], [-slope, 1.0]])
    is_seen = spread > ROUNDING * np.abs(centre).max()
    return ink.moved(*-centre).transformed(shear), float(spread) if is_seen else 1.0


def _resampled(ink: Ink, scale: float) -> tuple[Array, NDArray[np.bool_]]:
    """Points of the scaled ink every STEP along each stroke (n, 2), and which begin a stroke.

    A stroke keeps its first and last point; its steps are as near to STEP as goes, and so short
    that it has FEWEST points, which for a dot are all one.
    """
    points = ink.points * scale
    lengths = np.array([len(stroke) for stroke in ink.strokes])
    first = np.cumsum(lengths) - lengths
    way = np.hypot(*np.diff(points, axis=0, prepend=points[:1]).T)
    way[first] = 1.0  # a gap between strokes, so that no point lies at the end of two
    along = np.cumsum(way)
    began, ended = along[first], along[first + lengths - 1]
    n_steps = np.maximum(np.rint((ended - began) / STEP).astype(np.int64), FEWEST - 1)
    which = np.repeat(np.arange(len(lengths)), n_steps + 1)
    begin = np.cumsum(n_steps + 1) - (n_steps + 1)
    share = (np.arange(len(which)) - begin[which]) / n_steps[which]
    at = began[which] + share * (ended - began)[which]
    resampled = np.column_stack([np.interp(at, along, points[:, axis]) for axis in (0, 1)])
    is_begin = np.zeros(len(which), np.bool_)
    is_begin[begin] = True
    return resampled, is_begin


def _pictures(points: Array) -> Floats:
    """For each point, how much ink lies in each cell around its own, (n, ROWS * COLUMNS)."""
    cells = np.floor((points - points.min(axis=0)) / CELL).astype(np.int64)
    width, height = cells.max(axis=0) + 1
    counts = np.zeros((height + ROWS - 1, width + COLUMNS - 1), np.float32)
    np.add.at(counts, (cells[:, 1] + ROWS // 2, cells[:, 0] + COLUMNS // 2), 1.0)
    windows = np.lib.stride_tricks.sliding_window_view(np.log1p(counts), (ROWS, COLUMNS))
    return np.asarray(windows[cells[:, 1], cells[:, 0]].reshape(len(points), -1))
