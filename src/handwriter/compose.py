"""Composing: a text of any length becomes pages, in one hand.

Each line is written, measured, and written again with fewer words or more until it fills the room
between the margins and no more.  All lines go on from the same few words, which the hand wrote
first on paper of their own, so that they look like one person's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from handwriter.errors import BadOption, UnsupportedText
from handwriter.hand import check_seed
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
    of the text begins a new one.
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


@dataclass(frozen=True, eq=False)
class _Try:
    """A line as it was written, the same level and in millimetres, and how wide that is."""

    written: Written
    level: Ink
    width_mm: float


@dataclass(frozen=True, eq=False)
class _Set:
    """A line that is set, None for a blank one, and where in its paragraph it is."""

    paragraph: _Paragraph
    line: _Try | None
    number: int
    is_first: bool = False
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
    style = style or _style_of(paragraphs, write, seed)
    setter = _Setter(layout, write, seed, style)
    n_words = sum(len(paragraph.words) for paragraph in paragraphs)
    pages = []
    n_done = 0
    for lines in _pages(setter.lines(paragraphs), len(layout.baselines_mm)):
        pages.append([setter.placed(line, slot) for slot, line in lines])
        n_done += sum(len(line.text.split()) for line in pages[-1])
        progress(n_done / n_words)
    if layout.page_numbers:
        for page, number in zip(pages, setter.page_numbers(len(pages)), strict=True):
            page.append(number)
    return Document(
        tuple(
            Page(layout.width_mm, layout.height_mm, (*rules, Layer(tuple(lines))))
            for lines in pages
        ),
        title=title if title is not None else text.split("\n", 1)[0].strip(),
        about=_about(pages, seed),
    )


def check_layout(layout: Layout) -> None:
    """Raise BadOption for a length, an alignment or margins with which nothing can be written."""
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

    @property
    def character_mm(self) -> float:
        """The mean width of a character so far."""
        return max(self.width_mm / self.n_characters, 1e-3)

    def lines(self, paragraphs: Sequence[_Paragraph]) -> Iterator[_Set]:
        """All lines of all paragraphs, a blank one for each paragraph without words."""
        tried: dict[int, _Try] = {}  # the begin of what is left, by its number of words
        at, word = 0, 0
        while at < len(paragraphs):
            paragraph = paragraphs[at]
            if not paragraph.words:
                yield _Set(paragraph, None, self.n_lines, is_first=True, is_last=True)
                at += 1
                continue
            plan = self._plan(paragraphs, at, word, tried)
            texts = [" ".join(paragraphs[p].words[begin:end]) for p, begin, end in plan]
            inks = self.write(texts, seed=self.seed + 1 + self.n_lines, style=self.style)
            for (p, begin, end), ink in zip(plan, inks, strict=True):
                yield from self._blanks(paragraphs[at:p])
                at, word, paragraph = p, begin, paragraphs[p]
                tried[end - begin] = self._tried(ink)
                n = self._settled(paragraph, word, tried)
                if n is None:
                    break
                last = word + n == len(paragraph.words)
                yield _Set(paragraph, tried[n], self.n_lines, is_first=word == 0, is_last=last)
                self.n_lines += 1
                at, word = (at + 1, 0) if last else (at, word + n)
                tried = {}
                if n != end - begin:
                    break

    def _blanks(self, paragraphs: Sequence[_Paragraph]) -> Iterator[_Set]:
        for paragraph in paragraphs:
            if not paragraph.words:
                yield _Set(paragraph, None, self.n_lines, is_first=True, is_last=True)

    def _plan(
        self, paragraphs: Sequence[_Paragraph], at: int, word: int, tried: dict[int, _Try]
    ) -> list[tuple[int, int, int]]:
        """What to write next: paragraph, first word and the word after the last, of some lines.

        The first is sure to be needed, the others if all before them turn out to fit.
        """
        plan: list[tuple[int, int, int]] = []
        while len(plan) < LINES_AT_ONCE and at < len(paragraphs):
            left = len(paragraphs[at].words) - word
            if left:
                n = self._next_try(paragraphs[at], word, tried)
                plan.append((at, word, word + n))
                word, tried = word + n, {}
            if word >= len(paragraphs[at].words):
                at, word = at + 1, 0
        return plan

    def _room(self, paragraph: _Paragraph, word: int) -> float:
        return self.layout.room_mm - self._indent(paragraph, is_first=word == 0)

    def _indent(self, paragraph: _Paragraph, *, is_first: bool) -> float:
        """How far right of the margin a line begins; blanks of the text indent its first line."""
        if not is_first:
            return 0.0
        indent = self.layout.indent_mm if paragraph.is_first else 0.0
        most = self.layout.room_mm / 2  # a text that is set with blanks is still written
        return min(indent + paragraph.n_blanks * self.blank_mm, max(most, indent))

    def _next_try(self, paragraph: _Paragraph, word: int, tried: dict[int, _Try]) -> int:
        """With how many words to write the line next: as many as will probably fit."""
        words, room = paragraph.words[word:], self._room(paragraph, word)
        fits = [n for n, line in tried.items() if line.width_mm <= room]
        wide = [n for n, line in tried.items() if line.width_mm > room]
        least, most = max(fits, default=0) + 1, min(wide, default=len(words) + 1) - 1
        per_character = self.character_mm
        if tried:  # this line's own width tells more
            nearest = max(fits) if fits else min(wide)
            per_character = tried[nearest].width_mm / len(" ".join(words[:nearest]))
        n = least
        while n < most and len(" ".join(words[: n + 1])) * per_character <= room:
            n += 1
        return n

    def _settled(self, paragraph: _Paragraph, word: int, tried: dict[int, _Try]) -> int | None:
        """How many words the line takes; None where it is to be tried with another number."""
        words, room = paragraph.words[word:], self._room(paragraph, word)
        fits = [n for n, line in tried.items() if line.width_mm <= room]
        if not fits:
            if 1 in tried:
                raise BadOption(
                    f"the word {words[0]!r} (line {paragraph.number} of the text) is "
                    f"{tried[1].width_mm:.0f} mm wide, but there are {room:.0f} mm for it; "
                    "choose a smaller x-height, smaller margins or larger paper, or divide it"
                )
            return None
        n = max(fits)
        if n == len(words) or n + 1 in tried or len(tried) >= MOST_TRIES:
            return n
        text, longer = " ".join(words[:n]), " ".join(words[: n + 1])
        grows = tried[n].width_mm * len(longer) / len(text)
        return n if grows > room else None

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

    def placed(self, line: _Set, slot: int) -> PlacedLine:
        """The line on its baseline, aligned, and as irregular as a person's."""
        top, _, bottom, left = self.layout.margins_mm
        baseline = float(self.layout.baselines_mm[slot])
        if line.line is None:
            return PlacedLine(Ink(()), baseline_mm=baseline)
        written, ink = line.line.written, line.line.level
        if ink.strokes:
            rng = np.random.default_rng([self.seed, line.number])
            indent = self._indent(line.paragraph, is_first=line.is_first)
            ink = self._aligned(line, self.layout.room_mm - indent, rng)
            ink = wavering(ink, self.layout.irregularity * self.layout.x_height_mm, rng)
            ink = ink.moved(left + indent, baseline)
            ink = kept_between(ink, top, self.layout.height_mm - bottom)
        return PlacedLine(ink, written.text, baseline, written)

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


def _pages(lines: Iterator[_Set], n_slots: int) -> Iterator[list[tuple[int, _Set]]]:
    """Lines with their places on a page, page by page; no page begins with a blank line that
    only parts paragraphs."""
    page: list[tuple[int, _Set]] = []
    slot = 0
    is_new = True  # the text, or a page that was asked for
    for line in lines:
        breaks = line.paragraph.breaks and line.is_first
        if slot >= n_slots or (breaks and not (is_new and not page)):
            yield page
            page, slot, is_new = [], 0, breaks
        if line.line is None and not page and not is_new:
            continue
        page.append((slot, line))
        slot += 1
    if page:
        yield page


def _about(pages: Sequence[Sequence[PlacedLine]], seed: int) -> dict[str, str]:
    """Provenance of the whole; the lines' own seeds follow from the one that was given."""
    written = [line.written for lines in pages for line in lines if line.written]
    told = provenance(written)
    return told | {"Seed": str(seed)} if "Seed" in told else told
