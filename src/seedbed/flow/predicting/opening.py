"""A model, opened wherever it stands. What serves a model imports this, and none of the sources that files need."""

from __future__ import annotations

from pathlib import Path

from seedbed.core.errors import ModelError, did_you_mean
from seedbed.core.learner import Serving
from seedbed.flow.finished import open_run
from seedbed.flow.naming import find_run
from seedbed.serve.predictor import Predictor
from seedbed.train.bundle import BUNDLE

MODELS = "models"


def open_model(folder: str | Path, *, trust: bool = False, serving: Serving | None = None) -> Predictor:
    """Open a model, with the run that made it where that stands around it.

    Args:
        folder: A model's folder, or a run's, however it is named: then the model that is best on validation rows.
        trust: Whether steps may run functions of whoever made the model.
        serving: Where it is to answer a few rows at a time, for long (see `Predictor.open`).

    Raises:
        ModelError: There is no model, or it is damaged, or it needs trust.
        DataError: The run's record cannot be read.
        MissingExtraError: Packages that it needs are not installed.
    """
    place = find_run(folder)
    if (place / BUNDLE).is_file():
        around = place.resolve().parents[1:2] if place.resolve().parent.name == MODELS else ()
        run = next((open_run(parent).run for parent in around if (parent / "run.json").is_file()), None)
        return Predictor.open(place, run=run, trust=trust, serving=serving)
    if not (place / "run.json").is_file():
        raise _no_model(place)
    run = open_run(place).run
    if run.best is None:
        why = f"it was stopped by {run.stopped_by[0]}" if run.stopped_by else "it trained none"
        raise ModelError(f"this run has no model: {why}", at=str(place), hint=f"see {place / 'report.html'}")
    return Predictor.open(place / MODELS / run.best, run=run, trust=trust, serving=serving)


def _no_model(place: Path) -> ModelError:
    hint = "give the folder that `seedbed run` names at its end, or models/NAME inside it"
    if not place.exists():
        parent = next(parent for parent in place.absolute().parents if parent.is_dir())
        near = did_you_mean(place.name, [one.name for one in parent.iterdir() if one.is_dir()], show=6)
        return ModelError("there is no such folder", at=str(place), hint=f"in {parent}: {near}" if near else hint)
    if not place.is_dir():
        return ModelError("this is a file, and a model is a folder", at=str(place), hint=hint)
    below = sorted(one.parent.name for one in place.glob(f"*/{BUNDLE}"))
    if below:
        return ModelError("this folder holds several models", at=str(place), hint=f"name one: {place / below[0]}")
    return ModelError("this folder holds neither a model nor a run", at=str(place), hint=hint)
