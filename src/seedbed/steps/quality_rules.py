"""quality_rules: rules of thumb for texts from the web (Gopher, C4, FineWeb)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal, Self

import polars as pl
from pydantic import AfterValidator, Field, model_validator

from seedbed.core.errors import did_you_mean
from seedbed.core.part import Example, NewColumn, TextColumn
from seedbed.core.step import Rework
from seedbed.core.values import text_of

from .quality.lines import left_of
from .quality.measures import measured
from .quality.rules import LINE_RULES, RULES, Preset, Rule

_BY_NAME = {rule.name: rule for rule in RULES}


def _known(name: str) -> str:
    if name not in _BY_NAME and name not in LINE_RULES:
        raise ValueError(f"there is no rule {name!r}: {did_you_mean(name, [*_BY_NAME, *LINE_RULES])}")
    return name


RuleName = Annotated[str, AfterValidator(_known)]


class QualityRules(Rework):
    """Rejects texts that break rules of thumb for prose from the web: those of Gopher, C4 and FineWeb, or your own.

    The first rule that a text breaks is the reason; the ledger tells what was measured, the limit, and all rules that
    it breaks. Words are what blanks part.

    `gopher` (Rae et al., 2021, arXiv:2112.11446, A1.1): `few_words` (under 50) and `many_words` (over 100,000), not
    counting mere signs; `short_words`, `long_words` (mean length outside 3 to 10); `hashes` and `ellipses` (over 0.1
    per word); `bullet_lines` (over 0.9 of the lines begin with one), `ellipsis_lines` (over 0.3 end with one);
    `letterless_words` (under 0.8 of the words have a letter); `few_stop_words` (under 2 of *the, be, to, of, and,
    that, have, with*).

    `gopher_repetition` (table A1 there): `duplicate_lines`, `duplicate_paragraphs` (over 0.3 were there before),
    `duplicate_line_characters`, `duplicate_paragraph_characters` (over 0.2 of the text); `top_2_gram` (over 0.2),
    `top_3_gram` (0.18), `top_4_gram` (0.16) of the characters are in the most frequent words in a row; over 0.15, 0.14,
    0.13, 0.12, 0.11, 0.1 are in `duplicate_5_grams` to `duplicate_10_grams`.

    `c4` (Raffel et al., 2020, JMLR 21, and its code) first leaves out lines: those that do not end with `.`, `!`, `?`
    or a quotation mark (`line_end`), have under 5 words (`line_words`) or one over 1,000 characters
    (`line_word_length`), name JavaScript (`line_javascript`), or terms of use, privacy and cookies (`line_policy`);
    and marks such as `[1]` and `[citation needed]`. Then it rejects texts with `lorem_ipsum`, `curly_brackets`, or
    `few_sentences` (under 3 are left; `no_line_left`). What is left is the new text.

    `fineweb` (Penedo et al., 2024, arXiv:2406.17557, 3.6): `unpunctuated_lines` (under 0.12 end with punctuation),
    `repeated_lines` (over 0.1 of the characters), `short_lines` (over 0.67 have at most 30 characters). FineWeb itself
    has all four without `line_end`: `presets: [gopher_repetition, gopher, c4, fineweb]`, `rules: {line_end: false}`.

    ## Why
    Menus, lists, placeholders and pages that repeat themselves are much of what a crawl brings home. Which rule takes
    how many rows stands in the run's counts, by name.

    ## Limits
    The limits were set for long English web pages and language models. Short texts break them by being short: of tweets
    nothing is left. `reject: false` with `write` only notes what each rule would take: look at that first, then set
    limits (`rules: {few_words: 5, hashes: false}`). `few_stop_words` knows English only. C4's list of bad words is
    not here (`toxicity` takes a list), nor are its sentences that occur in several pages (`near_duplicates`).
    Definitions differ in small things from other programs' where the papers leave them open: n-grams must occur twice
    to count, and words are not parted from their punctuation. A missing or blank text is rejected as `cannot_tell`.
    """

    use: Literal["quality_rules"] = "quality_rules"
    column: TextColumn = Field(None, description="Column to judge; the task's text when left out.")
    presets: list[Preset] = Field(["gopher"], description="Whose rules, with their limits.")
    rules: dict[RuleName, float | bool] = Field(
        default_factory=dict,
        description="Single rules: a limit of your own, `true` for the paper's, `false` for a rule of a preset that is "
        "not applied.",
    )
    reject: bool = Field(True, description="Whether texts are rejected and lines left out, or only `write` is written.")
    write: NewColumn | None = Field(
        None, description="Column to write the names of the broken rules to, with commas; null where none is."
    )

    told: ClassVar[tuple[str, ...]] = ("value", "limit", "failed", "lines_dropped")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Two rules with limits of one's own",
            options={"presets": [], "rules": {"few_words": 4, "letterless_words": 0.5}},
            before={"text": ["This is long enough.", "Too short.", "3.99 4.99 5.99 kg 7.99", "", None]},
            after={"text": ["This is long enough."]},
        ),
        Example(
            title="C4: lines go first, then texts of which too little is left",
            options={"column": "page", "presets": ["c4"], "rules": {"few_sentences": 2}},
            before={
                "page": [
                    "Home | About\nThe garden opens at nine o'clock.\nPlease enable JavaScript to see this page.\n"
                    "Dogs must stay outside of it.[1]",
                    "Lorem ipsum dolor sit amet elit. It is a text. It is no text.",
                    "Only a single sentence is left here.",
                ]
            },
            after={"page": ["The garden opens at nine o'clock.\nDogs must stay outside of it."]},
        ),
        Example(
            title="Only looking",
            options={"presets": ["fineweb"], "reject": False, "write": "broken"},
            before={"text": ["A sentence that is long enough.", "Home\nAbout\nContact", None]},
            after={
                "text": ["A sentence that is long enough.", "Home\nAbout\nContact", None],
                "broken": [None, "unpunctuated_lines,short_lines", None],
            },
        ),
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if not self._limits() and not self._line_limits():
            raise ValueError("no rule is left: name a preset or a rule")
        if not self.reject and self.write is None:
            raise ValueError("`reject: false` needs `write`, the column for the rules that are broken")
        return self

    def brings(self) -> Sequence[str]:
        """The column of broken rules."""
        return () if self.write is None else (self.write,)

    def work(self) -> pl.Expr:
        """What each text breaks."""
        evidence = {
            "value": pl.Float64(),
            "limit": pl.Float64(),
            "failed": pl.List(pl.String()),
            "lines_dropped": pl.UInt32(),
        }
        columns = {name: pl.String() for name in self.written()}
        dtype = {"reason": pl.String(), "evidence": pl.Struct(evidence)} | (
            {"columns": pl.Struct(columns)} if columns else {}
        )
        return text_of(str(self.column)).map_batches(self._judged, return_dtype=pl.Struct(dtype), is_elementwise=True)

    def written(self) -> Sequence[str]:
        """The text where lines are left out, and the column of broken rules."""
        return [*([str(self.column)] if self.reject and self._line_limits() else []), *self.brings()]

    def _limits(self) -> list[tuple[Rule, float]]:
        """The rules for texts with their limits, in the order in which they decide."""
        found = []
        for rule in RULES:
            own = self.rules.get(rule.name, rule.preset in self.presets)
            if own is not False:
                found.append((rule, rule.limit if own is True else float(own)))
        return found

    def _line_limits(self) -> Mapping[str, float]:
        found = {}
        for name, limit in LINE_RULES.items():
            own = self.rules.get(name, "c4" in self.presets)
            if own is not False:
                found[name] = limit if own is True else float(own)
        return found

    def _judged(self, texts: pl.Series) -> pl.Series:
        line_limits, limits = self._line_limits(), self._limits()
        left = left_of(texts, line_limits) if line_limits else texts.to_frame("text").with_columns(dropped=pl.lit(0))
        asked = [rule.measured for rule, _ in limits]
        values = measured(left["text"], asked)
        whole = [name for name in ("lorem_ipsum", "curly_brackets") if name in asked]  # wherever on the page
        values = values.with_columns(measured(texts, whole).iter_columns())
        broken = {rule.name: _breaks(values[rule.measured], rule, limit) for rule, limit in limits}
        if line_limits:
            broken["no_line_left"] = left["text"] == ""
        blank = ~texts.str.contains(r"\S").fill_null(False)
        failed = pl.DataFrame(
            {
                name: (found.fill_null(False) & ~blank).replace_strict(
                    {True: name, False: None}, return_dtype=pl.String
                )
                for name, found in broken.items()
            }
        )
        told = failed.select(
            failed=pl.concat_list(pl.all()).list.drop_nulls(),
            first=pl.coalesce(pl.all()),
        ).with_columns(blank=blank, dropped=left["dropped"].cast(pl.UInt32), left=left["text"], whole=texts)
        return told.hstack(_values_of_first(told["first"], values, limits)).select(self._as_work()).to_series()

    def _as_work(self) -> pl.Expr:
        reason = pl.when("blank").then(pl.lit("cannot_tell")).otherwise("first")
        evidence = pl.struct("value", "limit", "failed", lines_dropped="dropped")
        names = pl.col("failed").list.join(",")
        # A text that goes keeps its lines: who rescues it has seen all of them.
        text = pl.when(reason.is_null()).then("left").otherwise("whole")
        columns = {str(self.column): text, self.write: pl.when(names != "").then(names)}
        parts = [reason if self.reject else pl.lit(None, pl.String), evidence]
        written = [columns[name].alias(name) for name in self.written()]
        named = [part.alias(name) for part, name in zip(parts, ("reason", "evidence"), strict=True)]
        return pl.struct([*named, *([pl.struct(written).alias("columns")] if written else [])])


def _breaks(values: pl.Series, rule: Rule, limit: float) -> pl.Series:
    return values < limit if rule.side == "at_least" else values > limit


def _values_of_first(first: pl.Series, values: pl.DataFrame, limits: Sequence[tuple[Rule, float]]) -> pl.DataFrame:
    """`value` and `limit` of the rule that decides; null where none does."""
    value = pl.repeat(None, first.len(), dtype=pl.Float64, eager=True)
    limit = value
    for rule, most in limits:
        here = (first == rule.name).fill_null(False)
        if here.any():
            value = values[rule.measured].cast(pl.Float64).zip_with(here, value)
            limit = pl.repeat(most, first.len(), dtype=pl.Float64, eager=True).zip_with(here, limit)
    return pl.DataFrame({"value": value.round(4), "limit": limit})
