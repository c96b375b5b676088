"""Files of handwriting: what is in them, and that they appear whole or not at all."""

import errno
import json
import os
from dataclasses import replace
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from handwriter import HandwriterError, Ink, Written
from handwriter.errors import BadOption
from handwriter.interchange import read_jsonl
from handwriter.output import FORMATS, ONE_PAGE, render, save
from handwriter.output.layout import LINE_PITCH_MM, MARGIN_MM, MM_PER_UNIT, lay_out
from handwriter.output.svg import beziers, path_of
from handwriter.page import Document

pytestmark = pytest.mark.usefixtures("ffmpeg_on_path")

SVG = "{http://www.w3.org/2000/svg}"
INKSCAPE = "{http://www.inkscape.org/namespaces/inkscape}"

TINY = Written(
    strokes=Ink.from_strokes(
        [[(0, 0), (1, -2), (2, 0)], [(0.5, -1), (1.5, -1)], [(2.5, 0)]]
    ).strokes,
    text="A.",
    hand="tiny",
    licence="CC0-1.0",
    seed=7,
    smoothness=1.5,
    finished=True,
    n_steps=6,
    begins=(0,),
)

TINY_SVG = f"""<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape\
" width="14mm" height="13.2mm" viewBox="0 0 14 13.2">
<title>A.</title>
<desc>Software: handwriter {version("handwriter")}; Hand: tiny; Licence: CC0-1.0; Seed: 7; \
Smoothness: 1.5</desc>
<g inkscape:groupmode="layer" inkscape:label="1-black" fill="none" stroke="#000000" \
stroke-width="0.4" stroke-linecap="round" stroke-linejoin="round">
<path d="M5,8.2C5.533,7.133 6.067,5 6.6,5 7.133,5 7.667,7.133 8.2,8.2"/>
<path d="M5.8,6.6L7.4,6.6"/>
<path d="M9,8.2h0.001"/>
</g>
</svg>
"""


def with_strokes(*strokes: object) -> Written:
    return replace(TINY, strokes=Ink.from_strokes(strokes).strokes)


def svg_of(*lines: Written) -> ElementTree.Element:
    return ElementTree.fromstring(render(".svg", lines))


coordinates = st.floats(-50, 50, allow_nan=False).map(lambda v: round(v, 4))
curves = st.lists(st.tuples(coordinates, coordinates), min_size=2, max_size=8).map(np.array)


# --- every format ---------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", sorted(FORMATS.keys() - {".zip"}))  # IAM-OnDB needs a text
def test_plain_ink_is_saved_too_but_says_nothing_of_a_hand(suffix: str, tmp_path: Path) -> None:
    save(tmp_path / f"plain{suffix}", Ink(TINY.strokes))
    content = (tmp_path / f"plain{suffix}").read_bytes()
    assert content == render(suffix, [Ink(TINY.strokes)])
    assert b"tiny" not in content


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_same_lines_give_the_same_bytes(suffix: str) -> None:
    again = replace(TINY, strokes=tuple(s.copy() for s in TINY.strokes))
    assert render(suffix, [TINY, TINY]) == render(suffix, [again, again])


@pytest.mark.parametrize("suffix", FORMATS)
def test_lines_without_ink_and_no_lines_make_a_file_too(suffix: str) -> None:
    render(suffix, [])
    render(suffix, [with_strokes(), TINY, with_strokes()])


# --- SVG ------------------------------------------------------------------------------------


def test_a_tiny_line_makes_exactly_this_svg() -> None:
    assert render(".svg", [TINY]).decode() == TINY_SVG


def test_svg_is_measured_in_millimetres() -> None:
    root = svg_of(with_strokes([(0, 0), (10, 0)]))
    assert root.get("width") == f"{10 * MM_PER_UNIT + 2 * MARGIN_MM:g}mm"
    assert root.get("viewBox") == "0 0 26 10"


