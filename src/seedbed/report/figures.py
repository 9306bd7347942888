"""The report's figures, from a run. Each says in words what it shows; the page has a table of the same numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from seedbed.core import numbers
from seedbed.core.metric import Score
from seedbed.core.numbers import count, metric, score, short, signed, signed_ends
from seedbed.core.run import Comparison, Curve, ModelRecord, Run

from . import plots
from .facts import (
    Judged,
    compared,
    judged,
    labels_of,
    lower_is_better,
    slices_shown,
    weakest,
)
from .far_off import by_size, residuals, scatter
from .figure import Figure
from .figures_of_rows import classes, lengths, target, timings, way
from .heat import confused_most, heat_map
from .lanes import Dot, Lane, dot, lanes
from .paid import effects, learning
from .splits import folds as fold_sizes
from .splits import times

MOST_MODELS = 40
"""Models, or comparisons, that a figure shows; the tables list more."""


def draw(run: Run) -> dict[str, Figure]:
    """All figures that a run has something for, by name, in the order of the page."""
    of = judged(run)
    found: list[Figure | None] = [way(run), classes(run), lengths(run)]
    if of:
        about: Sequence[Callable[[Run, Judged], Figure | None]] = (
            ladder, ladder_closer, folds, differences, differences_simplest, confusion, roc, precision_recall,
            reliability, scatter, residuals, by_size, slices,
        )  # fmt: skip
        found += [figure(run, of) for figure in about]
    found += [
        target(run),
        times(run),
        fold_sizes(run),
        effects(run),
        learning(run),
        leakage(run),
        ablation(run),
        timings(run),
    ]
    return {figure.name: figure for figure in found if figure}


def ladder(run: Run, of: Judged) -> Figure:
    """Every model's score with its interval, on one scale."""
    return _ladder("ladder", run, of, run.models, "The simplest stands first.")


def ladder_closer(run: Run, of: Judged) -> Figure | None:
    """The same without the simplest model, which is often so far off that the others cannot be told apart."""
    if len(run.models) < 3:
        return None
    return _ladder("ladder_closer", run, of, run.models[1:], "Closer, without the simplest.")


def _ladder(name: str, run: Run, of: Judged, models: Sequence[ModelRecord], remark: str) -> Figure:
    rows = []
    others: list[str] = []
    for model in models[:MOST_MODELS]:
        scored = {split: scores[of.metric] for split, scores in model.scores.items() if of.metric in scores}
        here = scored.pop(of.split, None)
        dots = [dot(here, square=True, tip=f"{short(of.split, 40)}: {numbers.scored(here)}")] if here else []
        for split, one in scored.items():
            others += [split]
            dots.append(dot(one, "hollow", tip=f"{short(split, 40)}: {numbers.scored(one)}"))
        rows.append(Lane(model.name, _spanned(here) if here else "not judged", dots))
    sign = {"at_least": "≥", "at_most": "≤"}
    marks = [
        (gate.limit, f"gate {sign[gate.direction]} {score(gate.limit)}, {short(gate.split, 12)}")
        for gate in run.gates[:5]
        if gate.metric == of.metric
    ]
    legend = [("dot point", f"{short(of.split, 14)} rows")]
    legend += [("hollow", short(" and ".join(dict.fromkeys(others)), 18))] if others else []
    title = f"{metric(of.metric)} of each model with its {_level(run)}"
    caption = f"{title}{' (lower is better)' if lower_is_better(of.metric) else ''}. {remark}"
    if len(models) > MOST_MODELS:
        caption += f" The first {MOST_MODELS} of {count(len(models))}."
    return Figure(name, caption, lanes(name, title, rows, marks, legend))


def _level(run: Run) -> str:
    return numbers.level(run.intervals.get("level"))


def _spanned(of: Score) -> str:
    return f"{score(of.value)} ({numbers.span(of)})"


