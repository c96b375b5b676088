"""Typesetting: words joined and signs set into lines, where a person would have put them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from handwriter.ink import Ink
from handwriter.training.typecase import GLYPHS
from handwriter.training.typeset import POINTS_PER_CHARACTER, lines_of, thinned
from handwriter.training.unipen import Segment

ASCII = "".join(map(chr, range(33, 127)))


def letters(text: str, x: float = 0.0, points: int = 25) -> Ink:
    """A zigzag a letter, 3 mm high on y = 7, of so many points; x grows by 4 mm a character."""
    strokes = []
    for place, character in enumerate(text):
        if character != " ":
            t = np.linspace(0, 4 * np.pi, points)
            at = x + 4 * place
            strokes.append(np.column_stack([at + t / 5, 5.5 + 1.5 * np.cos(t)]))
    return Ink(tuple(strokes))


def segment(text: str, level: str, number: int = 0, who: str = "abc", **changed: object) -> Segment:
    known = {"ink": letters(text), "writer": "ann", "rate": 100.0, "quality": "OK", "category": "8"}
    source = f"{who}/data/a:{level}:{number}"
    return Segment(text=text, level=level, contributor=who, source=source, **{**known, **changed})  # type: ignore[arg-type]


def words(n: int = 12, who: str = "abc") -> list[Segment]:
    return [segment(f"word{'abcdefghijkl'[i % 12]}", "WORD", i, who) for i in range(n)]


def characters(of: str, times: int = 2) -> list[Segment]:
    """Each character as a person who writes print would, all on one height."""
    found = []
    for number, character in enumerate(of * times):
        low, high = GLYPHS[character]
        height = 3.0 * max(high - low, 0.1)
        t = np.linspace(0, 1, 25)
        ink = Ink((np.column_stack([2 * t, 10 - height * np.abs(np.sin(3 * t))]),))
        found.append(segment(character, "CHARACTER", number, ink=ink))
    return found


def test_a_text_stays_the_line_it_is():
    (line,) = lines_of([segment("the quick brown fox", "TEXT")])
    assert line.text == "the quick brown fox"
    assert line.source == "unipen/abc/data/a:TEXT:0"
    assert line.writer == "abc/ann"
    assert len(line.ink.strokes) == 16


def test_every_contributor_has_as_many_points_a_character():
    for points in (25, 60):
        text = "the quick brown fox"
        (line,) = lines_of([segment(text, "TEXT", ink=letters(text, points=points))])
        assert line.ink.n_points / 16 == pytest.approx(POINTS_PER_CHARACTER, rel=0.15)


def test_a_pen_that_rests_sends_no_points():
    text = "the quick brown fox"
    ink = letters(text)
    resting = Ink(tuple(np.repeat(stroke, 3, axis=0) for stroke in ink.strokes))
    (moving,) = lines_of([segment(text, "TEXT")])
    (rested,) = lines_of([segment(text, "TEXT", ink=resting)])
    np.testing.assert_array_equal(moving.ink.points, rested.ink.points)


def test_thinning_keeps_both_ends_and_dots_and_the_shape():
    stroke = np.column_stack([np.linspace(0, 1, 41), np.zeros(41)])
    thin = thinned(stroke, 4.0)
    assert len(thin) == 11
    np.testing.assert_allclose(thin, stroke[::4], atol=1e-12)
    assert len(thinned(stroke[:1], 4.0)) == 1
    assert len(thinned(stroke[:3], 4.0)) == 2


def test_thinning_does_not_show_the_steps_of_a_coarse_device():
    x = np.linspace(0, 20, 201)
    coarse = np.column_stack([x, np.round(x / 3)])
    jumps = np.abs(np.diff(thinned(coarse, 4.0)[:, 1]))
    assert jumps.max() < 1.0


def test_words_of_a_person_are_joined_on_one_baseline_and_none_is_lost():
    lines = list(lines_of(words()))
    assert len(lines) < 12
    assert " ".join(line.text for line in lines).split() == [w.text for w in words()]
    for line in lines:
        assert line.source.startswith("unipen/joined/abc/ann/")
        bottoms = [stroke[:, 1].max() for stroke in line.ink.strokes]
        assert np.ptp(bottoms) < 0.1  # in x-heights
        lefts = [stroke[:, 0].min() for stroke in line.ink.strokes]
        assert lefts == sorted(lefts)


def test_words_are_further_apart_than_their_letters():
    line = next(iter(lines_of(words())))
    rights = np.array([stroke[:, 0].max() for stroke in line.ink.strokes])
    lefts = np.array([stroke[:, 0].min() for stroke in line.ink.strokes])
    gaps = np.sort(lefts[1:] - rights[:-1])
    n_blanks = line.text.count(" ")
    assert gaps[-n_blanks:].min() > 1.5 * gaps[:-n_blanks].max()


def test_words_of_different_people_do_not_meet():
    for line in lines_of(words(who="abc") + words(who="xyz")):
        assert line.writer in ("abc/ann", "xyz/ann")
        assert f"/{line.writer}/" in line.source


def test_words_within_a_text_are_not_used_twice():
    text = segment("the quick brown fox", "TEXT")
    within = segment("quickly", "WORD", 1)
    assert [line.text for line in lines_of([text, within])] == ["the quick brown fox"]


def test_every_printable_character_has_a_place_about_the_baseline():
    assert set(GLYPHS) == set(ASCII)
    assert all(low < high for low, high in GLYPHS.values())
    assert GLYPHS["g"][0] < GLYPHS["a"][0] == 0 < GLYPHS["'"][0]


def test_single_characters_are_set_on_the_baseline_and_each_of_them_comes():
    lines = [line for line in lines_of(words() + characters(ASCII)) if "/set/" in line.source]
    assert set(ASCII) <= set("".join(line.text for line in lines))


def test_a_set_line_has_the_ink_of_its_text():
    for line in lines_of(characters(ASCII)):
        assert len(line.ink.strokes) == len(line.text.replace(" ", ""))
        for stroke, character in zip(line.ink.strokes, line.text.replace(" ", ""), strict=True):
            low, high = GLYPHS[character]
            bottom, top = -stroke[:, 1].max(), -stroke[:, 1].min()
            assert bottom > low - 0.6
            assert top < high + 0.6


def strokes_of(character: str, glyphs: list[Segment]) -> list[np.ndarray]:
    """Every stroke that stands for the character in the lines made of one-stroke glyphs."""
    return [
        stroke
        for line in lines_of(glyphs)
        for stroke, own in zip(line.ink.strokes, line.text.replace(" ", ""), strict=True)
        if own == character
    ]


def test_a_bar_reaches_above_and_below_an_l_however_it_was_drawn():
    glyphs = characters("abcdlmnop") + [
        replace(bar, ink=bar.ink.transformed(np.eye(2) * size))
        for bar, size in zip(characters("|", 3), (0.7, 1.0, 1.5), strict=True)
    ]
    low, high = GLYPHS["|"]
    bars = [stroke[:, 1] for stroke in strokes_of("|", glyphs)]
    assert len(bars) > 5
    for y in bars:
        np.testing.assert_allclose([-y.max(), -y.min()], [low, high], atol=0.02)
    assert low < GLYPHS["l"][0] - 0.3
    assert high > GLYPHS["l"][1]


def test_a_capital_is_taller_than_the_small_letter_it_looks_like_however_it_was_drawn():
    """In a box of its own an S is often no taller than an s."""
    glyphs = characters("abdlmnhksS") + [
        replace(glyph, ink=glyph.ink.transformed(np.eye(2) * size))
        for glyph, size in zip(characters("sS"), (1.5, 0.7, 0.7, 1.5), strict=True)
    ]
    small, tall = (
        [float(np.ptp(stroke[:, 1])) for stroke in strokes_of(letter, glyphs)] for letter in "sS"
    )
    assert len(small) > 3 and len(tall) > 3
    assert 0.85 < min(small) < max(small) < 1.2
    assert 1.4 < min(tall) < max(tall) < 1.9


def test_a_capital_comes_before_small_words_too():
    """There only its height tells an S from an s."""
    glyphs = words() + characters("adelmnosEGLOS", 3)
    said = " ".join(line.text for line in lines_of(glyphs) if "/set/" in line.source)
    assert re.search(r"\b[EGLOS]word", said)
    assert re.search(r"\b[EGLOS]{2,}", said)


@pytest.mark.parametrize("sign", ["'", "-", "*", "."])
def test_a_sign_sixty_times_too_large_is_brought_to_its_size(sign: str):
    """A part of ibm is: such a sign would make the words beside it too small to read."""
    large = [
        replace(glyph, ink=glyph.ink.transformed(np.eye(2) * 60)) for glyph in characters(sign, 3)
    ]
    wide = [
        float(np.ptp(stroke, axis=0).max())
        for stroke in strokes_of(sign, characters("abdlmnop") + large)
    ]
    assert wide and max(wide) < 1.0


def test_a_backtick_is_closed_by_a_backtick():
    people = [
        replace(glyph, writer=f"writer {n}") for n in range(9) for glyph in characters("`'abcdef")
    ]
    text = " ".join(line.text for line in lines_of(people))
    assert re.search(r"`\w+`", text)
    assert not re.search(r"`\w+'", text)


def test_letters_that_are_words_are_set_alone_too():
    people = [
        replace(glyph, writer=f"writer {n}") for n in range(9) for glyph in characters("Iabcdefgh")
    ]
    words = Counter(word for line in lines_of(people) for word in line.text.split())
    assert words["I"] > 0.5 * sum(n for word, n in words.items() if "I" in word)
    assert words["a"] > 0


def test_words_divided_at_the_end_of_a_line_and_apostrophes_within_words_are_set():
    people = [
        replace(glyph, writer=f"writer {n}")
        for n in range(40)
        for glyph in characters("-'abdehilmrstuv")
    ]
    texts = [line.text for line in lines_of(people)]
    divided = sum(bool(re.search(r"[a-z]-$", text)) for text in texts)
    assert 0.1 * len(texts) < divided < 0.4 * len(texts)
    assert re.search(r"\w'(s|t|d|m|ll|re|ve)\b", " ".join(texts))
    without = [replace(glyph, writer="writer") for glyph in characters("'abcdest")]
    assert not any("-" in line.text for line in lines_of(without))


def test_who_gave_no_signs_borrows_those_of_one_person_of_the_same_split():
    """Joined words come without signs, and a sign must be read between them as well."""
    lenders = [
        replace(glyph, writer=f"writer {n}", contributor="xyz")
        for n in range(60)
        for glyph in characters("/,.'-;:!1s")
    ]
    borrowers = [w for n in range(60) for w in words(48, who=f"c{n:02d}")]
    lines = list(lines_of(borrowers + lenders))
    borrowed = [line for line in lines if "/borrowed/" in line.source]
    assert {line.split for line in borrowed} == {"train", "validation"}
    said = " ".join(line.text for line in borrowed)
    assert set(said) >= set("/,.'-;:!1s ")
    for form in (r"[a-z]/[a-z]", r"[a-z],( |$)", r"1/1", r"word[a-l]'s\b"):
        assert re.search(form, said), form
    assert all(line.writer.startswith("c") for line in borrowed)


def test_nobody_borrows_who_gave_signs_or_where_nobody_gave_them():
    signs = "/,.'-;:!"
    for glyphs in (characters(signs + "abc"), characters("abcdef")):
        assert not any("/borrowed/" in line.source for line in lines_of(words(48) + glyphs))


def test_numbers_are_set_as_texts_have_them_of_those_who_gave_all_digits():
    signs = ":/.,-$"
    given = words() + characters("0123456789" + signs, times=8)
    numbers = [line for line in lines_of(given) if "/numbers/" in line.source]
    said = " ".join(line.text for line in numbers)
    for form in (
        r"\d:[0-5]\d\b",
        r"\d/\d",
        r"\d\.\d\d\b",
        r"\d,\d{3}\b",
        r"\d-\d",
        r" \d ",
        r"word[a-l]",
    ):
        assert re.search(form, said), form
    for line in numbers:
        assert len(line.ink.strokes) == len(line.text.replace(" ", ""))
    unsigned = [line.text for line in lines_of(words() + characters("0123456789", times=8))]
    assert any(re.search(r"\d{4}", text) for text in unsigned)
    assert not set(signs) & set("".join(unsigned))
    without = words() + characters("012345678" + signs, times=8)
    assert not any("/numbers/" in line.source for line in lines_of(without))


def test_a_few_characters_make_no_line():
    assert list(lines_of(characters("ab"))) == []


def test_the_same_ink_gives_the_same_lines_whoever_else_is_there():
    alone = {line.source: line for line in lines_of(words() + characters(ASCII))}
    other = list(lines_of(words() + characters(ASCII) + words(who="xyz")))
    for line in other:
        if line.writer == "abc/ann" and "/joined/" in line.source:
            np.testing.assert_array_equal(line.ink.points, alone[line.source].ink.points)


def test_all_that_a_person_wrote_is_in_one_split():
    people = [f"c{i:02d}" for i in range(60)]
    splits: dict[str, set[str]] = {}
    for line in lines_of([w for who in people for w in words(who=who)]):
        splits.setdefault(line.writer, set()).add(line.split)
    assert {len(found) for found in splits.values()} == {1}
    assert set.union(*splits.values()) == {"train", "validation"}


def test_tokenised_labels_lose_the_blanks_that_the_ink_does_not_have():
    label = "he was , they say , here"
    as_labelled = next(iter(lines_of([segment(label, "TEXT", who="abc")])))
    untokenised = next(iter(lines_of([segment(label, "TEXT", who="hpp")])))
    assert as_labelled.text == label
    assert untokenised.text == "he was, they say, here"
