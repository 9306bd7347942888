"""Logs that are odd: clocks that run backwards or ahead, files that are half there or go, rows of other models."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from test_watching import logged
from watched_sample import moods

from seedbed.cli.app import _exit_code
from seedbed.core.context import Context
from seedbed.core.errors import DataError
from seedbed.flow.monitoring.watch import Asked, watch
from seedbed.flow.predicting.opening import open_model
from seedbed.monitor.log import pieces
from seedbed.serve import Predictor

NOON = datetime(2026, 5, 10, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def model(watched: Path) -> Predictor:
    return open_model(watched / "models" / "tfidf_logistic")


def at(moment: datetime) -> Context:
    return Context(clock=lambda: moment)


def test_clocks_that_run_backwards_or_ahead(model: Predictor, watched: Path, tmp_path: Path) -> None:
    for place, hours in enumerate((0, -2, -1, 3)):  # written in this order
        logged(model, tmp_path / "log", moods(30, place), NOON + timedelta(hours=hours))
    found = watch(str(tmp_path / "log"), watched, context=at(NOON + timedelta(hours=1)))
    assert found.window.rows == 120
    assert (found.window.since, found.window.until) == (NOON - timedelta(hours=2), NOON + timedelta(hours=3))
    assert any("30 rows are of a time that has not come yet" in note for note in found.notes)
    late = watch(str(tmp_path / "log"), watched, Asked(window="90m"), context=at(NOON + timedelta(minutes=15)))
    assert late.window.rows == 90


def test_files_that_are_half_there_or_go_meanwhile(model: Predictor, watched: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    for place in range(4):
        logged(model, log, moods(30, place), NOON + timedelta(hours=place))
    files = sorted(log.glob("*.parquet"))
    files[1].write_bytes(files[1].read_bytes()[:200])
    (log / f".{files[0].name}.partial").write_bytes(files[0].read_bytes()[:100])  # as one that is being written
    (log / "notes.parquet").write_bytes(b"not ours")
    read = pieces(log)
    assert next(read)[1] is not None
    files[3].unlink()
    rest = dict(read)
    assert rest[files[1]] is None and rest[files[2]] is not None  # told as damaged
    assert rest.get(files[3]) is None
    found = watch(str(log), watched, context=at(NOON + timedelta(days=1)))
    assert found.window.rows == 60
    assert "1 file of the log is damaged and left out" in " ".join(found.notes)


def test_files_that_somebody_tampered_with_are_left_out(model: Predictor, watched: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    logged(model, log, moods(30, 1), NOON)
    (file,) = log.glob("*.parquet")
    rows = pl.read_parquet(file)
    odd = (
        rows.with_columns(pl.lit(3).alias("warnings")),
        rows.drop("time"),
        rows.with_columns(pl.col("time").cast(pl.String)),
        rows.with_columns(pl.lit(1.5).alias("model")),
        rows.drop("row"),
        rows.with_columns(pl.lit(3).alias("probabilities")),
    )
    for place, one in enumerate(odd):
        one.write_parquet(log / f"{file.name[:-8]}{place}.parquet")
    found = watch(str(log), watched, context=at(NOON))
    assert found.window.rows == 30
    assert "6 files of the log are damaged and left out" in found.notes


def test_windows_without_rows_of_this_model(
    model: Predictor, watched: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log"
    other = open_model(watched / "models" / "majority")
    logged(other, log, moods(20, 1), NOON)
    with pytest.raises(
        DataError, match=f"no rows of this model.*: another model answered them \\(20 by {other.digest[:12]}"
    ) as told:
        watch(str(log), watched, context=at(NOON))
    assert "--against" in told.value.hint and "window" not in told.value.hint
    logged(model, log, moods(20, 1), NOON - timedelta(days=9))
    with pytest.raises(DataError, match="no rows of this model in the window: another model answered") as told:
        watch(str(log), watched, Asked(window="1d"), context=at(NOON))
    assert "widen --window" in told.value.hint
    # Whether the server's clock or this one is wrong, or nobody asked: it says where rows are.
    with pytest.raises(
        DataError, match="in the window, from 2026-05-30 12:00 UTC on; the log ends at 2026-05-10 12:00 UTC"
    ):
        watch(str(log), watched, Asked(window="1d"), context=at(NOON + timedelta(days=21)))
    (log / "one").mkdir()
    for file in log.glob("*.parquet"):
        pl.read_parquet(file).clear().write_parquet(log / "one" / file.name)
    with pytest.raises(DataError, match="this log has no rows\n"):
        watch(str(log / "one"), watched, context=at(NOON))
    (log / "one" / file.name).write_bytes(b"PAR1")
    with pytest.raises(DataError, match="this log has no rows; 1 file of it is damaged"):
        watch(str(log / "one"), watched, context=at(NOON))
    assert _exit_code(["monitor", str(log), "--against", str(watched), "--window", "1m"]) == 3
    assert "no rows in the window, from" in capsys.readouterr().err
    assert pl.read_parquet(next(log.glob("*.parquet"))).height == 20  # nobody touched it
