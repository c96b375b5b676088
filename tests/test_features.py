"""What the reader sees of ink does not depend on how it was sampled, scaled or placed."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handwriter.features import (
    CELL,
    COLUMNS,
    FEWEST,
    N_FEATURES,
    ROWS,
    STEP,
    features,
    n_features,
    spread_of,
)
from handwriter.ink import Ink


def wave(n=400, length=20.0):
    """A line of loops, with a dot above it that was set last."""
    t = np.linspace(0, length, n)
    body = np.column_stack([0.6 * t + 0.3 * np.sin(2 * t), np.cos(2 * t)])
    return Ink((body, np.array([[3.0, -2.5]])))


def steps_of(rows):
    """The lengths of the ways between points, in spreads."""
    return np.sinh(np.hypot(rows[:, 0], rows[:, 1])) * STEP


def test_points_are_equally_far_apart_along_a_stroke():
    rows = features(wave())
    within = rows[:, 2] == 0
    assert steps_of(rows)[within].max() < 1.15 * STEP
    assert np.median(steps_of(rows)[within]) == pytest.approx(STEP, rel=0.05)


def test_strokes_begin_where_they_begin():
    rows = features(wave())
    assert np.flatnonzero(rows[:, 2]).tolist() == [0, len(rows) - FEWEST]
    assert rows[0, :2].tolist() == [0.0, 0.0]


def test_a_dot_is_several_points_in_one_place():
    rows = features(wave())[-FEWEST:]
    assert steps_of(rows)[0] > 1.0
    assert not rows[1:, :2].any()
    np.testing.assert_array_equal(rows[1:, 3:], rows[:-1, 3:])


def test_a_short_stroke_has_as_many_points_as_a_dot():
    comma = np.array([[13.0, 1.0], [12.8, 1.3], [12.7, 1.4]])
    rows = features(Ink((*wave().strokes, comma)))[-FEWEST:]
    assert rows[0, 2] == 1 and not rows[1:, 2].any()
    steps = steps_of(rows)[1:]
    assert 0 < steps.max() < STEP / 2
    np.testing.assert_allclose(steps, steps.mean(), rtol=0.02)


def test_points_are_counted_without_their_pictures():
    ink = Ink((*wave().strokes, np.array([[13.0, 1.0], [12.8, 1.3]])))
    assert n_features(ink) == len(features(ink))


@pytest.mark.parametrize("scale", [0.01, 1.0, 370.0])
def test_unit_and_place_of_the_ink_do_not_matter(scale):
    ink = wave()
    other = Ink(tuple(scale * stroke + [1000.0 * scale, -40.0] for stroke in ink.strokes))
    np.testing.assert_allclose(features(other), features(ink), atol=2e-3)


def test_sampling_does_not_matter():
    coarse, fine = features(wave(400)), features(wave(4000))
    assert abs(len(coarse) - len(fine)) <= 1
    n = min(len(coarse), len(fine)) - FEWEST
    np.testing.assert_allclose(coarse[:n, :4], fine[:n, :4], atol=0.15)


def test_a_slope_is_taken_out_of_a_line_but_not_out_of_a_sign():
    line = wave(2000, 120.0)
    steep = line.transformed(np.array([[1.0, 0.0], [0.1, 1.0]]))
    assert spread_of(steep) == pytest.approx(spread_of(line), rel=0.05)
    slash = Ink((np.array([[0.0, 2.0], [1.0, 0.0]]),))
    rows = features(slash)
    assert rows[-1, 3] < -1.2  # still rises, from over 1.2 below its middle to as much above it
    assert rows[0, 3] > 1.2


def test_the_dot_is_seen_from_the_stroke_below_it():
    line, dot = wave().strokes
    far_dot = dot + np.array([30.0, 0.0])  # holds the cells of both pictures in one place
    with_dot = features(Ink((line, far_dot, dot)), 1.0)
    without = features(Ink((line, far_dot)), 1.0)
    n = len(without) - FEWEST
    differing = np.flatnonzero((with_dot[:n, 4:] != without[:n, 4:]).any(axis=1))
    assert len(differing)
    x = np.cumsum(steps_of(without))
    assert np.ptp(x[differing]) < 40 * STEP


def test_the_picture_counts_all_ink_around_the_pen():
    rows = features(Ink((np.array([[0.0, 0.0]]), np.array([[0.1, 1.5 * CELL]]))), 1.0)
    picture = rows[0, 4:].reshape(ROWS, COLUMNS)
    assert picture[ROWS // 2, COLUMNS // 2] == np.float32(np.log(1 + FEWEST))
    assert picture[ROWS // 2 + 1, COLUMNS // 2] == np.float32(np.log(1 + FEWEST))
    assert np.count_nonzero(picture) == 2


@given(
    st.lists(
        st.lists(st.tuples(*[st.integers(-200, 200)] * 2), min_size=1, max_size=8),
        min_size=1,
        max_size=5,
    )
)
@example([[(97, 0)]] * 3)  # whose mean is not quite where they are
def test_whatever_the_ink_its_features_are_finite(strokes):
    rows = features(Ink.from_strokes(strokes))
    assert rows.shape[1] == N_FEATURES
    assert len(rows) >= len(strokes)
    assert np.isfinite(rows).all()
    assert rows[:, 2].sum() == len(strokes)
