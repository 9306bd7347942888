"""Faults between the sections of a recipe, each of which is right by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from seedbed.core.check import Check
from seedbed.core.errors import did_you_mean
from seedbed.core.learner import Learner
from seedbed.core.part import Part, labels_of
from seedbed.core.source import Source
from seedbed.core.splitter import Splitter
from seedbed.core.step import Fitted, Make, Step
from seedbed.core.task import Task
from seedbed.publish.answers import REQUIRED
from seedbed.steps.near_duplicates import NearDuplicates

from .faults import Fault
from .sections import Evaluate, Gate, Waiver


def faults_of_task(task: Task) -> Iterator[Fault]:
    """The text is not the label; labels are told apart."""
    if task.text == task.label:
        yield Fault(("task", "label"), f"{task.label!r} is the text already", "name the column that holds the label")
    for i, label in enumerate(task.labels or ()):
        if label in (task.labels or ())[:i]:
            yield Fault(("task", "labels", i), f"the label {label[:40]!r} is given twice", "keep one of them")
        elif not label.strip():
            yield Fault(("task", "labels", i), "a label cannot be empty", "rows without a label are left out anyway")


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
        if gate.split not in split.shares:
            yield Fault(
                ("gates", i, "split"), f"the split has no {gate.split} rows", f"give split.{gate.split} a share"
            )
    if gates and not models:
        yield Fault(("gates",), "there is no model to hold against a gate", "add one to `train`, or remove the gates")


def faults_of_evaluate(evaluate: Evaluate, task: Task, train: Sequence[Learner]) -> Iterator[Fault]:
    """Slices name other columns than the task's, each once; folds need something to fit."""
    for i, column in enumerate(evaluate.slices):
        place = ("evaluate", "slices", i)
        if column == task.label:
            yield Fault(place, f"{column!r} is the label", "leave it out: every label has its own scores")
        elif column == task.text:
            yield Fault(place, f"{column!r} is the text", "leave it out: texts are told apart by length anyway")
        elif column in evaluate.slices[:i]:
            yield Fault(place, f"the column {column[:40]!r} stands there twice", "name each column once")
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
