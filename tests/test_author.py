"""The author keeps what can be read, draws again what cannot, and says so."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from tiny_reader import read_as

from handwriter.author import (
    MOST_DRAFTS_AT_ONCE,
    MOST_ROUNDS,
    MOST_ROUNDS_SHORT,
    ROUNDS,
    Author,
    Verdict,
    n_missed,
)
from handwriter.drafts import Draft
from handwriter.edits import distance
from handwriter.errors import BadOption, Illegible, UnsupportedText
from handwriter.hand import Hand
from handwriter.ink import Ink, Line
from handwriter.pieces import piece_seed, pieces
from handwriter.reader import Reading

SEED = 7


class FakeHand(Hand):
    """A hand of one stroke a piece; what it is read as goes with its seed.

    `reads` says what the candidates of each text are read as, in the order they are drawn; the
    last one goes on for ever.  Those drawn with a seed in `missing` lack their first character.
    """

    def __init__(self, weights, reads=None):
        super().__init__(weights)
        self.reads = reads or {}
        self.missing = set()
        self.asked, self.drawn = [], []
        self.at_once = []

    def drafts(self, texts, seeds, *, smoothness, after=None):
        drafts = []
        self.at_once.append(len(texts))
        for text, seed, before in zip(texts, seeds, after or [None] * len(texts), strict=True):
            self.asked.append((text, seed, before.text if before else None))
            places = range(seed in self.missing, len(text))
            drafts.append(draft_of(text, seed, places=places))
            self.drawn.append((drafts[-1].ink, text))
        return drafts


def draft_of(text, seed, *, finished=True, places=None):
    places = range(len(text)) if places is None else places
    stroke = np.array([[0.0, 0.0], [len(text), 0.0], [0.0, seed % 5]])
    return Draft(
        text=text, seed=seed, ink=Ink((stroke,)), steps=np.zeros((3, 3), np.float32),
        end=np.zeros(2), places=np.array(list(places)), focus=np.zeros(3),
        nats=np.zeros(3), finished=finished,
    )  # fmt: skip


@dataclass
class FakeTable:
    read: str
    asked: str

    def reading(self):
        return Reading(self.read, (1.0,) * len(self.read))

    def nats(self, text):
        return 0.0 if text == self.read else 2.0 * len(text)

    def places(self):
        return read_as(self.read).places()

    def points(self, n):
        return read_as(self.read).points(n)

    @property
    def log_probabilities(self):
        return read_as(self.read).log_probabilities


class FakeReader:
    """Reads drafts as the hand's `reads` says; it knows them by order of drawing."""

    characters = "abcdefghijklmnopqrstuvwxyz "

    def __init__(self, hand):
        self.hand, self.n_read = hand, {}

    def frames(self, inks, *, spread=None):
        tables = []
        for ink in inks:
            text = next(text for mine, text in self.hand.drawn if mine is ink)
            n = self.n_read[text] = self.n_read.get(text, -1) + 1
            reads = self.hand.reads.get(text.strip(), [text.strip()])
            tables.append(FakeTable(reads[min(n, len(reads) - 1)], text))
        return tables


@pytest.fixture
def author_of(tiny_hand):
    def make(**reads):
        hand = FakeHand(tiny_hand.weights, {k.replace("_", " "): v for k, v in reads.items()})
        return Author(hand, FakeReader(hand))

    return make


def test_the_first_candidate_that_is_right_is_kept_and_nothing_more_drawn(author_of):
    author = author_of(hello=["hallo", "hello"])
    line = author.write("hello", seed=SEED, candidates=2)
    assert (line.read, line.error_rate, line.n_candidates) == ("hello", 0.0, 2)
    assert line.seed == SEED
    assert line.verdicts[0].seed == piece_seed(SEED, 0, 1)
    assert line.is_legible


def test_what_left_a_character_out_is_not_read_where_another_did_not(author_of):
    author = author_of(hello=["hallo", "hullo", "hallo"])
    author.hand.missing = {SEED}
    line = author.write("hello", seed=SEED, candidates=3)
    assert line.verdicts[0].seed != SEED
    assert author.reader.n_read == {"hello": line.n_candidates - 1 - 1}  # counted from 0


def test_nothing_more_is_read_once_a_candidate_is_good(author_of):
    author = author_of(hello=["hallo", "hello"])
    line = author.write("hello", seed=SEED, candidates=4)
    assert author.reader.n_read == {"hello": 1}  # twice, counted from 0
    assert (line.read, line.n_candidates) == ("hello", 4)


