"""What the servers of this package share: where they listen, how they end, what they refuse, what each answer says."""

from __future__ import annotations

import errno
import socket
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from .errors import RecipeError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Pages run nothing but their own files, are shown in no other page, and are kept by nobody.
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def listen(host: str, port: int) -> socket.socket:
    """A socket that connections can queue at from now on.

    Raises:
        RecipeError: There is no such address, or the port is taken.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server((host, port), family=family, backlog=512)
    except (OSError, UnicodeError) as error:
        taken = getattr(error, "errno", None) == errno.EADDRINUSE
        why = getattr(error, "strerror", None) or str(error)
        problem = f"port {port} is in use" if taken else f"cannot listen there ({why})"
        hint = f"--port {port + 1}, or --port 0 for any free one" if taken else "--host 127.0.0.1 --port 0 always works"
        raise RecipeError(problem, at=f"{host}:{port}", hint=hint) from None
    # Else an answer waits some 40 ms for the client to acknowledge its head.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def address_of(listening: socket.socket) -> str:
    """The page's address."""
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def serve_app(app: Any, listening: socket.socket, *, grace: int) -> None:
    """Serve an app until Ctrl-C, or a signal to end.

    Args:
        app: An ASGI application.
        listening: From `listen`.
        grace: Seconds that requests under way get then.

    Raises:
        KeyboardInterrupt: It was told to stop, and has.
    """
    import uvicorn

    settings = uvicorn.Config(
        app,
        access_log=False,  # what people ask and see is somebody's data
        log_level="critical",
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=grace,
    )
    uvicorn.Server(settings).run(sockets=[listening])
    raise KeyboardInterrupt  # that is how it ends, whether or not asyncio said so in time


def bounded(receive: Receive, most_bytes: int) -> Receive:
    """A request that is refused (413) once its body is longer, before it is held."""
    taken = 0

    async def counted() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > most_bytes:
            from starlette.exceptions import HTTPException

            raise HTTPException(413, f"the request is longer than {most_bytes:,} bytes")
        return message

    return counted


def headed(send: Send, headers: Mapping[str, str]) -> Send:
    """Answers with some headers, where they do not have their own."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = {name.lower() for name, _ in message["headers"]}
            more = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
            message["headers"] = [*message["headers"], *(one for one in more if one[0] not in given)]
        await send(message)

    return sent
