"""What a person can get wrong about models: learners, tuning, judges, trackers, forms to ship, promoting and watching.

Each wrong thing ends with the exit code of its kind, at most five lines, no traceback, and nothing half-made.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from predicting_sample import rows, small_run, write
from seedbed.cli import main

RECIPE = """\
seedbed: 1
name: moods
task: {kind: text_classification, text: said, label: mood}
sources:
  - {use: jsonl, path: rows.jsonl}
"""
#: What follows in the recipe, the exit code, and words of the message.
RECIPES: list[tuple[str, int, list[str]]] = [
    ("train: [{use: tfidf_logistic, c: 0}]", 2, ["train.0.c", "above 0"]),
    ("train: [{use: tfidf_logistik}]", 2, ["did you mean 'tfidf_logistic'"]),
    ("train: [{use: random_forest, trees: many}]", 2, ["train.0.trees", "whole number"]),
    ("train: [{use: mean}]", 2, ["train.0", "mean"]),
    ("train: [{use: ensemble, learners: []}]", 2, ["train.0"]),
    ("train: [{use: ensemble, learners: [{use: majority}, {use: tfidf_logistic, cc: 2}]}]", 2, ["cc"]),
    ("train: [{use: tuned, learner: {use: tfidf_logistic}, over: {sea: [1, 2]}}]", 2, ["sea"]),
    ("train: [{use: tuned, learner: {use: tfidf_logistic}, over: {c: {low: 5, high: 1}}}]", 2, ["train.0"]),
    ("train: [{use: tuned, learner: {use: tfidf_logistic}, over: {c: [1, two]}}]", 2, ["train.0"]),
    ("train: [{use: tuned, learner: {use: tfidf_logistic}, trials: 0}]", 2, ["trials", "at least"]),
    ("train: [{use: few_shot, pairs: -1}]", 2, ["train.0"]),
    ("train: [{use: few_shot, encoder: ./nowhere}]", 4, ["nowhere"]),
    ("train: [{use: transformer, start_from: ./nowhere}]", 2, ["train.0"]),
    ("train: [{use: prompted, endpoint: 'http://127.0.0.1:9/v1'}]", 2, ["model_name"]),
    ("train: [{use: prompted, endpoint: 'http://10.0.0.9/v1', model_name: m}]", 2, ["may_send"]),
    ("train: [{use: prompted, endpoint: 'http://127.0.0.1:9/v1', model_name: m, most_cost: 1}]", 2, ["price"]),
    ("train: [{use: prompted, endpoint: 'http://127.0.0.1:9/v1', model_name: m, api_key: abc}]", 2, ["${env:NAME}"]),
    ("train: [{use: fine_tuned_remote, job: nowhere}]", 3, ["nowhere"]),
    ("train: [{use: rules, patterns: {good: '('}}]", 2, ["train.0"]),
    ("evaluate: {conformal: 1.5}", 2, ["evaluate.conformal"]),
    ("evaluate: {conformal: often}", 2, ["evaluate.conformal"]),
    ("evaluate: {thresholds: {positive: god}}", 2, ["evaluate.thresholds"]),
    ("evaluate: {metrics: [macro_f2]}", 2, ["macro_f1"]),
    ("evaluate: {metrics: [rmse]}", 2, ["rmse"]),
    ("evaluate: {judged_by: {endpoint: 'http://127.0.0.1:9/v1', model_name: m}}", 2, ["evaluate.judged_by"]),
    ("evaluate: {judged_by: {endpoint: nowhere}}", 2, ["model_name"]),
    ("evaluate: {people: nowhere.csv}", 2, ["nowhere.csv"]),
    ("evaluate: {slices: [moodd]}", 2, ["moodd"]),
    ("evaluate: {fairness: [nope]}", 2, ["nope"]),
    ("evaluate: {folds: 1}", 2, ["evaluate.folds", "at least 2"]),
    ("track: [{use: mlfow}]", 2, ["did you mean 'mlflow'"]),
    ("track: [{use: mlflow, tracking_uri: 5}]", 2, ["track.0"]),
    ("track: [{use: tensorboard, path: 3}]", 2, ["track.0.path", "text"]),
    ("gates: [{metric: macro_f1, at_least: 0.5, model: nope}]", 2, ["nope"]),
    ("gates: [{metric: macro_f1, split: tset, at_least: 0.5}]", 2, ["gates.0"]),
    ("publish: [{use: fine_tuning, path: out, model: m, also_send: {n_epochs: 50}}]", 2, ["n_epochs", "epochs"]),
]
#: What is typed, with the run, its best model and files in place of names in braces; exit code; words.
COMMANDS: list[tuple[str, int, list[str]]] = [
    ("predict {run}/models/nope rows.jsonl", 4, ["no such folder"]),
    ("predict rows.jsonl rows.jsonl", 4, ["this is a file"]),
    ("predict {run}/models rows.jsonl", 4, ["several models"]),
    ("predict {empty} rows.jsonl", 4, ["neither a model nor a run"]),
    ("predict {damaged} rows.jsonl", 4, ["damaged"]),
    ("predict {best} other.csv --out out.csv", 3, ["'said'", "not there"]),
    ("predict {best} rows.jsonl --out rows.jsonl", 2, ["replace"]),
    ("predict {best} rows.jsonl --workers 0", 2, ["--workers"]),
    ("export {best} --to nope", 2, ["nope"]),
    ("export {best} --to onnx --set quantise=yes_please", 2, []),
    ("export {majority} --to onnx", 4, ["majority"]),
    ("export {majority} --to c_header", 4, ["majority"]),
    ("export {majority} --to browser", 4, ["majority"]),
    ("export {empty} --to onnx", 4, ["neither a model nor a run"]),
    ("export {best} --to csv", 2, ["is a format of rows", "onnx"]),
    ("export {best} --to onnx --split test", 2, ["split"]),
    ("export rows.jsonl --to onnx", 4, ["this is a file"]),
    ("export {best} --to space --set title=3=4=5 --set nope=1", 2, ["nope"]),
    ("monitor nowhere --against {best}", 3, ["nowhere"]),
    ("monitor rows.jsonl --against nowhere", 4, ["nowhere"]),
    ("monitor rows.jsonl --against {best} --window never", 2, ["never"]),
    ("monitor rows.jsonl --against {best} --labels nowhere.csv", 2, ["nowhere.csv"]),
    ("monitor rows.jsonl --against {best} --level 2", 2, ["--level"]),
    ("monitor rows.jsonl --against {best} --webhook ftp://x", 2, ["webhook"]),
    ("retrain nowhere", 3, ["nowhere"]),
    ("retrain {run} --add nowhere.jsonl", 2, ["nowhere.jsonl"]),
    ("retrain {run} --recipe rows.jsonl", 2, ["rows.jsonl"]),
    ("retrain {empty}", 3, []),
    ("runs promote nowhere", 2, ["nowhere", "moods@latest"]),
    ("runs promote {empty}", 2, ["empty"]),
    ("runs rollback moods", 2, ["moods"]),
    ("runs rollback nope", 2, ["nope"]),
    ("serve nowhere", 4, ["nowhere"]),
    ("serve {empty}", 4, []),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run, files that are none of its kind, and a model that somebody damaged."""
    base = tmp_path_factory.mktemp("made")
    found = small_run(base, train=[{"use": "majority"}, {"use": "naive_bayes"}])
    assert found.run.best == "naive_bayes"
    (base / "empty").mkdir()
    (base / "other.csv").write_text("a,b\n1,2\n3,4\n")
    shutil.copytree(base / "out" / "models" / "naive_bayes", base / "damaged")
    (base / "damaged" / "model.json").write_text("{}")
    return base


