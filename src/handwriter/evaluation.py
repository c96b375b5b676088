"""How legible a hand is, and whether its lines still differ: the tables of docs/results.md."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from handwriter.alphabet import KINDS, kind_of
from handwriter.author import DEFAULT_CANDIDATES, UNIT, Author, Checked
from handwriter.edits import Errors, character_errors, kept, word_errors
from handwriter.errors import BadData
from handwriter.hand import Hand
from handwriter.ink import Ink, Line, Written
from handwriter.reader import Reader
from handwriter.traits import traits

SMOOTHNESSES = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)
BROKEN = 0.3  # a line of which more is read wrongly counts as broken
TRAITS = ("slant", "size", "spacing")


@dataclass(frozen=True)
class Legibility:
    """What the reader makes of many lines, and how these lines look.

    Rates are shares of characters, words or lines.  `candidates` is how many were drawn for each
    line, `seconds` how long a line took, reading included.  `slant`, `size` and `spacing` are
    mean and standard deviation over the lines (`handwriter.traits`).  `missed` is the share of
    the characters of each kind that were not read rightly; what was read beyond the text counts
    in no kind, and a kind that does not occur has no share.
    """

    lines: int
    character_error_rate: float
    word_error_rate: float
    worst_line: float
    broken: float
    unfinished: float
    candidates: float
    seconds: float
    slant: tuple[float, float]
    size: tuple[float, float]
    spacing: tuple[float, float]
    missed: Mapping[str, float]

    @property
    def worst_to_lower_case(self) -> float | None:
        """How many times the lower case's share of the worst other kind is missed.

        None where there is nothing to compare: no lower case, none of it missed, or nothing else.
        """
        others = [share for kind, share in self.missed.items() if kind != "lower case"]
        lower_case = self.missed.get("lower case")
        return max(others) / lower_case if others and lower_case else None

    def to(self, people: Legibility) -> float | None:
        """How many times the character error rate of people's own lines; None where that is 0."""
        rate = people.character_error_rate
        return self.character_error_rate / rate if rate else None

    def row(self) -> dict[str, Any]:
        return {**asdict(self), "worst_to_lower_case": self.worst_to_lower_case}


def load_sentences(path: Path | None = None) -> list[str]:
    """The sentences of a file, one a line, or the 500 of the package that no training saw.

    Raises BadData where there are none.
    """
    try:
        source = path or resources.files("handwriter") / "sentences.txt"
        found = [line for line in source.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise BadData(f"cannot read the sentences of {path} ({error}); give a text file") from None
    if not found:
        raise BadData(f"{path} has no sentences; give a text file with one a line")
    return found


def raw_legibility(
    hand: Hand, reader: Reader, texts: Sequence[str], smoothness: float, seed: int
) -> Legibility:
    """One line of each text as the network samples it, nothing selected."""
    begun = time.perf_counter()
    written = hand.write_lines(texts, smoothness=smoothness, seed=seed)
    seconds = time.perf_counter() - begun
    read = [reading.text for reading in reader.read_lines(written, spread=UNIT)]
    return _written_legibility(written, read, len(written), seconds)


def selected_legibility(
    author: Author, texts: Sequence[str], smoothness: float, seed: int,
    candidates: int = DEFAULT_CANDIDATES,
) -> Legibility:  # fmt: skip
    """One line of each text as the author gives it."""
    begun = time.perf_counter()
    written: list[Checked] = list(
        author.iter_lines(texts, smoothness=smoothness, seed=seed, candidates=candidates)
    )
    seconds = time.perf_counter() - begun
    read = [line.read or "" for line in written]
    n_candidates = sum(line.n_candidates for line in written)
    return _written_legibility(written, read, n_candidates, seconds)


def real_legibility(reader: Reader, lines: Sequence[Line]) -> Legibility:
    """What the reader makes of people's own lines, which is the measure of all the above."""
    begun = time.perf_counter()
    read = [reading.text for reading in reader.read_lines(line.ink for line in lines)]
    seconds = time.perf_counter() - begun
    inks, texts = [line.ink for line in lines], [line.text for line in lines]
    return _legibility(inks, texts, read, n_unfinished=0, n_candidates=len(lines), seconds=seconds)


def _written_legibility(
    written: Sequence[Written], read: Sequence[str], n_candidates: int, seconds: float
) -> Legibility:
    n_unfinished = sum(not line.finished for line in written)
    texts = [" ".join(line.text.split()) for line in written]
    return _legibility(
        written, texts, read, n_unfinished=n_unfinished, n_candidates=n_candidates, seconds=seconds
    )


def _legibility(
    inks: Sequence[Ink], texts: Sequence[str], read: Sequence[str], *, n_unfinished: int,
    n_candidates: int, seconds: float,
) -> Legibility:  # fmt: skip
    pairs = list(zip(read, texts, strict=True))
    characters = [character_errors(found, text) for found, text in pairs]
    words = [word_errors(found, text) for found, text in pairs]
    looks = [
        look for ink, text in zip(inks, texts, strict=True) if (look := traits(ink, len(text)))
    ]
    n = len(texts)
    spread = {name: _mean_and_deviation([getattr(look, name) for look in looks]) for name in TRAITS}
    return Legibility(
        lines=n,
        character_error_rate=sum(characters, Errors()).rate,
        word_error_rate=sum(words, Errors()).rate,
        worst_line=max(errors.rate for errors in characters),
        broken=sum(errors.rate > BROKEN for errors in characters) / n,
        unfinished=n_unfinished / n,
        candidates=n_candidates / n,
        seconds=seconds / n,
        missed=_missed(pairs),
        **spread,
    )


def _missed(pairs: Sequence[tuple[str, str]]) -> dict[str, float]:
    """The share of each kind of character that was not read rightly, of (read, truth)."""
    asked: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    for found, text in pairs:
        for character, is_kept in zip(text, kept(found, text), strict=True):
            asked[kind_of(character)] += 1
            lost[kind_of(character)] += not is_kept
    return {kind: lost[kind] / asked[kind] for kind in KINDS if asked[kind]}


def _mean_and_deviation(values: Sequence[float]) -> tuple[float, float]:
    if len(values) < 2:
        return (values[0] if values else 0.0), 0.0
    return statistics.fmean(values), statistics.stdev(values)
