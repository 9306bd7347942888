"""What robots.txt allows, as RFC 9309 has it; read by Protego."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from protego import Protego

#: Bytes that are read of it (the RFC wants 500 KiB at least).
_MOST = 1 << 20
#: A line that says whom the rules after it are for, as Protego reads it.
_AGENT = re.compile(r"\s*user[-\s]*agent(?:\s*:\s*|\s+)([^#]*)", re.IGNORECASE)
_OTHERS = "User-agent: (others)"
#: Seconds between two requests that a host may ask for; one that asks for more is asked for nothing.
LONGEST_DELAY = 600.0
ALLOWED, REFUSED = "allowed", "refused"


def token_of(user_agent: str) -> str:
    """The name under which robots.txt speaks to a crawler: what stands before the version, as the RFC has it."""
    found = re.match(r"[A-Za-z_-]+", user_agent)
    return found[0] if found else ""


@dataclass(frozen=True)
class Robots:
    """The rules of one host (with scheme and port).

    Attributes:
        token: Who asks.
        text: The file; none where there is none.
        why: Why there is none, in words.
        refuses: Whether nothing may be asked for, since nobody knows the rules.
    """

    token: str
    text: str = ""
    why: str = ""
    refuses: bool = False

    @classmethod
    def read(cls, token: str, body: bytes) -> Robots:
        """The rules of a file; bytes that are no UTF-8 are passed over."""
        rules = cls(token, body[:_MOST].decode("utf-8-sig", "ignore").replace("\0", ""))
        if rules.delay <= LONGEST_DELAY:
            return rules
        return cls(token, why=f"it asks to wait {rules.delay:,.0f} s between two requests", refuses=True)

    @classmethod
    def missing(cls, token: str, status: int | None, problem: str) -> Robots:
        """The rules where the file was not to be had.

        A status of 4xx means that there are none, and all may be asked for; but one that asks to come back later (429),
        an error of the server, or no answer at all means that nobody knows them, and nothing may.
        """
        if status is not None and 400 <= status < 500 and status != 429:
            return cls(token, why=f"there is none (status {status})")
        return cls(token, why=f"it cannot be had ({problem})", refuses=True)

    @cached_property
    def _rules(self) -> Protego:
        from protego import Protego

        return Protego.parse(_for_us(self.text, self.token))

    def told(self, url: str) -> str:
        """What is decided of an address, and by which rule: `allowed: …` or `refused: …`."""
        if self.refuses:
            return f"{REFUSED}: {self.why}"
        if not self.text:
            return f"{ALLOWED}: {self.why or 'robots.txt is empty'}"
        word = ALLOWED if self._rules.can_fetch(url, self.token) else REFUSED
        return f"{word}: {self._rule(url) or 'no rule fits'}"

    def allows(self, url: str) -> bool:
        """Whether an address may be asked for."""
        return not self.refuses and (not self.text or bool(self._rules.can_fetch(url, self.token)))

    @property
    def delay(self) -> float:
        """Seconds that it asks to wait between two requests (Crawl-delay, Request-rate)."""
        if not self.text:
            return 0.0
        rate = self._rules.request_rate(self.token)
        return max(self._rules.crawl_delay(self.token) or 0.0, rate.seconds / rate.requests if rate else 0.0)

    @property
    def sitemaps(self) -> list[str]:
        """Addresses of sitemaps that it names."""
        return [str(url) for url in self._rules.sitemaps] if self.text else []

    def _rule(self, url: str) -> str:
        """The rule that decides, as Protego holds it: it tells no more than yes or no by itself."""
        try:
            from protego._utils import _quote_path

            group = self._rules._get_matching_rule_set(self.token)
            rules, path = group._rules if group else (), _quote_path(url)
            found = next((rule for rule in rules if rule.value.match(path)), None)
        except (ImportError, AttributeError):  # another version of Protego
            return "a rule of robots.txt"
        return f"{found.field.capitalize()}: {found.value._pattern[:200]}" if found else ""


def _for_us(text: str, token: str) -> str:
    """The file with one name for everybody whom its rules for us are not taken from.

    Protego keeps the rules of a group for each of its names: a megabyte may hold ten thousand names and as many rules.
    """
    lines = text.splitlines()
    named = [(place, found[1].replace("*", "").strip().lower()) for place, found in _agents(lines)]
    ours = max((name for _, name in named if token.lower().startswith(name)), key=len, default="")
    for place, name in named:
        if name != ours:
            lines[place] = _OTHERS
    return "\n".join(lines)


def _agents(lines: list[str]) -> Iterator[tuple[int, re.Match[str]]]:
    return ((place, found) for place, line in enumerate(lines) if (found := _AGENT.match(line)))


def robots_of(root: str) -> str:
    """Address of the robots.txt of a host."""
    return f"{root}/robots.txt"


def is_robots(url: str) -> bool:
    """Whether an address is that of a robots.txt, which is no page."""
    return urlsplit(url).path == "/robots.txt"
