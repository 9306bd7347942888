"""The questions that are asked of a window, one by one, and what Holm makes of all."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import polars as pl
import pytest
from scipy.stats import binom, fisher_exact, ks_2samp, ttest_ind

from seedbed.core.errors import ModelError
from seedbed.core.metric import Score
from seedbed.core.monitoring import Signal
from seedbed.monitor.columns import LENGTH, OTHER, column_of, kind_of
from seedbed.monitor.comparing import (
    calibration,
    decided,
    drift_signals,
    estimate,
    performance,
    performance_signal,
    word_signal,
)
from seedbed.monitor.reference import KEY, Looked, read_reference, reference_of, seen_of, sureness, written

LABELS = ("bad", "good")


def table(rows: int, seed: int, *, north: float = 0.5, empty: float = 0.0, stars: float = 0.0) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    words = np.array(["soup", "room", "staff", "bed", "street", "train", "music", "garden", "light", "old", "new"])
    texts = [" ".join(random.choice(words, 12)) for _ in range(rows)]
    gone = random.random(rows) < empty
    return pl.DataFrame({
        "text": texts,
        "shop": np.where(random.random(rows) < north, "north", "south"),
        "stars": [None if g else s for g, s in zip(gone, random.standard_normal(rows) + stars, strict=True)],
        "id": range(rows),
    })  # fmt: skip


def answers(rows: int, seed: int, *, sure: float = 0.8) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    share = np.clip(random.normal(sure, 0.1, rows), 0.5, 1)
    said = random.integers(0, 2, rows)
    return pl.DataFrame({
        "predicted": [LABELS[one] for one in said],
        "confidence": share,
        "probabilities": [[1 - s, s] if one else [s, 1 - s] for one, s in zip(said, share, strict=True)],
    })  # fmt: skip


def known(rows: int = 1000, seed: int = 1) -> Looked:
    right = np.random.default_rng(seed).random(rows) < 0.8
    made = reference_of(table(rows, seed), answers(rows, seed), text="text", labels=LABELS, right=right)
    return read_reference(json.dumps(written(made)), at="x")[0]


def found(now: pl.DataFrame, said: pl.DataFrame | None = None) -> dict[str, Signal]:
    before = known()
    seen = seen_of(before, now, answers(now.height, 77) if said is None else said, labels=LABELS)
    signals = decided([*drift_signals(before, seen)], level=0.05, at_least=0.02)
    return {one.what: one for one in signals}


def test_nothing_changed() -> None:
    told = found(table(500, 2))
    assert set(told) == {"text: length", "shop", "stars", "predicted", "confidence"}  # an id is not compared
    assert not any(one.alarm for one in told.values())


def test_each_change_is_seen_by_its_monitor() -> None:
    assert found(table(500, 2, north=0.7))["shop"].alarm
    assert found(table(500, 2, stars=0.5))["stars"].alarm
    assert found(table(500, 2, empty=0.05))["stars: missing"].alarm
    assert found(table(500, 2).with_columns(pl.col("text").str.slice(0, 20)))["text: length"].alarm
    assert found(table(500, 2), answers(500, 2, sure=0.7))["confidence"].alarm
    said = answers(500, 2).with_columns(pl.lit("good").alias("predicted"))
    assert found(table(500, 2), said)["predicted"].alarm


def test_numbers_that_are_none_are_told_and_others_compared_all_the_same() -> None:
    words = pl.when(pl.int_range(pl.len()) % 10 == 0).then(pl.lit("many")).otherwise(pl.col("stars").cast(pl.String))
    told = found(table(500, 2).with_columns(words.alias("stars")))
    assert told["stars: no number"].alarm
    assert told["stars: no number"].monitor == "schema"
    assert told["stars: no number"].effect == pytest.approx(0.1)
    assert not told["stars"].alarm


def test_a_category_that_was_not_there_is_named() -> None:
    east = pl.when(pl.int_range(pl.len()) % 8 == 0).then(pl.lit("east")).otherwise("shop").alias("shop")
    told = found(table(500, 2).with_columns(east))["shop"]
    assert told.alarm
    assert "not there before: 'east' and others, 63 rows" in told.told


def test_p_values_are_those_of_the_tests_that_are_named() -> None:
    before, now = table(2000, 5, empty=0.1), table(300, 6, stars=0.1, empty=0.1)
    made = reference_of(before, answers(2000, 5), text="text", labels=LABELS)
    looked = read_reference(json.dumps(written(made)), at="x")[0]
    signals = {
        one.what: one for one in drift_signals(looked, seen_of(looked, now, answers(300, 6), labels=LABELS))
    }  # fmt: skip
    stars = [one["stars"].drop_nulls().to_numpy() for one in (before, now)]
    assert signals["stars"].p == pytest.approx(ks_2samp(*stars, method="asymp").pvalue, rel=1e-3)
    gone = [[one["stars"].null_count(), one["stars"].count()] for one in (before, now)]
    assert signals["stars: missing"].p == pytest.approx(fisher_exact(gone).pvalue)


def test_what_a_bundle_keeps_makes_up_no_row_and_holds_no_text() -> None:
    rows = table(400, 3)
    rare = pl.when(pl.int_range(pl.len()) == 7).then(pl.lit("a place nobody else has")).otherwise("shop")
    made = reference_of(
        rows.with_columns(rare.alias("shop")), answers(400, 3), text="text", labels=LABELS, right=np.ones(400, bool)
    )  # fmt: skip
    text = json.dumps(written(made))
    assert not any(one in text for one in rows["text"])
    assert "nobody else" not in text
    assert made.reads["shop"].counts[OTHER] == 1
    assert list(made.reads["stars"].values) == sorted(made.reads["stars"].values)
    pairs = zip([one for one, _ in made.sure], answers(400, 3)["confidence"], strict=True)
    assert sum(abs(kept - row) < 1e-5 for kept, row in pairs) < 40  # not in the order of rows


def test_a_category_is_known_however_rare_it_is_in_the_window() -> None:
    before = pl.DataFrame({"text": ["a b"] * 100, "shop": ["north"] * 50 + ["south"] * 50})
    looked = read_reference(
        json.dumps(written(reference_of(before, answers(100, 1), text="text", labels=LABELS))), at="x"
    )[0]
    now = pl.DataFrame({"text": ["a b"] * 4, "shop": ["north", "north", "north", "south"]})
    seen = seen_of(looked, now, answers(4, 2), labels=LABELS)
    assert seen.reads["shop"].counts == {"north": 3, "south": 1}


def test_lengths_of_a_log_stand_for_its_texts() -> None:
    before, now = known(), table(300, 9)
    said = answers(300, 9)
    without = now.with_columns(pl.col("text").str.len_chars().alias(f"{LENGTH}text")).drop("text")
    whole, lengths = (seen_of(before, one, said, labels=LABELS).reads["text"] for one in (now, without))
    assert whole.values == lengths.values


def test_words_are_told_apart_in_what_a_bundle_keeps() -> None:
    from seedbed.monitor.sketches import sketched

    before, now = known(), table(300, 9)
    other = now["text"].str.replace_all("soup", "salad").str.replace_all("train", "bus")
    assert before.sketches is not None
    for texts, alarm in ((now["text"], False), (other, True)):
        seen = seen_of(before, now, answers(300, 9), sketches=sketched(texts))
        signal = word_signal(before, seen, tests=5, level=0.05, seed=1)
        assert signal is not None
        assert decided([signal], level=0.05, at_least=0.02)[0].alarm is alarm
    few = seen_of(before, now, answers(300, 9), sketches=sketched(now["text"].head(5)))
    assert word_signal(before, few, tests=5, level=0.05, seed=1) is None


def test_kinds_of_columns() -> None:
    assert kind_of(pl.Series(range(50))) is None
    assert kind_of(pl.Series([1.5, 2.5])) == "number"
    assert kind_of(pl.Series(["a", "b"] * 50)) == "category"
    assert kind_of(pl.Series(["a", "b"] * 50), text=True) == "text"
    assert kind_of(pl.Series([f"name {one}" for one in range(50)])) == "text"
    assert kind_of(pl.Series([True, False])) == "category"
    assert kind_of(pl.Series([[1], [2]])) == "text"
    nested = column_of(pl.Series([[1], None]), "number")
    assert (nested.missing, nested.unreadable) == (2, 1)
    blank = column_of(pl.Series(["  ", "x y"]), "text")
    assert (blank.missing, blank.values) == (1, (3.0,))
    assert column_of(pl.Series([float("nan"), 1.0, float("inf")]), "number").values == (1.0,)


def sure_of(rows: int, seed: int, *, sure: float, right: float) -> np.ndarray:
    random = np.random.default_rng(seed)
    confidence = np.clip(random.normal(sure, 0.05, rows), 0, 1)
    return np.column_stack([confidence, random.random(rows) < right]).astype(float)


def test_the_estimate_follows_confidence_and_heeds_what_it_was_off_by() -> None:
    before = sure_of(2000, 1, sure=0.9, right=0.8)  # surer than right, by a tenth
    signal, one = estimate(before, sure_of(1000, 2, sure=0.8, right=0.0)[:, 0])
    assert one.now.low < 0.7 < one.now.high
    assert decided([signal], level=0.05, at_least=0.02)[0].alarm
    gaps = before[:, 0].mean() - 0.8
    assert signal.effect == pytest.approx(gaps, abs=0.02)
    better, _ = estimate(before, sure_of(1000, 2, sure=0.95, right=0.0)[:, 0])
    assert not decided([better], level=0.05, at_least=0.02)[0].alarm  # surer is not worse


def test_the_estimate_holds_the_truth_as_often_as_it_says() -> None:
    held = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        both = []
        for rows, at in ((800, 0.8), (400, 0.7)):
            confidence = np.clip(random.normal(at, 0.1, rows), 0.5, 1)
            both.append(np.column_stack([confidence, random.random(rows) < confidence - 0.05]).astype(float))
        _, one = estimate(both[0], both[1][:, 0])
        share = np.clip(random.normal(0.7, 0.1, 100_000), 0.5, 1).mean() - 0.05
        held += one.now.low <= share <= one.now.high
    assert binom.ppf(0.001, 200, 0.95) <= held


def test_of_several_labels_the_share_that_is_right_is_estimated() -> None:
    random = np.random.default_rng(3)
    shares = random.beta(0.5, 0.5, (4000, 3))  # calibrated: each label is there as often as is said
    truth, given = random.random((4000, 3)) < shares, shares >= 0.5
    predicted = [[name for name, has in zip("abc", row, strict=True) if has] for row in given.tolist()]
    said = pl.DataFrame({"predicted": predicted, "probabilities": shares.tolist()})
    texts = pl.DataFrame({"text": ["a b"] * 4000})
    right = (given == truth).mean(axis=1)
    made = reference_of(texts[:2000], said[:2000], text="text", labels=("a", "b", "c"), right=right[:2000])
    before = read_reference(json.dumps(written(made)), at="x")[0].sure
    assert before is not None and set(np.round(before[:, 1] * 3) / 3) == {0, 1 / 3, 2 / 3, 1}
    served = said[2000:].with_columns(pl.DataFrame(shares[2000:], schema=["a", "b", "c"]).to_struct("probabilities"))
    sure = sureness(served)  # as a predictor gives probabilities
    assert sure is not None and sure.to_list() == pytest.approx(np.maximum(shares, 1 - shares)[2000:].mean(axis=1))
    signal, one = estimate(before, sure.to_numpy(), "labels right")
    assert one.now.low < right[2000:].mean() < one.now.high and one.metric == "labels right"
    assert one.before.low < one.before.value < one.before.high
    assert signal.what == "labels right, estimated"
    assert sureness(pl.DataFrame({"predicted": [1.0]})) is None


def test_calibration() -> None:
    before = sure_of(2000, 1, sure=0.8, right=0.8)
    now = sure_of(500, 2, sure=0.8, right=0.65)
    signal = calibration(before, now)
    assert signal.p == pytest.approx(
        ttest_ind(before[:, 0] - before[:, 1], now[:, 0] - now[:, 1], equal_var=False).pvalue
    )
    assert decided([signal], level=0.05, at_least=0.02)[0].alarm
    assert not decided([calibration(before, sure_of(500, 3, sure=0.8, right=0.8))], level=0.05, at_least=0.02)[0].alarm


def score(value: float, half: float) -> Score:
    return Score(value=value, low=value - half, high=value + half, n=100)


def test_a_metric_that_got_worse_beyond_chance_is_an_alarm_and_a_better_one_is_none() -> None:
    cases = (
        (0.8, 0.7, False, True),
        (0.8, 0.9, False, False),
        (0.8, 0.79, False, False),
        (0.3, 0.4, True, True),
        (0.4, 0.3, True, False),
    )
    for was, now, lower, alarm in cases:
        one = performance("x", score(was, 0.03), "test", score(now, 0.03))
        assert one.low is not None
        assert one.high is not None
        assert one.high - one.low == pytest.approx(2 * np.hypot(0.03, 0.03))
        signal = performance_signal(one, lower_is_better=lower)
        assert signal is not None
        told = decided([signal], level=0.05, at_least=0.5)[0]
        assert told.alarm is alarm
        assert told.change == pytest.approx(now - was)
        assert told.way == ("worse" if lower == (now > was) else "better")
        assert told.why_not == ("better is no alarm" if abs(now - was) > 0.05 and not alarm else "")
    assert performance_signal(performance("x", None, "", score(0.5, 0.1)), lower_is_better=False) is None


def test_holm_is_over_all_tests_and_effects_matter() -> None:
    def signal(what: str, p: float | None, effect: float = 0.5) -> Signal:
        return Signal(monitor="numbers", what=what, measure="", effect=effect, p=p)

    told = decided(
        [signal("a", 0.011), signal("b", 0.02), signal("c", 0.6), signal("none", None), signal("tiny", 0.001, 0.01)],
        level=0.05, at_least=0.02,
    )  # fmt: skip
    by = {one.what: one for one in told}
    assert [one.what for one in told if one.alarm] == ["a", "b"]
    assert by["a"].p_holm == pytest.approx(0.033)
    assert by["b"].p_holm == pytest.approx(0.04)
    assert by["tiny"].p_holm == pytest.approx(0.004)
    assert by["none"].p_holm is None


def test_of_two_with_the_same_p_it_says_why_one_is_no_alarm() -> None:
    def signal(what: str, effect: float) -> Signal:
        return Signal(monitor="numbers", what=what, measure="distance", effect=effect, p=0.01)

    told = decided([signal("a", 0.3), signal("b", 0.013), signal("c", 0.01996)], level=0.05, at_least=0.02)
    assert [(one.alarm, one.why_not) for one in told] == [
        (True, ""), (False, "only 0.013 of at least 0.020"), (False, "only 0.01996 of at least 0.020"),
    ]  # fmt: skip
    by_chance = decided([signal("b", 0.013).model_copy(update={"p": 0.3})], level=0.05, at_least=0.02)
    assert by_chance[0].why_not == ""  # its p says it


def test_a_model_that_is_surer_or_better_is_told_with_its_sign() -> None:
    before = sure_of(2000, 1, sure=0.8, right=0.8)
    surer, _ = estimate(before, sure_of(1000, 2, sure=0.9, right=0.0)[:, 0])
    told = decided([surer], level=0.05, at_least=0.02)[0]
    assert (told.effect, told.way, told.why_not) == (0.0, "surer", "surer is no alarm")
    assert told.change == pytest.approx(0.1, abs=0.01)
    assert told.size == "+0.099, surer"
    gap = calibration(before, sure_of(2000, 3, sure=0.8, right=0.9))
    assert gap.change is not None and gap.change < 0 and gap.effect == -gap.change


def test_one_odd_row_does_not_move_a_column() -> None:
    from seedbed.monitor.comparing import _numbers

    random = np.random.default_rng(4)
    before, now = random.normal(400, 50, 1000), random.normal(405, 50, 300)
    plain = _numbers("numbers", "hd", before, now).told
    assert "outside" not in plain and "moved by 0." in plain
    odd = _numbers("numbers", "hd", before, np.append(now, 340_000.0)).told
    assert odd.startswith("median 398.9 before, 406.6 now; moved by 0.")
    assert " standard deviations (Wasserstein), by 22." in odd and odd.endswith(" with 1 row far outside of all before")
    assert "340" not in odd  # no row's value is told
    shifted = _numbers("numbers", "hd", before, now * 1000).told  # another unit: all rows, so no outliers
    assert "outside" not in shifted


@pytest.mark.slow
def test_windows_without_drift_raise_no_more_alarms_than_stated() -> None:
    """Every monitor of texts, categories, numbers and answers at once, with a reference of its own for each window."""
    from seedbed.monitor.sketches import sketched

    many, level = 250, 0.05
    alarms: Counter[str] = Counter()
    for seed in range(many):
        rows, now = table(300, 3 * seed, empty=0.05), table(150, 3 * seed + 1, empty=0.05)
        right = np.random.default_rng(seed).random(300) < 0.8
        made = reference_of(rows, answers(300, 3 * seed), text="text", labels=LABELS, right=right)
        looked = read_reference(json.dumps(written(made)), at="x")[0]
        said = answers(150, 3 * seed + 1)
        sure = np.column_stack([said["confidence"], np.random.default_rng(seed + 9999).random(150) < 0.8])
        seen = seen_of(looked, now, said, labels=LABELS, sketches=sketched(now["text"]), sure=sure)
        assert looked.sure is not None
        signals = [*drift_signals(looked, seen), calibration(looked.sure, sure)]
        signals.append(estimate(looked.sure, said["confidence"].to_numpy())[0])
        words = word_signal(looked, seen, tests=len(signals), level=level, seed=seed)
        assert words is not None
        found = [one.what for one in decided([*signals, words], level=level, at_least=0.0) if one.alarm]
        alarms.update(["any", *found] if found else [])
    assert alarms["any"] > 0  # it is no test that never says anything
    for what, times in alarms.items():  # the whole, and each monitor by itself
        assert times <= binom.ppf(0.999, many, level), (what, times)


@pytest.mark.parametrize("rows", [1, 8])
def test_small_windows_raise_no_more_alarms_either(rows: int) -> None:
    before, many, level, alarms = known(), 80, 0.05, 0
    for seed in range(many):
        seen = seen_of(before, table(rows, 10_000 + seed, empty=0.0), answers(rows, 20_000 + seed), labels=LABELS)
        alarms += any(one.alarm for one in decided([*drift_signals(before, seen)], level=level, at_least=0.0))
    assert alarms <= binom.ppf(0.999, many, level)


def test_references_that_are_damaged_or_old() -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        read_reference('{"monitor": {"rows": 3}}', at="here")
    with pytest.raises(ModelError, match="cannot be read"):
        read_reference("{}", at="here")
    held = written(reference_of(table(50, 1), answers(50, 1), text="text", labels=LABELS))
    held[KEY]["sketches"] = "AAAA"
    with pytest.raises(ModelError, match="cannot be read"):
        read_reference(json.dumps(held), at="here")
    held[KEY]["maker"] = "sketch_v9"  # of a later version: words are not compared, the rest is
    assert read_reference(json.dumps(held), at="here")[0].sketches is None
