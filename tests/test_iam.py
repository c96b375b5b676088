"""IAM-OnDB in its own format: read whole, refused where damaged, every line accounted for."""

from __future__ import annotations

import tarfile
from pathlib import Path

import fixtures_iam as tiny_iam
import numpy as np
import pytest

from handwriter.errors import BadData
from handwriter.ink import Line
from handwriter.training.iam import Noted, Skipped, read_iam

REAL = Path(__file__).parents[2] / "shared" / "iam-ondb"
FIRST = "lineStrokes/a01/a01-000/a01-000u-01.xml"
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    "<StrokeSet><Stroke>&b;</Stroke></StrokeSet>"
)


def lines_of(folder: Path) -> list[Line]:
    return [found for found in read_iam(folder) if isinstance(found, Line)]


def skipped_of(folder: Path) -> dict[str, str]:
    return {f.source: f.reason for f in read_iam(folder) if isinstance(f, Skipped)}


def noted_of(folder: Path) -> dict[str, str]:
    return {f.source: f.what for f in read_iam(folder) if isinstance(f, Noted)}


def with_file(path: str, content: str) -> dict[str, str]:
    return tiny_iam.collection() | {path: content}


def test_a_line_has_its_ink_text_writer_split_and_source(tmp_path: Path) -> None:
    line = lines_of(tiny_iam.write_archives(tmp_path))[1]
    assert line.source == "a01-000u-02"
    assert line.text == "under Mr . Brown's tree"
    assert (line.writer, line.split) == ("10001", "train")
    expected = tiny_iam.letters(line.text, seed=2)
    assert [stroke.tolist() for stroke in line.ink.strokes] == [
        [list(map(float, point)) for point in stroke] for stroke in expected
    ]


def test_archives_equal_the_folders_they_unpack_to(tmp_path: Path) -> None:
    packed = lines_of(tiny_iam.write_archives(tmp_path / "packed"))
    unpacked = lines_of(tiny_iam.write_folders(tmp_path / "unpacked"))
    assert len(packed) == 6
    for a, b in zip(packed, unpacked, strict=True):
        assert (a.text, a.writer, a.split, a.source) == (b.text, b.writer, b.split, b.source)
        np.testing.assert_array_equal(a.ink.offsets, b.ink.offsets)


def test_the_three_other_lists_are_for_training_and_testset_v_validates(tmp_path: Path) -> None:
    lines = lines_of(tiny_iam.write_archives(tmp_path))
    assert {line.source[:-3]: line.split for line in lines} == {
        "a01-000u": "train",
        "a01-001": "train",
        "b02-007z": "train",
        "d04-002z": "validation",
    }


def test_a_form_in_no_list_is_left_out_and_counted(tmp_path: Path) -> None:
    folder = tiny_iam.write_archives(tmp_path)
    assert skipped_of(folder) == {"k07-123z-01": "form in no list"}


def test_a_form_that_a_list_names_but_that_is_absent_is_no_error(tmp_path: Path) -> None:
    folder = tiny_iam.write_archives(tmp_path)
    assert noted_of(folder) == {"c09-100x": "form in a list but without ink"}


def test_a_line_without_transcription_is_left_out_and_counted(tmp_path: Path) -> None:
    files = with_file("ascii/a01/a01-000/a01-000u.txt", "CSR:\n\nThe old fox slept\n")
    folder = tiny_iam.write_archives(tmp_path, files)
    assert skipped_of(folder)["a01-000u-02"] == "no transcription"
    assert noted_of(folder)["a01-000u"] == "transcription with more or fewer lines than the ink"


def test_a_form_without_any_transcription_is_left_out_and_counted(tmp_path: Path) -> None:
    files = tiny_iam.collection()
    del files["ascii/d04/d04-002/d04-002z.txt"]
    assert skipped_of(tiny_iam.write_archives(tmp_path, files))["d04-002z-01"] == "no transcription"


def test_a_transcription_without_its_section_is_noted(tmp_path: Path) -> None:
    files = with_file("ascii/d04/d04-002/d04-002z.txt", "until the morning\n")
    folder = tiny_iam.write_archives(tmp_path, files)
    found = [f.what for f in read_iam(folder) if isinstance(f, Noted) and f.source == "d04-002z"]
    assert "transcription without a CSR section" in found


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (BOMB, "XML with declarations, which could be a bomb"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "XML with declarations"),
        ("<StrokeSet><Stroke>", "damaged XML"),
        ("", "damaged XML"),
        ('<StrokeSet><Stroke><Point x="1"/></Stroke></StrokeSet>', "damaged XML"),
        ('<StrokeSet><Stroke><Point x="1" y="up"/></Stroke></StrokeSet>', "damaged XML"),
        ('<StrokeSet><Stroke><Point x="1" y="nan"/></Stroke></StrokeSet>', "damaged XML"),
        ('<StrokeSet><Point x="1" y="2"/></StrokeSet>', "damaged XML"),
        ("<StrokeSet><Stroke></Stroke></StrokeSet>", "no points"),
    ],
)
def test_a_damaged_file_of_ink_is_left_out_under_a_reason(
    tmp_path: Path, content: str, reason: str
) -> None:
    folder = tiny_iam.write_archives(tmp_path, with_file(FIRST, content))
    assert skipped_of(folder)["a01-000u-01"].startswith(reason)
    assert len(lines_of(folder)) == 5


