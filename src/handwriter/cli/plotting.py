"""What `write` and its like need to know of a plotter: its profile, and how fast its pen is."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, Annotated

import typer

from handwriter.errors import BadOption

if TYPE_CHECKING:
    from collections.abc import Callable

    from handwriter.output.plotter import Pace
    from handwriter.output.profile import Profile
    from handwriter.page import Document

ProfileName = Annotated[
    str | None,
    typer.Option(
        "--profile", help="Of a plotter, for .gcode: a name, or a TOML file (docs/plotters.md)."
    ),
]
PenSpeed = Annotated[
    float | None, typer.Option("--pen-speed", help="Of a plotter that draws, in mm a minute.")
]
Bed = Annotated[
    str | None, typer.Option("--bed", help="What a plotter reaches, in mm, as 300x200.")
]

SUITS = {
    "profile": (".gcode",),
    "bed": (".gcode",),
    "pen_speed": (".gcode", ".hpgl", ".plt"),
}


@dataclass(frozen=True)
class Plotter:
    """How a document becomes a plotter's file, and how fast that plotter is."""

    form: Callable[[Document], bytes]
    pace: Pace


def plotter_for(
    context: typer.Context,
    suffix: str,
    profile: str | None,
    pen_speed: float | None,
    bed: str | None,
) -> Plotter | None:
    """The plotter that a file with this suffix is for; None where its format is not a plotter's.

    Raises BadOption for options on the command line that do not suit the format, and BadData for
    a bad profile.  Defaults of a configuration file wait for a format that they suit.
    """
    from handwriter.output.hpgl import hpgl
    from handwriter.output.plotter import Pace

    _check_that_options_suit(context, suffix)
    if pen_speed is not None and not (isfinite(pen_speed) and 0 < pen_speed <= 1e6):
        raise BadOption(f"--pen-speed is {pen_speed:g}; it takes mm a minute, above 0")
    if suffix not in SUITS["pen_speed"]:
        return None
    if suffix in SUITS["profile"]:
        return _by_profile(profile, pen_speed, bed)
    speed = None if pen_speed is None else pen_speed / 60
    return Plotter(partial(hpgl, pen_speed_mm_s=speed), Pace() if speed is None else Pace(speed))


def _check_that_options_suit(context: typer.Context, suffix: str) -> None:
    for name, suffixes in SUITS.items():
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE" and suffix not in suffixes:
            raise BadOption(
                f"--{name.replace('_', '-')} is for {', '.join(suffixes)}, and this is {suffix}; "
                "leave it out, or choose another format"
            )


def _by_profile(name: str | None, pen_speed: float | None, bed: str | None) -> Plotter:
    from handwriter.output.gcode import gcode
    from handwriter.output.profile import DEFAULT_PROFILE, load_profile

    profile = load_profile(name or DEFAULT_PROFILE)
    if pen_speed is not None:
        profile = profile.with_values(pen_speed=pen_speed / profile.mm_per_unit)
    if bed is not None:
        profile = _with_bed(profile, bed)
    return Plotter(partial(gcode, profile=profile), profile.pace)


def _with_bed(profile: Profile, bed: str) -> Profile:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)x(\d+(?:\.\d+)?)(?:mm)?", bed)
    width, height = (float(value) for value in found.groups()) if found else (0.0, 0.0)
    if not (width and height):
        raise BadOption(f"--bed is {bed!r}; it takes width and height in mm, as 300x200")
    unit = profile.mm_per_unit
    return replace(profile, bed=(0.0, 0.0, width / unit, height / unit))
