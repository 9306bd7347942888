"""One file of a web server, straight to disk: gone on with where the connection broke, by ranges, if it is the same."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies

from seedbed.core.context import Stage, conceal, expand
from seedbed.core.errors import DataError
from seedbed.core.numbers import size as sized
from seedbed.core.numbers import typed
from seedbed.core.source import Origin
from seedbed.core.version import __version__
from seedbed.sources.fetching.addresses import Guard
from seedbed.sources.fetching.failing import FetchError, broken, refused
from seedbed.sources.fetching.http import Response, guarded
from seedbed.store.places import write_whole
from seedbed.store.snapshots import now, writing

if TYPE_CHECKING:
    import httpx

#: Times that a file is asked for in one run, while nothing more comes; and seconds before the second.
ATTEMPTS, PAUSE = 5, 0.5
#: Seconds that a server may have us wait between two attempts.
_MOST_WAIT = 60.0
#: Of one file, and of what a refusal says.
MOST_BYTES, _REFUSAL = 1 << 36, 1 << 12
#: Seconds until a server must have answered, and sent something more; bytes a second that it must send on the whole.
_CONNECT, _SILENCE, _SLOWEST = 30, 60, 100
_WHAT_CAME = "what came"
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


@dataclass
class _Got:
    """What is there of a file."""

    part: Path
    seal: Path
    """Validators of what is there, as JSON."""

    @property
    def size(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    @property
    def validator(self) -> str:
        """What asks for the rest of the same file; empty where nothing can."""
        with suppress(OSError, ValueError, AttributeError):
            told = json.loads(self.seal.read_bytes())
            etag = str(told.get("ETag") or "")
            return etag if etag and not etag.startswith("W/") else str(told.get("Last-Modified") or "")
        return ""

    def forget(self) -> None:
        self.part.unlink(missing_ok=True)
        self.seal.unlink(missing_ok=True)


def download(url: str, path: str, part: Path, seal: Path, stage: Stage) -> Origin:
    """Fetch a file.

    Args:
        url: With placeholders in place of secrets.
        path: What the recipe says, whose placeholders are kept out of what is told.
        part: Where it goes; what an earlier run had of it is there.
        seal: Where its validators go meanwhile.
        stage: Shown.

    Raises:
        DataError: It cannot be had. What came stays in `part`.
    """
    import httpx

    got, resumed = _Got(part, seal), 0
    limits = httpx.Timeout(_SILENCE, connect=_CONNECT)
    with _client(expand(url), limits) as client:
        attempt = 0
        while True:
            held = got.size
            resumed = resumed or held
            try:
                answer = _asked(client, expand(url), got, stage)
                break
            except FetchError as error:
                attempt = 1 if got.size > held else attempt + 1
                wait = max(error.wait or 0.0, PAUSE * 2 ** (attempt - 1))
                if not error.again or attempt >= ATTEMPTS or wait > _MOST_WAIT:
                    raise DataError(conceal(error.problem, path), at=url, hint=error.hint) from None
                time.sleep(wait)
            except DataError as error:
                raise DataError(error.problem, at=url, hint=error.hint) from None
            except (httpx.InvalidURL, httpx.TooManyRedirects, ValueError) as error:
                raise DataError(f"cannot be asked: {conceal(str(error), path)[:200]}", at=url) from None
    facts: dict[str, Any] = {name: answer.headers[name] for name in ("ETag", "Last-Modified") if name in answer.headers}
    final = conceal(str(answer.url), path).partition("?")[0]
    if answer.history:
        facts["redirected_to"] = final  # without its query, which may hold a signature
    if answer.status_code == 206:
        facts["resumed_from"] = resumed
    media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    return Origin(url, now(), 200, media_type, facts=facts)


def _client(address: str, limits: httpx.Timeout) -> httpx.Client:
    """Follows redirects, but from another host into no private network: what is there is nobody's data set."""
    import httpx

    guard = Guard("same_host", {})
    with suppress(httpx.InvalidURL):
        guard.asked = httpx.URL(address).host
    if getproxies():
        looks = {"request": [lambda asked: guard.check_known(asked.url.host, asked.url.port or 443)]}
        return httpx.Client(timeout=limits, follow_redirects=True, max_redirects=10, event_hooks=looks)
    client = guarded(guard, "", secure=True)
    client.timeout, client.follow_redirects, client.max_redirects = limits, True, 10
    return client


def _asked(client: httpx.Client, address: str, got: _Got, stage: Stage) -> httpx.Response:
    """The answer, once the file is whole on disk.

    Raises:
        FetchError: It is not.
    """
    import httpx

    held, validator = got.size, got.validator
    headers = {"user-agent": f"Seedbed/{__version__}", "accept-encoding": "identity"}
    if held and validator:
        headers |= {"range": f"bytes={held}-", "if-range": validator}
    try:
        with client.stream("GET", address, headers=headers) as answer:
            if answer.status_code == 416:  # there is nothing after what is there, or less than that
                got.forget()
                raise _again("the file is another than before")
            if not answer.is_success:
                raise _refused(answer)
            found = _RANGE.fullmatch(answer.headers.get("content-range", ""))
            rest = answer.status_code == 206 and found is not None and int(found[1]) == held
            if not rest:
                got.forget()
                told = {name: answer.headers[name] for name in ("ETag", "Last-Modified") if name in answer.headers}
                with writing(_WHAT_CAME):
                    write_whole(got.seal, json.dumps(told).encode())
            _write(answer, got.part, stage)
            return answer
    except httpx.HTTPError as error:
        raise broken(error, late=False) from None


def _write(answer: httpx.Response, part: Path, stage: Stage) -> None:
    begun, came = time.monotonic(), 0
    with writing(_WHAT_CAME), part.open("ab") as out:
        for piece in answer.iter_bytes():
            out.write(piece)
            out.flush()  # what came is there, whatever ends this
            came += len(piece)
            stage.advance(len(piece))
            if out.tell() > MOST_BYTES:
                raise FetchError(f"it does not end after {typed(sized(MOST_BYTES))}", hint="is this a file?")
            if came < _SLOWEST * (time.monotonic() - begun - _SILENCE):
                raise FetchError("it comes too slowly to ever end", hint="run again later: it goes on where it was")


def _again(problem: str) -> FetchError:
    error = FetchError(problem)
    error.again = True
    return error


def _refused(answer: httpx.Response) -> FetchError:
    body = b""
    for piece in answer.iter_bytes(_REFUSAL):
        body = (body + piece)[:_REFUSAL]
        break
    headers: Mapping[str, str] = {name.lower(): value for name, value in answer.headers.items()}
    return refused(Response("", answer.status_code, headers, body))
