"""Values that a model cannot read or was never taught, told by column: in the same words wherever it is asked.

A number is beyond the training rows where it lies outside of all of them by more than a tenth of their range. Of n rows
like those, a share of at most 2 / (n + 1) is told so, whatever the numbers are like: each of n + 1 is equally likely to
be the least or the greatest. A category is not known where fewer than three training rows have it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from seedbed.core.ledger import mask
from seedbed.core.numbers import short, typed, value
from seedbed.core.values import HAS_TEXT
from seedbed.monitor.trained import FEWEST, Trained

#: Characters of a value that are looked at, and shown.
_LOOKED, _SHOWN = 200, 40
#: What a sentence quotes: the name of the column cannot end so.
_QUOTE = r"(?s)^(.*?: )'.*'( is )"
#: What is wrong with a value.
_BEYOND, _UNKNOWN, _UNREAD = "beyond", "unknown", "unread"


def unread(name: str, given: pl.Series, read: pl.Series, word: str) -> pl.Series | None:
    """What is said of values that are missing once they are read; none where nothing is.

    Args:
        name: The column's.
        given: Values as somebody gave them.
        read: The same, as what they were to be.
        word: What that is.
    """
    lost = read.is_null() & given.is_not_null()
    if not lost.any():
        return None
    if given.dtype == pl.String:
        lost &= given.str.contains(HAS_TEXT)
    return _said(lost, given, lambda _, quoted: f"{name}: {quoted} is no {word}: taken as missing")


def strange(trained: Mapping[str, Trained], given: pl.DataFrame, read: pl.DataFrame) -> list[pl.Series]:
    """What is said of values that training rows did not have.

    Args:
        trained: What these had, by column.
        given: Rows before the steps.
        read: The same rows as the model reads them.
    """
    wrong = read.select(_wrong(name, one, read.schema[name]) for name, one in trained.items() if name in read.columns)
    told = []
    for name in (column.name for column in wrong if column.null_count() < len(column)):
        shown = given[name] if name in given.columns else read[name]
        told.append(_said(wrong[name].is_not_null(), shown, _Sentence(name, trained[name], wrong[name], read[name])))
    return told


class _Sentence:
    def __init__(self, name: str, trained: Trained, wrong: pl.Series, read: pl.Series) -> None:
        self.name, self.trained, self.wrong, self.read = name, trained, wrong, read

    def __call__(self, place: int, quoted: str) -> str:
        if self.wrong[place] == _UNREAD:
            return f"{self.name}: {quoted} is no number: taken as missing"
        if self.wrong[place] == _UNKNOWN:
            return f"{self.name}: {quoted} is not known: fewer than {FEWEST} training rows have it"
        return f"{self.name}: {quoted} is beyond the training rows{self._range(place, quoted)}"

    def _range(self, place: int, quoted: str) -> str:
        """What these have, unless a step writes other numbers than are given."""
        low, high = self.trained.low, self.trained.high
        try:
            same = float(quoted[1:-1]) == float(self.read[place])
        except ValueError:
            same = False
        if not same or low is None or high is None:
            return ""
        return f", which have {typed(value(low))} to {typed(value(high))}"


def _wrong(name: str, trained: Trained, kind: pl.DataType) -> pl.Expr:
    """What is wrong with each value of a column; null where nothing is."""
    text = pl.col(name).cast(pl.String)
    filled = text.str.contains(HAS_TEXT)
    if trained.low is None or trained.high is None:
        return pl.when(filled & ~text.is_in(trained.values)).then(pl.lit(_UNKNOWN)).alias(name)
    number = (text.str.strip_chars() if kind == pl.String else pl.col(name)).cast(pl.Float64, strict=False)
    beyond = ~number.is_between(trained.low - trained.margin, trained.high + trained.margin)
    lost = filled & number.is_null() if kind == pl.String else pl.lit(False)
    return pl.when(lost).then(pl.lit(_UNREAD)).when(beyond).then(pl.lit(_BEYOND)).alias(name)


def _said(which: pl.Series, given: pl.Series, sentence: Callable[[int, str], str]) -> pl.Series:
    """A sentence for each row of some, from its place and its value in quotes; null for others."""
    told: list[str | None] = [None] * len(which)
    for place in which.arg_true():
        said = mask(" ".join(str(given[place])[:_LOOKED].split()))
        told[place] = sentence(place, f"'{short(said, _SHOWN)}'")
    return pl.Series(told, dtype=pl.String)


def unquoted(warnings: pl.Series) -> pl.Series:
    """Warnings without the values that they quote, for logs that are to hold none."""
    plain = pl.element().str.replace(_QUOTE, "${1}…${2}")
    return warnings.to_frame("told").select(pl.col("told").list.eval(plain)).to_series()
