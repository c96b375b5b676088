"""scripts/mean.py: several checkpoints of one network become one."""

from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import scripts
import tiny_hand
import torch

from handwriter import load
from handwriter.training.checkpoint import load_checkpoint, save_checkpoint
from handwriter.training.export import export


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return scripts.loaded("mean")


def saved(path: Path, seed: int, *, cells: int = 4) -> Path:
    save_checkpoint(tiny_hand.checkpoint(tiny_hand.network(seed=seed, cells=cells)), path)
    return path


def run(script: ModuleType, monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr("sys.argv", ["mean.py", *map(str, arguments)])
    script.main()


def test_the_mean_lies_between_and_counts_each_as_often_as_it_is_named(
    script, monkeypatch, tmp_path
):
    one, other = saved(tmp_path / "1.safetensors", 1), saved(tmp_path / "2.safetensors", 2)
    run(script, monkeypatch, one, other, other, other, "-o", tmp_path / "mean.safetensors")
    first, second, mean = (
        load_checkpoint(path).group("network")
        for path in (one, other, tmp_path / "mean.safetensors")
    )
    assert mean.keys() == first.keys()
    for name, tensor in mean.items():
        torch.testing.assert_close(tensor, 0.25 * first[name] + 0.75 * second[name])
    assert any((first[name] != second[name]).any() for name in mean)


def test_of_averaged_weights_the_mean_is_taken_too_and_no_optimizer_is_kept(script):
    plain = tiny_hand.checkpoint(tiny_hand.network(seed=1))
    more = {f"{group}/layer": torch.full((3,), 1.0) for group in ("average", "optimizer")}
    twice = {name: 2 * tensor for name, tensor in more.items()}
    averaged = [replace(plain, tensors=plain.tensors | added) for added in (more, twice)]
    found = script.mean(averaged)
    assert found.group("average")["layer"].tolist() == [1.5] * 3
    assert not found.group("optimizer")
    assert not script.mean([plain, averaged[0]]).group("average")
    assert found.header == plain.header


def test_a_hand_is_made_of_the_mean(script, monkeypatch, tmp_path):
    paths = [saved(tmp_path / f"{seed}.safetensors", seed) for seed in (1, 2)]
    run(script, monkeypatch, *paths, "-o", tmp_path / "mean.safetensors")
    checkpoint = load_checkpoint(tmp_path / "mean.safetensors")
    hand = tmp_path / "hand.onnx"
    hand.write_bytes(export(checkpoint, tiny_hand.LINES, int8=True, **tiny_hand.FACTS))
    assert np.isfinite(load(str(hand)).write_lines(["abc"], seed=1)[0].points).all()


def test_other_networks_and_other_files_are_refused(script, monkeypatch, tmp_path, capsys):
    one = saved(tmp_path / "1.safetensors", 1)
    other = saved(tmp_path / "2.safetensors", 2, cells=5)
    out, text = tmp_path / "mean.safetensors", tmp_path / "text.safetensors"
    text.write_text("no checkpoint")
    for first, message in ((other, "2.safetensors has another network"), (text, "cannot be read")):
        with pytest.raises(SystemExit, match="2"):
            run(script, monkeypatch, first, one, "-o", out)
        assert message in capsys.readouterr().err
        assert not out.exists()
