"""What a service would refuse of a file of examples, found before it is uploaded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from seedbed.core import numbers
from seedbed.core.numbers import things

from .models import AT_LEAST, TunedModel
from .rules import RULES, broken, texts_of

#: Counts the tokens of each text.
Count = Callable[[Sequence[str]], Iterable[int]]
#: Rows that are named of all that break a rule.
MOST = 10
#: Bytes of a token in English text, where nobody counts.
_BYTES_A_TOKEN = 4
TOO_LONG = "too_long"
_OF_MANY = {"has": "have", "does": "do", "calls": "call"}


@dataclass
class Verdict:
    """What was seen of a file so far.

    Attributes:
        model: Limits; none where the model is not known.
        count: Counts tokens; without it they are estimated from bytes.
        epochs: Times that each token is learned from, for limits and costs.
    """

    model: TunedModel | None = None
    count: Count | None = None
    epochs: int = 3
    examples: int = 0
    bytes: int = 0
    tokens: int = 0
    longest: int = 0
    broken: Counter[str] = field(default_factory=Counter)
    """Examples by the rule that they break."""
    rows: dict[str, None] = field(default_factory=dict)
    """Names of the first that break one."""
    places: dict[str, str] = field(default_factory=dict)
    """The first example that breaks a rule, and its message, by rule."""

    def look(self, names: Sequence[str], examples: Sequence[Any]) -> None:
        """Look at more examples.

        Args:
            names: What to call them.
            examples: Lines of the file, as JSON.
        """
        tokens = self._tokens(examples)
        limit = self.model.example_tokens if self.model else None
        for name, example, length in zip(names, examples, tokens, strict=True):
            self.examples += 1
            self.bytes += len(orjson.dumps(example)) + 1
            self.tokens += length
            self.longest = max(self.longest, length)
            for rule, place in broken(example):
                self.note(rule, name, place)
            if limit is not None and length > limit:
                self.note(TOO_LONG, name)

    def note(self, rule: str, name: str, place: int = 0) -> None:
        """Note that an example breaks a rule: one of `RULES`, or another word that says what it breaks."""
        self.broken[rule] += 1
        self.places.setdefault(rule, f"{name}, message {place}" if place else name)
        if len(self.rows) < MOST:
            self.rows[name] = None

    def _tokens(self, examples: Sequence[Any]) -> list[int]:
        told = [texts_of(one) for one in examples]
        if self.count is None:
            return [more + -(-sum(len(text.encode()) for text in texts) // _BYTES_A_TOKEN) for texts, more in told]
        counted = iter(self.count([text for texts, _ in told for text in texts]))
        return [more + sum(int(next(counted)) for _ in texts) for texts, more in told]

    def problems(self, *, training: bool = True) -> Iterator[str]:
        """What a service would refuse, a sentence each without its end.

        Args:
            training: Whether the file is trained on: another needs no number of examples.
        """
        at_least = self.model.at_least if self.model else AT_LEAST
        if training and self.examples < at_least:
            yield f"{things(self.examples, 'example')}, and at least {at_least} are needed"
        for rule, n in self.broken.most_common():
            yield f"{things(n, 'example')} {self._said(rule, n)} (first {self.places[rule]})"
        limits = self.model
        if limits and limits.file_bytes and self.bytes > limits.file_bytes:
            yield f"the file has {numbers.size(self.bytes)}, and at most {numbers.size(limits.file_bytes)} are taken"
        if training and limits and limits.job_tokens and self.tokens * self.epochs > limits.job_tokens:
            tokens, most = numbers.count(self.tokens * self.epochs), numbers.count(limits.job_tokens)
            yield f"{tokens} tokens in {self.epochs} epochs, and at most {most} are taken"

    def _said(self, rule: str, many: int) -> str:
        if rule == TOO_LONG and self.model is not None:
            said = f"has more than {numbers.count(self.model.example_tokens or 0)} tokens"
        else:
            said = RULES.get(rule) or f"has what cannot be said ({rule})"
        verb, _, rest = said.partition(" ")
        return said if many == 1 else f"{_OF_MANY[verb]} {rest}"

    def measured(self) -> str:
        """Examples, tokens and costs in a sentence."""
        about = "" if self.count else "about "
        told = (
            f"{things(self.examples, 'example')}, {about}{numbers.count(self.tokens)} tokens, at most "
            f"{about}{numbers.count(self.longest)} in one"
        )
        cost = self.model.cost(self.tokens, self.epochs) if self.model else None
        if cost is None or self.model is None:
            return told
        return f"{told}; {things(self.epochs, 'epoch')} would cost about {cost:,.2f} {self.model.currency}"
