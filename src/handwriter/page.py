"""Pages: where lines of ink lie on paper, in millimetres.

Everything here is measured from the top left corner of the paper, x to the right and y down.
A `Document` is all that a file of any format is made from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import pairwise

from handwriter.errors import BadOption
from handwriter.hyphenation import SOFT
from handwriter.ink import Ink, Written

INK_LAYER = "1-black"  # the number is the pen that a plotter takes, the name is for people


@dataclass(frozen=True, eq=False)
class PlacedLine:
    """A line of ink where it lies on the paper.

    `ink` is in millimetres, its strokes in the order they were written; `baseline_mm` is the y
    that its letters stand on and `text` what it says.  `written` is the line as it was given to
    be placed, in its own unit: Written where a hand wrote it.  None for what was only drawn.
    `is_divided` tells of a last word that goes on in the next line: the hyphen at the end is in the
    ink and in `text`, but not in what was asked for.
    """

    ink: Ink
    text: str = ""
    baseline_mm: float = 0.0
    written: Ink | None = None
    is_divided: bool = False

    @property
    def told(self) -> str:
        """Its text for those who search and copy: a soft hyphen (U+00AD) where it is divided."""
        return self.text.removesuffix("-") + SOFT if self.is_divided else self.text

    @property
    def words(self) -> list[tuple[str, Ink]]:
        """Each word, as in `told`, with its ink; where that is not known the line as it is.

        A word without ink of its own stands with the one before it, or else with the one behind.
        """
        told, strokes, line = self.told.split(), self.ink.strokes, self.written
        begins = line.begins if isinstance(line, Written) else ()
        if len(begins) != len(told) or len(strokes) != len(line.strokes if line else ()):
            return [(self.told.strip(), self.ink)] if strokes else []
        found: list[tuple[str, Ink]] = []
        for word, (begin, end) in zip(told, pairwise((*begins, len(strokes))), strict=True):
            if found and (begin == end or not found[-1][1].strokes):
                before, ink = found[-1]
                found[-1] = f"{before} {word}", Ink(ink.strokes + strokes[begin:end])
            else:
                found.append((word, Ink(strokes[begin:end])))
        return found


@dataclass(frozen=True, eq=False)
class Layer:
    """Lines drawn with one pen, `pen_mm` wide, of one `colour` (#rrggbb).

    A guide (rules, squares, dots) is there for the eye: plotters leave it out.
    """

    lines: tuple[PlacedLine, ...]
    name: str = INK_LAYER
    colour: str = "#000000"
    pen_mm: float = 0.4
    is_guide: bool = False


@dataclass(frozen=True, eq=False)
class Page:
    """One side of paper: its size, and its layers from the bottom to the top."""

    width_mm: float
    height_mm: float
    layers: tuple[Layer, ...]


@dataclass(frozen=True, eq=False)
class Document:
    """Pages in their order, and what is told of them: the text, and how it was written.

    `about` holds hand, licence, seed and the like, by name; every format keeps it as metadata.
    """

    pages: tuple[Page, ...]
    title: str = ""
    about: Mapping[str, str] = field(default_factory=dict)

    @property
    def written_lines(self) -> Iterator[PlacedLine]:
        """All lines of all pages in the order they were written, guides left out."""
        for page in self.pages:
            for layer in page.layers:
                if not layer.is_guide:
                    yield from layer.lines

    def only_page(self, file: str) -> Page:
        """The page of a document that has one; raises BadOption, naming the file, otherwise."""
        if len(self.pages) != 1:
            raise BadOption(
                f"{file} holds one page, and there are {len(self.pages)}; save them under a name, "
                "a file a page, or as a .pdf"
            )
        return self.pages[0]


def provenance(lines: Sequence[Ink]) -> dict[str, str]:
    """How lines were written, for `Document.about`; what differs among them is listed in order."""
    told = {"Software": f"handwriter {version('handwriter')}"}
    if written := [line for line in lines if isinstance(line, Written)]:
        told["Hand"] = _listed(line.hand for line in written)
        told["Licence"] = _listed(line.licence for line in written)
        told["Seed"] = _listed(line.seed for line in written)
        told["Smoothness"] = _listed(line.smoothness for line in written)
        if any(line.style for line in written):
            told["Style"] = _listed(line.style for line in written)
    return told


def _listed(values: Iterable[object]) -> str:
    return ", ".join(dict.fromkeys(str(value) for value in values))
