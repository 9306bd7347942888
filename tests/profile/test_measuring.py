"""Whole tables measured batch by batch: against pandas, NumPy and SciPy, and merged in any way."""

from __future__ import annotations

import datetime
import pickle
import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_wine

from seedbed.checks import PiiLeft
from seedbed.core.check import View
from seedbed.core.profile import GRID, TableProfile
from seedbed.core.rows import ROW
from seedbed.core.task import TextClassification
from seedbed.profile.measuring import Measurer, plan_of
from seedbed.profile.measuring.associations import strength
from seedbed.profile.measuring.frequent import Frequent

TODAY = datetime.date(2026, 1, 1)


def named(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with ids."""
    return pl.DataFrame([pl.Series(ROW, [f"t:a.csv#{i + 1}" for i in range(rows.height)]), *rows.get_columns()])


def profile(rows: pl.DataFrame, batch: int = 10**9, **roles: str) -> TableProfile:
    """What is found in rows, in batches of so many."""
    table, found = named(rows), Measurer(plan_of(rows, **roles), TODAY)  # type: ignore[arg-type]
    for start in range(0, max(table.height, 1), batch):
        found.add(table.slice(start, batch))
    return found.profile()


@pytest.fixture(scope="module")
def wine() -> pd.DataFrame:
    frame: pd.DataFrame = load_wine(as_frame=True).frame
    frame["target"] = frame["target"].map({0: "barolo", 1: "grignolino", 2: "barbera"})
    return frame


def test_numbers_are_those_of_pandas_and_scipy(wine: pd.DataFrame) -> None:
    found = profile(pl.from_pandas(wine), batch=50, label="target")
    for name in wine.columns[:-1]:
        numbers, values = found.column(name).numbers, wine[name].to_numpy(float)
        assert numbers is not None and numbers.spread is not None
        spread = numbers.spread
        assert spread.n == len(values) and spread.within == 0
        assert spread.mean == pytest.approx(values.mean(), rel=1e-9)
        assert spread.sd == pytest.approx(values.std(ddof=1), rel=1e-9)
        assert spread.skew == pytest.approx(scipy.stats.skew(values), rel=1e-8)
        assert spread.quantiles == pytest.approx(np.quantile(values, GRID), rel=1e-9)
        low, high = np.quantile(values, [0.25, 0.75])
        far = (values < low - 3 * (high - low)) | (values > high + 3 * (high - low))
        assert numbers.outliers is not None and numbers.outliers.value == far.sum() and numbers.outliers.exact
        assert found.column(name).distinct.value == wine[name].nunique()
    pearson, spearman = wine.iloc[:, :-1].corr(), wine.iloc[:, :-1].corr("spearman")
    pairs = [one for one in found.associations if one.measure == "pearson"]
    strengths = np.maximum(pearson.abs(), spearman.abs()).to_numpy()[np.triu_indices(13, 1)]
    chances = 2 * scipy.stats.norm.sf(np.arctanh(strengths) * np.sqrt(178 - 3))
    order = np.argsort(chances)
    beyond = np.cumprod(chances[order] < 0.05 / np.arange(78, 0, -1))  # Holm steps down until one is not
    assert len(pairs) == (beyond * (strengths[order] >= 0.1)).sum() < 78  # of 13 columns
    for one in pairs:
        assert one.value == pytest.approx(pearson.loc[one.a, one.b], abs=1e-5)
        assert one.spearman == pytest.approx(spearman.loc[one.a, one.b], abs=1e-5)
        told = scipy.stats.pearsonr(wine[one.a], wine[one.b]).confidence_interval(0.95)
        assert (one.low, one.high) == pytest.approx((told.low, told.high), abs=1e-4)
    assert [strength(one) for one in pairs] == sorted(map(strength, pairs), reverse=True)


def test_the_label_is_told_from_what_it_hangs_on(wine: pd.DataFrame) -> None:
    found = profile(pl.from_pandas(wine), label="target")
    assert found.label is not None
    assert [(one.value, one.rows) for one in found.label.counts] == [
        ("grignolino", 71),
        ("barolo", 59),
        ("barbera", 48),
    ]
    shares = np.array([71, 59, 48]) / 178
    assert found.label.evenness == pytest.approx(scipy.stats.entropy(shares) / np.log(3), abs=1e-6)
    assert found.label.ratio == pytest.approx(71 / 48, abs=1e-4)
    assert found.toward_label[0].column == "flavanoids" and found.toward_label[0].p_holm < 1e-20
    edges = np.unique(np.quantile(wine["flavanoids"], np.arange(1, 10) / 10, method="lower"))
    cut = pd.cut(wine["flavanoids"], [-np.inf, *edges, np.inf])
    table = pd.crosstab(cut, wine["target"])
    assert found.toward_label[0].chi2 == pytest.approx(scipy.stats.chi2_contingency(table).statistic, rel=1e-5)


def test_categories_are_associated_as_bergsma_says() -> None:
    rng = np.random.default_rng(3)
    a = rng.integers(0, 3, 2_000)
    b = np.where(rng.random(2_000) < 0.5, a, rng.integers(0, 3, 2_000))
    rows = pl.DataFrame(
        {"a": [f"a{x}" for x in a], "b": [f"b{x}" for x in b], "free": [f"c{x}" for x in rng.integers(0, 9, 2_000)]}
    )
    found = {(one.a, one.b): one.value for one in profile(rows).associations}
    uncorrected = scipy.stats.contingency.association(pd.crosstab(a, b), method="cramer")
    assert found["a", "b"] == pytest.approx(uncorrected, abs=0.005) and found["a", "b"] < uncorrected
    assert set(found) == {("a", "b")}  # what chance alone shows is not told


def test_a_column_that_gives_the_label_away_is_told() -> None:
    rows = pl.DataFrame({"grade": [f"g{i % 4}" for i in range(400)], "label": [f"l{i % 4 // 2}" for i in range(400)]})
    kinds = {remark.kind: remark for remark in profile(rows, label="label").remarks}
    assert kinds["tells_label"].columns == ("grade", "label")


TEXTS = st.sampled_from(
    ["the cat sat", "The  Cat sat ", "a dog", "ein Hund lief weg", "", "  ", "äöü ß", "x" * 300, None]
)
ROWS = st.lists(
    st.fixed_dictionaries({
        "text": TEXTS,
        "n": st.one_of(st.none(), st.integers(-(10**6), 10**6), st.sampled_from([10**9])),
        "x": st.one_of(st.none(), st.floats(-1e6, 1e6), st.sampled_from([float("nan"), float("inf")])),
        "c": st.sampled_from(["a", "b", "B", None, "*", "^.*$"]),
        "day": st.one_of(st.none(), st.dates(datetime.date(1990, 1, 1), datetime.date(2030, 1, 1))),
        "several": st.one_of(st.none(), st.lists(st.integers(0, 3), max_size=3)),
        "label": st.sampled_from(["yes", "no", None]),
    }),
    min_size=1,
    max_size=60,
)  # fmt: skip
SCHEMA = {
    "text": pl.String, "n": pl.Int64, "x": pl.Float64, "c": pl.String, "day": pl.Date, "several": pl.List(pl.Int64),
    "label": pl.String,
}  # fmt: skip


def near(a: object, b: object) -> bool:
    """Equal, but for the last digits of floats."""
    if isinstance(a, float) and isinstance(b, float):
        return a == pytest.approx(b, rel=1e-6, abs=1e-9, nan_ok=True)
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(near(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(near, a, b))
    return a == b


@settings(max_examples=10)
@given(ROWS, st.integers(1, 20), st.randoms(use_true_random=False))
def test_parts_merge_into_the_whole_however_they_were_cut(
    rows: list[dict[str, object]], batch: int, draw: random.Random
) -> None:
    table = pl.DataFrame(rows, schema=SCHEMA)
    plan = plan_of(table, text="text", label="label")
    whole = Measurer(plan, TODAY).add(named(table)).profile()
    parts = [Measurer(plan, TODAY).add(named(table).slice(start, batch)) for start in range(0, table.height, batch)]
    draw.shuffle(parts)
    merged = Measurer(plan, TODAY)
    for part in parts:
        merged.merge(pickle.loads(pickle.dumps(part)))
    assert near(whole.model_dump(mode="json"), merged.profile().model_dump(mode="json"))
    assert TableProfile.model_validate_json(whole.model_dump_json()) == whole


def test_a_sample_stays_inside_the_bounds_that_it_states() -> None:
    rng = np.random.default_rng(5)
    n = 150_000
    rows = pl.DataFrame({
        "x": rng.lognormal(3, 1, n),
        "id": [f"u{i}" for i in range(n)],
        "shop": [f"s{i}" for i in np.where(rng.random(n) < 0.3, rng.integers(0, 20, n), rng.integers(20, n, n))],
        "c": rng.choice(["a", "b", "c"], n, p=[0.7, 0.25, 0.05]),
        "twice": [f"k{i // 2}" for i in range(n)],
    })  # fmt: skip
    found = profile(rows, batch=40_000)
    spread = found.column("x").numbers.spread  # type: ignore[union-attr]
    assert spread is not None and 0 < spread.within < 0.007
    ranks = np.searchsorted(np.sort(rows["x"].to_numpy()), spread.quantiles) / n
    assert np.abs(ranks - GRID).max() <= spread.within
    assert spread.mean == pytest.approx(rows["x"].mean(), rel=1e-9)
    for name in ("id", "shop", "twice"):
        told, true = found.column(name).distinct, rows[name].n_unique()
        assert not told.exact and told.low <= true <= told.high, name
        assert told.high - told.low < 0.06 * true
    assert found.column("id").unique and not found.column("twice").unique
    assert found.column("c").distinct.exact and found.column("c").values.top[0].rows == (rows["c"] == "a").sum()
    counts = dict(rows["shop"].value_counts().iter_rows())
    shops = found.column("shop").values
    assert shops.within > 0
    for one in shops.top[:20]:
        assert counts[one.value] - shops.within <= one.rows <= counts[one.value]
    outliers = found.column("x").numbers.outliers  # type: ignore[union-attr]
    low, high = np.quantile(rows["x"].to_numpy(), [0.25, 0.75])
    true = int((rows["x"] > high + 3 * (high - low)).sum())
    assert outliers is not None and outliers.low < outliers.value < outliers.high
    assert outliers.value == pytest.approx(true, rel=0.1)
    assert any("sample of 65,536 rows" in note for note in found.notes)


def test_words_and_lengths_are_counted_as_python_counts_them() -> None:
    texts = ["The cat, the CAT!", "a\u00a0dog\tand (a) dog…", "http://x.y/z?", "", None, "Straße straße", "!!!"]
    found = profile(pl.DataFrame({"text": texts}), text="text").column("text")
    assert found.missing == 2 and found.blank == 1 and found.text is not None
    counted = Counter(word.strip("!?.,()…").lower() for text in texts if text for word in text.split())
    counted.pop("")
    assert {one.value: one.rows for one in found.text.top_words} == counted
    assert found.text.total_words == counted.total() and found.text.vocabulary is not None
    assert found.text.vocabulary.value == len(counted) and found.text.vocabulary.exact
    words, characters = found.text.words, found.text.characters
    assert words is not None and words.mean == pytest.approx(np.mean([len(t.split()) for t in texts if t]))
    assert characters is not None and characters.high == max(len(t) for t in texts if t)


def test_words_that_stand_with_a_label_are_found_and_chance_is_not() -> None:
    rng = np.random.default_rng(1)
    noise = [" ".join(f"w{int(i)}" for i in rng.integers(0, 200, 12)) for _ in range(800)]
    rows = pl.DataFrame({
        "text": [text + (" refund" if i % 2 and i % 3 else "") for i, text in enumerate(noise)],
        "label": ["complaint" if i % 2 else "praise" for i in range(800)],
    })  # fmt: skip
    words = profile(rows, text="text", label="label").label_words
    assert {label: [one.word for one in found] for label, found in words.items()} == {"complaint": ["refund"]}


def test_numbers_in_text_and_what_is_none() -> None:
    values = ["1,234.5", "3,5", "-2", "−7", "12 %", "1e3", "n/a", "", None, *["4"] * 600]
    found = profile(pl.DataFrame({"x": values})).column("x")
    assert found.kind == "number" and found.numbers is not None and found.numbers.spread is not None
    assert (found.missing, found.numbers.unparsed) == (2, 1)
    assert (found.numbers.spread.low, found.numbers.spread.high) == (-7, 1234.5)
    assert not found.numbers.whole and found.numbers.negative == 2


def test_dates_of_both_kinds() -> None:
    rows = pl.DataFrame({
        "day": [datetime.date(2020 + i % 7, 1 + i % 12, 1 + i % 28) for i in range(100)],
        "written": [f"{2020 + i % 3}-{1 + i % 12:02}-{1 + i % 28:02}" if i else "soon" for i in range(100)],
    })  # fmt: skip
    found = profile(rows)
    day, written = found.column("day").dates, found.column("written").dates
    assert day is not None and written is not None
    assert (day.first, day.last) == ("2020-01-01", "2026-12-28") and sum(day.years.values()) == 100
    assert day.future == sum(value > TODAY for value in rows["day"])
    assert written.unparsed == 1 and written.last == max(rows["written"][1:])


@pytest.mark.parametrize("name", ["*", "^.*$", "a.b", "row", "\x1b[31m", "<script>alert(1)</script>", "0", "label"])
def test_any_name_and_any_value_is_measured(name: str) -> None:
    values = ["<img onerror=alert(7)>", "\x1b[2J", "x" * 3_000_000, "\u202eevil", "{}", "[]", "NaN"]
    if name == ROW:
        return
    found = profile(pl.DataFrame({name: values, "other": [1.0, float("nan"), None, float("-inf"), 5.0, 5.0, 5.0]}))
    assert found.column(name).rows == 7 and found.column("other").missing == 2
    assert all(len(one.value) <= 80 for one in found.column(name).values.top)


@pytest.mark.parametrize(
    "rows",
    [
        pl.DataFrame(schema={"a": pl.String, "b": pl.Float64}),
        pl.DataFrame({"a": ["x"], "b": [1]}),
        pl.DataFrame({"a": [None, None], "b": pl.Series([None, None], dtype=pl.Float64)}),
        pl.DataFrame({"a": [[1, 2], None], "b": [{"c": 1, "d": [None]}, None]}),
        pl.DataFrame({"a": [b"\x00\xff", None], "b": [datetime.time(1), None], "c": [datetime.timedelta(1), None]}),
        pl.DataFrame({"a": pl.Series([[1.0, 2.0]], dtype=pl.Array(pl.Float32, 2))}),
        pl.DataFrame({"a": pl.Series(["x", "y"], dtype=pl.Categorical), "b": [1e308, -1e308]}),
        pl.DataFrame({"a": pl.Series([1, 2**64 - 1], dtype=pl.UInt64), "b": [None, True]}),
    ],
    ids=["no rows", "one row", "all null", "nested", "bytes and times", "array", "huge numbers", "unsigned"],
)
def test_odd_tables_are_measured(rows: pl.DataFrame) -> None:
    found = profile(rows)
    assert found.rows == rows.height and len(found.columns) == rows.width
    TableProfile.model_validate_json(found.model_dump_json())


@pytest.mark.slow
def test_a_table_of_two_thousand_columns() -> None:
    rng = np.random.default_rng(2)
    rows = pl.DataFrame({f"c{i}": rng.normal(size=60) if i % 2 else rng.choice(["a", "b"], 60) for i in range(2_000)})
    found = profile(rows, label="c0")
    assert len(found.columns) == 2_000 and not found.associations and not found.toward_label[0].beyond_chance
    assert "pairs were looked for among the first 100 of 1,000 columns of numbers" in found.notes
    assert "pairs were looked for among the first 40 of 1,000 columns of categories" in found.notes
    assert "the first 300 of 2,000 columns were held against the label" in found.notes
    assert not [one for one in found.remarks if one.kind == "tells_label"]


def test_what_stands_out_is_told_in_sentences() -> None:
    rows = pl.DataFrame({
        "id": [f"u-{i}" for i in range(200)],
        "same": ["x"] * 200,
        "none": pl.Series([None] * 200, dtype=pl.String),
        "holes": [i % 7 if i % 3 else None for i in range(200)],
        "height": [170.0 + i % 20 for i in range(199)] + [17_000.0],
        "colour": ["red", "red", "Red ", "blue", "n/a"] * 40,
        "label": ["ham"] * 196 + ["spam"] * 4,
    })  # fmt: skip
    found = profile(rows, label="label")
    told = {one.kind: one for one in found.remarks}
    assert told["constant"].columns == ("same",) and told["empty"].columns == ("none",)
    assert told["unique"].columns == ("id",) and told["unique"].severity == "note"
    assert told["missing"].rows == 67 and told["outliers"].rows == 1 and "17,000" in told["outliers"].text
    assert (
        told["imbalance"].text == "The labels are not balanced: “ham” has 98.0\u00a0% of the rows, “spam” 2.0\u00a0%."
    )
    assert "“Red ” (“red”)" in told["respelt"].text and "“n/a”" in told["nothings"].text
    highest = found.column("height").numbers.highest  # type: ignore[union-attr]
    assert [(one.value, one.row) for one in highest] == [(17_000.0, "t:a.csv#200")]


def test_copies_are_counted() -> None:
    texts = [
        "Good morning to all of you",
        "good  morning to all of you",
        "good morning to all of yous",
        "something else",
    ]
    rows = pl.DataFrame({"text": [*texts, texts[3]], "label": ["a", "b", "a", "a", "a"]})
    copies = profile(rows, text="text", label="label").copies
    assert copies is not None and copies.texts is not None and copies.conflicts is not None
    assert (copies.rows.value, copies.texts.value, copies.conflicts.value) == (1, 2, 2)
    assert (copies.near, copies.near_of) == (1, 3)


def test_what_does_not_fit_is_sampled_alike_in_any_order() -> None:
    rng = np.random.default_rng(9)
    rows = pl.DataFrame({"x": rng.normal(size=900), "c": [f"v{i}" for i in rng.integers(0, 400, 900)]})
    plan = replace(plan_of(rows), sample=100, distinct=64)
    table = named(rows)
    there, back = Measurer(plan, TODAY), Measurer(plan, TODAY)
    for start in range(0, 900, 90):
        there.add(table.slice(start, 90))
        back.merge(Measurer(plan, TODAY).add(table.slice(810 - start, 90).reverse()))
    one, other = there.profile(), back.profile()
    assert one.looked_at == 100 and not one.column("c").distinct.exact
    assert near(one.column("x").model_dump(mode="json"), other.column("x").model_dump(mode="json"))
    assert one.column("c").distinct == other.column("c").distinct and one.column("c").once == other.column("c").once


def test_counts_of_too_many_values_stay_inside_their_error() -> None:
    rng = np.random.default_rng(4)
    drawn = rng.zipf(1.4, 6_000) % 1_500
    true, held = Counter(drawn.tolist()), [Frequent(60), Frequent(60)]
    for place, some in enumerate(np.split(drawn, 60)):
        values, counts = np.unique(some, return_counts=True)
        held[place % 2].add(pl.Series(values.astype(np.uint64)), pl.Series(values).cast(pl.String), pl.Series(counts))
    held[0].merge(held[1])
    found = dict(held[0].counted().iter_rows())
    assert 0 < held[0].within < 6_000 / 30
    for value, rows in true.items():
        assert rows - held[0].within <= found.get(str(value), 0) <= rows, value


def test_amounts_in_several_units_are_told() -> None:
    rows = pl.DataFrame({
        "weight": [f"{i} kg" if i % 3 else f"{i}lbs" for i in range(90)] + ["12", "heavy", None],
        "height": [f"1.{i:02} m" for i in range(92)] + [" "],
    })  # fmt: skip
    found = profile(rows, batch=40)
    weight, height = found.column("weight"), found.column("height")
    assert (weight.kind, height.kind) == ("amount", "amount")
    assert weight.amounts is not None and weight.amounts.units == {"kg": 60, "lb": 30}
    assert (weight.amounts.bare, weight.amounts.unparsed, weight.missing) == (1, 1, 1)
    told = [one.text for one in found.remarks if one.columns == ("weight",)]
    assert told == [
        "“weight” holds amounts in several units (kg in 60 rows, lb in 30 rows, none in 1 row): `convert_units` makes "
        "them one.",
        "“weight” holds amounts, but 1 value is no number with a known unit.",
    ]
    assert not [one for one in found.remarks if one.columns == ("height",)]


def test_dates_among_which_some_are_none() -> None:
    written = [f"2024-{1 + i % 12:02}-{1 + i % 28:02}" for i in range(95)] + ["soon", "n/a", "spring 2024", "?", "-"]
    found = profile(pl.DataFrame({"day": written}))
    assert found.column("day").kind == "date"
    assert [one.text for one in found.remarks if one.kind == "not_dates"] == [
        "“day” holds dates, but 5 values are none."
    ]


def test_personal_data_is_what_pii_left_finds() -> None:
    texts = [
        "write to ann.lee@example.com",
        "call (415) 555-0123",
        "order 4016 529557 of 2024-03-07",
        "version 1.2.3.4",
    ]
    rows = pl.DataFrame({"text": texts * 5})
    check = PiiLeft(column="text").find(
        View(named(rows).lazy(), TextClassification(kind="text_classification", text="text", label="text"))
    )
    text = profile(rows, text="text").column("text").text
    assert text is not None and check.value == 0.5
    assert {kind: share.value for kind, share in text.personal.items()} == {"email": 0.25, "phone": 0.25}
    assert "10 of 20 (50.0 %) rows hold personal data: email in 5, phone in 5." in check.message


def test_a_text_of_which_only_the_start_was_looked_at_is_told() -> None:
    texts = ["some words " * 400 + "ann.lee@example.com"] * 3 + ["others"] * 7
    found = profile(pl.DataFrame({"text": texts}), text="text")
    assert any("of which the first 2,000 characters were looked at" in note for note in found.notes)


def test_languages_of_names_are_not_told() -> None:
    english = "The soup number {} was cold, and nobody at the counter seemed to care about it."
    german = "Die Suppe Nummer {} war kalt, und niemand hier schien sich darum zu kümmern."
    texts = [(english, german)[n % 3 == 0].format(n) for n in range(120)]
    names = [texts[n] if n < 30 else f"lib{'xyzqvw'[n % 6]}{n:03} -dev" for n in range(120)]
    found = profile(pl.DataFrame({"texts": texts, "names": names}))
    shares = found.column("names").text
    assert shares is not None and {one.language for one in shares.languages} >= {"en", "de"}
    told = {one.columns[0]: one.text for one in found.remarks if one.kind == "languages"}
    assert set(told) == {"texts"} and "is mostly en" in told["texts"]
