"""What was read of each line of a file, told to people and to programs."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from handwriter.ctc import Reading
from handwriter.edits import Errors, character_errors, word_errors
from handwriter.ink import Ink, Line
from handwriter.reader import Reader

DOUBTFUL = 0.8  # less sure characters are marked


@dataclass(frozen=True)
class Transcript:
    """One line as it was read.  `truth` is what it says, and empty where that is not known."""

    source: str
    reading: Reading
    truth: str

    @property
    def characters(self) -> Errors:
        """Wrong characters; none of none where the truth is not known."""
        return character_errors(self.reading.text, self.truth) if self.truth else Errors()

    @property
    def words(self) -> Errors:
        return word_errors(self.reading.text, self.truth) if self.truth else Errors()

    def as_text(self) -> str:
        """What was read; below it marks at the doubtful characters, and the truth if it differs."""
        text, confidences = self.reading.text, self.reading.confidences
        rows = [text]
        marks = "".join("^" if sure < DOUBTFUL else " " for sure in confidences)
        if marks.strip():
            doubts = [
                f"{'blank' if character == ' ' else character} {100 * sure:.0f} %"
                for character, sure in zip(text, confidences, strict=True)
                if sure < DOUBTFUL
            ]
            rows.append(f"{marks}  {', '.join(doubts)}")
        if errors := self.characters.edits:
            noun = "error" if errors == 1 else "errors"
            rows.append(f"{self.truth}  (is what it says: {errors} {noun})")
        return "\n".join(rows)

    def as_json(self) -> str:
        entry: dict[str, object] = {
            "source": self.source,
            "text": self.reading.text,
            "confidences": [float(f"{sure:.4g}") for sure in self.reading.confidences],
        }
        if self.truth:
            characters, words = self.characters, self.words
            entry |= {
                "truth": self.truth,
                "character_errors": characters.edits,
                "characters": characters.length,
                "word_errors": words.edits,
                "words": words.length,
            }
        return json.dumps(entry, ensure_ascii=False)


def transcribe(reader: Reader, lines: Iterable[Line]) -> Iterator[Transcript]:
    """Read each line; a text that is not blank is taken for what it says."""
    shown: deque[Line] = deque()

    def inks() -> Iterator[Ink]:
        for line in lines:
            shown.append(line)
            yield line.ink

    for table in reader.iter_frames(inks()):
        line = shown.popleft()
        yield Transcript(line.source, table.reading(), line.text if line.text.strip() else "")


@dataclass
class Tally:
    """The errors of many lines, of those of which it is known what they say."""

    n_lines: int = 0
    n_known: int = 0
    characters: Errors = field(default_factory=Errors)
    words: Errors = field(default_factory=Errors)

    def add(self, transcript: Transcript) -> None:
        self.n_lines += 1
        self.n_known += bool(transcript.truth)
        self.characters += transcript.characters
        self.words += transcript.words

    def __str__(self) -> str:
        cer, wer = _rate(self.characters, "characters"), _rate(self.words, "words")
        known = f"{self.n_known:,} of {self.n_lines:,} lines have a truth"
        return f"CER {cer}, WER {wer}; {known}"


def _rate(errors: Errors, noun: str) -> str:
    return f"{100 * errors.rate:.2f} % ({errors.edits:,} errors in {errors.length:,} {noun})"
