"""A window of what a model read and answered, held against what its held-out rows were like: `seedbed monitor`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.context import Context
from seedbed.core.encoder import open_encoder
from seedbed.core.monitoring import Estimated, Side, Signal, Watch
from seedbed.core.numbers import things
from seedbed.core.version import __version__
from seedbed.flow.predicting.opening import open_model
from seedbed.flow.splitting.dataset import Dataset
from seedbed.flow.truth import InWords, Truth
from seedbed.monitor.comparing import (
    calibration,
    decided,
    drift_signals,
    estimate,
    text_signal,
    word_signal,
)
from seedbed.monitor.reference import MOST_SKETCHES, Looked, joined, seen_of, sureness
from seedbed.monitor.telling_apart import FEWEST
from seedbed.serve.predictor import Predictor

from .labelled import Told, judged, promise_of
from .logging import reference
from .window import Taken, Watched, drawn_note, take

LEVEL = 0.05
AT_LEAST = 0.02
#: What being right is called whose share is estimated without labels.
_RIGHT = {"label": "accuracy", "labels": "labels right", "spans": "exact answers"}
#: Alarms of these say that what comes in is unlike the rows by which confidences were measured.
_COMES_IN = ("schema", "missing", "numbers", "categories", "text")
#: Tokens of a text that are embedded.
_TOKENS = 256


@dataclass(frozen=True)
class Asked:
    """How a model is watched."""

    window: str = ""
    """How far back from now, such as `7d`; all of a log if empty."""
    labels: Path | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    level: float = LEVEL
    """Chance of a false alarm, of all tests of a window together."""
    at_least: float = AT_LEAST
    """Smallest effect of drift that is an alarm."""
    encoder: str = ""
    """What embeds texts, so that drift of their meaning is seen; needs the run's own rows."""
    trust: bool = False


def watch(named: str, against: str | Path, asked: Asked | None = None, *, context: Context | None = None) -> Watch:
    """Hold a window of rows against a model's reference.

    Args:
        named: The folder of a log that `seedbed serve` wrote, or a file, folder or glob with rows.
        against: A model's folder, or a run: its best model.
        asked: How.
        context: Where paths start, what time it is, where progress is shown.

    Raises:
        RecipeError: An option is wrong.
        DataError: The rows cannot be read, or there are none.
        ModelError: There is no model, or it says nothing of the rows that it was judged on.
    """
    asked, context = asked or Asked(), context or Context()
    predictor = open_model(against, trust=asked.trust)
    known, whole = reference(predictor)
    words = InWords.of(predictor, trust=asked.trust)
    watched = Watched(predictor, known.texts, words)
    taken = take(named, watched, columns=asked.columns, window=asked.window, context=context)
    notes = [*taken.notes, *drawn_note(taken)]
    if not whole:
        notes.append(
            "this model's bundle is of before models were watched: only labels, categories and missing values are "
            "compared; train it again"
        )
    with context.stage("Comparing with the reference", None):
        signals, told, estimated = _signals(watched, known, taken, asked, notes)
    found = decided(signals, level=asked.level, at_least=asked.at_least)
    return Watch(
        seedbed=__version__,
        model=predictor.name,
        digest=predictor.digest,
        when=context.clock(),
        window=Side(named=named, rows=taken.rows, looked_at=len(taken.ids), since=taken.since, until=taken.until),
        reference=Side(named=str(against), rows=known.rows, looked_at=known.rows, groups=known.groups),
        level=asked.level,
        at_least=asked.at_least,
        signals=found,
        performance=told.performance,
        labelled=told.rows,
        estimated=tuple(_doubted(one, found) for one in estimated),
        notes=tuple(notes),
    )


def _doubted(one: Estimated, found: Sequence[Signal]) -> Estimated:
    what = tuple(signal.what for signal in found if signal.alarm and signal.monitor in _COMES_IN)
    return one.model_copy(update={"doubted": what})


