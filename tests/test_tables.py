"""scripts/tables.py: the tables of docs/results.md are what `handwriter evaluate` printed."""

import json
from types import ModuleType
from typing import Any

import pytest
import scripts

from handwriter.characters import CharacterScore
from handwriter.evaluation import Legibility
from handwriter.likeness import Difference, Told


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return scripts.loaded("tables")


def legibility(smoothness: float | None, how: str, cer: float, **other: Any) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "lines": 500, "character_error_rate": cer, "word_error_rate": 2 * cer, "worst_line": 0.5,
        "broken": 0.016, "unfinished": 0.0, "candidates": 1.0, "seconds": 0.02,
        "slant": (5.0, 1.0), "size": (0.8, 0.1), "spacing": (2.2, 0.3),
        "missed": {"lower case": 0.02, "signs": 0.08},
    }  # fmt: skip
    row = Legibility(**figures | other).row()
    to_people = None if how == "people" else cer / 0.1
    return json.loads(
        json.dumps({"smoothness": smoothness, "how": how, **row, "to_people": to_people})
    )


def test_legibility_is_a_row_each_and_beside_what_is_asked(script: ModuleType) -> None:
    rows = [
        legibility(None, "people", 0.1),
        legibility(0.0, "raw", 0.2),
        legibility(1.5, "raw", 0.05),
        legibility(1.5, "checked", 0.002, worst_line=0.105, seconds=0.19),
    ]
    text = script.tables(rows)
    assert text[2].startswith("|  | people | 500 | 10.0 |  | 20.0 | 50.0 | 1.6 | 0.0 | 1.0 | 0.020")
    assert "| 1.5 | checked | 500 | 0.2 | 0.02 |" in text[5]
    assert "| 2.0 |  |  | 8.0 | 5.00 ± 1.00 |" in text[2]
    asked = dict(row.strip("| ").split(" | ") for row in text[9:])
    assert asked["raw at 0: CER at most 1.5 times people's"] == "2.00 times (20.0 %)"
    assert asked["broken at 1.5: at most 0.5 %"] == "1.6 %"
    assert (
        asked["no kind of character worse than 3 times the lower case, raw at 1.5"] == "4.0 times"
    )
    assert asked["checked: no line over 20 %"] == "10.5 %"
    assert asked["checked: at most the time of 10 raw lines"] == "9.5"


def test_what_was_not_measured_is_not_told(script: ModuleType) -> None:
    text = "\n".join(script.tables([legibility(2.0, "raw", 0.2)]))
    assert "asked" not in text
    assert script.tables([]) == []


def test_characters_that_are_not_read_often_enough_are_named(script: ModuleType) -> None:
    rows = [
        CharacterScore("a", 20, 20).row(),
        CharacterScore("|", 13, 20, {"l": 6, "": 1}).row(),
    ]
    text = script.tables(rows)
    assert text[0] == "1 of 2 characters are read often enough."
    assert text[-1] == r"| `` \| `` | 13 | 20 | `` l `` 6, `` nothing `` 1 |"


def test_traits_stand_beside_peoples(script: ModuleType) -> None:
    def rows(how: str, smoothness: float | None, d: float) -> dict[str, Any]:
        found = Difference("stroke_length", (9.0, 8.0), (7.0, 5.0), d, 0.18)
        return {"how": how, "smoothness": smoothness, **found.row()}

    shares = {"how": "people", "smoothness": None, "print": 0.62, "cursive": 0.34, "mixed": 0.04}
    text = script.tables(
        [rows("people, half against half", None, -0.5), rows("raw", 1.0, -0.3),
         rows("raw", 0.0, -0.4), shares]
    )  # fmt: skip
    assert text[2] == (
        "| stroke length | 9.00 ± 8.00 | 7.00 ± 5.00 | -0.40 | 0.18 | -0.30 | -0.50 |"
    )
    assert text[-1] == "| people | 62 | 34 | 4 |"


def test_classifiers_are_told_with_their_standard_errors(script: ModuleType) -> None:
    told = Told("network", 0.495, 0.025, 0.5, 0.49, 366, 16).row()
    assert script.tables([{"smoothness": 0.0, **told}])[-1] == "| network | 49.5 | 2.5 | 366 | 16 |"
