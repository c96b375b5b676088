"""Each character by itself: words with it as people write them, and how many can be read.

For every character that a hand knows, some words have it at their begin, in their middle and at
their end; a sign stands where people set it.  They are the same words for every hand.
"""

from __future__ import annotations

import itertools
import re
import string
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from handwriter.alphabet import kind_of
from handwriter.author import DEFAULT_CANDIDATES, UNIT, Author
from handwriter.edits import aligned
from handwriter.ink import Ink, Written
from handwriter.picture import contact_sheet
from handwriter.pieces import DEFAULT_SMOOTHNESS

N_WORDS = 20  # of each character
CELL_PX, ROW_PX = 108, 56  # of a word on the sheet
# Of so many in a hundred words a character has to be read rightly.
ENOUGH = {"lower case": 90, "capitals": 90, "digits": 90, "signs": 75, "": 90}
# Some characters are one shape: only the words around them tell which was meant.
ALIKE = ("lI|1!", "O0o", "'`,", "-_~", "cC", "kK", "pP", "sS5", "uU", "vV", "wW", "xX", "zZ2")
ALIKE_TOLD = (
    "l I | 1 and O 0 are often one shape, and so are ' `, - _ and c C, k K, o O, p P, s S, u U, "
    "v V, w W, x X, z Z; a reader tells them by size and by what stands around them, and here "
    "that is one word"
)

_WORDS = """
about above across after again almost always among animal answer apple aqua area away axe baby
back bacon banjo basic because begin below between bizarre black blaze blue book box bread bridge
bring brown buzz cab calf calm camera carry chef chic child circus city club coffee comic cozy
crab cube curb daily damp dance deaf dear debut deck dig disc dozen dream drive dwarf each eagle
early east edge eight elf email enjoy enough equal evening exact excel extra fable fifth fizz
flag flex fluffy fog fox frequent frog fudge full fuzzy gaze gift giraffe glove graph grub guava
guess gym half happy haze hajj heavy helix hobby hoax huge human ibex ice idea image index inbox
ink island item ivy jab jacket jam jazz jeans jelly jigsaw job joke journey juice jump just
kayak keep key khaki kick kilo kiwi knack knob kiosk label lake large latex laugh leaf lemon life
lamb lynx magic major mango maze medium milk mix mosque motif muzzle myth naive nephew never next
nickel nobody north nymph oath object obvious ocean offbeat often onyx opaque orbit our oven oxen
park piano pizza plaza plumb poem prefix project proof public puzzle pyjamas quake quality quartz
queen quick quiet quilt quit quiz quote raj razor relax relic rev rhythm river rob roof rugby
sadly scarf scuba sequel shelf sheriff shrimp sixty sky soap soviet squad stuff suffix sunny
swift syrup system taj talk tax technique textbook thigh topaz toxic tribe trunk tub twelve type
ugly umbrella unique until upon urban use usual vague value van vex video view violet visit viva
vivid voice vowel waltz wave web wharf which why width window wolf woman wreck xenon xerox xylem
yacht yawn year yellow yoga young your youth yoyo yummy zebra zero zigzag zinc zip zone zoo zoom
benzaldehyde conquest inquire request require squirt unequal leave love improv spiv chekhov menu
emu you
"""
_NAMES = """
Adam Agnes Alice Anna Arthur Asia Bath Berlin Betty Bob Brown Bruce Cairo Carl Cecil China Clara
Cuba Daisy David Delhi Diana Dora Dublin Edgar Egypt Ella Emma Essex Europe Fiji Finland Fiona
France Fred Frida George Ghana Gina Grace Greece Gwen Hanoi Harry Helen Henry Hilda Hugo Ian Ida
India Iraq Irene Italy Jack James Janet Japan Jenny John Karl Kate Kenya Kiev Korea Kurt Laura
Leeds Leo Lima London Lucy Malta Maria Max Mexico Miles Monday Nancy Nepal Nina Nora Norway
Norman Oliver Olga Oman Oscar Oslo Otto Paris Paul Perth Peru Peter Poland Qatar Queen Quebec
Quentin Quincy Quito Quinn Rachel Ralph Robert Rome Rosa Ruth Sally Sam Simon Spain Sudan Susan
Texas Thomas Tibet Tokyo Tom Turkey Uganda Ulm Ulrich Una Ursula Utah Vera Venice Victor Vienna
Viola Vivian Wales Walter Warsaw Wendy Will Winnie Xavier Xena Xerxes Xian Xenia Xhosa Yale
Yemen Yvonne Yorick York Yukon Zagreb Zambia Zara Zelda Zoe Zurich
"""
_ACRONYMS = """
ABBA AIX BBC BMX BWV CIA CPU DIY DJ DVD EEG EU FAQ FBI FM FTP GDP GHQ GPS GQ HBO HIV HMV IBM ICQ
IOU IPO IQ IRQ JFK JPG KFC KLM LAX LCD LP LXX MIT MPG MRI NASA NATO NYC NZ OECD OK OZ PDF PhD
QED QXL RAF RSVP SOS SQL STUV TNT TV TXT UFO UK UNO USA USB VAT VHF VIP WHO WWF WWW XII XML XXV
XYZ YMCA ZDF MQ TQ HQ BQ McGraw MacKay eBay iPad JUJU HAJJ RAJ DJs BJ TAJ JVC LUV REV KIEV XVI
ZZ JAZZ QUIZ FIZZ BUZZ ANZ WALTZ KHAKI ROCK PARK
"""
WORDS, NAMES, ACRONYMS = _WORDS.split(), _NAMES.split(), _ACRONYMS.split()

