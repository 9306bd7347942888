"""Asks several hosts at once, and each of them for one address after the other."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NoReturn, TypeVar
from urllib.parse import urljoin, urlsplit

from seedbed.sources.fetching.http import Client, FetchError, Response

from .addresses import host_of, root_of
from .robots import robots_of

#: Hosts that are asked at once.
_HOSTS = 8
#: Failures after which it is not known whether the host is there at all.
_UNHEARD = frozenset({"dns", "connection", "timeout", "slow"})
_REDIRECTS = 5

Answer = Response | FetchError
T = TypeVar("T")
A = TypeVar("A")


@dataclass(frozen=True)
class Target:
    """An address to ask for.

    Attributes:
        url: Canonical.
        depth: Links that lead here from a seed or a sitemap.
        hops: Redirects that led here.
        changed: What a sitemap says of its last change.
        named: Whether the recipe names it, or what redirects to it.
    """

    url: str
    depth: int = 0
    hops: int = 0
    changed: str = ""
    named: bool = False


class Asking:
    """Gets answers, and finds out which hosts have gone.

    Attributes:
        gone: Hosts (with scheme and port) that answered once and do not any more, or that ask to come back much later,
            and how they were found out. They are asked for nothing else.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self.gone: dict[str, FetchError] = {}

    def pages(
        self, targets: Sequence[Target], headers: Callable[[Target], Mapping[str, str]]
    ) -> Iterator[tuple[Target, Answer | None]]:
        """The answers, as they come; none where the host has gone."""

        def ask(target: Target) -> Answer | None:
            root = root_of(target.url)
            if root in self.gone:
                return None
            answer = self._got(target.url, headers(target))
            if isinstance(answer, FetchError) and self._seems_gone(answer) and not self._is_there(root, answer):
                self.gone[root] = answer
                return None
            return answer

        return _at_once(targets, lambda target: host_of(target.url), ask)

    def robots(self, roots: Sequence[str]) -> Iterator[tuple[str, Answer]]:
        """What each host answers for robots.txt, after redirects (RFC 9309 wants five to be followed)."""

        def ask(root: str) -> Answer:
            url = robots_of(root)
            for _ in range(_REDIRECTS + 1):
                answer = self._got(url, {})
                moved = moved_to(answer, url)
                if not moved:
                    return answer
                url = moved
            return answer

        return _at_once(roots, host_of, ask)

    def slow(self, root: str, seconds: float) -> None:
        """Wait at least so long between two requests to a host."""
        self._client.slow(urlsplit(root).hostname or "", seconds)

    def _got(self, url: str, headers: Mapping[str, str]) -> Answer:
        try:
            return self._client.get(url, headers=headers)
        except FetchError as error:
            return error

    def _seems_gone(self, error: FetchError) -> bool:
        return error.reason in _UNHEARD or error.reason == "throttled" or (error.status or 0) >= 500

    def _is_there(self, root: str, error: FetchError) -> bool:
        """Whether the host still says what its rules are, so that it is the page that fails."""
        if error.reason == "throttled":
            return False
        again = self._got(robots_of(root), {})
        return not (isinstance(again, FetchError) and (again.status is None or again.status >= 500))


def moved_to(answer: Answer | None, url: str) -> str:
    """Where an answer redirects to; empty where it does not."""
    said = answer.response.headers.get("location") if isinstance(answer, FetchError) and answer.response else None
    if not said or answer is None or answer.status not in (301, 302, 303, 307, 308):
        return ""
    try:
        return urljoin(url, said)
    except ValueError:
        return ""


def _at_once(items: Sequence[T], host: Callable[[T], str], ask: Callable[[T], A]) -> Iterator[tuple[T, A]]:
    """What is answered, host by host in parallel; where there is one host, in this thread."""
    by_host: dict[str, list[T]] = {}
    for item in items:
        by_host.setdefault(host(item), []).append(item)
    if len(by_host) <= 1:
        for item in items:
            yield item, ask(item)
        return
    todo: queue.SimpleQueue[list[T]] = queue.SimpleQueue()
    for of_host in by_host.values():
        todo.put(of_host)
    done: queue.SimpleQueue[Callable[[], tuple[T, A]]] = queue.SimpleQueue()
    stopped = threading.Event()
    for _ in range(min(_HOSTS, len(by_host))):
        # Daemons: whoever stops the run does not wait for a slow host.
        threading.Thread(target=_work, args=(todo, done, ask, stopped), daemon=True).start()
    try:
        for _ in items:
            yield done.get()()
    finally:
        stopped.set()


def _work(
    todo: queue.SimpleQueue[list[T]],
    done: queue.SimpleQueue[Callable[[], tuple[T, A]]],
    ask: Callable[[T], A],
    stopped: threading.Event,
) -> None:
    while not stopped.is_set():
        try:
            items = todo.get_nowait()
        except queue.Empty:
            return
        for item in items:
            if stopped.is_set():
                return
            try:
                found = item, ask(item)
                done.put(partial(_as_it_is, found))
            except Exception as error:  # noqa: BLE001 - raised where the answers are taken
                done.put(partial(_raised, error))


def _as_it_is(found: tuple[T, A]) -> tuple[T, A]:
    return found


def _raised(error: Exception) -> NoReturn:
    raise error
