"""Weighted sums of columns, terms and embeddings are scikit-learn's; what is read of columns of every type."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from learning_tables import LABELS, NUMBERS, TEXTS, asked, fit, seen, table
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from seedbed.core.context import Context
from seedbed.core.encoder import open_encoder
from seedbed.core.rows import WEIGHT
from seedbed.train import EmbeddingRidge, TabularLinear, TfidfRidge
from seedbed.train.columns import ColumnFeatures
from tiny_encoder import with_encoder


def pipeline(train: pl.DataFrame, last: Any) -> Any:
    numbers, named = ["width", "age"], ["thing", "made_of"]
    scaled = make_pipeline(StandardScaler(), SimpleImputer(strategy="constant", fill_value=0.0, add_indicator=True))
    one_hot = OneHotEncoder(handle_unknown="ignore")
    return make_pipeline(make_column_transformer((scaled, numbers), (one_hot, named)), last)


def as_pandas(rows: pl.DataFrame) -> Any:
    named = ["thing", "made_of"]
    table = rows.select("width", "age", pl.col(named).fill_null("(missing)"))
    return table.to_pandas().astype(dict.fromkeys(named, object))


def test_weighted_sums_of_columns_are_scikit_learns() -> None:
    pytest.importorskip("pandas")
    train, test = table(300), table(100, 2)
    frames = [as_pandas(rows) for rows in (train, test)]
    theirs = pipeline(train, LogisticRegression(C=1.0, tol=1e-8, max_iter=2000)).fit(
        frames[0], train["label"].to_list()
    )
    found = fit(TabularLinear(), train, LABELS).predict(asked(test, LABELS))
    assert found == pytest.approx(theirs.predict_proba(frames[1]), abs=1e-4)
    numbers = pipeline(train, Ridge(alpha=0.5)).fit(frames[0], train["target"].log().to_numpy())
    found = fit(TabularLinear(c=2, scale="log"), train, NUMBERS).predict(asked(test, NUMBERS))
    assert found[:, 0] == pytest.approx(np.exp(numbers.predict(frames[1])), rel=1e-4)


def test_ridge_on_terms_is_scikit_learns() -> None:
    train, test = table(200), table(60, 2)
    weights = np.random.default_rng(5).uniform(0.2, 3, 200)
    more: dict[str, Any] = {"min_df": 2, "sublinear_tf": True}
    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2), **more), TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), **more)
    )
    for scale, to, back in (("linear", np.asarray, np.asarray), ("log", np.log, np.exp)):
        theirs = make_pipeline(features, Ridge(alpha=0.7, tol=1e-10)).fit(
            train["text"].to_list(), to(train["target"].to_numpy()), ridge__sample_weight=weights
        )
        heavy = seen(train, TEXTS).with_columns(pl.Series(WEIGHT, weights))
        model = TfidfRidge(alpha=0.7, scale=scale).fit(heavy, heavy.clear(), TEXTS, Context())
        found = model.predict(asked(test, TEXTS))[:, 0]
        assert found == pytest.approx(back(theirs.predict(test["text"].to_list())), rel=1e-4)


def test_ridge_on_embeddings_is_scikit_learns(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    train, test = table(150), table(40, 2)
    encoder = open_encoder(str(tiny))
    embedded = [encoder.encode(rows["text"].to_list(), max_tokens=256) for rows in (train, test)]
    theirs = Ridge(alpha=0.1).fit(embedded[0].astype(np.float64), train["target"].to_numpy())
    learner = with_encoder(EmbeddingRidge(alpha=0.1, scale="linear"), tiny)
    found = fit(learner, train, TEXTS).predict(asked(test, TEXTS))[:, 0]
    assert found == pytest.approx(theirs.predict(embedded[1]), rel=1e-3, abs=1e-2)


def test_a_column_that_is_constant_but_for_rounding_is_none() -> None:
    for odd, others in ((1e9 + 1e-7, 1e9), (float("inf"), 2.0), (float("inf"), -float("inf"))):
        width = pl.when(pl.int_range(60) % 2 == 0).then(odd).otherwise(others)
        train = table(60).with_columns(width=width)
        found = fit(TabularLinear(), train, NUMBERS).predict(asked(train, NUMBERS))
        without = TabularLinear().fit(seen(train, NUMBERS).drop("width"), train.clear(), NUMBERS, Context())
        assert np.isfinite(found).all()
        assert odd > 1e10 or found == pytest.approx(without.predict(asked(train, NUMBERS)), rel=0.05)


def test_columns_of_every_type() -> None:
    from datetime import date, datetime

    rows = pl.DataFrame(
        {
            "day": [date(2024, 1, i + 1) for i in range(20)],
            "moment": [datetime(2024, 1, i + 1, 12) for i in range(20)],
            "flag": [True, False] * 10,
            "kind": pl.Series(["a", "b", "c", "d"] * 5, dtype=pl.Categorical),
            "told": [" 1.5", "2", "", "4"] * 5,
            "whole": list(range(20)),
            "list": [[1]] * 20,
            "bytes": [b"x", b"y"] * 10,
            "nothing": [None] * 20,
            "label": ["a", "b"] * 10,
        }
    )
    found = ColumnFeatures.learn(rows.drop("label"))
    assert found.numbers == ("day", "moment", "flag", "told", "whole")
    assert list(found.named) == ["kind"]
    features = found.of(rows)
    assert features[:, 1] - features[:, 0] == pytest.approx(np.full(20, 12 * 3600e6))
    finer = rows.with_columns(pl.col("moment").cast(pl.Datetime("ns")), kind=pl.lit(None))
    assert np.array_equal(found.of(finer)[:, :5], features[:, :5], equal_nan=True)
    assert np.isnan(found.of(finer)[:, 5]).all()
    assert ColumnFeatures.read(found.saved()) == found
