"""A model leaves as a graph, with a program that needs nothing of ours, and not where it answers otherwise."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from seedbed.core.context import Context
from seedbed.core.errors import DataError, ModelError, RecipeError
from seedbed.flow.exporting.export import Asked, export
from seedbed.flow.predicting.predict import open_model
from seedbed.flow.shipping.opened import shipped
from seedbed.publish.onnx import Onnx

#: Runs the exported program where Seedbed cannot be imported, on the golden examples.
CHECK = """
import json, sys
sys.modules["seedbed"] = None
sys.path.insert(0, sys.argv[1])
from runtime import Model
golden = json.load(open(sys.argv[1] + "/golden.json", encoding="utf-8"))
model = Model()
answers = model([one["reads"]["said"] for one in golden])
print(json.dumps([dict(zip(model.told["labels"], map(float, answer))) for answer in answers]))
"""


def ship(run: Path, model: str, out: Path, **options: object) -> dict:
    """Export a model; what parity.json says."""
    context = Context(base=out.parent, store=out.parent / ".seedbed")
    asked = Asked("onnx", str(out), options=tuple(f"{name}={json.dumps(one)}" for name, one in options.items()))
    done = export(str(run / "models" / model), asked, context)
    assert done.model == model
    return json.loads((out / "parity.json").read_text())


def test_a_model_that_counts_terms(counting: Path, tmp_path: Path) -> None:
    parity = ship(counting, "tfidf_logistic", tmp_path / "out")
    assert parity["rows_are"] == "test"
    assert parity["rows"] == parity["of"] > 20
    assert list(parity["forms"]) == ["model.onnx"], "8 bits are for networks"
    assert parity["forms"]["model.onnx"]["agree"] == 1
    assert parity["forms"]["model.onnx"]["largest_difference"] < 1e-5
    assert json.loads((tmp_path / "out" / "labels.json").read_text()) == {"0": "bad", "1": "good"}
    told = json.loads((tmp_path / "out" / "model.json").read_text())
    assert told["after_steps"] == ["fix_text", "normalize"]
    named = {path.name for path in (tmp_path / "out").iterdir()}
    assert set(Onnx.examples[0].after["folder"]) <= named
    assert set(json.loads((tmp_path / "out" / "export.json").read_text())["seedbed"]["holds"]) == named - {
        "export.json"
    }


@pytest.mark.parametrize("fixture", ["counting", pytest.param("reading", marks=pytest.mark.slow)])
def test_the_program_answers_golden_examples_without_seedbed(
    fixture: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    run: Path = request.getfixturevalue(fixture)
    for model in ("naive_bayes", "tfidf_logistic") if fixture == "counting" else ("embedding_logistic", "transformer"):
        ship(run, model, tmp_path / model)
        program = (tmp_path / model / "runtime.py").read_text()
        assert program.count("\n") < 60
        assert "seedbed" not in program.lower().replace("that seedbed exported", "").replace("of seedbed", "")
        shutil.copytree(tmp_path / model, tmp_path / "elsewhere" / model)
        command = [sys.executable, "-I", "-c", CHECK, str(tmp_path / "elsewhere" / model)]
        said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
        golden = json.loads((tmp_path / model / "golden.json").read_text())
        for one, answer in zip(golden, json.loads(said), strict=True):
            assert answer == pytest.approx(one["predicted"], abs=1e-4)
            assert one["reads"]["said"] == one["input"]["said"].strip().replace("&amp;", "&").replace("\n more", "more")


@pytest.mark.slow
def test_a_network_in_32_and_8_bits(reading: Path, tmp_path: Path) -> None:
    for model in ("transformer", "embedding_logistic"):
        parity = ship(reading, model, tmp_path / model, rows=20, agreement=0.8)
        whole, small = (parity["forms"][name] for name in ("model.onnx", "model.int8.onnx"))
        assert parity["rows"] == 20 < parity["of"]
        assert whole["agree"] == 1
        assert whole["largest_difference"] < 1e-5 < small["largest_difference"]
        assert small["bytes"] < 0.6 * whole["bytes"]
        assert small["low"] < small["agree"]


class _Wrong:
    """A model beside whose graph another one answers."""

    def __init__(self, model: object) -> None:
        self.model = model

    def predict(self, rows: pl.DataFrame) -> np.ndarray:
        found = self.model.predict(rows)  # type: ignore[attr-defined]
        found[::3] = found[::3, ::-1]  # every third row the other label
        return found

    def graph(self, temperature: float = 1.0) -> object:
        return self.model.graph(temperature)  # type: ignore[attr-defined]


def test_what_answers_otherwise_is_not_exported(counting: Path, tmp_path: Path) -> None:
    opened = shipped(open_model(counting / "models" / "tfidf_logistic"))
    wrong = replace(opened, model=_Wrong(opened.model))
    with pytest.raises(ModelError, match=r"model.onnx answers otherwise than the model on \d+ of \d+ rows"):
        Onnx(path="out").ship(wrong, Context(base=tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_replaced_by_another_export_only(counting: Path, tmp_path: Path) -> None:
    ship(counting, "tfidf_logistic", tmp_path / "out")
    ship(counting, "naive_bayes", tmp_path / "out")
    assert json.loads((tmp_path / "out" / "model.json").read_text())["use"] == "naive_bayes"
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(RecipeError, match=r"mine\.txt"):
        ship(counting, "naive_bayes", tmp_path / "out")
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"


def test_a_bundle_alone_is_held_against_its_examples(counting: Path, tmp_path: Path) -> None:
    shutil.copytree(counting / "models" / "tfidf_logistic", tmp_path / "alone")
    done = export(str(tmp_path / "alone"), Asked("onnx", str(tmp_path / "out")), Context(base=tmp_path))
    parity = json.loads((tmp_path / "out" / "parity.json").read_text())
    assert (parity["rows_are"], parity["rows"]) == ("golden", 8)
    assert "no run.json" in done.notes[0]


def test_what_cannot_be_exported_is_told(counting: Path, tmp_path: Path) -> None:
    for model, options, error, said in [
        ("majority", (), ModelError, "majority cannot be said as a graph"),
        ("tfidf_logistic", ("precisions=[int8]",), ModelError, "only graphs of networks get 8 bits"),
        ("tfidf_logistic", ("agreement=2",), RecipeError, "less than or equal to 1"),
        ("nothing", (), ModelError, "there is no such folder"),
    ]:
        with pytest.raises(error, match=said):
            export(str(counting / "models" / model), Asked("onnx", str(tmp_path / "o"), options=options))
    with pytest.raises(ModelError, match="this run has no model 'tfidf_svm'"):
        export(str(counting), Asked("onnx", str(tmp_path / "o"), options=("model=tfidf_svm",)))
    with pytest.raises((DataError, ModelError)):
        export(str(tmp_path), Asked("onnx", str(tmp_path / "o")))
    assert list(tmp_path.iterdir()) == []
