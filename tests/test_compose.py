"""Pages: no ink outside the margins, no word lost, the same pages for the same seed."""

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handwriter.compose import ALIGNMENTS, Layout, compose
from handwriter.errors import BadOption, UnsupportedText
from handwriter.ink import Ink, Line, Written
from handwriter.output.layout import described
from handwriter.page import Document, PlacedLine
from handwriter.words import RUN

X_HEIGHT = 1.5  # of the boxes, in the unit of the one that draws them
ADVANCE = 1.2


class BoxWriter:
    """Draws a box for each character, x-high and a unit wide, more or less as the seed has it.

    It remembers what it was asked for, and as a hand it refuses what is not ASCII and writes no
    soft hyphens.
    """

    def __init__(self, spread: float = 0.0) -> None:
        self.spread, self.asked = spread, []

    def __call__(self, texts, *, seed, style):
        texts = [text.replace("\u00ad", "") for text in texts]
        for text in texts:
            if not text.isascii():
                raise UnsupportedText(f"cannot write {text!r}")
        return self._lines(texts, seed, style)

    def _lines(self, texts, seed, style):
        for number, text in enumerate(texts):
            self.asked.append((text, seed + number, style and style.text))
            width = np.random.default_rng(seed + number).uniform(1 - self.spread, 1 + self.spread)
            yield Written(
                strokes=tuple(stroke for i, c in enumerate(text) if c != " "
                              for stroke in box(i * ADVANCE * width, width)),
                text=text, hand="boxes", licence="CC0", seed=seed + number, smoothness=1.0,
                finished=True, n_steps=len(text),
                begins=tuple(3 * len(text[: word.start()].replace(" ", ""))
                             for word in re.finditer(r"\S+", text)),
            )  # fmt: skip


def box(left: float, width: float, height: float = X_HEIGHT) -> tuple[np.ndarray, ...]:
    """An n with corners, each of its strokes straight."""
    right = left + width
    pairs = [((left, -height), (left, 0)), ((left, -height), (right, -height)),
             ((right, -height), (right, 0))]  # fmt: skip
    return tuple(np.array(pair, np.float64) for pair in pairs)


def lines_of(document: Document):
    return [line for line in document.written_lines if line.ink.strokes]


def texts_of(document: Document) -> list[list[str]]:
    return [[line.text for line in page.layers[-1].lines] for page in document.pages]


EXACT = Layout(100.0, 80.0, (10.0, 10.0, 10.0, 10.0), x_height_mm=3.0, irregularity=0.0)
# A character is 2 units, 2.4 mm, apart: 80 mm take 33 of them and the last one's width.
WORDS = "one two three four five six seven eight nine ten eleven twelve"


def test_a_text_fills_lines_and_pages_and_nothing_is_lost():
    document = compose(WORDS * 5, BoxWriter(), EXACT, seed=1)
    assert len(document.pages) == 2
    assert " ".join(text for page in texts_of(document) for text in page) == WORDS * 5
    assert len(texts_of(document)[0]) == len(EXACT.baselines_mm)
    assert {(page.width_mm, page.height_mm) for page in document.pages} == {(100, 80)}


def test_each_line_takes_as_many_words_as_have_room():
    document = compose(WORDS, BoxWriter(), EXACT, seed=1)
    texts = [line.text for line in lines_of(document)]
    longest = int((80 - 2) // 2.4) + 1
    assert texts[0] == "one two three four five six seven"
    for line, after in pairwise(texts):
        assert len(line) <= longest < len(f"{line} {after.split()[0]}")


def test_the_letters_are_as_high_and_the_lines_as_far_apart_as_asked():
    layout = replace(EXACT, x_height_mm=2.0, line_height_mm=9.0)
    first, second = lines_of(compose(WORDS, BoxWriter(), layout, seed=1))
    _, top, _, bottom = first.ink.bounds
    assert bottom - top == pytest.approx(2.0, abs=1e-6)
    assert bottom == pytest.approx(first.baseline_mm, abs=1e-6)
    assert second.baseline_mm - first.baseline_mm == pytest.approx(9.0)


words = st.lists(st.text("abcdefg", min_size=1, max_size=9), min_size=1, max_size=60)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(words, min_size=1, max_size=4),
    st.sampled_from(ALIGNMENTS),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.sampled_from([0.0, 0.3]),
    st.integers(0, 1000),
)
def test_no_ink_lies_outside_the_margins_and_no_word_is_lost(
    paragraphs, align, irregularity, spread, seed
):
    text = "\n\n".join(" ".join(paragraph) for paragraph in paragraphs)
    layout = replace(EXACT, align=align, irregularity=irregularity, indent_mm=7.0)
    document = compose(text, BoxWriter(spread), layout, seed=seed)
    assert " ".join(t for page in texts_of(document) for t in page).split() == text.split()
    for line in lines_of(document):
        points = line.ink.smoothed(8).points
        assert (points >= 10 - 1e-6).all()
        assert (points <= np.array([90, 70]) + 1e-6).all()


