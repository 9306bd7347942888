"""Folds of training rows within a learner: rows that belong together stay in one."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.errors import DataError
from seedbed.core.numbers import things
from seedbed.core.rows import WEIGHT, as_json, data_columns
from seedbed.core.similarity import choose_kind, components, normalise, shingle, similar_pairs
from seedbed.core.similarity.shingles import SHORT
from seedbed.core.task import Task, rows_said
from seedbed.core.values import said

from .truth import truth_of

_Codes = NDArray[np.int64]

#: Texts this similar (Jaccard) belong together, as in a split.
_ALIKE = 0.7
#: Above so many rows only equal texts do: near ones would take longer to find than many a learner to learn.
_MOST_COMPARED = 100_000
#: Parts of the rows, by how large their numbers are, that are spread evenly.
_PARTS = 10


def deal(rows: pl.DataFrame, task: Task, folds: int, seed: int, group: str | None = None) -> _Codes:
    """The fold of each row, from 0, shape (rows,).

    Labels, tenths of the rows by their number, and the rarest label of sets are spread evenly, as far as rows that
    belong together allow that.

    Args:
        rows: Training rows.
        task: What is learned.
        folds: At least two.
        seed: Of ties.
        group: Column whose equal values belong together, besides similar rows.

    Raises:
        DataError: There are fewer groups of rows that belong together than folds.
    """
    cluster, first, sizes = _clusters(rows, task, group)
    if len(sizes) < folds:
        raise DataError(
            f"{things(rows.height, 'training row')} in {things(len(sizes), 'group')} of rows that belong together "
            f"cannot be dealt to {folds} folds",
            hint="give the learner fewer `folds`, or more rows",
        )
    strata = _strata(rows, task)[first]
    order = np.lexsort((np.random.default_rng(seed).permutation(len(sizes)), -sizes))
    held = np.zeros((folds, int(strata.max(initial=0)) + 1))
    fold_of = np.zeros(len(sizes), dtype=np.int64)
    for one in order.tolist():
        fold = int(np.lexsort((held.sum(axis=1), held[:, strata[one]]))[0])
        fold_of[one] = fold
        held[fold, strata[one]] += sizes[one]
    return fold_of[cluster]


def _clusters(rows: pl.DataFrame, task: Task, group: str | None) -> tuple[_Codes, _Codes, _Codes]:
    """The cluster of each row, from 0; the first row and the size of each."""
    if group is not None and group not in rows.columns:
        raise DataError(
            f"the rows that learners see have no column {group!r}",
            at="group",
            hint=f"they have: {', '.join(rows.columns[:12])}",
        )
    columns = [name for name in data_columns(rows) if name != WEIGHT]
    compared = [name for name in task.compared(columns) if name in columns]
    if task.alike_if_equal:
        texts, near = as_json(rows.select(compared)), False
    else:
        texts, near = rows_said(task, rows), rows.height <= _MOST_COMPARED
    alike = [normalise(said(rows[name])) for name in compared if name != task.shown and not task.alike_if_equal]
    pairs = [_near(texts) if near else _equal(texts if task.alike_if_equal else normalise(texts))]
    pairs += [_equal(one) for one in (*alike, *([said(rows[group])] if group else []))]
    left, right = (np.concatenate(side) for side in zip(*pairs, strict=True))
    _, first, cluster, sizes = np.unique(
        components(rows.height, left, right), return_index=True, return_inverse=True, return_counts=True
    )
    return cluster, first, sizes


def _near(texts: pl.Series) -> tuple[_Codes, _Codes]:
    short = int((texts.str.len_chars().fill_null(0) < SHORT).sum())
    left, right, _ = similar_pairs(shingle(texts, choose_kind(short, len(texts))), _ALIKE, spanning=True)
    return left, right


def _equal(values: pl.Series) -> tuple[_Codes, _Codes]:
    """Each row with the first that has the same value; a row without one is alone."""
    here = pl.DataFrame({"value": values, "place": np.arange(len(values))}).drop_nulls("value")
    found = here.select("place", first=pl.col("place").min().over("value")).filter(pl.col("place") != pl.col("first"))
    return found["first"].to_numpy().astype(np.int64), found["place"].to_numpy().astype(np.int64)


def _strata(rows: pl.DataFrame, task: Task) -> _Codes:
    match task.says:
        case "label":
            return np.asarray(truth_of(task, rows), dtype=np.int64)
        case "labels":
            held = truth_of(task, rows)
            often = np.where(held, held.sum(axis=0), len(held) + 1)
            return np.asarray(np.where(held.any(axis=1), often.argmin(axis=1), held.shape[1]), dtype=np.int64)
        case "number":
            ranks = pl.Series(truth_of(task, rows)).rank("ordinal").to_numpy() - 1
            return np.asarray(ranks * _PARTS // max(rows.height, 1), dtype=np.int64)
    return np.zeros(rows.height, dtype=np.int64)
