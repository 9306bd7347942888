"""Numbers of unknown size, as people write them."""

from __future__ import annotations

import math

import pytest

from seedbed.core.numbers import amount


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (123_799.5, "123,800"),
        (50_000, "50,000"),
        (71_183.33, "71,180"),
        (9_999_999.0, "10,000,000"),
        (-3.7, "\u22123.7"),
        (-0.55416, "\u22120.5542"),
        (0.075, "0.075"),
        (0.00012345, "0.0001234"),
        (0, "0"),
        (3e-7, "3e\u221207"),
        (2.5e15, "2.5e+15"),
        (math.nan, "\u2013"),
    ],
)
def test_a_number_of_unknown_size(value: float, written: str) -> None:
    assert amount(value) == written
