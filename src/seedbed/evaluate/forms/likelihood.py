"""How likely a text is to a language model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from seedbed.core.metric import Metric

from .form import Form, Wrong, listed


class Likelihood(Form):
    """Truth: texts. Answers: `nats` (minus the log-likelihood of a text) and the `tokens` that it is of."""

    def truth(self, rows: pl.DataFrame) -> pl.Series:
        """The texts."""
        return rows[self.answer].cast(pl.String)

    def checked(self, answers: Any, rows: int, known: Sequence[str]) -> pl.DataFrame:
        """Nats and tokens, one of each a row.

        Raises:
            ModelError: They are not that.
        """
        return listed(answers, rows, {"nats": pl.Float64, "tokens": pl.Int64})

    def beside_in_slices(self, metrics: Sequence[Metric]) -> Sequence[Metric]:
        """All others: per byte, word and token are the same likelihood, and people know different ones of them."""
        return metrics[1:]

    def wrong(self, truth: pl.Series, answers: pl.DataFrame, most: int) -> list[Wrong]:
        """The texts that surprise it most, by character."""
        each = (answers["nats"] / truth.str.len_chars().clip(1)).to_numpy()
        worst = np.argsort(-each, kind="stable")[:most].tolist()
        return [Wrong(i, "", f"{each[i]:.2f} nats a character", None) for i in worst]

    def written(self, truth: pl.Series | None, answers: pl.DataFrame) -> pl.DataFrame:
        """`nats` and `tokens`."""
        return answers

    def apart(self, said: Any, again: Any) -> float:
        """The difference of the likelihood, as a share."""
        return float(abs(said["nats"] - again["nats"]) / max(abs(said["nats"]), 1e-9))
