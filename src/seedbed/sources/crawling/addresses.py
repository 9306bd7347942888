"""Addresses of pages: one form for each, which host they are of, and which the recipe wants."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import quote, unquote_to_bytes, urlsplit

#: Longer addresses are asked for by programs that walk in circles.
LONGEST = 2_000
#: A path of so many segments that repeats one so often leads in circles.
_DEEP, _REPEATED = 6, 4
_PORTS = {"http": 80, "https": 443}
#: Parameters that name the visit or the campaign, and not the page.
_TRACKING = re.compile(
    r"(?:utm_\w+|gclid|dclid|gbraid|wbraid|fbclid|msclkid|yclid|twclid|igshid|mc_cid|mc_eid|_ga|_gl"
    r"|phpsessid|jsessionid|aspsessionid\w*)(?:=|$)",
    re.IGNORECASE,
)
_SESSION = re.compile(r";jsessionid=[^/?#;]*", re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9._-]{1,253}")
_ESCAPED = re.compile(r"%[0-9A-Fa-f]{2}")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def canonical(url: str) -> str:
    """The one form of an address under which its page is asked for and kept; empty where it is none of the web.

    Scheme and host in lower case, the host as DNS has it; no fragment, no default port, no `.` and `..`; escapes only
    where they are needed, in capitals; without the parameters of `utm_…`, click and session ids. What else stands in a
    query stays as it is, in its order.
    """
    try:
        parts = urlsplit(url.strip())
        scheme, host, port = parts.scheme.lower(), _host(parts.hostname or ""), parts.port
    except ValueError:
        return ""
    if scheme not in _PORTS or not host or parts.username is not None or parts.password is not None:
        return ""
    where = host if port in (None, _PORTS[scheme]) else f"{host}:{port}"
    query = "&".join(piece for piece in _escaped(parts.query).split("&") if piece and not _TRACKING.match(piece))
    return f"{scheme}://{where}{_path(_SESSION.sub('', parts.path))}{'?' if query else ''}{query}"


def host_of(url: str) -> str:
    """Host of a canonical address, with its port where that is not the default."""
    return urlsplit(url).netloc


def root_of(url: str) -> str:
    """What robots.txt speaks for: scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _path(path: str) -> str:
    """Escaped, without `.` and `..` (RFC 3986, 5.2.4); empty segments stay, since they may mean something."""
    kept: list[str] = []
    segments = _escaped(path).removeprefix("/").split("/")
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def _host(host: str) -> str:
    host = host.rstrip(".").lower()
    if ":" in host:
        return f"[{host}]"
    host = host if host.isascii() else host.encode("idna").decode()
    return host if _HOST.fullmatch(host) else ""


def _escaped(text: str) -> str:
    """Escapes in capitals, none of characters that need none, and all of those that do."""

    def one(match: re.Match[str]) -> str:
        (code,) = unquote_to_bytes(match[0])
        return chr(code) if code in _UNRESERVED else match[0].upper()

    return quote(_ESCAPED.sub(one, text), safe="%/:?#[]@!$&'()*+,;=-._~", errors="replace")


@dataclass
class Scope:
    """Which addresses belong to the crawl.

    Attributes:
        hosts: Names, or `*.NAME` for all below a name, with their ports where those are not the default.
        include: Patterns of paths with queries; all when there are none.
        exclude: Likewise; they count more.
        most_queries: Addresses that differ only in the values of their queries, at most.
        passed: Links that were passed over, by reason, each time that they were seen.
    """

    hosts: set[str]
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    most_queries: int = 200
    passed: Counter[str] = field(default_factory=Counter)
    _queries: Counter[str] = field(default_factory=Counter)

    def holds_host(self, url: str) -> bool:
        """Whether the host is one of the crawl's."""
        host = host_of(url)
        return host in self.hosts or any(
            host.endswith(known[1:]) or host == known[2:] for known in self.hosts if known.startswith("*.")
        )

    def wants(self, url: str) -> bool:
        """Whether a page is one that rows are made of."""
        rest = url.removeprefix(root_of(url))
        included = not self.include or any(_fits(rest, one) for one in self.include)
        return included and not any(_fits(rest, one) for one in self.exclude)

    def follows(self, url: str) -> bool:
        """Whether a link leads to a page of the crawl; if not, it is counted."""
        why = ""
        if not self.holds_host(url):
            why = "other_host"
        elif not self.wants(url):
            why = "not_included"
        elif len(url) > LONGEST or is_circle(url):
            why = "circle"
        if why:
            self.passed[why] += 1
        return not why

    def is_trap(self, url: str) -> bool:
        """Whether there were enough addresses like this one, which is counted; asked once for each new address."""
        path, _, query = url.partition("?")
        if not query:
            return False
        names = "&".join(sorted(piece.partition("=")[0] for piece in query.split("&")))
        self._queries[f"{path}?{names}"] += 1
        return self._queries[f"{path}?{names}"] > self.most_queries

    @property
    def traps(self) -> dict[str, int]:
        """Paths with names of queries that had more addresses than wanted, and how many there were."""
        return {path: n for path, n in self._queries.items() if n > self.most_queries}


def is_circle(url: str) -> bool:
    """Whether a path says the same segments again and again, as relative links that go wrong do."""
    segments = [segment for segment in urlsplit(url).path.split("/") if segment]
    return len(segments) >= _DEEP and max(Counter(segments).values()) >= _REPEATED


def _fits(text: str, pattern: str) -> bool:
    return bool(_compiled(pattern).fullmatch(text))


@lru_cache(maxsize=1_000)
def _compiled(pattern: str) -> re.Pattern[str]:
    """`*` stands for anything; the rest for itself."""
    return re.compile(".*".join(map(re.escape, re.split(r"\*+", pattern))), re.DOTALL)


def canonical_all(urls: Iterable[str]) -> list[str]:
    """The canonical addresses, each once, without those that are none."""
    return list(dict.fromkeys(url for url in map(canonical, urls) if url))
