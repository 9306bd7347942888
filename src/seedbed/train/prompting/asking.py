"""Asks for what is not kept yet, within the caps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from seedbed.core import digest
from seedbed.core.asking.answers import Form, Usage, read_answer
from seedbed.core.asking.calling import Endpoint, is_here
from seedbed.core.asking.caps import Caps, Meter, Price, most_of
from seedbed.core.context import Context, running
from seedbed.core.errors import ModelError
from seedbed.core.numbers import things
from seedbed.core.sending import Service
from seedbed.store.answers import KeptAnswers

from .options import CallingOptions

#: Calls that are weighed against the caps together.
_ROUND = 64
_SURE = {"logprobs": True, "top_logprobs": 20}
#: Who is paid, and what is allowed. Models that differ in all else, as those of a search do, spend from one purse.
_PURSE = {"endpoint", "model", "api_key", "price", "most_cost", "most_tokens", "most_requests"}


class How(BaseModel):
    """How an endpoint is asked; it is saved with the model. There is no key in it, only the name of where it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    endpoint: str
    model: str
    api_key: str = ""
    may_send: str = ""
    form: str = Field(description="How the server is told what to answer.")
    sent: dict[str, Any]
    logprobs: bool
    parallel: int
    timeout: float
    retries: int
    price: Price | None
    most_cost: float | None
    most_tokens: int | None
    most_requests: int | None

    @classmethod
    def of(cls, endpoint: str, model: str, options: CallingOptions, form: str, *, logprobs: bool) -> How:
        """As the options of a learner, or of who judges, say."""
        kept = {"parallel", "timeout", "retries", "price", "most_cost", "most_tokens", "most_requests"}
        return cls(
            endpoint=endpoint,
            model=model,
            api_key=options.api_key or "",
            may_send=options.may_send or "",
            form=form,
            sent=options.sent,
            logprobs=logprobs,
            **{name: getattr(options, name) for name in kept},
        )

    @property
    def service(self) -> Service | None:
        """Who is asked on another machine; none where the endpoint is on this one."""
        return None if is_here(self.endpoint) else Service(self.endpoint, self.may_send)

    @property
    def caps(self) -> Caps:
        """Where asking stops."""
        prices = (self.price.prompt, self.price.answer) if self.price else (0.0, 0.0)
        return Caps(self.most_requests, self.most_tokens, self.most_cost, prices)


@dataclass(frozen=True)
class Request:
    """One call."""

    how: How
    messages: tuple[Mapping[str, str], ...]

    @property
    def body(self) -> dict[str, Any]:
        """What is sent, as JSON; but the form of the answer, which not every server can be told."""
        sure = _SURE if self.how.logprobs else {}
        return {"model": self.how.model, "messages": list(self.messages), **self.how.sent, **sure}

    @cached_property
    def digest(self) -> str:
        """Of what is asked: an answer to the same is the answer to this."""
        return digest.of_json(self.body)

    @property
    def most(self) -> Usage:
        """More tokens than it can take."""
        return most_of(self.body)


@dataclass(frozen=True)
class _Plain:
    """The same call, without what the server does not know."""

    of: Request

    @property
    def body(self) -> dict[str, Any]:
        return {name: value for name, value in self.of.body.items() if name not in _SURE}


@dataclass
class Asking:
    """Answers requests: from what is kept, else by a call."""

    how: How
    form: Form
    store: Path | None = None
    """Where answers are kept; nowhere where None."""
    _own: Meter = field(default_factory=Meter)
    _unsure: bool = False
    """Whether the server does not say how sure the model is."""
    _told: str = ""
    """How the server wants to be told of the form, once that is known."""

    def __call__(self, requests: Sequence[Request]) -> dict[str, bytes]:
        """The bodies of the answers, by the digests of the requests.

        Raises:
            ModelError: The endpoint cannot be reached or refuses, a cap is met, or nothing may be fetched, or sent
                there. What came is kept.
        """
        kept = KeptAnswers.of(self.store, self.how.endpoint) if self.store else None
        wanted = {one.digest: one for one in requests}
        bodies = {key: body for key in wanted if kept and (body := _sound(kept.find(key))) is not None}
        missing = [one for key, one in wanted.items() if key not in bodies]
        if not missing:
            return bodies
        context = running()
        if context is not None and context.offline:
            raise ModelError(
                f"{len(missing):,} of {things(len(wanted), 'answer')} of {self.how.model[:60]} are not kept, and with "
                "--offline nothing is asked",
                at=self.how.endpoint,
                hint="run once without --offline",
            )
        meter = self._meter(context)
        with (
            closing(self._endpoint()) as endpoint,
            context.stage(f"Asking {self.how.model}", len(missing), "answers") if context else nullcontext() as stage,
        ):
            for some in self._rounds(missing, meter):
                for request, body in self._answers(endpoint, some):
                    meter.take(read_answer(body).usage, request.most)
                    bodies[request.digest] = body
                    if kept:
                        kept.keep(request.digest, body)
                    if stage:
                        stage.advance(1)
            self._told = endpoint.told
        return bodies

    def _rounds(self, missing: Sequence[Request], meter: Meter) -> Iterator[list[Request]]:
        """Requests that the caps allow for certain.

        Raises:
            ModelError: They allow no more.
        """
        left = list(missing)
        while left:
            most, some = meter.spent, list[Request]()
            for one in left[:_ROUND]:
                most += one.most
                met = self.how.caps.met(meter.requests + len(some) + 1, most, meter.spent)
                if met and not some:
                    raise ModelError(
                        f"{met}, with {things(len(left), 'row')} left to ask about",
                        at=self.how.endpoint,
                        hint="what came is kept: raise the cap, and the next run goes on after it",
                    )
                if met:  # what others leave unspent may allow it yet
                    break
                some.append(one)
            yield some
            left = left[len(some) :]

    def _answers(self, endpoint: Endpoint, some: Sequence[Request]) -> Iterator[tuple[Request, bytes]]:
        """The answers as they come; without how sure the model is, where the server knows nothing of that."""
        left = {one.digest: one for one in some}
        if self.how.logprobs and not self._unsure:
            try:
                for request, response in endpoint.answers(some):
                    del left[request.digest]
                    yield request, response.body
            except ModelError as error:
                if "logprobs" not in error.problem:
                    raise
                self._unsure = True
        for plain, response in endpoint.answers([_Plain(one) for one in left.values()]) if left else ():
            yield plain.of, response.body

    def _endpoint(self) -> Endpoint:
        how = self.how
        # Recipes are looked at before they run; some addresses only show now, such as those that a search tries.
        if how.service is not None and not how.service.why:
            raise ModelError(
                "this endpoint is on another machine, and nobody said that rows' texts may go there",
                at=how.endpoint,
                hint="say why with `may_send: …` beside `endpoint`, and train again",
            )
        told = self._told or how.form
        return Endpoint(how.endpoint, how.api_key, self.form, told, how.parallel, how.timeout, how.retries)

    def _meter(self, context: Context | None) -> Meter:
        """What the run has spent on this model with these caps, however it was asked; else what this object has."""
        if context is None:
            return self._own
        key = digest.of_json(self.how.model_dump(mode="json", include=_PURSE))
        meter = context.spent.setdefault(key, Meter())
        assert isinstance(meter, Meter)
        return meter


def _sound(body: bytes | None) -> bytes | None:
    """What was kept, if it is an answer."""
    try:
        if body is not None:
            read_answer(body)
    except ValueError:
        return None
    return body
