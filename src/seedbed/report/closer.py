"""What `evaluate` asked for besides scores, a line each, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from seedbed.core.numbers import interval, metric, percent, score, signed, things
from seedbed.core.run import Run
from seedbed.core.scrutiny import Difference, Scrutiny


def closer_lines(run: Run) -> list[str]:
    """What was found of the best model; nothing where nothing was asked for."""
    found = run.scrutiny
    growth = _growth(run)
    return [*growth, *(_lines(run, found) if found else ())]


def _ends(of: Difference) -> str:
    return f"{signed(of.value)}, {signed(of.low)} to {signed(of.high)}"


def _lines(run: Run, found: Scrutiny) -> Iterator[str]:
    for one in found.conformal:
        if one.model == run.best:
            what = "sets" if one.fitted.kind == "sets" else "intervals"
            kept = "kept" if one.kept else "not kept"
            held = f"{percent(one.score.value)} of {things(one.score.n, f'{one.split} row')} ({interval(one.score)})"
            yield f"{what} for {percent(one.fitted.coverage)}: {kept}; they held what is right for {held}"
    if found.thresholds:
        told = ", ".join(
            f"{metric(one.metric)} {one.verdict} ({_ends(one.difference)})" for one in found.thresholds.worth
        )
        yield f"deciding at thresholds: {told}"
    if found.robustness:
        worse = [one for one in found.robustness.kinds if one.verdict == "worse"]
        told = ", ".join(f"{one.kind} ({_ends(one.difference)})" for one in worse)
        yield f"disturbed texts: {f'worse with {told}' if worse else 'no kind does harm beyond chance'}"
    for fair in found.fairness:
        apart = [gap for gap in fair.gaps if gap.differs]
        told = ", ".join(
            f"{gap.measure} {score(gap.value)} ({score(gap.low)} to {score(gap.high)})" for gap in apart[:3]
        )
        yield f"groups of {fair.column}: {told or 'no gap beyond chance'}"
        yield from (f"groups of {fair.column}: {warning}" for warning in fair.warnings)
    if found.clusters:
        more = [one for one in found.clusters.clusters if one.more]
        told = "; ".join(f"{', '.join(one.name)} ({percent(one.wrong.value)} wrong)" for one in more[:3])
        yield f"mistakes: {f'more than elsewhere about {told}' if more else 'in no group of rows more than elsewhere'}"
    for people in found.people:
        told = ", ".join(
            f"{one.verdict} than {one.who}" if one.verdict in ("better", "worse") else f"{one.verdict} ({one.who})"
            for one in people.people[:4]
        )
        yield f"people on {people.split} rows: {people.model} is {told}"
    yield from (f"not told: {note}" for note in found.notes)


def _growth(run: Run) -> list[str]:
    curve = run.learning_curve
    if curve is None or curve.growth is None:
        return []
    more = curve.growth
    if more.refused or more.gain is None or more.low is None or more.high is None:
        return [f"more rows: what {more.factor:g} times as many would be worth cannot be told: {more.refused}"]
    ends = f"{signed(more.low)} to {signed(more.high)}"
    return [f"{more.factor:g} times the rows: {metric(curve.metric)} {signed(more.gain)} ({ends})"]
