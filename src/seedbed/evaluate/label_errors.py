"""Wrong labels by probabilities of models that did not see the rows: how many there are, and which are suspect.

Single labels, sets of labels and numbers. How cleanlab (extra `labels`) scores sets and numbers stands beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedbed.core.metric import Score

Floats = NDArray[np.floating]
Codes = NDArray[np.int64]

#: Numbers that are looked at together.
_CELLS = 8_000_000
#: Places at which shares are compared.
_GRID = np.linspace(0.005, 1, 200)
#: As in cleanlab: so close below a threshold counts as at it.
_SLACK = 1e-6
#: A number that lies so many usual distances from what a model foretells is doubted.
FAR = 3.0
#: Rows whose distance is told together, at least, and parts of the range at most; what a median is of a deviation.
_FEWEST_TOGETHER, _PARTS, _MEDIAN = 100, 20, 0.6744897501960817
#: Of something that was never seen in n rows, at most 3 / n is there, with 95 % certainty.
_RULE_OF_THREE = 3


@dataclass(frozen=True)
class Looked:
    """What probabilities say of each row, shape (rows,) each."""

    own: NDArray[np.float64]
    """Probability of the given label."""
    other: Codes
    """The most probable of the other labels."""
    other_probability: NDArray[np.float64]
    confident: Codes
    """The label that the model is confident of, as confident learning has it; -1 for none."""


def thresholds_of(probabilities: Floats, given: Codes) -> NDArray[np.float64]:
    """The mean probability of each label over rows that carry it, shape (labels,); 2, out of reach, where none does.

    Source: Northcutt, Jiang and Chuang, "Confident learning: estimating uncertainty in dataset labels" (2021).
    """
    own, labels = _own(probabilities, given), probabilities.shape[1]
    rows = np.bincount(given, minlength=labels)
    sums = np.bincount(given, weights=own, minlength=labels)
    means: NDArray[np.float64] = np.where(rows > 0, sums / np.maximum(rows, 1), 2.0)
    return means


def look(probabilities: Floats, given: Codes, thresholds: NDArray[np.float64]) -> Looked:
    """What probabilities say of each row.

    Args:
        probabilities: Of each label, by models that did not see the row, shape (rows, labels); may be a memory map.
        given: The label of each row, as an index, shape (rows,).
        thresholds: See `thresholds_of`.
    """
    rows, labels = probabilities.shape
    other, confident = np.zeros(rows, dtype=np.int64), np.full(rows, -1, dtype=np.int64)
    most = np.zeros(rows)
    for start in range(0, rows, step := max(1, _CELLS // labels)):
        block = np.array(probabilities[start : start + step], dtype=np.float64)
        here = np.arange(len(block))
        sure = np.where(block >= thresholds - _SLACK, block, -1.0)
        best = sure.argmax(axis=1)
        confident[start : start + step] = np.where(sure[here, best] < 0, -1, best)
        block[here, given[start : start + step]] = -1.0
        other[start : start + step] = block.argmax(axis=1)
        most[start : start + step] = block[here, block.argmax(axis=1)]
    return Looked(_own(probabilities, given), other, most, confident)


def confident_joint(given: Codes, confident: Codes, labels: int) -> NDArray[np.float64]:
    """Share of rows by given and true label as confident learning estimates it, shape (labels, labels).

    Args:
        given: The label of each row.
        confident: The label that the model is confident of; -1 for none.
        labels: How many there are.
    """
    sure = confident >= 0
    cells = np.bincount(given[sure] * labels + confident[sure], minlength=labels * labels).astype(np.float64)
    joint = cells.reshape(labels, labels)
    np.fill_diagonal(joint, joint.diagonal().clip(min=1))
    rows = np.bincount(given, minlength=labels)
    joint *= (rows / joint.sum(axis=1))[:, None]
    share: NDArray[np.float64] = joint / joint.sum()
    return share


def ranks_among_others(probabilities: Floats, given: Codes) -> NDArray[np.float64]:
    """For each row, the share of rows of other labels whose probability of its label is no larger, shape (rows,).

    If a wrong label falls on rows like chance, these shares are uniform among wrong labels; among right ones they are
    near 1.
    """
    rows, labels = probabilities.shape
    found = np.ones(rows)
    for start in range(0, labels, step := max(1, _CELLS // max(1, rows))):
        block = np.ascontiguousarray(probabilities[:, start : start + step].T)
        for label, column in enumerate(block, start):
            mine = given == label
            if mine.any() and not mine.all():
                others = np.sort(column[~mine])
                found[mine] = np.searchsorted(others, column[mine], side="right") / len(others)
    return found


def share_wrong(
    ranks: NDArray[np.float64], given: Codes, *, level: float = 0.95, resamples: int = 1000, seed: int = 13
) -> Score:
    """The largest share of wrong labels that the ranks allow: an estimate where the model tells most labels apart.

    Were a share s of labels wrong, at least s t of the ranks would lie below t, for each t: so s is at most the least
    of (share below t) / t. The t is taken where that holds most surely. Source: Storey (2002) for the share of chance
    among p-values; Garg et al., "Mixture proportion estimation and PU learning: a modern approach" (2021) for the t.
    Rows of other labels, too, are wrong by that share, and some of them ought to carry the label: with two labels,
    say, s / (1 - s) would be found for s. That is taken out.

    Args:
        ranks: See `ranks_among_others`.
        given: The label of each row, as an index.
        level: Coverage of the interval, which tells of chance in the rows and not of the model's faults.
        resamples: Draws of the bootstrap over rows.
        seed: Of those.
    """
    rows = len(ranks)
    counts = np.bincount(np.searchsorted(_GRID, ranks), minlength=len(_GRID))[: len(_GRID)]
    slack = np.sqrt(np.log(40) / 2 / max(1, rows))
    mixed = _mixed(given)

    def estimate(drawn: NDArray[np.int64]) -> NDArray[np.float64]:
        below = np.cumsum(drawn, axis=-1) / max(1, rows)
        place = ((below + slack) / _GRID).argmin(axis=-1)
        least: NDArray[np.float64] = np.take_along_axis(below, place[:, None], axis=-1)[:, 0] / _GRID[place]
        return least.clip(max=1.0) / (1 + mixed * least.clip(max=1.0))

    value = float(estimate(counts[None])[0])
    drawn = np.random.default_rng(seed).multinomial(rows, counts / max(1, rows), resamples)
    low, high = np.quantile(estimate(drawn), [(1 - level) / 2, (1 + level) / 2])
    least = _RULE_OF_THREE / max(1, rows)  # what may be wrong where nothing seems so
    return Score(value=value, low=min(float(low), value), high=max(float(high), value, min(1.0, least)), n=rows)


def _mixed(given: Codes) -> float:
    """Of a label's wrong rows, the share that ought to carry the label that a row has: over all rows, by frequency.

    It is 1 for two labels, 1 / (labels - 1) for labels that are equally frequent.
    """
    shares = np.bincount(given) / max(1, len(given))
    odds = np.divide(shares, 1 - shares, out=np.zeros_like(shares), where=shares < 1)
    return float((shares * odds * (odds.sum() - odds)).sum())


def standards_of(probabilities: Floats, carried: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Each label's own standard: its mean probability over rows that carry it, and over rows that do not.

    Args:
        probabilities: Of each label by itself, by models that did not see the row, shape (rows, labels).
        carried: Which labels each row carries, shape (rows, labels).

    Returns:
        Two arrays of shape (labels,); 2 and -1, out of reach, where no row carries a label, or every one does.
    """
    rows, has = len(carried), carried.sum(axis=0)
    sums = np.where(carried, probabilities, 0.0).sum(axis=0)
    rest = np.asarray(probabilities, dtype=np.float64).sum(axis=0) - sums
    with_it = np.where(has > 0, sums / np.maximum(has, 1), 2.0)
    without = np.where(has < rows, rest / np.maximum(rows - has, 1), -1.0)
    return with_it, without


