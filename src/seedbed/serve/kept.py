"""What a bundle keeps beside its model: promises about answers, and where to decide."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import polars as pl
from pydantic import ValidationError

from seedbed.core.errors import ModelError
from seedbed.core.metric import Answers
from seedbed.core.scrutiny import CONFORMAL, THRESHOLDS, Conformal
from seedbed.evaluate.conformal import promised
from seedbed.evaluate.forms import Form
from seedbed.train.thresholds import Thresholds


@dataclass(frozen=True)
class Kept:
    """What the recipe asked for (`evaluate.conformal`, `evaluate.thresholds`), as the bundle holds it."""

    conformal: Conformal | None = None
    thresholds: Thresholds | None = None

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Read it from a bundle.

        Raises:
            ModelError: A file is not what it should be.
        """
        paths = folder / CONFORMAL, folder / THRESHOLDS
        try:
            return cls(
                Conformal.model_validate_json(paths[0].read_bytes()) if paths[0].is_file() else None,
                Thresholds.model_validate_json(paths[1].read_bytes()) if paths[1].is_file() else None,
            )
        except (OSError, ValidationError) as error:
            raise ModelError(
                f"what the bundle keeps beside its model cannot be read ({type(error).__name__})",
                at=str(folder),
                hint="copy the whole bundle again",
            ) from None

    def beside(self, told: pl.DataFrame, form: Form, answers: Answers) -> pl.DataFrame:
        """Answers with `set` (labels, the most probable first), or `low` and `high`; and `decided`, at the thresholds.

        Args:
            told: What is answered so far, row by row.
            form: How answers are held.
            answers: The model's.
        """
        if self.conformal is not None:
            told = told.hstack(promised(form, self.conformal, answers))
        if self.thresholds is not None:
            moved = form.written(None, self.thresholds.moved(form.labels, answers))
            told = told.with_columns(moved["predicted"].alias("decided"))
        return told
