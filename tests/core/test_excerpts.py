from __future__ import annotations

import polars as pl
import pytest

from seedbed.core.ledger import holds_personal_data, mask


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("call +49 171 7368886 now", "call [number] now"),
        ("ask ada@example.org", "ask [e-mail]"),
        ("on 2024-01-31T13:41:00Z", "on 2024-01-31T13:41:00Z"),
        ("am 31.01.2024 um 12", "am 31.01.2024 um 12"),
        ("2024/1/3 and 3/1/2024", "2024/1/3 and 3/1/2024"),
        ("2024-01-31 0171 7368886", "2024-01-31 [number]"),
        ("card 4111-1111-1111-1111", "card [number]"),
        ("06 12 34 56 78", "[number]"),
        ("20240131", "[number]"),
    ],
)
def test_dates_stay_and_numbers_of_people_go(text: str, shown: str) -> None:
    assert mask(text) == shown
    holds = pl.select(holds_personal_data(pl.lit(text))).item()
    assert holds == (text != shown)