def _signals(
    watched: Watched, known: Looked, taken: Taken, asked: Asked, notes: list[str]
) -> tuple[list[Signal], Told, tuple[Estimated, ...]]:
    """All that can be asked of the window; what cannot is noted."""
    predictor = watched.predictor
    if taken.lacking:
        absent = [
            Signal(
                monitor="schema", what=name, measure="the column is not there", effect=1.0, alarm=True,
                told="the model reads it, so that it could not be asked about these rows",
            )
            for name in taken.lacking
        ]  # fmt: skip
        return absent, Told(0), ()
    gone = int(taken.left_out.sum()), len(taken.left_out)
    if gone[0]:
        notes.append(f"{things(gone[0], 'row')} like those that training left out are counted, and compared no further")
    taken = taken.like_training()
    if not len(taken.ids):
        only = Looked(0, {}, {}, left_out=gone)
        return list(drift_signals(known, only)), Told(0), ()
    if len(taken.ids) < FEWEST:
        notes.append(f"of {things(len(taken.ids), 'row')} little can be told: give a longer window")
    told = _truth(watched, taken, asked)
    notes += told.notes
    labels = predictor.form.labels
    now = seen_of(
        known,
        taken.reads,
        taken.answers,
        labels=labels,
        sketches=taken.sketches,
        truth=told.truth,
        sure=told.sure,
        left_out=gone,
    )
    signals = [*drift_signals(known, now), *told.signals]
    estimated: tuple[Estimated, ...] = ()
    if known.sure is not None and now.sure is not None and len(now.sure) >= FEWEST:
        signals.append(calibration(known.sure, now.sure))
    sure = sureness(taken.answers)
    if known.sure is not None and sure is not None and told.rows < len(taken.ids) >= FEWEST:
        metric = _RIGHT.get(predictor.bundle.task.says, "accuracy")
        signal, one = estimate(known.sure, sure.drop_nulls().to_numpy(), metric)
        signals.append(signal)
        estimated = (one,)
    signals += _texts(predictor, known, now, taken, asked, len(signals), notes)
    return signals, told, estimated


def _truth(watched: Watched, taken: Taken, asked: Asked) -> Told:
    predictor, truth = watched.predictor, taken.own
    task = predictor.bundle.task
    if asked.labels is not None:
        truth = watched.words.of_file(asked.labels, taken.ids)
    elif task.says == "itself" and task.shown in taken.reads.columns:  # the text itself is what is right
        texts = taken.reads[task.shown]
        truth = Truth(texts, texts.is_not_null())
    if truth is None:
        return Told(0)
    found = judged(truth, taken, predictor.form, predictor.bundle)
    if found.rows and not promise_of(predictor.bundle)[0]:
        return replace(found, notes=(*found.notes, "the bundle has no scores to compare with"))
    return found


def _texts(
    predictor: Predictor, known: Looked, now: Looked, taken: Taken, asked: Asked, others: int, notes: list[str]
) -> list[Signal]:
    """Whether texts can be told apart, by words and, where an encoder was named, by meaning."""
    if not known.texts:
        return []
    tests = others + bool(asked.encoder)
    found = [word_signal(known, now, tests=tests, level=asked.level, seed=13)]
    if found[0] is None:
        notes.append("words are not compared: there are too few texts, or the log has no sketches of them")
    if asked.encoder:
        before = _held_out_texts(predictor, known)
        if before is None:
            notes.append("meanings are not compared: that needs the run's folder around the model, with its dataset")
        elif taken.texts is None:
            notes.append("meanings are not compared: the log holds no texts (--log-texts keeps them)")
        else:
            encoder = open_encoder(asked.encoder)
            both = before, taken.texts.gather(_some(len(taken.texts)))
            sides = [encoder.encode(one.fill_null("").to_list(), max_tokens=_TOKENS) for one in both]
            found.append(text_signal("texts: meaning", *sides, tests=tests, level=asked.level, seed=13))
    return [one for one in found if one is not None]


def _held_out_texts(predictor: Predictor, known: Looked) -> pl.Series | None:
    """Texts of held-out rows of the run that made the model, where its folder is around it."""
    dataset, task = Dataset(predictor.folder.resolve().parent.parent / "dataset"), predictor.bundle.task
    for split in ("validation", "test"):
        if not dataset.files(split):
            continue
        asked = task.as_asked(dataset.scan(split).collect())
        if any(name not in asked.columns for name in known.texts):
            return None
        return joined(asked[_some(asked.height)], known.texts)
    return None


def _some(rows: int) -> NDArray[np.int64]:
    """Places of the rows whose texts are embedded."""
    return np.sort(np.random.default_rng(13).permutation(rows)[:MOST_SKETCHES])
