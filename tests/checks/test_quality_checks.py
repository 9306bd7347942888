"""`pii_left` and `errors_by_group` on planted rows: what they count, whom they name, and that no value is shown."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from planted import planted
from seedbed.checks import ErrorsByGroup, PiiLeft
from seedbed.core.check import View
from seedbed.core.rows import number_rows
from seedbed.core.statistics.shares import difference, wilson
from seedbed.core.task import TextClassification

TASK = TextClassification(kind="text_classification", text="text", label="label")


def view(table: pl.DataFrame) -> View:
    records = pl.Series(range(1, table.height + 1), dtype=pl.UInt64)
    return View(rows=number_rows(table, file_number=0, source="s", file="f", records=records).lazy(), task=TASK)


def test_rows_with_personal_data_are_counted_and_named_but_not_shown() -> None:
    pytest.importorskip("phonenumbers", reason="the extra `pii` is not installed")
    some = planted(800, seed=5)
    held = some.truth.filter(pl.col("pii").list.len() > 0)
    found = PiiLeft(column="text").find(view(some.rows))
    assert not found.passed
    assert found.value == pytest.approx(held.height / 800, abs=0.003)
    assert len(found.rows) == 10
    assert set(found.rows) <= {f"s:f#{id_ + 1}" for id_ in held["id"]}
    counts = held.explode("pii").unnest("pii")["kind"].value_counts()
    for kind, n in counts.iter_rows():
        assert (
            f"{kind} in {n}" in found.message
            or abs(n - int(found.message.split(f"{kind} in ")[1].split()[0].strip(",."))) <= 1
        )
    assert [one["value"] for pii in held["pii"] for one in pii if one["value"] in found.model_dump_json()] == []
    assert PiiLeft(column="text", at_most=0.2).find(view(some.rows)).passed
    clean = some.rows.filter(~pl.col("id").is_in(held["id"].implode()))
    assert PiiLeft(columns=["text", "category"], at_most=0.005).find(view(clean)).passed


def flags(rates: dict[str, float], n: int = 200) -> pl.DataFrame:
    rng = np.random.default_rng(3)
    return pl.concat(
        pl.DataFrame({"score": (rng.random(n) < rate).astype(float), "who": group, "label": "fine"})
        for group, rate in rates.items()
    )


def test_a_group_whose_harmless_texts_are_flagged_more_often_is_named() -> None:
    check = ErrorsByGroup(column="score", group="who", truth="label", harmless=["fine"])
    table = flags({"a": 0.3, "b": 0.02, "c": 0.05})
    found = check.find(view(table))
    assert not found.passed
    assert 0.2 < float(found.value or 0) < 0.36
    assert "of a (" in found.message
    assert "n = 200" in found.message
    named = table.with_row_index().filter(pl.col("index").is_in([int(row.split("#")[1]) - 1 for row in found.rows]))
    assert set(named["who"]) == {"a"}
    assert set(named["score"]) == {1.0}
    # The same flags on texts that are no harmless ones are none of its business.
    insults = table.with_columns(label=pl.when(pl.col("who") == "a").then(pl.lit("insult")).otherwise("label"))
    assert check.find(view(insults)).passed


def test_chance_few_rows_and_one_group_pass() -> None:
    check = ErrorsByGroup(column="score", group="who", at_most=0.0)
    assert check.find(view(flags({"a": 0.11, "b": 0.1}))).passed
    assert "Fewer than two" in check.find(view(flags({"a": 0.5, "b": 0.0}, n=20))).message
    assert not check.find(view(flags({"a": 0.5, "b": 0.0}))).passed


def test_intervals_are_the_published_ones() -> None:
    # Newcombe (1998), table II, (a), method 10: 56/70 - 48/80.
    assert difference((56, 70), (48, 80)) == pytest.approx((0.2, 0.0524, 0.3339), abs=1e-4)
    # Newcombe (1998), one proportion, Wilson: 81/263 and 0/20.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)
