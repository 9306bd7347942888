"""The questions that are asked of a window: each compares it with the reference and says how likely chance is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from seedbed.core.ledger import mask
from seedbed.core.metric import Score
from seedbed.core.monitoring import Estimated, Measured, Monitor, Signal
from seedbed.core.numbers import amount, count, percent, score, things
from seedbed.core.statistics.drift import of_categories, of_numbers
from seedbed.core.statistics.holm import holm
from seedbed.core.statistics.shares import wilson

from .columns import OTHER, Column
from .reference import Looked, Sure
from .sketches import compared
from .telling_apart import FEWEST, MOST, Floats, draws_for, told_apart

KOLMOGOROV, VARIATION = "Kolmogorov-Smirnov distance", "total variation distance"
SHARE, APART = "difference of shares", "how far apart: 2 AUC - 1"
#: A category is not named at more length.
_SHOWN = 40
#: Share of rows, at most, that are outliers; of more the column has moved.
_ODD = 0.05
#: Standard deviations that outliers must add to be told.
_FAR = 0.1
#: z of a 95 % interval.
_Z = 1.959964
_ASSUMES = (
    "what confidences say is right: they are as well calibrated here as on held-out rows. If what a label means has "
    "changed, nothing but labels can tell"
)


def drift_signals(before: Looked, now: Looked) -> Iterator[Signal]:
    """What changed in the columns that the model reads and in what it answers, one signal a question."""
    for name, one in now.reads.items():
        yield from _of_column(name, before.reads[name], one, "numbers", "categories")
    for name, one in now.answers.items():
        if name in before.answers:
            yield from _of_column(name, before.answers[name], one, "scores", "scores")
    if before.left_out[1] and now.left_out[1]:
        yield _shares("missing", "rows like those that training left out", before.left_out, now.left_out)
    if before.truth is not None and now.truth is not None:
        yield from _of_column("what is right", before.truth, now.truth, "labels", "labels")


def _of_column(name: str, before: Column, now: Column, numbers: Monitor, categories: Monitor) -> Iterator[Signal]:
    if before.missing or now.missing:
        yield _shares("missing", f"{name}: missing", (before.missing, before.rows), (now.missing, now.rows))
    if before.unreadable or now.unreadable:
        both = (before.unreadable, before.rows), (now.unreadable, now.rows)
        yield _shares("schema", f"{name}: no number", *both)
    what = f"{name}: length" if before.kind == "text" else name
    if before.kind == "category":
        if any(before.counts.values()) and any(now.counts.values()):
            yield _categories(categories, name, before.counts, now.counts)
    elif before.values and now.values:
        yield _numbers(numbers, what, np.asarray(before.values), np.asarray(now.values))


def _numbers(monitor: Monitor, what: str, before: NDArray[np.float64], now: NDArray[np.float64]) -> Signal:
    found = of_numbers(what, before, now)
    told = found.told + (f"; {_moved(before, now)}" if before.std() > 0 else "")
    return Signal(monitor=monitor, what=what, measure=KOLMOGOROV, effect=found.distance, p=_chance(found.p), told=told)


def _moved(before: NDArray[np.float64], now: NDArray[np.float64]) -> str:
    """How far numbers moved; a few far outside of all before, that outweigh the rest, are told apart."""
    from scipy.stats import wasserstein_distance

    spread = before.std()
    within = np.clip(now, before.min() - spread, before.max() + spread)
    far, most = (float(wasserstein_distance(before, one) / spread) for one in (now, within))
    told, odd = "moved by {:.2f} standard deviations (Wasserstein)", int((within != now).sum())
    if odd <= max(1, _ODD * len(now)) and far - most > max(most, _FAR):
        return f"{told.format(most)}, by {far:.2f} with {things(odd, 'row')} far outside of all before"
    return told.format(far)


def _categories(monitor: Monitor, what: str, before: Mapping[str, int], now: Mapping[str, int]) -> Signal:
    new = {value: n for value, n in now.items() if value not in before and value != OTHER}
    taken = {value: n for value, n in now.items() if value not in new}
    if new:
        taken[OTHER] = taken.get(OTHER, 0) + sum(new.values())
    found = of_categories(what, before, taken)
    told = mask(found.told)
    if new:
        most = max(sorted(new), key=new.__getitem__)
        told += f"; not there before: {mask(repr(most[:_SHOWN]))} and others, {count(sum(new.values()))} rows"
    return Signal(monitor=monitor, what=what, measure=VARIATION, effect=found.distance, p=_chance(found.p), told=told)


def _shares(monitor: Monitor, what: str, before: tuple[int, int], now: tuple[int, int]) -> Signal:
    """Fisher's exact test of two shares (found, of)."""
    from scipy.stats import fisher_exact

    table = [[found, of - found] for found, of in (before, now)]
    p = float(fisher_exact(table).pvalue)
    effect = abs(before[0] / max(1, before[1]) - now[0] / max(1, now[1]))
    told = f"{percent(*before)} before, {percent(*now)} now"
    return Signal(monitor=monitor, what=what, measure=SHARE, effect=effect, p=_chance(p), told=told)


