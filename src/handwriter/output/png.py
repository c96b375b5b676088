"""PNG: the page in pixels, on white paper unless told otherwise."""

from __future__ import annotations

from io import BytesIO
from math import ceil

import numpy as np
from PIL import Image, ImageColor
from PIL.PngImagePlugin import PngInfo

from handwriter.errors import BadOption
from handwriter.output.layout import described
from handwriter.output.ribbon import check_look, ribbon, usual_speed
from handwriter.page import Document, Layer, Page
from handwriter.picture import blank, draw_ink, fill_outlines

DPI = 300.0
LOWEST_DPI, HIGHEST_DPI = 10.0, 4800.0
TRANSPARENT = "transparent"
WHITE = "#ffffff"


def png(document: Document, *, dpi: float = DPI, paper: str = WHITE, look: str = "line") -> bytes:
    """The page as one PNG, greyscale where all its colours are grey.

    `paper` is a colour, such as #fffff0 or ivory, or "transparent".  Raises BadOption where the
    picture would be too large, or there is no such colour.
    """
    page = document.only_page("a .png")
    image = picture_of_page(page, check_dpi(dpi), paper, look)
    file = BytesIO()
    image.save(file, "png", dpi=(dpi, dpi), pnginfo=png_chunks(document))
    return file.getvalue()


def picture_of_page(page: Page, dpi: float, paper: str, look: str) -> Image.Image:
    """The page with all its layers, in the plainest mode that has its colours."""
    look = check_look(look)
    colours = [rgb(layer.colour) for layer in page.layers]
    image = blank_paper(page, dpi, paper)
    if image.mode == "L" and any(len(set(colour)) > 1 for colour in colours):
        image = image.convert("RGB")
    usual = usual_speed(layer for layer in page.layers if not layer.is_guide)
    for layer, colour in zip(page.layers, colours, strict=True):
        inked(image, coverage(layer, image.size, dpi, look, usual), colour)
    return image


def blank_paper(page: Page, dpi: float, paper: str) -> Image.Image:
    """Nothing but paper: greyscale where it is grey, RGBA where it is transparent."""
    px_per_mm = dpi / 25.4
    white = blank(ceil(page.width_mm * px_per_mm), ceil(page.height_mm * px_per_mm))
    if paper == TRANSPARENT:
        return Image.new("RGBA", white.size, (0, 0, 0, 0))
    colour = rgb(paper)
    if len(set(colour)) == 1:
        return Image.new("L", white.size, colour[0])
    return Image.new("RGB", white.size, colour)


def coverage(
    layer: Layer, size: tuple[int, int], dpi: float, look: str, usual: float
) -> Image.Image:
    """How much of each pixel a layer's ink covers, 0 to 255."""
    px_per_mm = dpi / 25.4
    mask = Image.new("L", size, 0)
    for line in layer.lines:
        if look == "line" or layer.is_guide:
            ink = line.ink.transformed(np.eye(2) * px_per_mm)
            draw_ink(mask, ink, pen_px=layer.pen_mm * px_per_mm, grey=255)
        else:
            for stroke in line.ink.strokes:
                outlines = ribbon(stroke, layer.pen_mm, usual)
                fill_outlines(mask, [outline * px_per_mm for outline in outlines], grey=255)
    return mask


def inked(image: Image.Image, mask: Image.Image, colour: tuple[int, int, int]) -> None:
    """Lay ink of one colour on the image, as much as covers each pixel."""
    if image.mode == "RGBA":
        ink = Image.new("RGBA", image.size, (*colour, 255))
        ink.putalpha(mask)
        image.alpha_composite(ink)
    else:
        image.paste(colour[0] if image.mode == "L" else colour, (0, 0), mask)


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue of a colour; raises BadOption where there is none of the name."""
    try:
        found = ImageColor.getrgb(colour)
    except ValueError:
        raise BadOption(
            f"there is no colour {colour!r}; give one such as #336699 or navy, or for paper "
            f'"{TRANSPARENT}"'
        ) from None
    return found[0], found[1], found[2]


def check_dpi(dpi: float) -> float:
    if not LOWEST_DPI <= dpi <= HIGHEST_DPI:
        raise BadOption(
            f"dpi is {dpi:g}; it takes from {LOWEST_DPI:g} to {HIGHEST_DPI:g}, 300 is usual for "
            "print"
        )
    return dpi


def png_chunks(document: Document) -> PngInfo:
    chunks = PngInfo()
    for name, value in described(document).items():
        chunks.add_itxt(name, value)
    return chunks
