"""UNIPEN train_r01_v07: its archive or the folder it unpacks to in, segments of ink and text out.

Collection: I. Guyon, L. Schomaker, R. Plamondon, M. Liberman and S. Janet, "UNIPEN project of
on-line data exchange and recognizer benchmarks", ICPR 1994; doi 10.5281/zenodo.1195803.  The
format is defined in the collection itself (unipen.def); docs/unipen.md tells what was found.
Files become statements in `unipen_files`, statements ink in `unipen_ink`, ink and labels segments
here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path

import numpy as np

from handwriter.errors import BadData
from handwriter.ink import Array, Ink, Line
from handwriter.training.unipen_files import Library, Progress, Refused, Statement
from handwriter.training.unipen_ink import Recording, Stroke

LEVELS = ("TEXT", "WORD", "CHARACTER")

# What a category holds.  6 repeats words of 7; 2 and 3 repeat characters of 1a to 1d: a segment
# is given once, in the first category of this order that has it.
CATEGORIES = {
    "1a": "digits",
    "1b": "upper case",
    "1c": "lower case",
    "1d": "signs",
    "7": "words",
    "8": "texts",
    "6": "words without digits and signs",
    "2": "characters, mixed",
    "3": "characters within words or texts",
}

JOINING = r"\@"  # how the contributor kai labels a stroke that joins two letters; "@" is the sign


@dataclass(frozen=True, eq=False, kw_only=True)
class Segment(Line):
    """A piece of ink of UNIPEN and the text it says, in millimetres, y downward.

    `level` is TEXT, WORD or CHARACTER: the same ink may come as a text, as its words and as
    their characters.  `category` is one of `CATEGORIES`, `contributor` the three letters of
    who gave it.  `rate` is in points a second, 0 where it is not known.  `quality` is as
    labelled: GOOD, OK or ?.
    """

    level: str
    category: str
    contributor: str
    rate: float
    quality: str


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """A segment that was left out, and the reason, which is counted."""

    source: str
    reason: str
    level: str
    category: str
    contributor: str


def read_unipen(
    source: Path, progress: Progress = lambda fraction: None
) -> Iterator[Segment | Skipped]:
    """Every labelled segment of UNIPEN in `source`, once, as ink in millimetres with its text.

    `source` is the archive, a folder that holds it, or the folder it was unpacked to.  An
    archive is read once, as a stream, and kept in memory, packed (some 250 MB); nothing is
    unpacked to disk.  Segments come by contributor, file of ink, category and place in the
    file.  A text of several lines is given line by line.  `progress` is told the part that has
    been read, from 0 to 1.  Raises BadData where the collection as a whole cannot be read;
    anything smaller is a `Skipped`.
    """
    library = Library(source, lambda fraction: progress(fraction / 2))
    labelled = sorted(filter(_is_labelled, library.files), key=_order)
    if not labelled:
        raise BadData(f"{source} holds no UNIPEN: there is no file data/category/contributor/…")
    n_done = 0
    for _, group in groupby(labelled, key=_ink_of):
        paths = list(group)
        yield from _segments(paths, library)
        n_done += len(paths)
        progress((1 + n_done / len(labelled)) / 2)


def _is_labelled(path: str) -> bool:
    return path.startswith("data/") and path.count("/") > 2


def _ink_of(path: str) -> str:
    """Contributor and name of the ink that a file of labels is about, the same in categories."""
    return path.split("/", 2)[2].removesuffix(".dat")


def _order(path: str) -> tuple[str, int, str]:
    ranks, category = list(CATEGORIES), path.split("/")[1]
    return _ink_of(path), ranks.index(category) if category in ranks else len(ranks), category


# --- Segments ------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Label:
    """A `.SEGMENT` statement of the file of labels `path`; `ranges` as it stands there."""

    recording: Recording
    path: str
    level: str
    ranges: str
    quality: str = "?"
    written: str = ""  # with its escapes

    @cached_property
    def text(self) -> str:
        r"""The label as it is read: \" and \\ resolved, each run of white space one blank."""
        meanings = {"n": " ", "t": " ", JOINING[1]: ""}
        plain = re.sub(r"\\(.)", lambda m: meanings.get(m[1], m[1]), self.written, flags=re.S)
        return " ".join(plain.split())

    @property
    def source(self) -> str:
        return f"{_ink_of(self.path)}:{self.level}:{self.ranges}"

    @property
    def category(self) -> str:
        return self.path.split("/")[1]

    @property
    def contributor(self) -> str:
        return self.path.split("/")[2]

    @property
    def start(self) -> tuple[int, int] | None:
        """The component and the point that the ranges begin with; None where there is none."""
        found = re.match(r"(\d{1,7})(?::(\d{1,7}))?", self.ranges, re.A)
        return (int(found[1]), int(found[2] or 0)) if found else None

    @cached_property
    def strokes(self) -> list[Stroke]:
        return list(self.recording.strokes(self.ranges))

    def skipped(self, reason: str, line: str = "") -> Skipped:
        return Skipped(
            source=self.source + line,
            reason=reason,
            level=self.level,
            category=self.category,
            contributor=self.contributor,
        )

    def segment(self, strokes: Sequence[Stroke], text: str, line: str = "") -> Segment:
        return Segment(
            ink=Ink(tuple(stroke.points for stroke in strokes)),
            text=text,
            writer=self.recording.writer,
            source=self.source + line,
            level=self.level,
            category=self.category,
            contributor=self.contributor,
            rate=self.recording.rate,
            quality=self.quality,
        )


