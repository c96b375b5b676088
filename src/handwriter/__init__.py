"""Writes any text as a person would, pen stroke by pen stroke.

    import handwriter

    hand = handwriter.load()
    ink = hand.write("The quick brown fox", smoothness=1.5, seed=7)
    handwriter.save("fox.svg", ink)

    author = handwriter.Author(hand, handwriter.load_reader())
    line = author.write("The quick brown fox", seed=7)  # read, and drawn again if need be

What is needed of NumPy, ONNX Runtime and Pillow is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from handwriter.author import Author, Checked
    from handwriter.drafts import Style
    from handwriter.errors import HandwriterError
    from handwriter.hand import Hand, load
    from handwriter.ink import Ink, Line, Written
    from handwriter.output import save
    from handwriter.reader import Reader, load_reader
    from handwriter.styles import load_style

__all__ = [
    "Author", "Checked", "Hand", "HandwriterError", "Ink", "Line", "Reader", "Style", "Written",
    "load", "load_reader", "load_style", "save",
]  # fmt: skip

_HOMES = {
    "Author": "author",
    "Checked": "author",
    "Hand": "hand",
    "HandwriterError": "errors",
    "Ink": "ink",
    "Line": "ink",
    "Reader": "reader",
    "Style": "drafts",
    "Written": "ink",
    "load": "hand",
    "load_reader": "reader",
    "load_style": "styles",
    "save": "output",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'handwriter' has no attribute {name!r}")
    return getattr(import_module(f"handwriter.{_HOMES[name]}"), name)
