"""SVG as plotters want it: millimetres, one path a stroke in the order written, no background."""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape

import numpy as np

from handwriter.ink import Array, Ink
from handwriter.output.layout import plain
from handwriter.page import Document, Layer


def svg(document: Document) -> bytes:
    """The page as one SVG file in UTF-8, an Inkscape layer a layer, one `<path>` a stroke.

    Several lines have a group each, by which they can be told apart again (`interchange`).
    """
    page = document.only_page("an .svg")
    width, height = _number(page.width_mm), _number(page.height_mm)
    about = "; ".join(f"{name}: {value}" for name, value in document.about.items())
    rows = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<svg xmlns="http://www.w3.org/2000/svg"'
        ' xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape"'
        f' width="{width}mm" height="{height}mm" viewBox="0 0 {width} {height}">',
        f"<title>{escape(plain(document.title))}</title>",
        f"<desc>{escape(plain(about))}</desc>",
        *(row for layer in page.layers for row in _layer(layer)),
        "</svg>",
    ]
    return "\n".join([*rows, ""]).encode()


def _layer(layer: Layer) -> list[str]:
    return [
        f'<g inkscape:groupmode="layer" inkscape:label="{escape(plain(layer.name))}" fill="none"'
        f' stroke="{layer.colour}" stroke-width="{_number(layer.pen_mm)}" stroke-linecap="round"'
        ' stroke-linejoin="round">',
        *(row for line in layer.lines for row in _rows(line.ink, grouped=len(layer.lines) > 1)),
        "</g>",
    ]


def _rows(ink: Ink, *, grouped: bool) -> list[str]:
    paths = [f'<path d="{path_of(stroke)}"/>' for stroke in ink.strokes]
    return ['<g class="line">', *paths, "</g>"] if grouped else paths


def path_of(stroke: Array) -> str:
    """SVG path data of one stroke (points, 2), rounded to 0.001.

    Two points are a line; more are the Catmull-Rom curve through them, as exact Béziers.
    A dot is the shortest line that the rounding can tell: vpype drops lines of no length.
    """
    start, end = f"M{_pair(stroke[0])}", _pair(stroke[-1])
    if start == f"M{end}" and len(stroke) < 3:
        return f"{start}h0.001"
    if len(stroke) == 2:
        return f"{start}L{end}"
    return f"{start}C{' '.join(_pair(point) for point in beziers(stroke).reshape(-1, 2))}"


def beziers(stroke: Array) -> Array:
    """The spline of `Ink.smoothed` as cubic Béziers, one a span, shape (points - 1, 3, 2).

    Each holds its two control points and its end; it begins where the one before it ended.
    The tangent at a point is half the way between its neighbours, a third of it is the arm.
    """
    ends = 2 * stroke[[0, -1]] - stroke[[1, -2]]
    padded = np.vstack([ends[:1], stroke, ends[1:]])
    arms = (padded[2:] - padded[:-2]) / 6
    return np.stack([stroke[:-1] + arms[:-1], stroke[1:] - arms[1:], stroke[1:]], axis=1)


def _pair(point: Iterable[float]) -> str:
    return ",".join(_number(value) for value in point)


def _number(value: float) -> str:
    """Three decimals at most, no trailing zeros, no minus before a zero."""
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
