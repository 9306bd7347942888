"""tfidf_embedding_logistic: TF-IDF and embeddings side by side, then logistic regression."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from seedbed.core.context import Context
from seedbed.core.encoder import Floats
from seedbed.core.learner import Learner, Model
from seedbed.core.part import Example
from seedbed.core.task import Task
from seedbed.store.embeddings import EncoderOptions

from .example_rows import REMARKS, TOPICS
from .linear import LINKS, LinearModel, link_of
from .logistic import LogisticOptions
from .target import Target, texts_of
from .target_sets import LABELS_OF_TEXTS, TargetSets, TextTask, coded, known_of
from .terms import TermOptions, features_of, side_by_side

#: Weights of the embeddings that validation rows choose from, and the one that is taken where there are none.
WEIGHTS, WITHOUT_VALIDATION = (0.5, 1.0, 2.0), 1.0
#: While weights are chosen, at most so many training rows are fitted, and not to the last digit.
ROWS_TO_CHOOSE, ROUGHLY = 8_000, 1e-3


class TfidfEmbeddingLogistic(TermOptions, EncoderOptions, LogisticOptions, Learner):
    """Logistic regression on TF-IDF and on the embeddings of a pretrained encoder, side by side.

    ## Why
    The two know different things: terms know the very words, hashtags and spellings of this data, the encoder knows
    what words mean. The fewer the rows, the more that helps: of tweets in three moods, macro-F1 was 0.612 with 30 rows
    for each, against 0.564 (terms) and 0.584 (embeddings); with 1,000 for each, 0.717 against 0.703 and 0.680; with all
    28,637 rows, 0.748 on validation and 0.760 on test rows against 0.748 and 0.742 for terms. How much embeddings count
    beside terms is chosen by log loss on the validation rows, with a rough fit on at most 8,000 training rows.

    ## Limits
    Those of `tfidf_logistic` and `embedding_logistic`: two cores embed about 140 texts of a tweet's length a second
    (once: the store keeps embeddings), the default encoder knows English, and it must be installed where the model is
    used.
    """

    extra: ClassVar[str] = "embed"
    needs: ClassVar[tuple[str, ...]] = ("tokenizers",)
    learns: ClassVar[tuple[str, ...]] = LABELS_OF_TEXTS
    model: ClassVar[type[Model[Any]]] = LinearModel
    heeds_weights: ClassVar[bool] = True

    use: Literal["tfidf_embedding_logistic"] = "tfidf_embedding_logistic"
    embedding_weight: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="Length of an embedding beside TF-IDF of length 1; when left out, it is chosen on validation rows "
        "from 0.5, 1 and 2 (1 where there are none).",
    )

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Six remarks",
            options={"min_df": 1, "c": 10},
            before=REMARKS,
            after={"predicted": REMARKS["label"]},
        ),
        Example(
            title="Any number of labels",
            options={"min_df": 1, "c": 100},
            before=TOPICS,
            after={"predicted": TOPICS["label"]},
        ),
    )

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, task: Task, context: Context) -> LinearModel:
        """Learn terms and embed the texts, choose how much embeddings count on the validation rows, learn weights.

        Raises:
            DataError: There are too few rows, one label (or set of labels) only, or no term that enough rows have.
            MissingExtraError: The package that holds the encoder is not installed.
            ModelError: The encoder cannot be read.
        """
        self.check_needs()
        assert isinstance(task, TextTask)
        target = coded(train, task)
        embedder = self.embedder(context)
        texts = texts_of(train, task.text)
        terms, counted = self.learn_terms(texts, column=task.text)
        embedded = embedder.embed(texts, context)
        weight = self.embedding_weight or WITHOUT_VALIDATION
        known, held = known_of(validation, task, target.labels)
        if self.embedding_weight is None and known.height:
            others = texts_of(known, task.text)
            chosen_on = features_of(terms, others), embedder.embed(others, context), held
            weight = self._choose((counted, embedded), target, chosen_on, context)
        features = side_by_side([counted, embedded * np.float32(weight)])
        weights, intercepts = self.solve(features, target, context, name=self.use)
        weights[counted.shape[1] :] *= np.float32(weight)
        return LinearModel(
            labels=target.labels,
            text=task.text,
            terms=terms,
            weights=weights,
            intercepts=intercepts,
            embedder=embedder,
            link=link_of(target),
        )

    def _choose(
        self,
        learned: tuple[Any, Floats],
        target: Target | TargetSets,
        validation: tuple[Any, Floats, NDArray[np.bool_]],
        context: Context,
    ) -> float:
        """The weight of the embeddings with the least log loss on validation rows; the first of equals."""
        rows = np.sort(np.random.default_rng(context.seed).permutation(len(learned[1]))[:ROWS_TO_CHOOSE])
        counted, embedded = learned[0][rows], learned[1][rows]
        some, held, link = target.some(rows), validation[2], link_of(target)
        if isinstance(some, Target) and len(np.unique(some.codes)) < 2:
            return WITHOUT_VALIDATION
        losses = {}
        for weight in WEIGHTS:
            features = side_by_side([counted, embedded * np.float32(weight)])
            layer, offsets = self.solve(features, some, context, name=self.use, tolerance=ROUGHLY)
            scores = side_by_side([validation[0], validation[1] * np.float32(weight)]) @ layer + offsets
            chances = LINKS[link](scores)
            right = chances[held] if link == "softmax" else np.where(held, chances, 1 - chances)
            losses[weight] = -np.log(np.maximum(right, 1e-12)).mean()
        return min(losses, key=lambda weight: losses[weight])