def test_same_text_and_seed_same_pages_other_seed_others():
    made = [compose(WORDS, BoxWriter(0.1), Layout(), seed=seed) for seed in (1, 1, 2)]
    one, same, other = [np.concatenate([x.ink.points for x in lines_of(d)]) for d in made]
    np.testing.assert_array_equal(one, same)
    assert one.shape != other.shape or not np.array_equal(one, other)


def test_each_word_is_written_once_in_runs_that_know_nothing_of_lines():
    write = BoxWriter(0.3)
    compose(WORDS * 5, write, EXACT, seed=3)
    runs = [text for text, _, style in write.asked if style]
    assert " ".join(runs) == WORDS * 5
    assert all(RUN - 10 < len(run) <= RUN for run in runs[:-1])


def test_all_go_on_from_the_first_words_and_each_run_has_a_seed_of_its_own():
    write = BoxWriter()
    document = compose(" ".join([WORDS] * 4), write, EXACT, seed=5)
    assert write.asked[0] == ("one two three four five six", 5, None)
    assert {style for _, _, style in write.asked[1:]} == {"one two three four five six"}
    assert [seed for _, seed, _ in write.asked[1:]] == [6, 7, 8]
    assert sorted({line.written.seed for line in lines_of(document)}) == [6, 7, 8]


def test_a_line_is_told_as_it_was_written_word_for_word():
    for line in lines_of(compose(WORDS * 3, BoxWriter(0.2), EXACT, seed=1)):
        written = line.written
        assert written.text == line.text
        assert len(written.begins) == len(line.text.split())
        assert written.n_steps == written.n_points == line.ink.n_points
        shapes = [ink.points - ink.points[0] for ink in (written, line.ink)]
        np.testing.assert_allclose(shapes[0] * 2.0, shapes[1], atol=1e-9)  # mm a unit


def test_a_style_that_is_given_is_the_one():
    write, style = BoxWriter(), Line(Ink(box(0, 1)), "n")
    compose(WORDS, write, EXACT, seed=5, style=style)
    assert {style for _, _, style in write.asked} == {"n"}


# --- Alignment -------------------------------------------------------------------------------


def edges(align: str, **options: object) -> tuple[list[float], list[float]]:
    document = compose(WORDS * 2, BoxWriter(), replace(EXACT, align=align, **options), seed=1)
    bounds = [line.ink.bounds for line in lines_of(document)]
    return [b[0] for b in bounds], [b[2] for b in bounds]


def test_text_is_set_to_the_left_to_the_right_or_in_the_middle():
    lefts, rights = edges("left")
    assert lefts == pytest.approx([10] * len(lefts))
    assert len({round(right, 3) for right in rights}) > 1
    lefts, rights = edges("right")
    assert rights == pytest.approx([90] * len(rights))
    lefts, rights = edges("centre")
    assert [a - 10 for a in lefts] == pytest.approx([90 - b for b in rights])


def test_justified_lines_end_at_the_margin_but_for_the_last_and_only_words_move():
    lefts, rights = edges("justified")
    assert lefts == pytest.approx([10] * len(lefts))
    assert rights[:-1] == pytest.approx([90] * (len(rights) - 1))
    assert rights[-1] < 89
    loose = lines_of(compose(WORDS, BoxWriter(), EXACT, seed=1))[0].ink
    tight = lines_of(compose(WORDS, BoxWriter(), replace(EXACT, align="justified"), seed=1))[0].ink
    shifts = [b[0, 0] - a[0, 0] for a, b in zip(loose.strokes, tight.strokes, strict=True)]
    starts = 3 * np.cumsum([0, *map(len, WORDS.split()[:7])])
    for begin, end in pairwise(starts):
        assert len({round(shift, 6) for shift in shifts[begin:end]}) == 1
    assert shifts[-1] > shifts[0]
    assert shifts[0] == pytest.approx(0)


