"""Files of handwriting: one small pure function a format, and `save`, the only disk write."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from secrets import token_hex

from handwriter.errors import BadOption
from handwriter.ink import Ink
from handwriter.output.gcode import gcode
from handwriter.output.hpgl import hpgl
from handwriter.output.iam_xml import iam_xml
from handwriter.output.inkml import inkml
from handwriter.output.jsonl import jsonl
from handwriter.output.layout import lay_out
from handwriter.output.png import png
from handwriter.output.svg import svg
from handwriter.page import Document
from handwriter.picture import contact_sheet

__all__ = ["FORMATS", "check_output", "render", "save", "sheet_of", "write_file"]

FORMATS: dict[str, Callable[[Document], bytes]] = {
    ".svg": svg,
    ".png": png,
    ".jsonl": jsonl,
    ".gcode": gcode,
    ".hpgl": hpgl,
    ".plt": hpgl,
    ".inkml": inkml,
    ".zip": iam_xml,
}


def save(path: str | os.PathLike[str], lines: Ink | Sequence[Ink] | Document) -> None:
    """Write a document, one line or several into a file, in the format that its suffix names.

    The file appears whole or not at all.  Raises BadOption where the suffix is unknown or
    the file cannot be written.
    """
    write_file(path, render(Path(path).suffix, lines))


def sheet_of(inks: Sequence[Ink], captions: Sequence[str], suffix: str) -> bytes:
    """Ink that nobody wrote just now, data for instance, to look at: .png or .svg."""
    match suffix.lower():
        case ".png":
            content = BytesIO()
            contact_sheet(inks, captions).save(content, "png")
            return content.getvalue()
        case ".svg":
            return svg(replace(lay_out(inks), title="\n".join(captions), about={}))
        case _:
            raise BadOption(f"cannot draw a sheet as {suffix!r}; choose .png or .svg")


def check_output(path: str | os.PathLike[str], suffix: str = "") -> None:
    """Raise BadOption now for what would stop `save` later: an unknown suffix, no folder.

    Where a suffix is given, it names the format, whatever the path's own is.
    """
    _format_of(suffix or Path(path).suffix)
    folder = Path(path).parent
    if not folder.is_dir():
        raise BadOption(f"cannot save {str(path)!r}: {_no_folder(folder)}")


def write_file(path: str | os.PathLike[str], content: bytes) -> None:
    """Write one file, whole or not at all; raises BadOption where that is not possible."""
    try:
        _write_whole(Path(os.path.realpath(path)), content)  # a link stays a link
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise BadOption(f"cannot save {str(path)!r}: {_cure(Path(path), error)}") from error


def render(suffix: str, lines: Ink | Sequence[Ink] | Document) -> bytes:
    """The bytes of a file with this suffix; raises BadOption where no format has it."""
    return _format_of(suffix)(_as_document(lines))


def _as_document(lines: Ink | Sequence[Ink] | Document) -> Document:
    if isinstance(lines, Document):
        return lines
    return lay_out([lines] if isinstance(lines, Ink) else lines)


def _format_of(suffix: str) -> Callable[[Document], bytes]:
    if suffix.lower() not in FORMATS:
        given = f"with the suffix {suffix!r}" if suffix else "without a suffix"
        raise BadOption(f"cannot write a file {given}; choose one of {', '.join(FORMATS)}")
    return FORMATS[suffix.lower()]


def _write_whole(path: Path, content: bytes) -> None:
    """Write beside the file, then put it in its place; leave nothing behind on failure."""
    part = path.with_name(f".handwriter-{token_hex(8)}.part")
    try:
        with part.open("xb") as file:
            file.write(content)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _no_folder(folder: Path) -> str:
    return f"there is no folder {str(folder)!r}; make it first, or choose another"


def _cure(path: Path, error: OSError | ValueError) -> str:
    """What stood in the way, and how to mend it."""
    match getattr(error, "errno", None):
        case errno.ENOENT | errno.ENOTDIR:
            return _no_folder(path.parent)
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return f"you may not write to the folder {str(path.parent)!r}; choose another"
        case errno.ENOSPC | errno.EDQUOT:
            return "the disk is full; free some space, or save to another disk"
        case errno.EISDIR:
            return "there is a folder of this name; choose another name"
        case errno.ENAMETOOLONG:
            return "the name is too long; choose a shorter one"
        case _:
            return f"{getattr(error, 'strerror', None) or error}; choose another place or name"
