"""The report shows the numbers of the run, and none that the run does not hold."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sample
import sample_models
from hypothesis import given
from hypothesis import strategies as st
from page_reading import RUNS, Page

from seedbed.core import numbers
from seedbed.core.ledger import Books
from seedbed.core.metric import Score
from seedbed.core.run import ModelRecord, Run, StepRecord
from seedbed.report import facts, figures, figures_of_rows, heat
from seedbed.report.page import render
from seedbed.report.told import plain

#: Numbers of the page's own sentences.
OURS = {"95", "5", "3", "1", "100,000", "80", "100", "0.5", "0", "2003"}


def values(record: Any) -> Iterator[float]:
    if isinstance(record, dict):
        for item in record.values():
            yield from values(item)
    elif isinstance(record, list):
        for item in record:
            yield from values(item)
    elif isinstance(record, (int, float)) and not isinstance(record, bool):
        yield record


def scored(record: Any) -> Iterator[dict[str, Any]]:
    """What has a value, or a difference, with the ends of its interval, as scores."""
    for one in record.values() if isinstance(record, dict) else record if isinstance(record, list) else ():
        yield from scored(one)
    if isinstance(record, dict) and isinstance(record.get("low"), float) and isinstance(record.get("high"), float):
        middle = next((record[name] for name in ("difference", "value", "gain") if record.get(name) is not None), None)
        if middle is not None:
            yield {"value": middle, "low": record["low"], "high": record["high"], "n": 1}


def allowed(run: Run) -> set[str]:
    record = json.loads(run.model_dump_json())
    written: set[str] = set()
    for value in values(record):
        for write in (
            numbers.amount,
            numbers.count,
            numbers.score,
            numbers.seconds,
            numbers.size,
            numbers.fact,
            numbers.chance,
            str,
        ):
            written |= set(tokens(write(value)))
    written |= {token for one in scored(record) for token in tokens(numbers.interval(Score.model_validate(one)))}
    words = json.dumps(record, ensure_ascii=False)
    written |= set(tokens(words.replace("_", " ")))
    derived = [run.rows.rejected_rows, *(leg.lost for leg in facts.legs(run)), *(leg.before for leg in facts.legs(run))]
    derived += [edge - 1 for edge in (run.dataset.lengths.edges if run.dataset.lengths else ())]
    derived += [sum(run.dataset.labels_made.values())]
    derived += [len(far.points) for model in run.models for far in model.distances.values()]
    derived += [sum(row) for model in run.models for cells in model.confusion.values() for row in cells]
    derived += [len(run.gates), len(run.findings), sum(f.passed for f in run.findings), len(run.blanks)]
    derived += [len(facts.labels_seen(run)), figures_of_rows.MOST_LABELS, len(run.stopped_by), heat.MOST_CONFUSED]
    derived += [n for model in run.models for one in model.mistakes for n in range(len(one.neighbours) + 1)]
    written |= {token for value in derived for token in tokens(numbers.count(value))}
    of = facts.judged(run)
    if of and of.split in of.model.curves:
        for curve in (*of.model.curves[of.split].roc, *of.model.curves[of.split].precision_recall):
            written |= {numbers.score(facts.height(curve, share)) for share in (0.05, 0.1, 0.2, 0.5, 0.8)}
    if run.leakage:
        written |= set(tokens(numbers.signed(run.leakage.naive.value - run.leakage.honest.value)))
    return written | OURS


def tokens(text: str) -> list[str]:
    return re.findall(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?!\d)", text)


@pytest.mark.parametrize(
    "name", ["tweets", "whole", "indistinct", "failed", "many_labels", "places", "numbers", "few_numbers"]
)
def test_every_number_shown_stands_in_the_run(name: str) -> None:
    run = RUNS[name]()
    text = re.sub(r"\d[\d,.]* %", "", Page(render(run)).text)
    shown = {token.rstrip(",") for token in tokens(text)}
    assert shown - {token.rstrip(",") for token in allowed(run)} == set()
    assert len(shown) > (5 if name == "failed" else 80)


def test_the_numbers_of_the_run_are_shown() -> None:
    run = sample.tweets()
    text = Page(render(run)).text
    for model in run.models:
        for scores in model.scores.values():
            for score in scores.values():
                assert f"{numbers.score(score.value)} {numbers.span(score)}" in text
        for classes in model.classes.values():
            for one in classes.values():
                assert f"{numbers.score(one.recall.value)} {numbers.span(one.recall)}" in text


def test_the_rows_and_papers_of_the_run_are_shown() -> None:
    run = sample.tweets()
    text = Page(render(run)).text
    for part, reasons in run.rows.rejected.items():
        assert part in text
        for reason, n in reasons.items():
            assert f"{reason} {n:,}" in text
    for step in run.steps:
        assert f"{step.part} {step.rows_in:,}" in text
    lengths = run.dataset.lengths
    assert lengths
    for before, after in zip(lengths.before, lengths.after, strict=True):
        assert f"{before:,} {after:,}" in text
    for mistake in run.models[1].mistakes:
        said = f"Labelled {mistake.truth}, predicted {mistake.predicted} with a confidence of {mistake.confidence:.3f}."
        assert f"{mistake.text} {said}" in text and mistake.row in text
    for words in (sample.DIGEST, run.command, *run.blanks, *run.published, *run.sources[0].notes, run.sources[0].path):
        assert words in text
    for line in sample.RECIPE.splitlines():
        assert " ".join(line.split()) in text


def test_made_rows_are_told_apart_from_those_that_were_read() -> None:
    made = {"negative": 152, "positive": 4851}
    data = sample.tweets().dataset
    assert data.lengths
    bins = tuple(500 if after > 2500 else 3 for after in data.lengths.after)
    lengths = data.lengths.model_copy(update={"made": bins})
    run = sample.tweets(dataset=data.model_copy(update={"labels_made": made, "lengths": lengths}))
    text = Page(render(run)).text
    assert "positive 6,947 5,151 18.0 % 4,851 645" in text.replace("\u00a0", " ")
    assert "neutral 15,018 11,331 39.6 % 0 1,416" in text.replace("\u00a0", " ")
    for before, after, ours in zip(lengths.before, lengths.after, bins, strict=True):
        assert f"{before:,} {after:,} {ours:,}" in text
    drawn, curve = figures.classes(run), figures.lengths(run)
    assert drawn and curve
    assert "train: 4,851 made rows" in drawn.svg and "6,947 → 6,440, 4,851 made" in drawn.svg
    assert curve.svg.count("of them made") == 2 * len(bins) + len(bins) and "in the dataset, made" in curve.svg
    assert "made" not in str(figures.classes(sample.tweets()))
    shown = {token.rstrip(",") for token in tokens(re.sub(r"\d[\d,.]* %", "", text))}
    assert shown - {token.rstrip(",") for token in allowed(run)} == set()


def test_of_a_label_that_no_judging_row_has_nothing_is_told() -> None:
    run, models = sample.tweets(), list[ModelRecord]()
    for one in run.models:
        neutral = one.classes["test"]["neutral"].model_copy(update={"support": 0})
        test = {**one.classes["test"], "neutral": neutral}
        models.append(one.model_copy(update={"classes": {**one.classes, "test": test}}))
    dataset = run.dataset.model_copy(update={"labels_before": {}})
    bare = run.model_copy(update={"models": tuple(models), "dataset": dataset})
    best = next(one for one in models if one.name == run.best)
    rate, kept = (numbers.span(best.classes["test"][name].f1) for name in ("neutral", "positive"))
    at = Path("folder")
    shown, page = plain(bare, at).replace("-", "–"), Page(render(bare)).text
    assert kept in shown and rate not in shown and "as read" not in shown and "as read" in plain(run, at)
    [row] = [line.split() for line in shown.splitlines() if line.split()[:1] == ["neutral"]]
    assert row[-2:] == ["–", "0"]
    assert "neutral 0 – – –" in page and kept in page and rate not in page


def test_confusion_cells_stand_where_their_labels_are() -> None:
    run = sample.tweets()
    of = facts.judged(run)
    assert of and of.labels == list(sample_models.LABELS)
    drawn = figures.confusion(run, of)
    assert drawn
    drawing = drawn.svg
    for i, truth in enumerate(sample_models.LABELS):
        for j, predicted in enumerate(sample_models.LABELS):
            n = sample_models.CELLS["tfidf_logistic"]["test"][i][j]
            assert f"<title>{truth} taken for {predicted}: {n:,} of " in drawing
    assert [(c.truth, c.predicted, c.rows) for c in of.confused(2)] == [
        ("negative", "neutral", 249),
        ("neutral", "negative", 221),
    ]


# The waterfall ------------------------------------------------------------------------------------------------------


@st.composite
def ways(draw: st.DrawFn) -> Run:
    """A run whose rows went through some parts; reading may have rejected some before the first."""
    read = draw(st.integers(0, 5000))
    left, made, steps, rejected = read, 0, [], {}
    malformed = draw(st.integers(0, left))
    if malformed:
        rejected["csv"] = {"too_many_fields": malformed}
        left -= malformed
    for i in range(draw(st.integers(0, 6))):
        lost, new = draw(st.integers(0, left)), draw(st.sampled_from([0, 0, 7]))
        reasons = {"why": lost} if lost else {}
        out = left - lost + new
        steps.append(StepRecord(part=f"p{i}", use="where", rows_in=left, rows_out=out, changed=0, rejected=reasons))
        if lost:
            rejected[f"p{i}"] = reasons
        left, made = out, made + new
    return sample.tweets(rows=Books(read=read, made=made, kept=left, rejected=rejected), steps=tuple(steps))


@given(ways())
def test_the_waterfall_adds_up(run: Run) -> None:
    legs = facts.legs(run)
    left = run.rows.read
    for leg in legs:
        assert leg.before == left and leg.after == left + leg.made - leg.lost
        left = leg.after
    assert left == run.rows.kept
    assert sum(leg.lost for leg in legs) == run.rows.rejected_rows
    assert sum(leg.made for leg in legs) == run.rows.made
    assert [(leg.before, leg.after) for leg in legs if leg.part != "csv"] == [
        (s.rows_in, s.rows_out) for s in run.steps
    ]
    figures.way(run)


def test_rows_made_outside_the_steps_are_shown() -> None:
    rows = Books(read=10, made=5, kept=14, rejected={"where": {"where": 1}})
    legs = facts.legs(sample.tweets(rows=rows, steps=()))
    assert [(leg.part, leg.after) for leg in legs] == [("where", 9), ("made for training", 14)]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (numbers.count(38158), "38,158"),
        (numbers.things(1, "row"), "1 row"),
        (numbers.things(1200, "category", "categories"), "1,200 categories"),
        (numbers.things(0, "row is", "rows are"), "0 rows are"),
        (numbers.percent(35793, 38158), "93.8 %"),
        (numbers.percent(7, 38158), "0.02 %"),
        (numbers.percent(1, 10**9), "< 0.01 %"),
        (numbers.percent(99999, 100000), "> 99.9 %"),
        (numbers.percent(5, 5), "100 %"),
        (numbers.percent(0, 5), "0 %"),
        (numbers.percent(1, 0), "–"),
        (numbers.score(0.73274), "0.733"),
        (numbers.score(None), "–"),
        (numbers.signed(-0.0042), "−0.004"),
        (numbers.signed(0.5), "+0.500"),
        (numbers.chance(0.0001), "< 0.001"),
        (numbers.seconds(151.24), "151.2 s"),
        (numbers.seconds(0.04), "< 0.1 s"),
        (numbers.size(412), "412 B"),
        (numbers.size(18_734_112), "18.7 MB"),
        (numbers.fact(True), "yes"),
        (numbers.fact([1, "a"]), '[1, "a"]'),
        (numbers.verbatim(4.0), "4.0"),
        (numbers.metric("macro_f1"), "macro-F1"),
        (numbers.metric("balanced_accuracy"), "balanced accuracy"),
        (numbers.short("abcdef", 4), "abc…"),
    ],
)
def test_numbers_are_written_one_way(written: str, expected: str) -> None:
    assert written.replace("\u00a0", " ") == expected
