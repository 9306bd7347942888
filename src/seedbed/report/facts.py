"""What the report says about a run that its record does not say word for word: which row goes where, who is best."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pydantic import TypeAdapter, ValidationError

from seedbed.core.metric import Metric, Score, metric_named
from seedbed.core.run import Calibration, Comparison, Curve, Mistake, ModelRecord, ReliabilityBin, Run, Slice
from seedbed.core.task import AnyTask, Says, Task

_TASKS: TypeAdapter[Task] = TypeAdapter(AnyTask)
MOST = 100
"""Labels, columns and the like that a table lists; `run.json` has all of them."""
MOST_OTHERS = 9
"""Models besides the best that are shown closely."""
MOST_SLICES = 24
"""Slices that are shown."""
NEARLY = 0.05
"""Distance from 1 within which a temperature changes little."""
UNLIKE = 0.2
"""Similarity below which the nearest training row is no witness."""
ALIKE = 0.5
"""Similarity from which on training rows cast doubt on a row's own label."""
TRAINED = (
    "text_classification", "multi_label_classification", "regression", "tabular_classification", "tabular_regression",
)  # fmt: skip
"""Tasks that are learned where a recipe names nobody."""
_NAMES = {
    "multi_label_classification": "multi-label classification",
    "causal_lm": "causal language modelling",
    "text_to_text": "text-to-text generation",
}


@dataclass(frozen=True)
class Leg:
    """One part on the way of the rows, in order."""

    part: str
    before: int
    after: int
    made: int
    changed: int
    rejected: dict[str, int]

    @property
    def lost(self) -> int:
        """Rows that the part rejected."""
        return sum(self.rejected.values())


def task_name(run: Run) -> str:
    """What the field calls the task."""
    kind = str(run.task.get("kind", ""))
    return _NAMES.get(kind, kind.replace("_", " "))


def trains(run: Run) -> bool:
    """Whether there is something to say of models: a task that nobody learns by default may have none."""
    return bool(run.models) or run.task.get("kind") in TRAINED


def says(run: Run) -> Says | None:
    """What is answered to the task; nothing for a task that nobody here knows."""
    try:
        return _TASKS.validate_python(run.task).says
    except ValidationError:
        return None


def mistakes_named(run: Run) -> str:
    """What the answers are called that are most wrong."""
    return {
        "number": "Furthest off",
        "text": "Worst answers",
        "turns": "Worst answers",
        "itself": "Most surprising",
    }.get(says(run) or "label", "Mistakes")


def answer_named(run: Run) -> str:
    """What a row's answer is called."""
    named = {"number": "Number", "itself": "Nearness"}
    return "Label" if says(run) in (None, "label", "labels") else named.get(says(run) or "", "Answer")


def right_on(run: Run) -> str:
    """What accuracy says of rows, before their number."""
    return "gives exactly the right labels to" if several_labels(run) else "is right on"


def legs(run: Run) -> list[Leg]:
    """The way of the rows, from those read to those kept; it starts at `rows.read` and adds up to `rows.kept`."""
    steps = {step.part: step for step in run.steps}
    left, found = run.rows.read, []
    for part in [*(part for part in run.rows.rejected if part not in steps), *steps]:
        rejected = run.rows.rejected.get(part, {})
        lost = sum(rejected.values())
        step = steps.get(part)
        made = max(0, step.rows_out + lost - step.rows_in) if step else 0
        found.append(Leg(part, left, left + made - lost, made, step.changed if step else 0, rejected))
        left += made - lost
    unseen = run.rows.made - sum(leg.made for leg in found)
    if unseen > 0:
        found.append(Leg("made for training", left, left + unseen, unseen, 0, {}))
    return found


@dataclass(frozen=True)
class Cell:
    """Rows of one label that a model took for another."""

    truth: str
    predicted: str
    rows: int
    of: int
    """All rows with the true label."""


@dataclass(frozen=True)
class Judged:
    """The model that the report looks at closely, and how it stands against the baseline."""

    model: ModelRecord
    metric: str
    split: str
    """Where it is judged: `test` where there is one."""
    baseline: ModelRecord | None
    """The first model of the recipe, unless that is the best one."""
    comparison: Comparison | None
    labels: list[str]
    confusion: list[list[int]]

    @property
    def score(self) -> Score:
        """The deciding metric on the split that judges."""
        return self.model.scores[self.split][self.metric]

    def confused(self, most: int = 10) -> list[Cell]:
        """What is mistaken for what, most frequent first."""
        cells = ((-n, i, j) for i, row in enumerate(self.confusion) for j, n in enumerate(row) if i != j and n)
        return [
            Cell(self.labels[i], self.labels[j], -n, sum(self.confusion[i])) for n, i, j in heapq.nsmallest(most, cells)
        ]


