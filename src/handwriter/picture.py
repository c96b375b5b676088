"""Pictures of ink: how strokes become pixels.

Everything is drawn with one round pen, as the smooth curve through the points, and each
function returns a greyscale picture, black on white.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from io import BytesIO
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from handwriter.errors import BadOption
from handwriter.ink import Array, Ink

WHITE, GREY, BLACK = 255, 110, 0

OVERSAMPLING = 4  # a stroke is drawn this many times larger and averaged down
LONGEST_CHORD_PX = 2.0  # a curve is drawn as chords no longer than this, where pieces suffice
MOST_PIECES = 12
LOWEST_INK = 2.0  # model units: ink lower than an x-height ("-", ".") is not blown up to fill a row
MOST_PIXELS = 100_000_000  # one byte each
CAPTION_PX = 11
MOST_CAPTION_CHARACTERS = 300

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def draw_ink(image: Image.Image, ink: Ink, *, pen_px: float, grey: int = BLACK) -> None:
    """Draw ink, whose unit is the pixel of `image`, with a round pen `pen_px` wide.

    Pixel (0, 0) covers the square from (0, 0) to (1, 1).  Ink outside the image is cut off.
    """
    for stroke in ink.strokes:
        _draw_stroke(image, stroke, pen_px, grey)


def fill_outlines(image: Image.Image, outlines: Sequence[Array], *, grey: int = BLACK) -> None:
    """Fill what lies within any of the outlines (corners, 2), in pixels of the image."""
    if not outlines:
        return
    corners = np.concatenate(outlines)
    box = _box(image, corners, reach=1.0)
    if box:
        left, top, right, bottom = box
        size = ((right - left) * OVERSAMPLING, (bottom - top) * OVERSAMPLING)
        tile = Image.new("L", size, 0)
        draw = ImageDraw.Draw(tile)
        for outline in outlines:
            path = np.rint((outline - (left, top)) * OVERSAMPLING - 0.5)
            draw.polygon(path.ravel().tolist(), fill=255, outline=255)
        image.paste(grey, box, tile.reduce(OVERSAMPLING))


def picture_of(lines: Sequence[Ink], *, height_px: int = 96, margin_px: int = 16) -> Image.Image:
    """Lines of ink below each other, each with its y = 0 on a baseline, `height_px` apart.

    One scale for all, the largest at which no two lines can overlap, keeps sizes comparable.
    Raises BadOption where the picture would have too many pixels.
    """
    inked = [_reach(line) for line in lines if line.strokes]
    left = min((bounds[0] for bounds in inked), default=0.0)
    right = max((bounds[2] for bounds in inked), default=0.0)
    ascent = max((-bounds[1] for bounds in inked), default=0.0)
    descent = max((bounds[3] for bounds in inked), default=0.0)
    pen_px = _pen_for(height_px)
    scale = (height_px - 2 * pen_px) / max(ascent + descent, LOWEST_INK)
    width_px = 2 * margin_px + ceil((right - left) * scale + pen_px)
    image = blank(width_px, 2 * margin_px + height_px * len(lines))
    spare_px = height_px - (ascent + descent) * scale
    for row, line in enumerate(lines):
        baseline_px = margin_px + row * height_px + spare_px / 2 + ascent * scale
        dx = margin_px + pen_px / 2 - left * scale
        draw_ink(image, _scaled(line, scale).moved(dx, baseline_px), pen_px=pen_px)
    return image


def contact_sheet(
    inks: Sequence[Ink],
    captions: Sequence[str],
    *,
    width_px: int = 1200,
    row_px: int = 72,
    columns: int = 2,
) -> Image.Image:
    """Each ink fitted into a cell of its own, its caption in small grey type beneath.

    Cells are filled row by row.  Raises ValueError unless there is one caption for each ink,
    BadOption where the sheet would have too many pixels.
    """
    if len(inks) != len(captions):
        raise ValueError(f"{len(inks)} inks and {len(captions)} captions")
    gap_px, caption_px = 8, CAPTION_PX + 5
    cell_px = width_px // columns
    image = blank(width_px, gap_px + ceil(len(inks) / columns) * (row_px + gap_px))
    font = ImageFont.load_default(CAPTION_PX)
    draw = ImageDraw.Draw(image)
    for number, (ink, caption) in enumerate(zip(inks, captions, strict=True)):
        row, column = divmod(number, columns)
        left, top = column * cell_px + gap_px, gap_px + row * (row_px + gap_px)
        right, foot = left + cell_px - 2 * gap_px, top + row_px - caption_px
        _draw_fitted(image, ink, (left, top, right, foot))
        draw.text((left, foot + 2), _cut(caption, right - left, font), GREY, font)
    return image


def png_of(image: Image.Image, hand: str, licence: str) -> bytes:
    """A picture of a hand's ink as a PNG that names the hand and its licence."""
    chunks = PngInfo()
    for name, value in (("Hand", hand), ("Licence", licence)):
        chunks.add_itxt(name, value)
    file = BytesIO()
    image.save(file, "png", pnginfo=chunks, optimize=True)
    return file.getvalue()


