"""UNIPEN train_r01_v07: its archive or the folder it unpacks to in, segments of ink and text out.

Collection: I. Guyon, L. Schomaker, R. Plamondon, M. Liberman and S. Janet, "UNIPEN project of
on-line data exchange and recognizer benchmarks", ICPR 1994; doi 10.5281/zenodo.1195803.  The
format is defined in the collection itself (unipen.def); docs/unipen.md tells what was found.
"""

from __future__ import annotations

import bz2
import gzip
import re
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np

from handwriter.errors import BadData
from handwriter.ink import Array, Ink, Line

ARCHIVES = ("train_r01_v07.tar.bz2", "train_r01_v07.tar.gz", "train_r01_v07.tar")
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

MM_PER_INCH = 25.4

# What the headers do not tell, or tell wrongly; docs/unipen.md has more.
UNITS_PER_MM = {
    "apb": 1000 / MM_PER_INCH,  # repeats the header of apa, with letters seven times as large
    "lex": 1000 / MM_PER_INCH,  # the unit of Windows for Pen
    "phi": 1000 / MM_PER_INCH,  # tells none; the unit of Windows for Pen
    "scr": 1000 / MM_PER_INCH,  # the unit of Windows for Pen
}
RATES = {
    "art": 0.0,  # tells 10, with 27 points a character
    "kai": 0.0,  # tells 9600, the speed of the cable
    "pap": 100.0,  # tells 205 and 100; with 100 the pen has the usual speed
}

JOINING = r"\@"  # how the contributor kai labels a stroke that joins two letters; "@" is the sign

MAX_FILE_BYTES = 16 << 20  # the largest file of the collection has a quarter of it
MAX_TOTAL_BYTES = 2 << 30  # the collection has a quarter of it
MAX_LABEL_BYTES = 4096  # the longest has a twentieth of it
MAX_STROKES = 2000  # of a segment; the longest text, a page, has 1,500
MAX_INCLUDES = 64  # in all, for a file of labels; the collection has 4

Progress = Callable[[float], None]


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


def is_unipen(source: Path) -> bool:
    """Whether `source` looks like UNIPEN: its archive, a folder with it, or what it unpacks to."""
    if source.is_dir():
        return _archive_in(source) is not None or _is_root(source)
    return source.is_file() and source.name in ARCHIVES


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
    library = _Library(_files(source, lambda fraction: progress(fraction / 2)))
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


class _Refused(Exception):
    """Why a segment is left out."""


@dataclass(frozen=True, eq=False)
class _Label:
    """A `.SEGMENT` statement of the file of labels `path`; `ranges` as it stands there."""

    recording: _Recording
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
    def strokes(self) -> list[_Stroke]:
        return list(self.recording.strokes(self.ranges))

    def skipped(self, reason: str, line: str = "") -> Skipped:
        return Skipped(
            source=self.source + line,
            reason=reason,
            level=self.level,
            category=self.category,
            contributor=self.contributor,
        )

    def segment(self, strokes: Sequence[_Stroke], text: str, line: str = "") -> Segment:
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


def _segments(paths: Sequence[str], library: _Library) -> Iterator[Segment | Skipped]:
    """The segments of one file of ink, which `paths` label in one category after the other."""
    labels: dict[tuple[str, str], _Label] = {}
    for path in paths:
        recording = _Recording(path.split("/")[2])
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
        except _Refused as reason:
            yield label.skipped(str(reason))


def _given(label: _Label, parts: _Parts) -> Iterator[Segment | Skipped]:
    """The segment of a label, or each line of a text of several; raises _Refused."""
    _check(label)
    lines = _lines(label.strokes) if label.level == "TEXT" else [label.strokes]
    texts = [label.text] if len(lines) == 1 else _texts(label, lines, parts)
    for number, (strokes, text) in enumerate(zip(lines, texts, strict=True), start=1):
        line = f":{number}" if len(lines) > 1 else ""
        segment = label.segment(strokes, text, line)
        yield segment if _belong_together(segment) else label.skipped(DISAGREE, line)


DISAGREE = "ink and text disagree"
INK_PER_CHARACTER = (0.3, 12.0)  # length of ink in heights of the whole; 1.2 is usual


