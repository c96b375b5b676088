"""Edit distances against the textbook's, and the rates that come of them."""

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handwriter.edits import Errors, aligned, character_errors, distance, kept, word_errors


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


# --- Alignments --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("read", "truth", "expected"),
    [
        ("cat", "cat", "111"),
        ("cut", "cat", "101"),
        ("ct", "cat", "101"),
        ("caat", "cat", "111"),
        ("xcat", "cat", "111"),
        ("", "cat", "000"),
        ("cat", "", ""),
        ("S2O", "$20", "010"),
    ],
)
def test_what_was_kept_of_the_truth(read, truth, expected):
    assert kept(read, truth) == [mark == "1" for mark in expected]


def test_what_was_read_in_the_place_of_each_character():
    assert aligned("S2", "$20") == ["S", "2", None]
    assert aligned("tomn", "torn") == ["t", "o", "m", "n"]
    assert aligned("(seen)", "(see)") == list("(see)")


def most_kept(read: str, truth: str) -> tuple[int, int]:
    """The fewest edits and, negative, the most characters kept: the definition, cell by cell."""

    @cache
    def best(i: int, j: int) -> tuple[int, int]:
        if not i or not j:
            return i + j, 0
        same = read[i - 1] == truth[j - 1]
        pair, drop, add = best(i - 1, j - 1), best(i - 1, j), best(i, j - 1)
        return min(
            (pair[0] + (not same), pair[1] - same), (drop[0] + 1, drop[1]), (add[0] + 1, add[1])
        )

    return best(len(read), len(truth))


@given(st.text("ab1 ", max_size=9), st.text("ab1 ", max_size=9))
def test_no_alignment_with_as_few_edits_keeps_more(read, truth):
    right = kept(read, truth)
    assert len(right) == len(truth)
    assert sum(right) == -most_kept(read, truth)[1]
    assert all(
        character in read for character, is_kept in zip(truth, right, strict=True) if is_kept
    )
