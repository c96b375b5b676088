"""How a line stands: level without another size, wavering as told, within bounds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handwriter.errors import BadOption
from handwriter.ink import Ink
from handwriter.posture import kept_between, stood, wavering


def waves(left: float = 0.0, n: int = 24) -> np.ndarray:
    """Letters like n, two wide each, that stand on y = 0 and are two high."""
    x = np.linspace(0, 2 * n, 16 * n)
    return np.column_stack([x + left, -1 - np.cos(np.pi * x)])


@given(st.floats(-0.04, 0.04), st.floats(-3, 3))
def test_a_line_that_climbs_is_made_level_and_stays_as_large(slope, height):
    turn = np.array([[1, -slope], [slope, 1]]) / np.hypot(1, slope)
    line = stood(Ink((waves(),)).transformed(turn).moved(5, height))
    bottoms = line.points[8::16, 1]
    assert abs(bottoms).max() < 0.15
    left, top, right, bottom = line.bounds
    assert (left, right - left) == pytest.approx((0, 48), abs=0.1)
    assert bottom - top == pytest.approx(2, abs=0.3)


def test_ink_without_height_stays_where_it_is():
    dot = Ink((np.array([[3.0, -1.0]]),))
    assert stood(dot) is dot


def test_a_line_wavers_as_much_as_it_is_told_and_only_up_and_down():
    line = Ink((waves(),))
    strays = []
    for amount in (0.0, 1.0, 2.0):
        moved = wavering(line, amount, np.random.default_rng(3))
        assert np.array_equal(moved.points[:, 0], line.points[:, 0])
        strays.append(np.abs(moved.points - line.points).max())
    assert strays[0] == 0
    assert strays[2] == pytest.approx(2 * strays[1])


def test_ink_is_moved_no_further_than_it_must():
    line = Ink((waves(),))  # from -2 to 0
    assert kept_between(line, -5, 5).bounds == line.bounds
    assert kept_between(line, -1, 5).smoothed(8).bounds[1] == pytest.approx(-1)
    assert kept_between(line, -9, -3).smoothed(8).bounds[3] == pytest.approx(-3)
    with pytest.raises(BadOption, match="a line is 2 mm high, but there are 1 mm"):
        kept_between(line, -1, 0)