def _chance(p: float) -> float:
    return 1.0 if math.isnan(p) else min(1.0, max(0.0, p))


def text_signal(what: str, before: Floats, now: Floats, *, tests: int, level: float, seed: int) -> Signal | None:
    """Whether texts can be told apart; none where there are too few.

    Args:
        what: What the features tell, in words.
        before: Features of the reference's texts, shape (texts, features).
        now: Of the window's.
        tests: How many other questions are asked.
        level: Chance of a false alarm of all together.
        seed: What is drawn.
    """
    if min(len(before), len(now)) < FEWEST:
        return None
    random = np.random.default_rng(seed)
    sides = [one[random.permutation(len(one))[:MOST]] if len(one) > MOST else one for one in (before, now)]
    area, p = told_apart(sides[0], sides[1], draws=draws_for(tests + 1, level), seed=seed)
    told = f"a classifier tells rows before from rows now with an area under the ROC curve of {score(area)}"
    return Signal(monitor="text", what=what, measure=APART, effect=max(0.0, 2 * area - 1), p=p, told=told)


def word_signal(before: Looked, now: Looked, *, tests: int, level: float, seed: int) -> Signal | None:
    """Whether texts can be told apart by their words, from sketches."""
    if before.sketches is None or now.sketches is None:
        return None
    sides = compared(before.sketches), compared(now.sketches)
    return text_signal("texts: words", *sides, tests=tests, level=level, seed=seed)


def estimate(before: Sure, confidence: NDArray[np.float64], metric: str = "accuracy") -> tuple[Signal, Estimated]:
    """How often the model is right where nobody says what is right.

    The mean confidence, less what it was too high by on held-out rows (differences of confidence: Guillory et al. 2021,
    https://arxiv.org/abs/2107.03315). Its interval heeds both samples.

    Args:
        before: How sure each answer was and how right, of the reference, shape (rows, 2).
        confidence: How sure each answer is now, shape (rows,).
        metric: What being right is called.
    """
    sure, right = before[:, 0], before[:, 1]
    value = float(confidence.mean() + (right - sure).mean())
    half = _Z * math.sqrt(_variance(confidence) + _variance(right - sure))
    now = Score(value=value, low=max(0.0, value - half), high=min(1.0, value + half), n=len(confidence))
    low, high = _interval(right)
    was = Score(value=float(right.mean()), low=low, high=high, n=len(right))
    change = float(confidence.mean() - sure.mean())
    p = _welch(sure, confidence)
    told = f"{metric} {score(was.value)} before, about {score(now.value)} now ({score(now.low)} to {score(now.high)})"
    what, measure = f"{metric}, estimated", "change of mean confidence"
    signal = Signal(
        monitor="estimate", what=what, measure=measure, effect=max(0.0, -change), change=change,
        way=_way(change, "surer", "less sure"), p=p, told=told,
    )  # fmt: skip
    return signal, Estimated(metric=metric, before=was, now=now, assumes=_ASSUMES)


def calibration(before: Sure, now: Sure) -> Signal:
    """Whether the model is as much surer than right as it was: the difference of mean gaps (Welch's test)."""
    gaps = [one[:, 0] - one[:, 1] for one in (before, now)]
    moved = float(gaps[1].mean() - gaps[0].mean())
    p = _welch(gaps[0], gaps[1])
    told = (
        f"sure of {percent(float(now[:, 0].mean()))}, right in {percent(float(now[:, 1].mean()))}; before, sure of "
        f"{percent(float(before[:, 0].mean()))} and right in {percent(float(before[:, 1].mean()))}"
    )
    what = "confidence less accuracy"
    return Signal(
        monitor="calibration", what=what, measure="change of the gap", effect=abs(moved), change=moved, p=p, told=told
    )  # fmt: skip


