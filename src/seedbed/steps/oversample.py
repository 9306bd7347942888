"""oversample: more training rows of rare labels, as copies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

import polars as pl
from pydantic import Field, PositiveInt

from seedbed.core.part import Example, LabelColumn
from seedbed.core.rows import NUMBER, PARENTS, ROW
from seedbed.core.step import Make

from .balancing.chance import chance_of
from .balancing.wanted import Share, least_rows
from .comparing.copies import column_of


class Oversample(Make):
    """Copies training rows of rare labels until there are enough.

    Every row of a label is copied as often as every other, but for the last round, for which rows are drawn from the
    seed and the row's name. Each copy is a row of its own, with the row that it repeats as its parent in the ledger.
    Validation and test rows are never copied.

    ## Why
    A learner that counts every row alike learns little of a label that has few. Copies make it count them more, with
    any learner; and unlike `undersample` nothing is thrown away.

    ## Limits
    A copy says nothing new: where a label has a dozen rows, a model learns those by heart. `class_weights` does the
    same without copies, for learners that heed it, and costs no time; `augment` varies what it repeats. A model that
    learned from balanced rows finds rare labels likelier than they are.
    """

    by_name: ClassVar[bool] = True

    use: Literal["oversample"] = "oversample"
    column: LabelColumn = Field(None, description="Column to balance; the task's label when left out.")
    to: Literal["balanced"] | Share | dict[str, PositiveInt] = Field(
        "balanced",
        description="`balanced`: as many rows of each label as the most frequent has; a share: of each label at least "
        "this share of that; or the fewest rows of some labels, as LABEL: ROWS.",
    )

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Rows that are added until there are as many of each",
            before={
                "text": ["hi", "see you", "win now", "on my way", "call me"],
                "label": ["ham", "ham", "spam", "ham", "ham"],
            },
            after={"text": ["win now", "win now", "win now"], "label": ["spam", "spam", "spam"]},
        ),
        Example(
            title="Until there are at least half as many",
            options={"to": 0.5},
            before={
                "text": ["it leaks", "thank you", "no answer", "it broke", "so slow"],
                "label": ["fault", "praise", "fault", "fault", "fault"],
            },
            after={"text": ["thank you"], "label": ["praise"]},
        ),
    )

    def make(self, train: pl.LazyFrame, seed: int) -> Iterator[pl.DataFrame]:
        """A frame for each round of copies, rows in order.

        Raises:
            DataError: `to` names a label that no training row has.
        """
        column = column_of(self, "column")
        rows = train.select(NUMBER, ROW, label=pl.col(column).cast(pl.String)).collect()
        counts = dict(rows.drop_nulls("label").group_by("label").len().iter_rows())
        wanted = least_rows(counts, self.to, at=self.use)
        times = {label: max(0, most - counts[label]) for label, most in wanted.items()}
        last: list[pl.DataFrame] = []
        for label in sorted(times):
            mine = rows.filter(label=label).select(NUMBER, drawn=chance_of(rows.filter(label=label)[ROW], seed))
            last.append(mine.sort("drawn", NUMBER).head(times[label] % counts[label]).select(NUMBER))
        rounds = {label: most // counts[label] for label, most in times.items()}
        for done in range(max(rounds.values(), default=0)):
            again = [label for label, most in rounds.items() if most > done]
            yield self._copies(train, rows.filter(pl.col("label").is_in(again))[NUMBER])
        yield self._copies(train, pl.concat([pl.DataFrame(schema={NUMBER: pl.UInt64}), *last])[NUMBER])

    def _copies(self, train: pl.LazyFrame, numbers: pl.Series) -> pl.DataFrame:
        chosen = train.filter(pl.col(NUMBER).is_in(numbers.implode())).sort(NUMBER)
        return chosen.with_columns(pl.concat_list(ROW).alias(PARENTS)).collect()
