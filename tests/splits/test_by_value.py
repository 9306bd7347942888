"""Rows that say their split themselves: what stays, what is left out, and what the independent check makes of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from seedbed.core.errors import DataError
from seedbed.core.splitter import LEFT_OUT, ByValue, Certificate
from seedbed.splits import KFold, Predefined, Time, Verification, split_by_value, verify
from seedbed.splits.certify import MadeRows, straddling
from seedbed.splits.folding import Folded, split_in_folds
from seedbed.splits.placing import Placed
from seedbed.splits.verify_order import order_of

NOBODY = (np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.uint64))


def distinct(count: int) -> list[str]:
    rng = np.random.default_rng(11)
    return ["".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz "), 40)) for _ in range(count)]


def checking(texts: list[str], numbers: np.ndarray) -> Any:
    def check(places: np.ndarray, done: int) -> Verification:
        kept = places != LEFT_OUT
        some = [text for text, one in zip(texts, kept, strict=True) if one]
        return verify(
            lambda: [(numbers[kept], some)], numbers[kept], places[kept], kind="characters", threshold=0.7, seed=done
        )

    return check


def place(splitter: ByValue, said: pl.Series, texts: list[str], **options: Any) -> Placed:
    numbers = np.arange(1, len(texts) + 1, dtype=np.uint64)
    labels = np.arange(len(texts)) % 2
    how = {"pairs": NOBODY, **options}
    return split_by_value(
        splitter, numbers, said, labels, verify_with=checking(texts, numbers), method="exact join", **how
    )


def fold(splitter: KFold, texts: list[str], **options: Any) -> Folded:
    numbers = np.arange(1, len(texts) + 1, dtype=np.uint64)
    labels = np.arange(len(texts)) % 2
    how = {"pairs": NOBODY, **options}
    return split_in_folds(splitter, numbers, labels, verify_with=checking(texts, numbers), method="exact join", **how)


# Time


def test_copies_that_the_join_missed_are_left_out_of_the_later_split() -> None:
    texts = distinct(100)
    texts[95], texts[85], texts[50] = texts[5] + "!", texts[6] + "!", texts[7] + "!"
    placed = place(Time(column="n"), pl.Series("n", range(100)), texts)
    assert placed.certificate.passed and placed.certificate.rounds == 2
    assert placed.placement.places[[95, 85]].tolist() == [LEFT_OUT, LEFT_OUT]
    assert placed.placement.because[[95, 85]].tolist() == [5, 6]
    assert placed.placement.places[[5, 6, 7, 50]].tolist() == [0, 0, 0, 0]
    assert placed.certificate.left_out == {"seen_before": 2}
    assert placed.certificate.splits == {"train": 80, "validation": 9, "test": 9}


VALUES = st.lists(st.none() | st.integers(0, 12), min_size=12, max_size=60)


@settings(max_examples=80, deadline=None)
@given(VALUES, st.data())
def test_train_holds_nothing_of_the_future_and_clusters_stay_whole(
    values: list[int | None], data: st.DataObject
) -> None:
    gap = data.draw(st.integers(0, 2))
    clusters = np.array(
        data.draw(st.lists(st.integers(0, 30), min_size=len(values), max_size=len(values))), dtype=np.int64
    )
    made = np.array(data.draw(st.lists(st.integers(0, 5), min_size=len(values), max_size=len(values)))) == 0
    said = pl.Series("n", values, dtype=pl.Int64)
    splitter = Time(column="n", gap=gap, train=0.5, validation=0.25, test=0.25)
    try:
        placed = splitter.place(said, clusters, np.zeros(len(values), dtype=np.int64), made)
    except DataError:
        return
    places = placed.places
    kept = places != LEFT_OUT
    assert straddling(clusters[kept], places[kept]) == 0
    assert (places[made & kept] == 0).all(), "made rows only train"
    assert [reason is None for reason in placed.reasons] == kept.tolist()
    order = order_of([(said, np.where(made, LEFT_OUT, places))], ("train", "validation", "test"))
    assert order.kept(gap)
    at = [value for value, one in zip(values, kept & ~made, strict=True) if one]
    assert None not in at
    for row in np.flatnonzero(~kept).tolist():
        match placed.reasons[row]:
            case "no_time":
                assert values[row] is None
            case "seen_before":
                other = int(placed.because[row])
                assert clusters[other] == clusters[row] and places[other] != LEFT_OUT
                assert values[other] < values[row]  # type: ignore[operator]
            case "near_held_out":
                assert made[row] and places[placed.because[row]] > 0
            case reason:
                assert reason == "gap" and gap
    # Ties are never parted: rows of one time that are in splits are in one.
    for value in set(at):
        assert len({int(p) for p, v, one in zip(places, values, kept & ~made, strict=True) if one and v == value}) == 1


@pytest.mark.parametrize(
    ("values", "gap"),
    [
        ([date(2024, 1, 1) + timedelta(days=day) for day in range(50)], "3d"),
        ([datetime(2024, 1, 1, 5, tzinfo=UTC) + timedelta(hours=hour) for hour in range(50)], "3h"),
        ([datetime(2024, 1, 1) + timedelta(weeks=week) for week in range(50)], "3w"),
        ([0.5 * half for half in range(50)], 1.5),
    ],
)
def test_gaps_in_every_unit(values: list[Any], gap: Any) -> None:
    placed = place(Time(column="at", gap=gap), pl.Series("at", values), distinct(50))
    assert placed.placement.places.tolist() == [0] * 37 + [-1] * 3 + [1] * 2 + [-1] * 3 + [2] * 5


FAR = pl.Series("at", [253_402_300_800_000, -62_135_596_800_001], dtype=pl.Int64).cast(pl.Datetime("ms", "UTC"))


def test_years_that_no_calendar_has_are_no_times() -> None:
    days = pl.Series("at", [datetime(2024, 1, 1) + timedelta(days=n) for n in range(40)]).cast(pl.Datetime("ms"))
    said = pl.concat([days.dt.replace_time_zone("UTC"), FAR])
    placed = place(Time(column="at", gap="2h"), said, distinct(len(said)))
    assert placed.placement.places[40:].tolist() == [LEFT_OUT, LEFT_OUT]
    assert placed.certificate.left_out == {"no_time": 2}
    last = [(said[:40], placed.placement.places[:40])]
    assert order_of(last, placed.placement.splits).kept("2h")


@pytest.mark.parametrize(("kind", "gap"), [(pl.Decimal(10, 2), 0.5), (pl.Datetime("ns"), "1s")])
def test_other_kinds_of_times(kind: pl.DataType, gap: Any) -> None:
    decimal = isinstance(kind, pl.Decimal)
    values = (
        [Decimal(n) / 4 for n in range(40)]
        if decimal
        else [datetime(2024, 1, 1) + n * timedelta(hours=1) for n in range(40)]
    )
    said = pl.Series("at", values, dtype=kind)
    placed = place(Time(column="at", gap=gap), said, distinct(40))
    assert order_of([(said, placed.placement.places)], placed.placement.splits).kept(gap)


def test_numbers_of_more_than_64_bits_are_refused() -> None:
    with pytest.raises(DataError, match="more than 64 bits"):
        place(Time(column="at"), pl.Series("at", [2**64 - 1 - n for n in range(40)], dtype=pl.UInt64), distinct(40))


def test_the_last_day_of_all_is_a_day() -> None:
    said = pl.Series("at", [date(9999, 12, 31) - timedelta(days=n) for n in range(40)])
    placed = place(Time(column="at", gap="2d"), said, distinct(40))
    assert order_of([(said, placed.placement.places)], placed.placement.splits).kept("2d")
    with pytest.raises(ValidationError, match="longer than all dates"):
        Time(column="at", gap="9999999999w")


def test_what_is_no_order_is_found() -> None:
    said, places = pl.Series("n", [1, 2, 3, 4]), np.array([0, 0, 1, 1], dtype=np.int8)
    assert order_of([(said, places)], ("train", "test")).kept(0)
    assert not order_of([(said, places)], ("train", "test")).kept(1)
    assert not order_of([(said, np.array([0, 1, 0, 1], dtype=np.int8))], ("train", "test")).kept(0)
    assert not order_of([(pl.Series("n", [1, 2, 2, 4]), places)], ("train", "test")).kept(0), "a tie is parted"


def test_points_with_and_without_an_offset() -> None:
    values = pl.Series("at", [datetime(2024, 1, 1, hour, tzinfo=UTC) for hour in range(10)])
    told = {"validation_from": "2024-01-01T05:00+01:00", "test_from": "2024-01-01T07:00"}
    placed = place(Time(column="at", **told), values, distinct(10))
    assert placed.placement.places.tolist() == [0] * 4 + [1] * 3 + [2] * 3
    with pytest.raises(DataError, match="begins before validation"):
        place(Time(column="at", validation_from="2024-01-02", test_from="2024-01-01"), values, distinct(10))


@pytest.mark.parametrize(
    "options",
    [{"gap": "7x"}, {"gap": -1}, {"test_from": "soon"}, {"validation_from": "2024-01-01"}, {"train": 0.5}],
)
def test_times_that_are_none_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Time(column="at", **options)


def test_too_few_times_are_refused() -> None:
    with pytest.raises(DataError, match="2 different times"):
        place(Time(column="n"), pl.Series("n", [1, 2] * 20), distinct(40))


# Predefined

SPLITS = ("train", "validation", "test")


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_given_splits_do_not_leak(data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(["Train", "dev", "test", "other", None]), min_size=6, max_size=50))
    clusters = np.array(
        data.draw(st.lists(st.integers(0, 25), min_size=len(names), max_size=len(names))), dtype=np.int64
    )
    rule = data.draw(st.sampled_from(["reject", "reject_train", "move"]))
    splitter = Predefined(column="part", on_leak=rule)
    said = pl.Series("part", names, dtype=pl.String)
    nobody = np.zeros(len(names), dtype=np.bool_)
    try:
        placed = splitter.place(said, clusters, np.zeros(len(names), dtype=np.int64), nobody)
    except DataError:
        return
    places, kept = placed.places, placed.places != LEFT_OUT
    assert straddling(clusters[kept], places[kept]) == 0
    own = [{"Train": "train", "dev": "validation", "test": "test"}.get(name or "") for name in names]
    first = SPLITS[::-1] if rule == "reject_train" else ("train", "test", "validation")
    for row, name in enumerate(names):
        together = {own[one] for one in np.flatnonzero(clusters == clusters[row])} - {None}
        if own[row] is None:
            assert placed.reasons[row] == ("no_split" if name is None else "unknown_split")
            continue
        home = next(split for split in first if split in together)
        if rule == "move" or own[row] == home:
            assert placed.splits[places[row]] == home
        else:
            assert placed.reasons[row] == "in_other_split"
            assert own[placed.because[row]] == home and clusters[placed.because[row]] == clusters[row]
    moved = sum(kept[row] and own[row] != placed.splits[places[row]] for row in range(len(names)))
    assert placed.moved == moved


def test_made_rows_give_way_to_held_out_ones() -> None:
    texts = distinct(12)
    said = pl.Series("part", ["train"] * 6 + ["test"] * 4 + [None, None], dtype=pl.String)
    made = MadeRows(
        parents=(np.array([11, 12], dtype=np.uint64), np.array([1, 7], dtype=np.uint64)),
        only_train=np.array([False] * 10 + [True] * 2),
    )
    placed = place(Predefined(column="part"), said, texts, made=made)
    assert placed.placement.places.tolist() == [0] * 6 + [1] * 4 + [0, LEFT_OUT]
    assert placed.certificate.passed
    assert placed.certificate.left_out == {"near_held_out": 1}
    assert placed.certificate.train_only == {"rows": 1, "moved": 0}


def test_names_that_fit_nothing_are_told() -> None:
    said = pl.Series("part", ["A"] * 5 + ["evaluations"] * 5)
    with pytest.raises(DataError) as caught:
        place(Predefined(column="part", names={"train": ["A"], "test": ["evaluation"]}), said, distinct(10))
    assert "test gets no row" in str(caught.value) and "did you mean 'evaluations'?" in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 5


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"column": "x", "by": "source"},
        {"column": "x", "names": {"train": ["a"], "test": ["A"]}},
        {"column": "x", "names": {"train": ["a"]}},
        {"column": "x", "names": {"train": ["a"], "validation": ["b"], "test": ["c"]}, "validation": 0.1},
    ],
)
def test_names_that_contradict_each_other_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Predefined(**options)


# Folds


def test_copies_between_folds_are_found_and_mended() -> None:
    texts = distinct(120)
    for row in range(0, 60, 3):
        texts[row + 1] = texts[row] + "!"
    folded = fold(KFold(folds=4, test=0.2), texts)
    assert folded.certificate.passed and folded.certificate.rounds > 1
    told = folded.certificate.folds
    assert told is not None
    assert told["verified"]["pairs_found"] == 0 and told["verified"]["of"] == folded.certificate.splits["train"]
    for row in range(0, 60, 3):
        assert (folded.splits[row], folded.folds[row]) == (folded.splits[row + 1], folded.folds[row + 1])
    assert told["rows"] == [int((folded.folds == one).sum()) for one in range(4)] and sum(told["rows"]) == 96


@pytest.mark.parametrize("test", [0, 0.2])
def test_folds_that_leak_are_not_certified(test: float, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = distinct(40)
    for row in range(0, 10, 2):
        texts[row + 1] = texts[row] + "!"
    monkeypatch.setattr("seedbed.splits.k_fold.deal_folds", lambda clusters, *_, **__: np.arange(len(clusters)) % 2)
    certificate: Certificate = fold(KFold(folds=2, test=test), texts).certificate
    assert not certificate.passed
    assert certificate.folds is not None and certificate.folds["verified"]["pairs_found"] >= 1
    assert bool(test) == (certificate.verified["pairs_found"] == 0)


def test_made_rows_and_their_parents_train_in_every_fold() -> None:
    only_train = np.zeros(60, dtype=np.bool_)
    only_train[50:] = True
    parents = (np.arange(51, 61, dtype=np.uint64), np.arange(1, 11, dtype=np.uint64))
    folded = fold(KFold(folds=3, test=0.2), distinct(60), made=MadeRows(parents, only_train))
    assert folded.certificate.passed
    assert (folded.folds[:10] == 3).all() and (folded.folds[50:] == 3).all()
    assert folded.certificate.folds is not None and folded.certificate.folds["always"] == 20


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 5), st.sampled_from([0.0, 0.2]), st.data())
def test_folds_keep_clusters_whole(folds: int, test: float, data: st.DataObject) -> None:
    rows = data.draw(st.integers(20, 80))
    groups = pl.Series("g", data.draw(st.lists(st.none() | st.integers(0, 30), min_size=rows, max_size=rows)))
    try:
        folded = fold(KFold(folds=folds, test=test), distinct(rows), groups=[groups])
    except DataError:
        return
    parts = np.where(folded.splits == 0, folded.folds + 1, 0).astype(np.int8)
    assert straddling(folded.clusters, parts) == 0
    assert folded.certificate.passed
    named = groups.is_not_null().to_numpy()
    assert straddling(groups.fill_null(-1).to_numpy()[named], parts[named]) == 0
    assert set(folded.folds[folded.splits == 0].tolist()) <= set(range(folds))
