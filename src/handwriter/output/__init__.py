"""Files of handwriting: one small pure function a format, and `save`, the only disk write."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from inspect import signature
from io import BytesIO
from pathlib import Path
from secrets import token_hex

from handwriter.errors import BadOption
from handwriter.ink import Ink
from handwriter.output.film import apng, gif, mp4
from handwriter.output.gcode import gcode
from handwriter.output.hpgl import hpgl
from handwriter.output.iam_xml import iam_xml
from handwriter.output.inkml import inkml
from handwriter.output.jsonl import jsonl
from handwriter.output.layout import lay_out
from handwriter.output.pdf import pdf
from handwriter.output.png import png
from handwriter.output.svg import svg
from handwriter.page import Document, Page
from handwriter.picture import contact_sheet

__all__ = [
    "FORMATS",
    "MANY_PAGES",
    "check_options",
    "check_output",
    "render",
    "save",
    "sheet_of",
    "write_file",
]

FORMATS: dict[str, Callable[..., bytes]] = {
    ".svg": svg,
    ".png": png,
    ".pdf": pdf,
    ".gif": gif,
    ".apng": apng,
    ".mp4": mp4,
    ".jsonl": jsonl,
    ".gcode": gcode,
    ".hpgl": hpgl,
    ".plt": hpgl,
    ".inkml": inkml,
    ".zip": iam_xml,
}
ONE_PAGE = {".svg", ".png"}  # a file of these holds one page, of the others all of them


def save(
    path: str | os.PathLike[str],
    lines: Ink | Sequence[Ink] | Document,
    *,
    suffix: str = "",
    **options: object,
) -> list[Path]:
    """Write a document, one line or several into a file, in the format that its suffix names.

    Where a suffix is given, it names the format, whatever the path's own is.

    The options are those of the format: `dpi` and `paper` of `png`, `look` of `svg`, and so on.
    Several pages in a format that holds one become a file each, numbered: letter-1.svg,
    letter-2.svg.  Returns the files that were written.  They appear whole or not at all.  Raises
    BadOption where the suffix or an option is unknown or a file cannot be written.
    """
    suffix, document = suffix or Path(path).suffix, _as_document(lines)
    if len(document.pages) < 2 or suffix.lower() not in ONE_PAGE:
        write_file(path, render(suffix, document, **options))
        return [Path(path)]
    contents = (render(suffix, page, **options) for page in _one_by_one(document))
    paths = _numbered(Path(path), len(document.pages))
    _write_files(zip(paths, contents, strict=True))
    return paths


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
    _write_files([(Path(path), content)])


def render(suffix: str, lines: Ink | Sequence[Ink] | Document, **options: object) -> bytes:
    """The bytes of a file with this suffix.

    Raises BadOption where no format has it, the format has no such option, or holds one page and
    there are several.
    """
    format_ = _format_of(suffix)
    known = list(signature(format_).parameters)[1:]
    for name in options:
        if name not in known:
            takes = f"takes {', '.join(known)}" if known else "takes none"
            raise BadOption(f"a {suffix} file has no option {name!r}; it {takes}")
    return format_(_as_document(lines), **options)


def check_options(suffix: str, width_mm: float, height_mm: float, **options: object) -> None:
    """Raise BadOption now for what would stop `render` later: tried out on a blank page."""
    render(suffix, Document((Page(width_mm, height_mm, ()),)), **options)


def _as_document(lines: Ink | Sequence[Ink] | Document) -> Document:
    if isinstance(lines, Document):
        return lines
    return lay_out([lines] if isinstance(lines, Ink) else lines)


def _one_by_one(document: Document) -> Iterator[Document]:
    """Each page as a document of its own, whose title says which it is."""
    n = len(document.pages)
    for number, page in enumerate(document.pages, start=1):
        title = f"{document.title} ({number} of {n})".strip()
        yield replace(document, pages=(page,), title=title)


def _numbered(path: Path, n: int) -> list[Path]:
    digits = len(str(n))
    return [path.with_name(f"{path.stem}-{i:0{digits}}{path.suffix}") for i in range(1, n + 1)]


def _format_of(suffix: str) -> Callable[..., bytes]:
    if suffix.lower() not in FORMATS:
        given = f"with the suffix {suffix!r}" if suffix else "without a suffix"
        raise BadOption(f"cannot write a file {given}; choose one of {', '.join(FORMATS)}")
    return FORMATS[suffix.lower()]


def _write_files(files: Iterable[tuple[Path, bytes]]) -> None:
    """Write beside each file, then put all in their places; leave nothing behind on failure.

    The content of each is asked for when the one before is on the disk.
    """
    parts: list[tuple[Path, Path]] = []
    path = Path()
    try:
        for path, content in files:
            real = Path(os.path.realpath(path))  # a link stays a link
            part = real.with_name(f".handwriter-{token_hex(8)}.part")
            parts.append((part, real))
            with part.open("xb") as file:
                file.write(content)
        for _, path in parts:
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        for part, path in parts:
            part.replace(path)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise BadOption(f"cannot save {str(path)!r}: {_cure(path, error)}") from error
    finally:
        for part, _ in parts:
            _forget(part)


def _forget(part: Path) -> None:
    """Remove what is left of a file, whatever stood in the way of writing it."""
    with suppress(OSError, ValueError):
        part.unlink(missing_ok=True)


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
