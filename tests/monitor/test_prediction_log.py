"""The log of predictions: files that are whole, rows that are not lost, texts that are not there."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from seedbed.core.errors import DataError
from seedbed.monitor.columns import LENGTH
from seedbed.monitor.log import PredictionLog, is_log, pieces, read_log
from seedbed.monitor.sketches import MAKER, sketched

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
SECRET = "my card is 4111 and I am ill"


def rows(n: int = 1, *, start: int = 0, when: datetime = NOON, text: str = SECRET) -> pl.DataFrame:
    return pl.DataFrame({
        "request": ["r"] * n,
        "time": [when] * n,
        "model": ["m"] * n,
        "row": [f"r#{start + place}" for place in range(n)],
        "text": [text] * n,
        "shop": ["north"] * n,
        "stars": [3] * n,
        "read_length": [len(text)] * n,
        "predicted": ["good"] * n,
        "confidence": [0.75] * n,
        "probabilities": [{"bad": 0.25, "good": 0.75}] * n,
        "warnings": [["odd"]] * n,
    })  # fmt: skip


def wait_for(what: object, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not what():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.01)


def test_texts_are_not_written_unless_asked(tmp_path: Path) -> None:
    for texts in (False, True):
        folder = tmp_path / str(texts)
        log = PredictionLog(folder, texts=texts, categories=("predicted", "shop"))
        log.write(rows(3))
        log.close()
        found = read_log(folder)
        held = b"".join(one.read_bytes() for one in folder.iterdir())
        assert (SECRET in str(found.to_dicts())) is texts
        assert texts or (b"4111" not in held and "text" not in found.columns)
        assert found["shop"].to_list() == ["north"] * 3
        assert found["stars"].to_list() == [3] * 3
        assert found["predicted"].to_list() == ["good"] * 3
        assert found["warnings"].to_list() == [["odd"]] * 3
        if not texts:
            assert found[f"{LENGTH}text"].to_list() == [len(SECRET)] * 3
            sketch = np.frombuffer(found[MAKER][0], dtype=np.int8)
            assert (sketch == sketched(pl.Series([SECRET]))[0]).all()
            assert sketch.any()


def test_text_that_nobody_called_a_category_is_dropped_whatever_it_is_called(tmp_path: Path) -> None:
    log = PredictionLog(tmp_path)
    log.write(rows(1).with_columns(pl.lit(SECRET).alias("predicted"), pl.lit([SECRET]).alias("turns")))
    log.close()
    found = read_log(tmp_path)
    assert SECRET not in str(found.to_dicts())
    assert found[f"{LENGTH}predicted"].to_list() == [len(SECRET)]
    assert {"predicted", "turns", "shop"}.isdisjoint(found.columns)


def test_a_file_is_written_when_rows_are_many(tmp_path: Path) -> None:
    log = PredictionLog(tmp_path, rotate_bytes=4_000, rotate_seconds=3600)
    for start in range(0, 400, 20):
        log.write(rows(20, start=start))
        time.sleep(0.005)
    wait_for(lambda: is_log(tmp_path))
    log.close()
    assert sorted(read_log(tmp_path)["row"]) == sorted(f"r#{place}" for place in range(400))


def test_a_file_is_written_when_rows_are_old(tmp_path: Path) -> None:
    log = PredictionLog(tmp_path, rotate_seconds=0.05)
    log.write(rows())
    wait_for(lambda: is_log(tmp_path))
    assert read_log(tmp_path).height == 1
    log.close()
    assert read_log(tmp_path).height == 1


def test_threads_lose_nothing(tmp_path: Path) -> None:
    log = PredictionLog(tmp_path, rotate_bytes=20_000)

    def writing(start: int) -> None:
        for place in range(50):
            log.write(rows(2, start=start + 2 * place))

    threads = [threading.Thread(target=writing, args=(1000 * one,)) for one in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    log.close()
    found = read_log(tmp_path)["row"]
    assert found.len() == found.n_unique() == 600


def test_rows_wait_while_the_disk_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    log = PredictionLog(folder, rotate_seconds=0.05)
    folder.rmdir()
    folder.write_text("in the way")  # a file stands where the folder was: no file can be written below it
    log.write(rows(2))

    def refused() -> bool:
        try:
            log.write(rows(0))
        except OSError:
            return True
        return False

    wait_for(refused)
    folder.unlink()
    log.write(rows(1, start=9))
    log.close()
    assert sorted(read_log(folder)["row"]) == ["r#0", "r#1", "r#9"]
    assert log.lost == 0


def test_what_was_lost_is_counted(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    log = PredictionLog(folder, rotate_seconds=3600)
    folder.rmdir()
    folder.write_text("in the way")
    log.write(rows(2))
    with pytest.raises(OSError, match="log"):
        log.close()
    assert log.lost == 2
    with pytest.raises(ValueError, match="closed"):
        log.write(rows())


def test_rows_that_cannot_be_logged_do_not_stop_others(tmp_path: Path) -> None:
    log = PredictionLog(tmp_path, rotate_seconds=0.02)
    log.write(rows(1).drop("time"))
    wait_for(lambda: log.lost == 1)
    with pytest.raises(OSError, match="1 rows cannot be logged"):
        log.write(rows(1, start=5))
    log.close()
    assert read_log(tmp_path)["row"].to_list() == ["r#5"]


def test_a_window_of_time(tmp_path: Path) -> None:
    for day in range(5):
        log = PredictionLog(tmp_path)
        log.write(rows(2, start=10 * day, when=NOON + timedelta(days=day)))
        log.close()
    found = read_log(tmp_path, since=NOON + timedelta(days=1), until=NOON + timedelta(days=3))
    assert sorted(found["row"]) == ["r#10", "r#11", "r#20", "r#21"]
    assert len(list(pieces(tmp_path, since=NOON + timedelta(days=4)))) == 1
    assert read_log(tmp_path, since=NOON + timedelta(days=9)).height == 0


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    log = PredictionLog(tmp_path)
    log.write(rows())
    log.close()
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-20])
    assert [(path, table) for path, table in pieces(tmp_path)] == [(file, None)]
    with pytest.raises(DataError, match="cannot be read"):
        read_log(tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        read_log(tmp_path / "other")


def test_a_killed_process_leaves_whole_files_only(tmp_path: Path) -> None:
    script = f"""
