"""Labels that are written in several ways."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

import polars as pl

from seedbed.core.similarity import normalise
from seedbed.core.spelling import respelt, same_spelling

__all__ = ["mixed", "nothings", "respelt", "same_spelling", "slips", "synonyms"]

#: A label is a slip of another where that one has at least so many times its rows.
_TIMES = 10
_SHORTEST = 4
_MOST_COMPARED = 200
_MOST_MIXED = 20
_FEWEST_SHARED = 3
_NOTHING = re.compile(r"(#?n/?a|nan|null|none|nil|unknown|undefined|missing|tbd|todo|[?.-]{1,3})", re.IGNORECASE)


def slips(labels: Mapping[str, int]) -> dict[str, str]:
    """Rare labels that are nearly a frequent one, as OLD: NEW: typing errors, perhaps.

    Args:
        labels: Rows by label.
    """
    known = set(respelt(labels))
    words = [label for label in labels if len(label) >= _SHORTEST and label not in known][:_MOST_COMPARED]
    found = {}
    for label in sorted(words):
        frequent = [one for one in words if labels[one] >= _TIMES * labels[label]]
        near = difflib.get_close_matches(label, frequent, n=1, cutoff=0.8)
        # Where only the digits differ (`level 1`, `level 2`) both are meant.
        if near and re.sub(r"\d", "", near[0]) != re.sub(r"\d", "", label):
            found[label] = near[0]
    return found


def nothings(labels: Mapping[str, int]) -> tuple[str, ...]:
    """Labels that may stand for none, such as `n/a`."""
    return tuple(label for label in labels if _NOTHING.fullmatch(label.strip()))


def mixed(labels: Mapping[str, int]) -> bool:
    """Whether some labels are numbers and others words, as where two ways to write them were put together."""
    return 0 < sum(map(_is_number, labels)) < len(labels) <= _MOST_MIXED


def synonyms(texts: pl.Series, labels: pl.Series) -> dict[str, str]:
    """Numbers that mean the same as a word, as NUMBER: WORD, because equal texts carry both.

    Args:
        texts: Of any type.
        labels: Label of each text.

    Returns:
        A word for a number where at least three texts carry both and nine in ten of the number's agree, as long as no
        two numbers share a word; else nothing.
    """
    rows = pl.DataFrame({"text": normalise(texts.cast(pl.String)), "label": labels.cast(pl.String)}).drop_nulls()
    pairs = rows.unique().join(rows.unique(), on="text")
    counts: dict[str, dict[str, int]] = {}
    for number, word, n in pairs.group_by("label", "label_right").len().sort("len").iter_rows():
        if _is_number(number) and not _is_number(word):
            counts.setdefault(number, {})[word] = n
    found = {}
    for number, words in sorted(counts.items()):
        word, n = max(words.items(), key=lambda item: item[1])
        if n >= _FEWEST_SHARED and n >= 0.9 * sum(words.values()):
            found[number] = word
    return found if len(set(found.values())) == len(found) else {}


def _is_number(label: str) -> bool:
    return re.fullmatch(r"[+-]?\d+(\.\d+)?", label.strip()) is not None
