"""Make the pictures in docs/gallery: what the installed hand writes today, raw and checked.

Run it from anywhere: `python scripts/gallery.py [--hand NAME] [--reader NAME]`.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from PIL.Image import Palette

import handwriter
from handwriter.characters import N_WORDS, attempts, scores, sheet
from handwriter.cli import run
from handwriter.evaluation import load_sentences
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
MARKED = ("Ångström,", "façade,", "Škoda,", "naïve,", "Straße,", "jalapeño")
LETTER = """Dear Anna,

thank you for the book & the tea. We arrived on Sunday, 14 March, and nobody was there to open the \
door; so we sat in the café (it has 12 tables!) and read until 7 o'clock. The house is as you told \
us: cold, quiet, and quite lovely.

Write soon -- Jürgen sends his love.

    Yours, Zoë
"""
SMOOTHNESSES = (0.0, 0.75, 1.5)
FIFTY_SMOOTHNESS = 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hand", default="open")
    parser.add_argument("--reader", default="open")
    arguments = parser.parse_args()
    hand = handwriter.load(arguments.hand)
    author = handwriter.Author(hand, handwriter.load_reader(arguments.reader))
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
    rows += _fifty(author)
    rows += _marked(author)
    rows += _characters(author)
    rows += _letter(author)
    trace = hand.trace("Dear Anna, thank you", smoothness=0.75, seed=1)
    (GALLERY / "explain.png").write_bytes(explain(trace, hand.weights))
    (GALLERY / "README.md").write_text(_page(hand, rows), encoding="utf-8")


def _fifty(author: handwriter.Author) -> list[str]:
    """The first 50 of the test sentences, as they came, and as the author gives them."""
    texts, smoothness = load_sentences()[:50], FIFTY_SMOOTHNESS
    raw = author.hand.write_lines(texts, smoothness=smoothness, seed=1)
    checked = list(author.iter_lines(texts, smoothness=smoothness, seed=1))
    captions = [
        f"{line.text} | read: {line.read} | best of {line.n_candidates}" for line in checked
    ]
    name = author.hand.name
    for kind, lines, words in (("unselected", raw, texts), ("checked", checked, captions)):
        sheet = contact_sheet(lines, words, columns=2, width_px=1400)
        sheet.convert("P", palette=Palette.ADAPTIVE, colors=16).save(
            GALLERY / f"fifty-{kind}-{name}.png", optimize=True
        )
    n_legible = sum(line.is_legible for line in checked)
    n_right = sum(line.read == line.text for line in checked)
    drawn = sum(line.n_candidates for line in checked) / len(checked)
    return [
        f"![50 unselected lines](fifty-unselected-{name}.png)\n\n"
        f"**Unselected**, smoothness {smoothness:g}, seeds 1 to 50, the first 50 of the sentences "
        "that `handwriter evaluate` writes.\n",
        f"![50 checked lines](fifty-checked-{name}.png)\n\n"
        f"**Selected**: the same sentences and seeds as the author gives them, {drawn:.1f} "
        f"candidates drawn a line; {n_right} of 50 read exactly, {n_legible} legible (at most a "
        "fifth of the characters read wrongly).\n",
    ]


def _marked(author: handwriter.Author) -> list[str]:
    """Words with letters beyond ASCII: their base letters checked, the marks drawn on them."""
    lines = list(author.iter_lines(MARKED, seed=1))
    name = f"marked-{author.hand.name}.png"
    handwriter.save(GALLERY / name, lines)
    n_right = sum(line.error_rate == 0 for line in lines)
    return [
        f"![words with marks]({name})\n\n"
        f"**Selected**, smoothness 1.5, seeds 1 to {len(lines)}: {' '.join(MARKED)} "
        f"([how](../letters.md)); {n_right} of {len(lines)} read exactly, without their marks.\n",
    ]


def _characters(author: handwriter.Author) -> list[str]:
    """Words with each character, as the author gives them."""
    found = list(attempts(author))
    name = f"characters-{author.hand.name}.png"
    small = sheet(found).convert("L").reduce(2)  # a picture of 1,900 words has a megabyte
    small.convert("P", palette=Palette.ADAPTIVE, colors=16).save(GALLERY / name, optimize=True)
    read = scores(found, author.reader.characters)
    n_enough = sum(score.is_enough for score in read)
    return [
        f"![{N_WORDS} words with each character]({name})\n\n"
        f"**Selected**: {N_WORDS} words with each character as the author gives them, with what "
        f"was read where it is wrong; {n_enough} of {len(read)} characters are read often enough "
        "(18 of 20, signs 15 of 20), as `handwriter evaluate --characters` counts.\n"
    ]


def _letter(author: handwriter.Author) -> list[str]:
    """A page, as the command line makes it."""
    name = f"page-{author.hand.name}.png"
    options = (
        "--paper a6 --margins 10 --x-height 1.8 --guides ruled --style maple --seed 4 --dpi 150"
    )
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "letter.txt"
        text.write_text(LETTER, encoding="utf-8")
        command = ["page", str(text), "-o", str(GALLERY / name), *options.split()]
        if run(["--no-config", *command, "--hand", author.hand.name]):
            return []
    return [
        f"![a page]({name})\n\n"
        f"**Selected**: `handwriter page letter.txt -o letter.png {options}`.\n"
    ]


def _page(hand: handwriter.Hand, rows: list[str]) -> str:
    return "\n".join(
        [
            "# Gallery",
            "",
            f"Made by `python scripts/gallery.py --hand {hand.name}`. Licence: {hand.licence}.",
            "What is marked unselected is the first that came, drawn once.",
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