# Where people set a sign or a digit, two blanks between.  {w} is a word, {N} a name, {n} a number,
# {d} a digit, {x} a letter, {c} the character itself.
PLACES = {
    "!": "{w}!  {N}!  No!  Oh, {w}!  {N} {w}!",
    '"': '"{w}"  "{N}"  "{w},"  "{w} {w}"  a "{w}"',
    "#": "#{n}  #{d}  {N} #{d}  #{w}  C#  No. #{n}  track #{d}",
    "$": "${n}  ${d}.50  US${n}  ${n} {w}  only ${d}  (${n})",
    "%": "{n}%  {n} %  {n}% {w}  {d}.{d}%  about {n}%",
    "&": "{N} & {N}  {w} & {w}  R&B  Q&A  {N}&{N}  & Co.",
    "'": "{N}'s  {w}'s  don't  it's  I'm  we'll  they've  can't  isn't  o'clock  '{w}'  {N}'",
    "(": "({w})  ({n})  (see {w})  {N} ({n})  f({x})  ({x}) {w}",
    ")": "({w})  {x}) {w}  ({n})  {d}) {w}  f({x})  (in {N})",
    "*": "*{w}  {w}*  {d}*{n}  {x} * {x}  * {w}  **{w}",
    "+": "{d} + {d}  {x}+{x}  +{n}  {n}+  {w} + {w}  C++  A+",
    ",": "{w}, {w}  {N}, {w}  {d},{n}  {N}, {N}  no, {w}  {w},",
    "-": "{w}-{w}  {n}-{n}  -{d}  {x}-{w}  {N} - {N}  {N}-{N}",
    ".": "{w}.  {N}.  {d}.{n}  Mr. {N}  Dr. {N}  {x}.{x}.  etc.  www.{w}.com",
    "/": "{d}/{d}  {w}/{w}  {n}/{n}  and/or  km/h  {x}/{x}  /{w}",
    ":": "{w}:  {d}:30  {N}: {d}  {d}:{d}  {w}: {n}  Re: {w}",
    ";": "{w};  {N};  {w}; {w}  {n}; {n}  {x}; {x}  ({w});",
    "<": "{x} < {x}  {d} < {n}  <{w}>  {x}<{d}  <{n}  {w} < {w}",
    "=": "{x} = {x}  {d} = {d}  {x}={n}  {w} = {w}  ={n}  {x} = {d}",
    ">": "{x} > {x}  {n} > {d}  <{w}>  {x}>{d}  >{n}  {w} > {w}",
    "?": "{w}?  {N}?  Why?  Who is {N}?  {w} {w}?  ({w}?)",
    "@": "{w}@{w}  {N}@{N}  @{w}  {x}@{w}.com  @ {d} {w}  {w}@{x}.uk",
    "[": "[{w}]  [{n}]  {x}[{d}]  [{N}]  [{x}]  [see {w}]",
    "\\": r"\{w}  {w}\{w}  C:\{w}  {x}\{x}  \n  \{N}",
    "]": "[{w}]  [{n}]  {x}[{d}]  [{N}]  [{x}]  [in {w}]",
    "^": "{x}^{d}  {d}^{n}  {x}^{x}  e^{x}  ^{w}  {n}^{d}",
    "_": "{w}_{w}  {x}_{d}  {w}_{n}  my_{w}  __{w}  {N}_{w}",
    "`": "`{w}`  `{w}  `{x}`  `{N}`  `{w}'  `{n}`",
    "{": "{{w}}  {{d}}  {{x},{x}}  {{n}}  { {w} }  f{{x}}",
    "|": "|{x}|  {w}|{w}  {x}|{x}  {w} | {w}  |{n}|  {N}|{N}",
    "}": "{{w}}  {{d}}  {{x},{x}}  {{n}}  { {w} }  f{{x}}",
    "~": "~{n}  ~{d}  {x} ~ {x}  ~{w}  ~{n} {w}  {w}~{w}",
    "digits": "{c}{d}  {d}{c}  {n}{c}  {c}{n}  {d}{c}{d}  {c},{d}00  {c}:{d}0  {d}.{c}  "
    "No. {c}  19{c}{d}  20{d}{c}  {c}% {w}  {d}/{c}  {w} {c}  {c} {w}  ({c})",
    " ": "{w} {w}  {w} {x}  {N} {w}  {d} {w}  {x} {w}  {w} {N}  {N} {N}  {w}, {w}",
}
MOST_TRIES = 400  # to find words that a hand with few characters knows


