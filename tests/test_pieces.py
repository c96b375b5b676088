"""A line is cut at words into pieces that are written in one go, each with a seed of its own."""

from itertools import pairwise, product

from hypothesis import given
from hypothesis import strategies as st

from handwriter.hand import MOST_SEED, check_seed
from handwriter.pieces import (
    LONGEST_FIRST,
    LONGEST_PIECE,
    LONGEST_WHOLE,
    LONGEST_WORD,
    STEADY,
    _parts,
    piece_seed,
    pieces,
)

LONG = "It was a bright cold day in April, and the clocks were striking thirteen; so it goes."

WORDS = st.text(alphabet="ab ", max_size=400).map(lambda text: text.strip(" "))


@given(WORDS, st.sampled_from([LONGEST_FIRST, LONGEST_PIECE]))
def test_parts_join_to_the_text_and_are_short_enough(text, longest):
    parts = list(_parts(text, longest))
    assert "".join(parts) == text
    for part in parts:
        is_word = " " not in part[1:]
        assert 1 <= len(part) <= (LONGEST_WORD if is_word else longest)


@given(WORDS)
def test_pieces_join_to_the_text_and_are_cut_at_words_that_are_not_too_long(text):
    cut = pieces(text)
    assert "".join(cut) == text
    assert all(cut)
    assert (len(cut) > 1) == (len(text) > LONGEST_WHOLE)
    if len(cut) > 1:
        assert len(cut[0]) <= LONGEST_FIRST or " " not in cut[0]
    for before, piece in pairwise(cut):
        assert piece.startswith(" ") or len(before) == LONGEST_WORD


def test_a_line_is_cut_at_words_into_like_lengths():
    assert pieces(f"  {LONG} ") == [
        "It was a",
        " bright cold day in",
        " April, and the clocks",
        " were striking",
        " thirteen; so it goes.",
    ]
    assert pieces("an uncharacteristically long word or two, which is too much") == [
        "an", " uncharacteristically", " long word or two,", " which is too much",
    ]  # fmt: skip
    assert [len(part) for part in _parts("a" * 70, LONGEST_PIECE)] == [30, 30, 10]
    assert pieces("a" * LONGEST_WHOLE) == ["a" * LONGEST_WHOLE]


def test_what_is_written_less_smoothly_is_cut_shorter():
    text = "once upon a time there was"
    assert pieces(text, smoothness=STEADY) == [text]
    assert pieces(text, smoothness=STEADY - 0.1) == ["once upon", " a time", " there was"]
    assert pieces("once upon a time", smoothness=0.0, goes_on=True) == [" once upon", " a time"]


def test_each_candidate_of_each_piece_has_its_own_seed():
    seeds = {piece_seed(s, p, k) for s, p, k in product(range(20), range(4), range(8))}
    assert len(seeds) == 20 * 4 * 8
    assert all(0 <= seed <= MOST_SEED for seed in seeds)
    assert piece_seed(7, 0, 0) == 7
    assert check_seed(piece_seed(MOST_SEED, 3, 64)) != MOST_SEED
