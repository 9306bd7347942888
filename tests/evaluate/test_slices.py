from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from seedbed.core.metric import Metric
from seedbed.core.run import Slice
from seedbed.core.task import CausalLm
from seedbed.evaluate import Accuracy, BitsPerByte, LogLoss, MacroF1, Perplexity, RocAuc, WordPerplexity
from seedbed.evaluate.forms import form_of
from seedbed.evaluate.judge import measure
from seedbed.evaluate.slices import MISSING, OTHER, by_length, by_value, judge_slices, length_edges


def case(rows: int, seed: int, bad: int | None = None) -> tuple[np.ndarray, np.ndarray, pl.Series]:
    """Answers that know something, except, where asked, in one of four groups."""
    random = np.random.default_rng(seed)
    truth, group = random.integers(0, 3, rows), random.integers(0, 4, rows)
    scores = random.normal(size=(rows, 3))
    scores[np.arange(rows), truth] += np.where(group == bad, 0.0, 1.5)
    powers = np.exp(scores)
    return truth, powers / powers.sum(1, keepdims=True), pl.Series([f"g{one}" for one in group])


def judged(seed: int, metric: Metric, bad: int | None = None, rows: int = 400) -> list[Slice]:
    truth, probabilities, group = case(rows, seed, bad)
    return list(judge_slices(truth, probabilities, [by_value("group", group)], metric, resamples=600, seed=seed))


@pytest.mark.parametrize("metric", [MacroF1(), RocAuc(), LogLoss()], ids=lambda metric: metric.use)
def test_a_planted_bad_slice_is_found(metric: Metric) -> None:
    found = {one.value: one for one in judged(1, metric, bad=2, rows=800)}
    assert found["g2"].verdict == "worse"
    assert found["g2"].p is not None and found["g2"].p < 0.02
    assert found["g2"].low is not None and found["g2"].high is not None and found["g2"].difference is not None
    assert found["g2"].low < found["g2"].difference < found["g2"].high
    assert (found["g2"].difference < 0) != metric.lower_is_better


@pytest.mark.parametrize(("metric", "seeds"), [(MacroF1(), 120), (LogLoss(), 60)])
def test_noise_is_not_found(metric: Metric, seeds: int) -> None:
    runs = [judged(seed, metric) for seed in range(seeds)]
    alarms = sum(any(one.verdict in ("better", "worse") for one in run) for run in runs)
    # At 5 % per run, 120 (60) runs have at most 13 (9) alarms with probability 0.998.
    assert alarms <= (13 if seeds == 120 else 9)
    assert any((one.p or 0) < 0.5 for run in runs for one in run)


def test_a_slice_of_other_labels_is_not_bad_for_that() -> None:
    alarms = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        truth = (random.random(500) < 0.12).astype(np.int64)
        wrong = random.random(500) < np.where(truth == 1, 0.15, 0.01)
        spam = np.where(truth ^ wrong, 0.9, 0.1)
        short = pl.Series(np.where((truth == 0) & (random.random(500) < 0.3), "short", "long"))  # no spam is short
        groups = [by_value("length", short)]
        found = judge_slices(truth, np.stack([1 - spam, spam], 1), groups, MacroF1(), resamples=400, seed=seed)
        alarms += any(one.verdict != "not distinguishable" for one in found)
    assert alarms <= 6  # at 5 % per run, more have a probability of 0.014


def test_scores_and_differences_are_those_of_the_rows() -> None:
    truth, probabilities, group = case(300, 5)
    for metric in (MacroF1(), RocAuc()):
        for one in judge_slices(truth, probabilities, [by_value("group", group)], metric, resamples=200):
            inside = (group == one.value).to_numpy()
            here = measure(metric, truth[inside], probabilities[inside])
            assert one.score.value == pytest.approx(here)
            assert one.score.n == inside.sum()
            assert one.difference == pytest.approx(here - measure(metric, truth[~inside], probabilities[~inside]))
            assert one.score.low <= one.score.value <= one.score.high