def test_irregularity_goes_from_none_to_that_of_a_careless_person():
    def baselines(irregularity):
        layout = replace(EXACT, irregularity=irregularity)
        document = compose(WORDS * 3, BoxWriter(), layout, seed=1)
        return np.array([s[-1, 1] - line.baseline_mm for line in lines_of(document)
                         for s in line.ink.strokes[::3]])  # fmt: skip

    none, some, most = baselines(0.0), baselines(0.3), baselines(1.0)
    assert np.abs(none).max() < 1e-6
    assert 0.05 < some.std() < most.std() < 1


class RisingAndFalling(BoxWriter):
    """Each word of it stands somewhere else, as far as a hand's words stray; a dash lies higher."""

    def __call__(self, texts, *, seed, style):
        for line in super().__call__(texts, seed=seed, style=style):
            rng = np.random.default_rng(line.seed)
            words = [line.words(number, number + 1) for number in range(len(line.begins))]
            lifts = [0.5 * (word.text == "-") for word in words]
            strokes = [
                stroke for word, lift in zip(words, lifts, strict=True)
                for stroke in word.moved(0, rng.normal(0, 0.25 * X_HEIGHT) - lift).strokes
            ]  # fmt: skip
            yield replace(line, strokes=tuple(strokes))


def test_words_that_rise_and_fall_stand_on_the_line_as_firmly_as_asked():
    def strays(irregularity):
        layout = replace(EXACT, irregularity=irregularity)
        document = compose(WORDS * 5, RisingAndFalling(), layout, seed=1)
        return np.array([word.bounds[3] - line.baseline_mm for line in lines_of(document)
                         for _, word in line.words])  # fmt: skip

    none, some, most = strays(0.0), strays(0.4), strays(1.0)
    assert np.abs(none).max() < 0.15  # words lean a little, as the line did that was levelled
    assert 0.1 < some.std() < 0.7 * most.std()


def test_a_dash_between_words_stays_as_high_above_them():
    (line,) = lines_of(compose("one - two", RisingAndFalling(), EXACT, seed=1))
    one, dash, two = (ink.bounds[3] for _, ink in line.words)
    assert one == pytest.approx(two, abs=0.01)
    assert one - dash > 0.3


class WithoutGap(BoxWriter):
    """The last two words of its lines touch."""

    def __call__(self, texts, *, seed, style):
        for line in super().__call__(texts, seed=seed, style=style):
            last = line.begins[-1]
            near = Ink(line.strokes[last:]).moved(-ADVANCE, 0)
            yield replace(line, strokes=line.strokes[:last] + near.strokes)


def test_words_that_were_written_without_a_gap_get_half_of_the_usual_one():
    (line,) = lines_of(compose("one two three four", WithoutGap(), EXACT, seed=1))
    sides = [ink.smoothed(8).bounds for _, ink in line.words]
    usual, also, last = (after[0] - before[2] for before, after in pairwise(sides))
    assert usual == pytest.approx(also)
    assert last == pytest.approx(usual / 2, rel=0.01)


# --- Paragraphs and pages --------------------------------------------------------------------


def test_lines_of_the_text_stay_lines_and_blank_ones_blank():
    document = compose("one\ntwo\n\n\nthree", BoxWriter(), EXACT, seed=1)
    (texts,) = texts_of(document)
    assert texts == ["one", "two", "", "", "three"]
    assert [line.baseline_mm for line in document.written_lines] == pytest.approx(
        EXACT.baselines_mm[:5]
    )


def test_reflow_joins_the_lines_of_a_paragraph():
    document = compose("one\ntwo\n\nthree\n", BoxWriter(), replace(EXACT, reflow=True), seed=1)
    assert texts_of(document) == [["one two", "", "three"]]


def test_indents_are_for_the_first_line_of_a_paragraph_and_blanks_for_their_own():
    layout = replace(EXACT, indent_mm=12.0)
    text = "one\ntwo\n\nthree\n    four blanks\n\ttab"
    lines = lines_of(compose(text, BoxWriter(), layout, seed=1))
    lefts = [line.ink.bounds[0] - 10 for line in lines]
    assert lefts[:3] == pytest.approx([12, 0, 12])
    assert lefts[3] == lefts[4] == pytest.approx(4 * 2.4, rel=0.1)


