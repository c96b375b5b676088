"""vpype itself: our plug-in in it, our SVG read by it, our profiles used by its own G-code."""

import inspect
import re
import tomllib
from dataclasses import replace
from importlib import resources
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pytest
import tiny_pages

from handwriter.output import render
from handwriter.output.gcode import gcode
from handwriter.output.layout import lay_out
from handwriter.output.plotter import TOLERANCE_MM, for_plotter, pen_number, strokes_of
from handwriter.output.profile import OURS, installed_profiles, load_profile
from handwriter.page import Document

vpype = pytest.importorskip("vpype", reason="needs vpype: pip install 'handwriter[vpype]'")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
PX_PER_MM = 96 / 25.4
PAGE = (Path(__file__).parent.parent / "docs" / "plotters.md").read_text(encoding="utf-8")
PLUGIN = entry_points(group="vpype.plugins", name="handwriter")


@pytest.fixture
def run():
    """Run a command line of vpype; what its document is at the end."""
    from vpype_cli import execute

    return execute


@pytest.fixture
def write(tmp_path):
    """Write a document in one of our formats; where it is, as a command line names it."""

    def written(document: Document, suffix: str) -> str:
        path = tmp_path / f"letter{suffix}"
        path.write_bytes(render(suffix, document))
        return str(path)

    return written


def first_page() -> Document:
    """A page with two pens and no rules."""
    letter = tiny_pages.letter()
    page = letter.pages[0]
    without_rules = tuple(layer for layer in page.layers if not layer.is_guide)
    return Document((replace(page, layers=without_rules),), letter.title, letter.about)


def without_dots(document: Document) -> Document:
    """The black layer's curves and straight lines alone."""
    (page,) = document.pages
    strokes = [stroke for stroke in strokes_of(page.layers[0]) if len(stroke) > 1]
    return tiny_pages.document(*strokes, size=tiny_pages.LETTER)


def in_mm(lines) -> list[np.ndarray]:
    return [np.column_stack([line.real, line.imag]) / PX_PER_MM for line in lines]


def ends(strokes) -> np.ndarray:
    return np.array([stroke[[0, -1]] for stroke in strokes])


def assert_is_drawn(found, document: Document) -> None:
    """That vpype's document has our layers, strokes in order, and size."""
    (page,) = for_plotter(document).pages
    assert found.page_size == pytest.approx(
        (page.width_mm * PX_PER_MM, page.height_mm * PX_PER_MM), abs=0.01
    )
    assert list(found.layers) == [pen_number(layer, 0) for layer in page.layers]
    for ours, theirs in zip(page.layers, found.layers.values(), strict=True):
        assert theirs.property("vp_name") == ours.name
        assert str(theirs.property("vp_color").as_hex()) == ours.colour
        assert theirs.property("vp_pen_width") == pytest.approx(ours.pen_mm * PX_PER_MM, abs=1e-4)
        assert len(theirs) == len(strokes_of(ours))
        assert ends(in_mm(theirs)) == pytest.approx(ends(strokes_of(ours)), abs=0.0016)


# --- our SVG, read by vpype --------------------------------------------------------------------


def test_vpype_reads_our_svg_with_its_strokes_order_layers_and_size(run, write):
    assert_is_drawn(run(f"read {write(first_page(), '.svg')}"), first_page())


def test_vpype_draws_the_curves_that_we_mean(run, write):
    curve = tiny_pages.document(tiny_pages.wave(20, 30))
    (found,) = in_mm(run(f"read -q 0.01mm {write(curve, '.svg')}").layers[1])
    (ours,) = curve.pages[0].layers[0].lines[0].ink.smoothed(100).strokes
    nearest = np.linalg.norm(found[:, None] - ours, axis=-1).min(axis=1)
    assert nearest.max() < TOLERANCE_MM


def test_vpype_keeps_the_dots_of_our_svg(run, write):
    dot = tiny_pages.document([(10, 10)])
    (found,) = in_mm(run(f"read {write(dot, '.svg')}").layers[1])
    assert found == pytest.approx(np.array([[10, 10], [10.001, 10]]), abs=0.0005)


