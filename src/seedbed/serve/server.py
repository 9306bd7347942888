"""Listens, serves until it is told to stop, and ends cleanly."""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Callable

from seedbed.core.errors import RecipeError, SeedbedError

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


def listen(host: str, port: int) -> socket.socket:
    """A socket that connections can queue at from now on.

    Raises:
        RecipeError: There is no such address, or the port is taken.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=512)
    except (OSError, UnicodeError) as error:
        taken = getattr(error, "errno", None) == errno.EADDRINUSE
        why = getattr(error, "strerror", None) or str(error)
        problem = f"port {port} is in use" if taken else f"cannot listen there ({why})"
        hint = f"--port {port + 1}, or --port 0 for any free one" if taken else "--host 127.0.0.1 --port 0 always works"
        raise RecipeError(problem, at=f"{host}:{port}", hint=hint) from None


def address_of(listening: socket.socket) -> str:
    """The page's address."""
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


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
    import uvicorn

    settings = uvicorn.Config(
        make_app(predictor, complain=complain),
        access_log=False,  # what people ask may be personal
        log_level="critical",
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=_GRACE,
    )
    uvicorn.Server(settings).run(sockets=[listening])
