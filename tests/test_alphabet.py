"""What a hand cannot write is named, with its place, before anything is written."""

import pytest

from handwriter.alphabet import KINDS, LONGEST_LINE, LONGEST_TEXT, check_text, kind_of
from handwriter.errors import UnsupportedText

KNOWN = "abc "


def complaint(*lines: str, known: str = KNOWN) -> str:
    with pytest.raises(UnsupportedText) as caught:
        check_text(list(lines), known)
    message = str(caught.value)
    assert "\n" not in message
    assert message.encode()  # can be printed
    return message


@pytest.mark.parametrize("lines", [["abc"], [" a "], ["", "a", "   "], ["c" * LONGEST_LINE]])
def test_known_characters_pass(lines):
    check_text(lines, KNOWN)


def test_an_unknown_character_is_named_with_its_place_and_the_choices():
    assert complaint("ab€") == (
        "cannot write '€' (character 3 of 'ab€'); this hand knows abc and the blank: replace it, "
        "or have a blank written in its place with --replace-unknown"
    )


def test_among_several_lines_the_line_is_named():
    assert "(character 2 of 'aé' in line 3)" in complaint("ab", "", "aé")


def test_a_long_line_is_shown_shortened():
    message = complaint("a" * 500 + "Z" + "a" * 500)
    assert "(character 501 of 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…')" in message


@pytest.mark.parametrize(
    ("character", "name"),
    [
        ("\x07", "the control character U+0007"),
        ("\n", "the control character U+000A"),
        ("\0", "the control character U+0000"),
        ("\u200b", "the invisible character U+200B"),
        ("\u00a0", "the invisible character U+00A0"),
        ("\ud800", "the invisible character U+D800"),
        ("\U0001f600", "'\U0001f600'"),
    ],
)
def test_a_character_that_cannot_be_seen_is_named_by_its_number(character, name):
    assert complaint(f"a{character}").startswith(f"cannot write {name} (character 2 of ")


@pytest.mark.parametrize("lines", [[], [""], [" "], ["", "  ", ""]])
def test_no_text_at_all_is_refused(lines):
    assert complaint(*lines) == "there is no text to write; give at least one visible character"


def test_a_line_that_is_too_long_is_refused():
    assert "in line 2 has 2,001 characters" in complaint("a", "a" * (LONGEST_LINE + 1))


def test_a_text_that_is_too_long_is_refused():
    assert complaint("a" * 1_000_000).startswith("the text has 1,000,000 characters; at most")
    assert "split it" in complaint(*["a" * 1000] * (LONGEST_TEXT // 1000 + 1))


def test_the_blank_can_always_be_written():
    check_text(["a b"], "ab")


def test_each_character_is_of_one_kind():
    assert [kind_of(c) for c in "aZ7$"] == ["lower case", "capitals", "digits", "signs"]
    assert {kind_of(c) for c in map(chr, range(33, 127))} == set(KINDS)
    assert kind_of(" ") == ""
