"""How far a text that was read is from the one that was meant: edits, and error rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Errors:
    """Edits in so many characters, or words; sums of them are errors too: `sum(all, Errors())`."""

    edits: int = 0
    length: int = 0

    def __add__(self, other: Errors) -> Errors:
        return Errors(self.edits + other.edits, self.length + other.length)

    @property
    def rate(self) -> float:
        """Edits for each character, or word, that was meant; over 1 where much was added.

        Infinite where something was read and nothing was meant.
        """
        if self.length == 0:
            return float("inf") if self.edits else 0.0
        return self.edits / self.length


def character_errors(read: str, truth: str) -> Errors:
    """What CER is made of; blanks count as any other character."""
    return Errors(distance(read, truth), len(truth))


def word_errors(read: str, truth: str) -> Errors:
    """What WER is made of; words are what stands between blanks."""
    return Errors(distance(read.split(), truth.split()), len(truth.split()))


def distance(a: Sequence[str], b: Sequence[str]) -> int:
    """The fewest insertions, deletions and substitutions that make one the other.

    The bit vectors of Hyyrö (2003): a column of the textbook's table at a time, bit i of
    `rises` and `falls` saying whether the table's row i + 1 lies 1 above or below its row i.
    """
    if not a:
        return len(b)
    places: dict[str, int] = {}
    for i, symbol in enumerate(a):
        places[symbol] = places.get(symbol, 0) | 1 << i
    every, last = (1 << len(a)) - 1, 1 << (len(a) - 1)
    rises, falls, edits = every, 0, len(a)
    for symbol in b:
        match = places.get(symbol, 0)
        same = ((((match & rises) + rises) ^ rises) | match | falls) & every  # as its diagonal
        more, less = falls | (every & ~(same | rises)), same & rises  # than the column before
        edits += bool(more & last) - bool(less & last)
        more = more << 1 | 1
        rises, falls = (less << 1 | ~(same | more)) & every, same & more & every
    return edits


def kept(read: Sequence[str], truth: Sequence[str]) -> list[bool]:
    """Of each symbol of the truth whether it was read rightly, by `aligned`."""
    pairs = zip(aligned(read, truth), truth, strict=True)
    return [found == meant for found, meant in pairs]


def aligned(read: Sequence[str], truth: Sequence[str]) -> list[str | None]:
    """Of each symbol of the truth what was read in its place, None where nothing was.

    Of all alignments with the fewest edits it is one with the most symbols read rightly, always
    the same one.  What was read beyond the truth stands in no symbol's place.
    """
    n_same = 0
    for found, meant in zip(read, truth, strict=False):
        if found != meant:
            break
        n_same += 1
    return [*truth[:n_same], *_aligned(read[n_same:], truth[n_same:])]


def _aligned(read: Sequence[str], truth: Sequence[str]) -> list[str | None]:
    """As `aligned`, by the textbook's table: what two beginnings cost, then the way back."""
    an_edit = len(truth) + 1  # outweighs all symbols that could be read rightly
    table = [[an_edit * j for j in range(len(read) + 1)]]
    for meant in truth:
        above = table[-1]
        row = [above[0] + an_edit]
        for j, found in enumerate(read):
            pair = above[j] + (-1 if found == meant else an_edit)
            row.append(min(pair, above[j + 1] + an_edit, row[j] + an_edit))
        table.append(row)
    in_place: list[str | None] = [None] * len(truth)
    i, j = len(truth), len(read)
    while i and j:
        pair = -1 if truth[i - 1] == read[j - 1] else an_edit
        if table[i][j] == table[i - 1][j - 1] + pair:
            i, j = i - 1, j - 1
            in_place[i] = read[j]
        elif table[i][j] == table[i - 1][j] + an_edit:
            i -= 1
        else:
            j -= 1
    return in_place
