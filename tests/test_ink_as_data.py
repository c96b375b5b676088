"""Ink as data: what is written as JSON-lines, InkML or IAM-OnDB's XML is read again as it was."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import fixtures_iam as tiny_iam
import numpy as np
import pytest
from lxml import etree

from handwriter.density import thinned
from handwriter.errors import BadData, BadOption
from handwriter.ink import Ink, Line, Written
from handwriter.interchange import read_ink
from handwriter.levelling import levelled
from handwriter.output import render, save
from handwriter.output.iam_xml import UNITS_PER_MM
from handwriter.output.layout import MM_PER_UNIT, STEPS_A_SECOND, lay_out
from handwriter.page import Document, Layer, Page, PlacedLine
from handwriter.training.iam import read_iam
from handwriter.training.lines import load_lines
from handwriter.training.prepare import prepare

TEXTS = ("the quick brown fox", "jumps over Mr. Brown's dog", '"Why?" asked the dog')
SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).with_name("inkml.xsd")))
INKML = "{http://www.w3.org/2003/InkML}"
ROUNDING = {".jsonl": 1e-4, ".inkml": 1e-4, ".zip": 1 / UNITS_PER_MM}  # in the file's own unit
UNIT = {".jsonl": 1.0, ".inkml": MM_PER_UNIT, ".zip": MM_PER_UNIT * UNITS_PER_MM}


def written(text: str, seed: int = 1) -> Written:
    """Ink as a hand writes it: level, in its unit, some 12 points for each character."""
    ink = levelled(thinned(Ink.from_strokes(tiny_iam.letters(text, seed)), 2))
    assert ink is not None
    return Written(ink.strokes, text, "tiny", "CC0-1.0", seed, 0.5, True, ink.n_points)


LINES = [written(text, seed) for seed, text in enumerate(TEXTS, start=1)]


def read_again(path: Path, folder: Path) -> list[Line]:
    """What our own reader of this form gives, in the file's unit."""
    if path.suffix != ".zip":
        return list(read_ink(path)[0])
    with ZipFile(path) as archive:
        archive.extractall(folder)
    found = [line for line in read_iam(folder) if isinstance(line, Line)]
    return [Line(thinned(line.ink, 2), line.text) for line in found]


def pages_of(*lines: PlacedLine) -> Document:
    rule = PlacedLine(Ink.from_strokes([[(0, 9), (50, 9)]]))
    layers = (Layer((rule,), name="2-rules", is_guide=True), Layer(lines))
    return Document(tuple(Page(50.0, 20.0, layers) for _ in range(2)), "a title", {"Seed": "7"})


