"""PDF: every page as curves, its text above them, unseen but there to be found and copied."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from handwriter.output.glyphless import CAPITAL, FONT, known, shown
from handwriter.output.layout import described
from handwriter.output.ribbon import check_look, ribbon, usual_speed
from handwriter.output.svg import beziers
from handwriter.page import Document, Layer, Page, PlacedLine

if TYPE_CHECKING:
    from handwriter.ink import Array

PT_PER_MM = 72 / 25.4
INVISIBLE = 3  # text rendering mode
DOT_MM = 0.001  # the shortest line that shows its round ends in every reader
ROUND = 1  # line ends and joints


def pdf(document: Document, *, look: str = "line") -> bytes:
    """All pages as one PDF, with no date in it."""
    from reportlab.pdfgen.canvas import Canvas

    known()
    file = BytesIO()
    canvas = Canvas(file, invariant=1, pageCompression=1)
    about = described(document)
    canvas.setTitle(about.pop("Title"))
    canvas.setCreator(about.pop("Software", "handwriter"))
    about.pop("Text", None)  # it is on the pages
    canvas.setSubject("; ".join(f"{name}: {value}" for name, value in about.items()))
    canvas.setAuthor(about.get("Hand", ""))
    for page in document.pages:
        _draw_page(canvas, page, check_look(look))
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def _draw_page(canvas: Any, page: Page, look: str) -> None:
    height = page.height_mm * PT_PER_MM
    canvas.setPageSize((page.width_mm * PT_PER_MM, height))
    usual = usual_speed(layer for layer in page.layers if not layer.is_guide)
    canvas.saveState()
    canvas.transform(PT_PER_MM, 0, 0, -PT_PER_MM, 0, height)  # millimetres, y down
    for layer in page.layers:
        _draw_layer(canvas, layer, look, usual)
    canvas.restoreState()
    for layer in page.layers:
        for line in layer.lines:
            if line.text.strip() and line.ink.strokes:
                _lay_text(canvas, line, height)


def _draw_layer(canvas: Any, layer: Layer, look: str, usual: float) -> None:
    canvas.setStrokeColor(layer.colour)
    canvas.setFillColor(layer.colour)
    canvas.setLineWidth(layer.pen_mm)
    canvas.setLineCap(ROUND)
    canvas.setLineJoin(ROUND)
    filled = look == "ribbon" and not layer.is_guide
    for stroke in (stroke for line in layer.lines for stroke in line.ink.strokes):
        path = canvas.beginPath()
        if filled:
            for outline in ribbon(stroke, layer.pen_mm, usual):
                _close(path, outline)
        else:
            _follow(path, stroke)
        canvas.drawPath(path, stroke=not filled, fill=filled, fillMode=1)


def _follow(path: Any, stroke: Array) -> None:
    path.moveTo(*stroke[0])
    if len(stroke) < 2:
        path.lineTo(stroke[0, 0] + DOT_MM, stroke[0, 1])
    elif len(stroke) == 2:
        path.lineTo(*stroke[1])
    else:
        for span in beziers(stroke):
            path.curveTo(*span.ravel())


def _close(path: Any, outline: Array) -> None:
    path.moveTo(*outline[0])
    for corner in outline[1:]:
        path.lineTo(*corner)
    path.close()


def _lay_text(canvas: Any, line: PlacedLine, height: float) -> None:
    """The line's words where their ink is, as wide and about as high, a blank between them.

    The hyphen of a divided word is a soft one, as ISO 32000-1, 14.8.2.2.3, asks.
    """
    top = line.ink.bounds[1]
    size = max((line.baseline_mm - top) / CAPITAL * PT_PER_MM, 1.0)
    text = canvas.beginText()
    text.setTextRenderMode(INVISIBLE)
    text.setFont(FONT, size)
    words = [(word, ink) for word, ink in line.words if ink.strokes]
    for number, (word, ink) in enumerate(words, start=1):
        left, _, right, _ = ink.bounds
        content = shown(word)
        natural = canvas.stringWidth(content, FONT, size)
        text.setTextOrigin(left * PT_PER_MM, height - line.baseline_mm * PT_PER_MM)
        text.setHorizScale(100 * max((right - left) * PT_PER_MM, 1.0) / max(natural, 1e-6))
        text.textOut(content + " " * (number < len(words)))
    canvas.drawText(text)
