"""A strict little plotter that runs G-code: it refuses whatever it does not know for certain.

`gcodeparser` takes the program apart; the modal rules of RS-274 are followed here, as far as
GRBL and Marlin go by them too.
"""

import re
from dataclasses import dataclass, field

import numpy as np
from gcodeparser import parse_gcode_lines

COMMAND = re.compile(r"[GM]\d+( [XYZFSP]-?\d+(\.\d+)?)*( Change the \w+)?")
Point = tuple[float, float]


@dataclass
class Machine:
    """A pen at the origin, whose unit, kind of distance and height are not told yet.

    `pen` is how it is moved: "z", "laser" (which marks where it moves by G1, or waits after one
    under M3) or "servo".  Afterwards `strokes` are what was drawn, points (n, 2).
    """

    pen: str
    down_at: float = 0.0
    strokes: list[np.ndarray] = field(default_factory=list)
    travels: list[tuple[Point, Point]] = field(default_factory=list)
    feeds: set[float] = field(default_factory=set)
    n_pauses: int = 0
    here: Point = (0.0, 0.0)
    modes: set[str] = field(default_factory=set)
    motion: str = ""
    feed: float = 0.0
    laser: str = ""
    is_down: bool | None = None
    is_settled: bool = True
    stroke: list[Point] = field(default_factory=list)

    def run(self, program: bytes) -> "Machine":
        text = program.decode("ascii")
        assert not set("!?~") & set(text), "GRBL obeys these wherever they stand"
        code = [line for line in text.splitlines() if not line.startswith(";")]
        for line in code:
            assert COMMAND.fullmatch(line), f"not plain G-code: {line!r}"
        commands = list(parse_gcode_lines(text))
        assert len(commands) == len(code), "one command a line"
        for command in commands:
            assert "M2" not in self.modes, "something after the end"
            self.obey(command.command_str, command.params)
        assert self.is_down is False, "the pen stays on the paper"
        return self

    def obey(self, command: str, words: dict) -> None:
        match command:
            case "G0" | "G1":
                self.move(command, words)
            case "G17" | "G21" | "G90" | "G94" | "M2":
                self.modes.add(command)
            case "G4":
                if (self.laser, self.motion, self.stroke) == ("M3", "G1", []):
                    self.stroke = [self.here]
            case "M3" | "M4" | "M5" if self.pen == "laser":
                self.laser = command
                self.set_pen(command != "M5")
            case "M280" if self.pen == "servo":
                assert self.is_settled, "the servo turns while the last move is still under way"
                self.set_pen(words["S"] == self.down_at)
            case "M400":
                self.is_settled = True
            case "M0":
                assert not self.is_down, "a pause with the pen on the paper"
                self.n_pauses += 1
            case _:
                raise AssertionError(f"unknown command {command}")

    def move(self, command: str, words: dict) -> None:
        assert {"G21", "G90"} <= self.modes, "moved before the unit and the distances were told"
        axes = words.keys() & set("XYZ")
        assert axes in ({"Z"}, {"X", "Y"}), f"the pen is dragged: {words}"
        self.motion, self.is_settled = command, False
        self.feed = words.get("F", self.feed)
        assert command == "G0" or self.feed > 0, "no feed rate"
        if axes == {"Z"}:
            assert self.pen == "z"
            self.set_pen(words["Z"] <= self.down_at)
        else:
            self.go((float(words["X"]), float(words["Y"])))

    def go(self, end: Point) -> None:
        if self.motion == "G0":
            assert self.is_down is False, "travelled with the pen down"
            self.travels.append((self.here, end))
        else:
            assert self.is_down, "drew with the pen up"
            self.draw(end)
        self.here = end

    def draw(self, end: Point) -> None:
        self.feeds.add(self.feed)
        if self.pen == "laser" and end == self.here:
            return
        assert end != self.here, "a move of no length"
        self.stroke = [*(self.stroke or [self.here]), end]

    def set_pen(self, is_down: bool) -> None:
        assert is_down != self.is_down, "the pen is there already"
        if self.is_down:
            assert self.stroke, "the pen was down and left no mark"
            self.strokes.append(np.array(self.stroke))
        self.is_down = is_down
        self.stroke = [self.here] if is_down and self.pen != "laser" else []