@pytest.mark.parametrize("suffix", ROUNDING)
def test_strokes_and_text_are_read_again_to_the_rounding(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"ink{suffix}"
    save(path, LINES)
    again = read_again(path, tmp_path)
    assert [line.text for line in again] == list(TEXTS)
    for before, after in zip(LINES, again, strict=True):
        assert [len(s) for s in after.ink.strokes] == [len(s) for s in before.strokes]
        moved = after.ink.points - after.ink.points[0]
        wanted = UNIT[suffix] * (before.points - before.points[0])
        most = 1.0 if suffix == ".zip" else ROUNDING[suffix]
        np.testing.assert_allclose(moved, wanted, atol=most + 1e-9)


@pytest.mark.parametrize("suffix", ROUNDING)
def test_prepare_gives_the_strokes_and_texts_again(suffix: str, tmp_path: Path) -> None:
    save(tmp_path / f"ink{suffix}", LINES)
    prepare([tmp_path / f"ink{suffix}"], tmp_path / "lines.npz")
    lines = load_lines(tmp_path / "lines.npz")
    assert sorted(lines.texts) == sorted(TEXTS)
    for number, text in enumerate(lines.texts):
        # Every line is levelled by all its points, those that are thinned out as well.
        every = 2 if suffix == ".zip" else 1
        level = levelled(LINES[TEXTS.index(text)].smoothed(every))
        assert level is not None
        wanted, found = thinned(level, every), lines.line(number).ink
        assert [len(s) for s in found.strokes] == [len(s) for s in wanted.strokes]
        most = 2 / 400 + ROUNDING[suffix] / UNIT[suffix]
        np.testing.assert_allclose(found.points, wanted.points, rtol=1e-3, atol=most)


def test_the_schema_accepts_the_inkml_and_refuses_what_is_none() -> None:
    assert SCHEMA.validate(etree.fromstring(render(".inkml", LINES)))
    for wrong in (
        render(".inkml", LINES).replace(b'name="X"', b'name="x"'),
        render(".inkml", LINES).replace(b' xml:id="pen"', b""),
        render(".inkml", LINES).replace(b"context", b"contexts"),
        render(".inkml", LINES).replace(b", ", b"; "),
    ):
        assert not SCHEMA.validate(etree.fromstring(wrong))


def test_inkml_without_ink_or_words_and_with_signs_of_xml_is_still_inkml() -> None:
    odd = [Ink(LINES[0].strokes), written("a < b & c > d"), Ink(())]
    for lines in (odd, [], odd[2:]):
        assert SCHEMA.validate(etree.fromstring(render(".inkml", lines)))


def test_inkml_tells_units_time_text_and_how_it_was_written() -> None:
    ink = etree.fromstring(render(".inkml", LINES))
    channels = {c.get("name"): c.get("units") for c in ink.iter(f"{INKML}channel")}
    assert channels == {"X": "mm", "Y": "mm", "T": "ms"}
    told = {a.get("type"): a.text for a in ink.findall(f"{INKML}annotation")}
    assert told["title"] == "\n".join(TEXTS)
    assert (told["hand"], told["licence"], told["seed"]) == ("tiny", "CC0-1.0", "1, 2, 3")
    points = [p.split() for t in ink.iter(f"{INKML}trace") for p in t.text.split(", ")]
    times = np.array([float(time) for _, _, time in points])
    np.testing.assert_allclose(np.diff(times), 1000 / STEPS_A_SECOND, atol=1)
    assert len(points) == sum(line.n_points for line in LINES)


def test_inkml_of_ink_that_no_hand_wrote_tells_no_time() -> None:
    content = render(".inkml", [LINES[0], Ink(LINES[1].strokes)])
    assert b'"T"' not in content
    assert b"sampleRate" not in content


def test_another_library_reads_the_same_strokes_in_metres_and_seconds(tmp_path: Path) -> None:
    uim = pytest.importorskip("uim.codec.parser.inkml", reason="needs universal-ink-library")
    save(tmp_path / "ink.inkml", LINES)
    model = uim.InkMLParser().parse(tmp_path / "ink.inkml")
    strokes = [s for line in lay_out(LINES).written_lines for s in line.ink.strokes]
    found = model.sensor_data.sensor_data
    assert len(found) == len(strokes)
    for stroke, sensed in zip(strokes, found, strict=True):
        x, y, t = (np.array(channel.values) for channel in sensed.data_channels[:3])
        np.testing.assert_allclose(np.column_stack([x, y]) * 1000, stroke, atol=1e-4)
        np.testing.assert_allclose(np.diff(t), 1 / STEPS_A_SECOND, atol=0.0011)


# --- IAM-OnDB -------------------------------------------------------------------------------


def iam_files(lines: Sequence[Ink] | Document) -> dict[str, str]:
    with ZipFile(BytesIO(render(".zip", lines))) as archive:
        return {name: archive.read(name).decode("latin-1") for name in archive.namelist()}


def test_the_zip_is_laid_out_as_iam_ondb_is() -> None:
    files = iam_files(LINES)
    assert [name for name in files if "/" in name] == [
        "ascii/h01/h01-000/h01-000z.txt",
        "lineStrokes/h01/h01-000/h01-000z-01.xml",
        "lineStrokes/h01/h01-000/h01-000z-02.xml",
        "lineStrokes/h01/h01-000/h01-000z-03.xml",
    ]
    assert files["trainset.txt"].split() == ["h01-000z"]
    assert files["ascii/h01/h01-000/h01-000z.txt"].split("CSR:\n\n")[1].splitlines() == list(TEXTS)
    assert "Licence: CC0-1.0\n" in files["about.txt"]
    root = etree.fromstring(files["lineStrokes/h01/h01-000/h01-000z-01.xml"].encode("latin-1"))
    points = list(root.iter("Point"))
    assert all(p.get("x").isdecimal() and p.get("y").isdecimal() for p in points)
    times = [float(p.get("time")) for p in points]
    assert times == sorted(times)
    stroke = root.find("StrokeSet/Stroke")
    assert stroke.get("end_time") == stroke.findall("Point")[-1].get("time")


def test_each_page_is_a_form_without_its_rules_and_blank_lines() -> None:
    placed = PlacedLine(LINES[0].moved(5, 5), TEXTS[0], 5.0, LINES[0])
    files = iam_files(pages_of(placed, PlacedLine(Ink(()), ""), placed))
    forms = [name.rpartition("/")[2] for name in files if name.startswith("line")]
    assert forms == ["h01-000z-01.xml", "h01-000z-02.xml", "h01-001z-01.xml", "h01-001z-02.xml"]
    inkml = etree.fromstring(render(".inkml", pages_of(placed)))
    assert len(list(inkml.iter(f"{INKML}trace"))) == 2 * len(LINES[0].strokes)


def test_a_page_without_ink_is_no_form() -> None:
    assert not [name for name in iam_files(pages_of()) if "/" in name]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (" ", "line 2 has no text"),
        ("crossed # out", "mark crossed-out ink"),
        ("a , b", "would be read as 'a, b'; take them out"),
        ("Łódź", "has 'Ł', and IAM-OnDB's transcriptions are in Latin-1"),
    ],
)
def test_what_iam_ondb_cannot_tell_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(BadOption, match=complaint) as raised:
        render(".zip", [LINES[0], written(text, 2) if text.strip() else Ink(LINES[1].strokes)])
    assert "write .inkml or .jsonl instead" in str(raised.value)


def test_a_zip_that_is_none_or_holds_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ink.zip"
    path.write_bytes(render(".zip", LINES)[:500])
    with pytest.raises(BadData, match="Is it a whole ZIP"):
        prepare([path], tmp_path / "lines.npz")
    with ZipFile(path, "w") as archive:
        archive.writestr("notes.txt", "nothing")
    with pytest.raises(BadData, match="holds no IAM-OnDB"):
        prepare([path], tmp_path / "lines.npz")


def test_a_zip_that_would_fill_the_disk_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handwriter.training.prepare.MOST_UNPACKED", 1000)
    (tmp_path / "ink.zip").write_bytes(render(".zip", LINES))
    with pytest.raises(BadData, match="unpack it yourself"):
        prepare([tmp_path / "ink.zip"], tmp_path / "lines.npz")
