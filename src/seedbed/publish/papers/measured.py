"""What a run measured about the questions of the card, and whether an answer was given about other data.

A person who answers sees the facts beside the question. They are kept with the answer (`keeping.py`), so that a later
run can tell which of them moved since.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from pydantic import Field

from seedbed.core.numbers import count, percent, score, scored, things, typed
from seedbed.core.profile import ColumnFacts, DatasetProfile
from seedbed.core.record import Record
from seedbed.core.run import Run
from seedbed.core.task import Task

from .answers import task_of

#: A count has moved when it differs by more than this share of what it was, a share by more than so much.
COUNT_MOVED, SHARE_MOVED = 0.10, 0.02
_SHOWN = 6


class Fact(Record):
    """Something that a run knows, in a sentence, and as what is compared with another run."""

    name: str
    text: str
    by: Literal["count", "shares", "names", "text", "nothing"] = Field(
        "nothing", description="How it is compared: a number, shares of a whole, a set of names, a text; or not at all."
    )
    counted: float = 0
    shares: dict[str, float] = Field(default_factory=dict)
    names: tuple[str, ...] = ()

    def moved_from(self, before: Fact) -> bool:
        """Whether it is another than before: by more than `COUNT_MOVED` or `SHARE_MOVED`, or another set or text."""
        match self.by:
            case "count":
                return abs(self.counted - before.counted) > COUNT_MOVED * abs(before.counted)
            case "shares":
                both = {*self.shares, *before.shares}
                return any(abs(self.shares.get(one, 0) - before.shares.get(one, 0)) > SHARE_MOVED for one in both)
            case "names":
                return set(self.names) != set(before.names)
            case "text":
                return self.text != before.text
        return False


def changes(before: tuple[Fact, ...], now: tuple[Fact, ...]) -> tuple[str, ...]:
    """What moved between the facts that an answer was given about and those of today, a sentence each.

    A fact that only one of the two runs could measure tells nothing about the data.
    """
    then = {fact.name: fact for fact in before}
    moved = [
        f"{fact.name}: {then[fact.name].text} when it was answered, now {fact.text}"
        for fact in now
        if fact.name in then and fact.moved_from(then[fact.name])
    ]
    return tuple(moved)


class Measured:
    """A run's facts about each question."""

    def __init__(self, run: Run, profile: DatasetProfile | None = None) -> None:
        self.run, self.profile = run, profile
        self.task: Task | None = task_of(run)

    def about(self, key: str) -> tuple[Fact, ...]:
        """The facts that somebody should see who answers a question; none where nothing was measured about it."""
        found = (make(self) for make in _ABOUT.get(key, ()))
        return tuple(fact for fact in found if fact is not None)

    # -- what is known

    def rows(self) -> Fact | None:
        """How many there are."""
        splits = self.run.dataset.splits
        if not splits:
            return None
        total = sum(splits.values())
        by = ", ".join(f"{count(n)} {name}" for name, n in splits.items())
        return Fact(name="rows", text=f"{things(total, 'row')} ({by})", by="count", counted=total)

    def columns(self) -> Fact | None:
        """Their names."""
        names = tuple(column.name for column in self.run.dataset.columns)
        if not names:
            return None
        return Fact(name="columns", text=f"{things(len(names), 'column')}: {_some(names)}", by="names", names=names)

    def purpose(self) -> Fact | None:
        """What a model is to do with it."""
        kind = str(self.run.task.get("kind", "")).replace("_", " ")
        return (
            Fact(name="task", text=f"{kind}: {self.task.summary()}", by="names", names=(kind,))
            if kind and self.task
            else None
        )

    def sources(self) -> Fact:
        """Where rows came from."""
        told = [
            f"{one.name}: {things(one.rows, 'record')} of {things(one.files, 'file')}, as {one.use} from {one.path}"
            for one in self.run.sources
        ]
        names = tuple(f"{one.name} {one.use} {one.path}" for one in self.run.sources)
        return Fact(name="sources", text=_some(tuple(told), "; ") or "none", by="names", names=names)

    def read(self) -> Fact:
        """How many records were read."""
        return Fact(
            name="records", text=f"{things(self.run.rows.read, 'record')} read", by="count", counted=self.run.rows.read
        )

    def fetched(self) -> Fact | None:
        """When what came over a network was fetched, and from where."""
        told = [
            f"{one.name} from {one.fetched.began[:10]} to {one.fetched.ended[:10]}"
            + (f" ({_some(tuple(one.fetched.hosts))})" if one.fetched.hosts else "")
            for one in self.run.sources
            if one.fetched
        ]
        return Fact(name="fetched", text="; ".join(told), by="text") if told else None

    def collectors(self) -> Fact:
        """Who collected the sources, as the recipe says."""
        return self._said("collected by", "collected_by")

    def consented(self) -> Fact:
        """What the recipe says of consent."""
        return self._said("consent", "consent")

    def terms(self) -> Fact:
        """The sources' terms, as the recipe says."""
        return self._said("terms", "terms")

    def licences(self) -> Fact:
        """What the sources are under, and what that demands."""
        names = tuple(f"{one.name}: {one.license or 'not stated'}" for one in self.run.sources)
        found = self.run.licences
        demands = f"; together they demand {found.under}" if found and found.under else ""
        against = f"; {found.problems[0]}" if found and found.problems else ""
        return Fact(name="licences", text=f"{_some(names)}{demands}{against}", by="names", names=names)

    def _said(self, name: str, key: str) -> Fact:
        told = tuple(f"{one.name}: {getattr(one, key)}" for one in self.run.sources if getattr(one, key))
        return Fact(name=name, text=_some(told, "; ") or "not said in the recipe", by="names", names=told)

    def languages(self) -> Fact | None:
        """Languages of the task's texts, as a detector tells them; column by column where there are several."""
        found = [(one, one.text.languages) for one in self._texts() if one.text and one.text.languages]
        if not found:
            return None
        shares = {
            language.language if len(found) == 1 else f"{language.language} in {column.name}": language.share.value
            for column, languages in found
            for language in languages
        }
        told = (
            f"{_shares({one.language: one.share.value for one in languages})} "
            f"(of {things(languages[0].share.of, 'text')} of the column {column.name})"
            for column, languages in found
        )
        return Fact(name="languages", text="; ".join(told), by="shares", shares=shares)

    def lengths(self) -> Fact | None:
        """How long the texts are."""
        text = self._text()
        spread = text.text.characters if text and text.text else None
        if text is None or spread is None:
            return None
        ends, middle = f"{count(spread.low)} to {count(spread.high)}", count(spread.median)
        told = f"texts of {ends} characters in {text.name}, half of them under {middle}"
        return Fact(name="length", text=told, by="count", counted=spread.median)

    def tokens(self) -> Fact | None:
        """How many tokens there are."""
        text = self._text()
        if text is None or text.text is None or not text.text.total_tokens:
            return None
        told = f"{things(text.text.total_tokens, 'token')} in {text.name} ({text.text.tokenizer})"
        return Fact(name="tokens", text=told)

    def personal(self) -> Fact | None:
        """Personal data that stands in the texts, of the kinds that are looked for."""
        columns = [one for one in self._columns() if one.text and one.text.personal]
        shares = {
            f"{kind} in {one.name}": found.value
            for one in columns
            if one.text
            for kind, found in one.text.personal.items()
        }
        if not any(one.text for one in self._columns()):
            return None
        seen = ", ".join(f"{kind}: {percent(share)} of texts" for kind, share in list(shares.items())[:_SHOWN])
        told = seen or "none of the kinds that are looked for was found in the texts that were looked at"
        return Fact(name="personal data", text=told, by="shares", shares=shares)

    def redacted(self) -> Fact | None:
        """What was done about it."""
        steps = [one for one in self.run.steps if one.use in ("redact_pii", "toxicity")]
        told = [
            f"{one.part} changed {things(one.changed, 'row')} and rejected {count(_n(one.rejected))}" for one in steps
        ]
        names = tuple(one.use for one in steps)
        return Fact(name="done about it", text="; ".join(told), by="names", names=names) if steps else None

    def labels(self) -> Fact | None:
        """How the labels are spread."""
        counts: dict[str, int] = {}
        for split in self.run.dataset.labels.values():
            for label, n in split.items():
                counts[label] = counts.get(label, 0) + n
        if not counts or self.task is None or self.task.says not in ("label", "labels"):
            return None
        total = sum(self.run.dataset.splits.values()) or 1
        shares = {label: n / total for label, n in sorted(counts.items(), key=lambda one: -one[1])[:200]}
        return Fact(
            name="labels", text=f"{things(len(counts), 'label')}: {_shares(shares)}", by="shares", shares=shares
        )

    def target(self) -> Fact | None:
        """How the numbers are spread that are to be told."""
        column = self._column(self.task.answer) if self.task and self.task.says == "number" else None
        spread = column.numbers.spread if column and column.numbers else None
        if column is None or spread is None:
            return None
        told = (
            f"{column.name} from {score(spread.low)} to {score(spread.high)}, half of them under {score(spread.median)}"
        )
        return Fact(name="numbers", text=told, by="count", counted=spread.median)

    def missing(self) -> Fact:
        """Columns that lack values."""
        total = sum(self.run.dataset.splits.values())
        shares = {one.name: one.missing / total for one in self.run.dataset.columns if one.missing and total}
        return Fact(name="missing values", text=_shares(shares) or "none", by="shares", shares=shares)

    def steps(self) -> Fact | None:
        """What was done to the rows."""
        told = [
            f"{one.part} rejected {count(_n(one.rejected))} and changed {count(one.changed)}" for one in self.run.steps
        ]
        if not told:
            return None
        names = tuple(one.part for one in self.run.steps)
        return Fact(
            name="steps", text=f"{'; '.join(told)}; {things(self.run.rows.kept, 'row')} left", by="names", names=names
        )

    def made(self) -> Fact:
        """Rows that no person wrote."""
        certificate = self.run.certificate
        written = (certificate.train_only or {}).get("rows", 0) if certificate else 0
        total = self.run.rows.made + written
        told = f"{things(total, 'row')} made by a part or a model" if total else "no row was made"
        return Fact(name="made rows", text=told, by="count", counted=total)

    def agreement(self) -> Fact | None:
        """How far annotators agreed, where a check asked."""
        found = next((one for one in self.run.findings if one.check == "annotator_agreement"), None)
        if found is None or not isinstance(found.value, int | float):
            return None
        return Fact(name="agreement", text=found.message or score(found.value), by="count", counted=found.value)

    def models(self) -> Fact | None:
        """What the best model reached."""
        model, split = self.run.best_model, self.run.judging_split
        reached = model.scores.get(split, {}).get(self.run.metric) if model else None
        if model is None or reached is None:
            return None
        return Fact(name="best model", text=f"{model.name}: {self.run.metric} {typed(scored(reached))} on {split}")

    def dates(self) -> Fact | None:
        """The first and the last date that stands in a column."""
        found = [(one.name, one.dates) for one in self._columns() if one.dates and one.dates.first and one.dates.last]
        told = "; ".join(f"{name}: {dates.first} to {dates.last}" for name, dates in found)
        return Fact(name="dates", text=told, by="text") if told else None

    def _columns(self) -> Iterator[ColumnFacts]:
        yield from self.profile.whole.columns if self.profile else ()

    def _column(self, name: str | None) -> ColumnFacts | None:
        return next((one for one in self._columns() if one.name == name), None)

    def _texts(self) -> list[ColumnFacts]:
        """The columns of the task that hold texts, labels aside; all that hold any where the task is not known."""
        columns = [one for one in self._columns() if one.text]
        if self.task is None:
            return columns
        labels = (self.task.answer,) if self.task.says in ("label", "labels", "number") else ()
        named = {*self.task.roles.values(), *self.task.written, self.task.shown}
        return [one for one in columns if one.name in named and one.name not in labels]

    def _text(self) -> ColumnFacts | None:
        """The column of the task that holds most text."""
        return max(self._texts(), key=lambda one: one.text.total_characters if one.text else 0, default=None)


