"""How fast the synthesis network trains, and how much of the machine that is.

    python benchmarks/training.py [--batch 64] [--steps 320] [--repeats 3] [--threads N]

One run prints, for each precision that the machine has natively: pen points a second of a whole
training step (forward, backward, optimizer) of the paper's synthesis network with and without
peepholes; the share that is of the rate at which the machine multiplies large matrices in the
same precision; and the ratio to the same network written as one plain step loop.  On a processor
also what as many processes of one thread do together, as torchrun starts them: each takes its share
of the batch, and gradients are added up.  All are taken turn about and the medians are given, so
that whatever else disturbs the machine disturbs all.
"""

from __future__ import annotations

import argparse
import math
import os
import socket
import statistics
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import torch
from plain import PlainNetwork
from torch import multiprocessing, nn

from handwriter.training.batches import Batch
from handwriter.training.machine import Machine, keep_memory, leave_machine, this_machine
from handwriter.training.network import (
    Network,
    NetworkConfig,
    n_parameters,
    nats,
    one_hot,
)
from handwriter.training.optimizer import make_optimizers
from handwriter.training.recipe import ASCII, TrainingConfig

TEXT = "The quick brown fox jumps on"  # 28 characters, an average line of IAM-OnDB
OURS = NetworkConfig(
    alphabet=ASCII, peepholes=False, end_token=True, initial_pace=0.085, forget_bias=1.0
)
WITH_PEEPHOLES = NetworkConfig(**{**vars(OURS), "peepholes": True})
PROC = Path("/proc/self")  # Linux only
TRAINING = TrainingConfig(weight_decay=1e-4)


def make_batch(lines: int, steps: int, device: torch.device) -> Batch:
    """Invented lines, all `steps` points long, so that every point counts."""
    generator = torch.Generator().manual_seed(0)
    offsets = torch.randn(steps, lines, 2, generator=generator)
    pen = (torch.rand(steps, lines, generator=generator) < 0.04).long()
    seen = torch.zeros(steps, lines, 3)
    seen[1:, :, :2], seen[1:, :, 2] = offsets[:-1], pen[:-1]
    mask = torch.ones(steps, lines)
    text = one_hot([TEXT] * lines, ASCII)
    return Batch(seen, offsets, pen, mask, text, ("invented",) * lines).to(device)


def training_step(network: nn.Module, batch: Batch, machine: Machine) -> Callable[[], None]:
    """What one update does, ready to be called again and again."""
    (optimizer,) = make_optimizers(network.parameters(), TRAINING)

    def step() -> None:
        optimizer.zero_grad(set_to_none=False)
        with machine.autocast():
            y, _, _ = network(batch.seen, batch.text)
        loss = (nats(batch.offsets, batch.pen, y) * batch.mask).sum() / batch.mask.sum()
        loss.backward()  # type: ignore[no-untyped-call]
        for parameter in network.parameters():
            if parameter.grad is not None:
                machine.add_up(parameter.grad)
        nn.utils.clip_grad_norm_(network.parameters(), TRAINING.clip_norm)
        optimizer.step()

    return step


def matrix_product(dtype: torch.dtype, device: torch.device, size: int) -> Callable[[], None]:
    a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    out = torch.empty(size, size, dtype=dtype, device=device)

    def multiply() -> None:
        torch.mm(a, b, out=out)

    return multiply


def seconds(work: Callable[[], None], device: torch.device, times: int = 1) -> float:
    finish(device)
    begun = time.perf_counter()
    for _ in range(times):
        work()
    finish(device)
    return (time.perf_counter() - begun) / times


def finish(device: torch.device) -> None:
    """Wait for the GPU, which returns before it is done."""
    if device.type == "cuda":
        torch.cuda.synchronize()


class Processes:
    """One process of one thread for each of `n`, each with its share of the batch's lines."""

    def __init__(self, n: int, precision: str, lines: int, steps: int) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        context = multiprocessing.get_context("spawn")
        self.pipes: list[Connection] = []
        for rank in range(n):
            ours, theirs = context.Pipe()
            share = len(range(rank, lines, n))
            place = {"RANK": str(rank), "WORLD_SIZE": str(n), "MASTER_PORT": port,
                     "MASTER_ADDR": "127.0.0.1"}  # fmt: skip
            arguments = (theirs, place, precision, share, steps)
            context.Process(target=_serve, args=arguments, daemon=True).start()
            self.pipes.append(ours)

    def __call__(self) -> None:
        """One update by all of them together."""
        for pipe in self.pipes:
            pipe.send(True)
        for pipe in self.pipes:
            pipe.recv()

    def end(self) -> None:
        for pipe in self.pipes:
            pipe.send(False)


