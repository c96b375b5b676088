"""The pages of docs/ make a site, and their links hold there and in the repository."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import handwriter

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))


@pytest.mark.skipif(not find_spec("mkdocs"), reason="needs mkdocs: pip install 'handwriter[docs]'")
def test_the_site_is_built_without_a_warning(tmp_path):
    """Every page has its place, every link and anchor leads somewhere."""
    mkdocs = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    built = subprocess.run(mkdocs, cwd=ROOT, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    for page in PAGES:
        name = "index" if page.stem == "README" else page.stem
        assert (tmp_path / page.relative_to(DOCS).with_name(f"{name}.html")).is_file()


def test_every_page_has_its_place_on_the_site():
    """Known without mkdocs too."""
    places = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("nav:")[2]
    named = re.findall(r"[\w/-]+\.md", places)
    assert sorted(named) == sorted(page.relative_to(DOCS).as_posix() for page in PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_links_lead_somewhere_in_the_repository_and_stay_on_the_site(page):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        there = (page.parent / target).resolve()
        assert there.is_file(), target
        assert there.is_relative_to(DOCS), target


def test_all_that_the_package_offers_is_on_the_python_page():
    page = (DOCS / "python.md").read_text(encoding="utf-8")
    for name in handwriter.__all__:
        assert re.search(rf"\b{name}\b", page), name
