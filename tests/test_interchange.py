"""Other people's ink is read as it is meant, or refused with one clear line."""

import json
from pathlib import Path

import pytest

from handwriter import Line
from handwriter.errors import BadData
from handwriter.interchange import read_ink, read_inkml, read_jsonl, read_svg

GOOD = '{"text": "hi", "strokes": [[[0, 0], [1.5, -2]], [[3, 3]]]}'


def jsonl(folder: Path, *rows: str | bytes) -> list[Line]:
    path = folder / "notes.jsonl"
    path.write_bytes(b"\n".join(r.encode() if isinstance(r, str) else r for r in rows))
    return list(read_jsonl(path))


def inkml(folder: Path, content: str) -> list[Line]:
    """The lines of an InkML file with this content between <ink> and </ink>."""
    path = folder / "notes.inkml"
    path.write_text(f'<ink xmlns="http://www.w3.org/2003/InkML">{content}</ink>', "utf-8")
    return list(read_inkml(path))


def strokes_of(line: Line) -> list[list[list[float]]]:
    return [stroke.tolist() for stroke in line.ink.strokes]


TRUTH = '<annotation type="truth">hi</annotation>'

# --- JSON-lines -----------------------------------------------------------------------------


def test_a_json_line_gives_its_text_and_strokes(tmp_path: Path) -> None:
    (line,) = jsonl(tmp_path, GOOD)
    assert strokes_of(line) == [[[0, 0], [1.5, -2]], [[3, 3]]]
    assert (line.text, line.writer, line.split, line.source) == ("hi", "", "", "notes.jsonl:1")


def test_writer_and_split_are_kept_and_other_keys_passed_over(tmp_path: Path) -> None:
    row = json.dumps({**json.loads(GOOD), "writer": "ann", "split": "validation", "pen": {}})
    (line,) = jsonl(tmp_path, row)
    assert (line.writer, line.split) == ("ann", "validation")


def test_blank_lines_count_but_are_no_ink(tmp_path: Path) -> None:
    lines = jsonl(tmp_path, b"\xef\xbb\xbf" + GOOD.encode(), "", "  \r", GOOD + "\r")
    assert [line.source for line in lines] == ["notes.jsonl:1", "notes.jsonl:4"]


def test_lines_before_a_fault_are_read_first(tmp_path: Path) -> None:
    (tmp_path / "notes.jsonl").write_text(f"{GOOD}\n{{\n")
    lines = read_jsonl(tmp_path / "notes.jsonl")
    assert next(lines).text == "hi"
    with pytest.raises(BadData, match="line 2: not valid JSON"):
        next(lines)


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("{", "not valid JSON"),
        ("[]", "not a JSON object; the form is"),
        (b'{"text": "\xff"}', "byte 10 is not UTF-8; save the file as UTF-8"),
        ("[" * 100_000, "nested too deep"),
        ('{"strokes": []}', 'no "text"'),
        ('{"text": "a"}', 'no "strokes"'),
        ('{"text": 1, "strokes": []}', '"text" is not a string'),
        ('{"text": "\\ud800", "strokes": []}', '"text" has half a character'),
        ('{"text": "a", "strokes": {}}', '"strokes" is not a list'),
        ('{"text": "a", "strokes": [[[0, 0]], []]}', "stroke 2 has no points"),
        ('{"text": "a", "strokes": [[0, 0]]}', "stroke 1 is not a list of"),
        ('{"text": "a", "strokes": [[[0, 0, 0]]]}', "stroke 1 is not a list of"),
        ('{"text": "a", "strokes": [[["1", "2"]]]}', "stroke 1 is not a list of"),
        ('{"text": "a", "strokes": [[[true, null]]]}', "stroke 1 is not a list of"),
        ('{"text": "a", "strokes": [[[0, NaN]]]}', "NaN is not a number"),
        ('{"text": "a", "strokes": [[[0, -Infinity]]]}', "-Infinity is not a number"),
        ('{"text": "a", "strokes": [[[0, 1e999]]]}', "not finite"),
        ('{"text": "a", "strokes": [[[0, 1%s]]]}' % ("0" * 400), "as a finite number"),
        ('{"text": "a", "strokes": [[[0, 1%s]]]}' % ("0" * 5000), "not valid JSON"),
        ('{"text": "a", "strokes": [], "writer": 4}', '"writer" is not a string'),
        ('{"text": "a", "strokes": [], "split": "test"}', 'make it "train" or "validation"'),
    ],
)
def test_a_faulty_json_line_is_named(tmp_path: Path, row: str | bytes, complaint: str) -> None:
    with pytest.raises(BadData, match=rf"notes\.jsonl, line 2: .*{complaint}") as caught:
        jsonl(tmp_path, GOOD, row)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("read", [read_jsonl, read_inkml, read_svg])
