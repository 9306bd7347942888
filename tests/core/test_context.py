from __future__ import annotations

import pytest

from seedbed.core.context import conceal, expand

WRITTEN = "s3://${env:KEY}@host/${env:OTHER}/x.csv"


def test_what_was_filled_in_is_taken_out_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "a/b c+KEY")
    monkeypatch.setenv("OTHER", "a/b c+KEY2")
    filled = expand(WRITTEN)
    assert "b c" in filled
    assert conceal(filled, WRITTEN) == WRITTEN
    assert expand(conceal(filled, WRITTEN)) == filled
    assert conceal("GET /a%2Fb%20c%2BKEY?x", WRITTEN) == "GET /${env:KEY}?x"
    assert conceal("a/b c+KEY", "no placeholder") == "a/b c+KEY"


def test_what_is_too_short_to_be_a_secret_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", ".")
    monkeypatch.setenv("OTHER", "")
    assert conceal("a.csv", WRITTEN) == "a.csv"