import os, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from test_prediction_log import rows
from seedbed.monitor.log import PredictionLog
log = PredictionLog(Path({str(tmp_path)!r}), rotate_bytes=2000)
for place in range(100000):
    log.write(rows(5, start=5 * place))
    if place > 50 and list(Path({str(tmp_path)!r}).glob('*.parquet')):
        os._exit(9)
"""
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert done.returncode == 9, done.stderr
    assert read_log(tmp_path).height >= 5  # each file that is there can be read
    PredictionLog(tmp_path).close()
    assert not list(tmp_path.glob(".*"))  # and what was half written is swept away


FULL_DISK = """
import resource, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_prediction_log import rows
from seedbed.monitor.log import PredictionLog
log = PredictionLog(Path({folder!r}), rotate_bytes=1)
resource.setrlimit(resource.RLIMIT_FSIZE, (500, resource.RLIM_INFINITY))
for start in range(0, 600, 50):
    try:
        log.write(rows(50, start=start))
    except OSError as error:
        print(type(error).__name__, file=sys.stderr)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
try:
    log.close()
except OSError:  # what the last file met; its rows were tried again
    pass
print(log.lost)
"""


def test_rows_wait_where_the_disk_is_full(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    code = FULL_DISK.format(tests=str(Path(__file__).parent), folder=str(folder))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == ["0"], done.stderr
    assert sorted(read_log(folder)["row"].to_list()) == sorted(f"r#{place}" for place in range(600))


def test_rows_that_wait_take_little(tmp_path: Path) -> None:
    log = PredictionLog(tmp_path / "log")
    for place in range(1_000):
        log.write(rows(start=place))
    assert len(log._waiting) < 300, "single rows are put together: a frame holds 20 KB, whatever is in it"
    log.write(rows().with_columns(stars=pl.lit("three")))  # another type, as rows of a new version may have
    log.close()
    assert read_log(tmp_path / "log").height == 1_001
