"""Goes from page to page, and keeps each as it comes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any

from seedbed.core.context import Stage
from seedbed.core.errors import DataError
from seedbed.core.numbers import things
from seedbed.core.source import Origin
from seedbed.sources.fetching.http import FetchError, Response
from seedbed.sources.fetching.secrets import Secrets
from seedbed.store.snapshots import Kept, Snapshot, now

from .finding import refuse_lost
from .kinds import Page, Pages, Request
from .opening import Format, opened
from .paths import Missing, at
from .shape import Shape

#: Headers of an answer that tell of its age.
_TELLING = ("etag", "last-modified", "date", "link")


@dataclass(frozen=True)
class Wanted:
    """What is to be fetched."""

    first: Request
    """Before the way from page to page adds its own."""
    pages: Pages | None
    """None: found by itself."""
    format: Format | None
    records: str | None
    newest: str | None
    """Path of the value that tells newer records from older ones."""
    most_pages: int
    limit: int | None


@dataclass
class Walk:
    """One generation of a snapshot, from where it stands to its end.

    Attributes:
        wanted: What is to be fetched.
        send: Asks for a page.
        snapshot: Keeps the pages.
        secrets: What may not be kept.
        stage: Where progress is shown.
    """

    wanted: Wanted
    send: Callable[[Request], Response]
    snapshot: Snapshot
    secrets: Secrets
    stage: Stage
    _asked: dict[str, str] = field(default_factory=dict)
    _bodies: dict[str, str] = field(default_factory=dict)
    _records: int = 0
    _shape: Shape | None = None

    def go(self) -> None:
        """Fetch the pages that are not there yet.

        Raises:
            DataError: A page cannot be had, or read, or leads nowhere.
        """
        for lost in self.snapshot.lost:
            self._fetch_again(lost)
        pages = 0
        asked: Request | None = self._begun()
        for kept in self.snapshot.fetched:
            self._remember(kept)
            asked = Request(**kept.state["next"]) if kept.state["next"] else None
            pages += 1
        while asked is not None and pages < self.wanted.most_pages:
            asked = self._fetch(asked)
            pages += 1
        if asked is not None:
            self.snapshot.note("more", pages=pages)

    def _begun(self) -> Request:
        return self.wanted.pages.first(self.wanted.first) if self.wanted.pages else self.wanted.first

    def _fetch(self, asked: Request) -> Request | None:
        """Fetch and keep a page; the request for the next."""
        name = f"page-{len(self.snapshot.kept) + 1:04}"
        self._refuse_circle(asked, name)
        answer = self.send(asked)
        shape = self._shape or self._first_shape(answer, name)
        document = opened(answer.body, shape.format, of=name)
        records = shape.records_of(document, name)
        then = self._after(Page(asked, document, answer.headers, len(records), self._records), shape)
        body = self.secrets.conceal_sent(answer.body)
        if body is not answer.body:
            self.snapshot.note("concealed", page=name)
        self._refuse_copy(body, name, len(records))
        plain = (shape.plain(record) for record in records)
        newest = _newest(plain, self.wanted.newest, of=name) if self.wanted.newest else None
        kept = self.snapshot.keep(
            name,
            body,
            self._origin(answer),
            asked=asdict(asked),
            next=asdict(then) if then else None,
            records=len(records),
            newest=newest,
            shape=shape.as_json(),
        )
        self._remember(kept)
        self.stage.advance(1, things(self._records, "record"))
        return then

    def _fetch_again(self, lost: Kept) -> None:
        """Fetch a page whose body is lost. What follows it stays, so it is asked for as it was."""
        try:
            answer = self.send(Request(**lost.state["asked"]))
        except FetchError as error:
            if error.passing:
                raise
            said = f"{lost.name} is damaged or gone from the store, and cannot be had alone any more: {error.problem}"
            raise DataError(said, at=error.at, hint="fetch everything again: --refresh") from None
        shape = Shape.from_json(lost.state["shape"])
        records = shape.records_of(opened(answer.body, shape.format, of=lost.name), lost.name)
        body = self.secrets.conceal_sent(answer.body)
        self.snapshot.keep(lost.name, body, self._origin(answer), **{**lost.state, "records": len(records)})
        self.stage.advance(1)

    def _first_shape(self, answer: Response, name: str) -> Shape:
        """As the recipe says or the page shows; what is added to pages has its records where they have theirs."""
        written, path = self.wanted.format, self.wanted.records
        if self.snapshot.kept and path is None:
            earlier = Shape.from_json(self.snapshot.kept[0].state["shape"])
            written, path = earlier.format, earlier.records
        return Shape.of(answer, pages=self.wanted.pages, written=written, records=path, name=name)

    def _after(self, page: Page, shape: Shape) -> Request | None:
        if self.wanted.limit is not None and page.before + page.records >= self.wanted.limit:
            return None
        then = shape.pages.after(page)
        if then is None and not self.snapshot.kept:
            refuse_lost(page, shape.pages, shape.records)
        return self._concealed(then) if then else None

    def _concealed(self, asked: Request) -> Request:
        """The request as it may be kept: an address that the server gave may hold the key that it was sent."""
        return Request(**json.loads(self.secrets.conceal_sent(json.dumps(asdict(asked)).encode())))

    def _origin(self, answer: Response) -> Origin:
        facts: dict[str, Any] = {name: answer.headers[name] for name in _TELLING if name in answer.headers}
        if answer.redirects:
            facts["redirects"] = list(answer.redirects)
        facts = json.loads(self.secrets.conceal(json.dumps(facts)))
        url, kind = self.secrets.conceal(answer.url), answer.headers.get("content-type", "")
        return Origin(url, now(), answer.status, self.secrets.conceal(kind), facts=facts)

    # -- circles

    def _remember(self, kept: Kept) -> None:
        self._asked[_key(kept.state["asked"])] = kept.name
        self._bodies.setdefault(kept.sha256, kept.name)
        self._records += kept.state["records"]
        self._shape = self._shape or Shape.from_json(kept.state["shape"])

    def _refuse_circle(self, asked: Request, name: str) -> None:
        earlier = self._asked.get(_key(asdict(asked)))
        if earlier:
            raise DataError(
                f"the pages go in circles: {name} would be asked for as {earlier} was",
                hint="is the path or parameter of `pagination` right? What came is kept",
            )

    def _refuse_copy(self, body: bytes, name: str, records: int) -> None:
        earlier = self._bodies.get(sha256(body).hexdigest())
        if earlier and records:
            raise DataError(
                f"{name} is the same as {earlier}, byte for byte: the server does not heed what asks for the next page",
                hint="is the parameter of `pagination` right? `most_pages` ends the fetch before",
            )


def _key(asked: Mapping[str, Any]) -> str:
    return json.dumps(asked, sort_keys=True)


def _newest(records: Iterable[Any], path: str, *, of: str) -> str | int | float | None:
    """The largest value at a path; numbers by size, texts by their characters."""
    found = [value for value in (at(one, path) for one in records) if value is not Missing and value is not None]
    return largest(found, of=of)


def largest(values: Iterable[Any], *, of: str) -> str | int | float | None:
    """The largest of values that are all numbers, all whole numbers in text, or all other texts.

    Raises:
        DataError: They are not of one kind.
    """
    known: list[str | int | float] = [value for value in values if value is not None]
    if not known:
        return None
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in known):
        return max(known, key=float)
    if all(isinstance(value, str) for value in known):
        whole = all(str(value).isascii() and str(value).isdigit() for value in known)
        return max(known, key=int) if whole else max(known, key=str)
    raise DataError(f"{of}: the values at the cursor's path are not all numbers or all texts", hint="is `path` right?")
