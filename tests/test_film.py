"""Films: frames in the pen's own time, seen by Pillow and by ffmpeg."""

import shutil
import subprocess
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from handwriter import Ink
from handwriter.errors import BadOption
from handwriter.output import film, render
from handwriter.output.layout import STEPS_A_SECOND
from handwriter.page import Document, Layer, Page, PlacedLine
from handwriter.paper import guides

pytestmark = pytest.mark.usefixtures("ffmpeg_on_path")

SNAKE = np.column_stack([np.linspace(5, 35, 41), 10 + np.sin(np.linspace(0, 9, 41))])
BAR = np.array([[5.0, 15.0], [35.0, 15.0]])


def document(*, n_pages: int = 1, colour: str = "#000000", kind: str = "plain") -> Document:
    layer = Layer((PlacedLine(Ink((SNAKE, BAR)), "snake"),), colour=colour)
    page = Page(40.0, 20.0, (*guides(kind, 40.0, 20.0, [16.0]), layer))
    return Document((page,) * n_pages, "snake", {"Hand": "tiny", "Licence": "CC0"})


def frames_of(content: bytes) -> tuple[list[np.ndarray], list[float]]:
    """The pictures of a GIF or PNG in grey, and how long each stands, in milliseconds."""
    image = Image.open(BytesIO(content))
    frames = [(np.asarray(frame.convert("L"), float), frame.info["duration"])
              for frame in ImageSequence.Iterator(image)]  # fmt: skip
    return [frame for frame, _ in frames], [duration for _, duration in frames]


@pytest.mark.parametrize("suffix", [".gif", ".apng"])
def test_a_film_begins_with_paper_and_ends_with_the_page(suffix):
    frames, durations = frames_of(render(suffix, document()))
    assert (frames[0] < 200).sum() < (frames[-1] < 200).sum() / 10
    covered = [(frame < 128).sum() for frame in frames]
    assert covered == sorted(covered)
    still = Image.open(BytesIO(render(".png", document(), dpi=film.FILM_DPI)))
    assert np.abs(frames[-1] - np.asarray(still, float)).mean() < 1.5
    assert durations[-1] == 2000


def test_a_film_takes_as_long_as_the_pen():
    _, durations = frames_of(render(".apng", document()))
    written = sum(durations) - 2000
    lift = 1000 * (0.08 + np.hypot(30, 5 - np.sin(9)) / 250)
    assert written == pytest.approx(1000 * 41 / STEPS_A_SECOND + lift, abs=60)
    _, twice = frames_of(render(".apng", document(), speed=2.0))
    assert sum(twice) - 2000 == pytest.approx(written / 2, abs=60)


def test_pages_are_written_one_after_the_other():
    frames, durations = frames_of(render(".apng", document(n_pages=2)))
    assert durations.count(2000) == 2
    first = durations.index(2000)
    assert np.array_equal(frames[first], frames[-1])
    assert (frames[first + 1] < 200).sum() < (frames[first] < 200).sum() / 10


def test_guides_are_there_from_the_beginning_and_colours_stay():
    content = render(".apng", document(colour="#cc0000", kind="ruled"))
    image = Image.open(BytesIO(content))
    rule = round(16 * film.FILM_DPI / 25.4)
    assert image.convert("RGB").getpixel((70, rule)) != (255, 255, 255)
    image.seek(image.n_frames - 1)
    red = np.asarray(image.convert("RGB"), float)
    assert ((red[..., 0] > 150) & (red[..., 1] < 60)).sum() > 50


def test_films_say_how_they_were_written():
    gif, apng = Image.open(BytesIO(render(".gif", document()))), render(".apng", document())
    assert b"Title: snake\nHand: tiny\nLicence: CC0" in gif.info["comment"]
    assert Image.open(BytesIO(apng)).info["Licence"] == "CC0"


def test_a_film_that_is_too_large_says_what_to_do(monkeypatch):
    monkeypatch.setattr(film, "MOST_KEPT_PIXELS", 100_000)
    with pytest.raises(BadOption, match="choose a higher speed, a lower dpi, fewer pages, or an"):
        render(".gif", document())


def test_ffmpeg_reads_the_mp4_that_it_made(tmp_path: Path):
    content = render(".mp4", document())
    assert content == render(".mp4", document())
    (tmp_path / "film.mp4").write_bytes(content)
    read = ["ffmpeg", "-i", str(tmp_path / "film.mp4"), "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    done = subprocess.run(read, capture_output=True, check=True)
    assert b"152x76" in done.stderr  # 40 x 20 mm at 96 dpi, made even
    assert f"{film.FRAMES_PER_SECOND} fps".encode() in done.stderr
    frames = np.frombuffer(done.stdout, np.uint8).reshape(-1, 76, 152)
    assert len(frames) == pytest.approx((41 / STEPS_A_SECOND + 0.2 + 2) * 20, abs=4)
    assert (frames[0] < 100).sum() < (frames[-1] < 100).sum() / 5
    assert b"Licence: CC0" in content


def test_without_ffmpeg_an_mp4_says_what_is_missing(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(BadOption, match=r"needs the program ffmpeg.*install it, or choose \.gif"):
        render(".mp4", document())


def test_an_ffmpeg_that_fails_is_quoted_in_one_line(monkeypatch, tmp_path: Path):
    broken = tmp_path / "ffmpeg"
    broken.write_text("#!/bin/sh\necho 'Unknown encoder libx264' >&2\nexit 1\n")
    broken.chmod(0o700)
    monkeypatch.setattr(shutil, "which", lambda name: str(broken))
    with pytest.raises(BadOption, match=r"could not make the film \(Unknown encoder libx264\)"):
        render(".mp4", document())