def test_where_all_left_a_character_out_all_are_read(author_of):
    author = author_of()
    author.hand.missing = {piece_seed(SEED, 0, k) for k in range(2 * MOST_ROUNDS_SHORT)}
    line = author.write("hello", seed=SEED, candidates=2)
    assert author.reader.n_read == {"hello": 2 * MOST_ROUNDS_SHORT - 1}
    assert line.verdicts[0].missed == 1


def test_the_first_candidate_is_the_raw_line_of_that_seed(author_of):
    author = author_of()
    assert author.write("hello", seed=SEED).verdicts[0].seed == SEED
    assert author.hand.asked[0] == ("hello", SEED, None)


def test_it_draws_again_until_one_can_be_read(author_of):
    author = author_of(hello=["x", "x", "x", "hello"])
    line = author.write("hello", seed=SEED, candidates=2)
    assert line.read == "hello"
    assert line.n_candidates == 4
    assert len({seed for _, seed, _ in author.hand.asked}) == 4


def test_it_gives_up_after_its_rounds_and_gives_the_best_with_what_was_read(author_of):
    author = author_of(hello=["xxxxx", "hexxo", "hexlo", "xxxxx"])
    line = author.write("hello", seed=SEED, candidates=2)
    assert line.n_candidates == 2 * MOST_ROUNDS_SHORT
    assert line.read == "hexlo"
    assert line.error_rate == pytest.approx(0.2)
    assert line.is_legible  # one character of five


def test_what_is_read_rightly_but_misshapen_is_drawn_again_a_few_times(author_of, monkeypatch):
    found = iter([1, 2, 0])
    monkeypatch.setattr("handwriter.author.n_misshapen", lambda *_: next(found))
    line = author_of().write("hello", seed=SEED, candidates=2)
    assert (line.n_candidates, line.verdicts[0].misshapen) == (4, 0)
    monkeypatch.setattr("handwriter.author.n_misshapen", lambda *_: 1)
    line = author_of().write("hello", seed=SEED, candidates=2)
    assert (line.n_candidates, line.verdicts[0].misshapen) == (2 * ROUNDS, 1)
    assert line.is_legible


def test_what_is_read_rightly_but_with_doubt_is_drawn_again_a_few_times(author_of, monkeypatch):
    monkeypatch.setattr(FakeTable, "nats", lambda table, text: 0.5 * len(text))
    line = author_of().write("hello", seed=SEED, candidates=2)
    assert line.n_candidates == 2 * ROUNDS
    assert line.error_rate == 0


def test_what_cannot_be_read_is_said_and_an_error_where_asked(author_of):
    reads = {"hello": ["yyyyy"]}
    assert not author_of(**reads).write("hello", seed=SEED).is_legible
    author = author_of(**reads)
    with pytest.raises(Illegible, match=r"line 2 .*'hello' was read as 'yyyyy'"):
        list(author.iter_lines(["good", "hello"], seed=SEED, strict=True))


def test_a_line_does_not_depend_on_the_lines_beside_it(author_of):
    reads = {"hello": ["x", "x", "x", "hello"], "there": ["there"]}
    alone = author_of(**reads).write("hello", seed=SEED + 1)
    _, beside, _ = author_of(**reads).iter_lines(["there", "hello", "there"], seed=SEED)
    assert beside.verdicts == alone.verdicts
    assert beside.n_candidates == alone.n_candidates


def test_a_long_line_is_checked_piece_by_piece_each_after_the_first_one_kept(author_of):
    text = "the quick brown fox jumps over the lazy dog and does it again"
    author = author_of()
    line = author.write(text, seed=SEED)
    assert len(line.verdicts) > 1
    first, *rest = dict.fromkeys((text, before) for text, _, before in author.hand.asked)
    assert first[1] is None
    assert [before for _, before in rest] == [first[0]] * len(rest)
    assert line.read == text
    assert line.seed == SEED


FOX = "the quick brown fox jumps over the lazy dog, and all day it does so again and again"