def test_a_form_feed_begins_a_page():
    document = compose("one\n\ftwo\n\f\fthree", BoxWriter(), EXACT, seed=1)
    assert [[t for t in page if t] for page in texts_of(document)] == [["one"], ["two"], ["three"]]


def test_a_page_does_not_begin_with_the_blank_line_between_paragraphs():
    n = len(EXACT.baselines_mm)
    text = "\n".join(["line"] * n) + "\n\nnext"
    assert texts_of(compose(text, BoxWriter(), EXACT, seed=1))[1] == ["next"]
    assert texts_of(compose("\n\nfirst", BoxWriter(), EXACT, seed=1))[0] == ["", "", "first"]


def test_pages_are_numbered_on_wish_below_the_text_in_the_middle():
    layout = replace(EXACT, page_numbers=True)
    document = compose(WORDS * 5, BoxWriter(), layout, seed=1)
    numbers = [page.layers[-1].lines[-1] for page in document.pages]
    assert [line.text for line in numbers] == ["1", "2"]
    for line in numbers:
        left, top, right, bottom = line.ink.bounds
        assert (left + right) / 2 == pytest.approx(50)
        assert 70 < top < bottom < 80


def test_guides_are_a_layer_of_their_own_below_the_ink():
    plain = compose(WORDS, BoxWriter(), EXACT, seed=1)
    ruled = compose(WORDS, BoxWriter(), replace(EXACT, guides="ruled"), seed=1)
    assert [layer.is_guide for layer in plain.pages[0].layers] == [False]
    rules, ink = ruled.pages[0].layers
    assert (rules.name, rules.is_guide, ink.is_guide) == ("%ruled", True, False)
    assert [s[0, 1] for s in rules.lines[0].ink.strokes] == pytest.approx(EXACT.baselines_mm)
    assert texts_of(plain) == texts_of(ruled)


def test_a_document_tells_its_title_and_how_it_was_written():
    document = compose(f"Title\n{WORDS}", BoxWriter(), EXACT, seed=7)
    assert document.title == "Title"
    assert document.about["Hand"] == "boxes"
    assert document.about["Seed"] == "7"
    assert compose("one", BoxWriter(), EXACT, seed=7, title="other").title == "other"


def test_progress_ends_at_1():
    shares: list[float] = []
    compose(WORDS * 9, BoxWriter(), EXACT, seed=1, progress=shares.append)
    assert shares == sorted(shares)
    assert len(shares) == len(set(shares)) > 2
    assert shares[-1] == 1.0


def test_a_text_of_two_hundred_pages_is_written_as_it_is_set():
    text = "\n".join(["six words are in this line"] * 200 * len(EXACT.baselines_mm))
    at_once: list[int] = []

    class Counting(BoxWriter):
        def __call__(self, texts, *, seed, style):
            at_once.append(sum(map(len, texts)))
            return super().__call__(texts, seed=seed, style=style)

    write, shares = Counting(), []
    document = compose(
        text, write, EXACT, seed=1,
        progress=lambda share: shares.append(len(write.asked) / len(text.split("\n")) - share),
    )  # fmt: skip
    assert len(document.pages) == 200
    assert max(at_once) < 10_000 < len(text)
    assert len({seed for _, seed, style in write.asked if style}) == len(text.split("\n"))
    assert max(shares) < 0.01


# --- Words in two lines ----------------------------------------------------------------------

HYPHENATED = replace(EXACT, hyphenate="en_US")
LONG = "we saw an international consideration of extraordinary characteristics in these parts"
VOCABULARY = ["a", "of", "into", "paper", "hyphenation", "typesetting", "well-known", "seventeen"]
ROOM = 80


def as_asked(document: Document) -> str:
    """The text that the lines make together, each divided word whole again."""
    said = "".join(
        line.text.removesuffix("-") if line.is_divided else f"{line.text} "
        for line in document.written_lines
    )
    return said.replace("well- known", "well-known").strip()


def ends_within_a_word(line: PlacedLine) -> bool:
    return line.text.endswith("-")


def test_nothing_is_divided_unless_it_is_asked_for():
    assert not any("-" in line.text for line in lines_of(compose(LONG, BoxWriter(), EXACT)))


def test_a_line_that_words_leave_short_ends_within_one_and_its_hyphen_is_ink():
    document = compose(LONG, BoxWriter(), HYPHENATED, seed=1)
    lines = lines_of(document)
    assert [line.text for line in lines] == [
        "we saw an international consider-", "ation of extraordinary character-",
        "istics in these parts",
    ]  # fmt: skip
    assert [line.is_divided for line in lines] == [True, True, False]
    for line in lines:
        assert line.written.text == line.text
        assert len(line.ink.strokes) == len(box(0, 1)) * len(line.text.replace(" ", ""))
    assert as_asked(document) == LONG


