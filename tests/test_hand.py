"""Writing repeats itself on request, always ends, and tells truly whether it came to the end."""

import itertools
import warnings
from dataclasses import replace
from pathlib import Path
from threading import get_ident

import numpy as np
import pytest
import tiny_hand
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from handwriter.drafts import Draft, as_shown, jobs_of, ways_of
from handwriter.errors import BadHand, BadOption, HandwriterError, UnsupportedText
from handwriter.hand import (
    LONGEST_STYLE,
    MOST_LINES_AT_ONCE,
    MOST_SEED,
    MOST_SHOWN_AT_ONCE,
    Hand,
    UnfinishedWarning,
    check_seed,
    load,
)
from handwriter.ink import Ink, Line, Written
from handwriter.joining import joined
from handwriter.pen import (
    BLOCK,
    ENDS,
    FEWEST_A_THREAD,
    LIFTS,
    STEPS,
    Job,
    draw,
    ends_with_sign,
    is_end,
)
from handwriter.pieces import LONGEST_DRAFT, piece_seed, pieces, step_budget
from handwriter.spelling import unmarked
from handwriter.steps import advance, begun, primed
from handwriter.training.network import Mixture, log_density
from handwriter.training.recipe import ASCII

LONG = "It was a bright cold day in April, and the clocks were striking thirteen; so it goes."


made = tiny_hand.network  # the fixture `tiny_hand` has its name


def hand_of(path, **options: object) -> Hand:
    path.write_bytes(tiny_hand.exported(tiny_hand.network(**options)))
    return load(str(path))


@pytest.fixture(scope="session")
def tiny_fp32_hand_path(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("hands") / "fp32.onnx"
    path.write_bytes(tiny_hand.exported(tiny_hand.network(), int8=False))
    return path


@pytest.fixture(params=["tiny_hand_path", "tiny_fp32_hand_path"])
def hand_path(request: pytest.FixtureRequest) -> str:
    """The tiny hand with int8 and with fp32 weights."""
    return str(request.getfixturevalue(request.param))


@pytest.fixture
def hand(hand_path) -> Hand:
    return load(hand_path)


def same_ink(one: Ink, other: Ink) -> bool:
    """The same to the last bit."""
    return np.array_equal(one.offsets, other.offsets)


# --- The same ink ------------------------------------------------------------------------------


def test_same_seed_same_ink_other_seed_other_ink(hand):
    (first, again, other) = (hand.write_lines(["hello"], seed=seed)[0] for seed in (1, 1, 2))
    assert same_ink(first, again)
    assert not same_ink(first, other)


def test_without_a_seed_each_call_writes_another_line_and_tells_its_seed(tiny_hand):
    first, other = (tiny_hand.write_lines(["hello"])[0] for _ in range(2))
    assert first.seed != other.seed
    assert same_ink(first, tiny_hand.write_lines(["hello"], seed=first.seed)[0])


def test_ink_does_not_depend_on_the_lines_beside_it(hand):
    """A line alone and in a batch, pieces and all, to the last bit."""
    texts = ["a", "hello", LONG, "committee", "", "Fijii 1962", "  b ", LONG[:45]] * 8
    together = hand.write_lines(texts, seed=10)
    for i in (0, 2, 7, 33, 58, 63):
        (alone,) = hand.write_lines([texts[i]], seed=10 + i)
        assert alone.n_steps == together[i].n_steps
        assert same_ink(alone, together[i])


@pytest.mark.parametrize("n_lines", [9, 2 * FEWEST_A_THREAD + 1])
def test_ink_does_not_depend_on_the_number_of_threads(hand_path, n_lines):
    texts = [LONG[: 5 + number % 60] for number in range(n_lines)]
    one, two = (load(hand_path, threads=threads).write_lines(texts, seed=1) for threads in (1, 2))
    assert all(same_ink(a, b) for a, b in zip(one, two, strict=True))


@pytest.fixture
def advanced(monkeypatch) -> list[tuple[int, int]]:
    """How many rows took their steps together, and in which thread."""
    noted: list[tuple[int, int]] = []

    def advance_noted(weights, read, noise, shown, **options):
        noted.append((noise.shape[1], get_ident()))
        return advance(weights, read, noise, shown, **options)

    monkeypatch.setattr("handwriter.pen.advance", advance_noted)
    return noted


def test_many_lines_are_dealt_out_to_the_threads(hand_path, advanced):
    load(hand_path, threads=2).write_lines(["many"] * (2 * FEWEST_A_THREAD + 1), seed=1)
    assert max(n for n, _ in advanced) == FEWEST_A_THREAD + 1
    assert len({thread for _, thread in advanced}) <= 2  # one may find that all is done already


@pytest.mark.parametrize("threads", [1, 2])
def test_what_is_done_gives_its_rows_to_what_waits(hand_path, advanced, monkeypatch, threads):
    hand = load(hand_path, threads=threads)
    jobs = [
        Job(LONG[:n], np.random.default_rng(n), budget=20 + n, then=[LONG[:5]] * (n % 3))
        for n in range(1, 40)
    ]
    apart = [draw(hand.weights, [replace(job, rng=np.random.default_rng(len(job.text)))], 0.5)[0]
             for job in jobs]  # fmt: skip
    monkeypatch.setattr("handwriter.pen.MOST_ROWS", most := 2 * FEWEST_A_THREAD)
    advanced.clear()
    together = draw(hand.weights, jobs, 0.5)
    each = most // threads
    assert {n for n, _ in advanced} >= {each} and max(n for n, _ in advanced) == each
    for one, other in zip(apart, together, strict=True):
        np.testing.assert_array_equal(one.steps, other.steps)
        assert one.complete == other.complete
        for mine, theirs in zip(one.states, other.states, strict=True):
            assert all(np.array_equal(mine[name], theirs[name]) for name in theirs)


def test_a_job_of_more_rows_than_there_is_room_for_is_drawn(tiny_hand, advanced, monkeypatch):
    monkeypatch.setattr("handwriter.pen.MOST_ROWS", 2)
    rng = np.random.default_rng(1)
    (drawing,) = draw(tiny_hand.weights, [Job("a", rng, budget=9, then=["ab"] * 4)], 0.5)
    assert len(drawing.states) == 4
    assert {n for n, _ in advanced} == {5}


def test_noise_is_drawn_in_whole_numbers_of_steps():
    assert BLOCK % STEPS == 0


def test_lines_beyond_one_batch_keep_their_seeds(tiny_hand):
    n = MOST_LINES_AT_ONCE + 3
    written = tiny_hand.write_lines(["ab"] * n, seed=5)
    assert [line.seed for line in written] == list(range(5, 5 + n))
    assert same_ink(written[-1], tiny_hand.write_lines(["ab"], seed=5 + n - 1)[0])


def test_smoother_ink_varies_less(tiny_hand):
    def spread(smoothness: float) -> float:
        lines = tiny_hand.write_lines(["a"] * 64, seed=1, smoothness=smoothness)
        return float(np.std([line.points[0] for line in lines], axis=0).max())

    assert spread(0) > spread(2) > 1000 * spread(20)


# --- The end -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pen", "place", "ends"),
    [
        (LIFTS, 4, False),
        (LIFTS, 5, True),
        (ENDS, 4, True),
        (ENDS, 5, True),
    ],
)
def test_a_line_ends_with_its_end_or_with_a_lift_beyond_the_text(pen, place, ends):
    assert does_end(pen, place, 0, "hello") == ends


