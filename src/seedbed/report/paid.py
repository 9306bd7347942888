"""Figures of what made rows and `prepare` were worth, and of scores by the number of training rows."""

from __future__ import annotations

from seedbed.core import numbers
from seedbed.core.numbers import count, metric, percent, probability, score, short, signed, signed_ends, things
from seedbed.core.run import Comparison, Effect, Run

from .figure import Figure
from .lanes import Dot, Lane, dot, lanes

#: A verdict's colour.
_COLOUR = {"better": "up", "worse": "down", "not distinguishable": "hollow"}


def deciding(effect: Effect, by: str) -> Comparison | None:
    """An effect in the metric that decides."""
    return next((one for one in effect.comparisons if one.metric == by), None)


def paid_lines(run: Run) -> list[str]:
    """What made rows and `prepare` were worth to the best model, for a terminal."""
    lines = []
    for effect in run.effects:
        told = deciding(effect, run.metric)
        if told:
            ends = f"{signed_ends(told)}{corrected(run, told)}"
            found = f"{run.metric} {signed(told.difference)}, {ends}"
            lines.append(f"with {effect.without}: {told.verdict} on {effect.split} rows ({found})")
        elif not effect.comparisons:
            lines.append(f"with {effect.without}: {effect.model} reads nothing that is another")
    return lines


def corrected(run: Run, told: Comparison) -> str:
    """What the verdict of one effect of several goes by, which the interval does not show; empty where it is alone."""
    several = sum(deciding(effect, run.metric) is not None for effect in run.effects)
    if several < 2 or told.p_holm is None:
        return ""
    return f" by itself; {probability(told.p_holm)} corrected for {several} comparisons"


def effects(run: Run) -> Figure | None:
    """What the best model gained in the deciding metric, against zero."""
    found = [(one, told) for one in run.effects if (told := deciding(one, run.metric))]
    if not found:
        return None
    rows = [
        Lane(
            f"with {effect.without}",
            f"{signed(told.difference)} {told.verdict}",
            [Dot(told.difference, told.low, told.high, _COLOUR[told.verdict], square=True)],
            note=f"{things(effect.rows, 'row')}, {count(effect.rows_without)} without",
            aside=signed_ends(told),
        )
        for effect, told in found
    ]
    first = found[0][0]
    words = (
        f"{metric(run.metric)} of {short(first.model, 40)} on {first.split} rows, with minus without, with its "
        f"{numbers.level(run.intervals.get('level'))}"
    )
    if corrected(run, found[0][1]):
        words += " by itself; verdicts go by p after Holm’s correction for all"
    return Figure("effects", f"{words}.", lanes("effects", words, rows, [(0.0, "no difference")]))


def learning(run: Run) -> Figure | None:
    """The score by the share of the training rows: rows that were read, and these with the rows made of them."""
    curve = run.learning_curve
    if curve is None:
        return None
    rows = []
    both = any(point.with_made for point in curve.points)
    for point in curve.points:
        dots = [dot(point.real, "hollow" if both else "point", tip=f"rows read: {numbers.scored(point.real)}")]
        made = ""
        if point.with_made:
            dots.append(dot(point.with_made, square=True, tip=f"with made rows: {numbers.scored(point.with_made)}"))
            made = f", {score(point.with_made.value)} with {count(point.made)} made"
        rows.append(Lane(f"{percent(point.share)}, {count(point.rows)}", f"{score(point.real.value)}{made}", dots))
    words = (
        f"{metric(curve.metric)} of {short(curve.model, 40)} on {curve.split} rows with its "
        f"{numbers.level(run.intervals.get('level'))}, by the share and number of training rows"
    )
    legend = [("hollow", "rows that were read"), ("dot point", "with made rows")] if both else []
    return Figure("learning", f"{words}.", lanes("learning", words, rows, (), legend))
