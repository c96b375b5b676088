"""Texts to practise: spans of real ones, what these lack, and what the hand writes badly."""

from __future__ import annotations

import itertools
import math
import string
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from handwriter.alphabet import CLOSING, OPENING
from handwriter.edits import kept
from handwriter.training.lines import Lines
from handwriter.training.typecase import written_number

SHORTEST = 3  # characters of a text
# The kinds, and their shares.
KINDS = {"span": 0.1, "weak": 0.2, "capitals": 0.1, "number": 0.15, "signs": 0.3, "alone": 0.15}
ALONE = ("I", "I", "a", "A", "1", "1")  # by themselves the texts have few of them
FEWEST_SIGNS = 10  # as which a sign counts that the texts have fewer times, or never
MORE_SIGNS = 0.2  # the chance of one at each further word of a text with signs
# Where people put them for the most part; brackets and the rest stand around a word.
BEHIND, WITHIN, BETWEEN = ".,:;!?", "'", "-/"


@dataclass
class Skill:
    """Of each character how many were written so far, and how many of these read rightly."""

    written: Counter[str] = field(default_factory=Counter)
    read: Counter[str] = field(default_factory=Counter)

    def learn(self, reading: str, truth: str) -> None:
        self.written.update(truth)
        rightly = kept(reading, truth)
        self.read.update(itertools.compress(truth, rightly))

    def misread(self, character: str) -> float:
        """The share of it that was misread; one in ten where none was written yet."""
        return (1 + self.written[character] - self.read[character]) / (10 + self.written[character])

    def weak(self, usual: Mapping[str, int], rng: np.random.Generator) -> str:
        """One of the characters, the sooner the more it is misread and the more `usual` it is.

        By the root of how usual: a capital is as much to a reader of the line as any letter, and
        would hardly come in a hundred lines for its number alone.
        """
        return _one_of({c: math.sqrt(n) * self.misread(c) for c, n in usual.items()}, rng)


def _one_of(weights: Mapping[str, float], rng: np.random.Generator) -> str:
    chances = np.array(list(weights.values()))
    return str(rng.choice(list(weights), p=chances / chances.sum()))


def invented(
    lines: Lines, longest: int, seed: int, skill: Skill, kinds: Sequence[str] = tuple(KINDS)
) -> Iterator[tuple[str, str]]:
    """Texts without end, each with its kind, made of those of the training lines.

    What they ask for follows `skill`, as it is when each is asked for.
    """
    rng = np.random.default_rng(seed)
    texts = [lines.texts[i].split() for i in lines.where("train")]
    usual = Counter("".join(word for words in texts if len(words) > 1 for word in words))
    signs = {sign: max(usual[sign], FEWEST_SIGNS) for sign in string.punctuation}
    places: dict[str, list[tuple[int, int]]] = {character: [] for character in usual}
    for number, words in enumerate(texts):
        for place, word in enumerate(words):
            for character in set(word) & usual.keys():
                places[character].append((number, place))
    lengths = np.array([len(words) for words in texts], np.float64)
    shares = lengths / lengths.sum()
    while True:
        kind = _one_of({kind: KINDS[kind] for kind in kinds}, rng)
        if kind == "weak":
            some = places[skill.weak(usual, rng)]
            number, place = some[int(rng.integers(len(some)))]
            begin = max(0, place - int(rng.integers(3)))
        else:
            number = int(rng.choice(len(texts), p=shares))
            begin = int(rng.integers(len(texts[number])))
        words = _span(texts[number][begin:], longest, rng)
        if kind == "signs":
            words = with_signs(words, lambda: skill.weak(signs, rng), rng)
        text = " ".join(_changed(words, kind, rng))[:longest].strip()
        if len(text) >= SHORTEST:
            yield kind, text


def _span(words: Sequence[str], longest: int, rng: np.random.Generator) -> list[str]:
    """The first words, as many as fit into a line of a length drawn by chance."""
    room = int(rng.integers(SHORTEST, longest + 1))
    found: list[str] = []
    for word in words:
        if found and len(" ".join([*found, word])) > room:
            break
        found.append(word)
    return found


def _changed(words: list[str], kind: str, rng: np.random.Generator) -> list[str]:
    place = int(rng.integers(len(words)))
    if kind == "capitals":
        how = (str.capitalize, str.upper)[int(rng.random() < 0.3)]
        return [how(word) for word in words]
    if kind == "number":
        words[place] = written_number(rng)
    if kind == "alone":
        words.insert(place, str(rng.choice(ALONE)))
    return words


def with_signs(
    words: Sequence[str], sign: Callable[[], str], rng: np.random.Generator
) -> list[str]:
    """One of the words with a sign, and some of the others."""
    chosen = rng.random(len(words)) < MORE_SIGNS
    chosen[int(rng.integers(len(words)))] = True
    found: list[str] = []
    for word, is_chosen in zip(words, chosen, strict=True):
        if not is_chosen:
            found.append(word)
        elif rng.random() < 0.5:
            found = _as_people_put(found, word, sign())
        else:
            found.append(_anywhere(word, sign(), rng))
    return found


def _as_people_put(before: list[str], word: str, sign: str) -> list[str]:
    if sign in BETWEEN and before:
        return [*before[:-1], before[-1] + sign + word]
    if sign in BEHIND:
        return [*before, word + sign]
    if sign in WITHIN + BETWEEN:
        return [*before, word[:-1] + sign + word[-1:]]
    return [*before, _around(word, sign)]


def _anywhere(word: str, sign: str, rng: np.random.Generator) -> str:
    half = len(word) // 2
    ways = [word + sign, sign + word, f"{word} {sign}", _around(word, sign)]
    if sign not in CLOSING and sign not in OPENING:
        ways.append(word[:half] + sign + word[half:])
    return str(rng.choice(ways))


def _around(word: str, sign: str) -> str:
    return OPENING.get(sign, sign) + word + CLOSING.get(sign, sign)
