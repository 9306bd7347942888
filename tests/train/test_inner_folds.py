"""The folds in which `tuned` searches."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tuning_offsets import NUMBERS, TEXTS, fit, numbers, offset, texts

from seedbed.core.errors import DataError
from seedbed.core.rows import ROW
from seedbed.core.task import TabularClassification
from seedbed.train import NaiveBayes, Tuned
from seedbed.train.composing.folds import deal
from seedbed.train.composing.truth import with_labels


class TestFolds:
    def test_labels_are_spread_evenly(self) -> None:
        rows = numbers(90).with_columns(label=pl.Series(["a"] * 60 + ["b"] * 27 + ["c"] * 3))
        task = TabularClassification(label="label", features=("x",), labels=("a", "b", "c"))
        dealt = deal(rows, task, 3, 13)
        counts = Counter(zip(dealt.tolist(), rows["label"], strict=True))
        assert {counts[fold, "a"] for fold in range(3)} == {20}
        assert {counts[fold, "b"] for fold in range(3)} == {9}
        assert {counts[fold, "c"] for fold in range(3)} == {1}
        assert (dealt != deal(rows, task, 3, 14)).any()

    def test_numbers_are_spread_evenly(self) -> None:
        rows = numbers(100)
        dealt = deal(rows, NUMBERS, 5, 13)
        means = [rows.filter(pl.Series(dealt == fold))["y"].mean() for fold in range(5)]
        assert np.bincount(dealt).tolist() == [20] * 5
        assert np.ptp(means) < 0.3

    def test_rows_that_belong_together_stay_together(self) -> None:
        plain = texts(40)
        copies = plain.with_columns(text=pl.col("text") + "!", row=pl.col(ROW) + "b")
        rows = pl.concat([plain, copies]).with_columns(patient=pl.Series([i % 40 // 4 for i in range(80)]))
        task = with_labels(TEXTS, rows)
        dealt = deal(rows, task, 4, 13)
        assert (dealt[:40] == dealt[40:]).all(), "near copies"
        assert Counter(deal(rows, task, 4, 13, "patient").tolist()).keys() == set(range(4))
        by_patient = rows.with_columns(fold=pl.Series(deal(rows, task, 4, 13, "patient")))
        assert by_patient.group_by("patient").agg(pl.col("fold").n_unique())["fold"].max() == 1
        assert (
            rows.with_columns(fold=pl.Series(dealt)).group_by("patient").agg(pl.col("fold").n_unique())["fold"].max()
            > 1
        )

    def test_equal_rows_of_a_table(self) -> None:
        rows = pl.concat([numbers(20), numbers(20)])
        dealt = deal(rows, NUMBERS, 4, 13)
        assert (dealt[:20] == dealt[20:]).all()

    def test_too_few(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"6 training rows in 1 group of rows .* cannot be dealt to 3 folds"):
            fit(Tuned(learner=NaiveBayes()), tmp_path, texts(1)[[0] * 6])
        with pytest.raises(DataError, match="no column 'patient'"):
            fit(offset(group="patient"), tmp_path)