def test_svg_holds_one_layer_with_one_path_a_stroke_in_the_order_written() -> None:
    (layer,) = svg_of(TINY, TINY).findall(f"{SVG}g")
    assert (layer.get(f"{INKSCAPE}groupmode"), layer.get(f"{INKSCAPE}label")) == (
        "layer",
        "1-black",
    )
    assert [(line.tag, line.get("class")) for line in layer] == [(f"{SVG}g", "line")] * 2
    paths = [path for line in layer for path in line]
    assert [path.tag for path in paths] == [f"{SVG}path"] * 6
    assert [path.get("d", "").count("h0.001") for path in paths] == [0, 0, 1] * 2


def test_svg_draws_nothing_but_strokes() -> None:
    root = svg_of(TINY)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} == {
        "svg", "title", "desc", "g", "path",
    }  # fmt: skip
    assert root.find(f"{SVG}g").attrib["fill"] == "none"  # type: ignore[union-attr]


@pytest.mark.parametrize("text", ["<&\"'>", "]]>", "Grüße 😀", "a\x00b\x1b\ud800\ufffe"])
def test_svg_with_any_text_is_well_formed(text: str) -> None:
    root = svg_of(replace(TINY, text=text, hand=text))
    shown = "".join(c if c.isprintable() else "\ufffd" for c in text)
    assert root.findtext(f"{SVG}title") == shown
    assert f"Hand: {shown};" in root.findtext(f"{SVG}desc", "")


def test_svg_says_how_each_line_was_written() -> None:
    described = svg_of(TINY, replace(TINY, seed=8)).findtext(f"{SVG}desc")
    assert described == (
        f"Software: handwriter {version('handwriter')}; Hand: tiny; Licence: CC0-1.0; "
        "Seed: 7, 8; Smoothness: 1.5"
    )


def test_lines_lie_below_each_other() -> None:
    dot = with_strokes([(0, 0)])
    first, second = (path.get("d") for path in svg_of(dot, dot).iter(f"{SVG}path"))
    assert (first, second) == ("M5,5h0.001", f"M5,{5 + LINE_PITCH_MM:g}h0.001")


@given(curves)
def test_beziers_are_the_spline_that_ink_is_smoothed_with(stroke: np.ndarray) -> None:
    p1, p2, p3 = (beziers(stroke)[:, None, i] for i in range(3))
    p0 = stroke[:-1, None]
    t = np.arange(5)[None, :, None] / 5
    curve = (1 - t) ** 3 * p0 + 3 * (1 - t) ** 2 * t * p1 + 3 * (1 - t) * t**2 * p2 + t**3 * p3
    if len(stroke) > 2:
        smooth = Ink((stroke,)).smoothed(5).points[:-1]
        np.testing.assert_allclose(curve.reshape(-1, 2), smooth, atol=1e-9)
    else:
        np.testing.assert_allclose(p1, (2 * p0 + p3) / 3, atol=1e-9)


@settings(deadline=None)
@given(st.lists(curves, min_size=1, max_size=3))
def test_the_margin_lies_around_all_the_ink(strokes: list[np.ndarray]) -> None:
    (page,) = lay_out([with_strokes(*strokes)] * 2).pages
    points = np.concatenate([line.ink.smoothed(8).points for line in page.layers[0].lines])
    assert (points >= MARGIN_MM - 1e-6).all()
    assert (points <= np.array([page.width_mm, page.height_mm]) - MARGIN_MM + 1e-6).all()


def test_numbers_are_short() -> None:
    path = path_of(np.array([[1.0, -0.0001], [2.12345, 100.0]]))
    assert path == "M1,0L2.123,100"


def test_a_stroke_that_went_nowhere_is_a_dot() -> None:
    assert path_of(np.array([[1.0, 2.0], [1.0, 2.0]])) == "M1,2h0.001"


# --- PNG ------------------------------------------------------------------------------------


def test_png_is_the_size_of_the_svg_at_300_dpi() -> None:
    image = Image.open(BytesIO(render(".png", [TINY])))
    assert image.size == (166, 156)  # 14 x 13.2 mm
    assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)


def test_png_shows_every_stroke_black_on_white() -> None:
    pixels = np.asarray(Image.open(BytesIO(render(".png", [TINY]))))
    for x_mm, y_mm in [(6.6, 5), (6.6, 6.6), (9, 8.2)]:
        assert pixels[round(y_mm * 300 / 25.4), round(x_mm * 300 / 25.4)] < 40
    assert pixels[0, 0] == 255


