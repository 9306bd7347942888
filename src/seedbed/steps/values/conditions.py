"""The small language of `where` and `derive`: SQL expressions over the columns of one row, as Polars reads them.

Polars parses the text (https://docs.pola.rs/api/python/stable/reference/sql) and we look at what it understood.
Everything that needs more than its own row, or more than the row, is refused: a batch, a query, the clock.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any

import polars as pl
from pydantic import AfterValidator, Field

from seedbed.core.errors import did_you_mean

MOST_CHARACTERS = 2000

_NODES = {
    "Column": (),
    "Literal": (),
    "Alias": (0,),
    "Cast": ("expr",),
    "BinaryExpr": ("left", "right"),
    "Ternary": ("predicate", "truthy", "falsy"),
    "Function": ("input",),
}
#: Functions of one row, as Polars names them; of a group, all but those named.
_FUNCTIONS = frozenset(
    {"Abs", "Atan2", "Bitwise", "Boolean", "Ceil", "Coalesce", "Exp", "FillNull", "Floor", "ListExpr", "Log", "Log1p"}
    | {"MaxHorizontal", "MinHorizontal", "Pow", "Sign", "Sql", "StringExpr", "StructExpr", "TemporalExpr"}
    | {"Trigonometry", "Truncate"}
)
_NOT_OF_ONE_ROW = frozenset(
    {"All", "Any", "ConcatVertical", "IsDuplicated", "IsFirstDistinct", "IsLastDistinct", "IsUnique"}
)
_WORDS = {
    "Agg": "sums up several rows",
    "Len": "counts rows",
    "Over": "looks at other rows",
    "SubPlan": "asks another table",
    "Explode": "makes several rows of one",
    "Range": "counts rows",
    "Shift": "looks at other rows",
}
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|--[^\n]*|/\*.*?\*/", re.DOTALL)
#: A decimal that is not quoted. Polars would make a Decimal of it, and of all that is reckoned with it.
_DECIMAL = re.compile(rf"{_QUOTED.pattern}|(?<![\w.])(?P<number>\d+\.\d*|\.\d+)(?![\w.])", re.DOTALL)
_CLOCK = re.compile(r"\b(now\s*\(|(?:current|local)_?(?:date|timestamp|time)\b)", re.IGNORECASE)


def understood(text: str) -> pl.Expr:
    """The expression that a text means.

    Raises:
        ValueError: It is none, or not one of a row's own columns.
    """
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"an expression has at most {MOST_CHARACTERS:,} characters, this has {len(text):,}")
    clock = _CLOCK.search(_QUOTED.sub("''", text))
    if clock:
        raise ValueError(f"{clock[0].rstrip('( ')!r} asks the clock, so that two runs would differ; write the date")
    try:
        expression = pl.sql_expr(_DECIMAL.sub(_as_float, text))
        nodes = list(_nodes(json.loads(expression.meta.serialize(format="json"))))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError) as error:
        raise ValueError(f"{text[:60]!r} cannot be read: {_said(error)}") from None
    for kind, node in nodes:
        _refuse(kind, node)
    return expression


def _as_float(found: re.Match[str]) -> str:
    return f"{found[0]}e0" if found["number"] else found[0]


def columns_of(expression: pl.Expr) -> list[str]:
    """Names of the columns that an expression looks at, each once."""
    return list(dict.fromkeys(expression.meta.root_names()))


def _nodes(node: Any) -> Iterator[tuple[str, Any]]:
    """Each node of a serialized expression with its kind."""
    kind, inner = next(iter(node.items())) if isinstance(node, dict) else (str(node), {})
    yield kind, inner
    for at in _NODES.get(kind, ()):
        below = inner[at]
        if kind == "Function" and inner["function"] == {"Boolean": "Not"}:
            below = [one.get("Cast", {}).get("expr", one) for one in below]  # Polars' own, of what should be a truth
        for one in below if isinstance(below, list) else [below]:
            yield from _nodes(one)


def _refuse(kind: str, node: Any) -> None:
    if kind not in _NODES:
        raise ValueError(
            f"an expression sees one row at a time, and this one {_WORDS.get(kind, 'needs more than that')}"
        )
    if kind == "Cast" and node["options"] == "Strict":
        raise ValueError("cast fails the whole run at the first value that does not fit: write try_cast(… AS …)")
    if kind != "Function":
        return
    function = node["function"]
    group, inner = next(iter(function.items())) if isinstance(function, dict) else (function, "")
    name = next(iter(inner), "") if isinstance(inner, dict) else str(inner)
    if name == "Strptime":
        raise ValueError("an expression reads no dates out of text: put the step parse_dates before")
    if group not in _FUNCTIONS or name in _NOT_OF_ONE_ROW:
        raise ValueError(
            f"an expression sees one row at a time, and this one {_WORDS.get(group, 'needs more than that')}"
        )


def _said(error: BaseException) -> str:
    """What Polars says, with the function that is meant where there is no such one."""
    said = (str(error).splitlines() or [""])[0][:160]
    unknown = re.search(r"unsupported function '(\w+)'", said)
    if unknown:
        hint = did_you_mean(unknown[1], _KNOWN.split())
        return f"there is no function {unknown[1]!r}" + (f"; {hint}" if hint.startswith("did") else "")
    return said.partition(" (hint")[0]


#: Functions that people look for, to say which one is meant.
_KNOWN = """
abs array_contains array_get array_length ceil coalesce concat concat_ws date_part day dayofweek ends_with exp floor
greatest hour if ifnull initcap least left length ln log10 lower ltrim mod month nullif pow regexp_like regexp_replace
replace reverse right round rtrim sign split_part sqrt starts_with strftime string_to_array strpos substr trim try_cast
upper year
"""


def _checked(text: str) -> str:
    understood(text)
    return text


#: An option that holds an expression; a recipe with one that cannot be read is refused.
Expression = Annotated[str, AfterValidator(_checked), Field(min_length=1)]
