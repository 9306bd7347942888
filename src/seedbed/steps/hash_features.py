"""hash_features: turn words or categories into a vector of fixed width."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, ClassVar, Literal, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field, model_validator

from seedbed.core.part import Column, Columns, Example, NewColumn
from seedbed.core.step import Map
from seedbed.core.values import text_of

from .learned.vectors import MOST_COLUMNS, Form, dense, vectors


class HashFeatures(Map):
    """Writes a vector of fixed width for the words or categories of a row, each at the place that its hash says.

    The hash also says whether a word counts +1 or -1, so that those which share a place rather cancel than add up
    (Weinberger and others, ICML 2009). The hash is MurmurHash3, as scikit-learn takes it.

    ## Why
    Nothing is learned: there is no vocabulary that grows with the data, and a word that was never seen has its place
    like any other. For columns of very many categories (shops, users, addresses) it is often all that is feasible.

    ## Limits
    Words that share a place cannot be told apart, and nobody can say afterwards which word a place stands for. Half as
    many places as there are words is mostly enough. Missing values are all zeros. Words are runs of two or more
    letters, digits or underscores, in lower case; `whole` takes values as they are, with their case.
    No learner here reads the vector yet: all read the task's text alone. It is there for other tools.
    """

    use: Literal["hash_features"] = "hash_features"
    column: Column | Columns = Field(description="Column to turn into a vector, or several into one.")
    into: NewColumn | None = Field(None, description="Column to write; COLUMN_hashed when left out.")
    values: Literal["words", "whole"] = Field("words", description="Whether a value is words, or one category.")
    width: int = Field(256, ge=2, le=65_536, description="Places of the vector.")
    signed: bool = Field(True, description="Whether the hash also says the sign.")
    form: Form = Field("vector", description="One column of vectors, or a column for each place (INTO=PLACE).")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Words in four places",
            options={"column": "note", "width": 4},
            before={"note": ["red wine", "wine", "Red red", None]},
            after={
                "note_hashed": [
                    [0.0, -1.0, 0.0, -1.0],
                    [0.0, -1.0, 0.0, 0.0],
                    [0.0, 0.0, 0.0, -2.0],
                    [0.0, 0.0, 0.0, 0.0],
                ]
            },
        ),
        Example(
            title="Two columns of categories, a column for each place",
            options={"column": ["shop", "city"], "values": "whole", "into": "h", "width": 2, "form": "columns"},
            before={"shop": ["a", "b"], "city": ["Ulm", None]},
            after={"h=0": [-1.0, -1.0], "h=1": [1.0, 0.0]},
        ),
    )

    @model_validator(mode="after")
    def _options_fit(self) -> Self:
        if self.form == "columns" and self.width > MOST_COLUMNS:
            raise ValueError(f"`form: columns` writes {MOST_COLUMNS:,} columns at most: lower `width`")
        if len(self._names) > 1 and self.into is None:
            raise ValueError("name the column to write for several columns: `into`")
        if len(set(self._names)) < len(self._names):
            raise ValueError("a column is named twice")
        return self

    def brings(self) -> Sequence[str]:
        """The vectors."""
        return [self._into] if self.form == "vector" else self._features

    def columns(self) -> Sequence[pl.Expr]:
        """The vectors."""
        made = partial(_hashed, self.width, self.signed, self.values == "words")
        values = pl.struct(text_of(name) for name in self._names)
        return [vectors(values, made, self._into, self._features, self.form)]

    @property
    def _names(self) -> list[str]:
        return [self.column] if isinstance(self.column, str) else list(self.column)

    @property
    def _into(self) -> str:
        return self.into or f"{self._names[0]}_hashed"

    @property
    def _features(self) -> list[str]:
        return [f"{self._into}={place}" for place in range(self.width)]


def _hashed(width: int, signed: bool, words: bool, rows: pl.Series) -> NDArray[np.float32]:
    from sklearn.feature_extraction import FeatureHasher
    from sklearn.feature_extraction.text import CountVectorizer

    table = rows.struct.unnest()
    analyse = CountVectorizer().build_analyzer() if words else lambda text: [text]
    hasher = FeatureHasher(width, input_type="string", alternate_sign=signed, dtype=np.float32)
    several = table.width > 1
    return dense(hasher.transform(list(_terms(row, several, analyse)) for row in table.iter_rows(named=True)))


def _terms(row: dict[str, str | None], several: bool, analyse: Callable[[str], Any]) -> Iterator[str]:
    """What is hashed of a row; with the column's name where there are several, so that equal values stay apart."""
    for name, text in row.items():
        for term in analyse(text) if text is not None else ():
            yield f"{name}={term}" if several else term
