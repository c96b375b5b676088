"""From a checkpoint to a hand: one `.onnx` file with its steps, int8 weights and all metadata."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from handwriter.training.batches import Batch, Scaling
from handwriter.training.checkpoint import Checkpoint
from handwriter.training.export_reader import export_reader
from handwriter.training.graph import sealed_file
from handwriter.training.lines import Lines
from handwriter.training.machine import this_machine
from handwriter.training.network import N_STEP, Layer, Mixture, Network, mixture, nats
from handwriter.training.reading import Reading
from handwriter.training.recipe import NON_LETTER
from handwriter.training.steps_graph import outputs_in_order, steps_graph
from handwriter.training.tasks import trained_network
from handwriter.weights import FAR, FORMAT, VERSION, first_inputs

FEWEST_EXAMPLES = 4  # of a character in training, for the hand to say that it knows it
VALIDATION_LINES = 64  # on which the file is held against the network
ROUNDING_LINES = 128  # of training, for which its weights are rounded

Floats = NDArray[np.float32]


def export(
    checkpoint: Checkpoint, lines: Lines, *, name: str, licence: str, data: str, int8: bool = True
) -> bytes:
    """The hand or the reader that a checkpoint holds, as the bytes of an `.onnx` file.

    `lines` is the file that it was trained on: it tells which characters were learned, and its
    validation lines give the figures.  Raises TrainingFailed where it is another file.
    """
    header = checkpoint.header
    task, network = trained_network(checkpoint, lines)
    texts = [lines.texts[i] for i in lines.where("train")]
    about: dict[str, Any] = {
        "characters": known_characters(texts, task.config.alphabet),
        "recipe": header["recipe"],
        "lines": header["lines"],
        "lineage": header.get("lineage", []),
        "updates": header["update"],
        "epochs": header["epoch"],
    }
    validation = lines.where("validation")
    if len(validation):
        about["figures"] = vars(task.evaluate(network, validation, this_machine("fp32")))
    if isinstance(task, Reading):
        return export_reader(network, name=name, licence=licence, data=data, about=about, int8=int8)
    some = np.random.default_rng(1).permutation(lines.where("train"))[:ROUNDING_LINES]
    like = what_is_read(network, task.make_batch(some, None)) if int8 else None
    model = steps_graph(network, Scaling(**header["scaling"]), int8=int8, like=like)
    about |= {
        "format": FORMAT,
        "version": VERSION,
        "name": name,
        "licence": licence,
        "data": data,
        "pace": sum(map(len, texts)) / int(lines.lengths[lines.where("train")].sum()),
        "network": header["recipe"]["network"],
        "scaling": header["scaling"],
        "weights": "int8" if int8 else "fp32",
    }
    if len(validation):
        chosen = np.random.default_rng(0).permutation(validation)[:VALIDATION_LINES]
        about["accuracy"] = accuracy(network, model, task.make_batch(chosen, None))
    return sealed_file(model, about)


# --- How well the file does what the network does ----------------------------------------------


@torch.no_grad()
def what_is_read(network: Network, batch: Batch) -> list[Floats]:
    """What each layer and then the outputs read along the lines of a batch, (points, n) each.

    A layer reads its input, then with the first one the last window, then its last hidden vector,
    in the order of its weights.
    """
    found: list[Tensor] = []

    def remember(layer: Layer, given: tuple[Any, ...], gave: tuple[Any, ...]) -> None:
        before = [gave[1][:-1], gave[0][:-1]] if layer.n_window else [gave[0][:-1]]
        found.append(torch.cat([given[0][1:], *before], dim=-1)[is_line[1:]])

    def remember_outputs(_: nn.Module, given: tuple[Any, ...], gave: Tensor) -> None:
        found.append(given[0][is_line])

    there = batch.to(network.output.weight.device)
    is_line = there.mask > 0
    hooks = [layer.register_forward_hook(remember) for layer in network.layers]
    hooks.append(network.output.register_forward_hook(remember_outputs))
    try:
        network(there.seen, there.text)
    finally:
        for hook in hooks:
            hook.remove()
    return [x.float().cpu().numpy() for x in found]


@torch.no_grad()
def accuracy(network: Network, model: onnx.ModelProto, batch: Batch) -> dict[str, float]:
    """Nats a point of the network and of the exported step, over the lines of a batch.

    The step is run as it will be, by ONNX Runtime; it is only shown what people wrote and not what
    it draws.
    """
    device = batch.to(network.output.weight.device)
    y, _, _ = network(device.seen, device.text)
    outputs = torch.from_numpy(_outputs_along(model, batch)).to(y.pen.device)
    inverse = np.argsort(outputs_in_order(network.config.mixtures, network.config.n_outputs))
    exported = mixture(outputs[..., inverse], network.config)
    points = batch.mask.sum().item()

    def nats_a_point(y: Mixture) -> float:
        return (nats(device.offsets, device.pen, y) * device.mask).sum().item() / points

    return {
        "lines": len(batch.sources),
        "network": round(nats_a_point(y), 5),
        "hand": round(nats_a_point(exported), 5),
    }


def _outputs_along(model: onnx.ModelProto, batch: Batch) -> Floats:
    """The output vectors (steps, lines, n_outputs) of a model that is shown a batch's lines."""
    options = ort.SessionOptions()
    options.log_severity_level = 4
    session = ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    lines, length = len(batch.sources), batch.text.mask.shape[1] if batch.text else 0
    feed = first_inputs(session, lines, length)
    if batch.text:
        places = np.arange(1, length + 1, dtype=np.float32)
        codes = batch.text.one_hot.cpu().numpy()
        far = batch.text.mask.cpu().numpy() == 0
        feed["text"] = np.where(far, codes.shape[2], codes.argmax(axis=2))
        feed["places"] = np.where(far, np.float32(FAR), places)[:, None]
    seen = batch.seen.cpu().numpy()
    shown = seen[1:, :, :N_STEP]
    feed["step"], feed["shown"] = seen[0], np.concatenate([shown, np.zeros_like(shown[:1])])
    noise = next(entry for entry in session.get_inputs() if entry.name == "noise")
    feed["noise"] = np.zeros((*seen.shape[:2], noise.shape[2]), np.float32)
    (outputs,) = session.run(["outputs"], feed)
    return np.asarray(outputs)


def known_characters(texts: list[str], alphabet: str) -> str:
    """The characters with `FEWEST_EXAMPLES` or more in the texts, or all of a merged alphabet."""
    counts = Counter("".join(texts))
    if NON_LETTER in alphabet:
        return "".join(c for c in alphabet if c != NON_LETTER)
    return "".join(c for c in alphabet if counts[c] >= FEWEST_EXAMPLES)
