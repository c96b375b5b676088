"""UNIPEN in its own format: read whole, refused where damaged, every segment accounted for."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import fixtures_unipen as tiny
import numpy as np
import pytest
from fixtures_unipen import DOC, EMPTY, WITHHELD, Files, down, one, up, word

from handwriter.errors import BadData
from handwriter.training.unipen import Segment, Skipped, read_unipen
from handwriter.training.unipen_files import ARCHIVES, is_unipen

REAL = Path(__file__).parents[2] / "shared" / "unipen"
KINDS = [*zip(ARCHIVES, ("w:bz2", "w:gz", "w"), strict=True)]


def segments_of(folder: Path, files: Files | None = None) -> dict[str, Segment]:
    if files is not None:
        tiny.write_folder(folder, files)
    return {s.source: s for s in read_unipen(folder) if isinstance(s, Segment)}


def skipped_of(folder: Path, files: Files | None = None) -> Counter[str]:
    if files is not None:
        tiny.write_folder(folder, files)
    return Counter(s.reason for s in read_unipen(folder) if isinstance(s, Skipped))


def the_only(folder: Path, files: Files) -> Segment:
    (segment,) = segments_of(folder, files).values()
    return segment


def points_of(segment: Segment) -> list[list[tuple[float, float]]]:
    return [[(round(x, 6), round(y, 6)) for x, y in s.tolist()] for s in segment.ink.strokes]


# --- The format ------------------------------------------------------------------------------


def test_a_segment_has_its_ink_text_and_where_it_comes_from(tmp_path: Path) -> None:
    segment = segments_of(tiny.write_folder(tmp_path))["zzz/a:WORD:0-3"]
    assert (segment.text, segment.writer, segment.split) == ("ham", "ann", "")
    assert (segment.level, segment.category, segment.contributor) == ("WORD", "7", "zzz")
    assert (segment.rate, segment.quality) == (100, "OK")
    assert segment.ink.n_points == 15


def test_ink_is_in_millimetres_with_y_downward(tmp_path: Path) -> None:
    segment = the_only(tmp_path, one(down(100), 'WORD 0 ? "i"'))
    assert points_of(segment) == [
        [(10, -55), (10, -52.5), (10, -50), (12, -53), (13, -50)],
    ]


def test_each_axis_has_its_own_resolution_and_an_inch_is_25_4_mm(tmp_path: Path) -> None:
    doc = ".X_POINTS_PER_INCH 254\n.Y_POINTS_PER_INCH 508.0\n.COORD X Y\n"
    segment = the_only(tmp_path, one(".PEN_DOWN\n10 20\n20 60\n", 'WORD 0 ? "i"', doc=doc))
    assert points_of(segment) == [[(1, -1), (2, -3)]]


def test_other_columns_than_x_and_y_are_passed_over(tmp_path: Path) -> None:
    doc = DOC.replace(".COORD X Y", ".COORD T Y P X")
    segment = the_only(tmp_path, one(".PEN_DOWN\n7 20 9 10\n8 40 9 30\n", 'WORD 0 ? "i"', doc=doc))
    assert points_of(segment) == [[(1, -2), (3, -4)]]


def test_pen_up_components_with_points_are_counted_and_give_no_ink(tmp_path: Path) -> None:
    ink = down(100) + up(120) + down(140)
    segments = segments_of(tmp_path, one(ink, 'WORD 0-1 ? "i"', 'WORD 2 ? "j"'))
    assert [len(s.ink.strokes) for s in segments.values()] == [1, 1]
    assert segments["zzz/a:WORD:2"].ink.bounds[0] == 14


def test_components_without_points_are_not_counted(tmp_path: Path) -> None:
    ink = EMPTY + down(100) + EMPTY + ".DT 70\n.PEN_DOWN\n" + EMPTY + down(140)
    segment = segments_of(tmp_path, one(ink, 'WORD 1 ? "j"'))["zzz/a:WORD:1"]
    assert segment.ink.bounds[0] == 14


def test_a_new_set_counts_from_zero(tmp_path: Path) -> None:
    segment = the_only(tmp_path, one(down(100) + ".START_SET b\n" + down(300), 'WORD 0 ? "j"'))
    assert segment.ink.bounds[0] == 30


@pytest.mark.parametrize(
    ("ranges", "strokes"),
    [
        ("1", [[10, 11, 12]]),
        ("0-1", [[0, 1, 2], [10, 11, 12]]),
        ("0,2", [[0, 1, 2], [20, 21, 22]]),
        ("0:1-1:1", [[1, 2], [10, 11]]),
        ("0:2-1", [[2], [10, 11, 12]]),
        ("0-1:0", [[0, 1, 2], [10]]),
        ("1:1-1:1,2:2-2:2,0", [[11], [22], [0, 1, 2]]),
    ],
)
def test_ranges_are_by_component_and_by_point_and_include_their_ends(
    tmp_path: Path, ranges: str, strokes: list[list[int]]
) -> None:
    ink = "".join(f".PEN_DOWN\n{x}0 0\n{x + 1}0 10\n{x + 2}0 20\n" for x in (0, 10, 20))
    segment = the_only(tmp_path, one(ink, f'WORD {ranges} ? "i"'))
    assert [s[:, 0].round(6).tolist() for s in segment.ink.strokes] == strokes


@pytest.mark.parametrize(
    ("label", "text"),
    [
        (r'"\""', '"'),
        (r'"\\"', "\\"),
        (r'"a \"b\" "', 'a "b"'),
        ('"car\t\t"', "car"),
        (r'"a\tb"', "a b"),
        ('"a\n  b"', "a b"),
        (r'"o\@n"', "on"),
        ('"@"', "@"),
    ],
)
def test_labels_are_read_with_their_escapes(tmp_path: Path, label: str, text: str) -> None:
    assert the_only(tmp_path, one(down(100), f"WORD 0 ? {label}")).text == text


def test_includes_are_read_where_they_stand_and_may_be_nested(tmp_path: Path) -> None:
    files = one(down(140), 'WORD 0-1 ? "ij"')
    files["include/zzz/data/a.dat"] = ".INCLUDE zzz/more.dat\n" + files["include/zzz/data/a.dat"]
    files["include/zzz/more.dat"] = down(100)
    assert the_only(tmp_path, files).ink.bounds[0] == 10


def test_a_rate_or_resolution_that_headers_tell_wrongly_is_set_right(tmp_path: Path) -> None:
    segment = the_only(tmp_path / "kai", one(down(100), 'WORD 0 ? "i"', who="kai"))
    assert segment.rate == 0
    segment = the_only(tmp_path / "phi", one(down(1000), 'WORD 0 ? "i"', who="phi"))
    assert segment.ink.bounds[0] == pytest.approx(25.4)


def test_a_segment_is_given_once_in_whichever_categories_it_is(tmp_path: Path) -> None:
    folder = tiny.write_folder(tmp_path)
    assert segments_of(folder)["zzz/a:WORD:0-3"].category == "7"
    assert skipped_of(folder)["given in another category"] == 1


def test_it_is_the_same_segment_whatever_else_a_category_includes(tmp_path: Path) -> None:
    files = one(down(100), 'WORD 0 ? "i"')
    files["data/6/zzz/a.dat"] = tiny.labels("zzz", "a", 'WORD 0 ? "i"', includes=("zzz/b.doc",))
    files["include/zzz/b.doc"] = ""
    assert the_only(tmp_path, files).category == "7"


# --- Texts of several lines ------------------------------------------------------------------


def test_a_text_of_several_lines_breaks_where_its_words_do(tmp_path: Path) -> None:
    segments = segments_of(tiny.write_folder(tmp_path))
    first, second = segments["yyy/d1/t:TEXT:0-8:1"], segments["yyy/d1/t:TEXT:0-8:2"]
    assert (first.text, second.text) == ("the ox", "grew")
    assert [len(line.ink.strokes) for line in (first, second)] == [5, 4]
    assert {first.category, second.category} == {"8"}


def test_characters_tell_where_a_text_breaks_too(tmp_path: Path) -> None:
    ink = word(100, 500, 2) + word(100, 380, 3)
    files = one(ink, 'TEXT 0-4 ? "ox cow"', category="8")
    characters = [f'CHARACTER {i} ? "{char}"' for i, char in enumerate("oxcow")]
    files["data/3/zzz/a.dat"] = tiny.labels("zzz", "a", *characters)
    texts = {s.text for s in segments_of(tmp_path, files).values() if s.level == "TEXT"}
    assert texts == {"ox", "cow"}


def test_a_text_of_several_lines_that_nothing_divides_is_left_out(tmp_path: Path) -> None:
    ink = word(100, 500, 2) + word(100, 380, 3)
    found = skipped_of(tmp_path, one(ink, 'TEXT 0-4 ? "ox cow"', category="8"))
    assert found == {"several lines, and nothing tells where the text breaks": 1}


def test_words_that_jump_between_lines_are_not_told_apart(tmp_path: Path) -> None:
    ink = word(100, 500, 2) + word(100, 380, 3)
    words = ('WORD 0-2 ? "oxc"', 'WORD 3-4 ? "ow"')
    found = skipped_of(tmp_path, one(ink, 'TEXT 0-4 ? "oxc ow"', *words, category="8"))
    assert found == {"lines that cannot be told apart": 1}


def test_dots_commas_and_slopes_begin_no_line(tmp_path: Path) -> None:
    dot = ".PEN_DOWN\n105 560\n"
    comma = ".PEN_DOWN\n300 500\n295 480\n"
    sloping = "".join(down(340 + 40 * i, 500 - 10 * i) for i in range(9))
    ink = word(100, 500, 4) + dot + comma + sloping
    segment = the_only(tmp_path, one(ink, 'TEXT 0-14 ? "wide, bacdefghe"', category="8"))
    assert len(segment.ink.strokes) == 15


def test_a_stroke_added_to_an_earlier_line_belongs_there(tmp_path: Path) -> None:
    ink = word(100, 500, 2) + word(100, 300, 3) + ".PEN_DOWN\n150 530\n"
    words = ('WORD 0-1,5 ? "oi"', 'WORD 2-4 ? "cow"')
    segments = segments_of(tmp_path, one(ink, 'TEXT 0-5 ? "oi cow"', *words, category="8"))
    assert len(segments["zzz/a:TEXT:0-5:1"].ink.strokes) == 3


# --- What is left out ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("segment", "reason"),
    [
        ('WORD 0 BAD "i"', "quality BAD"),
        ('WORD 0 ? ""', "no label"),
        ("WORD 0", "no label"),
        (r'CHARACTER 0 ? "\@"', "a joining stroke, no character"),
        ('WORD ? ? "i"', "range not understood"),
        ('WORD 0: ? "i"', "range not understood"),
        ('WORD 0-99999999999 ? "i"', "range not understood"),
        ('WORD 1-0 ? "i"', "range past the end of the ink"),
        ('WORD 3-5 ? "i"', "range past the end of the ink"),
        ('WORD 0:1-0:5 ? "i"', "range past the end of a component"),
        ('WORD 0:3-0:1 ? "i"', "range past the end of a component"),
        ('WORD 1 ? "i"', "no ink"),
        ('WORD 2 ? "i"', "ink withheld"),
        ('WORD 0-2 ? "ij"', "ink withheld in part"),
        ('WORD 3 ? "i"', "damaged coordinates"),
        ('WORD 4 ? "i"', "damaged coordinates"),
        ('WORD 0 ? "\xe9"', "unknown character"),
        ('CHARACTER 0 ? "ij"', "more than one character"),
        ('PAGE 0 ? "i"', "neither text nor word nor character"),
        ('WORD 0 ? "i', "neither text nor word nor character"),
        (f'WORD 0 ? "{"i" * 5000}"', "neither text nor word nor character"),
        (f'WORD 0 ? "{"i" * 30}"', "ink and text disagree"),
    ],
)
def test_a_segment_that_cannot_be_used_is_left_out_under_a_reason(
    tmp_path: Path, segment: str, reason: str
) -> None:
    ink = down(100) + up(120) + WITHHELD + ".PEN_DOWN\n1 2\n3\n.PEN_DOWN\n1 inf\n"
    assert skipped_of(tmp_path, one(ink, segment)) == {reason: 1}


def test_far_too_much_ink_disagrees_with_a_text(tmp_path: Path) -> None:
    scribble = ".PEN_DOWN\n" + "".join(f"{i} {50 * (i % 2)}\n" for i in range(100))
    assert skipped_of(tmp_path, one(scribble, 'WORD 0 ? "hen"')) == {"ink and text disagree": 1}


@pytest.mark.parametrize(("character", "n_left_out"), [("I", 1), ("s", 1), (".", 0), ("'", 0)])
def test_a_letter_that_is_one_point_is_left_out(
    tmp_path: Path, character: str, n_left_out: int
) -> None:
    point = ".PEN_DOWN\n105 560\n105 560\n"
    found = skipped_of(tmp_path, one(point, f'CHARACTER 0 ? "{character}"', category="1b"))
    assert sum(found.values()) == n_left_out


def test_a_range_named_again_and_again_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handwriter.training.unipen_ink.MAX_STROKES", 10)
    ranges = ",".join(["0-2"] * 4)
    found = skipped_of(tmp_path, one(down(100) * 3, f'WORD {ranges} ? "i"'))
    assert found == {"too many strokes": 1}


@pytest.mark.parametrize(
    ("doc", "reason"),
    [
        ("", "resolution not known"),
        (".X_POINTS_PER_MM 10\n", "resolution not known"),
        (".X_POINTS_PER_MM 10\n.Y_POINTS_PER_MM 0\n", "resolution not known"),
        (".X_POINTS_PER_MM nan\n.Y_POINTS_PER_MM 1e400\n", "resolution not known"),
        (DOC + ".COORD X T\n", "damaged coordinates"),
    ],
)
def test_ink_that_the_header_does_not_explain_is_left_out(
    tmp_path: Path, doc: str, reason: str
) -> None:
    assert skipped_of(tmp_path, one(down(100), 'WORD 0 ? "i"', doc=doc)) == {reason: 1}


def test_a_missing_include_leaves_out_what_needs_it(tmp_path: Path) -> None:
    files = one(down(100), 'WORD 0 ? "i"', 'WORD 1 ? "j"')
    del files["include/zzz/data/a.dat"]
    assert skipped_of(tmp_path, files) == {"include missing": 2}


@pytest.mark.parametrize("path", ["../../secret", "/etc/passwd", "zzz/../../secret", ""])
def test_no_include_leads_out_of_the_collection(tmp_path: Path, path: str) -> None:
    files = one(down(100), 'WORD 0 ? "i"')
    files["include/zzz/zzz.doc"] += f".INCLUDE {path}\n"
    (tmp_path / "secret").write_text(DOC)
    assert skipped_of(tmp_path / "unipen", files) == {"include missing": 1}


def test_files_that_include_each_other_come_to_an_end(tmp_path: Path) -> None:
    files = one(down(100), 'WORD 0 ? "i"')
    files["include/zzz/zzz.doc"] += ".INCLUDE zzz/b.doc\n"
    files["include/zzz/b.doc"] = ".INCLUDE zzz/zzz.doc\n" * 10
    assert skipped_of(tmp_path, files) == {"includes without end": 1}


def test_many_includes_of_many_come_to_an_end(tmp_path: Path) -> None:
    files = one(down(100), 'WORD 0 ? "i"')
    for number in range(10):
        path = f"include/zzz/{number}.doc" if number else "include/zzz/zzz.doc"
        files[path] = f".INCLUDE zzz/{number + 1}.doc\n" * 10
    files["include/zzz/10.doc"] = ""
    assert skipped_of(tmp_path, files) == {"includes without end": 1}


def test_a_file_of_labels_without_any_is_counted(tmp_path: Path) -> None:
    assert skipped_of(tmp_path, one(down(100))) == {"file without labels": 1}


def test_a_file_of_ink_cut_short_loses_its_last_segments_only(tmp_path: Path) -> None:
    files = one(down(100) + down(140) + down(180), *(f'WORD {i} ? "i"' for i in range(3)))
    whole = files["include/zzz/data/a.dat"]
    files["include/zzz/data/a.dat"] = whole[: whole.index("140 525") + 4]
    folder = tiny.write_folder(tmp_path, files)
    assert list(segments_of(folder)) == ["zzz/a:WORD:0"]
    assert skipped_of(folder) == {"damaged coordinates": 1, "range past the end of the ink": 1}


def test_a_file_that_is_far_too_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handwriter.training.unipen_files.MAX_FILE_BYTES", 1000)
    files = one(down(100) * 50, 'WORD 0 ? "i"')
    archive = tiny.write_archive(tmp_path / "packed" / ARCHIVES[0], files)
    assert skipped_of(archive) == {"file too large": 1}
    assert skipped_of(tmp_path / "unpacked", files) == {"file too large": 1}


# --- The collection as a whole ---------------------------------------------------------------


@pytest.mark.parametrize(("name", "mode"), KINDS)
def test_archives_equal_the_folder_they_unpack_to(tmp_path: Path, name: str, mode: str) -> None:
    files = list(tiny.collection().items())
    random.Random(1).shuffle(files)
    tiny.write_archive(tmp_path / name, dict(files), mode, prefix="train_r01_v07/")
    unpacked = list(read_unipen(tiny.write_folder(tmp_path / "unpacked")))
    assert sum(isinstance(found, Segment) for found in unpacked) == 9
    for source in (tmp_path, tmp_path / name):
        for a, b in zip(read_unipen(source), unpacked, strict=True):
            assert (type(a), a.source, a.category) == (type(b), b.source, b.category)
            if isinstance(a, Segment) and isinstance(b, Segment):
                assert (a.text, a.writer, a.rate) == (b.text, b.writer, b.rate)
                np.testing.assert_array_equal(a.ink.offsets, b.ink.offsets)


def test_unipen_is_known_by_its_archive_or_its_folders(tmp_path: Path) -> None:
    assert is_unipen(tiny.write_folder(tmp_path / "unpacked"))
    archive = tiny.write_archive(tmp_path / "packed" / ARCHIVES[0])
    assert is_unipen(archive)
    assert is_unipen(archive.parent)
    assert not is_unipen(tmp_path)
    assert not is_unipen(tmp_path / "absent")


@pytest.mark.parametrize("kept", [0.02, 0.3, 0.6, 0.95, 0.999])
@pytest.mark.parametrize(("name", "mode"), KINDS[:2])
def test_half_an_archive_is_refused_wherever_it_ends(
    tmp_path: Path, name: str, mode: str, kept: float
) -> None:
    archive = tiny.write_archive(tmp_path / name, mode=mode)
    whole = archive.read_bytes()
    archive.write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(BadData, match=r"cannot read .*Is the download complete\?"):
        list(read_unipen(archive))


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / ARCHIVES[0]).write_text("<html>404</html>")
    with pytest.raises(BadData, match=r"cannot read .*train_r01_v07\.tar\.bz2"):
        list(read_unipen(tmp_path))


def test_an_archive_that_would_fill_the_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handwriter.training.unipen_files.MAX_TOTAL_BYTES", 1000)
    with pytest.raises(BadData, match="too large to be UNIPEN"):
        list(read_unipen(tiny.write_archive(tmp_path / ARCHIVES[0])))


def test_a_folder_or_an_archive_without_unipen_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="holds no UNIPEN: neither"):
        list(read_unipen(tmp_path))
    with pytest.raises(BadData, match="there is no file data/category"):
        list(read_unipen(tiny.write_folder(tmp_path / "empty", {})))
    with pytest.raises(BadData, match="cannot read"):
        list(read_unipen(tmp_path / "absent.tar.bz2"))


def test_progress_rises_to_one(tmp_path: Path) -> None:
    folder = tiny.write_folder(tmp_path / "unpacked")
    for source in (folder, tiny.write_archive(tmp_path / ARCHIVES[0])):
        told: list[float] = []
        list(read_unipen(source, told.append))
        assert told == sorted(told)
        assert told[-1] == 1.0


def test_the_real_collection_is_known() -> None:
    if not REAL.is_dir():
        pytest.skip("UNIPEN is not in ../shared/unipen; it is too large to go with the code")
    assert is_unipen(REAL)
