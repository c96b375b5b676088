"""Text that the commands take in: an argument, a file or standard input."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from handwriter.errors import BadOption

if TYPE_CHECKING:
    from handwriter.drafts import Style
    from handwriter.hand import Hand


def text_lines(text: str | None, file: Path | None) -> list[str]:
    """The lines to write, from the argument, the file or standard input."""
    if text is not None and file is not None:
        raise BadOption("give the text or --input, not both")
    if text is None:
        text = read_text(file)
    lines = text.replace("\r\n", "\n").split("\n")
    return lines[:-1] if len(lines) > 1 and not lines[-1] else lines


def opened_style(hand: Hand, name: str | None, text: str | None) -> Style | None:
    """The style that --style and --style-text ask for, if any."""
    if name is None:
        if text is not None:
            raise BadOption(
                "--style-text needs the ink that it tells of; give it with --style FILE"
            )
        return None
    from handwriter.styles import load_style

    return load_style(hand, name, text=text)


def read_text(file: Path | None) -> str:
    """All of a file, or of standard input; raises BadOption where it is no text."""
    if file is None and sys.stdin.isatty():
        raise BadOption("there is no text; give it as an argument, by --input FILE or by a pipe")
    name = file or "standard input"
    try:
        content = file.read_bytes() if file and str(file) != "-" else sys.stdin.buffer.read()
        return content.decode("utf-8-sig")
    except OSError as error:
        raise BadOption(f"cannot read {name} ({error.strerror}); give a text file") from None
    except UnicodeDecodeError as error:
        raise BadOption(
            f"{name} is not UTF-8 text (byte {error.start + 1}); save it as UTF-8 first"
        ) from None
