"""Faults between the sections of a recipe, each of which is right by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from seedbed.checks import LabelErrors
from seedbed.core.check import Check
from seedbed.core.documents import KeyPath
from seedbed.core.errors import did_you_mean
from seedbed.core.exporter import Exporter, FileFormat
from seedbed.core.learner import Learner, who_learns
from seedbed.core.metric import Metric, what_measures
from seedbed.core.part import Part, labels_of
from seedbed.core.source import Source
from seedbed.core.splitter import Folding, Splitter
from seedbed.core.step import Fitted, Make, Step
from seedbed.core.task import Task
from seedbed.publish.papers.answers import REQUIRED
from seedbed.steps.near_duplicates import NearDuplicates
from seedbed.steps.select_features import SelectFeatures

from .faults import Fault
from .sections import Evaluate, Gate, LearningCurve, Waiver


def faults_of_task(task: Task) -> Iterator[Fault]:
    """What the task says of its own options."""
    for at, problem, hint in task.faults():
        yield Fault(("task", *_keys(at)), problem, hint)


def _keys(at: str) -> KeyPath:
    return tuple(int(key) if key.isdigit() else key for key in at.split("."))


def faults_of_learning(task: Task, train: Sequence[Learner], checks: Sequence[Check]) -> Iterator[Fault]:
    """Learners, and checks that ask one, know the task."""
    for i, learner in enumerate(train):
        if task.kind not in learner.learns:
            problem = f"{learner.use!r} learns {listed(learner.learns)}, not {task.kind}"
            yield Fault(("train", i, "use"), problem, f"{task.kind} is learned by {listed(who_learns(task.kind))}")
            continue
        for option, problem, hint in learner.faults(task):
            yield Fault(("train", i, *_keys(option)), problem, hint)
    for i, check in enumerate(checks):
        if isinstance(check, LabelErrors) and task.says not in ("label", "labels", "number"):
            problem = f"{check.use!r} looks at labels and numbers, and {task.kind} has none"
            yield Fault(("checks", i, "use"), problem, "leave it out")


def listed(names: Sequence[str]) -> str:
    """Names in a sentence."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names) or "nobody"


def faults_of_metrics(evaluate: Evaluate, task: Task) -> Iterator[Fault]:
    """Metrics measure what the task answers."""
    for i, name in enumerate(evaluate.metrics):
        metric = Metric.catalogue[name]
        assert issubclass(metric, Metric)
        if task.says not in metric.says:
            hint = did_you_mean(name, what_measures(task.says))
            yield Fault(("evaluate", "metrics", i), f"{name!r} does not measure {task.kind}", hint)


def faults_of_sources(sources: Sequence[Source]) -> Iterator[Fault]:
    """Names that tell rows of different sources apart."""
    seen: dict[str, int] = {}
    for i, source in enumerate(sources):
        name = source.name if source.name is not None else str(i)
        if name in seen:
            hint = "give each source its own name; one without a name has its place, from 0"
            yield Fault(("sources", i, "name"), f"sources.{seen[name]} has the name {name!r} already", hint)
        seen.setdefault(name, i)


def faults_of_steps(steps: Sequence[Step], prepare: Sequence[Step]) -> Iterator[Fault]:
    """What learns from rows waits for the split; what does not comes before it."""
    for i, step in enumerate(steps):
        if isinstance(step, Fitted | Make):
            does = "learns from rows" if isinstance(step, Fitted) else "makes rows"
            yield Fault(
                ("steps", i, "use"),
                f"{step.use!r} {does}, which must wait until test rows are set aside",
                "move it to `prepare`, which runs after the split",
            )
    for i, step in enumerate(prepare):
        if not isinstance(step, Fitted | Make):
            yield Fault(
                ("prepare", i, "use"),
                f"{step.use!r} neither learns from rows nor makes any, so it belongs before the split",
                "move it to `steps`",
            )


def faults_of_features(prepare: Sequence[Step], task: Task) -> Iterator[Fault]:
    """What is to tell the label is not the label."""
    for i, step in enumerate(prepare):
        if isinstance(step, SelectFeatures) and step.label is None and task.answer in step.column:
            place = ("prepare", i, "column", step.column.index(task.answer))
            yield Fault(place, f"{task.answer!r} is the label, which cannot tell itself", "leave it out of `column`")


def faults_of_made_names(sources: Sequence[Source], prepare: Sequence[Step]) -> Iterator[Fault]:
    """Rows that a part makes are named after it: no source has that name."""
    makers = [name for name, step in zip(labels_of(list(prepare)), prepare, strict=True) if isinstance(step, Make)]
    for i, source in enumerate(sources):
        if source.name in makers:
            hint = "give the source another name"
            yield Fault(("sources", i, "name"), f"{source.name!r} is what made rows are named after", hint)


def faults_of_trust(steps: Sequence[Step], sources: Sequence[Source]) -> Iterator[Fault]:
    """Sources that are trusted are sources of the recipe."""
    known = [source.name if source.name is not None else str(i) for i, source in enumerate(sources)]
    for i, step in enumerate(steps):
        for j, name in enumerate(step.trust if isinstance(step, NearDuplicates) else ()):
            if name not in known:
                place = ("steps", i, "trust", j)
                yield Fault(place, f"there is no source {name[:40]!r}", did_you_mean(name, known))


def faults_of_twins(section: str, parts: Sequence[Part], why: str) -> Iterator[Fault]:
    """No part stands there twice with the same options."""
    for i, part in enumerate(parts):
        if part in parts[:i]:
            first = parts.index(part)
            yield Fault((section, i), f"is the same as {section}.{first}: {why}", "change an option or remove it")


