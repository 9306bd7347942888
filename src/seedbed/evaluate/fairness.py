"""How a model treats groups of rows: who is given a label how often, and who is wronged.

Of a label and a group: the selection rate (share of rows that are given the label), the true positive rate (of those
that bear it) and the false positive rate (of those that do not). Between groups, as Fairlearn defines them:

* demographic parity difference: the largest selection rate minus the smallest;
* equal opportunity difference: the same of true positive rates (Hardt, Price & Srebro 2016, *Equality of Opportunity
  in Supervised Learning*);
* equalized odds difference: the larger of the gaps of true and of false positive rates.

The largest minus the smallest of several shares is above 0 by chance alone, the more so the smaller the groups.
Therefore what it is on average where nobody's group matters stands beside it, p comes from permuting who is in which
group, and the interval is reflected at the value. Shares have exact intervals (Clopper & Pearson 1934), differences
from all other rows those that follow from them (MOVER; Zou & Donner 2008), with Fisher's exact p. p is Holm-corrected
over all that is asked of a model. Which of these should be equal is for people to say; they cannot all be, where groups
differ in how often they bear the label (Chouldechova 2017).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import hypot

import numpy as np
from numpy.typing import NDArray

from seedbed.core.scrutiny import Difference, Fairness, Gap, Group, GroupRate
from seedbed.core.statistics.holm import holm

from .conformal import share
from .gaps import DRAWS, gap_of
from .group_errors import error_gaps, error_rates
from .slices import FEWEST_ROWS, Grouping

#: Fewer rows than this of which a rate is a share, in a group or beside it, are not compared.
FEWEST = 10
#: Labels that are looked at, the most frequent first.
MOST_LABELS = 10
_RATES = ("selection rate", "true positive rate", "false positive rate")
_Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Labelling:
    """Which rows bear a label, and which are given it."""

    label: str
    truth: _Bools
    given: _Bools

    def counts(self, inside: _Bools) -> tuple[tuple[int, int], ...]:
        """Rows that are given the label, and rows there are: of all, of those that bear it, of those that do not."""
        of_these = (inside, inside & self.truth, inside & ~self.truth)
        return tuple((int((one & self.given).sum()), int(one.sum())) for one in of_these)


def labellings(
    truth: NDArray[np.generic], decided: NDArray[np.generic], labels: Sequence[str], positive: str | None = None
) -> list[Labelling]:
    """What there is to look at, label by label: of two that exclude each other the one, else the most frequent ten.

    Args:
        truth: Codes from 0, shape (rows,), or which labels each row has, shape (rows, labels).
        decided: What was answered, in the same form.
        labels: Names.
        positive: Of two labels that one which matters; the rarer one when left out.
    """
    if truth.ndim == 1:
        of = [Labelling(label, truth == code, decided == code) for code, label in enumerate(labels)]
        if len(labels) == 2:
            named = [one for one in of if one.label == positive]
            return named or [min(of, key=lambda one: int(one.truth.sum()))]
    else:
        of = [Labelling(label, truth[:, i].astype(bool), decided[:, i].astype(bool)) for i, label in enumerate(labels)]
    return sorted(of, key=lambda one: -int(one.truth.sum()))[:MOST_LABELS]


def fairness_of_labels(
    looked_at: Sequence[Labelling],
    groupings: Sequence[Grouping],
    *,
    model: str,
    split: str,
    level: float = 0.95,
    seed: int = 13,
) -> tuple[Fairness, ...]:
    """How rows of each group are labelled, a column at a time.

    Args:
        looked_at: By label; at least one row.
        groupings: Groups by column.
        model: The model's name.
        split: What the rows are called.
        level: Of the intervals; a difference counts where p is below 1 - level and the interval excludes 0.
        seed: Of the draws.
    """
    found = []
    for place, grouping in enumerate(groupings):
        enough = _enough(grouping)
        groups = tuple(_group(grouping, code, looked_at, level) for code in range(len(grouping.values)))
        random = np.random.default_rng([seed, place])
        gaps = tuple(gap for one in looked_at for gap in _gaps(one, grouping.codes, enough, level, random))
        found.append(_told(grouping, groups, gaps, model, split))
    return corrected(found, level)


def fairness_of_numbers(
    truth: NDArray[np.float64],
    answers: NDArray[np.float64],
    groupings: Sequence[Grouping],
    *,
    model: str,
    split: str,
    level: float = 0.95,
    seed: int = 13,
) -> tuple[Fairness, ...]:
    """How far off a model is for each group: on average with its sign (does it favour somebody?), and without.

    Args:
        truth: Numbers, shape (rows,).
        answers: Predictions, shape (rows, 1).
        groupings: Groups by column.
        model: The model's name.
        split: What the rows are called.
        level: Of the intervals.
        seed: Of the draws.
    """
    off = answers[:, 0] - truth
    errors = {"mean error": off, "mean absolute error": np.abs(off)}
    found = []
    for place, grouping in enumerate(groupings):
        enough = _enough(grouping)
        rates: dict[int, list[GroupRate]] = {code: [] for code in range(len(grouping.values))}
        gaps: list[Gap] = []
        for which, (measure, values) in enumerate(errors.items()):
            random = np.random.default_rng([seed, place, which])
            for code, rate in error_rates(measure, values, grouping.codes, enough, level, random):
                rates[code].append(rate)
            gaps += error_gaps(measure, values, grouping.codes, enough, level, random)
        groups = tuple(
            Group(value=value, rows=rows, rates=tuple(rates[code]), small=rows < FEWEST_ROWS)
            for code, value in enumerate(grouping.values)
            if (rows := int((grouping.codes == code).sum()))
        )
        found.append(_told(grouping, groups, tuple(gaps), model, split))
    return corrected(found, level)


def _enough(grouping: Grouping) -> list[int]:
    """Groups with rows enough to be compared."""
    rows = np.bincount(grouping.codes, minlength=len(grouping.values))
    return np.flatnonzero(rows >= FEWEST_ROWS).tolist()


def _group(grouping: Grouping, code: int, looked_at: Sequence[Labelling], level: float) -> Group:
    inside = grouping.codes == code
    rows = int(inside.sum())
    small = min(rows, inside.size - rows) < FEWEST_ROWS
    rates = tuple(rate for one in looked_at for rate in _rates(one, inside, small, level))
    return Group(value=grouping.values[code], rows=rows, rates=rates, small=rows < FEWEST_ROWS)


def _rates(one: Labelling, inside: _Bools, small: bool, level: float) -> Iterator[GroupRate]:
    for measure, here, there in zip(_RATES, one.counts(inside), one.counts(~inside), strict=True):
        if not here[1]:
            continue
        apart = None if small or min(here[1], there[1]) < FEWEST else difference_of_shares(here, there, level)
        yield GroupRate(measure=measure, label=one.label, score=share(*here, level), difference=apart)


def difference_of_shares(here: tuple[int, int], there: tuple[int, int], level: float) -> Difference:
    """A share minus another, each (found, of): its interval, and Fisher's exact p."""
    from scipy.stats import fisher_exact

    p, q = share(*here, level), share(*there, level)
    value = p.value - q.value
    table = [[here[0], here[1] - here[0]], [there[0], there[1] - there[0]]]
    chance = float(fisher_exact(table).pvalue)
    return Difference(
        value=value,
        low=value - hypot(p.value - p.low, q.high - q.value),
        high=value + hypot(p.high - p.value, q.value - q.low),
        p=chance,
        p_holm=chance,
    )


