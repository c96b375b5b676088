"""The ink of UNIPEN: what a file of labels and all that it includes tell, in millimetres."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from handwriter.ink import Array
from handwriter.training.unipen_files import Library, Refused, Statement

MM_PER_INCH = 25.4

# What the headers do not tell, or tell wrongly; docs/unipen.md has more.
UNITS_PER_MM = {
    "apb": 1000 / MM_PER_INCH,  # repeats the header of apa, with letters seven times as large
    "lex": 1000 / MM_PER_INCH,  # the unit of Windows for Pen
    "phi": 1000 / MM_PER_INCH,  # tells none; the unit of Windows for Pen
    "scr": 1000 / MM_PER_INCH,  # the unit of Windows for Pen
}
RATES = {
    "art": 0.0,  # tells 10, with 27 points a character
    "kai": 0.0,  # tells 9600, the speed of the cable
    "pap": 100.0,  # tells 205 and 100; with 100 the pen has the usual speed
}

MAX_STROKES = 2000  # of a segment; the longest text, a page, has 1,500
MAX_INCLUDES = 64  # in all, for a file of labels; the collection has 4


@dataclass(frozen=True, eq=False)
class Stroke:
    """Ink of one pen-down component; `at` tells its component and its first point there."""

    at: tuple[int, int]
    points: Array


_PIECE = re.compile(r"(\d{1,7})(?::(\d{1,7}))?-(\d{1,7})(?::(\d{1,7}))?|(\d{1,7})", re.A)

SETTINGS = {"COORD", "POINTS_PER_SECOND", "WRITER_ID"} | {
    f"{axis}_POINTS_PER_{unit}" for axis in "XY" for unit in ("INCH", "MM")
}


@dataclass(eq=False)
class Recording:
    """What a file of labels and all that it includes tell together.

    Components are numbered from 0 in the order in which they stand, pen up and pen down alike;
    one without points has no number.  So the definition says, and so all contributors count.
    """

    contributor: str
    n_includes: int = 0
    settings: dict[str, str] = field(default_factory=dict)
    components: list[Statement] = field(default_factory=list)
    labels: list[Statement] = field(default_factory=list)
    fault: str = ""

    def read(self, path: str, library: Library, trail: tuple[str, ...] = ()) -> None:
        """Take in a file and, where they stand, those it includes."""
        try:
            statements = library.statements(path)
        except Refused as refusal:
            self.fault = str(refusal)
            return
        for statement in statements:
            match statement.keyword:
                case "PEN_DOWN" | "PEN_UP" if statement.body.strip():
                    self.components.append(statement)
                case "START_SET":
                    self.components.clear()
                case "SEGMENT":
                    self.labels.append(statement)
                case "INCLUDE":
                    self._include(f"include/{statement.text}", library, trail)
                case keyword if keyword in SETTINGS:
                    self.settings[keyword] = " ".join(statement.text.split())

    def _include(self, path: str, library: Library, trail: tuple[str, ...]) -> None:
        if path in trail or self.n_includes == MAX_INCLUDES:
            self.fault = "includes without end"
            return
        self.n_includes += 1
        self.read(path, library, (*trail, path))

    @property
    def writer(self) -> str:
        return self.settings.get("WRITER_ID", "")

    @property
    def rate(self) -> float:
        """Points a second; 0 where it is not known."""
        return RATES.get(self.contributor, self._number("POINTS_PER_SECOND"))

    @cached_property
    def scale(self) -> Array:
        """What x and y are multiplied with to be millimetres, y downward; raises Refused."""
        per_mm = [UNITS_PER_MM.get(self.contributor) or self._units_per_mm(a) for a in "XY"]
        if not all(per_mm):
            raise Refused("resolution not known")
        return np.array([1, -1]) / per_mm

    def _units_per_mm(self, axis: str) -> float:
        return (
            self._number(f"{axis}_POINTS_PER_MM")
            or self._number(f"{axis}_POINTS_PER_INCH") / MM_PER_INCH
        )

    def _number(self, keyword: str) -> float:
        """A positive number from the header; 0 where there is none."""
        try:
            number = float(self.settings.get(keyword, "0"))
        except ValueError:
            return 0.0
        return number if 0 < number < 1e6 else 0.0

    def strokes(self, ranges: str) -> Iterator[Stroke]:
        """The ink of ranges such as 0-28, 3 or 1:12-3:4, separated by commas, in that order.

        The last component, and the last point, belong to the range.  Raises Refused.
        """
        n_withheld = n_given = 0
        for part in ranges.split(","):
            for number, start, end in self._pieces(part):
                points = self._points(number)
                last = len(points) - 1 if end is None else end
                if not start <= last < len(points):
                    raise Refused("range past the end of a component")
                if _is_withheld(points):
                    n_withheld += 1
                    continue
                n_given += 1
                if n_given > MAX_STROKES:
                    raise Refused("too many strokes")
                yield Stroke((number, start), points[start : last + 1] * self.scale)
        if n_withheld:
            raise Refused("ink withheld in part" if n_given else "ink withheld")

    def _pieces(self, part: str) -> Iterator[tuple[int, int, int | None]]:
        """Each pen-down component of a range, and its first and last point (None: to its end)."""
        found = _PIECE.fullmatch(part)
        if found is None:
            raise Refused("range not understood")
        first, start, last, end = (None if g is None else int(g) for g in found.groups()[:4])
        if first is None or last is None:
            first = last = int(found[5])
        if not first <= last < len(self.components):
            raise Refused("range past the end of the ink")
        for number in range(first, last + 1):
            if self.components[number].keyword == "PEN_DOWN":
                yield (
                    number,
                    (start or 0) if number == first else 0,
                    end if number == last else None,
                )

    def _points(self, number: int) -> Array:
        """The points of a component, shape (points, 2), in the units of the device."""
        columns = self.settings.get("COORD", "X Y").split()
        numbers = self.components[number].numbers
        if numbers is None or len(numbers) % len(columns) or not {"X", "Y"} <= set(columns):
            raise Refused("damaged coordinates")
        return numbers.reshape(-1, len(columns))[:, [columns.index("X"), columns.index("Y")]]


def _is_withheld(points: Array) -> bool:
    """Whether this is what the collection put in place of ink kept for tests: one point, 0 0."""
    return len(points) == 1 and not points.any()
