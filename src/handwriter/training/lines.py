"""The lines file: prepared lines of ink and text, ready to learn from (docs/lines-file.md)."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handwriter.errors import BadData
from handwriter.ink import Array, Ink, Line

FORMAT = "handwriter lines"
VERSION = 1

_ARRAYS = {"offsets": np.int16, "pen_lifts": np.bool_, "starts": np.int64, "metadata": np.uint8}
_PER_LINE = ("texts", "writers", "splits", "sources")
_REACH = np.iinfo(np.int16).max


@dataclass(frozen=True, eq=False)
class Lines:
    """Prepared lines, all points one after the other.

    `offsets` (points, 2) holds dx, dy in stored integers, `unit` line units each; y grows
    down.  The first offset of a line leads from its origin to its first point.  `pen_lifts`
    (points,) is True where the pen lifts after the point.  Line i is the points from
    `starts[i]` to `starts[i + 1]`.  `splits` says "train" or "validation" a line, `recipe` how
    the lines were prepared, and `report` what was counted on the way.
    """

    offsets: NDArray[np.int16]
    pen_lifts: NDArray[np.bool_]
    starts: NDArray[np.int64]
    texts: tuple[str, ...]
    writers: tuple[str, ...]
    splits: tuple[str, ...]
    sources: tuple[str, ...]
    recipe: str
    unit: float
    report: dict[str, Any]

    @classmethod
    def from_lines(
        cls, lines: Sequence[Line], recipe: str, unit: float, report: dict[str, Any]
    ) -> Lines:
        """Pack `lines`, their ink in line units; raises ValueError where `fits` says no."""
        steps = [stored_steps(line.ink, unit) for line in lines]
        return cls(
            offsets=_joined([offsets for offsets, _ in steps], (0, 2), np.int16),
            pen_lifts=_joined([lifts for _, lifts in steps], (0,), np.bool_),
            starts=np.cumsum([0, *(len(lifts) for _, lifts in steps)], dtype=np.int64),
            texts=tuple(line.text for line in lines),
            writers=tuple(line.writer for line in lines),
            splits=tuple(line.split for line in lines),
            sources=tuple(line.source for line in lines),
            recipe=recipe,
            unit=unit,
            report=report,
        )

    def __len__(self) -> int:
        return len(self.texts)

    def steps(self, i: int) -> NDArray[np.float32]:
        """Line i as network steps (n, 3): dx, dy in line units, and 1.0 where the pen lifts."""
        span = slice(self.starts[i], self.starts[i + 1])
        steps = np.empty((int(self.starts[i + 1] - self.starts[i]), 3), np.float32)
        steps[:, :2] = self.offsets[span] * np.float32(self.unit)
        steps[:, 2] = self.pen_lifts[span]
        return steps

    def ink(self, i: int) -> Ink:
        """Line i as ink, in line units."""
        span = slice(self.starts[i], self.starts[i + 1])
        # Summed as integers, so that rounding does not drift along the line.
        points = np.cumsum(self.offsets[span], axis=0, dtype=np.int64) * self.unit
        ends = np.flatnonzero(self.pen_lifts[span]) + 1
        return Ink(tuple(stroke for stroke in np.split(points, ends) if len(stroke)))

    def line(self, i: int) -> Line:
        return Line(
            self.ink(i), self.texts[i], self.writers[i], self.splits[i], source=self.sources[i]
        )

    def where(self, split: str, leave_out: Sequence[str] = ()) -> NDArray[np.int64]:
        """The numbers of the lines of a split, in order.

        Lines whose source begins with anything in `leave_out` are not among them.
        """
        numbers = np.flatnonzero(np.array(self.splits, dtype=str) == split).astype(np.int64)
        unwanted = tuple(leave_out)
        if not unwanted:
            return numbers
        return np.array([i for i in numbers if not self.sources[i].startswith(unwanted)], np.int64)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Points of each line, shape (lines,)."""
        return np.diff(self.starts)

    @property
    def mean(self) -> Array:
        """Mean dx and dy over the train split, in line units, shape (2,).

        The first offset of a line does not count: it leads from the origin, not from a point.
        """
        return self._moments[0]

    @property
    def deviation(self) -> Array:
        """Standard deviations of dx and dy over the same offsets as `mean`, shape (2,)."""
        return self._moments[1]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything the file holds, in hexadecimal."""
        sha = hashlib.sha256()
        for name, array in self._arrays().items():
            sha.update(f"{name} {array.dtype.str} {array.shape};".encode())
            sha.update(np.ascontiguousarray(array).data)
        return sha.hexdigest()

    @cached_property
    def _moments(self) -> tuple[Array, Array]:
        counts = np.repeat(np.array(self.splits, dtype=str) == "train", self.lengths)
        counts[self.starts[:-1]] = False
        if not counts.any():
            raise BadData("the lines file has no train line of two points or more to average over")
        offsets = self.offsets[counts].astype(np.float64) * self.unit
        return offsets.mean(axis=0), offsets.std(axis=0)

    def _arrays(self) -> dict[str, NDArray[Any]]:
        """What the file holds, by name; the strings and the rest as JSON in UTF-8 bytes."""
        metadata = {
            "format": FORMAT,
            "version": VERSION,
            "recipe": self.recipe,
            "unit": self.unit,
            "report": self.report,
            **{name: list(getattr(self, name)) for name in _PER_LINE},
        }
        text = json.dumps(metadata, ensure_ascii=False, sort_keys=True, allow_nan=False)
        return {
            "metadata": np.frombuffer(text.encode(), np.uint8),
            "offsets": self.offsets,
            "pen_lifts": self.pen_lifts,
            "starts": self.starts,
        }


def fits(ink: Ink, unit: float) -> bool:
    """Whether every offset of `ink` can be stored in 16 bits at this unit."""
    return bool((np.abs(_stored_offsets(ink, unit)) <= _REACH).all())


def stored_steps(ink: Ink, unit: float) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
    """Ink as stored offsets (points, 2) and pen lifts (points,); ValueError where it is too far.

    Differences of rounded positions, not rounded differences: the error does not add up.
    """
    offsets = _stored_offsets(ink, unit)
    if (np.abs(offsets) > _REACH).any():
        raise ValueError(f"an offset is longer than {_REACH * unit:g}, the reach of a lines file")
    lifts = np.zeros(ink.n_points, np.bool_)
    if ink.strokes:
        lifts[np.cumsum([len(stroke) for stroke in ink.strokes]) - 1] = True
    return offsets.astype(np.int16), lifts


def save_lines(path: str | os.PathLike[str], lines: Lines) -> None:
    """Write the lines file, whole or not at all; the same lines give the same bytes."""
    path = Path(path)
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".lines-", delete=False) as file:
            temporary = Path(file.name)
            np.savez(file, allow_pickle=False, **lines._arrays())
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise BadData(f"cannot write the lines file {path}: {error.strerror or error}") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def load_lines(path: str | os.PathLike[str]) -> Lines:
    """Read a lines file; raises BadData where it is not one, is damaged, or does not add up."""
    path = Path(path)
    try:
        arrays: dict[str, Any] = _read_arrays(path)
        metadata = _read_metadata(arrays.pop("metadata"))
        lines = Lines(**arrays, **metadata)
        _check(lines)
    except OSError as error:
        raise BadData(f"cannot read the lines file {path}: {error.strerror or error}") from error
    except _Damaged as error:
        raise BadData(f"{path} is not a lines file that can be used: {error}") from error
    return lines


class _Damaged(Exception):
    """What is wrong with a lines file."""


def _read_arrays(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        if not zipfile.is_zipfile(file):
            raise _Damaged("it is not an .npz archive, or its end is missing")
        file.seek(0)
        try:
            _expect_stored(file, path.stat().st_size)
            file.seek(0)
            with np.load(file, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in _ARRAYS}
        except KeyError as error:
            raise _Damaged(f"array {error.args[0].split()[0]!r} is missing") from error
        except (ValueError, EOFError, zipfile.BadZipFile, NotImplementedError) as error:
            raise _Damaged(str(error).partition("\n")[0]) from error
    for name, dtype in _ARRAYS.items():
        n_axes = 2 if name == "offsets" else 1
        if arrays[name].dtype != dtype or arrays[name].ndim != n_axes:
            raise _Damaged(f"array {name!r} must be {np.dtype(dtype).name} with {n_axes} axes")
    return arrays


def _expect_stored(file: Any, size: int) -> None:
    """An uncompressed archive cannot swell in memory."""
    with zipfile.ZipFile(file) as archive:
        if sum(member.file_size for member in archive.infolist()) > size:
            raise _Damaged("its arrays are compressed")


def _read_metadata(stored: NDArray[np.uint8]) -> dict[str, Any]:
    try:
        metadata = json.loads(stored.tobytes().decode())
    except (ValueError, RecursionError) as error:
        raise _Damaged("its metadata is not JSON") from error
    if not isinstance(metadata, dict) or metadata.pop("format", None) != FORMAT:
        raise _Damaged(f"its metadata does not name the format {FORMAT!r}")
    version = metadata.pop("version", None)
    if version != VERSION:
        raise _Damaged(f"it has version {version!r}, this program reads version {VERSION}")
    missing = {"recipe", "unit", "report", *_PER_LINE} ^ metadata.keys()
    if missing:
        raise _Damaged(f"metadata {min(missing)!r} is missing or unknown")
    if type(metadata["unit"]) is int:
        metadata["unit"] = float(metadata["unit"])
    for name in _PER_LINE:
        if not _are_strings(metadata[name]):
            raise _Damaged(f"metadata {name!r} is not a list of strings")
        metadata[name] = tuple(metadata[name])
    return metadata


def _are_strings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(entry, str) for entry in value)


def _check(lines: Lines) -> None:
    """Raise _Damaged where the parts of a lines file do not belong together."""
    n_points, n_lines = len(lines.offsets), len(lines.starts) - 1
    if lines.offsets.shape != (n_points, 2) or lines.pen_lifts.shape != (n_points,):
        raise _Damaged("offsets must have shape (points, 2) and pen_lifts (points,)")
    if n_lines < 0 or lines.starts[0] != 0 or lines.starts[-1] != n_points:
        raise _Damaged("starts must lead from 0 to the number of points")
    if (lines.lengths < 1).any():
        raise _Damaged("starts must rise: a line has one point or more")
    for name in _PER_LINE:
        if len(getattr(lines, name)) != n_lines:
            raise _Damaged(f"{name} must have one entry a line, {n_lines}")
    unknown = set(lines.splits) - {"train", "validation"}
    if unknown:
        raise _Damaged(f"split {min(unknown)!r} is neither 'train' nor 'validation'")
    if not isinstance(lines.unit, float) or not (np.isfinite(lines.unit) and lines.unit > 0):
        raise _Damaged("unit must be a number above 0")
    if not isinstance(lines.recipe, str) or not isinstance(lines.report, dict):
        raise _Damaged("recipe must be a string and report an object")
    if n_lines and not lines.pen_lifts[lines.starts[1:] - 1].all():
        raise _Damaged("the pen must lift after the last point of each line")


def _stored_offsets(ink: Ink, unit: float) -> Array:
    return np.diff(np.round(ink.points / unit), axis=0, prepend=np.zeros((1, 2)))


def _joined(arrays: list[NDArray[Any]], shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    return np.concatenate([np.zeros(shape, dtype), *arrays])
