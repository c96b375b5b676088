"""A tiny collection in the format and layout of UNIPEN train_r01_v07, every stroke invented."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

# y grows upward; 10 units are a millimetre.
DOC = """.VERSION 1.0
.DATA_SOURCE Nowhere
.COMMENT A comment may hold .PEN_DOWN
         1 2 and run over lines.
.HIERARCHY TEXT WORD CHARACTER
.X_POINTS_PER_MM 10
.Y_POINTS_PER_MM 10
.POINTS_PER_SECOND 100
.COORD X Y
"""

Files = dict[str, str]


def component(keyword: str, points: list[tuple[int, int]]) -> str:
    return f".{keyword}\n" + "".join(f"\t{x} {y}\n" for x, y in points)


def down(x: int, y: int = 500) -> str:
    """A letter 50 units high: down from the top, up again and down to the right."""
    return component("PEN_DOWN", [(x, y + 50), (x, y + 25), (x, y), (x + 20, y + 30), (x + 30, y)])


def up(x: int, y: int = 500) -> str:
    return component("PEN_UP", [(x, y + 60), (x + 5, y + 60)])


EMPTY = ".PEN_UP\n"
WITHHELD = ".PEN_DOWN\n0 0\n"


def word(x: int, y: int, n_letters: int) -> str:
    return "".join(down(x + 40 * i, y) + EMPTY for i in range(n_letters))


def labels(contributor: str, ink: str, *segments: str, includes: tuple[str, ...] = ()) -> str:
    """A file of labels: it includes the documentation, then the ink, and names its segments."""
    paths = (*includes, f"{contributor}/{contributor}.doc", f"{contributor}/data/{ink}.dat")
    return (
        ".VERSION 1.0\n"
        + "".join(f".INCLUDE {path}\n" for path in paths)
        + "".join(f".SEGMENT {segment}\n" for segment in segments)
    )


def one(ink: str, *segments: str, doc: str = DOC, category: str = "7", who: str = "zzz") -> Files:
    """A collection of one file of labels and one of ink, of the contributor `who`."""
    return {
        f"data/{category}/{who}/a.dat": labels(who, "a", *segments),
        f"include/{who}/{who}.doc": doc,
        f"include/{who}/data/a.dat": ".WRITER_ID ann\n.STYLE MIXED\n" + ink,
    }


def collection() -> Files:
    """Two contributors: words and characters of one, and a text of two lines of the other."""
    ink = down(100) + up(120) + down(140) + EMPTY + down(180) + down(220) + WITHHELD
    text = word(100, 500, 3) + word(300, 500, 2) + word(110, 380, 4)
    return one(ink, 'WORD 0-3 OK "ham"', 'WORD 4 ? "s"', 'WORD 5 ? "x"') | {
        "CDROM-README": "a picture of the disc",
        "data/6/zzz/a.dat": labels("zzz", "a", 'WORD 0-3 OK "ham"'),
        "data/1c/zzz/a.dat": labels("zzz", "a", 'CHARACTER 0 ? "h"', 'CHARACTER 2:0-2:2 ? "a"'),
        "data/8/yyy/d1/t.dat": labels("yyy", "d1/t", 'TEXT 0-8 GOOD "the ox grew"'),
        "data/7/yyy/d1/t.dat": labels(
            "yyy", "d1/t", 'WORD 0-2 ? "the"', 'WORD 3-4 ? "ox"', 'WORD 5-8 ? "grew"'
        ),
        "include/yyy/data/d1/t.dat": ".WRITER_ID bob\n" + text,
        "include/yyy/yyy.doc": DOC,
    }


def write_folder(folder: Path, files: Files | None = None) -> Path:
    """The collection as its archive unpacks."""
    for name in ("data", "include"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for path, content in (collection() if files is None else files).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode("latin-1"))
    return folder


def write_archive(
    path: Path, files: Files | None = None, mode: str = "w:bz2", prefix: str = ""
) -> Path:
    """The collection as it is served; its members lie in the order of `files`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, text in (collection() if files is None else files).items():
            content = text.encode("latin-1")
            member = tarfile.TarInfo(prefix + name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path
