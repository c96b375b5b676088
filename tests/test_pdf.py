"""PDF: other people's readers find its pages, their size, the text and the ink."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pypdf
import pypdfium2
import pytest
from PIL import Image, ImageFont

from handwriter import Ink
from handwriter.ink import Written
from handwriter.output import render
from handwriter.output.glyphless import truetype
from handwriter.page import Document, Layer, Page, PlacedLine
from handwriter.paper import guides

WAVE = np.column_stack([np.linspace(0, 60, 61), 3 * np.sin(np.linspace(0, 12, 61))])
BAR = np.array([[0.0, 10.0], [40.0, 10.0]])
DOT = np.array([[50.0, 10.0]])


def line(text: str, x: float, y: float) -> PlacedLine:
    return PlacedLine(Ink((WAVE, BAR, DOT)).moved(x, y), text, y + 3)


def document() -> Document:
    a5 = Page(
        148,
        210,
        (Layer((line("Dear Anna, (one) \\ two", 20, 30), line("Gr\u00fc\u00dfe", 20, 60))),),
    )
    rules = guides("ruled", 210, 297, [40.0])
    a4 = Page(210, 297, (*rules, Layer((line("the second page", 30, 40),), colour="#aa0000")))
    about = {"Software": "handwriter 1", "Hand": "tiny", "Licence": "CC0", "Seed": "7"}
    return Document((a5, a4), "A letter \u2014 \U0001f600", about)


def reader(**options: object) -> pypdf.PdfReader:
    return pypdf.PdfReader(BytesIO(render(".pdf", document(), **options)), strict=True)


def test_each_page_has_its_size():
    sizes = [(p.mediabox.width * 25.4 / 72, p.mediabox.height * 25.4 / 72) for p in reader().pages]
    np.testing.assert_allclose(np.array(sizes, float), [(148, 210), (210, 297)], atol=0.01)


def test_the_text_of_each_page_can_be_searched_and_copied():
    texts = [page.extract_text().splitlines() for page in reader().pages]
    assert texts == [["Dear Anna, (one) \\ two", "Gr\u00fc\u00dfe"], ["the second page"]]


@pytest.mark.parametrize(
    "text",
    ["\u0160koda \u00c5ngstr\u00f6m", "\u0141\u00f3d\u017a, \u0151\u0171 \u1ebf \u0219 \u1e9e",
     "na\u00efve \u2013 \u201cso\u201d \u20ac5", "".join(map(chr, range(0x100, 0x180)))],
)  # fmt: skip
def test_any_letters_are_found_as_they_are(text):
    page = Page(148, 210, (Layer((line(text, 20, 30),)),))
    file = render(".pdf", Document((page,)))
    assert pypdf.PdfReader(BytesIO(file), strict=True).pages[0].extract_text() == text
    found = pypdfium2.PdfDocument(file)[0].get_textpage()
    assert found.get_text_range() == text
    assert found.search(text.split()[0]).get_next() is not None


def test_what_the_font_does_not_have_is_told_as_unknown():
    page = Page(148, 210, (Layer((line("so \U0001f600", 20, 30),)),))
    file = render(".pdf", Document((page,)))
    assert pypdf.PdfReader(BytesIO(file), strict=True).pages[0].extract_text() == "so \ufffd"


def test_the_hyphen_of_a_divided_word_is_a_soft_one():
    lines = (replace(line("a hyphen-", 20, 30), is_divided=True), line("ation", 20, 45))
    file = render(".pdf", Document((Page(148, 210, (Layer(lines),)),)))
    text = pypdf.PdfReader(BytesIO(file), strict=True).pages[0].extract_text()
    assert text.splitlines() == ["a hyphen\u00ad", "ation"]
    # pdfium knows by it that the word goes on, and puts its own sign for that.
    assert pypdfium2.PdfDocument(file)[0].get_textpage().get_text_range() == "a hyphen\ufffeation"


def test_its_font_is_in_the_file_and_has_widths_but_no_ink():
    fonts = reader().pages[0]["/Resources"]["/Font"].values()
    (own,) = [font for font in fonts if font["/BaseFont"].endswith("+Glyphless")]
    assert own["/FontDescriptor"]["/FontFile2"].get_data()
    font = ImageFont.truetype(BytesIO(truetype()), 1000)  # FreeType reads it
    assert font.getlength("i") == pytest.approx(222)
    assert font.getlength("\u0160") == pytest.approx(556)
    assert font.getmask("Ag\u0160").getbbox() is None


def test_the_text_lies_where_its_ink_is():
    found = []

    def visit(text, _matrix, place, _font, size):
        if text.strip():
            found.append((text.strip(), place[4] * 25.4 / 72, 210 - place[5] * 25.4 / 72))

    reader().pages[0].extract_text(visitor_text=visit)
    assert [text for text, *_ in found] == ["Dear Anna, (one) \\ two", "Gr\u00fc\u00dfe"]
    np.testing.assert_allclose([place for _, *place in found], [(20, 33), (20, 63)], atol=0.1)


def test_each_word_lies_where_its_ink_is():
    strokes = tuple(WAVE * (0.2, 1) + (x, 0) for x in (0, 14, 60))  # 12 mm each
    written = Written(strokes, "a brown fox", "tiny", "CC0", 1, 1.0, True, 9, begins=(0, 1, 2))
    placed = PlacedLine(Ink(strokes).moved(20, 30), written.text, 33, written)
    file = render(".pdf", Document((Page(148, 210, (Layer((placed,)),)),)))
    page = pypdfium2.PdfDocument(file)[0].get_textpage()
    assert page.get_text_range().strip() == "a brown fox"
    for word, left in (("a", 20), ("brown", 34), ("fox", 80)):
        index, count = page.search(word).get_next()
        boxes = [page.get_charbox(index + i, loose=True) for i in range(count)]
        sides = np.array([boxes[0][0], boxes[-1][2]]) * 25.4 / 72
        np.testing.assert_allclose(sides, [left, left + 12], atol=0.6)
    (text,) = pypdf.PdfReader(BytesIO(file)).pages[0].extract_text().splitlines()
    assert text == "a brown fox"


def test_a_single_sign_at_the_end_of_a_line_can_be_copied_and_seen_to_be_selected():
    strokes = tuple(WAVE * (0.2, 1) + (x, 0) for x in (0, 14))
    written = Written(strokes, "bread &", "tiny", "CC0", 1, 1.0, True, 9, begins=(0, 1))
    placed = PlacedLine(Ink(strokes).moved(20, 30), written.text, 33, written)
    file = render(".pdf", Document((Page(148, 210, (Layer((placed,)),)),)))
    page = pypdfium2.PdfDocument(file)[0].get_textpage()
    assert page.get_text_range() == "bread &"
    left, bottom, right, top = page.get_charbox(0)  # what Chrome paints where it is selected
    assert right - left > 4
    assert top - bottom > 8


def test_words_without_ink_are_found_too_with_those_beside_them():
    strokes = (WAVE, BAR)
    written = Written(strokes, "so it was", "tiny", "CC0", 1, 1.0, True, 9, begins=(0, 0, 1))
    for begins, words in (((0, 0, 1), ["so it", "was"]), ((0, 1, 1), ["so it", "was"]),
                          ((0, 1, 2), ["so", "it was"]), ((0, 0, 0), ["so it was"])):  # fmt: skip
        line = PlacedLine(
            Ink(strokes).moved(9, 9), "so it was", 33, replace(written, begins=begins)
        )
        assert [word for word, _ in line.words] == words
        assert all(ink.strokes for _, ink in line.words)


def test_it_tells_how_it_was_written_and_no_date():
    about = reader().metadata
    assert (about.title, about.creator) == ("A letter \u2014 \U0001f600", "handwriter 1")
    assert about.subject == "Hand: tiny; Licence: CC0; Seed: 7"
    assert about.creation_date is None or about.creation_date.year == 2000  # the same for ever


@pytest.mark.parametrize("look", ["line", "ribbon"])
@pytest.mark.parametrize("number", [0, 1])
def test_another_renderer_sees_what_is_in_our_png(look, number):
    whole = document()
    one = Document((whole.pages[number],))
    file = pypdfium2.PdfDocument(render(".pdf", whole, look=look))
    theirs = np.asarray(file[number].render(scale=300 / 72).to_pil().convert("L"), float)
    ours = np.asarray(
        Image.open(BytesIO(render(".png", one, dpi=300, look=look))).convert("L"), float
    )
    height, width = np.minimum(theirs.shape, ours.shape)
    theirs, ours = theirs[:height, :width], ours[:height, :width]
    ink = (255 - ours).sum()
    assert ink > 255 * 1000
    assert (255 - theirs).sum() == pytest.approx(ink, rel=0.1)
    assert np.abs(theirs - ours).sum() < 0.2 * ink  # but for how edges are smoothed
