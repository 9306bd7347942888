"""Two models' answers side by side: who wrote which is not shown, and the order is drawn by a seed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from seedbed.core.decision import Standing
from seedbed.core.errors import DataError
from seedbed.core.metric import Score
from seedbed.core.numbers import things, word
from seedbed.review.queue import Queue, write_queue

_IDS = ("id", "row")
_ASKED = ("prompt", "question", "input", "instruction")
_ANSWERS = ("answer", "output", "response", "completion", "text", "predicted")
NAME = "pairs"


@dataclass(frozen=True)
class Preferences:
    """How often B was preferred to A, by what stands on each pair."""

    a: int
    b: int
    ties: int
    both_bad: int
    torn: int
    """Pairs on which people disagree; the last of them counts."""
    left: int
    """Pairs that nobody has decided."""
    rate: Score | None
    """Share of B among the decided pairs that are no ties, with the exact interval of Clopper and Pearson (1934)."""
    p: float | None
    """Two-sided, by the sign test."""

    @property
    def verdict(self) -> str:
        """What can be said."""
        if self.rate is None or self.p is None:
            return "nothing was decided"
        if self.p >= 0.05:
            return "not distinguishable"
        return "B is preferred" if self.rate.value > 0.5 else "A is preferred"


def build_pairs(a: Path, b: Path, folder: Path, seed: int) -> tuple[Queue, list[str]]:
    """Two files of answers (JSON lines) as a queue, and notes.

    Answers belong together by `id` (or `row`), else by what was asked (`prompt`), else by their places. Equal answers
    are left out.

    Raises:
        DataError: A file cannot be read, or no answer of one has a partner in the other.
    """
    one, other = _read(a), _read(b)
    pairs = list(_paired(one, other, a, b))
    if not pairs:
        raise DataError("no line of it has a partner in the other file", at=str(a), hint="do their ids agree?")
    rows = []
    for key, asked, left, right in pairs:
        if left == right:
            continue
        drawn = hashlib.sha256(f"{seed}/{key}".encode()).digest()
        sides = "ab" if drawn[0] % 2 == 0 else "ba"
        shown = (left, right) if sides == "ab" else (right, left)
        told = {"row": f"pair:{key}", "text": asked, "left": shown[0], "right": shown[1], "sides": sides}
        rows.append({**told, "order": drawn[1:9].hex()})
    equal = len(pairs) - len(rows)
    same = f"{equal:,} of {things(len(pairs), 'pair')} {word(equal, 'is', 'are')} equal, and left out"
    notes = [same] if equal else []
    kinds = {name: pl.String for name in ("row", "text", "left", "right", "sides", "order")}
    table = pl.DataFrame(rows, schema=kinds)
    path = write_queue(table.sort("order").drop("order"), folder / f"{NAME}.arrow")
    about = "Which answer is better? Which model wrote it is not shown, and sides are drawn for each pair."
    return Queue(NAME, "Side by side", about, path, ("prefer", "skip"), asks="pairs"), notes


def count_preferences(queue: Queue, standing: Standing, level: float = 0.95) -> Preferences:
    """What people prefer."""
    rows = list(queue.places)
    words = [found.label for row in rows if (found := standing.on(row)) and found.action == "prefer"]
    a, b, ties, bad = (words.count(side) for side in ("a", "b", "tie", "both_bad"))
    torn = sum(standing.torn(row) for row in rows)
    if not a + b:
        return Preferences(a, b, ties, bad, torn, len(rows) - len(words), None, None)
    from scipy.stats import binomtest

    tested = binomtest(b, a + b)
    ends = tested.proportion_ci(level, method="exact")
    rate = Score(value=b / (a + b), low=float(ends.low), high=float(ends.high), n=a + b)
    return Preferences(a, b, ties, bad, torn, len(rows) - len(words), rate, float(tested.pvalue))


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read ({getattr(error, 'strerror', 'it is not UTF-8')})", at=str(path)) from None
    found = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            one = json.loads(line)
        except (ValueError, RecursionError):
            one = None
        if not isinstance(one, dict) or _first(one, _ANSWERS) is None:
            raise DataError(
                "is no JSON object with an answer",
                at=f"{path}, line {number}",
                hint=f'a line reads {{"id": …, "prompt": …, "answer": …}}; known: {", ".join(_ANSWERS)}',
            )
        found.append(one)
    return found


def _first(line: dict[str, Any], names: Sequence[str]) -> str | None:
    for name in names:
        if isinstance(line.get(name), str | int | float):
            return str(line[name])
    return None


def _paired(
    one: list[dict[str, Any]], other: list[dict[str, Any]], a: Path, b: Path
) -> Iterator[tuple[str, str | None, str, str]]:
    for names in (_IDS, _ASKED):
        if all(_first(line, names) is not None for line in (*one, *other)):
            theirs = {str(_first(line, names)): line for line in other}
            for line in one:
                key = str(_first(line, names))
                if key in theirs:
                    yield key, _first(line, _ASKED), str(_first(line, _ANSWERS)), str(_first(theirs[key], _ANSWERS))
            return
    if len(one) != len(other):
        raise DataError(
            f"{things(len(one), 'answer')} here and {len(other):,} in {b.name}, and no `id` says which belong together",
            at=str(a),
        )
    for number, (line, its) in enumerate(zip(one, other, strict=True), start=1):
        yield str(number), _first(line, _ASKED), str(_first(line, _ANSWERS)), str(_first(its, _ANSWERS))
