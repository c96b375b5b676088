"""HPGL: 40 units a millimetre, y up from the lower left corner of the paper."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import numpy as np

from handwriter.ink import Array
from handwriter.output.plotter import for_plotter, pen_number, strokes_of
from handwriter.page import Document, Page

UNITS_PER_MM = 40


def hpgl(document: Document, pen_speed_mm_s: float | None = None) -> bytes:
    """The pages one after the other, a pen a layer, one `PD` a stroke in the order written.

    Between pages the pen is put away and the page is advanced (`PG`).  Guides are left out, dots
    are a pen that is lowered and lifted.  Without a speed the plotter keeps its own.  Raises
    BadOption where ink lies beside the paper.
    """
    speed = [] if pen_speed_mm_s is None else [f"VS{pen_speed_mm_s / 10:g};"]
    pages = ["\n".join(_page(page)) for page in for_plotter(document).pages]
    body = "\nPG;\n".join(page for page in pages)
    return "\n".join(["IN;", *speed, body, *_about(document), ""]).encode("ascii")


def _page(page: Page) -> Iterator[str]:
    for place, layer in enumerate(page.layers, start=1):
        yield f"SP{pen_number(layer, place)};"
        for stroke in strokes_of(layer):
            yield _stroke(stroke, page.height_mm)
    yield "PU0,0;"
    yield "SP0;"


def _stroke(stroke: Array, height_mm: float) -> str:
    up = np.array([0.0, height_mm]) + stroke * [1, -1]
    points = [f"{x},{y}" for x, y in np.rint(up * UNITS_PER_MM).astype(int).tolist()]
    return f"PU{points[0]};PD{','.join(points[1:])};PU;"


def _about(document: Document) -> Iterator[str]:
    """Metadata as comments of HP-GL/2, after the last pen has been put away.

    An older plotter, which does not know `CO`, may take letters for instructions: no pen is held
    by then, and none of them can take one (`SP`).
    """
    for name, value in {"Title": document.title, **document.about}.items():
        text = json.dumps(f"{name}: {value}")[1:-1].replace('\\"', "\\u0022")
        text = re.sub(r"[;~\x7f]", lambda found: f"\\u{ord(found[0]):04x}", text)
        text = re.sub(r"(?i)(s\s*)(p)", lambda found: f"{found[1]}\\u{ord(found[2]):04x}", text)
        yield f'CO"{text}";'
