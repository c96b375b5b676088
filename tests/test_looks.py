"""Looks: ribbons, colours, guides and moving strokes, as renderers that others wrote see them."""

from io import BytesIO
from xml.etree import ElementTree

import numpy as np
import pytest
import resvg_py
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from handwriter import Ink
from handwriter.errors import BadOption
from handwriter.output import render
from handwriter.output.layout import STEPS_A_SECOND
from handwriter.output.ribbon import NARROWEST, WIDEST, ribbon, usual_speed
from handwriter.output.svg import ways_along
from handwriter.output.timing import LIFT_SECONDS, timeline
from handwriter.page import Document, Layer, Page, PlacedLine
from handwriter.paper import guides

SVG = "{http://www.w3.org/2000/svg}"
INKSCAPE = "{http://www.inkscape.org/namespaces/inkscape}"
DPI = 254  # 10 pixels are a millimetre

t = np.linspace(0, 14, 90)
CURLS = np.column_stack([10 + 2.5 * t + 3 * np.sin(3 * t), 15 + 4 * np.cos(3 * t)])
BAR = np.array([[12.0, 25.0], [30.0, 26.0]])
DOT = np.array([[40.0, 25.0]])
CUSP = np.array([[50.0, 20.0], [50.0, 24.0], [50.0, 28.0], [50.5, 24.0], [51.0, 20.0]])


def page_of(*layers: Layer) -> Document:
    return Document((Page(70.0, 40.0, layers),), "curls")


def ink(colour: str = "#000000", *strokes: np.ndarray) -> Layer:
    return Layer((PlacedLine(Ink(strokes or (CURLS, BAR, DOT, CUSP)), "curls"),), colour=colour)


RULED = guides("squared", 70.0, 40.0, [])


def rendered(document: Document, **options: object) -> np.ndarray:
    """Red, green and blue of the SVG as resvg sees it, on white."""
    content = render(".svg", document, **options).decode()
    picture = resvg_py.svg_to_bytes(svg_string=content, dpi=96, zoom=DPI / 96, background="white")
    return np.asarray(Image.open(BytesIO(bytes(picture))).convert("RGB"), float)


def ours(document: Document, **options: object) -> np.ndarray:
    picture = Image.open(BytesIO(render(".png", document, dpi=DPI, **options)))
    return np.asarray(picture.convert("RGB"), float)


def disagreement(one: np.ndarray, other: np.ndarray) -> float:
    """Where the pictures differ, as a share of their ink."""
    height, width = min(one.shape[0], other.shape[0]), min(one.shape[1], other.shape[1])
    assert abs(one.shape[0] - height) <= 1
    assert abs(one.shape[1] - width) <= 1
    one, other = one[:height, :width], other[:height, :width]
    return float(np.abs(one - other).sum() / (255 - other).sum())


# --- Two renderers ----------------------------------------------------------------------------


@pytest.mark.parametrize("look", ["line", "ribbon"])
@pytest.mark.parametrize("layers", [[ink()], [ink("#aa2200")], [*RULED, ink("#0000ff", CURLS)]])
def test_resvg_sees_in_our_svg_what_is_in_our_png(look, layers):
    document = page_of(*layers)
    theirs, mine = rendered(document, look=look), ours(document, look=look)
    assert (255 - theirs).sum() == pytest.approx((255 - mine).sum(), rel=0.05)
    # Fine rules of a pixel and a half fall a fraction of a pixel elsewhere.
    assert disagreement(theirs, mine) < (0.15 if len(layers) == 1 else 0.2)


def test_the_comparison_sees_a_stroke_that_is_missing_or_elsewhere():
    whole = rendered(page_of(ink()))
    assert disagreement(whole, ours(page_of(ink("#000000", CURLS, DOT, CUSP)))) > 0.15
    moved = Layer((PlacedLine(Ink((CURLS, BAR, DOT, CUSP)).moved(0.3, 0)),))
    assert disagreement(whole, ours(page_of(moved))) > 0.15


def test_the_svg_has_no_ground_and_the_png_on_wish():
    content = render(".svg", page_of(ink())).decode()
    picture = resvg_py.svg_to_bytes(svg_string=content, dpi=96)
    assert Image.open(BytesIO(bytes(picture))).convert("RGBA").getpixel((0, 0))[3] == 0
    clear = Image.open(BytesIO(render(".png", page_of(ink("#aa2200")), paper="transparent")))
    assert (clear.mode, clear.getpixel((0, 0))) == ("RGBA", (0, 0, 0, 0))
    alpha = np.asarray(clear)[..., 3]
    assert alpha.max() == 255
    assert {tuple(colour) for colour in np.asarray(clear)[alpha == 255][:, :3]} == {(170, 34, 0)}


def test_paper_has_its_colour():
    ivory = Image.open(BytesIO(render(".png", page_of(ink()), paper="ivory")))
    assert ivory.getpixel((0, 0)) == (255, 255, 240)
    with pytest.raises(BadOption, match="there is no colour 'greenish'"):
        render(".png", page_of(ink()), paper="greenish")


@pytest.mark.parametrize("dpi", [9, 5000, float("nan")])
def test_a_dpi_that_no_one_prints_is_refused(dpi):
    with pytest.raises(BadOption, match="from 10 to 4800"):
        render(".png", page_of(ink()), dpi=dpi)


