"""Ladders on real data with real pretrained networks, a task each: what learns beats what does not, with intervals."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from seedbed.core.metric import Score
from seedbed.core.run import Comparison, Run
from seedbed.flow.predicting.opening import open_model
from seedbed.flow.running import run
from seedbed.recipe.loading import load

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[2] / "examples"
QUICK = ("evaluate.leakage=false", "evaluate.intervals.resamples=1000", "publish=[]", "waive=[]")


def climbed(name: str, at: Path, train: str, *settings: str, recipe: str = "recipe.yaml") -> Run:
    """The record of an example whose learners are these; every bundle opens and answers as it did."""
    if not at.exists():
        shutil.copytree(EXAMPLES / name, at, ignore=shutil.ignore_patterns(".seedbed", "runs", "out", "*.jsonl"))
    done = run(load(at / recipe, [f"train={train}", *QUICK, *settings]), out=at / "run", workers=1)
    assert done.run.state == "passed", done.run.stopped_by
    for model in done.run.models:
        assert open_model(done.folder / "models" / model.name).check_golden() < 0.01
        for name, one in model.scores["test"].items():
            assert one.low <= one.value <= one.high, (model.name, name, one)
    return done.run


def score(record: Run, model: str, metric: str) -> Score:
    (found,) = [one for one in record.models if one.name == model]
    return found.scores["test"][metric]


def between(record: Run, a: str, b: str, metric: str) -> Comparison:
    (found,) = [one for one in record.comparisons if (one.a, one.b, one.metric) == (a, b, metric)]
    return found


def test_tweets(tmp_path: Path) -> None:
    """A cheap ladder and a network whose upper half is fine-tuned, on 1,250 tweets; on all, words reach 0.74.

    Most rows judge, so that the intervals are narrow enough for the bar while training stays short.
    """
    record = climbed(
        "tweets",
        tmp_path / "tweets",
        "[{use: majority}, {use: naive_bayes}, {use: tfidf_logistic}, {use: tfidf_embedding_logistic}, "
        "{use: transformer, epochs: 2, learning_rate: 0.0003, batch: 16, max_tokens: 48, freeze_layers: 3}]",
        "steps.9.rows=2500",
        "split={use: stratified, train: 0.5, validation: 0.1, test: 0.4, seed: 13}",
        recipe="finetune.yaml",
    )
    assert score(record, "majority", "macro_f1").high < 0.25
    assert score(record, "tfidf_logistic", "macro_f1").low > 0.55
    assert score(record, "transformer", "macro_f1").low > 0.55
    assert between(record, "majority", "transformer", "macro_f1").verdict == "better"


def test_films_with_several_genres(tmp_path: Path) -> None:
    """scikit-learn's OneVsRest on TF-IDF of all films: micro-F1 0.46 (tests/train/test_label_sets.py)."""
    record = climbed(
        "films",
        tmp_path / "films",
        "[{use: majority}, {use: tfidf_logistic, characters: null, class_weight: balanced}, {use: embedding_logistic}]",
        "sources.0.limit=1500",
        "checks=[{use: no_leakage, on_fail: stop}]",
    )
    assert between(record, "majority", "tfidf_logistic", "macro_f1").verdict == "better"
    assert between(record, "majority", "embedding_logistic", "macro_f1").verdict == "better"
    assert score(record, "embedding_logistic", "micro_f1").low > 0.35


def test_moods_as_numbers(tmp_path: Path) -> None:
    """Ratings of short texts: ridge regression on words and on embeddings."""
    record = climbed(
        "moods",
        tmp_path / "moods",
        "[{use: mean}, {use: tfidf_ridge}, {use: embedding_ridge}]",
        "sources.0.limit=2500",
        "checks=[{use: no_leakage, on_fail: stop}]",
    )
    assert score(record, "mean", "r2").high < 0.05
    for use in ("tfidf_ridge", "embedding_ridge"):
        assert score(record, use, "r2").low > 0.3
        assert between(record, "mean", use, "rmse").verdict == "better"


def test_questions_about_packages(tmp_path: Path) -> None:
    """A sentence by its words, and a network that was fine-tuned to mark the answer.

    So few questions do not teach a network that was never asked any to beat the sentence; both are far from nothing.
    """
    at = tmp_path / "questions"
    shutil.copytree(EXAMPLES / "questions", at, ignore=shutil.ignore_patterns("*.jsonl", "out"))
    made = at / "questions.jsonl"
    script = str(EXAMPLES / "questions" / "questions.py")
    subprocess.run([sys.executable, script, "--to", str(made)], check=True, timeout=60)
    asked = [json.loads(line) for line in made.read_text("utf-8").splitlines()]
    some = [one for one in asked if len(one["context"]) < 800]
    made.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in some), "utf-8")
    record = climbed(
        "questions",
        at,
        "[{use: best_sentence}, {use: extractive_qa, epochs: 4, learning_rate: 0.0003, batch: 16, max_tokens: 192, "
        "stride: 64}]",
        "checks=[{use: no_leakage, on_fail: stop}]",
        "waive=[{what: license, reason: a test}]",
    )
    for use in ("best_sentence", "extractive_qa"):
        assert score(record, use, "token_f1").high > 0.2
    assert score(record, "extractive_qa", "answerable_accuracy").value > 0.4
    assert between(record, "best_sentence", "extractive_qa", "token_f1").n == record.dataset.splits["test"]


def test_documents(tmp_path: Path) -> None:
    """Counts of words against a network of 135 million weights that has read much, and reads these on (LoRA)."""
    pytest.importorskip("gguf")
    record = climbed(
        "documents",
        tmp_path / "documents",
        "[{use: ngram}, {use: language_model, max_tokens: 64, batch: 4, learning_rate: 0.0002, lora: {}}]",
        "sources.0.limit=1",
        "sources.1.per=paragraph",
        "sources.1.limit=60",
        "checks=[{use: no_leakage, on_fail: stop}]",
        "steps=[{use: text_length, column: text, at_least: 50, at_most: 600}]",
        "split={use: random, train: 0.6, validation: 0.1, test: 0.3, seed: 13}",
    )
    assert between(record, "ngram", "language_model", "bits_per_byte").difference < -0.5
    assert score(record, "language_model", "bits_per_byte").high < 2.2
