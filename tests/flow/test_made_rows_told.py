"""Made rows are counted apart, and what `prepare` wrote for nobody is told."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from prepared_sample import BALANCED, dataset, recipe

import seedbed
from seedbed.core.rows import ROW


def test_made_rows_are_counted_by_label_and_by_length(tmp_path: Path) -> None:
    done = seedbed.run(
        recipe(tmp_path, [{"use": "augment", "labels": ["b"], "methods": ["swap"]}, *BALANCED]), workers=1
    )
    data = done.run.dataset
    made = dataset(done)["train"].filter(pl.col(ROW).str.contains(":made#"))
    assert made.height and data.labels_made == dict(made["label"].value_counts(sort=True).sort("label").iter_rows())
    assert data.lengths is not None and sum(data.lengths.made) == made.height
    assert all(ours <= every for ours, every in zip(data.lengths.made, data.lengths.after, strict=True))
    assert "Of them made" in (done.folder / "report.html").read_text("utf-8")


def test_nothing_is_said_of_made_rows_where_there_are_none(tmp_path: Path) -> None:
    done = seedbed.run(recipe(tmp_path, [{"use": "scale", "column": "n"}]), workers=1)
    assert done.run.dataset.labels_made == {} and done.run.dataset.lengths is not None
    assert done.run.dataset.lengths.made == ()
    assert "Of them made" not in (done.folder / "report.html").read_text("utf-8")


def test_columns_that_no_learner_reads_are_named(tmp_path: Path) -> None:
    def told(folder: str, prepare: list[dict[str, object]], **more: object) -> list[str]:
        done = seedbed.run(recipe(tmp_path / folder, prepare, **more), workers=1)
        return [note for note in done.run.notices if "reads" in note]

    scaled: dict[str, object] = {"use": "scale", "column": "n"}
    columns: dict[str, object] = {"use": "tfidf", "at_most": 5, "form": "columns", "into": "t"}
    assert told("one", [scaled]) == [
        "prepare wrote the column n, which no learner of this recipe reads: learners of texts read text alone"
    ]
    [several] = told("several", [columns, {"use": "class_weights"}, scaled])
    assert several.startswith("prepare wrote 6 columns that no learner of this recipe reads (n, t=")
    assert several.endswith("and 2 more): learners of texts read text alone")
    assert told("weights", [{"use": "class_weights"}, {"use": "oversample"}]) == []
    assert told("untrained", [scaled], train=[]) == []
    table = {"kind": "tabular_classification", "label": "label", "features": ["n"]}
    trees: list[dict[str, object]] = [{"use": "decision_tree"}]
    coded: dict[str, object] = {"use": "encode", "column": "n", "method": "frequency"}
    [unnamed] = told("table", [coded], task=table, train=trees)
    assert unnamed.endswith("reads: the task's `features` name what they read; without them, all columns are read, "
                            "and these too")  # fmt: skip
    assert told("all of it", [coded], task={**table, "features": None}, train=trees) == []
