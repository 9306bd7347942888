"""Whole runs on small data: how models are judged."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import accuracy_score, f1_score, log_loss, roc_auc_score

from seedbed.core.errors import RecipeError
from seedbed.core.run import Run
from seedbed.core.similarity.shingles import choose_kind
from seedbed.flow.finished import Finished
from seedbed.flow.running import run
from seedbed.recipe.loading import parse
from seedbed.splits.verify import shingles
from seedbed.train.bundle import load_bundle
from seedbed.train.calibrated import Calibrated

WORDS = {"food": ["soup", "bread", "apple", "cheese"], "sport": ["goal", "match", "player", "team"]}
COMMON = ["the", "very", "quite", "today", "yesterday", "our", "was", "good", "bad", "new", "old"]
METRICS = ["macro_f1", "accuracy", "roc_auc", "log_loss", "expected_calibration_error"]


def rows(count: int, seed: int = 1) -> list[dict[str, Any]]:
    """Labels that words give away mostly; in the region `north` they say nothing. Every ninth row has a near copy."""
    chance = random.Random(seed)
    found: list[dict[str, Any]] = []
    for number in range(count):
        label = chance.choice(list(WORDS))
        region = chance.choice(["north", "south", "south", None])
        kind = chance.choice(list(WORDS)) if region == "north" or chance.random() < 0.1 else label
        words = [chance.choice(WORDS[kind] if chance.random() < 0.3 else COMMON) for _ in range(chance.randint(5, 20))]
        found.append({"text": " ".join([*words, f"{number:04}"]), "label": label, "region": region})
        if number % 9 == 0:
            found.append({**found[-1], "text": found[-1]["text"] + "!"})
    return found


def go(folder: Path, given: list[dict[str, Any]] | None = None, out: str = "out", **more: Any) -> Finished:
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in given or rows(700)))
    asked = {
        "seedbed": 1,
        "name": "small",
        "task": {"kind": "text_classification", "text": "text", "label": "label"},
        "sources": [{"use": "jsonl", "path": "rows.jsonl", "name": "small"}],
        "split": {"use": "stratified", "train": 0.6, "validation": 0.2, "test": 0.2},
        "train": [{"use": "majority"}, {"use": "tfidf_logistic"}, {"use": "tfidf_logistic", "c": 0.01}],
        **more,
    }
    asked["evaluate"] = {
        "metrics": METRICS,
        "intervals": {"resamples": 300},
        "leakage": False,
        **more.get("evaluate", {}),
    }
    return run(parse(asked, folder), out=folder / out, workers=1)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    return go(tmp_path_factory.mktemp("judging"), evaluate={"slices": ["region"], "folds": 3})


def predictions(done: Finished, model: str, split: str) -> tuple[np.ndarray, np.ndarray]:
    frame = pl.read_parquet(done.folder / "predictions" / f"{model}-{split}.parquet")
    truth = frame["truth"].replace_strict({"food": 0, "sport": 1}).to_numpy()
    return truth, np.array(frame["probabilities"].to_list())


def test_the_record_is_read_back_as_it_was(done: Finished) -> None:
    assert Run.model_validate_json((done.folder / "run.json").read_text()) == done.run


def test_scores_are_scikit_learns_on_the_predictions(done: Finished) -> None:
    for model in done.run.models:
        for split, scores in model.scores.items():
            truth, probabilities = predictions(done, model.name, split)
            decided = probabilities.argmax(1)
            expected = {
                "macro_f1": f1_score(truth, decided, average="macro", zero_division=0),
                "accuracy": accuracy_score(truth, decided),
                "roc_auc": roc_auc_score(truth, probabilities[:, 1]),
                "log_loss": log_loss(truth, probabilities),
            }
            assert {name: scores[name].value for name in expected} == pytest.approx(expected)
            assert all(one.low <= one.value <= one.high for one in scores.values())
    by_hand = {(c.a, c.b, c.metric): c.difference for c in done.run.comparisons}
    scores = {model.name: model.scores["test"] for model in done.run.models}
    assert by_hand == {
        (a, b, metric): pytest.approx(scores[b][metric].value - scores[a][metric].value)
        for a, b in [
            ("majority", "tfidf_logistic"),
            ("tfidf_logistic", "tfidf_logistic.2"),
            ("majority", "tfidf_logistic.2"),
        ]
        for metric in METRICS
    }


def test_verdicts_go_by_holm(done: Finished) -> None:
    for metric in METRICS:
        found = [c for c in done.run.comparisons if c.metric == metric]
        assert len(found) == 3
        smallest = min(found, key=lambda c: c.p)
        assert smallest.p_holm == pytest.approx(min(1, 3 * smallest.p))
        for one in found:
            assert one.p_holm is not None
            told = one.p_holm < 0.05 and not one.low <= 0 <= one.high
            assert (one.verdict != "not distinguishable") == told


def test_probabilities_are_calibrated_everywhere(done: Finished) -> None:
    model = next(m for m in done.run.models if m.name == "tfidf_logistic.2")
    assert model.calibration is not None
    assert model.calibration.temperature < 0.8  # so much regularisation leaves it far from sure enough
    assert model.calibration.log_loss_after < model.calibration.log_loss_before
    assert model.scores["validation"]["log_loss"].value == pytest.approx(model.calibration.log_loss_after)
    loaded, bundle = load_bundle(done.folder / "models" / model.name)
    assert isinstance(loaded, Calibrated) and bundle.calibration == model.calibration
    test = pl.read_parquet(sorted((done.folder / "dataset" / "data").glob("test-*.parquet")))
    assert loaded.predict(test) == pytest.approx(predictions(done, model.name, "test")[1])
    for golden in bundle.preprocess.golden:
        found = loaded.predict(pl.DataFrame({"text": [golden.text]}))[0]
        assert dict(zip(loaded.labels, found, strict=True)) == pytest.approx(golden.predicted)
    rows_in_bins = sum(one.rows for one in model.reliability["test"])
    assert rows_in_bins == model.scores["test"]["accuracy"].n == done.run.dataset.splits["test"]


def test_the_slice_where_words_say_nothing_is_found(done: Finished) -> None:
    found = {(one.by, one.value): one for one in done.run.models[1].slices["test"]}
    assert found["region", "north"].verdict == "worse"
    assert found["region", "south"].score.value > found["region", "north"].score.value + 0.15
    assert found["region", "(missing)"].verdict in ("better", "not distinguishable", "too few rows")
    assert {by for by, _ in found} == {"region", "text length"}  # one source only
    assert sum(one.score.n for one in found.values() if one.by == "text length") == done.run.dataset.splits["test"]


def test_mistakes_know_their_nearest_training_rows(done: Finished) -> None:
    data = done.folder / "dataset" / "data"
    train = pl.read_parquet(sorted(data.glob("train-*.parquet")))
    validation = dict(pl.read_parquet(sorted(data.glob("validation-*.parquet"))).select("row", "text").iter_rows())
    kind = choose_kind(train.height, train.height)
    texts = [shingles(text, kind) for text in train["text"]]
    assert len(done.run.models[1].mistakes) > 5
    for mistake in done.run.models[1].mistakes[:5]:
        mine = shingles(validation[mistake.row], kind)
        exact = sorted((len(mine & one) / len(mine | one) for one in texts), reverse=True)[:3]
        assert [one.similarity for one in mistake.neighbours] == pytest.approx(exact)
        for one in mistake.neighbours:
            row = train.row(by_predicate=pl.col("row") == one.row, named=True)
            assert (one.label, one.text) == (row["label"], row["text"])


def test_folds_judge_without_test_rows_and_choose_the_best(done: Finished) -> None:
    run = done.run
    for model in run.models:
        assert set(model.folds) == set(METRICS)
        assert all(
            len(one.values) == 3 and one.low < one.mean < one.high
            for one in model.folds.values()
            if one.low != one.high
        )
    means = {model.name: model.folds["macro_f1"].mean for model in run.models}
    assert run.best == max(means, key=means.__getitem__)


def test_the_best_is_chosen_by_folds_where_there_are_any(tmp_path: Path) -> None:
    """By log loss, where lower is better, and with hardly any validation rows."""
    asked = {"metrics": ["log_loss"], "folds": 4}
    found = go(
        tmp_path, rows(200), evaluate=asked, split={"use": "stratified", "train": 0.7, "validation": 0.05, "test": 0.25}
    ).run
    means = {model.name: model.folds["log_loss"].mean for model in found.models}
    assert found.best == min(means, key=means.__getitem__)
    assert {model.calibration for model in found.models} == {None}  # too few validation rows


def test_no_validation_rows_no_calibration(tmp_path: Path) -> None:
    found = go(tmp_path, rows(150), split={"use": "stratified", "train": 0.7, "validation": 0, "test": 0.3}).run
    assert {model.calibration for model in found.models} == {None}
    assert {tuple(model.scores) for model in found.models} == {("test",)}
    assert found.best == "tfidf_logistic.2"


def test_calibration_can_be_switched_off(tmp_path: Path) -> None:
    done = go(tmp_path, rows(400), evaluate={"calibrate": False})
    assert {model.calibration for model in done.run.models} == {None}
    assert not isinstance(load_bundle(done.folder / "models" / "tfidf_logistic")[0], Calibrated)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"slices": ["regoin"]}, "did you mean 'region'"),
        ({"slices": ["label"]}, "is the label"),
        ({"slices": ["text"]}, "is the text"),
        ({"slices": ["region", "region"]}, "twice"),
        ({"folds": 1}, "folds"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_runs(tmp_path: Path, asked: dict[str, Any], said: str) -> None:
    with pytest.raises(RecipeError) as refused:
        go(tmp_path, rows(20), evaluate=asked)
    assert said in str(refused.value)
    assert "evaluate" in str(refused.value)


def test_a_gate_on_what_is_better_lower(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="better when it is lower"):
        go(tmp_path, rows(20), gates=[{"metric": "log_loss", "at_least": 0.5}])
    gates = [{"metric": "log_loss", "at_most": 2.0}, {"metric": "expected_calibration_error", "at_most": 0.0}]
    found = go(tmp_path, rows(200), gates=gates, train=[{"use": "tfidf_logistic"}]).run
    assert [gate.passed for gate in found.gates] == [True, False]
    assert found.stopped_by == ("expected_calibration_error gate",)


def test_sources_are_slices_where_there_are_several(tmp_path: Path) -> None:
    (tmp_path / "more.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows(300, seed=2)))
    sources = [{"use": "jsonl", "path": f"{name}.jsonl", "name": name} for name in ("rows", "more")]
    found = go(tmp_path, rows(300), sources=sources, train=[{"use": "tfidf_logistic"}]).run
    assert {one.value for one in found.models[0].slices["test"] if one.by == "source"} == {"rows", "more"}
