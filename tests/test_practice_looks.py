"""Practice that looks like the lines that people wrote."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from tiny import leaning

from handwriter import Hand, Ink, Written
from handwriter.training import practice_looks
from handwriter.training.practice_looks import Models


def test_a_lean_joined_letters_and_long_ones_are_seen(tiny_hand: Hand) -> None:
    (line,) = tiny_hand.write_lines(["so it was there"], seed=1)
    x, waves = np.linspace(0, 20, 400), np.sin(np.linspace(0, 60, 400))

    def look(
        n_strokes: int, lean: float = 0.0, text: str = line.text, tall: float = 1.0
    ) -> tuple[int, int, int] | None:
        y = 4 * np.where(x < 15, 1.0, tall) * waves  # the last quarter of the letters is tall
        stroke = np.column_stack([x - lean * y, y])
        ink = replace(line, text=text, strokes=tuple([stroke] * n_strokes))
        found: tuple[int, int, int] | None = practice_looks.look_of(ink, text)
        return found

    upright_joined, upright_print = look(5), look(16)
    assert upright_joined is not None and upright_print is not None
    assert upright_joined[0] == upright_print[0] and upright_joined[1] < upright_print[1]
    leaning = look(5, lean=0.5)
    assert leaning is not None and leaning[0] > upright_joined[0]
    tall = look(5, tall=3.0)
    assert tall is not None and tall[2] > upright_joined[2]
    assert look(1, text="so") is None  # too short to tell


def test_lines_are_stretched_to_be_as_wide_as_peoples(tiny_hand: Hand) -> None:
    texts = ["so it was there and back", "and so it is everywhere", "so it goes on and on and on"]
    drawn = tiny_hand.write_lines([*texts, "so"], seed=1)
    widths = [practice_looks.width_of(line, line.text) for line in drawn]
    assert None not in widths[:3] and widths[3] is None
    people = np.repeat(1.2 * np.sort(widths[:3]), 100)
    wide = practice_looks.widened(drawn, people.tolist())
    found = [practice_looks.width_of(line, line.text) for line in wide[:3]]
    assert np.argsort(found).tolist() == np.argsort(widths[:3]).tolist()
    np.testing.assert_allclose(found, 1.2 * np.array(widths[:3]), rtol=0.1)
    for line, other in zip(drawn, wide, strict=True):
        np.testing.assert_array_equal(line.points[:, 1], other.points[:, 1])
    factor = wide[3].points[:, 0] / drawn[3].points[:, 0]
    np.testing.assert_allclose(factor, factor[0])
    assert practice_looks.widened(drawn[3:], people.tolist()) == drawn[3:]  # nothing tells how wide


def test_no_line_is_stretched_beyond_recognition(tiny_hand: Hand) -> None:
    drawn = tiny_hand.write_lines(["so it was there and back"], seed=1)
    for people, factor in (
        ([1000.0], practice_looks.MOST_STRETCH),
        ([1e-3], 1 / practice_looks.MOST_STRETCH),
    ):
        (line,) = practice_looks.widened(drawn, people)
        np.testing.assert_allclose(line.points[:, 0], factor * drawn[0].points[:, 0])


def test_kept_lines_come_as_often_as_people_write_so() -> None:
    joined, printed, odd = (3, 0, 1), (2, 3, 1), (2, 3, 0)
    looks = [joined] * 100 + [printed] * 800 + [odd] * 100 + [None] * 50
    copies = practice_looks.as_people(
        looks, [joined] * 300 + [printed] * 700, np.random.default_rng(1)
    )
    assert copies[-50:] == [1] * 50
    assert set(copies[900:1000]) == {0}
    assert sum(copies[:100]) == pytest.approx(300, abs=20)
    assert sum(copies[100:900]) == pytest.approx(700, abs=40)


def test_no_line_comes_more_than_a_few_times() -> None:
    looks = [(3, 0, 1)] + [(2, 3, 1)] * 99
    copies = practice_looks.as_people(looks, [(3, 0, 1), (2, 3, 1)], np.random.default_rng(1))
    assert copies[0] == practice_looks.MOST_COPIES


def test_what_is_lacking_is_gone_on_from_the_more_often() -> None:
    people = leaning("/", 30) + leaning("|", 10)
    models = Models.of(people, "abcdefghijklmnopqr", seed=1)
    looks = {line.source[0]: look for look, of in models.lines.items() for line in of}
    assert looks.keys() == {"/", "|"} and looks["/"] != looks["|"]
    before = Counter(models.some().source[0] for _ in range(400))
    assert 2 < before["/"] / before["|"] < 12
    for _ in range(200):
        models.learn(looks["/"])
        models.learn(None)
    after = Counter(models.some().source[0] for _ in range(400))
    assert after["/"] / after["|"] < 1.2
    assert len({models.some().source for _ in range(200)}) > 20


def test_models_are_lines_that_the_hand_can_go_on_from() -> None:
    (whole,) = leaning("/", 1)
    short = replace(whole, ink=Ink(whole.ink.strokes[:5]), text="abcde")
    foreign = replace(whole, text=whole.text.replace("a", "\u00e4"))
    models = Models.of([whole, short, foreign], "abcdefghijklmnopqr", seed=1)
    assert [line.source for of in models.lines.values() for line in of] == [whole.source]


def crowded(text: str, narrower: float, seed: int) -> Written:
    """Words of zigzags that are narrower by that factor with each character, and by chance."""
    rng, x, strokes, begins = np.random.default_rng(seed), 0.0, [], []
    for place, character in enumerate(text):
        width = narrower**place * rng.uniform(0.9, 1.1)
        if place == 0 or text[place - 1] == " ":
            begins.append(len(strokes))
        if character != " ":
            t = np.linspace(0, 1, 9)
            strokes.append(np.column_stack([x + 0.9 * width * t, -np.abs(np.sin(4 * t))]))
        x += width
    return Written(
        strokes=tuple(strokes), text=text, hand="", licence="", seed=seed, smoothness=0.0,
        finished=True, n_steps=9, begins=tuple(begins),
    )  # fmt: skip


def width_of_words(line: Written) -> list[float]:
    """Of a character of each."""
    ends = (*line.begins[1:], len(line.strokes))
    return [
        float(np.ptp(np.concatenate(line.strokes[begin:end])[:, 0])) / len(word)
        for word, begin, end in zip(line.text.split(), line.begins, ends, strict=True)
    ]


def test_lines_become_as_wide_where_they_end_as_where_they_begin() -> None:
    texts = [
        "one after the other they came over",
        "they are and they were",
        "two more",
        "three",
    ] * 40
    drawn = [crowded(text, 0.975, seed) for seed, text in enumerate(texts)]
    even = practice_looks.evened(drawn)
    before, after = (
        np.median([width_of_words(line) for line in lines[::4]], axis=0) for lines in (drawn, even)
    )
    assert before[-1] / before[0] < 0.6
    np.testing.assert_allclose(after / after.mean(), 1.0, atol=0.06)
    spread = np.std([width_of_words(line)[0] for line in even[::4]]) / after[0]
    assert spread > 0.02  # what is by chance stays
    # a lone word is a beginning: no wider than the same word elsewhere
    alone, within = np.median([line.bounds[2] for line in even[3::4]]), after.mean() * 5
    assert alone == pytest.approx(within, rel=0.08)
    for line, other in zip(drawn, even, strict=True):
        np.testing.assert_array_equal(line.points[:, 1], other.points[:, 1])
        lefts = [stroke[:, 0].min() for stroke in other.strokes]
        assert lefts == sorted(lefts)  # words and gaps keep their order
    assert practice_looks.evened([]) == []


def test_even_lines_stay_as_they_are() -> None:
    drawn = [crowded("they are and they were there", 1.0, seed) for seed in range(200)]
    for line, other in zip(drawn, practice_looks.evened(drawn), strict=True):
        np.testing.assert_allclose(line.points, other.points, rtol=0.03, atol=0.05)
