"""Preparing: collections and files of ink in, one lines file out, with everything counted."""

from __future__ import annotations

import hashlib
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np

from handwriter import interchange
from handwriter.density import thinned
from handwriter.errors import BadData
from handwriter.ink import Ink, Line
from handwriter.levelling import levelled, without_jumps
from handwriter.tokens import collapsed, is_crossed_out, untokenised
from handwriter.training.iam import Noted, Progress, Skipped, is_iam, read_iam
from handwriter.training.lines import Lines, fits, load_lines, save_lines
from handwriter.training.typeset import POINTS_PER_CHARACTER, lines_of
from handwriter.training.unipen import Segment, read_unipen
from handwriter.training.unipen_files import is_unipen

MAX_POINTS = 1500
MAX_GAP = 40.0  # between two strokes, in line units: a word's gap is about 3
DENSITIES = (6.5, 25.0)  # points per character, after thinning, of ink that says its text
MOST_UNPACKED = 10_000_000_000  # bytes of a ZIP; IAM-OnDB has under a tenth of it
HELD_OUT = 20  # every 20th line of a file without splits is for validation


@dataclass(frozen=True)
class Preparation:
    """One way to prepare: `unit` is that of the stored integers, `prepare` does a line.

    `prepare(line, origin, done)` returns the line in line units, counts in `done` what it
    mended, and raises `Unusable` with a reason.
    """

    unit: float
    prepare: Callable[[Line, Origin, Counter[str]], Line]


class Origin(Enum):
    """Whose conventions a line follows.

    IAM-OnDB has its own sampling, tokenised text, and marks of crossed-out ink; UNIPEN's lines
    come with as many points as they should have.
    """

    IAM = "IAM-OnDB"
    UNIPEN = "UNIPEN"
    FILE = "a file"


# Of some lines, in order: whether a reader contradicts what each is said to say.
Judge = Callable[[Sequence[Line]], Iterable[bool]]


class Unusable(Exception):
    """The reason a line is left out for."""


def prepare(
    sources: Sequence[str | Path],
    out: str | Path,
    recipe: str = "default",
    progress: Progress = lambda fraction: None,
    *,
    contradicted: Judge | None = None,
    drop: bool = True,
) -> dict[str, Any]:
    """Read ink from `sources`, prepare it by the recipe, write the lines file `out`.

    A source is a folder with IAM-OnDB or a ZIP of one, UNIPEN's archive or folder, an InkML file,
    a JSON-lines file, or a lines file that the same recipe has made: its lines and counts are taken
    over.  The lines are ordered by their source, so that the same data gives the same bytes.
    Returns the report, which is also stored in the file.  Raises BadData where nothing can be
    learnt from.

    With `contradicted`, the report names the training lines of which it says so, and with `drop`
    they are left out.  Lines of validation stay as they are: none is chosen for being easy.
    """
    if recipe not in PREPARATIONS:
        raise BadData(f"there is no recipe {recipe!r}; the recipes are {', '.join(PREPARATIONS)}")
    out = Path(out)
    if out.is_dir() or not out.parent.is_dir():
        raise BadData(f"cannot write {out}: it must be a file in a folder that exists")
    tally = _Tally()
    lines: list[Line] = []
    for number, source in enumerate(sources):
        part = _part_of(progress, number, len(sources))
        if Path(source).suffix.lower() == ".npz":
            lines += _prepared_before(Path(source), recipe, tally)
        else:
            lines += _prepared(Path(source), PREPARATIONS[recipe], tally, part)
        part(1.0)
    lines.sort(key=lambda line: line.source)
    if contradicted:
        lines = _without_contradictions(lines, contradicted, drop, tally)
    _expect_train_lines(lines, tally)
    report = tally.report(recipe, lines)
    save_lines(out, Lines.from_lines(lines, recipe, PREPARATIONS[recipe].unit, report))
    return report


