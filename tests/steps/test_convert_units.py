"""Amounts in one unit; pint is the oracle, and no text makes it fail."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from seedbed.engine.kernel import Kernel
from seedbed.steps import ConvertUnits

pint = pytest.importorskip("pint")

from seedbed.steps.values.units import amount_in  # noqa: E402


@pytest.mark.parametrize(
    ("text", "to", "amount"),
    [
        ("5 kg", "kg", 5),
        ("11lb", "kg", 4.98951607),
        ("11 LBS.", "kg", 4.98951607),
        ("-1,500.5 g", "kg", -1.5005),
        ("1'500 g", "kg", 1.5),
        ("1.5e3 mg", "g", 1.5),
        ("5'11\"", "m", 1.8034),
        ("-6 ft 2 in", "ft", -6.16666666667),
        ("68 °F", "degC", 20),
        ("-40 C", "degF", -40),
        ("10 m2", "m**2", 10),
        ("10 m²", "m**2", 10),
        ("10 sq ft", "m**2", 0.9290304),
        ("60 km/h", "m/s", 16.6666666667),
        ("2 hrs", "minute", 120),
        ("12 %", "dimensionless", 0.12),
        ("5 F", "farad", 5),
    ],
)
def test_amounts(text: str, to: str, amount: float) -> None:
    assert amount_in(text, to, None) == (amount, None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("heavy", "not_an_amount"),
        ("5-7 kg", "not_an_amount"),
        ("1/2 kg", "not_an_amount"),
        ("5 kg - 3 kg", "not_an_amount"),
        ("1,5 kg", "not_an_amount"),
        ("5 kg 3", "not_an_amount"),
        ("kg 5", "not_an_amount"),
        ("1e999 kg", "not_an_amount"),
        ("5", "no_unit"),
        ("5 m", "not_this_unit"),
        ("5 €", "not_an_amount"),
        ("5 EUR", "not_this_unit"),
        ("5 __import__('os')", "not_an_amount"),
    ],
)
def test_what_is_none(text: str, said: str) -> None:
    assert amount_in(text, "kg", None) == (None, said)


def test_decimal_commas_and_numbers_without_a_unit() -> None:
    assert amount_in("1.500,5", "kg", "g", ",") == (1.5005, None)
    assert amount_in("1,5 kg", "kg", None, ",") == (1.5, None)
    step = ConvertUnits(column="w", to="kg", bare="g", decimal=",", into="kg")
    rows = pl.DataFrame({"w": [1500.5, None, 2.0]})
    assert rows.with_columns(step.columns())["kg"].to_list() == [1.5005, None, 0.002]


@given(st.text(max_size=20) | st.from_regex(r"[0-9]{1,4} ?[a-zA-Z°²/^*%'\"]{1,6}", fullmatch=True))
@settings(max_examples=400, deadline=None)
def test_no_text_breaks_it(text: str) -> None:
    amount, said = amount_in(text, "kg", None)
    assert (amount is None) != (said is None)


@given(st.floats(-1e9, 1e9, allow_nan=False), st.sampled_from(["lb", "oz", "tonne", "mg", "stone", "grain"]))
@settings(max_examples=100, deadline=None)
def test_pint_says_the_same(number: float, unit: str) -> None:
    amount, _ = amount_in(f"{number:.6f} {unit}", "kg", None)
    expected = pint.get_application_registry().Quantity
    assert amount == pytest.approx(expected(float(f"{number:.6f}"), unit).to("kg").magnitude, rel=1e-11, abs=1e-12)


def test_the_ledger_says_what_was_wrong() -> None:
    from test_parts import _frame

    step = ConvertUnits(column="w", to="kg")
    done = Kernel((("convert_units", step),))(_frame({"w": ["5 kg", "5 m", "", None, "soon"]}))
    assert done.kept["w"].to_list() == [5.0, None, None]
    entries = done.entries.filter(action="rejected").sort("row")
    assert entries["reason"].to_list() == ["not_this_unit", "not_an_amount"]
    assert entries["evidence"].to_list() == ['{"column":"w","value":"5 m"}', '{"column":"w","value":"soon"}']


@pytest.mark.parametrize("unit", ["kgg", "", "(", "5 kg"])
def test_units_that_are_none(unit: str) -> None:
    with pytest.raises(ValidationError):
        ConvertUnits(column="w", to=unit)
