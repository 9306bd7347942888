"""A fine-tuned network without torch answers as it does with torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from predicting_sample import rows, small_run
from seedbed.core.errors import ModelError
from seedbed.core.learner import Serving
from seedbed.flow.predicting.opening import open_model
from seedbed.train import light_transformer
from seedbed.train.light_transformer import InEightBits, InNumpy, InRuntime, cheapest_cuts, open_light
from seedbed.train.transformer import TransformerModel
from tiny_networks import write_tiny_bert

TEXTS = ["what a great film it was", "", "poor town " * 100, "🎭 a fine\nfilm", "a", "what a great film it was"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose model is a small BERT."""
    base = tmp_path_factory.mktemp("light")
    write_tiny_bert(base / "bert")
    learner = {"use": "transformer", "pretrained": "bert", "epochs": 1, "max_tokens": 32}
    return small_run(base, rows(200), train=[learner]).folder


@pytest.fixture(scope="module")
def bundle(folder: Path) -> Path:
    return folder / "models/transformer"


@pytest.fixture(scope="module")
def expected(bundle: Path) -> np.ndarray:
    return TransformerModel.load(bundle).predict(pl.DataFrame({"said": TEXTS}))


@pytest.mark.slow
def test_in_numpy(bundle: Path, expected: np.ndarray) -> None:
    found = InNumpy(bundle).predict(pl.DataFrame({"said": TEXTS}))
    assert np.abs(found - expected).max() < 1e-5
    assert InNumpy(bundle).predict(pl.DataFrame({"said": []}, schema={"said": pl.String})).shape == (0, 2)


@pytest.mark.slow
def test_in_the_runtime_by_a_graph_that_is_made_once(bundle: Path, expected: np.ndarray, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    found = open_light(bundle, Serving(tmp_path))
    assert isinstance(found, InRuntime)
    assert np.abs(found.predict(pl.DataFrame({"said": TEXTS})) - expected).max() < 1e-5
    for text, one in zip(TEXTS, expected, strict=True):  # alone as among others
        assert np.abs(found.predict(pl.DataFrame({"said": [text]}))[0] - one).max() < 1e-5
    (graph,) = (tmp_path / "graphs").iterdir()
    made = graph.stat().st_mtime_ns
    assert isinstance(open_light(bundle, Serving(tmp_path)), InRuntime)
    assert graph.stat().st_mtime_ns == made


@pytest.mark.slow
def test_a_server_never_imports_torch(folder: Path, tmp_path: Path) -> None:
    told = (
        "import sys; from pathlib import Path; from seedbed.flow.predicting.opening import open_model; "
        "from seedbed.serve.api import make_app; from seedbed.core.learner import Serving; "
        f"one = open_model({str(folder)!r}, serving=Serving(Path({str(tmp_path)!r}))); "
        "one.check_golden(); make_app(one); "
        "print(type(one.model).__name__, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True, timeout=280)
    assert done.stdout.split() in (["Calibrated", "False"], ["InRuntime", "False"])


@pytest.mark.slow
def test_what_answers_otherwise_is_not_served(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        light_transformer.InRuntime, "outputs", lambda _, tokens: np.tile([[0.0, 9.0]], (len(tokens), 1))
    )
    found = open_model(folder, serving=Serving(tmp_path))
    assert isinstance(getattr(found.model, "model", found.model), TransformerModel)
    assert found.check_golden() < 1e-5


@pytest.mark.slow
def test_eight_bits_answer_alone_as_among_others(
    folder: Path, bundle: Path, expected: np.ndarray, tmp_path: Path
) -> None:
    pytest.importorskip("onnx")
    found = open_light(bundle, Serving(tmp_path, "int8"))
    assert isinstance(found, InEightBits)
    told = found.predict(pl.DataFrame({"said": TEXTS}))
    assert 0 < np.abs(told - expected).max() < 0.1
    for text, one in zip(TEXTS, told, strict=True):
        assert np.array_equal(found.predict(pl.DataFrame({"said": [text]}))[0], one)
    opened = open_model(folder, serving=Serving(tmp_path, "int8"))
    assert opened.model.precision == "int8"
    assert opened.check_golden() < 0.1


def test_a_model_without_eight_bits_says_so(tmp_path: Path) -> None:
    run = small_run(tmp_path, rows(40), train=[{"use": "majority"}]).folder
    with pytest.raises(ModelError, match="majority has no weights of int8"):
        open_model(run, serving=Serving(tmp_path, "int8"))


def test_texts_are_cut_into_batches_where_that_is_cheapest() -> None:
    assert cheapest_cuts([]) == []
    assert cheapest_cuts([5]) == [(0, 1)]
    assert cheapest_cuts([5, 6, 7]) == [(0, 3)]  # a batch of its own costs more than filling up
    assert cheapest_cuts([5, 5, 200, 200]) == [(0, 2), (2, 4)]
    assert cheapest_cuts([2_000, 2_000]) == [(0, 1), (1, 2)]  # more tokens than are read together
    lengths = sorted(np.random.default_rng(3).integers(5, 40, 100).tolist())
    cuts = cheapest_cuts(lengths)
    assert [start for start, _ in cuts[1:]] == [end for _, end in cuts[:-1]]
    assert (cuts[0][0], cuts[-1][1]) == (0, 100)

    def cost(some: list[tuple[int, int]]) -> int:
        return sum(18 + (end - start) * lengths[end - 1] for start, end in some)

    assert cost(cuts) < min(cost([(start, start + width) for start in range(0, 100, width)]) for width in (1, 5, 20))
