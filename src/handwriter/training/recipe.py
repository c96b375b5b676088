"""Recipes: the TOML files that say how a network is built and trained.

A recipe has up to four tables: `[network]` for one that writes or `[reader]` for one that reads,
`[ink]`, `[sampling]` and `[training]`.  Each key is a field of the class of that name, and a key
that is left out keeps the default given there.
"""

from __future__ import annotations

import dataclasses
import tomllib
import typing
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from handwriter.errors import BadData
from handwriter.training.network import NetworkConfig
from handwriter.training.recogniser import ReaderConfig

ASCII = "".join(map(chr, range(32, 127)))
NON_LETTER = "\N{REPLACEMENT CHARACTER}"
# Section 5 of the paper: 57 characters, "with all the digits and most of the punctuation
# characters replaced with a generic 'non-letter' label".  Which three signs stayed is not told;
# these are the three most frequent ones of IAM-OnDB.
GRAVES57 = ' ".,' + "".join(c for c in ASCII if c.isalpha()) + NON_LETTER
ALPHABETS = {"none": "", "ascii": ASCII, "graves57": GRAVES57}


@dataclass(frozen=True)
class InkConfig:
    """What happens to a line on its way into a batch; all zero leaves it as prepared.

    Each line is drawn with its own slant (shear, standard deviation `slant`), size (log of the
    scale, `size`, the same both ways) and width (log of the extra scale of x, `width`).
    `pen_noise` is the deviation of noise on the offsets that the network *sees*, in normalised
    units; what it has to predict stays true, so it learns to forgive its own errors.  `stumbles`
    is how many times a line, in the mean, it sees a stretch of its ink far too small, as where it
    lost its way: it learns to find back to its size.  `jolts` is how many times a line, in the
    mean, something throws the pen off its way: it learns to find back to it.  Readers are shown
    neither.
    """

    prepared: str = "default"
    slant: float = 0.0
    size: float = 0.0
    width: float = 0.0
    pen_noise: float = 0.0
    stumbles: float = 0.0
    jolts: float = 0.0


@dataclass(frozen=True)
class SamplingConfig:
    """Which lines an epoch is made of; as it stands, every line once.

    `lines` is how many lines an epoch has (0: as many as there are).  `sources` weighs them by
    the beginning of their source's name, for instance `{"unipen/set" = 0.5}`; 1 for the rest.
    `character` is how often every character shall come in an epoch: lines with rare ones are
    drawn several times, each time with other noise.  `characters` asks for more of some of them,
    for instance `{"`" = 1800}`, and is refused where an epoch cannot hold them.
    """

    lines: int = 0
    character: int = 0
    characters: dict[str, float] = field(default_factory=dict)
    sources: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.characters:
            if len(name) != 1:
                raise BadData(f"[sampling] characters has {name!r}, which is not one character")


@dataclass(frozen=True)
class TrainingConfig:
    """The optimisation.

    `optimizer` is "adam" (decoupled `weight_decay`), "muon" (the same, but for wide matrices:
    `training.optimizer`) or "rmsprop", the form of eqs. 38-45.
    `schedule` is "cosine", which falls to zero over `epochs`, or "constant"; both begin with
    `warmup` updates.  `clip_norm` bounds the norm of the whole gradient; `clip_gates` and
    `clip_outputs` bound derivatives inside the network, as the paper does; 0 turns each off.
    `loss_per` is "point" (for a reader: character) or "line": what the summed nats of a batch are
    divided by.
    `average` is the decay of the running average of the weights that is validated and exported.
    `window_guide` is the weight, falling to zero by half of the training, of the squared excess
    of the window's place over 3 characters from the line's own linear pace.
    `validation_lines` are judged after each epoch (0: all); without a better figure for
    `patience` epochs the run stops (0: never).
    """

    epochs: int = 20
    batch_lines: int = 32
    optimizer: str = "adam"
    learning_rate: float = 1.5e-3
    warmup: int = 100
    schedule: str = "cosine"
    weight_decay: float = 0.0
    clip_norm: float = 1.0
    clip_gates: float = 0.0
    clip_outputs: float = 0.0
    loss_per: str = "point"
    average: float = 0.0
    window_guide: float = 0.0
    validation_lines: int = 0
    patience: int = 0
    seed: int = 1


@dataclass(frozen=True)
class Recipe:
    """What to build, from which ink, and how to train it."""

    name: str
    network: NetworkConfig | ReaderConfig
    ink: InkConfig
    training: TrainingConfig
    sampling: SamplingConfig = SamplingConfig()

    def to_dict(self) -> dict[str, Any]:
        tables = dataclasses.asdict(self)
        network = tables.pop("network")
        return {"name": tables.pop("name"), self.kind: network, **tables}

    @property
    def kind(self) -> str:
        """The name of the network's table: "network" writes, "reader" reads."""
        return next(name for name, kind in _KINDS.items() if isinstance(self.network, kind))

    @classmethod
    def from_dict(cls, table: dict[str, Any]) -> Recipe:
        """The inverse of `to_dict`; raises BadData for what is not a recipe."""
        if unknown := sorted(table.keys() - {"name", *_KINDS, *_TABLES}):
            raise BadData(
                f"there is no table [{unknown[0]}]; use [network] or [reader], "
                + ", ".join(f"[{name}]" for name in _TABLES)
            )
        if table.keys() >= _KINDS.keys():
            raise BadData("a recipe trains one thing; take out [network] or [reader]")
        kind = "reader" if "reader" in table else "network"
        return cls(
            name=str(table.get("name", "")),
            network=_section(_KINDS[kind], table, kind),
            **{name: _section(config, table, name) for name, config in _TABLES.items()},
        )


