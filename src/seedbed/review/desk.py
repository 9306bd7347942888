"""Where several people sit: the queues, the decisions so far, and what each of them does next."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.decision import MOST_LABEL, MOST_ROW, MOST_WHY, Action, Decision, Overlay, Standing
from seedbed.core.errors import DataError, did_you_mean
from seedbed.core.rows import ROW

from .labels import meant, refuse_label
from .queue import Answers, Filters, Queue, Views
from .similar import Similar

#: Characters of a text in a list, and of one that is shown whole.
HEAD, WHOLE = 240, 200_000
#: Items of a window, and rows of one decision, at most.
MOST_ITEMS, MOST_ROWS = 200, 501
#: What a person says of two answers.
_PREFERRED = ("left", "right", "tie", "both_bad")


class GoneError(DataError):
    """A view was let go: the page asks for it anew."""


@dataclass(frozen=True)
class Asked:
    """What a person decides, before it is a line of the file."""

    queue: str
    row: str
    action: Action
    label: str | None = None
    why: str = ""
    also: tuple[str, ...] = ()
    """Other rows of the queue that the same is said of."""


@dataclass
class Desk:
    """The queues of a run and the decisions on them. Threads may share it; other processes may write the same file."""

    queues: dict[str, Queue]
    overlay: Overlay
    labels: tuple[str, ...]
    """The task's."""
    title: str
    run: str
    notes: tuple[str, ...] = ()
    answers: Answers = "label"
    """What people say of a row."""
    _standing: Standing = field(default_factory=Standing)
    _views: Views = field(default_factory=Views)
    _similar: dict[str, Similar] = field(default_factory=dict)
    _news: list[str] = field(default_factory=list)
    """Rows in the order in which something was said on them."""
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _undone: dict[str, list[list[Decision]]] = field(default_factory=dict)
    """What each person can take back, the last thing last."""
    _where: dict[str, list[str]] = field(default_factory=dict)
    _decided: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, queue in self.queues.items():
            self._similar[name] = Similar(queue.items["text"])
            self._decided[name] = set()
            for row in queue.places:
                self._where.setdefault(row, []).append(name)
        self.listen()

    # What others said

    def listen(self) -> None:
        """Take in what was written to the file since, by whomever."""
        with self._lock:
            lines, anew = self.overlay.new()
            if anew:
                self._standing, self._undone = Standing(), {}
                for told in self._decided.values():
                    told.clear()
            for one in lines:
                self._take(one)

    def _take(self, one: Decision) -> None:
        self._standing.take(one)
        self._news.append(one.row)
        stands = self._standing.on(one.row)
        for name in self._where.get(one.row, ()):
            if stands is not None and stands.action != "skip":
                self._decided[name].add(one.row)
            else:
                self._decided[name].discard(one.row)

    def news(self, since: int, who: str) -> dict[str, Any]:
        """What was said since a page last asked: states of rows, and how far each queue is."""
        self.listen()
        with self._lock:
            since = min(max(since, 0), len(self._news))
            rows = list(dict.fromkeys(self._news[since:]))[-MOST_ITEMS:]
            states = {row: self.state(row, who) for row in rows if row in self._where}
            return {"version": len(self._news), "rows": states, "progress": self.progress()}

    def progress(self) -> dict[str, int]:
        """Items of each queue that are decided."""
        return {name: len(rows) for name, rows in self._decided.items()}

    def state(self, row: str, who: str) -> dict[str, Any] | None:
        """What was said on a row; nothing where nobody said anything."""
        stands = self._standing.on(row)
        if stands is None:
            return None
        mine = self._standing.of_person(row, who)
        words = self._standing.words_on(row)
        return {
            "action": stands.action,
            "label": self._shown(row, stands),
            "who": stands.who,
            "torn": self._standing.torn(row),
            "mine": mine.action if mine else None,
            "words": [
                one.model_dump(include={"who", "action", "why", "when"}) | {"label": self._shown(row, one)}
                for one in words
            ],
        }

    def _shown(self, row: str, said: Decision) -> str | None:
        """A decision's label as a page may know it: of two answers the side, and never which model's it is."""
        names = self._where.get(row)
        if said.action != "prefer" or not names or said.label not in ("a", "b"):
            return said.label
        queue = self.queues[names[0]]
        sides = queue.items["sides"][queue.places[row]]
        return ("left", "right")[(sides or "ab").index(said.label)]

    # Looking

    def about(self, who: str) -> dict[str, Any]:
        """What a page shows around the items."""
        self.listen()
        queues = [
            {
                "name": one.name,
                "title": one.title,
                "about": one.about,
                "warning": one.warning,
                "items": one.height,
                "decided": len(self._decided[one.name]),
                "actions": one.actions,
                "asks": one.asks,
                "labels": one.labels[:100],
                "kinds": one.kinds[:100],
            }
            for one in self.queues.values()
        ]
        more = {"notes": [*self.notes, *self._damage()], "file": str(self.overlay.path), "version": len(self._news)}
        told = {"who": who, "title": self.title, "run": self.run, "labels": list(self.labels), "queues": queues}
        return told | {"answers": self.answers} | more

    def _damage(self) -> list[str]:
        n = self.overlay.damaged
        lines = "line" if n == 1 else "lines"
        return [f"{n} {lines} of the file of decisions could not be read and were left out"] if n else []

    def view(self, queue: str, filters: Filters, who: str) -> dict[str, Any]:
        """Begin to look at some of a queue's items; they keep their order while people decide."""
        with self._lock:
            one = self._queue(queue)
            places = self._by_state(one, one.matching(filters), filters.state)
            total, first = len(places), 0
            if not filters.state and total:  # begin where nobody has been
                decided = {one.places[row] for row in self._decided[queue] if self._done(one, row, who)}
                first = next((at for at, place in enumerate(places.tolist()) if place not in decided), 0)
            return {"view": self._views.keep(queue, places), "total": total, "first": first}

    def _done(self, queue: Queue, row: str, who: str) -> bool:
        """Whether a person need not look at a row that is decided: of two answers each says their own word."""
        mine = self._standing.of_person(row, who)
        return queue.asks != "pairs" or (mine is not None and mine.action != "skip")

    def _by_state(self, queue: Queue, places: NDArray[np.int64], state: str) -> NDArray[np.int64]:
        if not state:
            return places
        rows = self._decided[queue.name]
        if state == "torn":
            rows = {row for row in rows if self._standing.torn(row)}
        told = np.zeros(queue.height, dtype=bool)
        told[[queue.places[row] for row in rows]] = True
        return places[told[places] if state != "open" else ~told[places]]

    def window(self, view: str, at: int, n: int, who: str) -> list[dict[str, Any]]:
        """Items of a view, with the start of their texts.

        Raises:
            GoneError: The view was let go.
        """
        with self._lock:
            queue, places = self._view(view)
            some = places[max(at, 0) : max(at, 0) + min(n, MOST_ITEMS)]
            items = queue.items.select(
                ROW, "split", "label", "suggested", "score", "kind", pl.col("text").str.slice(0, HEAD)
            )[some]
            return [one | {"state": self.state(one[ROW], who)} for one in items.to_dicts()]

    def item(self, queue: str, row: str, who: str) -> dict[str, Any]:
        """All that is known of an item.

        Raises:
            DataError: The queue has no such row.
        """
        with self._lock:
            one = self._queue(queue)
            found = one.window([self._place(one, row)])[0]
            state = self.state(row, who)
        other = found["other"] or {}
        texts = {name: found[name] for name in ("text", "left", "right")} | {"other": other.get("text")}
        cut = {name: len(text) - WHOLE for name, text in texts.items() if text and len(text) > WHOLE}
        shown: dict[str, Any] = {name: text[:WHOLE] if text else text for name, text in texts.items()}
        shown["other"] = {**other, "text": shown["other"]} if other else None
        keep = {name: value for name, value in found.items() if name not in ("read", "seen", "sides")}
        return keep | shown | {"cut": cut, "state": state}

    def similar(self, queue: str, row: str, who: str) -> list[dict[str, Any]]:
        """Near copies of an item in its queue, the nearest first.

        Raises:
            DataError: The queue has no such row.
        """
        one = self._queue(queue)
        near = self._similar[queue].to(self._place(one, row))
        items = one.items.select(ROW, "split", "label", pl.col("text").str.slice(0, HEAD))[[at for at, _ in near]]
        return [
            item | {"similarity": similarity, "state": self.state(item[ROW], who)}
            for item, (_, similarity) in zip(items.to_dicts(), near, strict=True)
        ]

    def get_ready(self) -> None:
        """Do now what would keep the first who asks waiting."""
        for one in self._similar.values():
            one.ready()

    # Deciding

    def decide(self, asked: Asked, who: str) -> dict[str, Any]:
        """Write a person's decision down.

        Raises:
            DataError: The queue has no such row, or the decision is none that this queue takes.
        """
        asked = replace(asked, label=self.meant(asked.label)) if asked.label else asked
        queue = self.refuse(asked)
        with self._lock:
            rows = list(dict.fromkeys((asked.row, *asked.also)))
            items = queue.window([self._place(queue, row) for row in rows])
            written = [self._decision(queue, item, asked, who) for item in items]
            self._write(written)
            self._undone.setdefault(who, []).append(written)
            return {"rows": {row: self.state(row, who) for row in rows}, "progress": self.progress()}

    def undo(self, who: str) -> dict[str, Any]:
        """Take a person's last decision back, with all rows that it was about.

        Raises:
            DataError: There is none of this session.
        """
        with self._lock:
            done = self._undone.get(who)
            if not done:
                raise DataError("there is nothing to undo", at="undo", hint="what was decided is decided anew instead")
            last = done[-1]
            new = {"action": "undo", "when": _now(), "label": None, "why": ""}
            self._write(one.model_copy(update={**new, "id": _new_id(), "undoes": one.id}) for one in last)
            done.pop()
            rows = [one.row for one in last]
            states = {row: self.state(row, who) for row in rows}
            return {"rows": states, "queue": last[0].queue, "progress": self.progress()}

    def _write(self, decisions: Iterable[Decision]) -> None:
        self.overlay.append(decisions)
        self.listen()

    def _decision(self, queue: Queue, item: dict[str, Any], asked: Asked, who: str) -> Decision:
        label = asked.label
        if asked.action == "prefer":
            label = item["sides"][("left", "right").index(label)] if label in ("left", "right") else label
        return Decision(
            id=_new_id(),
            row=item[ROW],
            action=asked.action,
            label=label,
            was=item["label"] and item["label"][:MOST_LABEL],
            part=item["part"] if asked.action != "reject" else None,
            why=asked.why,
            who=who,
            when=_now(),
            queue=queue.name,
            split=item["split"],
            run=self.run,
            read=item["read"],
            seen=item["seen"],
        )

    def refuse(self, asked: Asked) -> Queue:
        """The queue of a decision that it takes.

        Raises:
            DataError: It does not, or has no such row.
        """
        queue = self._queue(asked.queue)
        self._place(queue, asked.row)
        if asked.action not in queue.actions:
            raise DataError(f"this queue takes no {asked.action!r}", at="action", hint=", ".join(queue.actions))
        if len(asked.also) >= MOST_ROWS:
            raise DataError(f"at most {MOST_ROWS - 1} other rows at once", at="also")
        if len(asked.why) > MOST_WHY:
            raise DataError(f"a reason has at most {MOST_WHY:,} characters", at="why")
        label = asked.label
        if asked.action == "prefer":
            if label not in _PREFERRED or asked.also:
                raise DataError("say left, right, tie or both_bad, of one item", at="label")
        elif asked.action == "relabel" and not label:
            raise DataError("which label?", at="label")
        elif label is not None:
            refuse_label(label, self.answers, self.labels)
        if label is not None and len(label) > MOST_LABEL:
            raise DataError(f"a label has at most {MOST_LABEL:,} characters", at="label")
        if any(len(row) > MOST_ROW for row in (asked.row, *asked.also)):
            raise DataError(f"the id of a row that is decided on has at most {MOST_ROW:,} characters", at="row")
        return queue

    def meant(self, label: str) -> str:
        """A label as the task reads it: of a set a JSON list, in the task's order."""
        return meant(label, self.answers, self.labels)

    def _queue(self, name: str) -> Queue:
        if name not in self.queues:
            raise DataError("there is no such queue", at="queue", hint=did_you_mean(name, self.queues))
        return self.queues[name]

    def _place(self, queue: Queue, row: str) -> int:
        if row not in queue.places:
            raise DataError("the queue has no such row", at="row")
        return queue.places[row]

    def _view(self, name: str) -> tuple[Queue, NDArray[np.int64]]:
        found = self._views.of(name)
        if found is None:
            raise GoneError("this view was let go", at="view", hint="ask for it anew")
        return self.queues[found[0]], found[1]


def _new_id() -> str:
    return secrets.token_hex(8)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def as_action(word: str) -> Action:
    """A word as an action.

    Raises:
        DataError: It is none.
    """
    known = ("accept", "relabel", "reject", "rescue", "skip", "prefer")
    if word not in known:
        raise DataError(f"{word[:40]!r} is no decision", hint=did_you_mean(word, known))
    return cast(Action, word)


def overlay_at(path: Path) -> Overlay:
    """The file of decisions.

    Raises:
        DataError: There is something else at its place.
    """
    if path.is_dir():
        raise DataError("this is a folder, and decisions are a file", at=str(path))
    return Overlay(path)
