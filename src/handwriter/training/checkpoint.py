"""Checkpoints: everything a run needs to go on, in one safetensors file, written atomically.

The last two are kept.  safetensors holds named arrays and a text header, so nothing is
unpickled, ever.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from handwriter.errors import TrainingFailed

LAST, PREVIOUS, BEST = "last.safetensors", "previous.safetensors", "best.safetensors"
FORMAT = "handwriter checkpoint 1"


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Tensors by name ("network/...", "average/...", "optimizer/...") and a JSON-able header."""

    tensors: dict[str, Tensor]
    header: dict[str, Any]

    def group(self, name: str) -> dict[str, Tensor]:
        """The tensors under `name/`, by the rest of their names."""
        prefix = f"{name}/"
        return {k.removeprefix(prefix): v for k, v in self.tensors.items() if k.startswith(prefix)}


def save_checkpoint(checkpoint: Checkpoint, path: Path, keep: Path | None = None) -> None:
    """Write it beside its place, flush it to the disk, then rename; `keep` takes the old one.

    Raises TrainingFailed where it cannot be written; what was there before then stays.
    """
    header = {"format": FORMAT, "header": json.dumps(checkpoint.header)}
    new = path.with_suffix(".new")
    try:
        with new.open("wb") as file:
            file.write(save({k: v.contiguous() for k, v in checkpoint.tensors.items()}, header))
            file.flush()
            os.fsync(file.fileno())
        if keep is not None and path.exists():
            path.replace(keep)
        new.replace(path)
    except OSError as error:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        raise TrainingFailed(
            f"cannot write checkpoint {path} ({error.strerror}); the last good one is still there: "
            "make room and start the same command again"
        ) from None


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint back; raises TrainingFailed where it is damaged or something else."""
    try:
        with safe_open(path, framework="pt") as file:
            about = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise TrainingFailed(
            f"checkpoint {path} cannot be read ({error}); remove it to go on from the one before"
        ) from None
    if about.get("format") != FORMAT:
        raise TrainingFailed(f"{path} is not a {FORMAT!r}; give a file that `train` wrote")
    return Checkpoint(tensors, json.loads(about["header"]))


def newest_checkpoint(run: Path) -> Path | None:
    """The checkpoint that a run goes on from, or None where there is none yet."""
    for name in (LAST, PREVIOUS):
        if (run / name).exists():
            return run / name
    return None
