"""Traits are those of the ink, and do not depend on its place or sampling."""

import numpy as np
import pytest

from handwriter.ink import Ink
from handwriter.traits import manner, traits, x_height


def zigzag(n=60, *, slant=0.0, size=1.0, climb=0.0, grow=0.0):
    """Upright strokes side by side, all joined; `slant` is a shear, `grow` a factor a stroke."""
    x = np.repeat(np.arange(n) * 0.8, 2)
    y = np.tile([-1.0, 1.0], n) * np.exp(grow * np.arange(2 * n)) + climb * x
    return Ink((size * np.column_stack([x - slant * y, y]),))


def test_slant_is_the_lean_of_the_downstrokes():
    assert traits(zigzag(), 20).slant == pytest.approx(0.0, abs=1e-9)
    leaning = zigzag().transformed(np.array([[1.0, -np.tan(np.radians(20))], [0.0, 1.0]]))
    assert traits(leaning, 20).slant == pytest.approx(20.0, abs=0.5)


def test_size_is_in_the_unit_of_the_ink_and_spacing_is_not():
    small, large = traits(zigzag(), 30), traits(zigzag(size=3.0), 30)
    assert large.size == pytest.approx(3 * small.size)
    assert large.spacing == pytest.approx(small.spacing)
    assert traits(zigzag(), 15).spacing == pytest.approx(2 * small.spacing)


def test_an_even_line_does_not_wander():
    found = traits(zigzag(200), 60)
    assert found.unevenness < 0.05


def test_a_line_that_climbs_or_grows_wanders():
    assert traits(zigzag(200, climb=0.05), 60).baseline_wander > 0.3
    assert traits(zigzag(200, grow=0.003), 60).size_wander > 0.2


def test_a_line_whose_letters_stand_closer_towards_its_end_is_crowded():
    even, (stroke,) = zigzag(200), zigzag(200).strokes
    assert manner(even, "of words").crowding == pytest.approx(0.0, abs=0.01)
    crowded = Ink((np.column_stack([np.sqrt(1 + stroke[:, 0]), stroke[:, 1]]),))
    assert manner(crowded, "of words").crowding == pytest.approx(0.2, abs=0.04)
    assert manner(crowded.transformed(np.diag([-1.0, 1.0])), "of words").crowding < -0.1
    # dots and trembles say nothing of where letters stand
    dots = Ink((*even.strokes, *(np.full((2, 2), 1.0 * i) for i in range(90))))
    assert manner(dots, "of words").crowding == pytest.approx(0.0, abs=0.01)


def test_place_and_sampling_do_not_matter():
    ink = zigzag(80)
    (stroke,) = ink.strokes
    finer = np.empty((2 * len(stroke) - 1, 2))
    finer[::2], finer[1::2] = stroke, (stroke[:-1] + stroke[1:]) / 2
    for other in (ink.moved(50.0, -7.0), Ink((finer,))):
        for name, value in vars(traits(ink, 20)).items():
            assert getattr(traits(other, 20), name) == pytest.approx(value, abs=0.02), name


@pytest.mark.parametrize("ink", [Ink(()), Ink((np.zeros((1, 2)),)), Ink((np.zeros((3, 2)),))])
def test_ink_of_dots_alone_has_no_traits(ink):
    assert traits(ink, 1) is None


def test_a_flat_line_has_traits():
    assert traits(Ink((np.array([[0.0, 0.0], [5.0, 0.0]]),)), 1).slant == 0.0


def test_the_x_height_is_that_of_most_letters_however_the_line_climbs():
    ascender = np.array([[0.0, -4.0], [0.0, 0.0]])
    tremble = np.array([[0.0, -1.0], [0.0, -0.9]])
    ink = zigzag(40).joined(Ink((ascender,) * 12 + (tremble,) * 60))
    assert x_height(ink) == pytest.approx(2.0)
    assert x_height(zigzag(40, size=3.0, climb=0.05)) == pytest.approx(6.0, rel=0.05)
    assert x_height(Ink((np.zeros((1, 2)), np.zeros((2, 2))))) is None


def letters(n_strokes, points=21):
    """So many equal strokes side by side, each 2 high."""
    y = np.linspace(-1.0, 1.0, points)
    return Ink(tuple(np.column_stack([np.full(points, 1.5 * i), y]) for i in range(n_strokes)))


def test_print_lifts_the_pen_at_each_joint_and_cursive_only_between_words():
    assert manner(letters(8), "abcd efgh").lifts == pytest.approx(1.0)
    assert manner(letters(2), "abcd efgh").lifts == 0.0
    assert manner(letters(1), "abcd efgh").lifts == 0.0  # joined across the blank
    assert manner(letters(11), "abcd efgh").lifts == pytest.approx(1.5)


def test_speed_is_the_way_of_a_step_and_grows_where_there_are_fewer_points():
    slow, fast = (
        manner(letters(8, points=21), "abcd efgh"),
        manner(letters(8, points=11), "abcd efgh"),
    )
    assert fast.speed == pytest.approx(2 * slow.speed)
    assert (slow.points, fast.points) == (21, 11)
    assert fast.stroke_length == pytest.approx(slow.stroke_length)


def test_the_manner_does_not_depend_on_the_unit():
    small = letters(8)
    large = small.transformed(np.eye(2) * 7.0)
    for name, value in vars(manner(small, "abcd efgh")).items():
        assert getattr(manner(large, "abcd efgh"), name) == pytest.approx(value), name


def test_dots_alone_have_no_manner():
    assert manner(Ink((np.zeros((1, 2)),)), ".") is None