@pytest.mark.parametrize("dpi", [10, 72, 300.5])
def test_a_png_is_as_large_as_its_dpi_makes_it(dpi):
    picture = Image.open(BytesIO(render(".png", page_of(ink()), dpi=dpi)))
    assert picture.size == (int(np.ceil(70 / 25.4 * dpi)), int(np.ceil(40 / 25.4 * dpi)))
    assert picture.info["dpi"] == pytest.approx((dpi, dpi), abs=0.1)


# --- Layers -----------------------------------------------------------------------------------


def test_guides_are_in_a_layer_that_plotters_pass_over_below_the_ink():
    root = ElementTree.fromstring(render(".svg", page_of(*RULED, ink("#0000ff"))))
    names = [layer.get(f"{INKSCAPE}label") for layer in root.findall(f"{SVG}g")]
    assert names == ["%squared", "1-black"]


def test_lines_of_a_page_say_what_they_say():
    lines = tuple(PlacedLine(Ink((BAR,)), text) for text in ('one "two" <3>', ""))
    root = ElementTree.fromstring(render(".svg", page_of(Layer(lines))))
    groups = root.findall(f"{SVG}g/{SVG}g")
    assert [group.get("aria-label") for group in groups] == ['one "two" <3>', None]


# --- Ribbons ----------------------------------------------------------------------------------


def test_a_ribbon_is_filled_outlines_one_path_a_stroke():
    root = ElementTree.fromstring(render(".svg", page_of(ink()), look="ribbon"))
    (layer,) = root.findall(f"{SVG}g")
    assert (layer.get("fill"), layer.get("stroke")) == ("#000000", "none")
    assert len(layer) == 4
    with pytest.raises(BadOption, match="choose one of line, ribbon"):
        render(".svg", page_of(ink()), look="brush")


def test_a_ribbon_is_narrow_where_the_pen_is_fast_and_wide_where_it_is_slow():
    x = np.cumsum([0, *np.geomspace(0.05, 12, 120)])
    (outline,) = ribbon(np.column_stack([x, np.zeros_like(x)]), pen=1.0, usual=1.0)
    left = outline[: (len(outline) - 14) // 2]  # the rest is round ends, and the way back
    widths = 2 * np.abs(left[:, 1])
    assert (np.diff(widths) <= 1e-9).all()
    assert widths[0] == pytest.approx(WIDEST, abs=0.05)
    assert widths[-1] == pytest.approx(NARROWEST)


coordinates = st.floats(-9, 9).map(lambda value: round(value, 4))
points = st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=9)


@settings(deadline=None)
@given(points)
def test_any_stroke_has_a_ribbon_of_finite_outlines_about_it(stroke):
    stroke = np.array(stroke)
    outlines = ribbon(stroke, 0.4, usual_speed([]))
    corners = np.concatenate(outlines)
    assert np.isfinite(corners).all()
    assert (corners.max(axis=0) >= stroke.max(axis=0) - 1e-6).all()
    assert (corners.min(axis=0) <= stroke.min(axis=0) + 1e-6).all()


# --- Time -------------------------------------------------------------------------------------


def test_points_follow_each_other_at_one_pace_and_strokes_after_a_lift():
    first, second, *_ = timeline(page_of(*RULED, ink()).pages[0])
    np.testing.assert_allclose(np.diff(first.times), 1 / STEPS_A_SECOND)
    assert first.times[0] == 0
    assert second.times[0] > first.times[-1] + LIFT_SECONDS
    fast, *_ = timeline(page_of(ink()).pages[0], speed=4.0)
    np.testing.assert_allclose(fast.times * 4, first.times)
    for speed in (0.0, -1.0, float("nan"), 1e9):
        with pytest.raises(BadOption, match="speed is"):
            timeline(page_of(ink()).pages[0], speed)


def test_an_animated_svg_shows_each_stroke_in_its_time():
    document = page_of(*RULED, ink())
    root = ElementTree.fromstring(render(".svg", document, animated=True))
    paths = root.findall(f"{SVG}g")[1].findall(f"{SVG}path")
    times = timeline(document.pages[0])
    for path, timed in zip(paths, times, strict=True):
        hidden = path.find(f"{SVG}set")
        assert hidden is None if timed.times[0] == 0 else float(hidden.get("end")[:-1]) == (
            pytest.approx(timed.times[0], abs=1e-3)
        )  # fmt: skip
    drawn = paths[0].find(f"{SVG}animate")
    left = [float(value) for value in drawn.get("values").split(";")]
    shares = [float(value) for value in drawn.get("keyTimes").split(";")]
    assert (shares[0], shares[-1], left[-1]) == (0, 1, 0)
    assert len(left) == len(shares) == len(CURLS)
    assert left == sorted(left, reverse=True)
    assert float(drawn.get("dur")[:-1]) == pytest.approx(89 / STEPS_A_SECOND, abs=1e-3)
    assert left[0] == float(paths[0].get("stroke-dasharray"))
    assert paths[2].find(f"{SVG}animate") is None  # a dot is there at once


def test_an_animated_svg_shows_all_where_nothing_moves():
    still, moving = page_of(ink()), rendered(page_of(ink()), animated=True)
    assert disagreement(moving, rendered(still)) < 0.01


def test_a_ribbon_cannot_be_animated():
    with pytest.raises(BadOption, match="a ribbon cannot be animated"):
        render(".svg", page_of(ink()), animated=True, look="ribbon")


def test_the_way_along_a_curve_is_its_length():
    circle = np.column_stack([np.cos(t), np.sin(t)])
    np.testing.assert_allclose(ways_along(circle), t, atol=0.02)
    assert ways_along(BAR).tolist() == [0, pytest.approx(np.hypot(18, 1))]
