"""The mean of the weights of several checkpoints of one network, as a checkpoint.

Run it from anywhere: `python scripts/mean.py CHECKPOINT... -o mean.safetensors`.  `handwriter
export` takes it, and `handwriter train --from` goes on from it.  A checkpoint that is named twice
counts twice.

Checkpoints that went on from one another lie in one basin, and their mean is often better than
any of them on what none was trained for (Wortsman et al. 2022, "Model soups"; docs/log.md,
1 Dec).  The last one's word on the run and its lines is kept; the optimizer's state is not.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from handwriter.errors import TrainingFailed
from handwriter.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint

WEIGHTS = "network", "average"  # the groups of a checkpoint that are weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoints", nargs="+", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    try:
        found = [load_checkpoint(path) for path in arguments.checkpoints]
        for path, checkpoint in zip(arguments.checkpoints, found, strict=True):
            if shapes(checkpoint) != shapes(found[-1]):
                parser.error(f"{path} has another network than {arguments.checkpoints[-1]}")
        save_checkpoint(mean(found), arguments.output)
    except TrainingFailed as error:
        parser.error(str(error))
    print(f"{arguments.output}: the mean of {len(found)}")


def mean(checkpoints: Sequence[Checkpoint]) -> Checkpoint:
    """Of every tensor of the weights; a kind that some have not (`average`) is left out."""
    tensors: dict[str, Tensor] = {}
    for group in WEIGHTS:
        found = [checkpoint.group(group) for checkpoint in checkpoints]
        if all(found):
            for name in found[-1]:
                every = torch.stack([tensors_of[name] for tensors_of in found])
                tensors[f"{group}/{name}"] = every.mean(0, dtype=torch.float64).to(every.dtype)
    return Checkpoint(tensors, checkpoints[-1].header)


def shapes(checkpoint: Checkpoint) -> dict[str, tuple[int, ...]]:
    """Of the network's tensors, by their names."""
    return {name: tuple(tensor.shape) for name, tensor in checkpoint.group("network").items()}


if __name__ == "__main__":
    main()
