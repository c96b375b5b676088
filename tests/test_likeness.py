"""What is alike is called so, what differs is told, by measures with an independent truth."""

import numpy as np
import pytest
from PIL import Image
from scipy import stats
from test_traits import letters, zigzag

from handwriter.histograms import Panel, histograms
from handwriter.ink import Ink, Line
from handwriter.likeness import (
    TRAITS,
    as_tall,
    differences,
    halves,
    ks_distance,
    looks,
    manners,
    picture,
    told,
    told_by_traits,
)

RNG = np.random.default_rng(4)


def table(n, shift=0.0, spread=1.0):
    return RNG.normal(shift, spread, (n, len(TRAITS)))


def test_looks_are_the_traits_of_each_line_and_nothing_for_dots():
    found = looks([Line(zigzag(), "ab cd"), Line(Ink((np.zeros((1, 2)),)), ".")])
    assert found.shape == (2, len(TRAITS))
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1]).all()


@pytest.mark.parametrize("sizes", [(40, 40), (7, 90)])
def test_the_distance_is_that_of_kolmogorov_and_smirnov(sizes):
    a, b = RNG.normal(0, 1, sizes[0]).round(1), RNG.normal(0.4, 2, sizes[1]).round(1)
    assert ks_distance(a, b) == pytest.approx(stats.ks_2samp(a, b).statistic)


def test_one_distribution_is_close_and_another_is_not():
    people = table(2000)
    same, other = differences(people, table(2000)), differences(people, table(2000, shift=1.0))
    assert {found.verdict for found in same} == {"close"}
    assert {found.verdict for found in other} == {"apart"}
    assert [found.trait for found in other] == list(TRAITS)
    assert all(found.d == pytest.approx(1.0, abs=0.15) for found in other)


def test_the_same_mean_with_another_spread_is_not_close():
    found = differences(table(2000), table(2000, spread=3.0))
    assert all(abs(one.d) < 0.2 and one.verdict != "close" for one in found)


def test_dots_do_not_count_and_no_line_at_all_is_apart():
    people = table(50)
    with_dots = np.vstack([people, np.full((9, len(TRAITS)), np.nan)])
    assert differences(with_dots, people)[0].ks == 0.0
    assert differences(people, people[:0])[0].verdict == "apart"


def test_print_and_cursive_are_told_by_how_often_the_pen_lifts():
    lines = [Line(letters(8), "abcd efgh")] * 3 + [Line(letters(2), "abcd efgh")]
    assert manners(looks(lines)) == {"print": 0.75, "cursive": 0.25, "mixed": 0.0}


def test_halves_share_out_whole_writers():
    writers = ["a"] * 5 + ["b"] * 3 + ["c"] * 3 + ["d"]
    first = halves(writers)
    by_writer = {
        w: {bool(f) for f, x in zip(first, writers, strict=True) if x == w} for w in "abcd"
    }
    assert all(len(found) == 1 for found in by_writer.values())
    assert abs(first.sum() - 6) <= 1


def test_lines_of_nobody_known_are_halved_one_by_one():
    assert halves(["", "", "", ""]).tolist() == [True, False, True, False]


def test_lines_are_made_as_tall_as_their_model():
    scaled = as_tall(zigzag(size=3.0), zigzag())
    assert np.std(scaled.points[:, 1]) == pytest.approx(np.std(zigzag().points[:, 1]))
    assert as_tall(Ink(()), zigzag()).strokes == ()
    flat = Ink((np.array([[0.0, 1.0], [4.0, 1.0]]),))
    assert np.isfinite(as_tall(flat, zigzag()).points).all()


WRITERS = [f"w{i % 12}" for i in range(240)]


def test_nobody_tells_two_samples_of_the_same_people():
    found = told_by_traits(table(240), table(240), WRITERS)
    assert abs(found.accuracy - 0.5) < 4 * found.standard_error
    assert (found.lines, found.writers) == (240, 12)


@pytest.mark.parametrize("other", [{"shift": 1.0}, {"spread": 3.0}])
def test_traits_tell_other_means_and_other_spreads(other):
    assert told_by_traits(table(240), table(240, **other), WRITERS).accuracy > 0.85


def test_mere_dots_are_not_told_apart():
    nothing = np.full((4, len(TRAITS)), np.nan)
    assert told_by_traits(nothing, nothing, list("abcd")).accuracy <= 0.5


def test_the_standard_error_is_larger_where_lines_of_a_writer_are_alike():
    right = np.repeat(RNG.random(20) < 0.5, 20)
    by_writer = told("x", right, right, [f"w{i // 20}" for i in range(400)])
    alone = told("x", right, right, [f"w{i}" for i in range(400)])
    assert by_writer.accuracy == alone.accuracy == right.mean()
    assert by_writer.standard_error > 3 * alone.standard_error
    p = right.mean()
    assert alone.standard_error == pytest.approx(np.sqrt(p * (1 - p) / 400), rel=0.01)


def test_the_picture_shows_each_trait_and_is_the_same_again():
    people, samples = table(80), {"smoothness 0": table(80, shift=0.5), "smoothness 1": table(80)}
    figure = picture(people, samples, "80 lines")
    assert figure.tobytes() == picture(people, samples, "80 lines").tobytes()
    assert figure.tobytes() != picture(people, {"smoothness 0": people}, "80 lines").tobytes()


def test_histograms_are_as_tall_as_their_shares():
    values = np.repeat([0.0, 1.0], [300, 100])
    figure = histograms([Panel("t", "u", (values,), ("",))], ["people"], "")
    pale = (np.asarray(figure.convert("L"), np.int64) == Image.new("RGB", (1, 1), (205,) * 3)
            .convert("L").getpixel((0, 0))).sum(axis=0)  # fmt: skip
    high, low = pale[30], pale[470 - 20]
    assert high > 2.5 * low > 0


def test_a_panel_without_a_sample_for_each_name_is_refused():
    with pytest.raises(ValueError, match="samples"):
        histograms([Panel("t", "u", (np.zeros(3),), ("",))], ["people", "others"], "")
