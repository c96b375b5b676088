"""Films: the pages being written, in the pen's own time, as GIF, animated PNG or MP4."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from itertools import repeat
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image, ImageChops

from handwriter.errors import BadOption
from handwriter.ink import Ink
from handwriter.output.layout import described
from handwriter.output.png import WHITE, blank_paper, check_dpi, coverage, inked, png_chunks, rgb
from handwriter.output.timing import Timed, timeline
from handwriter.page import Document, Layer, Page
from handwriter.picture import draw_ink

FILM_DPI = 96.0
FRAMES_PER_SECOND = 20  # GIF counts in hundredths of a second
HELD_SECONDS = 2  # a page stands so long when it is written
MOST_KEPT_PIXELS = 300_000_000  # of all frames of a GIF or animated PNG together
PIECES = 4  # of the curve from point to point
ENCODER = (
    "-an", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "20", "-threads", "1",
    "-fflags", "+bitexact", "-flags:v", "+bitexact", "-movflags", "+faststart",
)  # fmt: skip


def gif(
    document: Document, *, dpi: float = FILM_DPI, paper: str = WHITE, speed: float = 1.0
) -> bytes:
    """The pages being written, one after the other, for ever; `speed` 2 is twice a person's."""
    about = "\n".join(f"{name}: {value}" for name, value in described(document).items())
    film = Film.of(document, dpi, paper, speed)
    return film.kept("gif", comment=about.encode())


def apng(
    document: Document, *, dpi: float = FILM_DPI, paper: str = WHITE, speed: float = 1.0
) -> bytes:
    """As `gif`, an animated PNG: more colours, and it can be transparent."""
    film = Film.of(document, dpi, paper, speed)
    return film.kept("png", dpi=(dpi, dpi), pnginfo=png_chunks(document))


def mp4(
    document: Document, *, dpi: float = FILM_DPI, paper: str = WHITE, speed: float = 1.0
) -> bytes:
    """As `gif`, once, as H.264 video; raises BadOption where there is no program ffmpeg."""
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        raise BadOption(
            "an .mp4 needs the program ffmpeg, and there is none on the path; install it, or "
            "choose .gif or .apng"
        )
    film = Film.of(document, dpi, paper, speed)
    width, height = (side + side % 2 for side in film.size)  # H.264 halves colours
    told = described(document)
    comment = "; ".join(f"{name}: {told[name]}" for name in document.about)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "film.mp4"
        command = [
            ffmpeg, "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24",
            "-s", f"{width}x{height}", "-r", str(FRAMES_PER_SECOND), "-i", "-", *ENCODER,
            "-metadata", f"title={told['Title']}", "-metadata", f"comment={comment}", str(file),
        ]  # fmt: skip
        _run(command, (_padded(frame, width, height) for frame in film.steady_frames()))
        return file.read_bytes()


