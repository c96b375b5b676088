"""Which characters a hand can write, and exact complaints about those that it cannot."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from handwriter.errors import UnsupportedText

LONGEST_LINE = 2_000  # characters; a line of ink this long is some 6 metres of writing
LONGEST_TEXT = 200_000  # characters in one call
SHOWN = 30  # characters of the text in a message
KINDS = ("lower case", "capitals", "digits", "signs")
CLOSING = {"(": ")", "[": "]", "{": "}", "<": ">"}  # brackets, by the one that opens
OPENING = {closing: opening for opening, closing in CLOSING.items()}


def kind_of(character: str) -> str:
    """One of `KINDS`; empty for a blank, which has no ink."""
    if character.isspace():
        return ""
    if character.isalpha():
        return "lower case" if character.islower() else "capitals"
    return "digits" if character.isdigit() else "signs"


class Mark(NamedTuple):
    """What is drawn on a character that was written: its place in the line, the mark's name."""

    place: int
    name: str


def check_text(lines: list[str], characters: str) -> None:
    """Raises UnsupportedText, naming line and place, unless `characters` can write the lines.

    Blank lines may stand among others, but not alone.
    """
    check_lengths(lines)
    known = {*characters, " "}
    for number, line in enumerate(lines):
        for place, character in enumerate(line):
            if character not in known:
                raise unsupported(character, place, lines, number, characters)


def check_lengths(lines: Sequence[str]) -> None:
    """Raises UnsupportedText where there is nothing to write, or too much for one call."""
    if not any(line.strip(" ") for line in lines):
        raise UnsupportedText("there is no text to write; give at least one visible character")
    if sum(map(len, lines)) > LONGEST_TEXT:
        raise UnsupportedText(
            f"the text has {sum(map(len, lines)):,} characters; at most {LONGEST_TEXT:,} are "
            "written in one call: split it into several"
        )
    for number, line in enumerate(lines):
        if len(line) > LONGEST_LINE:
            raise UnsupportedText(
                f"the text{_where(lines, number)} has {len(line):,} characters; one line of ink "
                f"takes at most {LONGEST_LINE:,}: break it into lines"
            )


def unsupported(
    character: str, place: int, lines: Sequence[str], number: int, characters: str
) -> UnsupportedText:
    """The complaint about a character, at `place` of line `number`, both counted from 0."""
    return UnsupportedText(
        f"cannot write {_named(character)} (character {place + 1} of "
        f"{_shortened(lines[number])!r}{_where(lines, number)}); this hand knows "
        f"{characters.strip()} and the blank: replace it, or have a blank written in its place "
        "with --replace-unknown"
    )


def _where(lines: Sequence[str], number: int) -> str:
    """Which line is meant, where there are several."""
    return f" in line {number + 1}" if len(lines) > 1 else ""


def _named(character: str) -> str:
    if unicodedata.combining(character):
        return f"the combining mark U+{ord(character):04X}"
    if character.isprintable():
        return repr(character)
    kind = "control" if unicodedata.category(character) == "Cc" else "invisible"
    return f"the {kind} character U+{ord(character):04X}"


def _shortened(line: str) -> str:
    return line if len(line) <= SHOWN else line[:SHOWN] + "…"
