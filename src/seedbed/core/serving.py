"""What the servers of this package share: where they listen, how they end, what they refuse, what each answer says."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
import socket
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from functools import cache
from typing import Any, cast

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
#: Seconds that a client may take to say what it wants; who trickles longer holds a connection and nothing else.
HEAD_SECONDS = 10.0
#: Seconds in which a client must have taken `_LEAST` bytes of its answer, or the rest of it.
READ_SECONDS = 20.0
_LEAST = 16 << 10
#: Seconds after the end in which a request that was on its way is still answered.
_LAST_SECONDS = 0.2
#: Connections that a process holds at once; for the next one, that is closed which has waited longest to say anything.
MOST_CONNECTIONS = 800
#: Connections that wait to be accepted.
_BACKLOG = 512


def listen(host: str, port: int) -> socket.socket:
    """A socket that connections can queue at from now on.

    Raises:
        RecipeError: There is no such address, or the port is taken.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server((host, port), family=family, backlog=_BACKLOG)
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


def name_in(asked: str) -> str:
    """The name in a `Host` header, without its port, in small letters."""
    name = asked.rpartition(":")[0] if asked.rpartition(":")[2].isdecimal() and not asked.endswith("]") else asked
    return name.strip("[]").lower()


def may_be_called(asked: str, host: str) -> bool:
    """Whether a `Host` header names this server: an address, `localhost`, or the name that it was told to listen on.

    Any other name may be somebody's who pointed it here, so that browsers take his page and this server for one.
    """
    name = name_in(asked)
    if name in ("localhost", host.lower()) or name.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def serve_app(app: Any, listening: socket.socket, *, grace: int, head_seconds: float = HEAD_SECONDS) -> None:
    """Serve an app until Ctrl-C, or a signal to end.

    Args:
        app: An ASGI application.
        listening: From `listen`.
        grace: Seconds that requests under way get then.
        head_seconds: Seconds that a client may take for the head of a request.

    Raises:
        KeyboardInterrupt: It was told to stop, and has.
    """
    make_server(app, grace=grace, head_seconds=head_seconds).run(sockets=[listening])
    raise KeyboardInterrupt  # that is how it ends, whether or not asyncio said so in time


def make_server(app: Any, *, grace: int, head_seconds: float = HEAD_SECONDS, read_seconds: float = READ_SECONDS) -> Any:
    """The server of an app, a `uvicorn.Server`; see `serve_app`."""
    import uvicorn

    logging.getLogger("asyncio").addFilter(_in_a_line)
    settings = uvicorn.Config(
        app,
        http=_patient(head_seconds, read_seconds, _most_connections()),
        backlog=_BACKLOG,
        ws="none",
        access_log=False,  # what people ask and see is somebody's data
        log_level="critical",
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=grace,
    )
    return uvicorn.Server(settings)


