"""Profiles: the TOML tables that say how a plotter wants its G-code.

The keys are those of vpype-gcode, with the same meaning, so that a profile serves both; `OURS`
are the few that vpype-gcode does not know and passes over.
"""

from __future__ import annotations

import dataclasses
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any

from handwriter.errors import BadData, BadOption
from handwriter.output.plotter import Pace

DEFAULT_PROFILE = "grbl-z"
OURS = ("bed", "comment", "dot", "page_join")
MM_PER_UNIT = {
    "mm": 1.0,
    "cm": 10.0,
    "m": 1000.0,
    "in": 25.4,
    "inch": 25.4,
    "ft": 304.8,
    "px": 25.4 / 96,
    "pt": 25.4 / 72,
    "pc": 25.4 / 6,
}
_SUFFIX = ".toml"


@dataclass(frozen=True)
class Profile:
    """Texts to be filled in for each part of a document, and where its points come to lie.

    A point in `unit` is scaled, then shifted by the offsets, then mirrored: `invert_x` and
    `invert_y` within the ink of its page, the flips within the paper.  A text that is None gives
    nothing; `segment_first`, `segment_last` and `dot` (a stroke of one point) then are as
    `segment` and `segment_first`.  `default_values` fill in what is no variable of its own.

    `bed` is what the pen reaches: x and y from, x and y to, in `unit`; the paper where it is
    empty.  `comment` holds what is told of the document, `page_join` comes between two pages.
    """

    name: str
    unit: str = "mm"
    scale_x: float = 1.0
    scale_y: float = 1.0
    offset_x: float = 0.0
    offset_y: float = 0.0
    invert_x: bool = False
    invert_y: bool = False
    horizontal_flip: bool = False
    vertical_flip: bool = False
    document_start: str | None = None
    document_end: str | None = None
    layer_start: str | None = None
    layer_end: str | None = None
    layer_join: str | None = None
    line_start: str | None = None
    line_end: str | None = None
    line_join: str | None = None
    segment_first: str | None = None
    segment: str | None = None
    segment_last: str | None = None
    default_values: Mapping[str, Any] = field(default_factory=dict)
    info: str | None = None
    bed: tuple[float, ...] = ()
    comment: str | None = None
    dot: str | None = None
    page_join: str | None = None

    @property
    def mm_per_unit(self) -> float:
        return MM_PER_UNIT[self.unit]

    @property
    def pace(self) -> Pace:
        """How fast its pen is, by `pen_speed` and `travel_speed` (units a minute), `acceleration`
        (units/s²) and `lift_seconds` among its default values."""
        usual = Pace()
        return Pace(
            draw=self._told("pen_speed", usual.draw, self.mm_per_unit / 60),
            travel=self._told("travel_speed", usual.travel, self.mm_per_unit / 60),
            acceleration=self._told("acceleration", usual.acceleration, self.mm_per_unit),
            lift=self._told("lift_seconds", usual.lift, 1.0),
        )

    def with_values(self, **values: float) -> Profile:
        """The same profile with other default values."""
        return replace(self, default_values={**self.default_values, **values})

    def _told(self, name: str, usual: float, factor: float) -> float:
        value = self.default_values.get(name)
        return usual if value is None else float(value) * factor


def installed_profiles() -> list[str]:
    """The names of the profiles in the package."""
    folder = resources.files("handwriter.output") / "profiles"
    return sorted(entry.name.removesuffix(_SUFFIX) for entry in folder.iterdir())


def load_profile(name_or_path: str = DEFAULT_PROFILE) -> Profile:
    """The profile of that name in the package, or the one in a file, told as FILE or FILE:NAME.

    Such a file holds tables [gwrite.NAME], as vpype's own configuration does; other tables are
    vpype's.  Raises BadOption where there is no such profile, and BadData, naming file and key,
    where it makes no sense.
    """
    if name_or_path in installed_profiles():
        source = resources.files("handwriter.output") / "profiles" / f"{name_or_path}{_SUFFIX}"
        return _chosen(source.read_text(encoding="utf-8"), name_or_path, name_or_path)
    path, colon, name = name_or_path.rpartition(f"{_SUFFIX}:")
    path = f"{path}{_SUFFIX}" if colon else name_or_path
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise BadOption(
            f"there is no profile {name_or_path!r} ({error}); give one of "
            f"{', '.join(installed_profiles())} or the path of a TOML file"
        ) from None
    return _chosen(text, path, name if colon else "")


def _chosen(text: str, path: str, name: str) -> Profile:
    try:
        found = tomllib.loads(text).get("gwrite")
    except tomllib.TOMLDecodeError as error:
        raise BadData(f"profile {path}: not valid TOML: {error}") from None
    tables = {key: table for key, table in _items(found) if isinstance(table, dict)}
    if not tables:
        raise BadData(f"profile {path}: there is no table [gwrite.NAME]; give it one")
    usual = dict(_items(found)).get("default_profile") if len(tables) > 1 else next(iter(tables))
    name = name or str(usual)
    if name not in tables:
        raise BadOption(
            f"profile {path}: choose one of {', '.join(tables)}, as {path}:{next(iter(tables))}"
        )
    try:
        return _profile(name, tables[name])
    except BadData as error:
        raise BadData(f"profile {path}: [gwrite.{name}] {error}") from None


def _items(table: object) -> list[tuple[str, Any]]:
    return list(table.items()) if isinstance(table, dict) else []


def _profile(name: str, table: dict[str, Any]) -> Profile:
    fields = {f.name: str(f.type) for f in dataclasses.fields(Profile) if f.name != "name"}
    for key, value in table.items():
        if key not in fields:
            raise BadData(f"has no key {key!r}; it has {', '.join(fields)}")
        if not _suits(value, fields[key]):
            raise BadData(f"{key} is {value!r}; it takes {_TAKES[fields[key]]}")
    if not table.keys() & {"segment", "segment_first", "segment_last"}:
        raise BadData("has no segment, and so nothing of the ink; give it one")
    unit = table.get("unit", "mm")
    if unit not in MM_PER_UNIT:
        raise BadData(f"unit is {unit!r}; choose one of {', '.join(MM_PER_UNIT)}")
    for key in ("pen_speed", "travel_speed", "acceleration", "lift_seconds"):
        value = table.get("default_values", {}).get(key, 1)
        if not _is_number(value) or value < 0 or (value == 0 and key != "lift_seconds"):
            raise BadData(f"default_values {key} is {value!r}; it takes a number above 0")
    return Profile(name, **{**table, "bed": tuple(table.get("bed", ()))})


_TAKES = {
    "str": "a text",
    "str | None": "a text",
    "float": "a number",
    "bool": "true or false",
    "Mapping[str, Any]": "a table of values",
    "tuple[float, ...]": "[x from, y from, x to, y to]",
}


def _suits(value: object, kind: str) -> bool:
    match kind:
        case "float":
            return _is_number(value)
        case "bool":
            return isinstance(value, bool)
        case "Mapping[str, Any]":
            return isinstance(value, dict)
        case "tuple[float, ...]":
            return _is_box(value)
        case _:
            return isinstance(value, str)


def _is_box(value: object) -> bool:
    if not isinstance(value, list) or len(value) != 4 or not all(map(_is_number, value)):
        return False
    return bool(value[0] < value[2] and value[1] < value[3])


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
