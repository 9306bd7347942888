"""What the steps that compare rows share: keys of equal values, names of rows, columns that must be known."""

from __future__ import annotations

import numpy as np
import polars as pl
import xxhash

from seedbed.core.errors import RecipeError
from seedbed.core.rows import NUMBER, ROW
from seedbed.core.step import Groups, Step


def equal_keys(values: pl.Series) -> pl.DataFrame:
    """`key` and `rest`: the two halves of a 128-bit hash (XXH3), equal for equal texts; both null for null."""
    texts = values.drop_nulls()
    digests = b"".join([xxhash.xxh3_128_digest(text) for text in texts.cast(pl.Binary)])
    halves = np.frombuffer(digests, dtype=">u8").astype(np.uint64).reshape(-1, 2)
    empty = pl.Series([None], dtype=pl.UInt64).new_from_index(0, len(values))
    places = values.is_not_null().arg_true()
    return pl.DataFrame(
        {name: empty.clone().scatter(places, pl.Series(halves[:, half])) for half, name in enumerate(("key", "rest"))}
    )


def with_names(groups: Groups, verdicts: pl.DataFrame) -> pl.DataFrame:
    """Verdicts whose `of` and `kept` are names of rows, where they were `NUMBER`s."""
    wanted = pl.concat([verdicts["of"], verdicts["kept"]] if "kept" in verdicts.columns else [verdicts["of"]])
    names = groups.lookup(wanted.drop_nulls().unique().sort(), [])
    return verdicts.with_columns(
        pl.col(name).replace_strict(names[NUMBER], names[ROW], default=None, return_dtype=pl.String)
        for name in ("of", "kept")
        if name in verdicts.columns
    )


def column_of(step: Step, option: str) -> str:
    """The column that an option names.

    Raises:
        RecipeError: Neither the recipe nor the task names one.
    """
    name = getattr(step, option)
    if not isinstance(name, str):
        raise RecipeError(
            f"{step.use} needs a column, and neither its option nor the task names one",
            at=f"{step.use}.{option}",
            hint=f"write `{option}: COLUMN`"
            + (" or `columns: [ONE, OTHER]`" if "columns" in type(step).model_fields else ""),
        )
    return name
