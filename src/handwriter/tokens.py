"""Text as IAM-OnDB transcribes it: tokenised, and with marks of crossed-out ink."""

from __future__ import annotations

import re
from collections import Counter

_CROSSED_OUT = re.compile(r"#|%%")

# Only the blanks that IAM-OnDB's tokeniser put in are taken out.  Each rule: what it is counted
# as, the pattern, and its replacement.  Dashes and dots of omission are left as transcribed.
_STOPS = ".,;:!?"
_CLOSES = r"""(?=[\s"'.,;:!?)\]]|$)"""
_RULES = tuple(
    (what, re.compile(pattern), replacement)
    for what, pattern, replacement in (
        ("contraction joined", r"(?<=[^\W\d])(?: ' ?|' )(s|re|ll|ve|d|m|t)\b", r"'\1"),
        ("contraction joined", r"(?<=\w) n't\b", r"n't"),
        ("number joined", r"(?<=\d) ([.,])(?=\d)", r"\1"),
        ("initials joined", r"\b([A-Z]) \.(?=[A-Z]\b)", r"\1."),
        ("blank before punctuation", rf"(?<=[^\s.]) ([,;:!?]+){_CLOSES}", r"\1"),
        ("blank before punctuation", rf"(?<=[^\s.]) \.(?! ?\.){_CLOSES}", r"."),
        ("blank inside brackets", r"([(\[]) (?=\w)", r"\1"),
        ("blank inside brackets", rf"(?<=\S) ([)\]]){_CLOSES}", r"\1"),
    )
)


def collapsed(text: str) -> str:
    """The text with each run of white space as one blank, none at the ends."""
    return " ".join(text.split())


def is_crossed_out(text: str) -> bool:
    """Whether a transcription of IAM-OnDB marks ink that is crossed out or unreadable."""
    return bool(_CROSSED_OUT.search(text))


def untokenised(text: str) -> tuple[str, Counter[str]]:
    """The text without the blanks of tokenisation, and what was done how often."""
    done: Counter[str] = Counter()
    for what, pattern, replacement in _RULES:
        text, n = pattern.subn(replacement, text)
        done[what] += n
    for mark in "\"'":
        joined = _with_quotes_joined(text, mark)
        done["quotation mark joined"] += len(text) - len(joined)
        text = joined
    return text, +done


def _with_quotes_joined(text: str, mark: str) -> str:
    """Join quotation marks that stand alone to the words they open or close.

    One that the line leaves in doubt stays as it is.
    """
    words = text.split(" ")
    is_open, joined, glue = False, "", ""
    for i, word in enumerate(words):
        role = _role(words, i, is_open) if word.rstrip(_STOPS) == mark else ""
        joined += word if role == "closes" else glue + word
        glue = "" if role == "opens" else " "
        if mark == '"' or role:  # an apostrophe within a word opens nothing
            is_open = _is_open_after(word, mark, role, is_open)
    return joined


def _is_open_after(word: str, mark: str, role: str, is_open: bool) -> bool:
    if role:
        return role == "opens"
    if word.startswith(mark):
        is_open = True
    return is_open and not word.rstrip(_STOPS)[1:].endswith(mark)


def _role(words: list[str], i: int, is_open: bool) -> str:
    """What the lone mark `words[i]` does: "opens", "closes", or "" where that is in doubt.

    It opens at the beginning of the line, closes at its end, and in turn between them.
    """
    mark, before, after = words[i][0], words[i - 1] if i else "", "".join(words[i + 1 : i + 2])
    if not before or before == mark:
        return "opens" if after and not after.startswith(mark) else ""
    if not after or after == mark or is_open or words[i] != mark:
        return "closes"
    if before[-1] in ".,!?" and after[0].islower():
        return "closes"
    if any(mark in word for word in words[i + 1 :]):
        return "opens"
    spoken = before[-1] in ":," or any(mark in word for word in words[:i])
    return "opens" if spoken and after[0].isupper() else ""
