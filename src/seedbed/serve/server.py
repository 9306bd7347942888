"""Listens, serves until it is told to stop, and ends cleanly."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable

from seedbed.core.errors import SeedbedError
from seedbed.core.serving import serve_app

from .api import check_needs, make_app
from .predictor import Predictor
from .standing import owed

#: Seconds that requests under way get when the server is told to stop.
_GRACE = 5


class WithheldError(SeedbedError):
    """A model is not shown to others while its papers are not in order (exit code 1)."""


def is_here(host: str) -> bool:
    """Whether an address is reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def refuse_unfit(predictor: Predictor, host: str) -> tuple[str, ...]:
    """Refuse to show a model to other machines while a gate fails or a question is blank; tells what is owed.

    To its maker, on this machine, it is shown with a banner that says so.

    Raises:
        WithheldError: Something is owed, and others would see the model.
    """
    debts = owed(predictor.run)
    if debts and not is_here(host):
        more = f" (and {len(debts) - 1} more)" if len(debts) > 1 else ""
        raise WithheldError(
            f"this model is not served to other machines: {debts[0]}{more}",
            at=f"--host {host}",
            hint="mend that, answer card.yaml or waive it in the recipe with a reason, and run again; "
            "on this machine (without --host) it is served with a banner",
        )
    return debts


def serve(predictor: Predictor, listening: socket.socket, *, complain: Callable[[str], None]) -> None:
    """Serve a model until Ctrl-C, or a signal to end.

    Args:
        predictor: The model.
        listening: From `listen`.
        complain: Told of failures.

    Raises:
        KeyboardInterrupt: It was told to stop, and has.
        MissingExtraError: The web server is not installed.
    """
    check_needs()
    serve_app(make_app(predictor, complain=complain), listening, grace=_GRACE)
