"""SVG as plotters want it: millimetres, one path a stroke in the order written, no background."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from handwriter.errors import BadOption
from handwriter.ink import Array, Ink
from handwriter.output.layout import plain
from handwriter.output.ribbon import check_look, ribbon, usual_speed
from handwriter.output.timing import timeline
from handwriter.page import Document, Layer, Page, PlacedLine


def svg(document: Document, *, look: str = "line", animated: bool = False) -> bytes:
    """The page as one SVG file in UTF-8, an Inkscape layer a layer, one `<path>` a stroke.

    Several lines have a group each, by which they can be told apart again (`interchange`).
    Guides are in a layer whose name begins with "%", which AxiDraw's software does not plot.
    The look "ribbon" fills outlines as wide as the pen is slow, for screens.  An animated one
    shows the strokes being written, in the pen's own time; where a viewer does not animate, it
    shows them all.
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
        *_layers(page, check_look(look), animated),
        "</svg>",
    ]
    return "\n".join([*rows, ""]).encode()


def _layers(page: Page, look: str, animated: bool) -> Iterator[str]:
    """Each layer with one path a stroke."""
    if animated and look != "line":
        raise BadOption(f"a {look} cannot be animated; choose the look line, or do not animate it")
    times = iter(timeline(page) if animated else ())
    usual = usual_speed(layer for layer in page.layers if not layer.is_guide)
    for layer in page.layers:

        def path(stroke: Array, layer: Layer = layer) -> str:
            if layer.is_guide:
                return _path(stroke)
            if look == "ribbon":
                return _ribbon(stroke, layer.pen_mm, usual)
            return _moving(stroke, next(times).times) if animated else _path(stroke)

        yield _head(layer, filled=look == "ribbon" and not layer.is_guide)
        for line in layer.lines:
            paths = [path(stroke) for stroke in line.ink.strokes]
            yield from _grouped(line, paths) if len(layer.lines) > 1 else paths
        yield "</g>"


def _head(layer: Layer, *, filled: bool) -> str:
    colour, label = quoteattr(layer.colour), quoteattr(plain(layer.name))
    look = (
        f'fill={colour} stroke="none"'
        if filled
        else f'fill="none" stroke={colour} stroke-width="{_number(layer.pen_mm)}"'
        ' stroke-linecap="round" stroke-linejoin="round"'
    )
    return f'<g inkscape:groupmode="layer" inkscape:label={label} {look}>'


def _grouped(line: PlacedLine, paths: list[str]) -> list[str]:
    label = f" aria-label={quoteattr(plain(line.text))}" if line.text else ""
    return [f'<g class="line"{label}>', *paths, "</g>"]


def _path(stroke: Array) -> str:
    return f'<path d="{path_of(stroke)}"/>'


def _ribbon(stroke: Array, pen_mm: float, usual: float) -> str:
    outlines = (
        f"M{' '.join(_pair(corner) for corner in outline)}Z"
        for outline in ribbon(stroke, pen_mm, usual)
    )
    return f'<path d="{"".join(outlines)}"/>'


def _moving(stroke: Array, times: Array) -> str:
    """A stroke that is hidden until it begins, and then drawn from point to point."""
    begin, end = _number(times[0]), _number(times[-1])
    hidden = (
        f'<set attributeName="visibility" to="hidden" begin="0s" end="{begin}s"/>'
        if times[0] > 0
        else ""
    )
    if end == begin or not np.ptp(stroke, axis=0).any():
        return f'<path d="{path_of(stroke)}">{hidden}</path>'
    ways = ways_along(stroke)
    whole = 1.001 * ways[-1]  # rather a little beyond the end than before it
    left = ";".join(_number(whole - way) for way in [*ways[:-1], whole])
    shares = ";".join(_number(share) for share in np.linspace(0, 1, len(stroke)))
    drawn = (
        f'<animate attributeName="stroke-dashoffset" values="{left}" keyTimes="{shares}"'
        f' begin="{begin}s" dur="{_number(times[-1] - times[0])}s"/>'
    )
    return f'<path d="{path_of(stroke)}" stroke-dasharray="{_number(whole)}">{hidden}{drawn}</path>'


def ways_along(stroke: Array) -> Array:
    """How far along a stroke's curve the pen is at each of its points (points,)."""
    pieces = 8 if len(stroke) > 2 else 1
    curve = Ink((stroke,)).smoothed(pieces).strokes[0]
    return np.append(0.0, np.cumsum(np.hypot(*np.diff(curve, axis=0).T)))[::pieces]


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