def window_picture(window: NDArray[np.floating[Any]], text: str) -> Image.Image:
    """The attention window in time, as in figure 13 of Graves (2013): dark where it looks.

    `window` has shape (steps, characters).  Time runs to the right, the text runs down the
    left side; `window` may be wider than the text (an end mark), never narrower.
    """
    n_steps, n_characters = window.shape
    if n_characters < len(text):
        raise ValueError(f"a window over {n_characters} characters cannot show {len(text)}")
    row_px, gutter_px, margin_px = 14, 18, 6
    step_px = min(max(1200 // max(n_steps, 1), 1), 6)
    size = (n_steps * step_px, n_characters * row_px)
    image = blank(gutter_px + size[0] + margin_px, size[1] + 2 * margin_px)
    if n_steps and n_characters:
        attended = Image.fromarray(_as_grey(window.T)).resize(size, Image.Resampling.NEAREST)
        image.paste(attended, (gutter_px, margin_px))
    draw = ImageDraw.Draw(image)
    frame = (gutter_px - 1, margin_px - 1, gutter_px + size[0], margin_px + size[1])
    draw.rectangle(frame, outline=GREY)
    font = ImageFont.load_default(CAPTION_PX)
    for row, character in enumerate(text):
        middle = (gutter_px / 2, margin_px + (row + 0.5) * row_px)
        draw.text(middle, _printable(character), BLACK, font, anchor="mm")
    return image


def blank(width_px: int, height_px: int) -> Image.Image:
    """White paper; raises BadOption where it would have more than `MOST_PIXELS`."""
    if width_px * height_px > MOST_PIXELS:
        raise BadOption(
            f"a picture of {width_px:,} x {height_px:,} pixels is too large (the most is "
            f"{MOST_PIXELS:,} in all); draw fewer or shorter lines, or save an .svg instead"
        )
    return Image.new("L", (width_px, height_px), WHITE)


def _draw_stroke(image: Image.Image, stroke: Array, pen_px: float, grey: int) -> None:
    """Draw one stroke on a tile of its own, large, and lay the averaged tile on the image."""
    curve = _curve(stroke)
    box = _box(image, curve, reach=pen_px / 2 + 1)
    if not box:
        return
    left, top, right, bottom = box
    size = ((right - left) * OVERSAMPLING, (bottom - top) * OVERSAMPLING)
    tile = Image.new("L", size, 0)
    _sweep_disc(tile, (curve - (left, top)) * OVERSAMPLING, pen_px * OVERSAMPLING)
    image.paste(grey, box, tile.reduce(OVERSAMPLING))


def _box(image: Image.Image, points: Array, reach: float) -> tuple[int, int, int, int] | None:
    """The part of the image that points reach, in whole pixels; None where it is none of it."""
    left, top = np.maximum(np.floor(points.min(axis=0) - reach), 0).astype(int).tolist()
    far = np.ceil(points.max(axis=0) + reach)
    right, bottom = np.minimum(far, image.size).astype(int).tolist()
    return (left, top, right, bottom) if left < right and top < bottom else None


def _sweep_disc(tile: Image.Image, path: Array, width: float) -> None:
    """Whiten all that a disc `width` across touches on its way along `path` (points, 2).

    Pillow names a pixel by its number, the path by its left edge, and cuts fractions off:
    hence the half pixels and the rounding.
    """
    draw = ImageDraw.Draw(tile)
    diameter = max(round(width), 1)
    if len(path) > 1:
        draw.line(np.rint(path - 0.5).ravel().tolist(), fill=255, width=diameter)
    # Pillow's lines have flat ends and open corners; a disc on each point rounds them all.
    for left, top in np.rint(path - diameter / 2).tolist():
        draw.ellipse((left, top, left + diameter - 1, top + diameter - 1), fill=255)


def _curve(stroke: Array) -> Array:
    """The smooth curve through a stroke in pixels, as chords short enough to look smooth."""
    if len(stroke) < 3:
        return stroke
    longest = float(np.hypot(*np.diff(stroke, axis=0).T).max())
    pieces = min(max(ceil(longest / LONGEST_CHORD_PX), 1), MOST_PIECES)
    return Ink((stroke,)).smoothed(pieces).strokes[0]


def _draw_fitted(image: Image.Image, ink: Ink, box: tuple[int, int, int, int]) -> None:
    """Draw ink as large as it fits into `box` (left, top, right, bottom), from its left edge."""
    if not ink.strokes:
        return
    box_left, box_top, box_right, box_bottom = box
    pen_px = _pen_for(box_bottom - box_top)
    left, top, right, bottom = _reach(ink)
    room_x, room_y = box_right - box_left - 2 * pen_px, box_bottom - box_top - 2 * pen_px
    scale = room_y / max(bottom - top, LOWEST_INK)
    if (right - left) * scale > room_x:
        scale = room_x / (right - left)
    dx = box_left + pen_px - left * scale
    dy = (box_top + box_bottom - (top + bottom) * scale) / 2
    draw_ink(image, _scaled(ink, scale).moved(dx, dy), pen_px=pen_px)


def _reach(ink: Ink) -> tuple[float, float, float, float]:
    """The bounds of the curve, which swings a little further out than its points."""
    return ink.smoothed().bounds


def _pen_for(height_px: float) -> float:
    """The pen that looks right in a row of writing `height_px` high."""
    return max(height_px / 36, 1.2)


def _scaled(ink: Ink, scale: float) -> Ink:
    return ink.transformed(np.eye(2) * scale)


def _cut(caption: str, width_px: float, font: Font) -> str:
    """The caption, or as much of it as fits, with an ellipsis."""
    shown = _printable(caption[:MOST_CAPTION_CHARACTERS])
    if len(caption) <= MOST_CAPTION_CHARACTERS and font.getlength(shown) <= width_px:
        return shown
    lengths = range(1, len(shown) + 1)
    fitting = bisect_right(lengths, width_px, key=lambda n: font.getlength(shown[:n] + "…"))
    return shown[:fitting] + "…"


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


def _as_grey(matrix: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """0 becomes white and the largest value black; what is not finite counts as 0."""
    values = np.nan_to_num(np.asarray(matrix, dtype=np.float64), posinf=0.0, neginf=0.0)
    largest = max(float(values.max()), 1e-12)
    return np.rint(WHITE * (1 - np.clip(values / largest, 0, 1))).astype(np.uint8)
