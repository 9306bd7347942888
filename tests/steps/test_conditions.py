"""`where` and `derive`: what their language says of a row, and what it must not be asked."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from seedbed.core.errors import RecipeError
from seedbed.core.rows import number_rows
from seedbed.engine.kernel import Kernel
from seedbed.engine.plan import check_steps
from seedbed.steps import Derive, Where
from seedbed.steps.values.conditions import MOST_CHARACTERS, columns_of, understood


def rows(**columns: list[Any]) -> pl.DataFrame:
    table = pl.DataFrame(columns, strict=False)
    records = pl.Series(range(1, table.height + 1), dtype=pl.UInt64)
    return number_rows(table, file_number=0, source="s", file="f", records=records)


def kept(condition: str, **columns: list[Any]) -> list[bool | None]:
    return pl.DataFrame(columns).select(k=Where(condition=condition).keep())["k"].to_list()


def test_what_cannot_be_told_is_rejected_as_such_and_the_values_are_told() -> None:
    step = Where(condition="stars >= 4 AND \"the shop\" = 'a'")
    table = rows(stars=[5, 3, None, None], **{"the shop": ["a", "a", "a", "b"]})
    outcome = Kernel((("where", step),))(table)
    assert outcome.kept["stars"].to_list() == [5]
    assert outcome.entries.select("reason", "evidence").rows() == [
        ("condition_not_met", '{"stars":3,"the shop":"a"}'),
        ("cannot_tell", '{"stars":null,"the shop":"a"}'),
        ("condition_not_met", '{"stars":null,"the shop":"b"}'),
    ]


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ("x > 1", [True, False, None, None]),
        ("x IS NULL", [False, False, True, True]),
        ("NOT x > 1", [False, True, None, None]),
        ("x > 1 OR t = 'b'", [True, True, None, True]),
        ("x IN (0.5, 7)", [False, True, None, None]),
        ("t ILIKE 'A%' AND length(t) < 9", [True, False, False, False]),
        ("coalesce(x, 9) > 1", [True, False, True, True]),
        ("try_cast(t AS double) > 1", [None, None, None, None]),
        ("CASE WHEN x > 1 THEN true ELSE false END", [True, False, False, False]),
        ("t = 'it''s -- now()'", [False, False, False, False]),
        ("regexp_like(t, '^A')", [True, False, False, False]),
        ("null OR x > 1", [True, None, None, None]),
        ("x = .5 AND t <> '1.5' AND x < 1.", [False, True, None, None]),
    ],
)
def test_conditions(condition: str, wanted: list[bool | None]) -> None:
    assert kept(condition, x=[1.5, 0.5, None, float("nan")], t=["Ab", "b", "c", "b"]) == wanted


@pytest.mark.parametrize(
    ("condition", "problem"),
    [
        ("sum(x) > 1", "sums up several rows"),
        ("x > 1 AND 3 > max(y)", "sums up several rows"),
        ("count(*) > 1", "counts rows"),
        ("row_number() OVER (ORDER BY x) < 10", "one row at a time"),
        ("lag(x) OVER (ORDER BY x) > 1", "looks at other rows"),
        ("x IN (SELECT y FROM z)", "one row at a time|cannot be read"),
        ("x > (SELECT 1)", "asks another table"),
        ("EXISTS (SELECT 1)", "asks another table|cannot be read"),
        ("unnest(x) > 1", "several rows of one"),
        ("array_agg(x) IS NULL", "one row at a time"),
        ("COLUMNS('x') > 1", "one row at a time|cannot be read"),
        ("day > now()", "asks the clock"),
        ("day > CURRENT_DATE", "asks the clock"),
        ("day > LocalTimestamp", "asks the clock"),
        ("cast(x AS int) > 1", "write try_cast"),
        ("x::int > 1", "write try_cast"),
        ("date(x) > date '2024-01-01'", "parse_dates"),
        ("x >", "cannot be read"),
        ("x > 1; DROP TABLE y", "cannot be read"),
        ("read_csv('/etc/passwd') = 'x'", "no function 'read_csv'"),
        ("lenght(x) > 1", "did you mean 'length'"),
        ("1 = 1", "looks at no column"),
        ("x = 1" + " OR x = 1" * 300, f"at most {MOST_CHARACTERS:,}"),
        ("(" * 900 + "x" + ")" * 900, "cannot be read"),
    ],
)
def test_what_is_no_question_about_one_row_is_refused(condition: str, problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        Where(condition=condition)


def test_every_function_that_is_suggested_is_there() -> None:
    said = (
        "abs(n) ceil(n) floor(n) round(n,1) sign(n) sqrt(n) ln(n) log10(n) exp(n) pow(n,2) mod(n,2) coalesce(n,1) "
        "greatest(n,1) least(n,1) nullif(n,1) ifnull(n,1) if(n>1,1,2) lower(t) upper(t) initcap(t) length(t) trim(t) "
        "ltrim(t) rtrim(t) left(t,1) right(t,1) substr(t,1) replace(t,'a','b') reverse(t) concat(t,t) "
        "concat_ws('-',t,t) starts_with(t,'a') ends_with(t,'a') strpos(t,'a') split_part(t,'-',1) regexp_like(t,'a') "
        "regexp_replace(t,'a','b') array_length(string_to_array(t,'-')) array_contains(string_to_array(t,'-'),'a') "
        "array_get(string_to_array(t,'-'),1) year(d) month(d) day(d) hour(d) dayofweek(d) date_part('year',d) "
        "strftime(d,'%Y')"
    )
    from seedbed.steps.values.conditions import _KNOWN

    table = pl.DataFrame({"n": [1.5, None], "t": ["a-b", None], "d": [None, None]}, schema_overrides={"d": pl.Datetime})
    for one in said.split(" "):
        whole = table.select(understood(one)).to_series()
        single = pl.concat([table[i : i + 1].select(understood(one)).to_series() for i in range(2)])
        assert whole.equals(single), one
    assert set(_KNOWN.split()) == {one.partition("(")[0] for one in said.split()} | {"try_cast", "string_to_array"}


def test_columns_are_checked_with_the_recipe() -> None:
    assert columns_of(understood("x > 1 AND x < y")) == ["x", "y"]
    schema = pl.Schema({"stars": pl.Int64, "text": pl.String})
    with pytest.raises(RecipeError, match=r"steps\.0\.condition: .*'star'.*\n.*'stars'"):
        check_steps([Where(condition="star > 1")], schema)
    with pytest.raises(RecipeError, match="gives String, and not true or false"):
        check_steps([Where(condition="lower(text)")], schema)
    with pytest.raises(RecipeError, match="cannot compare string with numeric"):
        check_steps([Where(condition="text > 1")], schema)
    with pytest.raises(RecipeError, match=r"steps\.0\.template: .*'titel'"):
        check_steps([Derive(column="x", template="{titel}{text}")], schema)
    made = check_steps(
        [Derive(column="a", expression="stars * 1.5"), Derive(column="b", template="{a}|{stars}")], schema
    )
    assert (made["a"], made["b"]) == (pl.Float64, pl.String)


@given(st.lists(st.integers(-5, 5) | st.none(), max_size=12), st.integers(0, 12))
def test_where_is_what_sqlite_says(values: list[int | None], cut: int) -> None:
    import sqlite3

    condition = "x % 3 = 1 OR x BETWEEN -2 AND 0 OR NOT x < 4"
    base = sqlite3.connect(":memory:")
    wanted = [base.execute(f"SELECT {condition} FROM (SELECT ? AS x)", [value]).fetchone()[0] for value in values]
    base.close()
    found = kept(condition, x=pl.Series(values, dtype=pl.Int64))  # type: ignore[arg-type]
    assert found == [None if one is None else bool(one) for one in wanted]


# derive


def derived(step: Derive, **columns: list[Any]) -> list[Any]:
    return pl.DataFrame(columns, strict=False).with_columns(step.columns())[step.column].to_list()


def test_templates() -> None:
    made = derived(
        Derive(column="t", template="{{{a}}} {the b}: {a}"),
        a=["x", None, None, ""],
        **{"the b": [1.5, 2, float("nan"), 0]},
    )
    assert made == ["{x} 1.5: x", "{} 2.0: ", None, "{} 0.0: "]
    assert derived(Derive(column="a", template="{a}!"), a=[True, None]) == ["true!", None]


def test_an_expression_may_be_a_constant_and_keeps_its_type() -> None:
    assert derived(Derive(column="source", expression="'shop'"), a=[1, 2]) == ["shop", "shop"]
    assert derived(Derive(column="a", expression="a * 2"), a=[1, None]) == [2, None]
    assert derived(Derive(column="a", expression="b AS c"), a=[1], b=[2]) == [2]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({}, "either a template or an expression"),
        ({"template": "{a}", "expression": "a"}, "either a template or an expression"),
        ({"template": "plain"}, "names no column"),
        ({"template": "{}"}, "empty braces"),
        ({"template": "{a:>10}"}, "leave out what follows 'a'"),
        ({"template": "{a!r}"}, "leave out what follows 'a'"),
        ({"template": "{a"}, "cannot be read"),
        ({"expression": "sum(a)"}, "sums up several rows"),
        ({"template": "{a}", "column": "row"}, "the rows' own ids"),
        ({"template": "{a}", "column": "_n"}, "the rows' own ids"),
    ],
)
def test_derive_refuses(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        Derive.model_validate({"use": "derive", "column": "x", **options})