_Make = Callable[[Measured], Fact | None]
_M = Measured
#: The facts beside each question.
_ABOUT: dict[str, tuple[_Make, ...]] = {
    "license": (_M.licences,),
    "languages": (_M.languages,),
    "collected": (_M.sources, _M.read, _M.fetched, _M.collectors),
    "intended_uses": (_M.purpose, _M.models),
    "sensitive": (_M.personal, _M.redacted),
    "consent": (_M.consented,),
    "out_of_scope_uses": (_M.purpose, _M.languages),
    "biases": (_M.labels, _M.target, _M.languages, _M.missing),
    "annotation": (_M.labels, _M.target, _M.agreement, _M.made),
    "annotations_creators": (_M.made,),
    "annotators": (_M.agreement,),
    "summary": (_M.purpose, _M.rows, _M.columns),
    "curation": (_M.read, _M.steps),
    "language_variety": (_M.languages,),
    "speakers": (_M.collectors,),
    "speech_situation": (_M.fetched, _M.dates),
    "text_characteristics": (_M.lengths, _M.tokens, _M.languages),
    "recording_quality": (_M.sources,),
    "timeframe": (_M.dates, _M.fetched),
    "used_for": (_M.models,),
    "restrictions": (_M.terms, _M.licences),
}


def _n(rejected: dict[str, int]) -> int:
    return sum(rejected.values())


def _some(names: tuple[str, ...], between: str = ", ") -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return between.join(names[:_SHOWN]) + more


def _shares(shares: dict[str, float]) -> str:
    return _some(tuple(f"{name} {percent(share)}" for name, share in shares.items()))
