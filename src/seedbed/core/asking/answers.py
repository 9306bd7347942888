"""What a model answered, as rows: checked by a JSON Schema, or refused with a reason."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import orjson
import polars as pl

from seedbed.core.errors import RecipeError

#: Characters of an answer that are looked at, and of an answer that is shown.
_LONGEST = 1 << 20
SHOWN = 1 << 14
_TYPES: dict[str, pl.DataType] = {
    "string": pl.String(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
}
_FENCED = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL | re.IGNORECASE)
#: What stands under a list of rows in one answer.
ROWS = "rows"


@dataclass(frozen=True)
class Usage:
    """Tokens of one call."""

    prompt: int = 0
    answer: int = 0

    @property
    def tokens(self) -> int:
        """Both together."""
        return self.prompt + self.answer

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.prompt + other.prompt, self.answer + other.answer)


@dataclass(frozen=True)
class Answer:
    """What came of one call."""

    text: str
    refused: str = ""
    """Why there is no text, as the server says it."""
    cut: bool = False
    """Whether it ended at the limit of its tokens."""
    usage: Usage | None = None
    model: str = ""


@dataclass(frozen=True)
class Candidate:
    """A row, or why there is none."""

    row: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    raw: str = ""


def read_answer(body: bytes) -> Answer:
    """The answer that the body of a response holds.

    Raises:
        ValueError: It is no chat completion.
    """
    told = orjson.loads(body)
    try:
        choice = told["choices"][0]
        message = choice["message"]
        usage: Any = told.get("usage") or {}
        prompt, answer = usage.get("prompt_tokens"), usage.get("completion_tokens")
        text, refusal = message.get("content"), message.get("refusal")
        if not isinstance(text, str | None) or not isinstance(refusal, str | None):
            raise TypeError
        known = Usage(prompt, answer) if all(type(n) is int and n >= 0 for n in (prompt, answer)) else None
        ended = str(choice.get("finish_reason"))
        refused = refusal or ("content_filter" if ended == "content_filter" else "")
        return Answer(text or "", refused, ended == "length", known, str(told.get("model") or "")[:200])
    except (KeyError, IndexError, TypeError, AttributeError):
        raise ValueError("no chat completion") from None


@dataclass(frozen=True)
class Form:
    """What an answer must look like.

    Attributes:
        fields: The columns, each with its JSON Schema.
        many: Rows that one answer may hold.
        plain: Whether the whole answer is the text of the only column.
    """

    fields: Mapping[str, Mapping[str, Any]]
    many: int = 1
    plain: Literal["json", "text"] = "json"

    @property
    def schema(self) -> dict[str, Any]:
        """JSON Schema of an answer."""
        row = {
            "type": "object",
            "properties": {name: dict(one) for name, one in self.fields.items()},
            "required": list(self.fields),
            "additionalProperties": False,
        }
        if self.many == 1:
            return row
        rows = {"type": "array", "items": row}
        return {"type": "object", "properties": {ROWS: rows}, "required": [ROWS], "additionalProperties": False}

    @property
    def columns(self) -> dict[str, pl.DataType]:
        """Types of the columns; what is a list or an object stands in text, as JSON."""
        return {name: _TYPES.get(str(one.get("type")), pl.String()) for name, one in self.fields.items()}

    def check(self) -> None:
        """Look at the schemas.

        Raises:
            RecipeError: One is no JSON Schema.
        """
        from jsonschema import Draft202012Validator, SchemaError

        for name, one in self.fields.items():
            try:
                Draft202012Validator.check_schema(one)
            except SchemaError as error:
                raise RecipeError(f"is no JSON Schema: {error.message[:200]}", at=f"output.{name}") from None

    @cached_property
    def _validator(self) -> Any:
        from jsonschema import Draft202012Validator

        one = Form(self.fields).schema
        return Draft202012Validator({**one, "additionalProperties": True})

    def candidates(self, answer: Answer) -> Iterator[Candidate]:
        """The rows of an answer; at least one candidate, and at most as many as were asked for and one."""
        raw = (answer.text or answer.refused)[:SHOWN]
        if answer.refused or not answer.text.strip():
            reason = "refused" if answer.refused else "empty_answer"
            yield Candidate(reason=reason, evidence={"said": answer.refused[:200]} if answer.refused else {}, raw=raw)
            return
        if self.plain == "text":
            yield self._plain(answer, raw)
            return
        found = _objects(answer.text[:_LONGEST])
        if not found:
            cut = answer.cut or len(answer.text) > _LONGEST
            reason = "cut_short" if cut else "not_json"
            yield Candidate(reason=reason, evidence={"characters": len(answer.text)}, raw=raw)
        for one in found[: self.many]:
            yield self._checked(one)
        if len(found) > self.many:
            left = found[self.many :]
            rest = json.dumps(left, ensure_ascii=False)[:SHOWN]
            yield Candidate(reason="more_than_asked", evidence={"asked": self.many, "more": len(left)}, raw=rest)

    def _plain(self, answer: Answer, raw: str) -> Candidate:
        if answer.cut:
            return Candidate(reason="cut_short", evidence={"characters": len(answer.text)}, raw=raw)
        [name] = self.fields
        return self._checked({name: answer.text.strip()})

    def _checked(self, one: Any) -> Candidate:
        """An object, if it is as the schema says; keys that are no columns are left out."""
        raw = json.dumps(one, ensure_ascii=False)[:SHOWN]
        for error in self._validator.iter_errors(one):
            where = ".".join(str(step) for step in error.absolute_path)
            evidence = {"key": where, "rule": str(error.validator), "error": error.message[:200]}
            return Candidate(reason="not_by_schema", evidence=evidence, raw=raw)
        row: dict[str, Any] = {}
        for name, kind in self.columns.items():
            fitted = _fitted(one[name], kind)
            if fitted is None and one[name] is not None:
                evidence = {"key": name, "rule": "type", "error": "does not fit its column"}
                return Candidate(reason="not_by_schema", evidence=evidence, raw=raw)
            row[name] = fitted
        return Candidate(row=row, raw=raw)


def _fitted(value: Any, kind: pl.DataType) -> Any:
    """The value as its column holds it; none where it cannot."""
    found: Any = None
    if kind == pl.Boolean():
        found = value if isinstance(value, bool) else None
    elif kind == pl.String() and value is not None:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        found = text.encode("utf-8", "replace").decode()  # half a surrogate pair is no text
    elif kind == pl.Int64() and type(value) in (int, float):  # 3.0 is an integer to JSON Schema
        found = int(value) if abs(value) < 1 << 63 else None
    elif kind == pl.Float64() and type(value) in (int, float):
        found = float(value) if abs(value) < 1e300 else None
    return found


def _objects(text: str) -> list[Any]:
    """The objects in a text: the text itself, what is fenced, or what stands between the outermost braces."""
    tries = [text.strip(), *(fenced.strip() for fenced in _FENCED.findall(text)[:4])]
    for opening, closing in ("{}", "[]"):
        start, end = text.find(opening), text.rfind(closing)
        if 0 <= start < end:
            tries.append(text[start : end + 1])
    for one in tries:
        try:
            found = orjson.loads(one)
        except orjson.JSONDecodeError:
            continue
        if isinstance(found, dict) and isinstance(found.get(ROWS), list):
            found = found[ROWS]
        if isinstance(found, dict):
            return [found]
        if isinstance(found, list) and found and all(isinstance(each, dict) for each in found):
            return found
    return []
