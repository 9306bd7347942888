"""Errors that pass through a library come out as they were raised."""

from __future__ import annotations

import polars as pl
import pytest

from seedbed.core.errors import DataError, RecipeError, told_as


def test_what_polars_adds_to_an_error_of_ours_is_taken_off() -> None:
    def fail(_: pl.Series) -> pl.Series:
        raise RecipeError("this is wrong", at="clean.py:3", hint="mend it")

    with pytest.raises(RecipeError) as caught, told_as(DataError, "part"):
        pl.DataFrame({"x": [1]}).select(pl.col("x").map_batches(fail, return_dtype=pl.Int64))
    assert str(caught.value) == "clean.py:3: this is wrong\n  hint: mend it"
    assert caught.value.exit_code == 2


def test_errors_of_ours_pass_as_they_are_and_others_are_told() -> None:
    own = DataError("x", at="a", hint="b")
    with pytest.raises(DataError) as caught, told_as(RecipeError, "part"):
        raise own
    assert caught.value is own
    said = r"part: it failed with KeyError: 'y', working on rows 1 to 2"
    with pytest.raises(RecipeError, match=said), told_as(RecipeError, "part", about="rows 1 to 2"):
        raise KeyError("y")
