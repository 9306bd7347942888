"""class_weights, oversample and undersample: the counts that were asked for, whatever the rows and their order."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

from seedbed.core.rows import NUMBER, PARENTS, ROW, WEIGHT
from seedbed.engine.kernel import Kernel
from seedbed.engine.learned import on_others, on_training
from seedbed.steps.class_weights import ClassWeights
from seedbed.steps.oversample import Oversample
from seedbed.steps.undersample import Undersample

LABELS = st.lists(st.sampled_from("abc") | st.none(), min_size=1, max_size=40)
TO = st.just("balanced") | st.sampled_from([0.3, 0.5, 1.0])


def rows_of(labels: list[str | None], order: list[int] | None = None) -> pl.DataFrame:
    numbers = range(1, len(labels) + 1)
    table = pl.DataFrame(
        {
            NUMBER: pl.Series(numbers, dtype=pl.UInt64),
            ROW: [f"s:f#{n}" for n in numbers],
            "text": [f"text {n}" for n in numbers],
            "label": pl.Series(labels, dtype=pl.String),
        }
    )
    return table if order is None else table[order]


def kept(step: Undersample, rows: pl.DataFrame, seed: int = 1) -> pl.DataFrame:
    state = step.fit(rows.lazy(), seed)
    return Kernel(tuple(("u", one) for one in on_training(step, state)))(rows).kept


@given(labels=LABELS, to=TO, data=st.data())
def test_undersample_leaves_as_many_as_asked_for(labels: list[str | None], to: Any, data: st.DataObject) -> None:
    step = Undersample(column="label", to=to)
    rows = rows_of(labels)
    left = kept(step, rows)
    before = Counter(label for label in labels if label is not None)
    after = Counter(left["label"].drop_nulls().to_list())
    if before:
        most = int(min(before.values()) / (1.0 if to == "balanced" else to) + 1e-9)
        assert after == {label: min(n, most) for label, n in before.items()}
    assert left["label"].null_count() == rows["label"].null_count()
    # Another order, other batches: the same rows.
    order = data.draw(st.permutations(range(rows.height)))
    shuffled = kept(step, rows[list(order)])
    assert set(shuffled[ROW]) == set(left[ROW])
    state = step.fit(rows.lazy(), 1)
    kernel = Kernel(tuple(("u", one) for one in on_training(step, state)))
    cut = data.draw(st.integers(0, rows.height))
    assert pl.concat([kernel(rows[:cut]).kept, kernel(rows[cut:]).kept]).equals(left)
    assert on_others(step, state) == []


@given(labels=LABELS, to=TO)
def test_oversample_copies_rows_evenly(labels: list[str | None], to: Any) -> None:
    rows = rows_of(labels)
    made = [frame for frame in Oversample(column="label", to=to).make(rows.lazy(), 1) if frame.height]
    before = Counter(label for label in labels if label is not None)
    copies = pl.concat(made) if made else rows.clear().with_columns(pl.lit([""]).alias(PARENTS))
    after = before + Counter(copies["label"].to_list())
    if before:
        least = int(np.ceil(max(before.values()) * (1.0 if to == "balanced" else to) - 1e-9))
        assert after == {label: max(n, least) for label, n in before.items()}
    times = Counter(copies[PARENTS].list.first().to_list())
    for label in before:
        mine = [times[row] for row, own in rows.select(ROW, "label").iter_rows() if own == label]
        assert max(mine) - min(mine) <= 1
    for text, [parent] in copies.select("text", PARENTS).iter_rows():
        assert rows.filter(pl.col(ROW) == parent)["text"].item() == text
    assert [frame.to_dicts() for frame in made] == [
        frame.to_dicts() for frame in Oversample(column="label", to=to).make(rows.lazy(), 1) if frame.height
    ]


def test_another_seed_chooses_other_rows() -> None:
    rows = rows_of(["a"] * 40 + ["b"] * 10)
    step = Undersample(column="label")
    assert set(kept(step, rows, 1)[ROW]) != set(kept(step, rows, 2)[ROW])
    over = Oversample(column="label", to={"b": 15})
    [one, other] = [[frame[ROW].to_list() for frame in over.make(rows.lazy(), seed)] for seed in (1, 2)]
    assert one != other


def test_none_of_a_label() -> None:
    rows = rows_of(["a", "b", "a"])
    assert kept(Undersample(column="label", to={"a": 0}), rows)["label"].to_list() == ["b"]


@given(labels=st.lists(st.sampled_from("abc"), min_size=2, max_size=40))
def test_weights_are_scikit_learns_and_one_on_average(labels: list[str]) -> None:
    rows = rows_of(list(labels))
    step = ClassWeights(column="label")
    state = step.fit(rows.lazy(), 1)
    known = sorted(set(labels))
    expected = compute_class_weight("balanced", classes=np.array(known), y=np.array(labels))
    assert np.allclose([state["weights"][label] for label in known], expected, rtol=1e-9)
    for kind in ("balanced", "effective"):
        step = ClassWeights(column="label", weights=kind, beta=0.9)  # type: ignore[arg-type]
        state = step.fit(rows.lazy(), 1)
        train = Kernel((("w", on_training(step, state)[0]),))(rows).kept
        assert train[WEIGHT].mean() == pytest.approx(1)
        assert (Kernel((("w", on_others(step, state)[0]),))(rows).kept[WEIGHT] == 1.0).all()


def test_effective_numbers_lie_between_none_and_balanced() -> None:
    rows = rows_of(["a"] * 90 + ["b"] * 10)

    def ratio(**options: Any) -> float:
        weights = ClassWeights(column="label", **options).fit(rows.lazy(), 1)["weights"]
        return float(weights["b"] / weights["a"])

    assert ratio() == pytest.approx(9)
    # (1 - 0.9^90) / (1 - 0.9^10), by hand from the paper's formula
    assert ratio(weights="effective", beta=0.9) == pytest.approx(1.535, abs=1e-3)
    assert ratio(weights="effective", beta=0.99999) == pytest.approx(9, rel=1e-3)
