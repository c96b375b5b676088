"""Hands and readers for the tests: tiny random networks, exported as real ones are."""

import os
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import pytest
import tiny_hand
import tiny_reader

from handwriter.hand import Hand, load
from handwriter.reader import Reader, load_reader


@pytest.fixture(scope="session", autouse=True)
def no_defaults_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Whoever runs the tests may have a handwriter.toml; it must not change what they see."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        yield


@pytest.fixture(scope="session")
def ffmpeg_on_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A real ffmpeg where programs are looked for, also where none is installed."""
    folder = tmp_path_factory.mktemp("programs")
    (folder / "ffmpeg").symlink_to(imageio_ffmpeg.get_ffmpeg_exe())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        yield


@pytest.fixture(scope="session")
def tiny_hand_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a hand that writes scribbles for any ASCII text but "~"."""
    path = tmp_path_factory.mktemp("hands") / "tiny.onnx"
    path.write_bytes(tiny_hand.exported(tiny_hand.network()))
    return path


@pytest.fixture(scope="session")
def tiny_prediction_hand_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a hand that scribbles without text."""
    path = tmp_path_factory.mktemp("hands") / "tiny-prediction.onnx"
    path.write_bytes(tiny_hand.exported(tiny_hand.network(alphabet="")))
    return path


@pytest.fixture(scope="session", name="tiny_hand")
def opened_tiny_hand(tiny_hand_path: Path) -> Hand:
    return load(str(tiny_hand_path))


@pytest.fixture(scope="session")
def tiny_prediction_hand(tiny_prediction_hand_path: Path) -> Hand:
    return load(str(tiny_prediction_hand_path))


@pytest.fixture(scope="session")
def tiny_reader_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a reader that sees some of "abc " in any ink."""
    path = tmp_path_factory.mktemp("readers") / "tiny.onnx"
    path.write_bytes(tiny_reader.exported(tiny_reader.network()))
    return path


@pytest.fixture(scope="session", name="tiny_reader")
def opened_tiny_reader(tiny_reader_path: Path) -> Reader:
    return load_reader(tiny_reader_path)
