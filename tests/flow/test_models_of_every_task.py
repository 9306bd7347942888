"""Models of every kind of task, from a recipe through judgement, papers and pages to answers about new rows."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import seedbed
from learned_sample import LEARNERS, TASKS, asked_of, learned, recipe_of, rows_of
from predicting_sample import write
from seedbed.core.rows import ROW
from seedbed.core.task import Says
from seedbed.evaluate import USUAL_METRICS
from seedbed.flow.explaining.explain import explain
from seedbed.flow.predicting.predict import predict_file
from seedbed.flow.reviewing.queues import build_queues
from seedbed.flow.reviewing.rows import RunRows
from seedbed.flow.running import Finished, run
from seedbed.flow.versions.diff import diff
from seedbed.recipe.loading import parse
from seedbed.report.difference import render as difference_page
from seedbed.report.told import plain

SAYS: dict[str, Says] = {
    "text_classification": "label",
    "multi_label_classification": "labels",
    "regression": "number",
    "tabular_classification": "label",
    "tabular_regression": "number",
    "question_answering": "spans",
    "causal_lm": "itself",
    "chat": "turns",
    "text_to_text": "text",
}
#: Sections of the report that only some answers have.
SECTIONS: dict[Says, set[str]] = {
    "label": {"confusion", "curves", "reliability"},
    "labels": {"curves"},
    "number": set(),
    "spans": set(),
    "text": set(),
    "turns": set(),
    "itself": set(),
}


@pytest.fixture(scope="module", params=TASKS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def done(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    return learned(kind, tmp_path_factory.mktemp(kind))


def said_by(done: Finished, model: str, split: str = "test") -> pl.DataFrame:
    return pl.read_parquet(done.folder / "predictions" / f"{model}-{split}.parquet")


def test_every_model_is_judged_with_intervals(kind: str, done: Finished) -> None:
    assert done.run.state == "passed"
    usual = USUAL_METRICS[SAYS[kind]]
    assert done.run.metric == usual[0]
    assert len(done.run.models) == 2 and done.run.best in {model.name for model in done.run.models}
    for model in done.run.models:
        for split in ("validation", "test"):
            assert model.scores[split].keys() == set(usual)
            for score in model.scores[split].values():
                assert score.low - 1e-9 <= score.value <= score.high + 1e-9, (model.name, split, score)
                assert score.n == done.run.dataset.splits[split] == said_by(done, model.name, split).height
    differ = done.run.comparisons
    assert {one.metric for one in differ} == set(usual)
    assert all((one.mcnemar is None) == (SAYS[kind] in ("number", "itself")) for one in differ)


def test_something_was_learned(kind: str, done: Finished) -> None:
    # The rows are made so that the second learner beats the first, or the answer is known.
    first, second = (model.scores["test"] for model in done.run.models)
    match SAYS[kind]:
        case "label" | "labels":
            assert second["accuracy"].value > first["accuracy"].value + 0.2
        case "number":
            assert second["median_absolute_error"].value < 0.3 * first["median_absolute_error"].value
        case "itself":
            assert second["bits_per_byte"].value < 0.8 * first["bits_per_byte"].value
        case "turns":
            assert second["exact"].value > 0.9
        case "text":
            assert first["rouge_l"].value > 0.4
        case "spans":
            assert second["answerable_accuracy"].value > 0.8


def test_slices_tell_rows_apart(kind: str, done: Finished) -> None:
    for model in done.run.models:
        found = model.slices["test"]
        halves = {one.value: one.score.n for one in found if one.by == "half"}
        assert halves.keys() == {"first", "second"} and sum(halves.values()) == done.run.dataset.splits["test"]
        assert any(one.by == "text length" for one in found) != kind.startswith("tabular")


def test_the_bundle_answers_as_when_it_was_saved(kind: str, done: Finished) -> None:
    for model in done.run.models:
        found = seedbed.load_model(done.folder / "models" / model.name)
        assert len(found.bundle.preprocess.golden) == 8
        assert found.check_golden() <= 1e-6
        if kind == "chat":  # who asks does not bring the answer
            assert {one.input["messages"][-1]["role"] for one in found.bundle.preprocess.golden} == {"user"}


def test_files_are_answered_as_test_rows_were(kind: str, done: Finished, tmp_path: Path) -> None:
    """Raw rows of the test split, without what is right, get what the judge got from the model."""
    model = seedbed.load_model(done.folder)
    expected = said_by(done, model.name)
    made = {f"mine:{kind}.jsonl#{place}": row for place, row in enumerate(rows_of(kind), 1)}
    write(tmp_path / "new.jsonl", [asked_of(kind, made[row]) for row in expected[ROW]])
    summary = predict_file(model, str(tmp_path / "new.jsonl"), tmp_path / "out.parquet")
    assert (summary.rows, summary.malformed, summary.warned) == (expected.height, 0, 0)
    found = pl.read_parquet(tmp_path / "out.parquet")
    for name in expected.columns:
        if name in (ROW, "truth"):
            continue
        again, before = found[name], expected[name]
        if name == "probabilities":
            again = pl.Series([list(one.values()) for one in again.to_list()])
        if before.dtype in (pl.String, pl.List(pl.String)):
            assert again.to_list() == before.to_list(), name
        else:
            assert [one is None for one in again.to_list()] == [one is None for one in before.to_list()]
            pairs = [np.array(one.drop_nulls().to_list(), dtype=float) for one in (again, before)]
            np.testing.assert_allclose(*pairs, rtol=1e-5, atol=1e-5)


def test_a_row_alone_is_answered_as_in_a_batch(kind: str, done: Finished) -> None:
    model = seedbed.load_model(done.folder)
    asked = [asked_of(kind, row) for row in rows_of(kind)[:6]]
    together = model.form.said(_raw(model, asked))
    for row, one in zip(asked, together, strict=True):
        (alone,) = model.form.said(_raw(model, [row]))
        assert model.form.apart(one, alone) <= 1e-5


def _raw(model: seedbed.Predictor, asked: list[dict[str, Any]]) -> Any:
    prepared = model.preparation(model.table(asked))
    return model.form.checked(model.model.predict(prepared.rows), len(asked), model.model.labels)


def test_the_report_tells_what_there_is_and_nothing_else(kind: str, done: Finished) -> None:
    page = (done.folder / "report.html").read_text("utf-8")
    says = SAYS[kind]
    shown = set(re.findall(r'<section id="(\w+)"', page))
    assert {"verdict", "models", "comparisons", "slices"} <= shown
    assert shown & {"confusion", "curves", "reliability"} == SECTIONS[says]
    words = " ".join(re.sub(r"<style>.*?</style>|<[^>]*>", " ", page, flags=re.S).split())
    assert "Traceback" not in words and "None" not in words
    assert "trained elsewhere" not in words
    if says not in ("label", "labels"):
        assert not re.search(r"\b(labels?|labelled|confuses?|confusion|macro-F1|class by class)\b", words, re.I)
    assert ("McNemar" in words) == (says not in ("number", "itself"))
    assert "<b onmouseover" not in page, "what data brings is shown as text"


def test_numbers_are_told_by_how_far_they_are_off(tmp_path: Path) -> None:
    done = learned("tabular_regression", tmp_path)
    for model in done.run.models:
        told = said_by(done, model.name)
        far = model.distances["test"]
        off = (told["predicted"] - told["truth"]).abs()
        assert far.half == pytest.approx(off.median())
        assert far.bias.value == pytest.approx((told["predicted"] - told["truth"]).mean())
        assert len(far.points) == told.height
    assert '<section id="far_off"' in (done.folder / "report.html").read_text("utf-8")


def test_mistakes_stand_beside_what_is_right(kind: str, done: Finished) -> None:
    best = done.run.best_model
    assert best is not None
    page = (done.folder / "report.html").read_text("utf-8")
    if not best.mistakes:
        assert best.scores["validation"][done.run.metric].value == 1.0
        return
    first = best.mistakes[0]
    assert first.predicted and (first.truth or SAYS[kind] == "itself")
    assert (first.confidence is not None) == (SAYS[kind] in ("label", "labels", "spans"))
    if SAYS[kind] not in ("label", "labels"):
        section = page.partition('<section id="mistakes"')[2].partition("</section>")[0]
        assert section.count('<dl class="sides">') == len(best.mistakes)
        assert ("<dt>Right</dt>" in section) == (SAYS[kind] != "itself")


def test_the_terminal_shows_the_run(kind: str, done: Finished) -> None:
    told = plain(done.run, done.folder)
    assert f"best model: {done.run.best}, {done.run.metric}" in told
    assert "Models:" in told and "Comparisons on the same rows" in told
    assert ("Classes" in told or "Labels" in told) == (SAYS[kind] in ("label", "labels"))


def test_the_papers_hold_the_scores(kind: str, done: Finished) -> None:
    card = (done.folder / "dataset" / "README.md").read_text("utf-8")
    assert done.run.metric in card and str(done.run.best) in card
    assert (done.folder / "dataset" / "datasheet.md").exists()


def test_a_test_row_is_explained(kind: str, done: Finished) -> None:
    from seedbed.cli.explain import told

    for row in said_by(done, str(done.run.best))[ROW][:3]:
        story = explain(done.folder, row)
        assert [one.model for one in story.predictions] == [model.name for model in done.run.models]
        for one in story.predictions:
            assert one.predicted
            assert (one.right is None) == (SAYS[kind] in ("number", "itself"))
            assert (one.confidence is None) == (SAYS[kind] not in ("label", "spans"))
        lines = told(story)
        assert lines[1].startswith("kept, in test")
        assert any(line.startswith("models") for line in lines)
        assert all(len(line) <= 80 or row in line for line in lines)


def test_two_runs_are_compared_on_the_same_rows(kind: str, done: Finished, tmp_path: Path) -> None:
    other = learned(kind, tmp_path, train=LEARNERS[kind][:1])
    found = diff(done.folder, other.folder)
    assert found.paired.why_not is None, found.paired.why_not
    assert found.paired.comparisons
    for one in found.paired.comparisons:
        assert one.low - 1e-9 <= one.difference <= one.high + 1e-9
        assert one.n == done.run.dataset.splits["test"]
    same = found.paired.comparisons[0]
    assert (same.difference, same.p) == (0.0, 1.0), "the first learner is the same in both"
    assert "Traceback" not in difference_page(found)


@pytest.mark.parametrize(
    "kind", ["multi_label_classification", "regression", "tabular_regression", "causal_lm", "question_answering"]
)
def test_folds(kind: str, tmp_path: Path) -> None:
    base = recipe_of(kind)["evaluate"] | {"folds": 3, "metrics": [USUAL_METRICS[SAYS[kind]][0]]}
    done = learned(kind, tmp_path, evaluate=base)
    metric = done.run.metric
    for model in done.run.models:
        assert len(model.folds[metric].values) == 3
        assert model.folds[metric].low <= model.folds[metric].mean <= model.folds[metric].high
    assert "Cross-validation" in (done.folder / "report.html").read_text("utf-8")


@pytest.mark.parametrize("kind", ["regression", "multi_label_classification", "tabular_regression"])
def test_steps_are_ablated(kind: str, tmp_path: Path) -> None:
    made = rows_of(kind)
    write(tmp_path / f"{kind}.jsonl", [*made, *made[:20]])
    columns = ["width", "depth", "shape"] if kind.startswith("tabular") else ["said"]
    recipe = recipe_of(kind, steps=[{"use": "exact_duplicates", "columns": columns}])
    done = run(parse(recipe, tmp_path), out=tmp_path / "out", workers=1, ablate=True)
    assert done.run.ablation is not None
    (part,) = done.run.ablation.parts
    assert part.score is not None and part.score.n == part.judged
    assert "What each step is worth" in (done.folder / "report.html").read_text("utf-8")


def test_leakage_is_told_of_numbers(tmp_path: Path) -> None:
    evaluate = {"intervals": {"resamples": 200}, "leakage": True}
    done = learned("tabular_regression", tmp_path, evaluate=evaluate)
    assert done.run.leakage is not None and done.run.leakage.metric == "rmse"
    assert "What leakage would claim" in (done.folder / "report.html").read_text("utf-8")


def test_turns_in_columns_are_asked_without_the_answer(tmp_path: Path) -> None:
    made = [
        {"instruction": turns[-2]["content"], "output": turns[-1]["content"]}
        for turns in (row["messages"] for row in rows_of("chat"))
    ]
    write(tmp_path / "chat.jsonl", made)
    turns = [{"role": "user", "column": "instruction"}, {"role": "assistant", "column": "output"}]
    recipe = recipe_of("chat", task={"kind": "chat", "turns": turns}, train=[{"use": "nearest"}])
    recipe["evaluate"] = {"intervals": {"resamples": 200}, "leakage": False}
    recipe["steps"] = [{"use": "normalize", "column": "instruction"}]
    done = run(parse(recipe, tmp_path), out=tmp_path / "out", workers=1)
    model = seedbed.load_model(done.folder)
    assert model.inputs == ("instruction",)
    assert len(model.bundle.preprocess.golden) == 8 and model.check_golden() == 0.0
    expected = said_by(done, "nearest")
    rows = [made[int(row.rpartition("#")[2]) - 1] for row in expected[ROW]]
    found = model.predict([{"instruction": f"  {row['instruction']} "} for row in rows])
    assert found["predicted"].to_list() == expected["predicted"].to_list()
    assert found["read"].to_list() == [row["instruction"] for row in rows]


def test_a_chat_passes_the_steps_of_training(tmp_path: Path) -> None:
    steps = [{"use": "each_turn", "steps": [{"use": "fix_text"}, {"use": "normalize"}], "write": "whole"}]
    done = learned("chat", tmp_path, steps=steps, train=[{"use": "nearest"}])
    model = seedbed.load_model(done.folder)
    assert model.check_golden() == 0.0
    asked = [
        "  the   price &amp; more ",
        json.dumps([{"from": "human", "value": "the   price &amp; more"}]),
        json.dumps([{"role": "user", "content": "the price & more"}, {"role": "assistant", "content": "Hm."}]),
        json.dumps([{"role": "nobody", "content": "the price"}]),
        "",
    ]
    found = model.predict(asked)
    assert found["read"].to_list() == ["the price & more"] * 3 + ["", ""]
    assert found["predicted"][:3].to_list() == ["It costs ten euros."] * 3
    told = found["warnings"].to_list()
    assert told[:2] == [[], []]
    assert told[2] == ["the last turn is the assistant's: the model answers in its place"]
    assert "unknown_role" in told[3][0] and "no_turns" in told[4][0]


def test_personal_data_in_turns_is_no_example(tmp_path: Path) -> None:
    made = rows_of("chat")
    for row in made:
        row["messages"][-2]["content"] += " Mail jane.doe@example.com"
    done = learned("chat", tmp_path, made, train=[{"use": "nearest"}])
    model = seedbed.load_model(done.folder)
    assert model.bundle.preprocess.golden == () and model.check_golden() == 0.0


@pytest.mark.parametrize(("kind", "column"), [("multi_label_classification", "topics"), ("regression", "price")])
def test_rows_without_an_answer_get_one_suggested(kind: str, column: str, tmp_path: Path) -> None:
    made = rows_of(kind)
    for row in made[:12]:
        row[column] = None
    done = learned(kind, tmp_path, made)
    (tmp_path / "queues").mkdir()
    built = build_queues(RunRows(done), tmp_path / "queues", ["unlabelled"])
    assert built.notes == []
    items = built.queues["unlabelled"].items
    assert items.height == 12
    model = seedbed.load_model(done.folder)
    asked = [made[int(row.rpartition("#")[2]) - 1]["said"] for row in items[ROW]]
    expected = model.predict(asked)
    if kind == "regression":
        assert [float(one) for one in items["suggested"]] == pytest.approx(expected["predicted"].to_list())
    else:
        assert [json.loads(one) for one in items["suggested"]] == expected["predicted"].to_list()
        sure = [min(max(p, 1 - p) for p in one.values()) for one in expected["probabilities"].to_list()]
        assert sure == sorted(sure), "the least sure first"
