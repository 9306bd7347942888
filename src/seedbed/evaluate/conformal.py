"""Sets of labels and intervals of numbers that hold what is right as often as they promise.

Split conformal prediction (Papadopoulos et al. 2002; Lei et al. 2018, *Distribution-Free Predictive Inference for
Regression*): of n rows that the model did not learn from, each gets a score of how badly the answer fits what is right.
A new row is given all that fits no worse than the score of rank ⌈(n + 1) · coverage⌉. If the new row is like those n
(exchangeable), what is right is among it with at least that chance, whatever the model and whatever the data.

* Labels: the score is 1 minus the probability of the right label, which gives the smallest sets on average (Sadinle,
  Lei & Wasserman 2019, *Least Ambiguous Set-Valued Classifiers*). The most probable label is always in the set, so that
  none is empty; that can only raise the coverage.
* Any number of labels: the score is 1 minus the probability of the least probable of the right labels, so that a set
  holds all of them (the outer sets of Cauchois, Gupta & Duchi 2021, *Knowing what You Know: valid and validated
  confidence sets in multiclass and multilabel prediction*, JMLR 22). A row that has no label fits every set, and a set
  may be empty. The promise is about whole sets of labels, which is more than one about each label by itself.
* Numbers: the score is the distance from the truth, in units of how far off predictions of that size usually are
  (normalised; Papadopoulos et al. 2011). How far is learned from half of the rows, and only from the other half the
  score's rank is taken; with few rows all predictions count as equally hard.

The promise is about all rows together, not about those of each label or kind: `by_label` shows how it falls out.
Validation rows that also chose the model, or its temperature, are a little easier for it than new ones; the coverage
measured on test rows tells whether that matters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.metric import Answers, Score, Truth
from seedbed.core.scrutiny import Conformal, Coverage
from seedbed.core.statistics.holm import holm

from .forms import Form, LabelSets, Number, OneLabel

_Floats = NDArray[np.float64]
_Codes = NDArray[np.int64]
_Given = NDArray[np.bool_]

#: Fewer rows than this are not shared between difficulty and rank.
FEWEST_TO_HALVE = 200
_MOST_BINS, _ROWS_A_BIN = 10, 30
#: A bin's usual distance counts as so many rows more at the distance of all rows.
_SMOOTHING = 10
#: Most labels that are told of by themselves.
_MOST_LABELS = 100


def fit(form: Form, truth: Truth, answers: Answers, coverage: float, *, split: str, seed: int = 13) -> Conformal | None:
    """What sets or intervals take, for answers that are labels or a number; none for others, or for too few rows.

    Args:
        form: How answers are held.
        truth: What is right, of rows that the model did not learn from.
        answers: What it says of them.
        coverage: Share of rows whose set or interval is to hold what is right.
        split: What the rows are called.
        seed: Of what is drawn.
    """
    if isinstance(form, OneLabel):
        return fit_sets(truth, answers, coverage, split=split)
    if isinstance(form, LabelSets):
        return fit_label_sets(truth, answers, coverage, split=split)
    if isinstance(form, Number):
        return fit_intervals(truth, answers, coverage, split=split, seed=seed)
    return None


def measured(
    form: Form, fitted: Conformal, truth: Truth, answers: Answers, *, model: str, split: str, level: float
) -> Coverage:
    """How often what was fitted holds what is right, on other rows; at least one."""
    if fitted.kind == "sets":
        return coverage_of_sets(fitted, truth, answers, form.labels, model=model, split=split, level=level)
    if fitted.kind == "label_sets":
        return coverage_of_label_sets(fitted, truth, answers, form.labels, model=model, split=split, level=level)
    return coverage_of_intervals(fitted, truth, answers, model=model, split=split, level=level)


def promised(form: Form, fitted: Conformal, answers: Answers) -> pl.DataFrame:
    """What a new row gets besides its answer: `set`, labels, the most probable first; or `low` and `high`.

    Args:
        form: How answers are held.
        fitted: What the model's bundle keeps.
        answers: The model's.
    """
    if fitted.kind == "intervals":
        ends = intervals(fitted, answers)
        return pl.DataFrame({"low": ends[:, 0], "high": ends[:, 1]})
    inside, order = sets(fitted, answers), np.argsort(-answers, axis=1, kind="stable")
    named = [[form.labels[code] for code in row if has[code]] for row, has in zip(order.tolist(), inside, strict=True)]
    return pl.DataFrame({"set": pl.Series(named, dtype=pl.List(pl.String))})


def rank_of(rows: int, coverage: float) -> int | None:
    """Rank of the score that is the limit; none where there are too few rows to promise that much."""
    rank = math.ceil((rows + 1) * coverage - 1e-9)
    return rank if 0 < rank <= rows else None


def fit_sets(truth: _Codes, answers: _Floats, coverage: float, *, split: str) -> Conformal | None:
    """What sets of labels take to hold the right one so often.

    Args:
        truth: The right label of each row, from 0, shape (rows,).
        answers: Probabilities from a model that did not learn from these rows, shape (rows, labels).
        coverage: Share of rows whose set is to hold the right label, as 0.9.
        split: What the rows are called.

    Returns:
        None where there are too few rows: a coverage of 0.9 takes 9 of them, one of 0.99 takes 99.
    """
    rank = rank_of(len(truth), coverage)
    if rank is None:
        return None
    own = np.sort(answers[np.arange(len(truth)), truth])[::-1]
    at_least = float(own[rank - 1])
    return Conformal(kind="sets", coverage=coverage, split=split, rows=len(truth), rank=rank, at_least=at_least)


def fit_label_sets(truth: _Given, answers: _Floats, coverage: float, *, split: str) -> Conformal | None:
    """What sets of labels take to hold all right labels of a row so often.

    Args:
        truth: Whether each row has each label, shape (rows, labels).
        answers: Probability of each label, from a model that did not learn from these rows, shape (rows, labels).
        coverage: Share of rows whose set is to hold all of their labels.
        split: What the rows are called.

    Returns:
        None where there are too few rows, as `fit_sets`.
    """
    rank = rank_of(len(truth), coverage)
    if rank is None:
        return None
    least = np.sort(np.where(truth, answers, 1.0).min(axis=1, initial=1.0))[::-1]
    at_least = float(least[rank - 1])
    return Conformal(kind="label_sets", coverage=coverage, split=split, rows=len(truth), rank=rank, at_least=at_least)


def fit_intervals(truth: _Floats, answers: _Floats, coverage: float, *, split: str, seed: int = 13) -> Conformal | None:
    """What intervals take to hold the true number so often.

    Args:
        truth: Numbers, shape (rows,).
        answers: Predictions of a model that did not learn from these rows, shape (rows, 1).
        coverage: Share of rows whose interval is to hold the truth.
        split: What the rows are called.
        seed: Of the halves.
    """
    predicted = answers[:, 0]
    off = np.abs(truth - predicted)
    edges: _Floats = np.zeros(0)
    difficulty = np.ones(1)
    if len(truth) >= FEWEST_TO_HALVE:
        order = np.random.default_rng(seed).permutation(len(truth))
        first, second = order[: len(truth) // 2], order[len(truth) // 2 :]
        edges, difficulty = _difficulty(predicted[first], off[first])
        predicted, off = predicted[second], off[second]
    rank = rank_of(len(off), coverage)
    if rank is None:
        return None
    scores = off / difficulty[np.searchsorted(edges, predicted, side="right")]
    return Conformal(
        kind="intervals",
        coverage=coverage,
        split=split,
        rows=len(off),
        rank=rank,
        reach=float(np.sort(scores)[rank - 1]),
        edges=tuple(edges.tolist()),
        difficulty=tuple(difficulty.tolist()),
    )


def _difficulty(predicted: _Floats, off: _Floats) -> tuple[_Floats, _Floats]:
    """Edges among predictions, and the usual distance from the truth between them."""
    bins = max(1, min(_MOST_BINS, len(off) // _ROWS_A_BIN))
    edges = np.unique(np.quantile(predicted, np.arange(1, bins) / bins))
    place = np.searchsorted(edges, predicted, side="right")
    rows = np.bincount(place, minlength=len(edges) + 1)
    usual = off.mean()
    if not usual:
        return np.zeros(0), np.ones(1)
    return edges, (np.bincount(place, off, len(edges) + 1) + _SMOOTHING * usual) / (rows + _SMOOTHING)


def sets(fitted: Conformal, answers: _Floats) -> NDArray[np.bool_]:
    """Which labels are in each row's set, shape (rows, labels); of one right label the most probable always is."""
    assert fitted.at_least is not None
    inside = np.asarray(answers >= fitted.at_least)
    if len(inside) and fitted.kind == "sets":
        inside[np.arange(len(inside)), answers.argmax(axis=1)] = True
    return inside


