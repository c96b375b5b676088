"""Text as the ink shows it: the blanks of IAM-OnDB's tokeniser, and no others, are taken out."""

import pytest

from handwriter.tokens import collapsed, is_crossed_out, untokenised


@pytest.mark.parametrize(
    ("transcribed", "cleaned"),
    [
        ("A MOVE to stop Mr . Gaitskell", "A MOVE to stop Mr. Gaitskell"),
        ("in the firm . In due course .", "in the firm. In due course."),
        ("that , small as it was ,", "that, small as it was,"),
        ("members are : Sir Henry ; why ?", "members are: Sir Henry; why?"),
        ("toys , etc .;", "toys, etc.;"),
        ("I 'm sure you 'll have it", "I'm sure you'll have it"),
        ("the company ' s don ' t", "the company's don't"),
        ("they do n't know", "they don't know"),
        ("G . R . Bell", "G. R. Bell"),
        ("the U .S . Polaris base", "the U.S. Polaris base"),
        ("800 ,000 , or 17 .00", "800,000, or 17.00"),
        ("( Board of Trade ) .", "(Board of Trade)."),
        ("(This is it .) He", "(This is it.) He"),
        ('of living ." He said', 'of living." He said'),
        ('" This way, sir. " Fred was', '"This way, sir." Fred was'),
        ('" Abolish Lords " . Mr. Foot', '"Abolish Lords". Mr. Foot'),
        ('much longer. " " I know.', 'much longer." "I know.'),
        ('She answered, " No.', 'She answered, "No.'),
        ('better places, " he commented."', 'better places," he commented."'),
        ('" It \' s a command, " he said. " We', '"It\'s a command," he said. "We'),
        ("each ' graduate ' is", "each 'graduate' is"),
        ("' My wife", "'My wife"),
        ('the couple. "', 'the couple."'),
    ],
)
def test_tokenised_text_is_joined(transcribed: str, cleaned: str) -> None:
    assert untokenised(transcribed)[0] == cleaned


@pytest.mark.parametrize(
    "text",
    [
        "If we can - well, then we",
        "No ... It was .... He",
        "and rock 'n' roll, catch 'em",
        "teachers' work and Jesus' teaching",
        "the '50s, 2 1/2 per cent. of +5",
        'Marshal. " Something in his',  # does it open or close?
        'And Eddie was. " Her plump bosom',
        "notes M Ps and Lady- birds",
        '"I know," he said. "We',
        ",,Have you ever heard of it",
        "",
    ],
)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert untokenised(text) == (text, {})


def test_what_was_joined_is_counted() -> None:
    _, done = untokenised("Well , I 'm ( not ) here .")
    assert done == {
        "blank before punctuation": 2,
        "contraction joined": 1,
        "blank inside brackets": 2,
    }


def test_white_space_collapses_and_crossed_out_marks_are_seen() -> None:
    assert collapsed("  a \t b\n") == "a b"
    assert is_crossed_out("bone %%%% pinned")
    assert is_crossed_out("# recognisable")
    assert not is_crossed_out("5 % of it")
