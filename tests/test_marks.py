"""Marks sit where they belong, in the line's own size and slant, after the word."""

import numpy as np
import pytest

from handwriter.alphabet import Mark
from handwriter.ink import Ink
from handwriter.marks import NAMES
from handwriter.marks import marked as marked_and_numbered

ABOVE = ["acute", "grave", "circumflex", "tilde", "diaeresis", "ring", "caron", "breve", "macron",
         "dot", "double acute"]  # fmt: skip
BELOW = ["cedilla", "ogonek", "comma below", "dot below"]
STEM = np.array([[0.5, -1.0], [0.5, -0.5], [0.5, 0.0]])
DOT = np.array([[0.5, -1.5]])


def marked(*of: object, **look: float) -> Ink:
    return marked_and_numbered(*of, **look)[0]


def letter(x: float = 0.0, width: float = 1.0, height: float = 1.0) -> np.ndarray:
    """A round letter on the baseline."""
    turn = np.linspace(0, 2 * np.pi, 24)
    around = np.column_stack([1 - np.cos(turn), np.sin(turn) - 1]) / 2
    return around * (width, height) + (x, 0.0)


def line(text: str, size: float = 1.0, slant: float = 0.0) -> tuple[Ink, np.ndarray]:
    """A round letter a character, and whose each point is."""
    places = [place for place, c in enumerate(text) if c != " "]
    lean = np.array([[1.0, -np.tan(np.radians(slant))], [0.0, 1.0]]) * size
    ink = Ink(tuple(letter(1.4 * place) for place in places)).transformed(lean)
    return ink, np.repeat(places, 24)


def added(before: Ink, after: Ink) -> np.ndarray:
    """The points of what was not there before."""
    old = {stroke.tobytes() for stroke in before.strokes}
    return np.concatenate([s for s in after.strokes if s.tobytes() not in old])


def mark_on(name: str, text: str = "o", place: int = 0, seed: int = 1, **look: float) -> np.ndarray:
    ink, owners = line(text, look.get("size", 1.0), look.get("slant", 0.0))
    slant = look.get("slant", 0.0)
    return added(ink, marked(ink, owners, text, [Mark(place, name)], slant=slant, seed=seed))


@pytest.mark.parametrize("name", ABOVE)
def test_marks_above_are_above_and_near_and_over_the_middle(name):
    points = mark_on(name, "ono", 1)
    assert (points[:, 1] < -1.0).all()
    assert points[:, 1].max() > -1.5
    assert points[:, 1].min() > -1.9
    middle = (points[:, 0].min() + points[:, 0].max()) / 2
    assert middle == pytest.approx(1.4 + 0.5, abs=0.2)


@pytest.mark.parametrize("name", BELOW)
def test_marks_below_are_below_and_near(name):
    points = mark_on(name, "ono", 1)
    assert points[:, 1].max() > -0.15
    assert points[:, 1].min() < 0.3
    assert 0.2 < points[:, 1].max() < 0.8
    assert ((points[:, 0] > 1.2) & (points[:, 0] < 2.8)).all()


@pytest.mark.parametrize("name", ["slash", "bar"])
def test_strokes_through_a_letter_cross_it(name):
    points = mark_on(name)
    inside = (points > (-0.3, -1.0)) & (points < (1.0, 0.0))
    assert inside.all(axis=1).any()


@pytest.mark.parametrize("name", sorted(NAMES - {"dotless", "turned", "ring alone"}))
def test_a_mark_grows_with_the_line_and_leans_with_it(name):
    small, large = mark_on(name), mark_on(name, size=2.0)
    np.testing.assert_allclose(large, 2 * small)
    leaning = mark_on(name, slant=20.0)
    lean = np.array([[1.0, -np.tan(np.radians(20.0))], [0.0, 1.0]])
    np.testing.assert_allclose(leaning, small @ lean.T, atol=0.05)


def test_no_two_marks_are_the_same_but_each_repeats_itself():
    np.testing.assert_array_equal(mark_on("acute", seed=1), mark_on("acute", seed=1))
    assert not np.allclose(mark_on("acute", seed=1), mark_on("acute", seed=2))
    ink, owners = line("oo")
    both = marked(ink, owners, "oo", [Mark(0, "acute"), Mark(1, "acute")], seed=1)
    first, second = both.strokes[-2:]
    assert not np.allclose(second - first, (1.4, 0.0))


