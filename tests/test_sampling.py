"""An epoch's lines: weighed by source, and with every character often enough."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from handwriter.errors import BadData
from handwriter.training.recipe import SamplingConfig
from handwriter.training.sampling import MOST, drawn, expected_draws

COMMON = ["the fox", "a dog ran", "some more text"] * 100
RARE = ["x @ y", "12 %"]
TEXTS = COMMON + RARE
SOURCES = ["books/1"] * len(COMMON) + ["signs/set/1"] * len(RARE)


def expected(**sampling: object) -> np.ndarray:
    return expected_draws(TEXTS, SOURCES, SamplingConfig(**sampling))  # type: ignore[arg-type]


def test_as_it_stands_every_line_comes_once_and_in_order():
    draws = expected()
    np.testing.assert_array_equal(draws, 1.0)
    np.testing.assert_array_equal(drawn(draws, seed=1, epoch=3), np.arange(len(TEXTS)))


def test_an_epoch_has_as_many_lines_as_the_recipe_says_every_time():
    draws = expected(lines=77)
    assert draws.sum() == pytest.approx(77)
    assert {len(drawn(draws, 1, epoch)) for epoch in range(20)} == {77}


def test_rare_characters_come_as_often_as_asked():
    draws = expected(character=30)
    counts: Counter[str] = Counter()
    for text, times in zip(TEXTS, draws, strict=True):
        counts.update({c: times * n for c, n in Counter(text).items()})
    assert counts["@"] == pytest.approx(30, rel=0.02)
    assert counts["%"] == pytest.approx(30, rel=0.02)
    assert draws.sum() == pytest.approx(len(TEXTS))
    assert (draws[: len(COMMON)] < 1).all()


def test_more_of_some_characters_can_be_asked_for():
    both = expected(character=20, characters={"%": 30.0})
    assert both[-2:] == pytest.approx([20, 30], rel=0.02)
    alone = expected(characters={"%": 30.0})
    assert alone[-1] == pytest.approx(30, rel=0.02)
    assert alone[-2] < 1


def test_more_than_an_epoch_can_hold_is_refused():
    with pytest.raises(BadData, match=r"asks for 5,000 '%' an epoch, and \d+ are reached"):
        expected(characters={"%": 5000.0})


def test_what_is_not_one_character_cannot_be_asked_for():
    with pytest.raises(BadData, match="'%%', which is not one character"):
        expected(characters={"%%": 5.0})


def test_what_is_too_rare_is_not_repeated_without_end():
    draws = expected(character=100_000)
    assert draws.max() / draws.min() <= MOST * 1.001


def test_sources_are_weighed_by_the_longest_beginning_that_fits():
    draws = expected(sources={"signs": 9.0, "signs/set": 3.0, "maps": 5.0})
    assert draws[-1] / draws[0] == pytest.approx(3.0)


def test_a_source_of_no_weight_never_comes():
    draws = expected(sources={"books": 0.0})
    assert set(drawn(draws, 1, 0)) == {len(TEXTS) - 2, len(TEXTS) - 1}


def test_each_line_comes_its_number_of_times_rounded_up_or_down():
    draws = expected(character=30)
    for epoch in range(5):
        times = np.bincount(drawn(draws, 1, epoch), minlength=len(TEXTS))
        assert (np.abs(times - draws) < 1.000001).all()


def test_lines_follow_from_seed_and_epoch_and_from_nothing_else():
    draws = expected(character=30)
    np.testing.assert_array_equal(drawn(draws, 1, 2), drawn(draws, 1, 2))
    assert (drawn(draws, 1, 2) != drawn(draws, 1, 3)).any()
    assert (drawn(draws, 1, 2) != drawn(draws, 2, 2)).any()