def _segments(paths: Sequence[str], library: Library) -> Iterator[Segment | Skipped]:
    """The segments of one file of ink, which `paths` label in one category after the other."""
    labels: dict[tuple[str, str], _Label] = {}
    for path in paths:
        recording = Recording(path.split("/")[2])
        recording.read(path, library)
        for statement in recording.labels:
            label = _label(statement, recording, path)
            key = (label.level, label.ranges)
            if key in labels:
                yield label.skipped("given in another category")
            else:
                labels[key] = label
        if not recording.labels:
            yield _Label(recording, path, "?", "?").skipped("file without labels")
    parts = _by_component(labels.values())
    for label in labels.values():
        try:
            yield from _given(label, parts)
        except Refused as reason:
            yield label.skipped(str(reason))


def _given(label: _Label, parts: _Parts) -> Iterator[Segment | Skipped]:
    """The segment of a label, or each line of a text of several; raises Refused."""
    _check(label)
    lines = _lines(label.strokes) if label.level == "TEXT" else [label.strokes]
    texts = [label.text] if len(lines) == 1 else _texts(label, lines, parts)
    for number, (strokes, text) in enumerate(zip(lines, texts, strict=True), start=1):
        line = f":{number}" if len(lines) > 1 else ""
        segment = label.segment(strokes, text, line)
        yield segment if _belong_together(segment) else label.skipped(DISAGREE, line)


DISAGREE = "ink and text disagree"
INK_PER_CHARACTER = (0.3, 12.0)  # length of ink in heights of the whole; 1.2 is usual
POINTS = set(".,:;'`\"-")  # what may be no more than a point


def _belong_together(segment: Segment) -> bool:
    """Whether there is neither far too little nor far too much ink for so many characters."""
    n_characters = len(segment.text.replace(" ", ""))
    left, top, right, bottom = segment.ink.bounds
    if left == right and top == bottom:
        return segment.text in POINTS
    if n_characters < 3 or bottom <= top:
        return n_characters < 3
    length = sum(float(np.hypot(*np.diff(s, axis=0).T).sum()) for s in segment.ink.strokes)
    return INK_PER_CHARACTER[0] < length / n_characters / (bottom - top) < INK_PER_CHARACTER[1]


def _check(label: _Label) -> None:
    """Raise Refused where the label cannot be learnt from, whatever its ink."""
    if label.recording.fault:
        raise Refused(label.recording.fault)
    if label.level not in LEVELS:
        raise Refused("neither text nor word nor character")
    if label.quality == "BAD":
        raise Refused("quality BAD")
    if label.written == JOINING:
        raise Refused("a joining stroke, no character")
    if not label.text:
        raise Refused("no label")
    if not all(" " <= char <= "~" for char in label.text):
        raise Refused("unknown character")
    if label.level == "CHARACTER" and len(label.text) > 1:
        raise Refused("more than one character")
    if not label.strokes:
        raise Refused("no ink")


_SEGMENT = re.compile(r'\s*(\S+)(?:\s+(\S+)(?:\s+(\S+)(?:\s+"((?:[^"\\]|\\.)*)")?)?)?\s*', re.S)


def _label(statement: Statement, recording: Recording, path: str) -> _Label:
    """What a `.SEGMENT` says; one that is not understood is of level ?."""
    found = _SEGMENT.fullmatch(statement.text)
    if found is None:
        return _Label(recording, path, "?", "?")
    level, ranges, quality, text = found.groups()
    return _Label(recording, path, level, ranges or "?", quality or "?", text or "")


# --- Lines ---------------------------------------------------------------------------------

_Parts = dict[tuple[str, int], list["_Label"]]  # by level and the component they begin in

