"""Doubts of sets of labels and of numbers: which label of a row is wrong or missing, which number lies far off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.check import SPLIT
from seedbed.core.context import Context
from seedbed.core.doubts import SUSPECTS
from seedbed.core.metric import Score
from seedbed.core.rows import ROW
from seedbed.core.statistics.shares import wilson
from seedbed.core.task import said_set
from seedbed.evaluate.label_errors import FAR, far_off, share_of_carried, standards_of, usual_distance
from seedbed.evaluate.label_errors import doubted_labels as doubted_labels_of
from seedbed.train.scale import Scale

from .labelled import Labelled
from .near import Neighbours, conflicting_copies, nearest_rows
from .probabilities import Probabilities

#: Digits of a number that a model foretells.
_DIGITS = 4


@dataclass(frozen=True)
class Seen:
    """What models say of some rows, each array of shape (rows,)."""

    doubted: NDArray[np.bool_]
    suggested: Sequence[str]
    own: NDArray[np.float64]
    """Of a set, the probability of the label (or of its absence) that fits worst; of a number, see `far_off`."""
    kinds: Sequence[str]
    order: NDArray[np.float64]
    """The least is looked at first."""


def doubts_of_sets(
    rows: Labelled, places: NDArray[np.int64], held_out: NDArray[np.int64], told: Probabilities, of_test: Probabilities
) -> tuple[dict[str, Any], Seen, Seen]:
    """Facts on sets of labels, and what is said of the rows that are learned from, and of test rows."""
    judged = rows.doubted[places]
    probabilities, carried = np.asarray(told, dtype=np.float64), rows.sets[places]
    standards = standards_of(probabilities, carried)
    right = ((probabilities > 0.5) & carried)[judged].sum()
    said = (probabilities > 0.5)[judged].sum() + carried[judged].sum()
    facts = {
        "share": share_of_carried(probabilities[judged], carried[judged]).model_dump(),
        "joint": 0.0,
        "accuracy": float(2 * right / said) if said else 0.0,
    }
    seen = _of_sets(probabilities, carried, standards, rows.labels)
    test = _of_sets(np.asarray(of_test, dtype=np.float64), rows.sets[held_out], standards, rows.labels)
    return facts, seen, test


def _of_sets(
    probabilities: NDArray[np.float64],
    carried: NDArray[np.bool_],
    standards: tuple[NDArray[np.float64], NDArray[np.float64]],
    labels: tuple[str, ...],
) -> Seen:
    own = np.where(carried, probabilities, 1 - probabilities)
    doubted = doubted_labels_of(probabilities, carried, standards)
    worst = np.where(doubted, own, 2.0).min(axis=1, initial=2.0)
    meant = carried ^ doubted
    names = np.asarray(labels, dtype=object)
    wrong, missing = (doubted & carried).any(axis=1), (doubted & ~carried).any(axis=1)
    kinds = np.where(wrong & missing, "wrong_and_missing", np.where(wrong, "wrong", "missing"))
    suggested = [said_set(names[row].tolist()) for row in meant]
    return Seen(np.asarray(doubted.any(axis=1)), suggested, np.minimum(worst, 1.0), kinds.tolist(), worst)


def doubts_of_numbers(
    rows: Labelled, places: NDArray[np.int64], held_out: NDArray[np.int64], told: Probabilities, of_test: Probabilities
) -> tuple[dict[str, Any], Seen, Seen]:
    """Facts on numbers, and what is said of the rows that are learned from, and of test rows."""
    judged = rows.doubted[places]
    given = rows.frame[rows.answer].cast(pl.Float64).to_numpy()
    foretold, of_tests = np.asarray(told, dtype=np.float64)[:, 0], np.asarray(of_test, dtype=np.float64)[:, 0]
    scale = Scale.of(pl.Series(given[places]))
    usual = usual_distance(scale.to(pl.Series(given[places])), scale.to(pl.Series(foretold)))
    seen = _of_numbers(given[places], foretold, scale, usual)
    test = _of_numbers(given[held_out], of_tests, scale, usual)
    found, of = int((seen.doubted & judged).sum()), int(judged.sum())
    low, high = wilson(found, of)
    both = pl.DataFrame({"given": given[places][judged], "foretold": foretold[judged]})
    alike = both.select(pl.corr("given", "foretold", method="spearman")).item()
    facts = {
        "share": Score(value=found / max(of, 1), low=low, high=high, n=of).model_dump(),
        "joint": 0.0,
        "accuracy": 0.0 if alike is None or np.isnan(alike) else float(alike),
    }
    return facts, seen, test


def _of_numbers(
    given: NDArray[np.float64],
    foretold: NDArray[np.float64],
    scale: Scale,
    usual: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> Seen:
    said = scale.to(pl.Series(foretold))
    times, own = far_off(scale.to(pl.Series(given)), said, usual(said))
    kinds = np.where(given > foretold, "too_high", "too_low").tolist()
    suggested = [f"{one:.{_DIGITS}g}" for one in foretold.tolist()]
    return Seen(np.asarray(times > FAR), suggested, own, kinds, -times)


def suspects_among(
    rows: Labelled, places: NDArray[np.int64], judged: NDArray[np.bool_], seen: Seen, context: Context
) -> pl.DataFrame:
    """The doubted of some rows (places), the most suspect first (`SUSPECTS`)."""
    copies = conflicting_copies(rows) if rows.task.says == "labels" else {}
    in_conflict = np.isin(places, np.fromiter(copies, dtype=np.int64, count=len(copies)))
    found = np.flatnonzero(judged & (seen.doubted | in_conflict))
    order = found[np.lexsort((places[found], seen.order[found]))]
    at = places[order].tolist()
    near: Neighbours = nearest_rows(rows, [place for place in at if place not in copies], context)
    said = [_told(seen, copies, place, here) for place, here in zip(at, order.tolist(), strict=True)]
    confidence = None if rows.task.says == "number" else 1 - seen.own[order]
    frame = pl.DataFrame(
        {
            ROW: rows.frame[ROW][at],
            "split": rows.frame[SPLIT][at],
            "rank": pl.Series(range(1, len(at) + 1), dtype=pl.UInt32),
            "given": rows.answers[at],
            "suggested": pl.Series([suggested for suggested, _ in said], dtype=pl.String),
            "self_confidence": seen.own[order],
            "confidence": pl.Series([None] * len(at) if confidence is None else confidence, dtype=pl.Float64),
            "kind": pl.Series([kind for _, kind in said], dtype=pl.String),
            "neighbours": pl.Series(
                [copies.get(place) or near.get(place, []) for place in at], dtype=SUSPECTS["neighbours"]
            ),
        }
    )
    return frame.with_columns(margin=pl.col("self_confidence") - pl.col("confidence")).select(
        pl.col(name).cast(kind) for name, kind in SUSPECTS.items()
    )


def _told(seen: Seen, copies: Neighbours, place: int, here: int) -> tuple[str, str]:
    """What is suggested of a row, and why: that of a near copy where no model says otherwise."""
    if place in copies:
        return (seen.suggested[here] if seen.doubted[here] else copies[place][0]["label"]), "near_copy"
    return seen.suggested[here], seen.kinds[here]
