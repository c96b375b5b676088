"""Every example in the README and in docs/ runs, or says here why it does not.

A new page is found by itself.  What its examples read without having made it belongs in
`stand_ins.files`; a command that cannot be run in a test belongs in `NOT_RUN`.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

import pytest
import stand_ins

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
RUN = {"sh", "python"}
SHOWN = {"json", "text", "toml"}

# Commands that no test runs, as they begin, and why.
NOT_RUN = {
    "python3 -m venv": "it installs the package from a registry",
    "pip install": "it installs packages from a registry",
    "scripts/check": "it runs these tests",
    "python scripts/practise.py": "nothing that a tiny hand writes can be read",
    "torchrun": "it takes several devices",
}
# Commands of programs that are not always there.
LACKING = {
    "vpype": not (find_spec("vpype") and entry_points(group="vpype.plugins", name="handwriter")),
}

PROGRAMS = f"""
handwriter() {{ "{sys.executable}" -m handwriter "$@"; }}
vpype() {{ "{sys.executable}" -c 'from vpype_cli import cli; cli()' "$@"; }}
fortune() {{ echo "ab"; }}
"""


@dataclass(frozen=True)
class Example:
    """A fenced block: where it begins, its language, and what stands in it."""

    where: str
    language: str
    text: str


def examples(page: Path) -> list[Example]:
    fence = re.compile(r"^( *)(`{3,}|~{3,})([^\n`]*)\n(.*?)^\1\2 *$", re.DOTALL | re.MULTILINE)
    text, name = page.read_text(encoding="utf-8"), page.relative_to(ROOT)
    return [
        Example(f"{name}:{text.count(chr(10), 0, found.start()) + 1}", found[3].strip(), found[4])
        for found in fence.finditer(text)
    ]


def commands(shell: str) -> list[str]:
    """One string a command, those that go on behind a backslash joined."""
    return [line for line in shell.replace("\\\n", "").splitlines() if line.strip()]


def lacking() -> list[str]:
    return [begin for begin, lacks in LACKING.items() if lacks]


def is_run(command: str) -> bool:
    return not command.startswith((*NOT_RUN, *lacking()))


EXAMPLES = {page.relative_to(ROOT).as_posix(): examples(page) for page in PAGES}
EVERY = [example for found in EXAMPLES.values() for example in found]
COMMANDS = [c for example in EVERY if example.language == "sh" for c in commands(example.text)]
WITH_EXAMPLES = [name for name, found in EXAMPLES.items() if {e.language for e in found} & RUN]


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Where `handwriter` has tiny networks, and measures a hand by a few lines."""
    tiny = stand_ins.package(tmp_path_factory.mktemp("tiny"))
    defaults = stand_ins.defaults(tmp_path_factory.mktemp("config"))
    return os.environ | {"PYTHONPATH": str(tiny), "XDG_CONFIG_HOME": str(defaults)}


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """A folder with what the examples take for granted."""
    folder = tmp_path_factory.mktemp("given") / "here"
    folder.mkdir()
    stand_ins.files(folder)
    return folder.parent


def test_each_fence_tells_a_language_that_is_run_or_only_shown():
    for example in EVERY:
        assert example.language in RUN | SHOWN, f"{example.where}: what is it?"


def test_no_fence_is_overlooked():
    for name, found in EXAMPLES.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        assert len(re.findall(r"^ *(?:```|~~~)", text, re.MULTILINE)) == 2 * len(found), name


@pytest.mark.parametrize("begin", NOT_RUN)
def test_what_is_not_run_is_still_there(begin):
    assert any(command.startswith(begin) for command in COMMANDS)


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash here")
@pytest.mark.parametrize("page", WITH_EXAMPLES)
def test_the_examples_run(page, environment, given, tmp_path):
    """One after the other, as a reader would type them, in one folder."""
    folder = shutil.copytree(given, tmp_path / "given") / "here"
    for example in EXAMPLES[page]:
        if example.language == "toml":  # what the page calls mine.toml, before it shows it or after
            (folder / "mine.toml").write_text(example.text)
    for example in EXAMPLES[page]:
        match example.language:
            case "sh":
                run_commands(example, folder, environment)
            case "python":
                done(example, [sys.executable, "-c", example.text], folder, environment)
    shown = [c for e in EXAMPLES[page] if e.language == "sh" for c in commands(e.text)]
    if left_out := [command for command in shown if command.startswith((*lacking(),))]:
        pytest.skip(f"all run but those of programs that are not here: {left_out}")


def run_commands(example, folder, environment):
    shell = "\n".join(filter(is_run, commands(example.text)))
    done(example, ["bash", "-e", "-o", "pipefail", "-c", PROGRAMS + shell], folder, environment)
    for name in re.findall(r"(?:> |-o )([\w-]+\.\w+)", shell):
        assert (folder / name).stat().st_size, f"{example.where}: {name}"


def done(example, command, folder, environment):
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, f"{example.where}\n{run.stdout}{run.stderr}"
