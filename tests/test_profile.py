"""Profiles: the package's own, the user's, and what is wrong with a table."""

import pytest

from handwriter.errors import BadData, BadOption
from handwriter.output.profile import installed_profiles, load_profile

OWN = """
[gwrite.desk]
unit = "in"
segment = "G1 X{x:.4f} Y{y:.4f}\\n"
default_values = { pen_speed = 60 }
"""


@pytest.fixture
def file(tmp_path):
    def written(text: str) -> str:
        path = tmp_path / "own.toml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return written


@pytest.mark.parametrize("name", installed_profiles())
def test_profiles_in_the_package_have_a_bed_and_a_pace(name):
    profile = load_profile(name)
    assert profile.name == name
    assert profile.bed
    assert profile.vertical_flip, "y grows up"
    assert profile.pace.draw == pytest.approx(25)


def test_a_profile_of_ones_own_is_read_from_a_file(file):
    profile = load_profile(file(OWN))
    assert (profile.name, profile.unit, profile.bed) == ("desk", "in", ())
    assert profile.pace.draw == pytest.approx(25.4)  # 60 inches a minute


def test_one_of_several_is_chosen_by_its_name_or_by_default(file):
    path = file(OWN + '[gwrite.table]\nsegment = ""\n')
    assert load_profile(f"{path}:table").name == "table"
    with pytest.raises(BadOption, match="choose one of desk, table"):
        load_profile(path)
    path = file('[gwrite]\ndefault_profile = "table"\n' + OWN + '[gwrite.table]\nsegment = ""\n')
    assert load_profile(path).name == "table"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("x = ", "not valid TOML"),
        ("unit = 'mm'", r"there is no table \[gwrite.NAME\]"),
        ("gwrite = 3", r"there is no table \[gwrite.NAME\]"),
        ("[gwrite.a]\nsegmemt = ''", r"\[gwrite.a\] has no key 'segmemt'; it has unit, "),
        ("[gwrite.a]\nname = 'b'", "has no key 'name'"),
        ("[gwrite.a]\nsegment = 3", "segment is 3; it takes a text"),
        ("[gwrite.a]\ninvert_y = 'yes'", "invert_y is 'yes'; it takes true or false"),
        ("[gwrite.a]\nscale_x = nan", "scale_x is nan; it takes a number"),
        ("[gwrite.a]\nline_end = ''", "has no segment, and so nothing of the ink"),
        ("[gwrite.a]\nsegment = ''\nunit = 'ell'", "unit is 'ell'; choose one of mm, "),
        ("[gwrite.a]\nbed = [0, 0, 0, 9]", "it takes .x from, y from, x to, y to"),
        ("[gwrite.a]\nbed = 3", "it takes .x from, y from, x to, y to"),
        ("[gwrite.a]\ndefault_values = 3", "it takes a table of values"),
        (
            "[gwrite.a]\nsegment = ''\ndefault_values.pen_speed = 0",
            "pen_speed is 0; it takes",
        ),
        (
            "[gwrite.a]\nsegment = ''\ndefault_values.pen_speed = 'fast'",
            "it takes a number above 0",
        ),
    ],
)
def test_what_is_wrong_with_a_table_is_told(file, text, fault):
    with pytest.raises(BadData, match=fault) as told:
        load_profile(file(text))
    assert "own.toml" in str(told.value)


@pytest.mark.parametrize("name", ["axidraw", "nowhere/own.toml", "nowhere/own.toml:desk", "a\0b"])
def test_a_profile_that_is_not_there_is_told_with_those_that_are(name):
    with pytest.raises(BadOption, match="give one of grbl-laser, grbl-z, marlin-servo or the path"):
        load_profile(name)
