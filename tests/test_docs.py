"""What the documentation promises is there, and what is there is documented."""

import re
import tomllib
import warnings
from pathlib import Path

import pytest
import typer

import handwriter
from handwriter.cli import app
from handwriter.hand import UnfinishedWarning
from handwriter.output import FORMATS
from handwriter.training.recipe import built_in_recipes

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
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
    log = README + (ROOT / "docs" / "lines-file.md").read_text(encoding="utf-8")
    for name in [*FORMATS, *(recipe for recipe in built_in_recipes() if recipe != "default")]:
        assert name in log


def test_links_in_the_readme_lead_somewhere():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_python_example_in_the_readme_runs(tmp_path, monkeypatch, tiny_hand_path):
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    opened = handwriter.load(str(tiny_hand_path))
    monkeypatch.setattr("handwriter.hand.load", lambda: opened)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnfinishedWarning)  # the tiny hand only scribbles
        exec(compile(example, "README.md", "exec"), {})
    assert (tmp_path / "fox.svg").read_text().startswith("<?xml")


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