_KINDS: dict[str, type[NetworkConfig | ReaderConfig]] = {
    "network": NetworkConfig,
    "reader": ReaderConfig,
}
_TABLES: dict[str, type[InkConfig | SamplingConfig | TrainingConfig]] = {
    "ink": InkConfig,
    "sampling": SamplingConfig,
    "training": TrainingConfig,
}
_CHOICES = {
    "optimizer": ("adam", "muon", "rmsprop"),
    "schedule": ("cosine", "constant"),
    "loss_per": ("point", "line"),
    "prepared": ("default", "graves2013"),
}
_TAKES = {int: "a whole number", float: "a number", bool: "true or false", str: "a string"}
_ABOVE_ZERO = (
    "layers", "cells", "channels", "mixtures", "windows", "initial_pace",
    "epochs", "batch_lines", "learning_rate",
)  # fmt: skip
_BELOW_ONE = ("average", "dropout")


def built_in_recipes() -> list[str]:
    """The names of the recipes that come with the package."""
    folder = resources.files("handwriter.training") / "recipes"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir())


def load_recipe(name_or_path: str) -> Recipe:
    """The recipe of that name in the package, or the one in that file.

    Raises BadData, naming file and key, where it does not exist or makes no sense.
    """
    if name_or_path in built_in_recipes():
        source = resources.files("handwriter.training") / "recipes" / f"{name_or_path}.toml"
        text = source.read_text(encoding="utf-8")
    else:
        try:
            text = Path(name_or_path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BadData(
                f"there is no recipe {name_or_path!r} ({error}); give the path of a TOML file "
                f"or one of {', '.join(built_in_recipes())}"
            ) from None
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadData(f"recipe {name_or_path}: not valid TOML: {error}") from None
    table.setdefault("name", Path(name_or_path).stem)
    for kind in _KINDS:
        network = table.get(kind)
        if not isinstance(network, dict):
            continue
        chosen = network.get("alphabet", "none")
        if not isinstance(chosen, str) or chosen not in ALPHABETS:
            raise BadData(
                f"recipe {name_or_path}: [{kind}] alphabet is {chosen!r}; "
                f"choose one of {', '.join(ALPHABETS)}"
            )
        network["alphabet"] = ALPHABETS[chosen]
    try:
        return Recipe.from_dict(table)
    except BadData as error:
        raise BadData(f"recipe {name_or_path}: {error}") from None


def _section(kind: type[Any], table: dict[str, Any], name: str) -> Any:
    given = table.get(name, {})
    if not isinstance(given, dict):
        raise BadData(f"[{name}] must be a table of settings")
    types = typing.get_type_hints(kind)
    for key, value in given.items():
        if key not in types:
            raise BadData(f"[{name}] has no setting {key!r}; it has {', '.join(types)}")
        if types[key] == dict[str, float]:
            _expect_weights(value, f"[{name}] {key}")
            continue
        allowed = (int, float) if types[key] is float else (types[key],)
        if type(value) not in allowed:
            raise BadData(f"[{name}] {key} is {value!r}; it takes {_TAKES[types[key]]}")
        if isinstance(value, int | float) and not 0 <= value < 1e9:
            raise BadData(f"[{name}] {key} is {value!r}; it takes a number from 0 up")
        if key in _ABOVE_ZERO and not value:
            raise BadData(f"[{name}] {key} is {value!r}; it takes a number above 0")
        if key in _BELOW_ONE and value >= 1:
            raise BadData(f"[{name}] {key} is {value!r}; it takes a number below 1")
        if key in _CHOICES and value not in _CHOICES[key]:
            raise BadData(f"[{name}] {key} is {value!r}; choose one of {', '.join(_CHOICES[key])}")
    return kind(**given)


def _expect_weights(value: Any, where: str) -> None:
    if not isinstance(value, dict) or not all(
        type(weight) in (int, float) and 0 <= weight < 1e9 for weight in value.values()
    ):
        raise BadData(f"{where} is {value!r}; it takes a table of numbers from 0 up")


def differences(old: dict[str, Any], new: dict[str, Any]) -> str:
    """The settings in which two recipes differ, as "training.epochs was 20, is 30".

    A setting that an older one does not know had its default then.
    """
    defaults = {name: dataclasses.asdict(kind()) for name, kind in _KINDS.items()}
    defaults |= {name: dataclasses.asdict(config()) for name, config in _TABLES.items()}
    found = []
    for table in (*_KINDS, *_TABLES):
        if table not in old and table not in new:
            continue
        before = defaults[table] | old.get(table, {})
        after = new.get(table, {})
        for key in sorted({*before, *after}):
            if before.get(key) != after.get(key):
                found.append(f"{table}.{key} was {before.get(key)!r}, is {after.get(key)!r}")
    return "; ".join(found)
