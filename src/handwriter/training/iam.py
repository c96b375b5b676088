"""IAM-OnDB as its site serves it: archives or folders in, lines of ink and text out.

Collection: M. Liwicki and H. Bunke, "IAM-OnDB - an on-line English sentence database acquired
from handwritten text on a whiteboard", ICDAR 2005.
"""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NoReturn
from xml.parsers import expat

import numpy as np

from handwriter.errors import BadData
from handwriter.ink import Ink, Line

# Graves trains on everything but testset_v (arXiv:1308.0850, section 4.1).
LISTS = {
    "trainset.txt": "train",
    "testset_t.txt": "train",
    "testset_f.txt": "train",
    "testset_v.txt": "validation",
}
STROKES = ("lineStrokes-all.tar.gz", "lineStrokes")
TEXTS = ("ascii-all.tar.gz", "ascii")
ORIGINALS = (
    "original-xml-all.tar.gz",
    "original-xml-part.tar.gz",
    "original",
)

MAX_FILE_BYTES = 16 << 20  # the largest file of the collection has under a tenth of it

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Skipped:
    """A line that was left out, and the reason, which is counted."""

    source: str
    reason: str


@dataclass(frozen=True)
class Noted:
    """Something about a collection that leaves out no line but that its reader should know."""

    source: str
    what: str


def is_iam(folder: Path) -> bool:
    """Whether `folder` looks like IAM-OnDB, whole or in part."""
    return any((folder / name).exists() for name in (*STROKES, *TEXTS))


def read_iam(
    folder: Path, progress: Progress = lambda fraction: None
) -> Iterator[Line | Skipped | Noted]:
    """Every line of IAM-OnDB in `folder`, in whiteboard units, with its text as transcribed.

    `folder` holds the archives or what they unpack to, and the four lists of forms, there or
    in `task1`.  Archives are read as streams; nothing is unpacked to disk.  `progress` is told
    the part of the strokes that has been read, from 0 to 1.  Raises BadData where the
    collection as a whole cannot be read; a single damaged file is a `Skipped`.
    """
    splits = _read_lists(folder)
    texts = yield from _read_texts(folder)
    writers = yield from _read_writers(folder)
    lengths: Counter[str] = Counter()
    for path, content in _files(folder, STROKES, progress):
        if path.suffix != ".xml":
            continue
        form, _, number = path.stem.rpartition("-")
        lengths[form] += 1
        yield _line(path.stem, content, splits.get(form), texts.get(form, []), number, writers)
    if not lengths:
        raise BadData(f"{folder} holds no line of ink: {' or '.join(STROKES)} is empty")
    for form in sorted(splits.keys() - lengths.keys()):
        yield Noted(form, "form in a list but without ink")
    for form in sorted(splits.keys() & lengths.keys()):
        if lengths[form] != len(texts.get(form, [])):
            yield Noted(form, "transcription with more or fewer lines than the ink")


def _line(
    source: str,
    content: bytes | None,
    split: str | None,
    texts: list[str],
    number: str,
    writers: dict[str, str],
) -> Line | Skipped:
    """One line of the collection: `source` is a01-000u-03, `number` its 03."""
    if split is None:
        return Skipped(source, "form in no list")
    if content is None:
        return Skipped(source, "file too large")
    try:
        ink = _read_strokes(content)
    except _Refused as refusal:
        return Skipped(source, str(refusal))
    if not number.isdecimal() or not 1 <= int(number) <= len(texts):
        return Skipped(source, "no transcription")
    form = source.removesuffix(f"-{number}")
    return Line(ink, texts[int(number) - 1], writers.get(form, ""), split, source)


def _read_lists(folder: Path) -> dict[str, str]:
    """The split of each form that a list names."""
    splits = {}
    for name, split in LISTS.items():
        path = next((p for p in (folder / "task1" / name, folder / name) if p.is_file()), None)
        if path is None:
            raise BadData(
                f"{folder} has no {name}, neither there nor in task1; "
                "IAM-OnDB's task 1 has four lists of forms, and all are needed."
            )
        splits.update(dict.fromkeys(path.read_text("latin-1").split(), split))
    return splits


def _read_texts(folder: Path) -> Generator[Noted, None, dict[str, list[str]]]:
    """The transcribed lines of each form, in the order of its ink."""
    texts = {}
    for path, content in _files(folder, TEXTS):
        if path.suffix != ".txt":
            continue
        _, found, section = (content or b"").decode("latin-1").partition("CSR:")
        if not found:
            yield Noted(path.stem, "transcription without a CSR section")
        texts[path.stem] = [line.strip() for line in section.splitlines() if line.strip()]
    if not texts:
        raise BadData(f"{folder} holds no transcription: {' or '.join(TEXTS)} is empty")
    return texts


