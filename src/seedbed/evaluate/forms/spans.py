"""Places in a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .form import Form, Wrong, listed
from .words import in_words


class Spans(Form):
    """Truth: lists of `{text, start}`, empty where the text does not answer. Answers: `text`, `start`, `confidence`."""

    quotes: ClassVar[bool] = True

    def truth(self, rows: pl.DataFrame) -> pl.Series:
        """The answers."""
        return rows[self.answer]

    def checked(self, answers: Any, rows: int, known: Sequence[str]) -> pl.DataFrame:
        """Answers, one a row; without a text there is none.

        Raises:
            ModelError: They are not that.
        """
        return listed(answers, rows, {"text": pl.String, "start": pl.Int64, "confidence": pl.Float64})

    def right(self, truth: pl.Series, answers: pl.DataFrame) -> NDArray[np.bool_]:
        """Whether the answer is one of the right ones, to the letter, or there is none."""
        found = zip(truth.to_list(), answers["text"].to_list(), strict=True)
        return np.array([told in {one["text"] for one in known} if known else not told for known, told in found], bool)

    def strata(self, truth: pl.Series) -> NDArray[np.int64]:
        """Whether there is an answer."""
        return (truth.list.len() > 0).cast(pl.Int64).to_numpy()

    def wrong(self, truth: pl.Series, answers: pl.DataFrame, most: int) -> list[Wrong]:
        """The wrong answers that the model was surest of."""
        sure = answers["confidence"].fill_null(0.0).to_numpy()
        off = np.flatnonzero(~self.right(truth, answers))
        worst = off[np.argsort(-sure[off], kind="stable")][:most].tolist()
        known, told = truth.to_list(), answers["text"].to_list()
        return [Wrong(i, in_words("spans", known[i]), in_words("spans", told[i]), float(sure[i])) for i in worst]

    def written(self, truth: pl.Series | None, answers: pl.DataFrame) -> pl.DataFrame:
        """`truth`, `predicted`, its `start` in characters, and `confidence`."""
        told = answers.rename({"text": "predicted"})
        return told if truth is None else told.select(truth.alias("truth"), pl.all())

    def reread(self, written: pl.DataFrame) -> tuple[pl.Series, pl.DataFrame]:
        """The answers."""
        return written["truth"], written.select(pl.col("predicted").alias("text"), "start", "confidence")

    def apart(self, said: Any, again: Any) -> float:
        """Whether it is another place, or how much surer the model is."""
        if (said["predicted"], said["start"]) != (again["predicted"], again["start"]):
            return 1.0
        return float(abs((said["confidence"] or 0.0) - (again["confidence"] or 0.0)))
