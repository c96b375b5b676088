"""The ribbon: strokes as a pen leaves them that flows more where it goes slowly.

For screens alone: a plotter draws the line, not its outline.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from handwriter.errors import BadOption
from handwriter.ink import Array, Ink
from handwriter.page import Layer

LOOKS = ("line", "ribbon")
PIECES = 4  # of the curve from point to point
WIDEST, NARROWEST = 1.4, 0.55  # in widths of the pen: at rest, and at the greatest speed
GIVES_WAY = 0.4  # how many widths it is narrower at the usual speed than at rest
CUSP = np.cos(np.radians(100))  # where the way turns by more, the outline begins anew
ROUND = 8  # corners of a half circle


def check_look(look: str) -> str:
    if look not in LOOKS:
        raise BadOption(f"there is no look {look!r}; choose one of {', '.join(LOOKS)}")
    return look


def usual_speed(layers: Iterable[Layer]) -> float:
    """The median way from point to point; the pen's points are equally far apart in time."""
    lines = (line for layer in layers for line in layer.lines)
    ways = [_ways(stroke) for line in lines for stroke in line.ink.strokes if len(stroke) > 1]
    return float(np.median(np.concatenate(ways))) if ways else 1.0


def ribbon(stroke: Array, pen: float, usual: float) -> list[Array]:
    """Outlines (corners, 2) to be filled that make one stroke, in the stroke's unit.

    `pen` is how wide it is at the usual speed, more or less; `usual` as `usual_speed` has it.
    """
    if len(stroke) < 2 or not _ways(stroke).any():
        return [_circle(stroke[0], 0.6 * pen)]
    curve = Ink((stroke,)).smoothed(PIECES).strokes[0]
    at = np.linspace(0, len(stroke) - 1, len(curve))
    widths = np.interp(at, np.arange(len(stroke)), _widths(stroke, usual)) * pen
    moved = np.append(True, _ways(curve) > 0)
    return [_outline(part, width) for part, width in _without_cusps(curve[moved], widths[moved])]


def _widths(stroke: Array, usual: float) -> Array:
    """How wide the ribbon is at each point, in widths of the pen."""
    ways = _ways(stroke)
    speeds = (np.append(ways[:1], ways) + np.append(ways, ways[-1:])) / 2 / (usual or 1.0)
    widths = np.clip(WIDEST - GIVES_WAY * speeds, NARROWEST, WIDEST)
    padded = np.pad(widths, 1, mode="edge")
    return (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4


def _without_cusps(curve: Array, widths: Array) -> Iterator[tuple[Array, Array]]:
    ways = np.diff(curve, axis=0)
    ways /= np.hypot(*ways.T)[:, None]
    cusps = np.flatnonzero((ways[:-1] * ways[1:]).sum(axis=1) < CUSP) + 1
    for begin, end in zip([0, *cusps], [*cusps, len(curve) - 1], strict=True):
        yield curve[begin : end + 1], widths[begin : end + 1]


def _outline(curve: Array, widths: Array) -> Array:
    """Along the left side, round the end, back along the right side and round the begin."""
    tangents = np.gradient(curve, axis=0)
    tangents /= np.maximum(np.hypot(*tangents.T), 1e-12)[:, None]
    across = np.column_stack([tangents[:, 1], -tangents[:, 0]]) * widths[:, None] / 2
    end, begin = _half_circle(across[-1]), _half_circle(-across[0])
    return np.vstack([curve + across, curve[-1] + end, (curve - across)[::-1], curve[0] + begin])


def _half_circle(radius: Array) -> Array:
    """From the tip of a radius round to the other side, tips left out (ROUND - 1, 2)."""
    angles = np.pi * np.arange(1, ROUND) / ROUND
    turned = np.array([-radius[1], radius[0]])
    tips: Array = np.cos(angles)[:, None] * radius + np.sin(angles)[:, None] * turned
    return tips


def _circle(centre: Array, radius: float) -> Array:
    angles = np.pi * np.arange(2 * ROUND) / ROUND
    return centre + radius * np.column_stack([np.cos(angles), np.sin(angles)])


def _ways(points: Array) -> Array:
    return np.asarray(np.hypot(*np.diff(points, axis=0).T))
