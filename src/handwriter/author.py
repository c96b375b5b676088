"""The author: writes a line several times, reads what it wrote, and keeps what can be read.

Whatever a network samples, one line in some can not be read.  The author draws a few candidates
of each line in one batch, has the reader read them, the most promising first, until one says what
it should, and draws again where none does, up to a limit.  What it could not write well it says.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Self, TypeVar

import numpy as np

from handwriter.ctc import FrameTable
from handwriter.drafts import Draft, Shown
from handwriter.edits import distance
from handwriter.errors import BadData, BadOption, Illegible
from handwriter.hand import Hand, check_seed, check_smoothness
from handwriter.ink import Ink, Line, Written
from handwriter.joining import joined
from handwriter.letters import word_begins
from handwriter.misshapen import n_misshapen
from handwriter.pieces import DEFAULT_SMOOTHNESS, piece_seed, pieces
from handwriter.reader import Reader, load_reader
from handwriter.spelling import Spelling
from handwriter.traits import traits
from handwriter.weights import DEFAULT_READER

DEFAULT_CANDIDATES = 3  # that are drawn at a time
MOST_CANDIDATES = 64
MOST_DRAFTS_AT_ONCE = 128
ROUNDS = 3  # of so many candidates each, before the best so far has to do if it is read rightly
MOST_ROUNDS = 8  # before it has to do whatever it is
SHORT, MOST_ROUNDS_SHORT = 14, 16  # of up to so many characters more are drawn: they cost less
LEGIBLE = 0.2  # a line of which a larger share is read wrongly is not legible
UNIT = 0.95  # the mean spread of real lines, in the unit of hands
NOTHING_READ = FrameTable(np.zeros((0, 1), np.float32), "")
HARD_TO_READ = 0.3  # nats a character: above, a line is read rightly by luck

# What makes one candidate better than another, in the weight of one character read wrongly.
_MISSED = 1.0  # a character that the window never rested on
_MISSHAPEN = 1.0  # a letter or stop that is read, but no person writes so
_UNFINISHED = 10.0
_NATS = 1.0  # the reader's doubt, in nats a character
_UNEVEN = 0.5  # baseline and size, in sizes
_IMPROBABLE = 0.1  # ink under the network that drew it, in nats a step


@dataclass(frozen=True)
class Verdict:
    """What there is to say against a candidate for a piece, which was drawn with this seed.

    `text` is that of the piece; one that begins a word has the blank before it, but for the first
    of a line.  `read` is what the reader made of it, `edits` how many characters that is from it.
    `doubt` is how improbable the reader finds the text, in nats a character.  `missed` counts
    the characters that the window never rested on, `misshapen` those that are read although no
    person writes them so (`handwriter.misshapen`).  `ink_nats` is the mean log density of the
    pen's steps under the network that drew them, and `unevenness` how much size and baseline
    wander, in sizes.  `n_drawn` counts the candidates that it was chosen from.  A verdict that
    `is_part` is on some words of a piece that was cut.
    """

    seed: int
    text: str
    read: str
    edits: int
    doubt: float
    missed: int
    ink_nats: float
    unevenness: float
    finished: bool
    misshapen: int = 0
    n_drawn: int = 1
    is_part: bool = False

    @property
    def length(self) -> int:
        """How many characters there are to read."""
        return len(self.text.strip(" "))

    @property
    def error_rate(self) -> float:
        """The share of characters that are read wrongly."""
        return self.edits / max(self.length, 1)

    @property
    def is_right(self) -> bool:
        """Whether all of the text is there, and read as it should be."""
        return self.finished and not self.edits and not self.missed

    @property
    def is_good(self) -> bool:
        """Whether there is no reason to write it again."""
        return self.is_right and not self.misshapen and self.doubt < HARD_TO_READ

    @property
    def is_legible(self) -> bool:
        """Whether a person may be given it; a part, be it a sign alone, has one slip free."""
        most = LEGIBLE * self.length
        return self.finished and self.edits <= (max(most, 1) if self.is_part else most)

    @property
    def cost(self) -> float:
        """What is to be smallest among candidates, in characters read wrongly."""
        return (
            self.edits
            + _MISSED * self.missed
            + _MISSHAPEN * self.misshapen
            + _UNFINISHED * (not self.finished)
            + _NATS * self.doubt
            + _UNEVEN * self.unevenness
            - _IMPROBABLE * self.ink_nats
        )

    def words(self, begin: int, end: int) -> Verdict:
        """The verdict on some words of the piece alone: with what was read in their place."""
        words = self.text.split(" ")
        n_blank = 1 - bool(words[0])
        text = " ".join(words[begin + n_blank : end + n_blank])
        if text == self.text.strip(" "):
            return self
        at = len(" ".join(words[n_blank : begin + n_blank])) + bool(begin)
        ends = [_in_reading(self, place) for place in (at, at + len(text))]
        read = self.read[slice(*ends)].strip(" ")
        edits = distance(read, text) if self.edits else 0
        return replace(self, text=" " * n_blank + text, read=read, edits=edits, is_part=True)


@dataclass(frozen=True, eq=False)
class Checked(Written):
    """A line that was read before it was given: with the verdicts on its pieces.

    A line of more than 45 characters, 14 below smoothness 0.5, is written, and judged, in pieces.
    """

    verdicts: tuple[Verdict, ...] = ()

    @property
    def error_rate(self) -> float:
        """The share of its characters that are read wrongly."""
        return sum(v.edits for v in self.verdicts) / max(sum(v.length for v in self.verdicts), 1)

    @property
    def is_legible(self) -> bool:
        return all(verdict.is_legible for verdict in self.verdicts)

    def words(self, begin: int, end: int) -> Self:
        """As those of any line; a piece that is cut keeps the verdict on what is left of it."""
        verdicts = []
        n_before = 0
        for number, verdict in enumerate(self.verdicts):
            first = n_before - (number > 0 and not verdict.text.startswith(" "))
            n_before = first + len(verdict.text.split())
            if first < end and n_before > begin:
                kept = max(begin, first) - first, min(end, n_before) - first
                verdicts.append(verdict.words(*kept))
        return _judged(super().words(begin, end), verdicts)

    def beside(self, other: Self) -> Self:
        return _judged(super().beside(other), self.verdicts + other.verdicts)


C = TypeVar("C", bound=Checked)


def _judged(line: C, verdicts: Sequence[Verdict]) -> C:
    """The line with these verdicts on its pieces, and what they tell of it.

    Parts of one piece have its seed, and its candidates count once.
    """
    drawn = {verdict.seed: verdict.n_drawn for verdict in verdicts}
    return replace(
        line,
        verdicts=tuple(verdicts),
        read=" ".join(verdict.read for verdict in verdicts),
        n_candidates=sum(drawn.values()),
    )


def _in_reading(verdict: Verdict, place: int) -> int:
    """Where in what was read a place of the text is: there the two parts differ least."""
    text, read = verdict.text.strip(" "), verdict.read
    if read == text:
        return place
    return min(
        range(len(read) + 1),
        key=lambda at: distance(read[:at], text[:place]) + distance(read[at:], text[place:]),
    )


class Author:
    """A hand, and the reader that checks it.

    It keeps nothing between calls: the same text, seed, smoothness and number of candidates
    give the same ink, however many lines are written at once and in whatever order.
    """

    def __init__(self, hand: Hand, reader: Reader) -> None:
        self.hand, self.reader = hand, reader

    @classmethod
    def of(cls, hand: Hand, reader: str | None = None) -> Author:
        """The hand with the reader of that name or file, or else the one that knows all of ASCII.

        Raises BadReader.
        """
        return cls(hand, load_reader(reader or DEFAULT_READER))

    @property
    def characters(self) -> str:
        """The characters that its hand can write."""
        return self.hand.characters

    def write(
        self,
        text: str,
        *,
        smoothness: float = DEFAULT_SMOOTHNESS,
        seed: int | None = None,
        candidates: int = DEFAULT_CANDIDATES,
        strict: bool = False,
        style: Line | None = None,
    ) -> Checked:
        """Write one line so that it can be read.

        Its first candidate is what `Hand.write` gives with that seed (and style).  With `strict`,
        raises Illegible where no candidate can be read; otherwise the best is given, and its
        `is_legible` is False.  Raises UnsupportedText and BadOption.
        """
        (line,) = self.iter_lines(
            [text],
            smoothness=smoothness,
            seed=seed,
            candidates=candidates,
            strict=strict,
            style=style,
        )
        return line

    def iter_lines(
        self,
        texts: Sequence[str],
        *,
        smoothness: float = DEFAULT_SMOOTHNESS,
        seed: int | None = None,
        candidates: int = DEFAULT_CANDIDATES,
        strict: bool = False,
        style: Line | None = None,
    ) -> Iterator[Checked]:
        """As `write`, each text as a line of its own and in order; line i has the seed + i.

        What is wrong with the arguments is raised here, before the first line is asked for.
        """
        lines = self.hand.spelled(texts)
        smoothness, seed = check_smoothness(smoothness), check_seed(seed, n_lines=len(texts))
        if not 1 <= candidates <= MOST_CANDIDATES:
            raise BadOption(
                f"candidates is {candidates}; it takes a whole number from 1 to {MOST_CANDIDATES}"
            )
        shown = self.hand.shown(style) if style else None
        return self._iter_lines(lines, smoothness, seed, candidates, strict, shown)

    def _iter_lines(
        self,
        lines: Sequence[Spelling],
        smoothness: float,
        seed: int,
        candidates: int,
        strict: bool,
        style: Shown | None,
    ) -> Iterator[Checked]:
        """Lines are given in order; the next ones are drawn beside one that takes many rounds."""
        most = max(1, MOST_DRAFTS_AT_ONCE // candidates)  # pieces, and lines that are not done
        coming = (_Work(line, seed + i, smoothness, style) for i, line in enumerate(lines))
        works: deque[_Work] = deque()
        for number in range(1, len(lines) + 1):
            while not works or works[0].ready():
                n_undone = sum(bool(work.ready()) for work in works)
                works.extend(islice(coming, most - n_undone))
                if ready := [piece for work in works for piece in work.ready()]:
                    self._draw(ready[:most], candidates, smoothness)
            line = self._line(works.popleft(), smoothness)
            if strict and not line.is_legible:
                raise Illegible(
                    f"line {number} could not be written legibly: {line.text!r} was read as "
                    f"{line.read!r}; try another seed, more candidates or more smoothness"
                )
            yield line

    def _line(self, work: _Work, smoothness: float) -> Checked:
        """The kept pieces as one line."""
        kept = work.kept
        plain = joined(
            self.hand.weights,
            work.line,
            [draft for draft, _ in kept],
            smoothness=smoothness,
            seed=work.seed,
            style=work.style,
        )
        return _judged(Checked(**vars(plain)), [verdict for _, verdict in kept])

    def _draw(self, some: Sequence[tuple[_Piece, Draft | None]], n: int, smoothness: float) -> None:
        """Draw n more candidates of each piece, which goes on from that draft, and judge them."""
        texts = [piece.text for piece, _ in some for _ in range(n)]
        seeds = [seed for piece, _ in some for seed in piece.seeds(n)]
        after = [before for _, before in some for _ in range(n)]
        drafts = self.hand.drafts(texts, seeds, smoothness=smoothness, after=after)
        of_pieces = [
            _most_promising_first(drafts[begin : begin + n]) for begin in range(0, len(drafts), n)
        ]
        for (piece, _), read in zip(some, self._read_in_turn(of_pieces), strict=True):
            piece.take(n, read)

    def _read_in_turn(self, of_pieces: Sequence[Sequence[_Candidate]]) -> list[list[_Candidate]]:
        """The candidates of each piece that were read: one after the other, until one is good.

        Reading a draft costs as much as drawing it.
        """
        read: list[list[_Candidate]] = [[] for _ in of_pieces]
        while left := [
            (mine, candidates[len(mine)])
            for mine, candidates in zip(read, of_pieces, strict=True)
            if len(mine) < len(candidates) and not any(verdict.is_good for _, verdict in mine)
        ]:
            tables = self._frames([draft.ink for _, (draft, _) in left])
            for (mine, (draft, verdict)), table in zip(left, tables, strict=True):
                mine.append((draft, self._judged(draft, verdict, table)))
        return read

    def _judged(self, draft: Draft, verdict: Verdict, table: FrameTable) -> Verdict:
        """The verdict on a draft when it was read."""
        text = " ".join(verdict.text.split())
        read = table.reading().text
        unknown = sum(c not in self.reader.characters for c in text)
        return replace(
            verdict,
            read=read,
            # A character that the reader never learned cannot be held against the ink.
            edits=max(0, distance(read, text) - unknown),
            doubt=table.nats(text) / max(len(text), 1) if not unknown else 0.0,
            misshapen=_n_misshapen(draft, table) if read == text else 0,
        )

    def _frames(self, inks: Sequence[Ink]) -> list[FrameTable]:
        """What the reader makes of each; ink that is no writing at all, it reads as nothing."""
        try:
            return self.reader.frames(inks, spread=UNIT)
        except BadData:
            if len(inks) == 1:
                return [NOTHING_READ]
        return [table for ink in inks for table in self._frames([ink])]


def n_missed(draft: Draft) -> int:
    """How many characters, blanks apart, the window jumped over."""
    visited = set(draft.places.tolist())
    return sum(c != " " and place not in visited for place, c in enumerate(draft.text))


def _n_misshapen(draft: Draft, table: FrameTable) -> int:
    begins = word_begins(draft.ink, draft.focus, draft.text)
    return n_misshapen(draft.ink, draft.text, begins, table, UNIT)


_Candidate = tuple[Draft, Verdict]


def _most_promising_first(drafts: Sequence[Draft]) -> list[_Candidate]:
    """A piece's drafts with what there is to say against them unread, least first.

    Where some came to their end and left no character out, others cannot be good and are left out.
    """
    whole = [draft for draft in drafts if draft.finished and not n_missed(draft)]
    candidates = [(draft, _unread(draft)) for draft in whole or drafts]
    return sorted(candidates, key=lambda candidate: candidate[1].cost)


def _unread(draft: Draft) -> Verdict:
    """The verdict on a draft as if it were read as it should be."""
    look = traits(draft.ink, len(" ".join(draft.text.split())))
    return Verdict(
        seed=draft.seed,
        text=draft.text,
        read=draft.text,
        edits=0,
        doubt=0.0,
        missed=n_missed(draft),
        ink_nats=float(draft.nats.mean()) if len(draft.nats) else 0.0,
        unevenness=look.unevenness if look else 0.0,
        finished=draft.finished,
    )


class _Piece:
    """A piece of a line on its way: how often it was drawn, and the best of what was drawn.

    Candidate k of piece p of a line with seed s is drawn from (s, p, k), and from s alone where
    both are 0, as `Hand.write` would draw it.
    """

    def __init__(self, text: str, seed: int, number: int) -> None:
        self.text, self.seed, self.number = text, seed, number
        self.best: _Candidate | None = None
        self.rounds = self.n_drawn = 0

    @property
    def is_done(self) -> bool:
        """Whether the best is good, or will have to do."""
        if not self.best:
            return False
        verdict = self.best[1]
        most = MOST_ROUNDS_SHORT if verdict.length <= SHORT else MOST_ROUNDS
        return verdict.is_good or self.rounds >= (ROUNDS if verdict.is_right else most)

    def seeds(self, n: int) -> list[int]:
        """Those of the next n candidates."""
        return [
            piece_seed(self.seed, self.number, k) for k in range(self.n_drawn, self.n_drawn + n)
        ]

    def take(self, n: int, candidates: Sequence[_Candidate]) -> None:
        """Remember the best so far; `candidates` are those of the `n` drawn that were read."""
        self.n_drawn += n
        self.rounds += 1
        best = min(candidates, key=lambda candidate: candidate[1].cost)
        if self.best and self.best[1].cost <= best[1].cost:
            best = self.best
        self.best = best[0], replace(best[1], n_drawn=self.n_drawn)


class _Work:
    """One line on its way: its pieces, and the style that they go on from, or else the first."""

    def __init__(self, line: Spelling, seed: int, smoothness: float, style: Shown | None) -> None:
        self.line, self.seed, self.style = line, seed, style
        cut = pieces(line.base, smoothness=smoothness, goes_on=style is not None)
        self.pieces = [_Piece(text, seed, number) for number, text in enumerate(cut)]

    def ready(self) -> list[tuple[_Piece, Draft | None]]:
        """The pieces to draw next, side by side, and what each goes on from.

        Without a style, later ones wait for the first, and no others.
        """
        before: Draft | None = self.style
        if not self.style and self.pieces:
            first = self.pieces[0]
            if not first.is_done or not first.best:
                return [(first, None)]
            before = first.best[0]
        return [(piece, before) for piece in self.pieces if not piece.is_done]

    @property
    def kept(self) -> list[_Candidate]:
        """The best of each piece that was drawn."""
        return [piece.best for piece in self.pieces if piece.best]
