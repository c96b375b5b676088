"""Plotters on the command line, and what their page in the documentation promises."""

import re
from pathlib import Path

import pytest
from machine import Machine

from handwriter.cli import run
from handwriter.output.profile import OURS, Profile, installed_profiles, load_profile

PAGE = (Path(__file__).parent.parent / "docs" / "plotters.md").read_text(encoding="utf-8")
SPEEDS = ("pen_speed", "travel_speed", "acceleration", "lift_seconds")


@pytest.fixture
def write(tmp_path, tiny_hand_path, monkeypatch):
    """Run `handwriter write "ab cd"` with these words, in an empty folder; its status."""
    monkeypatch.chdir(tmp_path)
    usual = ["write", "ab cd", "--seed", "3", "--no-check", "--hand", str(tiny_hand_path)]
    return lambda *words: run([*usual, *words])


# --- the command line --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["out.gcode", "out.hpgl", "out.PLT"])
def test_a_plotters_file_is_written_with_what_it_takes(write, name, capsys):
    assert write("-o", name) == 0
    assert Path(name).stat().st_size
    said = capsys.readouterr().err
    assert re.search(rf"{name}: pen down \d\.\d\d m, pen up \d\.\d\d m, \d+ lifts, about ", said)


def test_quiet_says_nothing_of_travel(write, capsys):
    assert write("-o", "out.gcode", "-q") == 0
    assert "pen down" not in capsys.readouterr().err


def test_the_pen_speed_is_that_of_the_program(write):
    assert write("-o", "out.gcode", "--pen-speed", "600") == 0
    assert Machine("z").run(Path("out.gcode").read_bytes()).feeds == {600}
    assert write("-o", "out.plt", "--pen-speed", "600") == 0
    assert b"VS1;" in Path("out.plt").read_bytes()  # cm a second


def test_a_slower_pen_takes_longer(write, capsys):
    for suffix in ("gcode", "plt"):
        times = []
        for speed in ("60", "30"):
            assert write("-o", f"out.{suffix}", "--pen-speed", speed) == 0
            told = re.search(r"about (?:(\d+) min )?(\d+) s", capsys.readouterr().err)
            times.append(60 * int(told[1] or 0) + int(told[2]))
        assert times[1] > times[0]


def test_pen_speed_and_bed_are_millimetres_whatever_the_profiles_unit(write):
    Path("own.toml").write_text('[gwrite.own]\nunit = "in"\nsegment = "F{pen_speed:g}\\n"\n')
    words = ["--profile", "own.toml", "--pen-speed", "254", "--bed", "300x200"]
    assert write("-o", "out.gcode", *words) == 0
    assert set(Path("out.gcode").read_text().split()) == {"F10"}


def test_defaults_of_a_plotter_wait_for_a_format_that_they_suit(write):
    table = '[write]\nprofile = "grbl-laser"\nbed = "300x200"\npen-speed = 600\n'
    Path("handwriter.toml").write_text(table)
    for name in ("out.svg", "out.plt", "out.gcode"):
        assert write("-o", name) == 0
    assert Machine("laser").run(Path("out.gcode").read_bytes()).feeds == {600}


def test_a_plotters_file_goes_down_a_pipe_too(write, capfdbinary):
    assert write("-o", "-", "--format", "gcode", "-q") == 0
    assert Machine("z").run(capfdbinary.readouterr().out).strokes


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["-o", "out.svg", "--profile", "grbl-z"], "--profile is for .gcode, and this is .svg; "),
        (["-o", "out.plt", "--profile", "grbl-z"], "--profile is for .gcode, and this is .plt; "),
        (
            ["-o", "out.png", "--pen-speed", "9"],
            "--pen-speed is for .gcode, .hpgl, .plt, and this is .png",
        ),
        (["-o", "out.gcode", "--pen-speed", "0"], "--pen-speed is 0; it takes mm a minute"),
        (["-o", "out.gcode", "--pen-speed", "nan"], "--pen-speed is nan; it takes mm a minute"),
        (["-o", "out.gcode", "--bed", "300"], "--bed is '300'; it takes width and height in mm"),
        (["-o", "out.gcode", "--bed", "0x9"], "--bed is '0x9'; it takes width and height in mm"),
        (["-o", "out.gcode", "--profile", "x"], "there is no profile 'x'"),
        (["-o", "out.gcode", "--bed", "9x9"], "sticks out of the bed of grbl-z by "),
    ],
)
def test_what_cannot_be_drawn_is_told_in_one_line_and_leaves_nothing(write, words, fault, capsys):
    assert write(*words) == 2
    said = capsys.readouterr().err
    assert fault in said
    assert said.count("\n") == 1
    assert not list(Path().iterdir())


# --- the page ----------------------------------------------------------------------------------


def commands() -> list[str]:
    shown = "".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL))
    return re.findall(r"handwriter (write .*?)\s*(?:#.*)?$", shown, re.MULTILINE)


@pytest.mark.parametrize("command", commands())
def test_the_examples_run(command, tmp_path, monkeypatch, tiny_hand_path):
    monkeypatch.chdir(tmp_path)
    (toml,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    Path("mine.toml").write_text(toml, encoding="utf-8")
    text, rest = re.fullmatch(r'write "(.*?)" (.*)', command).groups()
    words = [*rest.split(), "--no-check", "--seed", "3", "--hand", str(tiny_hand_path)]
    assert run(["write", text, *words]) == 0


def test_the_page_has_examples():
    assert len(commands()) == 5


def test_the_profile_of_the_page_draws(write):
    (toml,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    Path("mine.toml").write_text(toml, encoding="utf-8")
    assert write("-o", "out.gcode", "--profile", "mine.toml") == 0
    assert Machine("z", -0.5).run(Path("out.gcode").read_bytes()).strokes


def test_the_page_names_every_profile_with_its_bed_and_every_key():
    for name in installed_profiles():
        _, _, width, height = load_profile(name).bed
        assert re.search(rf"`{name}`.*\| {width} x {height} \|", PAGE)
    for key in [*Profile.__dataclass_fields__, *OURS, *SPEEDS]:
        assert key == "name" or f"`{key}`" in PAGE, key
