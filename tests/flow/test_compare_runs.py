"""Models of several runs side by side, and paired where the same test rows judge them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import seedbed
from seedbed.cli import main
from seedbed.core.errors import DataError, RecipeError
from seedbed.core.held_out import LATER, noted
from seedbed.core.metric import metric_named
from seedbed.core.statistics.holm import holm
from seedbed.evaluate.paired import Answers
from seedbed.evaluate.paired import compare as paired
from seedbed.flow import Finished, open_run
from seedbed.flow.versions.diff import diff
from tracked_sample import ran, write_rows

EVALUATE = {"intervals": {"resamples": 300}, "leakage": False, "calibrate": False}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Finished, Finished, Finished]:
    """Runs over the same split: a majority and a Bayes; a Bayes with other options; a regression of words."""
    folder = tmp_path_factory.mktemp("compared")
    write_rows(folder, 600)
    return (
        ran(folder, evaluate=EVALUATE),
        ran(folder, evaluate=EVALUATE, train=[{"use": "majority"}, {"use": "naive_bayes", "alpha": 50}]),
        ran(folder, evaluate=EVALUATE, train=[{"use": "tfidf_logistic"}]),
    )


def predictions(finished: Finished, model: str, split: str = "test") -> pl.DataFrame:
    return pl.read_parquet(finished.folder / "predictions" / f"{model}-{split}.parquet").sort("row")


def test_scores_stand_side_by_side(runs: tuple[Finished, ...]) -> None:
    found = seedbed.compare(*runs)
    assert [one.letter for one in found.runs] == ["a", "b", "c"]
    assert [one.id for one in found.runs] == [one.run.id for one in runs]
    told = {(one.run, one.model): one for one in found.models}
    for letter, finished in zip("abc", runs, strict=True):
        for model in finished.run.models:
            assert told[letter, model.name].scores == model.scores["test"]
            assert told[letter, model.name].best == (model.name == finished.run.best)
    assert found.metric == "macro_f1"


def test_differences_are_those_of_the_same_rows_with_holm_over_all(runs: tuple[Finished, ...]) -> None:
    found = seedbed.compare(*runs)
    asked = [(one.a, one.b) for one in found.comparisons]
    assert asked == [
        ("majority of a", "majority of b"),
        ("naive_bayes of a", "naive_bayes of b"),
        ("naive_bayes of a", "tfidf_logistic of c"),
        ("naive_bayes of b", "tfidf_logistic of c"),
    ]
    labels = ["bad", "good"]
    by = dict(zip("abc", runs, strict=True))
    chances = []
    for one in found.comparisons:
        each = []
        for told in (one.a, one.b):
            name, _, letter = told.partition(" of ")
            each.append(predictions(by[letter], name))
        assert each[0]["row"].to_list() == each[1]["row"].to_list()
        truth = np.array([labels.index(label) for label in each[0]["truth"]])
        a, b = (Answers(name, np.array(said["probabilities"].to_list())) for name, said in zip("ab", each, strict=True))
        known = paired(truth, a, b, metric_named("macro_f1"), split="test", resamples=300)
        assert known is not None
        assert one.difference == pytest.approx(known.difference, abs=1e-12) and one.n == len(truth)
        assert one.p == pytest.approx(known.p, abs=0.05), "another order of rows, other draws"
        chances.append(one.p)
    assert [one.p_holm for one in found.comparisons] == holm(chances)
    assert [(pair.a, pair.b, pair.rows, pair.why_not) for pair in found.pairs] == [
        ("a", "b", 60, None), ("a", "c", 60, None), ("b", "c", 60, None),
    ]  # fmt: skip


def test_a_row_of_which_the_runs_say_another_thing_judges_neither(runs: tuple[Finished, ...], tmp_path: Path) -> None:
    changed = copied(runs[1], tmp_path)
    for model in ("majority", "naive_bayes"):
        file = changed.folder / "predictions" / f"{model}-test.parquet"
        said = pl.read_parquet(file)
        other = pl.when(pl.col("truth") == "good").then(pl.lit("bad")).otherwise(pl.lit("good"))
        first = pl.int_range(pl.len()) < 7
        said.with_columns(truth=pl.when(first).then(other).otherwise("truth")).write_parquet(file)
    found = seedbed.compare(runs[0], changed)
    assert found.pairs[0].rows == 53 and {one.n for one in found.comparisons} == {53}


def copied(finished: Finished, folder: Path) -> Finished:
    import shutil

    shutil.copytree(finished.folder, folder / "copy")
    return open_run(folder / "copy")


def test_a_file_that_changed_in_between_is_why_not(runs: tuple[Finished, ...], tmp_path: Path) -> None:
    write_rows(tmp_path, 600, seed=4)
    found = seedbed.compare(runs[0], ran(tmp_path, evaluate=EVALUATE))
    assert not found.comparisons
    assert found.pairs[0].why_not is not None and "rows.jsonl changed in between" in found.pairs[0].why_not


def test_other_metrics_tasks_and_splits_are_why_not(runs: tuple[Finished, ...]) -> None:
    folder = runs[0].folder.parents[2]
    other = ran(folder, evaluate={**EVALUATE, "metrics": ["accuracy"]}, train=[{"use": "majority"}])
    found = seedbed.compare(runs[0], other)
    assert found.pairs[0].why_not == "they are judged by different metrics, macro_f1 and accuracy"
    assert [one.metric for one in seedbed.compare(runs[0], other, metric="accuracy").comparisons] == ["accuracy"] * 2
    dealt = ran(folder, evaluate=EVALUATE, split={"use": "stratified", "seed": 5}, train=[{"use": "majority"}])
    few = seedbed.compare(runs[0], dealt).pairs[0]
    assert few.rows < 20 and few.why_not is not None and "at least 20 are needed" in few.why_not
    none = ran(folder, evaluate=EVALUATE, train=[])
    assert seedbed.compare(runs[0], none).pairs[0].why_not == "one of the two has no models"


NUMBERS = {"kind": "regression", "text": "text", "target": "stars"}


@pytest.mark.parametrize(
    ("task", "train", "metric"),
    [
        (NUMBERS, ({"use": "mean"}, {"use": "tfidf_ridge"}), "mae"),
        ({"kind": "causal_lm", "text": "text"}, ({"use": "ngram"}, {"use": "ngram", "order": 2}), "bits_per_byte"),
    ],
    ids=["regression", "causal_lm"],
)
def test_runs_of_any_task(task: dict[str, Any], train: tuple[Any, Any], metric: str, tmp_path: Path) -> None:
    write_rows(tmp_path, 400)
    evaluate = {**EVALUATE, "metrics": [metric]}
    a, b = (ran(tmp_path, task=task, train=[one], evaluate=evaluate) for one in train)
    found = seedbed.compare(a, b)
    assert [pair.why_not for pair in found.pairs] == [None]
    (one,) = found.comparisons
    scores = [finished.run.models[0].scores["test"][metric].value for finished in (a, b)]
    assert one.difference == pytest.approx(scores[1] - scores[0], abs=1e-9) and one.metric == metric
    assert one.low <= one.difference <= one.high


def test_a_number_that_changed_is_another_question(tmp_path: Path) -> None:
    write_rows(tmp_path, 400)
    evaluate = {**EVALUATE, "metrics": ["mae"]}
    longer = {"use": "derive", "column": "stars", "expression": "CASE WHEN stars > 9 THEN stars + 1 ELSE stars END"}
    a, b = (
        ran(tmp_path, task=NUMBERS, train=[{"use": "mean"}], evaluate=evaluate, steps=steps) for steps in ([], [longer])
    )
    truths = [predictions(one, "mean").filter(pl.col("row").is_in(predictions(a, "mean")["row"])) for one in (a, b)]
    both = truths[0].join(truths[1], on="row")
    same = both.filter(pl.col("truth") == pl.col("truth_right")).height
    assert 20 <= same < both.height, "some test rows changed"
    told = diff(a.folder, b.folder).paired
    assert told.rows == same and [one.n for one in told.comparisons] == [same]
    assert seedbed.compare(a, b).pairs[0].rows == same


def test_what_cannot_be_compared_is_refused(runs: tuple[Finished, ...], tmp_path: Path) -> None:
    a, b, _ = runs
    with pytest.raises(RecipeError, match="nothing to be compared with"):
        seedbed.compare(a)
    with pytest.raises(RecipeError, match="is named twice"):
        seedbed.compare(a, b, a.folder)
    with pytest.raises(RecipeError, match=r"(?s)no such metric.*did you mean 'macro_f1'"):
        seedbed.compare(a, b, metric="macro_f")
    with pytest.raises(RecipeError, match=r"(?s)rmse: does not measure text_classification"):
        seedbed.compare(a, b, metric="rmse")
    with pytest.raises(DataError, match="no such folder"):
        seedbed.compare(a, tmp_path / "nowhere")


def test_damaged_predictions_are_why_not(runs: tuple[Finished, ...], tmp_path: Path) -> None:
    damaged = copied(runs[1], tmp_path)
    (damaged.folder / "predictions" / "naive_bayes-test.parquet").write_bytes(b"PAR1")
    found = seedbed.compare(runs[0], damaged)
    assert found.pairs[0].why_not == "the predictions of one of the two cannot be read" and not found.comparisons


def test_each_run_notes_that_its_test_rows_were_read(runs: tuple[Finished, ...], tmp_path: Path) -> None:
    a, b = (copied(one, tmp_path / name) for one, name in zip(runs[:2], "ab", strict=True))
    for finished in (a, b):
        (finished.folder / LATER).unlink(missing_ok=True)
    seedbed.compare(a, b)
    assert [(one.who, one.why, one.rows) for one in noted(a.folder)] == [
        ("majority", "comparison", 60), ("naive_bayes", "comparison", 60),
    ]  # fmt: skip
    diff(a.folder, b.folder)
    assert len(noted(b.folder)) == 4, "diff reads them, too"
    again = open_run(b.folder).run
    assert [one.why for one in again.test_reads] == ["judging"] * 2 + ["comparison"] * 4
    assert again.test_reads_told == "6 times (2 to judge models, 4 to compare with other runs)" + (
        "; earlier runs of the same dataset did so 2 times" if again.test_reads_before == 2 else ""
    )


def test_the_command(runs: tuple[Finished, ...], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folders = [str(one.folder) for one in runs]
    assert typed("compare", *folders) == 0
    shown = capsys.readouterr().out
    score = runs[0].run.models[1].scores["test"]["macro_f1"]
    assert f"naive_bayes     a    {score.value:.3f} ({score.low:.3f} to {score.high:.3f}) on 60 test rows" in shown
    assert "p after Holm's correction over 4 comparisons:" in " ".join(shown.split())
    assert max(map(len, shown.splitlines())) <= 80
    assert typed("compare", *folders, "--json", "--metric", "accuracy") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["metric"] == "accuracy" and len(told["comparisons"]) == 4
    page = tmp_path / "side-by-side.html"
    assert typed("compare", *folders, "--out", str(page)) == 0
    assert f"page: {page}" in capsys.readouterr().out.replace("\n", "")
    shown = page.read_text("utf-8")
    assert f"{score.value:.3f}" in shown and "naive_bayes of b" in shown and "60 of a and b" in shown
    assert typed("compare", folders[0]) == 2
    assert "nothing to be compared with" in capsys.readouterr().err


def typed(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    return int(ended.value.code or 0)
