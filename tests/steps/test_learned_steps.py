"""Parts that learn from training rows: scikit-learn says the same, and no odd table breaks them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from seedbed.core.errors import DataError
from seedbed.core.rows import NUMBER, ROW
from seedbed.core.step import Fitted
from seedbed.steps import Encode, HashFeatures, NumericOutliers, Scale, SelectFeatures, Tfidf
from seedbed.steps.learned.categories import fold_of
from seedbed.steps.learned.forest import scores

TEXTS = [
    "good film, good cast",
    "bad film",
    "a good plot and a bad cast",
    "who wrote this plot?",
    "film of the year",
    "Bad. BAD. bad plot",
]


def named(rows: pl.DataFrame) -> pl.DataFrame:
    names = pl.Series(ROW, [f"s:f#{place}" for place in range(1, rows.height + 1)])
    numbers = pl.Series(NUMBER, range(1, rows.height + 1), dtype=pl.UInt64)
    return pl.DataFrame([numbers, names, *rows.get_columns()])


def wine() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Training rows and others."""
    from sklearn.datasets import load_wine

    data = load_wine()
    rows = pl.DataFrame(data.data, schema=[name.replace("/", "_") for name in data.feature_names])
    rows = named(rows.with_columns(label=pl.Series(data.target_names[data.target])))
    return rows.gather_every(2), rows.gather_every(2, 1)


def learned(step: Fitted, train: pl.DataFrame, seed: int = 13) -> dict[str, Any]:
    state = step.fit(train.lazy(), seed)
    kept: dict[str, Any] = json.loads(json.dumps(state, allow_nan=False))
    assert kept == state
    return kept


