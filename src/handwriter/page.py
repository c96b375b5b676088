"""Pages: where lines of ink lie on paper, in millimetres.

Everything here is measured from the top left corner of the paper, x to the right and y down.
A `Document` is all that a file of any format is made from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from handwriter.ink import Ink, Written

INK_LAYER = "1-black"  # the number is the pen that a plotter takes, the name is for people


@dataclass(frozen=True, eq=False)
class PlacedLine:
    """A line of ink where it lies on the paper.

    `ink` is in millimetres, its strokes in the order they were written; `baseline_mm` is the y
    that its letters stand on and `text` what it says.  `written` is the line as the hand gave
    it, in the hand's own unit; None for ink that no hand wrote.
    """

    ink: Ink
    text: str = ""
    baseline_mm: float = 0.0
    written: Written | None = None


@dataclass(frozen=True, eq=False)
class Layer:
    """Lines drawn with one pen, `pen_mm` wide, of one `colour` (#rrggbb).

    A guide (rules, squares, dots) is there for the eye: plotters leave it out.
    """

    lines: tuple[PlacedLine, ...]
    name: str = INK_LAYER
    colour: str = "#000000"
    pen_mm: float = 0.4
    is_guide: bool = False


@dataclass(frozen=True, eq=False)
class Page:
    """One side of paper: its size, and its layers from the bottom to the top."""

    width_mm: float
    height_mm: float
    layers: tuple[Layer, ...]


@dataclass(frozen=True, eq=False)
class Document:
    """Pages in their order, and what is told of them: the text, and how it was written.

    `about` holds hand, licence, seed and the like, by name; every format keeps it as metadata.
    """

    pages: tuple[Page, ...]
    title: str = ""
    about: Mapping[str, str] = field(default_factory=dict)
