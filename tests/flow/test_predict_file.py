"""Labelling files: every record comes out, in order, whatever the kind; memory does not grow with the file."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import seedbed
from predicting_sample import rows, small_run, write
from seedbed.cli.predict import summary
from seedbed.core.context import Context
from seedbed.core.errors import DataError, ModelError, RecipeError
from seedbed.flow.predicting.opening import open_model
from seedbed.flow.predicting.predict import predict_file
from seedbed.serve import Predictor
from seedbed.serve.predictor import BATCH


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_run(tmp_path_factory.mktemp("run")).folder


@pytest.fixture(scope="module")
def model(folder: Path) -> Predictor:
    return open_model(folder)


def csv_of(path: Path, made: list[dict[str, Any]]) -> Path:
    pl.DataFrame(made).write_csv(path)
    return path


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet", "csv.gz"])
def test_every_kind_in_and_out(model: Predictor, tmp_path: Path, kind: str, ending: str) -> None:
    made = rows(300, seed=9)
    given = tmp_path / f"new.{kind}"
    if kind == "parquet":
        pl.DataFrame(made).write_parquet(given)
    elif kind == "jsonl":
        write(given, made)
    else:
        csv_of(tmp_path / "plain.csv", made)
        data = (tmp_path / "plain.csv").read_bytes()
        given.write_bytes(gzip.compress(data) if kind.endswith("gz") else data)
    out = tmp_path / f"out.{ending}"
    done = predict_file(model, str(given), out)
    read = {"csv": pl.read_csv, "jsonl": pl.read_ndjson, "parquet": pl.read_parquet}[ending](out)
    assert done.rows == read.height == 300
    assert read["row"].to_list() == [f"0:new.{kind}#{place}" for place in range(1, 301)]
    if ending != "csv":
        assert read.columns == ["row", *made[0], "predicted", "confidence", "probabilities", "warnings"]
        assert read["probabilities"].struct.fields == ["bad", "good"]
    else:
        shares = ["probability bad", "probability good"]
        assert read.columns == ["row", *made[0], "predicted", "confidence", *shares, "warnings"]
    alone = model.predict(made)
    assert read["predicted"].to_list() == alone["predicted"].to_list()
    assert read["confidence"].to_list() == pytest.approx(alone["confidence"].to_list())
    assert done.warned == (alone["warnings"].list.len() > 0).sum() > 0


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_more_rows_than_are_seen_at_once(folder: Path, tmp_path: Path, ending: str) -> None:
    path = tmp_path / "new.csv"
    records = (f"a film {place},{place if place % 3 else '7,8'}\n" for place in range(1, 2 * BATCH))
    path.write_text("said,number\n" + "".join(records))
    out = tmp_path / f"out.{ending}"
    done = predict_file(open_model(folder / "models/majority"), str(path), out)
    read = {"csv": pl.read_csv, "jsonl": pl.read_ndjson, "parquet": pl.read_parquet}[ending](out)
    assert read["row"].to_list() == [f"0:new.csv#{place}" for place in range(1, 2 * BATCH)]
    assert read["predicted"].null_count() == done.malformed == (2 * BATCH - 1) // 3


def test_records_that_cannot_be_read_have_a_row_too(model: Predictor, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "said,mood\nwhat a great film it was,good\nbroken\nan awful film to sit in,bad\n,,,\n"
    )
    done = predict_file(model, str(tmp_path / "a.csv"), tmp_path / "out.jsonl")
    out = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row["row"] for row in out] == [f"0:a.csv#{place}" for place in (1, 2, 3, 4)]
    assert [row["predicted"] for row in out] == ["good", None, "bad", None]
    assert out[1]["warnings"] == ["it could not be read: too_few_fields, line 3"]
    assert out[3]["warnings"] == ["it could not be read: too_many_fields, line 5"]
    assert (done.rows, done.malformed, done.labelled, done.right) == (4, 2, 2, 2)
    accuracy = done.accuracy()
    assert accuracy is not None
    assert (accuracy.value, accuracy.high, accuracy.n) == (1, 1, 2)
    assert accuracy.low == pytest.approx(0.025**0.5)  # (alpha/2)^(1/n), Clopper and Pearson


def test_texts_that_say_nothing_have_a_label_and_are_counted(model: Predictor, tmp_path: Path) -> None:
    made = [{"said": text} for text in ("what a great film", "", None, " \u2003\n", "...")]
    done = predict_file(model, str(write(tmp_path / "a.jsonl", made)), tmp_path / "out.jsonl")
    out = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert done.empty == 3 and done.rows == 5 and all(row["predicted"] for row in out)
    assert [bool(row["warnings"]) for row in out][:4] == [False, True, True, True]
    assert out[1]["predicted"] == model.predict([""])["predicted"][0], "as one that is served"
    assert "3 leave nothing to read, so that their label says nothing of them" in " ".join(summary(done, None))


def test_labels_are_read_as_training_read_them(model: Predictor, tmp_path: Path) -> None:
    made = rows(40)
    assert "NEG" in {one["mood"] for one in made} and model.labels == ("bad", "good")
    done = predict_file(model, str(write(tmp_path / "a.jsonl", made)), tmp_path / "out.csv")
    assert (done.labelled, done.strange) == (40, 0)
    found = pl.read_csv(tmp_path / "out.csv")
    right = (found["mood"].replace({"NEG": "bad"}) == found["predicted"]).sum()
    accuracy = done.accuracy()
    assert accuracy is not None and accuracy.value == right / 40 > 0.8


def test_labels_that_are_none_of_the_models_are_not_compared(model: Predictor, tmp_path: Path) -> None:
    made = rows(40)
    made[5]["mood"] = "so so"
    done = predict_file(model, str(write(tmp_path / "a.jsonl", made)), tmp_path / "out.csv")
    assert (done.labelled, done.strange) == (40, 1)
    assert done.accuracy() is None


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_probabilities_may_be_few_or_none(model: Predictor, tmp_path: Path, ending: str) -> None:
    given = write(tmp_path / "a.jsonl", [{"said": "what a great film"}, {"said": "a dreadful film"}])
    given.write_text(given.read_text() + "[1]\n")  # a record that has no answer
    found = {}
    for most in (None, 0, 1, 9):
        out = tmp_path / f"{most}.{ending}"
        predict_file(model, str(given), out, probabilities=most)
        read = {"csv": pl.read_csv, "jsonl": pl.read_ndjson, "parquet": pl.read_parquet}[ending]
        found[most] = read(out)
    whole, none, first, both = found.values()
    assert none.columns == [name for name in whole.columns if not name.startswith("probabilit")]
    assert whole["predicted"].to_list() == none["predicted"].to_list() == ["good", "bad", None]
    if ending == "csv":
        assert [name for name in first.columns if name not in none.columns] == ["label 1", "probability 1"]
        assert both["label 1"].to_list() == both["predicted"].to_list()
        assert both["label 2"].to_list() == ["bad", "good", None]
        assert both["probability 2"][0] == whole["probability bad"][0]
    else:
        assert both["probabilities"][2] is None
        for row, all_of_it in zip(both["probabilities"][:2], whole["probabilities"][:2], strict=True):
            assert {one["label"]: one["probability"] for one in row} == all_of_it
        assert [row[0]["label"] for row in first["probabilities"][:2]] == ["good", "bad"]


def test_columns_called_like_ours_stay_under_another_name(model: Predictor, tmp_path: Path) -> None:
    made = [{"said": "what a great film", "row": "mine", "confidence": 7, "confidence_": 8, "warnings": "none"}]
    predict_file(model, str(write(tmp_path / "a.jsonl", made)), tmp_path / "out.parquet")
    (found,) = pl.read_parquet(tmp_path / "out.parquet").to_dicts()
    assert (found["row"], found["row_"]) == ("0:a.jsonl#1", "mine")
    assert (found["confidence__"], found["confidence_"], found["warnings_"]) == (7, 8, "none")
    assert 0.5 < found["confidence"] < 1


def test_a_column_by_another_name(model: Predictor, tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [{"sayd": "what a great film"}])
    with pytest.raises(DataError, match=r"(?s)reads the column 'said'.*did you mean 'sayd'.*--column said=COLUMN"):
        predict_file(model, str(path), tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
    predict_file(model, str(path), tmp_path / "out.csv", columns={"said": "sayd"})
    assert pl.read_csv(tmp_path / "out.csv")["predicted"].to_list() == ["good"]
    with pytest.raises(RecipeError, match="the other way round: --column said=sayd"):
        predict_file(model, str(path), tmp_path / "out.csv", columns={"sayd": "said"})
    path = write(tmp_path / "b.jsonl", [{"words": "what a great film"}])
    with pytest.raises(DataError, match=r"it has the columns words\. Say --column said=COLUMN"):
        predict_file(model, str(path), tmp_path / "out.csv")
    with pytest.raises(DataError, match="no column 'sayt'"):
        predict_file(model, str(path), tmp_path / "out.csv", columns={"said": "sayt"})
    with pytest.raises(RecipeError, match="no input 'text'"):
        predict_file(model, str(path), tmp_path / "out.csv", columns={"text": "sayd"})


def test_a_name_that_a_source_of_training_had(tmp_path: Path) -> None:
    columns = {"said": "Message Body", "mood": "mood"}
    made = [{"Message Body": row["said"], "mood": row["mood"]} for row in rows(300)]
    source = {"use": "jsonl", "path": "rows.jsonl", "columns": columns}
    model = seedbed.load_model(small_run(tmp_path, made, sources=[source]).folder)
    assert model.bundle.preprocess.inputs[0].known_as == ("Message Body",)
    predict_file(model, str(write(tmp_path / "new.jsonl", made[:9])), tmp_path / "out.csv")
    assert pl.read_csv(tmp_path / "out.csv").height == 9


def test_texts_that_are_numbers_at_first(model: Predictor, tmp_path: Path) -> None:
    made: list[dict[str, Any]] = [{"said": place} for place in range(60_000)] + [{"said": "what a great film it was"}]
    done = predict_file(model, str(write(tmp_path / "a.jsonl", made)), tmp_path / "out.parquet")
    assert (done.rows, done.malformed) == (60_001, 0)
    assert pl.read_parquet(tmp_path / "out.parquet")["predicted"][-1] == "good"


@pytest.mark.parametrize(
    ("out", "words"),
    [("out.xlsx", "the ending '.xlsx' tells no format"), ("out", "no ending"), ("a.jsonl", "replace the file"),
     (".", "no ending"), ("in.csv", "this is a folder")],
)  # fmt: skip
def test_places_that_are_refused(model: Predictor, tmp_path: Path, out: str, words: str) -> None:
    path = write(tmp_path / "a.jsonl", rows(5))
    (tmp_path / "in.csv").mkdir()
    before = path.read_bytes()
    with pytest.raises(RecipeError, match=words):
        predict_file(model, str(path), tmp_path / out)
    assert path.read_bytes() == before


def test_a_file_that_fails_half_way_leaves_nothing(model: Predictor, tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", rows(50))
    seen: list[pl.DataFrame] = []

    class Changes:
        def start(self, *_: object) -> Any:
            path.write_bytes(path.read_bytes() + b"{}\n")
            return self

        def finish(self, _: object) -> None: ...
        def advance(self, *_: object) -> None: ...
        def say(self, _: str) -> None: ...

    with pytest.raises(DataError, match="changed"):
        predict_file(model, str(path), tmp_path / "out.csv", context=Context(progress=Changes()))
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.jsonl"]
    assert seen == []


def test_what_is_no_model(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for place, words in (
        (folder.parent / "ou", "no such folder.*did you mean 'out'"),
        (tmp_path / "file", "this is a file"),
        (tmp_path, "neither a model nor a run"),
        (folder / "models", "several models.*models/majority"),
    ):
        with pytest.raises(ModelError, match=f"(?s){words}") as error:
            open_model(place)
        assert len(str(error.value).splitlines()) <= 5


def test_a_run_that_was_stopped_has_no_model(tmp_path: Path) -> None:
    done = small_run(tmp_path, checks=[{"use": "row_count", "at_least": 10_000, "on_fail": "stop"}])
    with pytest.raises(ModelError, match="it was stopped by row_count"):
        open_model(done.folder)


def test_a_model_knows_its_run(folder: Path) -> None:
    named = open_model(folder / "models" / "majority")
    assert named.name == "majority"
    assert named.run == open_model(folder).run is not None


_LABEL = """
import resource, sys
from pathlib import Path
from seedbed.flow.predicting.opening import open_model
from seedbed.flow.predicting.predict import predict_file
done = predict_file(open_model(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
print(done.rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_memory_does_not_grow_with_the_file(folder: Path, tmp_path: Path, ending: str) -> None:
    peaks = {}
    for size in (40_000, 400_000):
        path = tmp_path / f"{size}.csv"
        with path.open("w") as file:
            file.write("said,number\n")
            file.writelines(
                f"what a great film number {place} this was to sit in for us all,{place}\n" for place in range(size)
            )
        command = [
            sys.executable,
            "-c",
            _LABEL,
            str(folder / "models/majority"),
            str(path),
            str(tmp_path / f"o.{ending}"),
        ]
        found, peak = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        assert int(found) == size
        peaks[size] = int(peak) / 1024
    assert peaks[400_000] < peaks[40_000] + 60, peaks  # MB; the larger file has 27 MB
