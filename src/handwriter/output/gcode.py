"""G-code, or whatever text a profile makes of pages: GRBL, Marlin, and the user's own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from handwriter.errors import BadData, BadOption
from handwriter.ink import Array, Ink
from handwriter.output.plotter import beyond, for_plotter, pen_number, strokes_of, told_sides
from handwriter.output.profile import Profile, load_profile
from handwriter.page import Document, Layer, Page, PlacedLine

PX_PER_MM = 96 / 25.4
Facts = Mapping[str, Any]


def gcode(document: Document, profile: Profile | None = None) -> bytes:
    """The pages in one program, as the profile (`grbl-z` without one) puts it.

    Between two pages stands the profile's `page_join`, which waits for new paper.  Guides are
    left out.  Raises BadOption where ink lies beside the paper or the bed, and BadData where the
    profile has a text that cannot be filled in.
    """
    profile = profile or load_profile()
    pages = tuple(
        _on_machine(page, profile, number)
        for number, page in enumerate(for_plotter(document).pages, start=1)
    )
    return "".join(_program(replace(document, pages=pages), profile)).encode()


# --- Where points lie --------------------------------------------------------------------------


def _on_machine(page: Page, profile: Profile, number: int) -> Page:
    """The page with its ink in the profile's unit and axes, checked against the bed."""
    strokes = [stroke for layer in page.layers for stroke in strokes_of(layer)]
    if not strokes:
        return page
    points = np.concatenate(strokes)
    factor, shift = _placing(page, points, profile)
    _check_on_bed(points * factor + shift, profile, number)

    def placed(line: PlacedLine) -> PlacedLine:
        return replace(line, ink=Ink(tuple(s * factor + shift for s in line.ink.strokes)))

    layers = tuple(replace(layer, lines=tuple(map(placed, layer.lines))) for layer in page.layers)
    return replace(page, layers=layers)


def _placing(page: Page, points: Array, profile: Profile) -> tuple[Array, Array]:
    """What x and y in mm are multiplied by and what is added then, each of shape (2,)."""
    factor = np.array([profile.scale_x, profile.scale_y]) / profile.mm_per_unit
    shift = np.array([profile.offset_x, profile.offset_y])
    scaled = points * factor + shift
    inverted = np.array([profile.invert_x, profile.invert_y])
    flipped = np.array([profile.horizontal_flip, profile.vertical_flip])
    paper = np.array([page.width_mm, page.height_mm]) / profile.mm_per_unit
    for mirrored, ends in ((inverted, scaled.min(axis=0) + scaled.max(axis=0)), (flipped, paper)):
        factor = np.where(mirrored, -factor, factor)
        shift = np.where(mirrored, ends - shift, shift)
    return factor, shift


def _check_on_bed(points: Array, profile: Profile, number: int) -> None:
    if not profile.bed:
        return
    edges = zip(("below x", "below y", "beyond x", "beyond y"), profile.bed, strict=True)
    sides = [f"{side} = {edge:g}" for side, edge in edges]
    if told := told_sides(beyond(points, profile.bed), sides, profile.unit):
        raise BadOption(
            f"the ink on page {number} sticks out of the bed of {profile.name} by {told}; take "
            "smaller paper, or tell the bed of your own plotter (--bed 300x200, or in a profile)"
        )


# --- The program -------------------------------------------------------------------------------


def _program(document: Document, profile: Profile) -> Iterator[str]:
    about = {"filename": document.title}
    for name, value in {"Title": document.title, **document.about}.items():
        yield _comment(profile, f"{name}: {_quoted(value)}")
    yield _filled(profile, "document_start", about)
    pen = _Pen()
    for number, page in enumerate(document.pages):
        if number:
            yield _filled(profile, "page_join", about | pen.facts())
        yield from _page(page, profile, pen, about)
    yield _filled(profile, "document_end", about)


