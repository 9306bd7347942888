"""What a part's page says of options that are mappings."""

from __future__ import annotations

from seedbed.recipe.pages import page
from seedbed.sources import Csv, Rest
from seedbed.splits import Random


def test_each_kind_of_an_option_has_its_keys() -> None:
    told = page(Rest)
    auth = told.partition("\n### auth\n")[2].partition("\n### ")[0]
    assert "`kind: api_key`: A key in a header, or in the query." in auth
    assert '- `name` (text, default `"X-API-Key"`)' in auth
    assert "- `token_url` (text, required)" in auth
    assert "- `auth` (mapping, default `null`)" in told
    assert "`kind`:" not in auth  # not among the keys, since it stands before them


def test_a_mapping_of_one_kind_has_its_keys_too() -> None:
    assert "### keep_together\n\n- `" in page(Random)


def test_a_part_without_mappings_has_no_such_section() -> None:
    assert "\n### " not in page(Csv)