def intervals(fitted: Conformal, answers: _Floats) -> _Floats:
    """Each row's interval, both ends in it, shape (rows, 2)."""
    assert fitted.reach is not None
    predicted = answers[:, 0]
    hard = np.asarray(fitted.difficulty)[np.searchsorted(np.asarray(fitted.edges), predicted, side="right")]
    half = fitted.reach * hard
    return np.stack([predicted - half, predicted + half], axis=1)


def coverage_of_sets(
    fitted: Conformal, truth: _Codes, answers: _Floats, labels: tuple[str, ...], *, model: str, split: str, level: float
) -> Coverage:
    """How often sets hold the right label, on rows that they were not fitted on; at least one row.

    Args:
        fitted: What `fit_sets` found.
        truth: The right label of each row, shape (rows,).
        answers: Probabilities, shape (rows, labels).
        labels: Names of the labels.
        model: The model's name.
        split: What the rows are called.
        level: Coverage of the interval of the measured share.
    """
    inside = sets(fitted, answers)
    held = inside[np.arange(len(truth)), truth]
    bears = truth[:, None] == np.arange(len(labels))
    told = _by_label(bears, inside, labels, level)
    return _coverage(fitted, held, model, split, level, **_sizes(inside), by_label=told)


def coverage_of_label_sets(
    fitted: Conformal, truth: _Given, answers: _Floats, labels: tuple[str, ...], *, model: str, split: str, level: float
) -> Coverage:
    """How often sets hold all right labels of a row; as `coverage_of_sets`, with truth as `fit_label_sets` takes it."""
    inside = sets(fitted, answers)
    held: _Given = np.asarray((inside | ~truth).all(axis=1))
    told = _by_label(truth, inside, labels, level)
    return _coverage(fitted, held, model, split, level, **_sizes(inside), by_label=told)


