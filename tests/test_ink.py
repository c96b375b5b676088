"""Ink knows strokes from offsets, and loses neither a dot nor a pen lift."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handwriter import Ink
from handwriter.ink import Written

coordinates = st.floats(-1e4, 1e4, allow_nan=False).map(lambda v: round(v, 3))
strokes = st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=8)
inks = st.lists(strokes, max_size=6).map(Ink.from_strokes)


@given(inks)
def test_ink_rebuilt_from_its_offsets_is_the_same_ink(ink: Ink) -> None:
    again = Ink.from_offsets(ink.offsets)
    assert [len(s) for s in again.strokes] == [len(s) for s in ink.strokes]
    np.testing.assert_allclose(again.points, ink.points, atol=1e-6)


@given(inks)
def test_the_pen_lifts_once_for_each_stroke(ink: Ink) -> None:
    assert ink.offsets[:, 2].sum() == len(ink.strokes)


def test_the_first_offset_starts_at_the_origin() -> None:
    ink = Ink.from_strokes([[(2, 3), (4, 3)]])
    np.testing.assert_array_equal(ink.offsets, [[2, 3, 0], [2, 0, 1]])


def test_a_dot_is_a_stroke_of_its_own() -> None:
    ink = Ink.from_strokes([[(0, 0), (1, 1)], [(5, 5)], [(7, 7)]])
    assert [len(s) for s in Ink.from_offsets(ink.offsets).strokes] == [2, 1, 1]
    assert [len(s) for s in ink.smoothed().strokes] == [2, 1, 1]


def test_a_stroke_that_was_left_open_is_kept() -> None:
    ink = Ink.from_offsets(np.array([[1.0, 0, 1], [1, 0, 0], [1, 0, 0]]))
    assert [s.tolist() for s in ink.strokes] == [[[1, 0]], [[2, 0], [3, 0]]]


def test_no_steps_are_no_ink() -> None:
    assert Ink.from_offsets(np.zeros((0, 3))).strokes == ()
    assert Ink(()).offsets.shape == (0, 3)


@given(inks, st.integers(1, 6))
def test_smooth_ink_goes_through_all_points(ink: Ink, pieces: int) -> None:
    for rough, smooth in zip(ink.strokes, ink.smoothed(pieces).strokes, strict=True):
        on_points = smooth if len(rough) < 3 else smooth[::pieces]
        np.testing.assert_allclose(on_points, rough, atol=1e-8)


def test_smooth_ink_stays_on_a_straight_line() -> None:
    ink = Ink.from_strokes([[(0, 0), (1, 2), (3, 6), (4, 8)]])
    x, y = ink.smoothed(5).points.T
    np.testing.assert_allclose(y, 2 * x, atol=1e-12)
    assert (np.diff(x) > 0).all()


def test_moving_turning_and_joining_return_new_ink() -> None:
    ink = Ink.from_strokes([[(1, 0), (2, 0)]])
    turned = ink.transformed(np.array([[0, -1], [1, 0]]))
    np.testing.assert_array_equal(turned.points, [[0, 1], [0, 2]])
    np.testing.assert_array_equal(ink.moved(1, -1).points, [[2, -1], [3, -1]])
    np.testing.assert_array_equal(ink.points, [[1, 0], [2, 0]])
    assert len(ink.joined(turned).strokes) == 2


def test_bounds_are_left_top_right_bottom() -> None:
    assert Ink.from_strokes([[(1, 5), (-2, 3)], [(4, 4)]]).bounds == (-2, 3, 4, 5)
    with pytest.raises(ValueError, match="no bounds"):
        _ = Ink(()).bounds


@pytest.mark.parametrize(
    ("strokes", "complaint"),
    [
        ([[(0, 0)], []], "stroke 2 is not a list"),
        ([[(0, 0, 0)]], "stroke 1 is not a list"),
        ([[(0, float("nan"))]], "stroke 1 has a coordinate that is not finite"),
    ],
)
def test_what_is_no_stroke_is_refused(strokes: list[object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Ink.from_strokes(strokes)


def line_of_words(finished: bool = True) -> Written:
    """ "one two three": two strokes, none, and one."""
    strokes = tuple(np.full((n, 2), float(n)) for n in (3, 1, 4))
    return Written(strokes, "one two three", "boxes", "CC0", seed=3, smoothness=1.0,
                   finished=finished, n_steps=8, begins=(0, 2, 2),
                   replaced={("\u2013", "-"): 1})  # fmt: skip


def test_words_of_a_line_are_lines_of_their_own() -> None:
    line = line_of_words()
    assert [line.words(n, n + 1).text for n in range(3)] == ["one", "two", "three"]
    assert [len(line.words(n, n + 1).strokes) for n in range(3)] == [2, 0, 1]
    end = line.words(1, 3)
    assert (end.text, end.begins, end.n_steps, end.seed) == ("two three", (0, 0), 4, 3)
    whole = line.words(0, 3)
    assert (whole.strokes, whole.text, whole.begins) == (line.strokes, line.text, line.begins)


def test_what_the_hand_came_past_is_finished() -> None:
    line = line_of_words(finished=False)
    assert [line.words(n, n + 1).finished for n in range(3)] == [True, True, False]


def test_lines_side_by_side_are_one() -> None:
    line = line_of_words()
    both = line.words(1, 3).beside(line.words(0, 1))
    assert (both.text, both.begins, both.n_steps) == ("two three one", (0, 0, 1), 8)
    assert [len(stroke) for stroke in both.strokes] == [4, 3, 1]
    assert both.replaced == line.replaced
    assert not line.beside(line_of_words(finished=False)).finished
