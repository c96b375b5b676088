"""Invented pages for the tests: curves, lines, dots, two pens, rules that no plotter draws."""

import numpy as np

from handwriter.ink import Ink
from handwriter.page import Document, Layer, Page, PlacedLine

A4 = (210.0, 297.0)
LETTER = (210.0, 200.0)  # what every machine can reach


def wave(x: float, y: float, n: int = 25) -> np.ndarray:
    """A stroke of n points, 24 mm wide and 8 mm high, that begins at (x, y)."""
    t = np.linspace(0, 1, n)
    return np.stack([x + 24 * t, y + 4 * np.sin(9 * t) * np.cos(4 * t)], axis=1)


def line(*strokes: object, text: str = "") -> PlacedLine:
    return PlacedLine(Ink.from_strokes(strokes), text)


def page(*layers: Layer, size: tuple[float, float] = A4) -> Page:
    return Page(*size, layers)


def document(*strokes: object, size: tuple[float, float] = A4) -> Document:
    """One page with one layer with these strokes."""
    return Document((page(Layer((line(*strokes),)), size=size),))


def letter() -> Document:
    """Two pages with rules and black ink (curves, a line, a dot), red ink on the first."""
    rules = Layer((line([(0, 100), (210, 100)]),), name="rules", is_guide=True)
    black = Layer(
        (
            line(wave(20, 30), [(50, 30), (60, 42)], text="Dear Anna! (you; too?)"),
            line(wave(20, 50), [(50, 50)], text="2 ~ naïve"),
        )
    )
    red = Layer((line([(30, 70)], wave(32, 70)),), name="3-red", colour="#ff0000", pen_mm=0.7)
    about = {"Hand": "tiny", "Licence": "CC0-1.0", "Seed": "7"}
    pages = (page(rules, black, red, size=LETTER), page(rules, black, size=LETTER))
    return Document(pages, "Dear Anna!\n2 ~ naïve", about)