def test_png_says_how_it_was_written() -> None:
    line = replace(TINY, text="Grüße 😀", hand="schön")
    text = Image.open(BytesIO(render(".png", [line]))).info
    assert [text[key] for key in ("Title", "Hand", "Licence", "Seed", "Smoothness")] == [
        "Grüße 😀", "schön", "CC0-1.0", "7", "1.5",
    ]  # fmt: skip


def test_png_of_a_mile_of_writing_says_what_to_do() -> None:
    with pytest.raises(BadOption, match=r"save an \.svg instead"):
        render(".png", [with_strokes([(0, 0), (1e6, 0)])])


# --- JSON-lines -----------------------------------------------------------------------------


def test_jsonl_holds_one_object_a_line_in_their_order() -> None:
    rows = render(".jsonl", [TINY, replace(TINY, text="ü", finished=False)]).splitlines()
    first, second = map(json.loads, rows)
    assert first == {
        "text": "A.",
        "strokes": [[[0, 0], [1, -2], [2, 0]], [[0.5, -1], [1.5, -1]], [[2.5, 0]]],
        "hand": "tiny",
        "licence": "CC0-1.0",
        "seed": 7,
        "smoothness": 1.5,
        "finished": True,
        "steps": 6,
        "words": [0],
    }
    assert (second["text"], second["finished"]) == ("ü", False)


@settings(deadline=None)
@given(st.lists(st.lists(curves, max_size=3), max_size=3))
def test_jsonl_is_read_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, inks: list[list[np.ndarray]]
) -> None:
    written = [replace(with_strokes(*ink), text=f"line\u2028{n}") for n, ink in enumerate(inks)]
    path = tmp_path_factory.mktemp("jsonl") / "ink.jsonl"
    save(path, written)
    read = list(read_jsonl(path))
    assert [line.text for line in read] == [line.text for line in written]
    for line, original in zip(read, written, strict=True):
        assert [s.tolist() for s in line.ink.strokes] == [s.tolist() for s in original.strokes]


# --- save -----------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", FORMATS)
def test_save_writes_what_render_renders(tmp_path: Path, suffix: str) -> None:
    save(tmp_path / f"a{suffix}", TINY)
    save(str(tmp_path / f"b{suffix.upper()}"), [TINY, TINY])
    assert (tmp_path / f"a{suffix}").read_bytes() == render(suffix, [TINY])
    assert (tmp_path / f"b{suffix.upper()}").read_bytes() == render(suffix, [TINY, TINY])
    assert len(list(tmp_path.iterdir())) == 2


def pages(*names: str) -> Document:
    (page,) = lay_out([TINY]).pages
    return Document((page,) * len(names), "letter", {"Hand": "tiny"})


@pytest.mark.parametrize("suffix", sorted(ONE_PAGE))
def test_several_pages_become_numbered_files_where_a_file_holds_one(
    tmp_path: Path, suffix: str
) -> None:
    written = save(tmp_path / f"letter{suffix}", pages("a", "b"))
    assert written == [tmp_path / f"letter-1{suffix}", tmp_path / f"letter-2{suffix}"]
    assert sorted(tmp_path.iterdir()) == written
    assert b"letter (2 of 2)" in written[1].read_bytes()
    assert save(tmp_path / f"one{suffix}", pages("a")) == [tmp_path / f"one{suffix}"]
    with pytest.raises(BadOption, match="holds one page, and there are 2"):
        render(suffix, pages("a", "b"))


def test_numbers_of_files_are_as_long_as_the_last_one(tmp_path: Path) -> None:
    written = save(tmp_path / "letter.svg", pages(*"abcdefghij"))
    assert [path.name for path in written[::9]] == ["letter-01.svg", "letter-10.svg"]


