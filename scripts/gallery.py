"""Make the pictures in docs/gallery: what the installed hand writes today, nothing selected.

Run it from anywhere: `python scripts/gallery.py [--hand NAME]`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import handwriter
from handwriter.explain import explain
from handwriter.picture import contact_sheet

GALLERY = Path(__file__).parent.parent / "docs" / "gallery"
SENTENCES = (
    "The quick brown fox jumps over the lazy dog",
    "Dear Anna, thank you for the book.",
    "We arrived late on Sunday, 14 March 1962,",
    "and nobody was there to open the door.",
    "What a committee of fifteen can't decide,",
    "one person often can before breakfast.",
    '"Perhaps," he said, "it will rain."',
    "Wind and waves wore away the old harbour wall.",
    "Please send 250 copies to Mr. Young.",
    "good morning",
    "a",
    "Yes!",
)
SMOOTHNESSES = (0.0, 0.75, 1.5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hand", default="research")
    hand = handwriter.load(parser.parse_args().hand)
    GALLERY.mkdir(parents=True, exist_ok=True)
    rows = []
    for smoothness in SMOOTHNESSES:
        lines = hand.write_lines(SENTENCES, smoothness=smoothness, seed=1)
        n_finished = sum(line.finished for line in lines)
        name = f"unselected-{hand.name}-{smoothness:g}.png"
        captions = [
            f"seed {line.seed}{'' if line.finished else ', unfinished'}: {line.text}"
            for line in lines
        ]
        sheet = contact_sheet(lines, captions, columns=1, width_px=900)
        sheet.save(GALLERY / name, optimize=True)
        rows.append(
            f"![unselected lines at smoothness {smoothness:g}]({name})\n\n"
            f"**Unselected**, smoothness {smoothness:g}, seeds 1 to {len(lines)}: "
            f"{n_finished} of {len(lines)} came to their end.\n"
        )
    trace = hand.trace("Dear Anna, thank you", smoothness=0.75, seed=1)
    (GALLERY / "explain.png").write_bytes(explain(trace, hand.weights))
    (GALLERY / "README.md").write_text(_page(hand, rows), encoding="utf-8")


def _page(hand: handwriter.Hand, rows: list[str]) -> str:
    return "\n".join(
        [
            "# Gallery",
            "",
            f"Made by `python scripts/gallery.py --hand {hand.name}`. Licence: {hand.licence}.",
            "Every line is the first that came: nothing here was selected or drawn again.",
            "",
            *rows,
            "![what the network thought](explain.png)",
            "",
            "`handwriter explain`: the ink, the density of each next point, pen lifts, and the "
            "window over the text (the paper's figures 10 to 13).",
            "",
        ]
    )


if __name__ == "__main__":
    main()
