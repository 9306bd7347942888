"""toxicity: texts that insult, threaten or swear."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import polars as pl
from pydantic import Field, PrivateAttr, model_validator

from seedbed.core import digest
from seedbed.core.detecting.toxicity import toxicity_of
from seedbed.core.errors import MissingExtraError, RecipeError
from seedbed.core.part import Example, NewColumn, TextColumn, base_of
from seedbed.core.step import Rework
from seedbed.core.values import text_of


class Toxicity(Rework):
    """Rejects texts that sound toxic (`toxic`) or hold a word of your own list (`listed_word`), or writes the score.

    The score is the chance that a text is offensive by the linear model of `alt-profanity-check`: one weight for each
    English word, learned from some 200,000 comments. A text goes where its score is at least `at_least`. Words of your
    own (`words`, or a file with one a line) are found as whole words, whatever their case; an entry may be several
    words.

    ## Why
    A model repeats what it reads. And for some tasks it is the other way round: the score is a column to look at.

    ## Limits
    It counts words and understands nothing. *This damn good coffee* scores 0.65 and *Moby Dick* 0.89, while a threat in
    polite words scores nothing. Other languages than English are not known. Such models flag the speech of some
    groups, and mentions of them, more than that of others (Sap et al., 2019, ACL, "The Risk of Racial Bias in Hate
    Speech Detection"): write the score with `reject: false` and hold it against your groups with the check
    `errors_by_group` before you reject by it. How much is found and wrongly found stands in docs/how-to/quality.md.
    The package's model is a pickle that is loaded when it is imported: installing the extra is trusting it. A missing
    text is rejected as `cannot_tell`, an empty one scores next to nothing.
    """

    use: Literal["toxicity"] = "toxicity"
    column: TextColumn = Field(None, description="Column to score; the task's text when left out.")
    at_least: float = Field(0.8, gt=0, le=1, description="Score from which on a text counts as toxic.")
    score: bool = Field(True, description="Whether the model judges; without it, only the words do.")
    words: list[str] = Field(default_factory=list, description="Words that no text may hold.")
    words_file: str | None = Field(None, min_length=1, description="File of such words beside the recipe, one a line.")
    reject: bool = Field(True, description="Whether texts are rejected, or only `write` is written.")
    write: NewColumn | None = Field(None, description="Column to write the score to: 1 where a listed word is found.")

    extra: ClassVar[str] = "toxicity"
    needs: ClassVar[tuple[str, ...]] = ()
    told: ClassVar[tuple[str, ...]] = ("score", "limit", "word")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Insults go",
            before={"text": ["What a lovely morning.", "shut up you stupid moron", "This damn good coffee!", None]},
            after={"text": ["What a lovely morning.", "This damn good coffee!"]},
        ),
        Example(
            title="Only words of one's own",
            options={"column": "body", "score": False, "words": ["darn", "son of a gun"]},
            before={"body": ["Darn it!", "He darned a sock.", "you son of a  gun", "fine"]},
            after={"body": ["He darned a sock.", "fine"]},
        ),
        Example(
            title="Only a column",
            options={"reject": False, "write": "toxicity", "score": False, "words_file": "words.txt"},
            files={"words.txt": ["# words that our moderators know", "darn"]},
            before={"text": ["darn", "fine", None]},
            after={"text": ["darn", "fine", None], "toxicity": [1.0, 0.0, None]},
        ),
    )

    _listed: tuple[str, ...] = PrivateAttr(())
    _file: str = PrivateAttr("")

    def model_post_init(self, context: Any) -> None:
        """Read the file of words now, so that all processes have the same and a missing one is told at once."""
        lines: list[str] = []
        if self.words_file is not None:
            self._file = _text_of(base_of(context) / self.words_file, self.words_file)
            lines = [line for line in self._file.splitlines() if not line.lstrip().startswith("#")]
        self._listed = tuple(
            dict.fromkeys(" ".join(word.split()).lower() for word in (*self.words, *lines) if word.strip())
        )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if not self.score and not self.words and self.words_file is None:
            raise ValueError("`score: false` needs `words` or `words_file`")
        if not self.reject and self.write is None:
            raise ValueError("`reject: false` needs `write`, the column for the score")
        return self

    def code(self) -> Mapping[str, str]:
        """The file of words, which a bundle takes along."""
        return {} if self.words_file is None else {self.words_file: self._file}

    def made_from(self) -> Any:
        """The model's version, and the words."""
        return [_version() if self.score else None, digest.of_json(self._listed)]

    def brings(self) -> Sequence[str]:
        """The column of the score."""
        return () if self.write is None else (self.write,)

    def written(self) -> Sequence[str]:
        """The column of the score."""
        return self.brings()

    def work(self) -> pl.Expr:
        """The score of each text, and what follows from it."""
        if self.score:
            _version()  # that the package is not there should be told before rows are read
        evidence = {"score": pl.Float64(), "limit": pl.Float64(), "word": pl.String()}
        dtype: dict[str, pl.DataType] = {"reason": pl.String(), "evidence": pl.Struct(evidence)}
        if self.write:
            dtype["columns"] = pl.Struct({self.write: pl.Float64()})
        return text_of(str(self.column)).map_batches(self._judged, return_dtype=pl.Struct(dtype), is_elementwise=True)

    def _judged(self, texts: pl.Series) -> pl.Series:
        word = (
            texts.str.extract(self._pattern()).str.to_lowercase().str.replace_all(r"\s+", " ")
            if self._listed
            else texts.clear(texts.len())
        )
        score = toxicity_of(texts) if self.score else texts.str.len_chars().cast(pl.Float64) * 0
        reason = (
            pl.when(pl.col("text").is_null())
            .then(pl.lit("cannot_tell"))
            .when(pl.col("word").is_not_null())
            .then(pl.lit("listed_word"))
            .when(pl.col("score") >= self.at_least)
            .then(pl.lit("toxic"))
        )
        told = pl.DataFrame({"text": texts, "word": word, "score": score.round(4)})
        evidence = pl.struct("score", pl.lit(self.at_least if self.score else None, pl.Float64).alias("limit"), "word")
        parts = [(reason if self.reject else pl.lit(None, pl.String)).alias("reason"), evidence.alias("evidence")]
        if self.write:
            value = pl.when(pl.col("word").is_not_null()).then(1.0).otherwise("score")
            parts.append(pl.struct(value.alias(self.write)).alias("columns"))
        return told.select(pl.struct(parts)).to_series()

    def _pattern(self) -> str:
        longest_first = sorted(self._listed, key=len, reverse=True)
        entries = (r"\s+".join(map(re.escape, word.split())) for word in longest_first)
        return rf"(?i)(?:^|[^\p{{L}}\p{{N}}_])({'|'.join(entries)})(?:$|[^\p{{L}}\p{{N}}_])"


def _version() -> str:
    try:
        return importlib.metadata.version("alt-profanity-check")
    except importlib.metadata.PackageNotFoundError:
        raise MissingExtraError(
            "to score toxicity needs the package 'alt-profanity-check', which is not installed",
            at="toxicity",
            hint="pip install 'seedbed[toxicity]', or use words of your own with `score: false`",
        ) from None


def _text_of(file: Path, named: str) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        said = getattr(error, "strerror", None) or "it is not UTF-8"
        raise RecipeError(
            f"the file {named!r} cannot be read ({said})", hint="its path starts from the recipe's folder"
        ) from None
