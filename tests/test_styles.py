"""Styles: any ink with its text is brought to the hand's terms, and lines go on from it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import fixtures_iam as tiny_iam
import numpy as np
import pytest
import scripts

from handwriter import load_style
from handwriter.density import resampled, thinned
from handwriter.errors import BadData, BadOption, UnsupportedText
from handwriter.hand import LONGEST_STYLE, Hand, load
from handwriter.ink import Ink, Line, Written
from handwriter.output import render, save
from handwriter.styles import installed_styles, style_of

TEXT = "so it was again"
LINE = Line(thinned(Ink.from_strokes(tiny_iam.letters(TEXT)), 2), TEXT, source="mine")


def same_ink(a: Ink, b: Ink) -> bool:
    return len(a.strokes) == len(b.strokes) and np.array_equal(a.points, b.points)


def turned(ink: Ink, degrees: float) -> Ink:
    a = np.radians(degrees)
    return ink.transformed(np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]))


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the same ink in each form."""
    monkeypatch.chdir(tmp_path)
    row = {"text": TEXT, "strokes": [s.tolist() for s in LINE.ink.strokes]}
    Path("mine.jsonl").write_text(json.dumps(row) + "\n")
    Path("two.jsonl").write_text(json.dumps(row | {"text": "of no use"}) + "\n" + json.dumps(row))
    Path("mute.jsonl").write_text(json.dumps(row | {"text": " "}))
    save("mine.svg", Ink(LINE.ink.strokes))
    Path("mine.inkml").write_bytes(
        b"<ink><annotation type='truth'>" + TEXT.encode() + b"</annotation>" + b"".join(
            f"<trace>{', '.join(f'{x} {y}' for x, y in s.tolist())}</trace>".encode()
            for s in LINE.ink.strokes
        ) + b"</ink>"
    )  # fmt: skip
    return tmp_path


@pytest.fixture(scope="module")
def usual_hand(tiny_hand_path: Path) -> Hand:
    """A hand that writes so many points a character as people do."""
    return Hand(replace(load(str(tiny_hand_path)).weights, pace=0.08))