def does_end(pen: int, place: int, began: int, text: str) -> bool:
    pens, places, begins, n = (np.array([value]) for value in (pen, place, began, len(text)))
    (ends,) = is_end(pens, places, begins, n, np.array([ends_with_sign(text)]))
    return bool(ends)


@pytest.mark.parametrize(
    ("text", "place", "ends"),
    [
        ("hello", 0, False),
        ("hello", 2, False),
        ("hello", 3, True),
        ("hello", 4, True),
        ("Hi", 0, False),
        ("Hi", 1, True),
        ("a", 0, True),
    ],
)
def test_an_end_before_the_last_letters_only_lifts_the_pen(text, place, ends):
    assert does_end(ENDS, place, 0, text) == ends


@pytest.mark.parametrize(("began", "ends"), [(0, False), (4, False), (5, True), (6, True)])
def test_an_end_before_a_last_sign_was_begun_only_lifts_the_pen(began, ends):
    assert does_end(ENDS, 5, began, "hello.") == ends
    assert does_end(ENDS, 6, began, "hello.")
    assert does_end(LIFTS, 6, began, "hello.")


def test_without_a_text_only_the_end_ends():
    assert does_end(ENDS, 0, 0, "")
    assert not does_end(LIFTS, 0, 0, "")


def test_premature_ends_lift_the_pen(tmp_path):
    """A pen that would end at every step, and a window that stands still."""
    hand = hand_of(tmp_path / "hasty.onnx", pen=(-30.0, -30.0, 30.0), initial_pace=1e-6)
    (written,) = hand.write_lines(["abcdef"], seed=1)
    assert not written.finished
    assert written.n_steps == step_budget(6, hand.weights.pace) == len(written.strokes)


def test_a_line_that_runs_out_of_steps_is_unfinished(tmp_path):
    hand = hand_of(tmp_path / "endless.onnx", pen=(30.0, -30.0, -30.0))
    (drawing,) = draw(hand.weights, [Job("hello", np.random.default_rng(1), budget=3)], 0.0)
    assert not drawing.complete
    assert drawing.steps[:, 2].tolist() == [0, 0, LIFTS]


def test_a_pen_that_never_lifts_still_ends_and_says_so(tmp_path):
    hand = hand_of(tmp_path / "endless.onnx", pen=(30.0, -30.0, -30.0))
    (written,) = hand.write_lines(["abc"], seed=1)
    assert not written.finished
    assert written.n_steps == step_budget(3, hand.weights.pace)
    with pytest.warns(UnfinishedWarning, match=rf"'abc' is unfinished after {written.n_steps}"):
        hand.write("abc", seed=1)


