"""Ink: what a pen leaves on paper, and the only place that knows strokes from offsets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ink:
    """Pen strokes, in the order and direction they were written.

    Each stroke is an array of shape (points, 2): the pen touches the paper at the first
    point and leaves it at the last.  x grows to the right, y grows *down*, as in
    IAM-OnDB and SVG.  The unit belongs to the caller.  A stroke of one point is a dot.

    Ink is never changed in place; every operation returns new Ink.
    """

    strokes: tuple[Array, ...]

    @staticmethod
    def from_strokes(strokes: Iterable[object]) -> Ink:
        """Ink from anything that looks like a list of lists of (x, y).

        Raises ValueError where a stroke is empty, is not made of pairs, or is not finite.
        """
        arrays = []
        for number, stroke in enumerate(strokes, start=1):
            array = np.asarray(stroke, dtype=np.float64)
            if array.ndim != 2 or array.shape[0] == 0 or array.shape[1] != 2:
                raise ValueError(f"stroke {number} is not a list of (x, y) points")
            if not np.isfinite(array).all():
                raise ValueError(f"stroke {number} has a coordinate that is not finite")
            arrays.append(array)
        return Ink(tuple(arrays))

    @staticmethod
    def from_offsets(offsets: NDArray[np.floating]) -> Ink:
        """Rebuild ink from network steps; the inverse of `offsets`.

        `offsets` has shape (steps, 3): dx, dy and 1.0 where the pen lifts *after* the
        point.  The first offset starts at the origin.  A trailing stroke left open is kept.
        """
        points = np.cumsum(offsets[:, :2], axis=0, dtype=np.float64)
        ends = np.flatnonzero(offsets[:, 2]) + 1
        return Ink(tuple(s for s in np.split(points, ends) if len(s)))

    @property
    def offsets(self) -> Array:
        """The ink as steps of shape (points, 3): dx, dy, and 1.0 where the pen lifts after it."""
        steps = np.zeros((self.n_points, 3))
        if not self.strokes:
            return steps
        steps[:, :2] = np.diff(self.points, axis=0, prepend=np.zeros((1, 2)))
        steps[np.cumsum([len(s) for s in self.strokes]) - 1, 2] = 1.0
        return steps

    @property
    def points(self) -> Array:
        """All points one after the other, shape (points, 2)."""
        return np.concatenate(self.strokes) if self.strokes else np.zeros((0, 2))

    @property
    def n_points(self) -> int:
        return sum(len(stroke) for stroke in self.strokes)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the ink; raises ValueError where there is none."""
        if not self.strokes:
            raise ValueError("ink without strokes has no bounds")
        left, top = self.points.min(axis=0)
        right, bottom = self.points.max(axis=0)
        return float(left), float(top), float(right), float(bottom)

    def moved(self, dx: float, dy: float) -> Ink:
        """The same ink, dx to the right and dy further down."""
        if dx == dy == 0:
            return self
        shift = np.array([dx, dy])
        return Ink(tuple(stroke + shift for stroke in self.strokes))

    def transformed(self, matrix: NDArray[np.floating]) -> Ink:
        """Each point (x, y) becomes matrix @ (x, y); `matrix` has shape (2, 2)."""
        return Ink(tuple(stroke @ np.asarray(matrix).T for stroke in self.strokes))

    def joined(self, other: Ink) -> Ink:
        """This ink, then the other, where each lies."""
        return Ink(self.strokes + other.strokes)

    def smoothed(self, pieces: int = 4) -> Ink:
        """Each stroke as the Catmull-Rom curve through its points, `pieces` chords a span."""
        return Ink(tuple(_catmull_rom(stroke, pieces) for stroke in self.strokes))


@dataclass(frozen=True, eq=False)
class Line:
    """One line of ink and the text it says, as a collection or a file gives it.

    `writer` and `source` are the collection's own names and may be empty.
    `split` is "train", "validation", or empty where the collection does not say.
    """

    ink: Ink
    text: str
    writer: str = ""
    split: str = ""
    source: str = ""


@dataclass(frozen=True, eq=False)
class Written(Ink):
    """The ink of one line of text as a hand wrote it, and how it did.

    `seed` and `smoothness` repeat it with the hand named `hand`, whose `licence` covers it.
    `finished` is False where the hand ran out of steps before it had written all the text:
    the ink is then what there is of it.  `n_steps` counts the steps of the network.
    `text` is what the ink says; where another text was asked, `replaced` counts what was given
    another spelling: (what was asked, what is written) -> how often.
    `read` is what a reader read in it, None where none was asked, and `n_candidates` how many
    were drawn to choose this one from; marks on letters are drawn afterwards.  `style` names the
    ink that it was written in the manner of; it is empty where there was none.  `begins` are the
    numbers of the strokes that the words of `text` begin with: a word that was left out begins
    where the next one does.
    What is made of it, moved or scaled, is plain ink again.
    """

    text: str
    hand: str
    licence: str
    seed: int
    smoothness: float
    finished: bool
    n_steps: int
    read: str | None = None
    n_candidates: int = 1
    style: str = ""
    replaced: Mapping[tuple[str, str], int] = field(default_factory=dict)
    begins: tuple[int, ...] = ()

    def words(self, begin: int, end: int) -> Self:
        """The words from number `begin` until `end`, where they lie, as a line of their own.

        It is finished where the hand came to its end; its steps are those of its points.  What was
        `replaced` is not told by word, and goes with the first one.
        """
        stops = (*self.begins, len(self.strokes))
        first, last = stops[begin], stops[end]
        strokes = self.strokes[first:last]
        return replace(
            self,
            strokes=strokes,
            text=" ".join(self.text.split()[begin:end]),
            finished=self.finished or last < len(self.strokes),
            n_steps=sum(map(len, strokes)),
            replaced={} if begin else self.replaced,
            begins=tuple(place - first for place in self.begins[begin:end]),
        )

    def beside(self, other: Self) -> Self:
        """This and another as one line, where they lie; the seed is that of this one."""
        n = len(self.strokes)
        read = [self.read, other.read]
        return replace(
            self,
            strokes=self.strokes + other.strokes,
            text=f"{self.text} {other.text}",
            finished=self.finished and other.finished,
            n_steps=self.n_steps + other.n_steps,
            read=None if None in read else " ".join(filter(None, read)),
            replaced=dict(Counter(self.replaced) + Counter(other.replaced)),
            begins=self.begins + tuple(n + place for place in other.begins),
        )


def _catmull_rom(points: Array, pieces: int) -> Array:
    """The uniform Catmull-Rom spline through `points` (n, 2), its ends mirrored."""
    if len(points) < 3:
        return points
    before = np.vstack([2 * points[0] - points[1], points[:-2]])
    start, end = points[:-1], points[1:]
    after = np.vstack([points[2:], 2 * points[-1] - points[-2]])
    t = (np.arange(pieces) / pieces)[None, :, None]
    p0, p1, p2, p3 = (p[:, None, :] for p in (before, start, end, after))
    curve = 0.5 * (
        2 * p1
        + (p2 - p0) * t
        + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
        + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    )
    return np.vstack([curve.reshape(-1, 2), points[-1:]])
