"""The pen strokes of a drawing: what an SVG draws as lines without filling, and what else it has.

Paths and basic shapes are read, groups, `use` and transformations followed, and fill and stroke
taken from attributes and plain style sheets.  Curves become chords.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray
from svg.path import Arc, CubicBezier, Move, QuadraticBezier, parse_path

from handwriter.errors import BadData
from handwriter.ink import Array

LINE = "line"  # the class of a group that holds one line of writing
CHORDS = 16  # of a curve: of half a circle, they stray by a 200th of its radius
DEEPEST = 200
MOST_REPEATED = 20_000  # elements that `use` draws again
MOST_POINTS = 5_000_000

_GROUPS = {"svg", "g", "a", "switch", "use", "symbol"}
_SHAPES = {"path", "line", "polyline", "polygon", "rect", "circle", "ellipse"}
_NO_INK = {"text": "text element", "image": "image", "foreignObject": "foreign object"}
_INHERITED = {"fill": "black", "stroke": "none", "visibility": "visible"}
_LOOKS = {*_INHERITED, "display"}


class Drawing:
    """An SVG's strokes in the order they are drawn, points of shape (n, 2), y downward.

    `lines` has a list of strokes for each outermost `<g class="line">`, or one list of all
    strokes where there is no such group.  `left_out` counts what is drawn and is no stroke.
    Raises BadData where the SVG cannot be understood.
    """

    def __init__(self, root: Element, name: str) -> None:
        self.name = name
        self.left_out: Counter[str] = Counter()
        self._rules = _rules(root, name)
        self._by_id = {e.get("id"): e for e in root.iter() if e.get("id")}
        self._n_left = sum(1 for _ in root.iter()) + MOST_REPEATED
        self._n_points = 0
        strokes: list[Array] = []
        self.lines = [strokes]
        with np.errstate(all="ignore"):  # what is not finite is refused as ink
            self._draw(root, _INHERITED, np.eye(3), strokes, 0)
        if len(self.lines) > 1:
            del self.lines[0]
            self.left_out["stroke outside every line"] += len(strokes)
        self.left_out = +self.left_out

    def _draw(
        self,
        element: Element,
        look: dict[str, str],
        matrix: Array,
        strokes: list[Array],
        depth: int,
    ) -> None:
        """Add the strokes of an element, and of what is in it, to `strokes` or to a new line."""
        tag = element.tag
        if tag not in _GROUPS | _SHAPES and tag not in _NO_INK:
            return
        self._count(depth)
        own = self._look_of(element)
        look = look | {k: v for k, v in own.items() if k in look and v != "inherit"}
        matrix = matrix @ _matrix(element.get("transform", ""), self._where(element))
        if own.get("display") == "none":
            self.left_out["hidden element"] += 1
        elif tag in _NO_INK:
            self.left_out[_NO_INK[tag]] += 1
        elif tag in _SHAPES:
            self._draw_shape(element, look, matrix, strokes)
        elif tag == "svg" and depth:
            raise BadData(f"{self._where(element)}: lies in another; make a group of it")
        else:
            if tag == "g" and LINE in element.get("class", "").split() and strokes is self.lines[0]:
                strokes = []
                self.lines.append(strokes)
            if tag == "use":
                matrix = matrix @ _shift(element, self._where(element))
                self._draw(self._used(element), look, matrix, strokes, depth + 1)
            for child in element:
                if child.tag != "symbol":  # it is drawn where it is used
                    self._draw(child, look, matrix, strokes, depth + 1)

    def _draw_shape(
        self, element: Element, look: dict[str, str], matrix: Array, strokes: list[Array]
    ) -> None:
        if look["visibility"] != "visible":
            self.left_out["hidden element"] += 1
        elif look["fill"] not in ("none", "transparent") and element.tag != "line":
            self.left_out["filled shape"] += 1
        elif look["stroke"] in ("none", "transparent"):
            self.left_out["shape without a line"] += 1
        else:
            outline = _outline(element, self._where(element))
            for drawn in _strokes(outline, self._where(element)):
                self._n_points += len(drawn)
                points = np.column_stack([drawn.real, drawn.imag])
                strokes.append(points @ matrix[:2, :2].T + matrix[:2, 2])

    def _count(self, depth: int) -> None:
        self._n_left -= 1
        if depth > DEEPEST:
            raise BadData(f"{self.name}: is nested too deep, or uses itself; ungroup it")
        if not self._n_left or self._n_points > MOST_POINTS:
            raise BadData(
                f"{self.name}: repeats more than {MOST_REPEATED:,} elements, or draws more than "
                f"{MOST_POINTS:,} points; give a part of it"
            )

    def _look_of(self, element: Element) -> dict[str, str]:
        """What this element itself says of its look: its attributes, then rules, then style."""
        look = {name: element.get(name, "").strip() for name in _LOOKS if element.get(name)}
        for tag, kind, key, declared in self._rules:
            keys = element.get("id", "") if kind == "#" else element.get("class", "")
            if tag in ("", "*", element.tag) and (not kind or key in keys.split()):
                look |= declared
        return look | _declared(element.get("style", ""))

    def _used(self, element: Element) -> Element:
        reference = element.get("href", "")
        target = self._by_id.get(reference.removeprefix("#"))
        if target is None:
            raise BadData(f"{self._where(element)}: there is no element {reference!r}")
        return target

    def _where(self, element: Element) -> str:
        identity = element.get("id")
        return f"{self.name}, <{element.tag}" + (f" id={identity!r}>" if identity else ">")


# --- Paths ---------------------------------------------------------------------------------

_PATH_TOKEN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[MmZzLlHhVvCcSsQqTtAa]|[\s,]+")
_PAIRS = re.compile(r"[MmLlCcSsQqTt]([^A-DF-Za-df-z]*)")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_UNITS = {"": 1.0, "px": 1.0, "pt": 4 / 3, "pc": 16.0, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0}

_T = np.arange(1, CHORDS + 1) / CHORDS
_QUADRATIC = np.stack([(1 - _T) ** 2, 2 * (1 - _T) * _T, _T**2])
_CUBIC = np.stack([(1 - _T) ** 3, 3 * (1 - _T) ** 2 * _T, 3 * (1 - _T) * _T**2, _T**3])


def _strokes(outline: str, where: str) -> Iterator[NDArray[np.complex128]]:
    """What a path draws between two moves without drawing, points x + iy (n,)."""
    rest = _PATH_TOKEN.sub("", outline)
    odd = [pairs for pairs in _PAIRS.findall(outline) if len(_NUMBER.findall(pairs)) % 2]
    if rest or odd:  # svg.path would end the path there without a word
        raise BadData(f"{where}: {_short(rest or odd[0])!r} in its path makes no sense; repair it")
    try:
        path = parse_path(outline)
        for is_move, run in groupby(path, lambda segment: isinstance(segment, Move)):
            if not is_move:
                segments = list(run)
                yield np.concatenate([[segments[0].start], *_chords(segments)])
    except (ValueError, AssertionError, TypeError, IndexError, ArithmeticError) as error:
        raise BadData(f"{where}: its path makes no sense ({error}); repair it") from error


def _chords(segments: list[Any]) -> Iterator[NDArray[np.complex128]]:
    """The points to which the segments lead, one after the other."""
    for kind, run in groupby(segments, type):
        if kind is CubicBezier:
            cubic = np.array([(s.start, s.control1, s.control2, s.end) for s in run], complex)
            yield np.ravel(cubic @ _CUBIC)
        elif kind is QuadraticBezier:
            quadratic = np.array([(s.start, s.control, s.end) for s in run], complex)
            yield np.ravel(quadratic @ _QUADRATIC)
        elif kind is Arc:
            yield np.array([s.point(t) for s in run for t in _T.tolist()])
        else:
            yield np.array([s.end for s in run])


def _outline(shape: Element, where: str) -> str:
    """The path of a basic shape; a rectangle's corners are not rounded."""

    def number(*names: str) -> float:
        """The first of these attributes that is there, or 0."""
        return _length(next((shape.get(n, "") for n in names if shape.get(n)), "0"), where)

    match shape.tag:
        case "path":
            return shape.get("d", "")
        case "line":
            return f"M{number('x1')},{number('y1')}L{number('x2')},{number('y2')}"
        case "polyline" | "polygon":
            points = shape.get("points", "").strip()
            return f"M{points}{'Z' if shape.tag == 'polygon' else ''}" if points else ""
        case "rect":
            width, height = number("width"), number("height")
            return f"M{number('x')},{number('y')}h{width}v{height}h{-width}Z"
        case _:
            rx, ry = number("rx", "r"), number("ry", "r")
            half = f"a{rx},{ry} 0 1 1"
            left = number("cx") - rx
            return f"M{left},{number('cy')}{half} {2 * rx},0{half} {-2 * rx},0Z"


