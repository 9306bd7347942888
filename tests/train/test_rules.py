from __future__ import annotations

from dataclasses import dataclass, field, replace

import polars as pl
import pytest
from pydantic import ValidationError

from seedbed.core.context import Context
from seedbed.core.errors import RecipeError
from seedbed.core.task import TextClassification
from seedbed.train import Rules
from seedbed.train.rules import RulesModel

TASK = TextClassification(kind="text_classification", text="text", label="label")
TRAIN = pl.DataFrame(
    {
        "text": ["win cash", "WIN now", "win a chat", "cash?", "see you", "on my way", "so late"],
        "label": ["spam", "spam", "ham", "spam", "ham", "ham", "ham"],
    }
)


@dataclass
class Heard:
    said: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        self.said.append(text)


def fit(*rules: tuple[str, str], heard: Heard | None = None, **options: object) -> RulesModel:
    learner = Rules.model_validate({"rules": [{"label": label, "pattern": p} for label, p in rules], **options})
    return learner.fit(TRAIN, TRAIN.clear(), TASK, replace(Context(), progress=heard or Heard()))


def guesses(model: RulesModel, *texts: str) -> list[str]:
    return [model.labels[i] for i in model.predict(pl.DataFrame({"text": texts})).argmax(axis=1)]


def test_the_first_rule_that_matches_decides() -> None:
    model = fit(("ham", "chat"), ("spam", r"\bwin\b"))
    assert guesses(model, "win a chat", "win", "winner", "") == ["ham", "spam", "ham", "ham"]


def test_letters_are_alike_unless_a_rule_says_otherwise() -> None:
    assert guesses(fit(("spam", "win")), "WIN") == ["spam"]
    exact = Rules.model_validate({"rules": [{"label": "spam", "pattern": "win", "ignore_case": False}]})
    assert guesses(exact.fit(TRAIN, TRAIN, TASK, Context()), "WIN", "win") == ["ham", "spam"]


def test_probabilities_are_shares_of_what_a_rule_caught() -> None:
    # "win" is the first to catch 2 spam and 1 ham; two more rows as all rows are: 3 spam and 4 ham of 7.
    model = fit(("spam", "win"))
    assert model.labels == ("ham", "spam")
    ham, spam = model.predict(pl.DataFrame({"text": ["win"]}))[0]
    assert spam == pytest.approx((2 + 2 * 3 / 7) / 5)
    assert ham == pytest.approx((1 + 2 * 4 / 7) / 5)


def test_a_rule_decides_even_where_it_was_wrong_and_the_run_says_so() -> None:
    heard = Heard()
    model = fit(("ham", "win"), ("spam", "never there"), heard=heard)
    assert guesses(model, "win", "never there") == ["ham", "spam"]
    ham, spam = model.predict(pl.DataFrame({"text": ["win"]}))[0]
    assert 0.5 < ham < 0.5 + 1e-6
    assert ham + spam == pytest.approx(1)
    assert heard.said == [
        "rule 1 of rules says 'ham', but of the 3 training rows that it is the first to catch 2 are 'spam'",
        "rule 2 of rules is the first to catch none of the training rows",
    ]


def test_otherwise() -> None:
    assert guesses(fit(("spam", "win")), "unheard of") == ["ham"]
    assert guesses(fit(("spam", "win"), otherwise="spam"), "unheard of") == ["spam"]


@pytest.mark.parametrize(
    ("pattern", "words"),
    [("(", "unclosed group"), (r"(?=x)", "look-around"), (r"(a)\1", "backreferences"), ("", "at least 1 character")],
)
def test_a_bad_pattern_is_refused_with_its_place(pattern: str, words: str) -> None:
    with pytest.raises(ValidationError, match=words) as caught:
        fit(("spam", "win"), ("spam", pattern))
    assert caught.value.errors()[0]["loc"] == ("rules", 1, "pattern")
    assert len(caught.value.errors()[0]["msg"].splitlines()) == 1


@pytest.mark.parametrize("options", [{"rules": [("spma", "win")]}, {"rules": [("spam", "win")], "otherwise": "spma"}])
def test_a_label_that_the_task_does_not_know(options: dict[str, object]) -> None:
    rules = options.pop("rules")
    with pytest.raises(RecipeError, match="'spma' is none of the task's") as caught:
        fit(*rules, **options)  # type: ignore[misc]
    assert caught.value.hint == "did you mean 'spam'?"
    assert caught.value.at in ("rules, rules.0", "rules, otherwise")


def test_numbers_are_labels_too() -> None:
    learner = Rules.model_validate({"rules": [{"label": 1, "pattern": "win"}], "otherwise": 0})
    train = TRAIN.with_columns(label=(pl.col("label") == "spam").cast(pl.Int64))
    model = learner.fit(train, train.clear(), TASK, Context())
    assert guesses(model, "win", "no") == ["1", "0"]
