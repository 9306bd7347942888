"""What stands near to doubted rows: near copies that carry another label, and the nearest of all rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.context import Context
from seedbed.core.rows import ROW
from seedbed.core.similarity import shingle, similar_pairs
from seedbed.core.similarity.nearest import nearest

from .labelled import Labelled

Neighbours = Mapping[int, Sequence[dict[str, Any]]]

#: Rows that are shown with a suspect at most.
SHOWN = 3
#: Above so many rows that are alike, those that others join already are not compared.
_CROWD = 1_000
_BATCH = 20_000
#: Comparisons of a suspect and a row that are paid for, and the suspects that get neighbours.
_COMPARISONS = 20_000_000
_FEWEST, _MOST = 50, 1_000


def conflicting_copies(rows: Labelled) -> Neighbours:
    """Near copies with another label, by row (its place): the most similar first, at most `SHOWN`.

    Numbers that are not the same do not contradict each other: of those there are none.
    """
    if rows.task.says == "number":
        return {}
    places = _in_conflict(rows.clusters, rows.given)
    if not len(places):
        return {}
    texts = rows.texts[places]
    left, right, similarity = similar_pairs(shingle(texts, rows.kind), rows.threshold, crowd=_CROWD)
    left, right = places[left], places[right]
    other = rows.given[left] != rows.given[right]
    found: dict[int, list[tuple[float, int]]] = {}
    for one, two, alike in zip(left[other].tolist(), right[other].tolist(), similarity[other].tolist(), strict=True):
        found.setdefault(one, []).append((alike, two))
        found.setdefault(two, []).append((alike, one))
    return {
        row: _told(rows, [(near, alike) for alike, near in sorted(pairs, key=lambda one: (-one[0], one[1]))[:SHOWN]])
        for row, pairs in found.items()
    }


def _in_conflict(clusters: NDArray[np.int64], given: NDArray[np.int64]) -> NDArray[np.int64]:
    """Places of the rows of clusters that carry several labels."""
    table = pl.DataFrame({"cluster": clusters, "label": given}).with_row_index("place")
    several = table.filter(pl.col("label").n_unique().over("cluster") > 1)
    return several["place"].to_numpy().astype(np.int64)


def nearest_rows(rows: Labelled, doubted: Sequence[int], context: Context) -> Neighbours:
    """The rows nearest to the first of some doubted rows (places), by what the split calls similar."""
    most = max(_FEWEST, min(_MOST, _COMPARISONS // max(1, rows.frame.height)))
    wanted = list(doubted[:most])
    if not wanted or rows.columns:  # rows of a table are equal or have nothing in common
        return {}
    texts = rows.texts
    with context.stage("Looking for what is near to suspects", len(texts), "rows") as stage:

        def batches() -> Iterator[tuple[range, list[str]]]:
            for start in range(0, len(texts), _BATCH):
                some = texts.slice(start, _BATCH).to_list()
                yield range(start, start + len(some)), some
                stage.advance(len(some))

        found = nearest(texts[wanted].to_list(), batches(), kind=rows.kind, most=SHOWN + 1)
    return {
        row: _told(rows, [one for one in near if one[0] != row][:SHOWN])
        for row, near in zip(wanted, found, strict=True)
    }


def _told(rows: Labelled, near: Sequence[tuple[int, float]]) -> list[dict[str, Any]]:
    names = rows.frame[ROW]
    return [{"row": names[place], "label": rows.answers[place], "similarity": round(alike, 4)} for place, alike in near]
