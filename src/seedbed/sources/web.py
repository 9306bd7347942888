"""Pages of web sites."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

import polars as pl
from pydantic import Field, field_validator, model_validator

from seedbed.core.context import Context
from seedbed.core.numbers import things, word
from seedbed.core.part import Example
from seedbed.core.source import Block, InputFile, Parsed, Scan
from seedbed.store.snapshots import Kept, Snapshot, body_of

from .crawling.addresses import Scope, canonical, canonical_all, host_of
from .crawling.asking import Asking
from .crawling.crawl import Crawl, Start
from .crawling.keeping import PAGE, Keeping
from .crawling.originals import copies
from .crawling.pages import SCHEMA, Page, row_of
from .crawling.robots import token_of
from .fetching.fetched import FetchingSource
from .fetching.http import Client
from .reading.blocks import Malformed, malformed_table

_SHOWN = [
    "This is a page about nothing at all, with just enough words in it to be found.",
    "Tea is made of leaves and water that has boiled, and of patience, which most of us lack.",
]
_CONTACT = re.compile(r"https?://[^\s);]+\.\w|[\w.+-]+@[\w-]+\.\w")
_HOST = re.compile(r"(?:\*\.)?[a-z0-9._\[\]:-]+")


class Web(FetchingSource):
    """Crawls web sites from seeds or sitemaps: one row a page, with its main text.

    The columns are `url`, `title`, `text`, `date` (as the page says it), `language`, `license` (the address that it
    links to as its licence), `status` and `depth` (links from a seed). Row ids say the address: `SOURCE:URL#1`. Main
    text and metadata are what trafilatura finds.

    It asks politely: `user_agent` says who asks and how to reach them; robots.txt of each host is read first and
    obeyed as RFC 9309 has it, by the name that stands first in `user_agent`; a host is asked once a second, or as
    seldom as its robots.txt wants; several hosts are asked at once. Links that are marked `nofollow`, by themselves, by
    a meta element or by the header X-Robots-Tag, are not followed.

    Every page that came is a row or stands in the ledger: `no_text`, `noindex` (the page says so; its links are
    followed all the same), `copy` (by rel=canonical its own address is another, which came, too), `not_included` (a
    seed that `include` or `exclude` leaves out: its links count), `binary`, `too_large`, `too_many_elements`,
    `too_many_attributes`. What did not come is in `lineage.json`: refused by robots.txt (with the rule), not there,
    redirected, of another type.

    ## Why
    A crawl of two hours must be one that another person can make again, and that goes on after a power cut. Pages are
    asked for level by level, in the order in which they were found, and kept as they came, with address, time, status
    and what robots.txt said. So a crawl that is cut anywhere asks for nothing twice and ends with the same dataset, and
    steps can be changed without a single request.

    An address has one form: no fragment, no default port, escapes only where needed, without `utm_…`, click and session
    ids; the rest of its query stays. No address of a private network is connected to, whatever a page links to, unless
    `allow_private` says so.

    ## Limits
    Scripts are not run: what a page shows only with them is not there (`no_text`). A page of an error that says 200
    is a page. A site whose pages all name one page as their own (rel=canonical) gives one row: look at how many are
    `copy`. What is known of each page, but not the page, is in memory while a site is crawled. Addresses that
    differ only in their query's values are asked for `most_queries` times, then passed over and told, since
    calendars and filters have no end; paths that never end are cut by `depth` and `most_pages`. A `limit` cuts
    rows, not the crawl. With `refresh: new`, seeds, sitemaps, and pages whose date in a sitemap changed are asked
    for again, and what they bring is added; nothing notices that other pages changed or went, until `--refresh`.
    Then pages are asked for with their validators (ETag, Last-Modified), so that those that stayed are not sent
    again.
    """

    extra: ClassVar[str] = "web"
    needs: ClassVar[tuple[str, ...]] = ("httpx", "protego", "stamina", "trafilatura", "lxml_html_clean")
    not_parsed: ClassVar[frozenset[str]] = FetchingSource.not_parsed | {
        "seeds", "sitemaps", "sitemaps_of_robots", "user_agent", "depth", "hosts", "include", "exclude", "most_pages",
        "most_bytes", "most_queries", "per_second", "timeout", "attempts", "backoff", "allow_private",
    }  # fmt: skip
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="A page that links to two others, one of which robots.txt refuses",
            options={"seeds": ["https://example.org/"], "user_agent": "my-study/1.0 (me@example.org)"},
            before={
                "path": ["/robots.txt", "/", "/tea", "/private"],
                "answer": [
                    "User-agent: *\nDisallow: /private",
                    f"<title>Hello</title><main><p>{_SHOWN[0]}</p></main><a href=/tea>Tea</a> <a href=/private>P</a>",
                    f"<html lang=en><title>Tea</title><main><p>{_SHOWN[1]}</p></main>",
                    "<p>Nobody sees this.</p>",
                ],
            },
            after={"title": ["Hello", "Tea"], "text": _SHOWN, "language": [None, "en"], "depth": [0, 1]},
        ),
        Example(
            title="What gives no row",
            options={
                "seeds": ["https://example.org/"],
                "user_agent": "my-study/1.0 (me@example.org)",
                "include": ["/tea*"],
            },
            before={
                "path": ["/", "/tea", "/tea?utm_source=mail", "/tea/old"],
                "answer": [
                    "<a href=/tea>Tea</a> <a href='/tea?utm_source=mail'>Tea again</a> <a href=/tea/old>Old tea</a>",
                    f"<title>Tea</title><main><p>{_SHOWN[1]}</p></main>",
                    "<p>This is the same address as the one before, and is not asked for.</p>",
                    f"<link rel=canonical href=/tea><title>Old tea</title><main><p>{_SHOWN[1]}</p></main>",
                ],
            },
            after={"title": ["Tea"], "depth": [1]},
        ),
    )

    use: Literal["web"] = "web"
    seeds: list[str] = Field(default_factory=list, description="Addresses of the first pages.")
    sitemaps: list[str] = Field(
        default_factory=list, description="Addresses of sitemaps, whose pages are first pages, too."
    )
    sitemaps_of_robots: bool = Field(
        False, description="Whether the sitemaps that robots.txt of the seeds' hosts names are read, too."
    )
    user_agent: str = Field(
        description="Who asks: a name, and how to reach the person behind it (an address on the web, or an e-mail), as "
        "in `reviews-study/1.0 (https://example.org/study)`."
    )
    depth: int = Field(3, ge=0, description="Links from a first page to the last ones; with 0 none is followed.")
    hosts: list[str] | None = Field(
        None,
        description="Hosts that links may lead to, `*.NAME` for all below a name; those of the first pages when left "
        "out, and where a seed redirects to.",
    )
    include: list[str] = Field(
        default_factory=list,
        description="Paths (with queries) of pages to ask for, with `*` for anything, as in `/reviews/*`; all when "
        "left out. Seeds are asked for in any case.",
    )
    exclude: list[str] = Field(default_factory=list, description="Paths of pages to pass over; they count more.")
    most_pages: int = Field(1_000, ge=1, description="Addresses of pages to ask for at most; told, if there are more.")
    most_bytes: int = Field(16 << 20, ge=1 << 16, description="Bytes of the largest page or sitemap.")
    most_queries: int = Field(
        200, ge=1, description="Addresses that differ only in the values of their queries, at most."
    )
    per_second: float = Field(1.0, gt=0, description="Requests to one host in a second, at most.")
    timeout: float = Field(30.0, gt=0, description="Seconds to wait for the next piece of an answer.")
    attempts: int = Field(3, ge=1, description="How often to ask, where asking again may help.")
    backoff: float = Field(2.0, ge=0, description="Seconds before the second attempt; twice as long before each next.")
    allow_private: bool = Field(False, description="Whether addresses of private networks may be asked.")

    @field_validator("seeds", "sitemaps")
    @classmethod
    def _addresses(cls, urls: list[str]) -> list[str]:
        for url in urls:
            if "${env:" in url:
                raise ValueError("a crawl keeps and shows its addresses: no secret has a place in them")
            if not canonical(url):
                raise ValueError(f"{url!r} is no address of the web: http:// or https://, without user and password")
        return urls

    @field_validator("user_agent")
    @classmethod
    def _somebody(cls, text: str) -> str:
        if not token_of(text) or not text.isascii() or not text.isprintable():
            raise ValueError("begins with a name of letters, - and _, as in `my-study/1.0 (me@example.org)`")
        if not _CONTACT.search(text):
            raise ValueError("says how to reach you, as in `my-study/1.0 (me@example.org)`: a site may want to ask")
        return text

    @field_validator("hosts")
    @classmethod
    def _names(cls, hosts: list[str] | None) -> list[str] | None:
        for host in hosts or ():
            if not _HOST.fullmatch(host):
                raise ValueError(f"{host!r} is no name of a host: as in `example.org`, or `*.example.org`")
        return hosts

    @field_validator("include", "exclude")
    @classmethod
    def _paths(cls, patterns: list[str]) -> list[str]:
        for pattern in patterns:
            if not pattern.startswith(("/", "*")):
                raise ValueError(f"{pattern!r} is a path, so that it begins with / or *")
        return patterns

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if not self.seeds and not self.sitemaps:
            raise ValueError("`seeds` or `sitemaps` say where to begin")
        if self.sitemaps_of_robots and not self.seeds:
            raise ValueError("sitemaps_of_robots needs `seeds`, whose hosts are asked")
        return self

    @property
    def address(self) -> str:
        """The first seed or sitemap."""
        first, *others = [*self.seeds, *self.sitemaps]
        return f"{first} and {len(others):,} more" if others else first

    def asks(self) -> Any:
        """What decides which pages come."""
        aside = {"per_second", "timeout", "attempts", "backoff", "user_agent"}
        asked = self.model_dump(mode="json", include=set(self.not_parsed) - FetchingSource.not_parsed - aside)
        return asked | {"token": token_of(self.user_agent)}

    # -- fetching

    def fetch(self, snapshot: Snapshot, context: Context) -> None:
        """Crawl what is not kept yet."""
        token, at = token_of(self.user_agent), self.address
        seeds, sitemaps = canonical_all(self.seeds), canonical_all(self.sitemaps)
        hosts = set(self.hosts or ()) | {host_of(url) for url in (*seeds, *sitemaps)}
        start = Start(seeds, sitemaps, self.sitemaps_of_robots, self.depth, self.most_pages, self.hosts is None)
        scope = Scope(hosts, self.include, self.exclude, self.most_queries)
        with (
            context.stage(f"crawling {at}", None, "pages") as stage,
            self._client(at, context) as client,
        ):
            keeping = Keeping(snapshot, token, at)
            crawl = Crawl(start, scope, Asking(client), keeping, token=token, stage=stage, at=at)
            try:
                facts = crawl.go()
            finally:
                snapshot.note("asked", requests=client.requests)
        snapshot.end(requests=sum(note["requests"] for note in snapshot.notes("asked")), **facts)

    def _client(self, at: str, context: Context) -> Client:
        return Client(
            at=at,
            user_agent=self.user_agent,
            per_second=self.per_second,
            timeout=self.timeout,
            attempts=self.attempts,
            backoff=self.backoff,
            most_bytes=self.most_bytes,
            most_redirects=0,  # robots.txt is asked before each
            allow_private=self.allow_private,
            headers={"accept": "text/html,application/xhtml+xml,text/plain;q=0.8,*/*;q=0.5"},
            say=context.progress.say,
        )

    # -- looking

    def look(self, snapshot: Snapshot, context: Context) -> Scan:
        """The pages in the order in which they were found; which of them are copies."""
        pages = _pages(snapshot)
        copy_of = copies({page.name: page.state["canonical"] for page in pages})
        scope = Scope(set(), self.include, self.exclude)
        files = tuple(
            InputFile(page.name, str(snapshot.path(page)), page.size, page.sha256, origin=page.origin) for page in pages
        )
        payloads = [
            Page.of(page, copy_of=copy_of.get(page.name, ""), wanted=scope.wants(page.name)).told for page in pages
        ]
        hosts = Counter(urlsplit(page.name).netloc for page in pages)
        found = {"pages": f"{len(pages):,}", "hosts": ", ".join(name for name, _ in hosts.most_common(5))}
        return Scan(files, pl.Schema(SCHEMA), {"pages": payloads}, found, _notes(snapshot.facts, self))

    # -- reading

    def blocks(self, scan: Scan, context: Context) -> Iterator[Block]:
        """A block for each page."""
        for number, (file, page) in enumerate(zip(scan.files, scan.settings["pages"], strict=True)):
            if self.limit is not None and number >= self.limit:
                return
            yield Block(number, 1, 1, file.size, page)

    def parse(self, block: Block, scan: Scan) -> Parsed:
        """The row of a page."""
        file, page = scan.files[block.file], Page(**block.payload)
        reason, found = page.refused, None
        if not reason:
            found, reason = row_of(page, body_of(file, at=file.name), file.name)
        if found is not None:
            return Parsed(pl.DataFrame([found], schema=SCHEMA), pl.Series([1], dtype=pl.UInt64))
        evidence = {"copy_of": page.copy_of} if reason == "copy" else {}
        bad = Malformed(1, 1, reason, evidence, file.name)
        return Parsed(pl.DataFrame(schema=SCHEMA), pl.Series(dtype=pl.UInt64), malformed_table([bad]))

    def heeds(self, block: Block, scan: Scan) -> Any:
        """The page, and what was found of it when it came."""
        return [block.payload, scan.files[block.file].sha256]


def _pages(snapshot: Snapshot) -> list[Kept]:
    """Of each address what came last, in the order in which the addresses were found."""
    latest = {kept.name: kept for kept in snapshot.kept if kept.state["kind"] == PAGE}
    return sorted(latest.values(), key=lambda kept: int(kept.state["place"]))


def _notes(facts: Mapping[str, Any], source: Web) -> tuple[str, ...]:
    """What a person should know of a crawl."""
    notes = []
    refused, failed = facts.get("refused", []), Counter(note["reason"] for note in facts.get("failed", []))
    if refused:
        notes.append(f"robots.txt refuses {_addresses(len(refused))}, such as {refused[0]['url']}")
    if failed:
        told = ", ".join(f"{n:,} × {reason}" for reason, n in failed.most_common())
        notes.append(f"{_addresses(failed.total())} gave no page ({told}); lineage.json lists them")
    if facts.get("not_asked"):
        allowed = f"most_pages allows ({source.most_pages:,})"
        notes.append(
            f"there {word(facts['not_asked'], 'is', 'are')} at least {facts['not_asked']:,} more "
            f"{word(facts['not_asked'], 'address', 'addresses')} than {allowed}"
        )
    if facts.get("sitemaps_not_asked"):
        notes.append(
            f"at least {facts['sitemaps_not_asked']:,} further sitemaps were not asked for: a crawl reads 1,000"
        )
    if facts.get("too_deep"):
        notes.append(f"{_addresses(facts['too_deep'])} would be deeper than depth allows ({source.depth})")
    for path, n in list(facts.get("traps", {}).items())[:3]:
        wanted = f"most_queries ({source.most_queries:,}) of them were asked for"
        notes.append(f"{path} is linked to with {n:,} different queries: {wanted}; is it a calendar or a filter?")
    circles = facts.get("links_passed_over", {}).get("circle", 0)
    if circles:
        notes.append(
            f"{things(circles, 'link repeats itself', 'links repeat themselves')} (a/b/a/b/…) or "
            f"{word(circles, 'is', 'are')} very long, and {word(circles, 'was', 'were')} passed over"
        )
    return tuple(notes)


def _addresses(count: int) -> str:
    return "1 address" if count == 1 else f"{count:,} addresses"