def test_slices_of_language_models_are_told_every_likelihood() -> None:
    random = np.random.default_rng(3)
    texts = pl.Series(["abcd efg " * int(n) for n in random.integers(1, 9, 200)])
    odd = pl.Series(random.integers(0, 2, 200))
    tokens = texts.str.len_chars() // 3
    nats = tokens * (1.0 + odd) + pl.Series(random.normal(0, 0.2, 200))
    answers = pl.DataFrame({"nats": nats, "tokens": tokens})
    form = form_of(CausalLm(kind="causal_lm", text="text"))
    metrics = [BitsPerByte(), Perplexity(), WordPerplexity()]
    found = judge_slices(
        texts, answers, [by_value("odd", odd)], metrics[0], others=form.beside_in_slices(metrics), resamples=500
    )
    told = {one.value: one for one in found}
    assert (told["1"].verdict, told["0"].verdict) == ("worse", "better")
    for value, nat in (("0", 1.0), ("1", 2.0)):
        some = odd == int(value)
        perplexity = told[value].also["perplexity"]
        assert perplexity.value == pytest.approx(math.exp(nats.filter(some).sum() / tokens.filter(some).sum()))
        assert perplexity.low < perplexity.value < perplexity.high
        assert perplexity.value == pytest.approx(math.exp(nat), rel=0.1)
        assert told[value].also["word_perplexity"].n == some.sum() == told[value].score.n
    labels = judged(1, LogLoss())
    assert all(one.also == {} for one in labels)


def test_too_few_rows_say_nothing() -> None:
    truth, probabilities, _ = case(100, 1)
    groups = [by_value("few", pl.Series(["a"] * 29 + ["b"] * 71)), by_value("one", pl.Series(["c"] * 100))]
    found = judge_slices(truth, probabilities, groups, Accuracy(), resamples=200)
    assert [(one.by, one.value, one.score.n) for one in found] == [
        ("few", "b", 71),
        ("few", "a", 29),
        ("one", "c", 100),
    ]
    assert {one.verdict for one in found} == {"too few rows"}
    assert {one.p for one in found} == {None}


def test_labels_that_a_slice_lacks_are_left_out_of_its_average() -> None:
    truth = np.array([0] * 40 + [1] * 40)
    probabilities = np.eye(2)[truth]
    found = judge_slices(
        truth, probabilities, [by_value("half", pl.Series(["x"] * 40 + ["y"] * 40))], MacroF1(), resamples=200
    )
    assert [one.score.value for one in found] == [1, 1]


def test_lengths_are_cut_where_a_person_would() -> None:
    texts = pl.Series(["x" * n for n in range(1, 200)])
    edges = length_edges(texts)
    assert edges == (50, 100, 150)
    grouping = by_length(texts, edges)
    assert grouping.values == (
        "under 50 characters",
        "50 to 99 characters",
        "100 to 149 characters",
        "150 characters or more",
    )
    assert np.bincount(grouping.codes).tolist() == [49, 50, 50, 50]
    assert length_edges(pl.Series(["same length"] * 9)) == (11,)
    assert length_edges(pl.Series([], dtype=pl.String)) == ()
    assert by_length(pl.Series(["a", None]), ()).codes.tolist() == [0, 0]
    assert length_edges(pl.Series(["x" * n for n in range(0, 8000, 7)])) == (2000, 4000, 6000)


def test_values_of_a_column() -> None:
    column = pl.Series([1, 1, 1, None, None, 2])
    grouping = by_value("n", column)
    assert grouping.values == ("1", MISSING, "2")
    assert grouping.codes.tolist() == [0, 0, 0, 1, 1, 2]
    many = by_value("n", pl.Series([*range(30), *range(25)]))
    assert len(many.values) == 21 and many.values[-1] == OTHER
    assert (many.codes == 20).sum() == 55 - 2 * 20


def test_very_many_labels_are_not_sliced() -> None:
    truth = np.arange(250)
    groups = [by_value("g", pl.Series(["a"] * 125 + ["b"] * 125))]
    assert judge_slices(truth, np.eye(250), groups, MacroF1()) == ()
