"""What a hand's tables say is what its lines are."""

import numpy as np
import pytest

from handwriter.author import Author, Checked
from handwriter.ctc import Reading
from handwriter.edits import Errors, character_errors
from handwriter.errors import BadData
from handwriter.evaluation import (
    Legibility,
    load_sentences,
    raw_legibility,
    real_legibility,
    selected_legibility,
)
from handwriter.ink import Line
from handwriter.traits import traits

TEXTS = ["ab ba", "abba", "b"]


def test_the_sentences_of_the_package_are_500_that_differ_and_fit_a_line():
    texts = load_sentences()
    assert len(texts) == len(set(texts)) == 500
    assert all(1 <= len(text) <= 45 and text == text.strip() for text in texts)
    assert sum(any(c.isdigit() for c in text) for text in texts) > 100
    assert set("QZVJ!?:;()/\"'") <= set("".join(texts))


def test_other_sentences_are_read_from_a_file_without_its_blank_lines(tmp_path):
    file = tmp_path / "texts"
    file.write_text("one\n\n  \ntwo\n")
    assert load_sentences(file) == ["one", "two"]
    for content in (b"", b"\n\n", b"\xff"):
        file.write_bytes(content)
        with pytest.raises(BadData):
            load_sentences(file)
    with pytest.raises(BadData, match="cannot read"):
        load_sentences(tmp_path / "none")


def test_raw_figures_are_those_of_the_lines(tiny_hand, tiny_reader):
    found = raw_legibility(tiny_hand, tiny_reader, TEXTS, 1.0, seed=3)
    written = tiny_hand.write_lines(TEXTS, smoothness=1.0, seed=3)
    assert found.lines == 3
    assert found.candidates == 1.0
    assert found.unfinished == pytest.approx(np.mean([not line.finished for line in written]))
    looks = [traits(line, len(text)) for line, text in zip(written, TEXTS, strict=True)]
    slants = [look.slant for look in looks if look]
    assert found.slant[0] == pytest.approx(np.mean(slants))
    assert found.slant[1] == pytest.approx(np.std(slants, ddof=1))
    assert 0 <= found.broken <= 1
    assert found.character_error_rate > 0  # nothing random reads right


def test_selected_figures_are_those_of_the_authors_lines(tiny_hand, tiny_reader):
    author = Author(tiny_hand, tiny_reader)
    found = selected_legibility(author, TEXTS, 1.0, 3, candidates=2)
    lines = list(author.iter_lines(TEXTS, smoothness=1.0, seed=3, candidates=2))
    assert found.candidates == np.mean([line.n_candidates for line in lines])
    edits = sum(sum(v.edits for v in line.verdicts) for line in lines)
    assert found.character_error_rate == pytest.approx(edits / sum(map(len, TEXTS)))


def test_real_ink_is_measured_by_the_same_rule(tiny_hand, tiny_reader):
    inks = tiny_hand.write_lines(TEXTS, seed=3)
    lines = [Line(ink, text) for ink, text in zip(inks, TEXTS, strict=True)]
    found = real_legibility(tiny_reader, lines)
    read = [tiny_reader.read(ink).text for ink in inks]
    pairs = zip(read, TEXTS, strict=True)
    errors = sum((character_errors(text, truth) for text, truth in pairs), Errors())
    assert found.character_error_rate == errors.rate
    assert (found.lines, found.unfinished) == (3, 0.0)


def test_a_checked_line_says_what_was_read_and_is_ink_as_any(tiny_hand, tiny_reader):
    line = Author(tiny_hand, tiny_reader).write("abba", seed=1, candidates=2)
    assert isinstance(line, Checked)
    assert line.read is not None
    assert line.n_candidates >= 2
    assert (line.hand, line.licence) == (tiny_hand.name, tiny_hand.licence)


def test_the_author_gives_the_same_ink_however_many_lines_there_are(tiny_hand, tiny_reader):
    author = Author(tiny_hand, tiny_reader)
    together = list(author.iter_lines(TEXTS, seed=5, candidates=2))
    for number, text in enumerate(TEXTS):
        alone = author.write(text, seed=5 + number, candidates=2)
        assert alone.verdicts == together[number].verdicts
        np.testing.assert_array_equal(alone.offsets, together[number].offsets)


def legibility(**figures):
    shown = {"character_error_rate": 0.1, "missed": {}, **figures}
    names = Legibility.__dataclass_fields__
    return Legibility(**(dict.fromkeys(names, 0.0) | shown))


def test_kinds_of_characters_are_counted_apart(tiny_hand):
    class Blind:
        """Reads every digit as a letter, and all else rightly."""

        def read_lines(self, inks, spread=None):
            seen_as = {ord(digit): "o" for digit in "0123456789"}
            return [Reading(text.translate(seen_as), ()) for text in texts]

    texts = ["In 1962 (so)", "no. 7"]
    found = raw_legibility(tiny_hand, Blind(), texts, 1.0, seed=1)
    assert found.missed == {"lower case": 0.0, "capitals": 0.0, "digits": 1.0, "signs": 0.0}
    texts = ["ab"]
    assert raw_legibility(tiny_hand, Blind(), texts, 1.0, seed=1).missed == {"lower case": 0.0}


def test_the_worst_kind_is_set_beside_the_lower_case():
    found = legibility(missed={"lower case": 0.02, "capitals": 0.05, "signs": 0.01})
    assert found.worst_to_lower_case == pytest.approx(2.5)
    assert legibility(missed={"lower case": 0.0, "digits": 0.5}).worst_to_lower_case is None
    assert legibility(missed={"digits": 0.5}).worst_to_lower_case is None


def test_the_error_rate_is_set_beside_peoples():
    people = legibility(character_error_rate=0.08)
    assert legibility(character_error_rate=0.12).to(people) == pytest.approx(1.5)
    assert people.to(legibility(character_error_rate=0.0)) is None
