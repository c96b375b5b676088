"""Readers that see letters in anything: random networks of a few cells, exported for real."""

import numpy as np
import torch

from handwriter.ctc import FrameTable
from handwriter.training.export_reader import export_reader
from handwriter.training.recogniser import ReaderConfig, ReaderNetwork

ALPHABET = "abc "
FACTS = {"name": "tiny", "licence": "CC0", "data": "nothing"}


def network(seed: int = 0, **options: object) -> ReaderNetwork:
    """A random network that is seldom sure, and as often sees a character as none."""
    shape = {"alphabet": ALPHABET, "channels": 9, "layers": 2, "cells": 5, **options}
    torch.manual_seed(seed)
    made = ReaderNetwork(ReaderConfig(**shape))
    with torch.no_grad():
        for parameter in made.parameters():
            parameter += 0.2 * torch.randn_like(parameter)
        made.output.weight *= 6
    return made.eval()


def exported(net: ReaderNetwork, *, int8: bool = True, **about: str) -> bytes:
    return export_reader(net, **FACTS, about=about, int8=int8)


def read_as(text: str) -> FrameTable:
    """What a reader makes of ink that it reads so, as many frames for each character."""
    alphabet = "".join(sorted(set(text)))
    table = np.full((2 * max(len(text), 1), 1 + len(alphabet)), -9.0, np.float32)
    table[::2, 0] = 0.0
    for place, character in enumerate(text):
        table[2 * place + 1, 1 + alphabet.index(character)] = 0.0
    return FrameTable(table, alphabet)
