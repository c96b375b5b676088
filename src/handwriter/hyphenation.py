"""Hyphenation: where a word may be divided at the end of a line.

Which places a language allows is known to the patterns of Liang (1983), which TeX and LibreOffice
use; pyphen brings them for many languages.
"""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handwriter.errors import BadOption

if TYPE_CHECKING:
    from pyphen import Pyphen

FEWEST_BEFORE = 2  # letters of a word that stay on its first line
FEWEST_AFTER = 3  # that go to the next one
EXAMPLES = ("en_US", "en_GB", "de_DE", "fr", "es", "it_IT")

BLANK = " "  # behind a part that ends its word
NOTHING = ""  # behind a part that ends in a hyphen of the word itself
SOFT = "\u00ad"  # behind a part that takes a hyphen where it ends a line, and else nothing

_OWN_HYPHEN = re.compile("(?<=[-\u2010])(?=[^\\W_])")
# A word in the marks of a sentence; an apostrophe may stand within.
_LETTERS = re.compile("(?P<before>\\W*)(?P<word>[^\\W\\d_]+(?:['\u2019][^\\W\\d_]+)*)\\W*")


@dataclass(frozen=True)
class Part:
    """What of a word is never divided, and what is between it and the next part of the text.

    `joint` is `BLANK`, `NOTHING` or `SOFT`.
    """

    text: str
    joint: str = BLANK


def languages() -> list[str]:
    """The languages that words can be divided in, by the codes that they are asked for with."""
    from pyphen import LANGUAGES

    return sorted(LANGUAGES)


def patterns(language: str) -> Pyphen:
    """Where words of a language may be divided; "en_US", "en-us" and "de" are ways to name one.

    A region that has no patterns of its own has those of its language.  Raises BadOption where
    there are none.
    """
    from pyphen import Pyphen, language_fallback

    if not language_fallback(language):
        raise BadOption(
            f"there is no hyphenation for {language!r}; choose a language such as "
            f"{', '.join(EXAMPLES)}: `handwriter languages` lists all {len(languages())}"
        )
    with warnings.catch_warnings():
        # pyphen before 0.16, which vpype asks for, leaves it to Python to close its files.
        warnings.simplefilter("ignore", ResourceWarning)
        return Pyphen(lang=language, left=FEWEST_BEFORE, right=FEWEST_AFTER)


def parts(words: Iterable[str], language: str | None) -> tuple[Part, ...]:
    """The parts of words, each word one part where no language is given.

    A word with a hyphen of its own is divided behind that alone, one with soft hyphens (U+00AD)
    at these, one that is not letters alone nowhere.  A place that would change the spelling, as in
    Hungarian asz-szony, is not used.  Words that are divided are composed (NFC), all others are
    left as they are.  Raises BadOption where the language is not known.
    """
    if language is None:
        return tuple(Part(word) for word in words)
    known = patterns(language)
    return tuple(part for word in words for part in _parts(word, known))


def said(line: Sequence[Part]) -> str:
    """The text of a line of these parts, with a hyphen where it ends in part of a word."""
    inner = "".join(part.text + part.joint.strip(SOFT) for part in line[:-1])
    return inner + line[-1].text + ("-" if line[-1].joint == SOFT else "")


def _parts(word: str, known: Pyphen) -> list[Part]:
    composed = unicodedata.normalize("NFC", word)
    if SOFT in composed.strip(SOFT):
        pieces, joint = [piece for piece in composed.split(SOFT) if piece], SOFT
    elif _OWN_HYPHEN.search(composed):
        pieces, joint = _OWN_HYPHEN.split(composed), NOTHING
    elif letters := _LETTERS.fullmatch(composed):
        places = [int(p) for p in known.positions(letters["word"]) if not getattr(p, "data", None)]
        pieces, joint = _cut(composed, [letters.end("before") + place for place in places]), SOFT
    else:
        pieces, joint = [word], BLANK
    made = _joined(pieces, joint)
    return made if len(made) > 1 else [Part(word)]


def _cut(word: str, places: Sequence[int]) -> list[str]:
    ends = [*places, len(word)]
    return [word[begin:end] for begin, end in zip([0, *places], ends, strict=True)]


def _joined(pieces: Sequence[str], joint: str) -> list[Part]:
    """The parts that pieces of a word make, if none at its ends is to have too few letters."""
    texts = list(pieces)
    while len(texts) > 1 and _n_letters(texts[0]) < FEWEST_BEFORE:
        texts[:2] = [texts[0] + texts[1]]
    while len(texts) > 1 and _n_letters(texts[-1]) < FEWEST_AFTER:
        texts[-2:] = [texts[-2] + texts[-1]]
    return [*(Part(text, joint) for text in texts[:-1]), Part(texts[-1])]


def _n_letters(text: str) -> int:
    return sum(character.isalnum() for character in text)