def _sizes(inside: _Given) -> dict[str, object]:
    """Labels in a set, on average and row by row."""
    sizes = inside.sum(axis=1)
    counted = {str(size): int(n) for size, n in enumerate(np.bincount(sizes)) if n}
    return {"size": float(sizes.mean()), "sizes": counted}


def _by_label(bears: _Given, inside: _Given, labels: tuple[str, ...], level: float) -> dict[str, Score]:
    """For the most frequent labels, how many of the rows that bear one have it in their set."""
    support = bears.sum(axis=0)
    found = (bears & inside).sum(axis=0)
    most = np.argsort(-support, kind="stable")[:_MOST_LABELS].tolist()
    return {labels[code]: share(int(found[code]), int(support[code]), level) for code in most if support[code]}


def coverage_of_intervals(
    fitted: Conformal, truth: _Floats, answers: _Floats, *, model: str, split: str, level: float
) -> Coverage:
    """How often intervals hold the truth, on rows that they were not fitted on; as `coverage_of_sets`."""
    ends = intervals(fitted, answers)
    held = (ends[:, 0] <= truth) & (truth <= ends[:, 1])
    return _coverage(fitted, held, model, split, level, size=float((ends[:, 1] - ends[:, 0]).mean()))


def _coverage(
    fitted: Conformal, held: NDArray[np.bool_], model: str, split: str, level: float, **more: object
) -> Coverage:
    from scipy.stats import betabinom

    covered = int(held.sum())
    # The rows that it was fitted on are a sample, too: what they cover of all rows is Beta(rank, n + 1 - rank).
    p = float(betabinom.cdf(covered, held.size, fitted.rank, fitted.rows + 1 - fitted.rank))
    return Coverage.model_validate(
        {
            "model": model,
            "fitted": fitted,
            "split": split,
            "score": share(covered, held.size, level),
            "p": p,
            "kept": p >= 1 - level,
            **more,
        }
    )


def corrected(found: Sequence[Coverage], level: float) -> tuple[Coverage, ...]:
    """With p corrected by Holm's method over all models, whose promises are asked about at the same time.

    Without it, one of twenty promises that are kept would be said to be broken at a level of 0.95.
    """
    each = holm([one.p for one in found])
    return tuple(
        one.model_copy(update={"p_holm": p, "kept": p >= 1 - level}) for one, p in zip(found, each, strict=True)
    )


def share(found: int, of: int, level: float) -> Score:
    """A share that was counted, with its exact interval (Clopper & Pearson 1934)."""
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    low = float(betaincinv(found, of - found + 1, tail)) if found else 0.0
    high = float(betaincinv(found + 1, of - found, 1 - tail)) if found < of else 1.0
    return Score(value=found / of, low=low, high=high, n=of)
