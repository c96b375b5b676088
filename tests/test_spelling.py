"""Every text is spelled with what a hand knows, openly, or refused by name."""

import re
import unicodedata
from pathlib import Path

import pytest

from handwriter.alphabet import LONGEST_LINE, Mark
from handwriter.errors import UnsupportedText
from handwriter.marks import NAMES
from handwriter.spelling import MOST_MARKS, Spelling, replacements, spelled

ASCII = "".join(map(chr, range(32, 127)))
DOCS = (Path(__file__).parent.parent / "docs" / "letters.md").read_text(encoding="utf-8")
LATIN = [chr(code) for code in range(0xA0, 0x180)]


def spelling_of(text: str, characters: str = ASCII, **options: bool) -> Spelling:
    (spelling,) = spelled([text], characters, **options)
    return spelling


def is_refused(character: str) -> bool:
    try:
        spelling_of(f"a {character}")
    except UnsupportedText as error:
        assert f"U+{ord(character):04X}" in str(error) or repr(character) in str(error)
        return True
    return False


def test_ascii_is_left_as_it_is():
    assert spelling_of(ASCII) == Spelling(ASCII, ASCII, (), spelling_of("a").replaced)


def test_what_is_refused_of_latin_is_what_the_documentation_says():
    (sentence,) = re.findall(r"of U\+00A0 to U\+017F, these are refused: (.*)\.", DOCS)
    assert [c for c in LATIN if is_refused(c)] == sentence.split()


@pytest.mark.parametrize("letter", [c for c in LATIN if unicodedata.category(c)[0] == "L"])
def test_each_latin_letter_is_marked_or_replaced_and_reported(letter):
    spelling = spelling_of(letter)
    assert spelling.base.isascii()
    assert bool(spelling.marks) != bool(spelling.replaced)
    assert (spelling.text == letter) == bool(spelling.marks)
    assert {mark.name for mark in spelling.marks} <= NAMES


def test_a_mark_goes_with_its_letter_however_it_is_encoded():
    for form in ("NFC", "NFD"):
        spelling = spelling_of(unicodedata.normalize(form, "Ångström, façade"))
        assert spelling.base == "Angstrom, facade"
        assert spelling.text == "Ångström, façade"
        assert spelling.marks == (Mark(0, "ring"), Mark(6, "diaeresis"), Mark(12, "cedilla"))
        assert not spelling.replaced


def test_marks_are_what_is_seen_and_not_what_unicode_calls_them():
    names = [mark.name for mark in spelling_of("ģ ķ ş ď Ď ľ ț").marks]
    assert names[:3] == ["turned comma", "comma below", "cedilla"]
    assert names[3:] == ["apostrophe", "caron", "apostrophe", "comma below"]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("“So,” he said—\u2018it\u2019s…\u2019", "\"So,\" he said - 'it's...'"),
        ("1914\u20131918", "1914-1918"),
        ("now — or never", "now - or never"),
        ("— Oui", "- Oui"),
        ("\ufb01ne \ufb02ight", "fine flight"),
        ("12\u00a0000\u202f000\tkm", "12 000 000 km"),
        ("\ufeffco\u00adope\u200bration", "cooperation"),
        ("½ or 1½", "1/2 or 1 1/2"),
        ("Æsop, ÆSOP, œuvre", "Aesop, AESOP, oeuvre"),
        ("3 \u00d7 4, m²", "3 x 4, m^2"),
        ("\uff21\uff22\u2163", "ABIV"),
    ],
)
def test_typographic_signs_are_spelled_in_ascii(text, written):
    spelling = spelling_of(text)
    assert (spelling.text, spelling.base, spelling.marks) == (written, written, ())
    assert spelling.replaced
    assert spelling_of(written) == Spelling(written, written, (), type(spelling.replaced)())


def test_what_was_replaced_is_counted_and_can_be_told():
    both = spelled(["“a” ﬁ\u00ad", "a\u00a0“b"], ASCII)
    assert both[0].replaced == {("“", '"'): 1, ("”", '"'): 1, ("ﬁ", "fi"): 1, ("\u00ad", ""): 1}
    assert replacements(both) == (
        'U+00A0 by a blank (1), U+00AD by nothing (1), “ by " (2), ” by " (1), ﬁ by fi (1)'
    )
    assert replacements(spelled(["é"], ASCII)) == ""


def test_a_hand_that_knows_a_character_is_asked_for_it():
    assert spelling_of("é “", f"{ASCII}é“") == Spelling("é “", "é “", (), spelling_of("a").replaced)


def test_a_replacement_that_the_hand_does_not_know_is_no_help():
    assert spelling_of("m²").base == "m^2"
    with pytest.raises(UnsupportedText, match=r"cannot write '²' \(character 2 of 'm²'\)"):
        spelling_of("m²", "m2")
    with pytest.raises(UnsupportedText, match=r"cannot write 'ß' \(character 2 of 'aß'\)"):
        spelling_of("aß", "a")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("“a” ☃", r"cannot write '☃' \(character 5 of '“a” ☃'\)"),
        ("q\u0338", r"the combining mark U\+0338 \(character 2 of "),
        (" \u0301", r"the combining mark U\+0301 \(character 2 of "),
        ("5\u0301\u20e3", r"'?.*U?\+?.*\(character 3 of "),
        ("a" + "\u0301" * (MOST_MARKS + 1), r"the combining mark U\+0301"),
        ("a\x07", r"the control character U\+0007"),
        ("\u4e2d", "cannot write '\u4e2d'"),
    ],
)
def test_what_cannot_be_written_is_named_with_its_place_in_what_was_given(text, message):
    with pytest.raises(UnsupportedText, match=message):
        spelling_of(text)
    replaced = spelling_of(f"x{text}", replace_unknown=True)
    assert set(replaced.base) <= set(ASCII)
    assert " " in [became for _, became in replaced.replaced]


def test_a_blank_in_its_place_is_reported():
    spelling = spelling_of("a☃☃é", replace_unknown=True)
    assert (spelling.text, spelling.base) == ("a  é", "a  e")
    assert spelling.replaced == {("☃", " "): 2}
    with pytest.raises(UnsupportedText, match="there is no text to write"):
        spelling_of("☃", replace_unknown=True)


def test_a_spelling_that_is_too_long_for_a_line_is_refused():
    with pytest.raises(UnsupportedText, match="6,000 characters; one line"):
        spelling_of("…" * LONGEST_LINE)
