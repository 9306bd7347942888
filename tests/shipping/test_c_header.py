"""A linear text model as C: it compiles without a word, and answers as the model does."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from example_models import example_of, learned
from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.core.context import Context
from seedbed.core.counted import Counted, CountedKind
from seedbed.core.errors import ModelError
from seedbed.flow.exporting.export import Asked, export
from seedbed.flow.predicting.opening import open_model
from seedbed.publish.c_header import FLAGS, Compiled
from seedbed.publish.shipping.c.writing import header, strongest

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
TEXTS = [
    "", "a", "ab c de", "LOVE It", "İstanbul love", "ÄRGER Straße great", "love\u2003great\xa0x", "日本語 great",
    "x" * 5000, "love " * 300, "e\u0301 naïve", "ǅ ǈ love", "a1 _b c_ __", "ſtreet ﬀ Ꭰ Ჿ ẞ", "\u00ad K Å Ω", "٣٤ fine",
]  # fmt: skip


def ship(run: Path, model: str, out: Path, *options: str) -> dict:
    export(str(run / "models" / model), Asked("c_header", str(out), options=options), Context(base=out.parent))
    return json.loads((out / "parity.json").read_text())


@pytest.fixture(scope="module")
def exact(counting: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With weights of 32 bits."""
    out = tmp_path_factory.mktemp("exact") / "out"
    parity = ship(counting, "tfidf_logistic", out, "weights=float32")
    assert parity["forms"]["model.h"]["largest_difference"] < 1e-5
    return out


def test_golden_examples(counting: Path, exact: Path, tmp_path: Path) -> None:
    golden = json.loads((exact / "golden.json").read_text())
    shutil.copytree(exact, tmp_path / "elsewhere")
    program = tmp_path / "example"
    subprocess.run(["gcc", *FLAGS, str(tmp_path / "elsewhere" / "example.c"), "-lm", "-o", str(program)], check=True)
    for one in golden:
        said = subprocess.run(
            [str(program)], input=one["reads"]["said"] + "\n", capture_output=True, text=True, check=True
        )
        answer = dict(field.split("=") for field in said.stdout.split())
        assert {name: float(value) for name, value in answer.items()} == pytest.approx(one["predicted"], abs=1e-4)


def test_people_are_told_the_five_most_probable_labels(tmp_path: Path) -> None:
    texts = [f"word{place} word{place} more" for place in range(7) for _ in range(2)]
    before = {"text": texts, "label": [text[4] for text in texts]}
    model, _, _ = learned("naive_bayes", example_of(before, min_df=1), tmp_path)
    layer = model.counted()
    made = header(layer, model.labels, weights="float32", said="seven labels")
    (tmp_path / "model.h").write_text(made.text)
    shutil.copy(Path(header.__code__.co_filename).with_name("example.c"), tmp_path)
    program = tmp_path / "example"
    subprocess.run(["gcc", *FLAGS, str(tmp_path / "example.c"), "-lm", "-o", str(program)], check=True)
    for text in ("word5 word5 word2", "nothing known", "word6"):
        said = subprocess.run([str(program)], input=text, capture_output=True, text=True, check=True).stdout.split()
        own = model.predict(pl.DataFrame({"text": [text]}))[0]
        likeliest = np.argsort(-own, kind="stable")[:5]
        assert [one.partition("=")[0] for one in said] == [model.labels[place] for place in likeliest], text
        assert [float(one.partition("=")[2]) for one in said] == pytest.approx(own[likeliest].tolist(), abs=1e-5)


def test_any_text(counting: Path, exact: Path) -> None:
    model = open_model(counting / "models" / "tfidf_logistic").model
    rows = pl.DataFrame({"said": TEXTS})
    assert np.abs(model.predict(rows) - Compiled(exact, "gcc", ("said",), "")(rows)).max() < 1e-5


@settings(max_examples=5)
@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="Σ\x00"), max_size=80), min_size=60)
)
def test_any_text_at_all(counting: Path, exact: Path, texts: list[str]) -> None:
    model = open_model(counting / "models" / "tfidf_logistic").model
    rows = pl.DataFrame({"said": [*texts, *(f"love {text} great" for text in texts)]})
    assert np.abs(model.predict(rows) - Compiled(exact, "gcc", ("said",), "")(rows)).max() < 1e-5


