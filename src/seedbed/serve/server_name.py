"""By which name a server is asked, from where and by which page: what other sites have browsers do is refused."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from seedbed.core.serving import Scope, may_be_called, name_in

#: What a proxy adds when it passes a request on for somebody elsewhere.
_PASSED_ON = frozenset({b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip"})


def is_here(host: str) -> bool:
    """Whether an address is reached from this machine only."""
    return host == "localhost" or _is_loopback(host)


def is_asked_here(scope: Scope) -> bool:
    """Whether a request comes from this machine, for itself: not through a proxy, nor by a name that others own."""
    client = scope.get("client")
    if not client or not _is_loopback(client[0]):
        return False
    headers = dict(scope["headers"])
    return not _PASSED_ON & headers.keys() and is_here(name_in(headers.get(b"host", b"").decode("latin-1")))


def stranger(scope: Scope, host: str, origins: Sequence[str]) -> str:
    """Why a request that needs no key is refused all the same; empty where it is not.

    Any page can have a browser send something here (cross-site request forgery). Whoever owns a name can point it at
    this machine; browsers then take his page and this server for one, and let the page read (DNS rebinding).

    Args:
        scope: The request.
        host: The address that is listened on. One that others reach may have any name.
        origins: Pages that may ask.
    """
    headers = {name: value.decode("latin-1").lower() for name, value in scope["headers"]}
    called, origin = headers.get(b"host", ""), headers.get(b"origin", "")
    pages = {one.lower().rstrip("/") for one in origins}
    names = {name_in(one.partition("://")[2]) for one in pages}
    if called and is_here(host) and not may_be_called(called, host) and name_in(called) not in names:
        return "this server is not asked by that name"
    if not origin or scope["method"] in ("GET", "HEAD") or origin in pages:
        return ""
    own = headers.get(b"sec-fetch-site") == "same-origin" or origin.partition("://")[2] == called
    return "" if own else "a page of another site may not ask"


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
