"""One predictor: the same answer alone, among others, in a file, in Python and after loading."""

from __future__ import annotations

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import seedbed
from predicting_sample import rows
from seedbed.core import digest
from seedbed.core.errors import DataError, ModelError
from seedbed.serve import Predictor
from seedbed.serve.predictor import BATCH, sureness
from seedbed.serve.preparation import Preparation
from seedbed.train.bundle import Input, Preprocess


@pytest.fixture(scope="module", params=["tfidf_logistic", "majority"])
def model(folder: Path, request: pytest.FixtureRequest) -> Predictor:
    return seedbed.load_model(folder / "models" / request.param)


def test_what_comes_out(model: Predictor) -> None:
    found = model.predict(["what a great film it was", None, ""])
    assert found.schema == {
        "predicted": pl.String,
        "confidence": pl.Float64,
        "probabilities": pl.Struct({"bad": pl.Float64, "good": pl.Float64}),
        "read": pl.String,
        "warnings": pl.List(pl.String),
    }
    assert found["read"].to_list() == ["what a great film it was", "", ""]
    missing = ["training left out rows like this one (drop_missing: missing)"]
    assert found["warnings"].to_list() == [[], missing, missing]
    for row in found.to_dicts():
        assert row["confidence"] == max(row["probabilities"].values()) == row["probabilities"][row["predicted"]]


def test_no_rows(model: Predictor) -> None:
    for nothing in ([], pl.DataFrame(schema={"said": pl.String})):
        found = model.predict(nothing)
        assert found.height == 0
        assert found.schema == model.predict(["x"]).schema


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(max_size=60) | st.none(), min_size=1, max_size=12), place=st.integers(0, 11))
def test_a_row_alone_is_as_among_others(model: Predictor, texts: list[str | None], place: int) -> None:
    place %= len(texts)
    together = model.predict(texts)
    alone = model.predict([texts[place]])
    assert alone.equals(together.slice(place, 1))


def test_a_number_reads_alone_as_among_others(model: Predictor) -> None:
    values = [1, 1.5, True, None, "a fine film", 2**53 + 1]
    together = model.predict([{"said": value} for value in values])
    assert together["read"].to_list() == ["1", "1.5", "true", "", "a fine film", "9007199254740993"]
    for place, value in enumerate(values):
        assert model.predict([{"said": value}]).equals(together.slice(place, 1))
        assert model.predict([{"said": value}, {"said": 0.5}]).slice(0, 1).equals(together.slice(place, 1))


def test_many_rows_are_cut_into_pieces(model: Predictor) -> None:
    texts = [f"what a {'great' if n % 3 else 'awful'} film number {n}" for n in range(BATCH + 10)]
    whole = model.predict(texts)
    assert whole.slice(BATCH - 5).equals(model.predict(texts[BATCH - 5 :]))


def test_threads_share_it(model: Predictor) -> None:
    made = rows(120)
    expected = model.predict(made)
    start = threading.Barrier(8)

    def ask(worker: int) -> bool:
        start.wait()
        return all(
            model.predict(made[n : n + 15]).equals(expected.slice(n, 15)) for n in range(worker * 15 % 120, 106, 7)
        )

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(8)))


def test_other_columns_are_not_looked_at(model: Predictor) -> None:
    frame = pl.DataFrame({"mood": [object()], "said": ["what a great film"], "predicted": [3]})
    assert frame.height == model.predict(frame).height == 1


@pytest.mark.parametrize("value", [7, 2.5, True, ["a", "b"], {"a": 1}])
def test_a_value_that_is_no_text_reads_as_in_a_file_of_json(model: Predictor, value: object) -> None:
    import orjson

    (read,) = model.predict([{"said": value}])["read"]
    (beside,) = model.predict([{"said": value}, {"said": "x"}])["read"].head(1)
    assert read == beside == orjson.dumps(value).decode()


def test_no_number_is_a_missing_value(model: Predictor) -> None:
    """As pandas gives missing texts: not the word `null`."""
    for missing in (float("nan"), np.float64("nan"), None):
        found = model.predict([missing, "a great film it is"])  # type: ignore[list-item]
        assert found["read"].to_list() == ["", "a great film it is"]
        assert found["warnings"].to_list() == [["training left out rows like this one (drop_missing: missing)"], []]
    with pytest.raises(DataError, match="a number beyond 64 bits"):
        model.predict([float("inf")])  # type: ignore[list-item]


def test_what_is_refused(model: Predictor) -> None:
    with pytest.raises(DataError, match=r"rows\.1: the model reads the column 'said'"):
        model.predict([{"said": "x"}, {"sad": "x"}])
    with pytest.raises(DataError, match="did you mean 'sayd'"):
        model.predict(pl.DataFrame({"sayd": ["x"]}))
    with pytest.raises(DataError, match="put it into a list"):
        model.predict("one text")
    with pytest.raises(DataError, match="surrogate"):
        model.predict(["\ud800"])


def changed(model: Predictor, **update: object) -> Predictor:
    before = model.bundle.preprocess
    golden = before.golden[0].model_copy(update=update)
    bundle = model.bundle.model_copy(update={"preprocess": before.model_copy(update={"golden": (golden,)})})
    return Predictor(model.name, model.folder, model.model, bundle, model.preparation)


def test_golden_examples_are_held_against_the_runtime(model: Predictor) -> None:
    assert model.check_golden() <= 1e-12
    with pytest.raises(ModelError, match="does not read as in training"):
        changed(model, text="something else").check_golden()
    with pytest.raises(ModelError, match=r"differ by up to 0\.[0-9]+ from when"):
        changed(model, predicted={"bad": 0.0, "good": 0.0}).check_golden()
    with pytest.raises(ModelError, match="differ by up to nan"):
        changed(model, predicted={"bad": float("nan"), "good": 0.0}).check_golden()


@pytest.mark.parametrize(
    "update", [{"reads": ("nope",)}, {"inputs": ()}, {"inputs": (Input(name="said"), Input(name="said"))}], ids=str
)
def test_preprocessing_that_somebody_changed_is_told_with_its_file(model: Predictor, update: dict[str, Any]) -> None:
    preprocess = model.bundle.preprocess.model_copy(update=update)
    bundle = model.bundle.model_copy(update={"preprocess": preprocess})
    before = Preparation.of(preprocess, bundle.task, at="here")
    with pytest.raises(ModelError, match=r"preprocess.json: the bundle's own examples cannot be prepared"):
        Predictor(model.name, model.folder, model.model, bundle, before).check_golden()


def test_files_that_do_not_fit_together_are_told(folder: Path, tmp_path: Path) -> None:
    changed = shutil.copytree(folder / "models" / "tfidf_logistic", tmp_path / "model")
    (changed / "vocabulary.json").write_text('{"words": ["film"], "characters": ["fi"]}')
    bundle = orjson.loads((changed / "bundle.json").read_bytes())
    bundle["files"]["vocabulary.json"] = digest.of_file(changed / "vocabulary.json")
    (changed / "bundle.json").write_bytes(orjson.dumps(bundle))
    with pytest.raises(ModelError, match="tfidf_logistic"):
        Predictor.open(changed).check_golden()


def test_a_golden_example_survives_json(model: Predictor) -> None:
    before = model.bundle.preprocess
    assert Preprocess.model_validate_json(before.model_dump_json()) == before


@pytest.mark.parametrize(
    ("confidence", "words"), [(1, "almost certain"), (0.93, "very sure"), (0.8, "fairly sure"), (0.4, "not sure")]
)
def test_words_for_confidence(confidence: float, words: str) -> None:
    assert sureness(confidence) == words
