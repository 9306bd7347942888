"""Connections that lead where they may lead, and end in time."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Any, Literal

from .failing import FetchError, failed

if TYPE_CHECKING:
    import httpcore

AllowPrivate = bool | Literal["same_host"]

#: IPv4 addresses stand inside these (RFC 6052, RFC 3056).
_NAT64, _6TO4 = ip_network("64:ff9b::/96"), ip_network("2002::/16")
#: All that IPv6 has given out as public, and what of it is for examples. The rest holds old and new ways into a machine
#: or a network: `::127.0.0.1`, `::ffff:0:127.0.0.1`, `64:ff9b:1::`, site-local addresses.
_GIVEN_OUT, _EXAMPLES = ip_network("2000::/3"), ip_network("3fff::/20")
_MAY = "such addresses are refused, so that no page leads into a private network; `allow_private: true` allows them"


def is_private(address: str) -> bool:
    """Whether an IP address is none of the public internet: loopback, private, link-local, multicast, reserved."""
    found = ip_address(address.partition("%")[0])
    inside = _inside(found)
    if inside is not None:
        return is_private(str(inside))
    if isinstance(found, IPv6Address) and (found not in _GIVEN_OUT or found in _EXAMPLES):
        return True
    return not found.is_global or found.is_multicast


def _inside(found: IPv4Address | IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address leads to."""
    if isinstance(found, IPv4Address):
        return None
    if found in _NAT64:
        return IPv4Address(int(found) & 0xFFFFFFFF)
    if found in _6TO4:
        return IPv4Address((int(found) >> 80) & 0xFFFFFFFF)
    return found.ipv4_mapped


class Guard(threading.local):
    """What holds for the request of this thread: where it may lead, and until when it may last."""

    def __init__(self, allow: AllowPrivate, private: dict[str, list[str]]) -> None:
        self.allow = allow
        self._private = private
        """Hosts to which connections lead that are not public, with their addresses; of all threads."""
        self.asked = ""
        """The host of the address that was asked for, before any redirect."""
        self.deadline = float("inf")

    def may_be_private(self, host: str) -> bool:
        """Whether the host may have an address that is not public."""
        return self.allow is True or (self.allow == "same_host" and host == self.asked)

    def check(self, host: str, addresses: Iterable[str]) -> list[str]:
        """The addresses that may be connected to.

        Raises:
            FetchError: None of them may.
        """
        known = list(dict.fromkeys(addresses))
        good = [address for address in known if self.may_be_private(host) or not is_private(address)]
        if not good:
            raise failed("private_address", f"{host} is no public address ({', '.join(known[:2])})", hint=_MAY)
        if self.allow == "same_host" and any(map(is_private, good)):
            self._private[host] = good
        return good

    def check_again(self, host: str) -> None:
        """Before a connection is used that may be open already, perhaps for a request that might lead there.

        Raises:
            FetchError: This one may not.
        """
        if host in self._private:
            self.check(host, self._private[host])

    def check_known(self, host: str, port: int) -> None:
        """What the name means on this machine, where it is known here at all: for what a proxy connects to.

        Raises:
            FetchError: It may not be asked for.
        """
        try:
            addresses = resolved(host, port)
        except FetchError:
            return
        self.check(host, addresses)

    def left(self, timeout: float | None) -> float:
        """Seconds that the next wait may last.

        Raises:
            ReadTimeout: The time of the whole request is over.
        """
        import httpcore

        left = self.deadline - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the time for the whole answer is over")
        return left if timeout is None else min(left, timeout)


def resolved(host: str, port: int) -> list[str]:
    """IP addresses of a host.

    Raises:
        FetchError: Its name has none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        again = isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN
        hint = "is the name right, and the network up?"
        raise failed("dns", f"no address is known for the host {host}", hint=hint, again=again) from None
    return [str(where[4][0]) for where in found]


class Guarded:
    """Looks up names itself and connects to what it looked at, so that no name means another address by then.

    An `httpcore.NetworkBackend` by what it does: to be a subclass, the library would have to be imported here.
    """

    def __init__(self, guard: Guard) -> None:
        import httpcore

        self._guard = guard
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> _Timed:
        """Connect to the first of the host's addresses that answers."""
        import httpcore

        *others, last = self._guard.check(host, resolved(host, port))
        for address in others:
            try:
                return self._connected(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return self._connected(last, port, timeout, local_address, socket_options)

    def _connected(self, address: str, port: int, timeout: float | None, *more: Any) -> _Timed:
        return _Timed(self._plain.connect_tcp(address, port, self._guard.left(timeout), *more), self._guard)


class _Timed:
    """A connection whose every wait ends by the request's deadline."""

    def __init__(self, stream: httpcore.NetworkStream | _Timed, guard: Guard) -> None:
        self._stream, self._guard = stream, guard

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._guard.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._guard.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> _Timed:
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, self._guard.left(timeout)), self._guard)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
