"""What a plotter draws: few chords, as near as promised, and no further than the paper."""

import numpy as np
import pytest
import tiny_pages
from hypothesis import given, settings
from hypothesis import strategies as st

from handwriter.errors import BadOption
from handwriter.ink import Ink
from handwriter.output.plotter import (
    TOLERANCE_MM,
    Pace,
    chords,
    for_plotter,
    pen_number,
    strokes_of,
    travel,
)
from handwriter.page import Document, Layer

ROUNDING_MM = 0.00071  # half a thousandth in x and in y
coordinates = st.floats(0, 60, allow_nan=False)
curves = st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=5).map(np.array)


def furthest(points: np.ndarray, way: np.ndarray) -> float:
    """The largest distance of any of the points from a way of straight lines."""
    if len(way) == 1:
        return float(np.linalg.norm(points - way[0], axis=1).max())
    start, step = way[:-1], np.diff(way, axis=0)
    offsets = points[:, None] - start
    squares = np.maximum((step**2).sum(-1), 1e-30)
    along = np.clip((offsets * step).sum(-1) / squares, 0, 1)
    beside = offsets - along[..., None] * step
    return float(np.sqrt((beside**2).sum(-1)).min(axis=1).max())


def dense(way: np.ndarray) -> np.ndarray:
    """Points along straight lines, their ends among them."""
    t = np.linspace(0, 1, 7)[:, None, None]
    return (way[:-1] * (1 - t) + way[1:] * t).reshape(-1, 2) if len(way) > 1 else way


@settings(max_examples=50, deadline=None)
@given(curves)
def test_the_way_drawn_and_the_curve_are_within_the_tolerance_of_each_other(stroke):
    curve = Ink((stroke,)).smoothed(200).strokes[0]
    drawn = chords(stroke)
    assert furthest(curve, drawn) <= TOLERANCE_MM + ROUNDING_MM
    assert furthest(dense(drawn), curve) <= TOLERANCE_MM + ROUNDING_MM + 0.001


@settings(deadline=None)
@given(curves)
def test_the_way_drawn_begins_and_ends_where_the_stroke_does(stroke):
    assert chords(stroke)[[0, -1]] == pytest.approx(stroke[[0, -1]], abs=0.0006)


def test_points_on_a_straight_line_are_not_sent():
    straight = np.linspace([3, 4], [30, 44], 50)
    assert chords(straight).tolist() == [[3, 4], [30, 44]]


def test_a_stroke_that_goes_back_on_itself_keeps_its_turn():
    there_and_back = np.array([(0, 0), (10, 0), (0, 0)], dtype=float)
    assert chords(there_and_back)[:, 0].max() == pytest.approx(10, abs=2 * TOLERANCE_MM)


def test_a_curve_takes_few_points():
    wave = tiny_pages.wave(0, 10, n=200)
    assert len(chords(wave)) < 60


@pytest.mark.parametrize("dot", ([(5, 5)], [(5, 5), (5, 5.0002)], [(5, 5), (5, 5), (5, 5)]))
def test_a_dot_stays_and_is_one_point(dot):
    (layer,) = for_plotter(tiny_pages.document(dot)).pages[0].layers
    assert [stroke.tolist() for stroke in strokes_of(layer)] == [[[5, 5]]]


def test_guides_and_layers_without_ink_are_not_drawn():
    drawn = for_plotter(tiny_pages.letter())
    assert [[layer.name for layer in page.layers] for page in drawn.pages] == [
        ["1-black", "3-red"],
        ["1-black"],
    ]
    assert for_plotter(tiny_pages.document()).pages[0].layers == ()


def test_strokes_keep_their_order_and_direction():
    letter = tiny_pages.letter()
    before = [line.ink.strokes for line in letter.written_lines]
    after = [line.ink.strokes for line in for_plotter(letter).written_lines]
    for old, new in zip(before, after, strict=True):
        for a, b in zip(old, new, strict=True):
            assert b[[0, -1]] == pytest.approx(a[[0, -1]], abs=0.0006)


@pytest.mark.parametrize(("name", "pen"), [("3-red", 3), ("12", 12), ("red", 5)])
def test_the_pen_is_the_number_of_the_layer_or_its_place(name, pen):
    assert pen_number(Layer((), name), 5) == pen


@pytest.mark.parametrize(
    ("point", "told"),
    [
        ((-2.5, 10), "2.5 mm on the left"),
        ((222.25, 10), "12.2 mm on the right"),
        ((10, -1), "1 mm at the top"),
        ((213, 300), "3 mm on the right and 3 mm at the bottom"),
    ],
)
def test_ink_beside_the_paper_is_refused(point, told):
    with pytest.raises(BadOption, match=f"page 1 sticks out of the paper by {told}"):
        for_plotter(tiny_pages.document([point]))


def test_ink_on_the_very_edge_is_drawn():
    for_plotter(tiny_pages.document([(0, 0), (210, 297)]))


def test_travel_is_what_a_ruler_says():
    found = travel(tiny_pages.document([(30, 257), (60, 217)], [(60, 197)]))
    assert found.down_mm == pytest.approx(50)
    assert found.up_mm == pytest.approx(50 + 20 + np.hypot(60, 100))
    assert found.n_strokes == 2


def test_time_is_that_of_a_cart_that_speeds_up_and_brakes():
    # 30 mm at 10 mm/s and 10 mm/s²: 1 s and 5 mm to speed up, the same to brake, 2 s between.
    pace = Pace(draw=10, travel=10, acceleration=10, lift=0)
    there = travel(tiny_pages.document([(0, 297), (30, 297)]), pace)
    assert there.seconds == pytest.approx(4 + 4)  # and the way back
    short = travel(tiny_pages.document([(0, 297), (2.5, 297)]), pace)
    assert short.seconds == pytest.approx(1 + 1)


def test_each_lift_costs_its_time_twice():
    once = travel(tiny_pages.document([(0, 297)]), Pace(lift=0.25))
    assert once.seconds == pytest.approx(0.5)


def test_travel_is_told_in_a_line():
    told = str(travel(tiny_pages.letter()))
    assert told.startswith("pen down 0.")
    assert "10 lifts" in told


def test_nothing_to_draw_takes_no_time():
    assert travel(Document(())).seconds == 0
