"""What else `handwriter evaluate` measures, as a user asks for it."""

import json

import numpy as np
import pytest
import tiny
from PIL import Image

from handwriter.cli import run
from handwriter.ink import Line
from handwriter.likeness import TRAITS
from handwriter.training.lines import Lines, save_lines


def people(n=12):
    """Wavy lines of four writers; one has a text that no hand can write."""
    rng = np.random.default_rng(3)
    made = [
        Line(tiny.ink(rng, 40), "\u2603" if i == 5 else "ab ba", f"w{i % 4}", "validation", f"s{i}")
        for i in range(n)
    ]
    made.append(Line(tiny.ink(rng, 40), "ab", "x", "train", "t"))
    return Lines.from_lines(made, "default", tiny.UNIT, {})


@pytest.fixture
def data(tmp_path):
    save_lines(tmp_path / "lines.npz", people())
    return ["--data", str(tmp_path / "lines.npz")]


@pytest.fixture
def evaluate(tiny_hand_path, tiny_reader_path, capsys):
    """Runs the command; gives its rows of JSON and what it said."""

    def evaluated(*options):
        command = ["evaluate", str(tiny_hand_path), "--reader", str(tiny_reader_path)]
        status = run([*command, *options])
        printed = capsys.readouterr()
        assert status == 0, printed.err
        return printed

    return evaluated


def rows(printed):
    return [json.loads(row) for row in printed.out.splitlines()]


def test_each_character_of_the_hand_has_its_row_and_the_words_are_drawn(
    evaluate, tmp_path, tiny_hand
):
    sheet = tmp_path / "sheet.png"
    options = ("--characters", "--lines", "1", "--no-check", "--quiet")
    found = rows(evaluate(*options, "--json", "-o", str(sheet)))
    assert [row["character"] for row in found] == list(tiny_hand.characters)
    assert {row["words"] for row in found} == {1}
    assert [row["character"] for row in found if row["known_to_reader"]] == list(" abc")
    with Image.open(sheet) as image:
        assert image.info["Licence"] == tiny_hand.licence
    first = sheet.read_bytes()
    table = evaluate(*options, "-o", str(sheet)).out
    assert sheet.read_bytes() == first
    assert f"of {len(tiny_hand.characters)} characters are read often enough" in table
    assert "l I | 1 and O 0 are often one shape" in table


def test_likeness_compares_each_trait_and_draws_it(evaluate, data, tmp_path):
    drawn = tmp_path / "likeness.png"
    options = (*data, "--likeness", "--smoothness", "0,1")
    printed = evaluate(*options, "--json", "-o", str(drawn))
    assert "1 of 12 validation lines left out" in printed.err
    found = rows(printed)
    traits = [row for row in found if "trait" in row]
    assert [row["smoothness"] for row in traits] == [
        smoothness for smoothness in (None, 0.0, 1.0) for _ in TRAITS
    ]
    assert {row["verdict"] for row in traits} <= {"close", "near", "apart"}
    assert [row["how"] for row in found if "print" in row] == ["people", "raw", "raw"]
    assert drawn.read_bytes().startswith(b"\x89PNG")
    table = evaluate(*options).out
    assert table.count("half against half") == len(TRAITS)
    assert "print: over 0.9" in table


def test_the_classifier_tells_scribble_from_waves_in_two_ways(evaluate, data):
    options = (*data, "--classifier", "--lines", "8")
    by_traits, by_network = rows(evaluate(*options, "--json"))
    assert (by_traits["how"], by_network["how"]) == ("traits", "network")
    assert by_traits["lines"] == by_network["lines"] == 8
    assert 0 <= by_network["accuracy"] <= 1
    assert rows(evaluate(*options, "--json")) == [by_traits, by_network]
    assert "50 % is perfect" in evaluate(*options).out


def test_people_can_be_fewer_and_some_sources_left_out(evaluate, data, tmp_path):
    (tmp_path / "texts").write_text("ab\nba\nabba\n")
    options = (*data, "--sentences", str(tmp_path / "texts"), "--smoothness", "1",
               "--candidates", "1", "--json")  # fmt: skip
    lines = {row["how"]: row["lines"] for row in rows(evaluate(*options))}
    assert lines == {"people": 12, "raw": 3, "checked": 3}
    fewer = {row["how"]: row["lines"] for row in rows(evaluate(*options, "--lines", "2"))}
    assert fewer == {"people": 2, "raw": 2, "checked": 2}
    left = rows(evaluate(*options, "--leave-out", "s1,s2"))[0]
    assert left["lines"] == 12 - 4  # s1, s10, s11 and s2


def test_kinds_of_characters_and_the_ratio_to_people_are_told(evaluate, data, tmp_path):
    (tmp_path / "texts").write_text("ab 12\nBa!\n")
    options = (*data, "--sentences", str(tmp_path / "texts"), "--smoothness", "1",
               "--candidates", "1")  # fmt: skip
    own, raw, _ = rows(evaluate(*options, "--json"))
    assert set(raw["missed"]) == {"digits", "capitals", "lower case", "signs"}
    assert raw["missed"]["digits"] == 1.0  # the reader knows none
    ratio = raw["character_error_rate"] / own["character_error_rate"]
    assert raw["to_people"] == pytest.approx(ratio)
    assert own["to_people"] is None
    assert "CER to people's" in evaluate(*options).out


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--likeness"], "--likeness compares with real ink"),
        (["--classifier"], "--classifier compares with real ink"),
        (["--likeness", "--characters"], "--characters and --likeness are one command each"),
        (["--characters", "-o", "x.svg"], "ends in .png"),
        (["--characters", "-o", "nowhere/x.png"], "no folder 'nowhere'"),
        (["--characters", "--smoothness", "0,1"], "one number is asked for"),
        (["--likeness", "--data", "x.npz", "--smoothness", "0,1,2,3,4"], "at most 4 smoothnesses"),
        (["--characters", "--lines", "0"], "--lines is 0"),
        (["-o", "x.png"], "leave it out"),
        (["--likeness", "--leave-out", "s"], "0 validation lines that tiny can write"),
        (["--leave-out", "s"], "no validation line left"),
    ],
)
def test_what_cannot_be_asked_gets_one_line(
    options, told, data, tiny_hand_path, tiny_reader_path, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    given = data if "--leave-out" in options else []
    command = ["evaluate", str(tiny_hand_path), "--reader", str(tiny_reader_path), *given]
    assert run([*command, *options]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert told in printed.err


def test_a_checkpoint_has_no_characters(capsys):
    assert run(["evaluate", "run.safetensors", "--characters"]) == 2
    assert "export the checkpoint first" in capsys.readouterr().err
