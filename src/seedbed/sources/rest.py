"""Records of an HTTP API."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator, model_validator

from seedbed.core.context import Context, expand
from seedbed.core.errors import DataError
from seedbed.core.numbers import things
from seedbed.core.part import Example
from seedbed.core.source import Block, InputFile, Parsed, Scan
from seedbed.core.version import __version__
from seedbed.store.snapshots import Snapshot, body_of

from .fetching.auth import Authorization, secret_of, signing
from .fetching.choices import PLACEHOLDER
from .fetching.fetched import FetchingSource
from .fetching.http import Client
from .fetching.secrets import Secrets
from .nested.columns import Kind, Kinds, fitting
from .nested.flattening import DEPTH
from .nested.objects import FaultError
from .paging.asking import Asking
from .paging.kinds import Pagination, Request
from .paging.opening import Format, opened
from .paging.rows import Rows, raw_of
from .paging.shape import Shape
from .paging.twice import Twice
from .paging.walking import Walk, Wanted, largest
from .reading.blocks import Malformed, malformed_table

#: Names of what must not stand in a recipe.
_SECRET = re.compile(r"authorization|cookie|api[_-]?key|access[_-]?token|auth[_-]?token|secret|passw", re.IGNORECASE)


class Newer(BaseModel):
    """How to ask for what is newer than what came before."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    param: str = Field(min_length=1, description="The parameter (of a body: the dotted path) that says since when.")
    path: str = Field(min_length=1, description="Where a record says how new it is: dotted keys.")
    start: str | int | None = Field(None, description="What the first fetch says; nothing when left out.")
    send: Literal["query", "body"] = Field("query", description="Where the parameter stands.")


