"""A job from its start to its end: what happens is shown, and what comes of it is fetched."""

from __future__ import annotations

import base64
import binascii
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from seedbed.core.context import Context
from seedbed.core.errors import ModelError
from seedbed.core.numbers import things
from seedbed.store.places import write_whole

from .service import ENDED, Job, Service
from .state import Asked

#: How much longer each pause is than the one before, and how many times the first it gets.
_SLOWER, _SLOWEST = 1.5, 12


@dataclass(frozen=True)
class Following:
    """Follows a job.

    Attributes:
        service: Where it is done.
        asked: What is known of it; it is brought up to date.
        keep: Writes that down.
        folder: Gets what comes of it.
        every: Seconds between the first looks.
    """

    service: Service
    asked: Asked
    keep: Callable[[], None]
    folder: Path
    every: float

    def to_the_end(self, context: Context) -> None:
        """Follow until the job has ended.

        Raises:
            ModelError: It failed or was cancelled, or the service cannot be asked.
        """
        id, seen, pause = str(self.asked.id), set[str](), self.every
        try:
            with context.stage("Fine-tuning") as stage:
                while True:
                    job = self.service.job(id)
                    self._note(job)
                    for event in self.service.events(id, seen):
                        stage.advance(1, event.message)
                        if not event.measured:
                            context.progress.say(f"{id}: {event.message}")
                    if job.status in ENDED:
                        break
                    stage.advance(0, job.status)
                    time.sleep(pause)
                    pause = min(pause * _SLOWER, max(self.every * _SLOWEST, self.every))
        except KeyboardInterrupt:
            context.progress.say(f"job {id} goes on at the service; the same command comes back to it")
            raise
        if job.status != "succeeded":
            raise failed(self.asked, self.service.address)
        self.fetch(job, context)

    def fetch(self, job: Job, context: Context) -> None:
        """Fetch what came of a job that succeeded."""
        self.asked.checkpoints = self.service.checkpoints(job.id)
        names = []
        for file in job.results:
            body = self.service.content(file)
            if body is not None:
                names.append(f"result-{re.sub(r'[^A-Za-z0-9_-]+', '', file)[:60]}.csv")
                write_whole(self.folder / names[-1], _plain(body))
        self.asked.results = names
        self.keep()
        paid = f" ({things(job.tokens, 'token')} trained)" if job.tokens else ""
        context.progress.say(f"{job.id} is done: the model is {self.asked.fine_tuned_model}{paid}")

    def _note(self, job: Job) -> None:
        before = self.asked.model_copy()
        self.asked.status, self.asked.error = self.service.shown(job.status)[:40], self.service.shown(job.error)
        self.asked.fine_tuned_model, self.asked.trained_tokens = job.model, job.tokens
        if self.asked != before:
            self.keep()


def failed(asked: Asked, at: str) -> ModelError:
    """What became of a job that did not succeed."""
    why = f": {asked.error}" if asked.error else ""
    hint = "mend what it says, or start another with `again: true` (--set again=true)"
    return ModelError(f"job {asked.id} {_HOW.get(asked.status, asked.status)}{why}", at=at, hint=hint)


_HOW = {"failed": "failed", "cancelled": "was cancelled"}


def _plain(body: bytes) -> bytes:
    """The lines of a result file; some services send them as base64."""
    if b"," in body[:200]:
        return body
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        return body
