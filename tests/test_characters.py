"""Each character comes in words that people write, and is judged by how it is read there."""

import string

import numpy as np
import pytest

from handwriter.author import Author
from handwriter.characters import (
    Attempt,
    CharacterScore,
    attempts,
    n_attempts,
    scores,
    sheet,
    words_with,
)
from handwriter.ink import Written

ASCII = "".join(map(chr, range(32, 127)))


@pytest.mark.parametrize("character", ASCII)
def test_there_are_20_different_words_with_each_character(character):
    words = words_with(character, ASCII)
    assert len(words) == len(set(words)) == 20
    assert all(character in word and word == word.strip() for word in words)
    assert all(set(word) <= set(ASCII) and len(word) <= 45 for word in words)
    assert words == words_with(character, ASCII)


@pytest.mark.parametrize("letter", string.ascii_lowercase)
def test_letters_stand_at_the_begin_in_the_middle_and_at_the_end(letter):
    words = words_with(letter, ASCII)
    assert any(word[0] == letter for word in words)
    assert any(letter in word[1:-1] for word in words)
    assert any(word[-1] == letter for word in words)


def test_signs_stand_where_people_set_them():
    assert any(word[0] == "$" and word[1].isdigit() for word in words_with("$", ASCII))
    assert any("@" in word.strip("@") for word in words_with("@", ASCII))
    assert "don't" in words_with("'", ASCII)
    assert all("}" in word for word in words_with("{", ASCII))


def test_a_hand_that_knows_few_characters_gets_words_of_these_alone():
    known = "abe$12 "
    for character in known:
        for word in words_with(character, known):
            assert character in word
            assert set(word) <= set(known)
    assert words_with("$", known)


def attempt(character, text, read):
    ink = Written((np.zeros((1, 2)),), text, "h", "CC0", 1, 1.5, True, 1)
    return Attempt(character, ink, read)


def test_a_word_is_right_where_the_character_is_however_the_rest_is_read():
    assert attempt("$", "$20", "$ZO").is_right
    assert not attempt("$", "$20", "S20").is_right
    assert not attempt('"', '"no"', '"no').is_right
    assert attempt("l", "lamb", "xlamb").is_right


def test_scores_count_words_and_tell_what_was_read_instead():
    found = [
        attempt("l", "lamb", "Iamb"), attempt("l", "label", "Iabel"), attempt("l", "leaf", "leaf"),
        attempt("$", "$20", "20"),
    ]  # fmt: skip
    letter, sign = scores(found, known_to_reader="abcl")
    assert (letter.character, letter.right, letter.words) == ("l", 1, 3)
    assert letter.instead == {"I": 2}
    assert sign.instead == {"": 1}
    assert (letter.known, sign.known) == (True, False)
    assert set("I|1") <= set(letter.alike)


@pytest.mark.parametrize(
    ("character", "right", "is_enough"),
    [("a", 18, True), ("a", 17, False), ("7", 17, False), ("$", 15, True), ("$", 14, False)],
)
def test_signs_may_be_missed_more_often_than_letters(character, right, is_enough):
    assert CharacterScore(character, right, 20).is_enough == is_enough


@pytest.mark.parametrize("checked", [True, False])
def test_all_characters_of_a_hand_are_written_and_read(checked, tiny_hand, tiny_reader):
    author = Author(tiny_hand, tiny_reader)
    options = {"words": 1, "seed": 3, "candidates": 1, "checked": checked}
    found = list(attempts(author, **options))
    assert len(found) == n_attempts(author, words=1)
    assert [one.character for one in found] == list(tiny_hand.characters)
    assert [one.read for one in attempts(author, **options)] == [one.read for one in found]
    if not checked:
        third = found[2]
        assert third.read == tiny_reader.read(third.ink, spread=0.95).text


def test_the_sheet_has_a_row_for_each_character():
    few = [attempt("a", "ab", "ab"), attempt("a", "ba", "b"), attempt("b", "b", "")]
    one_row = sheet(few[:2])
    assert sheet(few).height > one_row.height
    assert sheet(few).width == one_row.width
