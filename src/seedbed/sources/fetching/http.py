"""One polite HTTP client for all sources that fetch: it waits where it is asked to, tries again where that may help,
goes no further than it may, and ends.

    with Client(at="the source", user_agent="…", per_second=2) as client:
        answer = client.get("https://example.org/items", params={"page": "1"})

What is no 2xx after redirects is a `FetchError`, with its `status`, its `reason` in one word and, where a server
refused, its `response`. `slow` sets a crawl delay for one host. Messages name addresses as `conceal` shows them; a
`Response` has them as they are.
"""

from __future__ import annotations

import logging
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol, Self, cast
from urllib.request import getproxies, proxy_bypass

from seedbed.core.showing import clean

from .answers import Response
from .failing import FetchError, TooLarge, broken, failed, refused
from .pacing import Pace
from .packing import ACCEPTED, start_of, unpacked

if TYPE_CHECKING:
    import httpx

    from .addresses import AllowPrivate, Guard

__all__ = ["Auth", "Client", "FetchError", "Response", "TooLarge"]

_MOVED = frozenset({301, 302, 303, 307, 308})
#: Bytes of a refusal's body that are kept.
_REFUSAL = 1 << 16
#: User and password in an address, which is refused then.
_PERSON = re.compile(r"//[^/?#]*@")
#: A wait that a person is told of.
_TOLD = 1.0


class Auth(Protocol):
    """How a client says who it is; asked for each request to the host that was asked, never for another."""

    def headers(self) -> Mapping[str, str]:
        """Headers to send."""

    def params(self) -> Mapping[str, str]:
        """Parameters of the query to send."""

    def renewed(self) -> bool:
        """After a 401: whether there is something new to try."""


def _as_it_is(text: str) -> str:
    return text


