"""Distributions beside each other, drawn as a person compares them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from handwriter.ink import Array

COLUMNS = 3
PANEL_PX, PLOT_PX = 480, 150  # width of a panel, height of what is drawn in it
CAPTION_PX, LABEL_PX = 18, 14
LINE_PX = 20
HEAD_PX = CAPTION_PX + 2 * LINE_PX  # name and unit of a panel
MARGIN_PX = 24
N_BINS = 32
BEYOND = 0.01  # of the values lie beyond each end of the axis, and count in its last bin

BLACK, GREY, PALE = (0, 0, 0), (110, 110, 110), (205, 205, 205)
# Of the series after the first, which is filled in grey; told apart in grey print by their order.
COLOURS = ((101, 26, 128), (214, 84, 60), (240, 170, 60), (32, 110, 160))

Colour = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Panel:
    """One measure: its name, its unit, and a line of text for each sample of it."""

    title: str
    unit: str
    samples: tuple[Array, ...]
    notes: tuple[str, ...]


def histograms(panels: Sequence[Panel], names: Sequence[str], foot: str) -> Image.Image:
    """A figure of all panels; `names` tells the samples, of which the first is the filled one.

    Raises ValueError where a panel has not one sample and one note a name.
    """
    for panel in panels:
        if not len(names) == len(panel.samples) == len(panel.notes) <= 1 + len(COLOURS):
            raise ValueError(f"{panel.title} has {len(panel.samples)} samples for {len(names)}")
    tall = HEAD_PX + PLOT_PX + LINE_PX * (len(names) + 2)
    width = MARGIN_PX + COLUMNS * PANEL_PX
    height = MARGIN_PX + ceil(len(panels) / COLUMNS) * tall + 2 * LINE_PX
    figure = Image.new("RGB", (width, height), (255, 255, 255))
    for number, panel in enumerate(panels):
        row, column = divmod(number, COLUMNS)
        corner = (MARGIN_PX + column * PANEL_PX, MARGIN_PX + row * tall)
        _draw_panel(figure, panel, names, corner)
    _label(figure, (MARGIN_PX, height - 2 * LINE_PX), foot, GREY)
    return figure


def _draw_panel(
    figure: Image.Image, panel: Panel, names: Sequence[str], corner: tuple[int, int]
) -> None:
    left, top = corner
    width = PANEL_PX - 2 * MARGIN_PX
    _label(figure, (left, top), panel.title, BLACK, CAPTION_PX)
    _label(figure, (left, top + CAPTION_PX + 6), panel.unit, GREY)
    floor = top + HEAD_PX + PLOT_PX
    lowest, highest = _reach(panel.samples)
    shares = [_shares(values, lowest, highest) for values in panel.samples]
    tallest = max(float(share.max()) for share in shares) or 1.0
    draw = ImageDraw.Draw(figure)
    for share, colour in zip(shares, (PALE, *COLOURS), strict=False):
        heights = [floor - round(PLOT_PX * value / tallest) for value in share.tolist()]
        if colour == PALE:
            _fill(draw, heights, left, width, floor)
        else:
            _outline(draw, heights, left, width, floor, colour)
    draw.line((left, floor, left + width, floor), GREY)
    for place, value in ((0.0, lowest), (0.5, (lowest + highest) / 2), (1.0, highest)):
        x = left + place * width
        draw.line((x, floor, x, floor + 5), GREY)
        anchor = {0.0: "la", 0.5: "ma", 1.0: "ra"}[place]
        _label(figure, (x, floor + 7), f"{value:.3g}", GREY, anchor=anchor)
    for line, (name, note) in enumerate(zip(names, panel.notes, strict=True), start=1):
        y = floor + 10 + LINE_PX * line
        colour = (PALE, *COLOURS)[line - 1]
        draw.rectangle((left, y + 2, left + 14, y + 12), fill=colour)
        _label(figure, (left + 22, y), f"{name}: {note}", BLACK)


def _fill(
    draw: ImageDraw.ImageDraw, heights: Sequence[int], left: int, width: int, floor: int
) -> None:
    for number, y in enumerate(heights):
        x = left + number * width / N_BINS
        draw.rectangle((x, y, x + width / N_BINS - 1, floor), fill=PALE)


def _outline(
    draw: ImageDraw.ImageDraw, heights: Sequence[int], left: int, width: int, floor: int,
    colour: Colour,
) -> None:  # fmt: skip
    path = [(float(left), float(floor))]
    for number, y in enumerate(heights):
        path += [(left + (number + side) * width / N_BINS, float(y)) for side in (0, 1)]
    draw.line([*path, (left + width, float(floor))], fill=colour, width=2)


def _reach(samples: Sequence[Array]) -> tuple[float, float]:
    """What the axis covers: nearly all of every sample."""
    some = [values for values in samples if len(values)]
    if not some:
        return 0.0, 1.0
    lowest = min(float(np.quantile(values, BEYOND)) for values in some)
    highest = max(float(np.quantile(values, 1 - BEYOND)) for values in some)
    return (lowest, highest) if highest > lowest else (lowest - 0.5, lowest + 0.5)


def _shares(values: Array, lowest: float, highest: float) -> Array:
    """The share of the values in each bin; what lies beyond an end counts in its last bin."""
    places = (np.clip(values, lowest, highest) - lowest) / (highest - lowest) * N_BINS
    counts = np.bincount(np.minimum(places.astype(int), N_BINS - 1), minlength=N_BINS)
    return counts / max(len(values), 1)


def _label(
    image: Image.Image, place: tuple[float, float], text: str, colour: Colour,
    size: int = LABEL_PX, anchor: str = "la",
) -> None:  # fmt: skip
    ImageDraw.Draw(image).text(place, text, colour, ImageFont.load_default(size), anchor=anchor)
