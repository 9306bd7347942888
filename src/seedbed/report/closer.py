"""What `evaluate` asked for besides scores, a line each, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from seedbed.core.numbers import interval, metric, percent, score, scored, signed, signed_ends, things
from seedbed.core.preference import ChosenByPeople, Judged
from seedbed.core.run import Run
from seedbed.core.scrutiny import Difference, People, Scrutiny

#: What goes between a verdict and the other model.
_THAN = {"better": "than", "worse": "than", "not distinguishable": "from", "too few rows": "against"}


def closer_lines(run: Run) -> list[str]:
    """What was found of the best model; nothing where nothing was asked for."""
    found = run.scrutiny
    growth = _growth(run)
    return [*growth, *(_lines(run, found) if found else ())]


def _ends(of: Difference) -> str:
    return f"{signed(of.value)}, {signed_ends(of)}"


def _lines(run: Run, found: Scrutiny) -> Iterator[str]:
    for one in found.conformal:
        if one.model == run.best:
            what = "intervals" if one.fitted.kind == "intervals" else "sets"
            kept = "kept" if one.kept else "not kept"
            held = f"{percent(one.score.value)} of {things(one.score.n, f'{one.split} row')} ({interval(one.score)})"
            whole = "all that is" if one.fitted.kind == "label_sets" else "what is"
            yield f"{what} for {percent(one.fitted.coverage)}: {kept}; they held {whole} right for {held}"
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
            f"{gap.measure}{'' if gap.label is None else f' of {gap.label}'} "
            f"{score(gap.value)} ({score(gap.low)} to {score(gap.high)})"
            for gap in apart[:3]
        )
        more_gaps = f", and {len(apart) - 3} more" if len(apart) > 3 else ""
        yield f"groups of {fair.column}: {told or 'no gap beyond chance'}{more_gaps}"
        yield from (f"groups of {fair.column}: {warning}" for warning in fair.warnings)
    if found.clusters:
        more = [one for one in found.clusters.clusters if one.more]
        told = "; ".join(f"{', '.join(one.name)} ({percent(one.wrong.value)} wrong)" for one in more[:3])
        yield f"mistakes: {f'more than elsewhere about {told}' if more else 'in no group of rows more than elsewhere'}"
    for people in found.people:
        left = "".join(f"; {note}" for note in people.notes)
        yield f"people on {people.split} rows: {people.model} is {', '.join(_against(people))}{left}"
    if found.judged_by:
        yield from _preferred(found.judged_by)
    if found.preferences:
        yield from chosen_lines(found.preferences)
    yield from (f"not told: {note}" for note in found.notes)


def _against(people: People) -> Iterator[str]:
    """How the model compares, by verdict; all of them together last, who would be taken for the learner `majority`."""
    words = {"not distinguishable": "not distinguishable from", "too few rows": "not compared (too few rows) with"}
    for verdict in ("better", "worse", "not distinguishable", "too few rows"):
        of = [one.who for one in people.people if one.verdict == verdict]
        single = [who for who in of if who != "majority"]
        told = single[:3] + ([f"{len(single) - 3} more"] if len(single) > 3 else [])
        told += ["all of them together"] if len(single) < len(of) else []
        if told:
            yield f"{words.get(verdict, f'{verdict} than')} {', '.join(told)}"


def _preferred(found: Judged) -> Iterator[str]:
    for one in found.pairs[:4]:
        than = _THAN[one.verdict]
        rate = f"win rate {score(one.win_rate.value)}, {interval(one.win_rate)}"
        changed = f"; {percent(one.changed.value)} changed with the places" if one.changed.n else ""
        yield f"judged by {found.judge}: {one.b} is {one.verdict} {than} {one.a} ({rate}){changed}"
    if found.goes_by_place:
        yield f"judged by {found.judge}: it goes by the place, so do not go by it"


def chosen_lines(found: ChosenByPeople) -> list[str]:
    """What people chose, a line for each pair of models; nothing where nobody chose."""
    told = []
    for one in found.pairs[:4]:
        than = _THAN[one.verdict]
        rate = f"win rate {score(one.win_rate.value)}, {interval(one.win_rate)}"
        counts = f"{one.wins} better, {one.losses} worse, {one.ties} neither ({one.both_bad} both bad)"
        told.append(f"people: {one.b} is {one.verdict} {than} {one.a} ({rate}; of {things(one.rows, 'row')} {counts})")
    if found.goes_by_place and found.left:
        told.append(f"people: they go by the place, the first one in {percent(found.left.value)}")
    if found.agreement:
        told.append(f"people agree beyond chance by {scored(found.agreement)}")
    return [*told, *(f"people: {note}" for note in found.notes)]


def _growth(run: Run) -> list[str]:
    curve = run.learning_curve
    if curve is None or curve.growth is None:
        return []
    more = curve.growth
    if more.refused or more.gain is None or more.low is None or more.high is None:
        return [f"more rows: what {more.factor:g} times as many would be worth cannot be told: {more.refused}"]
    ends = signed_ends(more)
    return [f"{more.factor:g} times the rows: {metric(curve.metric)} {signed(more.gain)} ({ends})"]
