"""What a crawl knows already, and what it keeps of each answer: all of it in the snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seedbed.core.errors import DataError
from seedbed.core.source import Origin
from seedbed.sources.documents.extract import Linked, linked
from seedbed.sources.fetching.http import FetchError, Response, TooLarge
from seedbed.store.snapshots import Kept, Snapshot, now

from .addresses import canonical
from .asking import Answer, Target, moved_to
from .headers import HTML, TEXT, charset_of, directives_of, media_of

PAGE, SITEMAP, ROBOTS = "page", "sitemap", "robots"
MOVED, FAILED, REFUSED = "moved", "failed", "refused"
_VALIDATORS = {"etag": "if-none-match", "last-modified": "if-modified-since"}


class Keeping:
    """The snapshot of a crawl, by address.

    Args:
        snapshot: Open for fetching.
        token: The name under which pages speak to us.
        at: The source, for messages.
    """

    def __init__(self, snapshot: Snapshot, token: str, at: str) -> None:
        self._snapshot, self._token, self._at = snapshot, token, at
        self._kept = {kept.name: kept for kept in snapshot.fetched}
        self._before = {kept.name: kept for kept in snapshot.kept if kept.name not in self._kept}
        """What this generation adds to."""
        self._lost = {kept.name: kept for kept in snapshot.lost}
        self._ever = {kept.name: kept for kept in snapshot.ever_kept}
        self._noted = {(kind, note["url"]): note for kind in (MOVED, FAILED, REFUSED) for note in snapshot.notes(kind)}
        self._linked: dict[str, Linked] = {}
        """Of pages that just came, until somebody asks."""
        self.doubtful: dict[str, FetchError] = {}
        """Failures that may be over when a crawl goes on after an interruption: noted at its end."""
        places = [kept.state["place"] for kept in (*self._before.values(), *self._lost.values())]
        self.first_place = 1 + max(places, default=-1)
        """Of the pages that are new in this generation."""

    # -- what is known

    def is_known(self, target: Target) -> bool:
        """Whether this generation has asked for an address, or adds to one that has and need not ask again.

        Seeds and sitemaps are asked for again, since what is new is found there; so is what changed since by its
        sitemap.
        """
        url = target.url
        if url in self._kept or (MOVED, url) in self._noted or (FAILED, url) in self._noted:
            return True
        before = self._before.get(url)
        if before is None or before.state["kind"] != PAGE:
            return False
        if target.changed:
            return bool(target.changed == before.state["changed"])
        return target.depth > 0

    def held(self, url: str) -> Kept | None:
        """What was kept of an address."""
        return self._kept.get(url) or self._before.get(url)

    def held_now(self, url: str) -> Kept | None:
        """What was kept of an address in this generation."""
        return self._kept.get(url)

    def body(self, kept: Kept) -> bytes:
        """Of a response.

        Raises:
            DataError: It is gone from the store.
        """
        return self._snapshot.body(kept, at=self._at)

    def linked(self, kept: Kept) -> Linked:
        """Where a page leads."""
        found = self._linked.pop(kept.name, None)
        return found or linked(self.body(kept), url=kept.name, declared=kept.state["declared"])

    def moved(self, url: str) -> str | None:
        """The canonical address that one redirects to: empty where that is none of the web, None where none does."""
        note = self._noted.get((MOVED, url))
        return None if note is None else str(note["to"])

    def noted(self, kind: str) -> list[dict[str, Any]]:
        """What was noted, by address."""
        notes = [note for (noted, _), note in self._noted.items() if noted == kind]
        return sorted(notes, key=lambda note: str(note["url"]))

    def validators(self, target: Target) -> Mapping[str, str]:
        """Headers that ask for a page only if it is not the one that was kept before."""
        kept = self._ever.get(target.url)
        known = kept.origin.facts if kept and not kept.state["fault"] else {}
        wanted = {header: str(known[name]) for name, header in _VALIDATORS.items() if name in known}
        try:
            return wanted if wanted and kept and self.body(kept) is not None else {}
        except DataError:  # gone from the store
            return {}

    # -- what is new

    def note(self, kind: str, url: str, **facts: Any) -> None:
        """Note what became of an address, once."""
        if (kind, url) not in self._noted:
            self._noted[kind, url] = {"url": url, **facts}
            self._snapshot.note(kind, url=url, **facts)

    def fail(self, url: str, error: FetchError) -> None:
        """Note why there is no answer."""
        self.note(FAILED, url, reason=error.reason, problem=error.problem, status=error.status)

    def add(self, url: str, body: bytes, origin: Origin, state: Mapping[str, Any]) -> Kept:
        """Keep a response."""
        self._kept[url] = self._snapshot.keep(url, body, origin, **state)
        return self._kept[url]

    def take(self, target: Target, answer: Answer, kind: str, place: int, robots: str) -> None:
        """Keep or note an answer.

        Args:
            target: What was asked for.
            answer: What came.
            kind: Of the address: a page or a sitemap.
            place: Of a page, in the order in which pages were found.
            robots: What robots.txt decided.
        """
        url, before = target.url, self._before.get(target.url) or self._lost.get(target.url)
        state = {"kind": kind, "place": before.state["place"] if before else place}
        state |= {"depth": target.depth, "changed": target.changed}
        if isinstance(answer, Response):
            self._keep(url, answer, state, robots)
        elif isinstance(answer, TooLarge):
            state |= {"status": 200, "media": HTML, "declared": None, "robots": [], "canonical": ""}
            origin = Origin(url, now(), 200, robots=robots, facts={"problem": answer.problem})
            self.add(url, b"", origin, {**state, "fault": answer.reason})
        elif answer.status == 304 and (old := self._ever.get(url)):
            origin = Origin(url, now(), 304, old.origin.media_type, robots, old.origin.facts)
            self.add(url, self.body(old), origin, {**old.state, **state})
        elif to := moved_to(answer, url):
            self.note(MOVED, url, to=canonical(to), status=answer.status)
        elif target.depth == 0 or answer.passing:  # of a crawl that found nothing nothing must stay
            self.doubtful[url] = answer
        else:
            self.fail(url, answer)

    def _keep(self, url: str, answer: Response, state: dict[str, Any], robots: str) -> None:
        page = state["kind"] == PAGE
        media = media_of(answer) if page else TEXT
        if not media:
            problem = f"is {answer.media_type[:100] or 'of no type'}, and no page"
            self.note(FAILED, url, reason="media_type", problem=problem, status=answer.status)
            return
        declared, own = charset_of(answer), ""
        if page and media == HTML:
            self._linked[url] = linked(answer.body, url=url, declared=declared)
            own = canonical(self._linked[url].canonical or "")
        state |= {"status": answer.status, "media": media, "declared": declared, "canonical": own, "fault": ""}
        state["robots"] = sorted(directives_of(answer, self._token))
        facts = {name: answer.headers[name] for name in _VALIDATORS if name in answer.headers}
        self.add(url, answer.body, Origin(url, now(), answer.status, answer.media_type, robots, facts), state)
