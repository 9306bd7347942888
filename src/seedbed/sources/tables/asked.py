"""What is asked of a database: a table or a query, with parameters that are bound."""

from __future__ import annotations

import re
from typing import Self

from pydantic import BaseModel, Field, model_validator

from seedbed.core.context import expand

#: Values that a query may be given.
Value = bool | int | float | str | None
#: Name of what a query gives, in row ids.
QUERY = "query"
_PIECE = re.compile(r'"((?:[^"]|"")+)"|([^".]+)')
_WRITES = re.compile(
    r"\s*(insert|update|delete|merge|drop|create|alter|truncate|grant|revoke|copy|call|do|vacuum|attach|replace)\b",
    re.I,
)


class Asked(BaseModel):
    """The options that say what is asked."""

    table: str | None = Field(
        None, min_length=1, description='Table or view to read, as NAME or SCHEMA.NAME; a name with a dot as `"a.b"`.'
    )
    query: str | None = Field(None, min_length=1, description="Query to read instead: one SELECT.")
    parameters: list[Value] = Field(
        default_factory=list, description="Values of the query's parameters, in order; bound, never part of the query."
    )

    @model_validator(mode="after")
    def _go_together(self) -> Self:
        if self.table is not None and self.query is not None:
            raise ValueError("one of `table` and `query` is needed, and not both")
        if self.parameters and self.query is None:
            raise ValueError("`parameters` belong to a `query`")
        if self.query is not None and not plain(self.query):
            raise ValueError("the query is empty")
        found = _WRITES.match(plain(self.query or ""))
        if found:
            raise ValueError(f"the query begins with {found[1].upper()}: a source only reads, so give a SELECT")
        return self

    @property
    def what(self) -> str:
        """Its name, in row ids."""
        return ".".join(names(self.table)) if self.table else QUERY

    @property
    def selected(self) -> str:
        """The query, or all of the table."""
        return plain(self.query) if self.query else f"SELECT * FROM {'.'.join(map(quoted, names(self.table or '')))}"

    def values(self, at: str) -> list[Value]:
        """The parameters, with `${env:NAME}` filled in.

        Raises:
            RecipeError: A variable is not set.
        """
        return [expand(value, at=at) if isinstance(value, str) else value for value in self.parameters]


def quoted(name: str) -> str:
    """A name as SQL writes one, whatever stands in it."""
    return '"' + name.replace('"', '""') + '"'


def names(table: str) -> list[str]:
    """The pieces of a table's name: `public.reviews` has two, `"a.b"` has one."""
    return [(inside or bare).replace('""', '"') for inside, bare in _PIECE.findall(table)]


def plain(query: str) -> str:
    """A query without white space and semicolons around it."""
    return query.strip().rstrip(";").rstrip()
