"""Odd I's and d's and stops above the line: what a reader lets pass, and people do not."""

from __future__ import annotations

import numpy as np
import pytest
from tiny_reader import read_as

from handwriter import Ink
from handwriter.misshapen import n_misshapen


def level(left: float, right: float, y: float) -> np.ndarray:
    return np.column_stack([np.linspace(left, right, 9), np.full(9, y)])


def upright(x: float, top: float, bottom: float) -> np.ndarray:
    return np.column_stack([np.full(9, x), np.linspace(top, bottom, 9)])


def is_misshapen(text: str, *words: list[np.ndarray]) -> bool:
    ink = Ink(tuple(stroke for word in words for stroke in word))
    begins = np.cumsum([0, *map(len, words[:-1])]).tolist()
    return bool(n_misshapen(ink, text, begins, read_as(text.replace("d", "b")), 1.0))


AM = [upright(12, 4, 10), upright(15, 4, 10)]


@pytest.mark.parametrize(
    ("bars", "odd"),
    [
        ([level(-3, 3, 0), level(-3, 3, 10)], False),  # as people draw it
        ([], False),
        ([level(0, 5, 0), level(-3, 3, 10)], True),  # the upper one from the stem to the right
        ([level(-5, 0, 0), level(-5, 0, 10)], True),  # both to the left
        ([level(-3, 3, 0), level(-3, 3, 5)], True),  # the lower one amid the stem
    ],
)
def test_an_I_has_its_bars_at_its_ends_and_on_both_sides(bars: list[np.ndarray], odd: bool) -> None:
    word = [upright(0, 0, 10), *bars]
    assert is_misshapen("I am", word, AM) is odd
    assert not is_misshapen("E am", word, AM)


def test_an_I_in_one_stroke_is_an_I() -> None:
    assert not is_misshapen("I am", [np.array([[0, 0], [8, 1], [3, 9], [0, 10]])], AM)


def test_the_bars_of_the_next_word_are_not_those_of_an_I() -> None:
    too = [upright(12, 2, 10), level(10, 16, 1), upright(18, 4, 10)]
    assert not is_misshapen("I too", [upright(0, 0, 10)], too)


@pytest.mark.parametrize(("y", "high"), [(10, False), (9.5, False), (7, True), (4, True)])
@pytest.mark.parametrize("sign", [".", ","])
def test_a_stop_stands_on_the_line(y: float, high: bool, sign: str) -> None:
    stop = level(17, 17.5, y)
    assert is_misshapen(f"so am{sign}", AM, [*AM, stop]) is high
    assert not is_misshapen("so am'", AM, [*AM, stop])


def test_a_word_without_ink_of_its_own_is_not_looked_at() -> None:
    assert not is_misshapen("am I", AM, [])


def d(stem: float, begin: float = -2.0) -> list[np.ndarray]:
    """A d in one stroke, 4 high: from that height around the bowl, 2 wide, and up to the stem."""
    right = np.array([[1.8, begin], [0.6, begin], [0.0, begin / 2], [0.5, 0.0], [1.6, -0.2]])
    return [np.vstack([right, [[stem + 0.2, -2.0], [stem + 0.2, -4.0], [stem, -2.0], [stem, 0.0]]])]


@pytest.mark.parametrize(
    ("shape", "n"),
    [
        (d(stem=1.8), 0),
        (d(stem=1.5), 0),
        (d(stem=0.9), 1),  # within the bowl
        (d(stem=1.8, begin=-3.6), 1),  # a bowl as tall as the stem
        (d(stem=1.8, begin=-2.8), 0),
        ([d(stem=1.8)[0][:5], upright(0.9, -4, 0)], 0),  # in two strokes
        ([upright(0, -1, 0)], 0),  # too low for a d
        ([np.array([[0.0, 0.0]])], 0),
    ],
)
def test_the_stem_of_a_d_stands_at_the_right_of_its_bowl(shape: list[np.ndarray], n: int) -> None:
    assert n_misshapen(Ink(tuple(shape)), "d", [0], read_as("d"), 1.0) == n


def test_each_d_of_a_line_is_looked_at_and_nothing_else() -> None:
    odd, usual = d(stem=0.9)[0], d(stem=1.8)[0]
    ink = Ink((odd, usual + np.array([4, 0]), odd + np.array([8, 0])))
    assert n_misshapen(ink, "ddd", [0], read_as("ddd"), 1.0) == 2
    assert n_misshapen(ink, "odd", [0], read_as("odd"), 1.0) == 1
    assert n_misshapen(ink, "ddd", [0], read_as("dd"), 1.0) == 0  # where they are is not known