def applied(step: Fitted, train: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(step.columns(learned(step, train)))


NUMBERS = ["alcohol", "malic_acid", "proline"]


@pytest.mark.parametrize("method", ["standard", "robust", "min_max"])
def test_scales_are_those_of_scikit_learn(method: Any) -> None:
    from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

    train, others = wine()
    oracle = {"standard": StandardScaler, "robust": RobustScaler, "min_max": MinMaxScaler}[method]()
    oracle.fit(train.select(NUMBERS).to_numpy())
    found = applied(Scale(column=NUMBERS, method=method), train, others)
    assert np.allclose(found.select(NUMBERS).to_numpy(), oracle.transform(others.select(NUMBERS).to_numpy()))


def test_isolation_forest_is_that_of_scikit_learn() -> None:
    from sklearn.ensemble import IsolationForest

    train, others = wine()
    oracle = IsolationForest(max_samples=len(train), contamination=0.05, random_state=13)
    oracle.fit(train.select(NUMBERS).to_numpy())
    step = NumericOutliers(column=NUMBERS, method="isolation_forest", share=0.05)
    state = learned(step, train)
    table = others.select(NUMBERS).to_numpy()
    assert np.allclose(scores(state["learned"], table), -oracle.score_samples(table))
    for rows in (train, others):
        marked = rows.with_columns(step.columns(state))["outlier"]
        assert marked.to_list() == (oracle.predict(rows.select(NUMBERS).to_numpy()) == -1).tolist()
    dropping = NumericOutliers(column=NUMBERS, method="isolation_forest", share=0.05, action="drop")
    keep = dropping.keep(state)
    assert keep is not None
    assert train.filter(~keep).height == 5


def test_distances_are_those_of_scikit_learn() -> None:
    from scipy.stats import chi2
    from sklearn.covariance import MinCovDet

    train, others = wine()
    oracle = MinCovDet(random_state=13).fit(train.select(NUMBERS).to_numpy())
    step = NumericOutliers(column=NUMBERS, method="robust_distance", share=0.01)
    marked = applied(step, train, others)["outlier"]
    assert marked.to_list() == (oracle.mahalanobis(others.select(NUMBERS).to_numpy()) > chi2.ppf(0.99, 3)).tolist()
    assert 0 < marked.sum() < 60


def test_ordinary_values_that_do_not_go_together() -> None:
    chance = np.random.default_rng(4)
    tall = chance.normal(175, 8, 500)
    rows = named(pl.DataFrame({"height": tall, "weight": 70 + 0.9 * (tall - 175) + chance.normal(0, 2, 500)}))
    odd = named(pl.DataFrame({"height": [190.0, 190.0, 160.0, None], "weight": [84.0, 58.0, 83.0, 70.0]}))
    step = NumericOutliers(column=["height", "weight"], method="robust_distance")
    assert applied(step, rows, odd)["outlier"].to_list() == [False, True, True, False]
    same = rows.with_columns(weight=pl.col("height") * 2)
    with pytest.raises(DataError, match="say the same"):
        step.fit(same.lazy(), 13)


def test_limits_on_the_scale_of_logarithms() -> None:
    chance = np.random.default_rng(2)
    rows = named(pl.DataFrame({"price": chance.lognormal(3, 1, 5000)}))
    marked = [applied(NumericOutliers(column="price", log=log), rows, rows)["price_outlier"].mean() for log in (0, 1)]
    assert marked[0] > 0.05  # type: ignore[operator]
    assert marked[1] < 0.02  # type: ignore[operator]
    state = learned(NumericOutliers(column="price", log=True), rows)
    low, high = np.percentile(np.log1p(rows["price"].to_numpy()), [25, 75])
    assert state["limits"]["price"][1] == pytest.approx(np.expm1(high + 1.5 * (high - low)))


@pytest.mark.parametrize(("method", "beyond"), [("iqr", 1.5), ("robust_z", 3.5)])
def test_limits_of_outliers(method: Any, beyond: float) -> None:
    train, _ = wine()
    values = train["malic_acid"].to_numpy()
    if method == "iqr":
        low, high = np.percentile(values, [25, 75])
        expected = [low - beyond * (high - low), high + beyond * (high - low)]
    else:
        middle = np.median(values)
        mad = np.median(np.abs(values - middle))
        expected = [middle - beyond * mad / 0.6745, middle + beyond * mad / 0.6745]
    step = NumericOutliers(column="malic_acid", method=method, action="drop")
    state = learned(step, train)
    assert state["limits"]["malic_acid"] == pytest.approx(expected)
    odd = named(pl.DataFrame({"malic_acid": [2.0, 99.0, None, float("nan")]}))
    keep = step.keep(state)
    assert keep is not None
    told = odd.filter(~keep).with_columns(**step.evidence(state))
    assert told.select("malic_acid", "column", "value", "at_least", "at_most").rows() == [
        (99.0, "malic_acid", 99.0, *state["limits"]["malic_acid"])
    ]


def test_one_hot_is_that_of_scikit_learn() -> None:
    from sklearn.preprocessing import OneHotEncoder

    train = named(pl.DataFrame({"c": list("aaabbbccd")}))
    others = named(pl.DataFrame({"c": list("abcdx")}))
    oracle = OneHotEncoder(min_frequency=2, handle_unknown="infrequent_if_exist", sparse_output=False)
    oracle.fit(train.select("c").to_numpy())
    found = applied(Encode(column="c", at_least=2), train, others).drop(NUMBER, ROW, "c")
    assert found.columns == ["c=a", "c=b", "c=c", "c~other"]
    assert found.to_numpy().tolist() == oracle.transform(others.select("c").to_numpy()).tolist()


@pytest.mark.parametrize("labels", [["no", "yes"], ["a", "b", "c"]])
def test_target_means_are_those_of_scikit_learn(labels: list[str]) -> None:
    from sklearn.model_selection import PredefinedSplit
    from sklearn.preprocessing import TargetEncoder

    chance = np.random.default_rng(1)
    train = named(pl.DataFrame({"c": chance.choice(list("abcd"), 200), "label": chance.choice(labels, 200)}))
    others = named(pl.DataFrame({"c": list("abcdx"), "label": ["?"] * 5}))
    step = Encode(column="c", method="target", label="label", smooth=7.0, folds=4)
    state = learned(step, train)
    folds = train.select(fold_of(4, 13)).to_series().to_numpy()
    oracle = TargetEncoder(smooth=7.0, cv=PredefinedSplit(folds))
    table, target = train.select("c").to_numpy(), train["label"].to_numpy()
    in_training = oracle.fit_transform(table, target)
    new = [name for name in train.with_columns(step.columns(state)).columns if name.endswith("|c")]
    assert len(new) == (1 if len(labels) == 2 else 3)
    assert np.allclose(train.with_columns(step.train_columns(state)).select(new).to_numpy(), in_training)
    found = others.with_columns(step.columns(state)).select(new).to_numpy()
    assert np.allclose(found, oracle.transform(others.select("c").to_numpy()))


def test_rare_categories_tell_nothing_of_the_label() -> None:
    rows = named(pl.DataFrame({"c": [*"aaaabbbb", "r"], "label": [1.0, 2, 1, 2, 5, 6, 5, 6, 17]}))
    step = Encode(column="c", method="target", label="label", label_is="number", at_least=2, smooth=0)
    found = applied(step, rows, rows)["label|c"].to_list()
    assert found == [1.5] * 4 + [5.5] * 4 + [5.0]
    assert applied(step, rows, named(pl.DataFrame({"c": ["new", None]})))["label|c"].to_list() == [5.0, 5.0]


def test_a_training_row_is_not_told_its_own_label() -> None:
    rows = named(pl.DataFrame({"c": [f"c{place // 2}" for place in range(40)], "label": [0.0, 1.0] * 20}))
    step = Encode(column="c", method="target", label="label", label_is="number", folds=40, smooth=1)
    for place in range(rows.height):
        changed = rows.with_columns(label=pl.when(pl.int_range(pl.len()) == place).then(9.0).otherwise("label"))
        own = [
            table.with_columns(step.train_columns(learned(step, table)))["label|c"][place] for table in (rows, changed)
        ]
        assert own[0] == own[1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, {}),
        ({"longest": 2, "dampened": True}, {"ngram_range": (1, 2), "sublinear_tf": True}),
        (
            {"unit": "characters", "shortest": 2, "longest": 3, "at_least": 1},
            {"analyzer": "char_wb", "ngram_range": (2, 3), "min_df": 1},
        ),
    ],
)
def test_weights_of_terms_are_those_of_scikit_learn(options: dict[str, Any], said: dict[str, Any]) -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    train, others = named(pl.DataFrame({"text": TEXTS})), named(pl.DataFrame({"text": ["good BAD year", "?", None]}))
    oracle = TfidfVectorizer(**{"min_df": 2, **said}).fit(TEXTS)
    step = Tfidf(column="text", **options)
    state = learned(step, train)
    assert state["terms"] == oracle.get_feature_names_out().tolist()
    found = others.with_columns(step.columns(state))["text_tfidf"]
    assert found.dtype == pl.Array(pl.Float32, len(state["terms"]))
    assert np.allclose(found.to_numpy(), oracle.transform(["good BAD year", "?", ""]).toarray(), atol=1e-6)


