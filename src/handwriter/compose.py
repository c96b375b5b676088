"""Composing: a text of any length becomes pages, in one hand.

Each line is written, measured, and written again with fewer words or more until it fills the room
between the margins and no more.  All lines go on from the same few words, which the hand wrote
first on paper of their own, so that they look like one person's.  Where hyphenation is asked for, a
line that words leave short takes part of one more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from typing import Protocol

import numpy as np

from handwriter.errors import BadOption, UnsupportedText
from handwriter.hand import check_seed
from handwriter.hyphenation import SOFT, Part, parts, patterns, said
from handwriter.ink import Array, Ink, Line, Written
from handwriter.page import Document, Layer, Page, PlacedLine, provenance
from handwriter.paper import guides
from handwriter.posture import kept_between, reach, stood, wavering, widened
from handwriter.traits import x_height

ALIGNMENTS = ("left", "right", "centre", "justified")
USUAL_X_HEIGHT = 1.5  # in a hand's unit, for ink of which it cannot be told
USUAL_LINE_HEIGHT = 3.6  # in x-heights
SCRAP = 30  # characters that the hand writes first, as a style for the rest
BASELINE = 0.7  # where in the height of a line its baseline is
TAB = 4  # blanks
MOST_TRIES = 5  # of one line, before the fullest that fits has to do
LINES_AT_ONCE = 8  # written side by side; another number gives other line breaks
LONGEST_CHECKED = 1_000  # characters of a text that are checked in one call
MOST_LINES = 10**6
WIDEST_GAP = 2.0  # x-heights that justifying may add to a gap between words
FULL = 0.9  # of the room: a line that whole words fill so far takes no part of another one
MOST_HYPHENS = 2  # lines, one below the other, that may end within a word


class WritesLines(Protocol):
    """What writes: `Author.iter_lines` or `Hand.iter_lines` with all other options bound.

    Line i has the seed + i, and each line goes on from the style.
    """

    def __call__(
        self, texts: Sequence[str], *, seed: int, style: Line | None
    ) -> Iterator[Written]: ...


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

    Without words it is a blank line; `breaks` begins a new page before it.  `parts` are those of
    all its words.
    """

    words: tuple[str, ...]
    number: int
    n_blanks: int = 0
    is_first: bool = False
    breaks: bool = False
    parts: tuple[Part, ...] = ()

    @cached_property
    def last_word(self) -> int:
        """Which part the last word begins with."""
        return max((n for n, part in enumerate(self.parts[:-1], 1) if part.ends_word), default=0)


@dataclass(frozen=True, eq=False)
class _Try:
    """A line as it was written, the same level and in millimetres, and how wide that is."""

    written: Written
    level: Ink
    width_mm: float


@dataclass(frozen=True)
class _Spot:
    """Where a line begins: in which paragraph, with which of its parts, on which page and slot.

    `is_new` tells that the text begins or asks for the page, `n_hyphens` how many lines right
    above end within a word.
    """

    at: int = 0
    begin: int = 0
    page: int = 0
    slot: int = 0
    is_new: bool = True
    n_hyphens: int = 0