def doubted_labels(
    probabilities: Floats, carried: NDArray[np.bool_], standards: tuple[NDArray[np.float64], NDArray[np.float64]]
) -> NDArray[np.bool_]:
    """Which labels of each row are doubted, shape (rows, labels).

    One that a row carries is doubted where it is less likely than for most rows without it; one that it lacks, where it
    is both more likely than not and as likely as for rows that carry it. That is confident learning, a label at a time.

    Args:
        probabilities: As in `standards_of`.
        carried: Which labels each row carries, shape (rows, labels).
        standards: See `standards_of`.
    """
    with_it, without = standards
    lacking = np.maximum(with_it, 0.5) - _SLACK
    found: NDArray[np.bool_] = np.where(carried, probabilities <= without + _SLACK, probabilities >= lacking)
    return found


def share_of_carried(probabilities: Floats, carried: NDArray[np.bool_], *, seed: int = 13) -> Score:
    """The largest share of labels that rows carry wrongly that the probabilities allow; see `share_wrong`.

    The rank of a label is among the rows that do not carry it. Labels that rows ought to carry and do not are not
    counted, and not taken out either: where there are many, more seems wrong than is.
    """
    ranks = []
    for label in range(carried.shape[1]):
        has = carried[:, label]
        if has.any() and not has.all():
            others = np.sort(probabilities[~has, label])
            ranks.append(np.searchsorted(others, probabilities[has, label], side="right") / len(others))
    found = np.concatenate([np.zeros(0), *ranks])
    return share_wrong(found, np.zeros(len(found), dtype=np.int64), seed=seed)