class Client:
    """A client for `with`.

    Args:
        at: The source, for messages.
        user_agent: Who asks: a name and, for other people's servers, how to reach the person behind it.
        per_second: Requests to one host in a second, at most.
        timeout: Seconds to wait for a connection, and for each next piece of an answer.
        most_seconds: Seconds for one whole answer, however it drips.
        attempts: How often to ask where asking again may help (no connection, 429, 500, 502, 503, 504).
        backoff: Seconds before the second attempt; each further wait is twice as long, with some chance in it.
        most_wait: Seconds to wait between two attempts at most; a server that asks for more ends the fetch.
        most_bytes: Largest body, unpacked.
        most_redirects: Most redirects of one request; with 0 a redirect is a refusal, whose response names the target.
        allow_private: Whether addresses that are not public may be connected to; `same_host`: on the host that is
            asked for, not where it redirects to.
        headers: Sent to the host that is asked, not where it redirects to.
        auth: Who asks; likewise.
        conceal: Makes a text fit to be shown.
        say: Gets a line for a person where there is a wait of more than a second.
    """

    def __init__(  # noqa: PLR0913
        self,
        *,
        at: str,
        user_agent: str,
        per_second: float | None = None,
        timeout: float = 30.0,
        most_seconds: float = 300.0,
        attempts: int = 5,
        backoff: float = 1.0,
        most_wait: float = 120.0,
        most_bytes: int = 64 << 20,
        most_redirects: int = 10,
        allow_private: AllowPrivate = False,
        headers: Mapping[str, str] | None = None,
        auth: Auth | None = None,
        conceal: Callable[[str], str] = _as_it_is,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self._at, self._conceal, self._say = at, conceal, say or _as_it_is
        self._timeout, self._most_seconds = timeout, most_seconds
        self._attempts, self._backoff, self._most_wait = attempts, backoff, most_wait
        self._most_bytes, self._most_redirects = most_bytes, most_redirects
        self._allow_private = allow_private
        self._own = {"user-agent": user_agent, "accept-encoding": ACCEPTED}
        self._headers, self._auth = dict(headers or {}), auth
        self._pace = Pace(1 / per_second if per_second else 0.0)
        self._clients: dict[tuple[str, str], httpx.Client] = {}
        self._stack = ExitStack()
        self.requests = 0
        """Requests that were sent so far, with redirects and further attempts."""

    def __enter__(self) -> Self:
        from .addresses import Guard

        self._guard: Guard = Guard(self._allow_private, {})
        # Said where a person sees it, and not on standard error.
        logging.getLogger("stamina").addHandler(logging.NullHandler())
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        self._clients = {}

    def slow(self, host: str, seconds: float) -> None:
        """Wait at least so long between two requests to this host: a crawl delay."""
        self._pace.slow(host, seconds)

    def get(
        self, url: str, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Ask for an address.

        Args:
            url: `http` or `https`, without user and password.
            params: Added to its query.
            headers: For this request, over those of the client.

        Raises:
            FetchError: There is no answer, or none that can be used.
        """
        return self.send("GET", url, params=params, headers=headers)

    def send(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Response:
        """As `get`, with any method that changes nothing at the other end, and with a body."""
        import httpx

        try:
            address = _address(httpx.URL(url).copy_merge_params(dict(params or {})))
            asked = _Asked(method, address, {**self._headers, **(headers or {})}, content)
            try:
                return self._tried(asked)
            except FetchError as error:
                if error.status == 401 and self._auth and self._auth.renewed():
                    return self._tried(asked)
                raise
        except FetchError as error:
            raise self._told(error, url) from None
        except (httpx.InvalidURL, ValueError) as error:
            raise self._told(failed("address", f"this is no address that can be asked: {error}"), url) from None

    # -- attempts

    def _tried(self, asked: _Asked) -> Response:
        import stamina

        retrying = stamina.retry_context(
            on=_when_again,
            attempts=self._attempts,
            timeout=None,
            wait_initial=self._backoff,
            wait_max=self._most_wait,
            wait_jitter=self._backoff / 2,
        )
        for attempt in retrying:
            with attempt:
                try:
                    return self._followed(asked)
                except FetchError as error:
                    self._consider(error, attempt.num, attempt.next_wait, asked.url.host)
                    raise
        raise AssertionError("stamina ends with an answer or an error")

    def _consider(self, error: FetchError, number: int, wait: float, host: str) -> None:
        """Before another attempt: whether the wait is too long, and whether a person is told."""
        wait = wait if error.wait is None else error.wait
        if not error.again:
            return
        if wait > self._most_wait:
            error.again, error.reason = False, "throttled"
            error.hint = (
                f"it asks to wait {wait:,.0f} s (more than {self._most_wait:,.0f} are not waited); run again after "
                "that: what came is kept"
            )
        elif number >= self._attempts:
            error.problem += f" ({number} times)" if number > 1 else ""
        elif wait >= _TOLD:
            self._say(clean(f"{host}: {self._conceal(error.problem)}; waiting {wait:,.0f} s"))

    def _followed(self, asked: _Asked) -> Response:
        """The answer at the end of the redirects."""
        self._guard.asked, self._guard.deadline = asked.url.host, time.monotonic() + self._most_seconds
        url, passed = asked.url, list[str]()
        while True:
            answer = replace(self._sent(asked, url), url=str(url), redirects=tuple(passed))
            if not self._most_redirects or answer.status not in _MOVED or "location" not in answer.headers:
                break
            passed.append(str(url))
            url = _address(url.join(answer.headers["location"]))
            circles = str(url) in passed and "set-cookie" not in answer.headers
            if circles or len(passed) > self._most_redirects:
                turns = "in circles" if circles else f"more than {self._most_redirects} times"
                raise failed("redirects", f"the address redirects {turns}", hint="is it the right address?")
            if answer.status == 303 or (answer.status in (301, 302) and asked.method == "POST"):
                asked = replace(asked, method="GET", content=None)
        if not 200 <= answer.status < 300:
            raise refused(answer)
        return answer

    # -- one request

    def _sent(self, asked: _Asked, url: httpx.URL) -> Response:
        import httpx

        headers, content = {**self._own, "accept": "*/*"}, None
        if _at_home(url, asked.url):
            headers |= {name.lower(): value for name, value in asked.headers.items()}
            content = asked.content
            if self._auth:
                headers |= {name.lower(): value for name, value in self._auth.headers().items()}
                url = url.copy_merge_params(dict(self._auth.params()))
        client = self._client(url)
        try:
            request = client.build_request(asked.method, url, headers=headers, content=content, timeout=self._timeout)
        except ValueError:  # says what stands there, which may be a secret
            raise failed("address", "a header has characters that HTTP does not know") from None
        self._pace.wait(url.host)
        self.requests += 1
        try:
            response = client.send(request, stream=True)
            try:
                return self._read(response)
            finally:
                response.close()
        except httpx.HTTPError as error:
            raise broken(error, late=time.monotonic() >= self._guard.deadline) from None

    def _read(self, response: httpx.Response) -> Response:
        headers = {name.lower(): value for name, value in response.headers.items()}
        pieces, coding = self._in_time(response.iter_raw()), headers.get("content-encoding", "")
        good = 200 <= response.status_code < 300
        body = unpacked(pieces, coding, self._most_bytes) if good else start_of(pieces, coding, _REFUSAL)
        return Response("", response.status_code, headers, body)

    def _in_time(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            if time.monotonic() > self._guard.deadline:  # what a proxy sends passes no guard
                raise failed("slow", f"the answer has not come to its end after {self._most_seconds:,.0f} s")
            yield piece

    def _client(self, url: httpx.URL) -> httpx.Client:
        """The client that connects by itself, or that of the environment's proxy."""
        known = getproxies()
        proxy = "" if proxy_bypass(url.host) else known.get(url.scheme) or known.get("all", "")
        if proxy:  # it connects; what the name means here is looked at, where it is known here at all
            self._guard.check_known(url.host, url.port or 443)
        else:
            self._guard.check_again(url.host)
        key = (proxy, url.scheme)
        if key not in self._clients:
            self._clients[key] = self._stack.enter_context(guarded(self._guard, proxy, secure=url.scheme == "https"))
        return self._clients[key]

    def _told(self, error: FetchError, url: str) -> FetchError:
        """The error as a person may read it, with the source and the address."""
        if not error.at:
            shown = _PERSON.sub("//", clean(self._conceal(url)))[:300]
            where = "" if shown == self._at else f" ({shown})"
            error.at, error.problem = self._at, clean(self._conceal(error.problem)) + where
            error.args, error.again = (error.problem, error.at, error.hint), False
        return error


@dataclass(frozen=True)
class _Asked:
    """A request, before any redirect."""

    method: str
    url: httpx.URL
    headers: Mapping[str, str] = field(repr=False)
    content: bytes | None = field(repr=False)


def _when_again(error: Exception) -> bool | float:
    if not isinstance(error, FetchError) or not error.again:
        return False
    return True if error.wait is None else error.wait


def _address(url: httpx.URL) -> httpx.URL:
    """The address without its fragment, if it is one that a client may ask.

    Raises:
        FetchError: It is not.
    """
    if url.scheme not in ("http", "https") or not url.host:
        raise failed("address", f"{str(url)[:100]!r} is no http or https address")
    if url.userinfo:
        raise failed("address", f"the address of {url.host} holds a user name or a password")
    return url.copy_with(fragment=None)


def _at_home(url: httpx.URL, asked: httpx.URL) -> bool:
    """Whether a redirect stays where one was known: same scheme, host and port, or from http to https there."""
    plain = url.scheme == asked.scheme and url.port == asked.port
    safer = (asked.scheme, asked.port, url.scheme, url.port) == ("http", None, "https", None)
    return url.host == asked.host and (plain or safer)


def guarded(guard: Guard, proxy: str, *, secure: bool) -> httpx.Client:
    """A client of httpx whose connections lead where the guard lets them; those of a proxy lead where it likes."""
    import httpcore
    import httpx

    from .addresses import Guarded

    # The first heeds SSL_CERT_FILE, and takes a while; the other trusts nobody, and is not asked.
    trusted = httpx.create_ssl_context() if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if proxy:
        try:
            return httpx.Client(transport=httpx.HTTPTransport(verify=trusted, proxy=proxy), trust_env=False)
        except (ImportError, ValueError):
            raise failed("connection", "the proxy that the environment names cannot be used") from None
    transport = httpx.HTTPTransport(verify=trusted)
    # httpx has no option for what opens connections; httpcore, which it is made of, has.
    guarded = cast("httpcore.NetworkBackend", Guarded(guard))
    transport._pool = httpcore.ConnectionPool(ssl_context=trusted, keepalive_expiry=5.0, network_backend=guarded)
    return httpx.Client(transport=transport, trust_env=False)