@dataclass(frozen=True, eq=False)
class _Set:
    """A line that is set, with `n_parts` of its paragraph; a blank one has none and no `line`.

    `number` counts the lines with words.
    """

    paragraph: _Paragraph
    spot: _Spot
    n_parts: int = 0
    line: _Try | None = None
    number: int = 0

    @property
    def is_last(self) -> bool:
        return self.spot.begin + self.n_parts == len(self.paragraph.parts)

    @property
    def is_divided(self) -> bool:
        """Whether it ends in a hyphen that the text does not have."""
        end = self.spot.begin + self.n_parts
        return self.n_parts > 0 and self.paragraph.parts[end - 1].joint == SOFT


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
    paragraphs = [
        replace(paragraph, parts=parts(paragraph.words, layout.hyphenate))
        for paragraph in _paragraphs(text, layout.reflow)
    ]
    _check_text(text, write)
    if layout.hyphenate is not None:
        _check_hyphen(write)
    style = style or _style_of(paragraphs, write, seed)
    setter = _Setter(layout, write, seed, style)
    n_parts = sum(len(paragraph.parts) for paragraph in paragraphs)
    pages = []
    n_done = 0
    for _, of_page in groupby(setter.lines(paragraphs), key=lambda line: line.spot.page):
        lines = list(of_page)
        pages.append([setter.placed(line) for line in lines])
        n_done += sum(line.n_parts for line in lines)
        progress(n_done / n_parts)
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
    """Writes the lines of paragraphs, each as full as the room allows, and puts them in place.

    It learns how wide the hand writes, from line to line.
    """

    def __init__(self, layout: Layout, write: WritesLines, seed: int, style: Line | None) -> None:
        self.layout, self.write, self.seed = layout, write, seed
        self.style = style if style and style.ink.strokes else None
        height = x_height(style.ink) if style else None
        self.mm_per_unit = layout.x_height_mm / (height or USUAL_X_HEIGHT)
        self.blank_mm = layout.x_height_mm  # of one at the begin of a line
        if self.style:
            left, _, right, _ = reach(self._on_paper(self.style.ink))
            self.blank_mm = max((right - left) / max(len(self.style.text), 1), 1e-3)
        self.n_characters, self.width_mm = 1, self.blank_mm
        self.n_lines = 0
        self.n_slots = len(layout.baselines_mm)

    @property
    def character_mm(self) -> float:
        """The mean width of a character so far."""
        return max(self.width_mm / self.n_characters, 1e-3)

    def lines(self, paragraphs: Sequence[_Paragraph]) -> Iterator[_Set]:
        """All lines of all paragraphs, each with its place on a page.

        A paragraph without words is a blank line, but not at the begin of a page that is only
        there because the one before is full.
        """
        tried: dict[int, _Try] = {}  # the begin of what is left, by its number of parts
        spot = _Spot()
        while True:
            blanks, spot = self._turned(paragraphs, spot)
            yield from blanks
            if spot.at == len(paragraphs):
                return
            plan = self._plan(paragraphs, spot, tried)
            texts = [said(paragraphs[s.at].parts[s.begin : s.begin + n]) for s, n in plan]
            inks = self.write(texts, seed=self.seed + 1 + self.n_lines, style=self.style)
            for (_, n_planned), ink in zip(plan, inks, strict=True):
                blanks, spot = self._turned(paragraphs, spot)
                yield from blanks
                paragraph = paragraphs[spot.at]
                tried[n_planned] = self._tried(ink)
                n = self._settled(paragraph, spot, tried)
                if n is None:
                    break
                yield _Set(paragraph, spot, n, tried[n], self.n_lines)
                self.n_lines += 1
                spot, tried = self._after(paragraph, spot, n), {}
                if n != n_planned:
                    break

    def _turned(self, paragraphs: Sequence[_Paragraph], spot: _Spot) -> tuple[list[_Set], _Spot]:
        """The blank lines that come first, and where the words after them begin.

        That is on the next page where this one is full, or the text asks for it.
        """
        blanks = []
        while spot.at < len(paragraphs):
            paragraph = paragraphs[spot.at]
            breaks = paragraph.breaks and spot.begin == 0
            if spot.slot >= self.n_slots or (breaks and not (spot.is_new and spot.slot == 0)):
                spot = replace(spot, page=spot.page + 1, slot=0, is_new=breaks)
            if paragraph.words:
                break
            if spot.slot or spot.is_new:
                blanks.append(_Set(paragraph, spot))
                spot = replace(spot, slot=spot.slot + 1)
            spot = replace(spot, at=spot.at + 1)
        return blanks, spot

    def _after(self, paragraph: _Paragraph, spot: _Spot, n: int) -> _Spot:
        """Where the line after one of n parts begins, if there is room on the page."""
        end = spot.begin + n
        is_last = end == len(paragraph.parts)
        return replace(
            spot,
            at=spot.at + is_last,
            begin=0 if is_last else end,
            slot=spot.slot + 1,
            n_hyphens=0 if paragraph.parts[end - 1].ends_word else spot.n_hyphens + 1,
        )

    def _plan(
        self, paragraphs: Sequence[_Paragraph], spot: _Spot, tried: dict[int, _Try]
    ) -> list[tuple[_Spot, int]]:
        """What to write next: where some lines begin, and the number of parts of each.

        The first is sure to be needed, the others if all before them turn out to fit.
        """
        plan: list[tuple[_Spot, int]] = []
        while len(plan) < LINES_AT_ONCE and spot.at < len(paragraphs):
            n = self._target(paragraphs[spot.at], spot, tried)
            plan.append((spot, n))
            _, spot = self._turned(paragraphs, self._after(paragraphs[spot.at], spot, n))
            tried = {}
        return plan

    def _room(self, paragraph: _Paragraph, spot: _Spot) -> float:
        return self.layout.room_mm - self._indent(paragraph, is_first=spot.begin == 0)

    def _indent(self, paragraph: _Paragraph, *, is_first: bool) -> float:
        """How far right of the margin a line begins; blanks of the text indent its first line."""
        if not is_first:
            return 0.0
        indent = self.layout.indent_mm if paragraph.is_first else 0.0
        most = self.layout.room_mm / 2  # a text that is set with blanks is still written
        return min(indent + paragraph.n_blanks * self.blank_mm, max(most, indent))

    def _ends(self, paragraph: _Paragraph, spot: _Spot, tried: dict[int, _Try]) -> Iterator[int]:
        """With how many parts a line may end: behind a word, and within one that may be divided.

        The last word of a paragraph and of a page stays whole, and so do words below some lines
        that already end within one, but for a word that is wider than the room.
        """
        n_first = _n_of_word(paragraph, spot)
        is_wide = n_first in tried and tried[n_first].width_mm > self._room(paragraph, spot)
        divides = spot.n_hyphens < MOST_HYPHENS and spot.slot + 1 < self.n_slots
        for end in range(spot.begin + 1, len(paragraph.parts) + 1):
            n = end - spot.begin
            within_first, within_last = n < n_first, end > paragraph.last_word
            may_divide = is_wide if within_first else divides and not within_last
            if paragraph.parts[end - 1].ends_word or may_divide:
                yield n

    def _target(self, paragraph: _Paragraph, spot: _Spot, tried: dict[int, _Try]) -> int:
        """How many parts the line should have, as far as is known yet."""
        room, per_character = self._room(paragraph, spot), self.character_mm
        fits = [n for n, line in tried.items() if line.width_mm <= room]
        wide = [n for n, line in tried.items() if line.width_mm > room]

        def length(n: int) -> int:
            return len(said(paragraph.parts[spot.begin : spot.begin + n]))

        if tried:  # this line's own width tells more
            nearest = max(fits) if fits else min(wide)
            per_character = tried[nearest].width_mm / length(nearest)
        least, first = max(fits, default=0), 0
        widths: dict[int, float] = {}
        for n in self._ends(paragraph, spot, tried):
            first = first or n
            width = tried[n].width_mm if n in tried else length(n) * per_character
            if width > room and n > least:
                break
            if n not in wide:
                widths[n] = width
        return self._preferred(paragraph, spot, widths) if widths else first

    def _preferred(self, paragraph: _Paragraph, spot: _Spot, widths: Mapping[int, float]) -> int:
        """Of numbers of parts that fit, as wide as told, the one to take.

        That is as many whole words as there are, unless these leave the line short.
        """
        whole = [n for n in widths if paragraph.parts[spot.begin + n - 1].ends_word]
        if whole and widths[max(whole)] >= FULL * self._room(paragraph, spot):
            return max(whole)
        return max(widths)

    def _settled(self, paragraph: _Paragraph, spot: _Spot, tried: dict[int, _Try]) -> int | None:
        """How many parts the line takes; None where it is to be tried with another number."""
        room = self._room(paragraph, spot)
        fits = {n: line.width_mm for n, line in tried.items() if line.width_mm <= room}
        if not fits:
            self._check_width(paragraph, spot, tried)
            return None
        if len(tried) >= MOST_TRIES:
            return self._preferred(paragraph, spot, fits)
        n = self._target(paragraph, spot, tried)
        if n in fits:
            return n
        # Another letter or two are not worth writing a line again that is full without them.
        ends_word = paragraph.parts[spot.begin + n - 1].ends_word
        best = self._preferred(paragraph, spot, fits)
        return best if not ends_word and fits[best] >= FULL * room else None

    def _check_width(self, paragraph: _Paragraph, spot: _Spot, tried: dict[int, _Try]) -> None:
        """Raise BadOption where a line has room for no word, and none of what it is divided in."""
        if next(self._ends(paragraph, spot, tried)) not in tried:
            return
        n = _n_of_word(paragraph, spot)
        word = said(paragraph.parts[spot.begin : spot.begin + n])
        raise BadOption(
            f"the word {word!r} (line {paragraph.number} of the text) is "
            f"{tried[n].width_mm:.0f} mm wide, but there are {self._room(paragraph, spot):.0f} mm "
            "for it; choose a smaller x-height, smaller margins or larger paper, or divide it"
        )

    def _tried(self, written: Written) -> _Try:
        """A line measured, and what is learned from it of the width of characters."""
        level = self._on_paper(written)
        left, _, right, _ = reach(level) if level.strokes else (0.0,) * 4
        self.n_characters += len(written.text)
        self.width_mm += right - left
        return _Try(written, level, right - left)

    def _on_paper(self, ink: Ink) -> Ink:
        """The ink level and in millimetres, y = 0 on its baseline."""
        return stood(ink).transformed(np.eye(2) * self.mm_per_unit) if ink.strokes else Ink(())

    # --- In their place ------------------------------------------------------------------------

    def placed(self, line: _Set) -> PlacedLine:
        """The line on its baseline, aligned, and as irregular as a person's."""
        top, _, bottom, left = self.layout.margins_mm
        baseline = float(self.layout.baselines_mm[line.spot.slot])
        if line.line is None:
            return PlacedLine(Ink(()), baseline_mm=baseline)
        written, ink = line.line.written, line.line.level
        if ink.strokes:
            rng = np.random.default_rng([self.seed, line.number])
            indent = self._indent(line.paragraph, is_first=line.spot.begin == 0)
            ink = self._aligned(line, self.layout.room_mm - indent, rng)
            ink = wavering(ink, self.layout.irregularity * self.layout.x_height_mm, rng)
            ink = ink.moved(left + indent, baseline)
            ink = kept_between(ink, top, self.layout.height_mm - bottom)
        return PlacedLine(ink, written.text, baseline, written, line.is_divided)

    def _aligned(self, line: _Set, room: float, rng: np.random.Generator) -> Ink:
        """The line with its words apart as alignment asks, somewhere from x = 0 to `room`."""
        assert line.line is not None
        ink, x_height_mm = line.line.level, self.layout.x_height_mm
        spare = max(room - line.line.width_mm, 0.0)
        if self.layout.align == "justified" and not line.is_last:
            n_gaps = len(line.line.written.text.split()) - 1
            ink = widened(ink, n_gaps, spare, most=WIDEST_GAP * x_height_mm)
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
        return ink.moved(shift - reach(ink)[0], 0.0)

    def page_numbers(self, n_pages: int) -> Iterator[PlacedLine]:
        """The number of each page, below its text in the middle."""
        _, _, bottom, left = self.layout.margins_mm
        baseline = self.layout.height_mm - bottom / 2 + self.layout.x_height_mm
        seed = self.seed + 1 + self.n_lines
        for ink in self.write([str(n + 1) for n in range(n_pages)], seed=seed, style=self.style):
            number = self._on_paper(ink)
            if number.strokes:
                begin, _, end, _ = reach(number)
                middle = left + self.layout.room_mm / 2
                number = number.moved(middle - (begin + end) / 2, baseline)
                number = kept_between(number, 0.0, self.layout.height_mm)
            yield PlacedLine(number, ink.text, baseline, ink)


def _n_of_word(paragraph: _Paragraph, spot: _Spot) -> int:
    """How many parts what a line begins with has, up to the end of the word."""
    n = 1
    while not paragraph.parts[spot.begin + n - 1].ends_word:
        n += 1
    return n


def _about(pages: Sequence[Sequence[PlacedLine]], seed: int) -> dict[str, str]:
    """Provenance of the whole; the lines' own seeds follow from the one that was given."""
    written = [line.written for lines in pages for line in lines if line.written]
    told = provenance(written)
    return told | {"Seed": str(seed)} if "Seed" in told else told