def _length(text: str, where: str) -> float:
    number = _NUMBER.match(text.strip())
    unit = text.strip()[number.end() :] if number else "?"
    if number is None or unit not in _UNITS:
        raise BadData(f"{where}: {_short(text)!r} is not a length; give it in mm or without a unit")
    return float(number[0]) * _UNITS[unit]


# --- Transformations -----------------------------------------------------------------------

_TRANSFORMATION = re.compile(r"[\s,]*([A-Za-z]+)\s*\(([^()]*)\)[\s,]*")


def _matrix(text: str, where: str) -> Array:
    """What a transform attribute does to (x, y, 1), shape (3, 3)."""
    matrix, place = np.eye(3), 0
    while place < len(text):
        step = _TRANSFORMATION.match(text, place)
        if step is None:
            raise BadData(f"{where}: {_short(text)!r} is not a transformation; repair it")
        try:
            numbers = [float(number) for number in re.split(r"[\s,]+", step[2].strip())]
            matrix = matrix @ _step(step[1], numbers)
        except ValueError as error:
            raise BadData(
                f"{where}: {_short(step[0])!r} is not a transformation; repair it"
            ) from error
        place = step.end()
    return matrix


def _step(name: str, numbers: list[float]) -> Array:
    """One transformation; raises ValueError where there is none of this name with so many."""
    a, b, c, d, e, f = 1.0, 0.0, 0.0, 1.0, 0.0, 0.0
    match name, numbers:
        case "matrix", [a, b, c, d, e, f]:
            pass
        case "translate", [e]:
            pass
        case "translate", [e, f]:
            pass
        case "scale", [a]:
            d = a
        case "scale", [a, d]:
            pass
        case "rotate", [angle]:
            cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
            a, b, c, d = cos, sin, -sin, cos
        case "rotate", [angle, x, y]:
            there, back = _step("translate", [x, y]), _step("translate", [-x, -y])
            return there @ _step("rotate", [angle]) @ back
        case "skewX", [angle]:
            c = np.tan(np.radians(angle))
        case "skewY", [angle]:
            b = np.tan(np.radians(angle))
        case _:
            raise ValueError(name)
    return np.array([[a, c, e], [b, d, f], [0.0, 0.0, 1.0]])


