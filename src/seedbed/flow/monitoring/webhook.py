"""Tells a service of alarms: one POST with JSON, which chat services and pagers take as it is."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from seedbed.core.context import expand
from seedbed.core.errors import ModelError, RecipeError
from seedbed.core.monitoring import Watch
from seedbed.core.numbers import things, typed
from seedbed.core.version import __version__

#: Times that it is tried, seconds that each may take, and seconds to wait between them.
TRIES, TIMEOUT, WAITS = 3, 10.0, (1.0, 4.0)
#: Answers that another try may not get.
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_LONGEST_WAIT = 30.0
#: Alarms that are told.
_MOST = 20


def address_of(written: str) -> str:
    """A webhook's address with its placeholders filled in.

    Raises:
        RecipeError: It is no address of the web, or names a variable that is not set.
    """
    url = expand(written, at="--webhook").strip()
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and url.isprintable() and url.isascii()
        _ = parts.port
    except ValueError:
        known = False
    if not known:
        raise RecipeError("this is no address of the web", at="--webhook", hint="such as '${env:ALARM_URL}'")
    return url


def told(found: Watch) -> dict[str, Any]:
    """What is sent: `text` for people, the rest for programs. No row, and no text of one, is in it."""
    alarms = found.alarms
    text = f"{found.model}: {things(len(alarms), 'alarm')} in {found.window.named}. " + " ".join(
        f"{one.monitor}, {one.what}: {one.told}." for one in alarms[:_MOST]
    )
    return {
        "text": typed(text),
        "model": found.model,
        "digest": found.digest,
        "when": found.when.isoformat(timespec="seconds"),
        "window": found.window.model_dump(mode="json"),
        "alarms": [one.model_dump(mode="json") for one in alarms[:_MOST]],
        "estimated": [one.model_dump(mode="json") for one in found.estimated],
        "performance": [one.model_dump(mode="json") for one in found.performance],
    }


def send(url: str, body: dict[str, Any], *, sleep: Callable[[float], object] = time.sleep) -> int:
    """POST it; tried again where that may help. The address is a secret and stands in no message.

    Returns:
        The times that it was tried.

    Raises:
        ModelError: Nobody took it.
    """
    data = json.dumps(body, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json", "User-Agent": f"seedbed/{__version__}"}
    opener = urllib.request.build_opener(_NoRedirect)
    why = ""
    for attempt in range(1, TRIES + 1):
        request = urllib.request.Request(url, data, headers, method="POST")
        wait = WAITS[min(attempt, len(WAITS)) - 1]
        try:
            with opener.open(request, timeout=TIMEOUT) as answer:
                answer.read(1)
            return attempt
        except urllib.error.HTTPError as error:
            why = f"it answered {error.code}"
            error.close()
            if error.code not in _AGAIN:
                break
            asked = error.headers.get("Retry-After", "")
            wait = min(float(asked), _LONGEST_WAIT) if asked.isdigit() else wait
        except OSError as error:
            reason = getattr(error, "reason", error)
            why = "it took too long" if isinstance(reason, TimeoutError) else f"no answer ({type(reason).__name__})"
        except (ValueError, http.client.HTTPException) as error:  # what is no HTTP at all
            why = f"no answer ({type(error).__name__})"
            break
        if attempt < TRIES:
            sleep(wait)
    where = urlsplit(url).hostname
    raise ModelError(f"nobody took the alarm: {why}", at=f"--webhook {where}", hint="the alarm stands all the same")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """What is sent goes where somebody said, and nowhere else."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        """Follow nothing."""