@dataclass
class _Tally:
    """What is counted while preparing."""

    n_read: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    repaired: Counter[str] = field(default_factory=Counter)
    noted: Counter[str] = field(default_factory=Counter)
    contradicted: list[str] = field(default_factory=list)

    def take_over(self, report: dict[str, Any], n_lines: int) -> None:
        """Count what the report of a lines file of so many lines counts."""
        n_read = report.get("lines_read")
        self.n_read += n_read if isinstance(n_read, int) else n_lines
        for name, counter in (
            ("lines_skipped", self.skipped), ("repaired", self.repaired), ("noted", self.noted),
        ):  # fmt: skip
            counts = report.get(name)
            if isinstance(counts, dict):
                counter.update({what: n for what, n in counts.items() if isinstance(n, int)})

    def report(self, recipe: str, lines: list[Line]) -> dict[str, Any]:
        """The counts as plain JSON values; points and characters are those that are used."""
        return {
            "recipe": recipe,
            "lines_read": self.n_read,
            "lines_used": dict(sorted(Counter(line.split for line in lines).items())),
            "lines_skipped": dict(sorted(self.skipped.items())),
            "repaired": dict(sorted(self.repaired.items())),
            "noted": dict(sorted(self.noted.items())),
            "points": sum(line.ink.n_points for line in lines),
            "characters": sum(len(line.text) for line in lines),
            "writers": len({line.writer for line in lines if line.writer}),
            "lines_without_writer": sum(not line.writer for line in lines),
            **({"contradicted": self.contradicted} if self.contradicted else {}),
        }


def _prepared(
    source: Path, preparation: Preparation, tally: _Tally, progress: Progress
) -> Iterator[Line]:
    """The usable lines of one source, prepared; the rest is counted."""
    origin = _origin(source)
    for found in _read(source, origin, progress):
        if isinstance(found, Noted):
            tally.noted[found.what] += 1
            continue
        tally.n_read += 1
        if isinstance(found, Skipped):
            tally.skipped[found.reason] += 1
            continue
        done: Counter[str] = Counter()
        try:
            line = preparation.prepare(found, origin, done)
        except Unusable as reason:
            tally.skipped[str(reason)] += 1
            continue
        tally.repaired += done
        yield replace(line, split=line.split or _drawn_split(line))


def _prepared_before(source: Path, recipe: str, tally: _Tally) -> Iterator[Line]:
    """The lines of a lines file."""
    lines = load_lines(source)
    if lines.recipe != recipe:
        raise BadData(
            f"{source} was prepared by the recipe {lines.recipe!r}, not by {recipe!r}; prepare "
            "what it was made from anew"
        )
    tally.take_over(lines.report, len(lines))
    yield from map(lines.line, range(len(lines)))


def _origin(source: Path) -> Origin:
    if is_unipen(source):
        return Origin.UNIPEN
    is_iam_form = source.is_dir() or source.suffix.lower() == ".zip"
    return Origin.IAM if is_iam_form else Origin.FILE


def _read(source: Path, origin: Origin, progress: Progress) -> Iterator[Line | Skipped | Noted]:
    if origin is Origin.UNIPEN:
        return _read_unipen(source, progress)
    if source.is_dir():
        if not is_iam(source):
            raise BadData(
                f"{source} holds neither IAM-OnDB (lineStrokes, ascii) nor UNIPEN (data, include)"
            )
        return read_iam(source, progress)
    if not source.exists():
        raise BadData(f"cannot prepare {source}: there is no such file or folder")
    if source.suffix.lower() == ".zip":
        return _read_zip(source, progress)
    readers = {".jsonl": interchange.read_jsonl, ".inkml": interchange.read_inkml}
    if source.suffix.lower() not in readers:
        raise BadData(
            f"cannot prepare {source}: it is neither a folder with IAM-OnDB, nor UNIPEN, "
            "nor a file ending in .jsonl, .inkml, .zip or .npz."
        )
    return readers[source.suffix.lower()](source)


def _read_unipen(source: Path, progress: Progress) -> Iterator[Line | Skipped | Noted]:
    """UNIPEN's texts, words and characters as lines; what gives none is noted."""
    segments = []
    for found in read_unipen(source, progress):
        if isinstance(found, Segment):
            segments.append(found)
            yield Noted(found.source, f"{found.level.lower()} read")
        else:
            yield Noted(found.source, f"left out: {found.reason}")
    yield from lines_of(segments)


def _read_zip(source: Path, progress: Progress) -> Iterator[Line | Skipped | Noted]:
    """IAM-OnDB's folders out of a ZIP, as `handwriter write -o FILE.zip` makes one."""
    with TemporaryDirectory(prefix="handwriter-") as folder:
        try:
            with ZipFile(source) as archive:
                unpacked = sum(member.file_size for member in archive.infolist())
                if unpacked > MOST_UNPACKED:
                    raise BadData(
                        f"{source} would unpack to {unpacked / 1e9:.0f} GB; unpack it yourself and "
                        "give the folder"
                    )
                archive.extractall(folder)
        except (OSError, BadZipFile, NotImplementedError, RuntimeError, zlib.error) as error:
            raise BadData(f"cannot read {source}: {error}. Is it a whole ZIP?") from error
        if not is_iam(Path(folder)):
            raise BadData(f"{source} holds no IAM-OnDB: neither lineStrokes nor ascii is there")
        yield from read_iam(Path(folder), progress)


