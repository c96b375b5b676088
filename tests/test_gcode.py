"""G-code: run by a strict machine, which tells what it drew."""

import numpy as np
import pytest
import tiny_pages
from hypothesis import given, settings
from hypothesis import strategies as st
from machine import Machine

from handwriter.errors import BadData, BadOption
from handwriter.output.gcode import gcode
from handwriter.output.plotter import for_plotter
from handwriter.output.profile import Profile, installed_profiles, load_profile

coordinates = st.floats(30, 70, allow_nan=False)
curves = st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=6).map(np.array)
PENS = {"grbl-z": "z", "grbl-laser": "laser", "marlin-servo": "servo"}


def run(document, name):
    profile = load_profile(name)
    machine = Machine(PENS[name], float(profile.default_values.get("down", 0)))
    return machine.run(gcode(document, profile))


def drawn_by_hand(document):
    """The strokes as they should be drawn, y up from the foot of the paper."""
    return [
        stroke * [1, -1] + [0, document.pages[0].height_mm]
        for line in for_plotter(document).written_lines
        for stroke in line.ink.strokes
    ]


def lines_of(document, **keys):
    return gcode(document, Profile("own", **keys)).decode().splitlines()


# --- the profiles in the package ---------------------------------------------------------------


def test_every_profile_has_its_machine():
    assert installed_profiles() == sorted(PENS)


@pytest.mark.parametrize("name", PENS)
def test_the_machine_draws_every_stroke_in_order_dots_too(name):
    plot = run(tiny_pages.letter(), name)
    expected = drawn_by_hand(tiny_pages.letter())
    assert len(plot.strokes) == len(expected) == 10
    for drawn, stroke in zip(plot.strokes, expected, strict=True):
        assert drawn == pytest.approx(stroke, abs=0.0006)
    assert sorted(len(stroke) for stroke in plot.strokes)[:3] == [1, 1, 1]


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(PENS)), st.lists(curves, max_size=4))
def test_the_machine_draws_any_strokes_whatever(name, strokes):
    document = tiny_pages.document(*strokes, size=(100, 100))
    plot = run(document, name)
    for drawn, stroke in zip(plot.strokes, drawn_by_hand(document), strict=True):
        assert drawn == pytest.approx(stroke, abs=0.0006)


@pytest.mark.parametrize("name", PENS)
def test_the_machine_waits_for_the_other_pen_and_for_new_paper(name):
    assert run(tiny_pages.letter(), name).n_pauses == 2  # black, red; next page, black


@pytest.mark.parametrize("name", PENS)
def test_the_pen_goes_home_at_the_end(name):
    assert run(tiny_pages.letter(), name).here == (0, 0)


@pytest.mark.parametrize("name", PENS)
def test_it_draws_at_the_pen_speed(name):
    assert run(tiny_pages.letter(), name).feeds == {1500}
    faster = load_profile(name).with_values(pen_speed=2400)
    program = gcode(tiny_pages.letter(), faster)
    assert Machine(PENS[name], faster.default_values.get("down", 0)).run(program).feeds == {2400}


@pytest.mark.parametrize("name", PENS)
def test_nothing_to_draw_is_a_program_too(name):
    assert run(tiny_pages.document(), name).strokes == []


@pytest.mark.parametrize("name", PENS)
def test_the_same_pages_give_the_same_bytes(name):
    profile = load_profile(name)
    assert gcode(tiny_pages.letter(), profile) == gcode(tiny_pages.letter(), profile)


def test_what_is_told_of_the_document_halts_no_machine():
    program = gcode(tiny_pages.letter()).decode("ascii")
    comments = [line for line in program.splitlines() if line.startswith(";")]
    assert comments[:2] == [r'; Title: "Dear Anna\u0021\n2 \u007e na\u00efve"', '; Hand: "tiny"']
    assert r'; "Dear Anna\u0021 (you; too\u003f)"' in comments
    assert not set("!?~") & set(program)


@pytest.mark.parametrize(
    ("program", "fault"),
    [
        ("G21\nG90\nG0 Z5\nG0 X1 Y1 Z0", "dragged"),
        ("G21\nG90\nG0 Z5\nG1 X1 Y1 F100", "pen up"),
        ("G21\nG90\nG0 Z0\nG0 X1 Y1", "pen down"),
        ("G21\nG90\nG0 Z0", "stays on the paper"),
        ("G0 X1 Y1", "before the unit"),
        ("G21\nG90\nG1 Z5", "no feed rate"),
        ("G21 G90", "not plain"),
    ],
)
def test_the_machine_sees_what_is_wrong(program, fault):
    with pytest.raises(AssertionError, match=fault):
        Machine("z").run(program.encode())


def test_a_laser_does_not_mark_without_a_move_or_a_wait():
    with pytest.raises(AssertionError, match="no mark"):
        Machine("laser").run(b"M5\nG21\nG90\nG0 X1 Y1\nM4 S200\nG1 X1 Y1 F100\nG4 P0.05\nM5")


# --- the bed -----------------------------------------------------------------------------------


