"""Hands that write scribbles in no time: random networks of a few cells, exported for real."""

import numpy as np
import onnx
import tiny
import torch

from handwriter.ink import Line
from handwriter.training.checkpoint import Checkpoint
from handwriter.training.export import export
from handwriter.training.graph import sealed
from handwriter.training.lines import Lines
from handwriter.training.network import Network
from handwriter.training.recipe import ASCII

SEAL_BYTES = 76
UNFREQUENT = "~"  # known to the network, but too rare in the lines for the hand to claim it
FACTS = {"name": "tiny", "licence": "CC0", "data": "invented waves"}


def lines() -> Lines:
    """Invented waves under texts in which each character but one comes often enough."""
    rng = np.random.default_rng(5)
    common = ASCII.replace(UNFREQUENT, "").strip()
    texts = [f"{common[i : i + 9]} {common[i + 9 : i + 18]}" for i in range(0, len(common), 18)] * 4
    texts[0] += UNFREQUENT
    made = [Line(tiny.ink(rng, 60), text, split="train", source=text) for text in texts]
    return Lines.from_lines(made, "default", 0.01, {})


LINES = lines()


def network(pen: tuple[float, ...] = (1.0, 0.0, -4.0), seed: int = 0, **options: object) -> Network:
    """A random network whose pen states have these logits (or the first, lifts) by themselves."""
    shape = {"alphabet": ASCII, "layers": 2, "cells": 4, "initial_pace": 0.3, **options}
    torch.manual_seed(seed)
    made = Network(tiny.recipe(shape).network)
    n_pen = 3 if made.config.end_token else 1
    with torch.no_grad():
        for parameter in made.parameters():
            parameter += 0.2 * torch.randn_like(parameter)
        made.output.bias[-n_pen:] = torch.tensor(pen)[:n_pen]
    return made.eval()


def checkpoint(net: Network, **header: object) -> Checkpoint:
    """What training would have kept of it."""
    shape = {k: getattr(net.config, k) for k in vars(net.config)}
    recipe = tiny.recipe(shape, average=0.0).to_dict()
    scaling = {"mean": [0.3, 0.01], "deviation": [0.5, 0.8]}
    facts = {"recipe": recipe, "lines": LINES.digest, "scaling": scaling, "update": 7, "epoch": 2}
    return Checkpoint({f"network/{k}": v for k, v in net.state_dict().items()}, facts | header)


def exported(net: Network, *, int8: bool = True) -> bytes:
    return export(checkpoint(net), LINES, int8=int8, **FACTS)


def altered(content: bytes, **properties: str | None) -> bytes:
    """The same hand with other properties, or without those that are None, sealed again."""
    model = onnx.load_from_string(content[:-SEAL_BYTES])
    about = {entry.key: entry.value for entry in model.metadata_props} | properties
    del model.metadata_props[:]
    for key, value in about.items():
        if value is not None:
            model.metadata_props.add(key=key, value=value)
    return sealed(model.SerializeToString())
