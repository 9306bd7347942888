"""Opens a model for the exporters of models, and hands runs and models to exporters of either kind."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from seedbed.core.context import Context
from seedbed.core.errors import DataError, ModelError, did_you_mean
from seedbed.core.exporter import Exporter
from seedbed.core.learner import Learner
from seedbed.core.model_exporter import ModelExporter, Shipped
from seedbed.core.part import Part
from seedbed.core.rows import ROW
from seedbed.core.step import Step
from seedbed.flow.finished import open_run
from seedbed.flow.predicting.opening import MODELS, open_model
from seedbed.publish.files.splits import splits_of
from seedbed.serve.about import facts
from seedbed.serve.predictor import Predictor
from seedbed.serve.standing import owed

#: Rows are chosen by a hash of their ids, so that the same ones come each time.
_SEED = 13


def hand_over(exporter: Exporter, run: Path, context: Context) -> tuple[str, ...]:
    """Have a run exported, or, where the exporter brings models, one of its models.

    Returns:
        What a person should know of a model that was exported.

    Raises:
        SeedbedError: The exporter failed, or the run has no such model.
    """
    if not isinstance(exporter, ModelExporter):
        exporter.export(run, context)
        return ()
    return exporter.ship(shipped(open_model_of(run, exporter.model)), context)


def open_model_of(place: Path, name: str | None, *, trust: bool = False) -> Predictor:
    """A model of a run, by its name, or the one that is best on validation rows.

    Args:
        place: The run's folder, or, where no name is given, a model's.
        name: The model.
        trust: Whether functions of whoever made the model may run.

    Raises:
        ModelError: There is none of that name, or it cannot be opened.
        DataError: The place is none of a run.
    """
    if name is None:
        return open_model(place, trust=trust)
    folder = open_run(place).folder / MODELS
    known = sorted(one.name for one in folder.iterdir() if one.is_dir()) if folder.is_dir() else []
    if name not in known:
        raise ModelError(f"this run has no model {name[:60]!r}", at=str(place), hint=did_you_mean(name, known))
    return open_model(folder / name, trust=trust)


def shipped(predictor: Predictor) -> Shipped:
    """A model as exporters take it.

    Raises:
        DataError: The run's dataset cannot be read.
    """
    bundle, before = predictor.bundle, predictor.preparation
    around = predictor.folder.resolve().parents[1] if predictor.run else None
    golden = predictor.bundle.preprocess.golden
    given = predictor.table([one.input for one in golden]) if golden else None
    golden_rows = before(given).rows if given is not None else pl.DataFrame()
    rows_are, of = "golden", golden_rows.height
    judging = predictor.run.judging_split if predictor.run else ""
    if around and predictor.run and predictor.run.dataset.splits.get(judging):
        rows_are, of = judging, predictor.run.dataset.splits[judging]

    def rows(most: int) -> pl.DataFrame:
        if rows_are == "golden" or around is None:
            return golden_rows
        return _some(predictor, around, rows_are, most)

    return Shipped(
        name=predictor.name,
        use=bundle.use,
        says=bundle.task.says,
        model=predictor.model,
        bundle=predictor.folder,
        run=around,
        labels=predictor.model.labels,
        reads=before.reads,
        inputs=predictor.inputs,
        steps=tuple(carried.name for carried, _ in before.steps if carried.writes),
        golden=[one.model_dump(mode="json") for one in golden],
        golden_rows=golden_rows,
        rows=rows,
        rows_are=rows_are,
        of=of,
        extras=_extras(predictor),
        facts=facts(predictor) | {"dataset": bundle.origin.dataset},
        thresholds=_thresholds(predictor),
        owed=owed(predictor.run),
        beside=_beside(predictor),
    )


def _beside(predictor: Predictor) -> dict[str, str]:
    models = predictor.run.models if predictor.run else ()
    return {one.name: one.use for one in models if one.name != predictor.name}


def _thresholds(predictor: Predictor) -> dict[str, float]:
    chosen = predictor.kept.thresholds
    return {one.label: one.at for one in chosen.labels} if chosen else {}


def _extras(predictor: Predictor) -> tuple[str, ...]:
    parts: list[type[Part] | None] = [Learner.catalogue.get(predictor.bundle.use)]
    parts += [Step.catalogue.get(carried.part["use"]) for carried, _ in predictor.preparation.steps]
    return tuple(sorted({extra for part in parts if part for extra in part.extra.split(",") if extra}))


def _some(predictor: Predictor, run: Path, split: str, most: int) -> pl.DataFrame:
    """So many rows of a split, as the model reads them, in the order of a hash of their ids."""
    task, reads = predictor.bundle.task, predictor.preparation.reads
    held = splits_of(run).get(split)
    if held is None:
        raise DataError(f"the run has no {split!r} rows", at=str(run))
    chosen: pl.DataFrame | None = None
    for batch in held.batches():
        asked = task.as_asked(batch).select(reads).with_columns(batch[ROW].hash(_SEED).alias(ROW))
        chosen = asked if chosen is None else pl.concat([chosen, asked])
        chosen = chosen.sort(ROW).head(most)
    assert chosen is not None, "a split that is counted has rows"
    return chosen.drop(ROW)
