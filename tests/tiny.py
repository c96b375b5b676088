"""A training run that takes a moment: invented lines, a network of a few hundred weights."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch

from handwriter.ink import Ink, Line
from handwriter.training.lines import Lines
from handwriter.training.machine import Machine
from handwriter.training.network import NetworkConfig
from handwriter.training.recipe import InkConfig, Recipe, TrainingConfig
from handwriter.training.recogniser import ReaderConfig
from handwriter.training.tasks import task_of

ALPHABET = "abc "
UNIT = 0.01
CPU = Machine(torch.device("cpu"))


def ink(rng: np.random.Generator, n_points: int) -> Ink:
    """A wavy line of two strokes, drawn to the right."""
    turns = np.cumsum(rng.uniform(0.5, 1.2, n_points))
    points = np.column_stack([0.3 * turns + 0.2 * np.sin(turns), np.cos(turns)])
    cut = int(rng.integers(1, n_points))
    return Ink((points[:cut], points[cut:]))


def lines(
    n_train: int = 11, n_validation: int = 3, seed: int = 0, recipe: str = "default"
) -> Lines:
    """Lines of 10 to 24 points, "train/0" and so on, then "validation/0" and so on."""
    rng = np.random.default_rng(seed)
    made = []
    for split, n_lines in (("train", n_train), ("validation", n_validation)):
        for number in range(n_lines):
            text = "".join(rng.choice(list(ALPHABET), 4))
            drawn = ink(rng, int(rng.integers(10, 25)))
            made.append(Line(drawn, text, split=split, source=f"{split}/{number}"))
    return Lines.from_lines(made, recipe, UNIT, {})


def recipe(
    network: dict[str, object] | None = None,
    ink: dict[str, object] | None = None,
    **training: object,
) -> Recipe:
    """Two epochs of three batches, everything random switched on."""
    shape = {"alphabet": ALPHABET, "layers": 2, "cells": 6, "mixtures": 2, "windows": 2,
             "peepholes": False, "end_token": True, "initial_pace": 0.25}  # fmt: skip
    augmentation = {"slant": 0.1, "size": 0.1, "width": 0.1, "pen_noise": 0.1}
    settings = {"epochs": 2, "batch_lines": 4, "warmup": 2, "learning_rate": 0.01,
                "average": 0.9, "window_guide": 0.05}  # fmt: skip
    return Recipe(
        "tiny",
        NetworkConfig(**(shape | (network or {}))),
        InkConfig(**(augmentation | (ink or {}))),
        TrainingConfig(**(settings | training)),
    )


def reader_recipe(**training: object) -> Recipe:
    """As `recipe`, for one that reads."""
    augmentation = {"slant": 0.1, "size": 0.1, "width": 0.1, "pen_noise": 0.1}
    settings = {"epochs": 2, "batch_lines": 4, "warmup": 2, "learning_rate": 0.01, "average": 0.9}
    return Recipe(
        "tiny reader",
        ReaderConfig(alphabet=ALPHABET, channels=6, layers=2, cells=5, dropout=0.2),
        InkConfig(**augmentation),
        TrainingConfig(**(settings | training)),
    )


def task(task_recipe: Recipe | None = None, task_lines: Lines | None = None):
    """What a recipe trains, on lines; the tiny ones where none are given."""
    return task_of(task_recipe or recipe(), task_lines or lines())


def python(code: str, *arguments: object, **environment: object) -> subprocess.Popen[str]:
    """Python, started on `code` in a process of its own, which may import this module."""
    settings = {"OMP_NUM_THREADS": 1, "PYTHONPATH": Path(__file__).parent, **environment}
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=os.environ | {name: str(value) for name, value in settings.items()},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def leaning(look: str, n: int) -> list[Line]:
    """Lines that lean to the right (/) or to the left, long enough to go on from."""
    text, lean = "abcdef ghijk lmnop qr", 0.5 if look == "/" else -0.5
    t = np.linspace(0, 4 * np.pi, 25)
    y = -1 - np.cos(t)
    strokes = tuple(
        np.column_stack([2 * place - lean * y + t / 9, y])
        for place, character in enumerate(text)
        if character != " "
    )
    return [Line(Ink(strokes), text, source=f"{look}{number}") for number in range(n)]
