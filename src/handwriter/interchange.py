"""Other people's ink: JSON-lines, InkML and SVG files, one `Line` for each line of writing."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

import numpy as np
from numpy.typing import NDArray

from handwriter.drawing import Drawing
from handwriter.errors import BadData
from handwriter.ink import Ink, Line

SUFFIXES = (".jsonl", ".inkml", ".svg")


def read_ink(path: Path, suffix: str = "") -> tuple[Iterable[Line], Counter[str]]:
    """The lines of a file whose suffix is one of `SUFFIXES`, whether or not it has their text.

    Where a suffix is given, it names the format, whatever the file's own is.  The path "-" is
    standard input.  With the lines comes what in the file is no ink, counted.  Raises BadData
    where it cannot be read.
    """
    match (suffix or path.suffix).lower():
        case ".jsonl":
            return read_jsonl(path, needs_text=False), Counter()
        case ".inkml":
            return read_inkml(path, needs_text=False), Counter()
        case ".svg":
            return read_svg(path)
        case suffix:
            given = f"ends in {suffix!r}" if suffix else "has no suffix"
            raise BadData(f"{path} {given}; give a file of ink in {', '.join(SUFFIXES)}")


# --- JSON-lines ----------------------------------------------------------------------------


def read_jsonl(path: Path, *, needs_text: bool = True) -> Iterator[Line]:
    """Lines of ink from a file with one JSON object a line, which is read as it is asked for.

    An object has `text`, `strokes` as [[[x, y], …], …] with y downward and, where they are
    known, `writer` and `split` ("train" or "validation"); other keys are passed over, and so
    are blank lines.  `source` becomes the file's name and the number of the line.  Raises
    BadData at the first line that is something else.  Unless the text is needed, an object
    without one is a line with an empty text.
    """
    try:
        with _opened(path) as file:
            yield from json_lines(file, path, needs_text=needs_text)
    except OSError as error:
        raise _unreadable(path, error) from error


def json_lines(rows: Iterable[bytes], path: Path, *, needs_text: bool = True) -> Iterator[Line]:
    """As `read_jsonl`, from the rows of a file that is open already."""
    for number, row in enumerate(rows, start=1):
        if row.strip():
            where, source = f"{path}, line {number}", f"{path.name}:{number}"
            yield _line_of_json(row, where, source, needs_text)


def _line_of_json(row: bytes, where: str, source: str, needs_text: bool) -> Line:
    entry = _json_object(row, where)
    text = _present(entry, "text", where) if needs_text else entry.get("text", "")
    strokes = _present(entry, "strokes", where)
    split = _string(entry.get("split", ""), "split", where)
    if split not in ("", "train", "validation"):
        raise BadData(
            f'{where}: "split" is {split!r}; make it "train" or "validation", or leave it'
        )
    return Line(
        ink=_ink_of_json(strokes, where),
        text=_string(text, "text", where),
        writer=_string(entry.get("writer", ""), "writer", where),
        split=split,
        source=source,
    )


def _json_object(row: bytes, where: str) -> dict[str, Any]:
    try:
        entry = json.loads(row.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise BadData(
            f"{where}: byte {error.start} is not UTF-8; save the file as UTF-8"
        ) from error
    except RecursionError as error:
        raise BadData(f"{where}: brackets are nested too deep; {_FORM}") from error
    except ValueError as error:
        raise BadData(f"{where}: not valid JSON ({error}); mend it, one object a line") from error
    if not isinstance(entry, dict):
        raise BadData(f"{where}: not a JSON object; {_FORM}")
    return entry


def _ink_of_json(strokes: object, where: str) -> Ink:
    if not isinstance(strokes, list):
        raise BadData(f'{where}: "strokes" is not a list; {_FORM}')
    for number, stroke in enumerate(strokes, start=1):
        if not isinstance(stroke, list) or not all(map(_is_point, stroke)):
            raise BadData(f"{where}: stroke {number} is not a list of [x, y] numbers; {_FORM}")
        if not stroke:
            raise BadData(f"{where}: stroke {number} has no points; leave it out, or give it one")
    return _ink(strokes, where)


def _is_point(point: object) -> bool:
    return (
        isinstance(point, list) and len(point) == 2 and all(type(v) in (int, float) for v in point)
    )


def _present(entry: dict[str, Any], key: str, where: str) -> object:
    if key not in entry:
        raise BadData(f'{where}: no "{key}"; {_FORM}')
    return entry[key]


def _string(value: object, key: str, where: str) -> str:
    if not isinstance(value, str):
        raise BadData(f'{where}: "{key}" is not a string; put it in quotation marks')
    if any(0xD800 <= ord(c) < 0xE000 for c in value):
        raise BadData(f'{where}: "{key}" has half a character (a lone surrogate); repair it')
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


_FORM = 'the form is {"text": "…", "strokes": [[[x, y], …], …]}'

# --- InkML ---------------------------------------------------------------------------------

TRUTHS = {"truth", "transcription", "groundtruth"}
SEGMENTATION = "Segmentation"  # CROHME calls a group of its groups so: it is not a text


def read_inkml(path: Path, *, needs_text: bool = True) -> Iterator[Line]:
    """Lines of ink from a W3C InkML file whose ink is annotated with what it says.

    Each outermost `<traceGroup>` or `<traceView>` with an `<annotation>` of type truth,
    transcription or groundTruth is one line; where there is none, the whole ink is, with the
    annotation of `<ink>` itself.  An annotation of type writer names the writer.  Traces with
    the pen up are no ink.  `source` becomes the file's name and the number of the line.
    Raises BadData where anything is missing or cannot be read.  Unless the text is needed, ink
    without any annotation is one line with an empty text.
    """
    root = _parse_xml(path)
    if root.tag != "ink":
        raise BadData(f"{path}: not InkML, its first element is <{root.tag}>; give an InkML file")
    document = _Document(str(path), root)
    groups = list(_annotated_groups(root)) or [root]
    for number, group in enumerate(groups, start=1):
        text = _truth(group)
        if not text and needs_text:
            raise BadData(
                f"{path}: nothing tells what the ink says; "
                'add <annotation type="truth">the text</annotation>'
            )
        ink = document.ink_of(group)
        writer = _annotation(group, {"writer"}) or _annotation(root, {"writer"})
        yield Line(ink=ink, text=text, writer=writer, source=f"{path.name}:{number}")


def _annotated_groups(element: Element) -> Iterator[Element]:
    """The outermost groups of traces that say what they are, in the order of the file."""
    for child in element:
        if child.tag in ("traceGroup", "traceView"):
            if _truth(child):
                yield child
            else:
                yield from _annotated_groups(child)


def _truth(element: Element) -> str:
    text = _annotation(element, TRUTHS)
    return "" if text == SEGMENTATION else text


def _annotation(element: Element, types: set[str]) -> str:
    """The first annotation of one of these types that is not blank, its white space collapsed."""
    for child in element:
        if child.tag == "annotation" and child.get("type", "").lower() in types:
            text = " ".join((child.text or "").split())
            if text:
                return text
    return ""


class _Document:
    """An InkML file: what its traces are called and how they are to be read."""

    def __init__(self, name: str, root: Element) -> None:
        self.name = name
        self.channels = _channels(root, name)
        self.by_id = {e.get("id"): e for e in root.iter() if e.get("id")}

    def ink_of(self, group: Element) -> Ink:
        """The ink of all traces within a group or referred to there, each once, in their order."""
        found = {id(t): t for element in group.iter() for t in self._traces_at(element)}
        strokes = [
            _points(trace, self.channels, f"{self.name}, trace {trace.get('id', '(no id)')!r}")
            for trace in found.values()
            if trace.get("type", "penDown") == "penDown"
        ]
        if not strokes:
            raise BadData(f"{self.name}: <{group.tag}> has no traces; give it some or take it out")
        return _ink(strokes, self.name)

    def _traces_at(self, element: Element) -> list[Element]:
        """The traces that this one element stands for."""
        if element.tag == "trace":
            return [element]
        reference = element.get("traceDataRef")
        if element.tag != "traceView" or reference is None:
            return []
        target = self.by_id.get(reference.removeprefix("#"))
        if target is None or target.tag not in ("trace", "traceGroup"):
            raise BadData(f"{self.name}: there is no trace {reference!r}; mend the traceDataRef")
        if element.get("from") or element.get("to"):
            raise BadData(f"{self.name}: parts of traces (from, to) are not read; split the trace")
        return list(target.iter("trace"))


@dataclass(frozen=True)
class _Channels:
    """Which values of a point are X and Y, and how many values a point has."""

    x: int = 0
    y: int = 1
    x_sign: int = 1
    y_sign: int = 1
    fewest: int = 2
    most: int = 2


def _channels(root: Element, name: str) -> _Channels:
    """The channels of the file's trace format; X and Y, y downward, where it has none."""
    formats = {_channels_of(element, name) for element in root.iter("traceFormat")}
    if len(formats) > 1:
        raise BadData(f"{name}: has trace formats that differ; make one file for each of them")
    return formats.pop() if formats else _Channels()


