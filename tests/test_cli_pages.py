"""`handwriter page`: what it writes and prints, and that it refuses before it writes."""

import io
import json
import re
import sys
from io import BytesIO
from pathlib import Path

import pypdf
import pytest

from handwriter.cli import run

LETTER = "Dear ab,\n\nit is late.\n\fsecond page\n"


@pytest.fixture
def page(tmp_path, monkeypatch, tiny_hand_path):
    """Runs the command on a letter, with the tiny hand, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    Path("letter.txt").write_text(LETTER)

    def run_page(*arguments: str, file: str = "letter.txt") -> int:
        # The tiny hand scribbles, and how wide is its own affair.
        usual = ("--hand", str(tiny_hand_path), "--no-check", "--seed", "3", "--x-height", "0.5",
                 "--paper", "400x200mm", "--margins", "5")  # fmt: skip
        return run(["page", file, *usual, *arguments])

    return run_page


def files() -> list[str]:
    return sorted(path.name for path in Path().iterdir() if path.name != "letter.txt")


def test_a_text_becomes_one_pdf_or_a_file_a_page(page, capsys):
    assert page("-o", "letter.pdf", "--title", "A letter") == 0
    assert page("-o", "letter.svg", "--guides", "ruled", "-q") == 0
    assert files() == ["letter-1.svg", "letter-2.svg", "letter.pdf"]
    pdf = pypdf.PdfReader("letter.pdf")
    assert [p.extract_text().split("\n") for p in pdf.pages] == [
        ["Dear ab,", "it is late."], ["second page"],
    ]  # fmt: skip
    assert pdf.metadata.title == "A letter"
    assert 'inkscape:label="%ruled"' in Path("letter-1.svg").read_text()
    said = capsys.readouterr().err.splitlines()
    assert "handwriter: letter.pdf: 2 pages, 3 lines by tiny, seed 3" in said


def test_the_same_command_writes_the_same_bytes(page):
    assert page("-o", "one.svg") == page("-o", "two.svg") == 0
    assert Path("one-2.svg").read_bytes() == Path("two-2.svg").read_bytes()


def test_a_page_goes_through_pipes(page, monkeypatch, capsysbinary):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(BytesIO(b"from a pipe")))
    assert page("-o", "-", "--format", "pdf", "-q", file="-") == 0
    out = capsysbinary.readouterr().out
    assert pypdf.PdfReader(BytesIO(out)).pages[0].extract_text() == "from a pipe"


def test_with_json_it_tells_each_line_its_page_and_its_file(page, capsys):
    assert page("-o", "letter.svg", "--json", "-q") == 0
    rows = [json.loads(row) for row in capsys.readouterr().out.splitlines()]
    assert [(row["text"], row["page"], row["output"]) for row in rows] == [
        ("Dear ab,", 1, "letter-1.svg"),
        ("it is late.", 1, "letter-1.svg"),
        ("second page", 2, "letter-2.svg"),
    ]


def test_a_suffix_of_ones_own_takes_a_format(page):
    assert page("-o", "letter.ink", "--format", "pdf") == 0
    assert files() == ["letter.ink"]
    assert Path("letter.ink").read_bytes().startswith(b"%PDF")


NARROW = ("--paper", "34x400mm")  # for some of the tiny hand's scribbles


def test_words_are_divided_on_wish_and_whole_to_those_who_search(page, capsys):
    Path("letter.txt").write_text("hyphenation\n" * 6)
    assert page("-o", "x.svg", "-q", *NARROW) == 2
    complaint = r"the word 'hyphenation' \(line \d of the text\) is \d+ mm wide"
    assert re.search(complaint, capsys.readouterr().err)
    assert page("-o", "x.pdf", "--json", "-q", "--hyphenate", "en_US", *NARROW) == 0
    texts = [json.loads(row)["text"] for row in capsys.readouterr().out.splitlines()]
    assert any(text.endswith("hyphen-") for text in texts)
    found = "".join(side.extract_text() for side in pypdf.PdfReader("x.pdf").pages)
    assert re.sub("\u00ad|\\s", "", found) == "hyphenation" * 6


def test_the_language_may_come_from_the_configuration(page, capsys):
    Path("letter.txt").write_text("hyphenation\n" * 6)
    Path("handwriter.toml").write_text('[page]\nhyphenate = "en_US"\n')
    assert page("-o", "x.svg", "-q", *NARROW) == 0
    Path("handwriter.toml").write_text('[page]\nhyphenate = "nobody\'s"\n')
    assert page("-o", "x.svg", "-q", *NARROW) == 2
    assert 'no hyphenation for "nobody\'s"' in capsys.readouterr().err


def test_the_languages_are_listed(capsys):
    assert run(["languages"]) == 0
    assert {"en_US", "de_DE", "fr"} <= set(capsys.readouterr().out.splitlines())


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["-o", "x.svg", "--paper", "a99"], "there is no paper 'a99'"),
        (["-o", "x.svg", "--margins", "1,2"], "give one number of mm for all, or four"),
        (["-o", "x.svg", "--margins", "100,190,100,190"], "leave no room"),
        (["-o", "x.svg", "--dpi", "300"], "a .svg file has no option 'dpi'"),
        (["-o", "x.png", "--dpi", "4800", "--paper", "a0"], "is too large"),
        (["-o", "x.png", "--paper-colour", "no"], "there is no colour 'no'"),
        (["-o", "x.svg", "--look", "ribbon", "--animated"], "a ribbon cannot be animated"),
        (["-o", "x.gif", "--speed", "-1"], "speed is -1"),
        (["-o", "x.bmp"], "cannot write a file with the suffix '.bmp'"),
        (["-o", "no/x.svg"], "there is no folder 'no'"),
        (["-o", "-", "--format", "svg"], "holds one page, and there are 2"),
        (["-o", "x.svg", "--strict"], "--strict needs the check"),
        (["-o", "x.svg", "--style", "nobody"], "there is no style 'nobody'"),
        (["-o", "x.svg", "--hyphenate", "tlh"], "no hyphenation for 'tlh'; choose a language such"),
        (["-o", "x.svg", "--bed", "9x9"], "--bed is for .gcode"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line_and_nothing_written(
    page, capsys, arguments, complaint
):
    assert page(*arguments) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert complaint in said[0]
    assert files() == []


def test_a_text_that_is_missing_or_empty_is_refused(page, capsys):
    assert page("-o", "x.svg", file="nowhere.txt") == 2
    Path("letter.txt").write_text("\n")
    assert page("-o", "x.svg") == 2
    said = capsys.readouterr().err
    assert "cannot read nowhere.txt" in said
    assert "there is no text to write" in said
    assert files() == []
