"""What is told of lines that were read, to people and to programs."""

import json

import numpy as np
import tiny

from handwriter.ctc import Reading
from handwriter.edits import Errors
from handwriter.ink import Ink, Line
from handwriter.transcript import Tally, Transcript, transcribe

SURE = Reading("the fox", (0.99,) * 7)
UNSURE = Reading("the fix", (0.99, 0.9, 0.81, 0.5, 0.9, 0.43, 0.97))


def test_what_is_sure_is_told_alone():
    assert Transcript("a:1", SURE, "").as_text() == "the fox"
    assert Transcript("a:1", SURE, "the fox").as_text() == "the fox"


def test_doubtful_characters_are_marked():
    assert Transcript("a:1", UNSURE, "").as_text() == "the fix\n   ^ ^   blank 50 %, i 43 %"


def test_what_it_says_is_told_where_it_was_read_wrongly():
    rows = Transcript("a:1", UNSURE, "the fox").as_text().split("\n")
    assert rows[2] == "the fox  (is what it says: 1 error)"


def test_a_program_gets_all_of_it():
    assert json.loads(Transcript("a:1", UNSURE, "the fox").as_json()) == {
        "source": "a:1",
        "text": "the fix",
        "confidences": list(UNSURE.confidences),
        "truth": "the fox",
        "character_errors": 1,
        "characters": 7,
        "word_errors": 1,
        "words": 2,
    }
    assert Transcript("a:1", SURE, "").as_json().count("truth") == 0


def test_no_confidence_is_rounded_to_nothing():
    least = json.loads(Transcript("a:1", Reading("a", (1.23456e-9,)), "").as_json())
    assert least["confidences"] == [1.235e-9]


def test_lines_without_a_truth_do_not_count():
    tally = Tally()
    for truth in ("the fox", "", "the foxes"):
        tally.add(Transcript("", UNSURE, truth))
    assert (tally.n_lines, tally.n_known) == (3, 2)
    assert tally.characters == Errors(1 + 3, 7 + 9)
    assert str(tally) == (
        "CER 25.00 % (4 errors in 16 characters), WER 50.00 % (2 errors in 4 words); "
        "2 of 3 lines have a truth"
    )


def test_each_line_is_read_and_a_blank_text_is_no_truth(tiny_reader):
    inks = [tiny.ink(np.random.default_rng(n), 50) for n in range(3)]
    lines = [Line(ink, text, source=text) for ink, text in zip(inks, ("ab", " ", ""), strict=True)]
    found = list(transcribe(tiny_reader, [*lines, Line(Ink(()), "a")]))
    assert [t.reading for t in found[:3]] == tiny_reader.read_lines(inks)
    assert [(t.source, t.truth) for t in found] == [("ab", "ab"), (" ", ""), ("", ""), ("", "a")]
    assert found[3].characters == Errors(1, 1), "nothing was read where something is said"
