"""One word written in several ways."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping


def same_spelling(label: str) -> str:
    """What two labels have in common that differ in case, spaces, hyphens and underscores only."""
    return " ".join(re.sub(r"[-_]", " ", unicodedata.normalize("NFKC", label)).split()).casefold()


def respelt(labels: Mapping[str, int]) -> dict[str, str]:
    """Labels that differ from a more frequent one only in case, spaces, hyphens or underscores, as OLD: NEW.

    Args:
        labels: Rows by label.
    """
    written: dict[str, Counter[str]] = {}
    for label, rows in labels.items():
        written.setdefault(same_spelling(label), Counter())[" ".join(label.split())] += rows
    best = {key: min(counts, key=lambda one: (-counts[one], one)) for key, counts in written.items()}
    return {label: new for label in sorted(labels) if (new := best[same_spelling(label)]) != label}


def edits(one: str, other: str, at_most: int) -> int | None:
    """Letters to put in, take out, change or swap with the next to make one text of the other; None for more.

    Source: Damerau, Communications of the ACM 1964 (no letter is touched twice).
    """
    if abs(len(one) - len(other)) > at_most:
        return None
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, against in enumerate(other, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != against))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == against:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        if min(row) > at_most:
            return None
        before, last = last, row
    return last[-1] if last[-1] <= at_most else None