@pytest.mark.parametrize(
    ("begin", "is_divided"),  # 31 characters are 74 mm, more than nine tenths of the room
    [("a line of one and thirty in all", False), ("a line of six and twenty so", True)],
)
def test_a_line_that_words_fill_takes_no_part_of_another(begin, is_divided):
    text = f"{begin} hyphenation and so forth"
    first, _ = lines_of(compose(text, BoxWriter(), HYPHENATED, seed=1))
    assert first.is_divided == is_divided


def test_the_last_word_of_a_paragraph_stays_whole():
    line = "a line of six and twenty so hyphenation"
    assert not lines_of(compose(line, BoxWriter(), HYPHENATED, seed=1))[0].is_divided
    assert lines_of(compose(f"{line} and", BoxWriter(), HYPHENATED, seed=1))[0].is_divided


def test_the_last_word_of_a_page_stays_whole():
    n, line = len(EXACT.baselines_mm), "a line of six and twenty so hyphenation and"
    for n_before, is_divided in [(n - 2, True), (n - 1, False)]:
        text = "so\n" * n_before + line
        document = compose(text, BoxWriter(), HYPHENATED, seed=1)
        assert lines_of(document)[n_before].is_divided == is_divided


def test_no_more_than_two_lines_in_a_row_end_within_a_word(monkeypatch):
    def ends() -> str:
        layout = replace(HYPHENATED, height_mm=200.0)
        document = compose("extraordinary " * 20, BoxWriter(), layout, seed=1)
        return "".join("-" if ends_within_a_word(line) else "." for line in lines_of(document))

    assert ends() == "--.--.--.."
    monkeypatch.setattr("handwriter.compose.MOST_HYPHENS", 20)
    assert "---" in ends()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=60), min_size=1, max_size=4
    ),
    st.sampled_from(ALIGNMENTS),
    st.sampled_from([0.0, 0.3]),
    st.integers(0, 1000),
)
def test_hyphenation_keeps_its_promises(paragraphs, align, spread, seed):
    text = "\n".join(" ".join(paragraph) for paragraph in paragraphs)
    layout = replace(HYPHENATED, align=align)
    document = compose(text, BoxWriter(spread), layout, seed=seed)
    assert as_asked(document) == text.replace("\n", " ")
    lines = lines_of(document)
    for line in lines:
        points = line.ink.smoothed(8).points
        assert (points >= 10 - 1e-6).all()
        assert (points <= np.array([90, 70]) + 1e-6).all()
    broken = "".join("-" if ends_within_a_word(line) else " " for line in lines)
    assert "---" not in broken
    assert not any(ends_within_a_word(page.layers[-1].lines[-1]) for page in document.pages)
    for line, after in pairwise(lines):
        if ends_within_a_word(line):
            assert " " in after.text or after is not lines[-1]  # the paragraph has another word
            whole, _, _ = line.text.rpartition(" ")
            width = line.ink.bounds[2] - line.ink.bounds[0]
            if align != "justified":
                assert width * len(whole) / len(line.text) < 0.9 * ROOM + 1


def test_a_word_wider_than_the_page_is_divided_wherever_it_stands():
    word = "hyphenation" * 7
    document = compose(f"see {word}", BoxWriter(), HYPHENATED, seed=1)
    assert as_asked(document) == f"see {word}"
    assert [line.is_divided for line in lines_of(document)] == [False, True, True, False]
    assert lines_of(document)[0].text == "see"
    with pytest.raises(BadOption, match=r"the word 'hyphenationhyph.* is 18\d mm wide"):
        compose(f"see {word}", BoxWriter(), EXACT, seed=1)


def test_what_is_left_of_a_divided_word_is_divided_as_the_whole_word_would_be():
    word = "".join(f"{syllable}\u00ad" for syllable in ["abcdefgh"] * 8).strip("\u00ad")
    lines = lines_of(compose(f"see {word}", BoxWriter(), HYPHENATED, seed=1))
    assert len(lines) > 2
    for line in lines[1:]:
        assert set(line.text.rstrip("-").replace("abcdefgh", "")) == set()


