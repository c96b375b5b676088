"""A tiny collection in the format and layout of IAM-OnDB, every stroke and word invented."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np

LISTS = {
    "trainset.txt": ["a01-000u", "a01-001"],
    "testset_t.txt": ["b02-007z"],
    "testset_f.txt": ["c09-100x"],  # named here, without ink
    "testset_v.txt": ["d04-002z"],
}
TEXTS = {
    "a01-000u": ["The old fox slept", "under Mr . Brown's tree"],
    "a01-001": ["and dreamt of hens"],
    "b02-007z": ["while it # rained", "softly , all night"],
    "d04-002z": ["until the morning"],
    "k07-123z": ["in no list at all"],
}
WRITERS = {"a01-000u": "10001", "a01-001": "10001", "b02-007z": "10002", "d04-002z": "10003"}


def letters(text: str, seed: int = 0) -> list[list[tuple[int, int]]]:
    """Strokes that look like writing to a program: arches on a baseline, some with a tail.

    y grows downward; the baseline is y = 1000, a small letter 80 high.
    """
    rng = np.random.default_rng(seed)
    strokes = []
    x = 500.0
    for number, char in enumerate(text):
        if char != " ":
            height = 160.0 if number % 5 == 0 else 80.0
            tail = 70.0 if number % 7 == 3 else 0.0
            strokes.append(_letter(x, height, tail, rng))
        x += 75.0
    strokes.append([(int(x), 995)])  # a dot
    return strokes


def _letter(
    x: float, height: float, tail: float, rng: np.random.Generator
) -> list[tuple[int, int]]:
    """25 points: down to the baseline, up again, down to it or below, and out to the right."""
    at = np.linspace(0, 4, 25)
    xs = x + np.interp(at, range(5), [0, 5, 25, 35, 55])
    ys = 1000 + np.interp(at, range(5), [-height, 0, -75, tail, -20])
    wobble = rng.normal(0, 1.5, (2, 25))
    return [(round(a), round(b)) for a, b in zip(xs + wobble[0], ys + wobble[1], strict=True)]


def stroke_xml(strokes: list[list[tuple[int, int]]]) -> str:
    """A lineStrokes file."""
    body = "".join(
        '<Stroke colour="black" start_time="1.00" end_time="2.00">\n'
        + "".join(f'<Point x="{x}" y="{y}" time="{1 + i / 100:.2f}"/>\n' for i, (x, y) in points)
        + "</Stroke>\n"
        for points in (enumerate(stroke) for stroke in strokes)
    )
    return (
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n<WhiteboardCaptureSession>\n'
        '<WhiteboardDescription><SensorLocation corner="top_left"/></WhiteboardDescription>\n'
        f"<StrokeSet>\n{body}</StrokeSet>\n</WhiteboardCaptureSession>\n"
    )


def collection(all_texts: dict[str, list[str]] = TEXTS) -> dict[str, str]:
    """Every file of the collection by its path, as it lies in the archives."""
    files = {}
    for form, texts in all_texts.items():
        folder = f"{form[:3]}/{form[:7]}"
        csr = "\r\n".join(texts)
        files[f"ascii/{folder}/{form}.txt"] = f"OCR:\n\nprinted text\n\nCSR:\r\n\r\n{csr}\r\n"
        for number, text in enumerate(texts, start=1):
            path = f"lineStrokes/{folder}/{form}-{number:02}.xml"
            files[path] = stroke_xml(letters(text, seed=number))
    for form, writer in WRITERS.items():
        path = f"original/{form[:3]}/{form[:7]}/strokes{form[7:]}.xml"
        files[path] = (
            '<?xml version="1.0" encoding="ISO-8859-1"?>\n<WhiteboardCaptureSession><General>'
            f'<Form id="{form}" writerID="{writer}"/></General></WhiteboardCaptureSession>\n'
        )
    return files


def write_folders(folder: Path, files: dict[str, str] | None = None) -> Path:
    """The collection as its archives unpack, and the lists beside it."""
    for path, content in (collection() if files is None else files).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode("latin-1"))
    _write_lists(folder)
    return folder


def write_archives(folder: Path, files: dict[str, str] | None = None) -> Path:
    """The collection as its site serves it, and the lists in task1."""
    files = collection() if files is None else files
    folder.mkdir(parents=True, exist_ok=True)
    write_archive(folder / "lineStrokes-all.tar.gz", files, "lineStrokes/")
    write_archive(folder / "ascii-all.tar.gz", files, "ascii/")
    write_archive(folder / "original-xml-part.tar.gz", files, "original/")
    _write_lists(folder / "task1")
    return folder


def write_archive(path: Path, files: dict[str, str], prefix: str) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name in (name for name in files if name.startswith(prefix)):
            content = files[name].encode("latin-1")
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def _write_lists(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, forms in LISTS.items():
        (folder / name).write_text("".join(f" {form}\n" for form in forms))
