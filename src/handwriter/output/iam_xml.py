"""IAM-OnDB's own form of ink as data: XML a line, its transcription, and the lists of forms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from itertools import count
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from handwriter.errors import BadOption
from handwriter.ink import Ink
from handwriter.output.layout import STEPS_A_SECOND
from handwriter.page import Document, Page, PlacedLine
from handwriter.tokens import collapsed, is_crossed_out, untokenised

UNITS_PER_MM = 100
UPSAMPLING = 2  # IAM-OnDB has so many points for each of a hand's, and `prepare` thins it so

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the least that a ZIP can tell: the same ink, the same bytes
_LISTS = ("trainset.txt", "testset_t.txt", "testset_f.txt", "testset_v.txt")


def iam_xml(document: Document) -> bytes:
    """A ZIP of the folders lineStrokes and ascii as IAM-OnDB has them, one form a page.

    All forms are in the list of those to train on.  Coordinates are whole hundredths of a
    millimetre from the page's top left corner, y downward.  Between any two points of a stroke
    lies one more, on the curve through them: a reader of IAM-OnDB that takes every second point,
    as `prepare` does, is given the hand's own.  Times are those of a steady pen.  What the form
    has no place for, title, hand, licence and seed, is in about.txt.

    Guides are left out, and lines without ink.  Raises BadOption for ink without a text, and for
    a text that the transcriptions' conventions cannot hold.
    """
    files: dict[str, str] = {}
    for number, page in enumerate(document.pages):
        files |= dict(_form(f"h{number // 1000 + 1:02}-{number % 1000:03}z", page))
    forms = [path.rpartition("/")[2] for path in files if path.endswith(".txt")]
    files |= dict.fromkeys(_LISTS, "")
    files["trainset.txt"] = "".join(f" {form.removesuffix('.txt')}\n" for form in forms)
    files["about.txt"] = _told({"Title": document.title, **document.about})
    return _zipped(files)


def _form(form: str, page: Page) -> Iterator[tuple[str, str]]:
    """Path and content of each file of one page; nothing where there is no ink on it."""
    lines = [line for layer in page.layers if not layer.is_guide for line in layer.lines]
    lines = [line for line in lines if line.ink.strokes]
    if not lines:
        return
    folder = f"{form[:3]}/{form[:7]}"
    texts = [_transcribed(line, number) for number, line in enumerate(lines, start=1)]
    yield f"ascii/{folder}/{form}.txt", "\n".join(["OCR:", "", "CSR:", "", *texts, ""])
    clock = count()
    for number, line in enumerate(lines, start=1):
        yield f"lineStrokes/{folder}/{form}-{number:02}.xml", _xml(line.ink, page, clock)


def _transcribed(line: PlacedLine, number: int) -> str:
    """The text, where reading it as IAM-OnDB's gives it again."""
    text = collapsed(line.text)
    instead = "write .inkml or .jsonl instead"
    if not text:
        raise BadOption(f"line {number} has no text, and IAM-OnDB has one for each line; {instead}")
    if is_crossed_out(text):
        raise BadOption(
            f"line {number} has # or %%, which mark crossed-out ink in IAM-OnDB: {text!r}; "
            f"{instead}"
        )
    if (joined := untokenised(text)[0]) != text:
        raise BadOption(
            f"line {number} has blanks that IAM-OnDB's transcriptions mean nothing by: {text!r} "
            f"would be read as {joined!r}; take them out, or {instead}"
        )
    if strange := [character for character in text if ord(character) > 0xFF]:
        raise BadOption(
            f"line {number} has {strange[0]!r}, and IAM-OnDB's transcriptions are in Latin-1; "
            f"{instead}"
        )
    return text


def _xml(ink: Ink, page: Page, clock: Iterator[int]) -> str:
    """A lineStrokes file."""
    right, bottom = (round(side * UNITS_PER_MM) for side in (page.width_mm, page.height_mm))
    dense = ink.smoothed(UPSAMPLING)
    return "\n".join(
        [
            '<?xml version="1.0" encoding="ISO-8859-1"?>',
            "<WhiteboardCaptureSession>",
            "  <WhiteboardDescription>",
            '    <SensorLocation corner="top_left"/>',
            f'    <DiagonallyOppositeCoords x="{right}" y="{bottom}"/>',
            f'    <VerticallyOppositeCoords x="0" y="{bottom}"/>',
            f'    <HorizontallyOppositeCoords x="{right}" y="0"/>',
            "  </WhiteboardDescription>",
            "  <StrokeSet>",
            *(row for stroke in dense.strokes for row in _stroke(stroke.tolist(), clock)),
            "  </StrokeSet>",
            "</WhiteboardCaptureSession>",
            "",
        ]
    )


def _stroke(points: Sequence[Sequence[float]], clock: Iterator[int]) -> list[str]:
    """The rows of one stroke; the clock tells the number of each point."""
    times = [f"{next(clock) / UPSAMPLING / STEPS_A_SECOND:.2f}" for _ in points]
    return [
        f'    <Stroke colour="black" start_time="{times[0]}" end_time="{times[-1]}">',
        *(
            f'      <Point x="{round(x * UNITS_PER_MM)}" y="{round(y * UNITS_PER_MM)}" '
            f'time="{time}"/>'
            for (x, y), time in zip(points, times, strict=True)
        ),
        "    </Stroke>",
    ]


def _told(about: Mapping[str, str]) -> str:
    return "".join(f"{name}: {' / '.join(value.splitlines())}\n" for name, value in about.items())


def _zipped(files: Mapping[str, str]) -> bytes:
    content = BytesIO()
    with ZipFile(content, "w", ZIP_DEFLATED) as archive:
        for path, text in sorted(files.items()):
            encoding = "utf-8" if path == "about.txt" else "latin-1"
            archive.writestr(ZipInfo(path, _EPOCH), text.encode(encoding), ZIP_DEFLATED)
    return content.getvalue()
