"""Styles: ink to write like (Graves 2013, section 5.5), those that come with a hand and one's own.

The network is shown the ink with its text, and goes on from there.  So the ink has to be as those
lines were that the network learned from: level, of their size, and sampled as densely in time.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from handwriter.density import paced, resampled
from handwriter.drafts import Style
from handwriter.errors import BadData, BadOption
from handwriter.hand import LONGEST_STYLE, Hand
from handwriter.ink import Ink, Line
from handwriter.interchange import SUFFIXES, json_lines, read_ink
from handwriter.levelling import levelled, spread, without_jumps
from handwriter.tokens import collapsed
from handwriter.weights import STYLES

SPARSE = 0.5  # of the points that a hand makes: ink with fewer does not tell when the pen was where
ALIKE = 1.25  # ink whose density is within this factor of the hand's is taken point by point
STRAY = 6  # characters that the window may be away from the end of the text when the ink ends


def installed_styles(hand: Hand) -> dict[str, Line]:
    """The styles that come with a hand, by name: lines that it wrote itself.

    They lie beside its file as NAME.styles.jsonl, and `writer` names each.  Raises BadData where
    that file is damaged.
    """
    path = Path(f"{hand.name}{STYLES}")
    lines = json_lines(hand.weights.styles.splitlines(), path)
    return {line.writer: replace(line, source=line.writer) for line in lines}


def load_style(hand: Hand, name_or_file: str, *, text: str | None = None) -> Style:
    """A style that comes with the hand, by name, or one's own ink with what it says.

    The file is JSON-lines, InkML or an SVG of single strokes, with one line of writing; of a file
    of several, `FILE:3` names the third.  Give the `text` where the file does not tell it, as no
    SVG does.  Raises BadOption where there is no such style, and BadData and UnsupportedText where
    the ink cannot be one.
    """
    named = installed_styles(hand)
    if name_or_file in named:
        line = named[name_or_file]
    elif _path_and_number(name_or_file)[0].suffix.lower() in SUFFIXES:
        line = _line_of_file(name_or_file)
    else:
        names = ", ".join(named) or "none of its own"
        raise BadOption(
            f"there is no style {name_or_file!r}; {hand.name} has {names}, or give a file of ink "
            f"in {', '.join(SUFFIXES)}"
        )
    if text is not None:
        line = replace(line, text=text)
    if not collapsed(line.text):
        raise BadData(
            f"{name_or_file} does not tell what its ink says, and a style needs that; give it "
            "with --style-text"
        )
    is_drawn = _path_and_number(name_or_file)[0].suffix.lower() == ".svg"
    return style_of(hand, replace(line, source=Path(name_or_file).name), is_drawn=is_drawn)


def style_of(hand: Hand, line: Line, *, is_drawn: bool = False) -> Style:
    """Any line of ink as a style for this hand; its `source` is the style's name.

    Ink that `is_drawn`, or has too few points, says nothing of when the pen was where; any other
    is taken to be sampled evenly in time.  Raises BadData and UnsupportedText where it cannot be
    used.
    """
    text = collapsed(line.text)
    if not 0 < len(text) <= LONGEST_STYLE:
        raise BadData(
            f"{line.source} says {len(text)} characters; a style has 1 to {LONGEST_STYLE}, best "
            "some 25: give a shorter line"
        )
    ink = _as_trained(line.ink, len(text) / hand.weights.pace, is_drawn)
    if ink is None:
        raise BadData(f"{line.source} has ink without any height; give a line of writing")
    prepared = replace(line, text=text, ink=ink)
    shown = hand.shown(prepared)
    if shown.place < len(text) - STRAY:
        raise BadData(
            f"{line.source}: the hand cannot find {text!r} in this ink, only the begin of it up to "
            f"{text[: shown.place + 1]!r}; check that the text is what the ink says"
        )
    return Style(**vars(prepared), shown=shown)


def _as_trained(ink: Ink, wanted: float, is_drawn: bool) -> Ink | None:
    """The ink level, of a hand's size, and with about as many points as wanted, evenly in time.

    None where it has no height.
    """
    if not ink.strokes:
        return None
    if is_drawn or ink.n_points < SPARSE * wanted:
        return levelled(paced(ink, round(wanted), spread(ink) or 1.0))
    mended, _ = without_jumps(ink)
    level, share = levelled(mended), wanted / mended.n_points
    if level is None or 1 / ALIKE <= share <= ALIKE:
        return level
    return resampled(level, share)


def _line_of_file(name: str) -> Line:
    path, number = _path_and_number(name)
    lines = list(read_ink(path)[0])
    if number is None and len(lines) != 1:
        raise BadData(
            f"{path} has {len(lines)} lines of ink, and a style is one; name it, as in {path}:1"
        )
    at = 1 if number is None else number
    if not 1 <= at <= len(lines):
        raise BadData(f"{path} has no line {at}, it has {len(lines)}; name another")
    return lines[at - 1]


def _path_and_number(name: str) -> tuple[Path, int | None]:
    """A file, and the number of a line in it, if one is given, as in FILE:3."""
    numbered = re.fullmatch(r"(.+):(\d{1,9})", name)
    if numbered and not Path(name).exists():
        return Path(numbered[1]), int(numbered[2])
    return Path(name), None
