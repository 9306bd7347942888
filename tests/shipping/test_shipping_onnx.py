"""A model leaves as a graph, with a program that needs nothing of ours, and not where it answers otherwise."""

from __future__ import annotations

import json
import random
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from predicting_sample import small_run
from seedbed.core.context import Context
from seedbed.core.errors import DataError, ModelError, RecipeError
from seedbed.flow.exporting.export import Asked, export
from seedbed.flow.predicting.opening import open_model
from seedbed.flow.shipping.opened import shipped
from seedbed.publish.onnx import Onnx
from seedbed.publish.shipping.parity import agreement
from seedbed.publish.shipping.runtimes.numbers import Model

#: Runs the exported program on the golden examples, as where pip installed nothing but the packages that are named.
CHECK = """
import json, re, sys
from importlib.metadata import packages_distributions, requires

def with_needs(names, found):
    for name in names:
        if name not in found:
            found.add(name)
            plain = [one for one in requires(name) or () if "extra ==" not in one]
            with_needs([re.match(r"[\\w.-]+", one)[0].lower().replace("_", "-") for one in plain], found)
    return found

class Refuses:
    @staticmethod
    def find_spec(name, path=None, target=None):
        top = name.partition(".")[0]
        of = {one.lower().replace("_", "-") for one in owners.get(top, ())}
        if not of & allowed and top not in (*sys.stdlib_module_names, "runtime"):
            raise ModuleNotFoundError(f"{name} would not be installed", name=name)

owners, allowed = packages_distributions(), set()
try:
    with_needs(sys.argv[2:], allowed)
except ModuleNotFoundError:  # a need of another system
    pass
sys.meta_path.insert(0, Refuses)
for one in ("seedbed", "polars", "sklearn"):
    try:
        __import__(one)
    except ModuleNotFoundError:
        continue
    raise SystemExit(f"{one} is there")
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
    card = (tmp_path / "out" / "MODEL_CARD.md").read_text()
    assert "load_model" not in card and "preprocess.json" not in card and "## What was learned with" in card
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
    models = {
        "counting": ("naive_bayes", "tfidf_logistic", "random_forest", "tfidf_embedding_logistic", "ensemble"),
        "reading": ("embedding_logistic", "transformer"),
    }
    for model in models[fixture]:
        ship(run, model, tmp_path / model, agreement=0.5)
        program = (tmp_path / model / "runtime.py").read_text()
        assert program.count("\n") < 50
        readme = (tmp_path / model / "README.md").read_text()
        (needs,) = [line.removeprefix("pip install ").split() for line in readme.splitlines() if "pip install" in line]
        assert set(needs) == {"onnxruntime", *(["tokenizers"] if "import Tokenizer" in program else [])}
        assert "seedbed" not in program.lower().replace("that seedbed exported", "").replace("of seedbed", "")
        shutil.copytree(tmp_path / model, tmp_path / "elsewhere" / model)
        command = [sys.executable, "-I", "-c", CHECK, str(tmp_path / "elsewhere" / model), *needs]
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
        assert small["low"] < small["agree"] <= small["high"]


def test_terms_and_an_encoder_leave_together_and_the_bar_is_the_recipes(counting: Path, tmp_path: Path) -> None:
    parity = ship(counting, "tfidf_embedding_logistic", tmp_path / "out", agreement=0.7)
    whole, small = (parity["forms"][name] for name in ("model.onnx", "model.int8.onnx"))
    assert whole["agree"] == 1 and whole["largest_difference"] < 1e-5
    assert small["least"] == 0.7 <= small["agree"] and small["low"] < small["high"]
    readme = (tmp_path / "out" / "README.md").read_text()
    assert f"95 % interval {small['low']:.2%} to {small['high']:.2%}, at least 70.0% asked for" in readme
    assert whole["bytes"] > small["bytes"]


def test_where_the_run_chose_a_threshold_the_form_is_held_against_that(counting: Path, tmp_path: Path) -> None:
    opened = shipped(open_model(counting / "models" / "naive_bayes"))
    rows = opened.rows(1000)
    answers = np.unique(opened.model.predict(rows)[:, 1])
    sure = answers[answers > 0.5]
    widest = np.diff(sure).argmax()
    below, above = sure[widest : widest + 2]
    assert opened.thresholds == {}
    near = replace(opened, thresholds={"good": float(below + above) / 2})
    Onnx(path="out").ship(near, Context(base=tmp_path))
    assert json.loads((tmp_path / "out" / "model.json").read_text())["decided_from"] == near.thresholds
    assert "at the thresholds" in json.loads((tmp_path / "out" / "parity.json").read_text())["same"]

    def moved(rows: pl.DataFrame) -> np.ndarray:
        found = opened.model.predict(rows)[:, 1]
        return np.stack([1 - found, np.where(found == below, above, found)], axis=1)

    plain, held = (agreement(one, rows, moved, least=1, size=0).differ for one in (opened, near))
    assert plain == 0 < held


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


def test_the_program_for_columns_says_what_a_row_lacks(tmp_path: Path) -> None:
    draw = random.Random(1)
    made = [{"rooms": draw.random(), "it's": draw.choice("xyz")} for _ in range(300)]
    made = [
        row | {"floor": draw.randint(0, 9), "lift": draw.random() < 0.5, "since": f"{draw.randint(1900, 2000)}"}
        for row in made
    ]
    made = [row | {"mood": "good" if row["rooms"] + 0.3 * (row["it's"] == "x") > 0.6 else "bad"} for row in made]
    columns = ["rooms", "it's", "floor", "lift", "since"]
    task = {"kind": "tabular_classification", "features": columns, "label": "mood"}
    tuned = {"use": "tuned", "learner": {"use": "decision_tree"}, "trials": 2, "folds": 2}
    run = small_run(tmp_path, made, task=task, steps=[], train=[tuned, {"use": "tabular_linear"}]).folder
    names = ["decision_tree_tuned", "tabular_linear"]
    assert sorted(path.name for path in (run / "models").iterdir()) == names, "tuned what?"
    with pytest.raises(ModelError, match="this model reads columns") as told:
        export(str(run), Asked("browser", str(tmp_path / "page")), Context(base=tmp_path, store=tmp_path / "store"))
    assert told.value.at.startswith("browser: ") and "export space" in told.value.hint
    ship(run, names[0], tmp_path / "onnx")
    readme = (tmp_path / "onnx" / "README.md").read_text()
    example = next(line for line in readme.splitlines() if line.startswith("python runtime.py"))
    golden = json.loads((tmp_path / "onnx" / "golden.json").read_text())[0]
    assert json.loads(shlex.split(example)[2]) == golden["reads"]

    def asked(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", str(tmp_path / "onnx" / "runtime.py"), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    whole = asked(shlex.split(example)[2])
    assert (whole.returncode, whole.stderr) == (0, "")
    whole_row = golden["reads"]
    given = {name: value for name, value in whole_row.items() if name != "it's"}
    lacking, missing = (asked(json.dumps(row)) for row in (given, given | {"it's": None}))
    assert lacking.returncode == 0 and 'lacks "it\'s": taken as missing' in lacking.stderr
    assert missing.stderr == "" and missing.stdout.split("} ")[1] == lacking.stdout.split("} ")[1]
    for words in ((), ("no JSON",), ("3",)):
        wrong = asked(*words)
        assert wrong.returncode == 1 and wrong.stdout == ""
        assert wrong.stderr.startswith("use: python runtime.py '{") and wrong.stderr.count("\n") == 1
    reads_as_the_model(run, tmp_path, whole_row)


def reads_as_the_model(run: Path, base: Path, row: dict[str, object]) -> None:
    """Odd values in each column: the program takes as missing what the model does."""
    odd = [
        None, "", 0, 1, -1, 2.5, "2.5", " 2.5 ", "2,5", "1_000", "1e3", "+5", "3.0", 3.0, "x", " x", "inf", "nan", True,
        False, "true", "True", "٣", "５", "1\xa0000", "0x10", "12%", [1], {"a": 1}, 2**63, "1e400", "2024-01-02",
    ]  # fmt: skip
    ship(run, "tabular_linear", base / "linear")
    rows = [row | {name: value} for name in row for value in odd]
    told = Model(base / "linear")(rows)
    model = open_model(run / "models" / "tabular_linear")
    right = model.predict(rows)["probabilities"].struct.unnest().select(model.labels).to_numpy()
    wrong = [rows[place] for place in np.flatnonzero(np.abs(told - right).max(axis=1) > 1e-5)]
    assert not wrong


def test_the_program_for_texts_says_how_it_is_used(counting: Path, tmp_path: Path) -> None:
    for model in ("tfidf_logistic", "tfidf_embedding_logistic"):
        ship(counting, model, tmp_path / model, agreement=0.5)
        for words in ((), ("--help",)):
            command = [sys.executable, "-I", str(tmp_path / model / "runtime.py"), *words]
            said = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
            assert said.stderr == 'use: python runtime.py "a text" "another text"\n' and said.returncode == 1