def test_a_window_that_never_moves_is_never_finished(tmp_path):
    hand = hand_of(tmp_path / "stuck.onnx", pen=(0.0, 0.0, -2.0), initial_pace=1e-6)
    for written in hand.write_lines(["abcdef", LONG], seed=1):
        assert not written.finished
        assert 1 <= written.n_steps <= step_budget(len(LONG), hand.weights.pace)


def test_a_hand_without_an_end_of_its_own_ends_beyond_the_text(tmp_path):
    hand = hand_of(tmp_path / "graves.onnx", pen=(0.0,), end_token=False, peepholes=True)
    for written in hand.write_lines(["abc", LONG, "x"], seed=1):
        assert written.finished


# --- Pieces ------------------------------------------------------------------------------------


def test_a_piece_is_primed_with_the_one_before_as_if_that_began_the_line(tiny_hand):
    """The first step of a line leads from its baseline to its first point, right above or below
    of where the line begins; so it is shown, wherever the piece before began."""
    weights, parts = tiny_hand.weights, pieces(LONG)
    first = tiny_hand.drafts(parts[:1], [1])[0]
    second = tiny_hand.drafts(parts[1:2], [2], after=[first])[0]
    shown = as_shown(weights, second.steps, second.ink)
    way = shown[0, :2] * weights.deviation + weights.mean
    np.testing.assert_allclose(way, [0.0, second.ink.points[0, 1]], atol=1e-6)
    np.testing.assert_array_equal(shown[1:], second.steps[1:])
    assert shown[0, 2] == second.steps[0, 2]


def test_a_primed_network_is_one_that_drew_what_it_was_shown(tiny_hand):
    """What goes on from a state is what the same noise would have given without a stop."""
    weights, text, n = tiny_hand.weights, "so it goes on and on and on and on", 64  # a block
    for seed in itertools.count():
        whole = draw(weights, [Job(text, np.random.default_rng(seed), budget=100)], 0.5)[0]
        if len(whole.steps) > n and whole.steps[n - 1, 2]:  # what is shown ends with a stroke
            break
    (state,) = primed(weights, [text], [whole.steps[:n]])
    rng = np.random.default_rng(seed)
    draw(weights, [Job(text, rng, budget=n)], 0.5)
    (rest,) = draw(weights, [Job(text, rng, budget=100 - n, state=state)], 0.5)
    np.testing.assert_array_equal(rest.steps, whole.steps[n:])


def test_a_network_that_has_begun_is_shown_only_the_rest(tiny_hand):
    weights, text = tiny_hand.weights, "so it goes on"
    steps = draw(weights, [Job(text, np.random.default_rng(3), budget=40)], 0.5)[0].steps
    (whole,) = primed(weights, [text], [steps])
    for place in (0, 3, 99):
        before, at = begun(weights, text, steps, place)
        assert 0 <= before.n_steps < len(steps)
        assert before.n_steps == 0 or place > 0
        assert 0 < at <= len(text)
        (rest,) = primed(weights, [text], [steps], [before])
        assert all(np.array_equal(whole[name], rest[name]) for name in whole)
    apart = primed(weights, [text, text], [steps, steps], [None, before])
    assert all(np.array_equal(apart[0][name], apart[1][name]) for name in whole)


def test_lines_are_primed_alone_as_together(tiny_hand):
    weights, rng = tiny_hand.weights, np.random.default_rng(0)
    shown = [rng.normal(size=(n, 3)).astype(np.float32) for n in (5, 1, 9)]
    texts = ["one", "other one", "x"]
    together = primed(weights, texts, shown)
    for text, steps, state in zip(texts, shown, together, strict=True):
        (alone,) = primed(weights, [text], [steps])
        assert all(np.array_equal(alone[name], state[name]) for name in state)
        np.testing.assert_array_equal(state["step"].ravel(), steps[-1])


@pytest.mark.parametrize("threads", [1, 2])
def test_a_network_shown_a_piece_as_it_is_drawn_is_one_that_was_shown_it_afterwards(
    hand_path, threads
):
    hand = load(hand_path, threads=threads)
    texts = ["so it", "a", "it was a"] * FEWEST_A_THREAD
    then = [[f"{text} goes", f"{text} is", f"{text} b"][: number % 4] for number, text
            in enumerate(texts)]  # fmt: skip
    jobs = [
        Job(text, np.random.default_rng(number), budget=90 + number, then=some)
        for number, (text, some) in enumerate(zip(texts, then, strict=True))
    ]
    for number, drawing in enumerate(draw(hand.weights, jobs, 0.5)):
        (alone,) = draw(hand.weights, [replace(jobs[number], rng=np.random.default_rng(number),
                                               then=())], 0.5)  # fmt: skip
        np.testing.assert_array_equal(drawing.steps, alone.steps)
        assert len(drawing.states) == len(then[number])
        if not drawing.states:
            continue
        ink = Ink.from_offsets(ways_of(hand.weights, drawing.steps) @ np.eye(2, 3) + [0, 0, 1])
        shown = as_shown(hand.weights, drawing.steps, ink)
        states = primed(hand.weights, then[number], [shown] * len(then[number]))
        for mine, theirs in zip(drawing.states, states, strict=True):
            assert all(np.array_equal(mine[name], theirs[name]) for name in theirs)