def test_marks_come_after_the_word_in_the_order_of_its_letters():
    ink, owners = line("oo oo")
    marks = [Mark(0, "acute"), Mark(1, "grave"), Mark(4, "acute")]
    strokes = marked(ink, owners, "oo oo", marks).strokes
    places = [round((s[:, 0].mean() - 0.5) / 1.4) for s in strokes]
    assert places == [0, 1, 0, 1, 3, 4, 4]
    assert [len(s) == 24 for s in strokes] == [True, True, False, False, True, True, False]


def test_of_two_marks_above_the_second_stands_on_the_first():
    ink, owners = line("o")
    *_, first, second = marked(ink, owners, "o", [Mark(0, "macron"), Mark(0, "acute")]).strokes
    assert second[:, 1].max() < first[:, 1].min()


def test_another_mark_takes_the_place_of_the_dot():
    ink, owners = Ink((STEM, DOT)), np.zeros(4, int)
    for name in ("acute", "dotless"):
        strokes = marked(ink, owners, "i", [Mark(0, name)]).strokes
        np.testing.assert_array_equal(strokes[0], STEM)
        assert not any(np.array_equal(stroke, DOT) for stroke in strokes)
        assert len(strokes) == (2 if name == "acute" else 1)
    below = marked(ink, owners, "i", [Mark(0, "ogonek")]).strokes
    assert any(np.array_equal(stroke, DOT) for stroke in below)
    acute = marked(ink, owners, "i", [Mark(0, "acute")]).strokes[1]
    assert acute[:, 1].max() == pytest.approx(-1.3, abs=0.2)  # over the stem, not over the dot


def test_an_i_without_a_dot_of_its_own_loses_nothing():
    both = np.concatenate([STEM, DOT])
    strokes = marked(Ink((both,)), np.zeros(4, int), "i", [Mark(0, "acute")]).strokes
    np.testing.assert_array_equal(strokes[0], both)


def test_a_turned_sign_hangs_where_a_straight_one_stands():
    ink = Ink((np.array([[0.5, -2.0], [0.4, -0.6]]), np.array([[0.4, 0.0]])))
    turned = marked(ink, np.zeros(3, int), "!", [Mark(0, "turned")])
    left, top, right, bottom = turned.bounds
    assert (right - left) == pytest.approx(0.1)
    assert (bottom - top) == pytest.approx(2.0)
    assert bottom > 0.4
    dot = min(turned.strokes, key=len)
    assert dot[0, 1] == top


def test_a_degree_sign_takes_the_place_of_an_apostrophe():
    ink, owners = line("o'")
    round_one = marked(ink, owners, "o'", [Mark(1, "ring alone")])
    np.testing.assert_array_equal(round_one.strokes[0], ink.strokes[0])
    (ring,) = round_one.strokes[1:]
    assert np.hypot(*(ring[-1] - ring[0])) < 0.3
    assert 1.4 < ring[:, 0].mean() < 2.4


def test_a_letter_without_ink_gets_its_mark_beside_its_neighbour():
    ink, owners = line("o ")
    points = added(ink, marked(ink, owners, "oo", [Mark(1, "acute")]))
    assert -0.5 < points[:, 0].mean() < 1.5


def test_without_ink_there_is_nothing_to_mark():
    nothing = Ink(())
    assert marked(nothing, np.zeros(0, int), "o", [Mark(0, "acute")]).strokes == ()


def test_it_is_told_what_became_of_each_stroke():
    body, dot = line("i o")[0].strokes[0], DOT
    other = line("o", size=0.9)[0].strokes[0]
    ink = Ink((body, dot, other))
    owners = np.array([0] * (len(body) + 1) + [2] * len(other))
    new, numbers = marked_and_numbered(ink, owners, "i o", [Mark(0, "diaeresis")])
    assert numbers == [0, 1, 3, 4]  # its dot became two
    np.testing.assert_array_equal(new.strokes[3], other)
    assert marked_and_numbered(ink, owners, "i o", []) == (ink, [0, 1, 2, 3])
