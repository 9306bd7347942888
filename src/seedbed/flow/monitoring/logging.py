"""The log that a served model writes."""

from __future__ import annotations

from pathlib import Path

from seedbed.core.errors import ModelError
from seedbed.monitor.log import PredictionLog
from seedbed.monitor.reference import Looked, read_reference
from seedbed.serve.predictor import Predictor
from seedbed.train.bundle import REFERENCE


def prediction_log(predictor: Predictor, folder: Path, *, texts: bool = False) -> PredictionLog:
    """A log of what a model answers, for `seedbed monitor`; each process makes its own, in the same folder.

    Columns that the model's reference knows as categories are kept without `texts`; all other text is not.

    Args:
        predictor: The model.
        folder: Where to; made if need be.
        texts: Whether what people write is kept.

    Raises:
        OSError: The folder cannot be made.
    """
    try:
        known = reference(predictor)[0].reads
    except ModelError:  # an answer needs no reference
        known = {}
    categories = [name for name, column in known.items() if column.kind == "category"]
    said = ["predicted"] if predictor.bundle.task.says in ("label", "labels") else []
    return PredictionLog(folder, texts=texts, categories=(*categories, *said))


def reference(predictor: Predictor) -> tuple[Looked, bool]:
    """What a model's held-out rows were like; whether all is known that can be watched.

    Raises:
        ModelError: The bundle holds none, or it is damaged.
    """
    path = predictor.folder / REFERENCE
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise ModelError(
            "this model says nothing of the rows that it was judged on, so there is nothing to compare with",
            at=str(path),
            hint="train it again; models have it that were judged on validation or test rows",
        ) from None
    return read_reference(text, at=str(path))
