"""Whether what a model became still answers as the model does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray

from seedbed.core.errors import ModelError
from seedbed.core.model_exporter import Shipped
from seedbed.core.numbers import score
from seedbed.core.record import Record

PARITY = "parity.json"
#: A number agrees where it is within this share of how far the model's own answers spread (their standard deviation).
WITHIN = 0.01
#: Of labels with a probability each, those from here on are given.
_GIVEN = 0.5

Answers = NDArray[np.float64]
#: Rows as the model reads them to answers, shape (rows, outputs).
Answering = Callable[[pl.DataFrame], Answers]


class Agreement(Record):
    """How a form of a model answers, beside the model."""

    agree: float
    """Share of the rows with the same answer: the same label, the same set of labels, or a number within 1 % of how
    far the model's answers spread."""
    low: float
    high: float
    """Ends of the 95 % interval of that share (Clopper & Pearson, 1934)."""
    rows: int
    differ: int
    largest_difference: float
    """Of a probability, or of a number."""
    mean_difference: float
    least: float
    """The share below which nothing would have been exported."""
    bytes: int

    def said(self) -> str:
        """The share with its interval, and what was asked for."""
        ends = f"{self.low:.2%} to {self.high:.2%}"
        return f"{self.agree:.2%}, 95 % interval {ends}, at least {self.least:.1%} asked for"


def agreement(shipped: Shipped, rows: pl.DataFrame, answering: Answering, *, least: float, size: int) -> Agreement:
    """Hold a form of a model against the model.

    Args:
        shipped: The model.
        rows: As it reads them.
        answering: The form.
        least: The least share of rows that must agree.
        size: Bytes of the form.
    """
    own = np.asarray(shipped.model.predict(rows), dtype=np.float64)
    other = np.asarray(answering(rows), dtype=np.float64)
    same = _same(own, other, shipped)
    from scipy.stats import binomtest

    interval = binomtest(int(same.sum()), len(same)).proportion_ci(0.95, method="exact")
    apart = np.abs(own - other)
    return Agreement(
        agree=float(same.mean()),
        low=float(interval.low),
        high=float(interval.high),
        rows=len(same),
        differ=int((~same).sum()),
        largest_difference=float(apart.max()),
        mean_difference=float(apart.mean()),
        least=least,
        bytes=size,
    )


def _same(own: Answers, other: Answers, shipped: Shipped) -> NDArray[np.bool_]:
    if shipped.says == "number":
        spread = float(own.std()) or float(np.abs(own).max()) or 1.0
        return np.asarray((np.abs(own - other) <= WITHIN * spread).all(axis=1))
    least = np.array([shipped.thresholds.get(label, _GIVEN) for label in shipped.labels])
    given = ((own >= least) == (other >= least)).all(axis=1)
    if shipped.says == "labels":
        return np.asarray(given)
    most = own.argmax(axis=1) == other.argmax(axis=1)
    return np.asarray(most & given if shipped.thresholds else most)


def refuse(form: str, found: Agreement, at: str) -> None:
    """Refuse a form that answers otherwise.

    Raises:
        ModelError: It agrees on fewer rows than it must.
    """
    if not found.agree >= found.least:  # what is no number agrees with nothing
        raise ModelError(
            f"{form} answers otherwise than the model on {found.differ:,} of {found.rows:,} rows (agreement "
            f"{score(found.agree)}, at least {score(found.least)} is asked for), so nothing was exported",
            at=at,
            hint="a lower `agreement` lets it pass; or export a form that rounds less",
        )


def write_parity(folder: Path, shipped: Shipped, forms: Mapping[str, Agreement], how: Mapping[str, Any]) -> None:
    """Write `parity.json`.

    Args:
        folder: Where to.
        shipped: The model.
        forms: By the file's name.
        how: What else there is to say.
    """
    rows = next(iter(forms.values())).rows
    told = {
        "model": shipped.name,
        "rows": rows,
        "of": shipped.of,
        "rows_are": shipped.rows_are,
        "same": {
            "label": "the same most probable label"
            + (", and the same at the thresholds" if shipped.thresholds else ""),
            "labels": "the same labels with a probability of at least "
            + ("their thresholds" if shipped.thresholds else "0.5"),
            "number": f"a number within {WITHIN:.0%} of the standard deviation of the model's answers",
        }[shipped.says],
        **how,
        "forms": {name: one.model_dump() for name, one in forms.items()},
    }
    (folder / PARITY).write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def in_words(shipped: Shipped, forms: Mapping[str, Agreement]) -> tuple[str, ...]:
    """How forms agree, a sentence each."""
    return tuple(
        f"{name}: the same answer as the model on {one.rows - one.differ:,} of {one.rows:,} {shipped.rows_are} rows "
        f"({one.said()}), largest difference {one.largest_difference:.2g}"
        for name, one in forms.items()
    )


def texts(rows: pl.DataFrame, reads: Sequence[str]) -> list[str]:
    """The texts of rows, for a form that reads one column."""
    return rows[reads[0]].cast(pl.String).fill_null("").to_list()
