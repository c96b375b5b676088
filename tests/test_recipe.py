"""Recipes: the built-in ones are what they say, and a wrong one is refused in one clear line."""

import pytest

from handwriter.errors import BadData
from handwriter.training.recipe import (
    ASCII,
    GRAVES57,
    InkConfig,
    Recipe,
    built_in_recipes,
    differences,
    load_recipe,
)
from handwriter.training.recogniser import ReaderConfig

PAPERS = [name for name in built_in_recipes() if name.startswith("graves2013")]


def load(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return load_recipe(str(path))


def complaint(tmp_path, text):
    """What is said about a recipe that cannot be used: one line that names the file."""
    with pytest.raises(BadData) as caught:
        load(tmp_path, text)
    message = str(caught.value)
    assert "\n" not in message
    assert "mine.toml" in message
    return message


@pytest.mark.parametrize("name", built_in_recipes())
def test_every_built_in_recipe_loads_and_survives_a_round_trip(name):
    recipe = load_recipe(name)
    assert recipe.name == name
    assert Recipe.from_dict(recipe.to_dict()) == recipe


def test_the_papers_three_networks_are_among_the_built_in_recipes():
    assert set(PAPERS) < set(built_in_recipes())
    assert len(PAPERS) == 3


@pytest.mark.parametrize("name", [n for n in built_in_recipes() if n.endswith("-continued")])
def test_a_recipe_that_continues_has_the_network_of_the_one_before(name):
    before = load_recipe(name.removesuffix("-continued"))
    assert load_recipe(name).network == before.network


@pytest.mark.parametrize("name", ["practised", "research"])
def test_what_begins_from_the_hand_open_has_its_network(name):
    assert load_recipe(name).network == load_recipe("open").network


@pytest.mark.parametrize("name", ["prediction-1", "prediction-3"])
def test_the_papers_networks_by_muon_are_the_published_ones(name):
    published, ours = load_recipe(f"graves2013-{name}"), load_recipe(name)
    assert ours.network == published.network
    assert ours.ink == published.ink


@pytest.mark.parametrize("name", PAPERS)
def test_the_papers_recipes_have_every_departure_off(name):
    recipe = load_recipe(name)
    network, training = recipe.network, recipe.training
    assert network.peepholes
    assert not network.end_token
    assert not network.height
    assert (network.initial_pace, network.forget_bias) == (1.0, 0.0)
    assert network.mixtures == 20
    assert recipe.ink == InkConfig(prepared="graves2013")
    assert (training.window_guide, training.average, training.weight_decay) == (0, 0, 0)
    assert (training.optimizer, training.schedule, training.warmup) == ("rmsprop", "constant", 0)
    assert training.learning_rate == 1e-4
    assert (training.clip_gates, training.clip_outputs, training.clip_norm) == (10, 100, 0)
    assert training.loss_per == "line"
    assert training.validation_lines == 0


def test_the_papers_recipes_have_the_papers_shapes():
    shapes = {name: load_recipe(name).network for name in PAPERS}
    one, three = shapes["graves2013-prediction-1"], shapes["graves2013-prediction-3"]
    synthesis = shapes["graves2013-synthesis"]
    assert (one.layers, one.cells, one.alphabet) == (1, 900, "")
    assert (three.layers, three.cells, three.alphabet) == (3, 400, "")
    assert (synthesis.layers, synthesis.cells, synthesis.windows) == (3, 400, 10)
    assert synthesis.alphabet == GRAVES57


def test_alphabets_have_each_character_once():
    assert len(ASCII) == len(set(ASCII)) == 95
    assert len(GRAVES57) == len(set(GRAVES57)) == 57


def test_what_a_recipe_leaves_out_keeps_its_default(tmp_path):
    recipe = load(tmp_path, "[training]\nepochs = 7\n")
    assert recipe.name == "mine"
    assert recipe.training.epochs == 7
    assert recipe.training.batch_lines == 32
    assert recipe.network.alphabet == ""


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[training]\nepoch = 3", "'epoch'"),
        ("[trainnig]\nepochs = 3", "[trainnig]"),
        ("epochs = 3", "[epochs]"),
        ("training = 3", "[training] must be a table"),
        ("[training]\nepochs = 3.5", "it takes a whole number"),
        ("[training]\nepochs = true", "it takes a whole number"),
        ("[training]\nlearning_rate = true", "it takes a number"),
        ("[training]\nlearning_rate = '0.1'", "it takes a number"),
        ("[training]\nlearning_rate = nan", "learning_rate is nan"),
        ("[training]\nlearning_rate = inf", "learning_rate is inf"),
        ("[training]\nclip_norm = -1.0", "clip_norm is -1.0"),
        ("[training]\nepochs = 0", "above 0"),
        ("[training]\nbatch_lines = 0", "above 0"),
        ("[training]\naverage = 1.0", "below 1"),
        ("[training]\noptimizer = 'sgd'", "adam, muon, rmsprop"),
        ("[network]\npeepholes = 1", "it takes true or false"),
        ("[network]\ncells = 0", "above 0"),
        ("[network]\nlayers = 0", "above 0"),
        ("[network]\ninitial_pace = 0", "above 0"),
        ("[network]\nalphabet = 'latin'", "none, ascii, graves57"),
        ("[network]\nalphabet = ['a']", "none, ascii, graves57"),
        ("[ink]\nslant = nan", "slant is nan"),
        ("[ink]\nprepared = 'mine'", "default, graves2013"),
        ("[training\nepochs = 3", "not valid TOML"),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused_in_one_line(tmp_path, text, named):
    assert named in complaint(tmp_path, text)


def test_a_recipe_that_is_not_there_is_named_with_the_choices(tmp_path):
    for wanted in ("dafault", str(tmp_path)):
        with pytest.raises(BadData, match="graves2013-synthesis") as caught:
            load_recipe(wanted)
        assert wanted in str(caught.value)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "mine.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadData, match=r"mine\.toml"):
        load_recipe(str(tmp_path / "mine.toml"))


def test_a_recipe_with_a_reader_reads_and_one_with_a_network_writes():
    assert load_recipe("reader").kind == "reader"
    assert isinstance(load_recipe("reader").network, ReaderConfig)
    assert load_recipe("quick").kind == "network"


def test_continued_goes_on_with_the_network_of_the_other_hands():
    quick, default = load_recipe("quick"), load_recipe("default")
    assert load_recipe("continued").network == quick.network == default.network


def test_a_recipe_trains_one_thing(tmp_path):
    both = '[network]\nalphabet = "ascii"\n[reader]\nalphabet = "ascii"\n'
    assert "trains one thing" in complaint(tmp_path, both)


def test_the_reader_is_checked_like_the_network(tmp_path):
    assert "[reader] alphabet" in complaint(tmp_path, '[reader]\nalphabet = "greek"\n')
    assert "below 1" in complaint(tmp_path, "[reader]\ndropout = 1.5\n")
    assert "above 0" in complaint(tmp_path, "[reader]\nchannels = 0\n")
    assert "has no setting 'windows'" in complaint(tmp_path, "[reader]\nwindows = 10\n")


def test_differences_name_what_changed_between_two_kinds_too():
    old, new = load_recipe("quick").to_dict(), load_recipe("reader").to_dict()
    told = differences(old, new)
    assert "reader.layers was 3" not in told  # the same as the default
    assert "training.epochs was 5, is 12" in told
    assert differences(new, new) == ""
