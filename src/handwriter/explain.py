"""What a hand's network thought while it wrote a line, drawn as in Graves (2013)."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from math import ceil, pi

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from handwriter.hand import Trace
from handwriter.ink import Array
from handwriter.picture import draw_ink
from handwriter.weights import Weights

PANEL_PX = 1480  # width of what the panels show
LEFT_PX, RIGHT_PX = 76, 28
CAPTION_PX, LABEL_PX = 24, 17
CAPTION_GAP_PX, PANEL_GAP_PX = 38, 26
TALLEST_INK_PX = 260
CURVE_PX = 130
CHARACTER_PX = 19
AROUND_INK = 0.6  # units of the hand: densities reach further than the ink
PEN = 0.1  # its width in the same units
LEAST_WEIGHT = 1e-3  # of a component that is drawn
WIDEST_PX = 4.0  # deviation up to which a component is drawn on one grid; then on a coarser one
REACH = 3.2  # deviations
CHUNK = 2_000  # components at once

BLACK, GREY, PALE = (0, 0, 0), (110, 110, 110), (225, 225, 225)
LIFT, END = (183, 55, 121), (32, 110, 160)
# From white by orange and purple to black, evenly darker, so that it prints in grey as well.
SHADES = np.array(
    [(255, 255, 255), (254, 216, 170), (251, 140, 96), (200, 62, 113), (101, 26, 128), (10, 6, 35)]
)

Colour = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Densities:
    """Where the next point was expected: a mixture of normal distributions for each step.

    In the ink's own place and unit: `weight` (n, M), `centre` (n, M, 2)
    and `covariance` (n, M, 3) of xx, xy and yy.  `lifts` and `ends` (n,) are the probabilities
    that the pen lifts and that the line ends.
    """

    weight: Array
    centre: Array
    covariance: Array
    lifts: Array
    ends: Array


def explain(trace: Trace, weights: Weights) -> bytes:
    """One PNG with the ink, its densities, the pen lifts and the window over the text."""
    panels = [_ink_panels(trace, weights), _pen_panel(trace, weights), _window_panel(trace)]
    margin = PANEL_GAP_PX
    height = sum(panel.height + PANEL_GAP_PX for panel in panels) + margin
    figure = _paper(height + CAPTION_PX)
    top = margin
    for panel in panels:
        figure.paste(panel, (0, top))
        top += panel.height + PANEL_GAP_PX
    _label(figure, (LEFT_PX, top - 4), _about(trace), GREY)
    file = BytesIO()
    figure.save(file, "png", pnginfo=_described(trace))
    return file.getvalue()


def densities(trace: Trace, weights: Weights) -> Densities:
    """The mixtures that the steps were drawn from, with the smoothness they were drawn with."""
    b, m = trace.written.smoothness, weights.mixtures
    outputs = trace.outputs.astype(np.float64)
    mu_x, mu_y, sigma_hat_x, sigma_hat_y, rho_hat, pi_hat = (
        outputs[:, i * m : (i + 1) * m] for i in range(6)
    )
    deviation = np.array(weights.deviation)
    points, (first, *_) = trace.written.points, trace.steps[:, :2] * deviation + weights.mean
    pen_was = np.vstack([points[0] - first, points[:-1]])
    mu = np.stack([mu_x, mu_y], -1) * deviation + weights.mean
    sigma = np.exp(np.stack([sigma_hat_x, sigma_hat_y], -1) - b) * deviation  # eq. 61
    sigma_x, sigma_y = np.moveaxis(sigma, -1, 0)
    rho = np.tanh(rho_hat)  # eq. 22
    pen = outputs[:, 6 * m :]
    p = _softmax(pen) if weights.has_end else 1 / (1 + np.exp(-pen))
    return Densities(
        weight=_softmax(pi_hat * (1 + b)),  # eq. 62
        centre=pen_was[:, None] + mu,
        covariance=np.stack([sigma_x**2, rho * sigma_x * sigma_y, sigma_y**2], -1),
        lifts=p[:, 1] if weights.has_end else p[:, 0],
        ends=p[:, 2] if weights.has_end else np.zeros(len(p)),
    )


def heat(
    weight: Array, centre: Array, covariance: Array, shape: tuple[int, int]
) -> NDArray[np.float64]:
    """The sum of normal distributions over the pixels of a picture of `shape` (height, width).

    weight (n,), centre (n, 2), covariance (n, 3) in pixels.  A pixel holds the probability that
    falls on it, so that all of them come to the sum of the weights inside the picture.  Wide
    distributions are drawn on coarser grids, each half as fine as the one before.
    """
    spread = np.sqrt(np.maximum(covariance[:, 0], covariance[:, 2]))
    octaves = np.ceil(np.log2(np.maximum(spread / WIDEST_PX, 1)))
    total = np.zeros(shape)
    for octave in np.unique(octaves):
        scale, some = float(2**octave), np.flatnonzero(octaves == octave)
        grid = np.zeros((ceil(shape[0] / scale), ceil(shape[1] / scale)))
        for begin in range(0, len(some), CHUNK):
            chunk = some[begin : begin + CHUNK]
            _add_bells(grid, weight[chunk], centre[chunk] / scale, covariance[chunk] / scale**2)
        total += _finer(grid, scale, shape)
    return total


def _add_bells(grid: Array, weight: Array, centre: Array, covariance: Array) -> None:
    """Add normal distributions to the grid, each where it reaches (eqs. 24-25)."""
    # A pixel is no point but a square; its own variance also keeps thin ridges from vanishing.
    xx, xy, yy = (covariance + np.array([1, 0, 1]) / 12).T[:, :, None, None]
    reach = ceil(REACH * float(np.sqrt(max(xx.max(), yy.max()))))
    steps = np.arange(-reach, reach + 1)
    middle = np.floor(centre).astype(int)
    columns = middle[:, 0, None, None] + steps[None, None, :]
    rows = middle[:, 1, None, None] + steps[None, :, None]
    x = columns + 0.5 - centre[:, 0, None, None]
    y = rows + 0.5 - centre[:, 1, None, None]
    determinant = xx * yy - xy**2
    z = (yy * x**2 - 2 * xy * x * y + xx * y**2) / determinant
    bells = weight[:, None, None] * np.exp(-z / 2) / (2 * pi * np.sqrt(determinant))
    height, width = grid.shape
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    places = (rows * width + columns)[inside]
    grid += np.bincount(places, bells[inside], height * width).reshape(grid.shape)


def _finer(grid: Array, scale: float, shape: tuple[int, int]) -> Array:
    """A coarse grid as pixels: spread over `scale` x `scale` each, and interpolated."""
    if scale == 1:
        return grid
    height, width = shape
    image = Image.fromarray((grid / scale**2).astype(np.float32))
    covered = (0, 0, width / scale, height / scale)
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR, covered), np.float64)


# --- Panels ------------------------------------------------------------------------------------


def _ink_panels(trace: Trace, weights: Weights) -> Image.Image:
    """The ink as written, and below it, in the same place, the densities along it."""
    ink = trace.written
    left, top, right, bottom = (
        edge + way * AROUND_INK
        for edge, way in zip(ink.smoothed().bounds, (-1, -1, 1, 1), strict=True)
    )
    scale = min(PANEL_PX / (right - left), TALLEST_INK_PX / (bottom - top))
    height = ceil((bottom - top) * scale)
    panel = _paper(2 * (CAPTION_GAP_PX + height) + PANEL_GAP_PX)
    _label(panel, (LEFT_PX, 0), "(a) The ink, as written", BLACK, CAPTION_PX)
    drawn = Image.new("L", (PANEL_PX, height), 255)
    placed = ink.moved(-left, -top).transformed(np.eye(2) * scale)
    draw_ink(drawn, placed, pen_px=max(PEN * scale, 1.5))
    panel.paste(drawn, (LEFT_PX, CAPTION_GAP_PX))

    second = CAPTION_GAP_PX + height + PANEL_GAP_PX
    caption = "(b) Where the next point was expected: mixture densities, summed over the steps"
    _label(panel, (LEFT_PX, second), caption, BLACK, CAPTION_PX)
    corner = np.array([left, top])
    mass = expected_mass(densities(trace, weights), corner, scale, (height, PANEL_PX))
    panel.paste(_coloured(np.sqrt(mass / _usual_peak(mass))), (LEFT_PX, second + CAPTION_GAP_PX))
    return panel


def expected_mass(
    expected: Densities, corner: Array, scale: float, shape: tuple[int, int]
) -> NDArray[np.float64]:
    """All densities of a line as one picture, which shows `scale` pixels a unit from `corner`."""
    drawn = expected.weight > LEAST_WEIGHT
    return heat(
        expected.weight[drawn],
        (expected.centre[drawn] - corner) * scale,
        expected.covariance[drawn] * scale**2,
        shape,
    )


def _usual_peak(mass: Array) -> float:
    """What is drawn darkest: not the very largest, where the pen rests, but nearly."""
    touched = mass[mass > 1e-3 * mass.max()]
    return max(float(np.quantile(touched, 0.97)) if touched.size else 0.0, 1e-12)


def _pen_panel(trace: Trace, weights: Weights) -> Image.Image:
    """The probabilities that the pen lifts and that the line ends, over time."""
    expected = densities(trace, weights)
    panel = _paper(CAPTION_GAP_PX + CURVE_PX + LABEL_PX // 2)
    ends = ", and that the line ends (blue)" if weights.has_end else ""
    caption = f"(c) The probability that the pen lifts (purple){ends}; ticks where it did lift"
    _label(panel, (LEFT_PX, 0), caption, BLACK, CAPTION_PX)
    draw = ImageDraw.Draw(panel)
    floor = CAPTION_GAP_PX + CURVE_PX
    for value in (0, 0.5, 1):
        y = floor - value * CURVE_PX
        draw.line((LEFT_PX, y, LEFT_PX + PANEL_PX, y), PALE)
        _label(panel, (LEFT_PX - 8, y), f"{value:g}", GREY, anchor="rm")
    n = len(trace.steps)
    for step in np.flatnonzero(trace.steps[:, 2]).tolist():
        x = LEFT_PX + _time_px(step + 0.5, n)
        draw.line((x, CAPTION_GAP_PX - 6, x, CAPTION_GAP_PX - 1), GREY, 2)
    shown = [(expected.lifts, LIFT), (expected.ends, END)]
    for probability, colour in shown if weights.has_end else shown[:1]:
        for step, p in enumerate(probability):
            across = (LEFT_PX + _time_px(step, n), LEFT_PX + max(_time_px(step + 1, n) - 1, 0))
            if p > 0.5 / CURVE_PX:
                box = (across[0], floor - p * CURVE_PX, max(across), floor)
                draw.rectangle(box, fill=colour)
    _frame(draw, CAPTION_GAP_PX, CURVE_PX)
    return panel


def _window_panel(trace: Trace) -> Image.Image:
    """The window's weights over the text in time, as in figure 13: dark where it looks."""
    text = trace.written.text.strip(" ")
    n, height = len(trace.window), CHARACTER_PX * len(text)
    panel = _paper(CAPTION_GAP_PX + height + 54)
    _label(panel, (LEFT_PX, 0), "(d) The window over the text", BLACK, CAPTION_PX)
    phi = np.asarray(trace.window[:, : len(text)], np.float64)
    shown = _coloured(phi.T / max(float(phi.max()), 1e-12))
    shown = shown.resize((PANEL_PX, height), Image.Resampling.BOX)
    panel.paste(shown, (LEFT_PX, CAPTION_GAP_PX))
    for row, character in enumerate(text):
        y = CAPTION_GAP_PX + (row + 0.5) * CHARACTER_PX
        _label(panel, (LEFT_PX - 20, y), character, BLACK, anchor="mm")
    draw = ImageDraw.Draw(panel)
    _frame(draw, CAPTION_GAP_PX, height)
    floor = CAPTION_GAP_PX + height
    for step in range(0, n + 1, _tick(n)):
        x = LEFT_PX + _time_px(step, n)
        draw.line((x, floor, x, floor + 6), GREY)
        _label(panel, (x, floor + 9), f"{step}", GREY, anchor="ma")
    middle = (LEFT_PX + PANEL_PX / 2, floor + 31)
    _label(panel, middle, "time, in pen points", GREY, anchor="ma")
    return panel