def _channels_of(trace_format: Element, name: str) -> _Channels:
    regular = [e for e in trace_format if e.tag == "channel"]
    names = [e.get("name") for e in regular]
    if "X" not in names or "Y" not in names:
        raise BadData(
            f"{name}: its traceFormat has no channels X and Y; name the pen's position so"
        )
    x, y = names.index("X"), names.index("Y")
    x_sign, y_sign = (-1 if regular[i].get("orientation") == "-ve" else 1 for i in (x, y))
    most = len(list(trace_format.iter("channel")))
    return _Channels(x, y, x_sign, y_sign, len(regular), most)


_VALUE = re.compile(
    r"""\s*(?P<mark>[!'"]?)\s*
    (?:(?P<number>[+-]?\s*(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<sign>[*?TF])|\#[0-9A-Fa-f]+)\s*""",
    re.VERBOSE | re.ASCII,
)


def _points(trace: Element, channels: _Channels, where: str) -> NDArray[np.float64]:
    """The points of one trace, shape (points, 2)."""
    if trace.get("continuation"):
        raise BadData(f"{where}: continued traces are not read; join them into one")
    rows = [_values(point, channels, where) for point in _split_points(trace, where)]
    x = _decoded([row[channels.x] for row in rows], where)
    y = _decoded([row[channels.y] for row in rows], where)
    return np.array([x, y]).T * (channels.x_sign, channels.y_sign)


