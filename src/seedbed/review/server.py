"""Listens, until it is told to stop."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

from seedbed.core.serving import address_of, serve_app

from .api import check_needs, make_app
from .card import Card
from .desk import Desk
from .people import People

#: Seconds that requests under way get when the server is told to stop.
_GRACE = 3


def links(listening: socket.socket, people: People) -> dict[str, str]:
    """A link for each person. The token stands behind the `#`, which no browser sends anywhere."""
    base = address_of(listening)
    return {name: f"{base}/#{token}" for token, name in people.tokens.items()}


def serve(
    desk: Desk,
    people: People,
    listening: socket.socket,
    *,
    host: str,
    complain: Callable[[str], None],
    card: Card | None = None,
) -> None:
    """Serve until Ctrl-C, or a signal to end.

    Raises:
        KeyboardInterrupt: It was told to stop, and has.
        MissingExtraError: The web server is not installed.
    """
    check_needs()
    threading.Thread(target=desk.get_ready, daemon=True).start()  # somebody will ask for similar rows
    serve_app(make_app(desk, people, host=host, card=card, complain=complain), listening, grace=_GRACE)
