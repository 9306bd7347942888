"""One row's story, as data. Every text in it is an excerpt: short, personal data masked."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from seedbed.core.run import Neighbour


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Fetched(_Told):
    """Where and how the file of a row was fetched."""

    url: str
    fetched: str = Field(description="When, in UTC (ISO 8601).")
    status: int | None = Field(None, description="Of the HTTP response.")
    media_type: str = ""
    robots: str = Field("", description="What robots.txt decided, and by which rule.")
    sha256: str = Field(description="Of what came.")
    facts: dict[str, Any] = Field(default_factory=dict, description="What else is known: validators, redirects, …")


class Origin(_Told):
    """Where a row comes from."""

    source: str = Field(description="The source's name in row ids.")
    use: str = Field(description="The part that read it.")
    path: str = Field(description="As the recipe says it.")
    file: str
    record: int = Field(description="Number of the record in its file, from 1.")
    line: int | None = Field(None, description="Line of the file that it begins on, where that is known.")
    license: str | None = None
    terms: str | None = None
    collected_by: str | None = None
    consent: str | None = None
    fetched: Fetched | None = Field(None, description="Of a file that was fetched.")


class Change(_Told):
    """What one step did to one value."""

    part: str
    column: str
    before: str | None = Field(description="Excerpt around the first difference; null for no value.")
    after: str | None
    note: str = Field("", description="What the excerpts cannot show.")


class Decided(_Told):
    """What a person decided about the row: another label, or that it stays although a part would reject it."""

    part: str = Field(description="The part that did it.")
    who: str
    when: str = ""
    why: str = ""
    was: str | None = Field(None, description="The label before; null where it had none, or has the same.")
    lifted: str | None = Field(None, description="The part whose rejection does not count.")
    reason: str | None = Field(None, description="Its reason.")


class Joined(_Told):
    """A row of a second source that a step brought columns of."""

    part: str
    file: str
    record: int
    fetched: Fetched | None = Field(None, description="Of a file that was fetched.")


class Fate(_Told):
    """What became of a row."""

    outcome: Literal["kept", "rejected", "unknown"]
    split: str | None = None
    part: str | None = Field(None, description="Who rejected it.")
    reason: str | None = None


class Relative(_Told):
    """A row that another one's fate hangs on."""

    row: str
    relation: Literal["of", "kept", "parent"] = Field(
        description="`of`: the row it is like; `kept`: the one that stays for it; `parent`: the one it was made of."
    )
    to: str = Field(description="The row that it is a relative of.")
    against: str | None = Field(
        None, description="The dataset that it stands in, where that is another than the run's."
    )
    similarity: float | None = None
    text: str = Field(description="Empty where the run's folder does not hold it.")
    label: str | None = Field(None, description="In the dataset; null where it was rejected, too.")
    fate: Fate


class Rejection(_Told):
    """Why a row was rejected."""

    part: str
    reason: str
    evidence: dict[str, Any]
    place: int | None = Field(None, description="Place of the part among those that see every row, from 1.")
    places: int | None = None
    excerpt: str = Field(description="The row's text as the ledger shows it.")
    relatives: tuple[Relative, ...] = Field((), description="The rows that it is like, and those that they are like.")


class Mate(_Told):
    """A row that the split keeps together with another."""

    row: str
    similarity: float | None = Field(description="Jaccard, to the row that it is joined by; null where a group does.")
    joined_by: str = Field(description="The row that it is like.")
    text: str
    label: str
    split: str


class Copy(_Told):
    """A row that was rejected because of this one."""

    row: str
    part: str
    reason: str
    similarity: float | None
    text: str


class Prediction(_Told):
    """What a model said of a row that it was not trained on."""

    model: str
    predicted: str = Field(description="In words; of a language model how likely the row is to it.")
    confidence: float | None = Field(None, description="Where the model says how sure it is.")
    truth: str = Field(description="What is right, in words.")
    right: bool | None = Field(None, description="Null where answers are more or less right.")


class Story(_Told):
    """All that a run can tell about one row."""

    run: str = Field(description="The run's id.")
    row: str
    text: str = Field("", description="The column of texts.")
    label: str = Field("", description="The column of labels.")
    fate: Fate
    origin: Origin | None = Field(None, description="Null for a row that a part made.")
    maker: str | None = Field(None, description="The part of `prepare` that made it.")
    parents: tuple[Relative, ...] = Field((), description="The rows that it was made of, and those of which they were.")
    read: dict[str, str | None] | None = Field(None, description="Values as read; null where that cannot be told.")
    joined: tuple[Joined, ...] = Field((), description="Rows of other sources that steps brought columns of.")
    changes: tuple[Change, ...] = Field((), description="What the steps changed, in order.")
    all_changes: bool = Field(False, description="Whether these are all changes; else those that the ledger sampled.")
    decided: tuple[Decided, ...] = Field((), description="What people decided about it, in order.")
    values: dict[str, str | None] | None = Field(None, description="Values in the dataset, or when it was rejected.")
    rejection: Rejection | None = None
    copies: tuple[Copy, ...] = Field((), description="Rows rejected as copies of this one, at most 5.")
    all_copies: int = 0
    offspring: tuple[str, ...] = Field((), description="Rows that were made of this one, at most 5.")
    all_offspring: int = 0
    together: tuple[Mate, ...] = Field((), description="Rows kept in one split with it, nearest first, at most 20.")
    threshold: float | None = Field(None, description="Jaccard similarity from which rows are kept together.")
    shingles: str = Field("", description="What similarity compares: `characters` (5-grams) or `words` (3-grams).")
    group: str = Field("", description="COLUMN = VALUE, where the split keeps a group together.")
    group_rows: int = Field(0, description="Rows of that group, this one included.")
    neighbours: tuple[Neighbour, ...] = Field((), description="The training rows nearest to it, nearest first.")
    models: int = Field(0, description="Models that the run trained.")
    predictions: tuple[Prediction, ...] = Field((), description="By model, of a row that is held out.")
    notes: tuple[str, ...] = Field((), description="What limits this story, in sentences.")