def test_later_pieces_are_drawn_at_once_when_the_first_is_chosen_each_with_its_rounds(author_of):
    parts = [part.strip() for part in pieces(FOX)]
    author = author_of()
    author.hand.reads = {parts[0]: ["x", "x", parts[0]], parts[1]: ["x"],
                         parts[2]: ["x", "x", parts[2]]}  # fmt: skip
    line = author.write(FOX, seed=SEED, candidates=2)
    rounds = [2, MOST_ROUNDS, 2] + [1] * (len(parts) - 3)
    later = [sum(n > done for n in rounds[1:]) for done in range(MOST_ROUNDS)]
    assert author.hand.at_once == [2, 2, *(2 * n for n in later)]
    assert line.n_candidates == 2 * sum(rounds)
    for number, (text, n) in enumerate(zip(pieces(FOX), rounds, strict=True)):
        seeds = [seed for asked, seed, _ in author.hand.asked if asked == text]
        assert seeds == [piece_seed(SEED, number, k) for k in range(2 * n)]
    assert [verdict.read for verdict in line.verdicts] == [parts[0], "x", *parts[2:]]


def test_with_a_style_all_pieces_are_drawn_at_once(author_of):
    author, style = author_of(), Line(Ink((np.zeros((4, 2)),)), "so it was")
    list(author.iter_lines([FOX, "hello"], seed=SEED, candidates=2, style=style))
    assert author.hand.at_once == [2 * len(pieces(FOX, goes_on=True)) + 2]


def test_no_more_is_drawn_at_once_than_fits(author_of):
    author, text = author_of(), "hello again " * MOST_DRAFTS_AT_ONCE
    line = author.write(text, seed=SEED, candidates=5)
    most = MOST_DRAFTS_AT_ONCE // 5 * 5
    assert max(author.hand.at_once) == most
    assert author.hand.at_once[0] == 5
    assert sum(author.hand.at_once) == line.n_candidates == 5 * len(pieces(text))
    assert line.read == text.strip()


def test_later_lines_are_drawn_beside_one_that_takes_many_rounds(author_of):
    texts = ["hard", *["easy"] * 6]
    author = author_of(hard=["hrad"] * 5 + ["hard"])
    n = MOST_DRAFTS_AT_ONCE // 3
    lines = list(author.iter_lines(texts, seed=SEED, candidates=n))
    assert [line.text for line in lines] == texts
    assert author.hand.at_once == [3 * n, 3 * n, n]  # three lines, then three others and the last
    slow = author_of(hard=["hrad"] * 200 + ["hard"])
    assert [line.text for line in slow.iter_lines(texts, seed=SEED, candidates=n)] == texts
    assert slow.hand.at_once[:3] == [3 * n] * 3  # the hard one each time, and two others
    alone = author_of(hard=["hrad"] * 200 + ["hard"]).write("hard", seed=SEED, candidates=n)
    assert slow.hand.at_once.count(n) + 3 == alone.n_candidates // n


def test_every_line_goes_on_from_the_style(author_of):
    author, style = author_of(), Line(Ink((np.zeros((4, 2)),)), "so it was")
    lines = list(author.iter_lines(["hello", "again"], seed=SEED, candidates=1, style=style))
    assert author.hand.asked == [
        (" hello", SEED, "so it was"), (" again", SEED + 1, "so it was"),
    ]  # fmt: skip
    assert [line.read for line in lines] == ["hello", "again"]
    (long,) = author.iter_lines(["hello again " * 4], seed=SEED, candidates=1, style=style)
    asked = author.hand.asked[2:]
    assert len(asked) > 1
    assert {before for _, _, before in asked} == {"so it was"}
    assert long.read == ("hello again " * 4).strip()
    assert author.characters == author.hand.characters


def test_blank_lines_have_no_ink_and_no_verdict(author_of):
    _, line = author_of().iter_lines(["hello", "   "], seed=SEED)
    assert line.strokes == ()
    assert (line.verdicts, line.n_candidates, line.is_legible) == ((), 0, True)


def test_what_is_wrong_is_raised_before_the_first_line(author_of):
    author = author_of()
    with pytest.raises(UnsupportedText):
        author.iter_lines(["hello", "\u4e2d"])
    for wrong in ({"candidates": 0}, {"candidates": 65}, {"smoothness": -1.0}, {"seed": -1}):
        with pytest.raises(BadOption):
            author.iter_lines(["hello"], **wrong)
    assert author.hand.asked == []


def test_a_character_that_the_reader_never_learned_is_not_held_against_the_ink(author_of):
    author = author_of(**{"hello!": ["hello"]})
    author.reader.characters = "helo "
    assert author.write("hello!", seed=SEED).verdicts[0].is_good


def test_marks_are_drawn_after_the_base_letters_were_read(author_of):
    author = author_of(deja=["xxxx", "deja"])
    line = author.write("déjà", seed=SEED, candidates=2)
    assert (line.text, line.read, line.error_rate) == ("déjà", "deja", 0.0)
    assert {text for text, _, _ in author.hand.asked} == {"deja"}
    assert len(line.strokes) == 1 + 2  # a draft of the fake hand is one stroke


