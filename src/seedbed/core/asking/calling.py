"""Calls to an OpenAI-compatible endpoint, several at a time; what may go wrong is told without the key."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from seedbed.core.context import conceal, expand, key_of
from seedbed.core.errors import ModelError, RecipeError, SeedbedError
from seedbed.core.ledger import mask

from .answers import Form, read_answer

#: Bytes of the longest response.
LONGEST = 4 << 20
#: Seconds that pauses between retries may take besides.
_GRACE = 60.0
_NO_FORM = (400, 404, 422)


def is_here(address: str) -> bool:
    """Whether an endpoint is on this machine itself; no where that cannot be told, for want of a variable."""
    try:
        host = urlsplit(expand(address)).hostname or ""
        return host == "localhost" or host.endswith(".localhost") or ip_address(host).is_loopback
    except (ValueError, RecipeError):  # a name is no number
        return False


class Request(Protocol):
    """One call."""

    @property
    def body(self) -> Mapping[str, Any]:
        """What is sent, as JSON; but the form of the answer, which not every server can be told."""


Asked = TypeVar("Asked", bound=Request)


@dataclass(frozen=True)
class Response:
    """What came."""

    body: bytes
    status: int
    media_type: str
    seconds: float
    form: str
    """How the server was told what the answer must look like."""


@dataclass
class Endpoint:
    """A model behind an address.

    Attributes:
        address: As the recipe writes it; placeholders are filled in where it is asked.
        key: The placeholder of the key; empty where none is needed.
        form: What the answer must look like.
        told: How the server is told so: `json_schema`, `json_object` or not at all; `auto` asks for the first and takes
            no for an answer.
        parallel: Calls at a time.
        seconds: That a call may take.
        retries: Of a call that fails for now.
    """

    address: str
    key: str
    form: Form
    told: str
    parallel: int
    seconds: float
    retries: int

    def answers(self, requests: Sequence[Asked]) -> Iterator[tuple[Asked, Response]]:
        """The responses, as they come. After a failure those that are under way still come; then it is raised.

        Raises:
            ModelError: A call failed for good.
        """
        failed: list[SeedbedError] = []
        with ThreadPoolExecutor(self.parallel) as threads:
            waiting = {threads.submit(self._call, one): one for one in requests}
            try:
                for future in as_completed(waiting):
                    if future.cancelled():
                        continue
                    try:
                        yield waiting[future], future.result()
                    except SeedbedError as error:
                        failed.append(error)
                        _cancel(waiting)
            except BaseException:  # an interruption does not wait for answers
                _cancel(waiting)
                self.close()
                raise
        if failed:
            raise failed[0]

    def _call(self, request: Request) -> Response:
        began = time.monotonic()
        for left in range(self.retries, -1, -1):
            form = "json_schema" if self.told == "auto" else self.told
            try:
                body, status, kind = self._sent(request, form, began)
                return Response(body, status, kind, round(time.monotonic() - began, 3), form)
            except _CutError as error:
                if not left:
                    raise self._failed(f"the connection broke in the middle of an answer ({error})") from None
                time.sleep(min(0.5 * 2 ** (self.retries - left), 8))
            except _FormError as error:
                if self.told != "auto":
                    raise self._failed(str(error)) from None
                self.told = "none"
                return self._call(request)
        raise AssertionError("unreachable")

    def _sent(self, request: Request, form: str, began: float) -> tuple[bytes, int, str]:
        """The body of a response, its status and its media type."""
        import openai

        try:
            asked = self._client.chat.completions.with_streaming_response.create(**self._arguments(request, form))
            with asked as response:
                body, kind = self._read(response, began), str(response.headers.get("content-type", ""))
                status = int(response.status_code)
        except openai.APIStatusError as error:
            said = self._shown(_said(error))
            about_form = form in ("json_schema", "json_object") and error.status_code in _NO_FORM
            if about_form and any(word in said for word in ("response_format", "json_schema", "json_object")):
                raise _FormError(f"it refuses `response_format` {form} ({said})") from None
            raise self._refused(error, said) from None
        except openai.APITimeoutError:
            raise self._failed(f"no answer within {self.seconds:g} seconds", hint="raise `timeout`") from None
        except openai.APIConnectionError as error:
            said = self._shown(str(error.__cause__ or error))
            raise self._failed(f"cannot be reached: {said}", hint="is the address right, and the server up?") from None
        except openai.OpenAIError as error:
            raise self._failed(self._shown(str(error))) from None
        try:
            read_answer(body)
        except ValueError:
            start = self._shown(body[:200].decode(errors="replace"))
            hint = "is `endpoint` the base address, such as http://HOST:PORT/v1?"
            raise self._failed(f"its answer is no chat completion: {start!r}", hint=hint) from None
        return conceal(body.decode(errors="replace"), self._secret).encode(), status, kind

    def _read(self, response: Any, began: float) -> bytes:
        """The body: in time, and not longer than an answer can be."""
        body = b""
        try:
            for piece in response.iter_bytes():
                body += piece
                if len(body) > LONGEST:
                    raise self._failed(f"an answer is longer than {LONGEST >> 20} MiB")
                if time.monotonic() - began > self.seconds * (self.retries + 1) + _GRACE:
                    raise self._failed(
                        f"an answer does not end within {self.seconds:g} seconds", hint="raise `timeout`"
                    )
        except SeedbedError:
            raise
        except Exception as error:  # noqa: BLE001 - of whichever HTTP library the client is built on
            raise _CutError(type(error).__name__) from None
        return body

    def _arguments(self, request: Request, form: str) -> dict[str, Any]:
        body = dict(request.body)
        known = {name: body.pop(name) for name in ("model", "messages")}
        if form == "json_schema":
            schema = {"name": "row", "schema": self.form.schema, "strict": True}
            body["response_format"] = {"type": form, "json_schema": schema}
        elif form == "json_object":
            body["response_format"] = {"type": form}
        return {**known, "extra_body": body}

    def __post_init__(self) -> None:
        import openai

        if self.form.plain == "text":
            self.told = "none"
        address = expand(self.address, at="endpoint")
        if urlsplit(address).scheme not in ("http", "https"):
            raise self._failed("is no http address", hint="such as https://HOST/v1")
        self._client = openai.OpenAI(
            base_url=address,
            # One is always sent: the client would otherwise take a key from the environment that no recipe names.
            api_key=key_of(self.key, at="api_key") if self.key else "none",
            max_retries=self.retries,
            timeout=self.seconds,
            http_client=openai.DefaultHttpxClient(follow_redirects=False),
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    @property
    def _secret(self) -> str:
        return f"{self.key} {self.address}"

    def _shown(self, said: str) -> str:
        return mask(conceal(" ".join(said.split()), self._secret))[:200]

    def _failed(self, problem: str, *, hint: str = "") -> ModelError:
        return ModelError(problem, at=self.address, hint=hint or "what came is kept: the next run goes on after it")

    def _refused(self, error: Any, said: str) -> ModelError:
        status = int(error.status_code)
        hints: Mapping[int, str] = {
            401: f"is {self.key} the right key?" if self.key else "`api_key: ${env:NAME}` names a key",
            403: "the key may not use this model",
            404: "are `endpoint` (the base address, with /v1) and `model` right?",
            429: f"it asks to slow down, {self.retries} retries long: lower `parallel`, or run again later",
        }
        return self._failed(f"HTTP status {status}{f': {said}' if said else ''}", hint=hints.get(status, ""))


class _CutError(Exception):
    """A body that did not come to its end."""


class _FormError(Exception):
    """A server that cannot be told what the answer must look like."""


def _cancel(futures: Iterable[Future[Response]]) -> None:
    for future in futures:
        future.cancel()


def _said(error: Any) -> str:
    """What the server says of an error."""
    body = error.body
    if isinstance(body, Mapping):
        return str(body.get("message") or body.get("error") or body)
    return str(body or error.response.text or "")[:1000]
