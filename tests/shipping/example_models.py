"""Models of learners' own examples, or of other few rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
from pydantic import TypeAdapter

from seedbed.core.context import Context
from seedbed.core.learner import Learner
from seedbed.core.part import Example
from seedbed.core.task import AnyTask
from tiny_encoder import with_encoder

COUNTING = ("tfidf_logistic", "tfidf_svm", "naive_bayes", "tfidf_ridge")
READING = ("embedding_logistic", "embedding_ridge", "tfidf_embedding_logistic")
TREES = ("decision_tree", "random_forest", "gradient_boosting")


def example_of(before: dict[str, list[Any]], **options: Any) -> Example:
    """Rows, and options of the learner that is taught them."""
    return Example(title="rows", options=options, before=before, after={})


def learned(use: str, example: Example, folder: Path, **more: Any) -> tuple[Any, pl.DataFrame, str]:
    """The model of a learner's example, its rows, and what its task answers."""
    rows = pl.DataFrame(example.before).with_columns(pl.int_range(pl.len()).cast(pl.String).alias("row"))
    part = Learner.catalogue[use]
    learner = part.model_validate({"use": use, **example.options, **more})
    assert isinstance(learner, Learner)
    answer = "target" if "target" in rows.columns else "label"
    text = "text" in rows.columns
    kinds = {"label": "text_classification" if text else "tabular_classification"}
    kinds["target"] = "regression" if text else "tabular_regression"
    kind = "multi_label_classification" if rows[answer].dtype.is_nested() else kinds[answer]
    told = {"kind": kind, answer: answer, **({"text": "text"} if text else {})}
    if answer == "label":
        told["labels"] = sorted(set(rows["label"].explode() if rows["label"].dtype.is_nested() else rows["label"]))
    task: Any = TypeAdapter(AnyTask).validate_python(told)
    found = with_encoder(learner, folder).fit(rows, rows[:0], task, Context(store=folder / "store", base=folder))
    return found, rows, task.says