def _read_writers(folder: Path) -> Generator[Noted, None, dict[str, str]]:
    """The writer of each form, as far as the copy tells; the original files are optional.

    The path names the form: the id inside is wrong in a few files of the collection.
    """
    writers = _read_forms(folder / "forms.txt")
    if not any((folder / name).exists() for name in ORIGINALS):
        return writers
    for path, content in _files(folder, ORIGINALS):
        if path.suffix != ".xml" or not path.stem.startswith("strokes"):
            continue
        form = path.parent.name + path.stem.removeprefix("strokes")
        named = _read_form(content or b"")
        if named is None:
            yield Noted(form, "original file damaged")
            continue
        if named.get("id") != form:
            yield Noted(form, "original file names another form")
        writers.setdefault(form, named.get("writerID", ""))
    return writers


def _read_forms(path: Path) -> dict[str, str]:
    """forms.txt: a form and its writer a line, `#` begins a comment."""
    if not path.is_file():
        return {}
    rows = [line.split() for line in path.read_text("latin-1").splitlines()]
    return {row[0]: row[1] for row in rows if len(row) > 1 and not row[0].startswith("#")}


def _files(
    folder: Path, names: tuple[str, ...], progress: Progress = lambda fraction: None
) -> Iterator[tuple[PurePosixPath, bytes | None]]:
    """Path and content of each file of the first of `names` in `folder`; None where too large."""
    found = next((folder / name for name in names if (folder / name).exists()), None)
    if found is None:
        raise BadData(f"{folder} has neither {' nor '.join(names)}")
    return _archived(found, progress) if found.is_file() else _unpacked(found, progress)


def _archived(archive: Path, progress: Progress) -> Iterator[tuple[PurePosixPath, bytes | None]]:
    size = archive.stat().st_size or 1
    try:
        # tarfile takes a cut for the end of the archive; gzip does not, so gzip reads below it.
        with archive.open("rb") as raw, gzip.open(raw) as stream:
            with tarfile.open(fileobj=stream, mode="r|") as members:
                for member in members:
                    if member.isfile():
                        yield PurePosixPath(member.name), _member(members, member)
                        progress(raw.tell() / size)
            while stream.read(1 << 20):
                pass
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        reason = str(error) or type(error).__name__
        raise BadData(f"cannot read {archive}: {reason}. Is the download complete?") from error


def _member(members: tarfile.TarFile, member: tarfile.TarInfo) -> bytes | None:
    if member.size > MAX_FILE_BYTES:
        return None
    file = members.extractfile(member)
    return file.read() if file else b""


def _unpacked(folder: Path, progress: Progress) -> Iterator[tuple[PurePosixPath, bytes | None]]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    for number, path in enumerate(paths, start=1):
        try:
            content = None if path.stat().st_size > MAX_FILE_BYTES else path.read_bytes()
        except OSError as error:
            raise BadData(f"cannot read {path}: {error.strerror or error}") from error
        yield PurePosixPath(path.as_posix()), content
        progress(number / len(paths))


class _Refused(Exception):
    """Why a file of strokes is left out."""


class _FormFound(Exception):
    """The attributes of the form, which end the reading of an original file."""


def _read_strokes(content: bytes) -> Ink:
    """The ink of one lineStrokes file; raises _Refused with the reason to count."""
    numbers: list[str] = []  # x, y, x, y, ...
    starts: list[int] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if name == "Point":
            numbers.extend((attributes["x"], attributes["y"]))
        elif name == "Stroke":
            starts.append(len(numbers) // 2)

    try:
        _parse(content, start)
        points = np.fromiter(map(float, numbers), np.float64, len(numbers)).reshape(-1, 2)
    except (KeyError, ValueError) as error:
        raise _Refused("damaged XML") from error
    if not len(points):
        raise _Refused("no points")
    if not np.isfinite(points).all() or not starts or starts[0] != 0:
        raise _Refused("damaged XML")
    return Ink(tuple(stroke for stroke in np.split(points, starts[1:]) if len(stroke)))


def _read_form(content: bytes) -> dict[str, str] | None:
    """The attributes of General/Form in an original file; None where it is damaged."""

    def start(name: str, attributes: dict[str, str]) -> None:
        if name == "Form":
            raise _FormFound(attributes)

    try:
        _parse(content, start)
    except _FormFound as found:
        attributes: dict[str, str] = found.args[0]
        return attributes
    except _Refused:
        pass
    return None


def _parse(content: bytes, start: Callable[[str, dict[str, str]], None]) -> None:
    """Parse XML that declares nothing: no document type, so no entities, inside or outside."""
    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = _refuse_declarations
    parser.EntityDeclHandler = _refuse_declarations
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise _Refused("damaged XML") from error


def _refuse_declarations(*_: object) -> NoReturn:
    raise _Refused("XML with declarations, which could be a bomb")
