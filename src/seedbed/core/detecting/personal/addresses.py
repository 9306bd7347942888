"""E-mail and network addresses, and passwords in URLs."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from .kinds import Span

_EMAIL = re.compile(
    r"(?<![\w.+%&-])(\w[\w.+'%&-]{0,63})@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}(?:[^\W\d_]{2,24}|xn--[a-z0-9-]{2,40})"
    r"(?![\w@])"
)
_CREDENTIALS = re.compile(r"\b[A-Za-z][A-Za-z0-9+.-]{1,20}://([^\s/@:?#]{1,100}:[^\s/@?#]{1,200})@(?=\w)")
_IPV4 = re.compile(r"(?<![\w.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![\w]|\.[0-9])")
_IPV6 = re.compile(r"(?<![\w:.])(?=[0-9A-Fa-f:]*[0-9])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,8}(?![\w:])")
#: Four numbers after such a word or sign are those of a program or a chapter.
_VERSION = re.compile(
    r"(?i)(?:\b(?:v|ver|version|release(?: id)?|build|firmware|section|sec|chapter|netmask)[ .:=]{0,2}['\"]?"
    r"|§ ?|[<>=~!]= ?)$"
)


def emails(text: str) -> Iterator[Span]:
    """Addresses with a name, an `@` and a host whose last label is letters."""
    for found in _EMAIL.finditer(text):
        name = found[1]
        # After a colon in a URL stands a password.
        in_url = re.search(r"://[^\s/@]{0,300}$", text[max(0, found.start() - 300) : found.start()])
        if not name.endswith(".") and ".." not in name and not in_url:
            yield Span("email", found.start(), found.end())


def credentials(text: str) -> Iterator[Span]:
    """`USER:PASSWORD` of `scheme://USER:PASSWORD@host`."""
    for found in _CREDENTIALS.finditer(text):
        yield Span("url_credentials", *found.span(1))


def ips(text: str) -> Iterator[Span]:
    """IPv4 and IPv6 addresses of some machine; not this one's own, and not numbers of versions."""
    for found in _IPV4.finditer(text):
        if _somewhere(found[0]) and not _VERSION.search(text[max(0, found.start() - 16) : found.start()]):
            yield Span("ip", found.start(), found.end())
    for found in _IPV6.finditer(text):
        groups = [group for group in found[0].split(":") if group]
        if len(groups) > 2 and _somewhere(found[0]):
            yield Span("ip", found.start(), found.end())


def _somewhere(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return not (found.is_loopback or found.is_unspecified or found.is_multicast or address.startswith("255."))