# --- Places, shades and letters ----------------------------------------------------------------


def _time_px(step: float, n_steps: int) -> int:
    return round(step * PANEL_PX / n_steps)


def _tick(n_steps: int) -> int:
    """A round number of steps, of which some ten make the axis."""
    return next((t for t in (1, 2, 5, 10, 20, 50, 100, 200) if n_steps / t <= 14), 500)


def _softmax(x: Array) -> Array:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


def _coloured(values: Array) -> Image.Image:
    """0 in white to 1 in the darkest shade."""
    places = np.linspace(0, 1, len(SHADES))
    channels = [np.interp(values, places, SHADES[:, channel]) for channel in range(3)]
    return Image.fromarray(np.rint(np.stack(channels, -1)).astype(np.uint8))


def _paper(height_px: int) -> Image.Image:
    return Image.new("RGB", (LEFT_PX + PANEL_PX + RIGHT_PX, height_px), (255, 255, 255))


def _frame(draw: ImageDraw.ImageDraw, top: int, height: int) -> None:
    draw.rectangle((LEFT_PX - 1, top - 1, LEFT_PX + PANEL_PX, top + height), outline=GREY)


def _label(
    image: Image.Image, place: tuple[float, float], text: str, colour: Colour,
    size: int = LABEL_PX, anchor: str = "la",
) -> None:  # fmt: skip
    font = ImageFont.load_default(size)
    ImageDraw.Draw(image).text(place, text, colour, font, anchor=anchor)


def _described(trace: Trace) -> PngInfo:
    chunks = PngInfo()
    written = trace.written
    for name, value in (
        ("Title", written.text), ("Hand", written.hand), ("Licence", written.licence)
    ):  # fmt: skip
        chunks.add_itxt(name, value)
    return chunks


def _about(trace: Trace) -> str:
    written = trace.written
    unfinished = "" if written.finished else ", unfinished"
    return (
        f"{written.text.strip(' ')!r} by the hand {written.hand}: smoothness "
        f"{written.smoothness:g}, seed {written.seed}, {written.n_steps} steps{unfinished}"
    )