def test_the_most_frequent_terms_are_kept_and_may_be_columns() -> None:
    train = named(pl.DataFrame({"text": TEXTS}))
    found = applied(Tfidf(column="text", at_most=2, form="columns", into="t"), train, train)
    assert found.columns[-2:] == ["t=bad", "t=film"]
    there = train.with_columns(pl.lit(1).alias("t=bad"))
    with pytest.raises(DataError, match="t=bad"):
        Tfidf(column="text", at_most=2, form="columns", into="t").fit(there.lazy(), 13)
    with pytest.raises(DataError, match="no term"):
        Tfidf(column="text", at_least=7).fit(train.lazy(), 13)


def test_hashes_are_those_of_scikit_learn() -> None:
    from sklearn.feature_extraction.text import HashingVectorizer

    rows = named(pl.DataFrame({"text": TEXTS}))
    for signed in (True, False):
        oracle = HashingVectorizer(n_features=32, norm=None, alternate_sign=signed)
        found = rows.with_columns(HashFeatures(column="text", width=32, signed=signed).columns())["text_hashed"]
        assert np.array_equal(found.to_numpy(), oracle.transform(TEXTS).toarray())


def test_the_best_features_are_those_of_scikit_learn() -> None:
    from sklearn.feature_selection import SelectKBest, chi2, mutual_info_classif

    train, _ = wine()
    names = [name for name in train.columns if name not in (ROW, NUMBER, "label")]
    table, target = train.select(names).to_numpy(), train["label"].to_numpy()
    best = {
        "chi_square": SelectKBest(chi2, k=4).fit(table, target).get_support(),
        "mutual_information": np.argsort(
            -mutual_info_classif(table, target, random_state=13, discrete_features=False), kind="stable"
        )[:4],
    }
    for score, chosen in best.items():
        step = SelectFeatures(column=names, score=score, best=4, label="label")
        gone = step.drops(learned(step, train))
        assert set(names) - set(gone) == set(np.array(names)[chosen])


