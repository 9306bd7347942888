"""A text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .form import Form, Wrong, listed


class Texts(Form):
    """Truth: texts. Answers: `text`."""

    quotes: ClassVar[bool] = True

    def truth(self, rows: pl.DataFrame) -> pl.Series:
        """The texts; of turns, what is said last."""
        found = rows[self.answer]
        if self.task.says == "turns":
            return found.list.last().struct.field("content").fill_null("")
        return found.cast(pl.String)

    def checked(self, answers: Any, rows: int, known: Sequence[str]) -> pl.DataFrame:
        """Texts, one a row.

        Raises:
            ModelError: They are not that.
        """
        return listed(answers, rows, {"text": pl.String}).with_columns(pl.col("text").fill_null(""))

    def right(self, truth: pl.Series, answers: pl.DataFrame) -> NDArray[np.bool_]:
        """Whether both are the same but for white space around them."""
        return (truth.str.strip_chars() == answers["text"].str.strip_chars()).fill_null(False).to_numpy()

    def wrong(self, truth: pl.Series, answers: pl.DataFrame, most: int) -> list[Wrong]:
        """The answers that share the fewest words with what is right."""
        words = zip(truth.to_list(), answers["text"].to_list(), strict=True)
        shared = np.array([_shared(*two) for two in words])
        off = np.flatnonzero(~self.right(truth, answers))
        worst = off[np.argsort(shared[off], kind="stable")][:most].tolist()
        return [Wrong(i, str(truth[i]), str(answers["text"][i]), None) for i in worst]

    def written(self, truth: pl.Series | None, answers: pl.DataFrame) -> pl.DataFrame:
        """`truth` and `predicted`."""
        told = answers.select(predicted="text")
        return told if truth is None else told.select(truth.alias("truth"), pl.all())

    def reread(self, written: pl.DataFrame) -> tuple[pl.Series, pl.DataFrame]:
        """The texts."""
        return written["truth"], written.select(pl.col("predicted").alias("text"))


def _shared(a: str, b: str) -> float:
    mine, theirs = set(a.lower().split()), set(b.lower().split())
    return len(mine & theirs) / max(1, len(mine | theirs))
