"""Hyphenation: a word is divided where its language has it, and nowhere else."""

from unicodedata import normalize

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handwriter.errors import BadOption
from handwriter.hyphenation import BLANK, EXAMPLES, Part, languages, parts, patterns, said


def divided(word: str, language: str = "en_US") -> str:
    """The word with | at each place where it may be divided and a hyphen would be written, and /
    where it has one itself."""
    marks = {" ": "", "\u00ad": "|", "": "/"}
    return "".join(part.text + marks[part.joint] for part in parts([word], language))


@pytest.mark.parametrize(
    ("language", "word", "places"),
    [
        ("en_US", "hyphenation", "hy|phen|ation"),
        ("en_US", "typesetting", "type|set|ting"),
        ("en-us", "\u201cHyphenation,\u201d", "\u201cHy|phen|ation,\u201d"),
        ("en_US", "children's", "chil|dren's"),
        ("de_DE", "Stra\u00dfenverkehr", "Stra|\u00dfen|ver|kehr"),
        ("de_LU", "Silbentrennung", "Sil|ben|tren|nung"),
        ("cs_CZ", "nejlep\u0161\u00edmi", "nej|lep|\u0161\u00edmi"),
    ],
)
def test_a_word_is_divided_as_its_language_has_it(language, word, places):
    assert divided(word, language) == places


@pytest.mark.parametrize(
    ("language", "word", "places"),  # in full they are a-be-ja, le-tra, Ta-ge and lei-der
    [("es", "abeja", "abeja"), ("es", "letra", "le|tra"), ("de_DE", "Tage", "Tage"),
     ("de_DE", "leider", "lei|der")],
)  # fmt: skip
def test_two_letters_stay_and_three_go_on(language, word, places):
    assert divided(word, language) == places


@pytest.mark.parametrize(
    "word",
    ["mp3player1998", "www.typesetting.com", "someone@typesetting", "--reflow", "type_setting",
     "and/orderliness", "1998", "...", "x-ray", "T-shirt", "go-to", "typesetting\u2011engine"],
)  # fmt: skip
def test_what_is_no_plain_word_stays_whole(word):
    assert parts([word], "en_US") == (Part(word),)


def test_a_word_with_hyphens_is_divided_behind_these_alone():
    assert divided("well-typesetting") == "well-/typesetting"
    assert divided("(mother-in-law's)") == "(mother-/in-/law's)"
    assert divided("1914-1918,") == "1914-/1918,"
    assert said(parts(["well-known"], "en_US")[:1]) == "well-"


def test_soft_hyphens_of_the_text_are_the_places_where_there_are_any():
    assert divided("type\u00adsetting") == "type|setting"
    assert parts(["t\u00adypesetting"], "en_US") == (Part("t\u00adypesetting"),)
    assert parts(["type\u00adsetting"], None) == (Part("type\u00adsetting"),)


def test_a_place_that_would_change_the_spelling_is_not_used():
    assert divided("asszonnyal", "hu_HU") == "asszonnyal"


def test_letters_with_marks_of_their_own_are_divided_as_composed_ones():
    assert divided("Strass\u0308enverkehr", "de_DE").replace("|", "") == "Strass\u0308enverkehr"
    assert divided("U\u0308berraschung", "de_DE") == "\u00dcber|ra|schung"


def test_without_a_language_every_word_is_whole():
    assert parts(["hyphenation", "well-known"], None) == (Part("hyphenation"), Part("well-known"))


def test_a_line_says_its_words_and_has_a_hyphen_where_it_ends_within_one():
    text = parts(["good", "typesetting", "is", "well-known"], "en_US")
    assert said(text) == "good typesetting is well-known"
    assert [said(text[:n]) for n in range(1, 7)] == [
        "good", "good type-", "good typeset-", "good typesetting", "good typesetting is",
        "good typesetting is well-",
    ]  # fmt: skip


@example("-\U0002f800")  # composed, it is another character
@given(st.text(st.characters(exclude_categories=["Z", "C", "M"]), min_size=1))
def test_whatever_a_word_is_nothing_of_it_is_lost(word):
    found = parts([word], "en_US")
    assert "".join(part.text for part in found) == (
        word if len(found) == 1 else normalize("NFC", word)
    )
    assert [part.joint == BLANK for part in found] == [False] * (len(found) - 1) + [True]


def test_a_language_that_is_not_there_is_named_with_some_that_are():
    with pytest.raises(BadOption, match=r"no hyphenation for 'tlh'; .* en_US, .*`handwriter lang"):
        patterns("tlh")
    for nonsense in ["", "english", "_", "en\0"]:
        with pytest.raises(BadOption):
            parts(["word"], nonsense)
    assert set(EXAMPLES) <= set(languages())
