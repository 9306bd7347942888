"""Where an answer comes from: this snapshot, another of the store, or the endpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from seedbed.core.asking.answers import read_answer
from seedbed.core.asking.calling import Endpoint, Response
from seedbed.core.context import Context
from seedbed.core.errors import Damaged
from seedbed.core.source import Origin
from seedbed.store.snapshots import SNAPSHOTS, Kept, Snapshot, now

from .prompts import Request


def remembered(snapshot: Snapshot, endpoint: str, context: Context) -> dict[str, tuple[Snapshot, Kept]]:
    """Answers of an endpoint by the digest of what was asked, from all snapshots of the store but this one."""
    found: dict[str, tuple[Snapshot, Kept]] = {}
    for folder in sorted((context.store / SNAPSHOTS).glob("*")):
        if folder.name == snapshot.folder.name:
            continue
        other = Snapshot(folder, folder.name)
        for kept in other.ever_kept:
            if kept.origin.url == endpoint and "request" in kept.state and other.path(kept).exists():
                found.setdefault(kept.state["request"], (other, kept))
    return found


class Asking:
    """Answers requests: from what is kept, from what another snapshot has, else by a call."""

    def __init__(
        self, snapshot: Snapshot, endpoint: Endpoint, known: Mapping[str, tuple[Snapshot, Kept]], at: str
    ) -> None:
        self._snapshot, self._endpoint, self._known, self._at = snapshot, endpoint, known, at
        self._held = {kept.name: kept for kept in snapshot.kept}
        self.found = 0
        """Answers that need not be asked for."""

    def __call__(self, requests: Sequence[Request]) -> list[bytes | None]:
        """The bodies of the answers; what has to be asked for is kept as it comes."""
        bodies = {one.name: body for one in requests if (body := self._kept(one)) is not None}
        self.found += len(bodies)
        missing = [one for one in requests if one.name not in bodies]
        for request, response in self._endpoint.answers(missing):
            self._snapshot.keep(request.name, response.body, self._origin(request, response), request=request.digest)
            bodies[request.name] = response.body
        return [bodies.get(one.name) for one in requests]

    def _kept(self, request: Request) -> bytes | None:
        kept = self._held.get(request.name)
        if kept and kept.state["request"] == request.digest:
            return self._snapshot.body(kept, at=self._at)
        if request.digest not in self._known:
            return None
        other, kept = self._known[request.digest]
        try:
            body = other.body(kept, at=self._at)
        except Damaged:  # it is that other source's to mend
            return None
        facts = {**kept.origin.facts, "shown": [one.row for one in request.shown]}
        self._snapshot.keep(request.name, body, replace(kept.origin, facts=facts), request=request.digest)
        return body

    def _origin(self, request: Request, response: Response) -> Origin:
        answer = read_answer(response.body)
        facts: dict[str, Any] = {
            "model": request.body["model"],
            "answered_by": answer.model,
            "request": request.digest,
            "seed": request.body["seed"],
            "shown": [one.row for one in request.shown],
            "response_format": response.form,
            "seconds": response.seconds,
        }
        if answer.usage:
            facts |= {"prompt_tokens": answer.usage.prompt, "answer_tokens": answer.usage.answer}
        return Origin(self._endpoint.address, now(), response.status, response.media_type, facts=facts)
