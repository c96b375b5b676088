"""Paper: sizes as the standards have them, and guides that leave the ink alone."""

import numpy as np
import pytest

from handwriter.errors import BadOption
from handwriter.paper import GUIDES, SIZES, guides, paper_size


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("a0", (841, 1189)),
        ("A4", (210, 297)),
        ("a5", (148, 210)),
        ("a7", (74, 105)),
        ("a10", (26, 37)),
        ("letter", (215.9, 279.4)),
        ("legal", (215.9, 355.6)),
        ("210x297mm", (210, 297)),
        ("5x7in", (127, 177.8)),
        ("10.5 x 14.8 cm", (105, 148)),
        ("a4-landscape", (297, 210)),
        ("postcard-landscape", (148, 105)),
    ],
)
def test_paper_has_its_size_in_millimetres(name, size):
    assert paper_size(name) == pytest.approx(size)


@pytest.mark.parametrize("name", ["a11", "a", "", "foolscap", "210x297", "x7in", "5x7pt", "-5x7in"])
def test_paper_that_is_unknown_is_refused_with_those_that_are_known(name):
    with pytest.raises(BadOption, match=r"choose a0 to a10, letter, .* 210x297mm or 5x7in"):
        paper_size(name)


@pytest.mark.parametrize("name", ["0x7in", "5x9999mm", "1x1mm"])
def test_paper_that_no_one_has_is_refused(name):
    with pytest.raises(BadOption, match="from 10 to 5000 mm"):
        paper_size(name)


def test_ruled_paper_has_a_rule_under_each_line():
    (layer,) = guides("ruled", 100, 80, [20.0, 30.0])
    assert layer.is_guide
    assert [stroke.tolist() for stroke in layer.lines[0].ink.strokes] == [
        [[0, 20], [100, 20]],
        [[0, 30], [100, 30]],
    ]


@pytest.mark.parametrize("size", [10.0, 85.0, 210.0, 215.9])
def test_squares_and_dots_are_5_mm_apart_and_alike_at_both_edges(size):
    (layer,) = guides("dotted", size, 55.0, [])
    points = layer.lines[0].ink.points
    across = np.unique(points[:, 0])
    np.testing.assert_allclose(np.diff(across), 5.0)
    assert across[0] == pytest.approx(size - across[-1])
    assert 0 < across[0] <= 5
    (squares,) = guides("squared", size, 55.0, [])
    assert len(squares.lines[0].ink.strokes) == len(across) + len(np.unique(points[:, 1]))


def test_plain_paper_has_no_guides_and_each_kind_its_name():
    assert guides("plain", 100, 80, [20.0]) == ()
    names = [layer.name for kind in GUIDES for layer in guides(kind, 100, 80, [20.0])]
    assert names == ["%ruled", "%squared", "%dotted"]  # AxiDraw passes over a name with %
    with pytest.raises(BadOption, match="choose one of plain, ruled, squared, dotted"):
        guides("music", 100, 80, [])


def test_the_sizes_that_are_named_are_all_found():
    assert all(paper_size(name) == size for name, size in SIZES.items())
