from __future__ import annotations

import pytest

from seedbed.core.context import conceal, expand, key_of
from seedbed.core.errors import RecipeError

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


@pytest.mark.parametrize("value", ["sesame77\r", "\nsesame77 ", 'ses"ame\\77\r'])
def test_a_secret_that_a_library_wrote_with_escapes_is_found(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", value)
    header = f"Bearer {value}".encode()
    for said in (f"Illegal header value {header!r}", f"got {value!r}", f"key {value.strip()} is wrong", str([value])):
        assert "77" not in conceal(said, "${env:KEY}")


def test_a_key_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "sesame\r\n")
    assert key_of("${env:KEY}") == "sesame"
    for value in ("ses\name", "sésame"):
        monkeypatch.setenv("KEY", value)
        with pytest.raises(RecipeError) as told:
            key_of("${env:KEY}")
        assert "ame" not in str(told.value)