@pytest.fixture
def drawn_at_once(monkeypatch) -> list[list[str]]:
    """What is drawn side by side, a batch a list."""
    batches: list[list[str]] = []

    def noted(weights, jobs, *args, **options):
        batches.append([job.text for job in jobs])
        return draw(weights, jobs, *args, **options)

    monkeypatch.setattr("handwriter.drafts.draw", noted)
    return batches


def test_all_later_pieces_of_all_lines_are_drawn_side_by_side(tiny_hand, drawn_at_once):
    first, *later = pieces(LONG)
    tiny_hand.write_lines([LONG, "", "hello", LONG], seed=3)
    assert drawn_at_once == [
        [first, "hello", first], [first + piece for piece in later for _ in range(2)]
    ]  # fmt: skip
    drawn_at_once.clear()
    tiny_hand.write_lines([LONG], seed=3, style=Line(tiny_hand.write("so it was", seed=3), "so"))
    assert len(drawn_at_once[-1]) == len(pieces(LONG, goes_on=True)) > 2


def test_a_line_is_the_same_however_much_is_drawn_at_once(hand, drawn_at_once, monkeypatch):
    texts = [LONG, "hello", LONG[:30], "a" * 70]
    expected = hand.write_lines(texts, seed=3)
    monkeypatch.setattr("handwriter.hand.MOST_PIECES_AT_ONCE", 3)
    monkeypatch.setattr("handwriter.hand.MOST_SHOWN_AT_ONCE", 2)
    drawn_at_once.clear()
    for one, other in zip(hand.write_lines(texts, seed=3), expected, strict=True):
        assert same_ink(one, other)
    assert len(drawn_at_once[0]) == len(texts)
    assert max(map(len, drawn_at_once[1:])) == 3


def test_a_line_of_more_pieces_than_are_drawn_at_once_is_written(
    tiny_hand, drawn_at_once, monkeypatch
):
    monkeypatch.setattr("handwriter.hand.MOST_PIECES_AT_ONCE", most := 32)
    text = "ab " * 10 * most
    assert len(pieces(text)) > max(most, MOST_SHOWN_AT_ONCE) + 1
    (written,) = tiny_hand.write_lines([text], seed=1)
    assert written.finished
    assert sum(map(len, drawn_at_once)) == len(pieces(text))
    assert max(map(len, drawn_at_once)) == most


@pytest.mark.parametrize("with_style", [False, True])
@pytest.mark.parametrize("unfinished", [(0, 3), (1,), (2, 3), (-1,)])
def test_a_line_ends_with_its_first_piece_that_does_not_come_to_its_end(
    tiny_hand, monkeypatch, unfinished, with_style
):
    style = Line(tiny_hand.write("so it was", seed=3), "so it was") if with_style else None
    parts = pieces(LONG, goes_on=with_style)
    cut_off = tuple(parts[number] for number in unfinished)

    def drawn(weights, jobs, *args, **options):
        drawings = draw(weights, jobs, *args, **options)
        return [
            replace(drawing, complete=not job.text.endswith(cut_off))
            for job, drawing in zip(jobs, drawings, strict=True)
        ]

    whole, beside = tiny_hand.write_lines([LONG, "hello again, and on"], seed=3, style=style)
    monkeypatch.setattr("handwriter.drafts.draw", drawn)
    ended, same = tiny_hand.write_lines([LONG, "hello again, and on"], seed=3, style=style)
    assert whole.finished
    assert not ended.finished
    assert same_ink(same, beside)
    first = min(number % len(parts) for number in unfinished)
    n, drafts = 0, [style and tiny_hand.shown(style)]
    for number, text in enumerate(parts[: first + 1]):
        drafts += tiny_hand.drafts([text], [piece_seed(3, number)], after=drafts[:1])
        drafts = drafts[1:] if drafts[0] is None else drafts
        n += len(drafts[-1].steps)
    assert ended.n_steps == n
    np.testing.assert_array_equal(ended.points, whole.points[:n])


def test_nothing_is_drawn_of_a_line_that_has_ended(tmp_path, drawn_at_once, monkeypatch):
    hand = hand_of(tmp_path / "stuck.onnx", pen=(30.0, -30.0, -30.0))
    monkeypatch.setattr("handwriter.hand.MOST_PIECES_AT_ONCE", 2)
    hand.write_lines([LONG, "hello"], seed=1)
    assert drawn_at_once == [[pieces(LONG)[0], "hello"]]


