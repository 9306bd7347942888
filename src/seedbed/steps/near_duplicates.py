"""near_duplicates: keep one of texts that are nearly the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Literal, Self

import numpy as np
import polars as pl
from pydantic import Field, model_validator

from seedbed.core.part import Example, LabelColumn, TextColumn
from seedbed.core.rows import NUMBER
from seedbed.core.similarity import Kind, band_table, bands_for, choose_kind, components, verified_pairs
from seedbed.core.similarity.pairs import PAIR_SCHEMA
from seedbed.core.similarity.shingles import SHORT
from seedbed.core.step import Groups, Reduce

from .copies import column_of, with_names

# Pairs that wait in memory before they are summed up.
_WAITING = 1_000_000


class NearDuplicates(Reduce):
    """Rejects texts that are nearly the same as another; of each such group the first stays (reason `near_duplicate`).

    Texts are compared as sets of shingles: runs of five characters where more than half of the texts are under 300
    characters, of three words otherwise. Their similarity is Jaccard's: shared shingles over all shingles of both.
    Candidates come from MinHash bands that find at least 99.9 % of pairs at the threshold, and each is then measured
    on its texts. Rows that are joined by similar pairs, directly or through others, are one group. The ledger names
    the most similar row (`of`, with `similarity`) and the one that stays (`kept`).

    ## Why
    Retweets, quotes and forms with a changed name are copies that `exact_duplicates` cannot see. They weigh on what a
    model learns, and across splits they leak.

    ## Limits
    Alike in letters is not alike in meaning: "not good" and "now good" are near. With `on_conflict: reject_all`, groups
    whose labels disagree go as a whole (reason `conflicting_near_duplicates`); missing labels do not disagree. A row
    may be linked to the one that stays only through others. More than 1,000 different texts that agree in the same
    bands are not all compared with each other. A text without letters or digits is compared as it stands, an empty
    one is like nothing. The normalised text is compared, so case and white space do not count.
    """

    removes_copies: ClassVar[bool] = True

    use: Literal["near_duplicates"] = "near_duplicates"
    column: TextColumn = Field(None, description="Column to compare; the task's text when left out.")
    at_least: float = Field(0.8, gt=0, le=1, description="Jaccard similarity from which texts are near duplicates.")
    shingles: Literal["auto", "characters", "words"] = Field(
        "auto", description="Character 5-grams or word 3-grams; found from the lengths of the texts when `auto`."
    )
    on_conflict: Literal["keep_first", "reject_all"] = Field(
        "keep_first", description="What happens to near duplicates whose labels disagree."
    )
    label: LabelColumn = Field(
        None, description="Column whose values may disagree; the task's label when left out (for `reject_all`)."
    )
    permutations: int = Field(
        128, ge=16, le=1024, description="Length of the MinHash signatures; more find low similarities more cheaply."
    )

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="The first of the near copies stays",
            before={
                "text": [
                    "The food was great and the staff were friendly",
                    "Never again, we waited for an hour",
                    "the food was great and the staff were friendly!!",
                ],
                "label": ["positive", "negative", "negative"],
            },
            after={
                "text": ["The food was great and the staff were friendly", "Never again, we waited for an hour"],
                "label": ["positive", "negative"],
            },
        ),
        Example(
            title="Near copies whose labels disagree go together",
            options={"on_conflict": "reject_all"},
            before={
                "text": [
                    "The food was great and the staff were friendly",
                    "Never again, we waited for an hour",
                    "the food was great and the staff were friendly!!",
                ],
                "label": ["positive", "negative", "negative"],
            },
            after={"text": ["Never again, we waited for an hour"], "label": ["negative"]},
        ),
    )

    @model_validator(mode="after")
    def _promise_is_kept(self) -> Self:
        bands, rows = bands_for(self.at_least, self.permutations)
        if 1 - (1 - self.at_least**rows) ** bands < 0.999:
            raise ValueError(f"{self.permutations} permutations find too few pairs at {self.at_least:g}; ask for more")
        return self

    def reads(self) -> Sequence[str]:
        """The column that is compared."""
        if self.on_conflict == "reject_all":
            column_of(self, "label")  # judged later, but refused before anything runs
        return [column_of(self, "column")]

    def survey(self) -> Mapping[str, pl.Expr]:
        """How many texts there are, and how many are short."""
        text = pl.col(column_of(self, "column")).cast(pl.String)
        return {"rows": text.is_not_null(), "short": text.str.len_chars() < SHORT}

    def heeds(self, survey: Mapping[str, int]) -> Kind:
        """What the texts are compared by."""
        return self._kind(survey)

    def keys(self, batch: pl.DataFrame, survey: Mapping[str, int]) -> pl.DataFrame:
        """The bands of each text."""
        bands, rows = bands_for(self.at_least, self.permutations)
        return band_table(batch, column_of(self, "column"), self._kind(survey), bands, rows)

    def judge(self, groups: Groups) -> Iterator[pl.DataFrame]:
        """All rows of each group but the first, or all where labels disagree and that is asked for."""
        kind = self._kind(groups.survey)
        found = verified_pairs(groups, column_of(self, "column"), kind, self.at_least)
        members, nearest = _groups(found)
        if members.is_empty():
            return
        conflict = self._conflicting(groups, members) if self.on_conflict == "reject_all" else pl.lit(False)
        rejected = members.with_columns(conflict=conflict).filter(
            pl.col("conflict") | (pl.col(NUMBER) != pl.col("kept"))
        )
        verdicts = rejected.join(nearest, on=NUMBER, how="left", maintain_order="left").select(
            NUMBER,
            pl.when("conflict")
            .then(pl.lit("conflicting_near_duplicates"))
            .otherwise(pl.lit("near_duplicate"))
            .alias("reason"),
            "of",
            pl.when(~pl.col("conflict")).then("kept").alias("kept"),
            pl.col("similarity").round(4),
            shingles=pl.lit(kind),
        )
        yield with_names(groups, verdicts)

    def _kind(self, survey: Mapping[str, int]) -> Kind:
        return choose_kind(survey["short"], survey["rows"]) if self.shingles == "auto" else self.shingles

    def _conflicting(self, groups: Groups, members: pl.DataFrame) -> pl.Series:
        """Whether labels disagree in the group of each member."""
        label = column_of(self, "label")
        labels = groups.lookup(members[NUMBER], [label]).select(NUMBER, label=pl.col(label).cast(pl.String))
        joined = members.join(labels, on=NUMBER, how="left", maintain_order="left")
        return joined.select(pl.col("label").drop_nulls().n_unique().over("kept") > 1)["label"]


def _groups(found: Iterator[pl.DataFrame]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What pairs say, in memory by rows and not by pairs.

    Returns:
        Every row of a pair, sorted, with the first row of its group (`kept`); and its most similar neighbour (`of`, the
        first of equals) with their `similarity`.
    """
    members = pl.DataFrame(schema={NUMBER: pl.UInt64, "kept": pl.UInt64})
    nearest = pl.DataFrame(schema={NUMBER: pl.UInt64, "of": pl.UInt64, "similarity": pl.Float64})
    for pairs in _bundles(found):
        members = _members(pl.concat([members.select(a="kept", b=NUMBER), pairs.select("a", "b")]))
        nearest = _nearest(nearest, pairs)
    return members, nearest


