"""Bootstrap intervals of scores.

A resample of n rows with replacement, looked at only through its confusion matrix, is one multinomial draw of n over
the cells with the cells' shares as probabilities: each drawn row falls into a cell with that cell's share,
independently of the others. So drawing cells gives the same distribution as drawing rows, at a cost that does not
depend on n. Metrics of probabilities are measured on resampled rows (`drawing`).

Intervals are percentile intervals (Efron & Tibshirani 1993, *An Introduction to the Bootstrap*, chapter 13): the
middle `level` of the values of the resamples. They say how much a value moves because the judged rows are a sample;
they do not say how much it would move with other training rows.

A resample may miss a rare label, and means over labels would leave it out there, though it counts in the value that
the interval is of: of 50 labels with few rows each, intervals would lie beside their values. So a label that a resample
misses counts there with one row, answered as its rows are on average (`with_missed`).

Where there was no mistake at all, or nothing was right, every resample agrees and a percentile interval has no width,
however few the rows. There the share of what was not seen is bounded exactly instead (Clopper & Pearson 1934: at most
1 - (alpha/2)^(1/n) for none among n), and the score with that share is the interval's other end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed.core.metric import Answers, DecisionMetric, Metric, Score, Truth
from seedbed.core.run import ClassScore

from .drawing import affordable, weights
from .groups import Groups, Units, as_of_groups
from .taking import numbers_a_row

#: Resamples are drawn in pieces of about this many bytes. The pieces do not change what is drawn.
PIECE_BYTES = 32 << 20


def confusion(truth: NDArray[np.int64], predicted: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Rows by true and predicted label.

    Args:
        truth: True label of each row, from 0, shape (rows,).
        predicted: Predicted label of each row, from 0, shape (rows,).
        size: Labels, K.

    Returns:
        Counts, shape (K, K), truth by prediction.
    """
    return np.bincount(truth * size + predicted, minlength=size * size).reshape(size, size)


