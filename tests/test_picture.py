"""Pictures show the ink where it lies, as large as it should be, and never leave a dot out."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from handwriter import Ink
from handwriter.errors import BadOption
from handwriter.picture import (
    MOST_PIXELS,
    blank,
    contact_sheet,
    draw_ink,
    picture_of,
    window_picture,
)

BAR = Ink.from_strokes([[(0, 0), (0, -4)]])
DOT = Ink.from_strokes([[(0, 0)]])


def darkness(image: Image.Image) -> NDArray[np.float64]:
    """How black each pixel is, 0 to 1, shape (height, width)."""
    return 1 - np.asarray(image, dtype=np.float64) / 255


def rows_with_ink(image: Image.Image) -> NDArray[np.intp]:
    return np.flatnonzero(darkness(image).max(axis=1) > 0.5)


def drawn(*strokes: list[tuple[float, float]], pen_px: float = 5) -> NDArray[np.float64]:
    image = blank(60, 40)
    draw_ink(image, Ink.from_strokes(strokes), pen_px=pen_px)
    return darkness(image)


def test_a_dot_is_a_disc_as_wide_as_the_pen() -> None:
    dark = drawn([(20, 10)], pen_px=8)
    y, x = np.mgrid[:40, :60] + 0.5
    assert dark.sum() == pytest.approx(np.pi * 4**2, rel=0.03)
    assert (dark * x).sum() / dark.sum() == pytest.approx(20, abs=0.2)
    assert (dark * y).sum() / dark.sum() == pytest.approx(10, abs=0.2)


@pytest.mark.parametrize("end", [(50, 20), (40, 32), (12, 36), (10, 5)])
def test_a_line_is_as_wide_as_the_pen_and_round_at_its_ends(end: tuple[float, float]) -> None:
    length = np.hypot(end[0] - 10, end[1] - 20)
    area = length * 5 + np.pi * 2.5**2
    assert drawn([(10, 20), end]).sum() == pytest.approx(area, rel=0.1)


def test_a_curve_is_drawn_smooth() -> None:
    """The curve over three points bulges beyond the straight chords between them."""
    corner = [(10.0, 30.0), (30.0, 10.0), (50.0, 30.0)]
    chord_middle = drawn(corner, pen_px=1.5)[20, 20]
    assert chord_middle < 0.5 < drawn(corner[:2], pen_px=1.5)[20, 19:21].max()


def test_edges_are_antialiased() -> None:
    dark = drawn([(10, 10), (50, 17)])
    assert ((dark > 0.1) & (dark < 0.9)).sum() > 20


def test_ink_beside_the_paper_is_cut_off() -> None:
    assert drawn([(-100, -100), (-50, -50)]).sum() == 0
    assert drawn([(-100, 20), (200, 20)])[20].min() == 1


def test_lines_stand_on_baselines_one_row_apart() -> None:
    low = Ink.from_strokes([[(0, 0), (9, 0)]])
    rows = rows_with_ink(picture_of([low, BAR, low], height_px=60, margin_px=10))
    assert np.diff(rows[[0, -1]]) == pytest.approx(2 * 60, abs=4)


def test_lines_share_one_scale() -> None:
    half = BAR.transformed(np.eye(2) / 2)
    both = darkness(picture_of([BAR, half], height_px=100, margin_px=0))
    tall, short = (int((part.max(axis=1) > 0.5).sum()) for part in (both[:100], both[100:]))
    assert tall == pytest.approx(2 * short, abs=5)


def test_lines_do_not_overlap() -> None:
    picture = picture_of([BAR, Ink.from_strokes([[(0, -4), (0, 2)]])], height_px=50, margin_px=8)
    assert picture.height == 2 * 50 + 2 * 8
    first = rows_with_ink(picture_of([BAR, Ink(())], height_px=50, margin_px=8))
    assert first.max() < 8 + 50


def test_a_lone_dot_stays_small() -> None:
    assert 0 < darkness(picture_of([DOT], height_px=72)).sum() < 20


def test_lines_without_ink_are_white() -> None:
    assert darkness(picture_of([Ink(()), Ink(())])).sum() == 0
    assert darkness(picture_of([])).sum() == 0


def test_a_picture_that_is_too_large_says_so() -> None:
    with pytest.raises(BadOption, match=r"too large .* draw fewer or shorter lines"):
        blank(MOST_PIXELS, 2)
    with pytest.raises(BadOption, match="too large"):
        picture_of([Ink.from_strokes([[(0, 0), (1e9, 1)]])])


def test_a_contact_sheet_has_a_cell_with_a_caption_for_each_ink() -> None:
    sheet = contact_sheet([BAR] * 5, ["a"] * 5, width_px=300, row_px=50, columns=2)
    assert sheet.width == 300
    empty = contact_sheet([Ink(())] * 5, [""] * 5, width_px=300, row_px=50, columns=2)
    ink_and_caption = darkness(sheet) - darkness(empty)
    rows, columns = np.array_split(ink_and_caption, 3), 2
    cells = [cell for row in rows for cell in np.array_split(row, columns, axis=1)]
    assert [cell.sum() > 10 for cell in cells] == [True] * 5 + [False]


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e4])
def test_ink_of_any_size_fits_its_cell(size: float) -> None:
    square = Ink.from_strokes([[(0, 0), (90, 0), (90, 50), (0, 50), (0, 0)]])
    sheet = contact_sheet([square.transformed(np.eye(2) * size)], [""], width_px=200, columns=1)
    dark = darkness(sheet)
    assert dark.sum() > 2
    edge = np.concatenate([dark[:3].ravel(), dark[-3:].ravel(), dark[:, :3].ravel()])
    assert edge.sum() == 0


def test_a_caption_that_is_too_long_is_cut_at_its_cell() -> None:
    sheet = contact_sheet([Ink(())] * 2, ["word " * 10_000, ""], width_px=400)
    assert darkness(sheet)[:, 200:].sum() == 0


def test_a_sheet_wants_one_caption_for_each_ink() -> None:
    with pytest.raises(ValueError, match="2 inks and 1 captions"):
        contact_sheet([DOT, DOT], ["a"])


def test_a_window_is_dark_where_it_looks_and_time_runs_to_the_right() -> None:
    window = np.zeros((100, 4))
    window[:50, 0] = window[50:, 3] = 1
    dark = darkness(window_picture(window, "abc"))[10:-10, 30:-10]
    height, width = dark.shape
    assert dark[0, : width // 3].min() == 1 == dark[-1, -width // 3 :].min()
    assert dark[-1, : width // 3].max() == 0 == dark[0, -width // 3 :].max()
    assert dark[height // 2].max() == 0


def test_a_window_of_no_steps_or_of_nothing_attended_is_drawn_too() -> None:
    window_picture(np.zeros((0, 3)), "abc")
    window_picture(np.full((5, 3), np.nan), "abc")


def test_a_window_narrower_than_its_text_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot show 3"):
        window_picture(np.zeros((5, 2)), "abc")