def test_bytes_a_weight(counting: Path, exact: Path, tmp_path: Path) -> None:
    for model in ("tfidf_logistic", "naive_bayes"):
        parity = ship(counting, model, tmp_path / model)
        form = parity["forms"]["model.h"]
        assert form["agree"] >= form["least"] == 0.95
        assert parity["flags"][:4] == ["-std=c99", "-Wall", "-Wextra", "-Werror"]
    whole = json.loads((exact / "parity.json").read_text())["forms"]["model.h"]["bytes"]
    assert json.loads((tmp_path / "tfidf_logistic" / "parity.json").read_text())["forms"]["model.h"]["bytes"] < whole


def test_what_answers_otherwise_is_not_exported(counting: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"model\.h answers otherwise"):
        ship(counting, "tfidf_logistic", tmp_path / "out", "most_terms=1", "agreement=1")
    with pytest.raises(ModelError, match="majority is no weighted sum of terms"):
        ship(counting, "majority", tmp_path / "out")
    with pytest.raises(ModelError) as told:
        export(str(counting), Asked("c_header", str(tmp_path / "out"), options=("model=ensemble",)))
    assert told.value.hint.startswith(
        "of this run's models tfidf_logistic, naive_bayes can: --set model=tfidf_logistic"
    )
    assert told.value.at == f"c_header: {tmp_path / 'out'}", "nobody publishes"
    assert list(tmp_path.iterdir()) == []


def test_a_text_with_too_many_terms_says_so(exact: Path, tmp_path: Path) -> None:
    program = tmp_path / "example"
    source = str(exact / "example.c")
    subprocess.run(["gcc", *FLAGS, "-DSEEDBED_MOST_TERMS=16", source, "-lm", "-o", str(program)], check=True)
    said = subprocess.run(
        [str(program)], input="love\n" + "great love film people town\n", capture_output=True, text=True
    )
    assert ["too long" in line for line in said.stdout.splitlines()] == [False, True]


LINKS = {
    "softmax": ('one "label"', "??/two\\", "d\ne\t=7"),
    "logistic": ("a", "b"),
    "identity": ("n",),
    "exponential": ("n",),
}


@pytest.mark.parametrize("link", LINKS)
def test_every_link_and_odd_labels(link: str, tmp_path: Path) -> None:
    labels, outputs = LINKS[link], len(LINKS[link])
    weights = np.arange(3 * outputs).reshape(3, outputs) / 2
    kind = CountedKind("characters", (2, 3), ("ab", "bc", "abc"), None)
    counted = Counted((kind,), weights, np.full(outputs, 0.25), link, 2.0)  # type: ignore[arg-type]
    (tmp_path / "model.h").write_text(header(counted, labels, weights="float32", said="odd */ name").text)
    template = Path(header.__code__.co_filename).with_name("example.c")
    shutil.copy(template, tmp_path / "example.c")
    found = Compiled(tmp_path, "gcc", ("t",), "")(pl.DataFrame({"t": ["abc ab", ""]}))
    scores = np.array([[2, 1, 1], [0, 0, 0]]) @ weights + 0.25
    powers = np.exp(scores / 2)
    expected = {
        "softmax": powers / powers.sum(axis=1, keepdims=True),
        "logistic": 1 / (1 + np.exp(-scores)),
        "identity": scores,
        "exponential": np.exp(scores),
    }[link]
    assert np.allclose(found, expected, rtol=1e-5)


def test_the_strongest_terms_stay(tmp_path: Path) -> None:
    kinds = (
        CountedKind("words", (1, 1), ("aa", "bb", "cc"), np.array([1.0, 5.0, 1.0])),
        CountedKind("characters", (2, 2), ("dd", "ee"), np.array([1.0, 1.0])),
    )
    counted = Counted(kinds, np.array([[0, 1], [0, 0.5], [0, 0.1], [0, 2], [0, 0]]), np.zeros(2), "softmax")
    kept = strongest(counted, 3)
    assert [list(one.terms) for one in kept.kinds] == [["aa", "bb"], ["dd"]]
    assert kept.weights[:, 1].tolist() == [1, 0.5, 2]
    assert strongest(counted, 5) is counted