def _shift(use: Element, where: str) -> Array:
    x, y = (_length(use.get(name) or "0", where) for name in ("x", "y"))
    return _step("translate", [x, y])


# --- Style sheets --------------------------------------------------------------------------

_Rule = tuple[str, str, str, dict[str, str]]  # tag, "." or "#", class or id, and what it declares
_BLOCK = re.compile(r"([^{}]*)\{([^{}]*)\}")
_SELECTOR = re.compile(r"(\*|[A-Za-z]\w*)?(?:([.#])([\w-]+))?")


def _rules(root: Element, name: str) -> list[_Rule]:
    """The rules on fill, stroke and what is shown, the weakest first."""
    rules: list[_Rule] = []
    for style in root.iter("style"):
        css = re.sub(r"/\*.*?\*/|<!--|-->", "", style.text or "", flags=re.DOTALL)
        if "{" in _BLOCK.sub("", css):
            raise BadData(f"{name}: has a style sheet with nested rules; make them attributes")
        for selectors, body in _BLOCK.findall(css):
            if declared := _declared(body):
                rules += [_rule(one.strip(), declared, name) for one in selectors.split(",")]
    return sorted(rules, key=lambda rule: ["", ".", "#"].index(rule[1]))


def _rule(selector: str, declared: dict[str, str], name: str) -> _Rule:
    found = _SELECTOR.fullmatch(selector)
    if found is None or not selector:
        raise BadData(
            f"{name}: its style sheet speaks of {_short(selector)!r}, which is not understood; "
            "make fill and stroke attributes"
        )
    return found[1] or "", found[2] or "", found[3] or "", declared


def _declared(style: str) -> dict[str, str]:
    """What a style says of fill, stroke, visibility and display."""
    pairs = [declaration.partition(":") for declaration in style.split(";")]
    found = {name.strip(): value.removesuffix("!important").strip() for name, _, value in pairs}
    return {name: value for name, value in found.items() if name in _LOOKS}


def _short(text: str, most: int = 40) -> str:
    return text if len(text) <= most else text[:most] + "…"
