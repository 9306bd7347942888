"""derive: write a column from others."""

from __future__ import annotations

import string
from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal, Self

import polars as pl
from pydantic import Field, model_validator

from seedbed.core.part import Example, NewColumn
from seedbed.core.step import Map
from seedbed.core.values import is_missing, text_of

from .values.conditions import Expression, understood


class Derive(Map):
    """Writes a column from other columns: by a template (`{title}. {body}`) or by an expression (`stars >= 4`).

    A template puts the values of columns where their names stand in braces; `{{` is a brace. A missing value leaves
    its place empty, and a row that misses all of them gets no value. An expression is what `where` takes: SQL over
    the columns of one row, such as `CASE WHEN stars >= 4 THEN 'good' ELSE 'bad' END`.

    ## Why
    What the model should read often stands in two columns, and a label often follows from a number.

    ## Limits
    One row is seen at a time. A template writes text: numbers and dates stand there as the ledger shows them, with no
    way to format them. A label that is derived from a column must not be predicted from that same column.
    """

    use: Literal["derive"] = "derive"
    column: NewColumn = Field(description="Column to write, new or not.")
    template: str | None = Field(None, min_length=1, description="Text with columns in braces.")
    expression: Expression | None = Field(None, description="SQL expression over the columns of a row.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Title and body are one text",
            options={"column": "text", "template": "{title}. {the body}"},
            before={"title": ["Great", None, None], "the body": ["It works", "It broke", None]},
            after={"text": ["Great. It works", ". It broke", None]},
        ),
        Example(
            title="Stars to labels",
            options={"column": "label", "expression": "CASE WHEN stars > 3 THEN 'good' WHEN stars < 3 THEN 'bad' END"},
            before={"stars": [5, 1, 3, None]},
            after={"label": ["good", "bad", None, None]},
        ),
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.template is None) == (self.expression is None):
            raise ValueError("derive needs either a template or an expression, and not both")
        if self.template is not None and not any(name for _, name in _pieces(self.template)):
            raise ValueError("the template names no column: put one in braces, such as {title}")
        return self

    def columns_used(self) -> Iterator[tuple[str, str]]:
        """The columns that the value is made from."""
        option = "expression" if self.template is None else "template"
        names = [name for one in self.columns() for name in one.meta.root_names()]
        yield from ((option, name) for name in dict.fromkeys(names))

    def columns(self) -> Sequence[pl.Expr]:
        """The column with its value."""
        if self.expression is not None:
            return [understood(self.expression).meta.undo_aliases().alias(self.column)]
        pieces = _pieces(self.template or "")
        names = list(dict.fromkeys(name for _, name in pieces if name))
        there = {name: ~is_missing(name, blank=False) for name in names}
        said: list[pl.Expr] = []
        for text, name in pieces:
            said.append(pl.lit(text))
            if name:
                said.append(pl.when(there[name]).then(text_of(name)).otherwise(pl.lit("")))
        whole = pl.when(pl.any_horizontal(there.values())).then(pl.concat_str(said))
        return [whole.alias(self.column)]


def _pieces(template: str) -> list[tuple[str, str]]:
    """Each text of a template with the column that follows it, if one does.

    Raises:
        ValueError: It is no template.
    """
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError as error:
        raise ValueError(f"the template cannot be read ({error}); write {{{{ for a brace") from None
    for _, name, form, convert in parsed:
        if form or convert:
            raise ValueError(f"a template takes columns as they are: leave out what follows {name!r} in the braces")
        if name == "":
            raise ValueError("the template has empty braces: put the name of a column in them")
    return [(text, name or "") for text, name, _, _ in parsed]
