"""Whether whoever asks sits at the server's own machine, and asked it by a name of that machine."""

from __future__ import annotations

import ipaddress

from seedbed.core.serving import Scope

#: What a proxy adds when it passes a request on for somebody elsewhere.
_PASSED_ON = frozenset({b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip"})


def is_asked_here(scope: Scope) -> bool:
    """Whether a request comes from this machine, for itself: not through a proxy, nor by a name that others own."""
    client = scope.get("client")
    if not client or not _is_loopback(client[0]):
        return False
    headers = dict(scope["headers"])
    if _PASSED_ON & headers.keys():
        return False
    host = headers.get(b"host", b"").decode("latin-1")
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() and not host.endswith("]") else host
    return name.lower() == "localhost" or _is_loopback(name.strip("[]"))


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