def typed(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    out, err = capfd.readouterr()
    told = [line for line in err.splitlines() if not line.endswith("…") and ": done in " not in line]
    return int(ended.value.code or 0), out, "\n".join(told)


def refused_well(code: int, out: str, err: str, expected: int, words: list[str]) -> None:
    assert code == expected, err
    assert err.startswith("error: ") and len(err.splitlines()) <= 5, err
    assert "Traceback" not in err and "fault in Seedbed" not in err, err
    assert [word for word in words if word not in err] == [], err
    assert not out, "half of an answer"


@pytest.mark.parametrize(("more", "code", "words"), RECIPES, ids=[case[0] for case in RECIPES])
def test_recipes(
    more: str,
    code: int,
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEEDBED_STORE", str(tmp_path / "store"))
    write(tmp_path / "rows.jsonl", rows(60))
    (tmp_path / "recipe.yaml").write_text(RECIPE + more + "\n")
    refused_well(*typed(capfd, "run", "recipe.yaml", "--workers", "1"), code, words)
    assert not (tmp_path / "runs").exists() or code == 4


@pytest.mark.parametrize(("line", "code", "words"), COMMANDS, ids=[case[0] for case in COMMANDS])
def test_commands(
    line: str,
    code: int,
    words: list[str],
    made: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(made)
    before = sorted(path.relative_to(made) for path in made.rglob("*") if ".seedbed" not in path.parts)
    models = made / "out" / "models"
    given = {"run": "out", "best": models / "naive_bayes", "majority": models / "majority", "empty": "empty"}
    arguments = [word.format(damaged="damaged", **given) for word in line.split()]
    refused_well(*typed(capfd, *arguments), code, words)
    after = sorted(path.relative_to(made) for path in made.rglob("*") if ".seedbed" not in path.parts)
    assert after == before, "something half-made is left"