def test_a_line_is_its_pieces_each_after_the_first_and_behind_the_one_before(hand):
    (written,) = hand.write_lines([f"  {LONG}"], seed=5, smoothness=1)
    drafts: list[Draft] = []
    for number, text in enumerate(pieces(LONG)):
        seed = piece_seed(5, number, 0)
        after = [drafts[0] if drafts else None]
        drafts += hand.drafts([text], [seed], smoothness=1, after=after)
        np.testing.assert_array_equal(drafts[-1].end, drafts[-1].ink.points[-1])
    line = joined(hand.weights, unmarked(f"  {LONG}"), drafts, smoothness=1, seed=5)
    assert same_ink(line, written)
    x, n = 0.0, 0  # where the last piece ended, and the points before this one
    left = written.points[0, 0] - drafts[0].ink.points[0, 0]  # the leading blanks
    for number, draft in enumerate(drafts):
        begin = drafts[0].end[0] if number else 0.0
        points = written.points[n : n + draft.ink.n_points] - [left, 0]
        np.testing.assert_allclose(points, draft.ink.moved(x - begin, 0).points, atol=1e-9)
        x, n = x + draft.end[0] - begin, n + draft.ink.n_points
    assert vars(line) | {"strokes": 0} == vars(written) | {"strokes": 0}


# --- Style -------------------------------------------------------------------------------------


def test_a_line_with_a_style_goes_on_from_its_ink_and_begins_at_0(hand):
    style = Line(hand.write("so it was", seed=3), "so it was")
    (line,) = hand.write_lines(["hello"], seed=5, style=style)
    (draft,) = hand.drafts([" hello"], [5], after=[hand.shown(style)])
    shift = draft.ink.points - line.points
    np.testing.assert_allclose(shift, np.full_like(shift, [draft.ink.points[0, 0], 0]), atol=1e-9)
    assert line.points[0, 0] == 0
    assert line.text == "hello"
    assert not same_ink(line, hand.write("hello", seed=5))


def test_each_piece_of_a_line_goes_on_from_the_style_and_lies_after_the_one_before(tiny_hand):
    style = Line(tiny_hand.write("so it was", seed=3), "so it was")
    (line,) = tiny_hand.write_lines([LONG], seed=5, style=style)
    shown, parts = tiny_hand.shown(style), pieces(LONG, goes_on=True)
    assert "".join(parts) == f" {LONG}"
    offset, points = 0.0, []
    for number, text in enumerate(parts):
        (draft,) = tiny_hand.drafts([text], [piece_seed(5, number)], after=[shown])
        points.append(draft.ink.moved(offset, 0).points)
        offset += draft.end[0] - shown.end[0]
    expected = np.concatenate(points)
    np.testing.assert_allclose(line.points, expected - [expected[0, 0], 0], atol=1e-9)


def test_a_style_is_shown_as_the_hand_drew_it(tiny_hand):
    (draft,) = tiny_hand.drafts(["so it was"], [3])
    shown = tiny_hand.shown(Line(draft.ink, "so  it was "))
    assert shown.text == draft.text
    np.testing.assert_allclose(shown.steps[:, :2], draft.steps[:, :2], atol=1e-4)
    np.testing.assert_array_equal(shown.steps[:, 2] > 0, draft.steps[:, 2] > 0)
    np.testing.assert_allclose(shown.end, draft.end)


def test_lines_with_a_style_do_not_depend_on_each_other(tiny_hand):
    style = Line(tiny_hand.write("so it was", seed=3), "so it was")
    together = tiny_hand.write_lines(["one", "", LONG], seed=5, style=style)
    assert not together[1].strokes
    (alone,) = tiny_hand.write_lines([LONG], seed=7, style=style)
    assert same_ink(alone, together[2])


@pytest.mark.parametrize("text", ["", " ", "a" * (LONGEST_STYLE + 1)])
def test_a_style_has_ink_and_a_short_text(tiny_hand, text):
    ink = tiny_hand.write("so it was", seed=3)
    with pytest.raises(BadOption, match=f"1 to {LONGEST_STYLE} characters"):
        tiny_hand.iter_lines(["hello"], style=Line(ink, text))
    with pytest.raises(BadOption, match="not 0 points"):
        tiny_hand.iter_lines(["hello"], style=Line(Ink(()), "so"))


# --- Marks -------------------------------------------------------------------------------------


def test_a_marked_line_is_the_line_of_its_base_letters_and_more(tiny_hand):
    for marked, base in (("  façade", "  facade"), (LONG + " déjà vu", LONG + " deja vu")):
        plain = tiny_hand.write_lines([base], seed=4)[0]
        (written,) = tiny_hand.write_lines([marked], seed=4)
        assert written.text == marked
        assert written.n_steps == plain.n_steps
        theirs = [stroke.tobytes() for stroke in written.strokes]
        mine = [stroke.tobytes() for stroke in plain.strokes]
        assert [stroke for stroke in theirs if stroke in mine] == mine
        assert len(theirs) == len(mine) + marked.count("ç") + marked.count("é") + marked.count("à")