def _split_points(trace: Element, where: str) -> list[str]:
    points = (trace.text or "").strip().removesuffix(",").split(",")
    if points == [""]:
        raise BadData(f"{where}: has no points; take it out, or give it one")
    return points


def _values(point: str, channels: _Channels, where: str) -> list[re.Match[str]]:
    """The values of one point, as many as the trace format says."""
    values, position = [], 0
    while position < len(point):
        value = _VALUE.match(point, position)
        if value is None:
            raise BadData(f"{where}: {_short(point)!r} is not a point; write numbers as 'x y, x y'")
        values.append(value)
        position = value.end()
    if not channels.fewest <= len(values) <= channels.most:
        raise BadData(
            f"{where}: point {_short(point)!r} has {len(values)} values where the trace format "
            f"has {channels.fewest}; mend one of them"
        )
    return values


def _decoded(values: list[re.Match[str]], where: str) -> list[float]:
    """One channel's values: `!` (or nothing yet) marks a value as it is, `'` the difference
    from the value before it, `"` the difference from the difference before it.  A mark holds
    until the next one; `*` repeats what went before.
    """
    decoded: list[float] = []
    order, number, position, velocity = "!", 0.0, 0.0, 0.0
    for value in values:
        order = value["mark"] or order
        if value["number"]:
            number = float("".join(value["number"].split()))
        elif value["sign"] != "*" or not decoded:
            raise BadData(f"{where}: {value[0].strip()!r} is not a position; write a number there")
        before = position
        match order:
            case "!":
                position, velocity = number, number - before
            case "'":
                position, velocity = before + number, number
            case '"':
                position, velocity = before + velocity + number, velocity + number
        decoded.append(position)
    return decoded


