"""`seedbed monitor`: a log or a file against a model, labels that come later, what cannot be looked at, exit codes."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from watched_sample import moods

from predicting_sample import write
from seedbed.cli.app import _exit_code
from seedbed.cli.monitor import summary
from seedbed.core.context import Context
from seedbed.core.errors import DataError, ModelError, RecipeError
from seedbed.core.monitoring import Watch
from seedbed.flow.monitoring.logging import prediction_log
from seedbed.flow.monitoring.watch import Asked, watch
from seedbed.flow.monitoring.window import MOST, Drawn, span_of
from seedbed.flow.predicting.opening import open_model
from seedbed.monitor.log import read_log
from seedbed.report.monitoring import render
from seedbed.serve import Predictor

NOON = datetime(2026, 5, 10, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def model(watched: Path) -> Predictor:
    return open_model(watched / "models" / "tfidf_logistic")


def alarms(found: Watch) -> set[str]:
    return {one.what for one in found.alarms}


def logged(model: Predictor, folder: Path, rows: list[dict[str, Any]], when: datetime, *, texts: bool = False) -> None:
    """What a server would log of rows."""
    answers, reads = model.answer(pl.DataFrame(rows, schema_overrides={"said": pl.String}).select("said"))
    log = prediction_log(model, folder, texts=texts)
    ids = [f"{when:%d%H%M}#{place}" for place in range(answers.height)]
    fixed = {"request": "r", "time": when, "model": model.digest}
    frame = reads.select([pl.lit(value).alias(name) for name, value in fixed.items()] + [pl.all()])
    frame = frame.with_columns(pl.Series("row", ids), answers["read"].str.len_chars().alias("read_length"))
    log.write(frame.hstack(answers.select("predicted", "confidence", "probabilities", "warnings")))
    log.close()


def test_a_file_like_those_before_raises_no_alarm(watched: Path, tmp_path: Path) -> None:
    found = watch(str(write(tmp_path / "new.jsonl", moods(400, 2))), watched / "models" / "tfidf_logistic")
    assert not found.alarms
    assert {one.monitor for one in found.signals} == {
        "numbers", "text", "scores", "labels", "performance", "calibration", "missing",
    }  # fmt: skip
    assert found.labelled == 400
    assert "not to be relied on" not in render(found)
    (accuracy,) = found.performance
    assert accuracy.before is not None
    assert accuracy.of == "test"
    assert accuracy.now.low < accuracy.before.value < accuracy.now.high
    assert Watch.model_validate_json(found.model_dump_json()) == found


def test_drift_is_found_and_named(watched: Path, tmp_path: Path) -> None:
    rows = [
        {"said": one["said"].replace("film", "parcel").replace("cast", "delivery")} for one in moods(400, 2, hard=0.9)
    ]
    found = watch(str(write(tmp_path / "new.jsonl", rows)), watched / "models" / "tfidf_logistic")
    assert {"texts: words", "confidence", "accuracy, estimated"} <= alarms(found)
    (estimated,) = found.estimated
    assert estimated.now.high < estimated.before.low
    assert "texts: words" in estimated.doubted
    assert "not to be relied on" in "\n".join(summary(found)) and "not to be relied on" in render(found)
    truth = watch(str(write(tmp_path / "with.jsonl", moods(400, 2, hard=0.9))), watched / "models" / "tfidf_logistic")
    # It sees the fall and not all of it: what it assumes does not hold where texts are of another kind.
    assert truth.performance[0].now.value < estimated.now.value < estimated.before.value


def test_missing_texts_are_counted_and_compared_no_further(watched: Path, tmp_path: Path) -> None:
    rows = moods(400, 2)
    for one in rows[::10]:
        one["said"] = None
    found = watch(str(write(tmp_path / "new.jsonl", rows)), watched / "models" / "tfidf_logistic")
    assert alarms(found) == {"rows like those that training left out"}
    assert any(note.startswith("40 rows") for note in found.notes)
    gone = watch(str(write(tmp_path / "none.jsonl", [{"said": None, "x": 1}] * 30)), watched)
    assert alarms(gone) == {"rows like those that training left out"}


def test_what_labels_mean_has_changed(watched: Path, tmp_path: Path) -> None:
    other = {"good": "bad", "bad": "good"}
    rows = [one | {"mood": other[one["mood"]] if n % 4 == 0 else one["mood"]} for n, one in enumerate(moods(400, 2))]
    found = watch(str(write(tmp_path / "new.jsonl", rows)), watched / "models" / "tfidf_logistic")
    assert alarms(found) == {"accuracy", "confidence less accuracy"}


def test_a_log_and_its_window(model: Predictor, watched: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    logged(model, log, moods(300, 2), NOON - timedelta(days=20))
    logged(model, log, moods(300, 3, good=0.9), NOON - timedelta(days=2))
    context = Context(base=tmp_path, clock=lambda: NOON)
    both = watch("log", watched, Asked(), context=context)
    late = watch("log", watched, Asked(window="7d"), context=context)
    assert (both.window.rows, late.window.rows) == (600, 300)
    assert late.window.since == NOON - timedelta(days=2)
    assert "predicted" in alarms(late)
    assert {"text", "numbers", "scores", "estimate"} <= {one.monitor for one in late.signals}  # without any text
    assert moods(1, 3)[0]["said"] not in str(read_log(log).to_dicts())
    with pytest.raises(DataError, match="no rows in the window, from 2026-05-10 09:00"):
        watch("log", watched, Asked(window="3h"), context=context)


def test_a_log_says_what_the_file_says(model: Predictor, watched: Path, tmp_path: Path) -> None:
    rows = [{"said": one["said"]} for one in moods(300, 4)] + [{"said": None}] * 3
    logged(model, tmp_path / "log", rows, NOON)
    logged(model, tmp_path / "texts", rows, NOON, texts=True)
    write(tmp_path / "new.jsonl", rows)
    found = [watch(str(tmp_path / name), watched) for name in ("log", "texts", "new.jsonl")]
    told = [{one.what: (one.effect, one.p) for one in each.signals} for each in found]
    assert told[0] == told[1] == told[2]


def test_labels_that_come_later(model: Predictor, watched: Path, tmp_path: Path) -> None:
    rows = moods(300, 5)
    logged(model, tmp_path / "log", rows, NOON)
    labels = [{"row": f"{NOON:%d%H%M}#{place}", "mood": one["mood"]} for place, one in enumerate(rows[:200])]
    write(tmp_path / "labels.jsonl", [*labels, {"row": "elsewhere#1", "mood": "good"}])
    found = watch(str(tmp_path / "log"), watched, Asked(labels=tmp_path / "labels.jsonl"))
    assert found.labelled == 200
    assert found.estimated  # of the others nobody knows
    assert not found.alarms
    assert "1 label is of rows that are not in the window" in found.notes
    pl.DataFrame({"row": [one["row"] for one in labels], "answer": ["mood?"] * 200}).write_csv(tmp_path / "odd.csv")
    odd = watch(str(tmp_path / "log"), watched, Asked(labels=tmp_path / "odd.csv"))
    assert odd.labelled == 0
    assert any("no fair sample" in note for note in odd.notes)
    with pytest.raises(RecipeError, match="no such file"):
        watch(str(tmp_path / "log"), watched, Asked(labels=tmp_path / "labls.jsonl"))


def test_rows_of_another_model_are_left_out(model: Predictor, watched: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    logged(model, log, moods(100, 6), NOON)
    logged(open_model(watched / "models" / "majority"), log, moods(50, 7), NOON)
    (log / "notes.txt").write_text("not ours")
    (log / "20260510T120000000000-20260510T120000000000-1-ab.parquet").write_bytes(b"PAR1 and then nothing")
    found = watch(str(log), watched)
    assert found.window.rows == 100
    assert any("50 rows of the window are left out: another model answered them (50 by " in one for one in found.notes)
    assert any("1 file of the log is damaged" in note for note in found.notes)


def test_a_column_that_is_gone_is_an_alarm_and_no_error(watched: Path, tmp_path: Path) -> None:
    write(tmp_path / "new.jsonl", [{"text": one["said"]} for one in moods(60, 8)])
    found = watch(str(tmp_path / "new.jsonl"), watched)
    assert [(one.monitor, one.what) for one in found.alarms] == [("schema", "said")]
    named = watch(str(tmp_path / "new.jsonl"), watched, Asked(columns={"said": "text"}))
    assert not named.alarms


def test_meaning_is_compared_where_texts_are_there(model: Predictor, watched: Path, tmp_path: Path, tiny: Path) -> None:
    write(tmp_path / "new.jsonl", [{"said": one["said"]} for one in moods(200, 9)])
    found = watch(str(tmp_path / "new.jsonl"), watched, Asked(encoder=str(tiny)))
    assert "texts: meaning" in {one.what for one in found.signals}
    assert not found.alarms
    logged(model, tmp_path / "log", moods(100, 9), NOON)
    without = watch(str(tmp_path / "log"), watched, Asked(encoder=str(tiny)))
    assert any("the log holds no texts" in note for note in without.notes)
    shutil.copytree(watched / "models" / "tfidf_logistic", tmp_path / "alone")
    alone = watch(str(tmp_path / "new.jsonl"), tmp_path / "alone", Asked(encoder=str(tiny)))
    assert any("needs the run's folder" in note for note in alone.notes)


def test_a_bundle_of_before_is_compared_by_its_profiles(watched: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    shutil.copytree(watched / "models" / "tfidf_logistic", old)
    held = json.loads((old / "reference.json").read_text())
    del held["monitor"]
    (old / "reference.json").write_text(json.dumps(held))
    bundle = json.loads((old / "bundle.json").read_text())
    from seedbed.core import digest

    bundle["files"]["reference.json"] = digest.of_file(old / "reference.json")
    (old / "bundle.json").write_text(json.dumps(bundle))
    like = watch(str(write(tmp_path / "new.jsonl", moods(400, 2))), old)
    assert not like.alarms
    assert any("before models were watched" in note for note in like.notes)
    other = [{"said": one["said"]} for one in moods(400, 2, good=0.9)]
    drifted = watch(str(write(tmp_path / "other.jsonl", other)), old)
    assert alarms(drifted) == {"predicted"}
    (old / "reference.json").unlink()
    del bundle["files"]["reference.json"]
    (old / "bundle.json").write_text(json.dumps(bundle))
    with pytest.raises(ModelError, match="nothing to compare with"):
        watch(str(tmp_path / "new.jsonl"), old)
    prediction_log(open_model(old), tmp_path / "log").close()  # which needs no reference


def test_windows_that_are_none(watched: Path, tmp_path: Path) -> None:
    assert span_of("90m") == timedelta(minutes=90)
    assert span_of(" 2 w ") == timedelta(weeks=2)
    for odd in ("7", "d", "-1d", "0h", "1y", "99999999999999d"):
        with pytest.raises(RecipeError, match="no length of time"):
            span_of(odd)
    write(tmp_path / "new.jsonl", moods(20, 2))
    with pytest.raises(RecipeError, match="only the rows of a log have times"):
        watch(str(tmp_path / "new.jsonl"), watched, Asked(window="1d"))
    (tmp_path / "empty.csv").write_text("said\n")
    with pytest.raises(DataError):
        watch(str(tmp_path / "empty.csv"), watched)


def test_of_very_many_rows_a_sample_is_held() -> None:
    drawn, again = Drawn(), Drawn()
    for start in range(0, 5 * MOST, MOST // 2):
        drawn.add(pl.DataFrame({"n": range(start, start + MOST // 2)}))
    again.add(pl.DataFrame({"n": range(5 * MOST)}))
    rows = drawn.rows()
    assert rows.height == MOST
    assert drawn.seen == 5 * MOST
    assert rows.equals(again.rows())  # however they came
    assert abs(rows["n"].mean() / (2.5 * MOST) - 1) < 0.02  # type: ignore[operator]


def test_the_command(watched: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    like, other = tmp_path / "like.jsonl", tmp_path / "other.jsonl"
    write(like, moods(300, 2))
    write(other, [{"said": one["said"].upper()[:30]} for one in moods(300, 2)])
    assert _exit_code(["monitor", str(like), "--against", str(watched)]) == 0
    assert "no alarm" in capsys.readouterr().out
    page = tmp_path / "monitor.html"
    assert _exit_code(["monitor", str(other), "--against", str(watched), "--out", str(page), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["alarm"] is True
    assert told["signals"][0]["alarm"] is True
    assert "said: length" in page.read_text("utf-8")
    assert _exit_code(["monitor", str(other), "--against", str(watched), "--level", "0.0001"]) == 1
    capsys.readouterr()
    for arguments, code, words in (
        (["--window", "soon"], 2, "no length of time"),
        (["--webhook", "ftp://x"], 2, "no address"),
        (["--out", str(tmp_path)], 2, "folder"),
        (["--column", "x"], 2, "INPUT=COLUMN"),
    ):
        assert _exit_code(["monitor", str(like), "--against", str(watched), *arguments]) == code
        assert words in capsys.readouterr().err
    assert _exit_code(["monitor", str(tmp_path / "none.csv"), "--against", str(watched)]) == 3
    assert _exit_code(["monitor", str(like), "--against", str(tmp_path / "none")]) == 4