def _bundles(frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Frames of pairs, many put together."""
    waiting = [pl.DataFrame(schema=PAIR_SCHEMA)]
    for frame in frames:
        waiting.append(frame)
        if sum(one.height for one in waiting) > _WAITING:
            yield pl.concat(waiting)
            waiting.clear()
    if waiting:
        yield pl.concat(waiting)


def _members(pairs: pl.DataFrame) -> pl.DataFrame:
    """Every row of a pair, sorted, and the first row of its group (`kept`)."""
    numbers = np.unique(np.concatenate([pairs["a"].to_numpy(), pairs["b"].to_numpy()]))
    left, right = (np.searchsorted(numbers, pairs[name].to_numpy()) for name in ("a", "b"))
    return pl.DataFrame({NUMBER: numbers, "kept": numbers[components(len(numbers), left, right)]})


def _nearest(known: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """The most similar neighbour of every row (the first of equals), as `of`, and the similarity."""
    either = [pairs.select(pl.col(one).alias(NUMBER), of=other, similarity="similarity") for one, other in ("ab", "ba")]
    return (
        pl.concat([known, *either])
        .filter(pl.col("similarity") == pl.col("similarity").max().over(NUMBER))
        .group_by(NUMBER)
        .agg(pl.col("of").min(), pl.col("similarity").first())
    )
