"""Sources as they were read, and what their licences ask."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from seedbed.core.record import Record


class FetchedRecord(Record):
    """What a source that fetches asked for and got; `lineage.json` has every address."""

    began: str = Field("", description="When the oldest of it was asked for (ISO 8601, UTC).")
    ended: str = Field("", description="When the newest of it had come.")
    requests: int | None = Field(None, description="Requests that it took, repeated ones included, where counted.")
    responses: int = Field(description="Responses that rows are read from.")
    bytes: int
    hosts: dict[str, int] = Field(default_factory=dict, description="Responses by host; the 20 with most.")
    statuses: dict[str, int] = Field(default_factory=dict, description="Responses by HTTP status.")
    robots: dict[str, int] = Field(
        default_factory=dict, description="Responses by what robots.txt decided; the 20 with most."
    )
    refused: int = Field(0, description="Addresses that were not fetched, by robots.txt or the source's own limits.")
    refused_urls: tuple[str, ...] = Field((), description="At most 20 of them.")


class SourceRecord(Record):
    """A source as it was read."""

    name: str
    use: str
    path: str
    license: str | None
    terms: str | None = None
    collected_by: str | None = None
    consent: str | None = None
    files: int
    bytes: int
    rows: int = Field(description="Records read, malformed ones included.")
    malformed: int
    settings: dict[str, Any] = Field(description="What was found out about the format.")
    notes: tuple[str, ...]
    fetched: FetchedRecord | None = Field(None, description="Of a source that came over a network.")


class Credit(Record):
    """A source that the dataset's papers must name."""

    source: str
    license: str = Field(description="SPDX id.")
    url: str = Field(description="Address of the licence.")


class LicencesRecord(Record):
    """What the licences of the sources that rows or columns come from ask of the dataset. No legal advice."""

    under: str | None = Field(None, description="The licence that it must bear; null where it may be chosen.")
    commercial: bool = Field(True, description="Whether no source whose licence is known forbids commercial use.")
    credits: tuple[Credit, ...] = Field((), description="Sources that must be named, or their notices kept.")
    problems: tuple[str, ...] = Field((), description="Why it may not be published as it is.")
