"""Ink on one scale: level on its baseline, of unit spread, without the sensor's jumps."""

import fixtures_iam as tiny_iam
import numpy as np
import pytest

from handwriter.ink import Ink
from handwriter.levelling import levelled, without_jumps

TEXT = "the quick brown fox jumps over it"


def writing(text: str = TEXT) -> Ink:
    return Ink.from_strokes(tiny_iam.letters(text))


def turned(ink: Ink, degrees: float) -> Ink:
    a = np.radians(degrees)
    return ink.transformed(np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]))


def test_a_line_stands_level_on_its_baseline_with_unit_spread() -> None:
    level = levelled(turned(writing(), 4))
    assert level is not None
    assert level.points[0, 0] == 0
    assert level.points[:, 1].std() == pytest.approx(1)
    feet = [stroke[:, 1].max() for stroke in level.strokes]
    assert np.median(feet) == pytest.approx(0, abs=0.1)  # tails reach lower
    assert np.polyfit(level.points[:, 0], level.points[:, 1], 1)[0] == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("degrees", [-9, -1, 0.5, 7])
def test_a_line_moved_scaled_and_turned_is_prepared_alike(degrees: float) -> None:
    here = levelled(writing())
    there = levelled(turned(writing().transformed(np.eye(2) * 3.7), degrees).moved(-900, 50))
    assert here is not None
    assert there is not None
    np.testing.assert_allclose(here.points, there.points, atol=1 / 400)


def test_descenders_do_not_pull_the_baseline_down() -> None:
    plain = [stroke for stroke in tiny_iam.letters(TEXT) if max(y for _, y in stroke) < 1030]
    tails = tiny_iam.letters(TEXT)
    for strokes in (plain, tails):
        height = levelled(Ink.from_strokes(strokes))
        assert height is not None
        feet = [s[:, 1].max() for s in height.strokes[:-1]]
        assert np.percentile(feet, 40) == pytest.approx(0, abs=0.1)


def test_a_short_line_is_not_turned() -> None:
    ink = writing("ab")
    level = levelled(ink)
    assert level is not None
    scale = ink.points[:, 1].std()
    np.testing.assert_allclose(np.diff(level.points, axis=0) * scale, np.diff(ink.points, axis=0))


@pytest.mark.parametrize("end", [(0, 90), (8, 90), (-30, 90)])
def test_a_lone_bar_stays_upright(end: tuple[int, int]) -> None:
    level = levelled(Ink.from_strokes([[(0, 0), end]]))
    assert level is not None
    (start, stop) = level.points
    assert (stop - start) * 90 / (stop - start)[1] == pytest.approx(end)


@pytest.mark.parametrize("strokes", [[[(3, 4)]], [[(0, 5), (9, 5)]], [[(1, 1), (1, 1)]]])
def test_ink_without_height_has_no_scale(strokes: list[list[tuple[int, int]]]) -> None:
    assert levelled(Ink.from_strokes(strokes)) is None


def test_a_point_that_the_pen_jumps_to_and_back_from_is_dropped() -> None:
    ink = writing()
    stroke = np.insert(ink.strokes[2], 10, (9000, -9000), axis=0)
    mended, done = without_jumps(Ink((*ink.strokes[:2], stroke, *ink.strokes[3:])))
    assert done == {"outlier point dropped": 1}
    np.testing.assert_array_equal(mended.points, ink.points)


def test_any_other_jump_within_a_stroke_lifts_the_pen() -> None:
    ink = writing()
    joined = Ink((np.vstack([ink.strokes[0], ink.strokes[-2]]), *ink.strokes[1:-2]))
    mended, done = without_jumps(joined)
    assert done == {"jump made a pen lift": 1}
    assert len(mended.strokes) == len(joined.strokes) + 1
    np.testing.assert_array_equal(mended.points, joined.points)


def test_ink_without_jumps_stays_as_it_is() -> None:
    ink = writing()
    assert without_jumps(ink) == (ink, {})