def _serve(pipe: Connection, place: dict[str, str], precision: str, lines: int, steps: int) -> None:
    """One of several processes: an update each time that the pipe says so."""
    os.environ.update(place)
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    keep_memory()
    machine = this_machine(precision)
    step = training_step(Network(OURS), make_batch(lines, steps, machine.device), machine)
    while pipe.recv():
        step()
        pipe.send(True)
    leave_machine()


def flops_a_point(network: nn.Module) -> int:
    """A multiplication and an addition for each weight of the matrix products, three times.

    Forward once; backward twice, for the inputs and for the weights.
    """
    weights = [
        p.numel()
        for name, p in network.named_parameters()
        if p.ndim == 2 and "peephole" not in name
    ]
    return 3 * 2 * sum(weights)


def forget_peak(device: torch.device) -> None:
    """Begin to measure the peak anew, where the system lets us."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    elif PROC.exists():
        (PROC / "clear_refs").write_text("5")


def peak_gib(device: torch.device) -> float:
    """The most memory since `forget_peak`: the GPU's, or all of this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated() / 2**30
    if PROC.exists():
        status = (PROC / "status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 2**20
    return math.nan


def measure(precision: str, batch: Batch, repeats: int) -> None:
    """Print all figures of one precision."""
    machine = this_machine(precision)
    device = machine.device
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    networks = {
        "handwriter": Network(OURS),
        "with peepholes": Network(WITH_PEEPHOLES),
        "plain step loop": PlainNetwork(OURS),
    }
    ours, _, naive = networks.values()
    second_biases = 4 * OURS.cells * OURS.layers  # PyTorch's cells have two of each
    assert n_parameters(naive) == n_parameters(ours) + second_biases
    work: dict[str, Callable[[], None]]
    work = {name: training_step(n.to(device), batch, machine) for name, n in networks.items()}
    together = None
    n, (steps, lines) = torch.get_num_threads(), batch.mask.shape
    if device.type == "cpu" and n > 1:
        together = work[f"{n} processes"] = Processes(n, precision, lines, steps)
        networks[f"{n} processes"] = ours
        together()
    size, products = (8192, 20) if device.type == "cuda" else (2048, 3)
    product = matrix_product(dtype, device, size)

    # What happens only the first time is left out.
    for network in networks.values():
        training_step(network, make_batch(len(batch.sources), 8, device), machine)()
    product()

    taken: dict[str, list[float]] = {name: [] for name in work}
    peaks = dict.fromkeys(work, 0.0)
    product_rates = []
    for _ in range(repeats):
        for name, step in work.items():
            product_rates.append(2 * size**3 / seconds(product, device, products))
            forget_peak(device)
            taken[name].append(seconds(step, device))
            peaks[name] = max(peaks[name], peak_gib(device))

    if together:
        together.end()
    most = statistics.median(product_rates)
    print(f"\n{precision}: matrix products of {size} x {size} at {most / 1e9:,.0f} GFLOP/s")
    print(f"{'':18}{'points/s':>10}{'range':>18}{'of the rate':>13}{'ratio':>7}{'peak GiB':>10}")
    slowest = statistics.median(taken["plain step loop"])
    for name, times in taken.items():
        middle = statistics.median(times)
        rates = [batch.n_points / t for t in (max(times), middle, min(times))]
        share = rates[1] * flops_a_point(networks[name]) / most
        print(
            f"{name:18}{rates[1]:10,.0f}{f'{rates[0]:,.0f} to {rates[2]:,.0f}':>18}"
            f"{share:13.0%}{slowest / middle:7.2f}{_peak(name, peaks[name])}"
        )


def _peak(name: str, gib: float) -> str:
    """The column of the peak; that of other processes is not known."""
    return f"{'-':>10}" if name.endswith("processes") else f"{gib:10.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--batch", type=int, default=64, help="lines in a batch")
    parser.add_argument("--steps", type=int, default=320, help="pen points of a line")
    parser.add_argument("--repeats", type=int, default=3, help="rounds that the medians are of")
    parser.add_argument("--threads", type=int, help="threads of the processor; else PyTorch's own")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)  # as a training run does
    keep_memory()
    machine = this_machine()
    on = torch.cuda.get_device_name() if machine.device.type == "cuda" else "processor"
    print(
        f"{on}, {torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}, "
        f"torch {torch.__version__}; {options.batch} lines of {options.steps} points, "
        f"{n_parameters(Network(OURS)):,} weights"
    )
    batch = make_batch(options.batch, options.steps, machine.device)
    for precision in ("fp32", "bf16") if machine.precision == "bf16" else ("fp32",):
        measure(precision, batch, options.repeats)


if __name__ == "__main__":
    main()
