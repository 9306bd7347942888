"""What the report says about a run that its record does not say word for word: which row goes where, who is best."""

from __future__ import annotations

from dataclasses import dataclass

from seedbed.core.run import Comparison, ModelRecord, Run

MOST = 100
"""Labels, columns and the like that a table lists; `run.json` has all of them."""


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

    def confused(self, most: int = 10) -> list[Cell]:
        """What is mistaken for what, most frequent first."""
        cells = [
            Cell(self.labels[i], self.labels[j], n, sum(row))
            for i, row in enumerate(self.confusion)
            for j, n in enumerate(row)
            if i != j and n
        ]
        return sorted(cells, key=lambda cell: -cell.rows)[:most]


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
        labels=_labels(run, model, split, len(confusion)),
        confusion=confusion,
    )


def _comparison(
    run: Run, model: ModelRecord, baseline: ModelRecord | None, metric: str, split: str
) -> Comparison | None:
    """The best model against the baseline, else against the model before it."""
    about = [c for c in run.comparisons if c.b == model.name and c.metric == metric and c.split == split]
    with_baseline = [c for c in about if baseline and c.a == baseline.name]
    return next(iter(with_baseline or about), None)


def _labels(run: Run, model: ModelRecord, split: str, count: int) -> list[str]:
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


def bins(run: Run) -> list[tuple[str, int, int]]:
    """Each bin of the text lengths: what it spans, rows as read, rows of the dataset."""
    lengths = run.dataset.lengths
    if lengths is None:
        return []
    found = []
    for i, (before, after) in enumerate(zip(lengths.before, lengths.after, strict=True)):
        low = lengths.edges[i]
        last = i + 1 == len(lengths.before)
        spans = f"{low:,} or more" if last else f"{low:,} to {lengths.edges[i + 1] - 1:,}"
        found.append((spans, before, after))
    return found


Section = tuple[str, str]
"""Anchor and title."""


def sections(run: Run) -> list[Section]:
    """The sections that have something to say, in order."""
    data = run.dataset
    model = judged(run)
    told: list[tuple[str, str, object]] = [
        ("verdict", "Verdict", True),
        ("rows", "Where every row went", True),
        ("classes", "Classes", labels_seen(run)),
        ("lengths", "Text lengths", data.lengths and sum(data.lengths.before)),
        ("columns", "Columns", data.columns),
        ("models", "Models", True),
        ("comparisons", "Comparisons", run.comparisons),
        ("confusion", "Confusions", model and model.confusion),
        ("mistakes", "Mistakes", model and model.model.mistakes),
        ("checks", "Checks and gates", True),
        ("certificate", "Certificate", True),
        ("leakage", "What leakage would have claimed", run.leakage),
        ("sources", "Sources", run.sources),
        ("timings", "Time", run.timings),
        ("card", "Card and publishing", run.blanks or run.published or run.unpublished),
        ("again", "How to reproduce", True),
    ]
    return [(key, title) for key, title, present in told if present]
