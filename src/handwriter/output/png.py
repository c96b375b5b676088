"""PNG: the ink on white paper at `DPI`, in the same layout as the SVG."""

from __future__ import annotations

from io import BytesIO
from math import ceil

import numpy as np
from PIL.PngImagePlugin import PngInfo

from handwriter.output.layout import plain
from handwriter.page import Document
from handwriter.picture import blank, draw_ink

DPI = 300
PX_PER_MM = DPI / 25.4


def png(document: Document) -> bytes:
    """The page as one greyscale PNG; raises BadOption where it would be too large."""
    page = document.only_page("a .png")
    image = blank(ceil(page.width_mm * PX_PER_MM), ceil(page.height_mm * PX_PER_MM))
    for layer in page.layers:
        for line in layer.lines:
            ink = line.ink.transformed(np.eye(2) * PX_PER_MM)
            draw_ink(image, ink, pen_px=layer.pen_mm * PX_PER_MM)
    file = BytesIO()
    image.save(file, "png", dpi=(DPI, DPI), pnginfo=_described(document))
    return file.getvalue()


def _described(document: Document) -> PngInfo:
    chunks = PngInfo()
    for name, value in {"Title": document.title, **document.about}.items():
        chunks.add_itxt(name, plain(value))
    return chunks
