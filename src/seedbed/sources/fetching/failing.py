"""What may go wrong between an address and its answer."""

from __future__ import annotations

import ssl
from http import HTTPStatus
from typing import TYPE_CHECKING

from seedbed.core.errors import DataError
from seedbed.core.showing import clean

from .pacing import retry_after

if TYPE_CHECKING:
    import httpx

    from .answers import Response

_AGAIN = frozenset({429, 500, 502, 503, 504})
#: Characters of what a server says of a refusal.
_SAID = 160
_HINTS = {
    400: "look at the parameters",
    401: "look at the key, token or password, and at how the server wants it",
    403: "is this key, or this program, allowed to read it?",
    404: "is the address right?",
    429: "what came is kept: run again later, and ask less often (per_second)",
}
_LATER = "what came is kept: run again later"


class FetchError(DataError):
    """An address gave no answer that can be used.

    Attributes:
        reason: One word: `dns`, `connection`, `timeout`, `slow`, `certificate`, `private_address`, `address`,
            `redirects`, `status`, `throttled`, `body`, `too_large`.
        status: Of the response, where there was one.
        response: What came with a status that is a refusal; its body cut to `most_bytes`.
        again: Whether the same request may well succeed a little later.
        wait: Seconds that the server asked to wait.
    """

    reason: str = ""
    status: int | None = None
    response: Response | None = None
    again: bool = False
    wait: float | None = None

    @property
    def passing(self) -> bool:
        """Whether it may be over when somebody asks again, however late."""
        return self.status is None or self.status >= 500 or self.status == 429 or self.again


class TooLarge(FetchError):
    """The body is larger than what is wanted of it."""

    reason = "too_large"


def failed(reason: str, problem: str, *, hint: str = "", again: bool = False) -> FetchError:
    """An error to be told with its address by the client."""
    error = FetchError(problem, hint=hint)
    error.reason, error.again = reason, again
    return error


def refused(answer: Response) -> FetchError:
    """The error of an answer whose status is no 2xx."""
    status = answer.status
    known = status in HTTPStatus._value2member_map_
    phrase = f" {HTTPStatus(status).phrase}" if known else ""
    error = failed("throttled" if status == 429 else "status", f"the server answers {status}{phrase}{_said(answer)}")
    error.hint = _HINTS.get(status, _LATER if status in _AGAIN else "")
    error.status, error.response, error.again = status, answer, status in _AGAIN
    error.wait = retry_after(answer.headers.get("retry-after", "")) if error.again else None
    return error


def _said(answer: Response) -> str:
    """What the server says of it, where that is short text and no page."""
    text = answer.body[: 4 * _SAID].decode(errors="replace").strip()
    if not text or answer.media_type in ("text/html", "application/xhtml+xml") or text.startswith("<"):
        return ""
    return f": {' '.join(clean(text).split())[:_SAID]}"


def broken(error: httpx.HTTPError, *, late: bool) -> FetchError:
    """The error of a request that had no whole answer.

    Args:
        error: What httpx raised.
        late: Whether the time for the whole answer was over.
    """
    import httpx

    if late:
        return failed("slow", "the answer did not come to its end in the time for it", hint=_LATER)
    if isinstance(error, httpx.TimeoutException):
        return failed("timeout", "the server gave no answer in time", hint="`timeout` allows more", again=True)
    cause = _secure(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        hint = "never send a key there; for a server of your own, name its certificate in SSL_CERT_FILE"
        return failed("certificate", f"the server's certificate is not valid: {cause.verify_message}", hint=hint)
    if cause or isinstance(error, httpx.LocalProtocolError):
        why = "no secure connection can be made" if cause else "a header has characters that HTTP does not know"
        return failed("connection", why, hint="is it https, on the right port?" if cause else "")
    if isinstance(error, httpx.ConnectError):
        hint = "is the address right, and does the server run?"
        return failed("connection", "the server cannot be reached: it takes no connection", hint=hint, again=True)
    return failed("connection", "the connection broke before the answer was whole", hint=_LATER, again=True)


def _secure(error: BaseException | None) -> ssl.SSLError | None:
    """What TLS said, somewhere in the chain of causes."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return error
        error = error.__cause__ or error.__context__
    return None
