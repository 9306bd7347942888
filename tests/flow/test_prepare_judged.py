"""What `prepare` means for models: weights, folds, bundles, what it was worth, and how more rows would help."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prepared_sample import BALANCED, dataset, ledger, recipe, rows_of, with_parts

import seedbed
from seedbed.core import numbers
from seedbed.core.context import Context
from seedbed.core.errors import RecipeError
from seedbed.core.rows import NUMBER, PARENTS, ROW, WEIGHT
from seedbed.core.step import Fitted, Make, Step
from seedbed.core.table import Table
from seedbed.core.task import TextClassification
from seedbed.flow.judging.learning_curve import ranks
from seedbed.flow.preparing.bearing import bearing
from seedbed.flow.preparing.in_memory import Preparation
from seedbed.flow.splitting.split import Similarity, Split
from seedbed.report.paid import paid_lines
from seedbed.steps.class_weights import ClassWeights
from seedbed.steps.oversample import Oversample
from seedbed.steps.scale import Scale
from seedbed.steps.tfidf import Tfidf
from seedbed.steps.undersample import Undersample
from seedbed.train.naive_bayes import NaiveBayes
from seedbed.train.tfidf_logistic import TfidfLogistic
from seedbed.train.tfidf_svm import TfidfSvm

SIMILARITY = Similarity(("text",), "characters", 0.7, 10_000)
TASK = TextClassification(kind="text_classification", text="text", label="label", labels=("a", "b"))


@pytest.fixture
def own_parts() -> Iterator[None]:
    """Parts that a test defines are forgotten afterwards."""
    known = dict(Step.catalogue)
    yield
    Step.catalogue.clear()
    Step.catalogue.update(known)


def frame(rows: int = 120) -> pl.DataFrame:
    names = pl.Series(ROW, [f"r:rows#{n}" for n in range(1, rows + 1)])
    return pl.DataFrame([pl.Series(NUMBER, range(1, rows + 1), dtype=pl.UInt64), names]).hstack(
        pl.DataFrame(rows_of(rows))
    )


@pytest.mark.parametrize("learner", [TfidfLogistic(min_df=1), TfidfSvm(min_df=1), NaiveBayes(min_df=1)])
def test_a_row_that_counts_twice_is_a_row_that_is_there_twice(learner: Any) -> None:
    rows = frame(60).select(ROW, "text", "label")
    twice = rows["label"] == "b"
    weighted = rows.with_columns(pl.when(twice).then(2.0).otherwise(1.0).alias(WEIGHT))
    # The same rows each time, so that terms and their frequencies are the same: the copies count, or do not.
    alike = pl.concat(
        [rows.with_columns(pl.lit(1.0).alias(WEIGHT)), rows.filter(twice).with_columns(pl.lit(0.0).alias(WEIGHT))]
    )
    one = learner.fit(
        pl.concat([weighted, weighted.filter(twice).with_columns(pl.lit(0.0).alias(WEIGHT))]), rows[:0], TASK, Context()
    )
    other = learner.fit(pl.concat([rows, rows.filter(twice)]), rows[:0], TASK, Context())
    plain = learner.fit(alike, rows[:0], TASK, Context())
    assert np.allclose(one.predict(rows), other.predict(rows), atol=2e-3)
    assert not np.allclose(one.predict(rows), plain.predict(rows), atol=2e-3)
    assert learner.heeds_weights


def test_in_memory_it_gives_what_the_run_gives(tmp_path: Path) -> None:
    done = seedbed.run(recipe(tmp_path, BALANCED, train=[]))
    without = seedbed.run(recipe(tmp_path / "without", train=[]))
    tables = dataset(without)
    steps = (Undersample(column="label", to={"a": 90}), Oversample(column="label"), ClassWeights(column="label"))
    numbered = {
        name: table.with_columns(pl.Series(NUMBER, range(table.height), dtype=pl.UInt64))
        for name, table in tables.items()
    }
    train, others = Preparation(steps, SIMILARITY, 13)(numbered.pop("train"), numbered)
    assert train.drop(NUMBER).equals(dataset(done)["train"].select(train.drop(NUMBER).columns))
    assert others["test"].drop(NUMBER).equals(dataset(done)["test"].select(others["test"].drop(NUMBER).columns))


STEPS = [
    Undersample(column="label", to=0.5),
    Undersample(column="label"),
    Oversample(column="label"),
    Oversample(column="label", to=0.7),
    ClassWeights(column="label", weights="effective"),
]


@given(
    labels=st.lists(st.sampled_from("abc"), min_size=2, max_size=30),
    chosen=st.lists(st.sampled_from(STEPS), max_size=4, unique_by=lambda step: step.use),
    cut=st.integers(1, 29),
)
def test_whatever_is_prepared_held_out_rows_stay_and_made_rows_are_copies(
    labels: list[str], chosen: list[Any], cut: int
) -> None:
    rows = frame(len(labels)).with_columns(pl.Series("label", labels))
    train, held = rows[:cut], rows[cut:]
    after, others = Preparation(tuple(chosen), SIMILARITY, 13)(train, {"held": held})
    assert others["held"].select(held.columns).equals(held)
    assert not set(after[ROW]) & set(held[ROW])
    read = after.filter(pl.col(ROW).str.starts_with("r:"))
    assert read.select(train.columns).equals(train.filter(pl.col(ROW).is_in(read[ROW].to_list())))
    made = after.filter(~pl.col(ROW).str.starts_with("r:"))
    assert set(made["text"]) <= set(train["text"])
    assert after[ROW].is_unique().all()
    assert after[NUMBER].is_sorted()


def test_what_nobody_looks_at_is_not_done() -> None:
    steps = (
        Tfidf(column="text", into="terms", at_most=5),
        ClassWeights(column="label"),
        Scale(column="n"),
        Undersample(column="group", to=0.5),
    )
    written = (frozenset({"terms"}), frozenset({WEIGHT}), frozenset({"n"}), frozenset())
    wanted = {"text", "label", WEIGHT}
    assert bearing(steps, written, wanted) == ({1, 3}, {"text", "label", WEIGHT, "group"})
    assert bearing(steps, written, wanted, {3}) == ({1}, {"text", "label", WEIGHT})
    assert bearing(steps, (None,) * 4, wanted)[0] == {0, 1, 2, 3}
    # One that may read any column needs all that is written before it.
    other = type("Reading", (Fitted,), {"fit": lambda *_: {}, "__annotations__": {"use": str}, "use": ""})()
    assert bearing((*steps, other), (*written, None), wanted) == ({0, 1, 2, 3, 4}, None)
    # And where it is passed over, what is looked at is the same.
    rows = frame(80).with_columns(group=pl.col("label"), vain=pl.lit("long" * 9))
    places, needs = bearing(steps, written, wanted)
    whole, held = Preparation(steps, SIMILARITY, 13)(rows[:60], {"held": rows[60:]})
    skipped = Preparation(steps, SIMILARITY, 13, frozenset({0, 1, 2, 3} - places), needs)
    assert skipped.columns(rows.columns) == [NUMBER, ROW, "text", "label", "group"]
    less, other_held = skipped(rows[:60].select(skipped.columns(rows.columns)), {"held": rows[60:]})
    looked_at = [NUMBER, ROW, *sorted(wanted)]
    assert less.select(looked_at).equals(whole.select(looked_at))
    assert other_held["held"].select(looked_at).equals(held["held"].select(looked_at))
    assert "terms" in whole.columns and "terms" not in less.columns


OURS = [part for part in Step.catalogue.values() if part.by_name]


@pytest.mark.parametrize("part", OURS, ids=lambda part: part.model_fields["use"].default)
def test_a_part_that_says_so_reads_what_it_names(part: type[Step]) -> None:
    for example in part.examples:
        if example.files:
            continue
        step = part.model_validate(example.options).for_task({"text": "text", "label": "label"})
        data = pl.DataFrame(example.before)
        names = [f"0:t#{n}" for n in range(1, data.height + 1)]
        rows = pl.DataFrame({NUMBER: pl.Series(range(1, data.height + 1), dtype=pl.UInt64), ROW: names}).hstack(data)
        named = [name for name in rows.columns if name in {NUMBER, ROW, *(column for _, column in step.columns_used())}]
        done = Preparation((step,), SIMILARITY, 13)
        whole, _ = done(rows.with_columns(vain=pl.lit("vain")), {})
        less, _ = done(rows.select(named), {})
        assert less.height == whole.height
        assert whole.select(less.columns).equals(less)


def test_each_fold_learns_and_makes_for_itself(tmp_path: Path, own_parts: None) -> None:
    seen: list[set[str]] = []

    class Watching(Make):
        use: Literal["watching_too"] = "watching_too"

        def make(self, train: pl.LazyFrame, seed: int) -> Iterator[pl.DataFrame]:
            rows = train.collect()
            seen.append(set(rows[ROW]))
            yield rows.head(5).with_columns(pl.concat_list(ROW).alias(PARENTS))

    told = {
        "evaluate": {"leakage": False, "effect": False, "curve": False, "folds": 3, "intervals": {"resamples": 100}}
    }
    done = with_parts(recipe(tmp_path, train=[{"use": "naive_bayes"}], **told), Watching())
    held_out = set(dataset(done)["test"][ROW])
    whole, *folds = seen
    assert len(folds) == 3
    assert all(not fold & held_out for fold in seen)
    rows = whole | set(dataset(done)["validation"][ROW])
    judging = [rows - fold for fold in folds]
    assert set.union(*judging) == rows
    assert sum(map(len, judging)) == len(rows)
    assert len(done.run.models[0].folds["macro_f1"].values) == 3


def test_a_served_text_passes_what_was_learned(tmp_path: Path, own_parts: None) -> None:
    class MarkRare(Fitted):
        use: Literal["mark_rare"] = "mark_rare"

        def fit(self, train: pl.LazyFrame, seed: int) -> dict[str, Any]:
            words = train.select(pl.col("text").str.split(" ").explode()).collect()["text"].value_counts()
            return {"known": sorted(words.filter(pl.col("count") > 1)["text"].to_list())}

        def columns(self, state: dict[str, Any]) -> list[pl.Expr]:
            word = pl.element()
            known = pl.when(word.is_in(state["known"])).then(word).otherwise(pl.lit("RARE"))
            return [pl.col("text").str.split(" ").list.eval(known).list.join(" ").alias("text")]

        def keep(self, state: dict[str, Any]) -> pl.Expr:
            return pl.col("n") % 10 != 0

    done = with_parts(recipe(tmp_path), MarkRare(), Oversample(column="label"), ClassWeights(column="label"))
    bundle = done.folder / "models/naive_bayes"
    told = json.loads((bundle / "preprocess.json").read_text())
    [carried] = told["steps"]
    assert carried["name"] == "mark_rare"
    assert "red" in carried["state"]["known"]
    assert told["inputs"] == [{"name": "text", "type": "text", "known_as": []}]
    # Predicting the raw rows gives what the run's own predictions say; what training dropped is not even a warning.
    raw = {row["n"]: row for row in rows_of()}
    test = dataset(done)["test"]
    assert test["text"].str.contains("RARE").all()
    model = seedbed.load_model(bundle)
    predictions = pl.read_parquet(done.folder / "predictions/naive_bayes-test.parquet")
    answers = model.predict([{"text": raw[n]["text"]} for n in test["n"]])
    assert answers["predicted"].to_list() == predictions["predicted"].to_list()
    assert np.allclose(answers["confidence"], predictions["confidence"], atol=1e-6)
    assert answers["warnings"].list.len().sum() == 0


def test_what_it_was_worth_is_told_on_validation_rows(tmp_path: Path) -> None:
    told = {"leakage": True, "curve": {"shares": [0.25, 1.0], "model": "naive_bayes"}, "intervals": {"resamples": 100}}
    done = seedbed.run(recipe(tmp_path, BALANCED, rows_of(300), evaluate=told, train=[{"use": "naive_bayes"}]))
    run = done.run
    assert [effect.without for effect in run.effects] == ["made rows", "prepare"]
    train = run.dataset.splits["train"]
    without_made, without = run.effects
    assert without_made.rows == without.rows == train
    assert without_made.rows_without == train - run.rows.made
    assert without.rows_without == train - run.rows.made + run.rows.rejected_rows
    for effect in run.effects:
        assert {one.split for one in effect.comparisons} == {"validation"}
        assert {one.n for one in effect.comparisons} == {run.dataset.splits["validation"]}
        assert all(one.p_holm is not None for one in effect.comparisons)
        assert all(one.low <= one.difference <= one.high for one in effect.comparisons if one.metric == "macro_f1")
    curve = run.learning_curve
    assert curve is not None
    assert [point.share for point in curve.points] == [0.25, 1.0]
    quarter, whole = curve.points
    assert quarter.rows < whole.rows == without_made.rows_without
    assert whole.made == run.rows.made > 0
    assert whole.with_made is not None
    best = run.best_model
    assert best is not None
    assert whole.with_made.value == best.scores["validation"]["macro_f1"].value
    assert run.leakage is not None
    for line, effect in zip(paid_lines(run), run.effects, strict=True):
        told = next(one for one in effect.comparisons if one.metric == run.metric)
        assert told.p_holm is not None
        assert f" by itself; {numbers.probability(told.p_holm)} corrected for 2 comparisons)" in line
    page = (done.folder / "report.html").read_text()
    assert 'id="paid"' in page
    assert "the verdict goes by p after Holm" in page
    assert "oversample" in page


def test_what_nobody_asks_for_is_not_done(tmp_path: Path) -> None:
    run = seedbed.run(recipe(tmp_path, BALANCED)).run
    assert (run.effects, run.learning_curve) == ((), None)
    with pytest.raises(RecipeError, match="there is no model 'nobody' in `train`"):
        seedbed.run(recipe(tmp_path, evaluate={"curve": {"model": "nobody"}}))
    with pytest.raises(RecipeError, match="do not ascend"):
        seedbed.run(recipe(tmp_path, evaluate={"curve": {"shares": [0.5, 0.5]}}))


def test_a_curve_of_real_rows_alone(tmp_path: Path) -> None:
    told = {"leakage": False, "curve": True, "intervals": {"resamples": 100}}
    curve = seedbed.run(recipe(tmp_path, evaluate=told)).run.learning_curve
    assert curve is not None
    assert [point.made for point in curve.points] == [0] * len(curve.points)
    assert all(point.with_made is None for point in curve.points)


def test_parts_of_the_training_rows_are_nested_and_of_whole_clusters() -> None:
    numbers = np.arange(100, dtype=np.uint64)
    clusters = np.arange(100) // 3
    split = Split(("train",), numbers, np.zeros(100, np.int8), None, SIMILARITY, 0, clusters)  # type: ignore[arg-type]
    rank = ranks(split, pl.Series(numbers), 13)
    for share in (0.1, 0.5, 1.0):
        chosen = rank <= share
        assert share - 0.03 <= chosen.mean() <= share
        assert all(len(set(chosen[clusters == cluster])) == 1 for cluster in np.unique(clusters))
    assert not np.array_equal(rank, ranks(split, pl.Series(numbers), 14))
    assert Table(()).height == 0


def test_a_made_row_and_its_parents_are_explained(tmp_path: Path) -> None:
    done = seedbed.run(recipe(tmp_path, [*BALANCED, {"use": "oversample", "to": {"b": 100}}], train=[]))
    [made] = ledger(done).filter(part="oversample.2").head(1).to_dicts()
    story = seedbed.flow.explain(done.folder, made["row"])
    assert story.maker == "oversample.2"
    assert story.fate.split == "train"
    [parent] = json.loads(made["evidence"])["parents"]
    assert story.parents[0].row == parent
    if parent.startswith("oversample:"):  # of a made row
        assert story.parents[1].to == parent
    read = next(one.row for one in story.parents if one.row.startswith("r:"))
    of_read = seedbed.flow.explain(done.folder, read)
    assert of_read.all_offspring >= 1
    assert not of_read.notes
    assert [change.column for change in of_read.changes] == [WEIGHT]
    [gone] = ledger(done).filter(part="undersample").head(1).to_dicts()
    dropped = seedbed.flow.explain(done.folder, gone["row"])
    assert dropped.rejection is not None
    assert dropped.rejection.reason == "too_many_of_label"
    assert not dropped.notes
    with pytest.raises(RecipeError, match="made no row"):
        seedbed.flow.explain(done.folder, "oversample:made#100000")
