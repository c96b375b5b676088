"""The reader: ink in, text out, and how sure that is.

The network is the graph that `training.export_reader` wrote; here is what goes around it: lines
of like length in one batch, and the way from its frames to a text (`handwriter.ctc`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from handwriter.ctc import FrameTable, Reading
from handwriter.edits import character_errors
from handwriter.errors import BadData, BadReader
from handwriter.features import N_FEATURES, VIEW, Floats, features
from handwriter.ink import Ink, Line
from handwriter.weights import DEFAULT_READER, ReaderWeights, load_reader_weights

MOST_LINES_AT_ONCE = 64
CONTRADICTED = 0.5
MOST_POINTS_AT_ONCE = 65_536  # in a batch with its padding, unless a single line has more
LINES_AHEAD, POINTS_AHEAD = 256, 262_144  # are sorted by length, so that little is padding


class Reader:
    """A trained network that reads.

    It keeps nothing between calls.  On one machine a line is read the same, to the last bit,
    whatever lines are read with it and on however many threads.  Other processors and other
    versions of ONNX Runtime round differently in the last bits of its probabilities.
    """

    def __init__(self, weights: ReaderWeights) -> None:
        """Raises BadReader where it was trained to see ink otherwise than it is shown here."""
        if weights.features != VIEW:
            raise BadReader(
                f"{weights.name} was trained on other features of ink ({weights.features}) than "
                f"this program makes ({VIEW}); train and export it again"
            )
        self.weights = weights

    @property
    def name(self) -> str:
        return self.weights.name

    @property
    def licence(self) -> str:
        return self.weights.licence

    @property
    def characters(self) -> str:
        """The characters that it learned to read."""
        return self.weights.characters

    def read(self, ink: Ink, *, spread: float | None = None) -> Reading:
        """Read one line of ink; a line without ink says nothing.

        `spread` is the standard deviation of y in such writing, in the ink's own unit.  It is
        found from the ink where it is not given, and then a lone dash may look like anything.
        Raises BadData where the ink is larger than any line of writing.
        """
        return self.read_lines([ink], spread=spread)[0]

    def read_lines(self, inks: Iterable[Ink], *, spread: float | None = None) -> list[Reading]:
        """Read each line of ink; they go through the network some at a time."""
        return [table.reading() for table in self.iter_frames(inks, spread=spread)]

    def frames(self, inks: Iterable[Ink], *, spread: float | None = None) -> list[FrameTable]:
        """What the network makes of each line: its `reading`, and the `nats` of any text."""
        return list(self.iter_frames(inks, spread=spread))

    def iter_frames(
        self, inks: Iterable[Ink], *, spread: float | None = None
    ) -> Iterator[FrameTable]:
        """As `frames`, a line at a time and in order: for progress bars and many lines."""
        alphabet = self.weights.alphabet
        nothing = FrameTable(np.zeros((0, 1 + len(alphabet)), np.float32), alphabet)
        for rows in _some_ahead(_shown(inks, spread)):
            tables = [nothing] * len(rows)
            for batch in _batches([len(row) for row in rows]):
                for i, table in zip(batch, self._tables([rows[i] for i in batch]), strict=True):
                    tables[i] = table
            yield from tables

    def contradicted(
        self, lines: Sequence[Line], most_errors: float = CONTRADICTED
    ) -> Iterator[bool]:
        """Of each line whether it says something else than its text: for cleaning training data.

        It does where more than `most_errors` of its characters are read otherwise, half of them
        unless told: a reader that is unsure is wrong here and there, but another text is wrong
        all along.  A smaller share also finds what was written so that nobody can read it.
        """
        tables = self.iter_frames(line.ink for line in lines)
        for line, table in zip(lines, tables, strict=True):
            yield character_errors(table.reading().text, line.text).rate > most_errors

    def _tables(self, rows: list[Floats]) -> Iterator[FrameTable]:
        """One run of the network over lines of features."""
        lengths = np.array([len(row) for row in rows], np.int64)
        padded = np.zeros((len(rows), lengths.max(), N_FEATURES), np.float32)
        for line, row in zip(padded, rows, strict=True):
            line[: len(row)] = row
        found, n_frames = self.weights.session.run(
            ["log_probabilities", "frames"], {"features": padded, "lengths": lengths}
        )
        for line, n in zip(found, n_frames, strict=True):
            if not np.isfinite(line[:n]).all():
                raise BadReader(
                    f"{self.name} gave probabilities that are no numbers; its training went "
                    "wrong, use another reader"
                )
            yield FrameTable(line[:n].copy(), self.weights.alphabet)


def load_reader(
    name_or_path: str | os.PathLike[str] = DEFAULT_READER, *, threads: int = 1
) -> Reader:
    """Load an installed reader by name, or one from an `.onnx` file; raises BadReader."""
    return Reader(load_reader_weights(name_or_path, threads=threads))


def _shown(inks: Iterable[Ink], spread: float | None) -> Iterator[Floats]:
    """The features of each line; none where there is no ink."""
    for number, ink in enumerate(inks, start=1):
        if not ink.strokes:
            yield np.zeros((0, N_FEATURES), np.float32)
            continue
        try:
            yield features(ink, spread)
        except BadData as error:
            raise BadData(f"cannot read line {number}: {error}") from None


def _some_ahead(rows: Iterable[Floats]) -> Iterator[list[Floats]]:
    """The lines as they come, so many at a time that memory stays small."""
    some: list[Floats] = []
    for row in rows:
        some.append(row)
        if len(some) == LINES_AHEAD or sum(map(len, some)) >= POINTS_AHEAD:
            yield some
            some = []
    if some:
        yield some


def _batches(lengths: list[int]) -> Iterator[list[int]]:
    """The numbers of the lines that go together, those of like length; lines of no length not."""
    batch: list[int] = []
    for i in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (
            len(batch) == MOST_LINES_AT_ONCE or (len(batch) + 1) * lengths[i] > MOST_POINTS_AT_ONCE
        ):
            yield batch
            batch = []
        if lengths[i]:
            batch.append(i)
    if batch:
        yield batch
