"""A model's bundle: what it was learned with and from, how good it is, and what later rows are compared with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from seedbed.core.learner import Learner, Model
from seedbed.core.packages import pinned
from seedbed.core.profile import TableProfile
from seedbed.core.rows import NUMBER, ROW
from seedbed.core.task import Task
from seedbed.core.version import __version__
from seedbed.evaluate.forms import Form
from seedbed.monitor.reference import Reference, reference_of, written
from seedbed.monitor.trained import trained_of, written_trained
from seedbed.profile.measuring import Measurer, plan_of
from seedbed.publish.papers.model_card import ModelFacts, model_card
from seedbed.train.bundle import CARD, REFERENCE, REQUIREMENTS, Origin, Preprocess, save_bundle
from seedbed.train.calibrated import Calibrated
from seedbed.train.tabular import features_read


@dataclass(frozen=True)
class Seen:
    """Rows that a model was not trained on, and what it said of them."""

    form: Form
    """Of the answers."""
    rows: pl.DataFrame
    answers: Any
    left_out: tuple[int, int]
    """Rows that training left out for what a row brings that is to be answered, and of how many."""
    train: pl.DataFrame
    """The rows that it was trained on."""
    groups: int | None = None
    """Groups of rows that belong together, where the rows are no independent draws."""


def bundle_up(
    model: Model[Any],
    learner: Learner,
    task: Task,
    before: Preprocess,
    folder: Path,
    *,
    origin: Origin,
    seen: Seen | None,
    beside: Mapping[str, str] | None = None,
) -> int:
    """Save a model with its papers.

    Args:
        model: What was learned; calibrated, where it could be.
        learner: By whom.
        task: What it does.
        before: What rows pass before it reads them, with examples.
        folder: Where to; the model is called like it.
        origin: Where it comes from, and how good it is.
        seen: Rows that the model was not trained on.
        beside: Other files, by name: what `flow.judging.beside` finds that was asked for.

    Returns:
        The size of all files in bytes.
    """
    needs = pinned(learner.extra)
    facts = ModelFacts(
        name=folder.name,
        use=learner.use,
        options=learner.model_dump(mode="json", exclude={"use"}),
        task=task.kind,
        dataset=origin.dataset,
        digest=origin.digest,
        scores=origin.scores,
        reads=before.reads,
        inputs=[one.name for one in before.inputs],
        answer=task.answer,
        labels=task.names,
        calibration=model.calibration if isinstance(model, Calibrated) else None,
    )
    more = {
        CARD: model_card(facts),
        REQUIREMENTS: "".join(f"{name}=={version}\n" for name, version in needs.items()),
    }
    more |= beside or {}
    if seen is not None:
        more[REFERENCE] = reference(task, seen)
    origin = origin.model_copy(update={"needs": needs})
    save_bundle(model, folder, learner=learner, task=task, preprocess=before, origin=origin, more=more)
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def reference(task: Task, seen: Seen) -> str:
    """What rows that a model read, and its answers, are like: two profiles, and what monitors need; no row; as JSON.

    Args:
        task: What is read of rows.
        seen: Held-out rows; of a table it is kept, too, what training rows held.
    """
    form, rows, answers = seen.form, seen.rows, seen.answers
    asked = task.as_asked(rows)
    own = [name for name in asked.columns if name not in (ROW, NUMBER)]
    told = form.written(None, answers).drop("probabilities", strict=False)
    profiles = {"reads": _profile(asked.select(task.reads(own)), rows[ROW]), "answers": _profile(told, rows[ROW])}
    found = {name: one.model_dump(mode="json") for name, one in profiles.items()}
    found |= written(_watched(task, seen))
    if task.alike_if_equal:
        found |= written_trained(trained_of(seen.train.select(features_read(seen.train, task))))
    return json.dumps({"seedbed": __version__, "rows": rows.height, **found}, ensure_ascii=False) + "\n"


def _watched(task: Task, seen: Seen) -> Reference:
    """What a window of later rows is compared with."""
    form, rows, answers = seen.form, seen.rows, seen.answers
    asked = task.as_asked(rows)
    own = [name for name in asked.columns if name not in (ROW, NUMBER)]
    truth = form.truth(rows)
    told = rows[task.answer] if task.answer and task.says in ("label", "number") else None
    if told is not None:
        told = told.cast(pl.String if task.says == "label" else pl.Float64)
    return reference_of(
        asked.select(task.reads(own)),
        form.written(None, answers),
        text=task.shown,
        labels=form.labels,
        truth=told,
        right=form.rightness(truth, answers),
        left_out=seen.left_out,
        groups=seen.groups,
    )


def _profile(table: pl.DataFrame, rows: pl.Series) -> TableProfile:
    plan = plan_of(table, text=None, label=None)
    return Measurer(plan).add(table.with_columns(rows.alias(ROW))).profile(near=False, brief=True)
