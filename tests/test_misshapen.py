"""Odd I's and stops above the line: what a reader lets pass, and people do not."""

from __future__ import annotations

import numpy as np
import pytest

from handwriter import Ink, Written
from handwriter.training.misshapen import is_misshapen


def level(left: float, right: float, y: float) -> np.ndarray:
    return np.column_stack([np.linspace(left, right, 9), np.full(9, y)])


def upright(x: float, top: float, bottom: float) -> np.ndarray:
    return np.column_stack([np.full(9, x), np.linspace(top, bottom, 9)])


def line(text: str, *words: list[np.ndarray]) -> Written:
    strokes = tuple(stroke for word in words for stroke in word)
    begins = tuple(np.cumsum([0, *map(len, words[:-1])]).tolist())
    return Written(
        Ink(strokes).strokes, text=text, hand="", licence="", seed=0, smoothness=0.0,
        finished=True, n_steps=0, begins=begins,
    )  # fmt: skip


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
    assert is_misshapen(line("I am", word, AM)) is odd
    assert not is_misshapen(line("E am", word, AM))


def test_an_I_in_one_stroke_is_an_I() -> None:
    assert not is_misshapen(line("I am", [np.array([[0, 0], [8, 1], [3, 9], [0, 10]])], AM))


def test_the_bars_of_the_next_word_are_not_those_of_an_I() -> None:
    too = [upright(12, 2, 10), level(10, 16, 1), upright(18, 4, 10)]
    assert not is_misshapen(line("I too", [upright(0, 0, 10)], too))


@pytest.mark.parametrize(("y", "high"), [(10, False), (9.5, False), (7, True), (4, True)])
@pytest.mark.parametrize("sign", [".", ","])
def test_a_stop_stands_on_the_line(y: float, high: bool, sign: str) -> None:
    stop = level(17, 17.5, y)
    assert is_misshapen(line(f"so am{sign}", AM, [*AM, stop])) is high
    assert not is_misshapen(line("so am'", AM, [*AM, stop]))


def test_a_word_without_ink_of_its_own_is_not_looked_at() -> None:
    assert not is_misshapen(line("am I", AM, []))
