"""HPGL: read back by a reader of its own, instruction by instruction."""

import re

import numpy as np
import pytest
import tiny_pages

from handwriter.output.hpgl import UNITS_PER_MM, hpgl
from handwriter.output.plotter import for_plotter

INSTRUCTION = re.compile(r"([A-Z]{2})([-\d.,]*);|CO\"([^\";]*)\";")


def drawn(content: bytes) -> list[list[tuple[int, np.ndarray]]]:
    """The pages: strokes in mm with the pen that drew them."""
    pages, pen, is_down, here, stroke = [[]], 0, False, (0, 0), []
    text = content.decode("ascii").replace("\n", "")
    assert INSTRUCTION.sub("", text) == ""
    for name, parameters, _ in INSTRUCTION.findall(text):
        values = [float(v) for v in parameters.split(",") if v]
        if name == "SP":
            assert not is_down
            pen = int(values[0])
        elif name in ("PU", "PD"):
            if name == "PD" and not is_down:
                assert pen, "drew without a pen"
                stroke = [here]
            if name == "PU" and is_down:
                pages[-1].append((pen, np.array(stroke) / UNITS_PER_MM))
            is_down = name == "PD"
            for point in zip(values[::2], values[1::2], strict=True):
                assert all(value.is_integer() for value in point)
                here = point
                stroke.append(point)
        elif name == "PG":
            assert (pen, is_down) == (0, False)
            pages.append([])
        else:
            assert name in ("IN", "VS", "")
    assert (pen, is_down, here) == (0, False, (0, 0))
    return pages


def test_every_stroke_is_drawn_in_order_with_the_pen_of_its_layer():
    letter = tiny_pages.letter()
    for page, strokes in zip(for_plotter(letter).pages, drawn(hpgl(letter)), strict=True):
        expected = [
            (pen, stroke)
            for layer, pen in zip(page.layers, (1, 3), strict=False)
            for line in layer.lines
            for stroke in line.ink.strokes
        ]
        assert [pen for pen, _ in strokes] == [pen for pen, _ in expected]
        for (_, found), (_, stroke) in zip(strokes, expected, strict=True):
            up = stroke * [1, -1] + [0, page.height_mm]
            assert found == pytest.approx(up, abs=0.5 / UNITS_PER_MM + 1e-9)


def test_forty_units_are_a_millimetre_and_y_grows_up():
    assert b"PU400,11480;PD1200,10280;PU;" in hpgl(tiny_pages.document([(10, 10), (30, 40)]))


def test_a_dot_lowers_and_lifts_the_pen():
    assert b"PU400,11480;PD;PU;" in hpgl(tiny_pages.document([(10, 10)]))


def test_speed_is_told_in_centimetres_a_second_where_it_is_asked_for():
    assert b"VS" not in hpgl(tiny_pages.document())
    assert b"IN;\nVS2.5;" in hpgl(tiny_pages.document(), pen_speed_mm_s=25)


def test_the_same_pages_give_the_same_bytes():
    assert hpgl(tiny_pages.letter()) == hpgl(tiny_pages.letter())


def test_metadata_come_last_and_take_no_pen_where_comments_are_not_known():
    letter = tiny_pages.letter()
    risky = type(letter)(letter.pages, 'PEN "UP"; SP3;\nS P 4, sp5', letter.about)
    content = hpgl(risky).decode("ascii")
    about = content.partition('CO"')[2]
    assert 'Hand: tiny";' in about
    assert len(re.findall('"', about)) == 2 * 4 - 1
    assert not re.search(r"S\s*P", about, re.IGNORECASE)
    assert len(drawn(content.encode())) == 2
