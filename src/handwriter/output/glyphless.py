"""A font without any ink: as wide and high as letters are, for text that is there to be selected.

A file with a font of its own can tell readers which characters its text is made of, whatever
they are; the fonts that every reader has know those of Windows-1252 alone.  Programs that lay
text under a scan do the same.

Each glyph is a line from one corner of the letter's box to the other and back, which holds no
area.  A glyph of nothing at all would do for copying, but not in pdfium (Chrome): it selects what
glyphs cover, and passes over a text of one character that covers nothing.
"""

from __future__ import annotations

from functools import cache
from io import BytesIO
from itertools import accumulate
from struct import pack

FONT = "Glyphless"
CAPITAL = 0.718  # the height of its capitals, in font sizes, as Helvetica's
_UNITS = 1000  # an em
_ASCENT, _DESCENT = 718, -207
_WIDTH = 556  # of what is no ASCII, as most letters of Helvetica
_FIRST, _LAST = 0x20, 0x7E  # have a width each
_BLANK = 1  # the number of its glyph
_REST = ((0x7F, 0xD7FF), (0xE000, 0xFFFD))  # all other characters of two bytes
UNKNOWN = "\N{REPLACEMENT CHARACTER}"


@cache
def known() -> None:
    """Make the font known to reportlab, whose table of fonts is one for all documents."""
    from reportlab.pdfbase.pdfmetrics import registerFont
    from reportlab.pdfbase.ttfonts import TTFont

    registerFont(TTFont(FONT, BytesIO(truetype())))


def shown(text: str) -> str:
    """The text in characters that the font has, U+FFFD for those beyond U+FFFF."""
    return "".join(c if ord(c) <= 0xFFFF else UNKNOWN for c in text)


def truetype() -> bytes:
    """The font as a TrueType file: each printable character has a width, and no ink."""
    from reportlab.pdfbase.pdfmetrics import stringWidth
    from reportlab.pdfbase.ttfonts import TTFontMaker

    ascii = [round(stringWidth(chr(c), "Helvetica", _UNITS)) for c in range(_FIRST, _LAST + 1)]
    widths = [_WIDTH, *ascii, _WIDTH]  # the first is that of a glyph for what has none
    file = TTFontMaker()
    for tag, table in _tables(widths).items():
        file.add(tag, table)
    content: bytes = file.makeStream()
    return content


def _tables(widths: list[int]) -> dict[str, bytes]:
    """The tables of a font whose glyphs have these widths (the OpenType specification's layout)."""
    n, box = len(widths), (0, _DESCENT, _UNITS, _ASCENT)
    glyphs = [b"" if number == _BLANK else _diagonal(width) for number, width in enumerate(widths)]
    places = list(accumulate((len(glyph) for glyph in glyphs), initial=0))
    return {
        "OS/2": pack(
            ">HhHHH11h10sLLLL4sHHHhhhHHLLhhHHH",
            3, _WIDTH, 400, 5, 0, *[0] * 11, bytes(10), 1, 0, 0, 0, b"    ", 0x40, _FIRST, 0xFFFD,
            _ASCENT, _DESCENT, 0, _ASCENT, -_DESCENT, 1, 0, 523, _ASCENT, 0, _FIRST, 0,
        ),
        "cmap": _characters(n),
        "glyf": b"".join(glyphs),
        "head": pack(
            ">LLLLHHqq4hHHhhh",
            0x10000, 0x10000, 0, 0x5F0F3CF5, 0, _UNITS, 0, 0, *box, 0, 8, 2, 0, 0,
        ),
        "hhea": pack(
            ">L3hH11hH", 0x10000, _ASCENT, _DESCENT, 0, _UNITS, 0, 0, _UNITS, 1, *[0] * 7, n
        ),
        "hmtx": b"".join(pack(">Hh", width, 0) for width in widths),
        "loca": pack(f">{n + 1}H", *(place // 2 for place in places)),
        "maxp": pack(">LH13H", 0x10000, n, 3, 1, *[0] * 11),
        "name": _names(),
        "post": pack(">LLhhLLLLL", 0x30000, 0, -100, 50, 0, 0, 0, 0, 0),
    }  # fmt: skip


def _diagonal(width: int) -> bytes:
    """A glyph: a contour of three points, from below on the left to the top right and back."""
    box, height = (0, _DESCENT, width, _ASCENT), _ASCENT - _DESCENT
    begin = pack(">h4hHH", 1, *box, 2, 0)  # one contour, its last point, no instructions
    ways = pack(">6h", 0, width, -width, _DESCENT, height, -height)
    glyph = begin + bytes([1, 1, 1]) + ways  # three points on the curve
    return glyph + bytes(-len(glyph) % 4)


def _characters(n_glyphs: int) -> bytes:
    """Table cmap: ASCII has glyphs of its own, from 1 on, all else the last one (format 13)."""
    groups = [(c, c, c - _FIRST + 1) for c in range(_FIRST, _LAST + 1)]
    groups += [(begin, end, n_glyphs - 1) for begin, end in _REST]
    listed = b"".join(pack(">LLL", *group) for group in groups)
    head = pack(">HHHHL", 0, 1, 3, 10, 12)
    return head + pack(">HHLLL", 13, 0, 16 + len(listed), 0, len(groups)) + listed


def _names() -> bytes:
    """Table name: family, style, full and PostScript name."""
    numbered = {1: FONT, 2: "Regular", 4: FONT, 6: FONT}
    strings = {number: name.encode("utf-16-be") for number, name in numbered.items()}
    records, place = b"", 0
    for number, string in strings.items():
        records += pack(">6H", 3, 1, 0x409, number, len(string), place)
        place += len(string)
    return pack(">3H", 0, len(strings), 6 + len(records)) + records + b"".join(strings.values())
