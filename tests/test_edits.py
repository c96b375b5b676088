"""Edit distances against the textbook's, and the rates that come of them."""

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handwriter.edits import Errors, character_errors, distance, word_errors


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("", "", 0),
        ("abc", "abc", 0),
        ("", "abc", 3),
        ("kitten", "sitting", 3),
        ("saturday", "sunday", 3),
        ("ab", "ba", 2),
        ("abcdef", "bcdefa", 2),
        ("a b", "ab", 1),
    ],
)
def test_known_distances(a, b, expected):
    assert distance(a, b) == distance(b, a) == expected


def slow_distance(a: str, b: str) -> int:
    """The definition, one cell at a time."""

    @cache
    def cell(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        return min(
            cell(i - 1, j) + 1, cell(i, j - 1) + 1, cell(i - 1, j - 1) + (a[i - 1] != b[j - 1])
        )

    return cell(len(a), len(b))


@given(st.text("abc ", max_size=12), st.text("abc ", max_size=12))
def test_the_distance_is_that_of_its_definition(a, b):
    assert distance(a, b) == slow_distance(a, b)


def test_errors_of_many_lines_add_up_to_one_rate():
    lines = [("helo", "hello"), ("you  too", "you too"), ("", "ok")]
    total = sum((character_errors(read, truth) for read, truth in lines), Errors())
    assert total == Errors(edits=4, length=14)
    assert total.rate == pytest.approx(4 / 14)


def test_words_are_what_stands_between_blanks():
    assert word_errors("the quik fox", "the  quick brown fox") == Errors(edits=2, length=4)


def test_a_rate_without_a_length():
    assert Errors().rate == 0
    assert character_errors("a", "").rate == float("inf")