def test_what_is_left_of_a_divided_word_is_named_without_its_soft_hyphens():
    narrow = replace(EXACT, width_mm=29.0, hyphenate="en_US")  # has room for hy-, not for phen-
    with pytest.raises(BadOption, match=r"the word 'phenation' \(line 1 of the text\)"):
        compose("hyphenation", BoxWriter(), narrow, seed=1)


def test_a_word_with_a_hyphen_of_its_own_gets_no_second_one():
    text = "the mother-in-law's typesetting-machines are well-known in these parts"
    document = compose(text, BoxWriter(), HYPHENATED, seed=1)
    first = lines_of(document)[0]
    assert first.text == "the mother-in-law's typesetting-"
    assert not first.is_divided
    assert " ".join(line.text for line in lines_of(document)).replace("- ", "-") == text


def test_those_who_search_the_text_find_divided_words_whole():
    document = compose(LONG, BoxWriter(), HYPHENATED, seed=1, title="one")
    assert described(document)["Text"] == LONG
    assert [line.told for line in lines_of(document)] == [
        "we saw an international consider\u00ad", "ation of extraordinary character\u00ad",
        "istics in these parts",
    ]  # fmt: skip


def test_a_hand_without_a_hyphen_is_told_before_anything_is_written():
    class Unable(BoxWriter):
        def __call__(self, texts, *, seed, style):
            if any("-" in text for text in texts):
                raise UnsupportedText("cannot write '-'")
            return super().__call__(texts, seed=seed, style=style)

    write = Unable()
    with pytest.raises(BadOption, match="this hand cannot write a hyphen"):
        compose(LONG, write, HYPHENATED, seed=1)
    assert not write.asked


def test_no_page_is_empty_between_a_full_one_and_one_that_is_asked_for():
    text = "\n".join(["line"] * len(EXACT.baselines_mm)) + "\n\n\fnext"
    assert texts_of(compose(text, BoxWriter(), EXACT, seed=1))[1:] == [["next"]]


# --- What cannot be done ---------------------------------------------------------------------


def test_a_word_wider_than_the_page_is_named_with_its_line():
    with pytest.raises(BadOption, match=r"the word 'w{40}' \(line 3 .* 9\d mm wide.* 80 mm"):
        compose(f"one\n\ntwo {'w' * 40}", BoxWriter(), EXACT, seed=1)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"margins_mm": (10.0, 60.0, 10.0, 60.0)}, "leave no room"),
        ({"margins_mm": (40.0, 10.0, 40.0, 10.0)}, "leave no room"),
        ({"margins_mm": (-1.0, 10.0, 40.0, 10.0)}, "margin is -1 mm"),
        ({"indent_mm": 79.0}, "leave no room"),
        ({"line_height_mm": 70.0}, "leave no room"),
        ({"x_height_mm": float("nan")}, "x-height is nan mm; it takes from 0.5 to 100 mm"),
        ({"line_height_mm": -3.0}, "line height is -3 mm"),
        ({"align": "middle"}, "choose one of left, right, centre, justified"),
        ({"irregularity": 1.5}, "from 0 .none. to 1"),
        ({"hyphenate": "tlh"}, "no hyphenation for 'tlh'; .* `handwriter languages`"),
        ({"guides": "checked"}, "choose one of plain, ruled, squared, dotted"),
    ],
)
def test_a_layout_that_cannot_be_is_refused_before_anything_is_written(change, complaint):
    write = BoxWriter()
    with pytest.raises(BadOption, match=complaint):
        compose(WORDS, write, replace(EXACT, **change), seed=1)
    assert not write.asked


@pytest.mark.parametrize("text", ["", " \n\f\n"])
def test_no_text_is_refused(text):
    with pytest.raises(UnsupportedText, match="there is no text"):
        compose(text, BoxWriter(), EXACT, seed=1)


def test_a_character_on_the_last_page_is_refused_before_the_first_is_written():
    write = BoxWriter()
    with pytest.raises(UnsupportedText, match="line 3 of the text: cannot write"):
        compose(f"one\n{WORDS * 50}\nüber", write, EXACT, seed=1)
    assert not write.asked


def test_ink_higher_than_the_room_for_it_is_refused():
    low = Line(Ink(box(0, 1, height=0.05)), "n")
    with pytest.raises(BadOption, match="a line is 90 mm high, but there are 60 mm"):
        compose("o", BoxWriter(), replace(EXACT, width_mm=200.0), seed=1, style=low)
