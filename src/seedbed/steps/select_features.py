"""select_features: keep the columns that say most about the label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field, model_validator

from seedbed.core.errors import DataError
from seedbed.core.numbers import things, word
from seedbed.core.part import Columns, Example, LabelColumn
from seedbed.core.step import Fitted

from .learned.association import adjusted, chi_squares, features_of, mutual_informations

_SHOWN = 10


class SelectFeatures(Fitted):
    """Keeps those of some columns that say most about the label; the others go, in every split.

    Columns of numbers, of categories, and of vectors (`tfidf`, `hash_features`: of each place by itself) are ranked
    together, by one of two scores of the training rows:

    * `chi_square`: how far counts are from what they were if label and feature had nothing to do with each other.
      `at_most_p` keeps those that chance alone would hardly explain, among so many: p-values are adjusted (Benjamini
      and Hochberg, Journal of the Royal Statistical Society B 1995), so that about that share of what is kept is there
      by chance.
    * `mutual_information`: how much one knows about the label more, in nats, by knowing the feature. It also sees
      what goes up and down again, and takes labels that are numbers.

    ## Why
    A hundred columns of which five matter cost a model with few rows more than they bring. Chosen on all rows, they
    would be those that happen to fit the test rows too, and the score would be too good.

    ## Limits
    Each feature is looked at alone: two that say the same are both kept, and two that say something only together may
    both go. Chi-square takes numbers for counts, so none may be negative. Missing numbers count as the column's
    median, missing text as a category. Mutual information is estimated by near neighbours: for many columns and rows
    that takes minutes. The training values of the columns are held in memory. Learners of texts read the
    task's text alone.
    """

    by_name: ClassVar[bool] = True

    use: Literal["select_features"] = "select_features"
    column: Columns = Field(description="Columns to choose among.")
    score: Literal["chi_square", "mutual_information"] = Field("chi_square", description="What they are ranked by.")
    best: int | None = Field(None, ge=1, description="How many features stay.")
    share: float | None = Field(None, gt=0, le=1, description="Share of the features that stays, at least one.")
    at_most_p: float | None = Field(
        None, gt=0, lt=1, description="Highest adjusted p-value of a feature that stays; for chi_square."
    )
    label: LabelColumn = Field(None, description="What they are to tell; the task's label when left out.")
    label_is: Literal["category", "number"] = Field("category", description="What the label is.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="The best of three",
            options={"column": ["urls", "length", "day"], "best": 1},
            before={
                "urls": [3, 2, 0, 0],
                "length": [5, 6, 5, 6],
                "day": ["Mon", "Tue", "Mon", "Tue"],
                "label": ["spam", "spam", "ham", "ham"],
            },
            after={"urls": [3, 2, 0, 0]},
        ),
        Example(
            title="What chance would hardly explain",
            options={"column": ["country", "shop"], "at_most_p": 0.05},
            before={"country": ["AT", "DE"] * 4, "shop": list("aabbaabb"), "label": ["yes", "no"] * 4},
            after={"country": ["AT", "DE"] * 4},
        ),
    )

    @model_validator(mode="after")
    def _options_fit(self) -> Self:
        if sum(one is not None for one in (self.best, self.share, self.at_most_p)) != 1:
            raise ValueError("select_features needs one of best, share and at_most_p")
        if self.score != "chi_square" and self.at_most_p is not None:
            raise ValueError("mutual information has no p-value: say `best` or `share`")
        if self.score == "chi_square" and self.label_is == "number":
            raise ValueError("chi-square takes labels that are categories: score: mutual_information")
        if len(set(self.column)) < len(self.column):
            raise ValueError("a column is named twice")
        if self.label in self.column:
            raise ValueError("the label cannot tell itself: leave it out of `column`")
        return self

    def fit(self, train: pl.LazyFrame, seed: int) -> dict[str, Any]:
        """Places kept of each column (`kept`; none: the column goes), widths of vectors, and the features' scores.

        Raises:
            DataError: A column is no feature, the label has one class, or nothing is left.
        """
        label = str(self.label)
        rows = train.select(*self.column, label).collect()
        rows = rows.filter(self._known(label))
        few = rows[label].n_unique() < 2
        if few:
            raise DataError("training rows have fewer than two labels, so that nothing tells them apart", at=self.use)
        features = features_of(rows.select(self.column), at=self.use)
        chances = np.ones(0)
        if self.score == "chi_square":
            scores, chances = chi_squares(features, rows[label].cast(pl.String), at=self.use)
        else:
            scores = mutual_informations(features, rows[label], seed, number=self.label_is == "number")
        stays = self._stays(scores, adjusted(chances))
        if not stays.any():
            raise DataError(
                f"no feature has an adjusted p-value of {self.at_most_p} or less",
                at=self.use,
                hint="raise `at_most_p`, say `best`, or leave the step out",
            )
        kept: dict[str, list[int]] = {name: [] for name in self.column}
        for (name, place), one in zip(features.names, stays.tolist(), strict=True):
            kept[name] += [place] * one
        ranked = np.argsort(-scores, kind="stable").tolist()
        return {
            "kept": kept,
            "vectors": [name for name in self.column if isinstance(rows.schema[name], pl.Array)],
            "scores": [[*features.names[place], float(scores[place])] for place in ranked],
            "of": len(features.names),
        }

    def columns(self, state: dict[str, Any]) -> Sequence[pl.Expr]:
        """Vectors of the places kept."""
        return [
            pl.col(name).arr.to_list().list.gather(places).list.to_array(len(places)).alias(name)
            for name, places in state["kept"].items()
            if places and name in state["vectors"]
        ]

    def drops(self, state: dict[str, Any]) -> Sequence[str]:
        """Columns of which nothing stays."""
        return [name for name, places in state["kept"].items() if not places]

    def told(self, state: dict[str, Any]) -> Sequence[str]:
        """How many stay, and those that score highest."""
        best = [f"{name}[{place}]" if name in state["vectors"] else name for name, place, _ in state["scores"][:_SHOWN]]
        kept = sum(map(len, state["kept"].values()))
        stay = f"{kept:,} of {things(state['of'], 'feature')} {word(kept, 'stays', 'stay')}"
        return [stay, f"highest first: {', '.join(best)}"]

    def _known(self, label: str) -> pl.Expr:
        if self.label_is == "number":
            return pl.col(label).cast(pl.Float64, strict=False).is_finite().fill_null(False)
        return pl.col(label).is_not_null()

    def _stays(self, scores: NDArray[np.float64], chances: NDArray[np.float64]) -> NDArray[np.bool_]:
        if self.at_most_p is not None:
            return np.asarray(chances <= self.at_most_p)
        wanted = self.best or max(round(len(scores) * (self.share or 1)), 1)
        stays = np.zeros(len(scores), dtype=bool)
        stays[np.argsort(-scores, kind="stable")[:wanted]] = True
        return stays
