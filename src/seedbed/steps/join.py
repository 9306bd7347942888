"""join: bring columns of a second source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

import polars as pl
from pydantic import Field, PrivateAttr

from seedbed.core.part import Column, Example, base_of
from seedbed.core.step import Rework, Second
from seedbed.core.values import key_text

from .others.any_source import AnySource
from .others.second_source import PLACE, SecondSource, key_name


class Join(Rework):
    """Brings columns of a second source to each row that has the same key.

    A row without a counterpart is rejected (`unmatched`, or `no_key` where its key is missing), or, with `how: left`,
    stays with missing values. Rows of the second source that no row met are counted in its notes.

    ## Why
    Texts lie in one file, labels or facts about their authors in another. An inner join in a script loses rows without
    a word, and a key that stands there twice makes rows twice; here each row that goes is in the ledger with its key,
    no row is ever made, and the second file is part of the recipe's lock, of the lineage and of the licences.

    ## Limits
    Keys are compared as text: `7` of a CSV file is the number 7 of another, and so is 7.0; `07` is not, nor is `a` the
    key `A`: use `cast`, `normalize` or `map_values` before. The second source is held in memory whole, once in every
    worker, and may take 500 MB there. A column that it would bring must not be there before: rename it with the
    source's `columns`. A model whose text is made from joined columns can be served only where the second source can be
    read by the path that the recipe gives.
    """

    use: Literal["join"] = "join"
    source: AnySource = Field(description="The second source, as one under `sources`: {use: csv, path: prices.csv}.")
    on: Column | Annotated[dict[Column, str], Field(min_length=1)] = Field(
        description="Column with the key, if it has one name in both; else {COLUMN: COLUMN OF THE SECOND SOURCE}."
    )
    take: Annotated[list[str], Field(min_length=1)] | None = Field(
        None, description="Columns of the second source to bring; all but the key when left out."
    )
    how: Literal["inner", "left"] = Field(
        "inner", description="Whether rows without a counterpart are rejected (inner), or stay (left)."
    )
    on_duplicates: Literal["refuse", "first"] = Field(
        "refuse", description="What to do if the second source has a key in several rows: stop, or take the first."
    )

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Labels from another file",
            options={"source": {"use": "csv", "path": "labels.csv"}, "on": "id"},
            files={"labels.csv": ["id,label", "1,good", "3,bad", "9,bad"]},
            before={"id": [1, 2, 3], "text": ["a", "b", "c"]},
            after={"id": [1, 3], "text": ["a", "c"], "label": ["good", "bad"]},
        ),
        Example(
            title="Names that differ; every row stays",
            options={
                "source": {"use": "csv", "path": "authors.csv"},
                "on": {"by": "name"},
                "take": ["country"],
                "how": "left",
            },
            files={"authors.csv": ["name,country,born", "Ada,UK,1815", "Emmy,DE,1882"]},
            before={"by": ["Emmy", "Ann", None], "text": ["a", "b", "c"]},
            after={"by": ["Emmy", "Ann", None], "country": ["DE", None, None]},
        ),
    )
    told: ClassVar[tuple[str, ...]] = ("key",)
    stands: ClassVar[str] = "no decision can make its counterpart: add it to the other source, or say `how: left`"
    most_bytes: ClassVar[int] = 500_000_000

    _second: SecondSource = PrivateAttr()

    def model_post_init(self, context: Any) -> None:
        """Know where the second source lies; nothing is read yet."""
        keys, take = tuple(self._keys.values()), None if self.take is None else tuple(self.take)
        self._second = SecondSource(self.source, base_of(context), keys, take, self.on_duplicates, self.most_bytes)

    @property
    def _keys(self) -> dict[str, str]:
        """Columns of the rows, and those of the second source that they are compared with."""
        return self.on if isinstance(self.on, dict) else {self.on: self.on}

    def columns_used(self) -> Iterator[tuple[str, str]]:
        """The rows' key columns."""
        yield from (("on", name) for name in self._keys)

    def made_from(self) -> Any:
        """Digests of the second source's files."""
        return self._second.made_from

    def second(self) -> Second:
        """The second source."""
        return self._second.second

    def brings(self) -> Sequence[str]:
        """The columns of the second source."""
        return list(self._second.columns)

    def written(self) -> Sequence[str]:
        """The columns of the second source."""
        return list(self._second.columns)

    def met_at(self, number: int) -> tuple[str, int] | None:
        """Where the counterpart was read."""
        return self._second.read_at(number)

    def work(self) -> pl.Expr:
        """Each row's counterpart, looked up."""
        brought = self._second.columns
        dtype = pl.Struct(
            {
                "reason": pl.String(),
                "evidence": pl.Struct({"key": pl.String()}),
                "columns": pl.Struct(brought),
                "met": pl.UInt32(),
            }
        )
        self._second.table()  # what is wrong with it should be told before rows are read
        look_up = partial(_looked_up, self._second, self.how == "inner")
        return pl.struct(list(self._keys)).map_batches(look_up, return_dtype=dtype, is_elementwise=True)


def _looked_up(second: SecondSource, reject: bool, rows: pl.Series) -> pl.Series:
    """As `Rework.work` wants it; the fields of `rows` are the key, in the order of the second source's."""
    table = rows.struct.unnest()
    names = [key_name(place) for place in range(table.width)]
    keys = table.select(
        key_text(kind, column).alias(name) for name, (column, kind) in zip(names, table.schema.items(), strict=True)
    )
    found = keys.join(second.table(), on=names, how="left", maintain_order="left")
    why = (
        pl.when(pl.any_horizontal(pl.col(names).is_null()))
        .then(pl.lit("no_key"))
        .when(pl.col(PLACE).is_null())
        .then(pl.lit("unmatched"))
        if reject
        else pl.lit(None, pl.String)
    )
    return found.select(
        why.alias("reason"),
        pl.struct(pl.concat_str(names, separator=", ", ignore_nulls=True).alias("key")).alias("evidence"),
        pl.struct(list(second.columns)).alias("columns"),
        pl.col(PLACE).cast(pl.UInt32).alias("met"),
    ).to_struct()