def usual_distance(given: Floats, foretold: Floats) -> Callable[[Floats], NDArray[np.float64]]:
    """How far a number usually lies from what a model foretells, as a standard deviation, by what is foretold.

    The larger a price, the further off it is: so the median distance is taken in up to 20 parts of the rows in the
    order of what is foretold, of at least 100 rows each.

    Args:
        given: The number of each row, shape (rows,).
        foretold: What a model says that did not see the row, shape (rows,).
    """
    distance = np.abs(np.asarray(given) - np.asarray(foretold))
    order = np.argsort(foretold, kind="stable")
    parts = np.array_split(order, int(np.clip(len(order) // _FEWEST_TOGETHER, 1, _PARTS)))
    least = np.median(distance) / 10 if len(distance) else 0.0
    middle = np.array([np.median(np.asarray(foretold)[part]) for part in parts])
    usual = np.array([max(float(np.median(distance[part])), float(least)) for part in parts]) / _MEDIAN

    def at(places: Floats) -> NDArray[np.float64]:
        return np.interp(places, middle, usual)

    return at


def far_off(given: Floats, foretold: Floats, usual: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How many usual distances each number lies off, and how often one would by chance, shape (rows,) each.

    Args:
        given: The number of each row.
        foretold: What a model says that did not see the row.
        usual: See `usual_distance`.
    """
    from scipy.special import erfc

    distance, usual = np.abs(np.asarray(given) - np.asarray(foretold)), np.asarray(usual)
    times = np.where(distance > 0, distance / np.maximum(usual, np.finfo(np.float64).tiny), 0.0)
    return times, np.asarray(erfc(times / np.sqrt(2)), dtype=np.float64)


def quality_of_label_sets(given: Sequence[Sequence[int]], probabilities: Floats) -> NDArray[np.float64]:
    """How well each row's set of labels fits, 0 to 1, the least first to be looked at, shape (rows,).

    Args:
        given: The labels of each row, as indexes.
        probabilities: Of each label by itself, by models that did not see the row, shape (rows, labels).
    """
    from cleanlab.multilabel_classification.rank import get_label_quality_scores

    return np.asarray(get_label_quality_scores([list(labels) for labels in given], np.asarray(probabilities)))


def quality_of_numbers(given: Floats, predicted: Floats) -> NDArray[np.float64]:
    """How well each row's number fits what a model says that did not see it, 0 to 1, shape (rows,).

    Args:
        given: The number of each row, shape (rows,).
        predicted: What the model says, shape (rows,).
    """
    from cleanlab.regression.rank import get_label_quality_scores

    return np.asarray(get_label_quality_scores(np.asarray(given), np.asarray(predicted)))


def _own(probabilities: Floats, given: Codes) -> NDArray[np.float64]:
    rows, labels = probabilities.shape
    own = np.zeros(rows)
    for start in range(0, rows, step := max(1, _CELLS // labels)):
        block = np.asarray(probabilities[start : start + step])
        own[start : start + step] = block[np.arange(len(block)), given[start : start + step]]
    return own