@dataclass(frozen=True)
class CharacterScore:
    """How often one character was read rightly, of the words with it.

    A word is `right` where this character is read rightly wherever it stands in it.  `instead`
    counts what was read in its place, "" where nothing was; `alike` are the characters of like
    shape.  One that the reader never learned is not `known`, and cannot be right.
    """

    character: str
    right: int
    words: int
    instead: dict[str, int] = field(default_factory=dict)
    known: bool = True

    @property
    def kind(self) -> str:
        return kind_of(self.character)

    @property
    def alike(self) -> str:
        groups = [group for group in ALIKE if self.character in group]
        return "".join(dict.fromkeys(c for group in groups for c in group if c != self.character))

    @property
    def is_enough(self) -> bool:
        """Whether it is read as often as we ask: 18 of 20, signs 15 of 20."""
        return 100 * self.right >= ENOUGH[self.kind] * self.words

    def row(self) -> dict[str, Any]:
        return {
            "character": self.character, "kind": self.kind or "blank", "right": self.right,
            "words": self.words, "enough": self.is_enough, "instead": self.instead,
            "alike": self.alike, "known_to_reader": self.known,
        }  # fmt: skip


@dataclass(frozen=True, eq=False)
class Attempt:
    """A word with a character, as it was written and as it was read."""

    character: str
    ink: Written
    read: str

    @property
    def in_place(self) -> list[str | None]:
        """What was read in each place of the character."""
        text = " ".join(self.ink.text.split())
        pairs = zip(aligned(self.read, text), text, strict=True)
        return [found for found, meant in pairs if meant == self.character]

    @property
    def is_right(self) -> bool:
        return all(found == self.character for found in self.in_place)


def attempts(
    author: Author, *, words: int = N_WORDS, smoothness: float = DEFAULT_SMOOTHNESS, seed: int = 1,
    candidates: int = DEFAULT_CANDIDATES, checked: bool = True,
) -> Iterator[Attempt]:  # fmt: skip
    """So many words with each character that the hand knows, in order, as the author writes them.

    Where not `checked`, as the hand writes them: the first that comes.
    """
    characters, known = author.hand.characters, author.hand.characters
    asked = [(c, text) for c in characters for text in words_with(c, known, words)]
    texts = [text for _, text in asked]
    if checked:
        lines: Iterable[Written] = author.iter_lines(
            texts, smoothness=smoothness, seed=seed, candidates=candidates
        )
        found: Iterator[tuple[Written, str]] = ((line, line.read or "") for line in lines)
    else:
        found = _raw(author, texts, smoothness, seed)
    for (character, _), (line, read) in zip(asked, found, strict=True):
        yield Attempt(character, line, read)


def _raw(
    author: Author, texts: Sequence[str], smoothness: float, seed: int
) -> Iterator[tuple[Written, str]]:
    """Each text as the hand writes it at once, and what the reader reads."""
    shown: deque[Written] = deque()

    def inks() -> Iterator[Ink]:
        for line in author.hand.iter_lines(texts, smoothness=smoothness, seed=seed):
            shown.append(line)
            yield line

    for table in author.reader.iter_frames(inks(), spread=UNIT):
        yield shown.popleft(), table.reading().text