def performance(metric: str, before: Score | None, of: str, now: Score) -> Measured:
    """A metric in the window beside what it was on held-out rows: the difference, with the interval of MOVER."""
    if before is None:
        return Measured(metric=metric, now=now)
    difference = now.value - before.value
    low = difference - math.hypot(now.value - now.low, before.high - before.value)
    high = difference + math.hypot(now.high - now.value, before.value - before.low)
    return Measured(metric=metric, before=before, of=of, now=now, difference=difference, low=low, high=high)


def performance_signal(found: Measured, *, lower_is_better: bool) -> Signal | None:
    """Whether a metric got worse; none where nobody knows what it was."""
    if found.difference is None or found.low is None or found.high is None or found.before is None:
        return None
    # The side of the interval towards zero tells how far from it the difference is.
    side = found.difference - found.low if found.difference > 0 else found.high - found.difference
    way = _way(found.difference, "worse", "better") if lower_is_better else _way(found.difference, "better", "worse")
    p = _normal(found.difference, side / _Z)
    told = f"{score(found.before.value)} on {found.of} rows, {score(found.now.value)} now, of {count(found.now.n)} rows"
    effect = abs(found.difference) if way == "worse" else 0.0
    return Signal(
        monitor="performance", what=found.metric, measure="change", effect=effect, change=found.difference, way=way,
        p=p, told=told,
    )  # fmt: skip


def _way(change: float, up: str, down: str) -> str:
    """What a change means, by its sign."""
    return up if change > 0 else down if change < 0 else ""


def _interval(right: NDArray[np.float64]) -> tuple[float, float]:
    """95 % interval of a mean of what is from 0 to 1."""
    if np.isin(right, (0, 1)).all():
        return wilson(int(right.sum()), len(right))
    half = _Z * math.sqrt(_variance(right))
    return max(0.0, float(right.mean()) - half), min(1.0, float(right.mean()) + half)


def _variance(values: NDArray[np.float64]) -> float:
    """Of their mean."""
    return float(values.var(ddof=1) / len(values)) if len(values) > 1 else 0.0


def _welch(before: NDArray[np.float64], now: NDArray[np.float64]) -> float:
    """Chance of means as different (Welch 1947)."""
    from scipy.stats import ttest_ind

    if not (np.ptp(before) or np.ptp(now)):
        return 0.0 if before[0] != now[0] else 1.0
    return _chance(float(ttest_ind(before, now, equal_var=False).pvalue))


def _normal(difference: float, spread: float) -> float:
    """Chance of a difference as large, of a normal distribution around zero."""
    if spread <= 0:
        return 0.0 if difference else 1.0
    return math.erfc(abs(difference) / spread / math.sqrt(2))


def decided(signals: Sequence[Signal], *, level: float, at_least: float) -> tuple[Signal, ...]:
    """Signals with Holm's correction over all of their tests, and which of them are alarms; alarms first.

    Args:
        signals: All of a window's.
        level: Chance of a false alarm, of all together.
        at_least: Smallest effect that is one. A metric that got worse beyond chance is one however little it did.
    """
    tested = [one for one in signals if one.p is not None]
    corrected = iter(holm([one.p for one in tested if one.p is not None]))
    found = []
    for one in signals:
        if one.p is None:
            found.append(one)
            continue
        p = next(corrected)
        effect = one.effect or 0.0
        matters = effect > 0 if one.monitor == "performance" else effect >= at_least
        why_not = "" if matters or p >= level else _why_not(one, at_least)
        found.append(one.model_copy(update={"p_holm": p, "alarm": p < level and matters, "why_not": why_not}))
    return tuple(sorted(found, key=lambda one: (not one.alarm, one.p if one.p is not None else 2.0, one.what)))


def _why_not(one: Signal, at_least: float) -> str:
    """Why what is beyond chance is no alarm."""
    if one.change is not None and not one.effect:
        return f"{one.way} is no alarm"
    effect = one.effect or 0.0
    rounds = score(effect) == score(at_least)
    return f"only {amount(effect) if rounds else score(effect)} of at least {score(at_least)}"
