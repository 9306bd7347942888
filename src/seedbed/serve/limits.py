"""How much a server takes on."""

from __future__ import annotations

from dataclasses import dataclass

#: Most bytes of a request's body, rows of it, and characters of a value.
MOST_BYTES, MOST_ROWS, MOST_CHARACTERS = 4 << 20, 1_000, 100_000
#: Most bytes of bodies that are held at once, whoever sent them.
MOST_HELD = 256 << 20


@dataclass(frozen=True)
class Limits:
    """How much a process takes on, and for how long."""

    waiting: int = 64
    """Requests that may wait for the model; the next one is answered 429."""
    seconds: float = 30.0
    """How long a request may wait and be answered; then it is answered 503."""
    body_seconds: float = 20.0
    """How long the body of a request may take to come."""
    threads: int = 2
    """Threads that answer."""
    together: int = 256
    """Rows of waiting requests that are answered together; 1 answers each request alone."""
    grace: int = 10
    """Seconds that requests under way get when the server is told to stop."""
