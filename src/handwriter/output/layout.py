"""Where written lines go on paper, in millimetres, and what is said about how they came there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from handwriter.hyphenation import SOFT
from handwriter.ink import Ink, Written
from handwriter.page import Document, Layer, Page, PlacedLine, provenance

MM_PER_UNIT = 1.6  # a hand's unit is the deviation of y, so that an x-height comes to some 3 mm
LINE_PITCH_MM = 10.0
MARGIN_MM = 5.0
STEPS_A_SECOND = 29.0  # of a hand: IAM-OnDB has 58 points a second, and a hand half of them


def lay_out(lines: Sequence[Ink]) -> Document:
    """Place lines below each other on one page just large enough, `LINE_PITCH_MM` apart.

    Lines keep their x, so that leading blanks stay, and their y = 0 is the baseline; the margin
    lies around all the ink.
    """
    to_mm = np.eye(2) * MM_PER_UNIT
    placed = [
        line.transformed(to_mm).moved(0, number * LINE_PITCH_MM)
        for number, line in enumerate(lines)
    ]
    strokes = [stroke for ink in placed for stroke in ink.strokes]
    # The curve swings a little further out than the points that it goes through.
    left, top, right, bottom = Ink(tuple(strokes)).smoothed(8).bounds if strokes else (0.0,) * 4
    layer = Layer(
        tuple(
            PlacedLine(
                ink=ink.moved(MARGIN_MM - left, MARGIN_MM - top),
                text=line.text if isinstance(line, Written) else "",
                baseline_mm=number * LINE_PITCH_MM + MARGIN_MM - top,
                written=line,
            )
            for number, (line, ink) in enumerate(zip(lines, placed, strict=True))
        )
    )
    page = Page(right - left + 2 * MARGIN_MM, bottom - top + 2 * MARGIN_MM, (layer,))
    title = "\n".join(line.text for line in lines if isinstance(line, Written))
    return Document((page,), title, provenance(lines))


def described(document: Document) -> dict[str, str]:
    """What every file tells of itself, by name: title, text where that is more, and how written.

    A word that is divided on paper is whole there.
    """
    text = "\n".join(line.told for line in document.written_lines).replace(f"{SOFT}\n", "")
    told = {"Title": document.title}
    if text.strip() not in ("", document.title.strip()):
        told["Text"] = text
    return {name: plain(value) for name, value in {**told, **document.about}.items()}


def plain(text: str) -> str:
    """The text with whatever no XML and no PNG may hold shown as U+FFFD."""
    return "".join(c if c == "\n" or _is_allowed(c) else "\N{REPLACEMENT CHARACTER}" for c in text)


def _is_allowed(character: str) -> bool:
    code = ord(character)
    is_control = code < 0x20 or 0x7F <= code < 0xA0
    return not (is_control or 0xD800 <= code < 0xE000 or code & 0xFFFE == 0xFFFE)
