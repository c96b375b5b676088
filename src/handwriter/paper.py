"""Paper: its sizes by name, and the guides that are printed on it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from handwriter.errors import BadOption
from handwriter.ink import Array, Ink
from handwriter.page import Layer, PlacedLine

MM = {"mm": 1.0, "cm": 10.0, "in": 25.4}
# Width and height as they are usually held, in millimetres; the ISO A series is in `_iso_a`.
SIZES = {
    "letter": (215.9, 279.4),
    "legal": (215.9, 355.6),
    "postcard": (148.0, 105.0),
    "business-card": (85.0, 55.0),
    "us-business-card": (88.9, 50.8),
    "index-card-3x5": (127.0, 76.2),
    "index-card-4x6": (152.4, 101.6),
    "index-card-5x8": (203.2, 127.0),
}
SMALLEST_MM, LARGEST_MM = 10.0, 5_000.0

GUIDES = ("plain", "ruled", "squared", "dotted")
GUIDE_COLOUR = "#9fbcd8"
GUIDE_PEN_MM = 0.15
DOT_PEN_MM = 0.4
SQUARE_MM = 5.0


def paper_size(name: str) -> tuple[float, float]:
    """Width and height in millimetres of "a4", "letter", "210x297mm", "5x7in" and the like.

    "-landscape" at the end turns it.  Raises BadOption where the name is unknown.
    """
    wanted = name.strip().lower()
    if wanted.endswith("-landscape"):
        width, height = paper_size(wanted.removesuffix("-landscape"))
        return max(width, height), min(width, height)
    if re.fullmatch(r"a(\d|10)", wanted):
        return _iso_a(int(wanted[1:]))
    if wanted in SIZES:
        return SIZES[wanted]
    if size := re.fullmatch(r"(\d+\.?\d*) ?x ?(\d+\.?\d*) ?(mm|cm|in)", wanted):
        return _measured(name, float(size[1]) * MM[size[3]], float(size[2]) * MM[size[3]])
    raise BadOption(
        f"there is no paper {name!r}; choose a0 to a10, {', '.join(SIZES)}, or give a size such as "
        "210x297mm or 5x7in"
    )


def guides(
    kind: str, width_mm: float, height_mm: float, baselines_mm: Sequence[float]
) -> tuple[Layer, ...]:
    """What is printed on paper of this kind, as a layer that plotters leave out.

    "ruled" has a rule under each line of writing, "squared" and "dotted" a grid of 5 mm, "plain"
    nothing.  Raises BadOption where the kind is unknown.
    """
    match kind:
        case "plain":
            return ()
        case "ruled":
            return _rules(kind, [_across(width_mm, y) for y in baselines_mm])
        case "squared":
            across = [_across(width_mm, y) for y in _grid(height_mm)]
            down = [_across(height_mm, x)[:, ::-1] for x in _grid(width_mm)]
            return _rules(kind, across + down)
        case "dotted":
            dots = [np.array([[x, y]]) for y in _grid(height_mm) for x in _grid(width_mm)]
            return _rules(kind, dots, DOT_PEN_MM)
        case _:
            raise BadOption(f"there is no {kind!r} paper; choose one of {', '.join(GUIDES)}")


def _iso_a(number: int) -> tuple[float, float]:
    """ISO 216: each size is half of the one before, cut across its longer side, rounded down."""
    width, height = 841, 1189
    for _ in range(number):
        width, height = height // 2, width
    return float(width), float(height)


def _measured(name: str, width_mm: float, height_mm: float) -> tuple[float, float]:
    if not all(SMALLEST_MM <= side <= LARGEST_MM for side in (width_mm, height_mm)):
        raise BadOption(
            f"paper of {name} is not possible; each side takes from {SMALLEST_MM:g} to "
            f"{LARGEST_MM:g} mm"
        )
    return width_mm, height_mm


def _rules(kind: str, strokes: list[Array], pen_mm: float = GUIDE_PEN_MM) -> tuple[Layer]:
    line = PlacedLine(Ink(tuple(strokes)))
    return (Layer((line,), f"%{kind}", GUIDE_COLOUR, pen_mm, is_guide=True),)


def _across(length_mm: float, at_mm: float) -> Array:
    return np.array([[0.0, at_mm], [length_mm, at_mm]])


def _grid(length_mm: float) -> Array:
    """Where the lines of a grid are, the same distance from both edges."""
    n = int(length_mm // SQUARE_MM)
    return (length_mm - (n - 1) * SQUARE_MM) / 2 + SQUARE_MM * np.arange(n, dtype=np.float64)
