"""Pairs of answers that people choose between: which rows, which two models, and whose answer stands on the left.

A pair is known by a digest of its row, both models and both answers. So what people chose stands as long as the models
answer as they did, in whichever run; and nothing that a page is sent says which model wrote what.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Literal, cast

from seedbed.core.decision import Standing
from seedbed.evaluate.choices import Asked, Pair, Word

from .side_by_side import drawn

#: What models say where people can choose between two of them.
IN_TEXTS = ("text", "turns", "itself")
#: Rows that are shown where the recipe says nothing, and rows at most.
USUAL, MOST = 100, 10_000
_KEY = "answers:"
_WORDS = ("a", "b", "tie", "both_bad")
#: Of a row (its place) and two models; NaN where there is none.
Of = Callable[[str, str, int], float]


def pairs_of(models: Sequence[str]) -> list[tuple[str, str]]:
    """Each model with the one before it, and with the first where that is another one."""
    return [*pairwise(models), *((models[0], name) for name in models[2:])]


def continued_at(folder: Path, model: str) -> Path:
    """Where a run keeps how a language model goes on after the beginnings of test rows."""
    return folder / "predictions" / f"{model}-continued.parquet"


@dataclass(frozen=True)
class TwoAnswers:
    """What two models answered to a row."""

    place: int
    """Of the row."""
    a: str
    b: str
    key: str
    """By which people's choice is known again."""
    same: bool
    """Whether both answered the same, so that there is nothing to choose."""

    @property
    def left(self) -> Literal["a", "b"]:
        """Whose answer stands on the left: as good as drawn, and the same for everybody."""
        return "a" if sha256(f"left/{self.key}".encode()).digest()[0] % 2 else "b"


def two_answers(
    ids: Sequence[str], models: Mapping[str, Mapping[int, str]], most: int, seed: int
) -> Iterator[TwoAnswers]:
    """Pairs of answers to rows that a seed draws, row by row, so that whoever stops has seen all pairs alike.

    Args:
        ids: Of the rows.
        models: What each model answered, by the place of the row; where it did not answer, it is not compared.
        most: Rows at most.
        seed: Of the drawing: the rows that a judge is shown come first, too.
    """
    for place in drawn(ids, len(ids), seed)[:most]:
        for a, b in pairs_of(list(models)):
            if place in models[a] and place in models[b]:
                said = [models[name][place].strip() for name in (a, b)]
                told = json.dumps([ids[place], a, b, *said], ensure_ascii=False)
                key = _KEY + sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:32]
                yield TwoAnswers(place, a, b, key, said[0] == said[1])


def asked_of(
    shown: Iterable[TwoAnswers], standing: Standing, gain: Of | None = None, judged: Of | None = None
) -> tuple[list[Pair], int]:
    """What people chose, pair of models by pair of models; and decisions on answers that are none of these.

    Args:
        shown: All pairs of answers, in the order in which they are shown.
        standing: What was decided.
        gain: How much better the second model's answer is by the deciding metric.
        judged: Which answer the model of `judged_by` prefers: 1 the second's, -1 the first's, 0 neither.
    """
    gone_through: dict[tuple[str, str], list[TwoAnswers]] = {}
    words: dict[str, dict[str, Word]] = {}
    for one in shown:
        gone_through.setdefault((one.a, one.b), []).append(one)
        words[one.key] = _words(standing, one.key)
    pairs = []
    for (a, b), each in gone_through.items():
        last = max((place for place, one in enumerate(each) if words[one.key]), default=-1)
        asked = [
            Asked(
                words[one.key],
                one.left,
                gain(a, b, one.place) if gain else float("nan"),
                judged(a, b, one.place) if judged else float("nan"),
            )
            for one in each
            if words[one.key]
        ]
        pairs.append(Pair(a, b, asked, same=sum(one.same for one in each[: last + 1])))
    others = [row for row in standing.rows() if row.startswith(_KEY) and row not in words]
    return pairs, sum(bool(_words(standing, row)) for row in others)


def _words(standing: Standing, key: str) -> dict[str, Word]:
    """Each person's last word on a pair."""
    said = [one for one in standing.words_on(key) if one.action == "prefer" and one.label in _WORDS]
    return {one.who: cast(Word, one.label) for one in said}
