"""text_features: measure how a text is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, ClassVar, Literal, Self, get_args

import polars as pl
from pydantic import Field, model_validator

from seedbed.core.part import Example, TextColumn
from seedbed.core.step import Map
from seedbed.core.values import text_of

Feature = Literal[
    "characters",
    "words",
    "lines",
    "word_length",
    "distinct_words",
    "upper_case",
    "digits",
    "punctuation",
    "exclamations",
    "questions",
    "links",
    "mentions",
    "hashtags",
]
_WORD = r"\S+"


def _share(pattern: str) -> Callable[[pl.Expr], pl.Expr]:
    def of(text: pl.Expr) -> pl.Expr:
        every = text.str.len_chars()
        return pl.when(every == 0).then(0.0).otherwise(text.str.count_matches(pattern) / every)

    return of


def _count(pattern: str) -> Callable[[pl.Expr], pl.Expr]:
    return lambda text: text.str.count_matches(pattern)


def _per_word(measure: Callable[[pl.Expr], pl.Expr]) -> Callable[[pl.Expr], pl.Expr]:
    def of(text: pl.Expr) -> pl.Expr:
        words = text.str.count_matches(_WORD)
        return pl.when(words == 0).then(0.0).otherwise(measure(text) / words)

    return of


_MEASURES: Mapping[Feature, Callable[[pl.Expr], pl.Expr]] = {
    "characters": lambda text: text.str.len_chars(),
    "words": _count(_WORD),
    "lines": lambda text: text.str.count_matches("\n", literal=True) + 1,
    "word_length": _per_word(_count(r"\S")),
    "distinct_words": _per_word(lambda text: text.str.to_lowercase().str.extract_all(_WORD).list.n_unique()),
    "upper_case": _share(r"\p{Lu}"),
    "digits": _share(r"\p{Nd}"),
    "punctuation": _share(r"\p{P}"),
    "exclamations": _count("!"),
    "questions": _count(r"\?"),
    "links": _count(r"(?i)\bhttps?://|\bwww\."),
    "mentions": _count(r"\B@\w+"),
    "hashtags": _count(r"\B#\w+"),
}


class TextFeatures(Map):
    """Writes numbers on how a text is written: its length, its words, its signs.

    Each is a column `COLUMN_FEATURE`: `characters`, `words` and `lines` are counts, and so are `exclamations`,
    `questions`, `links`, `mentions` (@name) and `hashtags`; `word_length` is the mean number of characters of a word,
    `distinct_words` the share of words that are no repetition; `upper_case`, `digits` and `punctuation` are shares of
    the characters.

    ## Why
    Spam shouts, reviews by robots repeat themselves, and a model of tables sees nothing of that in a column of texts.

    ## Limits
    Nothing is learned. Words are what whitespace parts, so a text in a script without spaces is one word. Characters
    are Unicode code points: an emoji may count several. A missing text gives missing numbers, an empty one zeros (and
    one line). Learners of texts read the task's text alone; those of tables read these columns, and a score can be
    told by `slices` of them.
    """

    use: Literal["text_features"] = "text_features"
    column: TextColumn = Field(None, description="Column to measure; the task's text when left out.")
    features: Annotated[list[Feature], Field(min_length=1)] = Field(
        list(get_args(Feature)), description="What is measured; everything when left out."
    )

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Who shouts?",
            options={"features": ["characters", "words", "upper_case", "exclamations"]},
            before={"text": ["BUY NOW!", "so, so good", "", None]},
            after={
                "text_characters": [8, 11, 0, None],
                "text_words": [2, 3, 0, None],
                "text_upper_case": [0.75, 0.0, 0.0, None],
                "text_exclamations": [1, 0, 0, None],
            },
        ),
        Example(
            title="Whom it speaks to",
            options={"column": "tweet", "features": ["mentions", "hashtags", "links", "distinct_words"]},
            before={"tweet": ["@ana @bo see https://a.b/c #wow", "me@home.org wow WOW"]},
            after={
                "tweet_mentions": [2, 0],
                "tweet_hashtags": [1, 0],
                "tweet_links": [1, 0],
                "tweet_distinct_words": [1.0, 0.6666666666666666],
            },
        ),
    )

    @model_validator(mode="after")
    def _no_feature_twice(self) -> Self:
        if len(set(self.features)) < len(self.features):
            raise ValueError("a feature is named twice")
        return self

    def brings(self) -> Sequence[str]:
        """The numbers."""
        return [f"{self.column}_{name}" for name in self.features]

    def columns(self) -> Sequence[pl.Expr]:
        """The numbers."""
        text = text_of(str(self.column))
        return [_MEASURES[name](text).alias(f"{self.column}_{name}") for name in self.features]