@dataclass(frozen=True, eq=False)
class Film:
    """Pages with the times of their strokes, to be shown as pictures of one size."""

    pages: tuple[tuple[Page, list[Timed]], ...]
    dpi: float
    paper: str
    size: tuple[int, int]

    @staticmethod
    def of(document: Document, dpi: float, paper: str, speed: float) -> Film:
        """Raises BadOption for a dpi, colour or speed that cannot be."""
        pages = tuple((page, timeline(page, speed)) for page in document.pages)
        if not pages:
            raise BadOption("a film shows pages, and there are none")
        sizes = [blank_paper(page, check_dpi(dpi), paper).size for page, _ in pages]
        return Film(pages, dpi, paper, (max(w for w, _ in sizes), max(h for _, h in sizes)))

    @property
    def durations_ms(self) -> list[int]:
        """How long each frame stands."""
        usual = 1000 // FRAMES_PER_SECOND
        return [
            ms
            for _, strokes in self.pages
            for ms in [*repeat(usual, _n_frames(strokes) - 1), 1000 * HELD_SECONDS]
        ]

    def kept(self, kind: str, **about: object) -> bytes:
        """A file of a kind whose frames Pillow keeps until all are there.

        Raises BadOption where they are more than it should keep.
        """
        durations, (width, height) = self.durations_ms, self.size
        if len(durations) * width * height > MOST_KEPT_PIXELS:
            raise BadOption(
                f"a film of {len(durations):,} frames of {width:,} x {height:,} pixels is too "
                f"large (the most is {MOST_KEPT_PIXELS:,} pixels in all); choose a higher speed, a "
                "lower dpi, fewer pages, or an .mp4"
            )
        file, (first, *more) = BytesIO(), self.frames()
        first.save(
            file, kind, save_all=True, append_images=more, duration=durations, loop=0, **about
        )
        return file.getvalue()

    def frames(self) -> Iterator[Image.Image]:
        """The pictures, one at a time; the last of each page shows all of it."""
        for page, strokes in self.pages:
            yield from self._frames_of(page, strokes)

    def steady_frames(self) -> Iterator[Image.Image]:
        """The pictures, each as often as it takes where all stand equally long."""
        for frame, ms in zip(self.frames(), self.durations_ms, strict=True):
            yield from repeat(frame, ms * FRAMES_PER_SECOND // 1000)

    def _frames_of(self, page: Page, strokes: list[Timed]) -> Iterator[Image.Image]:
        """Ink is laid on as the largest of what covered a pixel, so that it may be drawn twice."""
        ground, masks = self._ground(page)
        left = [_curved(timed) for timed in strokes]
        for number in range(_n_frames(strokes)):
            now = number / FRAMES_PER_SECOND
            while left and left[0].times[0] <= now:
                timed = left[0]
                self._draw(masks, timed, timed.stroke[timed.times <= now])
                if timed.times[-1] > now:
                    break
                left.pop(0)
            frame = ground.copy()
            for layer, mask in masks.items():
                inked(frame, mask, rgb(layer.colour))
            yield frame

    def _ground(self, page: Page) -> tuple[Image.Image, dict[Layer, Image.Image]]:
        """The paper with its guides, and for each layer of ink how it covers it: not yet."""
        ground = blank_paper(page, self.dpi, self.paper)
        if ground.mode == "L" and any(len(set(rgb(layer.colour))) > 1 for layer in page.layers):
            ground = ground.convert("RGB")
        whole = Image.new(ground.mode, self.size, 0)
        whole.paste(ground)
        masks = {}
        for layer in page.layers:
            if layer.is_guide:
                inked(whole, coverage(layer, self.size, self.dpi, "line", 1.0), rgb(layer.colour))
            else:
                masks[layer] = Image.new("L", self.size, 0)
        return whole, masks

    def _draw(self, masks: dict[Layer, Image.Image], timed: Timed, part: np.ndarray) -> None:
        px_per_mm = self.dpi / 25.4
        new = Image.new("L", self.size, 0)
        pen_px = timed.layer.pen_mm * px_per_mm
        draw_ink(new, Ink((part * px_per_mm,)), pen_px=pen_px, grey=255)
        masks[timed.layer] = ImageChops.lighter(masks[timed.layer], new)


def _n_frames(strokes: list[Timed]) -> int:
    return 1 + ceil(strokes[-1].times[-1] * FRAMES_PER_SECOND) if strokes else 1


def _curved(timed: Timed) -> Timed:
    """The stroke as the curve through its points, with a time for each of the curve's."""
    (curve,) = Ink((timed.stroke,)).smoothed(PIECES).strokes
    at = np.linspace(0, len(timed.stroke) - 1, len(curve))
    return Timed(timed.layer, curve, np.interp(at, np.arange(len(timed.stroke)), timed.times))


def _padded(frame: Image.Image, width: int, height: int) -> bytes:
    """The picture's bytes in red, green and blue, a row or column of white more where need be."""
    whole = Image.new("RGB", (width, height), WHITE)
    whole.paste(frame, (0, 0), frame if frame.mode == "RGBA" else None)
    return whole.tobytes()


def _run(command: list[str], frames: Iterable[bytes]) -> None:
    """Give the frames to ffmpeg; raises BadOption with its own last words where it fails."""
    with (Path(command[-1]).parent / "errors").open("w+b") as errors:
        program = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors
        )
        assert program.stdin is not None
        try:
            for frame in frames:
                program.stdin.write(frame)
            program.stdin.close()
        except BrokenPipeError:  # it says why, below
            with suppress(BrokenPipeError):
                program.stdin.close()
        except BaseException:
            program.kill()
            raise
        finally:
            status = program.wait()
        errors.seek(0)
        words = errors.read().decode(errors="replace").split("\n")
    if status:
        why = next((word.strip() for word in reversed(words) if word.strip()), f"status {status}")
        raise BadOption(
            f"ffmpeg could not make the film ({why}); it needs its encoder libx264, or choose "
            ".gif or .apng"
        )
