"""Training rows that are like a row of a table: by Gower's coefficient, looked up and shown like texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from listening import listening

from seedbed.core.errors import RecipeError
from seedbed.core.ledger import mask
from seedbed.core.rows import ROW
from seedbed.core.task import TabularClassification
from seedbed.flow.offering import near_of
from seedbed.flow.predicting.opening import open_model
from seedbed.monitor.trained import Trained, trained_of
from seedbed.serve import near_tables
from seedbed.serve.api import make_app
from seedbed.serve.near import Near
from seedbed.serve.service import Service, Version
from table_sample import LIKE

TASK = TabularClassification(label="kind", features=("size", "colour", "glossy"))


def near(folder: Path, rows: list[dict[str, Any]], trained: dict[str, Trained] | None = None, **more: Any) -> Near:
    table = pl.DataFrame(rows).with_columns(pl.Series(ROW, [f"mine:a.csv#{n}" for n in range(1, len(rows) + 1)]))
    table.write_parquet(folder / "train-00000-of-00001.parquet")
    known = {"size": Trained(low=0, high=10), "colour": Trained(values=("red",)), "glossy": Trained(values=("true",))}
    return Near([folder / "train-00000-of-00001.parquet"], TASK, folder / "store", trained=trained or known, **more)


def asked(**row: Any) -> pl.DataFrame:
    return pl.DataFrame([{"size": None, "colour": None, "glossy": None} | row],
                        schema={"size": pl.Float64, "colour": pl.String, "glossy": pl.Boolean})  # fmt: skip


def test_it_is_gowers_coefficient(tmp_path: Path) -> None:
    rows = [
        {"size": 2.0, "colour": "red", "glossy": True, "kind": "a"},
        {"size": 7.0, "colour": "red", "glossy": False, "kind": "b"},
        {"size": None, "colour": "ana@example.org", "glossy": None, "kind": "c"},
    ]
    found, searched = near(tmp_path, rows).to(asked(size=3.0, colour="red", glossy=True), 3)
    assert searched == 3 and [one.row for one in found] == ["mine:a.csv#1", "mine:a.csv#2"]
    assert found[0].similarity == pytest.approx((0.9 + 1 + 1) / 3, abs=1e-4)
    assert found[1].similarity == pytest.approx((0.6 + 1 + 0) / 3, abs=1e-4)
    assert (found[0].label, found[0].text) == ("a", None)
    assert found[0].values == {"size": 2.0, "colour": "red", "glossy": "true"}

    shown, _ = near(tmp_path, rows).to(asked(colour="ana@example.org"), 3)
    assert [one.row for one in shown] == ["mine:a.csv#3"] and shown[0].similarity == 1
    assert shown[0].values is not None and shown[0].values["colour"] == mask("ana@example.org") != "ana@example.org"
    assert near(tmp_path, rows).to(asked(), 3) == ([], 3), "nothing was given to compare"
    names, _ = near(tmp_path, rows, texts=False).to(asked(size=3.0), 1)
    assert names[0].values is None and names[0].label == "a"


def test_it_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_tables, "MOST_ROWS", 40)
    monkeypatch.setattr(near_tables, "MOST_COLUMNS", 1)
    rows = [{"size": float(n % 11), "colour": "red", "glossy": True, "kind": "a"} for n in range(100)]
    found, searched = near(tmp_path, rows).to(asked(size=5.0, colour="blue"), 50)
    assert searched == 34, "every third of 100"
    assert len(found) == 20 and found[0].similarity == 1 and set(found[0].values or {}) == {"size"}


def test_a_served_table_tells_it(table: Path, tmp_path: Path) -> None:
    model = open_model(table)
    rows = pl.concat(pl.read_parquet(one) for one in (table / "dataset" / "data").glob("train-*.parquet"))
    one = rows.row(7, named=True)
    service = Service(Version(model, near=near_of(model, "auto", "127.0.0.1", tmp_path)))
    with listening(make_app(service)) as site:
        row = {name: None if one[name] is None else str(one[name]) for name in LIKE}
        status, told, _ = site.ask("/similar", {"row": row, "most": 3})
        assert status == 200 and told["searched"] == rows.height and len(told["rows"]) == 3
        first = told["rows"][0]
        assert (first["row"], first["label"], first["similarity"]) == (one[ROW], str(one["price"]), 1.0)
        assert site.ask("/similar", {"row": row}, Host="models.example.org")[0] == 403
    names = near_of(model, "names", "0.0.0.0", tmp_path)
    assert names is not None and not names.texts


def test_a_table_of_nothing_that_compares_has_none(table: Path, tmp_path: Path) -> None:
    model = open_model(table)
    model.preparation.trained.clear()  # type: ignore[attr-defined]
    assert near_of(model, "auto", "127.0.0.1", tmp_path) is None
    with pytest.raises(RecipeError, match="no columns of numbers or few categories"):
        near_of(model, "names", "127.0.0.1", tmp_path)


def test_what_is_known_of_columns() -> None:
    n = 60
    rows = pl.DataFrame(
        {
            "id": list(range(n)),
            "size": [n % 7 / 2 for n in range(n)],
            "told": [f" {n % 9} " if n % 5 else None for n in range(n)],
            "colour": ["red", "blue", "red"] * (n // 3 - 1) + ["mauve", "", "red"],
            "glossy": [True, False] * (n // 2),
            "name": [f"No. {n}" for n in range(n)],
            "empty": pl.Series([None] * n, dtype=pl.String),
        }
    )
    assert trained_of(rows) == {
        "size": Trained(low=0, median=1.5, high=3),
        "told": Trained(low=0, median=4, high=8),
        "colour": Trained(values=("blue", "red")),
        "glossy": Trained(values=("false", "true")),
    }
