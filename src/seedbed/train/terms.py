"""TF-IDF of words or characters: learned from training texts, kept as plain data, the same wherever it is used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["words", "characters"]


@dataclass(frozen=True)
class Terms:
    """Terms with their weights. Needs scikit-learn to transform.

    A text becomes a row of unit length: 1 + ln(count) of each of its terms times the term's idf, which is
    ln((1 + n) / (1 + texts with the term)) + 1 (scikit-learn's smoothed TF-IDF with sublinear term frequency).
    """

    kind: Kind
    lengths: tuple[int, int]
    """Shortest and longest term: in words, or in characters within word boundaries."""
    vocabulary: tuple[str, ...]
    """Terms in the order of the columns."""
    idf: NDArray[np.float32]
    """Weight of each term, shape (terms,)."""

    @classmethod
    def learn(
        cls, kind: Kind, lengths: tuple[int, int], texts: Sequence[str], *, min_df: int, max_features: int | None
    ) -> tuple[Terms, Any] | None:
        """Learn terms that at least `min_df` of the texts have, the `max_features` most frequent of them.

        Returns:
            The terms, and what `transform` makes of the texts (they are cut up only once); None where no term is left.
        """
        if len(texts) < min_df:
            return None
        vectorizer = _vectorizer(kind, lengths, min_df=min_df, max_features=max_features)
        try:
            features = vectorizer.fit_transform(texts)
        except ValueError as error:
            if "empty vocabulary" in str(error) or "no terms remain" in str(error):
                return None
            raise
        return cls(kind, lengths, tuple(vectorizer.get_feature_names_out().tolist()), vectorizer.idf_), features

    def transform(self, texts: Sequence[str]) -> Any:
        """A sparse float32 matrix (CSR), shape (texts, terms)."""
        return self._fitted.transform(texts)

    @cached_property
    def _fitted(self) -> Any:
        vectorizer = _vectorizer(
            self.kind, self.lengths, vocabulary={term: i for i, term in enumerate(self.vocabulary)}
        )
        vectorizer.idf_ = self.idf
        return vectorizer


def _vectorizer(kind: Kind, lengths: tuple[int, int], **more: Any) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(
        analyzer="word" if kind == "words" else "char_wb",
        ngram_range=lengths,
        sublinear_tf=True,
        dtype=np.float32,
        **more,
    )