def test_every_hand_is_checked_by_the_reader_that_knows_all_of_ascii(tiny_hand):
    assert Author.of(tiny_hand).reader.characters == Author.of(tiny_hand, "open").reader.characters
    assert set(map(chr, range(32, 127))) <= set(Author.of(tiny_hand).reader.characters)


# --- Verdicts ----------------------------------------------------------------------------------

GOOD = Verdict(seed=SEED, text="hello", read="hello", edits=0, doubt=0.01, missed=0, ink_nats=-1.0,
               unevenness=0.1, finished=True)  # fmt: skip


@pytest.mark.parametrize(
    "worse",
    [
        {"edits": 1},
        {"doubt": 0.5},
        {"missed": 1},
        {"finished": False},
        {"unevenness": 0.6},
        {"ink_nats": -2.0},
    ],
)
def test_whatever_speaks_against_a_candidate_makes_it_cost_more(worse):
    assert replace(GOOD, **worse).cost > GOOD.cost


@pytest.mark.parametrize(
    "wrong", [{"edits": 1}, {"doubt": 0.5}, {"missed": 1}, {"finished": False}]
)
def test_a_candidate_is_good_only_where_nothing_is_wrong(wrong):
    assert GOOD.is_good
    assert not replace(GOOD, **wrong).is_good


def test_the_window_must_rest_on_every_character_but_blanks():
    draft = draft_of("ab c", 1, places=[0, 0, 1, 3, 4])
    assert n_missed(draft) == 0
    assert n_missed(replace(draft, places=np.array([0, 3, 4]))) == 1
    assert n_missed(replace(draft, places=np.array([0]))) == 2


# --- Words of a line, and lines side by side ---------------------------------------------------


@pytest.mark.parametrize(
    ("read", "begin", "end", "text", "part", "edits"),
    [
        ("the brown fox", 0, 3, "the brown fox", "the brown fox", 0),
        ("the brown fox", 1, 2, "brown", "brown", 0),
        ("the brown fox", 1, 3, "brown fox", "brown fox", 0),
        ("the brawn fox", 0, 2, "the brown", "the brawn", 1),
        ("the brawn fox", 2, 3, "fox", "fox", 0),
        ("thebrown fo", 1, 3, "brown fox", "brown fo", 1),
        ("", 1, 2, "brown", "", 5),
    ],
)
def test_a_verdict_on_some_words_tells_what_was_read_in_their_place(
    read, begin, end, text, part, edits
):
    for blank in ("", " "):
        whole = replace(GOOD, text=f"{blank}the brown fox", read=read,
                        edits=distance(read, "the brown fox"))  # fmt: skip
        verdict = whole.words(begin, end)
        assert (verdict.text, verdict.read, verdict.edits) == (blank + text, part, edits)


def test_one_slip_does_not_make_a_part_illegible_as_small_as_it_may_be():
    whole = replace(GOOD, text="soon -- we", read="soon - we", edits=1)
    assert whole.is_legible
    assert whole.words(1, 2).error_rate == 0.5
    assert whole.words(1, 2).is_legible
    assert not replace(GOOD, text="--", read="-", edits=1).is_legible
    assert not replace(whole, read="soon we", edits=3).words(1, 2).is_legible


def test_a_line_that_is_cut_keeps_the_verdicts_on_its_words_and_so_does_one_put_together(author_of):
    author = author_of()
    author.hand.reads = {"brown fox jumps": ["brown fox jumqs"]}
    line = author.write(FOX, seed=SEED, candidates=2)
    n = len(FOX.split())
    for cut in range(1, n):
        begin, end = line.words(0, cut), line.words(cut, n)
        assert f"{begin.text} {end.text}" == FOX
        assert f"{begin.read} {end.read}" == FOX.replace("jumps", "jumqs")
        assert (begin.error_rate > 0, end.error_rate > 0) == (cut > 4, cut <= 4)
        whole = begin.beside(end)
        assert (whole.text, whole.read, whole.seed) == (FOX, line.read, line.seed)
        assert len(begin.strokes) + len(end.strokes) == len(whole.strokes) == len(line.strokes)
        assert whole.error_rate == pytest.approx(line.error_rate, abs=0.01)  # a blank may be cut
        assert whole.n_candidates == line.n_candidates
    assert line.words(0, n).verdicts == line.verdicts
    assert line.n_candidates == sum(verdict.n_drawn for verdict in line.verdicts)
