"""merge_categories: find categories that are written in several ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Literal, Self

import polars as pl
from pydantic import Field, model_validator

from seedbed.core.numbers import things
from seedbed.core.part import Column, Example
from seedbed.core.spelling import same_spelling
from seedbed.core.step import Fitted
from seedbed.core.values import Value, text_of

from .learned.categories import counted
from .renaming.accepted import FromFile
from .renaming.proposals import Proposal, as_csv, proposed


class MergeCategories(FromFile, Fitted):
    """Proposes which categories of a column are one, and merges those that you accept.

    Two kinds of proposals are learned from training rows: a category that differs from a more frequent one only in
    case, blanks, hyphens or underscores (distance 0), and a rare one that a few edits make a frequent one: a letter put
    in, left out, changed or swapped with the next (Damerau 1964). All are in `prepare/merge_categories/merges.csv` of
    the run, with rows and distance. Look them through, put `yes` in the column `accept` of those that are right, save
    the file beside the recipe and name it as `file`: the next run merges these, in all rows. `apply: confident` merges
    what differs in case, blanks, hyphens and underscores without being asked, new spellings of known categories too.

    ## Why
    `Germany`, `germany ` and `Germny` are three columns after `encode`, and three slices in a report. But `Austria` is
    three letters from `Australia`, so that a program which merges by likeness alone invents data.

    ## Limits
    Nothing is known of meaning: `USA` and `United States` are for `map_values`. Edits are looked for among the 5,000
    most frequent categories of 4 to 40 letters, one edit for every 4 letters, not where digits differ. Missing and
    blank values stay as they are; the column becomes text. For the label, name the same `file` in `map_values` under
    `steps`, so that it is settled before the split.
    """

    by_name: ClassVar[bool] = True

    use: Literal["merge_categories"] = "merge_categories"
    column: Column = Field(description="Column with the categories.")
    file: str | None = Field(
        None,
        description="File beside the recipe with accepted merges: the CSV of an earlier run with `accept` filled in, "
        "or YAML with OLD: NEW. What it holds is then in `merges`.",
    )
    merges: dict[Value, Value | None] = Field(
        default_factory=dict, description="Accepted merges, as OLD: NEW; null as NEW makes the value missing."
    )
    apply: Literal["accepted", "confident"] = Field(
        "accepted", description="Whether what differs in case, blanks, hyphens or underscores is merged unasked, too."
    )
    edits: int = Field(2, ge=0, le=2, description="Most edits between two categories that are proposed; 0 for none.")
    times: float = Field(10, ge=1, description="How many times as frequent the other must be for edits to be a slip.")

    into: ClassVar[str] = "merges"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Spellings, merged unasked; the slip is only proposed",
            options={"column": "country", "apply": "confident"},
            before={"country": [*["Germany"] * 10, "germany ", "GERMANY", "Germny", None]},
            after={"country": [*["Germany"] * 12, "Germny", None]},
        ),
        Example(
            title="Accepted by a person",
            options={"column": "country", "file": "countries.csv"},
            files={
                "countries.csv": ["old,new,rows,distance,accept", "Germny,Germany,1,1,yes", "Austria,Australia,1,2,"]
            },
            before={"country": ["Germany", "Germny", "Austria"]},
            after={"country": ["Germany", "Germany", "Austria"]},
        ),
    )

    @model_validator(mode="after")
    def _no_circle(self) -> Self:
        for old in self.merges:
            seen, now = {old}, self.merges[old]
            while now in self.merges and now is not None:
                if now in seen:
                    raise ValueError(f"the merges of {old[:40]!r} go in a circle")
                seen.add(now)
                now = self.merges[now]
        return self

    def fit(self, train: pl.LazyFrame, seed: int) -> dict[str, Any]:
        """The proposals, and the spelling of each category that `confident` writes."""
        counts, _ = counted(train, self.column)
        found = proposed(counts, self.edits, self.times)
        spellings = {}
        if self.apply == "confident":
            other = {one.old: one.new for one in found if not one.distance}
            spellings = {same_spelling(name): other.get(name, name) for name in sorted(counts)}
        return {
            "proposals": [[one.old, one.new, one.rows, one.of, one.distance] for one in found],
            "spellings": spellings,
        }

    def columns(self, state: dict[str, Any]) -> Sequence[pl.Expr]:
        """The column with its categories merged."""
        merged = partial(_merged, self.merges, state["spellings"])
        return [text_of(self.column).map_batches(merged, return_dtype=pl.String, is_elementwise=True)]

    def told(self, state: dict[str, Any]) -> Sequence[str]:
        """How many are merged, and how many wait."""
        proposals = _proposals(state)
        done = self._applied(proposals, state)
        rows = sum(one.rows for one in proposals if one.old in done)
        return [
            f"{self.column}: {things(len(done), 'category', 'categories')} merged ({things(rows, 'training row')})",
            f"{self.column}: {things(len(proposals) - len(done), 'merge')} proposed, see merges.csv",
        ]

    def papers(self, state: dict[str, Any]) -> Mapping[str, str]:
        """The proposals, to be looked through."""
        proposals = _proposals(state)
        return {"merges.csv": as_csv(proposals, self._applied(proposals, state))}

    def _applied(self, proposals: Sequence[Proposal], state: dict[str, Any]) -> dict[str, str]:
        """The proposals that are merged, as OLD: NEW."""
        spellings = state["spellings"]
        return {
            one.old: one.new
            for one in proposals
            if self.merges.get(one.old, spellings.get(same_spelling(one.old), one.old)) == one.new
        }


def _proposals(state: dict[str, Any]) -> list[Proposal]:
    return [Proposal(*one) for one in state["proposals"]]


def _merged(merges: Mapping[str, str | None], spellings: Mapping[str, str], values: pl.Series) -> pl.Series:
    known = values.drop_nulls().unique()
    new = pl.Series([_final(one, merges, spellings) for one in known], dtype=pl.String)
    return values.replace_strict(known, new, default=None, return_dtype=pl.String) if known.len() else values


def _final(value: str, merges: Mapping[str, str | None], spellings: Mapping[str, str]) -> str | None:
    """What becomes of a value: accepted merges first, then the known spelling, and what is accepted for that."""
    now: str | None = value
    if value not in merges:
        now = spellings.get(same_spelling(value), value) if value.strip() else value
    while now is not None and now in merges:
        now = merges[now]
    return now
