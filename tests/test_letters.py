"""Each point of ink is given to the character that it writes."""

import numpy as np
import pytest

from handwriter.ink import Ink
from handwriter.letters import owners, word_begins

N = 16  # points a letter


def box(x: float, width: float = 1.0) -> np.ndarray:
    """A letter of one stroke, round."""
    turn = np.linspace(0, 2 * np.pi, N)
    return np.column_stack([x + width * (1 - np.cos(turn)) / 2, np.sin(turn) * 0.7])


def written(text: str, ahead: float = 0.0, noise: float = 0.0) -> tuple[Ink, np.ndarray, list[int]]:
    """A round letter a character, where the window was, and the truth."""
    strokes, focus, truth = [], [], []
    for place, character in enumerate(text):
        if character != " ":
            strokes.append(box(1.5 * place))
            focus += list(place + np.linspace(-0.5, 0.5, N) + ahead)
            truth += [place] * N
    rng = np.random.default_rng(3)
    return Ink(tuple(strokes)), np.array(focus) + rng.normal(0, noise, len(focus)), truth


@pytest.mark.parametrize("ahead", [0.0, 0.3, 0.6, 0.9])
@pytest.mark.parametrize("text", ["a", "no", "once more", "  on a  sea"])
def test_however_far_the_window_runs_ahead_each_letter_has_its_own_ink(text, ahead):
    ink, focus, truth = written(text, ahead, noise=0.15)
    np.testing.assert_array_equal(owners(ink, focus, text), truth)


def test_letters_that_hang_together_are_parted_where_the_window_moves_on():
    ink, focus, truth = written("aaa")
    joined = Ink((np.concatenate(ink.strokes),))
    found = owners(joined, focus, "aaa")
    assert np.mean(found == truth) > 0.85
    assert (np.diff(found) >= 0).all()


def test_a_dot_belongs_to_the_letter_below():
    stem, dot = np.array([[0.0, -1.0], [0.0, 0.0], [0.0, 0.7]]), np.array([[0.1, -2.0]])
    ink = Ink((stem, dot, box(0.8)))
    focus = np.concatenate([[0.0, 0.2, 0.4, 0.55], np.linspace(0.6, 1.5, N)])
    assert list(owners(ink, focus, "in")) == [0] * 4 + [1] * N


def test_the_window_crosses_a_blank_while_the_pen_begins_the_next_word():
    ink, focus, truth = written("no on")
    focus[2 * N : 3 * N] = np.linspace(1.6, 3.5, N)  # n, and the blank before it
    np.testing.assert_array_equal(owners(ink, focus, "no on"), truth)


def test_ink_at_the_height_of_letters_is_no_comma():
    ink, focus, truth = written("an,a")
    comma = np.array([[4.6, 0.4], [4.5, 0.8], [4.4, 1.1]])
    strokes = (*ink.strokes[:2], comma, *ink.strokes[3:])
    late = np.concatenate([focus[:N], focus[N : 2 * N] + 0.45, [2.5, 2.6, 2.7], focus[3 * N :]])
    expected = [*truth[: 2 * N], 2, 2, 2, *truth[3 * N :]]
    np.testing.assert_array_equal(owners(Ink(strokes), late, "an,a"), expected)


def test_a_letter_that_was_skipped_owns_nothing():
    ink, focus, _ = written("abc")
    without = Ink((ink.strokes[0], ink.strokes[2]))
    jumped = np.concatenate([focus[:N], np.linspace(1.9, 2.5, N)])
    assert list(owners(without, jumped, "abc")) == [0] * N + [2] * N


@pytest.mark.parametrize("ahead", [0.0, 0.3, 0.6, 0.9])
def test_each_word_has_its_own_strokes_however_far_the_window_runs_ahead(ahead):
    ink, focus, _ = written("to be or not", ahead, noise=0.15)
    assert word_begins(ink, focus, "to be or not") == [0, 2, 4, 6]


def test_a_dot_and_a_bar_that_come_late_belong_to_the_word_below():
    ink, focus, _ = written("it is")
    late = np.array([[0.5, -1.5]]), np.array([[1.2, -1.0], [2.9, -1.0]])
    strokes = (*ink.strokes[:2], *late, *ink.strokes[2:])
    focus = np.concatenate([focus[: 2 * N], [2.2, 2.3, 2.4], focus[2 * N :]])
    assert word_begins(Ink(strokes), focus, "it is") == [0, 4]


def test_a_wide_gap_tells_where_a_word_begins_while_the_window_crosses_the_blank():
    ink = Ink((box(0), box(1.2), box(3.4), box(4.6)))
    focus = np.concatenate([np.linspace(*span, N) for span in [(0, 1), (1, 2), (1.6, 3), (3, 4)]])
    assert word_begins(ink, focus, "no on") == [0, 2]


def test_a_word_without_ink_begins_where_the_next_one_does():
    ink, focus, _ = written("on a sea")
    without = Ink((*ink.strokes[:2], *ink.strokes[3:]))
    focus = np.concatenate([focus[: 2 * N], focus[3 * N :]])
    assert word_begins(without, focus, "on a sea") == [0, 2, 2]
    assert word_begins(Ink(()), np.zeros(0), "on a sea") == [0, 0, 0]
    assert word_begins(Ink(()), np.zeros(0), "") == []
