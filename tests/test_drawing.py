"""Which of all that an SVG draws is a pen stroke, and where it lies."""

from pathlib import Path

import numpy as np
import pytest

from handwriter import Ink, save
from handwriter.drawing import CHORDS
from handwriter.errors import BadData
from handwriter.interchange import read_svg
from handwriter.output.layout import MARGIN_MM, MM_PER_UNIT

PEN = 'fill="none" stroke="black"'


@pytest.fixture
def drawn(tmp_path):
    """The lines of an SVG with this content, and what was left out."""

    def read(content: str, attributes: str = PEN, before: str = ""):
        path = tmp_path / "drawing.svg"
        namespaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
        path.write_text(f"{before}<svg {namespaces} {attributes}>{content}</svg>", "utf-8")
        return read_svg(path)

    return read


@pytest.fixture
def strokes(drawn):
    """The strokes of its only line, rounded."""

    def read(content: str, attributes: str = PEN):
        ((line,), left_out) = drawn(content, attributes)
        assert not left_out
        return [np.round(stroke, 9).tolist() for stroke in line.ink.strokes]

    return read


# --- shapes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("M1,2L3,4", [[[1, 2], [3, 4]]]),
        ("m1 2 2 2", [[[1, 2], [3, 4]]]),
        ("M1-2h2v.5H0V0", [[[1, -2], [3, -2], [3, -1.5], [0, -1.5], [0, 0]]]),
        ("M0 0L1e0,0z", [[[0, 0], [1, 0], [0, 0]]]),
        ("M0 0L1,0M2,0l1,0", [[[0, 0], [1, 0]], [[2, 0], [3, 0]]]),
        ("M0 0 1 0zl0 5", [[[0, 0], [1, 0], [0, 0], [0, 5]]]),
        ("M5,5h0.001", [[[5, 5], [5.001, 5]]]),
        ("M5,5M6,6 7,7", [[[6, 6], [7, 7]]]),
    ],
)
def test_paths_are_strokes_from_move_to_move(strokes, path, expected):
    assert strokes(f'<path d="{path}"/>') == expected