def _belong_together(segment: Segment) -> bool:
    """Whether there is neither far too little nor far too much ink for so many characters."""
    n_characters = len(segment.text.replace(" ", ""))
    _, top, _, bottom = segment.ink.bounds
    if n_characters < 3 or bottom <= top:
        return n_characters < 3
    length = sum(float(np.hypot(*np.diff(s, axis=0).T).sum()) for s in segment.ink.strokes)
    return INK_PER_CHARACTER[0] < length / n_characters / (bottom - top) < INK_PER_CHARACTER[1]


def _check(label: _Label) -> None:
    """Raise _Refused where the label cannot be learnt from, whatever its ink."""
    if label.recording.fault:
        raise _Refused(label.recording.fault)
    if label.level not in LEVELS:
        raise _Refused("neither text nor word nor character")
    if label.quality == "BAD":
        raise _Refused("quality BAD")
    if label.written == JOINING:
        raise _Refused("a joining stroke, no character")
    if not label.text:
        raise _Refused("no label")
    if not all(" " <= char <= "~" for char in label.text):
        raise _Refused("unknown character")
    if label.level == "CHARACTER" and len(label.text) > 1:
        raise _Refused("more than one character")
    if not label.strokes:
        raise _Refused("no ink")


_SEGMENT = re.compile(r'\s*(\S+)(?:\s+(\S+)(?:\s+(\S+)(?:\s+"((?:[^"\\]|\\.)*)")?)?)?\s*', re.S)


def _label(statement: _Statement, recording: _Recording, path: str) -> _Label:
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


