"""The command line as a user types it: what it prints, what it leaves, how it ends."""

import json
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import tiny
import typer

from handwriter.author import MOST_ROUNDS_SHORT
from handwriter.cli import app, run
from handwriter.ink import Ink
from handwriter.training.lines import save_lines


def commands() -> list[tuple[str, ...]]:
    group = typer.main.get_command(app)
    found = []
    for name, command in group.commands.items():
        found += [(name, sub) for sub in getattr(command, "commands", {})] or [(name,)]
    return found


@pytest.fixture
def hand(tiny_hand_path):
    return ["--hand", str(tiny_hand_path)]


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_each_command_has_help_with_an_example(command, capsys):
    assert run([*command, "--help"]) == 0
    printed = capsys.readouterr().out
    assert f"Example: handwriter {' '.join(command)}" in " ".join(printed.split())


def test_the_version_is_that_of_the_package(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"handwriter {version('handwriter')}\n"


def test_help_is_given_without_loading_anything_heavy():
    script = (
        "import sys; from handwriter.cli import run; run(['--help']);"
        "heavy = {'numpy', 'onnxruntime', 'PIL', 'torch'} & set(sys.modules);"
        "sys.exit(repr(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_module_runs_as_a_program():
    done = subprocess.run(
        [sys.executable, "-m", "handwriter", "write", "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0
    assert "--smoothness" in done.stdout


@pytest.mark.parametrize("suffix", ["svg", "png", "jsonl"])
def test_write_makes_a_file_of_each_format_and_the_same_one_again(suffix, tmp_path, hand, capsys):
    files = [tmp_path / f"{name}.{suffix}" for name in "ab"]
    for file in files:
        assert run(["write", "ab c", "-o", str(file), "--seed", "4", *hand]) == 0
    assert files[0].read_bytes() == files[1].read_bytes()
    assert "seed 4" in capsys.readouterr().err


def test_each_line_of_a_file_becomes_one_line_of_ink_in_order(tmp_path, hand):
    (tmp_path / "letter.txt").write_text("one\r\n\r\ntwo\n", encoding="utf-8")
    out = tmp_path / "letter.jsonl"
    assert run(["write", "-i", str(tmp_path / "letter.txt"), "-o", str(out), *hand]) == 0
    written = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["text"] for line in written] == ["one", "", "two"]
    assert written[1]["strokes"] == []


def test_what_was_replaced_is_reported(tmp_path, hand, capfd):
    out = tmp_path / "a.jsonl"
    text = "“Ångström”\n☃"
    assert run(["write", text, "-o", str(out), "--seed", "1", *hand]) == 2
    assert "cannot write '☃' (character 1 of '☃' in line 2)" in capfd.readouterr().err
    assert not out.exists()
    arguments = ["write", text, "-o", str(out), "--seed", "1", "--replace-unknown", *hand]
    assert run(arguments) == 0
    assert 'replaced: “ by " (1), ” by " (1), ☃ by a blank (1)' in capfd.readouterr().err
    texts = [json.loads(line)["text"] for line in out.read_text("utf-8").splitlines()]
    assert texts == ['"Ångström"', " "]


def test_samples_are_written_with_seeds_of_their_own(tmp_path, hand):
    out = tmp_path / "many.jsonl"
    assert run(["write", "ab", "-o", str(out), "--samples", "3", "--seed", "5", *hand]) == 0
    seeds = [json.loads(line)["seed"] for line in out.read_text().splitlines()]
    assert seeds == [5, 6, 7]


def test_standard_input_is_written_where_no_text_is_given(tmp_path, tiny_hand_path):
    out = tmp_path / "pipe.jsonl"
    done = subprocess.run(
        [sys.executable, "-m", "handwriter", "write", "-o", out, "--hand", tiny_hand_path],
        input=b"ab", capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(out.read_text())["text"] == "ab"


def test_what_was_not_finished_is_told(tmp_path, hand, capsys):
    out = tmp_path / "ab.jsonl"
    assert run(["write", "ab " * 15, "-o", str(out), "--samples", "20", "--seed", "1", *hand]) == 0
    finished = [json.loads(line)["finished"] for line in out.read_text().splitlines()]
    told = capsys.readouterr().err.count("is unfinished")
    assert told == finished.count(False)


def test_sample_writes_without_text(tmp_path, tiny_prediction_hand_path):
    out = tmp_path / "scribble.jsonl"
    arguments = ["--hand", str(tiny_prediction_hand_path), "--steps", "30", "--seed", "2"]
    assert run(["sample", "-o", str(out), *arguments]) == 0
    assert json.loads(out.read_text())["steps"] <= 30


def test_explain_draws_a_picture(tmp_path, hand):
    out = tmp_path / "why.png"
    assert run(["explain", "ab", "-o", str(out), "--seed", "2", *hand]) == 0
    assert out.read_bytes().startswith(b"\x89PNG")


# --- Reading -----------------------------------------------------------------------------------

INK = {"strokes": [[[x / 4, x % 3] for x in range(60)], [[3, 3]]]}


@pytest.fixture
def reader(tiny_reader_path):
    return ["--reader", str(tiny_reader_path)]


@pytest.fixture
def notes(tmp_path):
    """Three lines of ink; of two it is told what they say."""
    rows = [INK, INK | {"text": "ab c"}, {"strokes": [], "text": "b"}]
    path = tmp_path / "notes.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_read_prints_each_line_and_the_error_rates(notes, reader, tiny_reader, capsys):
    assert run(["read", str(notes), *reader]) == 0
    printed = capsys.readouterr().out
    text = tiny_reader.read(Ink.from_strokes(INK["strokes"])).text
    assert printed.split("\n").count(text) == 2
    assert re.search(r"CER [\d.]+ % \(\d+ errors in 5 characters\), WER", printed)
    assert "2 of 3 lines have a truth" in printed


def test_read_prints_one_object_a_line_for_programs(notes, reader, tiny_reader, capsys):
    assert run(["read", str(notes), "--json", *reader]) == 0
    printed = capsys.readouterr()
    rows = [json.loads(row) for row in printed.out.splitlines()]
    assert [row.get("truth") for row in rows] == [None, "ab c", "b"]
    assert rows[0]["source"] == "notes.jsonl:1"
    assert len(rows[0]["confidences"]) == len(rows[0]["text"])
    assert rows[2] == {
        "source": "notes.jsonl:3", "text": "", "confidences": [], "truth": "b",
        "character_errors": 1, "characters": 1, "word_errors": 1, "words": 1,
    }  # fmt: skip
    assert "CER" in printed.err


def test_what_was_written_as_svg_is_read_with_its_text_beside_it(
    tmp_path, hand, reader, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    Path("letter.txt").write_text("ab\n\nc ba\n")
    written = ["-i", "letter.txt", "-o", "letter.svg", "--seed", "1", "--no-check"]
    assert run(["write", *written, *hand]) == 0
    assert run(["read", "letter.svg", "--truth", "letter.txt", "--json", *reader]) == 0
    rows = [json.loads(row) for row in capsys.readouterr().out.splitlines()]
    assert [row.get("truth") for row in rows] == ["ab", None, "c ba"]


def test_read_tells_what_was_no_ink(tmp_path, reader, capsys):
    file = tmp_path / "form.svg"
    file.write_text('<svg><rect width="9" height="9"/><text>Name:</text><rect fill="white"/>'
                    '<path fill="none" stroke="blue" d="M0,0L5,5L9,1"/></svg>')  # fmt: skip
    assert run(["read", str(file), *reader]) == 0
    assert "left out, since they are no pen strokes: filled shape 2, text element 1" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["read", "ink.png"], "ends in '.png'; give a file of ink"),
        (["read", "missing.svg"], "missing.svg: cannot be read"),
        (["read", "text.svg"], "has no pen strokes, but text element: 1"),
        (["read", "bad.jsonl"], "bad.jsonl, line 1: not valid JSON"),
        (["read", "large.jsonl"], "cannot read line 1: the ink goes 1e+300"),
        (["read", "good.jsonl", "--truth", "two.txt"], "two.txt has 2 lines of text, but there"),
        (["read", "good.jsonl", "--truth", "none.txt"], "cannot read none.txt"),
        (["read", "good.jsonl", "--reader", "nobody"], "there is no reader 'nobody'"),
        (["read", "good.jsonl", "--reader", "good.jsonl"], "good.jsonl is not a reader"),
    ],
)
def test_what_cannot_be_read_gets_one_line(
    arguments, complaint, tmp_path, reader, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    Path("good.jsonl").write_text(json.dumps(INK))
    Path("bad.jsonl").write_text("{")
    Path("large.jsonl").write_text('{"strokes": [[[0, 0], [1e300, 0]]]}')
    Path("text.svg").write_text("<svg><text>hi</text></svg>")
    Path("two.txt").write_text("a\nb\n")
    assert run([*arguments, *([] if "--reader" in arguments else reader)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert complaint in printed.err


# --- Faults ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["write", "a\u2603b", "-o", "x.svg"], "'\u2603' (character 2"),
        (["write", "", "-o", "x.svg"], "no text"),
        (["write", "   ", "-o", "x.svg"], "no text"),
        (["write", "a\x07", "-o", "x.svg"], "control character U+0007"),
        (["write", "a" * 1_000_000, "-o", "x.svg"], "1,000,000 characters"),
        (["write", "a", "-o", "x.svg", "--smoothness", "nan"], "smoothness is nan"),
        (["write", "a", "-o", "x.svg", "--smoothness", "-1"], "smoothness is -1"),
        (["write", "a", "-o", "x.svg", "--smoothness", "much"], "'--smoothness'"),
        (["write", "a", "-o", "x.svg", "--seed", "-1"], "seed is -1"),
        (["write", "a", "-o", "x.svg", "--samples", "0"], "--samples is 0"),
        (["write", "a", "-o", "x.doc"], "suffix '.doc'"),
        (["write", "a", "-o", "nowhere/x.svg"], "no folder 'nowhere'"),
        (["write", "a", "-i", "letter.txt", "-o", "x.svg"], "not both"),
        (["write", "-i", "letter.txt", "-o", "x.svg"], "cannot read letter.txt"),
        (["write", "-i", "latin1.txt", "-o", "x.svg"], "not UTF-8"),
        (["write", "a"], "--output"),
        (["explain", "a", "-o", "x.svg"], "ends in .png"),
        (["explain", "a" * 46, "-o", "x.png"], "46 characters"),
        (["sample", "-o", "x.svg"], "needs text"),
        (["nonsense"], "nonsense"),
    ],
)
def test_bad_input_gets_one_line_and_leaves_nothing(
    arguments, complaint, tmp_path, hand, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    Path("latin1.txt").write_bytes(b"caf\xe9")
    before = sorted(Path().iterdir())
    assert run([*arguments, *(hand if arguments[0] in ("write", "explain", "sample") else [])]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert complaint in printed.err
    assert sorted(Path().iterdir()) == before


def test_a_fault_of_ours_is_one_line_too_and_no_trace(monkeypatch, capsys, tmp_path, hand):
    monkeypatch.delenv("HANDWRITER_DEBUG", raising=False)
    monkeypatch.setattr("handwriter.hand.load", lambda name: 1 / 0)
    assert run(["write", "a", "-o", str(tmp_path / "x.svg"), *hand]) == 1
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert "please report it" in printed


def test_the_whole_way_from_ink_to_a_line_written_by_a_network_trained_on_it(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    lines = tiny.lines(n_train=60, n_validation=10)
    rows = [
        {
            "text": lines.texts[i],
            "strokes": [stroke.tolist() for stroke in lines.ink(i).strokes],
            "split": lines.splits[i],
        }
        for i in range(len(lines))
    ]
    Path("own.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert run(["prepare", "own.jsonl", "-o", "lines.npz", "--recipe", "graves2013"]) == 0
    assert re.search(r"train +60", capsys.readouterr().out)
    assert run(["data", "show", "lines.npz", "-o", "sheet.svg", "--lines", "5"]) == 0
    Path("tiny.toml").write_text(
        '[network]\nalphabet = "ascii"\nlayers = 1\ncells = 8\nmixtures = 2\nwindows = 2\n'
        'peepholes = false\nend_token = true\ninitial_pace = 0.2\n[ink]\nprepared = "graves2013"\n'
        "[training]\nepochs = 1\nbatch_lines = 16\naverage = 0.9\n"
    )
    assert run(["train", "tiny.toml", "--data", "lines.npz", "--run", "run"]) == 0
    assert "epoch 1/1" in capsys.readouterr().err
    assert run(["train", "tiny.toml", "--data", "lines.npz", "--run", "silent", "-q"]) == 0
    assert capsys.readouterr().err == ""
    best = "run/best.safetensors"
    assert run(["evaluate", best, "--data", "lines.npz"]) == 0
    assert "nats a line" in capsys.readouterr().out
    assert run(["evaluate", best, "--data", "lines.npz", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["lines"] == 10
    about = ["--name", "mine", "--licence", "CC0", "--collection", "invented"]
    assert run(["export", best, "--data", "lines.npz", "-o", "mine.onnx", *about]) == 0
    assert run(["write", "abc", "-o", "abc.svg", "--hand", "mine.onnx", "--seed", "1"]) == 0
    written = Path("abc.svg").read_text()
    assert "<title>abc</title>" in written
    assert "CC0" in written


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["train", "nothing", "--data", "lines.npz", "--run", "run"], "no recipe 'nothing'"),
        (["train", "quick", "--data", "missing.npz", "--run", "run"], "missing.npz"),
        (["train", "quick", "--data", "text.npz", "--run", "run"], "text.npz"),
        (["train", "graves2013-synthesis", "--data", "lines.npz", "--run", "run"], "graves2013"),
        (["prepare", "empty", "-o", "x.npz"], "empty"),
        (["prepare", "text.npz", "-o", "x.npz"], "text.npz"),
        (["prepare", "empty", "-o", "x.zip"], ".npz"),
        (["evaluate", "text.npz", "--data", "lines.npz"], "text.npz"),
        (["data", "show", "lines.npz", "-o", "x.doc"], "'.doc'"),
        (["data", "show", "lines.npz", "-o", "x.png", "--lines", "0"], "--lines is 0"),
    ],
)
def test_bad_data_gets_one_line_and_leaves_nothing(
    arguments, complaint, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    save_lines("lines.npz", tiny.lines())
    Path("text.npz").write_text("no lines")
    Path("empty").mkdir()
    before = sorted(Path().iterdir())
    assert run(arguments) == 2
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
    assert complaint in printed.err
    assert sorted(Path().iterdir()) == before


# --- Checked lines -----------------------------------------------------------------------------


def written(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_line_is_read_before_it_is_given_unless_asked_not_to(tmp_path, hand, reader):
    checked, raw = tmp_path / "checked.jsonl", tmp_path / "raw.jsonl"
    options = ["--seed", "3", *hand]
    assert run(["write", "ab", "-o", str(checked), "--candidates", "2", *reader, *options]) == 0
    assert run(["write", "ab", "-o", str(raw), "--no-check", *options]) == 0
    (line,) = written(checked)
    assert isinstance(line["read"], str)
    assert line["candidates"] in range(2, 2 * MOST_ROUNDS_SHORT + 1, 2)
    assert "read" not in written(raw)[0]


def test_what_cannot_be_read_is_told_and_with_strict_an_error(tmp_path, hand, reader, capsys):
    out = tmp_path / "out.svg"
    command = ["write", "abab", "-o", str(out), "--candidates", "1", "--seed", "1", *hand, *reader]
    assert run(command) == 0
    assert re.search(r"line 1 is (hard to read|unfinished) \('abab'", capsys.readouterr().err)
    out.unlink()
    assert run([*command, "--strict"]) == 2
    assert "could not be written legibly" in capsys.readouterr().err
    assert not out.exists()
    assert run([*command, "--strict", "--no-check"]) == 2


def test_interrupted_writing_leaves_no_file(tmp_path, hand, reader, monkeypatch, capsys):
    from handwriter.author import Author

    def interrupted(self, *_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Author, "_draw", interrupted)
    out = tmp_path / "letter.svg"
    assert run(["write", "ab", "-o", str(out), *hand, *reader]) == 130
    assert capsys.readouterr().err == "handwriter: interrupted\n"
    assert list(tmp_path.iterdir()) == []


def test_a_hand_is_evaluated_raw_and_checked_at_each_smoothness(tmp_path, hand, reader, capsys):
    (tmp_path / "texts").write_text("ab\nba ab\n")
    command = ["evaluate", hand[1], *reader, "--sentences", str(tmp_path / "texts"),
               "--smoothness", "0,1.5", "--candidates", "2"]  # fmt: skip
    assert run([*command, "--json"]) == 0
    rows = [json.loads(row) for row in capsys.readouterr().out.splitlines()]
    assert [(row["smoothness"], row["how"]) for row in rows] == [
        (0.0, "raw"), (0.0, "checked"), (1.5, "raw"), (1.5, "checked"),
    ]  # fmt: skip
    save_lines(tmp_path / "lines.npz", tiny.lines())
    assert run([*command, "--data", str(tmp_path / "lines.npz")]) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[0].split()[:3] == ["smoothness", "CER", "WER"]
    people, *rows = [row for row in table[1:] if row.strip()]
    assert people.split()[0] == "people"
    assert [row.split()[1] for row in rows[:4]] == ["raw", "checked", "raw", "checked"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["no-such-hand"], "there is no hand 'no-such-hand'"),
        (["run.safetensors"], "give them with --data"),
        (["research", "--smoothness", "much"], "no list of numbers"),
        (["research", "--sentences", "/no/such/file"], "cannot read the sentences"),
    ],
)
def test_what_cannot_be_evaluated_gets_one_line(options, told, capsys):
    assert run(["evaluate", *options]) == 2
    assert told in capsys.readouterr().err


def test_lines_that_a_reader_contradicts_are_left_out_or_flagged(tmp_path, reader, capsys):
    ink = tmp_path / "ink.jsonl"
    drawn = tiny.ink(np.random.default_rng(0), 60)
    strokes = [stroke.tolist() for stroke in drawn.strokes]
    rows = [{"text": "a dog", "strokes": strokes, "split": "train"}] * 30
    ink.write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = ["prepare", str(ink), "-o", str(tmp_path / "out.npz"), *reader]
    assert run([*command, "--flag"]) == 0
    told = capsys.readouterr().out
    assert re.search(r"contradicted by the reader +30", told)
    assert [f"  ink.jsonl:{n}" in told.splitlines() for n in (1, 30)] == [True, True]
    assert run(command) == 2
    assert "contradicted by the reader 30" in capsys.readouterr().err
    assert run([*command[:4], "--flag"]) == 2
    assert "--flag needs a reader" in capsys.readouterr().err
    assert run([*command[:4], "--most-errors", "0.3"]) == 2
    assert "--most-errors needs a reader" in capsys.readouterr().err
    assert run([*command, "--most-errors=-0.3"]) == 2
    assert "--most-errors is -0.3; give a share from 0 up" in capsys.readouterr().err
    assert run([*command, "--most-errors", "99"]) == 0  # a reader may read more than there is
