"""Styles on the command line: --style writes like some ink, `styles` shows what a hand has."""

import json
import shutil
from pathlib import Path

import fixtures_iam as tiny_iam
import pytest
from PIL import Image

from handwriter.cli import run
from handwriter.density import thinned
from handwriter.ink import Ink

TEXT = "so it was again"


@pytest.fixture
def hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_hand_path: Path) -> tuple[str, str]:
    """The options for a hand with two styles, in a folder that has them as one's own ink too."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(tiny_hand_path, "tiny.onnx")
    ink = thinned(Ink.from_strokes(tiny_iam.letters(TEXT)), 2)
    row = {"text": TEXT, "strokes": [s.tolist() for s in ink.strokes]}
    rows = [json.dumps({"writer": name} | row) + "\n" for name in ("ash", "oak")]
    Path("tiny.styles.jsonl").write_text("".join(rows))
    Path("mine.jsonl").write_text("".join(rows))
    return "--hand", "tiny.onnx"


def written(*arguments: str) -> list[dict]:
    assert run(["write", *arguments, "-o", "out.jsonl", "--seed", "1", "-q"]) == 0
    return [json.loads(row) for row in Path("out.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("check", [True, False])
def test_lines_are_written_in_a_style_of_the_hand_or_ones_own(check, hand, tiny_reader_path):
    how = ["--reader", str(tiny_reader_path)] if check else ["--no-check"]
    (plain,) = written("ab", *hand, *how)
    (oak,) = written("ab", "--style", "oak", *hand, *how)
    (mine,) = written("ab", "--style", "mine.jsonl:2", *hand, *how)
    assert plain["strokes"] != oak["strokes"]
    assert mine["strokes"] == oak["strokes"]
    assert (oak["style"], mine["style"], "style" in plain) == ("oak", "mine.jsonl:2", False)


def test_the_text_of_the_ink_can_be_told_beside_it(hand):
    (mine,) = written(
        "ab", "--style", "mine.jsonl:1", "--style-text", "so it was", *hand, "--no-check"
    )
    (other,) = written("ab", "--style", "mine.jsonl:1", *hand, "--no-check")
    assert mine["strokes"] != other["strokes"]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--style", "elm"], "there is no style 'elm'; tiny has ash, oak, or give a file"),
        (["--style", "mine.jsonl"], "has 2 lines of ink"),
        (["--style", "mine.jsonl:1", "--style-text", " "], "does not tell what its ink says"),
        (["--style-text", "so it was"], "give it with --style FILE"),
    ],
)
def test_what_is_no_style_gets_one_line_and_leaves_nothing(options, complaint, hand, capsys):
    assert run(["write", "ab", *options, *hand, "--no-check", "-o", "out.svg"]) == 2
    assert complaint in capsys.readouterr().err
    assert not Path("out.svg").exists()


def test_the_styles_of_a_hand_are_listed(hand, capsys):
    assert run(["styles", *hand]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert [row.split()[0] for row in rows] == ["ash", "oak"]
    assert all(row.endswith(TEXT) for row in rows)
    assert run(["styles", *hand, "--json"]) == 0
    shown = [json.loads(row) for row in capsys.readouterr().out.splitlines()]
    assert [row["name"] for row in shown] == ["ash", "oak"]


@pytest.mark.parametrize("name", ["sheet.png", "sheet.svg"])
def test_the_styles_of_a_hand_are_drawn_on_a_sheet(name, hand, capsys):
    assert run(["styles", *hand, "-o", name]) == 0
    assert "2 styles of tiny" in capsys.readouterr().err
    if name.endswith(".png"):
        assert Image.open(name).convert("L").getextrema()[0] < 128
    else:
        assert Path(name).read_text().count("<path") > len(TEXT)


def test_a_hand_without_styles_says_so(hand, capsys):
    Path("tiny.styles.jsonl").unlink()
    assert run(["styles", *hand]) == 0
    assert "tiny has no styles of its own" in capsys.readouterr().err
    assert run(["styles", *hand, "-o", "sheet.png"]) == 2
    assert "has no styles to draw" in capsys.readouterr().err
    assert not Path("sheet.png").exists()
