"""The checks against what they promise beyond their examples."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from seedbed.checks import AllowedValues, ClassShare, NoLeakage, NoMissing, RowCount
from seedbed.core.check import Check, View
from seedbed.core.rows import ROW
from seedbed.core.task import TextClassification

TASK = TextClassification(kind="text_classification", text="text", label="label")


def view(columns: Mapping[str, list[Any]], task: TextClassification = TASK, **certificate: Any) -> View:
    table = pl.DataFrame(dict(columns))
    rows = table.with_columns(pl.format("0:t#{}", pl.int_range(1, table.height + 1)).alias(ROW))
    return View(rows=rows.lazy(), task=task, certificate=certificate)


def test_row_count() -> None:
    found = RowCount(at_least=5, on_fail="stop").find(view({"text": ["a", "b"]}))
    assert (found.passed, found.value, found.limit, found.on_fail) == (False, 2, 5, "stop")
    assert found.message == "There are 2 rows; at least 5 are expected."
    assert RowCount(at_least=2, at_most=2).find(view({"text": ["a", "b"]})).passed
    assert RowCount(at_most=0).find(view({"text": []})).passed


def test_no_missing_names_rows_and_columns() -> None:
    rows = view({"text": ["a", None, "", "d"], "label": ["x", None, "y", None]})
    found = NoMissing().find(rows)
    assert (found.passed, found.value) == (False, 3)
    assert found.rows == ("0:t#2", "0:t#3", "0:t#4")
    assert found.message == "3 of 4 rows miss a value: text (2), label (2)."
    assert NoMissing(columns=["text"], blank=False).find(rows).value == 1


def test_a_finding_names_at_most_ten_rows_in_order() -> None:
    found = NoMissing(columns=["text"]).find(view({"text": ["x", *[None] * 30]}))
    assert found.rows == tuple(f"0:t#{i}" for i in range(2, 12))
    assert found.value == 30


def test_allowed_values_shows_what_is_not() -> None:
    found = AllowedValues(column="label", values=["a"]).find(view({"label": ["a", "b", "b", "c", None]}))
    assert (found.passed, found.value, found.rows) == (False, 3, ("0:t#2", "0:t#3", "0:t#4"))
    assert found.message == "3 of 5 rows hold a value of label that is not allowed, such as 'b', 'c'."


def test_class_share_names_the_class() -> None:
    rows = view({"label": ["a"] * 6 + ["b"] * 3 + ["c"]})
    small = ClassShare(at_least=0.2, column="label").find(rows)
    assert (small.passed, small.value, small.limit) == (False, 0.1, 0.2)
    assert small.message == "The smallest class of label, 'c', has 1 of 10 rows (10.0%); at least 20.0% is expected."
    large = ClassShare(at_least=0.05, at_most=0.5, column="label").find(rows)
    assert (large.passed, large.value, large.limit) == (False, 0.6, 0.5)
    both = ClassShare(at_least=0.1, at_most=0.6, column="label").find(rows)
    assert (both.passed, both.value, both.limit) == (True, 0.1, 0.1)


def test_class_share_counts_a_label_that_no_row_has() -> None:
    task = TextClassification(kind="text_classification", text="text", label="label", labels=("a", "b", "c"))
    found = ClassShare(at_least=0.1).for_task(task.roles).find(view({"label": ["a", "b"]}, task))
    assert (found.passed, found.value) == (False, 0.0)
    assert "'c'" in found.message


def test_class_share_without_labels_is_not_passed() -> None:
    found = ClassShare(at_most=0.9, column="label").find(view({"label": [None, None]}))
    assert not found.passed
    assert found.message == "No row has a value of label."


@given(st.lists(st.sampled_from(["a", "b", "c", None]), max_size=40), st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_class_share_agrees_with_counting(labels: list[str | None], one: float, other: float) -> None:
    least, most = sorted((one, other))
    table = {"label": pl.Series(labels, dtype=pl.String).to_list() or []}
    rows = View(pl.DataFrame(table, schema={"label": pl.String}).with_columns(row=pl.lit("r")).lazy(), TASK)
    present = [label for label in labels if label is not None]
    shares = [present.count(label) / len(present) for label in set(present)]
    passed = bool(shares) and min(shares) >= least and max(shares) <= most
    assert ClassShare(at_least=least, at_most=most, column="label").find(rows).passed == passed


def test_no_leakage_believes_only_a_certificate() -> None:
    assert NoLeakage.when == "split"
    assert not NoLeakage().find(view({})).passed
    verified = {"rows": 2000, "of": 3590, "pairs_found": 0, "upper_bound": 0.001}
    found = NoLeakage().find(view({}, passed=True, verified=verified))
    assert (found.passed, found.value, found.limit) == (True, 0, 0)
    assert "2,000 of 3,590" in found.message
    assert not NoLeakage().find(view({}, passed="yes", verified=verified)).passed
    bad = NoLeakage(on_fail="stop").find(view({}, passed=False, verified=verified | {"pairs_found": 7}))
    assert (bad.passed, bad.value, bad.on_fail) == (False, 7, "stop")
    assert bad.message.startswith("7 pairs")


@pytest.mark.parametrize(
    "check",
    [
        RowCount(at_least=1),
        NoMissing(),
        AllowedValues(column="label", values=["a"]),
        ClassShare(at_least=0.5, column="label"),
    ],
    ids=lambda check: check.use,
)
def test_checks_read_shards_on_disk(check: Check, tmp_path: Path) -> None:
    for shard in range(3):
        table = {ROW: [f"0:t#{shard * 2 + i}" for i in range(2)], "text": ["x", None], "label": ["a", "b"]}
        pl.DataFrame(table).write_parquet(tmp_path / f"{shard}.parquet")
    on_disk = View(pl.scan_parquet(sorted(tmp_path.glob("*.parquet"))), TASK)
    in_memory = View(on_disk.rows.collect().lazy(), TASK)
    assert check.find(on_disk) == check.find(in_memory)


@pytest.mark.parametrize(
    ("check", "options", "words"),
    [
        (RowCount, {}, "needs at_least, at_most or both"),
        (RowCount, {"at_least": 2, "at_most": 1}, "at least 2 and at most 1"),
        (ClassShare, {}, "needs at_least, at_most or both"),
        (ClassShare, {"at_least": 5}, "less than or equal to 1"),
        (ClassShare, {"at_least": 0.5, "at_most": 0.4}, "at least 0.5 and at most 0.4"),
        (AllowedValues, {"column": "label", "values": []}, "at least 1 item"),
        (NoMissing, {"columns": []}, "at least 1 item"),
        (NoLeakage, {"on_fail": "explode"}, "warn"),
    ],
)
def test_refused(check: type[Check], options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        check.model_validate({"use": check.model_fields["use"].default, **options})


@pytest.mark.parametrize(
    "check",
    [AllowedValues(column="label", values=["a"]), ClassShare(at_least=0.9, column="label")],
    ids=lambda c: c.use,
)
def test_a_value_that_is_quoted_is_masked(check: Check) -> None:
    message = check.find(view({"label": ["ann@example.org", "a", "a"]})).message
    assert "'[e-mail]'" in message
    assert "ann" not in message
