"""tfidf: turn texts into weights of their terms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field, model_validator

from seedbed.core.errors import DataError
from seedbed.core.numbers import things
from seedbed.core.part import Example, NewColumn, TextColumn
from seedbed.core.step import Fitted
from seedbed.core.values import text_of

from .learned.vectors import MOST_COLUMNS, Form, dense, vectors

_BATCH = 20_000


class Tfidf(Fitted):
    """Writes a vector for each text: how much it is about each of the terms that training texts share.

    A term weighs (times it occurs) x (1 + ln((1 + texts) / (1 + texts with it))), and the vector has length 1 (Salton
    and Buckley, Information Processing & Management 1988, in scikit-learn's form). Terms are in the order of the
    alphabet; the state that is kept with the run lists them.

    ## Why
    A table with a column of texts needs numbers for a model of tables, such as boosted trees. The vocabulary and the
    weights are learned: taken from all rows, they would tell training which words the test texts use.

    ## Limits
    No learner here reads the column yet: all read the task's text themselves. It is there for other tools. A vector
    holds every term, zeros too: 1,000 terms are 4 KB a row in memory (little of it on disk), so `at_most` is modest.
    `columns` writes a column each, 2,000 at most. A missing text, and one without a known term, is all zeros. Words are
    runs of two or more letters, digits or underscores: scripts without spaces need `unit: characters`.
    """

    by_name: ClassVar[bool] = True

    use: Literal["tfidf"] = "tfidf"
    column: TextColumn = Field(None, description="Column with the texts; the task's text when left out.")
    into: NewColumn | None = Field(None, description="Column to write; COLUMN_tfidf when left out.")
    unit: Literal["words", "characters"] = Field(
        "words", description="What terms are made of; characters do not go beyond a word."
    )
    longest: Annotated[int, Field(ge=1, le=8)] = Field(1, description="Most words or characters of a term.")
    shortest: Annotated[int, Field(ge=1, le=8)] = Field(1, description="Fewest words or characters of a term.")
    at_least: int = Field(2, ge=1, description="Training texts that a term needs.")
    at_most: int = Field(1000, ge=1, le=100_000, description="Most terms: those of the most texts.")
    dampened: bool = Field(False, description="Whether a term that occurs n times counts 1 + ln(n), not n.")
    form: Form = Field("vector", description="One column of vectors, or a column for each term (INTO=TERM).")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="The terms bad, film and good",
            options={},
            before={"text": ["good film", "bad film", "good good", None, "unheard of bad"]},
            after={
                "text_tfidf": [
                    [0.0, 0.7071067690849304, 0.7071067690849304],
                    [0.7071067690849304, 0.7071067690849304, 0.0],
                    [0.0, 0.0, 1.0],
                    [0.0, 0.0, 0.0],
                    [1.0, 0.0, 0.0],
                ]
            },
        ),
        Example(
            title="A column each",
            options={"column": "note", "into": "term", "form": "columns", "at_most": 2},
            before={"note": ["red", "blue", "red", "blue", ""]},
            after={"term=blue": [0.0, 1.0, 0.0, 1.0, 0.0], "term=red": [1.0, 0.0, 1.0, 0.0, 0.0]},
        ),
    )

    @model_validator(mode="after")
    def _options_fit(self) -> Self:
        if self.shortest > self.longest:
            raise ValueError("`shortest` is more than `longest`")
        if self.form == "columns" and self.at_most > MOST_COLUMNS:
            raise ValueError(f"`form: columns` writes {MOST_COLUMNS:,} columns at most: lower `at_most`")
        return self

    def brings(self) -> Sequence[str]:
        """The column of vectors."""
        return [self._into] if self.form == "vector" else ()

    def fit(self, train: pl.LazyFrame, seed: int) -> dict[str, Any]:
        """The terms and their weights.

        Raises:
            DataError: No term stands in enough texts, or a column to write is there already.
        """
        analyse = self._vectoriser([]).build_analyzer()
        texts, found = 0, Counter[str]()
        for batch in train.select(text_of(str(self.column))).collect_batches(chunk_size=_BATCH):
            known = batch.to_series().drop_nulls()
            texts += batch.height
            for text in known:
                found.update(set(analyse(text)))
        often = [(-rows, term) for term, rows in found.items() if rows >= self.at_least]
        terms = sorted(term for _, term in sorted(often)[: self.at_most])
        if not terms:
            raise DataError(
                f"no term stands in {self.at_least} training texts of {self.column!r}",
                at=self.use,
                hint="lower `at_least`, or leave the step out",
            )
        weights = [float(np.log((1 + texts) / (1 + found[term])) + 1) for term in terms]
        columns = set(train.collect_schema().names())
        if self.form == "columns" and (there := [name for name in self._features(terms) if name in columns]):
            raise DataError(f"tfidf writes the column {there[0][:60]!r}, which is there already", at=self.use)
        return {"terms": terms, "weights": weights}

    def columns(self, state: dict[str, Any]) -> Sequence[pl.Expr]:
        """The vectors."""
        made = partial(_weighed, self._vectoriser, state["terms"], state["weights"])
        return [vectors(text_of(str(self.column)), made, self._into, self._features(state["terms"]), self.form)]

    def told(self, state: dict[str, Any]) -> Sequence[str]:
        """How many terms there are."""
        return [f"{things(len(state['terms']), 'term')} of {self.column}"]

    @property
    def _into(self) -> str:
        return self.into or f"{self.column}_tfidf"

    def _features(self, terms: Sequence[str]) -> list[str]:
        return [f"{self._into}={term}" for term in terms]

    def _vectoriser(self, terms: Sequence[str]) -> Any:
        from sklearn.feature_extraction.text import TfidfVectorizer

        return TfidfVectorizer(
            vocabulary=terms or None,
            analyzer="word" if self.unit == "words" else "char_wb",
            ngram_range=(self.shortest, self.longest),
            sublinear_tf=self.dampened,
            dtype=np.float32,
        )


def _weighed(
    vectoriser: Callable[[Sequence[str]], Any], terms: Sequence[str], weights: Sequence[float], texts: pl.Series
) -> NDArray[np.float32]:
    ready = vectoriser(terms)
    ready.idf_ = np.array(weights, dtype=np.float32)
    return dense(ready.transform(texts.fill_null("")))
