"""Terms of a text, words or characters, counted or weighted: kept as plain data, the same wherever they are used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, Field, model_validator

from seedbed.core.errors import DataError
from seedbed.core.numbers import things
from seedbed.core.search import Search

Kind = Literal["words", "characters"]
Weighting = Literal["tfidf", "counts"]


def _in_order(lengths: tuple[int, int]) -> tuple[int, int]:
    if lengths[0] > lengths[1]:
        raise ValueError(f"the shortest, {lengths[0]}, is longer than the longest, {lengths[1]}")
    return lengths


_Length = Annotated[int, Field(ge=1, le=10)]
Lengths = Annotated[tuple[_Length, _Length], AfterValidator(_in_order)]


@dataclass(frozen=True)
class Terms:
    """Terms with their weights. Needs scikit-learn to transform.

    With `tfidf`, a text becomes a row of unit length: 1 + ln(count) of each of its terms times the term's idf, which is
    ln((1 + n) / (1 + texts with the term)) + 1 (scikit-learn's smoothed TF-IDF with sublinear term frequency). With
    `counts`, the row holds how often each term occurs.
    """

    kind: Kind
    lengths: tuple[int, int]
    """Shortest and longest term: in words, or in characters within word boundaries."""
    vocabulary: tuple[str, ...]
    """Terms in the order of the columns."""
    idf: NDArray[np.float32]
    """Weight of each term, shape (terms,); ones for `counts`."""
    weighting: Weighting = "tfidf"

    @classmethod
    def learn(
        cls,
        kind: Kind,
        lengths: tuple[int, int],
        texts: Sequence[str],
        *,
        min_df: int,
        max_features: int | None,
        weighting: Weighting = "tfidf",
    ) -> tuple[Terms, Any] | None:
        """Learn terms that at least `min_df` of the texts have, the `max_features` most frequent of them.

        Returns:
            The terms, and what `transform` makes of the texts (they are cut up only once); None where no term is left.
        """
        if len(texts) < min_df:
            return None
        vectorizer = _vectorizer(kind, lengths, weighting, min_df=min_df, max_features=max_features)
        try:
            features = vectorizer.fit_transform(texts)
        except ValueError as error:
            if "empty vocabulary" in str(error) or "no terms remain" in str(error):
                return None
            raise
        vocabulary = tuple(vectorizer.get_feature_names_out().tolist())
        idf = vectorizer.idf_ if weighting == "tfidf" else np.ones(len(vocabulary), dtype=np.float32)
        return cls(kind, lengths, vocabulary, idf, weighting), features

    def transform(self, texts: Sequence[str]) -> Any:
        """A sparse float32 matrix (CSR), shape (texts, terms)."""
        return self._fitted.transform(texts)

    @cached_property
    def _fitted(self) -> Any:
        vocabulary = {term: i for i, term in enumerate(self.vocabulary)}
        vectorizer = _vectorizer(self.kind, self.lengths, self.weighting, vocabulary=vocabulary)
        if self.weighting == "tfidf":
            vectorizer.idf_ = self.idf
        return vectorizer


def _vectorizer(kind: Kind, lengths: tuple[int, int], weighting: Weighting, **more: Any) -> Any:
    from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

    cut: dict[str, Any] = {"analyzer": "word" if kind == "words" else "char_wb", "ngram_range": lengths}
    if weighting == "counts":
        return CountVectorizer(**cut, dtype=np.float32, **more)
    return TfidfVectorizer(**cut, sublinear_tf=True, dtype=np.float32, **more)


class TermOptions(BaseModel):
    """Options of learners that read terms."""

    words: Annotated[Lengths | None, Search.among((1, 1), (1, 2))] = Field(
        (1, 2), description="Shortest and longest run of words to count; null for none."
    )
    characters: Lengths | None = Field(
        (2, 4), description="Shortest and longest run of characters within a word to count; null for none."
    )
    min_df: Annotated[int, Search(1, 5)] = Field(
        2, ge=1, description="Training rows that a term must occur in to be counted."
    )
    max_features: int | None = Field(
        200_000, ge=1, description="Most terms of words, and most of characters: the most frequent; null for all."
    )

    @model_validator(mode="after")
    def _something_is_counted(self) -> TermOptions:
        if self.words is None and self.characters is None:
            raise ValueError("either words or characters must be counted, or both")
        return self

    def learn_terms(
        self, texts: Sequence[str], *, column: str, weighting: Weighting = "tfidf"
    ) -> tuple[tuple[Terms, ...], Any]:
        """Terms of training texts, and the texts' features: a sparse float32 matrix (CSR), shape (texts, terms).

        Raises:
            DataError: No term occurs in enough of the texts.
        """
        limits: dict[str, Any] = {"min_df": self.min_df, "max_features": self.max_features, "weighting": weighting}
        learned = (
            self.words and Terms.learn("words", self.words, texts, **limits),
            self.characters and Terms.learn("characters", self.characters, texts, **limits),
        )
        found = [one for one in learned if one]
        if not found:
            raise DataError(
                f"no term occurs in at least {self.min_df} of the {things(len(texts), 'training text')}",
                at=column,
                hint="give the learner a lower min_df, count characters too, or give it more rows",
            )
        return tuple(terms for terms, _ in found), side_by_side([features for _, features in found])


def features_of(terms: Sequence[Terms], texts: Sequence[str]) -> Any:
    """What `learn_terms` makes of texts, for terms that were learned: a sparse float32 matrix, shape (texts, terms)."""
    return side_by_side([one.transform(texts) for one in terms])


def side_by_side(features: Sequence[Any]) -> Any:
    """Blocks of features, sparse or dense, as one sparse float32 matrix (CSR), shape (texts, features)."""
    from scipy.sparse import csr_array, hstack

    return hstack([csr_array(block) if isinstance(block, np.ndarray) else block for block in features], format="csr")
