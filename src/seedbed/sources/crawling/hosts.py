"""What the hosts of a crawl allow: each is asked for its robots.txt once, before anything else."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from seedbed.core.source import Origin
from seedbed.sources.fetching.http import FetchError, Response
from seedbed.store.snapshots import Kept, now

from .addresses import root_of
from .asking import Asking, Target
from .keeping import REFUSED, ROBOTS, Keeping
from .robots import Robots, robots_of

#: Seconds after which rules are asked for again (RFC 9309 wants a day), when a crawl goes on.
_STALE = 86_400.0


class Hosts:
    """The rules of the hosts (with scheme and port) that were asked so far.

    Attributes:
        unknown: Hosts whose rules cannot be had now, and why: nothing is asked of them, and the next run asks again.
        waiting: Addresses of theirs.
    """

    def __init__(self, token: str, keeping: Keeping, asking: Asking) -> None:
        self._token, self._keeping, self._asking = token, keeping, asking
        self._rules: dict[str, Robots] = {}
        self.unknown: dict[str, FetchError] = {}
        self.waiting: list[Target] = []

    def learn(self, urls: Iterable[str]) -> None:
        """Ask for the rules of the hosts of some addresses."""
        new = []
        for root in dict.fromkeys(map(root_of, urls)):
            kept = self._keeping.held_now(robots_of(root))
            if root not in self._rules and kept and age_of(kept.origin) < _STALE:
                self._heed(root, self._read(kept))
            elif root not in self._rules:
                new.append(root)
        for root, answer in self._asking.robots(new):
            self._heed(root, self._found(root, answer))

    def allows(self, target: Target) -> bool:
        """Whether an address may be asked for; noted, if its host's rules refuse it."""
        rules = self._rules[root_of(target.url)]
        if rules.allows(target.url):
            return True
        if root_of(target.url) in self.unknown:
            self.waiting.append(target)
        else:
            self._keeping.note(REFUSED, target.url, robots=rules.told(target.url))
        return False

    def told(self, url: str) -> str:
        """What robots.txt decides of an address, and by which rule."""
        return self._rules[root_of(url)].told(url)

    def sitemaps(self, url: str) -> list[str]:
        """What the robots.txt of an address's host names as its sitemaps."""
        return self._rules[root_of(url)].sitemaps

    @property
    def record(self) -> dict[str, dict[str, object]]:
        """For each host where its rules came from: status, SHA-256, what was found."""
        found: dict[str, dict[str, object]] = {}
        for root, rules in self._rules.items():
            kept = self._keeping.held_now(robots_of(root))
            found[root] = {"status": kept.state["status"], "sha256": kept.sha256} if kept else {"status": None}
            found[root] |= {"delay": rules.delay} if rules.delay else {}
            found[root] |= {"why": rules.why} if rules.why else {}
        return found

    def _heed(self, root: str, rules: Robots) -> None:
        self._rules[root] = rules
        if rules.delay:
            self._asking.slow(root, rules.delay)

    def _read(self, kept: Kept) -> Robots:
        if kept.state["fault"]:
            return Robots.missing(self._token, kept.state["status"], kept.state["fault"])
        return Robots.read(self._token, self._keeping.body(kept))

    def _found(self, root: str, answer: Response | FetchError) -> Robots:
        url, state = robots_of(root), {"kind": ROBOTS, "place": 0, "fault": ""}
        if isinstance(answer, Response):
            origin = Origin(url, now(), answer.status, answer.media_type, facts={"answered": answer.url})
            return self._read(self._keeping.add(url, answer.body, origin, {**state, "status": answer.status}))
        rules = Robots.missing(self._token, answer.status, answer.problem)
        if rules.refuses:
            self.unknown[root] = answer
        else:
            state |= {"fault": answer.problem, "status": answer.status}
            self._keeping.add(url, b"", Origin(url, now(), answer.status), state)
        return rules


def age_of(origin: Origin) -> float:
    """Seconds since something was fetched."""
    return (datetime.now(UTC) - datetime.fromisoformat(origin.fetched)).total_seconds()
