"""What the documentation promises is there, and what is there is documented."""

import json
import re
import shutil
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest
import tiny
import typer

import handwriter
from handwriter.cli import app, run
from handwriter.output import FORMATS
from handwriter.training.lines import save_lines
from handwriter.training.reading import ReadingScore
from handwriter.training.recipe import built_in_recipes
from handwriter.training.writing import WritingScore

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMAND_LINE = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
COMMANDS = typer.main.get_command(app).commands


def options_of(command: str) -> set[str]:
    group = COMMANDS[command]
    found = [group, *getattr(group, "commands", {}).values()]
    return {option for one in found for parameter in one.params for option in parameter.opts}


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_is_in_the_readme(command):
    assert re.search(rf"handwriter {command}\b", README)


def test_each_option_in_the_readme_exists():
    shown = "".join(re.findall(r"```sh\n(.*?)```", README, re.DOTALL)).replace("\\\n", "")
    used = re.findall(r"\bhandwriter (\w+) ([^#\n]*)", shown)
    assert len(used) > 8
    for command, rest in used:
        options = set(re.findall(r"(?<=\s)(-\w|--[\w-]+)", rest))
        assert options <= options_of(command), command


def test_each_format_and_recipe_is_named():
    pages = ("lines-file.md", "plotters.md", "training.md")
    told = README + "".join((ROOT / "docs" / page).read_text(encoding="utf-8") for page in pages)
    for name in [*FORMATS, *(recipe for recipe in built_in_recipes() if recipe != "default")]:
        assert name in told


def test_links_in_the_readme_lead_somewhere():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


CARDS = sorted(ROOT.glob("src/handwriter/*/*.md"))


@pytest.mark.parametrize("card", CARDS, ids=lambda card: f"{card.parent.name}-{card.stem}")
def test_a_card_names_only_files_that_are_there_and_has_no_gaps(card):
    text = card.read_text(encoding="utf-8")
    for named in re.findall(r"\b(?:docs|scripts)/[\w./-]*\w", text):
        assert (ROOT / named).exists(), named
    assert not re.findall(r"@\w+@", text)


def test_each_dependency_has_its_reason():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    reasons = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    extras = project["optional-dependencies"].values()
    for requirement in [*project["dependencies"], *(r for extra in extras for r in extra)]:
        name = re.split(r"[<>=\[]", requirement)[0]
        assert name == "handwriter" or name in reasons, name


def test_the_version_is_in_the_changelog():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"## {project['version']}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_what_the_package_offers_is_there():
    for name in handwriter.__all__:
        assert getattr(handwriter, name).__name__ == name
    with pytest.raises(AttributeError, match="nothing"):
        handwriter.nothing  # noqa: B018


# --- docs/command-line.md ----------------------------------------------------------------------


def blocks(language: str, page: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


@pytest.fixture
def ink_of_ab():
    """A line of ink that says so, as a row of a JSON-lines file."""
    strokes = [[[x / 4, x % 3] for x in range(60)]]
    return json.dumps({"text": "ab", "strokes": strokes, "split": "train"}) + "\n"


def documented_fields() -> dict[str, set[str]]:
    """The names of the fields by what the first column of the table names."""
    rows = re.findall(r"^\| (`.*?) \| .*? \| (.*) \|$", COMMAND_LINE, re.MULTILINE)
    return {what.replace("`", ""): set(re.findall(r"`(\w+)`", named)) for what, named in rows}


def test_the_fields_for_programs_are_those_that_are_printed(
    tmp_path, monkeypatch, capsys, ink_of_ab, tiny_hand_path, tiny_reader_path,
    tiny_prediction_hand_path,
):  # fmt: skip
    def printed(*arguments):
        assert run([*arguments, "--json"]) == 0, capsys.readouterr().err
        return {key for row in capsys.readouterr().out.splitlines() for key in json.loads(row)}

    monkeypatch.chdir(tmp_path)
    Path("ink.jsonl").write_text(ink_of_ab)
    Path("drawn.jsonl").write_text(ink_of_ab * 30)
    Path("texts").write_text("ab\nba\n")
    save_lines("lines.npz", tiny.lines())
    real = ("--data", "lines.npz", "--lines", "3")
    hand, reader = ("--hand", str(tiny_hand_path)), ("--reader", str(tiny_reader_path))
    prediction = ("--hand", str(tiny_prediction_hand_path))
    shutil.copy(tiny_hand_path, "styled.onnx")
    Path("styled.styles.jsonl").write_text(ink_of_ab)
    styled = ("--hand", "styled.onnx")
    measured = ("--sentences", "texts", "--smoothness", "1", "--candidates", "1")
    # The tiny hand scribbles, and how wide is its own affair.
    wide = ("--seed", "3", "--x-height", "0.5", "--paper", "400x200mm", "--margins", "5")
    assert documented_fields() == {
        "write": printed("write", "ab", "-o", "ab.svg", *hand, *reader),
        "page": printed("page", "texts", "-o", "ab.svg", *wide, *hand, *reader),
        "sample": printed("sample", "-o", "x.svg", "--steps", "20", *prediction),
        "hands": printed("hands"),
        "styles": printed("styles", *styled),
        "read": printed("read", "ink.jsonl", *reader),
        "prepare": printed("prepare", "drawn.jsonl", "-o", "x.npz", "--flag", *reader),
        "data show": printed("data", "show", "lines.npz", "--recipe", "default"),
        "evaluate, a hand": printed("evaluate", hand[1], *reader, *measured),
        "evaluate, with --characters": printed(
            "evaluate", hand[1], *reader, "--characters", "--no-check", "--lines", "1"
        ),
        "evaluate, with --likeness": printed("evaluate", hand[1], "--likeness", *real),
        "evaluate, with --classifier": printed("evaluate", hand[1], "--classifier", *real),
        "evaluate, a checkpoint that writes": {field.name for field in fields(WritingScore)},
        "evaluate, a checkpoint that reads": {field.name for field in fields(ReadingScore)},
    }


def test_each_command_that_prints_json_has_its_fields_in_the_docs():
    with_json = set()
    for name, group in COMMANDS.items():
        for path, command in [
            (name, group),
            *((f"{name} {sub}", one) for sub, one in getattr(group, "commands", {}).items()),
        ]:
            if any("--json" in parameter.opts for parameter in command.params):
                with_json.add(path)
    assert {what.split(",")[0] for what in documented_fields()} == with_json


def test_the_defaults_shown_are_some_that_it_takes(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (example,) = blocks("toml", COMMAND_LINE)
    Path("handwriter.toml").write_text(example)
    assert run(["data", "show", "--help"]) == 0
    assert f"[default: {tomllib.loads(example)['data']['show']['lines']}]" in (
        capsys.readouterr().out
    )
