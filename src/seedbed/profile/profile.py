"""What a table looks like: everything that was found about it, as one record."""

from __future__ import annotations

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from .columns import ColumnProfile, column_profile
from .headers import repeated_headers
from .roles import Roles, roles_of
from .sampling import Sample
from .spellings import mixed, nothings, respelt, slips, synonyms
from .texts import TextProfile, text_profile

#: Columns beyond this many are not looked at for roles.
MOST_COLUMNS = 1_000


class LabelProfile(BaseModel):
    """The values of the label."""

    model_config = ConfigDict(frozen=True)

    counts: dict[str, int] = Field(description="Rows by label as read, the most frequent first.")
    missing: int = Field(0, description="Rows without one.")
    respelt: dict[str, str] = Field(
        default_factory=dict, description="Labels that differ from a more frequent one in case, spaces or hyphens."
    )
    synonyms: dict[str, str] = Field(
        default_factory=dict, description="Numbers and the words that stand with the same texts."
    )
    slips: dict[str, str] = Field(default_factory=dict, description="Rare labels that are nearly a frequent one.")
    nothings: tuple[str, ...] = Field((), description="Labels that may stand for none.")
    mixed: bool = Field(False, description="Whether some are numbers and others words.")
    several: str = Field("", description="What seems to part several labels in one value.")

    @property
    def renamed(self) -> dict[str, str]:
        """Labels that are surely another one, as OLD: NEW."""
        return {**self.respelt, **{old: self.respelt.get(new, new) for old, new in self.synonyms.items()}}

    @property
    def merged(self) -> dict[str, int]:
        """Rows by label once they are `renamed`."""
        found: dict[str, int] = {}
        for label, rows in self.counts.items():
            new = self.renamed.get(label, label)
            found[new] = found.get(new, 0) + rows
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


class Profile(BaseModel):
    """A table in numbers and guesses."""

    model_config = ConfigDict(frozen=True)

    rows: int = Field(description="Rows that were looked at.")
    records: int = Field(description="Records of the source, malformed ones included; an estimate unless `whole`.")
    whole: bool = Field(description="Whether all rows were looked at.")
    malformed: dict[str, int] = Field(description="Records that are no rows, by reason.")
    repeated_headers: int = Field(0, description="Rows that are the header again.")
    columns: tuple[ColumnProfile, ...]
    roles: Roles
    text: TextProfile | None = None
    label: LabelProfile | None = None

    def column(self, name: str) -> ColumnProfile:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)


def profile_of(sample: Sample, text: str | None = None, label: str | None = None) -> Profile:
    """Look at a sample.

    Args:
        sample: Rows of a source.
        text: The column with the text, where a person has said so.
        label: The column with the label, where a person has said so.
    """
    again = repeated_headers(sample.rows).height
    columns = tuple(column_profile(sample.rows[name]) for name in sample.rows.columns[:MOST_COLUMNS])
    roles = roles_of(columns, text, label)
    labels = label_profile(sample.rows[roles.label]) if roles.label else None
    texts = None
    if roles.text and not sample.rows.schema[roles.text].is_nested():
        text_column, given = sample.rows[roles.text], None
        if roles.label and labels and labels.counts:
            given = sample.rows[roles.label].cast(pl.String)
            if labels.mixed:
                labels = labels.model_copy(update={"synonyms": synonyms(text_column, given)})
            given = given.replace(labels.renamed)
        texts = text_profile(text_column, given)
    return Profile(
        rows=sample.rows.height,
        records=sample.records,
        whole=sample.whole,
        malformed=dict(sample.malformed),
        repeated_headers=again,
        columns=columns,
        roles=roles,
        text=texts,
        label=labels,
    )


def label_profile(column: pl.Series) -> LabelProfile:
    """Look at the values of a label."""
    if column.dtype.is_nested():
        return LabelProfile(counts={}, missing=column.null_count())
    values = column.cast(pl.String)
    filled = values.filter(values.str.strip_chars().str.len_bytes() > 0)
    counted = filled.alias("label").value_counts(name="n").sort("n", "label", descending=[True, False])
    counts = {str(label): int(rows) for label, rows in counted.iter_rows()}
    few = counts if len(counts) <= 1_000 else {}
    return LabelProfile(
        counts=counts,
        missing=column.len() - filled.len(),
        respelt=respelt(few),
        slips=slips(few),
        nothings=nothings(few),
        mixed=mixed(few),
        several=_several(few),
    )


def _several(counts: dict[str, int]) -> str:
    """What parts the labels where a value seems to hold several: `|` in `war|drama`; empty where none does."""
    for mark in ("|", ";", ","):
        pieces = {piece.strip() for label in counts for piece in label.split(mark)}
        joined = sum(mark in label for label in counts)
        if joined >= max(3, len(counts) / 5) and len(pieces) < len(counts):
            return mark
    return ""