def judged(run: Run) -> Judged | None:
    """The best model and its judgement; nothing where no model was scored."""
    model, split, metric = run.best_model, run.judging_split, run.metric
    if model is None or metric not in model.scores.get(split, {}):
        return None
    baseline = run.models[0] if run.models[0].name != model.name else None
    confusion = model.confusion.get(split, [])
    return Judged(
        model=model,
        metric=metric,
        split=split,
        baseline=baseline,
        comparison=_comparison(run, model, baseline, metric, split),
        labels=labels_of(run, model, split),
        confusion=confusion,
    )


def _comparison(
    run: Run, model: ModelRecord, baseline: ModelRecord | None, metric: str, split: str
) -> Comparison | None:
    """The best model against the baseline, else against the model before it."""
    about = [c for c in run.comparisons if c.b == model.name and c.metric == metric and c.split == split]
    with_baseline = [c for c in about if baseline and c.a == baseline.name]
    return next(iter(with_baseline or about), None)


def labels_of(run: Run, model: ModelRecord, split: str) -> list[str]:
    """The labels of a model's confusion matrix, in its order."""
    count = len(model.confusion.get(split, []))
    for names in (model.classes.get(split, {}), run.task.get("labels") or ()):
        if len(names) == count:
            return [str(name) for name in names]
    return [f"label {i + 1}" for i in range(count)]


def splits_judged(run: Run) -> list[str]:
    """The splits that any model was judged on, in order."""
    return list(dict.fromkeys(split for model in run.models for split in model.scores))


def metrics_judged(run: Run) -> list[str]:
    """The metrics of any model, in order."""
    return list(dict.fromkeys(name for model in run.models for scores in model.scores.values() for name in scores))


def labels_seen(run: Run) -> list[str]:
    """All labels, as read or in the dataset; those of the dataset first, the most frequent first."""
    data = run.dataset
    kept: dict[str, int] = {}
    for labels in data.labels.values():
        for label, n in labels.items():
            kept[label] = kept.get(label, 0) + n
    names = dict.fromkeys([*kept, *data.labels_before])
    return sorted(names, key=lambda name: (-kept.get(name, 0), -data.labels_before.get(name, 0)))


def several_labels(run: Run) -> bool:
    """Whether a row may carry several labels, so that rows of all labels together are more than rows."""
    return run.task.get("kind") == "multi_label_classification"


def label_total(run: Run, split: str) -> int:
    """Of what the rows of a label are a share: of all rows where one may carry several, else of those with a label."""
    return run.dataset.splits.get(split, 0) if several_labels(run) else sum(run.dataset.labels[split].values())


def bins(run: Run) -> list[tuple[str, int, int, int]]:
    """Each bin of the text lengths: what it spans, rows as read, rows of the dataset, those of them that were made."""
    lengths = run.dataset.lengths
    if lengths is None:
        return []
    found = []
    made = lengths.made or (0,) * len(lengths.after)
    for i, (before, after) in enumerate(zip(lengths.before, lengths.after, strict=True)):
        low = lengths.edges[i]
        last = i + 1 == len(lengths.before)
        spans = f"{low:,} or more" if last else f"{low:,} to {lengths.edges[i + 1] - 1:,}"
        found.append((spans, before, after, made[i]))
    return found


def lower_is_better(metric: str) -> bool:
    """Whether less of a metric is better; no for a metric that nobody here knows."""
    import seedbed.evaluate  # noqa: F401 (fills the catalogue)

    try:
        return metric_named(metric).lower_is_better
    except KeyError:
        return False


def missing(models: Sequence[ModelRecord], metrics: Sequence[str], split: str) -> list[tuple[str, str]]:
    """Metrics that some model has no score of, each with where it has no value; those that do not say it left out."""
    scored = [model.scores[split] for model in models if split in model.scores]
    lacking = [name for name in metrics if any(name not in scores for scores in scored)]
    return [(name, why) for name in lacking if (why := _where_no_value(name))]


def _where_no_value(metric: str) -> str:
    import seedbed.evaluate  # noqa: F401 (fills the catalogue)

    found = Metric.named(metric)
    return getattr(found, "no_value", "")


