"""How fast a hand writes, and how far that is from what the processor's cache allows.

    python benchmarks/writing.py [--hand FILE] [--steps 200] [--repeats 7]

One run prints, threads stated, the time of a step of the pen, all included (sampling, Python,
stopping): one line of 40 characters on one thread, and on two threads 64 lines side by side and as
many as `handwriter.pen` has side by side by itself, a line and step.  Many lines are 512 in all:
one that is done gives its place to the next.  The steps that are counted are those of the ink.
Beside both, a network of the same shape as a plain PyTorch step loop, which writes the line in one
go and has no stopping rule.  Then how long a step of one line is against reading the weights once
from cache, and how long `handwriter write` takes from a cold start to the file on the disk.  All
are taken turn about and the medians are given, so that whatever else disturbs the machine disturbs
all.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from plain import PlainNetwork

from handwriter import pen
from handwriter.hand import Hand, load
from handwriter.training.network import NetworkConfig, n_parameters
from handwriter.weights import installed_readers

TEXT = "The quick brown fox jumps over lazy dogs"  # 40 characters
LINES, IN_ALL = 64, 512
SMOOTHNESS = 1.5
READS = 20  # of the weights, for one measurement of the cache


def network_of(hand: Hand) -> NetworkConfig:
    facts = json.loads(hand.weights.about["network"])
    return NetworkConfig(**{name: facts[name] for name in NetworkConfig.__dataclass_fields__})


def writing(hand: Hand, lines: int, at_once: int) -> Callable[[], float]:
    """A measurement: seconds a line and step of the ink, so many lines in all."""
    seeds = iter(range(1_000_000))

    def measure() -> float:
        pen.MOST_ROWS = at_once
        begun = time.perf_counter()
        written = hand.write_lines([TEXT] * lines, smoothness=SMOOTHNESS, seed=next(seeds))
        return (time.perf_counter() - begun) / sum(line.n_steps for line in written)

    return measure


def plain(network: PlainNetwork, lines: int, steps: int, threads: int) -> Callable[[], float]:
    def measure() -> float:
        torch.set_num_threads(threads)
        begun = time.perf_counter()
        network.write([TEXT] * lines, steps, SMOOTHNESS)
        return (time.perf_counter() - begun) / (steps * lines)

    return measure


def reading(n_bytes: int) -> Callable[[], float]:
    """A measurement: seconds to read so many bytes, which fit the cache, on one thread."""
    buffer = np.ones(n_bytes // 8, np.uint64)

    def measure() -> float:
        best = np.inf
        for _ in range(READS):  # the fastest: what the cache can do, whatever else runs
            begun = time.perf_counter()
            np.bitwise_or.reduce(buffer)
            best = min(best, time.perf_counter() - begun)
        return float(best)

    return measure


def cold_start(hand: str, folder: Path) -> Callable[[], float]:
    """A measurement: seconds of the whole process, the reader's check included if there is one."""
    command = [sys.executable, "-m", "handwriter", "write", "Hello", "-q", "--hand", hand]
    command += [] if installed_readers() else ["--no-check"]

    def measure() -> float:
        begun = time.perf_counter()
        subprocess.run([*command, "-o", str(folder / "hello.svg")], check=True)
        return time.perf_counter() - begun

    return measure


def n_weights_read(network: PlainNetwork) -> int:
    """Weights of the matrix products: those that a step has to read."""
    return sum(p.numel() for p in network.parameters() if p.ndim == 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--hand", default="research", help="an installed hand's name, or a file")
    parser.add_argument("--steps", type=int, default=200, help="pen points of a line in PyTorch")
    parser.add_argument("--repeats", type=int, default=7, help="rounds that the medians are of")
    options = parser.parse_args()
    hand = load(options.hand)
    network = PlainNetwork(network_of(hand)).eval()
    is_int8 = hand.weights.about["weights"] == "int8"
    n_bytes = n_weights_read(network) * (1 if is_int8 else 4)
    print(
        f"{torch.backends.cpu.get_cpu_capability()}, ONNX Runtime {ort.__version__}, torch "
        f"{torch.__version__}; {n_parameters(network):,} weights, {hand.weights.about['weights']}; "
        f"lines of {len(TEXT)} characters"
    )
    two_threads, most = load(options.hand, threads=2), pen.MOST_ROWS
    with tempfile.TemporaryDirectory() as folder:
        work = {
            "ours, 1 line, 1 thread": writing(hand, 1, 1),
            "PyTorch, 1 line, 1 thread": plain(network, 1, options.steps, 1),
            f"ours, {LINES} lines, 2 threads": writing(two_threads, IN_ALL, LINES),
            f"ours, {most} lines, 2 threads": writing(two_threads, IN_ALL, most),
            f"PyTorch, {LINES} lines, 2 threads": plain(network, LINES, options.steps // 4, 2),
            "the weights read once": reading(n_bytes),
            "cold start": cold_start(options.hand, Path(folder)),
        }
        taken: dict[str, list[float]] = {name: [] for name in work}
        for _ in range(options.repeats):
            for name, measure in work.items():
                taken[name].append(measure())
    report(taken, n_bytes)


def report(taken: dict[str, list[float]], n_bytes: int) -> None:
    """Print the table; times are medians, with the least and the most."""
    middle = {name: statistics.median(times) for name, times in taken.items()}
    one, plain_one, many, most, plain_many, read, cold = middle
    print(f"{'':28}{'µs a line and step':>20}{'range':>20}{'ratio':>8}")
    for name, against in ((one, plain_one), (plain_one, plain_one), (many, plain_many),
                          (most, plain_many), (plain_many, plain_many)):  # fmt: skip
        spread = f"{min(taken[name]) * 1e6:,.1f} to {max(taken[name]) * 1e6:,.1f}"
        ratio = middle[against] / middle[name]
        print(f"{name:28}{middle[name] * 1e6:20,.1f}{spread:>20}{ratio:8.2f}")
    print(
        f"{n_bytes / 1e6:.2f} MB of weights are read from cache in {middle[read] * 1e6:.0f} µs "
        f"({n_bytes / middle[read] / 1e9:.0f} GB/s): a step of one line takes "
        f"{middle[one] / middle[read]:.1f} times that"
    )
    print(f"`handwriter write` from a cold start: {middle[cold]:.2f} s")


if __name__ == "__main__":
    main()
