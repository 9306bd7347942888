"""A number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.errors import ModelError
from seedbed.core.numbers import things
from seedbed.core.run import Curves
from seedbed.evaluate.distances import distances
from seedbed.evaluate.groups import Groups

from .form import Details, Form, Wrong, refuse_shape
from .words import in_words

_Floats = NDArray[np.float64]

#: Parts of the rows, by how large what is right is, that slices are compared among.
PARTS = 10
#: Rows of a part about whose mean error there is something to say.
ENOUGH = 15


class Number(Form):
    """Truth: numbers, shape (rows,). Answers: numbers, shape (rows, 1)."""

    def truth(self, rows: pl.DataFrame) -> _Floats:
        """The numbers."""
        return rows[self.answer].cast(pl.Float64).to_numpy()

    def checked(self, answers: Any, rows: int, known: Sequence[str]) -> _Floats:
        """Numbers, one a row.

        Raises:
            ModelError: They are not one finite number a row.
        """
        if not isinstance(answers, np.ndarray) or answers.shape not in ((rows, 1), (rows,)):
            raise refuse_shape(answers, rows)
        found = np.asarray(answers, dtype=np.float64).reshape(rows, 1)
        if lost := int((~np.isfinite(found)).sum()):
            raise ModelError(f"the model gave no number for {lost} of {things(rows, 'row')}")
        return found

    def strata(self, truth: _Floats) -> NDArray[np.int64]:
        """Ten parts of the rows, from the smallest numbers to the largest."""
        return _parts(truth, PARTS)

    def details(
        self, truth: _Floats, answers: _Floats, *, level: float, resamples: int, seed: int, groups: Groups = None
    ) -> Details:
        """How far off, all in all and by the size of the number."""
        parts = _parts(truth, min(PARTS, max(2, len(truth) // ENOUGH)))
        far = distances(truth, answers[:, 0], parts, level=level, resamples=resamples, seed=seed, groups=groups)
        return Details(classes={}, confusion=[], curves=Curves(), distances=far)

    def wrong(self, truth: _Floats, answers: _Floats, most: int) -> list[Wrong]:
        """The answers that are furthest off."""
        off = np.abs(answers[:, 0] - truth)
        worst = [i for i in np.argsort(-off, kind="stable")[:most].tolist() if off[i] > 0]
        return [Wrong(i, in_words("number", truth[i]), in_words("number", answers[i, 0]), None) for i in worst]

    def written(self, truth: _Floats | None, answers: _Floats) -> pl.DataFrame:
        """`truth` and `predicted`."""
        told = {} if truth is None else {"truth": truth}
        return pl.DataFrame({**told, "predicted": answers[:, 0]})

    def reread(self, written: pl.DataFrame) -> tuple[_Floats, _Floats]:
        """The numbers."""
        return written["truth"].to_numpy(), written["predicted"].to_numpy().reshape(-1, 1)

    def said(self, answers: _Floats) -> list[Any]:
        """The numbers."""
        found: list[Any] = answers[:, 0].tolist()
        return found

    def apart(self, said: Any, again: Any) -> float:
        """The difference, as a share of the number."""
        return float(abs(said - again) / max(abs(said), 1e-9))


def _parts(truth: _Floats, parts: int) -> NDArray[np.int64]:
    """Which of some parts each row is in, from the smallest numbers on; equal numbers are in one part."""
    ranks = pl.Series(truth).rank("average").to_numpy() - 1
    return np.minimum(ranks * parts / max(len(truth), 1), parts - 1).astype(np.int64)