def test_a_marked_line_repeats_itself_alone_among_others_and_streamed(tiny_hand):
    (alone,) = tiny_hand.write_lines(["naïve Ångström"], seed=8)
    among = tiny_hand.write_lines(["plain", "naïve Ångström"], seed=7)[1]
    assert same_ink(alone, among)
    points = list(tiny_hand.stream("naïve Ångström", seed=8))
    np.testing.assert_array_equal([point[:2] for point in points], alone.points)
    np.testing.assert_array_equal([point.lifts for point in points], alone.offsets[:, 2] > 0)


@settings(deadline=None, max_examples=30)
@given(st.text("éßïŁ°¿ĵ÷ŋþ½— aoi", min_size=1, max_size=60), st.integers(0, 2**31))
def test_marks_find_a_place_in_whatever_was_scribbled(tiny_hand, text, seed):
    if text.isspace():
        return
    (written,) = tiny_hand.write_lines([text], seed=seed)
    assert all(len(stroke) for stroke in written.strokes)
    assert np.isfinite(written.points).all()


def test_what_was_replaced_is_told(tiny_hand):
    (written,) = tiny_hand.write_lines(["“ab”…"], seed=1)
    assert written.text == '"ab"...'
    assert written.replaced == {("“", '"'): 1, ("”", '"'): 1, ("…", "..."): 1}
    assert tiny_hand.write_lines(["ab é"], seed=1)[0].replaced == {}


def test_a_trace_is_of_the_base_letters(tiny_hand):
    trace = tiny_hand.trace("é", seed=1)
    assert trace.written.text == "e"
    assert len(trace.window) == trace.written.n_points


def test_a_long_line_is_one_ink_from_piece_to_piece(tiny_hand):
    (written,) = tiny_hand.write_lines([LONG], seed=3)
    assert written.n_steps == written.n_points
    jumps = np.abs(written.offsets[1:, :2] - tiny_hand.weights.mean)
    assert (jumps < 20 * np.array(tiny_hand.weights.deviation)).all()


# --- Any text ----------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["a", ".", LONG[:60], "committee", "Fijii", "aaaaaaaa", "a" * 61])
def test_every_text_gives_ink(tiny_hand, text):
    (written,) = tiny_hand.write_lines([text], seed=1)
    assert isinstance(written, Written)
    assert (written.text, written.hand, written.licence) == (text, "tiny", "CC0")
    assert 1 <= written.n_steps == written.n_points


def test_leading_blanks_move_the_ink_and_trailing_ones_do_not(tiny_hand):
    """By the mean width of a character: the mean offset over the characters of a mean step."""
    plain, trailing, leading = (
        tiny_hand.write_lines([text], seed=1)[0] for text in ("hello", "hello   ", "  hello")
    )
    assert same_ink(plain, trailing)
    width = tiny_hand.weights.mean[0] / tiny_hand.weights.pace
    assert leading.bounds[0] == pytest.approx(plain.bounds[0] + 2 * width)


def test_blank_lines_are_lines_without_ink(tiny_hand):
    first, blank, last = tiny_hand.write_lines(["a", "  ", "b"], seed=1)
    assert (blank.strokes, blank.n_steps, blank.finished) == ((), 0, True)
    assert first.strokes
    assert same_ink(last, tiny_hand.write_lines(["b"], seed=3)[0])


@pytest.mark.parametrize("smoothness", [0, 0.5, 1.5, 20, np.float32(3)])
def test_smoothness_goes_from_0_to_20(tiny_hand, smoothness):
    (written,) = tiny_hand.write_lines(["hello"], seed=1, smoothness=smoothness)
    assert np.isfinite(written.points).all()
    assert written.smoothness == smoothness


@pytest.mark.parametrize("smoothness", [float("nan"), float("inf"), -float("inf"), -0.1, 20.5])
def test_other_smoothness_is_refused(tiny_hand, smoothness):
    with pytest.raises(BadOption, match="takes a number from 0"):
        tiny_hand.write("hello", smoothness=smoothness)


@pytest.mark.parametrize("seed", [-1, 2**63, 10**5000, -(10**5000)], ids=range(4))
def test_a_seed_out_of_range_is_refused(tiny_hand, seed):
    with pytest.raises(BadOption, match="takes a whole number from 0 to") as caught:
        tiny_hand.write("hello", seed=seed)
    assert len(str(caught.value)) < 120


def test_each_line_has_a_seed_that_can_be_given_again(tiny_hand):
    last = tiny_hand.write_lines(["a", "b"], seed=MOST_SEED - 1)[-1]
    assert tiny_hand.write_lines(["b"], seed=last.seed)[0].seed == MOST_SEED
    with pytest.raises(BadOption, match=f"from 0 to {MOST_SEED - 1}"):
        tiny_hand.write_lines(["a", "b"], seed=MOST_SEED)