# --- SVG -----------------------------------------------------------------------------------


def read_svg(path: Path) -> tuple[list[Line], Counter[str]]:
    """Lines of ink from an SVG of single strokes, and what in it is none, counted by kind.

    Each outermost `<g class="line">` is one line, as `handwriter write` makes them of several;
    where there is none, everything together is.  What an SVG says is not told by it, so the
    texts are empty.  Raises BadData where it has no strokes, or cannot be read.
    """
    root = _parse_xml(path, doctype=True)
    if root.tag != "svg":
        raise BadData(f"{path}: not SVG, its first element is <{root.tag}>; give an SVG file")
    drawing = Drawing(root, str(path))
    if not any(drawing.lines):
        found = ", ".join(f"{what}: {n}" for what, n in drawing.left_out.items()) or "nothing"
        raise BadData(
            f"{path}: has no pen strokes, but {found}; give an SVG of lines with a stroke and "
            "fill='none'"
        )
    lines = [
        Line(_ink(strokes, str(path)), "", source=f"{path.name}:{number}")
        for number, strokes in enumerate(drawing.lines, start=1)
    ]
    return lines, drawing.left_out


# --- XML without entities ------------------------------------------------------------------

DEEPEST_XML = 100


def _parse_xml(path: Path, *, doctype: bool = False) -> Element:
    """The root of an XML file, namespaces left out; raises BadData where it is not safe."""
    try:
        with _opened(path) as file:
            return _SafeTree(str(path), doctype=doctype).parsed(file)
    except OSError as error:
        raise _unreadable(path, error) from error
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise BadData(f"{path}: not well-formed XML ({error}); repair or replace it") from error


class _SafeTree:
    """Builds a tree of elements from XML, and refuses a DOCTYPE and bottomless nesting.

    Entities can only be declared in a DOCTYPE: without it there is nothing to expand and
    nothing outside the file to fetch.  Older SVGs name their standard in one; with `doctype`
    that is let pass, since nothing is fetched from there, and only one with declarations is not.
    """

    def __init__(self, name: str, *, doctype: bool) -> None:
        self.name, self.doctype = name, doctype
        self.depth = 0
        self.builder = TreeBuilder()

    def parsed(self, file: BinaryIO) -> Element:
        parser = expat.ParserCreate(namespace_separator="}")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self.builder.data
        parser.ParseFile(file)
        return self.builder.close()

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > DEEPEST_XML:
            raise BadData(f"{self.name}: elements are nested too deep; give a plainer file")
        self.builder.start(_local(tag), {_local(key): v for key, v in attributes.items()})

    def _end(self, tag: str) -> None:
        self.depth -= 1
        self.builder.end(_local(tag))

    def _refuse_doctype(self, *doctype: object) -> None:
        *_, has_declarations = doctype
        if has_declarations or not self.doctype:
            raise BadData(
                f"{self.name}: has a DOCTYPE, which may hide entities; take it out of the file"
            )


def _local(name: str) -> str:
    return name.rpartition("}")[2]


# --- both ----------------------------------------------------------------------------------


def _ink(strokes: list[Any], where: str) -> Ink:
    try:
        return Ink.from_strokes(strokes)
    except (ValueError, OverflowError) as error:
        raise BadData(f"{where}: {error}; give every coordinate as a finite number") from error


def _opened(path: Path) -> AbstractContextManager[BinaryIO]:
    """The file, to be read and closed; standard input stays open."""
    return path.open("rb") if str(path) != "-" else nullcontext(sys.stdin.buffer)


def _unreadable(path: Path, error: OSError) -> BadData:
    return BadData(f"{path}: cannot be read ({error.strerror}); check the name and permissions")


def _short(text: str, most: int = 40) -> str:
    return text if len(text) <= most else text[:most] + "…"
