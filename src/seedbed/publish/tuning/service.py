"""A service that fine-tunes models by OpenAI's protocol; what may go wrong is told without the key."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from seedbed.core.context import conceal, expand, key_of
from seedbed.core.errors import ModelError, RecipeError, SeedbedError
from seedbed.core.ledger import mask

Found = TypeVar("Found")
#: Statuses that pass: the service is busy, or has fallen over.
_PASSING = (408, 409, 425, 429, 500, 502, 503, 504)
#: Seconds between tries, at most, whatever a service asks for.
_LONGEST_PAUSE = 60.0
_FIRST_PAUSE = 0.5
#: Pages of a list that are looked at for something of ours.
_MOST_PAGES = 10
#: Bytes of a result file that are fetched.
_LONGEST = 64 << 20
ENDED = ("succeeded", "failed", "cancelled")


@dataclass(frozen=True)
class Job:
    """What a service says of a job."""

    id: str
    status: str
    model: str | None = None
    """The fine-tuned model, once there is one."""
    tokens: int | None = None
    """That were trained on, and are paid for."""
    results: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True)
class Event:
    """Something that happened to a job."""

    id: str
    message: str
    measured: bool = False
    """Whether it only tells how training goes."""


@dataclass
class Service:
    """The service behind an address.

    Attributes:
        address: As the recipe writes it; placeholders are filled in where it is asked.
        key: The placeholder of the key; empty where none is needed.
        seconds: That an answer may take.
        retries: Of a call that fails for now.
        at: Where the recipe names it, for messages.
    """

    address: str
    key: str
    seconds: float
    retries: int
    at: str
    _client: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        import openai

        address = expand(self.address, at=self.at)
        if urlsplit(address).scheme not in ("http", "https"):
            raise RecipeError("`endpoint` is no http address", at=self.at, hint="such as https://HOST/v1")
        self._client = openai.OpenAI(
            base_url=address,
            # One is always sent: the client would otherwise take a key from the environment that no recipe names.
            api_key=key_of(self.key, at=self.at) if self.key else "none",
            max_retries=0,
            timeout=self.seconds,
            http_client=openai.DefaultHttpxClient(follow_redirects=False),
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    # -- files

    def upload(self, path: Path, name: str) -> str:
        """The id of a file of this name, which is uploaded unless it is there. A name says what the file holds."""

        def uploaded() -> str:
            with path.open("rb") as file:
                return str(self._client.files.create(file=(name, file), purpose="fine-tune").id)

        return self._tried(uploaded, lambda: self._file_named(name, path.stat().st_size))

    def _file_named(self, name: str, size: int) -> str | None:
        files = self._listed(lambda **page: self._client.files.list(purpose="fine-tune", **page))
        ours = (one for one in files if one.filename == name and one.bytes == size and one.status != "error")
        return next((str(one.id) for one in ours), None)

    def content(self, file: str) -> bytes | None:
        """What a file holds, up to 64 MiB of it; nothing where it is gone.

        Raises:
            ModelError: It is longer, or cannot be had.
        """
        import openai

        def fetched() -> bytes | None:
            body = b""
            try:
                with self._client.files.with_streaming_response.content(file) as response:
                    for piece in response.iter_bytes():
                        body += piece
                        if len(body) > _LONGEST:
                            raise self._failed(f"the file {file[:60]!r} is longer than {_LONGEST >> 20} MiB")
            except openai.NotFoundError:
                return None
            except (openai.OpenAIError, SeedbedError):
                raise
            except Exception as error:  # noqa: BLE001 - of whichever HTTP library the client is built on
                raise ConnectionError(f"the connection broke in a file ({type(error).__name__})") from None
            return body

        return self._tried(fetched)

    # -- jobs

    def start(self, asked: Mapping[str, Any], others: Collection[str], *, may_be_there: bool = False) -> Job:
        """Start a job; or find it, where it was asked for and nobody knows what became of that.

        Args:
            asked: What the service is told: `model`, `training_file` and so on.
            others: Jobs that were asked for otherwise, perhaps with the same files.
            may_be_there: Whether it was asked for before.
        """

        def lost() -> Job | None:
            return self._job_of(asked, others)

        found = self._tried(lost) if may_be_there else None
        return found or self._tried(lambda: _job(self._client.fine_tuning.jobs.create(**asked)), lost)

    def _job_of(self, asked: Mapping[str, Any], others: Collection[str]) -> Job | None:
        """A job that was made of these files, has not failed and was not cancelled."""
        files = (asked["training_file"], asked.get("validation_file"))
        for one in self._listed(self._client.fine_tuning.jobs.list):
            same = (one.training_file, one.validation_file) == files and one.model == asked["model"]
            if same and one.id not in others and one.status not in ("failed", "cancelled"):
                return _job(one)
        return None

    def job(self, id: str) -> Job:
        """How a job stands."""
        return self._tried(lambda: _job(self._client.fine_tuning.jobs.retrieve(id)))

    def events(self, id: str, seen: set[str]) -> list[Event]:
        """What happened since, the oldest first; `seen` notes it."""

        def asked() -> list[Event]:
            found: list[Event] = []
            for one in self._listed(lambda **page: self._client.fine_tuning.jobs.list_events(id, **page)):
                if one.id in seen:  # the newest come first
                    break
                measured = getattr(one, "type", None) == "metrics"
                found.append(Event(str(one.id), self.shown(str(one.message)), measured))
            return found[::-1]

        found = self._tried(asked)
        seen.update(one.id for one in found)
        return found

    def checkpoints(self, id: str) -> list[dict[str, Any]]:
        """Models of earlier steps, the first one first; none of a service that keeps none."""

        def asked() -> list[dict[str, Any]]:
            found = self._listed(lambda **page: self._client.fine_tuning.jobs.checkpoints.list(id, **page))
            told = [json.loads(self._concealed(one.model_dump_json(exclude_none=True))) for one in found]
            return sorted(told, key=lambda one: int(one.get("step_number", 0)))

        return self._tried(asked)

    def _listed(self, asked: Callable[..., Any]) -> Iterator[Any]:
        """What stands in a list, page by page; nothing at a service that keeps none."""
        import openai

        after: dict[str, str] = {}
        for _ in range(_MOST_PAGES):
            try:
                page = asked(limit=100, **after)
            except openai.NotFoundError:
                return
            yield from page.data or ()
            if not page.data or not getattr(page, "has_more", False):
                return
            after = {"after": page.data[-1].id}

    # -- what may go wrong

    def _tried(self, call: Callable[[], Found], there: Callable[[], Found | None] | None = None) -> Found:
        """What a call gives, tried again where it fails for now.

        Args:
            call: May be made again.
            there: Looks for what a call made whose answer was lost, before it is made again.

        Raises:
            ModelError: It failed for good.
        """
        import openai

        for left in range(self.retries, -1, -1):
            try:
                lost = there() if there and left < self.retries else None
                return lost if lost is not None else call()
            except openai.APIStatusError as error:
                if not left or error.status_code not in _PASSING:
                    raise self._refused(error) from None
                self._pause(left, error.response.headers.get("retry-after"))
            except openai.APITimeoutError:
                if not left:
                    raise self._failed(
                        f"no answer within {self.seconds:g} seconds", hint="raise `timeout`, or try again"
                    ) from None
                self._pause(left)
            except (openai.APIConnectionError, ConnectionError) as error:
                if not left:
                    raise self._failed(f"cannot be reached: {self.shown(str(error.__cause__ or error))}") from None
                self._pause(left)
            except openai.OpenAIError as error:
                raise self._failed(self.shown(str(error))) from None
            except (AttributeError, TypeError, ValueError, KeyError):  # an answer that is none
                raise self._failed("its answer is not what OpenAI's protocol says", hint=_BASE) from None
        raise AssertionError("unreachable")

    def _pause(self, left: int, asked: str | None = None) -> None:
        pause = _FIRST_PAUSE * 2 ** (self.retries - left) * random.uniform(0.5, 1)
        with suppress(ValueError, TypeError):  # it may be a date, or not there
            pause = float(asked or "")
        time.sleep(min(max(pause, 0), _LONGEST_PAUSE))

    def shown(self, said: str) -> str:
        """What a service said, fit to be shown: in a line, without secrets and personal data."""
        return mask(self._concealed(" ".join(said.split())))[:200]

    def _concealed(self, said: str) -> str:
        return conceal(said, f"{self.key} {self.address}")

    def _failed(self, problem: str, *, hint: str = "") -> ModelError:
        return ModelError(problem, at=self.address, hint=hint or "the same command goes on where this one stopped")

    def _refused(self, error: Any) -> ModelError:
        status, said = int(error.status_code), self.shown(_said(error))
        hints: Mapping[int, str] = {
            401: f"is {self.key} the right key?" if self.key else "`api_key: ${env:NAME}` names a key",
            403: "the key may not fine-tune this model",
            404: f"is `model` right? {_BASE}",
            429: "it asks to slow down, or the quota is used up: the same command goes on later",
        }
        return self._failed(f"HTTP status {status}{f': {said}' if said else ''}", hint=hints.get(status, ""))


_BASE = "is `endpoint` the base address, such as https://HOST/v1?"


def _said(error: Any) -> str:
    """What the service says of an error."""
    body = error.body
    if isinstance(body, Mapping):
        return str(body.get("message") or body.get("error") or body)
    return str(body or error.response.text or "")[:1000]


def _job(told: Any) -> Job:
    if not told.id or not isinstance(told.status, str):
        raise ValueError("no job")
    why = getattr(told, "error", None)
    return Job(
        str(told.id),
        told.status,
        told.fine_tuned_model or None,
        getattr(told, "trained_tokens", None),
        tuple(map(str, getattr(told, "result_files", None) or ())),
        str(getattr(why, "message", "") or "") if why else "",
    )
