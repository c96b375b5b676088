"""Texts that a hand practises: spans of real ones, and what is written badly."""

import itertools
import re
import string
from collections import Counter

import numpy as np
import pytest
import tiny_hand as invented_hand

from handwriter.training import practice_texts
from handwriter.training.practice_texts import Skill

LONGEST = 24


def texts(n: int = 3000, seed: int = 1, skill: Skill | None = None) -> list[tuple[str, str]]:
    found = practice_texts.invented(invented_hand.LINES, LONGEST, seed, skill or Skill())
    return list(itertools.islice(found, n))


def test_texts_are_short_and_bring_every_sign_and_digit() -> None:
    found = texts()
    assert all(practice_texts.SHORTEST <= len(text) <= LONGEST for _, text in found)
    assert all(text == " ".join(text.split()) for _, text in found)
    seen = set("".join(text for _, text in found))
    assert seen >= set(string.punctuation + string.digits)
    assert {kind for kind, _ in found} == set(practice_texts.KINDS)


def test_the_same_seed_gives_the_same_texts() -> None:
    assert texts(50) == texts(50)
    assert texts(50) != texts(50, seed=2)


def test_what_is_misread_is_counted_by_the_character() -> None:
    skill = Skill()
    skill.learn("so I (say]", "so I (say)")
    skill.learn("a", "(a")
    assert skill.misread("I") < skill.misread("(") < skill.misread(")")
    assert skill.misread("(") == pytest.approx((1 + 1) / (10 + 2))


def test_signs_are_asked_for_the_more_the_more_often_they_are_misread() -> None:
    written = Counter(dict.fromkeys(string.punctuation, 90))
    skill = Skill(written, Counter(dict(written) | {"(": 40, "~": 40}))
    found = [text for kind, text in texts(skill=skill) if kind == "signs"]
    asked = Counter("".join(found))
    # all signs stand in the words themselves as well
    assert asked["~"] > 4 * asked["@"] and asked["("] > 2.5 * asked["["]


def test_signs_stand_where_people_put_them_and_elsewhere() -> None:
    rng = np.random.default_rng(1)

    def ways(sign: str) -> Counter[str]:
        found = (practice_texts.with_signs(["so", "word"], lambda: sign, rng) for _ in range(400))
        return Counter(" ".join(words) for words in found)

    comma, bracket, dash, apostrophe = ways(","), ways(")"), ways("-"), ways("'")
    assert comma.most_common(1)[0][0] in ("so word,", "so, word")
    assert set(comma) > {"so word ,", "so ,word"}
    assert bracket.most_common(1)[0][0] in ("so (word)", "(so) word")
    assert "so wo)rd" not in bracket
    assert dash["so-word"] > 40
    assert apostrophe["so wor'd"] > 40


def test_a_character_that_is_misread_is_asked_for_the_more_the_more_often_people_write_it() -> None:
    skill = Skill(Counter(a=990, I=990, Z=990), Counter(a=981, I=891, Z=891))
    rng = np.random.default_rng(1)
    asked = Counter(skill.weak({"a": 400, "I": 50, "Z": 5}, rng) for _ in range(1000))
    # by the root: a tenth of the number is asked for a third as often
    assert asked["I"] > 550 and 130 < asked["Z"] < 280 and asked["a"] < 270
    weak = [text for kind, text in texts(500, skill=skill) if kind == "weak"]
    own = "\n".join(invented_hand.LINES.texts)
    assert weak and all(text in own for text in weak)


def test_letters_that_are_words_and_ones_come_alone() -> None:
    found = [text.split() for kind, text in texts() if kind == "alone"]
    with_one = [words for words in found if {"I", "a", "A", "1"} & set(words)]
    assert sum("1" in words for words in found) > 0.25 * len(found)
    assert len(with_one) > 0.9 * len(found)  # some are cut off again


def test_spans_are_taken_from_the_training_lines() -> None:
    own = "\n".join(invented_hand.LINES.texts)
    assert all(text in own for kind, text in texts(200) if kind == "span")


def test_texts_are_of_the_kinds_that_are_asked_for() -> None:
    kinds = ("number", "alone")
    found = practice_texts.invented(invented_hand.LINES, LONGEST, 1, Skill(), kinds)
    asked = Counter(kind for kind, _ in itertools.islice(found, 400))
    assert set(asked) == set(kinds) and min(asked.values()) > 150


def test_numbers_are_those_of_texts() -> None:
    found = " ".join(text for kind, text in texts() if kind == "number")
    for form in (r"\b\d?\d:[0-5]\d\b", r"\b\d+/\d+\b", r"\b\d+\.\d\d\b", r"\b1[5-9]\d\d\b"):
        assert re.search(form, found), form