def _graves2013(line: Line, origin: Origin, done: Counter[str]) -> Line:
    """The paper's preprocessing: the ink as it was sampled, from its first point on."""
    if origin is Origin.UNIPEN:
        raise BadData("UNIPEN has no sampling of its own to keep; prepare it with --recipe default")
    text, ink = _text(line), _ink(line)
    x, y = ink.strokes[0][0]
    ink = ink.moved(-float(x), -float(y))
    if not fits(ink, PREPARATIONS["graves2013"].unit):
        raise Unusable("far jump")
    return replace(line, text=text, ink=ink)


def _default(line: Line, origin: Origin, done: Counter[str]) -> Line:
    """Text as the ink shows it; ink mended, thinned, level on its baseline, of unit spread."""
    text, ink = _text(line), _ink(line)
    if origin is Origin.IAM:
        if is_crossed_out(text):
            raise Unusable("crossed-out ink")
        text, joined = untokenised(text)
        done.update(joined)
    every = _thinning(line, text, origin)
    ink, mended = without_jumps(ink)
    done.update(mended)
    level = levelled(ink)
    if level is None:
        raise Unusable("ink without height")
    ink = thinned(level, every)
    if ink.n_points > MAX_POINTS:
        raise Unusable(f"more than {MAX_POINTS} points")
    if _widest_gap(ink) > MAX_GAP or not fits(ink, PREPARATIONS["default"].unit):
        raise Unusable("far jump")
    return replace(line, text=text, ink=ink)


PREPARATIONS = {
    "graves2013": Preparation(unit=1.0, prepare=_graves2013),
    "default": Preparation(unit=1 / 400, prepare=_default),
}


def _text(line: Line) -> str:
    text = collapsed(line.text)
    if not text:
        raise Unusable("no text")
    return text


def _ink(line: Line) -> Ink:
    if not line.ink.n_points:
        raise Unusable("no points")
    return line.ink


def _thinning(line: Line, text: str, origin: Origin) -> int:
    """Every how many points one is kept: 2 of IAM-OnDB, to like density of a file's ink.

    Raises Unusable where the ink has too few or too many points to say this text.
    """
    density = line.ink.n_points / len(text.replace(" ", ""))
    own = {Origin.IAM: 2, Origin.UNIPEN: 1}
    every = own.get(origin) or max(1, round(density / POINTS_PER_CHARACTER))
    if not DENSITIES[0] <= density / every <= DENSITIES[1]:
        raise Unusable("ink and text disagree")
    return every


def _without_contradictions(
    lines: list[Line], contradicted: Judge, drop: bool, tally: _Tally
) -> list[Line]:
    """The lines, those for training only where the judge does not contradict their text."""
    train = [line for line in lines if line.split == "train"]
    wrong = {
        id(line) for line, is_wrong in zip(train, contradicted(train), strict=True) if is_wrong
    }
    tally.contradicted = [line.source for line in train if id(line) in wrong]
    what = "contradicted by the reader"
    if not drop:
        tally.noted[what] += len(wrong)
        return lines
    tally.skipped[what] += len(wrong)
    return [line for line in lines if id(line) not in wrong]


def _widest_gap(ink: Ink) -> float:
    gaps = [abs(b[0, 0] - a[-1, 0]) for a, b in zip(ink.strokes, ink.strokes[1:], strict=False)]
    return float(np.max(gaps, initial=0.0))


def _drawn_split(line: Line) -> str:
    """Validation for every 20th line of a source without splits, the same ones every time."""
    drawn = hashlib.sha256(f"{line.source}\n{line.text}".encode()).digest()
    return "validation" if int.from_bytes(drawn[:8], "big") % HELD_OUT == 0 else "train"


def _expect_train_lines(lines: list[Line], tally: _Tally) -> None:
    if any(line.split == "train" for line in lines):
        return
    reasons = ", ".join(f"{what} {n}" for what, n in sorted(tally.skipped.items())) or "none"
    raise BadData(
        f"there is no line to train on: {tally.n_read} lines read, {len(lines)} usable for "
        f"validation only; lines left out: {reasons}"
    )


def _part_of(progress: Progress, number: int, n_sources: int) -> Progress:
    return lambda fraction: progress((number + fraction) / n_sources)
