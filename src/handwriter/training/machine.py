"""Where a run computes: the device, its precision, and the processes that share the work."""

from __future__ import annotations

import ctypes
import os
import sys
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


@dataclass(frozen=True)
class Machine:
    """Where a run computes: `precision` is "fp32" or "bf16"; one of `world` equal processes."""

    device: torch.device
    precision: str = "fp32"
    rank: int = 0
    world: int = 1

    def autocast(self) -> torch.autocast:
        enabled = self.precision == "bf16"
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=enabled)

    def add_up(self, tensor: Tensor) -> Tensor:
        """The sum over all processes, in place."""
        if self.world > 1:
            dist.all_reduce(tensor)
        return tensor

    def any(self, here: bool) -> bool:
        """Whether it is so in any of the processes, so that all do the same."""
        if self.world == 1:
            return here
        return bool(self.add_up(torch.tensor(float(here), device=self.device)) > 0)


def this_machine(precision: str = "auto") -> Machine:
    """The GPU if there is one, and this process's place among those that torchrun started.

    "auto" is bf16 where the processor multiplies it natively, fp32 elsewhere.
    """
    rank, world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    if torch.cuda.is_available():
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
        native = torch.cuda.is_bf16_supported()
    else:
        device = torch.device("cpu")
        native = bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    if world > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    if precision == "auto":
        precision = "bf16" if native else "fp32"
    return Machine(device, precision, rank, world)


def keep_memory() -> None:
    """Have the C library keep the memory that is freed, for the next update.

    An update takes and frees gigabytes in large pieces.  Where these go back to the system, each
    page has to be fetched and zeroed again: a copy of 16 MB runs at 4.7 GB/s, and at 11 where
    memory is kept.  Only glibc knows these settings; elsewhere nothing is done.
    """
    mallopt = _of_glibc("mallopt")
    if mallopt is not None:
        mallopt(_MMAP_MAX, 0)  # no piece of its own for a large request
        mallopt(_TRIM_THRESHOLD, -1)  # and nothing is given back by itself


def give_back_memory() -> None:
    """Give back to the system what `keep_memory` has kept and nothing uses.

    Batches are of many sizes, and what fits none of the gaps that the last ones left is taken
    anew: a run that never gives back grows by some 200 MB a minute.  Now and then is enough.
    """
    trim = _of_glibc("malloc_trim")
    if trim is not None:
        trim(0)


def _of_glibc(name: str) -> Any:
    """That function of the C library, or None where it is another one."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None


_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # malloc.h of glibc


def leave_machine() -> None:
    """Take leave of the other processes that torchrun started, if there are any."""
    if dist.is_initialized():
        dist.destroy_process_group()
