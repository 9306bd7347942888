"""What a bundle keeps beside its model: promises about answers, and where to decide."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

import polars as pl
from pydantic import BaseModel, ValidationError

from seedbed.core.errors import ModelError
from seedbed.core.metric import Answers
from seedbed.core.scrutiny import CONFORMAL, THRESHOLDS, Conformal
from seedbed.core.version import __version__
from seedbed.evaluate.conformal import promised
from seedbed.evaluate.forms import Form
from seedbed.train.thresholds import Thresholds

_Known = TypeVar("_Known", bound=BaseModel)


@dataclass(frozen=True)
class Kept:
    """What the recipe asked for (`evaluate.conformal`, `evaluate.thresholds`), as the bundle holds it."""

    conformal: Conformal | None = None
    thresholds: Thresholds | None = None

    @classmethod
    def of(cls, folder: Path, written_by: str = "") -> Self:
        """Read it from a bundle.

        Args:
            folder: The bundle.
            written_by: The version of Seedbed that wrote it.

        Raises:
            ModelError: A file cannot be read, or holds what this version does not know.
        """
        conformal, thresholds = folder / CONFORMAL, folder / THRESHOLDS
        return cls(
            _read(conformal, Conformal, written_by) if conformal.is_file() else None,
            _read(thresholds, Thresholds, written_by) if thresholds.is_file() else None,
        )

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


def _read(path: Path, kind: type[_Known], written_by: str) -> _Known:
    try:
        return kind.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ModelError(
            f"cannot be read ({error.strerror})", at=str(path), hint="copy the whole bundle again"
        ) from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
    # A bundle's files are held against their digests before: what does not fit was written so.
    about = f" ({'.'.join(map(str, first['loc']))}: {first['msg']})" if first["loc"] else f" ({first['msg']})"
    raise ModelError(
        f"this is none that Seedbed {__version__} knows{about}"[:300],
        at=str(path),
        hint=f"Seedbed {written_by} wrote the bundle: pip install 'seedbed>={written_by}'"
        if written_by not in ("", __version__)
        else "make the bundle anew: run the recipe once more",
    )