def _most_connections() -> int:
    """Connections for which this process may have files open, and as many other files."""
    try:
        import resource
    except ImportError:  # on Windows there is no such limit
        return MOST_CONNECTIONS
    most, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * MOST_CONNECTIONS
    if most < wanted and most != resource.RLIM_INFINITY:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MOST_CONNECTIONS if most == resource.RLIM_INFINITY else max(1, min(MOST_CONNECTIONS, most // 2))


class _InALine(logging.Filter):
    """asyncio writes a traceback for each connection that it has no file left for, thousands a second."""

    _again = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Let a line through now and then."""
        if "_start_serving" in str(record.msg):  # it tries again after the server has closed its socket
            return False
        if not str(record.msg).startswith("socket.accept() out of system resource"):
            return True
        if time.monotonic() < self._again:
            return False
        self._again = time.monotonic() + 60
        record.msg, record.args, record.exc_info = "connections wait: too many files are open (ulimit -n)", (), None
        return True


_in_a_line = _InALine()


@cache
def _patient(head_seconds: float, read_seconds: float, most: int) -> type[asyncio.Protocol]:
    """uvicorn's own protocol, which alone would wait for ever for a request's head, and for its answer to be read."""
    from uvicorn.protocols.http.h11_impl import H11Protocol

    terms = {"head_seconds": head_seconds, "read_seconds": read_seconds, "most": most}
    return cast("type[asyncio.Protocol]", type("Patient", (_Patience, H11Protocol), terms))


class _Patience:
    """What a protocol of uvicorn lacks: clocks that run while a client owes a head, or does not read its answer."""

    head_seconds: float
    read_seconds: float
    most: int
    conn: Any
    loop: asyncio.AbstractEventLoop
    transport: Any
    connections: set[Any]
    cycle: Any
    _ending = False
    _clock: asyncio.TimerHandle | None = None
    _reading: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """As uvicorn does, while there are not too many."""
        super().connection_made(transport)  # type: ignore[misc]
        transport.set_write_buffer_limits(high=0)  # to be told of everything that is not read
        if len(self.connections) <= self.most or self._make_room():
            self._watch()

    def _make_room(self) -> bool:
        """End who has owed the head of a request for longest, so that many who say nothing keep nobody out."""
        owing = [one for one in self.connections if one._clock is not None]
        least = min(owing, key=lambda one: one._clock.when(), default=self)
        least._stop()
        self.connections.discard(least)
        least.transport.abort()
        return least is not self

    def pause_writing(self) -> None:
        """As uvicorn does; from now on the client has to read."""
        super().pause_writing()  # type: ignore[misc]
        self._expect_less()

    def resume_writing(self) -> None:
        """As uvicorn does: all is read."""
        self._stop_reading()
        super().resume_writing()  # type: ignore[misc]

    def _expect_less(self) -> None:
        left = self.transport.get_write_buffer_size()
        self._stop_reading()
        self._reading = self.loop.call_later(self.read_seconds, self._look, left)

    def _look(self, before: int) -> None:
        if before - self.transport.get_write_buffer_size() < _LEAST:
            self.transport.abort()
        else:
            self._expect_less()

    def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def data_received(self, data: bytes) -> None:
        """As uvicorn does."""
        super().data_received(data)  # type: ignore[misc]
        self._watch()
        if self._ending:
            self._say_last()

    def shutdown(self) -> None:
        """As uvicorn does, but that answers say that they are the last, and what is on its way here has a moment."""
        self._ending = True
        if not self._say_last():
            self.loop.call_later(_LAST_SECONDS, self._end_if_idle)

    def _say_last(self) -> bool:
        """Whether somebody waits for an answer; then it will say that nothing more is to be asked here."""
        if self.cycle is None or self.cycle.response_complete:
            return False
        self.cycle.keep_alive = False
        if not self.cycle.response_started:
            self.cycle.scope["headers"].append((b"connection", b"close"))
        return True

    def _end_if_idle(self) -> None:
        if not self._say_last() and not self.transport.is_closing():
            super().shutdown()  # type: ignore[misc]

    def connection_lost(self, error: Exception | None) -> None:
        """As uvicorn does."""
        self._stop()
        self._stop_reading()
        super().connection_lost(error)  # type: ignore[misc]

    def _watch(self) -> None:
        """The clock runs from the first byte of a head to its last, however slowly they come."""
        if not self._owed():
            self._stop()
        elif self._clock is None:
            self._clock = self.loop.call_later(self.head_seconds, self._give_up)

    def _owed(self) -> bool:
        """Whether a head is awaited, or the rest of a body that was refused already."""
        import h11

        refused = self.conn.our_state is h11.DONE and self.conn.their_state is h11.SEND_BODY
        return refused or self.conn.their_state is h11.IDLE

    def _stop(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _give_up(self) -> None:
        self._clock = None
        if self._owed():
            self.transport.close()


async def whole_body(receive: Receive, most_bytes: int, seconds: float) -> bytes:
    """A request's body, once it is there.

    Raises:
        HTTPException: It is longer than that (413), or took longer (408); then the connection can be used no more.
        ClientDisconnected: Whoever sent it is gone.
    """
    from starlette.exceptions import HTTPException

    pieces, taken = [], 0
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnected
                piece = message.get("body", b"")
                taken += len(piece)
                if taken > most_bytes:
                    raise HTTPException(413, f"the request is longer than {most_bytes:,} bytes")
                pieces.append(piece)
                if not message.get("more_body", False):
                    return b"".join(pieces)
    except TimeoutError:
        raise HTTPException(408, f"the request was not whole after {seconds:g} seconds") from None


class ClientDisconnected(Exception):
    """Nobody waits for the answer any more."""


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
