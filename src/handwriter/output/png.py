"""PNG: the ink on white paper at `DPI`, in the same layout as the SVG."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from math import ceil

import numpy as np
from PIL.PngImagePlugin import PngInfo

from handwriter.ink import Ink
from handwriter.output.layout import PEN_MM, lay_out, provenance, title
from handwriter.picture import blank, draw_ink

DPI = 300
PX_PER_MM = DPI / 25.4


def png(lines: Sequence[Ink]) -> bytes:
    """The lines as one greyscale PNG; raises BadOption where it would be too large."""
    sheet = lay_out(lines)
    image = blank(ceil(sheet.width_mm * PX_PER_MM), ceil(sheet.height_mm * PX_PER_MM))
    for ink in sheet.lines:
        draw_ink(image, ink.transformed(np.eye(2) * PX_PER_MM), pen_px=PEN_MM * PX_PER_MM)
    file = BytesIO()
    image.save(file, "png", dpi=(DPI, DPI), pnginfo=_described(lines))
    return file.getvalue()


def _described(lines: Sequence[Ink]) -> PngInfo:
    chunks = PngInfo()
    for name, value in {"Title": title(lines), **provenance(lines)}.items():
        chunks.add_itxt(name, value)
    return chunks