def faults_of_places(exporters: Sequence[Exporter]) -> Iterator[Fault]:
    """No two exporters write to one place."""
    places = [one.place for one in exporters]
    for i, place in enumerate(places):
        if place in places[:i] and exporters[i] not in exporters[:i]:  # twins are told of by themselves
            first = places.index(place)
            hint = "give each a folder of its own"
            yield Fault(("publish", i, "path"), f"publish.{first} writes there, too, and would be overwritten", hint)


def faults_of_publish(exporters: Sequence[Exporter], task: Task, split: Splitter) -> Iterator[Fault]:
    """Exporters can say the task, and write splits that have rows."""
    for i, exporter in enumerate(exporters):
        for option, problem, hint in exporter.faults(task):
            yield Fault(("publish", i, option), problem, hint)
        for j, name in enumerate((exporter.splits if isinstance(exporter, FileFormat) else None) or ()):
            if name not in split.splits:
                place = ("publish", i, "splits", j)
                yield Fault(place, f"the split has no {name[:40]!r} rows", did_you_mean(name, split.splits))


def faults_of_gates(
    gates: Sequence[Gate], metrics: Sequence[str], train: Sequence[Learner], split: Splitter
) -> Iterator[Fault]:
    """Gates look at metrics that are measured, models that are trained and splits that have rows."""
    models = labels_of(list(train))
    for i, gate in enumerate(gates):
        if gate.metric not in metrics:
            yield Fault(
                ("gates", i, "metric"),
                f"{gate.metric!r} is not measured: evaluate.metrics lists {', '.join(metrics)}",
                f"add {gate.metric!r} to evaluate.metrics",
            )
        if gate.model is not None and gate.model not in models:
            yield Fault(
                ("gates", i, "model"),
                f"there is no model {gate.model[:40]!r} in `train`",
                did_you_mean(gate.model, models),
            )
        if gate.split not in split.splits:
            yield Fault(
                ("gates", i, "split"), f"the split has no {gate.split} rows", f"give split.{gate.split} a share"
            )
    if gates and not models:
        yield Fault(("gates",), "there is no model to hold against a gate", "add one to `train`, or remove the gates")


def faults_of_folds(
    split: Splitter, prepare: Sequence[Step], train: Sequence[Learner], evaluate: Evaluate
) -> Iterator[Fault]:
    """Folds that are files know nothing of each other, and are the only ones that there are."""
    if not isinstance(split, Folding):
        return
    if prepare:
        problem = "what it does to training rows would know each fold that is held out of them"
        yield Fault(("prepare",), problem, "use: stratified, with evaluate: {folds: 5}, prepares anew in each fold")
    if train and "test" not in split.splits:
        problem = "no row is set aside to judge models with"
        yield Fault(("split", "test"), problem, "give it a share, or say `train: []` for a dataset without models")
    if evaluate.folds not in (None, split.count):
        problem = f"split.folds deals {split.count} already"
        yield Fault(("evaluate", "folds"), problem, "leave it out: learners are cross-validated on the split's folds")


def faults_of_checks(checks: Sequence[Check], train: Sequence[Learner]) -> Iterator[Fault]:
    """Checks that have a learner look at rows name one that is trained."""
    models = labels_of(list(train))
    for i, check in enumerate(checks):
        if isinstance(check, LabelErrors) and check.learner is not None and check.learner not in models:
            problem = f"there is no model {check.learner[:40]!r} in `train`"
            yield Fault(("checks", i, "learner"), problem, did_you_mean(check.learner, models))


def faults_of_looking(checks: Sequence[Check], task: Task) -> Iterator[Fault]:
    """Checks can look at rows of the task."""
    for i, check in enumerate(checks):
        for option, problem, hint in check.faults(task):
            yield Fault(("checks", i, option), problem, hint)


def faults_of_evaluate(evaluate: Evaluate, task: Task, train: Sequence[Learner]) -> Iterator[Fault]:
    """Slices name other columns than the task's, each once; folds need something to fit."""
    for i, column in enumerate(evaluate.slices):
        place = ("evaluate", "slices", i)
        if column == task.answer:
            yield Fault(place, f"{column!r} is the label", "leave it out: every label has its own scores")
        elif column == task.shown:
            yield Fault(place, f"{column!r} is the text", "leave it out: texts are told apart by length anyway")
        elif column in evaluate.slices[:i]:
            yield Fault(place, f"the column {column[:40]!r} stands there twice", "name each column once")
    curve, models = evaluate.curve, labels_of(list(train))
    if isinstance(curve, LearningCurve) and curve.model is not None and curve.model not in models:
        hint = did_you_mean(curve.model, models)
        yield Fault(("evaluate", "curve", "model"), f"there is no model {curve.model[:40]!r} in `train`", hint)
    if evaluate.folds and not train:
        yield Fault(("evaluate", "folds"), "there is nothing in `train` to cross-validate", "add a learner")


def faults_of_waivers(waive: Sequence[Waiver], checks: Sequence[Check], gates: Sequence[Gate]) -> Iterator[Fault]:
    """Waivers name a check or the metric of a gate of this recipe, or a question of the card; none of them twice."""
    known = [*(check.use for check in checks), *(gate.metric for gate in gates), *REQUIRED]
    named: list[str] = []
    for i, waiver in enumerate(waive):
        if waiver.what not in known:
            yield Fault(
                ("waive", i, "what"),
                f"{waiver.what[:40]!r} is no check or gate of this recipe, and no question that stops publishing",
                did_you_mean(waiver.what, set(known)),
            )
        elif waiver.what in named:
            yield Fault(
                ("waive", i, "what"),
                f"waive.{named.index(waiver.what)} waives {waiver.what!r} already",
                "keep one of them",
            )
        named.append(waiver.what)