def test_a_file_that_is_missing_or_a_folder_is_named(tmp_path: Path, read: object) -> None:
    for path in (tmp_path / "nothing.here", tmp_path):
        with pytest.raises(BadData, match=f"{path.name}.*cannot be read"):
            list(read(path))  # type: ignore[operator]


# --- InkML ----------------------------------------------------------------------------------


def test_the_whole_ink_is_one_line_where_only_it_is_annotated(tmp_path: Path) -> None:
    (line,) = inkml(
        tmp_path,
        '<annotation type="writer"> ann </annotation>'
        '<annotation type="truth">\n  hi\n  you </annotation>'
        "<trace>0 0, 1 -2.5</trace><traceGroup><trace>3 3</trace></traceGroup>",
    )
    assert strokes_of(line) == [[[0, 0], [1, -2.5]], [[3, 3]]]
    assert (line.text, line.writer, line.source) == ("hi you", "ann", "notes.inkml:1")


@pytest.mark.parametrize("kind", ["truth", "transcription", "groundTruth"])
def test_each_annotated_group_is_a_line(tmp_path: Path, kind: str) -> None:
    lines = inkml(
        tmp_path,
        f'<annotation type="truth">all of it</annotation><annotation type="writer">ann</annotation>'
        f'<traceGroup><traceGroup><annotation type="{kind}">one</annotation>'
        "<trace>0 0</trace></traceGroup></traceGroup>"
        f'<traceGroup><annotation type="{kind}">two</annotation>'
        '<annotation type="writer">bob</annotation><trace>1 1</trace>'
        f'<traceGroup><annotation type="{kind}">a part of two</annotation>'
        "<trace>2 2</trace></traceGroup></traceGroup>",
    )
    assert [(line.text, line.writer, line.source) for line in lines] == [
        ("one", "ann", "notes.inkml:1"),
        ("two", "bob", "notes.inkml:2"),
    ]
    assert [strokes_of(line) for line in lines] == [[[[0, 0]]], [[[1, 1]], [[2, 2]]]]


def test_traces_are_found_by_reference_as_in_crohme(tmp_path: Path) -> None:
    lines = inkml(
        tmp_path,
        '<annotation type="truth">$x+$</annotation>'
        '<trace id="0">0 0</trace><trace id="1">1 1</trace><trace id="2">2 2</trace>'
        '<traceGroup xml:id="3"><annotation type="truth">Segmentation</annotation>'
        '<traceGroup xml:id="4"><annotation type="truth">x</annotation>'
        '<traceView traceDataRef="0"/><traceView traceDataRef="#2"/></traceGroup>'
        '<traceGroup xml:id="5"><annotation type="truth">+</annotation>'
        '<traceView traceDataRef="1"/></traceGroup></traceGroup>',
    )
    assert [(line.text, strokes_of(line)) for line in lines] == [
        ("x", [[[0, 0]], [[2, 2]]]),
        ("+", [[[1, 1]]]),
    ]


def test_a_trace_that_is_also_referred_to_is_written_once(tmp_path: Path) -> None:
    group = '<traceGroup><traceView traceDataRef="t"/></traceGroup>'
    (line,) = inkml(tmp_path, f'{TRUTH}<trace id="t">0 0</trace>{group * 3}')
    assert strokes_of(line) == [[[0, 0]]]


def test_the_trace_format_tells_where_x_and_y_are(tmp_path: Path) -> None:
    (line,) = inkml(
        tmp_path,
        '<definitions><traceFormat><channel name="F"/><channel name="Y" orientation="-ve"/>'
        '<channel name="X"/><intermittentChannels><channel name="B1"/></intermittentChannels>'
        f"</traceFormat></definitions>{TRUTH}<trace>9 1 2, 9 3 4 T, #1F 5 6 F</trace>",
    )
    assert strokes_of(line) == [[[2, -1], [4, -3], [6, -5]]]


def test_differences_are_summed_as_in_the_standard(tmp_path: Path) -> None:
    """Begins with the example that the W3C gives: velocities, then accelerations."""
    trace = "1125 18432,'23'43,\"7\"-8,3-5,7 -3,6 2,6 8,3 6,*4,!0!0,1 2"
    (line,) = inkml(tmp_path, f"{TRUTH}<trace>{trace}</trace>")
    (points,) = strokes_of(line)
    assert points[:5] == [[1125, 18432], [1148, 18475], [1178, 18510], [1211, 18540], [1251, 18567]]
    assert points[5:8] == [[1297, 18596], [1349, 18633], [1404, 18676]]
    assert points[8:] == [[1462, 18723], [0, 0], [1, 2]]