def test_half_a_seed_is_a_mistake_in_the_program():
    with pytest.raises(TypeError):
        check_seed(1.5)


def test_bad_text_is_refused_before_anything_is_written(tiny_hand):
    """Even by `iter_lines`: a caller may open a file between the call and the first line."""
    for lines in ([], [""], ["ok", "\u4e2d"], ["a\n"], ["\ud800"], ["a" * 10**6], ["~"]):
        with pytest.raises(UnsupportedText):
            tiny_hand.iter_lines(lines)
    with pytest.raises(UnsupportedText, match=r"cannot write '☃' \(character 4 of '5 a☃'\)"):
        tiny_hand.write("5 a☃")


def test_one_string_is_not_a_list_of_lines(tiny_hand):
    with pytest.raises(TypeError, match="for a single one use `write`"):
        tiny_hand.write_lines("hello")


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.text(max_size=80) | st.text(ASCII, max_size=80), max_size=4),
    st.floats() | st.floats(0, 20),
    st.integers(),
)
def test_whatever_is_asked_gives_ink_or_one_clear_error(tiny_hand, texts, smoothness, seed):
    try:
        written = tiny_hand.write_lines(texts, smoothness=smoothness, seed=seed)
    except HandwriterError as error:
        assert "\n" not in str(error)
        assert str(error).encode()
        return
    assert [line.text for line in written] == [s.text for s in tiny_hand.spelled(texts)]
    for line in written:
        assert np.isfinite(line.points).all()
        assert bool(line.strokes) == bool(line.text.strip(" "))
        assert line.n_steps <= 10 * step_budget(len(line.text), tiny_hand.weights.pace)


@settings(deadline=None, max_examples=40)
@given(st.text(ASCII.replace("~", ""), max_size=200))
def test_any_text_of_known_characters_is_written(tiny_hand, text):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnfinishedWarning)
        if text.strip(" "):
            assert tiny_hand.write(text, seed=1).n_points
        else:
            with pytest.raises(UnsupportedText, match="no text to write"):
                tiny_hand.write(text, seed=1)


# --- Without text, and from inside -------------------------------------------------------------


def test_a_prediction_hand_writes_without_text(tiny_prediction_hand):
    written = tiny_prediction_hand.sample(steps=50, seed=1)
    assert 1 <= written.n_steps == written.n_points <= 50
    assert written.finished
    assert same_ink(written, tiny_prediction_hand.sample(steps=50, seed=1))


def test_a_prediction_hand_that_never_ends_takes_all_its_steps(tmp_path):
    hand = hand_of(tmp_path / "endless.onnx", pen=(9.0, 0.0, -30.0), alphabet="")
    assert hand.sample(steps=321, seed=1).n_steps == 321


@pytest.mark.parametrize("steps", [0, -5, 100_001])
def test_other_numbers_of_steps_are_refused(tiny_prediction_hand, steps):
    with pytest.raises(BadOption, match="from 1 to 100,000"):
        tiny_prediction_hand.sample(steps=steps)


def test_each_kind_of_hand_says_what_it_is_for(tiny_hand, tiny_prediction_hand):
    with pytest.raises(BadHand, match="`handwriter write`"):
        tiny_hand.sample()
    for use in (tiny_prediction_hand.write_lines, tiny_prediction_hand.iter_lines):
        with pytest.raises(BadHand, match="`handwriter sample`"):
            use(["hello"])
    with pytest.raises(BadHand, match="`handwriter sample`"):
        tiny_prediction_hand.trace("hello")


def test_a_trace_is_the_same_line_seen_from_inside(tiny_hand):
    trace = tiny_hand.trace("hello ", seed=4, smoothness=0.5)
    (written,) = tiny_hand.write_lines(["hello "], seed=4, smoothness=0.5)
    n = written.n_steps
    assert same_ink(trace.written, written)
    assert trace.steps.shape == (n, 3)
    assert trace.window.shape == (n, len("hello") + 1)
    assert trace.outputs.shape == (n, 6 * 2 + 3)


def test_a_trace_holds_what_is_written_in_one_go(tiny_hand):
    assert tiny_hand.trace("a" * LONGEST_DRAFT, seed=1).window.shape[1] == LONGEST_DRAFT + 1
    with pytest.raises(BadOption, match="at most 45"):
        tiny_hand.trace("a" * (LONGEST_DRAFT + 1))


def test_ink_that_is_no_number_is_a_fault_of_the_hand(tiny_hand):
    with pytest.raises(BadHand, match="not finite"):
        ways_of(tiny_hand.weights, np.array([[np.nan, 0, LIFTS]], np.float32))


# --- Drafts ------------------------------------------------------------------------------------


