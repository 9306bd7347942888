"""each_turn: steps on what each turn of a conversation says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from typing import Annotated, Any, ClassVar, Literal

import polars as pl
from pydantic import Field, WithJsonSchema, field_validator

from seedbed.core.part import Example, NewColumn
from seedbed.core.step import Map, Rework
from seedbed.core.task import Chat
from seedbed.core.task.chat import TURNS
from seedbed.core.values import said

from .fix_text import FixText
from .normalize import Normalize
from .redact_pii import RedactPii
from .strip_html import StripHtml

_CONTENT, _TURNS, _ROW = "content", "turns", "row"
_SCHEMA: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"use": {"enum": ["fix_text", "normalize", "redact_pii", "strip_html"]}},
        "required": ["use"],
    },
}
OnText = Annotated[FixText | Normalize | RedactPii | StripHtml, Field(discriminator="use")]


class EachTurn(Rework):
    """Applies steps that rewrite texts to what each turn of a conversation says.

    The column holds the turns as the task `chat` reads them: lists or JSON, with `role` and `content` or `from` and
    `value`. It becomes a list of turns in one form. With `write`, a column gets the conversation as one text, a line
    break between turns, which other steps can look at: `text_length`, `language`, `toxicity`, `near_duplicates`.

    ## Why
    Turns are texts inside of lists, which no step on a column of texts can reach; without it, personal data and broken
    encodings of conversations would go on to whoever trains on them.

    ## Limits
    A conversation that the task would reject is rejected here, for the same reason. A step that rejects a text
    (`redact_pii` with `mode: drop_row`) rejects the conversation, for that step's reason; columns that steps write
    besides the text are not kept. Calls of tools and names stay as they are. The ledger shows changed conversations as
    they are afterwards alone, since they may have held what was taken out.
    """

    told: ClassVar[tuple[str, ...]] = ("turn", "role")
    conceals: ClassVar[bool] = True

    use: Literal["each_turn"] = "each_turn"
    column: Annotated[
        str | None,
        Field(
            json_schema_extra={"column": True, "from_task": "messages"},
            description="Column that holds the turns; the task's when left out.",
        ),
    ] = None
    steps: Annotated[tuple[OnText, ...], WithJsonSchema(_SCHEMA)] = Field(
        (), description="Steps to apply, in order, without `column`: fix_text, normalize, redact_pii, strip_html."
    )
    write: NewColumn | None = Field(None, description="Column that gets the conversation as one text.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Runs of spaces in a turn, and the conversation as a text",
            options={"column": "messages", "steps": [{"use": "normalize"}], "write": "conversation"},
            before={
                "messages": [
                    '[{"role": "user", "content": "so  many"}, {"role": "assistant", "content": "spaces"}]',
                    '[{"from": "human", "value": "no answer"}]',
                ]
            },
            after={"conversation": ["so many\nspaces"]},
        ),
    )

    @field_validator("steps")
    @classmethod
    def _on_content(cls, steps: tuple[Any, ...]) -> tuple[Any, ...]:
        for step in steps:
            if step.column is not None:
                raise ValueError(f"{step.use}: leave `column` out; it is what each turn says")
        return steps

    def brings(self) -> Sequence[str]:
        """The column of the conversation as a text."""
        return () if self.write is None else (self.write,)

    def written(self) -> Sequence[str]:
        """The turns, and the conversation as a text."""
        return [str(self.column), *self.brings()]

    def made_from(self) -> Any:
        """What the steps depend on."""
        return [step.made_from() for step in self._on_texts()]

    def _on_texts(self) -> Iterator[Map]:
        """The steps, for a column of what turns say."""
        for step in self.steps:
            yield step.model_copy(update={"column": _CONTENT})

    def work(self) -> pl.Expr:
        """Each conversation with its turns rewritten."""
        told = pl.Struct({"turn": pl.Int64, "role": pl.String})
        columns = pl.Struct({str(self.column): TURNS, **dict.fromkeys(self.brings(), pl.String())})
        dtype = pl.Struct({"reason": pl.String, "evidence": told, "columns": columns})
        return pl.col(str(self.column)).map_batches(self._done, return_dtype=dtype, is_elementwise=True)

    def _done(self, values: pl.Series) -> pl.Series:
        column = str(self.column)
        read = values.alias(column).to_frame().select(work=Chat(messages=column).work()).unnest("work")
        turns = read.select(pl.col("columns").struct.field(column).alias(_TURNS)).with_row_index(_ROW)
        spoken = turns.explode(_TURNS).drop_nulls(_TURNS)
        spoken = spoken.with_columns(turn=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over(_ROW)).unnest(_TURNS)
        rewritten = self._rewritten(spoken)
        refused = rewritten.filter(pl.col("reason").is_not_null()).unique(_ROW, keep="first", maintain_order=True)
        whole = rewritten.group_by(_ROW, maintain_order=True).agg(
            pl.struct(field.name for field in TURNS.inner.fields).alias(_TURNS)  # type: ignore[union-attr]
        )
        rows = turns.select(_ROW).join(whole, on=_ROW, how="left", maintain_order="left")
        rows = rows.join(refused.select(_ROW, "reason", "turn", "role"), on=_ROW, how="left", maintain_order="left")
        evidence = pl.struct(
            turn=pl.coalesce(pl.col("turn"), read["evidence"].struct.field("turn")),
            role=pl.coalesce(pl.col("role"), read["evidence"].struct.field("role")),
        )
        written = [rows[_TURNS].alias(column), *(said(rows[_TURNS]).alias(name) for name in self.brings())]
        return rows.select(
            pl.struct(
                reason=pl.coalesce(pl.col("reason"), read["reason"]),
                evidence=evidence,
                columns=pl.struct(written),
            ).alias(values.name)
        ).to_series()

    def _rewritten(self, spoken: pl.DataFrame) -> pl.DataFrame:
        """Turns with what they say rewritten, and the first reason to reject each."""
        rows = spoken.with_columns(pl.lit(None, pl.String).alias("reason"))
        return reduce(_applied, self._on_texts(), rows)


def _applied(rows: pl.DataFrame, step: Map) -> pl.DataFrame:
    """Turns as a step leaves them; a turn that says nothing (a call of a tool) stays so."""
    texts = rows.select(_CONTENT)
    reason = texts.select(reason=step.reason())["reason"] if isinstance(step, Rework) else None
    written = [one for one in step.columns() if one.meta.output_name() == _CONTENT]
    rewritten = texts.with_columns(written)[_CONTENT]
    found = rows.with_columns(rewritten)
    return found if reason is None else found.with_columns(reason=pl.coalesce(pl.col("reason"), reason))
