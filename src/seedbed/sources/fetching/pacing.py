"""How often a host is asked, and how long a server asks to wait."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


class Pace:
    """Keeps the time between the starts of two requests to one host.

    Args:
        seconds: Least time between them, for every host that `slow` does not name.
    """

    def __init__(self, seconds: float = 0.0) -> None:
        self._seconds = seconds
        self._slow: dict[str, float] = {}
        self._next: dict[str, float] = {}
        self._lock = threading.Lock()

    def slow(self, host: str, seconds: float) -> None:
        """Wait at least so long between two requests to this host (a crawl delay); never shorter than for all."""
        self._slow[host] = seconds

    def wait(self, host: str) -> None:
        """Wait until this host may be asked."""
        apart = max(self._seconds, self._slow.get(host, 0.0))
        with self._lock:
            now = time.monotonic()
            start = max(self._next.get(host, now), now)
            self._next[host] = start + apart
        if start > now:
            time.sleep(start - now)


def retry_after(told: str) -> float | None:
    """Seconds that the header Retry-After asks to wait: a number, or a date; none where it says neither."""
    told = told.strip()
    if told.isascii() and told.isdigit():
        return float(told[:12])
    try:
        when = parsedate_to_datetime(told)
    except (ValueError, TypeError, OverflowError):
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max((when - datetime.now(UTC)).total_seconds(), 0.0)