def pieces(resamples: int, width: int) -> Iterator[int]:
    """Cut so many resamples of `width` integers each into pieces of about `PIECE_BYTES`; yields resamples a piece."""
    most = max(1, PIECE_BYTES // (8 * width))
    for start in range(0, resamples, most):
        yield min(most, resamples - start)


def with_missed(drawn: NDArray[np.int64], counts: NDArray[np.int64], truth: NDArray[np.int64]) -> NDArray[Any]:
    """Resampled counts of cells, with one row of each label that a resample misses.

    Args:
        drawn: Counts of cells, shape (m, cells).
        counts: The counts that they were drawn from, shape (cells,), none of them 0.
        truth: The true label of each cell, shape (cells,), equal ones side by side.
    """
    starts = np.flatnonzero(np.diff(truth, prepend=-1))
    widths = np.diff(starts, append=truth.size)
    missed = np.add.reduceat(drawn, starts, axis=1) == 0
    if not missed.any():
        return drawn
    rows = np.repeat(np.add.reduceat(counts, starts), widths)
    filled: NDArray[np.float64] = drawn + np.repeat(missed, widths, axis=1) * (counts / rows)
    return filled


def resampled(
    cells: NDArray[np.int64], *, resamples: int, seed: int, units: Units | None = None
) -> Iterator[NDArray[Any]]:
    """Confusion matrices of bootstrap resamples, in pieces of shape (m, K, K) that add up to `resamples`; a label that
    one misses is there with one row (`with_missed`).

    Args:
        cells: Counts, shape (K, K), of at least one row.
        resamples: Resamples to draw.
        seed: Equal seeds draw equal resamples.
        units: What is drawn, of the cells that are not empty, where it is not rows (`units_of`).
    """
    random = np.random.default_rng(seed)
    flat = cells.ravel()
    held = np.flatnonzero(flat)  # an empty cell stays empty in every resample
    units = units or Units(flat[held])
    for m in pieces(resamples, max(flat.size, units.counts.size)):
        counts = with_missed(units.resampled(random, m), flat[held], held // len(cells))
        drawn = np.zeros((m, flat.size), dtype=counts.dtype)
        drawn[:, held] = counts
        yield drawn.reshape(m, *cells.shape)


def units_of(truth: NDArray[np.int64], predicted: NDArray[np.int64], size: int, groups: Groups) -> Units | None:
    """What is drawn of rows that have groups; none where every row is by itself. Arguments as of `confusion`."""
    if groups is None:
        return None
    _, cell, counts = np.unique(truth * size + predicted, return_inverse=True, return_counts=True)
    return Units.of(cell, counts, groups)


def bounds(values: NDArray[np.float64], level: float) -> tuple[float, float]:
    """The middle `level` of values, shape (resamples,); of those that are numbers, at least one."""
    with np.errstate(invalid="ignore"):  # some metrics have no end: between two infinite values there is nothing
        low, high = np.nanquantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def unseen_share(n: int, level: float) -> float:
    """Upper bound of the share of what did not happen in n rows, at the confidence of one side of the interval."""
    return float(1 - ((1 - level) / 2) ** (1 / n)) if n else 1.0


def _with_unseen(cells: NDArray[np.int64], level: float) -> NDArray[np.float64] | None:
    """The matrix with as many mistakes (or hits) as could be there and not show; None where both do show."""
    size, right = len(cells), np.diagonal(cells)
    if size < 2 or 0 < right.sum() < cells.sum():
        return None
    moved = cells * unseen_share(int(cells.sum()), level)
    evenly = moved.sum(1)[:, None] / (size - 1) * (1 - np.eye(size))
    spread = evenly if right.sum() else np.diag(moved.sum(1))
    mixed: NDArray[np.float64] = cells - moved + spread
    return mixed


def scores(
    cells: NDArray[np.int64],
    metrics: Sequence[DecisionMetric],
    *,
    level: float,
    resamples: int,
    seed: int,
    units: Units | None = None,
) -> dict[str, Score]:
    """Values of metrics of decided labels, with their intervals.

    Args:
        cells: Counts, shape (K, K), truth by prediction, of at least one row.
        metrics: What to compute.
        level: Coverage of the intervals, as 0.95.
        resamples: Bootstrap resamples.
        seed: Of the resamples.
        units: What is drawn, where it is not rows (`units_of`).

    Returns:
        By the metric's name.
    """
    drawn: list[list[NDArray[np.float64]]] = [[] for _ in metrics]
    resamples = units.affordable(resamples) if units else resamples
    for piece in resampled(cells, resamples=resamples, seed=seed, units=units):
        for values, metric in zip(drawn, metrics, strict=True):
            values.append(metric.of_cells(piece))
    found = {}
    unseen = _with_unseen(cells, units.cautious(level) if units else level)
    for values, metric in zip(drawn, metrics, strict=True):
        low, high = bounds(np.concatenate(values), level)
        if unseen is not None:
            edge = float(metric.of_cells(unseen))
            low, high = min(low, edge), max(high, edge)
        found[metric.use] = Score(value=float(metric.of_cells(cells)), low=low, high=high, n=int(cells.sum()))
    return found


def by_cells(metric: Metric, truth: Truth) -> bool:
    """Whether counts of truth by prediction tell a metric: of rows that have one label each."""
    return one_label(truth) and isinstance(metric, DecisionMetric)


def one_label(truth: Truth) -> bool:
    """Whether rows have one label each: codes from 0, shape (rows,)."""
    return isinstance(truth, np.ndarray) and truth.ndim == 1 and truth.dtype.kind == "i"


@dataclass(frozen=True)
class Sampled:
    """A metric that is measured on a model's rows."""

    score: Score
    values: NDArray[np.float64]
    """Its values on resamples: the same ones for every model on as many rows, shape (resamples,)."""


def row_scores(
    truth: Truth,
    answers: Answers,
    metrics: Sequence[Metric],
    *,
    level: float,
    resamples: int,
    seed: int,
    groups: Groups = None,
) -> dict[str, Sampled]:
    """Values of metrics that are measured on rows, with their intervals.

    Args:
        truth: What is right, of each row; at least one row.
        answers: What the model says of each.
        metrics: What to compute.
        level: Coverage of the intervals, as 0.95.
        resamples: Bootstrap resamples; fewer on large splits, see `drawing.affordable`.
        seed: Of the resamples.
        groups: The group of each row, where rows are no independent draws.

    Returns:
        By the metric's name, without those that have no value on these rows.
    """
    rows = len(truth)
    resamples = affordable(rows, numbers_a_row(answers), resamples)
    found = {}
    for metric in metrics:
        measured = metric.over(truth, answers)
        value = float(measured(np.ones((1, rows), dtype=np.uint8))[0])
        if np.isnan(value):
            continue
        values = np.concatenate([measured(piece) for piece in weights(rows, resamples, seed, groups)])
        low, high = _ends(metric, value, values, level)
        edge = metric.unseen(truth, answers, as_of_groups(level, groups)) if low == high else None
        if edge is not None:
            low, high = min(low, edge), max(high, edge)
        found[metric.use] = Sampled(Score(value=value, low=low, high=high, n=rows), values)
    return found


def _ends(metric: Metric, value: float, values: NDArray[np.float64], level: float) -> tuple[float, float]:
    low, high = bounds(values, level)
    if metric.adds_up_chance:
        # It holds the value itself, too, where chance is all there is.
        low, high = max(metric.lowest, min(2 * value - high, value)), min(metric.highest, max(2 * value - low, value))
    return low, high


def class_scores(
    cells: NDArray[np.int64],
    labels: Sequence[str],
    *,
    level: float,
    resamples: int,
    seed: int,
    units: Units | None = None,
) -> dict[str, ClassScore]:
    """Precision, recall and F1 of each label, with intervals; 0 where there is nothing to divide by.

    For one label, four cells are enough to draw: hits, false alarms, misses, and all other rows. `n` of a score is
    the rows in its denominator: predicted as the label, of the label, either.

    Args:
        cells: Counts, shape (K, K), truth by prediction, of at least one row.
        labels: The K labels in order.
        level: Coverage of the intervals, as 0.95.
        resamples: Bootstrap resamples.
        seed: Of the resamples.
        units: What is drawn, where it is not rows (`units_of`).
    """
    hits = np.diagonal(cells)
    by_group = None
    if units is not None:
        drawn = resampled(cells, resamples=units.affordable(resamples), seed=seed, units=units)
        by_group = np.concatenate([_counted(piece) for piece in drawn]), units.cautious(level)
    return label_scores(
        hits, cells.sum(0) - hits, cells.sum(1) - hits, int(cells.sum()), labels,
        level=level, resamples=resamples, seed=seed, by_group=by_group,
    )  # fmt: skip


def _counted(cells: NDArray[Any]) -> NDArray[np.float64]:
    """Hits, false alarms and misses of each label, shape (m, K, K) to (m, 3, K)."""
    hits = np.diagonal(cells, axis1=-2, axis2=-1)
    return np.stack([hits, cells.sum(-2) - hits, cells.sum(-1) - hits], axis=1).astype(np.float64)


def label_scores(  # noqa: PLR0913 (each is one of what a judge needs)
    hits: NDArray[np.int64],
    alarms: NDArray[np.int64],
    misses: NDArray[np.int64],
    rows: int,
    labels: Sequence[str],
    *,
    level: float,
    resamples: int,
    seed: int,
    by_group: tuple[NDArray[np.float64], float] | None = None,
) -> dict[str, ClassScore]:
    """As `class_scores`, from rows that have each label and are given it, or only the one or the other, shape (K,).

    Where rows have groups, `by_group` holds the same three of resamples, shape (resamples, 3, K), and the level of
    bounds.
    """
    random = np.random.default_rng(seed)
    found = {}
    for place, (label, hit, alarm, miss) in enumerate(
        zip(labels, hits.tolist(), alarms.tolist(), misses.tolist(), strict=True)
    ):
        four = np.array([hit, alarm, miss, rows - hit - alarm - miss])
        counts = by_group[0][:, :, place] if by_group else random.multinomial(rows, four / rows, size=resamples)
        drawn = _precision_recall_f1(counts)
        value = _precision_recall_f1(four)
        ns = (hit + alarm, hit + miss, hit + alarm + miss)
        low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
        low, high = _widened(value, low, high, np.array(ns), by_group[1] if by_group else level)
        precision, recall, f1 = (
            Score(value=float(value[i]), low=float(low[i]), high=float(high[i]), n=n) for i, n in enumerate(ns)
        )
        found[label] = ClassScore(precision=precision, recall=recall, f1=f1, support=hit + miss)
    return found


def drawn_by_group(
    three: Sequence[NDArray[np.bool_]], groups: NDArray[np.int64], *, level: float, resamples: int, seed: int
) -> tuple[NDArray[np.float64], float]:
    """`by_group` of `label_scores`, from where hits, false alarms and misses are, each of shape (rows, K)."""
    units, size = int(groups.max()) + 1, three[0].shape[1]
    sums = np.zeros((units, 3 * size))
    np.add.at(sums, groups, np.concatenate(three, axis=1))
    pieces_ = weights(units, affordable(units, 3 * size, resamples), seed)
    drawn = np.concatenate([one.astype(np.float64) @ sums for one in pieces_])
    return drawn.reshape(-1, 3, size), as_of_groups(level, groups)


def _widened(
    value: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64], n: NDArray[np.int64], level: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Intervals of precision, recall and F1, with the exact bound at the end where a value of 1 or 0 hides one."""
    share = np.array([unseen_share(rows, level) for rows in n.tolist()])
    perfect, hopeless = 1 - share, share.copy()
    # Of the rows that are either predicted or true, a share of mistakes: F1 is 2 hits / (2 hits + mistakes).
    perfect[2], hopeless[2] = 2 * (1 - share[2]) / (2 - share[2]), 2 * share[2] / (1 + share[2])
    return np.where((value == 1) & (n > 0), perfect, low), np.where((value == 0) & (n > 0), hopeless, high)


def _precision_recall_f1(four: NDArray[Any]) -> NDArray[np.float64]:
    """Hits, false alarms, misses (and others), shape (..., 3 or 4), to shape (..., 3)."""
    hit, alarm, miss = four[..., 0], four[..., 1], four[..., 2]
    return np.stack(
        [
            hit / np.maximum(hit + alarm, 1),
            hit / np.maximum(hit + miss, 1),
            2 * hit / np.maximum(2 * hit + alarm + miss, 1),
        ],
        axis=-1,
    )
