"""What is right, where somebody says it: labels that a file brings, or that came later, and how the model does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from seedbed.core.metric import Metric, Score
from seedbed.core.monitoring import Measured, Signal
from seedbed.core.numbers import things
from seedbed.evaluate import USUAL_METRICS
from seedbed.evaluate.forms import Form
from seedbed.evaluate.judge import judge
from seedbed.flow.truth import Truth
from seedbed.monitor.comparing import performance, performance_signal
from seedbed.monitor.reference import Sure, sureness
from seedbed.monitor.telling_apart import FEWEST
from seedbed.train.bundle import Bundle

from .window import Taken

_RESAMPLES = 2_000
#: Share of labels that may be none that the model knows.
_STRANGE = 0.01
#: What a log keeps of an answer only with `--log-texts`.
_SAID = ("spans", "text", "turns")


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


def judged(truth: Truth, taken: Taken, form: Form, bundle: Bundle) -> Told:
    """How the model does on the rows of which the truth is known.

    Args:
        truth: Of each row of the window.
        taken: The window.
        form: How answers are held.
        bundle: The model's: its scores are what it promised.
    """
    says = form.task.says
    notes = truth.notes
    if says in _SAID and "predicted" not in taken.answers.columns:
        return Told(0, notes=(*notes, "labels are not compared: the log holds no answers (--log-texts keeps them)"))
    known = truth.told.is_not_null()
    given = int(truth.given.sum())
    strange = int((truth.given & ~known).sum())
    if strange:
        notes = (*notes, f"{things(strange, 'label is none', 'labels are none')} that the model knows")
    if strange > _STRANGE * given:
        return Told(0, notes=(*notes, "so labels are not compared: what is left would be no fair sample"))
    some = taken.answers.filter(known).with_columns(truth.told.filter(known).alias("truth"))
    if not some.height:
        return Told(0, notes=(*notes, "no row of the window has a label: how the model does is only estimated"))
    held = _held(some, form)
    split, promised = promise_of(bundle)
    names = list(promised) or USUAL_METRICS[says][:1]
    metrics = [Metric.catalogue[name](use=name) for name in names if name in Metric.catalogue]
    asked = [one for one in metrics if isinstance(one, Metric)]
    scores = judge(form, *held, asked, resamples=_RESAMPLES).scores
    found = [performance(name, promised.get(name), split, score) for name, score in scores.items()]
    signals: tuple[Signal, ...] = ()
    if some.height < FEWEST:
        notes = (*notes, f"{things(some.height, 'labelled row is', 'labelled rows are')} too few to raise an alarm")
    elif found:
        lower = next(one.lower_is_better for one in asked if one.use == found[0].metric)
        signal = performance_signal(found[0], lower_is_better=lower)
        signals = (signal,) if signal else ()
    sure, right = sureness(some), form.rightness(*held)
    both = None
    if sure is not None and right is not None:
        both = pl.DataFrame([sure.alias("sure"), pl.Series("right", right)]).drop_nulls().to_numpy()
    plain = some["truth"] if says in ("label", "number") else None
    return Told(some.height, plain, both, tuple(found), signals, notes)


def _held(some: pl.DataFrame, form: Form) -> tuple[object, object]:
    """Truth and answers as the form holds them."""
    if form.labels:
        shares = [pl.col("probabilities").struct.field(label) for label in form.labels]
        some = some.with_columns(pl.concat_list(shares).alias("probabilities"))
    return form.reread(some) or (some["truth"], some.drop("truth"))


def promise_of(bundle: Bundle) -> tuple[str, dict[str, Score]]:
    """The split that a model was judged on last, and its scores there."""
    scores = bundle.origin.scores
    order: Sequence[str] = [*("test", "validation"), *scores]
    split = next((name for name in order if name in scores), "")
    return split, scores.get(split, {})
