"""What a hand is asked to write for a text: signs that it has, and marks that are drawn on them.

A hand knows ASCII, more or less.  Typographic signs become the ASCII that says the same, and are
reported.  A letter with a diacritic becomes its base letter and a mark, which `handwriter.marks`
draws once the word is written.  docs/letters.md says what becomes of which character.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from handwriter.alphabet import Mark, check_lengths, unsupported

MIDDLE_DOT = "\u00b7"
MOST_MARKS = 4  # on one letter; no language needs more than two

_MARKS = {
    "\u0300": "grave",
    "\u0301": "acute",
    "\u0302": "circumflex",
    "\u0303": "tilde",
    "\u0304": "macron",
    "\u0306": "breve",
    "\u0307": "dot",
    "\u0308": "diaeresis",
    "\u0309": "hook",
    "\u030a": "ring",
    "\u030b": "double acute",
    "\u030c": "caron",
    "\u030f": "double grave",
    "\u0311": "arch",
    "\u0312": "turned comma",
    MIDDLE_DOT: "middle dot",
    "\u031b": "horn",
    "\u0323": "dot below",
    "\u0326": "comma below",
    "\u0327": "cedilla",
    "\u0328": "ogonek",
    "\u0331": "line below",
}

# Unicode calls these by another mark than the one that is seen.
_SEEN = {
    ("g", "cedilla"): "turned comma",
    **{(letter, "cedilla"): "comma below" for letter in "GKLNRklnr"},
    **{(letter, "caron"): "apostrophe" for letter in "dtlL"},
}

# Characters that Unicode does not take apart: the base that is written, and the marks on it.
_DRAWN = {
    "\u0131": ("i", "dotless"),
    "\u0237": ("j", "dotless"),
    "ø": ("o", "slash"),
    "Ø": ("O", "slash"),
    "đ": ("d", "bar"),
    "Đ": ("D", "bar"),
    "Ð": ("D", "bar"),
    "ð": ("d", "slash"),
    "ħ": ("h", "bar"),
    "Ħ": ("H", "bar"),
    "ŧ": ("t", "bar"),
    "Ŧ": ("T", "bar"),
    "ł": ("l", "slash"),
    "Ł": ("L", "slash"),
    "ŀ": ("l", "middle dot"),
    "Ŀ": ("L", "middle dot"),
    "þ": ("p", "stem"),
    "Þ": ("P", "stem"),
    "ß": ("B", "tail"),
    "\u1e9e": ("B", "tail"),
    "ŋ": ("n", "hooked tail"),
    "Ŋ": ("N", "hooked tail"),
    "\u00b5": ("u", "tail"),
    "\u03bc": ("u", "tail"),
    "€": ("C", "two bars"),
    "£": ("L", "bar"),
    "¥": ("Y", "two bars"),
    "¢": ("c", "slash"),
    "÷": ("-", "two dots"),
    "±": ("+", "line below"),
    "\u00b0": ("'", "ring alone"),
    "¡": ("!", "turned"),
    "¿": ("?", "turned"),
}

# Characters that have a spelling in ASCII; those that Unicode calls compatible need no entry.
_SPELLED = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u02bc\u2039\u203a\u00b4\u02b9", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb\u02ba", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2212\u2043", "-"),
    **dict.fromkeys("\u2014\u2015", " - "),
    **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff\u200e\u200f\ufe0e\ufe0f", ""),
    "\t": " ",
    "\u00bc": "1/4",
    "\u00bd": "1/2",
    "\u00be": "3/4",
    "\u2044": "/",
    "\u2215": "/",
    "\u00d7": "x",
    "\u2217": "*",
    "¦": "|",
    "©": "(c)",
    "®": "(R)",
    "\u2122": "(TM)",
    "\u00b9": "^1",
    "\u00b2": "^2",
    "\u00b3": "^3",
    "ª": "a",
    "º": "o",
    "æ": "ae",
    "Æ": "Ae",
    "œ": "oe",
    "Œ": "Oe",
    "ĸ": "k",
}
_COMPATIBLE = ("<compat>", "<noBreak>", "<wide>", "<narrow>", "<font>")
_SPACED_DASH = " - "


@dataclass(frozen=True)
class Spelling:
    """A line of text as a hand writes it.

    `text` is what the ink will say, in composed letters (NFC).  `base` is what the network is
    asked for, `marks` what is drawn on that, in order of place.  `replaced` counts the characters
    that were given another spelling: (what was asked, what is written) -> how often.
    """

    text: str
    base: str
    marks: tuple[Mark, ...]
    replaced: Counter[tuple[str, str]]


def unmarked(text: str) -> Spelling:
    """A line of characters that the hand has, spelled as it is."""
    return Spelling(text, text, (), Counter())


class _Unwritable(Exception):
    """A character that cannot be written, and its place in the line, counted from 0."""

    def __init__(self, place: int, character: str) -> None:
        super().__init__(place, character)
        self.place, self.character = place, character


def spelled(
    lines: Sequence[str], characters: str, *, replace_unknown: bool = False
) -> list[Spelling]:
    """How a hand that knows `characters` writes these lines.

    What it cannot write is an error, or with `replace_unknown` a blank, counted like any other
    replacement.  What it knows itself is left as it is.  Raises UnsupportedText, naming
    character, place and line; blank lines may stand among others, but not alone.
    """
    check_lengths(lines)
    known = frozenset(characters) | {" "}
    spellings = []
    for number, line in enumerate(lines):
        try:
            spellings.append(_spelled_line(line, known, replace_unknown))
        except _Unwritable as it:
            raise unsupported(it.character, it.place, lines, number, characters) from None
    check_lengths([spelling.base for spelling in spellings])
    return spellings


def replacements(spellings: Iterable[Spelling]) -> str:
    """What was replaced in all of them, for people to read; empty where nothing was."""
    counts: Counter[tuple[str, str]] = Counter()
    for spelling in spellings:
        counts.update(spelling.replaced)
    return ", ".join(
        f"{_shown(was)} by {_shown(became)} ({n:,})" for (was, became), n in sorted(counts.items())
    )


def _spelled_line(line: str, known: frozenset[str], replace_unknown: bool) -> Spelling:
    text, base = "", ""
    marks: list[Mark] = []
    replaced: Counter[tuple[str, str]] = Counter()
    for place, cluster in _clusters(line):
        end = place + len(cluster)
        neighbours = base[-1:], line[end : end + 1]
        try:
            says, letters, names = _written(cluster, place, known, neighbours)
        except _Unwritable:
            if not replace_unknown:
                raise
            says, letters, names = " ", " ", ()
        marks += [Mark(len(base), name) for name in names]
        text, base = text + says, base + letters
        if says != unicodedata.normalize("NFC", cluster):
            replaced[cluster, says.strip() or says] += 1
    return Spelling(text, base, tuple(marks), replaced)


def _clusters(line: str) -> Iterable[tuple[int, str]]:
    """Each character with the marks that go with it, and where in the line it begins."""
    begin = 0
    for end in range(1, len(line) + 1):
        if end == len(line) or not _goes_with(line[end], line[end - 1]):
            yield begin, line[begin:end]
            begin = end


def _goes_with(character: str, before: str) -> bool:
    """Whether it is a mark on the one before it: of Catalan l·l, the dot is one too."""
    return bool(unicodedata.combining(character)) or (character == MIDDLE_DOT and before.isalpha())


def _written(
    cluster: str, place: int, known: frozenset[str], neighbours: tuple[str, str]
) -> tuple[str, str, tuple[str, ...]]:
    """What is said for a character, the base that is written, and the marks on its first letter."""
    composed = unicodedata.normalize("NFC", cluster)
    if known.issuperset(composed):
        return composed, composed, ()
    head, *combining = list(unicodedata.normalize("NFD", composed))
    letters, drawn = _DRAWN.get(head) or (_ascii(head, *neighbours), "")
    if not known.issuperset(letters):
        raise _Unwritable(place, cluster[0])
    for n_before, mark in enumerate(combining):
        if mark not in _MARKS or not letters.strip() or n_before == MOST_MARKS:
            raise _Unwritable(place + max(cluster.find(mark), 0), mark)
    marks = [drawn] * bool(drawn) + [_seen(letters, mark) for mark in combining]
    if drawn:
        return composed, letters, tuple(marks)
    says = letters[:1] + "".join(combining) + letters[1:]
    return unicodedata.normalize("NFC", says), letters, tuple(marks)


def _seen(letters: str, mark: str) -> str:
    return _SEEN.get((letters[0], _MARKS[mark]), _MARKS[mark])


def _ascii(character: str, before: str = "", after: str = "") -> str:
    """The spelling of a character, which may depend on the characters before and after it."""
    spelling = _SPELLED.get(character)
    if spelling is None:
        return _compatible(character)
    if spelling == _SPACED_DASH:
        return f"{_blank_beside(before)}-{_blank_beside(after)}"
    if character in "ÆŒ" and not after.islower():
        return spelling.upper()
    if character in "\u00bc\u00bd\u00be" and before.isdigit():
        return f" {spelling}"
    return spelling


def _blank_beside(neighbour: str) -> str:
    return " " if neighbour.strip() else ""


def _compatible(character: str) -> str:
    """What Unicode says is the same but for its form, as "fi" for the ligature; or itself."""
    kind, *codes = unicodedata.decomposition(character).split() or [""]
    if kind not in _COMPATIBLE:
        return character
    return "".join(_ascii(chr(int(code, 16))) for code in codes)


def _shown(text: str) -> str:
    match text:
        case "":
            return "nothing"
        case " ":
            return "a blank"
    seen = all(c.isprintable() and not unicodedata.combining(c) for c in text[:1])
    return text if seen else " ".join(f"U+{ord(c):04X}" for c in text)