class Rest(FetchingSource):
    """Reads the records of an HTTP API, page by page.

    Each page is kept as it came, so a fetch that is cut goes on after its last page, and a run that is made again asks
    for nothing. Row ids say the page, in order of fetching: `SOURCE:page-0003#17`.

    How to get from page to page is found from the first answer where it is plain (a header Link, or the address of the
    next page in the body); where there is more and the answer does not say how to ask for it, the run stops and asks
    for `pagination`. Records are the list of objects that lies least deep, unless `records` says which. An object
    inside a record becomes columns `OUTER.INNER`, to `depth` levels; lists stand in their column as JSON text. Pages of
    XML are read as the source `xml` reads files; there, `records` says `item` or `/feed/entry`, and other paths lead
    from the root element: `paging.next`, `paging.@next`.

    ## Why
    A loop around a client loses pages without a word: a server that is busy, an answer cut in its middle, a page that
    says "please log in" with status 200, a parameter that the server does not heed. Here a request is made again where
    that may help, with growing pauses, heeding Retry-After; an answer that is no whole page of records is an error; a
    page that comes twice is one, too. Secrets stand in the recipe as `${env:NAME}` alone, go to the host of `url` and
    nowhere else, and are taken out of messages and of answers that repeat them.

    With `cursor` and `refresh: new`, what is newer than the newest record is asked for and added. A record that comes
    again as it was is left out (`repeated`); with `key`, a changed one takes the place of the one before (`replaced`).
    Both stand in the ledger, with the record that stays.

    ## Limits
    Records that an API deletes stay, until `--refresh` fetches everything. While an API changes, its pages may shift:
    `key` finds what came twice, nothing finds what was passed over. Columns are those of all pages together, which are
    read once before; with `key` or `cursor`, a digest of each record is held in memory. Cursors compare as numbers, or
    as text: dates must be written one way, in one time zone. JSON must be UTF-8. Whole pages are held in memory, up to
    `most_bytes`. With `limit`, no more pages are fetched than that needs.
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    extra: ClassVar[str] = "web"
    needs: ClassVar[tuple[str, ...]] = ("httpx", "stamina")
    not_parsed: ClassVar[frozenset[str]] = FetchingSource.not_parsed | {
        "url", "params", "headers", "method", "body", "pagination", "most_pages", "auth", "cursor", "per_second",
        "timeout", "attempts", "backoff", "most_bytes",
    }  # fmt: skip
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Pages that name the next one",
            options={"url": "https://api.example.org/reviews"},
            before={
                "pages": [
                    '{"reviews": [{"id": 1, "text": "good", "by": {"name": "Ann"}}], "next": "/reviews?page=2"}',
                    '{"reviews": [{"id": 2, "text": "bad"}, "oops"], "next": null}',
                ]
            },
            after={"id": [1, 2], "text": ["good", "bad"], "by.name": ["Ann", None]},
        ),
        Example(
            title="Numbered pages, until one is empty; a record that changed on the way",
            options={
                "url": "https://api.example.org/items",
                "pagination": {"kind": "page", "param": "page"},
                "key": "id",
            },
            before={"pages": ['[{"id": 1, "n": 3}, {"id": 2, "n": 5}]', '[{"id": 1, "n": 4}]', "[]"]},
            after={"id": [2, 1], "n": [5, 4]},
        ),
    )

    use: Literal["rest"] = "rest"
    url: str = Field(description="Address of the first page, without user and password; `${env:NAME}` is filled in.")
    params: dict[str, str | int | float | bool] = Field(
        default_factory=dict, description="Parameters of the query; secrets as `${env:NAME}`."
    )
    headers: dict[str, str] = Field(default_factory=dict, description="Headers to send; secrets as `${env:NAME}`.")
    method: Literal["GET", "POST"] = Field("GET", description="POST for APIs that are asked with a body.")
    body: dict[str, JsonValue] | None = Field(None, description="JSON to send with POST.")
    format: Format | None = Field(None, description="json or xml; what the answer says it is when left out.")
    records: str | None = Field(
        None,
        description="Where the records are: dotted keys, `*` for any; in XML, `item` or `/feed/entry`. "
        "Found by itself when left out.",
    )
    pagination: Pagination | None = Field(
        None, description="How to get from page to page; found from the first answer, where it is plain."
    )
    most_pages: int = Field(10_000, ge=1, description="Pages to fetch at most; told, if there are more.")
    auth: Authorization | None = Field(None, description="Who asks, and how that is proved.")
    cursor: Newer | None = Field(None, description="How `refresh: new` asks for what is newer.")
    key: str | None = Field(None, description="Where a record says which one it is, so that it can be replaced.")
    depth: int = Field(DEPTH, ge=0, le=20, description="Levels of objects inside a record that become columns.")
    types: dict[str, Kind] = Field(
        default_factory=dict, description="Types of columns, as COLUMN: TYPE, where the values would mislead."
    )
    per_second: float = Field(5.0, gt=0, description="Requests in a second, at most.")
    timeout: float = Field(30.0, gt=0, description="Seconds to wait for the next piece of an answer.")
    attempts: int = Field(5, ge=1, description="How often to ask, where asking again may help.")
    backoff: float = Field(1.0, ge=0, description="Seconds before the second attempt; twice as long before each next.")
    most_bytes: int = Field(64 << 20, ge=1, description="Bytes of the largest page.")

    @field_validator("url")
    @classmethod
    def _an_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if not url.startswith("${env:") and (parts.scheme not in ("http", "https") or not parts.netloc):
            raise ValueError("an address that begins with http:// or https:// is needed")
        if "@" in parts.netloc:
            raise ValueError("user and password have no place in an address: say them with auth: {kind: basic, …}")
        return url

    @field_validator("params", "headers")
    @classmethod
    def _hides_secrets(cls, values: dict[str, Any]) -> dict[str, Any]:
        for name, value in values.items():
            if _SECRET.search(name) and PLACEHOLDER not in str(value):
                raise ValueError(f"{name[:40]!r} looks like a secret: write ${{env:NAME}}, and set that variable")
        return values

    @model_validator(mode="after")
    def _fit(self) -> Self:
        if self.refresh == "new" and not self.cursor:
            raise ValueError("refresh: new needs `cursor`, which says how to ask for what is new")
        ways = [self.cursor and self.cursor.send, getattr(self.pagination, "send", None)]
        if self.method == "GET" and (self.body is not None or "body" in ways):
            raise ValueError("a body is sent with method: POST")
        return self

    @property
    def address(self) -> str:
        """The URL."""
        return self.url

    def asks(self) -> Any:
        """What decides which pages come."""
        asked = {"url", "params", "headers", "method", "body", "format", "records", "pagination", "most_pages", "auth"}
        return self.model_dump(mode="json", include=asked | {"cursor", "limit"})

    # -- fetching

    def fetch(self, snapshot: Snapshot, context: Context) -> None:
        """Fetch the pages that are not kept yet."""
        secrets = self._secrets()
        at = secrets.conceal(self.url)
        common: dict[str, Any] = {"at": at, "timeout": self.timeout, "attempts": self.attempts, "backoff": self.backoff}
        common |= {"user_agent": f"Seedbed/{__version__}", "allow_private": "same_host", "per_second": self.per_second}
        common |= {"conceal": secrets.conceal, "say": context.progress.say, "most_bytes": self.most_bytes}
        auth = signing(self.auth, secrets, lambda: Client(**common), at)
        headers = {"Accept": "application/json, application/xml;q=0.9, */*;q=0.5"}
        headers |= {name: expand(value, at=at) for name, value in self.headers.items()}
        with (
            context.stage(f"fetching {at}", None, "pages") as stage,
            Client(**common, headers=headers, auth=auth) as client,
        ):
            asking = Asking(client, at, self.url, _texts(self.params), self.method, self.body)
            try:
                Walk(self._wanted(snapshot), asking, snapshot, secrets, stage).go()
            except DataError as error:
                raise _told(error, at, secrets) from None
            finally:
                snapshot.note("asked", requests=client.requests)
        snapshot.end(requests=sum(note["requests"] for note in snapshot.notes("asked")))

    def _secrets(self) -> Secrets:
        """What may be sent and not be kept; what stands in the path of the address is no secret of the answers."""
        before, _, query = self.url.partition("?")
        sent = [secret_of(self.auth), query, json.dumps([self.params, self.headers, self.body])]
        return Secrets(" ".join(sent), before + self.model_dump_json(include={"auth"}))

    def _wanted(self, snapshot: Snapshot) -> Wanted:
        first, newer = Request(), self.cursor
        if newer:
            before = snapshot.kept[: len(snapshot.kept) - len(snapshot.fetched)]
            earlier = [kept.state["newest"] for kept in before]
            since = largest([*earlier, newer.start] if not any(earlier) else earlier, of="the pages so far")
            first = first if since is None else first.with_value(newer.send, newer.param, since)
        path = newer.path if newer else None
        return Wanted(first, self.pagination, self.format, self.records, path, self.most_pages, self.limit)

    # -- looking

    def look(self, snapshot: Snapshot, context: Context) -> Scan:
        """Read all pages once: columns, types, and which records came again."""
        files = snapshot.files()
        known: dict[str, Shape] = {}  # one object for all pages of a generation
        told = [page.state["shape"] for page in snapshot.kept]
        shapes = [known.setdefault(json.dumps(one), Shape.from_json(one)) for one in told]
        twice, counts, rows, kinds = Twice(self.key), list[int](), Rows(self.depth), Kinds()
        with context.stage(f"looking at {self.url}", sum(file.size for file in files), "B") as stage:
            for place, (file, shape) in enumerate(zip(files, shapes, strict=True)):
                records = self._records(file, shape)
                counts.append(len(records))
                _note(records, rows, kinds)
                if self.key or self.cursor:
                    twice.add(place, file.name, [shape.plain(record) for record in records])
                stage.advance(file.size)
        if not any(counts):
            raise DataError("no record came", at=self.url, hint="are `url`, `params` and `records` right?")
        if lists := sorted(rows.repeated):  # what repeats in one record is a list in all
            kinds = Kinds()
            for file, shape in zip(files, shapes, strict=True):
                _note(self._records(file, shape), Rows(self.depth, lists), kinds)
        settings = {"shapes": shapes, "counts": counts, "left_out": twice.left_out, "lists": lists}
        schema = kinds.schema(self.types, at=self.url)
        return Scan(files, schema, settings, _found(shapes[0]), self._notes(snapshot, sum(counts)))

    def _notes(self, snapshot: Snapshot, records: int) -> tuple[str, ...]:
        notes = []
        if self.pagination is None:
            way = snapshot.kept[0].state["shape"]["pages"]
            said = {"none": "the answer names no further page", "link_header": "its header Link names the next page"}
            words = said.get(way["kind"]) or f"its {way.get('path')!r} is the address of the next page"
            notes.append(f"pagination was found: {words} (pages: {len(snapshot.kept):,}, records: {records:,})")
        if snapshot.notes("more"):
            notes.append(f"there are more pages than most_pages allows ({self.most_pages:,}): the rest was not fetched")
        if concealed := snapshot.notes("concealed"):
            notes.append(
                f"{things(len(concealed), 'page')} repeated a secret that was sent: a placeholder stands in its place"
            )
        return tuple(notes)

    def _records(self, file: InputFile, shape: Shape) -> list[Any]:
        return shape.records_of(opened(body_of(file, at=self.url), shape.format, of=file.name), file.name)

    # -- reading

    def blocks(self, scan: Scan, context: Context) -> Iterator[Block]:
        """A block for each page that has records."""
        left = self.limit
        for number, (file, count) in enumerate(zip(scan.files, scan.settings["counts"], strict=True)):
            wanted = count if left is None else min(count, left)
            if wanted:
                yield Block(number, 1, 1, file.size, wanted)
            left = None if left is None else left - wanted

    def parse(self, block: Block, scan: Scan) -> Parsed:
        """Rows of a page."""
        file, left_out = scan.files[block.file], scan.settings["left_out"].get(block.file, {})
        records = self._records(file, scan.settings["shapes"][block.file])[: block.payload]
        made = Rows(self.depth, scan.settings["lists"])
        rows: list[dict[str, Any]] = []
        numbers: list[int] = []
        faults: dict[int, tuple[str, dict[str, Any]]] = {}
        for number, record in enumerate(records, 1):
            try:
                row = made.row_of(record)
            except FaultError as fault:
                faults[number] = fault.reason, fault.evidence
                continue
            if number in left_out:
                reason, stays = left_out[number]
                faults[number] = reason, {"stays": stays}
            else:
                rows.append(row)
                numbers.append(number)
        table, bad = fitting(rows, scan.schema)
        faults |= {numbers[place]: fault for place, fault in bad.items()}
        good = pl.Series([number for number in numbers if number not in faults], dtype=pl.UInt64)
        malformed = [
            Malformed(number, 1, reason, evidence, raw_of(records[number - 1]))
            for number, (reason, evidence) in faults.items()
        ]
        return Parsed(table, good, malformed_table(malformed))

    def heeds(self, block: Block, scan: Scan) -> Any:
        """The page, how it is read, how much of it, and which of its records came again."""
        settings, shape = scan.settings, scan.settings["shapes"][block.file]
        left_out = sorted(settings["left_out"].get(block.file, {}).items())
        read = [shape.format, shape.records, shape.root, settings["lists"]]
        return [block.payload, scan.files[block.file].sha256, read, left_out]


def _note(records: list[Any], rows: Rows, kinds: Kinds) -> None:
    for record in records:
        try:
            kinds.note(rows.row_of(record))
        except FaultError as fault:
            kinds.most = max(kinds.most, fault.evidence.get("keys", 0))


def _texts(params: dict[str, str | int | float | bool]) -> dict[str, str]:
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in params.items()}


def _told(error: DataError, at: str, secrets: Secrets) -> DataError:
    """The error with the source, where it has none, and without what was sent."""
    error.problem, error.at, error.hint = secrets.conceal(error.problem), error.at or at, secrets.conceal(error.hint)
    error.args = (error.problem, error.at, error.hint)
    return error


def _found(shape: Shape) -> dict[str, str]:
    return {"format": shape.format, "records": shape.records or "the whole answer", "pages": shape.pages.kind}
