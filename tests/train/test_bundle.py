from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from seedbed import __version__
from seedbed.core import digest
from seedbed.core.context import Context
from seedbed.core.errors import ModelError
from seedbed.core.learner import Learner, Model
from seedbed.core.task import TextClassification
from seedbed.train import (
    EmbeddingLogistic,
    Majority,
    NaiveBayes,
    Rules,
    TfidfEmbeddingLogistic,
    TfidfLogistic,
    TfidfSvm,
)
from seedbed.train.bundle import Carried, Golden, Input, Preprocess, load_bundle, save_bundle
from tiny_encoder import with_encoder

TASK = TextClassification(kind="text_classification", text="text", label="label")
ROWS = pl.DataFrame(
    {"text": ["naïve 🙂 café", "so bad", "good café", "bad 🙁", "😀 good", "it is bad"], "label": ["+", "-"] * 3}
)
BEFORE = Preprocess(
    inputs=(Input(name="text"),),
    steps=(Carried(name="fix_text", part={"use": "fix_text", "column": "text"}, writes=("text",)),),
    golden=(Golden(input={"text": "good"}, text="good", predicted={"+": 0.7, "-": 0.3}),),
)
LEARNERS = [
    Majority(),
    Rules(rules=[{"label": "+", "pattern": "good|😀"}, {"label": "-", "pattern": "bad"}]),
    NaiveBayes(min_df=1),
    NaiveBayes(min_df=1, kind="multinomial", weighting="counts", characters=(1, 3)),
    TfidfLogistic(min_df=1),
    TfidfLogistic(min_df=1, words=None),
    TfidfSvm(min_df=1),
    EmbeddingLogistic(),
    TfidfEmbeddingLogistic(min_df=1),
]


@pytest.fixture(params=LEARNERS, ids=lambda learner: learner.use)
def learner(request: pytest.FixtureRequest, tiny: Path) -> Learner:
    return with_encoder(request.param, tiny)


def saved(learner: Learner, folder: Path) -> Model:
    model = learner.fit(ROWS, ROWS.clear(), TASK, Context())
    save_bundle(model, folder, learner=learner, task=TASK, preprocess=BEFORE)
    return model


def test_a_loaded_model_gives_the_same_probabilities(learner: Learner, tmp_path: Path) -> None:
    model = saved(learner, tmp_path / "models" / "one")
    loaded, bundle = load_bundle(tmp_path / "models" / "one")
    texts = pl.DataFrame({"text": [*ROWS["text"].to_list(), "never seen", "", None, "GOOD Café!"]})
    assert type(loaded) is type(model)
    assert loaded.labels == model.labels == bundle.labels
    assert (loaded.predict(texts) == model.predict(texts)).all()


def test_a_bundle_is_plain_data_and_the_same_each_time(learner: Learner, tmp_path: Path) -> None:
    for name in ("one", "two"):
        saved(learner, tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert {Path(name).suffix for name in files} <= {".json", ".safetensors"}
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
        if name.endswith(".json"):
            json.loads((tmp_path / "one" / name).read_text("utf-8"))


def test_what_a_bundle_says(tmp_path: Path) -> None:
    learner = TfidfLogistic(min_df=1, c=3)
    saved(learner, tmp_path / "one")
    said = json.loads((tmp_path / "one" / "bundle.json").read_text())
    assert (said["seedbed"], said["use"], said["labels"]) == (__version__, "tfidf_logistic", ["+", "-"])
    assert said["task"]["text"] == "text"
    assert TfidfLogistic.model_validate(said["options"]) == learner
    assert "preprocess" not in said
    preprocess = json.loads((tmp_path / "one" / "preprocess.json").read_text())
    assert preprocess == BEFORE.model_dump(mode="json")
    _, bundle = load_bundle(tmp_path / "one")
    assert bundle.preprocess == BEFORE
    assert bundle.task == TASK


def test_a_used_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me")
    with pytest.raises(ModelError, match="empty folder"):
        saved(Majority(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def edit(folder: Path, **changes: object) -> None:
    path = folder / "bundle.json"
    said = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in said.items() if value is not None}))


def swap(folder: Path, name: str, content: bytes) -> None:
    """Put something else in the place of a file, and its digest with it."""
    (folder / name).write_bytes(content)
    files = json.loads((folder / "bundle.json").read_text())["files"]
    edit(folder, files=files | {name: digest.of_file(folder / name)})


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda folder: (folder / "bundle.json").unlink(), "not a model bundle.*bundle.json cannot be read"),
        (lambda folder: (folder / "bundle.json").write_bytes(b"\x00\xff"), "bundle.json is not JSON"),
        (lambda folder: (folder / "bundle.json").write_text("[1]"), "bundle.json is no object"),
        (lambda folder: (folder / "bundle.json").write_text("{}"), "not a model bundle"),
        (lambda folder: (folder / "preprocess.json").unlink(), "preprocess.json cannot be read"),
        (lambda folder: (folder / "preprocess.json").write_text('{"steps": 3}'), "preprocess.inputs"),
        (lambda folder: (folder / "weights.safetensors").unlink(), "weights.safetensors: .* missing"),
        (lambda folder: cut(folder / "weights.safetensors"), "weights.safetensors: .* damaged"),
        (lambda folder: cut(folder / "vocabulary.json"), "vocabulary.json: .* damaged"),
        (lambda folder: edit(folder, use="tfidf_logistics"), "did you mean 'tfidf_logistic'"),
        (lambda folder: edit(folder, labels=None), "labels: Field required"),
        (lambda folder: edit(folder, use="majority"), "the model cannot be read"),
        (lambda folder: swap(folder, "weights.safetensors", b"junk"), r"the model cannot be read \(SafetensorError"),
        (lambda folder: swap(folder, "vocabulary.json", b"3"), r"the model cannot be read \(AttributeError|TypeError"),
    ],
)
def test_what_is_no_bundle(harm, words: str, tmp_path: Path) -> None:
    saved(TfidfLogistic(min_df=1), tmp_path / "one")
    harm(tmp_path / "one")
    with pytest.raises(ModelError, match=f"(?s){words}") as caught:
        load_bundle(tmp_path / "one")
    assert len(str(caught.value).splitlines()) <= 5


@pytest.mark.parametrize("name", ["nowhere", "file"])
def test_what_is_no_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ModelError, match="not a model bundle"):
        load_bundle(tmp_path / name)


def test_nothing_learned_gets_lost_in_numbers(tmp_path: Path) -> None:
    task = TASK.model_copy(update={"labels": ("+", "0", "-")})  # "0" has no rows: its intercept is minus infinity
    learner = TfidfLogistic(min_df=1)
    model = learner.fit(ROWS, ROWS.clear(), task, Context())
    save_bundle(model, tmp_path / "one", learner=learner, task=task, preprocess=BEFORE)
    loaded, _ = load_bundle(tmp_path / "one")
    assert np.array_equal(loaded.predict(ROWS), model.predict(ROWS))
    assert (loaded.predict(ROWS)[:, 1] == 0).all()