def _page(page: Page, profile: Profile, pen: _Pen, about: Facts) -> Iterator[str]:
    for index, layer in enumerate(page.layers):
        told = {
            **about,
            "vp_name": layer.name,
            "vp_color": layer.colour,
            "vp_pen_width": layer.pen_mm * PX_PER_MM,  # as vpype measures it
            "layer_index": index,
            "layer_index1": index + 1,
            "layer_id": pen_number(layer, index + 1),
        }
        here = _numbered(told, index)
        yield _filled(profile, "layer_start", here | pen.facts())
        yield from _layer(layer, profile, pen, told)
        yield _filled(profile, "layer_end", here | pen.facts())
        if layer is not page.layers[-1]:
            yield _filled(profile, "layer_join", here | pen.facts())


def _layer(layer: Layer, profile: Profile, pen: _Pen, about: Facts) -> Iterator[str]:
    n_strokes, index = len(strokes_of(layer)), 0
    for line in layer.lines:
        if line.text:
            yield _comment(profile, _quoted(line.text))
        for stroke in line.ink.strokes:
            told = {**about, "lines_index": index, "lines_index1": index + 1}
            here = _numbered(told, index)
            yield _filled(profile, "line_start", here | pen.facts())
            yield from _stroke(stroke, profile, pen, told)
            yield _filled(profile, "line_end", here | pen.facts())
            index += 1
            if index < n_strokes:
                yield _filled(profile, "line_join", here | pen.facts())


def _stroke(stroke: Array, profile: Profile, pen: _Pen, about: Facts) -> Iterator[str]:
    last = len(stroke) - 1
    for index, (x, y) in enumerate(stroke.tolist()):
        part = "segment"
        if index == 0:
            part = "dot" if last == 0 and profile.dot is not None else "segment_first"
        elif index == last:
            part = "segment_last"
        if getattr(profile, part) is None:
            part = "segment"
        told = {**about, "segment_index": index, "segment_index1": index + 1}
        yield _filled(profile, part, _numbered(told, index) | pen.moved(x, y))


class _Pen:
    """Where the pen is: as it is, and in whole units, whose steps add up to the whole way."""

    def __init__(self) -> None:
        self.x = self.y = 0.0
        self.ix = self.iy = 0

    def facts(self) -> dict[str, float]:
        return {"x": self.x, "y": self.y, "ix": self.ix, "iy": self.iy}

    def moved(self, x: float, y: float) -> dict[str, float]:
        """Go to a point; what is told of the way and the point."""
        dx, dy, idx, idy = x - self.x, y - self.y, round(x - self.ix), round(y - self.iy)
        self.x, self.y, self.ix, self.iy = x, y, self.ix + idx, self.iy + idy
        ways = {"dx": dx, "dy": dy, "_x": -x, "_y": -y, "_dx": -dx, "_dy": -dy}
        return {**self.facts(), **ways, "idx": idx, "idy": idy}


def _numbered(facts: Facts, index: int) -> dict[str, Any]:
    return {**facts, "index": index, "index1": index + 1}


# --- Texts -------------------------------------------------------------------------------------


def _filled(profile: Profile, part: str, facts: Facts) -> str:
    text: str | None = getattr(profile, part)
    if text is None:
        return ""
    try:
        return text.format_map({**profile.default_values, **facts})
    except KeyError as error:
        raise BadData(
            f"profile {profile.name}: {part} names {{{error.args[0]}}}, which nothing tells; "
            "give it among default_values"
        ) from None
    except (ValueError, IndexError, AttributeError, TypeError) as error:
        raise BadData(
            f"profile {profile.name}: {part} cannot be filled in ({error}); "
            "it takes texts as {x:.3f}, and {{ for a brace"
        ) from None


def _comment(profile: Profile, text: str) -> str:
    return "" if profile.comment is None else _filled(profile, "comment", {"text": text})


def _quoted(text: str) -> str:
    """A text as JSON in plain ASCII, without what halts a machine even within a comment.

    GRBL obeys ! ? ~ and all bytes above 127 wherever they stand.
    """
    return re.sub(r"[!?~\x7f]", lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text))
