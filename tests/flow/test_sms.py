"""The broken CSV, from its bytes to a judged model: `examples/sms`."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from seedbed.flow.running import run
from seedbed.recipe.loading import load

RECIPE = Path(__file__).parents[2] / "examples" / "sms" / "recipe.yaml"


def test_every_message_is_accounted_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDBED_STORE", str(tmp_path / "store"))
    few = [f"train={json.dumps([{'use': 'majority'}, {'use': 'naive_bayes'}])}"]
    loaded = load(RECIPE, ["evaluate.leakage=false", "evaluate.intervals.resamples=500", *few])
    done = run(loaded, out=tmp_path / "run", workers=1)
    record = done.run
    [source] = record.sources
    assert (source.rows, source.malformed) == (5_574, 0)
    assert [note.partition(" rows: ")[0] for note in source.notes] == ["737", "8"]
    assert record.dataset.labels_before == {"0": 4_199, "ham": 628, "1": 638, "spam": 109}
    assert record.rows.read == 5_574
    assert record.rows.balanced
    assert record.rows.rejected["exact_duplicates"] == {"exact_duplicate": 403}
    assert set(record.rows.rejected) <= {"exact_duplicates", "near_duplicates", "conflicting_labels"}
    kept = pl.concat([pl.read_parquet(file) for file in sorted((tmp_path / "run/dataset/data").glob("*.parquet"))])
    ledger = pl.read_parquet(tmp_path / "run/ledger/*.parquet").filter(action="rejected")
    assert sorted(int(row.partition("#")[2]) for row in [*kept["row"], *ledger["row"]]) == list(range(1, 5_575))
    assert record.state == "passed"
    assert record.best == "naive_bayes"
    assert record.blanks == ()
    assert "737 rows" in (tmp_path / "run/report.html").read_text("utf-8")