def _gaps(
    one: Labelling, codes: NDArray[np.int64], enough: Sequence[int], level: float, random: np.random.Generator
) -> Iterator[Gap]:
    """The gaps of one label, among groups that have enough rows of the kind."""
    kinds = [np.ones_like(one.truth), one.truth, ~one.truth]
    drawn = [_Drawn.of(one.given, codes, rows, enough, random) for rows in kinds]
    selected, hits, alarms = drawn
    for measure, parts in (
        ("demographic parity difference", [selected]),
        ("equal opportunity difference", [hits]),
        ("equalized odds difference", [hits, alarms]),
    ):
        if all(part is not None for part in parts):
            yield _gap(measure, one.label, [part for part in parts if part is not None], level)


@dataclass(frozen=True)
class _Drawn:
    """The gap of a rate between groups: as it is, on resamples, and where groups do not matter; shape (draws,)."""

    value: float
    resampled: NDArray[np.float64]
    null: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        given: _Bools,
        codes: NDArray[np.int64],
        rows: _Bools,
        enough: Sequence[int],
        random: np.random.Generator,
    ) -> _Drawn | None:
        """Among groups with `FEWEST` of these rows or more; none where there are not two."""
        of = np.array([int((rows & (codes == code)).sum()) for code in enough], dtype=np.int64)
        found = np.array([int((rows & given & (codes == code)).sum()) for code in enough], dtype=np.int64)
        kept = of >= FEWEST
        if kept.sum() < 2:
            return None
        of, found = of[kept], found[kept]
        resampled = random.binomial(of, found / of, size=(DRAWS, of.size)) / of
        null = random.multivariate_hypergeometric(of, int(found.sum()), size=DRAWS) / of
        return cls(float(np.ptp(found / of)), np.ptp(resampled, axis=1), np.ptp(null, axis=1))