def folds(run: Run, of: Judged) -> Figure | None:
    """The deciding metric over the folds of a cross-validation: each fold, and the mean with its interval."""
    models = run.models[1:] if len(run.models) > 2 else run.models
    found = [(model, model.folds[of.metric]) for model in models if of.metric in model.folds][:MOST_MODELS]
    if not found:
        return None
    rows = []
    for model, one in found:
        mean = Dot(one.mean, one.low, one.high, square=True, tip=f"mean {score(one.mean)}")
        each = [Dot(value, value, value, "hollow", tip=f"a fold: {score(value)}") for value in one.values]
        rows.append(
            Lane(model.name, f"{score(one.mean)} ({score(one.low)}–{score(one.high)})", (*each, mean), together=True)
        )
    title = f"{metric(of.metric)} in cross-validation"
    legend = [("dot point", "mean of the folds"), ("hollow", "one fold")]
    caption = f"{title}: the mean with its {_level(run)}, and each fold."
    if len(models) < len(run.models):
        caption += " Without the simplest model."
    return Figure("folds", caption, lanes("folds", title, rows, (), legend))


def differences(run: Run, of: Judged) -> Figure | None:
    """The differences between neighbours on the ladder in the deciding metric, against zero."""
    return _differences("differences", run, of, simplest=False)


def differences_simplest(run: Run, of: Judged) -> Figure | None:
    """The differences from the simplest model, on a scale of their own: they are often much larger."""
    return _differences("differences_simplest", run, of, simplest=True)


def _differences(name: str, run: Run, of: Judged, *, simplest: bool) -> Figure | None:
    found = compared(run, of, simplest=simplest)
    return against_zero(name, found, of.metric, f"{of.split} rows", _level(run)) if found else None


def against_zero(name: str, found: Sequence[Comparison], by: str, rows: str, level: str) -> Figure:
    """Differences between models, against zero.

    Args:
        name: Of the figure.
        found: The differences.
        by: Their metric.
        rows: What they are measured on, in words.
        level: What their intervals are called.
    """
    colour = {"better": "up", "worse": "down", "not distinguishable": "hollow"}
    drawn = [
        Lane(
            c.b,
            f"{signed(c.difference)} {c.verdict}",
            [Dot(c.difference, c.low, c.high, colour[c.verdict], square=True)],
            note=f"against {c.a}",
            aside=signed_ends(c),
        )
        for c in found[:MOST_MODELS]
    ]
    side = "left" if lower_is_better(by) else "right"
    title = f"Differences in {metric(by)} between models with their intervals"
    caption = (
        f"Difference in {metric(by)} on {rows} with its {level}; to the {side} of zero the first-named model is better."
    )
    if len(found) > MOST_MODELS:
        caption += f" The first {MOST_MODELS} of {count(len(found))}."
    return Figure(name, caption, lanes(name, title, drawn, [(0.0, "no difference")]))


def leakage(run: Run) -> Figure | None:
    """The honest and the naive score on one scale."""
    claim = run.leakage
    if claim is None:
        return None
    rows = [
        Lane("honest", _spanned(claim.honest), [dot(claim.honest, square=True)]),
        Lane("naive", _spanned(claim.naive), [dot(claim.naive, "down")]),
    ]
    words = f"{metric(claim.metric)} with its {_level(run)}, honest and naive"
    return Figure("leakage", words, lanes("leak", f"{short(claim.model, 40)}: {words}", rows))


def ablation(run: Run) -> Figure | None:
    """What each part adds to the cheap learner's score, against zero."""
    found = [part for part in run.ablation.parts if part.difference is not None] if run.ablation else []
    if run.ablation is None or not found:
        return None
    colour = {"helps": "up", "hurts": "down"}
    rows = [
        Lane(
            part.part,
            f"{signed(part.difference)} {part.verdict}",
            [Dot(part.difference, part.low, part.high, colour.get(part.verdict or "", "hollow"), square=True)],
            aside=signed_ends(part),
        )
        for part in found[:MOST_MODELS]
        if part.difference is not None and part.low is not None and part.high is not None
    ]
    name = metric(run.ablation.metric)
    caption = f"{name} of {run.ablation.learner} with each part minus that without it, with its {_level(run)}"
    if len(found) > MOST_MODELS:
        caption += f". The first {MOST_MODELS} of {count(len(found))}"
    return Figure("ablation", caption + ".", lanes("ablation", caption, rows, [(0.0, "no difference")]))


def confusion(run: Run, of: Judged) -> Figure | None:
    """The best model's confusion matrix; of a large one the labels that are confused most."""
    return confusion_of(run, of.model, of.split)


