"""Composing: a text of any length becomes pages, in one hand.

A paragraph is written as if paper had no end, some words at a time, and its words are then set on
lines as long as there is room for.  All go on from the same few words, which the hand wrote first
on paper of their own, so that they look like one person's.  Where hyphenation is asked for, a line
that words leave short takes part of one more, which is written for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from handwriter.errors import BadOption, UnsupportedText
from handwriter.hand import check_seed
from handwriter.hyphenation import SOFT, parts, patterns, said
from handwriter.ink import Array, Ink, Line
from handwriter.page import Document, Layer, Page, PlacedLine, provenance
from handwriter.paper import guides
from handwriter.posture import kept_between, reach, stood, wavering
from handwriter.words import (
    Left,
    Word,
    WordWriter,
    WritesLines,
    as_written,
    runs_of,
    side_by_side,
    width_of,
)

ALIGNMENTS = ("left", "right", "centre", "justified")
USUAL_LINE_HEIGHT = 3.6  # in x-heights
SCRAP = 30  # characters that the hand writes first, as a style for the rest
BASELINE = 0.7  # where in the height of a line its baseline is
TAB = 4  # blanks
LONGEST_CHECKED = 1_000  # characters of a text that are checked in one call
MOST_LINES = 10**6
WIDEST_GAP = 2.0  # x-heights that justifying may add to a gap between words
FULL = 0.9  # of the room: a line that whole words fill so far takes no part of another one
MOST_HYPHENS = 2  # lines, one below the other, that may end within a word


@dataclass(frozen=True)
class Layout:
    """How a text lies on paper; all lengths are in millimetres.

    `margins_mm` are top, right, bottom and left.  `line_height_mm` is 3.6 x-heights where it is
    None.  `indent_mm` is for the first line of each paragraph.  `irregularity` goes from 0, as if
    ruled, to 1, a careless person.  `reflow` joins the lines of a paragraph; otherwise each line
    of the text begins a new one.  `hyphenate` is the language whose words may be divided, "en_US"
    for instance (`handwriter.hyphenation.languages`); None divides none.
    """

    width_mm: float = 210.0
    height_mm: float = 297.0
    margins_mm: tuple[float, float, float, float] = (20.0, 20.0, 20.0, 20.0)
    x_height_mm: float = 2.4
    line_height_mm: float | None = None
    align: str = "left"
    indent_mm: float = 0.0
    irregularity: float = 0.4
    guides: str = "plain"
    page_numbers: bool = False
    reflow: bool = False
    hyphenate: str | None = None

    @property
    def pitch_mm(self) -> float:
        """From one baseline to the next."""
        return self.line_height_mm or USUAL_LINE_HEIGHT * self.x_height_mm

    @property
    def room_mm(self) -> float:
        """Between the left and the right margin."""
        return self.width_mm - self.margins_mm[1] - self.margins_mm[3]

    @property
    def baselines_mm(self) -> Array:
        """Where the lines of a page stand, shape (lines,)."""
        top, _, bottom, _ = self.margins_mm
        n = int((self.height_mm - top - bottom) / self.pitch_mm + 1e-9)
        baselines: Array = top + self.pitch_mm * (np.arange(max(n, 0), dtype=np.float64) + BASELINE)
        return baselines


@dataclass(frozen=True)
class _Paragraph:
    """Words that are set together; `number` is the line of the text that they begin in.

    Without words it is a blank line; `breaks` begins a new page before it.
    """

    words: tuple[str, ...]
    number: int
    n_blanks: int = 0
    is_first: bool = False
    breaks: bool = False


@dataclass(frozen=True)
class _Spot:
    """Where a line stands: on which page, in which slot of it.

    `is_new` tells that the text begins or asks for the page.
    """

    page: int = 0
    slot: int = 0
    is_new: bool = True


@dataclass(frozen=True, eq=False)
class _Set:
    """A line that is set; a blank one has no words.

    `indent_mm` is how far right of the margin it begins, `is_last` of its paragraph; `number`
    counts the lines with words.
    """

    words: tuple[Word, ...]
    spot: _Spot
    number: int = 0
    indent_mm: float = 0.0
    is_last: bool = False


def compose(
    text: str,
    write: WritesLines,
    layout: Layout | None = None,
    *,
    seed: int | None = None,
    style: Line | None = None,
    title: str | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> Document:
    """Write a text on as many pages as it takes.

    A blank line ends a paragraph and stays blank, blanks at the begin of a line indent it, and a
    form feed begins a page.  Without a `style` the hand writes the first words on scrap paper and
    goes on from these.  The ink of each line lies between the left and the right margin as it is
    drawn, and between the top and the bottom one.  The title is the first line of the text unless
    it is given.  Same text, layout and seed, same pages.

    Raises UnsupportedText where the text cannot be written, and BadOption where it has no room.
    """
    layout = layout or Layout()
    check_layout(layout)
    rules = guides(layout.guides, layout.width_mm, layout.height_mm, layout.baselines_mm.tolist())
    seed = check_seed(seed, n_lines=MOST_LINES)
    paragraphs = _paragraphs(text, layout.reflow)
    _check_text(text, write)
    if layout.hyphenate is not None:
        _check_hyphen(write)
    style = style or _style_of(paragraphs, write, seed)
    setter = _Setter(layout, write, seed, style)
    n_words = sum(len(paragraph.words) for paragraph in paragraphs)
    pages: list[list[PlacedLine]] = []
    n_set = 0
    for line in setter.lines(paragraphs):
        pages += [[] for _ in range(line.spot.page + 1 - len(pages))]
        pages[-1].append(setter.placed(line))
        n_set += sum(not word.goes_on for word in line.words)
        progress(min(n_set / n_words, 1.0))
    if layout.page_numbers:
        for page, number in zip(pages, setter.page_numbers(len(pages)), strict=True):
            page.append(number)
    return Document(
        tuple(
            Page(layout.width_mm, layout.height_mm, (*rules, Layer(tuple(page)))) for page in pages
        ),
        title=title if title is not None else text.split("\n", 1)[0].strip(),
        about=_about(pages, seed),
    )


def check_layout(layout: Layout) -> None:
    """Raise BadOption for a length, an alignment or margins with which nothing can be written.

    So it does for a language that there is no hyphenation for.
    """
    if layout.hyphenate is not None:
        patterns(layout.hyphenate)
    if layout.align not in ALIGNMENTS:
        raise BadOption(
            f"there is no alignment {layout.align!r}; choose one of {', '.join(ALIGNMENTS)}"
        )
    if not 0 <= layout.irregularity <= 1:
        raise BadOption(
            f"irregularity is {layout.irregularity}; it takes a number from 0 (none) to 1"
        )
    for name, value, least, most in [
        ("x-height", layout.x_height_mm, 0.5, 100.0),
        ("line height", layout.pitch_mm, 1.0, 500.0),
        ("indent", layout.indent_mm, 0.0, layout.width_mm),
        *(("margin", margin, 0.0, layout.width_mm + layout.height_mm)
          for margin in layout.margins_mm),
    ]:  # fmt: skip
        if not least <= value <= most:
            raise BadOption(f"{name} is {value:g} mm; it takes from {least:g} to {most:g} mm")
    if layout.room_mm - layout.indent_mm < 2 * layout.x_height_mm or not len(layout.baselines_mm):
        top, right, bottom, left = layout.margins_mm
        raise BadOption(
            f"margins of {top:g}, {right:g}, {bottom:g} and {left:g} mm leave no room for writing "
            f"on paper of {layout.width_mm:g} x {layout.height_mm:g} mm; make the margins, indent "
            "or line height smaller, or the paper larger"
        )


# --- The text ----------------------------------------------------------------------------------


def _paragraphs(text: str, reflow: bool) -> list[_Paragraph]:
    """What is set together, and the blank lines and page breaks between."""
    found: list[_Paragraph] = []
    breaks, begins, number = False, True, 0
    for line in text.replace("\r\n", "\n").split("\n"):
        number += 1
        for part_number, part in enumerate(line.split("\f")):
            breaks, begins = breaks or part_number > 0, begins or part_number > 0
            words = tuple(part.split())
            if not words:
                # The rest of a line with a page break, or the end of the text, is no blank line.
                if "\f" not in line:
                    found.append(_Paragraph((), number, breaks=breaks))
                    breaks = False
                begins = True
                continue
            if reflow and not begins:
                found[-1] = replace(found[-1], words=found[-1].words + words)
                continue
            spread_out = part.expandtabs(TAB)
            n_blanks = len(spread_out) - len(spread_out.lstrip())
            found.append(_Paragraph(words, number, n_blanks, begins, breaks))
            breaks = begins = False
    while found and not found[-1].words:
        found.pop()
    return found


def _check_text(text: str, write: WritesLines) -> None:
    """Have the hand look at all of the text before it writes any.

    Raises UnsupportedText, which names the line; a hand's own count begins anew in each call.
    """
    if not text.split():
        raise UnsupportedText("there is no text to write; give at least one visible character")
    for number, line in enumerate(text.replace("\f", "\n").split("\n"), start=1):
        words = " ".join(line.split())
        for begin in range(0, len(words), LONGEST_CHECKED):
            part = words[begin : begin + LONGEST_CHECKED]
            if not part.strip():
                continue
            try:
                write([part], seed=0, style=None)
            except UnsupportedText as error:
                raise UnsupportedText(f"line {number} of the text: {error}") from None


def _check_hyphen(write: WritesLines) -> None:
    try:
        write(["-"], seed=0, style=None)
    except UnsupportedText:
        raise BadOption(
            "this hand cannot write a hyphen; leave hyphenation out, or choose another hand"
        ) from None


def _style_of(paragraphs: Sequence[_Paragraph], write: WritesLines, seed: int) -> Line:
    """The first words of the text, as many as a style takes, on scrap paper."""
    words = [word for paragraph in paragraphs[:SCRAP] for word in paragraph.words]
    text = words[0][:SCRAP]
    for word in words[1:]:
        if len(text) + 1 + len(word) > SCRAP:
            break
        text += f" {word}"
    (ink,) = write([text], seed=seed, style=None)
    return Line(stood(ink), text)


# --- Lines -------------------------------------------------------------------------------------


class _Setter:
    """Sets words on lines, each as full as the room allows, and puts these in their place."""

    def __init__(self, layout: Layout, write: WritesLines, seed: int, style: Line | None) -> None:
        self.layout, self.seed = layout, seed
        self.hand = WordWriter(
            write, layout.x_height_mm, seed, style, steadiness=1 - layout.irregularity
        )
        self.blank_mm = layout.x_height_mm  # of one at the begin of a line
        if style and style.ink.strokes:
            left, _, right, _ = reach(style.ink)
            self.blank_mm = self.hand.mm_per_unit * (right - left) / max(len(style.text), 1)
        self.n_slots = len(layout.baselines_mm)

    def lines(self, paragraphs: Sequence[_Paragraph]) -> Iterator[_Set]:
        """All lines of all paragraphs, each with its place on a page.

        A paragraph without words is a blank line, but not at the begin of a page that is only
        there because the one before is full.
        """
        runs = [list(runs_of(paragraph.words)) for paragraph in paragraphs]
        written = self.hand.write_words([run for some in runs for run in some])
        spot, n_lines = _Spot(), 0
        for paragraph, some in zip(paragraphs, runs, strict=True):
            if paragraph.breaks and not (spot.is_new and spot.slot == 0):
                spot = _Spot(spot.page + 1)
            left = Left(islice(written, len(some)))
            indent, n_hyphens = self._indent(paragraph), 0
            if not some and spot.slot < self.n_slots and (spot.slot or spot.is_new):
                yield _Set((), spot)
                spot = replace(spot, slot=spot.slot + 1)
            while left.has(0):
                spot = self._on_page(spot)
                may_divide = n_hyphens < MOST_HYPHENS and spot.slot + 1 < self.n_slots
                words = self._line(left, indent, paragraph.number, may_divide=may_divide)
                yield _Set(words, spot, n_lines, indent, is_last=not left.has(0))
                n_lines, spot, indent = n_lines + 1, replace(spot, slot=spot.slot + 1), 0.0
                n_hyphens = n_hyphens + 1 if words[-1].goes_on else 0

    def _on_page(self, spot: _Spot) -> _Spot:
        """The same spot, or the begin of the next page where this one is full."""
        return spot if spot.slot < self.n_slots else _Spot(spot.page + 1, is_new=False)

    def _indent(self, paragraph: _Paragraph) -> float:
        """How far right of the margin a paragraph begins; blanks of the text indent it."""
        indent = self.layout.indent_mm if paragraph.is_first else 0.0
        most = self.layout.room_mm / 2  # a text that is set with blanks is still written
        return min(indent + paragraph.n_blanks * self.blank_mm, max(most, indent))

    def _line(
        self, left: Left, indent: float, number: int, *, may_divide: bool
    ) -> tuple[Word, ...]:
        """Take as many words as there is room for.

        Where words leave a line short it takes part of one more, but not of the last one of a
        paragraph.  A word that is wider than the room is divided wherever it stands.
        """
        room = self.layout.room_mm - indent
        line = [left.take()]
        if width_of(line) > room:
            halves = self._divided(line[0], room)
            if not halves:
                raise BadOption(
                    f"the word {line[0].asked.replace(SOFT, '')!r} (line {number} of the text) is "
                    f"{width_of(line):.0f} mm wide, but there are {room:.0f} mm for it; choose a "
                    "smaller x-height, smaller margins or larger paper, or divide it"
                )
            left.put_back(halves[1:])
            return (halves[0],)
        while left.has(0) and width_of([*line, left.first]) <= room:
            line.append(left.take())
        if may_divide and left.has(1) and width_of(line) < FULL * room:
            halves = self._divided(left.first, room - width_of(line) - left.first.gap_mm)
            if halves:
                left.take()
                left.put_back(halves[1:])
                line.append(halves[0])
        return tuple(line)

    def _divided(self, word: Word, room: float) -> list[Word]:
        """The word in two, written anew, of which the first has room; none if there is no way."""
        of_word = parts([word.asked], self.layout.hyphenate)
        per_character = word.width_mm / max(len(word.written.text), 1)
        for n in range(len(of_word) - 1, 0, -1):
            begin, rest = said(of_word[:n]), said(of_word[n:])
            if len(begin) * per_character > room:
                continue
            (first, *_), (second, *_) = self.hand.write_words([begin, rest])
            if first.width_mm <= room:
                is_divided = of_word[n - 1].joint == SOFT
                asked = "".join(part.text + part.joint for part in of_word[n:]).strip()
                return [
                    replace(first, gap_mm=word.gap_mm, goes_on=True, is_divided=is_divided),
                    replace(second, asked=asked),  # may be divided again, where it could be before
                ]
        return []

    # --- In their place ------------------------------------------------------------------------

    def placed(self, line: _Set) -> PlacedLine:
        """The line on its baseline, aligned, and as irregular as a person's."""
        top, _, bottom, left = self.layout.margins_mm
        baseline = float(self.layout.baselines_mm[line.spot.slot])
        if not line.words:
            return PlacedLine(Ink(()), baseline_mm=baseline)
        rng = np.random.default_rng([self.seed, line.number])
        ink = self._aligned(line, rng)
        if ink.strokes:
            ink = wavering(ink, self.layout.irregularity * self.layout.x_height_mm, rng)
            ink = ink.moved(left + line.indent_mm, baseline)
            ink = kept_between(ink, top, self.layout.height_mm - bottom)
        written = as_written(line.words, self.hand.mm_per_unit)
        return PlacedLine(ink, written.text, baseline, written, line.words[-1].is_divided)

    def _aligned(self, line: _Set, rng: np.random.Generator) -> Ink:
        """The words of a line apart as alignment asks, somewhere from x = 0 to the room's end."""
        x_height_mm = self.layout.x_height_mm
        spare = max(self.layout.room_mm - line.indent_mm - width_of(line.words), 0.0)
        wider = 0.0
        if self.layout.align == "justified" and not line.is_last:
            wider = min(spare / max(len(line.words) - 1, 1), WIDEST_GAP * x_height_mm)
            spare = 0.0
        # A person's margin is never straight, but what has no room stays where it is.
        stray = min(0.5 * abs(rng.normal()) * self.layout.irregularity * x_height_mm, spare)
        match self.layout.align:
            case "right":
                shift = spare - stray
            case "centre":
                shift = spare / 2
            case _:
                shift = stray
        return side_by_side(line.words, wider).moved(shift, 0.0)

    def page_numbers(self, n_pages: int) -> Iterator[PlacedLine]:
        """The number of each page, below its text in the middle."""
        _, _, bottom, left = self.layout.margins_mm
        baseline = self.layout.height_mm - bottom / 2 + self.layout.x_height_mm
        for (word,) in self.hand.write_words([str(n + 1) for n in range(n_pages)]):
            ink = word.ink
            if ink.strokes:
                middle = left + self.layout.room_mm / 2
                ink = ink.moved(middle - word.width_mm / 2, baseline)
                ink = kept_between(ink, 0.0, self.layout.height_mm)
            yield PlacedLine(ink, word.written.text, baseline, word.written)


def _about(pages: Sequence[Sequence[PlacedLine]], seed: int) -> dict[str, str]:
    """Provenance of the whole; the lines' own seeds follow from the one that was given."""
    written = [line.written for lines in pages for line in lines if line.written]
    told = provenance(written)
    return told | {"Seed": str(seed)} if "Seed" in told else told
