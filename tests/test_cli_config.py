"""Defaults from handwriter.toml: where they come from, what wins, and what is refused."""

import json
from pathlib import Path

import pytest

from handwriter.cli import run


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty current folder, and an empty configuration folder of the user's own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "config" / "handwriter").mkdir(parents=True)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


@pytest.fixture
def written(tiny_hand_path):
    """What a line of ink says of itself that was written with these arguments."""

    def write(*arguments, before=()):
        command = ["write", "ab", "-o", "ab.jsonl", "--hand", str(tiny_hand_path), "--no-check"]
        assert run([*before, *command, *arguments]) == 0
        return json.loads(Path("ab.jsonl").read_text())

    return write


def test_defaults_come_from_the_current_folder_and_what_is_typed_wins(written):
    Path("handwriter.toml").write_text("[write]\nsmoothness = 2\nseed = 5\n")
    assert (written()["smoothness"], written()["seed"]) == (2.0, 5)
    assert written("--smoothness", "0.5")["smoothness"] == 0.5


def test_the_current_folder_is_put_over_the_users_own_option_by_option(folder, written):
    own = folder / "config" / "handwriter" / "handwriter.toml"
    own.write_text("[write]\nsmoothness = 2.5\nseed = 5\n[explain]\nseed = 1\n")
    assert (written()["smoothness"], written()["seed"]) == (2.5, 5)
    Path("handwriter.toml").write_text("[write]\nsmoothness = 0.5\n")
    assert (written()["smoothness"], written()["seed"]) == (0.5, 5)


def test_a_named_file_is_taken_alone_and_none_on_wish(written):
    Path("handwriter.toml").write_text("[write]\nseed = 5\nsmoothness = 2\n")
    Path("drafts.toml").write_text("[write]\nsmoothness = 0.25\n")
    drafted = written("--seed", "3", before=["--config", "drafts.toml"])
    assert (drafted["smoothness"], drafted["seed"]) == (0.25, 3)
    assert written(before=["--no-config"])["smoothness"] == 1.5
    assert run(["--no-config", "--config", "drafts.toml", "hands"]) == 2


def test_a_flag_can_be_set_and_unset(tiny_hand_path, tiny_reader_path):
    Path("handwriter.toml").write_text(
        f"[write]\ncheck = false\noutput = 'ab.jsonl'\nhand = '{tiny_hand_path}'\n"
    )
    assert run(["write", "ab"]) == 0
    assert "read" not in json.loads(Path("ab.jsonl").read_text())
    assert run(["write", "ab", "--check", "--reader", str(tiny_reader_path)]) == 0
    assert "read" in json.loads(Path("ab.jsonl").read_text())


def test_help_tells_the_defaults_that_count(capsys):
    Path("handwriter.toml").write_text("[write]\nsmoothness = 0.625\n[data.show]\nlines = 17\n")
    assert run(["write", "--help"]) == 0
    assert "[default: 0.625]" in capsys.readouterr().out
    assert run(["data", "show", "--help"]) == 0
    assert "[default: 17]" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("[writ]\n", "handwriter.toml: there is no command 'writ'; choose one of write, "),
        ("[data.shows]\n", "handwriter.toml: there is no command 'data.shows'; choose one of show"),
        ("[write]\nhands = 'x'\n", "handwriter.toml: write has no option 'hands'; choose one of "),
        ("[write]\nhelp = true\n", "write has no option 'help'"),
        ("[write]\nno-check = true\n", "write has no option 'no-check'"),
        ("[write]\ntext = 'x'\n", "write has no option 'text'"),
        ("[write]\nsmoothness = '2'\n", "handwriter.toml: write.smoothness is '2'; make it a num"),
        ("[write]\nsmoothness = true\n", "write.smoothness is True; make it a number"),
        ("[write]\nseed = 1.0\n", "write.seed is 1.0; make it a whole number"),
        ("[write]\ncheck = 1\n", "write.check is 1; make it true or false"),
        ("[write]\nhand = 7\n", "write.hand is 7; make it a string"),
        ("[data.show]\nlines = []\n", "data.show.lines is []; make it a whole number"),
        ("write = 1\n", "handwriter.toml: write is 1; make it a table, [write]"),
        ("[write\n", "handwriter.toml is not TOML: "),
        ("[write]\nseed = 1\nseed = 2\n", "handwriter.toml is not TOML: "),
        ("[write]\nhand = '\xe9'\n", "handwriter.toml is not UTF-8 text (byte 17)"),
    ],
)
def test_what_it_does_not_know_is_one_line_that_names_file_and_key(content, complaint, capsys):
    Path("handwriter.toml").write_bytes(content.encode("latin-1"))
    assert run(["hands"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert complaint in printed.err
    assert run(["--no-config", "hands"]) == 0


def test_a_file_that_cannot_be_read_is_told(capsys):
    assert run(["--config", "missing.toml", "hands"]) == 2
    assert "cannot read missing.toml (No such file or directory)" in capsys.readouterr().err
    Path("handwriter.toml").mkdir()
    assert run(["hands"]) == 2
    assert "cannot read handwriter.toml (Is a directory)" in capsys.readouterr().err
