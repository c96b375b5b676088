"""What a plotter draws of a document, how far its pen goes for it, and how long that takes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from handwriter.errors import BadOption
from handwriter.ink import Array, Ink
from handwriter.page import Document, Layer, Page

TOLERANCE_MM = 0.02  # a plotter's own step is 0.0125 to 0.025 mm
DECIMALS = 3
ON_PAPER_MM = 1e-6


def for_plotter(document: Document) -> Document:
    """The document as a plotter draws it: guides and empty layers left out, curves as chords.

    No point of the way drawn is further than `TOLERANCE_MM`, and the rounding to a thousandth,
    from the curve through the stroke, nor the other way round.  A stroke that comes to less than
    that is a dot, of one point.  Raises BadOption where ink lies beside the paper.
    """
    pages = [
        replace(page, layers=tuple(_drawn(layer) for layer in page.layers if _has_ink(layer)))
        for page in document.pages
    ]
    for number, page in enumerate(pages, start=1):
        _check_on_paper(page, number)
    return replace(document, pages=tuple(pages))


def pen_number(layer: Layer, place: int) -> int:
    """The pen that a layer takes: the number its name begins with, else its place from 1."""
    found = re.match(r"\s*(\d+)", layer.name)
    return int(found[1]) if found else place


def strokes_of(layer: Layer) -> list[Array]:
    """All strokes of a layer in the order written."""
    return [stroke for line in layer.lines for stroke in line.ink.strokes]


# --- Curves as chords --------------------------------------------------------------------------


def chords(stroke: Array) -> Array:
    """The curve through a stroke as few straight lines, points (n, 2) rounded to 0.001.

    A quarter of the tolerance is for the chords of the curve, the rest for what is left out.
    """
    curve = Ink((stroke,)).smoothed(_pieces(stroke)).strokes[0]
    kept = curve[_needed(curve, TOLERANCE_MM * 3 / 4)]
    kept = np.round(kept, DECIMALS) + 0.0  # + 0.0 ends -0.0
    moves = np.any(np.diff(kept, axis=0) != 0, axis=1)
    sent: Array = kept[np.concatenate([[True], moves])]
    return sent


def _pieces(stroke: Array) -> int:
    """Chords a span that stay within a quarter of the tolerance.

    A chord over a piece h of a span leaves the curve by h² / 8 of its second derivative at most,
    and that of a cubic is largest at one of its ends.
    """
    if len(stroke) < 3:
        return 1
    ends = 2 * stroke[[0, -1]] - stroke[[1, -2]]
    p = np.vstack([ends[:1], stroke, ends[1:]])
    bends = np.concatenate(
        [
            2 * p[:-3] - 5 * p[1:-2] + 4 * p[2:-1] - p[3:],
            -p[:-3] + 4 * p[1:-2] - 5 * p[2:-1] + 2 * p[3:],
        ]
    )
    largest = np.hypot(bends[:, 0], bends[:, 1]).max()
    return max(1, int(np.ceil(np.sqrt(largest / (8 * TOLERANCE_MM / 4)))))


def _needed(points: Array, tolerance: float) -> list[int]:
    """Which points hold the others within the tolerance (Ramer, Douglas and Peucker)."""
    way = [(float(x), float(y)) for x, y in points]  # a tenth of NumPy's time: strokes are short
    kept = {0, len(way) - 1}
    spans = [(0, len(way) - 1)]
    while spans:
        first, last = spans.pop()
        furthest, square = _furthest(way, first, last)
        if square > tolerance**2:
            kept.add(furthest)
            spans += [(first, furthest), (furthest, last)]
    return sorted(kept)


def _furthest(way: list[tuple[float, float]], first: int, last: int) -> tuple[int, float]:
    """The point between two others that is furthest from the straight way, and how far, squared."""
    (x, y), (end_x, end_y) = way[first], way[last]
    dx, dy = end_x - x, end_y - y
    length = dx * dx + dy * dy
    furthest, largest = first, 0.0
    for index in range(first + 1, last):
        px, py = way[index][0] - x, way[index][1] - y
        along = min(1.0, max(0.0, (px * dx + py * dy) / length)) if length else 0.0
        square = (px - along * dx) ** 2 + (py - along * dy) ** 2
        if square > largest:
            furthest, largest = index, square
    return furthest, largest


def _drawn(layer: Layer) -> Layer:
    lines = tuple(
        replace(line, ink=Ink(tuple(chords(stroke) for stroke in line.ink.strokes)))
        for line in layer.lines
    )
    return replace(layer, lines=lines)


def _has_ink(layer: Layer) -> bool:
    return not layer.is_guide and any(line.ink.strokes for line in layer.lines)


# --- Bounds ------------------------------------------------------------------------------------


def beyond(points: Array, box: Sequence[float]) -> tuple[float, float, float, float]:
    """How far points stick out of a box (x from, y from, x to, y to) at each side, 0 within."""
    low, high = points.min(axis=0), points.max(axis=0)
    out = np.concatenate([np.array(box[:2]) - low, high - np.array(box[2:])])
    left, start, right, end = np.maximum(out, 0.0).tolist()
    return left, start, right, end


def told_sides(out: Iterable[float], sides: Sequence[str], unit: str) -> str:
    """Those sides at which something sticks out, as "2.5 mm on the right"; may be empty."""
    far = [
        f"{value:.3g} {unit} {side}"
        for value, side in zip(out, sides, strict=True)
        if value > ON_PAPER_MM
    ]
    return " and ".join(far)


def _check_on_paper(page: Page, number: int) -> None:
    strokes = [stroke for layer in page.layers for stroke in strokes_of(layer)]
    if not strokes:
        return
    out = beyond(np.concatenate(strokes), (0, 0, page.width_mm, page.height_mm))
    sides = ("on the left", "at the top", "on the right", "at the bottom")
    if told := told_sides(out, sides, "mm"):
        raise BadOption(
            f"the ink on page {number} sticks out of the paper by {told}, where a pen would draw "
            "on the table; take larger paper or smaller writing"
        )


# --- Travel and time ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Pace:
    """How fast a plotter is: mm/s, mm/s², and the seconds to lift or lower its pen once."""

    draw: float = 25.0
    travel: float = 50.0
    acceleration: float = 500.0
    lift: float = 0.15


@dataclass(frozen=True)
class Travel:
    """How far a pen goes, in mm, how often it comes down, and about how long that takes."""

    down_mm: float
    up_mm: float
    n_strokes: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"pen down {self.down_mm / 1000:.2f} m, pen up {self.up_mm / 1000:.2f} m, "
            f"{self.n_strokes:,} lifts, about {_told_time(self.seconds)}"
        )


def travel(document: Document, pace: Pace | None = None) -> Travel:
    """What a plotter does for a document, the time that people take to change paper apart.

    Each pen of each page starts at the lower left corner of the paper and goes back there.  Each
    stroke and each way between two begins and ends at rest; what corners within a stroke cost is
    not known here, so the time is rather too short.
    """
    pace = pace or Pace()
    down, up = [], []
    for page in for_plotter(document).pages:
        home = np.array([[0.0, page.height_mm]])
        for layer in page.layers:
            strokes = strokes_of(layer)
            down += [_length(stroke) for stroke in strokes]
            ends = [home, *(stroke[[0, -1]] for stroke in strokes), home]
            up += [_length(np.stack([a[-1], b[0]])) for a, b in pairwise(ends)]
    seconds = 2 * len(down) * pace.lift
    seconds += sum(_seconds(length, pace.draw, pace.acceleration) for length in down)
    seconds += sum(_seconds(length, pace.travel, pace.acceleration) for length in up)
    return Travel(sum(down), sum(up), len(down), seconds)


def _length(points: Array) -> float:
    steps = np.diff(points, axis=0)
    return float(np.hypot(steps[:, 0], steps[:, 1]).sum())


def _seconds(length: float, speed: float, acceleration: float) -> float:
    """The time of a way from rest to rest: up to speed, along, and down again."""
    if length < speed**2 / acceleration:
        return float(2 * np.sqrt(length / acceleration))
    return length / speed + speed / acceleration


def _told_time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
