"""Which characters a hand can write, and exact complaints about those that it cannot."""

from __future__ import annotations

import unicodedata

from handwriter.errors import UnsupportedText

LONGEST_LINE = 2_000  # characters; a line of ink this long is some 6 metres of writing
LONGEST_TEXT = 200_000  # characters in one call
SHOWN = 30  # characters of the text in a message
KINDS = ("lower case", "capitals", "digits", "signs")


def kind_of(character: str) -> str:
    """One of `KINDS`; empty for a blank, which has no ink."""
    if character.isspace():
        return ""
    if character.isalpha():
        return "lower case" if character.islower() else "capitals"
    return "digits" if character.isdigit() else "signs"


def check_text(lines: list[str], characters: str) -> None:
    """Raises UnsupportedText, naming line and place, unless `characters` can write the lines.

    Blank lines may stand among others, but not alone.
    """
    if not any(line.strip(" ") for line in lines):
        raise UnsupportedText("there is no text to write; give at least one visible character")
    if sum(map(len, lines)) > LONGEST_TEXT:
        raise UnsupportedText(
            f"the text has {sum(map(len, lines)):,} characters; at most {LONGEST_TEXT:,} are "
            "written in one call: split it into several"
        )
    for number, line in enumerate(lines, start=1):
        where = f" in line {number}" if len(lines) > 1 else ""
        if len(line) > LONGEST_LINE:
            raise UnsupportedText(
                f"the text{where} has {len(line):,} characters; one line of ink takes at most "
                f"{LONGEST_LINE:,}: break it into lines"
            )
        _check_line(line, where, characters)


def _check_line(line: str, where: str, characters: str) -> None:
    known = {*characters, " "}
    for place, character in enumerate(line, start=1):
        if character not in known:
            raise UnsupportedText(
                f"cannot write {_named(character)} (character {place} of "
                f"{_shortened(line)!r}{where}); this hand knows {characters.strip()} "
                "and the blank: replace it"
            )


def _named(character: str) -> str:
    if character.isprintable():
        return repr(character)
    kind = "control" if unicodedata.category(character) == "Cc" else "invisible"
    return f"the {kind} character U+{ord(character):04X}"


def _shortened(line: str) -> str:
    return line if len(line) <= SHOWN else line[:SHOWN] + "…"
