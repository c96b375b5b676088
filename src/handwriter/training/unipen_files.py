"""The files of UNIPEN: the collection's archive or folder in, statements of its files out.

A file is a row of statements, a keyword and what follows (unipen.def, in the collection itself).
"""

from __future__ import annotations

import bz2
import gzip
import re
import tarfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np

from handwriter.errors import BadData
from handwriter.ink import Array

ARCHIVES = ("train_r01_v07.tar.bz2", "train_r01_v07.tar.gz", "train_r01_v07.tar")

MAX_FILE_BYTES = 16 << 20  # the largest file of the collection has a quarter of it
MAX_TOTAL_BYTES = 2 << 30  # the collection has a quarter of it
MAX_LABEL_BYTES = 4096  # the longest has a twentieth of it

Progress = Callable[[float], None]
_Stored = Path | bytes | None  # a file, or its packed content; None where it is too large


class Refused(Exception):
    """Why a segment is left out."""


def is_unipen(source: Path) -> bool:
    """Whether `source` looks like UNIPEN: its archive, a folder with it, or what it unpacks to."""
    if source.is_dir():
        return _archive_in(source) is not None or _is_root(source)
    return source.is_file() and source.name in ARCHIVES


_KEYWORD = re.compile(rb"^\.([A-Z_]{1,40})", re.M)


@dataclass(frozen=True, eq=False)
class Statement:
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


class Library:
    """The files of the collection by their paths, split into statements as they are asked for."""

    def __init__(self, source: Path, progress: Progress) -> None:
        self.files = _files(source, progress)
        self.statements = lru_cache(maxsize=16)(self._statements)

    def _statements(self, path: str) -> tuple[Statement, ...]:
        """The statements of a file; raises Refused where it is missing or too large."""
        if path not in self.files:
            raise Refused("include missing")
        content = _content(self.files[path])
        if content is None:
            raise Refused("file too large")
        found = list(_KEYWORD.finditer(content))
        starts = [*(match.start() for match in found), len(content)]
        return tuple(
            Statement(match[1].decode("ascii"), content[match.end() : end])
            for match, end in zip(found, starts[1:], strict=True)
        )


# --- Files ---------------------------------------------------------------------------------


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
