"""What an answer says, in the form of a task's answers."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from seedbed.core.asking.answers import Answer, Form, read_answer

#: The key of the answer, in JSON.
KEY = "answer"
_AROUND = " \t\r\n\"'`*.,:;!"
#: Share of the probability that labels get of which the endpoint says nothing, whatever it says of others.
_LEAST = 1e-4


@dataclass(frozen=True)
class Said:
    """One answer."""

    value: Any = None
    """A label, a list of labels or a number; none where it is none of these."""
    why: str = ""
    """What is wrong with it."""
    shares: Mapping[str, float] | None = None
    """How probable each label was, where the endpoint says so."""


@dataclass(frozen=True)
class Reading:
    """Reads answers.

    Attributes:
        says: `label`, `labels` or `number`.
        labels: The labels, if any.
        plain: Whether the answer is a text, and not JSON.
        before: What a text says before the label or number.
        after: What it says after it.
        none: The text that says that there are no labels.
        smoothing: Share of the probability that is dealt to all labels alike, where the endpoint says none.
    """

    says: str
    labels: tuple[str, ...] = ()
    plain: bool = False
    before: str = ""
    after: str = ""
    none: str = ""
    smoothing: float = 0.1

    @property
    def form(self) -> Form:
        """What a server is told of the answer."""
        label: dict[str, Any] = {"type": "string", "enum": list(self.labels)}
        schema = {
            "label": label,
            "labels": {"type": "array", "items": label},
            "number": {"type": "number"},
        }[self.says]
        return Form({KEY: {"type": "string"} if self.plain else schema}, plain="text" if self.plain else "json")

    def __call__(self, body: bytes) -> Said:
        """What the body of a response says."""
        answer = read_answer(body)
        given, why = self._given(answer)
        if why:
            return Said(why=why)
        if self.says == "number":
            return Said(*self._number(given))
        if self.says == "labels":
            return Said(*self._several(given))
        label, why = self._label(given)
        return Said(label, why, None if label is None else self._sure(answer.text, body, given, label))

    def _given(self, answer: Answer) -> tuple[Any, str]:
        """What stands under the key; the text itself, where it is no JSON: some models cannot."""
        if answer.refused or not answer.text.strip():
            return None, "refused" if answer.refused else "empty_answer"
        if not self.plain:
            candidate = next(Form({KEY: {}}).candidates(answer))
            if not candidate.reason:
                return candidate.row[KEY], ""
            if answer.cut:
                return None, "cut_short"
        text = answer.text.strip()
        if self.plain and text.startswith(self.before.strip()) and text.endswith(self.after.strip()):
            text = text.removeprefix(self.before.strip()).removesuffix(self.after.strip()).strip()
        return text, ""

    def _label(self, given: Any) -> tuple[str | None, str]:
        text = given if isinstance(given, str) else json.dumps(given)
        if text in self.labels:
            return text, ""
        alone = _unpacked(text)
        if isinstance(alone, list) and len(alone) == 1 and isinstance(alone[0], str):
            return self._label(alone[0])
        alike = [label for label in self.labels if _folded(label) == _folded(text)]
        return (alike[0], "") if len(alike) == 1 else (None, "no_such_label")

    def _several(self, given: Any) -> tuple[list[str] | None, str]:
        if isinstance(given, str):
            if self.none and _folded(given) == _folded(self.none):
                return [], ""
            given = [given] if self._label(given)[0] else _unpacked(given)
        if isinstance(given, str):
            given = [piece for piece in given.split(", ") if piece]
        if not isinstance(given, list):
            return None, "no_such_label"
        found = [self._label(one)[0] for one in given]
        if None in found:
            return None, "no_such_label"
        return [label for label in self.labels if label in found], ""

    def _number(self, given: Any) -> tuple[float | None, str]:
        try:
            value = float(given.strip(_AROUND.replace(".", "")) if isinstance(given, str) else given)
        except (TypeError, ValueError):
            value = math.nan
        return (value, "") if math.isfinite(value) and not isinstance(given, bool) else (None, "no_number")

    def _sure(self, text: str, body: bytes, given: Any, value: str) -> Mapping[str, float] | None:
        """How probable each label was, by what each token could have been."""
        tokens = _tokens(body)
        if tokens is None or "".join(token for token, _, _ in tokens) != text or not isinstance(given, str):
            return None
        written = given if self.plain else _in_json(given)
        start = text.rfind(written)
        if start < 0:
            return None
        end = start + len(written)

        def whole(label: str) -> str:
            said = label if self.plain else _in_json(label)
            return text if label == value else text[:start] + said + text[end:]

        found = shares_of(tokens, {label: whole(label) for label in self.labels}, value)
        return found if sum(found.values()) > 0 else None

    def probabilities(self, answers: Sequence[Said], instead: NDArray[np.float64]) -> NDArray[np.float64]:
        """Answers in the form of a task's.

        Args:
            answers: They.
            instead: What stands for an answer that says nothing, shape (labels,) or (1,).

        Returns:
            Shape (answers, labels), or (answers, 1) of numbers.
        """
        found = np.tile(instead, (len(answers), 1))
        for place, one in enumerate(answers):
            if not one.why:
                found[place] = self._as_numbers(one)
        return found

    def _as_numbers(self, one: Said) -> Any:
        if self.says == "number":
            return one.value
        if self.says == "labels":
            held = np.array([label in one.value for label in self.labels])
            return np.where(held, 1 - self.smoothing / 2, self.smoothing / 2)
        if one.shares is not None:
            shares = np.array([one.shares[label] for label in self.labels])
            return (1 - _LEAST) * shares / shares.sum() + _LEAST / len(self.labels)
        held = np.array([label == one.value for label in self.labels])
        return (1 - self.smoothing) * held + self.smoothing / len(self.labels)


def shares_of(
    tokens: Sequence[tuple[str, float, Mapping[str, float]]], answers: Mapping[str, str], said: str
) -> dict[str, float]:
    """How probable each of some whole answers was.

    What was said has the product of its tokens' probabilities. Another answer has that of the tokens before it parts
    from what was said, times that of the token by which it does; answers that part by the same token share it alike.
    What comes after is taken as certain.

    Args:
        tokens: Each token that was said, its probability, and those of others in its place.
        answers: The whole text of each answer.
        said: Which of them it was.
    """
    found = dict.fromkeys(answers, 0.0)
    done, sure = "", 1.0
    for token, probability, others in tokens:
        for other, share in others.items():
            could = [name for name, text in answers.items() if text.startswith(done + other)]
            if other == token or not other or not could or said in could:
                continue
            for name in could:
                found[name] += sure * share / len(could)
        done, sure = done + token, sure * probability
    found[said] += sure
    return found


def _tokens(body: bytes) -> list[tuple[str, float, Mapping[str, float]]] | None:
    """Tokens of an answer, how probable each was, and others in its place; none where the endpoint does not say."""
    try:
        told = orjson.loads(body)["choices"][0]["logprobs"]["content"]
        found: list[tuple[str, float, Mapping[str, float]]] = [
            (
                str(one["token"]),
                math.exp(min(0.0, float(one["logprob"]))),
                {
                    str(other["token"]): math.exp(min(0.0, float(other["logprob"])))
                    for other in one.get("top_logprobs") or ()
                },
            )
            for one in told
        ]
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        return None
    return found or None


def _unpacked(value: Any) -> Any:
    """A list, which stands as JSON where columns hold texts."""
    if not isinstance(value, str) or not value.startswith("["):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value


def _in_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _folded(text: str) -> str:
    return " ".join(text.strip(_AROUND).casefold().split())
