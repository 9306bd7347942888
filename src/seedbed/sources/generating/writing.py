"""The order in which rows are asked for and judged: the same whatever comes first, and whether it is asked or read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from seedbed.core.asking.answers import Answer, Candidate, Form, Usage, read_answer
from seedbed.core.asking.caps import Caps, Meter
from seedbed.core.numbers import things

from .diversity import Texts
from .prompts import Prompts, Request, folder_of

#: Calls that are decided on together: how many are sent at a time changes nothing.
ROUND = 16
#: After so many answers in a row that gave no row of a class, no more of it are asked for.
FRUITLESS = 32

#: The bodies of the responses to requests, in their order; none where there is none.
Ask = Callable[[Sequence[Request]], Sequence[bytes | None]]


@dataclass(frozen=True)
class Page:
    """One answer, judged.

    Attributes:
        request: What was asked.
        refused: Why a record is no row, with evidence as JSON, by its number from 1.
        records: Rows and others.
    """

    request: Request
    refused: Mapping[int, tuple[str, str]]
    records: int


@dataclass
class _Class:
    label: str | None
    folder: str
    wanted: int
    asked: int = 0
    got: int = 0
    fruitless: int = 0
    stopped: str = ""
    why: Counter[str] = field(default_factory=Counter)


@dataclass
class Writing:
    """Rows being written.

    Attributes:
        targets: Rows wanted of each class; under none where there are no classes.
        prompts: Makes the requests.
        form: What answers must look like.
        caps: Where to stop.
        compared: The column that is compared, and what it must not be too like to; nothing where all is welcome.
        named: The source's name, in row ids.
        most: Records that are wanted at all; all when none: a quick look does not pay for more.
    """

    targets: Mapping[str | None, int]
    prompts: Prompts
    form: Form
    caps: Caps
    compared: tuple[str, Texts] | None
    named: str
    most: int | None = None
    pages: list[Page] = field(default_factory=list)
    meter: Meter = field(default_factory=Meter)
    capped: str = ""
    """Which cap was met."""

    def __post_init__(self) -> None:
        self.classes = [
            _Class(label, folder_of(label, place), wanted) for place, (label, wanted) in enumerate(self.targets.items())
        ]

    def write(self, ask: Ask, told: Callable[[int], None] = lambda rows: None) -> None:
        """Ask until every class has its rows, gave no more, or a cap is met.

        Args:
            ask: Answers requests.
            told: Gets the rows that an answer gave.
        """
        while requests := self._round():
            bodies = ask(requests)
            for request, body in zip(requests, bodies, strict=True):
                one = next(one for one in self.classes if one.label == request.label)
                if body is None:
                    one.stopped = one.stopped or "no more was asked"
                    continue
                before = one.got
                self._take(request, one, read_answer(body))
                told(one.got - before)

    @property
    def cost(self) -> float:
        """Of all calls so far."""
        return self.caps.price(self.spent)

    @property
    def spent(self) -> Usage:
        """Tokens of all calls so far."""
        return self.meter.spent

    def sentences(self) -> Iterator[str]:
        """What came of it, for people."""
        for one in self.classes:
            what = f"{one.got:,} of {things(one.wanted, 'row')}" + (f" of {one.label}" if one.label is not None else "")
            if one.got < one.wanted:
                refused = ", ".join(f"{n:,} {reason}" for reason, n in one.why.most_common(4))
                why_not = one.stopped or self.capped or "no more were wanted"
                yield f"{what}: {why_not}" + (f" (refused: {refused})" if refused else "")
        if self.meter.uncounted:
            yield self.meter.uncounted_said()

    def _round(self) -> list[Request]:
        """The next calls: the classes in turn, no more than they lack, and no more than the caps allow for certain."""
        planned = dict.fromkeys(range(len(self.classes)), 0)
        requests: list[Request] = []
        planned_for = self.spent
        left = ROUND if self.most is None else min(ROUND, self.most - sum(page.records for page in self.pages))
        while len(requests) < left and not self.capped:
            place = self._next(planned)
            if place is None:
                break
            one = self.classes[place]
            request = self.prompts.request(one.label, one.folder, one.asked + 1)
            planned_for += request.most_tokens
            met = self.caps.met(len(self.pages) + len(requests) + 1, planned_for, self.spent)
            if met:
                # What others of the round leave unspent may allow it yet.
                self.capped = "" if requests else met
                break
            one.asked += 1
            planned[place] += 1
            requests.append(request)
        return requests

    def _next(self, planned: dict[int, int]) -> int | None:
        """The class whose turn it is."""
        lacking = [
            place
            for place, one in enumerate(self.classes)
            if not one.stopped and one.got + planned[place] * self.form.many < one.wanted
        ]
        return min(lacking, key=lambda place: (planned[place], place), default=None)

    def _take(self, request: Request, one: _Class, answer: Answer) -> None:
        """Judge an answer."""
        self.meter.take(answer.usage, request.most_tokens)
        refused: dict[int, tuple[str, str]] = {}
        record, before = 0, one.got
        for record, candidate in enumerate(self.form.candidates(answer), 1):
            reason, evidence = self._judged(candidate, one, f"{self.named}:{request.name}#{record}")
            if reason:
                refused[record] = (reason, json.dumps(evidence, ensure_ascii=False))
                one.why[reason] += 1
            else:
                one.got += 1
        self.pages.append(Page(request, refused, record))
        one.fruitless = 0 if one.got > before else one.fruitless + 1
        if one.fruitless >= FRUITLESS:
            one.stopped = f"its last {FRUITLESS} answers gave no row"

    def _judged(self, candidate: Candidate, one: _Class, row: str) -> tuple[str, Mapping[str, object]]:
        """Why a candidate is no row; an empty reason where it is one."""
        if candidate.reason:
            return candidate.reason, candidate.evidence
        if one.got >= one.wanted:
            return "surplus", {"wanted": one.wanted}
        if self.compared:
            column, texts = self.compared
            near = texts.take(row, str(candidate.row[column] or ""))
            if near:
                return "too_similar", {"of": near[0], "similarity": round(near[1], 4), "column": column}
        return "", {}
