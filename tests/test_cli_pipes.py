"""Standard input and output: what goes through a pipe, what a terminal sees, how both end."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from handwriter.cli import run

COLOUR = re.compile(rb"\x1b\[[\d;]*\b(3[0-8]|9[0-7])[\d;]*m")
PROGRAM = [sys.executable, "-m", "handwriter"]


@pytest.fixture
def hand(tiny_hand_path):
    return ["--hand", str(tiny_hand_path)]


@pytest.fixture
def reader(tiny_reader_path):
    return ["--reader", str(tiny_reader_path)]


@pytest.fixture
def stdin(monkeypatch):
    """Puts bytes on standard input."""

    def put(content):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))

    return put


@pytest.mark.parametrize("format", ["svg", "png", "jsonl"])
def test_a_pipe_gets_the_bytes_of_the_file(format, tmp_path, hand, capfdbinary):
    file = tmp_path / f"ab.{format}"
    command = ["write", "ab", "--seed", "3", "--no-check", *hand]
    assert run([*command, "-o", str(file)]) == 0
    capfdbinary.readouterr()
    assert run([*command, "-o", "-", "--format", format]) == 0
    printed = capfdbinary.readouterr()
    assert printed.out == file.read_bytes()
    assert b"standard output: 1 line" in printed.err


def test_explain_needs_no_format_for_a_pipe(hand, capfdbinary):
    assert run(["explain", "ab", "-o", "-", "--seed", "2", *hand]) == 0
    assert capfdbinary.readouterr().out.startswith(b"\x89PNG")


def test_a_format_is_named_where_the_suffix_is_none(tmp_path, hand):
    command = ["write", "ab", "--seed", "3", "--no-check", *hand]
    for name in ("ab", "ab.v2"):
        assert run([*command, "-o", str(tmp_path / name), "--format", "JSONL"]) == 0
        assert json.loads((tmp_path / name).read_text())["text"] == "ab"


def test_text_and_ink_are_taken_from_standard_input(stdin, hand, reader, capfdbinary):
    stdin(b"ab\nc\n")
    command = ["write", "-i", "-", "-o", "-", "--format", "jsonl", "--no-check", "-q", *hand]
    assert run(command) == 0
    ink = capfdbinary.readouterr().out
    stdin(ink)
    assert run(["read", "-", "--format", "jsonl", "--json", *reader]) == 0
    rows = [json.loads(row) for row in capfdbinary.readouterr().out.splitlines()]
    assert [(row["source"], row["truth"]) for row in rows] == [("-:1", "ab"), ("-:2", "c")]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["write", "ab", "-o", "-"], "standard output has no suffix; add --format, one of svg, "),
        (["write", "ab", "-o", "-", "--format", "doc"], "--format is 'doc'; choose one of svg, "),
        (["write", "ab", "-o", "x.png", "--format", "svg"], "'x.png' is no svg; change its suffix"),
        (["write", "ab", "-o", "-", "--format", "svg", "--json"], "both take standard output"),
        (["write", "ab", "-o", "nowhere/x", "--format", "svg"], "no folder 'nowhere'"),
        (["read", "-"], "standard input has no suffix; add --format, one of jsonl, inkml, svg"),
        (["read", "-", "--format", "png"], "- ends in '.png'"),
        (["read", "-", "--format", "jsonl"], "-, line 1: not valid JSON"),
        (["read", "-", "--format", "jsonl", "--truth", "-"], "both come from standard input"),
    ],
)
def test_what_no_pipe_can_do_gets_one_line(arguments, complaint, stdin, capsys, hand, reader):
    stdin(b"{")
    assert run([*arguments, *(hand if arguments[0] == "write" else reader)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert complaint in printed.err


def test_quiet_leaves_only_the_results(tmp_path, hand, reader, stdin, capfdbinary):
    rows = [{"text": "ab", "strokes": [[[x / 4, x % 3] for x in range(60)]]}]
    ink = "\n".join(map(json.dumps, rows)).encode()
    stdin(ink)
    assert run(["read", "-", "--format", "jsonl", *reader]) == 0
    told = capfdbinary.readouterr().out
    assert b"CER" in told
    stdin(ink)
    assert run(["read", "-", "--format", "jsonl", "--quiet", *reader]) == 0
    printed = capfdbinary.readouterr()
    assert printed.err == b""
    assert b"CER" not in printed.out
    assert told.startswith(printed.out)


# --- How a pipe ends ---------------------------------------------------------------------------


def test_a_reader_that_has_seen_enough_is_no_error(hand):
    command = [*PROGRAM, "write", "ab", "-o", "-", "--format", "svg", "--no-check", "-q", *hand]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("command", [["write", "ab", "-o", "-", "--format", "svg"], ["hands"]])
def test_no_room_for_what_is_printed_is_one_line(command, hand):
    options = ["--no-check", "-q", *hand] if command[0] == "write" else []
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([*PROGRAM, *command, *options], stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    assert b"the disk is full" in done.stderr


# --- Terminals ---------------------------------------------------------------------------------


@pytest.fixture
def on_terminal():
    """Runs handwriter with one of its streams on a terminal: what is seen there, and the status."""
    pty = pytest.importorskip("pty", reason="there are no pseudo-terminals here")

    def call(arguments, stream, **settings):
        near, far = pty.openpty()
        streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: far}
        environment = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
        environment |= {"TERM": "xterm-256color", **settings}
        process = subprocess.Popen([*PROGRAM, *arguments], env=environment, **streams)
        os.close(far)
        seen = b""
        try:
            while some := os.read(near, 65536):
                seen += some
        except OSError:  # Linux says so that nobody has the other end any longer
            pass
        os.close(near)
        return seen, process.wait()

    return call


def test_a_progress_bar_is_for_terminals_alone(tmp_path, hand, on_terminal):
    command = ["write", "ab", "-o", str(tmp_path / "ab.svg"), "--no-check", *hand]
    seen, status = on_terminal(command, "stderr")
    assert status == 0
    assert b"writing" in seen
    assert COLOUR.search(seen)
    assert b"writing" not in on_terminal([*command, "--quiet"], "stderr")[0]
    assert b"writing" not in on_terminal(command, "stderr", TERM="dumb")[0]
    piped = subprocess.run(
        [*PROGRAM, *command], capture_output=True, env=os.environ | {"FORCE_COLOR": "1"}
    )
    assert b"writing" not in piped.stderr
    assert b"\x1b" not in piped.stderr


def test_colours_are_off_where_the_user_wants_none(tmp_path, hand, on_terminal):
    command = ["write", "ab", "-o", str(tmp_path / "ab.svg"), "--no-check", *hand]
    seen, _ = on_terminal(command, "stderr", NO_COLOR="1")
    assert b"writing" in seen
    assert not COLOUR.search(seen)


def test_what_is_no_text_is_not_sent_to_a_terminal(hand, on_terminal):
    command = ["write", "ab", "-o", "-", "--no-check", "--seed", "1", *hand]
    seen, status = on_terminal([*command, "--format", "png"], "stdout")
    assert (seen, status) == (b"", 2)
    seen, status = on_terminal([*command, "--format", "svg"], "stdout")
    assert status == 0
    assert seen.startswith(b"<?xml")


# --- Completion --------------------------------------------------------------------------------


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash here")
@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        (["wr"], "write"),
        (["data", "s"], "show"),
        (["write", "--smoo"], "--smoothness"),
        (["write", "--hand", "res"], "research"),
        (["read", "--reader", "res"], "research"),
    ],
)
def test_bash_completes_commands_options_and_names(typed, completed, tmp_path):
    program = tmp_path / "handwriter"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m handwriter "$@"\n')
    program.chmod(0o755)
    search = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    script = subprocess.run(
        [*PROGRAM], env=os.environ | {"_HANDWRITER_COMPLETE": "source_bash"}, capture_output=True,
        text=True, check=True,
    ).stdout  # fmt: skip
    words = " ".join(f"'{word}'" for word in typed)
    asked = f"COMP_WORDS=(handwriter {words}); COMP_CWORD={len(typed)}"
    done = subprocess.run(
        ["bash", "-c", f"{script}\n{asked}\n_handwriter_completion handwriter\n"
                       'printf "%s\\n" "${COMPREPLY[@]}"'],
        env=os.environ | search, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.split() == [completed], done.stderr
