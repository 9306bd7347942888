"""Models inside a model's folder, each read by the learner that made it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from seedbed.core.errors import ModelError, did_you_mean
from seedbed.core.learner import Learner, Model


def load_inner(use: str, folder: Path) -> Model[Any]:
    """The model that a learner of some name saved there.

    Raises:
        ModelError: The learner is not known.
    """
    part = Learner.named(use)
    if part is None or not issubclass(part, Learner):
        raise ModelError(
            f"the learner {use!r} inside the model is not known",
            at=str(folder),
            hint=did_you_mean(use, Learner.catalogue) + "; a plugin's learner needs its package installed",
        )
    return part.model.load(folder)
