"""What a response says of a page before anybody reads it."""

from __future__ import annotations

import re

from seedbed.sources.fetching.http import Response

HTML, TEXT = "html", "text"
_MEDIA = {"text/html": HTML, "application/xhtml+xml": HTML, "text/plain": TEXT}
_CHARSET = re.compile(r"""charset\s*=\s*["']?\s*([\w.:-]{1,40})""", re.IGNORECASE)
_DIRECTIVES = frozenset({"noindex", "nofollow", "none"})


def media_of(answer: Response) -> str:
    """`html`, `text`, or empty for what is neither; by its first byte where the server says nothing."""
    if answer.media_type:
        return _MEDIA.get(answer.media_type, "")
    return HTML if answer.body[:512].lstrip()[:1] == b"<" else ""


def charset_of(answer: Response) -> str | None:
    """The encoding that Content-Type names."""
    found = _CHARSET.search(answer.headers.get("content-type", ""))
    return found[1] if found else None


def directives_of(answer: Response, token: str) -> frozenset[str]:
    """What X-Robots-Tag says to everybody and to us: `noindex`, `nofollow`.

    The header may stand there several times (its values come with commas between), and a name before a colon says whom
    the directives after it are for, until the next.
    """
    found, ours = set(), True
    for piece in answer.headers.get("x-robots-tag", "").lower().split(","):
        name, colon, rest = piece.partition(":")
        if colon and name.strip() not in ("unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"):
            ours, piece = name.strip() in (token.lower(), "*"), rest
        if ours and piece.strip() in _DIRECTIVES:
            found.add(piece.strip())
    return frozenset({"noindex", "nofollow"} if "none" in found else found)
