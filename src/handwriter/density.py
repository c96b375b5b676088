"""How densely a pen's way is sampled, and how other ink comes to the density of a hand.

A pen that is sampled in time has its points close together where it is slow: in turns, and where
it touches down and lifts.  Ink from a drawing does not say when the pen was where; there a law in
the manner of Lacquaniti, Terzuolo and Viviani (1983) stands in: the speed of a hand falls with a
power of the curvature.  The figures are those that came nearest to the speeds of IAM-OnDB's pens.
"""

from __future__ import annotations

import numpy as np

from handwriter.ink import Array, Ink

PIECES = 8  # chords that a curve between two points is cut into
STRAIGHT = 0.1  # curvature, per height of a line: below, a pen goes hardly faster
TURN = 0.1  # along so much of the way, in heights, its turning is taken as one
END = 1.5  # the turn, in radians, that the end of a stroke slows the pen as much as


def thinned(ink: Ink, every: int) -> Ink:
    """Each stroke with every `every`-th point only, its first and last always."""
    return Ink(tuple(_thinned(stroke, every) for stroke in ink.strokes))


def resampled(ink: Ink, share: float) -> Ink:
    """Each stroke with `share` times as many steps, at least one, evenly in time.

    The points are taken as they come in time; between them the pen follows the curve through
    them.  A stroke keeps its first and last point, a dot stays.
    """
    return Ink(tuple(_at_times(stroke, _n_steps(len(stroke) - 1, share)) for stroke in ink.strokes))


def paced(ink: Ink, n_points: int, height: float) -> Ink:
    """The ink as a pen would be sampled on its way, with about so many points in all.

    Only the shape of the strokes counts, not where they have their points.  `height` is that of
    the writing, in the ink's unit: what is small against it is no turn.
    """
    curves = ink.smoothed(PIECES).strokes
    passed = [_passed(curve, height) for curve in curves]
    whole = sum(float(times[-1]) for _, times in passed) or 1.0
    share = max(n_points - len(curves), 1) / whole  # a stroke has one point more than steps
    strokes = []
    for curve, (way, times) in zip(curves, passed, strict=True):
        n_steps = _n_steps(float(times[-1]), share)
        at = np.interp(np.linspace(0.0, times[-1], n_steps + 1), times, way)
        strokes.append(_interpolated(curve, _way(curve), at))
    return Ink(tuple(strokes))


def _n_steps(n: float, share: float) -> int:
    """So many times `share`, at least one; none of none."""
    return max(1, round(n * share)) if n else 0


def _at_times(stroke: Array, n_steps: int) -> Array:
    if len(stroke) < 2:
        return stroke
    curve = Ink((stroke,)).smoothed(PIECES).strokes[0]
    times = np.arange(len(curve), dtype=np.float64)
    return _interpolated(curve, times, np.linspace(0.0, times[-1], n_steps + 1))


def _interpolated(curve: Array, along: Array, at: Array) -> Array:
    """The points of a curve (n, 2) at places `at`, where its own are at the places `along`."""
    return np.column_stack([np.interp(at, along, curve[:, axis]) for axis in (0, 1)])


def _way(curve: Array) -> Array:
    """How far along the curve each of its points is, from 0."""
    return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(curve, axis=0).T))])


def _passed(curve: Array, height: float) -> tuple[Array, Array]:
    """Places along a curve (n, 2), evenly, and when a pen passes them, in a unit of its own."""
    way = _way(curve)
    n = max(1, round(way[-1] / (TURN * height)))
    even = np.linspace(0.0, way[-1], n + 1)
    x, y = _interpolated(curve, way, even).T
    angles = np.unwrap(np.arctan2(np.diff(y), np.diff(x)))
    turns = np.concatenate([[END], np.abs(np.diff(angles)), [END]])
    curvature = (turns[:-1] + turns[1:]) / 2 / TURN  # of each of the n parts, per height
    times = np.cumsum(np.sqrt(curvature + STRAIGHT)) * (way[-1] / n / height)
    return even, np.concatenate([[0.0], times])


def _thinned(stroke: Array, every: int) -> Array:
    kept = stroke[::every]
    return kept if (len(stroke) - 1) % every == 0 else np.vstack([kept, stroke[-1:]])
