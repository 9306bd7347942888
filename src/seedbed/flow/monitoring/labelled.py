"""What is right, where somebody says it: labels that a file brings, or that came later, and how the model does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

import seedbed.evaluate  # noqa: F401  (fills the catalogue)
from seedbed.core.errors import RecipeError, did_you_mean
from seedbed.core.metric import Metric, Score
from seedbed.core.monitoring import Measured, Signal
from seedbed.core.numbers import things
from seedbed.core.task import Task
from seedbed.evaluate.forms import Form, OneLabel
from seedbed.evaluate.judge import judge
from seedbed.flow.judging.people_file import read_lines
from seedbed.monitor.comparing import performance, performance_signal
from seedbed.monitor.reference import Sure
from seedbed.train.bundle import Bundle

from .window import Taken

_RESAMPLES = 2_000
#: Share of labels that may be none that the model knows.
_STRANGE = 0.01


@dataclass(frozen=True)
class Told:
    """How the model does on rows of which somebody said what is right."""

    rows: int
    truth: pl.Series | None = None
    """Of these rows, as labels or numbers."""
    sure: Sure | None = None
    performance: tuple[Measured, ...] = ()
    signals: tuple[Signal, ...] = ()
    notes: tuple[str, ...] = ()


def labels_of(path: Path, taken: Taken, task: Task) -> tuple[pl.Series, tuple[str, ...]]:
    """What a file says is right of each row of a window, null where it says nothing; and notes.

    Args:
        path: JSON lines or CSV with `row` and `answer` (or the task's own name for it), or decisions of a review. The
            last word on a row counts.
        taken: The window.
        task: The model's.

    Raises:
        RecipeError: There is no such file.
        DataError: It cannot be read, or does not say which rows or answers it means.
    """
    if not path.is_file():
        near = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
        raise RecipeError("there is no such file", at=f"--labels {path}", hint=did_you_mean(path.name, near))
    lines = read_lines(path, task)
    said = {line.row: line.answer for line in lines if line.row is not None}
    found = [said.get(row) for row in taken.ids.to_list()]
    met = len(said.keys() & set(taken.ids.to_list()))
    notes = []
    if met < len(said):
        notes.append(f"{things(len(said) - met, 'label is', 'labels are')} of rows that are not in the window")
    nameless = sum(line.row is None for line in lines)
    if nameless:
        notes.append(f"{things(nameless, 'label names', 'labels name')} no row by its id")
    if any(line.reviewed for line in lines):
        notes.append("decisions of a review are of rows that somebody doubted, where the model does worse than on all")
    return pl.Series("truth", found, strict=False), tuple(notes)


def judged(truth: pl.Series, taken: Taken, form: Form, bundle: Bundle) -> Told:
    """How the model does on the rows of which the truth is known.

    Args:
        truth: Of each row of the window; null where it is not known.
        taken: The window.
        form: How answers are held.
        bundle: The model's: its scores are what it promised.
    """
    says = bundle.task.says
    if says not in ("label", "number"):
        return Told(0, notes=(f"labels are not compared: this is not measured yet where a model answers {says}",))
    truth = truth.cast(pl.String if says == "label" else pl.Float64, strict=False)
    known = truth.is_in(list(form.labels)) if says == "label" else truth.is_finite()
    known = known.fill_null(False)
    strange = len(truth) - truth.null_count() - int(known.sum())
    notes: tuple[str, ...] = ()
    if strange:
        notes = (f"{things(strange, 'label is none', 'labels are none')} that the model knows",)
    if strange > _STRANGE * (len(truth) - truth.null_count()):
        return Told(0, notes=(*notes, "so labels are not compared: what is left would be no fair sample"))
    some = taken.answers.filter(known).with_columns(truth.filter(known).alias("truth"))
    if not some.height:
        return Told(0, notes=(*notes, "no row of the window has a label: how the model does is only estimated"))
    if isinstance(form, OneLabel):
        shares = [pl.col("probabilities").struct.field(label) for label in form.labels]
        some = some.with_columns(pl.concat_list(shares).alias("probabilities"))
    held = form.reread(some)
    assert held is not None
    split, promised = promise_of(bundle)
    names = list(promised) or (["accuracy"] if says == "label" else ["mae"])
    metrics = [Metric.catalogue[name](use=name) for name in names if name in Metric.catalogue]
    asked = [one for one in metrics if isinstance(one, Metric)]
    scores = judge(form, *held, asked, resamples=_RESAMPLES).scores
    found = [performance(name, promised.get(name), split, score) for name, score in scores.items()]
    signals = []
    if found:
        lower = next(one.lower_is_better for one in asked if one.use == found[0].metric)
        signal = performance_signal(found[0], lower_is_better=lower)
        signals = [signal] if signal else []
    right = form.right(*held)
    sure = None
    if right is not None and "confidence" in some.columns:
        sure = some.select("confidence", pl.Series("right", right).cast(pl.Float64)).drop_nulls().to_numpy()
    return Told(some.height, some["truth"], sure, tuple(found), tuple(signals), notes)


def promise_of(bundle: Bundle) -> tuple[str, dict[str, Score]]:
    """The split that a model was judged on last, and its scores there."""
    scores = bundle.origin.scores
    order: Sequence[str] = [*("test", "validation"), *scores]
    split = next((name for name in order if name in scores), "")
    return split, scores.get(split, {})
