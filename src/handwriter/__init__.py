"""Writes any text as a person would, pen stroke by pen stroke.

    import handwriter

    hand = handwriter.load()
    ink = hand.write("The quick brown fox", smoothness=1.5, seed=7)
    handwriter.save("fox.svg", ink)

What is needed of NumPy, ONNX Runtime and Pillow is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from handwriter.errors import HandwriterError
    from handwriter.hand import Hand, load
    from handwriter.ink import Ink, Line, Written
    from handwriter.output import save

__all__ = ["Hand", "HandwriterError", "Ink", "Line", "Written", "load", "save"]

_HOMES = {
    "Hand": "hand",
    "HandwriterError": "errors",
    "Ink": "ink",
    "Line": "ink",
    "Written": "ink",
    "load": "hand",
    "save": "output",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'handwriter' has no attribute {name!r}")
    return getattr(import_module(f"handwriter.{_HOMES[name]}"), name)
