"""A text as a few numbers, for learners that ask about one number at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from seedbed.core.errors import DataError

from .saved_terms import load_terms, save_terms
from .target import texts_of
from .terms import Terms, features_of

#: Words that are counted, the most frequent, and training rows that each occurs in.
_WORDS, _LEAST = 20_000, 2
#: Words that stand by themselves where nothing is brought down.
_ALONE = 1000
_DIRECTIONS = "directions"


class TextOptions(BaseModel):
    """What learners of tables make of texts."""

    components: int | None = Field(
        None,
        ge=1,
        le=2000,
        description="Of texts: numbers that TF-IDF of words is brought down to (SVD); the 1,000 most frequent words "
        "stand by themselves when left out.",
    )


@dataclass(frozen=True)
class TextFeatures:
    """TF-IDF of words, as it is or along the directions in which training texts differ most (latent semantic analysis).

    Deerwester et al., 1990, "Indexing by Latent Semantic Analysis".
    """

    text: str
    terms: tuple[Terms, ...]
    directions: NDArray[np.float32] | None
    """Shape (terms, components); none where terms stand by themselves."""

    @classmethod
    def learn(cls, rows: pl.DataFrame, text: str, components: int | None) -> Self:
        """Find out what training rows hold.

        Raises:
            DataError: No word occurs in enough of the texts.
        """
        learned = Terms.learn(
            "words", (1, 1), texts_of(rows, text), min_df=_LEAST, max_features=_WORDS if components else _ALONE
        )
        if learned is None:
            raise DataError(f"no word occurs in at least {_LEAST} of the training texts", at=text)
        terms, features = learned
        directions = None
        if components and components < min(features.shape):
            from sklearn.decomposition import TruncatedSVD

            solver = TruncatedSVD(components, random_state=0).fit(features)
            directions = np.ascontiguousarray(solver.components_.T, dtype=np.float32)
        return cls(text, (terms,), directions)

    @property
    def width(self) -> int:
        """Numbers of a text."""
        return len(self.terms[0].vocabulary) if self.directions is None else self.directions.shape[1]

    @property
    def categories(self) -> NDArray[np.bool_]:
        """None of them is a category, shape (features,)."""
        return np.zeros(self.width, dtype=np.bool_)

    @property
    def named(self) -> dict[str, dict[str, int]]:
        """There are no categories."""
        return {}

    def of(self, rows: pl.DataFrame) -> NDArray[np.float64]:
        """Texts as numbers, shape (rows, features).

        Raises:
            ModelError: The rows lack the column.
        """
        texts = texts_of(rows, self.text)
        if not texts:
            return np.zeros((0, self.width))
        counted = features_of(self.terms, texts)
        found = counted.toarray() if self.directions is None else counted @ self.directions
        return np.asarray(found, dtype=np.float64)

    def in_order(self, features: NDArray[np.float64], right: NDArray[np.float64]) -> TextFeatures:
        """The same: there are no categories to order."""
        return self

    def saved(self) -> dict[str, Any]:
        """As JSON, but for what `save` writes."""
        return {"text": self.text}

    def save(self, folder: Path) -> dict[str, NDArray[Any]]:
        """Write the words; the arrays that are to be saved besides."""
        arrays = save_terms(self.terms, folder)
        return arrays if self.directions is None else {**arrays, _DIRECTIONS: self.directions}

    @classmethod
    def read(cls, saved: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], folder: Path) -> Self:
        """From what `save` gave and wrote."""
        return cls(saved["text"], load_terms(folder, arrays), arrays.get(_DIRECTIONS))
