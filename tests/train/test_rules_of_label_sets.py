"""`rules` for rows that have any number of labels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from label_sets_sample import Heard, fit

from seedbed.core.context import Context
from seedbed.core.errors import RecipeError
from seedbed.core.learner import Model
from seedbed.train import (
    Rules,
)


def rules(*given: tuple[str, str], heard: Heard | None = None, **options: object) -> Model[Any]:
    learner = Rules.model_validate({"rules": [{"label": label, "pattern": p} for label, p in given], **options})
    train = pl.DataFrame(
        {
            "body": ["sad and glad", "so glad", "sadly glad", "a lamp", "nothing", "no"],
            "moods": [["glad", "sad"], ["glad"], ["glad"], ["home"], [], ["sad"]],
        }
    )
    return fit(learner, train, context=replace(Context(), progress=heard or Heard()))


def given(model: Model[Any], text: str) -> list[str]:
    return [
        label
        for label, p in zip(model.labels, model.predict(pl.DataFrame({"body": [text]}))[0], strict=True)
        if p >= 0.5
    ]


def test_every_rule_gives_its_label() -> None:
    model = rules(("sad", "sad"), ("glad", "glad"), ("sad", "tears"))
    assert given(model, "SAD and glad") == ["glad", "sad"]
    assert given(model, "tears") == ["sad"]
    assert given(model, "a lamp") == []
    assert given(rules(("sad", "sad"), otherwise="home"), "a lamp") == ["home"]
    assert given(rules(("sad", "sad"), otherwise="home"), "sad") == ["sad"]


def test_chances_of_rules_are_shares_of_what_they_found() -> None:
    # "sad" is found in 2 rows, 1 of which is sad, and not in 4, of which 1 is; 2 of all 6 rows are.
    model = rules(("sad", "sad"))
    found, other = model.predict(pl.DataFrame({"body": ["sad", "x"]}))[:, 2]
    assert found == max(0.5, (1 + 2 * 2 / 6) / 4)
    assert other == pytest.approx((1 + 2 * 2 / 6) / 6)


def test_a_rule_that_is_seldom_right_is_told() -> None:
    heard = Heard()
    rules(("home", "glad"), ("sad", "never there"), ("glad", "glad"), heard=heard)
    assert heard.said == [
        "rule 1 of rules says 'home', but of the 3 training rows that it is found in 0 have that label",
        "rule 2 of rules is found in none of the training rows",
    ]
    with pytest.raises(RecipeError, match="'hme' is none of the task's"):
        rules(("hme", "lamp"))