def test_a_file_of_ink_that_is_far_too_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handwriter.training.iam.MAX_FILE_BYTES", 30_000)
    files = with_file(FIRST, tiny_iam.stroke_xml(tiny_iam.letters("x" * 50)))
    for folder in (
        tiny_iam.write_archives(tmp_path / "packed", files),
        tiny_iam.write_folders(tmp_path / "unpacked", files),
    ):
        assert skipped_of(folder)["a01-000u-01"] == "file too large"


def test_the_path_names_the_writers_form_where_the_id_inside_is_wrong(tmp_path: Path) -> None:
    path = "original/d04/d04-002/strokesz.xml"
    wrong = '<a><Form id="d04-002" writerID="777"/><unfinished'
    folder = tiny_iam.write_archives(tmp_path, with_file(path, wrong))
    assert noted_of(folder)["d04-002z"] == "original file names another form"
    assert lines_of(folder)[-1].writer == "777"


@pytest.mark.parametrize("content", ["<a><General", BOMB, "<a/>"])
def test_a_damaged_original_file_is_noted_and_the_writer_stays_unknown(
    tmp_path: Path, content: str
) -> None:
    path = "original/d04/d04-002/strokesz.xml"
    folder = tiny_iam.write_archives(tmp_path, with_file(path, content))
    assert noted_of(folder)["d04-002z"] == "original file damaged"
    assert lines_of(folder)[-1].writer == ""


def test_writers_come_from_forms_txt_where_it_is(tmp_path: Path) -> None:
    folder = tiny_iam.write_archives(tmp_path)
    (folder / "forms.txt").write_text("# form writer\nd04-002z 4711\n")
    assert lines_of(folder)[-1].writer == "4711"
    assert lines_of(folder)[0].writer == "10001"


def test_the_original_files_may_be_absent(tmp_path: Path) -> None:
    folder = tiny_iam.write_archives(tmp_path)
    (folder / "original-xml-part.tar.gz").unlink()
    assert {line.writer for line in lines_of(folder)} == {""}


@pytest.mark.parametrize("missing", ["lineStrokes-all.tar.gz", "ascii-all.tar.gz"])
def test_a_missing_archive_is_named(tmp_path: Path, missing: str) -> None:
    folder = tiny_iam.write_archives(tmp_path)
    (folder / missing).unlink()
    with pytest.raises(BadData, match=f"has neither {missing}"):
        lines_of(folder)


def test_a_missing_list_is_named(tmp_path: Path) -> None:
    folder = tiny_iam.write_archives(tmp_path)
    (folder / "task1" / "testset_f.txt").unlink()
    with pytest.raises(BadData, match=r"has no testset_f\.txt"):
        lines_of(folder)


@pytest.mark.parametrize("kept", [0.02, 0.3, 0.6, 0.95, 0.999])
@pytest.mark.parametrize("name", ["lineStrokes-all.tar.gz", "ascii-all.tar.gz"])
def test_half_an_archive_is_refused_wherever_it_ends(
    tmp_path: Path, name: str, kept: float
) -> None:
    archive = tiny_iam.write_archives(tmp_path) / name
    whole = archive.read_bytes()
    archive.write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(BadData, match=r"cannot read .*Is the download complete\?"):
        lines_of(tmp_path)


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tiny_iam.write_archives(tmp_path) / "lineStrokes-all.tar.gz").write_text("<html>404</html>")
    with pytest.raises(BadData, match=r"cannot read .*lineStrokes-all\.tar\.gz"):
        lines_of(tmp_path)


def test_an_empty_database_is_refused(tmp_path: Path) -> None:
    files = {p: c for p, c in tiny_iam.collection().items() if not p.startswith("lineStrokes")}
    with pytest.raises(BadData, match="holds no line of ink"):
        lines_of(tiny_iam.write_archives(tmp_path / "no ink", files))
    with pytest.raises(BadData, match="holds no transcription"):
        lines_of(tiny_iam.write_archives(tmp_path / "nothing", {}))


def test_progress_rises_to_one(tmp_path: Path) -> None:
    for write in (tiny_iam.write_archives, tiny_iam.write_folders):
        told: list[float] = []
        list(read_iam(write(tmp_path / write.__name__), told.append))
        assert told == sorted(told)
        assert told[-1] == 1.0


def test_the_real_collection_has_11617_lines() -> None:
    archive = REAL / "lineStrokes-all.tar.gz"
    if not archive.is_file():
        pytest.skip("IAM-OnDB is not in ../shared/iam-ondb; it cannot be given away with the code")
    with tarfile.open(archive, "r|gz") as members:
        assert sum(member.name.endswith(".xml") for member in members) == 11_617
    first = next(found for found in read_iam(REAL) if isinstance(found, Line))
    assert first.source == "a01-000u-01"
    assert first.text == "A MOVE to stop Mr . Gaitskell"
    assert first.split == "train"