def n_attempts(author: Author, words: int = N_WORDS) -> int:
    """How many there will be."""
    known = author.hand.characters
    return sum(len(words_with(character, known, words)) for character in known)


def scores(found: Iterable[Attempt], known_to_reader: str) -> list[CharacterScore]:
    """How often each character was read rightly, in the order of the attempts."""
    by_character: dict[str, list[Attempt]] = {}
    for attempt in found:
        by_character.setdefault(attempt.character, []).append(attempt)
    return [
        CharacterScore(
            character=character,
            right=sum(attempt.is_right for attempt in some),
            words=len(some),
            instead=_instead(character, some),
            known=character in known_to_reader,
        )
        for character, some in by_character.items()
    ]


def sheet(found: Iterable[Attempt]) -> Image.Image:
    """All words, a row for each character; beneath each its text, and if wrong what was read."""
    rows: dict[str, list[Attempt]] = {}
    for attempt in found:
        rows.setdefault(attempt.character, []).append(attempt)
    columns = max(map(len, rows.values()))
    inks: list[Ink] = []
    captions: list[str] = []
    for some in rows.values():
        n_spare = columns - len(some)
        inks += [*(attempt.ink for attempt in some), *[Ink(())] * n_spare]
        captions += [*map(_caption, some), *[""] * n_spare]
    return contact_sheet(inks, captions, columns=columns, width_px=columns * CELL_PX, row_px=ROW_PX)


def words_with(character: str, known: str, n: int = N_WORDS) -> list[str]:
    """So many different words with a character, of `known` ones alone; fewer where there are few.

    They depend on nothing but the arguments.
    """
    rng = np.random.default_rng(ord(character))
    kind = kind_of(character)
    if kind in ("lower case", "capitals"):
        found = _in_turn(_letter_words(character, kind), rng)
    else:
        places = PLACES.get("digits" if kind == "digits" else character, "{c}  {w}{c}  {c}{w}")
        found = _placed(character, places.split("  "), known, rng)
    words: dict[str, None] = {}  # a set that keeps its order
    for word in found:
        if len(words) == n:
            break
        if character in word and set(word) <= {*known, " "}:
            words[word] = None
    return list(words)


def _letter_words(letter: str, kind: str) -> list[list[str]]:
    """Words with it, sorted by where it stands."""
    if kind == "lower case":
        pool = WORDS + NAMES
        begins = [word for word in pool if word.startswith(letter)]
        ends = [word for word in pool if word.endswith(letter)]
        return [begins, [word for word in pool if letter in word[1:-1]], ends]
    names = [name for name in NAMES if name.startswith(letter)]
    sentence = [word.capitalize() for word in WORDS if word.startswith(letter.lower())]
    return [names, sentence, [word for word in ACRONYMS if letter in word]]


def _in_turn(lists: list[list[str]], rng: np.random.Generator) -> Iterator[str]:
    """One of each list after the other, each in an order drawn by chance, until all are given."""
    mixed = [[words[i] for i in rng.permutation(len(words))] for words in lists]
    for row in itertools.zip_longest(*mixed):
        yield from (word for word in row if word)


def _placed(
    character: str, places: Sequence[str], known: str, rng: np.random.Generator
) -> Iterator[str]:
    """The places one after the other, filled with words, names, numbers and letters by chance."""
    words = [word for word in WORDS if set(word) <= set(known)] or [""]
    names = [name for name in NAMES if set(name) <= set(known)] or words
    letters = sorted({*"abcdehkmnprstuvwxyz"} & set(known)) or [""]
    digits = sorted({*string.digits} & set(known)) or [""]

    def filling(place: re.Match[str]) -> str:
        pools: dict[str, list[str]] = {
            "w": words,
            "N": names,
            "x": letters,
            "d": digits,
            "c": [character],
        }
        if place[1] == "n":
            return f"{rng.integers(10, 1000)}"
        pool = pools[str(place[1])]
        return pool[int(rng.integers(len(pool)))]

    for place in itertools.islice(itertools.cycle(places), MOST_TRIES):
        yield re.sub(r"\{([wNxndc])\}", filling, place)


def _instead(character: str, some: Iterable[Attempt]) -> dict[str, int]:
    """What was read in its place and how often, the most frequent first."""
    wrong = (found or "" for attempt in some for found in attempt.in_place if found != character)
    return dict(Counter(wrong).most_common())


def _caption(attempt: Attempt) -> str:
    return attempt.ink.text + ("" if attempt.is_right else f", read {attempt.read}")