@pytest.fixture
def named(tmp_path: Path, tiny_hand_path: Path) -> Hand:
    """A hand with two styles beside its file."""
    shutil.copy(tiny_hand_path, tmp_path / "tiny.onnx")
    row = {"text": TEXT, "strokes": [s.tolist() for s in LINE.ink.strokes]}
    rows = [{"writer": name} | row for name in ("ash", "oak")]
    (tmp_path / "tiny.styles.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return load(str(tmp_path / "tiny.onnx"))


# --- Ink brought to the hand's terms -----------------------------------------------------------


def test_a_style_is_level_of_the_hands_size_and_density(usual_hand: Hand) -> None:
    style = style_of(usual_hand, LINE)
    assert style.ink.points[:, 1].std() == pytest.approx(1)
    assert style.ink.points[0, 0] == 0
    density = style.ink.n_points / len(TEXT) * usual_hand.weights.pace
    assert 0.8 < density < 1.25
    assert (style.text, style.source) == (TEXT, "mine")


def test_ink_in_another_unit_place_and_turn_is_the_same_style(usual_hand: Hand) -> None:
    there = turned(LINE.ink.transformed(np.eye(2) * 0.02).moved(-7, 90), 3)
    a, b = style_of(usual_hand, LINE), style_of(usual_hand, replace(LINE, ink=there))
    np.testing.assert_allclose(a.ink.points, b.ink.points, atol=1e-2)


@pytest.mark.parametrize("share", [0.8, 3, 8])
def test_ink_from_a_faster_or_slower_device_is_the_same_style(
    usual_hand: Hand, share: float
) -> None:
    pace = usual_hand.weights.pace
    line = replace(LINE, ink=resampled(LINE.ink, len(TEXT) / pace / LINE.ink.n_points))
    other = replace(line, ink=resampled(line.ink, share))
    a, b = style_of(usual_hand, line), style_of(usual_hand, other)
    assert b.ink.n_points == pytest.approx(a.ink.n_points, rel=0.25)
    assert b.ink.bounds == pytest.approx(a.ink.bounds, rel=0.1, abs=0.05)


def test_ink_that_was_drawn_gets_the_points_of_a_pen(usual_hand: Hand) -> None:
    wanted = len(TEXT) / usual_hand.weights.pace
    for ink in (resampled(LINE.ink, 9), resampled(LINE.ink, 0.1)):
        style = style_of(usual_hand, replace(LINE, ink=ink), is_drawn=True)
        assert style.ink.n_points == pytest.approx(wanted, rel=0.4)


# --- Writing -----------------------------------------------------------------------------------


def test_the_same_style_text_and_seed_give_the_same_ink(tiny_hand: Hand) -> None:
    style, again = style_of(tiny_hand, LINE), style_of(tiny_hand, LINE)
    a, b = (tiny_hand.write_lines(["one", "two"], seed=3, style=s) for s in (style, again))
    assert all(map(same_ink, a, b))
    (alone,) = tiny_hand.write_lines(["two"], seed=4, style=style)
    assert same_ink(alone, a[1])
    assert not same_ink(alone, tiny_hand.write_lines(["two"], seed=4)[0])
    assert [line.style for line in a] == ["mine", "mine"]


def test_a_plain_line_does_as_well_as_a_style(tiny_hand: Hand) -> None:
    style = style_of(tiny_hand, LINE)
    plain = Line(style.ink, style.text)
    a, b = (tiny_hand.write_lines(["one"], seed=3, style=s)[0] for s in (style, plain))
    assert same_ink(a, b)


def test_a_style_is_shown_to_the_network_once(
    tiny_hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    style, shown = style_of(tiny_hand, LINE), []

    def begun(*arguments: object) -> object:
        shown.append(arguments)
        raise AssertionError("shown again")

    monkeypatch.setattr("handwriter.drafts.begun", begun)
    tiny_hand.write_lines(["one"], seed=3, style=style)
    with pytest.raises(AssertionError, match="shown again"):
        tiny_hand.write_lines(["one"], seed=3, style=Line(style.ink, style.text))


def test_a_style_of_another_hand_is_shown_to_this_one(
    tiny_hand: Hand, tiny_hand_path: Path
) -> None:
    other = load(str(tiny_hand_path))
    style = style_of(other, LINE)
    a, b = (hand.write_lines(["one"], seed=3, style=style)[0] for hand in (tiny_hand, other))
    assert same_ink(a, b)


def test_streamed_ink_has_the_style_too(tiny_hand: Hand) -> None:
    style = style_of(tiny_hand, LINE)
    (line,) = tiny_hand.write_lines(["one and"], seed=3, style=style)
    points = []
    for point in tiny_hand.stream("one and", seed=3, style=style):
        points.append((point.x, point.y))
    np.testing.assert_allclose(points, line.points, atol=1e-9)


def test_files_tell_the_style(tiny_hand: Hand) -> None:
    lines = tiny_hand.write_lines(["one"], seed=3, style=style_of(tiny_hand, LINE))
    assert json.loads(render(".jsonl", lines))["style"] == "mine"
    assert b"Style: mine" in render(".svg", lines)
    plain = tiny_hand.write_lines(["one"], seed=3)
    assert "style" not in json.loads(render(".jsonl", plain))
    assert b"Style:" not in render(".svg", plain)


# --- Where styles come from --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text"),
    [("mine.jsonl", None), ("two.jsonl:2", None), ("mine.inkml", None), ("mine.svg", TEXT)],
)
def test_ones_own_ink_is_a_style_in_each_form(
    usual_hand: Hand, own: Path, name: str, text: str | None
) -> None:
    style = load_style(usual_hand, name, text=text)
    assert (style.text, style.source) == (TEXT, name)
    usual = style_of(usual_hand, LINE).ink.bounds
    assert style.ink.bounds == pytest.approx(usual, rel=0.15, abs=0.2)


def test_the_text_that_is_given_wins(tiny_hand: Hand, own: Path) -> None:
    assert load_style(tiny_hand, "mine.jsonl", text="  so  it ").text == "so it"


def test_a_path_is_not_told_in_what_is_written(tiny_hand: Hand, own: Path) -> None:
    assert load_style(tiny_hand, str(own / "mine.jsonl")).source == "mine.jsonl"


@pytest.mark.parametrize(
    ("name", "text", "error", "complaint"),
    [
        ("mine.svg", None, BadData, "does not tell what its ink says.* --style-text"),
        ("mute.jsonl", None, BadData, "does not tell what its ink says"),
        ("two.jsonl", None, BadData, "has 2 lines of ink, and a style is one; name it, as in"),
        ("two.jsonl:3", None, BadData, "has no line 3, it has 2"),
        ("two.jsonl:0", None, BadData, "has no line 0"),
        ("absent.jsonl", None, BadData, "cannot be read"),
        ("oak", None, BadOption, "there is no style 'oak'; tiny has none of its own, or give a"),
        ("mine.jsonl", "a" * (LONGEST_STYLE + 1), BadData, "says 46 characters; a style has"),
        ("mine.jsonl", "so ~ was", UnsupportedText, "'~'"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_style_is_told(
    tiny_hand: Hand, own: Path, name: str, text: str | None, error: type, complaint: str
) -> None:
    with pytest.raises(error, match=complaint):
        load_style(tiny_hand, name, text=text)


@pytest.mark.parametrize("strokes", [[], [[(0, 0), (9, 0)]], [[(1, 1)]]])
def test_ink_without_height_is_no_style(tiny_hand: Hand, strokes: list[object]) -> None:
    with pytest.raises(BadData, match="mine has ink without any height"):
        style_of(tiny_hand, replace(LINE, ink=Ink.from_strokes(strokes)))


def test_ink_in_which_the_hand_cannot_find_the_text_is_refused(
    tiny_hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handwriter.styles.STRAY", -100)  # as if the window had stayed behind
    with pytest.raises(BadData, match=r"cannot find 'so it was again' in this ink"):
        style_of(tiny_hand, LINE)


def test_a_hand_has_the_styles_beside_its_file(named: Hand, tiny_hand: Hand) -> None:
    assert list(installed_styles(named)) == ["ash", "oak"]
    style = load_style(named, "oak")
    assert (style.source, style.text) == ("oak", TEXT)
    assert same_ink(style.ink, style_of(named, LINE).ink)
    assert installed_styles(tiny_hand) == {}
    with pytest.raises(BadOption, match="tiny has ash, oak, or give a file of ink in"):
        load_style(named, "elm")


def test_a_damaged_file_of_styles_is_named(tmp_path: Path, named: Hand) -> None:
    (tmp_path / "tiny.styles.jsonl").write_text("{}")
    damaged = load(str(tmp_path / "tiny.onnx"))
    with pytest.raises(BadData, match=r"tiny.styles.jsonl, line 1: no \"text\""):
        installed_styles(damaged)


# --- scripts/styles.py -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return scripts.loaded("styles")


def test_styles_are_chosen_from_far_apart(script: ModuleType) -> None:
    class At:
        def __init__(self, *place: float) -> None:
            self.place = place

    crowd = [At(0, 0), At(0.1, 0), At(0, 0.1), At(9, 0), At(0, 9), At(9.1, 0)]
    assert script.unlike(crowd, 3) == [crowd[0], crowd[4], crowd[5]]
    assert script.unlike(crowd, 99)[0] is crowd[0]
    assert script.unlike([], 3) == []


def test_what_the_script_writes_is_read_as_named_styles(
    script: ModuleType, tmp_path: Path, tiny_hand: Hand, tiny_hand_path: Path
) -> None:
    lines = tiny_hand.write_lines([TEXT, "another one"], seed=1)
    (tried, other) = script.tried_candidates(tiny_hand, _EchoReader(), lines)
    content = script.content([tried, other])
    shutil.copy(tiny_hand_path, tmp_path / "tiny.onnx")
    script.styles_file(str(tmp_path / "tiny.onnx")).write_bytes(content)
    found = installed_styles(load(str(tmp_path / "tiny.onnx")))
    assert list(found) == list(script.NAMES[:2])
    assert [line.text for line in found.values()] == [TEXT, "another one"]
    assert json.loads(content.splitlines()[1])["seed"] == 2


class _EchoReader:
    """Reads nothing in any ink."""

    def read_lines(self, lines: list[Written], spread: float) -> list[object]:
        return [type("Reading", (), {"text": ""})() for _ in lines]