def confusion_of(run: Run, model: ModelRecord, split: str) -> Figure | None:
    """A model's confusion matrix on a split."""
    cells = model.confusion.get(split, [])
    shown = confused_most(cells)
    if not shown:
        return None
    labels = labels_of(run, model, split)
    title = (
        f"Confusion matrix of {short(model.name, 60)} on {short(split, 40)}: rows are the truth, columns the prediction"
    )
    caption = (
        f"Rows of the {split} split: the truth from top to bottom, the prediction from left to right. The stronger the "
        "colour of a field, the larger its share of the rows with that true label."
    )
    if len(shown) < len(labels):
        caption += f" The {len(shown)} labels that are confused most, of {count(len(labels))}."
    place = run.models.index(model)
    return Figure("confusion", caption, heat_map(f"confusion-{place}", title, labels, cells, shown))


def roc(run: Run, of: Judged) -> Figure | None:
    """ROC curves of labels against the rest (Fawcett, An introduction to ROC analysis, 2006)."""
    axes = ("false-positive rate", "true-positive rate")
    words = (
        "Each label against the rest: of the rows that bear it, the share found, by the share of other rows taken for "
        "it on the way. The area (beside each name) is 0.5 for guessing and 1 for perfect."
    )
    drawn = of.model.curves.get(of.split)
    return _curves("roc", "ROC curves", axes, words, drawn.roc if drawn else (), diagonal=True)


def precision_recall(run: Run, of: Judged) -> Figure | None:
    """Precision-recall curves of labels against the rest."""
    words = (
        "Each label against the rest: how reliable its finds are, by how many are found. The area beside each name is "
        "the average precision; guessing reaches the label’s share of the rows."
    )
    drawn = of.model.curves.get(of.split)
    shown = drawn.precision_recall if drawn else ()
    return _curves("precision_recall", "Precision-recall curves", ("recall", "precision"), words, shown)


def _curves(
    name: str, title: str, axes: tuple[str, str], words: str, found: Sequence[Curve], *, diagonal: bool = False
) -> Figure | None:
    shown = weakest(found, plots.MOST_LINES)
    if not shown:
        return None
    if len(shown) < len(found):
        words += f" The {len(shown)} labels with the smallest area, of {len(found)}."
    areas = ", ".join(f"{short(curve.label, 40)} {score(curve.area)}" for curve in shown)
    return Figure(name, words, plots.curves(name, f"{title}, area by label: {areas}", axes, shown, diagonal=diagonal))


def reliability(run: Run, of: Judged) -> Figure | None:
    """The best model's reliability diagram (DeGroot and Fienberg, 1983)."""
    found = of.model.reliability.get(of.split, ())
    if not any(one.rows for one in found):
        return None
    title = f"Reliability of {short(of.model.name, 60)} on {short(of.split, 40)} rows: how often right, by how sure"
    caption = (
        f"How often the model was right on {of.split} rows (with {_level(run)}), by how sure it was. On the line, "
        "being 80 % sure means being right 80 times in 100; below it, the model is too sure of itself."
    )
    return Figure("reliability", caption, plots.reliability("reliability", title, found))


def slices(run: Run, of: Judged) -> Figure | None:
    """The deciding metric on some of the rows, group by group, against the metric on all."""
    shown = slices_shown(run, of)
    if not shown:
        return None
    colour = {"better": "up", "worse": "down", "not distinguishable": "point", "too few rows": "hollow"}
    rows: list[Lane] = []
    by = None
    for one in shown:
        if one.by != by:
            by = one.by
            rows.append(Lane(f"by {by}"))
        told = [dot(one.score, colour[one.verdict])]
        n = f"{count(one.score.n)} {'row' if one.score.n == 1 else 'rows'}"
        rows.append(Lane(one.value, _spanned(one.score), told, note=n, aside=one.verdict))
    whole = of.model.scores[of.split][of.metric]
    legend = [("dot up", "better than the rest"), ("dot down", "worse"), ("dot point", "could be chance")]
    legend += [("hollow", "too few rows")]
    title = f"{metric(of.metric)} of {short(of.model.name, 60)} on slices of the {short(of.split, 40)} rows"
    caption = (
        f"{metric(of.metric)} on some of the {of.split} rows with its {_level(run)}; the line is the score on all."
    )
    found = of.model.slices.get(of.split, ())
    if len(shown) < len(found):
        caption += f" {len(shown)} of {count(len(found))} slices: those told apart from the rest, then the largest."
    marks = [(whole.value, f"all rows {score(whole.value)}")]
    return Figure("slices", caption, lanes("slices", title, rows, marks, legend))