def test_features_are_chosen_among_columns_of_every_kind() -> None:
    chance = np.random.default_rng(3)
    label = chance.choice(["a", "b"], 400)
    vector = np.stack([chance.random(400), (label == "a") + chance.random(400)], axis=1)
    rows = named(
        pl.DataFrame(
            {
                "v": pl.Series(vector, dtype=pl.Array(pl.Float64, 2)),
                "noise": chance.random(400),
                "place": np.where(label == "a", "x", chance.choice(["y", "z"], 400)),
                "other": chance.choice(["p", "q"], 400),
                "label": label,
            }
        )
    )
    columns = ["v", "noise", "place", "other"]
    for options in ({"at_most_p": 0.001}, {"share": 0.4}, {"best": 2, "score": "mutual_information"}):
        step = SelectFeatures(column=columns, label="label", **options)
        state = learned(step, rows)
        done = rows.with_columns(step.columns(state)).drop(step.drops(state))
        assert done.columns == [NUMBER, ROW, "v", "place", "label"]
        assert done["v"].to_numpy().tolist() == vector[:, 1:].tolist()
    assert "2 of 5 features stay" in step.told(state)
    with pytest.raises(DataError, match="negative"):
        SelectFeatures(column=["noise"], label="label", best=1).fit(rows.with_columns(-pl.col("noise")).lazy(), 13)
    with pytest.raises(DataError, match="adjusted p-value"):
        SelectFeatures(column=["noise"], label="label", at_most_p=1e-9).fit(rows.lazy(), 13)


def test_few_of_many_features_of_noise_pass() -> None:
    chance = np.random.default_rng(5)
    rows = named(
        pl.DataFrame({f"c{i}": chance.choice(["x", "y"], 300) for i in range(200)}).with_columns(
            label=pl.Series(chance.choice(["a", "b"], 300))
        )
    )
    columns = [f"c{i}" for i in range(200)]
    with pytest.raises(DataError, match="adjusted"):  # some twenty would pass unadjusted
        SelectFeatures(column=columns, label="label", at_most_p=0.1).fit(rows.lazy(), 13)


ODD = {
    "constant": {"n": [3.0] * 5, "c": ["a"] * 5, "text": ["red car"] * 5, "label": ["x", "y", "x", "y", "x"]},
    "null": {"n": [None] * 5, "c": [None] * 5, "text": ["red car"] * 5, "label": ["x", "y", "x", "y", "x"]},
    "one row": {"n": [3.0], "c": ["a"], "text": ["red"], "label": ["x"]},
    "no row": {"n": [], "c": [], "text": [], "label": []},
    "tenths": {"n": [0.1] * 5, "c": ["", " ", "a", "a", "b"], "text": ["red"] * 5, "label": ["x", "y", "x", "y", "x"]},
}
KINDS = {"n": pl.Float64, "c": pl.String, "text": pl.String, "label": pl.String}
EVERY = [
    *(Scale(column="n", method=method) for method in ("standard", "robust", "min_max")),  # type: ignore[arg-type]
    *(
        NumericOutliers(column="n", method=method, action=action)  # type: ignore[arg-type]
        for method in ("iqr", "robust_z", "isolation_forest", "robust_distance")
        for action in ("mark", "drop")
    ),
    *(Encode(column="c", method=method, label="label") for method in ("one_hot", "ordinal", "frequency", "target")),  # type: ignore[arg-type]
    Tfidf(column="text"),
    SelectFeatures(column=["n", "c"], label="label", best=1),
    SelectFeatures(column=["n", "c"], label="label", best=1, score="mutual_information"),
]


@pytest.mark.parametrize("table", ODD)
@pytest.mark.parametrize("step", EVERY, ids=lambda step: f"{step.use}-{getattr(step, 'method', '')}")
def test_odd_tables_are_learned_from_or_refused(step: Fitted, table: str) -> None:
    rows = named(pl.DataFrame(ODD[table], schema=KINDS))
    try:
        state = learned(step, rows)
    except DataError as error:
        assert len(str(error).splitlines()) <= 5
        return
    others = named(pl.DataFrame(ODD["tenths"], schema=KINDS))
    for one in (rows, others):
        done = one.with_columns(step.columns(state)).drop(step.drops(state))
        assert done.height == one.height
        keep = step.keep(state)
        if keep is not None:
            assert one.filter(keep).height == one.height  # nothing here is far from the others


def test_nothing_far_away_where_there_is_no_spread() -> None:
    step = NumericOutliers(column="n")
    assert applied(step, named(pl.DataFrame({"n": [1, 1, 1, 1, 7]})), named(pl.DataFrame({"n": [9, None]})))[
        "n_outlier"
    ].to_list() == [False, None]