def test_ink_beyond_the_bed_is_refused_by_how_far_it_sticks_out():
    with pytest.raises(BadOption) as told:
        gcode(tiny_pages.document([(5, 5), (205, 5)]), load_profile("marlin-servo"))
    assert "sticks out of the bed of marlin-servo by 72 mm beyond y = 220" in str(told.value)


def test_the_bed_is_where_the_profile_says_in_its_own_unit():
    profile = Profile("small", unit="cm", segment="", bed=(-1, 0, 20, 30))
    gcode(tiny_pages.document([(200, 5)]), profile)
    with pytest.raises(BadOption, match=r"by 0\.5 cm beyond x = 20"):
        gcode(tiny_pages.document([(205, 5)]), profile)


def test_a_second_page_is_checked_too():
    first, second = tiny_pages.document([(5, 290)]), tiny_pages.document([(5, 5)])
    both = type(first)(first.pages + second.pages)
    with pytest.raises(BadOption, match="page 2"):
        gcode(both, load_profile("marlin-servo"))


# --- where points come to lie ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({}, ["10 20", "30 60"]),
        ({"unit": "in"}, ["0.393701 0.787402", "1.1811 2.3622"]),
        ({"unit": "cm", "scale_x": -1, "offset_y": 0.5}, ["-1 2.5", "-3 6.5"]),
        ({"vertical_flip": True}, ["10 277", "30 237"]),
        ({"horizontal_flip": True}, ["200 20", "180 60"]),
        ({"invert_y": True}, ["10 60", "30 20"]),
        ({"invert_x": True, "offset_x": 1}, ["31 20", "11 60"]),
    ],
)
def test_points_lie_where_the_profile_says(keys, told):
    assert (
        lines_of(tiny_pages.document([(10, 20), (30, 60)]), segment="{x:g} {y:g}\n", **keys) == told
    )


# --- texts -------------------------------------------------------------------------------------


def test_every_part_has_its_place():
    texts = {
        name: f"{name}\n"
        for name in (
            "document_start", "document_end", "layer_start", "layer_end", "layer_join",
            "line_start", "line_end", "line_join", "segment_first", "segment", "segment_last",
            "dot", "page_join",
        )
    }  # fmt: skip
    bend = [(10, 10), (20, 10), (20, 20)]
    two = tiny_pages.Layer((tiny_pages.line([(0, 0)], [(1, 1), (2, 2)]),))
    document = type(tiny_pages.letter())(
        (tiny_pages.page(two, tiny_pages.Layer((tiny_pages.line([(0, 0)]),))), tiny_pages.page(two))
    )
    stroke = ["line_start", "segment_first", "segment_last", "line_end"]
    dot = ["line_start", "dot", "line_end"]
    layer = ["layer_start", *dot, "line_join", *stroke, "layer_end"]
    assert lines_of(document, **texts) == [
        "document_start", *layer, "layer_join", "layer_start", *dot, "layer_end",
        "page_join", *layer, "document_end",
    ]  # fmt: skip
    assert "segment" in lines_of(tiny_pages.document(bend), **texts)


def test_segments_that_are_left_out_are_as_the_others():
    document = tiny_pages.document([(0, 0), (1, 1)], [(5, 5)])
    assert lines_of(document, segment="s\n") == ["s"] * 3
    assert lines_of(document, segment="s\n", segment_first="f\n") == ["f", "s", "f"]
    assert lines_of(document, segment="s\n", segment_first="") == ["s"]


def test_steps_in_whole_units_add_up_to_the_whole_way():
    document = tiny_pages.document(*[[(x / 10, 0)] for x in range(101)])
    steps = lines_of(document, segment="{idx:d} {ix:d}\n")
    assert sum(int(step.split()[0]) for step in steps) == 10 == int(steps[-1].split()[1])


def test_numbers_and_properties_of_layers_can_be_named():
    told = lines_of(
        tiny_pages.letter(),
        layer_start="{layer_index} {layer_id} {vp_name} {vp_color} {vp_pen_width:.2f} {own}\n",
        default_values={"own": "mine"},
    )
    assert told[:2] == ["0 1 1-black #000000 1.51 mine", "1 3 3-red #ff0000 2.65 mine"]


def test_without_a_comment_key_nothing_is_told_of_the_document():
    assert lines_of(tiny_pages.document([(0, 0)])) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{z}", r"segment names \{z\}, which nothing tells"),
        ("{x:d}", "segment cannot be filled in"),
        ("{", "segment cannot be filled in"),
        ("{}", "segment cannot be filled in"),
    ],
)
def test_a_text_that_cannot_be_filled_in_is_named(text, fault):
    with pytest.raises(BadData, match=f"profile own: {fault}"):
        lines_of(tiny_pages.document([(0, 0)]), segment=text)


def test_relative_moves_lead_from_point_to_point():
    moves = lines_of(tiny_pages.document([(10, 20), (30, 60)]), segment="{dx:g} {dy:g}\n")
    steps = [[float(value) for value in move.split()] for move in moves]
    assert np.sum(steps, axis=0).tolist() == [30, 60]
