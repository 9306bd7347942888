"""A crawl, level by level: what is asked for next depends on what was answered, and on nothing else.

Pages of a level are asked for in the order in which they were found; their links, in the order of the pages, are the
next level. Hosts may answer in any order, and a crawl may be cut anywhere: the same site gives the same pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from seedbed.core.context import Stage
from seedbed.core.errors import DataError
from seedbed.store.snapshots import Kept

from .addresses import Scope, canonical, canonical_all, host_of, root_of
from .asking import Asking, Target
from .headers import HTML
from .hosts import Hosts
from .keeping import FAILED, MOVED, PAGE, REFUSED, SITEMAP, Keeping
from .robots import is_robots
from .sitemaps import Listed, NoSitemap, listed

#: Redirects that one address may lead through.
_HOPS = 10
#: Sitemaps that are read.
_SITEMAPS = 1_000
_LATER = "what came is kept: run again later, and it goes on from there"


@dataclass(frozen=True)
class Start:
    """Where a crawl begins and ends.

    Attributes:
        seeds: Canonical addresses of pages.
        sitemaps: Canonical addresses of sitemaps.
        ask_robots: Whether sitemaps are looked for in robots.txt of the seeds' hosts.
        depth: Links from a seed or a sitemap to the last pages.
        most_pages: Addresses of pages to ask for.
        grows: Whether a seed that redirects to another host brings it in.
    """

    seeds: Sequence[str]
    sitemaps: Sequence[str]
    ask_robots: bool
    depth: int
    most_pages: int
    grows: bool


class Crawl:
    """Asks for pages until there are no more, or enough.

    Args:
        start: Where it begins and ends.
        scope: What belongs to it.
        asking: Asks.
        keeping: Keeps.
        token: The name under which robots.txt speaks to us.
        stage: Shows progress.
        at: The source, for messages.
    """

    def __init__(
        self, start: Start, scope: Scope, asking: Asking, keeping: Keeping, *, token: str, stage: Stage, at: str
    ) -> None:
        self._start, self._scope, self._asking, self._keeping = start, scope, asking, keeping
        self._hosts = Hosts(token, keeping, asking)
        self._stage, self._at = stage, at
        self._seen: set[str] = set()
        self._deeper: set[str] = set()
        self._left, self._left_out, self._place = start.most_pages, 0, keeping.first_place
        self._sitemaps_left_out = 0

    def go(self) -> Mapping[str, Any]:
        """Fetch what is not kept yet; what there is to say of it, as JSON.

        Raises:
            DataError: A host has gone, or what the recipe names cannot be had.
        """
        seeds = [Target(url, named=True) for url in self._start.seeds]
        level = [*seeds, *self._of_sitemaps()]
        self._seen.update(target.url for target in level)
        came = False
        while level:
            pages = list(self._through(level, PAGE))
            came = came or bool(pages)
            level = list(self._next(pages))
        self._settle(came)
        return {
            "refused": self._keeping.noted(REFUSED),
            "failed": self._keeping.noted(FAILED),
            "moved": self._keeping.noted(MOVED),
            "robots": self._hosts.record,
            "links_passed_over": dict(self._scope.passed),
            "traps": self._scope.traps,
            "not_asked": self._left_out,
            "sitemaps_not_asked": self._sitemaps_left_out,
            "too_deep": len(self._deeper - self._seen),
        }

    # -- levels

    def _through(self, level: Sequence[Target], kind: str) -> Iterator[tuple[Target, Kept]]:
        """What comes of a level, in order, and then what it redirects to."""
        wave = list(level)
        while wave:
            wave = self._admitted(wave, kind)
            self._ask(wave, kind)
            for root, error in self._asking.gone.items():
                raise DataError(f"{root} does not answer any more: {error.problem}", at=self._at, hint=_LATER)
            yield from ((target, kept) for target in wave if (kept := self._keeping.held(target.url)))
            wave = list(self._moved(wave))

    def _next(self, pages: Sequence[tuple[Target, Kept]]) -> Iterator[Target]:
        """What pages link to and was not seen yet."""
        for target, kept in pages:
            if target.depth >= self._start.depth:
                self._deeper.update(filter(self._scope.follows, self._links(kept)) if self._start.depth else ())
                continue
            for url in self._links(kept):
                if url not in self._seen and self._scope.follows(url) and not is_robots(url):
                    self._seen.add(url)
                    if not self._scope.is_trap(url):
                        yield Target(url, target.depth + 1)

    def _links(self, kept: Kept) -> list[str]:
        """Where a page leads: its links, and what it says is its own address."""
        state = kept.state
        if state["fault"] or state["media"] != HTML or "nofollow" in state["robots"]:
            return []
        page = self._keeping.linked(kept)
        return [] if "nofollow" in page.robots else canonical_all((*page.links, page.canonical or ""))

    # -- waves

    def _admitted(self, wave: Sequence[Target], kind: str) -> list[Target]:
        """What robots.txt allows; of pages as many as are left to ask for."""
        self._hosts.learn(target.url for target in wave)
        allowed = [target for target in wave if self._hosts.allows(target)]
        if kind != PAGE:
            return allowed
        admitted = allowed[: self._left]
        self._left -= len(admitted)
        self._left_out += len(allowed) - len(admitted)
        return admitted

    def _ask(self, wave: Sequence[Target], kind: str) -> None:
        places = {target.url: place for place, target in enumerate(wave, self._place)}
        self._place += len(wave) if kind == PAGE else 0
        new = [target for target in wave if not self._keeping.is_known(target)]
        self._stage.advance(len(wave) - len(new) if kind == PAGE else 0, found=True)
        for target, answer in self._asking.pages(new, self._keeping.validators):
            if answer is not None:
                self._keeping.take(target, answer, kind, places[target.url], self._hosts.told(target.url))
                self._stage.advance(1 if kind == PAGE else 0, host_of(target.url))

    def _moved(self, wave: Sequence[Target]) -> Iterator[Target]:
        """Where addresses redirect to, if that belongs to the crawl and was not seen yet."""
        for target in wave:
            to = self._keeping.moved(target.url)
            if to is None:
                continue
            if target.named and self._start.grows and to:
                self._scope.hosts.add(host_of(to))
            if not to or is_robots(to) or not (self._scope.holds_host(to) if target.named else self._scope.follows(to)):
                self._astray(target, f"redirects to {to or 'no address of the web'}, which is no page of the crawl")
            elif to in self._seen:
                if self._in_circles(target.url):
                    self._astray(target, "redirects in circles")
            elif target.hops >= _HOPS:
                self._astray(target, f"redirects more than {_HOPS} times")
            else:
                self._seen.add(to)
                yield Target(to, target.depth, target.hops + 1, target.changed, target.named)

    def _astray(self, target: Target, problem: str) -> None:
        self._keeping.note(FAILED, target.url, reason="redirects", problem=problem, status=None)

    def _in_circles(self, url: str) -> bool:
        at: str | None = url
        for _ in range(_HOPS + 1):
            at = self._keeping.moved(at) if at else None
            if at == url:
                return True
        return False

    # -- sitemaps

    def _of_sitemaps(self) -> Iterator[Target]:
        """Pages that the sitemaps list, in order, each once."""
        start = self._start
        first = list(start.sitemaps)
        if start.ask_robots:
            self._hosts.learn(start.seeds)
            of_hosts = {root_of(seed): self._hosts.sitemaps(seed) for seed in start.seeds}
            first += canonical_all(url for urls in of_hosts.values() for url in urls)
        self._seen.update(first)
        wave, asked, pages = [Target(url, named=True) for url in dict.fromkeys(first)], len(first), dict[str, str]()
        while wave:
            found = [one for _, kept in self._through(wave, SITEMAP) for one in self._listed(kept)]
            wave = []
            for one in found:
                url = canonical(one.url)
                if one.sitemap and url not in self._seen and self._scope.holds_host(url):
                    self._seen.add(url)
                    if asked < _SITEMAPS:
                        wave.append(Target(url))
                    asked += 1
                elif url and not one.sitemap and url not in pages and self._scope.follows(url):
                    pages[url] = one.changed
        self._sitemaps_left_out = max(0, asked - _SITEMAPS)
        return (Target(url, changed=changed) for url, changed in pages.items() if url not in start.seeds)

    def _listed(self, kept: Kept) -> list[Listed]:
        try:
            if kept.state["fault"]:  # larger than the recipe allows: nothing of it was kept
                raise NoSitemap(str(kept.origin.facts["problem"]))
            return listed(self._keeping.body(kept))
        except NoSitemap as error:
            if kept.name in self._start.sitemaps:
                hint = "is it the address of a sitemap?"
                raise DataError(f"{kept.name} is no sitemap: {error}", at=self._at, hint=hint) from None
            self._keeping.note(FAILED, kept.name, reason="sitemap", problem=f"is no sitemap: {error}", status=None)
            return []

    # -- the end

    def _settle(self, came: bool) -> None:
        """Note what failed for now, unless it is what the recipe names.

        Raises:
            DataError: The recipe names it, or there is nothing else.
        """
        doubtful, sitemaps = self._keeping.doubtful, self._start.sitemaps
        for root, error in self._hosts.unknown.items():
            if any(root_of(url) == root for url in (*self._start.seeds, *sitemaps)):
                problem = f"robots.txt of {root} cannot be had, so that nothing may be asked there: {error.problem}"
                raise DataError(problem, at=self._at, hint=error.hint or _LATER)
        for url, error in doubtful.items():
            if url in sitemaps or (url in self._start.seeds and error.passing):
                raise DataError(f"{url}: {error.problem}", at=self._at, hint=error.hint or _LATER)
        if not came:
            self._nothing()
        for target in self._hosts.waiting:
            self._keeping.note(REFUSED, target.url, robots=self._hosts.told(target.url))
        for url, error in doubtful.items():
            self._keeping.fail(url, error)

    def _nothing(self) -> NoReturn:
        refused, failed = self._keeping.noted(REFUSED), self._keeping.noted(FAILED)
        hint = "are `seeds`, `sitemaps`, `hosts` and `include` right?"
        for url, error in (*self._keeping.doubtful.items(), *self._hosts.unknown.items()):
            raise DataError(f"no page came; {url}: {error.problem}", at=self._at, hint=error.hint or hint)
        if refused:
            hint = "ask the people behind the site, or take another one"
            told = f"{refused[0]['url']} is {refused[0]['robots']}"
            raise DataError(f"no page came; by robots.txt {told}", at=self._at, hint=hint)
        told = f"; {failed[0]['url']} {failed[0]['problem']}" if failed else ""
        raise DataError(f"no page came{told}", at=self._at, hint=hint)