def p_of(c: Comparison) -> float:
    """The p that a comparison's verdict goes by."""
    return c.p if c.p_holm is None else c.p_holm


def compared(run: Run, of: Judged, *, simplest: bool | None = None) -> list[Comparison]:
    """Comparisons by the metric and on the split that decide; if asked, only with the simplest model, or without."""
    first = run.models[0].name
    found = [c for c in run.comparisons if c.metric == of.metric and c.split == of.split]
    return found if simplest is None else [c for c in found if (c.a == first) == simplest]


def others(run: Run, of: Judged) -> list[ModelRecord]:
    """Models other than the best that the page shows closely: the first of the recipe."""
    return [model for model in run.models if model.name != of.model.name][:MOST_OTHERS]


def weakest(curves: Sequence[Curve], most: int) -> list[Curve]:
    """Curves in their order; where there are too many, those with the smallest area."""
    kept = {id(curve) for curve in heapq.nsmallest(most, curves, key=lambda curve: curve.area)}
    return [curve for curve in curves if id(curve) in kept]


def slices_shown(run: Run, of: Judged) -> list[Slice]:
    """Slices of the best model, grouped; where there are too many, those told apart from the rest, then the largest."""
    found = of.model.slices.get(of.split, ())
    rank = {"worse": 0, "better": 1, "not distinguishable": 2, "too few rows": 3}
    kept = heapq.nsmallest(MOST_SLICES, found, key=lambda one: (rank[one.verdict], -one.score.n))
    chosen = {id(one) for one in kept}
    groups = list(dict.fromkeys(one.by for one in found))
    return sorted((one for one in found if id(one) in chosen), key=lambda one: groups.index(one.by))


def worst_slices(of: Judged, most: int = 5) -> list[Slice]:
    """Slices on which the best model is worse than on the rest by more than chance, worst first."""
    worse = [one for one in of.model.slices.get(of.split, ()) if one.verdict == "worse"]
    return sorted(worse, key=lambda one: -abs(one.difference or 0))[:most]


def sure(bins: Sequence[ReliabilityBin], at_least: int = 30) -> ReliabilityBin | None:
    """The bin of the most confidence that has enough rows to speak of."""
    return next((one for one in reversed(bins) if one.rows >= at_least), None)


def calibration_error(bins: Sequence[ReliabilityBin]) -> float | None:
    """Mean distance between confidence and accuracy over bins, weighted by rows (Naeini et al., AAAI 2015)."""
    rows = sum(one.rows for one in bins)
    return sum(one.rows * abs(one.confidence - one.accuracy.value) for one in bins) / rows if rows else None


def certainty(calibration: Calibration) -> str:
    """What a temperature says about the model as it was trained."""
    if abs(calibration.temperature - 1) < NEARLY:
        return "nearly as sure as it should be"
    return "too sure of itself" if calibration.temperature > 1 else "not sure enough of itself"


def suspicion(mistake: Mistake) -> str:
    """What the nearest training rows say about a mistake, in a sentence."""
    near, n = mistake.neighbours, len(mistake.neighbours)
    if not near:
        return ""
    as_predicted = sum(one.label == mistake.predicted for one in near)
    as_truth = sum(one.label == mistake.truth for one in near)
    if near[0].similarity < UNLIKE:
        return "No training row is much like it."
    if as_predicted > as_truth:
        alike = [one.label for one in near if one.similarity >= ALIKE]
        doubt = alike.count(mistake.predicted) > alike.count(mistake.truth)
        so = "this row’s own label may be wrong" if doubt else "like rows, but too unlike to doubt its label by"
        return f"{_bearing(as_predicted, n)} the predicted label: {so}."
    if as_truth > as_predicted:
        return f"{_bearing(as_truth, n)} the true label: the model has seen such rows and errs all the same."
    return "Its nearest training rows bear other labels, or as many the one as the other: a hard case."


def _bearing(some: int, n: int) -> str:
    if n == 1:
        return "The nearest training row bears"
    return f"{some} of the {n} nearest training rows {'bears' if some == 1 else 'bear'}"


def height(curve: Curve, x: float) -> float:
    """The highest point of a curve where it has come to `x`, between its points along the straight line."""
    best = 0.0
    for (x1, y1), (x2, y2) in pairwise(sorted(zip(curve.x, curve.y, strict=True))):
        if x1 <= x <= x2:
            best = max(best, y1 if x2 == x1 else y1 + (y2 - y1) * (x - x1) / (x2 - x1))
    return best
