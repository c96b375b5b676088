"""Ink at the density of a hand: thinned, or sampled anew along its way."""

import fixtures_iam as tiny_iam
import numpy as np
import pytest

from handwriter.density import paced, resampled, thinned
from handwriter.ink import Ink

WRITING = Ink.from_strokes(tiny_iam.letters("so it was"))
CORNER = Ink.from_strokes([[(0, 0), (10, 0), (10, 10)]])
ODD = Ink.from_strokes([[(0, 0)], [(1, 1), (1, 1)], [(0, 0), (5, 0)]])


def steps(ink: Ink) -> np.ndarray:
    return np.concatenate([np.hypot(*np.diff(s, axis=0).T) for s in ink.strokes])


def test_thinning_keeps_ends_and_dots() -> None:
    stroke = np.column_stack([np.arange(6.0), np.zeros(6)])
    thin = thinned(Ink((stroke, stroke[:5], stroke[:1])), 2)
    assert [s[:, 0].tolist() for s in thin.strokes] == [[0, 2, 4, 5], [0, 2, 4], [0]]


@pytest.mark.parametrize("share", [0.3, 1, 2.5])
def test_resampling_keeps_the_ends_and_makes_so_many_steps(share: float) -> None:
    again = resampled(WRITING, share)
    for before, after in zip(WRITING.strokes, again.strokes, strict=True):
        np.testing.assert_allclose(after[[0, -1]], before[[0, -1]])
        assert len(after) - 1 == (round((len(before) - 1) * share) if len(before) > 1 else 0)


def test_what_is_resampled_to_twice_as_many_steps_goes_through_all_points() -> None:
    again = resampled(WRITING, 2)
    np.testing.assert_allclose(thinned(again, 2).points, WRITING.points, atol=1e-9)


def test_a_drawn_pen_is_slow_in_turns_and_where_a_stroke_begins_and_ends() -> None:
    (stroke,) = paced(CORNER, 40, height=5.0).strokes
    lengths = steps(Ink((stroke,)))
    middles = (stroke[1:] + stroke[:-1]) / 2
    at_corner = np.hypot(*(middles - (10, 0)).T) < 1.5
    at_ends = np.minimum(*(np.hypot(*(middles - end).T) for end in stroke[[0, -1]])) < 0.4
    fast = ~at_corner & ~at_ends
    assert at_corner.any()
    assert at_ends.any()
    assert np.median(lengths[at_corner]) < 0.7 * np.median(lengths[fast])
    assert np.median(lengths[at_ends]) < 0.7 * np.median(lengths[fast])


def test_only_the_shape_of_a_drawing_counts_not_where_its_points_are() -> None:
    dense = resampled(WRITING, 7)
    a, b = (paced(ink, 120, height=80.0) for ink in (WRITING, dense))
    assert [len(s) for s in a.strokes] == [len(s) for s in b.strokes]
    np.testing.assert_allclose(a.points, b.points, atol=2.0)  # of letters 80 high


def test_a_drawing_gets_about_as_many_points_as_asked_for() -> None:
    for n in (60, 120, 400):
        assert paced(WRITING, n, height=80.0).n_points == pytest.approx(n, rel=0.1)


def test_dots_and_pens_that_stay_are_no_trouble() -> None:
    assert [len(s) for s in paced(ODD, 20, 1.0).strokes[:2]] == [1, 1]
    assert len(resampled(ODD, 4).strokes[0]) == 1
    for ink in (paced(ODD, 20, 1.0), resampled(ODD, 0.1), paced(ODD, 1, 1.0)):
        assert np.isfinite(ink.points).all()
        assert len(ink.strokes) == 3