def _lines(strokes: Sequence[_Stroke]) -> list[list[_Stroke]]:
    """The strokes line by line, each line in the order of writing; raises _Refused.

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
            raise _Refused("lines that cannot be told apart")
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


def _texts(label: _Label, lines: list[list[_Stroke]], parts: _Parts) -> list[str]:
    """What each line of a text says, as its words or characters tell; raises _Refused."""
    line_of = {stroke.at[0]: number for number, line in enumerate(lines) for stroke in line}
    for level in ("WORD", "CHARACTER"):
        within = [part for at in sorted(line_of) for part in parts.get((level, at), [])]
        if "".join(part.text for part in within).replace(" ", "") == label.text.replace(" ", ""):
            return _cut(label.text, _lengths(within, line_of, len(lines)))
    raise _Refused("several lines, and nothing tells where the text breaks")


def _lengths(within: list[_Label], line_of: dict[int, int], n_lines: int) -> list[int]:
    """How many characters other than blanks the parts have in each line, which must rise."""
    lengths, last = [0] * n_lines, 0
    for part in within:
        numbers = {line_of.get(stroke.at[0]) for stroke in part.strokes}
        if len(numbers) != 1 or (number := numbers.pop()) is None or number < last:
            raise _Refused("lines that cannot be told apart")
        lengths[number] += len(part.text.replace(" ", ""))
        last = number
    if not all(lengths):
        raise _Refused("lines that cannot be told apart")
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


# --- Recordings ----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Stroke:
    """Ink of one pen-down component; `at` tells its component and its first point there."""

    at: tuple[int, int]
    points: Array


_PIECE = re.compile(r"(\d{1,7})(?::(\d{1,7}))?-(\d{1,7})(?::(\d{1,7}))?|(\d{1,7})", re.A)


SETTINGS = {"COORD", "POINTS_PER_SECOND", "WRITER_ID"} | {
    f"{axis}_POINTS_PER_{unit}" for axis in "XY" for unit in ("INCH", "MM")
}


@dataclass(eq=False)
class _Recording:
    """What a file of labels and all that it includes tell together.

    Components are numbered from 0 in the order in which they stand, pen up and pen down alike;
    one without points has no number.  So the definition says, and so all contributors count.
    """

    contributor: str
    n_includes: int = 0
    settings: dict[str, str] = field(default_factory=dict)
    components: list[_Statement] = field(default_factory=list)
    labels: list[_Statement] = field(default_factory=list)
    fault: str = ""

    def read(self, path: str, library: _Library, trail: tuple[str, ...] = ()) -> None:
        """Take in a file and, where they stand, those it includes."""
        try:
            statements = library.statements(path)
        except _Refused as refusal:
            self.fault = str(refusal)
            return
        for statement in statements:
            match statement.keyword:
                case "PEN_DOWN" | "PEN_UP" if statement.body.strip():
                    self.components.append(statement)
                case "START_SET":
                    self.components.clear()
                case "SEGMENT":
                    self.labels.append(statement)
                case "INCLUDE":
                    self._include(f"include/{statement.text}", library, trail)
                case keyword if keyword in SETTINGS:
                    self.settings[keyword] = " ".join(statement.text.split())

    def _include(self, path: str, library: _Library, trail: tuple[str, ...]) -> None:
        if path in trail or self.n_includes == MAX_INCLUDES:
            self.fault = "includes without end"
            return
        self.n_includes += 1
        self.read(path, library, (*trail, path))

    @property
    def writer(self) -> str:
        return self.settings.get("WRITER_ID", "")

    @property
    def rate(self) -> float:
        """Points a second; 0 where it is not known."""
        return RATES.get(self.contributor, self._number("POINTS_PER_SECOND"))

    @cached_property
    def scale(self) -> Array:
        """What x and y are multiplied with to be millimetres, y downward; raises _Refused."""
        per_mm = [UNITS_PER_MM.get(self.contributor) or self._units_per_mm(a) for a in "XY"]
        if not all(per_mm):
            raise _Refused("resolution not known")
        return np.array([1, -1]) / per_mm

    def _units_per_mm(self, axis: str) -> float:
        return (
            self._number(f"{axis}_POINTS_PER_MM")
            or self._number(f"{axis}_POINTS_PER_INCH") / MM_PER_INCH
        )

    def _number(self, keyword: str) -> float:
        """A positive number from the header; 0 where there is none."""
        try:
            number = float(self.settings.get(keyword, "0"))
        except ValueError:
            return 0.0
        return number if 0 < number < 1e6 else 0.0

    def strokes(self, ranges: str) -> Iterator[_Stroke]:
        """The ink of ranges such as 0-28, 3 or 1:12-3:4, separated by commas, in that order.

        The last component, and the last point, belong to the range.  Raises _Refused.
        """
        n_withheld = n_given = 0
        for part in ranges.split(","):
            for number, start, end in self._pieces(part):
                points = self._points(number)
                last = len(points) - 1 if end is None else end
                if not start <= last < len(points):
                    raise _Refused("range past the end of a component")
                if _is_withheld(points):
                    n_withheld += 1
                    continue
                n_given += 1
                if n_given > MAX_STROKES:
                    raise _Refused("too many strokes")
                yield _Stroke((number, start), points[start : last + 1] * self.scale)
        if n_withheld:
            raise _Refused("ink withheld in part" if n_given else "ink withheld")

    def _pieces(self, part: str) -> Iterator[tuple[int, int, int | None]]:
        """Each pen-down component of a range, and its first and last point (None: to its end)."""
        found = _PIECE.fullmatch(part)
        if found is None:
            raise _Refused("range not understood")
        first, start, last, end = (None if g is None else int(g) for g in found.groups()[:4])
        if first is None or last is None:
            first = last = int(found[5])
        if not first <= last < len(self.components):
            raise _Refused("range past the end of the ink")
        for number in range(first, last + 1):
            if self.components[number].keyword == "PEN_DOWN":
                yield (
                    number,
                    (start or 0) if number == first else 0,
                    end if number == last else None,
                )

    def _points(self, number: int) -> Array:
        """The points of a component, shape (points, 2), in the units of the device."""
        columns = self.settings.get("COORD", "X Y").split()
        numbers = self.components[number].numbers
        if numbers is None or len(numbers) % len(columns) or not {"X", "Y"} <= set(columns):
            raise _Refused("damaged coordinates")
        return numbers.reshape(-1, len(columns))[:, [columns.index("X"), columns.index("Y")]]


def _is_withheld(points: Array) -> bool:
    """Whether this is what the collection put in place of ink kept for tests: one point, 0 0."""
    return len(points) == 1 and not points.any()


# --- Statements ----------------------------------------------------------------------------

_KEYWORD = re.compile(rb"^\.([A-Z_]{1,40})", re.M)


@dataclass(frozen=True, eq=False)
class _Statement:
    """A keyword and all that follows until the next line that begins with one."""

    keyword: str
    body: bytes

    @cached_property
    def text(self) -> str:
        return self.body[:MAX_LABEL_BYTES].decode("latin-1").strip()

    @cached_property
    def numbers(self) -> Array | None:
        """The body as numbers; None where it is something else."""
        try:
            numbers = np.array([float(word) for word in self.body.split()])
        except ValueError:
            return None
        return numbers if np.isfinite(numbers).all() else None


class _Library:
    """The files of the collection by their paths, split into statements as they are asked for."""

    def __init__(self, files: Mapping[str, _Stored]) -> None:
        self.files = files
        self.statements = lru_cache(maxsize=16)(self._statements)

    def _statements(self, path: str) -> tuple[_Statement, ...]:
        """The statements of a file; raises _Refused where it is missing or too large."""
        if path not in self.files:
            raise _Refused("include missing")
        content = _content(self.files[path])
        if content is None:
            raise _Refused("file too large")
        found = list(_KEYWORD.finditer(content))
        starts = [*(match.start() for match in found), len(content)]
        return tuple(
            _Statement(match[1].decode("ascii"), content[match.end() : end])
            for match, end in zip(found, starts[1:], strict=True)
        )


# --- Files ---------------------------------------------------------------------------------

_Stored = Path | bytes | None  # a file, or its packed content; None where it is too large


def _files(source: Path, progress: Progress) -> dict[str, _Stored]:
    """The files of data and include by their paths from there, in the archive or the folder.

    What the files include is looked up here and nowhere else: no path leads out.
    """
    archive = _archive_in(source) if source.is_dir() else source
    if archive is None and not _is_root(source):
        raise BadData(
            f"{source} holds no UNIPEN: neither {ARCHIVES[0]} nor the folders data and include"
        )
    return _unpacked(source) if archive is None else _archived(archive, progress)


def _archive_in(folder: Path) -> Path | None:
    return next((folder / name for name in ARCHIVES if (folder / name).is_file()), None)


def _is_root(folder: Path) -> bool:
    return (folder / "data").is_dir() and (folder / "include").is_dir()


def _unpacked(root: Path) -> dict[str, _Stored]:
    files: dict[str, _Stored] = {}
    for path in (p for name in ("data", "include") for p in (root / name).rglob("*")):
        try:
            if path.is_file():
                fits = path.stat().st_size <= MAX_FILE_BYTES
                files[path.relative_to(root).as_posix()] = path if fits else None
        except OSError as error:
            raise BadData(f"cannot read {path}: {error.strerror or error}") from error
    return files


def _archived(archive: Path, progress: Progress) -> dict[str, _Stored]:
    files: dict[str, _Stored] = {}
    n_bytes = 0
    try:
        size = archive.stat().st_size or 1
        # tarfile takes a cut for the end of the archive; bz2 and gzip do not, so they read below.
        with archive.open("rb") as raw, _unzipped(raw) as stream:
            with tarfile.open(fileobj=stream, mode="r|") as members:
                for member in members:
                    path = _path_within(member.name)
                    if not member.isfile() or path is None:
                        continue
                    n_bytes += member.size
                    if n_bytes > MAX_TOTAL_BYTES:
                        raise BadData(f"{archive} is too large to be UNIPEN; give its archive")
                    files[path] = _packed(members, member)
                    progress(min(raw.tell() / size, 1.0))
            while stream.read(1 << 20):
                pass
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        reason = str(error) or type(error).__name__
        raise BadData(f"cannot read {archive}: {reason}. Is the download complete?") from error
    return files


def _unzipped(raw: IO[bytes]) -> IO[bytes]:
    magic = raw.read(2)
    raw.seek(0)
    openers: dict[bytes, Callable[[IO[bytes]], Any]]
    openers = {b"BZ": bz2.BZ2File, b"\x1f\x8b": lambda raw: gzip.GzipFile(fileobj=raw)}
    return openers[magic](raw) if magic in openers else raw


def _path_within(name: str) -> str | None:
    """The path from data or include on; None for other files."""
    parts = PurePosixPath(name).parts
    start = next((i for i, part in enumerate(parts) if part in ("data", "include")), None)
    return None if start is None else "/".join(parts[start:])


def _packed(members: tarfile.TarFile, member: tarfile.TarInfo) -> bytes | None:
    if member.size > MAX_FILE_BYTES:
        return None
    file = members.extractfile(member)
    return zlib.compress(file.read() if file else b"", level=1)


def _content(stored: _Stored) -> bytes | None:
    if isinstance(stored, Path):
        try:
            return stored.read_bytes()
        except OSError as error:
            raise BadData(f"cannot read {stored}: {error.strerror or error}") from error
    return None if stored is None else zlib.decompress(stored)
