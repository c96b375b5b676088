"""Which task a recipe is, and the network that a checkpoint of it holds."""

from __future__ import annotations

from typing import Any

from handwriter.errors import TrainingFailed
from handwriter.training.checkpoint import Checkpoint
from handwriter.training.lines import Lines
from handwriter.training.reading import Reading
from handwriter.training.recipe import Recipe
from handwriter.training.recogniser import ReaderConfig
from handwriter.training.writing import Writing


def task_of(recipe: Recipe, lines: Lines) -> Writing | Reading:
    """What the recipe is for: to write, or to read."""
    if isinstance(recipe.network, ReaderConfig):
        return Reading(recipe, lines)
    return Writing(recipe, lines)


def trained_network(checkpoint: Checkpoint, lines: Lines) -> tuple[Writing | Reading, Any]:
    """The task of a checkpoint and its network: the running average where there is one.

    `lines` is the file that it was trained on; raises TrainingFailed where it is another.
    """
    if checkpoint.header["lines"] != lines.digest:
        raise TrainingFailed(
            "the checkpoint was trained on other lines than the file given; give that file"
        )
    task = task_of(Recipe.from_dict(checkpoint.header["recipe"]), lines)
    network = task.build()
    group = "average" if task.recipe.training.average else "network"
    network.load_state_dict(checkpoint.group(group))
    return task, network.eval()