# --- the plug-in -------------------------------------------------------------------------------


@pytest.fixture
def plugin():
    if not PLUGIN:
        pytest.skip("this installation is older than the plug-in: run pip install -e . again")
    return PLUGIN["handwriter"].load()


def test_what_was_written_comes_to_vpype_with_its_strokes_order_layers_and_size(plugin):
    from handwriter.vpype_plugin import add

    found = vpype.Document()
    add(found, first_page())
    assert_is_drawn(found, first_page())
    assert found.property("handwriter_licence") == "CC0-1.0"


def test_rules_do_not_come_to_vpype(plugin):
    from handwriter.vpype_plugin import add

    letter = tiny_pages.letter()
    found = vpype.Document()
    add(found, Document(letter.pages[:1]))
    assert list(found.layers) == [1, 3]


def test_vpype_writes_a_text_by_hand(plugin, run, tiny_hand, tiny_hand_path, tmp_path):
    file = tmp_path / "out.svg"
    text = f'handwriter --no-check --seed 3 --hand {tiny_hand_path} "ab\ncd"'
    found = run(f"{text} write {file}")
    written = lay_out(list(tiny_hand.iter_lines(["ab", "cd"], smoothness=1.5, seed=3)))
    assert_is_drawn(found, written)
    assert_is_drawn(run(f"read {file}"), written)


def test_the_page_grows_to_hold_what_is_written(plugin, run, tiny_hand_path):
    text = f"handwriter --no-check --seed 3 --hand {tiny_hand_path} ab"
    assert run(f"pagesize a4 {text}").page_size == pytest.approx((793.7, 1122.5), abs=0.1)


def test_a_text_that_cannot_be_written_is_told_in_one_line(plugin, tiny_hand_path):
    from click.testing import CliRunner
    from vpype_cli import cli

    words = ["handwriter", "--no-check", "--hand", str(tiny_hand_path), "a~b"]
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 1
    assert re.fullmatch(r"Error: cannot write '~'.*\n", result.output)


EXAMPLES = re.findall(r"^vpype (handwriter .*?)\s*(?:#.*)?$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_of_the_page_run(example, plugin, run, tiny_hand_path, tmp_path, monkeypatch):
    if " gwrite " in example:
        pytest.importorskip("vpype_gcode", reason="needs vpype-gcode")
    monkeypatch.chdir(tmp_path)
    tiny = f"handwriter --no-check --hand {tiny_hand_path}"
    assert run(example.replace("handwriter", tiny, 1)).layers
    assert [file.name for file in Path().iterdir()] == [example.split()[-1]]


def test_the_page_has_examples():
    assert len(EXAMPLES) == 3


# --- the profiles, used by vpype-gcode ---------------------------------------------------------


@pytest.mark.parametrize("name", installed_profiles())
def test_vpype_gcode_makes_the_same_program_of_a_profile(name, run, tmp_path):
    pytest.importorskip("vpype_gcode", reason="needs vpype-gcode")
    from handwriter.vpype_plugin import add

    written, document = without_dots(first_page()), vpype.Document()
    add(document, written)
    folder = resources.files("handwriter.output") / "profiles"
    vpype.config_manager.load_config_file(str(folder / f"{name}.toml"))
    run(f"gwrite -p {name} {tmp_path / 'theirs.gcode'}", document)
    ours = gcode(written, replace(load_profile(name), comment=None)).decode()
    assert (tmp_path / "theirs.gcode").read_text() == ours


@pytest.mark.parametrize("name", installed_profiles())
def test_no_key_of_ours_is_one_that_vpype_gcode_means_otherwise(name):
    pytest.importorskip("vpype_gcode", reason="needs vpype-gcode")
    import vpype_gcode.gwrite

    known = set(re.findall(r'config\.get\(\s*"(\w+)"', inspect.getsource(vpype_gcode.gwrite)))
    text = (resources.files("handwriter.output") / "profiles" / f"{name}.toml").read_text("utf-8")
    keys = tomllib.loads(text)["gwrite"][name].keys()
    assert keys - known - {"default_values"} <= set(OURS)
    assert not known & set(OURS)