def test_curves_become_chords_that_lie_on_them(strokes):
    (cubic,) = strokes('<path d="M0,0C0,4 8,4 8,0s8,-4 8,0"/>')
    assert len(cubic) == 1 + 2 * CHORDS
    assert cubic[CHORDS // 2] == [4, 3]
    assert cubic[CHORDS + CHORDS // 2] == [12, -3]
    (quadratic,) = strokes('<path d="M0,0Q2,4 4,0t4,0"/>')
    assert quadratic[CHORDS // 2] == [2, 2]
    assert quadratic[CHORDS + CHORDS // 2] == [6, -2]
    (arc,) = strokes('<path d="M-1,0A1,1 0 0 1 1,0 1 1 0 01-1 0"/>')
    assert len(arc) == 1 + 2 * CHORDS
    np.testing.assert_allclose(np.hypot(*np.transpose(arc)), 1, atol=1e-6)
    assert arc[CHORDS // 2] == pytest.approx([0, -1])


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ('<line x1="1" y1="2" x2="3mm" y2="4"/>', [[1, 2], [3 * 96 / 25.4, 4]]),
        ('<polyline points="0,0 1,1 2,0"/>', [[0, 0], [1, 1], [2, 0]]),
        ('<polygon points="0 0 1 1 2 0"/>', [[0, 0], [1, 1], [2, 0], [0, 0]]),
        ('<rect x="1" y="2" width="3" height="4"/>', [[1, 2], [4, 2], [4, 6], [1, 6], [1, 2]]),
    ],
)
def test_basic_shapes_are_strokes_too(strokes, shape, expected):
    ((*points,),) = strokes(shape)
    np.testing.assert_allclose(points, expected)


@pytest.mark.parametrize("shape", ['<circle cx="5" cy="6" r="2"/>',
                                   '<ellipse cx="5" cy="6" rx="2" ry="2"/>'])  # fmt: skip
def test_a_circle_is_round_and_closed(strokes, shape):
    (points,) = strokes(shape)
    np.testing.assert_allclose(np.hypot(*(np.array(points) - (5, 6)).T), 2, atol=1e-6)
    assert points[0] == points[-1] == [3, 6]


def test_strokes_keep_the_order_in_which_they_are_drawn(strokes):
    content = "".join(f'<g><g><path d="M{i},0h1"/></g></g>' for i in range(5))
    assert [stroke[0] for stroke in strokes(content)] == [[i, 0] for i in range(5)]


# --- where they lie ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("transform", "end"),
    [
        ("translate(5)", [7, 1]),
        ("translate(5,6)", [7, 7]),
        ("scale(2)", [4, 2]),
        ("scale(2 -1)", [4, -1]),
        ("rotate(90)", [-1, 2]),
        ("rotate(90, 2, 1)", [2, 1]),
        ("skewX(45)", [3, 1]),
        ("skewY(45)", [2, 3]),
        ("matrix(1 2 3 4 5 6)", [10, 14]),
        ("translate(1,0) scale(2) , rotate(90)", [-1, 4]),
        ("", [2, 1]),
    ],
)
def test_transformations(strokes, transform, end):
    ((_, found),) = strokes(f'<path transform="{transform}" d="M0,0L2,1"/>')
    assert found == pytest.approx(end)


def test_transformations_of_groups_add_up_and_use_repeats_an_element(strokes):
    content = (
        '<defs><path id="a" d="M0,0h1"/><symbol id="s"><path d="M0,0v1"/></symbol></defs>'
        '<g transform="scale(10)"><use xlink:href="#a" x="2" transform="translate(0,1)"/></g>'
        '<use href="#s" y="3"/>'
    )
    assert strokes(content) == [[[20, 10], [30, 10]], [[0, 3], [0, 4]]]


# --- what is a stroke -------------------------------------------------------------------------

INK = '<path d="M0,0h1" fill="none" stroke="red"/>'


def test_what_is_drawn_but_is_no_stroke_is_left_out_and_counted(drawn):
    (line,), left_out = drawn(
        f"{INK}<title>t</title><defs>{INK}</defs><metadata><path/></metadata>"
        '<rect width="100%" height="100%" fill="white"/><path d="M0,0h9" stroke="red"/>'
        '<text x="1">hi</text><image href="x.png"/>'
        f'<g style="display:none">{INK}{INK}</g><g visibility="hidden">{INK}</g>'
        '<path d="M0,0h1" fill="none"/>',
        attributes="",
    )
    assert len(line.ink.strokes) == 1
    assert left_out == {
        "filled shape": 2, "text element": 1, "image": 1, "hidden element": 2,
        "shape without a line": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("style", "is_ink"),
    [
        (".pen { fill: none; stroke: #000 }", True),
        ("/* ours */ path, .x { fill: none } #p { stroke: black !important }", True),
        ("* { stroke-linejoin: round } .pen{fill:none;stroke:red}", True),
        ("path.pen { fill: none; stroke: red } .pen { stroke: none }", False),
        (".pen { fill: none; stroke: red } #p { display: none }", False),
        ("line { fill: none; stroke: red }", False),
        ("a > b { color: red } @font-face { src: x }", False),
    ],
)
def test_plain_style_sheets_are_followed(drawn, style, is_ink):
    content = f'<style>{style}</style><path class="pen" id="p" d="M0,0h1"/>'
    if is_ink:
        assert drawn(content, attributes="")[0]
    else:
        with pytest.raises(BadData, match="no pen strokes"):
            drawn(content, attributes="")


def test_a_style_of_the_element_itself_is_the_strongest(strokes):
    content = (
        "<style>path { fill: red; stroke: none }</style>"
        '<path fill="red" style="fill:none; stroke:blue" d="M0,0h1"/>'
    )
    assert strokes(content, attributes="") == [[[0, 0], [1, 0]]]


# --- lines ------------------------------------------------------------------------------------


def test_all_is_one_line_unless_groups_say_otherwise(drawn):
    lines, _ = drawn(f"<g>{INK}</g><g>{INK}</g>")
    assert [(line.text, line.source, len(line.ink.strokes)) for line in lines] == [
        ("", "drawing.svg:1", 2)
    ]
    group = f'<g class="first line"><g class="line">{INK}{INK}</g></g>'
    lines, left_out = drawn(f'{group}{INK}<g><g class="line">{INK}</g></g><g class="line"/>')
    assert [len(line.ink.strokes) for line in lines] == [2, 1, 0]
    assert left_out == {"stroke outside every line": 1}


def test_what_we_write_comes_back_line_by_line(tmp_path):
    curve = [(0, 0), (1, -2), (2, 0), (3, -1)]
    written = [Ink.from_strokes([curve, [(4, 0)]]), Ink(()), Ink.from_strokes([[(0, 0), (1, 1)]])]
    save(tmp_path / "ours.svg", written)
    lines, left_out = read_svg(tmp_path / "ours.svg")
    assert not left_out
    assert [len(line.ink.strokes) for line in lines] == [2, 0, 1]
    (found, dot), (whole, _) = lines[0].ink.strokes, written[0].strokes
    assert np.ptp(dot, axis=0).tolist() == pytest.approx([0.001, 0])
    np.testing.assert_allclose(
        found[::CHORDS] - found[0], (whole - whole[0]) * MM_PER_UNIT, atol=0.002
    )
    assert found[0][0] == pytest.approx(MARGIN_MM)


# --- faults -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "no pen strokes, but nothing"),
        ('<path d=""/>', "no pen strokes"),
        ('<text id="t">hi</text>', "text element: 1"),
        ('<path id="p" d="M0,0 L1,1 nonsense"/>', "<path id='p'>: 'nonene' in its path"),
        ('<path d="M0,0 L1"/>', "'1' in its path makes no sense"),
        ('<path d="M0,0 C1,1 2,2 3,3 4"/>', "in its path makes no sense"),
        ('<path d="M0,0 C1,1 2,2"/>', "its path makes no sense"),
        ('<path d="M0,0 h"/>', "its path makes no sense"),
        ('<path d="M0,0 A1 1 0 2 1 3 3"/>', "its path makes no sense"),
        ('<path d="5,5 M0,0"/>', "its path makes no sense"),
        ('<path d="M1e999,0h1"/>', "not finite"),
        ('<path d="M0,0h1" transform="scale(1e999)"/>', "not finite"),
        ('<path d="M0,0h1" transform="scale(1,2,3)"/>', "is not a transformation"),
        ('<path d="M0,0h1" transform="turn(1)"/>', "'turn(1)' is not a transformation"),
        ('<path d="M0,0h1" transform="scale(2) %"/>', "is not a transformation"),
        ('<line x2="50%"/>', "'50%' is not a length"),
        ('<polyline points="0,0 1"/>', "in its path makes no sense"),
        ('<use href="#a"/>', "there is no element '#a'"),
        ('<g id="a"><use href="#a"/></g>', "uses itself"),
        ("<svg/>", "make a group of it"),
        ("<style>g path { fill: none }</style>", "'g path', which is not understood"),
        ("<style>@media print { path { fill: none } }</style>", "nested rules"),
        ("<style>{ fill: none }</style>", "'', which is not understood"),
        ("<g>" * 200 + "</g>" * 200, "nested too deep"),
        ("<g>", "not well-formed XML"),
    ],
)
def test_a_faulty_drawing_is_named(drawn, content, complaint):
    with pytest.raises(BadData) as caught:
        drawn(content)
    assert "drawing.svg" in str(caught.value)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_drawing_that_repeats_itself_without_end_is_refused(drawn, monkeypatch):
    monkeypatch.setattr("handwriter.drawing.MOST_REPEATED", 100)
    doubled = "".join(
        f'<g id="g{i}"><use href="#g{i - 1}"/><use href="#g{i - 1}"/></g>' for i in range(1, 60)
    )
    with pytest.raises(BadData, match="repeats more than 100 elements"):
        drawn(f'<defs><g id="g0">{INK}</g>{doubled}</defs><use href="#g59"/>')


STANDARD = '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://x.invalid/svg11.dtd">'
BOMB = '<!DOCTYPE svg [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;">]>'


def test_a_doctype_may_name_the_standard_but_not_declare_entities(drawn):
    assert drawn(INK, before=STANDARD)[0]
    with pytest.raises(BadData, match="has a DOCTYPE"):
        drawn(f"{INK}<title>&b;</title>", before=BOMB)


@pytest.mark.parametrize("content", [b"<ink/>", b"", b"\x89PNG\r\n"])
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: bytes):
    (tmp_path / "x.svg").write_bytes(content)
    with pytest.raises(BadData, match=r"x\.svg: not (SVG|well-formed XML)"):
        read_svg(tmp_path / "x.svg")