def _gap(measure: str, label: str, parts: Sequence[_Drawn], level: float) -> Gap:
    value = max(part.value for part in parts)
    resampled = np.max([part.resampled for part in parts], axis=0)
    null = np.max([part.null for part in parts], axis=0)
    return gap_of(measure, label, value, resampled, null, level, most=1.0)


def _told(grouping: Grouping, groups: Sequence[Group], gaps: Sequence[Gap], model: str, split: str) -> Fairness:
    small = [f"{one.value} ({one.rows})" for one in groups if one.small]
    warnings = []
    if small:
        warnings.append(
            f"groups with fewer than {FEWEST_ROWS} rows are not compared, and may be treated badly all the same: "
            f"{', '.join(small[:10])}{' and more' if len(small) > 10 else ''}"
        )
    if not gaps:
        warnings.append("there are no two groups with rows enough to be compared")
    return Fairness(
        model=model,
        split=split,
        column=grouping.by,
        groups=tuple(groups),
        gaps=tuple(gaps),
        warnings=tuple(warnings),
    )


def corrected(found: Sequence[Fairness], level: float) -> tuple[Fairness, ...]:
    """With Holm's correction: over all gaps, and over all rates that were compared."""
    of_gaps = iter(holm([gap.p for one in found for gap in one.gaps]))
    rates = [rate for one in found for group in one.groups for rate in group.rates]
    of_rates = iter(holm([rate.difference.p for rate in rates if rate.difference]))
    return tuple(
        one.model_copy(
            update={
                "gaps": tuple(
                    gap.model_copy(update={"p_holm": (p := next(of_gaps)), "differs": p < 1 - level})
                    for gap in one.gaps
                ),
                "groups": tuple(
                    group.model_copy(update={"rates": tuple(_with_holm(rate, of_rates, level) for rate in group.rates)})
                    for group in one.groups
                ),
            }
        )
        for one in found
    )


def _with_holm(rate: GroupRate, chances: Iterator[float], level: float) -> GroupRate:
    apart = rate.difference
    if apart is None:
        return rate
    p = next(chances)
    differs = p < 1 - level and not apart.low <= 0 <= apart.high
    return rate.model_copy(update={"difference": apart.model_copy(update={"p_holm": p}), "differs": differs})
