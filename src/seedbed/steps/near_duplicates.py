"""near_duplicates: keep one of texts that are nearly the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import polars as pl
from pydantic import Field, model_validator

from seedbed.core.part import Column, Example, TextColumn
from seedbed.core.rows import NUMBER
from seedbed.core.similarity import Kind, band_table, bands_for, bands_for_rows, choose_kind, one_key_table
from seedbed.core.similarity.clusters import clusters
from seedbed.core.similarity.shingles import SHORT
from seedbed.core.step import Groups, Reduce

from .comparing.conflicts import Disagreeing, OnConflict, conflicting, looks_at_labels
from .comparing.copies import column_of, with_names
from .comparing.survivors import Keep, Survivor, refuse_no_number

#: Up to so many rows and characters every text is compared with every other (characters of a word being fewer).
EXACT_ROWS = 50_000
EXACT_CHARACTERS: Mapping[Kind, int] = {"characters": 5_000_000, "words": 30_000_000}
# Verdicts that are made together.
_TOGETHER = 250_000


class NearDuplicates(Reduce):
    """Rejects texts that are nearly the same as another; one of each such group stays (reason `near_duplicate`).

    Texts are compared as sets of shingles: runs of five characters where more than half of the texts are under 300
    characters, of three words otherwise. Their similarity is Jaccard's: shared shingles over all shingles of both.
    Up to 50,000 rows (5 million characters, 30 million where words are compared) every text is compared with every
    other; above, MinHash bands find at least 99.9 % of pairs at the threshold. Similarities are measured on the texts.
    Rows that are joined by similar pairs, directly or through others, are one group. The row that stays is the first
    or, by `keep`, the longest, the best by a column of numbers, or that of the most trusted source; of equals the
    first. The ledger names the most similar row (`of`, with `similarity`), the one that stays (`kept`) and the `rule`.

    ## Why
    Retweets, quotes and forms with a changed name are copies that `exact_duplicates` cannot see. They weigh on what a
    model learns, and across splits they leak.

    ## Limits
    Alike in letters is not alike in meaning: "not good" and "now good" are near. With `on_conflict: reject_all`, groups
    whose labels disagree go as a whole (reason `conflicting_near_duplicates`); missing labels do not disagree. A row
    may be linked to the one that stays only through others. In a group of more than 1,000 rows, `of` is the nearest of
    those that the row was compared with. A text without letters or digits is compared as it stands, an empty one is
    like nothing. The normalised text is compared, so case and white space do not count.
    """

    removes_copies: ClassVar[bool] = True

    use: Literal["near_duplicates"] = "near_duplicates"
    column: TextColumn = Field(None, description="Column to compare; the task's text when left out.")
    at_least: float = Field(0.8, gt=0, le=1, description="Jaccard similarity from which texts are near duplicates.")
    shingles: Literal["auto", "characters", "words"] = Field(
        "auto", description="Character 5-grams or word 3-grams; found from the lengths of the texts when `auto`."
    )
    on_conflict: OnConflict = "keep_first"
    label: Disagreeing = None
    keep: Keep = Field(
        "first", description="Which row of a group stays; `best` needs `quality`, and `most_trusted` needs `trust`."
    )
    quality: Column | None = Field(None, description="Column of numbers; with `keep: best` the row with the highest.")
    trust: list[str] = Field(
        [], description="Names of sources, the most trusted first; others come after them, in the recipe's order."
    )
    permutations: int | None = Field(
        None,
        ge=16,
        le=1024,
        description="Length of the MinHash signatures; found from the threshold and the number of rows when left out.",
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
        Example(
            title="The best of the near copies stays",
            options={"keep": "best", "quality": "stars"},
            before={
                "text": [
                    "The food was great and the staff were friendly",
                    "Never again, we waited for an hour",
                    "the food was great and the staff were friendly!!",
                ],
                "label": ["positive", "negative", "positive"],
                "stars": [3, 1, 5],
            },
            after={
                "text": ["Never again, we waited for an hour", "the food was great and the staff were friendly!!"],
                "label": ["negative", "positive"],
                "stars": [1, 5],
            },
        ),
    )

    @model_validator(mode="after")
    def _promise_is_kept(self) -> Self:
        bands, rows = bands_for(self.at_least, self.permutations or 1024)
        if 1 - (1 - self.at_least**rows) ** bands < 0.999:
            raise ValueError(f"{self.permutations or 1024} permutations find too few pairs at {self.at_least:g}")
        if (self.quality is not None) != (self.keep == "best"):
            raise ValueError("`quality: COLUMN` and `keep: best` go together")
        if bool(self.trust) != (self.keep == "most_trusted"):
            raise ValueError("`trust: [SOURCE, ...]` and `keep: most_trusted` go together")
        return self

    def columns_used(self) -> Iterator[tuple[str, str]]:
        """Of the label only where it is looked at."""
        return (one for one in super().columns_used() if one[0] != "label" or looks_at_labels(self))

    def check_schema(self, schema: pl.Schema) -> None:
        """`quality` must be a column of numbers."""
        refuse_no_number(self.quality, schema)

    def reads(self) -> Sequence[str]:
        """The column that is compared."""
        looks_at_labels(self)  # judged later, but refused before anything runs
        return [column_of(self, "column")]

    def survey(self) -> Mapping[str, pl.Expr]:
        """How many texts there are, how many are short, and how long they are together."""
        text = pl.col(column_of(self, "column")).cast(pl.String)
        lengths = text.str.len_chars()
        return {"rows": text.is_not_null(), "short": lengths < SHORT, "characters": lengths}

    def heeds(self, survey: Mapping[str, int]) -> list[Any]:
        """What the texts are compared by: all of them, or by which bands."""
        return [self._kind(survey), "all" if self._exact(survey) else self._bands(survey)]

    def keys(self, batch: pl.DataFrame, survey: Mapping[str, int]) -> pl.DataFrame:
        """The bands of each text, or one key for all."""
        if self._exact(survey):
            return one_key_table(batch, column_of(self, "column"))
        return band_table(batch, column_of(self, "column"), self._kind(survey), *self._bands(survey))

    def judge(self, groups: Groups) -> Iterator[pl.DataFrame]:
        """All rows of each group but one, or all where labels disagree and that is asked for."""
        column = column_of(self, "column")
        survivor = Survivor(self.keep, column, self.quality, tuple(self.trust))
        kind = self._kind(groups.survey)
        rows = survivor.of(groups, clusters(groups, column, kind, self.at_least))
        rows = rows.with_columns(conflict=conflicting(self, groups, rows, "kept"))
        rejected = rows.filter(pl.col("conflict") | (pl.col(NUMBER) != pl.col("kept")))
        del rows
        for some in rejected.iter_slices(_TOGETHER):
            yield with_names(groups, self._verdicts(some, kind))

    def _verdicts(self, rejected: pl.DataFrame, kind: Kind) -> pl.DataFrame:
        torn = pl.col("conflict")
        reason = pl.when(torn).then(pl.lit("conflicting_near_duplicates")).otherwise(pl.lit("near_duplicate"))
        return rejected.select(
            NUMBER,
            reason.alias("reason"),
            "of",
            pl.when(~torn).then("kept").alias("kept"),
            pl.col("similarity").round(4),
            shingles=pl.lit(kind),
            rule=pl.when(torn).then(pl.lit(self.on_conflict)).otherwise(pl.lit(self.keep)),
        )

    def _kind(self, survey: Mapping[str, int]) -> Kind:
        return choose_kind(survey["short"], survey["rows"]) if self.shingles == "auto" else self.shingles

    def _bands(self, survey: Mapping[str, int]) -> tuple[int, int]:
        """How many, and of how many rows each."""
        if self.permutations is not None:
            return bands_for(self.at_least, self.permutations)
        return bands_for_rows(self.at_least, self._kind(survey), survey["rows"])

    def _exact(self, survey: Mapping[str, int]) -> bool:
        """Whether the texts are few enough to be compared with each other."""
        if "characters" not in survey:
            return False
        return survey["rows"] <= EXACT_ROWS and survey["characters"] <= EXACT_CHARACTERS[self._kind(survey)]
