"""`foreign_key`, `schema`, `freshness`, `drift` and `annotator_agreement` beyond their examples."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import seedbed.recipe  # noqa: F401  (fills the catalogue of sources)
from seedbed.checks import AnnotatorAgreement, Drift, ForeignKey, Freshness, Schema
from seedbed.checks.drifting import sample
from seedbed.core.check import Finding, View
from seedbed.core.context import Context
from seedbed.core.errors import DataError, RecipeError, SeedbedError
from seedbed.core.part import BASE
from seedbed.core.rows import ROW
from seedbed.core.task import TextClassification
from seedbed.flow.checking import look

TASK = TextClassification(kind="text_classification", text="text", label="label")


def view(now: datetime | None = None, **columns: Any) -> View:
    table = pl.DataFrame(columns, strict=False)
    rows = table.with_columns(pl.format("0:t#{}", pl.int_range(1, table.height + 1)).alias(ROW))
    return View(rows=rows.lazy(), task=TASK, **({"now": now} if now else {}))


def made(part: type[Any], folder: Path, **options: Any) -> Any:
    return part.model_validate(options, context={BASE: folder})


# foreign_key


def test_keys_are_compared_as_join_compares_them(tmp_path: Path) -> None:
    (tmp_path / "ids.jsonl").write_text('{"id": 7}\n{"id": 8.0}\n{"id": null}\n')
    check = made(ForeignKey, tmp_path, column="of", source={"use": "jsonl", "path": "ids.jsonl"}, references="id")
    found = check.find(view(of=["7", "8", "07", None, " ", "9@x.org"]))
    assert (found.passed, found.value, found.rows) == (False, 2, ("0:t#3", "0:t#6"))
    assert found.message == ("2 of 4 values of of do not stand in id of ids.jsonl, such as '07', '[e-mail]'."), (
        found.message
    )
    assert check.find(view(of=[7.0, 8.0, float("nan")])).passed
    assert check.model_copy(update={"most_missing": 2}).find(view(of=["7", "x"])).passed


@pytest.mark.parametrize(
    ("source", "references", "error", "said"),
    [
        ({"use": "csv", "path": "gone.csv"}, "id", DataError, "gone.csv"),
        ({"use": "csv", "path": "ids.csv"}, "ids", RecipeError, "did you mean 'id'"),
        ({"use": "csv", "path": "ids.csv", "columns": {"a": "b"}}, "a", RecipeError, "does not have"),
    ],
)
def test_a_reference_that_is_not_there_is_told(
    tmp_path: Path, source: dict[str, Any], references: str, error: type[SeedbedError], said: str
) -> None:
    (tmp_path / "ids.csv").write_text("id\n1\n")
    with pytest.raises(error, match=said):
        made(ForeignKey, tmp_path, column="of", source=source, references=references).find(view(of=[1]))


# schema


def test_texts_that_hold_back_a_type_are_shown() -> None:
    check = Schema(columns={"stars": "integer", "day": "date", "ok": "boolean", "n": "number"})
    found = check.find(view(stars=["1", "n/a", None, "2"], day=["2024-01-01"] * 3 + ["x"], ok=["true"] * 4, n=[1] * 4))
    assert found.value == 3
    assert found.rows == ("0:t#2", "0:t#4", "0:t#1", "0:t#3")  # one of each fault after the other
    assert "stars holds text, not integer ('n/a')" in found.message
    assert "(every text could be read as boolean: see `cast`)" in found.message


def test_schema_knows_types_order_and_others() -> None:
    rows = view(
        a=["x"], b=[1], c=[1.5], d=[True], e=[date(2024, 1, 1)], f=[datetime(2024, 1, 1)], g=[[1]], h=[{"x": 1}]
    )
    right = dict(
        a="text", b="integer", c="number", d="boolean", e="date", f="datetime", g="list", h="record"
    )  # fmt: skip
    assert Schema(columns=right, others=False, in_order=True).find(rows).passed
    assert Schema(columns={"b": "number", "h": "any"}).find(rows).passed
    assert not Schema(columns={"c": "integer"}).find(rows).passed
    assert not Schema(columns={"f": "date"}).find(rows).passed
    assert not Schema(columns={"b": "integer", "a": "text"}, in_order=True).find(rows).passed
    assert Schema(columns={"a": "text"}, others=False).find(rows).value == 7


def test_a_schema_names_rows_of_every_fault_that_rows_can_have() -> None:
    rows = view(stars=[None, 1.5, 2.0], extra=[None, None, "x"], text=["a", "b", "c"])
    assert Schema(columns={"stars": "integer"}).find(rows).rows == ("0:t#2", "0:t#3")
    assert Schema(columns={"stars": "any", "text": "any"}, others=False).find(rows).rows == ("0:t#3",)
    assert Schema(columns={"text": "list"}).find(rows).rows == ("0:t#1", "0:t#2", "0:t#3")
    assert Schema(columns={"gone": "text"}).find(rows).rows == ()


# freshness

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def test_the_newest_row_is_held_against_the_runs_clock() -> None:
    days = [date(2026, 3, 1), date(2026, 3, 8), None]
    old = Freshness(column="day", at_most=2).find(view(NOW, day=days))
    assert (old.passed, old.value, old.rows) == (False, 2.5, ("0:t#2",))
    assert old.message == "The newest row is of 2026-03-08, 2.5 days ago; at most 2 are allowed."
    assert Freshness(column="day", at_most=3).find(view(NOW, day=days)).passed
    moved = look([Freshness(column="day", at_most=2)], "rows", view(day=days), Context(clock=lambda: NOW))
    assert moved == [old]


def test_a_row_of_the_future_makes_nothing_fresh() -> None:
    found = Freshness(column="at", at_most=30).find(view(NOW, at=[NOW - timedelta(days=400), NOW + timedelta(days=2)]))
    assert (found.passed, found.value, found.rows) == (False, 400, ("0:t#2",))
    assert found.message.endswith("1 row lies in the future.")
    only = Freshness(column="at", at_most=30).find(view(NOW, at=[NOW + timedelta(days=9)]))
    assert (only.passed, only.value) == (False, None)
    near = Freshness(column="at", at_most=30).find(view(NOW, at=[NOW + timedelta(hours=3)]))
    assert (near.passed, near.value) == (True, 0)
    with pytest.raises(DataError, match="parse_dates"):
        Freshness(column="at", at_most=1).find(view(at=["2026-01-01"]))


# drift


def reference(folder: Path, table: pl.DataFrame) -> dict[str, Any]:
    table.write_parquet(folder / "before.parquet")
    return {"use": "parquet", "path": "before.parquet"}


def people(rows: int, seed: int, *, positive: float = 0.5, words: str = "soup room staff light chair menu") -> Any:
    rng = np.random.default_rng(seed)
    known = words.split()
    return {
        "id": list(range(seed * 10**6, seed * 10**6 + rows)),
        "text": [" ".join(rng.choice(known, 8)) + f" {n % 7}" for n in range(rows)],
        "label": np.where(rng.random(rows) < positive, "good", "bad").tolist(),
        "age": rng.normal(40, 10, rows).tolist(),
        "price": [f"{x:.2f}" for x in rng.gamma(2, 10, rows)],
        "day": [date(2024, 1, 1) + timedelta(days=int(d)) for d in rng.integers(0, 300, rows)],
    }


@cache
def before() -> pl.DataFrame:
    return pl.DataFrame(people(1500, 1))


def drift(folder: Path, now: dict[str, Any], **options: Any) -> Finding:
    against = reference(folder, before())
    found = made(Drift, folder, against=against, **options).find(view(**now))
    assert isinstance(found, Finding)
    return found


def test_the_same_source_does_not_drift(tmp_path: Path) -> None:
    alarms = [drift(tmp_path, people(500, seed), at_most=0.0).passed for seed in range(2, 12)]
    assert sum(alarms) >= 8  # at 5 per cent, of ten


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"label": people(500, 3, positive=0.65)["label"]}, "label differs (TV 0.1"),
        ({"age": [x + 8 for x in people(500, 3)["age"]]}, "age differs (KS 0.3"),
        ({"price": [f"{float(x) * 2:.2f}" for x in people(500, 3)["price"]]}, "price differs (KS"),
        ({"text": people(500, 3, words="soup room engine wheel brake tyre")["text"]}, "text: unknown words differs"),
        ({"text": [text * 3 for text in people(500, 3)["text"]]}, "text: length differs (KS 1.00"),
        ({"age": [None if n % 4 == 0 else x for n, x in enumerate(people(500, 3)["age"])]}, "age: empty differs"),
    ],
)
def test_each_drift_is_found_and_named(tmp_path: Path, change: dict[str, Any], what: str) -> None:
    now = {**people(500, 3), **change}
    found = drift(tmp_path, now)
    assert not found.passed
    assert what in found.message
    assert found.rows
    blamed = view(**now).rows.filter(pl.col(ROW).is_in(list(found.rows))).collect()
    if "label" in change:
        assert blamed["label"].unique().to_list() == ["good"]
    if "unknown" in what:
        assert blamed["text"].str.contains("engine|wheel|brake|tyre").all()
    if "empty" in what:
        assert blamed["age"].null_count() == blamed.height


@pytest.mark.parametrize("share", [1.0, 0.9, 0.4, 0.0])
def test_rows_that_the_reference_holds_are_no_drift(tmp_path: Path, share: float) -> None:
    chance = random.Random(7)
    words = [f"word{n}" for n in range(3000)]
    texts = [" ".join(chance.choices(words, k=14)) for _ in range(800)]
    old, new = texts[:400], texts[400:]
    against = reference(tmp_path, pl.DataFrame({"text": old}))
    kept = round(share * 400)
    found = made(Drift, tmp_path, against=against).find(view(text=[*old[:kept], *new[kept:]]))
    assert isinstance(found, Finding) and found.passed, found.message


def test_words_of_rows_that_come_in_turns_are_no_drift(tmp_path: Path) -> None:
    def turns(rows: int) -> dict[str, Any]:
        rng = np.random.default_rng(rows)
        kinds = [["soup", "bread", "menu", "cook", "table"], ["engine", "wheel", "brake", "tyre", "motor"]]
        return {"text": [" ".join(rng.choice(kinds[n % 2], 6)) for n in range(rows)]}

    found = made(Drift, tmp_path, against=reference(tmp_path, pl.DataFrame(turns(400)))).find(view(**turns(300)))
    assert found.passed


def test_a_sample_stands_for_many_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample, "MOST", 400)
    assert drift(tmp_path, people(900, 5)).passed
    found = drift(tmp_path, {**people(900, 5), "age": [x + 8 for x in people(900, 5)["age"]]})
    assert not found.passed
    assert "900" not in found.message
    assert found == drift(tmp_path, {**people(900, 5), "age": [x + 8 for x in people(900, 5)["age"]]})


def test_columns_that_cannot_be_compared(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="did you mean 'age'"):
        drift(tmp_path, people(50, 2), columns=["agee"])
    with pytest.raises(DataError, match="none of the rows' columns"):
        drift(tmp_path, {"other": [1, 2]})
    nothing = {name: pl.Series([None] * 200, dtype=pl.String) for name in ("label", "text")}
    assert "empty differs (TV 1.00" in drift(tmp_path, nothing).message
    with pytest.raises(DataError, match="holds no dataset"):
        made(Drift, tmp_path, against={"run": "nowhere"}).find(view(a=[1]))


# annotator_agreement


def test_agreement_names_the_rows_on_which_people_differ() -> None:
    rows = view(a=["x", "x", "y", "y", "y"] * 10, b=["x", "x", "y", "y", "x"] * 10)
    for statistic in ("krippendorff", "fleiss", "cohen"):
        found = AnnotatorAgreement(annotators=["a", "b"], statistic=statistic, at_least=0.9).find(rows)
        assert not found.passed
        assert 0.5 < float(found.value or 0) < 0.7
        assert found.rows[:2] == ("0:t#5", "0:t#10")
        assert "Annotators differ on 10 rows." in found.message
        assert " to " in found.message


def test_texts_need_an_order_for_ordinal_agreement() -> None:
    rows = view(a=["low", "high", "mid"], b=["low", "mid", "mid"])
    order = {"level": "ordinal", "order": ["low", "mid", "high"]}
    assert float(AnnotatorAgreement(annotators=["a", "b"], **order).find(rows).value or 0) > 0.5
    with pytest.raises(DataError, match="say it in `order`"):
        AnnotatorAgreement(annotators=["a", "b"], level="ordinal").find(rows)
    with pytest.raises(DataError, match="does not name the label 'mid'"):
        AnnotatorAgreement(annotators=["a", "b"], level="ordinal", order=["low", "high"]).find(rows)
    with pytest.raises(DataError, match="no distances"):
        AnnotatorAgreement(annotators=["a", "b"], level="interval").find(rows)
    with pytest.raises(DataError, match="holds String"):
        AnnotatorAgreement(annotators=["a"]).find(rows)


def test_nobody_rated_twice() -> None:
    found = AnnotatorAgreement(annotators=["a", "b"]).find(view(a=["x", None], b=[None, "y"]))
    assert (found.passed, found.value) == (False, None)
    assert not AnnotatorAgreement(annotators=["a"]).find(view(a=[["x"], []])).passed