def test_of_several_files_all_appear_or_none(tmp_path: Path) -> None:
    (tmp_path / "letter-2.svg").mkdir()
    with pytest.raises(BadOption, match=r"cannot save '.*letter-2\.svg'"):
        save(tmp_path / "letter.svg", pages("a", "b", "c"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["letter-2.svg"]


@pytest.mark.parametrize("suffix", sorted(set(FORMATS) - ONE_PAGE))
def test_one_file_holds_all_pages_where_the_format_does(tmp_path: Path, suffix: str) -> None:
    assert save(tmp_path / f"letter{suffix}", pages("a", "b")) == [tmp_path / f"letter{suffix}"]


def test_an_option_that_the_format_does_not_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match=r"a \.png file has no option 'speed'; it takes dpi, paper"):
        save(tmp_path / "fox.png", TINY, speed=2)
    with pytest.raises(BadOption, match=r"a \.jsonl file has no option 'dpi'; it takes none"):
        save(tmp_path / "fox.jsonl", TINY, dpi=300)
    assert not list(tmp_path.iterdir())


def test_save_replaces_the_file_that_was_there_and_follows_a_link(tmp_path: Path) -> None:
    (tmp_path / "link.svg").symlink_to(tmp_path / "real.svg")
    (tmp_path / "real.svg").write_text("old")
    save(tmp_path / "link.svg", TINY)
    assert (tmp_path / "link.svg").is_symlink()
    assert (tmp_path / "real.svg").read_bytes() == render(".svg", [TINY])


@pytest.mark.parametrize("name", ["fox.bmp", "fox", "fox.", ".svg"])
def test_save_names_the_suffixes_it_knows(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadOption, match=r"choose one of \.svg, \.png, .*\.jsonl"):
        save(tmp_path / name, TINY)
    assert not list(tmp_path.iterdir())


def test_save_into_a_folder_that_is_missing_names_it(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match=r"there is no folder '.*nowhere'; make it first"):
        save(tmp_path / "nowhere" / "fox.svg", TINY)
    (tmp_path / "file").touch()
    with pytest.raises(BadOption, match=r"there is no folder '.*file'; make it first"):
        save(tmp_path / "file" / "fox.svg", TINY)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_save_over_a_folder_leaves_it(tmp_path: Path) -> None:
    (tmp_path / "fox.svg").mkdir()
    with pytest.raises(BadOption, match=r"there is a folder of this name"):
        save(tmp_path / "fox.svg", TINY)
    assert [path.name for path in tmp_path.iterdir()] == ["fox.svg"]


@pytest.mark.parametrize("name", ["a" * 300 + ".svg", "a\0b.svg"])
def test_save_under_an_impossible_name_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadOption, match=r"cannot save .*; choose [^\n]*$"):
        save(tmp_path / name, TINY)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("number", "complaint"),
    [
        (errno.EACCES, "you may not write to the folder"),
        (errno.EROFS, "you may not write to the folder"),
        (errno.ENOSPC, "the disk is full; free some space"),
        (errno.EIO, "error"),
    ],
)
@pytest.mark.parametrize("step", ["open", "replace"])
def test_save_that_fails_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, complaint: str, step: str
) -> None:
    target = tmp_path / "fox.svg"
    target.write_text("old")

    usual = getattr(Path, step)

    def fail(path: Path, *args: object, **options: object) -> object:
        if path.suffix != ".part":
            return usual(path, *args, **options)
        raise OSError(number, os.strerror(number), str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, step, fail)
        with pytest.raises(BadOption, match=complaint):
            save(target, TINY)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk always full")
def test_save_on_a_full_disk_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real write that fails: the bytes go to /dev/full."""
    usual = Path.open

    def open_full(path: Path, *args: Any, **options: Any) -> object:
        if path.suffix != ".part":
            return usual(path, *args, **options)
        path.touch()
        return usual(Path("/dev/full"), "wb")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", open_full)
        with pytest.raises(HandwriterError, match="the disk is full"):
            save(tmp_path / "fox.svg", TINY)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_save_into_a_folder_that_is_locked_names_it(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(BadOption, match="you may not write to the folder"):
        save(tmp_path / "fox.svg", TINY)
    tmp_path.chmod(0o700)


def test_saved_files_have_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    save(tmp_path / "fox.svg", TINY)
    assert (tmp_path / "fox.svg").stat().st_mode == (tmp_path / "usual").stat().st_mode
