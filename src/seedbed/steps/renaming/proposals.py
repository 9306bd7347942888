"""Which categories of a column may be one, by how they are written and how frequent they are."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from seedbed.core.spelling import edits, respelt, same_spelling

#: Letters of a category that stand for one edit: shorter ones differ for good reason (`red`, `bed`).
_LETTERS_AN_EDIT = 4
#: A category with more letters is a text, whose slips nobody looks for one by one.
_LONGEST = 40
#: Categories that are compared, the most frequent: a column with more holds texts or names.
_MOST_COMPARED = 5000


@dataclass(frozen=True)
class Proposal:
    """A category that may be another."""

    old: str
    new: str
    rows: int
    """Training rows with the old one."""
    of: int
    """Training rows with the new one."""
    distance: int
    """Edits between them; 0 where only case, blanks, hyphens or underscores differ."""


def proposed(counts: Mapping[str, int], most_edits: int, times: float) -> list[Proposal]:
    """Merges of rare categories into frequent ones; each category is merged once at most.

    One may become another that differs in case only, and that a third one: `germny`, `Germny`, `Germany`.

    Args:
        counts: Rows by category.
        most_edits: Most edits between two that may be one; a category has four letters or more for each.
        times: How many times as frequent the new one must be, where letters differ.
    """
    same = respelt(counts)
    found = [Proposal(old, new, counts[old], counts.get(new, 0), 0) for old, new in same.items()]
    left: dict[str, int] = {}
    for name, rows in counts.items():
        to = same.get(name, name)
        left[to] = left.get(to, 0) + rows
    ordered = sorted(left, key=lambda one: (-left[one], one))[:_MOST_COMPARED]
    place = {name: at for at, name in enumerate(ordered)}
    gone: set[str] = set()
    for old, new, distance in sorted(
        _near(ordered, most_edits), key=lambda one: (-place[one[0]], one[2], place[one[1]])
    ):
        if left[new] >= times * left[old] and old not in gone and new not in gone:
            gone.add(old)
            found.append(Proposal(old, new, left[old], left[new], distance))
    return sorted(found, key=lambda one: (one.distance, -one.rows, one.old))


def _near(ordered: Sequence[str], most: int) -> Iterator[tuple[str, str, int]]:
    """Pairs of a rarer category and one before it with few edits between them, found by what is left of both when some
    letters are taken out (Bocek and others, Fast Similarity Search in Large Dictionaries, 2007)."""
    seen: dict[str, list[str]] = {}
    for name in ordered:
        key = same_spelling(name)
        if not _LETTERS_AN_EDIT <= len(key) <= _LONGEST:
            continue
        left = _left(key, min(most, len(key) // _LETTERS_AN_EDIT))
        near = dict.fromkeys(other for piece in left for other in seen.get(piece, ()))
        for other in near:
            against = same_spelling(other)
            allowed = min(most, min(len(key), len(against)) // _LETTERS_AN_EDIT)
            # Where digits differ (`level 1`, `level 2`) both are meant.
            distance = edits(key, against, allowed) if _digits(key) == _digits(against) else None
            if distance:
                yield name, other, distance
        for piece in left:
            seen.setdefault(piece, []).append(name)


def _left(text: str, taken: int) -> set[str]:
    found = {text}
    for _ in range(taken):
        found |= {one[:place] + one[place + 1 :] for one in found for place in range(len(one))}
    return found


def _digits(text: str) -> list[str]:
    return re.findall(r"\d", text)


def as_csv(proposals: Sequence[Proposal], applied: Mapping[str, str]) -> str:
    """The table that a person looks through: `old`, `new`, `rows`, `of`, `distance` and `accept`, which says yes."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["old", "new", "rows", "of", "distance", "accept"])
    for one in proposals:
        accepted = "yes" if applied.get(one.old) == one.new else ""
        writer.writerow([one.old, one.new, one.rows, one.of, one.distance, accepted])
    return text.getvalue()
