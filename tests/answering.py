"""Examples of metrics and learners, run: what stands in `before` tells which kind of answer they are about."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from seedbed.core.context import Context
from seedbed.core.errors import MissingExtraError
from seedbed.core.learner import Learner
from seedbed.core.metric import DecisionMetric, Metric
from seedbed.core.part import Example
from seedbed.core.task import (
    CausalLm,
    Chat,
    MultiLabelClassification,
    QuestionAnswering,
    Regression,
    TabularClassification,
    TabularRegression,
    Task,
    TextClassification,
    TextToText,
)
from seedbed.core.task.chat import TURNS
from seedbed.core.task.question_answering import ANSWERS
from seedbed.evaluate.forms import OneLabel, form_of


def measured(metric: Metric, example: Example) -> dict[str, list[Any]]:
    """The value of a metric on an example."""
    return {"value": [pytest.approx(_value(metric, dict(example.before)), nan_ok=True)]}


def _value(metric: Metric, before: dict[str, Any]) -> float:
    truth = before.pop("truth")
    if "predicted" in before:
        assert isinstance(metric, DecisionMetric)
        labels = sorted({*truth, *before["predicted"]})
        cells = np.zeros((len(labels), len(labels)), dtype=np.int64)
        places = [labels.index(x) for x in truth], [labels.index(x) for x in before["predicted"]]
        np.add.at(cells, places, 1)
        return float(metric.of_cells(cells))
    once = np.ones((1, len(truth)), dtype=np.uint8)
    return float(metric.of_rows(*_told(truth, before), once)[0])


def _told(truth: list[Any], before: dict[str, Any]) -> tuple[Any, Any]:
    if "probabilities" in before:
        return np.unique(truth, return_inverse=True)[1].astype(np.int64), np.array(before["probabilities"])
    if "answers" in before and isinstance(truth[0], list):
        return np.array(truth, dtype=np.bool_), np.array(before["answers"], dtype=np.float64)
    if "answers" in before:
        return np.array(truth, dtype=np.float64), np.array(before["answers"], dtype=np.float64).reshape(-1, 1)
    kind = ANSWERS if isinstance(truth[0], list) else pl.String
    return pl.Series(truth, dtype=kind), pl.DataFrame(before)


def task_of(rows: pl.DataFrame) -> Task:
    """The task that rows of an example are of."""
    names = set(rows.columns)
    if "context" in names:
        return QuestionAnswering()
    if "messages" in names:
        return Chat()
    if "label" in names and isinstance(rows["label"].dtype, pl.List):
        labels = tuple(sorted(rows["label"].explode().drop_nulls().unique().to_list()))
        return MultiLabelClassification(text="text", label="label", labels=labels)
    if "label" in names:
        labels = tuple(sorted(rows["label"].cast(pl.String).unique().to_list()))
        if "text" in names:
            return TextClassification(text="text", label="label", labels=labels)
        return TabularClassification(label="label", labels=labels)
    if "target" not in names:
        return CausalLm(text="text")
    if rows["target"].dtype == pl.String:
        return TextToText(text="text", target="target")
    return Regression(text="text", target="target") if "text" in names else TabularRegression(target="target")


def answered(learner: Learner, example: Example) -> dict[str, list[Any]]:
    """What a learner's model answers to the rows of an example that it learned from."""
    rows = pl.DataFrame(example.before, schema_overrides={"answers": ANSWERS, "messages": TURNS}, strict=False)
    rows = rows.with_columns(pl.Series("row", [f"0:x#{i}" for i in range(1, rows.height + 1)]))
    task = task_of(rows)
    assert task.kind in learner.learns
    try:
        model = learner.fit(rows, rows, task, Context())
    except MissingExtraError as error:
        pytest.skip(str(error))
    form = form_of(task)
    told = model.predict(task.as_asked(rows))
    answers = form.checked(told, rows.height, model.labels)
    if isinstance(form, OneLabel):
        assert np.allclose(answers.sum(1), 1)
    found = form.written(None, answers).to_dict(as_series=False)
    if isinstance(told, pl.DataFrame):
        found |= told.to_dict(as_series=False)
    floats = {name for name, values in found.items() if values and isinstance(values[0], float)}
    return {name: pytest.approx(values, rel=1e-4) if name in floats else values for name, values in found.items()}