def test_a_draft_is_the_same_ink_and_tells_of_each_step(hand):
    texts, seeds = ["hello", "Fijii 1962", "hello"], [3, 9, 4]
    drafts = hand.drafts(texts, seeds, smoothness=0.5)
    for text, seed, draft in zip(texts, seeds, drafts, strict=True):
        written, _ = hand.write_lines([text, "beside it"], seed=seed, smoothness=0.5)
        assert same_ink(draft.ink, written)
        assert (draft.text, draft.seed, draft.finished) == (text, seed, written.finished)
        assert len(draft.steps) == written.n_steps
        assert draft.places.shape == draft.nats.shape == (written.n_steps,)
        assert np.isfinite(draft.nats).all()


def test_the_places_of_a_draft_are_those_of_its_own_text(tiny_hand):
    trace = tiny_hand.trace("  hello", seed=3)
    (draft,) = tiny_hand.drafts(["hello"], [3])
    np.testing.assert_array_equal(draft.places, trace.window.argmax(axis=1))

    parts = pieces(LONG)
    before, after = parts[1].lstrip(" "), parts[2]
    (first,) = tiny_hand.drafts([before], [1])
    (draft,) = tiny_hand.drafts([after], [2], after=[first])
    jobs = jobs_of(tiny_hand.weights, [after], [2], [first])
    (drawing,) = draw(tiny_hand.weights, jobs, 1.5, keep=True)
    np.testing.assert_array_equal(draft.places, drawing.phi.argmax(axis=1) - len(before))
    assert drawing.phi.shape[1] == len(before + after) + 1


def log_lifts(lifts: torch.Tensor, y: Mixture) -> torch.Tensor:
    """Log probability that the pen lifts, to go on or to end, or that it does not."""
    p = y.pen.softmax(-1)[:, 1:].sum(-1) if y.pen.shape[-1] == 3 else y.pen[:, 0].sigmoid()
    return torch.where(lifts, p, 1 - p).log()


def test_the_log_density_is_that_of_the_training(tiny_hand, tmp_path):
    """Against `training.network`, for each kind of pen, whatever the smoothness was."""
    graves = hand_of(tmp_path / "graves.onnx", pen=(0.0,), end_token=False)
    for hand in (tiny_hand, graves):
        config = made(end_token=hand.weights.has_end).config
        trace = hand.trace("hello", seed=3, smoothness=2)
        (draft,) = hand.drafts(["hello"], [3], smoothness=2)
        m = config.mixtures
        outputs = torch.from_numpy(trace.outputs).double()
        mu_x, mu_y, sigma_x, sigma_y, rho, pi = outputs[:, : 6 * m].split(m, dim=-1)
        y = Mixture(pi.log_softmax(-1), torch.stack([mu_x, mu_y], -1),
                    torch.stack([sigma_x, sigma_y], -1), rho, outputs[:, 6 * m :])  # fmt: skip
        steps = torch.from_numpy(trace.steps).double()
        expected = log_density(steps[:, :2], y) + log_lifts(steps[:, 2] > 0, y)
        np.testing.assert_allclose(draft.nats, expected.numpy(), rtol=1e-6, atol=1e-9)


def test_each_draft_needs_its_seed(tiny_hand):
    with pytest.raises(ValueError, match="argument"):
        tiny_hand.drafts(["a", "b"], [1])
    with pytest.raises(BadOption, match="takes a whole number"):
        tiny_hand.drafts(["a"], [-1])
    with pytest.raises(UnsupportedText):
        tiny_hand.drafts(["~"], [1])


# --- Streaming ---------------------------------------------------------------------------------


def streamed(hand: Hand, text: str, **options: object) -> Ink:
    points = list(hand.stream(text, **options))
    xy = np.array([(point.x, point.y) for point in points])
    ends = [i + 1 for i, point in enumerate(points) if point.lifts]
    return Ink(tuple(stroke for stroke in np.split(xy, ends) if len(stroke)))


@pytest.mark.parametrize("text", ["hello", "  hello ", "a", LONG])
def test_streamed_points_are_the_same_ink(hand, text):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnfinishedWarning)
        written = hand.write(text, seed=5, smoothness=0.5)
        ink = streamed(hand, text, seed=5, smoothness=0.5)
    assert len(ink.strokes) == len(written.strokes)
    for ours, theirs in zip(ink.strokes, written.strokes, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_points_come_as_they_are_drawn(tiny_hand):
    """The first ones of a line that would take long, without its rest."""
    points = [
        point for point, _ in zip(tiny_hand.stream("a" * 2000, seed=1), range(5), strict=False)
    ]
    assert len(points) == 5
    assert points == list(tiny_hand.stream("a" * 2000, seed=1))[:5]


def test_a_stream_says_what_is_wrong_before_its_first_point(tiny_hand):
    with pytest.raises(UnsupportedText):
        tiny_hand.stream("~")
    with pytest.raises(BadOption):
        tiny_hand.stream("a", smoothness=-1)


def test_an_unfinished_stream_says_so(tmp_path):
    hand = hand_of(tmp_path / "endless.onnx", pen=(30.0, -30.0, -30.0))
    with pytest.warns(UnfinishedWarning, match="is unfinished after"):
        list(hand.stream("abc", seed=1))