def test_pen_up_traces_are_no_ink(tmp_path: Path) -> None:
    up = '<trace type="penUp">5 5, 6 6</trace>'
    (line,) = inkml(tmp_path, f"{TRUTH}{up}<trace>0 0</trace>{up}")
    assert strokes_of(line) == [[[0, 0]]]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("<trace>0 0</trace>", 'add <annotation type="truth">'),
        ('<annotation type="truth"> </annotation><trace>0 0</trace>', "nothing tells what"),
        (TRUTH, "<ink> has no traces"),
        (f"{TRUTH}<trace> </trace>", "has no points"),
        (f"{TRUTH}<trace id='7'>0 zero</trace>", "trace '7': '0 zero' is not a point"),
        (f"{TRUTH}<trace>0 0,,1 1</trace>", "has 0 values where the trace format has 2"),
        (f"{TRUTH}<trace>0 0 0</trace>", "has 3 values where the trace format has 2"),
        (f"{TRUTH}<trace>0 1e999</trace>", "not finite"),
        (f"{TRUTH}<trace>0 ?</trace>", "'?' is not a position"),
        (f"{TRUTH}<trace>* 0</trace>", "'*' is not a position"),
        (f"{TRUTH}<trace continuation='begin'>0 0</trace>", "continued traces are not read"),
        (f"{TRUTH}<traceView traceDataRef='#x'/>", "there is no trace '#x'"),
        (
            f"{TRUTH}<trace id='t'>0 0</trace><traceView traceDataRef='t' from='1'/>",
            "parts of traces",
        ),
        (
            f"<traceFormat><channel name='X'/></traceFormat>{TRUTH}<trace>0 0</trace>",
            "no channels X and Y",
        ),
        (
            "<traceFormat><channel name='X'/><channel name='Y'/></traceFormat>"
            "<traceFormat><channel name='Y'/><channel name='X'/></traceFormat>" + TRUTH,
            "trace formats that differ",
        ),
        ("<traceGroup>" * 200 + "</traceGroup>" * 200, "nested too deep"),
        ("<trace>", "not well-formed XML"),
        ("&lol;", "not well-formed XML"),
    ],
)
def test_a_faulty_inkml_file_is_named(tmp_path: Path, content: str, complaint: str) -> None:
    with pytest.raises(BadData) as caught:
        inkml(tmp_path, content)
    message = str(caught.value)
    assert "notes.inkml" in message
    assert complaint in message
    assert "\n" not in message


BOMB = """<?xml version="1.0"?>
<!DOCTYPE ink [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<ink><annotation type="truth">&b;</annotation><trace>0 0</trace></ink>"""
OUTSIDE = '<!DOCTYPE ink SYSTEM "file:///etc/passwd"><ink/>'


@pytest.mark.parametrize("content", [BOMB, OUTSIDE])
def test_xml_with_a_doctype_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "bomb.inkml").write_text(content)
    with pytest.raises(BadData, match=r"bomb\.inkml: has a DOCTYPE"):
        list(read_inkml(tmp_path / "bomb.inkml"))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "not well-formed XML"),
        (b"PK\x03\x04", "not well-formed XML"),
        (b'<?xml version="1.0" encoding="klingon"?><ink/>', "not well-formed XML"),
        (b"<svg/>", "its first element is <svg>"),
    ],
)
def test_a_file_of_something_else_is_refused(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    (tmp_path / "x.inkml").write_bytes(content)
    with pytest.raises(BadData, match=complaint):
        list(read_inkml(tmp_path / "x.inkml"))


# --- ink whose text need not be known (SVG: test_drawing.py) --------------------------------


def test_ink_without_a_text_can_be_read_where_none_is_needed(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(f'{{"strokes": [[[0, 0]]]}}\n{GOOD}\n')
    lines, left_out = read_ink(tmp_path / "a.jsonl")
    assert [line.text for line in lines] == ["", "hi"]
    (tmp_path / "a.inkml").write_text("<ink><trace>0 0</trace><trace>1 1</trace></ink>")
    (line,), _ = read_ink(tmp_path / "a.inkml")
    assert (line.text, strokes_of(line)) == ("", [[[0, 0]], [[1, 1]]])
    (tmp_path / "a.SVG").write_text('<svg><path fill="none" stroke="red" d="M0,0h1"/></svg>')
    (line,), _ = read_ink(tmp_path / "a.SVG")
    assert (line.text, strokes_of(line)) == ("", [[[0, 0], [1, 0]]])
    assert not left_out


def test_what_is_there_must_still_be_right(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": 5, "strokes": []}')
    with pytest.raises(BadData, match='"text" is not a string'):
        list(read_ink(tmp_path / "a.jsonl")[0])


@pytest.mark.parametrize(("name", "complaint"), [("a.png", "ends in '.png'"), ("a", "no suffix")])
def test_a_file_that_is_no_ink_is_told_by_its_suffix(name: str, complaint: str) -> None:
    with pytest.raises(BadData, match=rf"{complaint}; give a file of ink in \.jsonl, \.inkml"):
        read_ink(Path(name))