def test_a_constant_column_of_tenths_scales_to_nought() -> None:
    rows = named(pl.DataFrame({"n": [0.1] * 7}))
    assert applied(Scale(column="n"), rows, rows)["n"].abs().max() < 1e-12  # type: ignore[operator]


@pytest.mark.parametrize("method", ["standard", "robust", "min_max"])
@pytest.mark.filterwarnings("error")
def test_numbers_whose_sum_is_beyond_all_numbers_have_a_scale(method: Any) -> None:
    rows = named(pl.DataFrame({"n": [1e308, 1e308, 1.5e308, 1.0, None]}))
    [middle, width] = learned(Scale(column="n", method=method), rows)["scales"]["n"]
    assert np.isfinite(middle) and np.isfinite(width) and 0 <= middle <= 1.5e308


def test_texts_are_no_numbers() -> None:
    rows = named(pl.DataFrame({"n": ["1", "2"]}))
    for step in (Scale(column="n"), NumericOutliers(column="n")):
        with pytest.raises(DataError, match="use: cast"):
            step.fit(rows.lazy(), 13)


def test_names_of_columns_for_categories() -> None:
    long = ["x" * 60, "x" * 61]
    rows = named(pl.DataFrame({"c": [*long, "a=b", "other"]}))
    found = applied(Encode(column="c"), rows, rows)
    assert len(set(found.columns)) == len(found.columns) == 3 + 4 + 1
    assert max(map(len, found.columns)) < 70
    with pytest.raises(DataError, match="c=a"):
        Encode(column="c").fit(rows.with_columns(pl.lit(1).alias("c=a=b")).lazy(), 13)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), st.floats(-9, 9)), min_size=4, max_size=30))
@settings(max_examples=30, deadline=None)
def test_what_is_learned_does_not_hang_on_the_order_of_rows(table: list[tuple[str, str, float]]) -> None:
    rows = named(pl.DataFrame(table, schema=["c", "label", "n"], orient="row"))
    if rows["label"].n_unique() < 2:
        return
    backwards = rows.reverse()
    for step in (
        Encode(column="c", method="target", label="label"),
        Encode(column="c", method="frequency"),
        NumericOutliers(column="n"),
        Scale(column="n", method="robust"),
    ):
        assert learned(step, rows) == learned(step, backwards)


@pytest.mark.parametrize(
    ("part", "options", "said"),
    [
        (NumericOutliers, {"column": "n", "method": "isolation_forest", "action": "clip"}, "no limit to clip"),
        (NumericOutliers, {"column": "n", "share": 0.1}, "beyond"),
        (NumericOutliers, {"column": ["n", "n"]}, "twice"),
        (Scale, {"column": "n", "method": "none"}, "nothing to do"),
        (Encode, {"column": "c", "order": ["a"]}, "ordinal"),
        (Tfidf, {"form": "columns", "at_most": 9000}, "lower"),
        (Tfidf, {"shortest": 3, "longest": 2}, "shortest"),
        (HashFeatures, {"column": ["a", "b"]}, "into"),
        (SelectFeatures, {"column": ["a"], "best": 1, "share": 0.5}, "one of"),
        (SelectFeatures, {"column": ["a"], "at_most_p": 0.1, "score": "mutual_information"}, "p-value"),
        (SelectFeatures, {"column": ["a"], "best": 1, "label_is": "number"}, "mutual_information"),
        (SelectFeatures, {"column": ["a"], "best": 1, "label": "a"}, "itself"),
    ],
)
def test_options_that_do_not_fit(part: type[Fitted], options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        part.model_validate({"use": part.model_fields["use"].default, **options})


@pytest.mark.parametrize("name", ["fold", "label", "len", "code", "category", "count"])
@pytest.mark.parametrize("method", ["one_hot", "frequency", "ordinal", "target"])
def test_a_column_of_categories_may_have_any_name(name: str, method: str) -> None:
    train = pl.DataFrame({ROW: [f"s:f#{n}" for n in range(8)], name: list("aabbccaa"), "y": list("uvuvuvuv")}).lazy()
    step = Encode.model_validate({"column": name, "method": method, **({"label": "y"} if method == "target" else {})})
    state = step.fit(train, 13)
    assert train.select(step.columns(state)).collect().height == 8
