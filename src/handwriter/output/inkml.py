"""InkML, the W3C's form of ink as data, as `interchange.read_inkml` reads it again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count
from xml.sax.saxutils import escape

import numpy as np

from handwriter.ink import Array, Written
from handwriter.output.layout import STEPS_A_SECOND, plain
from handwriter.page import Document, Page, PlacedLine

DECIMALS = 4

_CHANNELS = (("X", "mm"), ("Y", "mm"), ("T", "ms"))


def inkml(document: Document) -> bytes:
    """A trace group a page, in it one a line with the text as its ground truth, a trace a stroke.

    X and Y are millimetres from the page's top left corner, y downward, rounded to 4 decimals.
    Where a hand wrote all of it there is a time channel: its steps follow each other at one rate,
    also while the pen is up.  Guides are left out, and lines without ink.
    """
    is_timed = all(isinstance(line.written, Written) for line in document.written_lines)
    rows = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<ink xmlns="http://www.w3.org/2003/InkML">',
        *_annotations({"title": document.title, **document.about}),
        *_context(is_timed),
        *_Traces(is_timed).pages(document.pages),
        "</ink>",
    ]
    return "\n".join([*rows, ""]).encode()


def _context(is_timed: bool) -> list[str]:
    channels = _CHANNELS if is_timed else _CHANNELS[:2]
    return [
        '<context xml:id="context">',
        '<inkSource xml:id="pen">',
        "<traceFormat>",
        *(f'<channel name="{name}" type="decimal" units="{unit}"/>' for name, unit in channels),
        "</traceFormat>",
        *([f'<sampleRate uniform="true" value="{STEPS_A_SECOND:g}"/>'] if is_timed else []),
        "</inkSource>",
        "</context>",
    ]


class _Traces:
    """The rows of all traces, numbered through the document: pages, lines, strokes and points."""

    def __init__(self, is_timed: bool) -> None:
        self.is_timed = is_timed
        self.page, self.line, self.stroke, self.point = count(1), count(1), count(1), count()

    def pages(self, pages: Iterable[Page]) -> Iterator[str]:
        for page in pages:
            drawn = [layer for layer in page.layers if not layer.is_guide]
            lines = [line for layer in drawn for line in layer.lines if line.ink.strokes]
            if not lines:
                continue
            yield f'<traceGroup xml:id="page-{next(self.page)}">'
            yield from _annotations({"paper": f"{page.width_mm:.6g} x {page.height_mm:.6g} mm"})
            for line in lines:
                yield from self._line(line)
            yield "</traceGroup>"

    def _line(self, line: PlacedLine) -> Iterator[str]:
        yield f'<traceGroup xml:id="line-{next(self.line)}">'
        yield from _annotations({"truth": line.text})
        if isinstance(line.written, Written):
            yield from _annotations({"seed": str(line.written.seed)})
        for stroke in line.ink.strokes:
            yield f'<trace xml:id="stroke-{next(self.stroke)}">{self._points(stroke)}</trace>'
        yield "</traceGroup>"

    def _points(self, stroke: Array) -> str:
        """The points as the trace format has them."""
        rounded = (np.round(stroke, DECIMALS) + 0.0).tolist()  # + 0.0 ends -0.0
        rows = [f"{_number(x)} {_number(y)}" for x, y in rounded]
        if self.is_timed:
            rows = [f"{row} {1000 * next(self.point) / STEPS_A_SECOND:.0f}" for row in rows]
        return ", ".join(rows)


def _number(value: float) -> str:
    return f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".")


def _annotations(told: dict[str, str]) -> list[str]:
    """An annotation for each value that is not blank, with its name as the type."""
    return [
        f'<annotation type="{name.lower()}">{escape(plain(value))}</annotation>'
        for name, value in told.items()
        if value.strip()
    ]