NEAR = 3.0  # strokes this far to the side of a stroke, in heights of writing, tell its line
DROP = 1.0  # a stroke whose middle is lower by this than those near it begins a new line
TALLEST = 4.0  # a line is no higher
LOWEST = 0.5  # strokes lower than this are no line of their own


def _lines(strokes: Sequence[Stroke]) -> list[list[Stroke]]:
    """The strokes line by line, each line in the order of writing; raises Refused.

    A stroke stays in the line of the one before it unless it is far below or above what that
    line has there.
    """
    boxes = np.array([(*s.points.min(axis=0), *s.points.max(axis=0)) for s in strokes])
    height = _height(boxes)
    lines: list[list[int]] = [[0]]
    current = 0
    for number in range(1, len(strokes)):
        drop = _drop(boxes, lines[current], number, height)
        if drop > DROP * height and current == len(lines) - 1:
            lines.append([])
            current += 1
        elif abs(drop) > DROP * height:
            drops = [_drop(boxes, line, number, height) for line in lines]
            current = int(np.argmin(np.abs(drops)))
        lines[current].append(number)
    lines = _without_marks(lines, boxes, height)
    for line in lines if len(lines) > 1 else ():
        top, bottom = np.percentile(boxes[line][:, [1, 3]], [5, 95])
        if bottom - top > TALLEST * height:
            raise Refused("lines that cannot be told apart")
    return [[strokes[number] for number in line] for line in lines]


def _height(boxes: Array) -> float:
    """How high the writing is: half of all height is in strokes at least as high."""
    heights = np.sort(boxes[:, 3] - boxes[:, 1])
    reached = np.cumsum(heights)
    return float(heights[np.searchsorted(reached, reached[-1] / 2)])


def _without_marks(lines: list[list[int]], boxes: Array, height: float) -> list[list[int]]:
    """Low strokes that stand alone, such as a comma, go to the line before."""
    kept: list[list[int]] = []
    for line in lines:
        is_low = bool((boxes[line][:, 3] - boxes[line][:, 1] < LOWEST * height).all())
        if kept and is_low and len(line) <= 2:
            kept[-1] = sorted(kept[-1] + line)
        else:
            kept.append(line)
    return kept


def _drop(boxes: Array, line: list[int], number: int, height: float) -> float:
    """How much lower the middle of a stroke is than the strokes of a line near it."""
    others, box = boxes[line], boxes[number]
    gaps = np.maximum(others[:, 0] - box[2], box[0] - others[:, 2])
    near = others[gaps <= max(NEAR * height, float(gaps.min()))]
    return float((box[1] + box[3]) / 2 - np.median((near[:, 1] + near[:, 3]) / 2))


def _texts(label: _Label, lines: list[list[Stroke]], parts: _Parts) -> list[str]:
    """What each line of a text says, as its words or characters tell; raises Refused."""
    line_of = {stroke.at[0]: number for number, line in enumerate(lines) for stroke in line}
    for level in ("WORD", "CHARACTER"):
        within = [part for at in sorted(line_of) for part in parts.get((level, at), [])]
        if "".join(part.text for part in within).replace(" ", "") == label.text.replace(" ", ""):
            return _cut(label.text, _lengths(within, line_of, len(lines)))
    raise Refused("several lines, and nothing tells where the text breaks")


def _lengths(within: list[_Label], line_of: dict[int, int], n_lines: int) -> list[int]:
    """How many characters other than blanks the parts have in each line, which must rise."""
    lengths, last = [0] * n_lines, 0
    for part in within:
        numbers = {line_of.get(stroke.at[0]) for stroke in part.strokes}
        if len(numbers) != 1 or (number := numbers.pop()) is None or number < last:
            raise Refused("lines that cannot be told apart")
        lengths[number] += len(part.text.replace(" ", ""))
        last = number
    if not all(lengths):
        raise Refused("lines that cannot be told apart")
    return lengths


def _cut(text: str, lengths: list[int]) -> list[str]:
    """The text in pieces of so many characters, blanks not counted."""
    pieces, chars = [], iter(text)
    for length in lengths:
        piece = ""
        while len(piece.replace(" ", "")) < length:
            piece += next(chars)
        pieces.append(piece.strip())
    return pieces


def _by_component(labels: Iterable[_Label]) -> _Parts:
    parts: _Parts = {}
    for label in labels:
        if label.level in ("WORD", "CHARACTER") and label.start is not None:
            parts.setdefault((label.level, label.start[0]), []).append(label)
    for found in parts.values():
        found.sort(key=lambda label: label.start or (0, 0))
    return parts
