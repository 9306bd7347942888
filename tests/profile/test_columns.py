"""What columns look like, told from their values."""

from __future__ import annotations

import datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.core.detecting.units import UNITS, units_in
from seedbed.profile import column_profile
from seedbed.steps.values.units import amount_in

TEXTS = [f"some words that stand in row {n}, and no two alike" for n in range(40)]


@pytest.mark.parametrize(
    ("values", "looks"),
    [
        (TEXTS, "text"),
        (["yes", "no"] * 20, "boolean"),
        (["True", "FALSE"] * 20, "boolean"),
        ([True, False] * 20, "boolean"),
        (["ham", "spam", "eggs", "ham"] * 10, "category"),
        (["1", "2", "3", "2"] * 10, "number"),
        ([f"{n},5" for n in range(40)], "number"),
        ([f"1,{n:03},000.25" for n in range(40)], "number"),
        ([f"{n / 7:.3e}" for n in range(40)], "number"),
        ([n / 7 for n in range(40)], "number"),
        (list(range(40)), "id"),
        ([f"{n * 7919:08x}" for n in range(40)], "id"),
        ([f"2024-01-{n % 28 + 1:02}T10:00:00Z" for n in range(40)], "date"),
        ([f"{n % 28 + 1}.3.2024" for n in range(40)], "date"),
        ([f"Wed, {n % 28 + 1} Mar 2024 10:00" for n in range(40)], "date"),
        ([datetime.date(2024, 1, n % 28 + 1) for n in range(40)], "date"),
        ([*(f"2024-01-{n % 28 + 1:02}" for n in range(38)), "soon", "?"], "date"),
        ([f"2024-01-{n % 28 + 1:02}" if n % 2 else f"{n % 28 + 1}.3.2024" for n in range(40)], "date"),
        ([f"{n} kg" if n % 3 else f"{n} lb" for n in range(40)], "amount"),
        ([*(f"{n},5 m" for n in range(30)), *map(str, range(10))], "amount"),
        (["3G", "4G", "5G", "4G"] * 10, "category"),
        (["x"] * 40, "constant"),
        ([None, "", "  "] * 13, "empty"),
        ([float("nan")] * 40, "empty"),
        ([[1, 2]] * 40, "nested"),
        ([{"a": 1}] * 40, "nested"),
        ([b"\0"] * 40, "nested"),
        (['{"a": 1}', "[1, 2]"] * 20, "nested"),
    ],
)
def test_looks(values: list[object], looks: str) -> None:
    assert column_profile(pl.Series("c", values, strict=False)).looks == looks


def test_figures() -> None:
    told = column_profile(pl.Series("c", ["a b", "a b", "", None, " ", "longer text", "call 0170 1234567"]))
    assert (told.rows, told.missing, told.filled, told.unique, told.longest) == (7, 3, 4, 3, 17)
    assert told.words == 2.25
    assert told.examples[0] == "a b"
    assert not any("1234567" in example for example in told.examples)


def test_addresses_are_told() -> None:
    assert column_profile(pl.Series("c", [f"https://example.org/{n}" for n in range(40)])).pointers
    assert column_profile(pl.Series("c", [f"person{n}@example.org" for n in range(40)])).pointers
    assert column_profile(pl.Series("c", [f"pictures/cats/{n}.png" for n in range(40)])).pointers
    assert not column_profile(pl.Series("c", TEXTS)).pointers


@pytest.mark.parametrize("name", ["*", "^a.*$", "n", "v", "", "characters", "longest"])
def test_any_name_is_a_name(name: str) -> None:
    assert column_profile(pl.Series(name, ["ham", "spam"] * 20)).values == {"ham": 20, "spam": 20}


@given(values=st.lists(st.none() | st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), max_size=30)))
def test_any_texts_have_a_profile(values: list[str | None]) -> None:
    told = column_profile(pl.Series("c", values, dtype=pl.String))
    assert told.rows == len(values)
    assert told.missing == sum(not (value or "").strip() for value in values)
    assert 0 <= told.unique <= told.filled
    assert sum(told.values.values()) in (0, told.filled)


def test_units_are_those_that_convert_units_reads() -> None:
    for units in UNITS.values():
        base = next(iter(units))
        for unit, spellings in units.items():
            for spelling in spellings.split():
                amount, fault = amount_in(f"3 {spelling}", base, None)
                assert fault is None and amount == pytest.approx(amount_in(f"3 {unit}", base, None)[0]), spelling


def test_units_that_stand_behind_numbers() -> None:
    told = {
        "12 kg": "kg", "3lbs": "lb", "5 KG": "kg", "1,500 g": "g", "6 ft 2 in": "ft", "5'11\"": "ft", "-3 °C": "degC",
        "4 kgs.": "kg", ".5 l": "l", "7 km/h": "km/hour", "180": None, "KG": None, "5G": None, "3 apples": None,
        "1/2 kg": None, "5-7 kg": None, "": None,
    }  # fmt: skip
    assert units_in(pl.Series(list(told))).to_list() == list(told.values())
