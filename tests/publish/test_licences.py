"""One table of licences, told to SPDX and to the Hub in their own words."""

from __future__ import annotations

import pytest
from packaging.licenses import canonicalize_license_expression
from publish_sample import run_of, source, splits_of, write_dataset

from seedbed.publish.papers import Answers
from seedbed.publish.papers.card import header
from seedbed.publish.papers.licences import SPDX, hub_id, spdx_id, spdx_url


@pytest.mark.parametrize("name", SPDX)
def test_the_table_holds_ids_of_spdx_in_their_own_capitals(name: str) -> None:
    assert canonicalize_license_expression(name) == name == spdx_id(name.upper())
    assert hub_id(name) and hub_id(str(hub_id(name))) == hub_id(name), "the Hub's id is understood, too"


@pytest.mark.parametrize(
    ("name", "hub", "spdx"),
    [
        ("mit", "mit", "MIT"),
        (" CC-by-4.0 ", "cc-by-4.0", "CC-BY-4.0"),
        ("cc0", "cc0-1.0", "CC0-1.0"),
        ("odbl", "odbl", "ODbL-1.0"),
        ("GPL-3.0-or-later", "gpl-3.0", "GPL-3.0-or-later"),
        ("lgpl-2.1-ONLY", "lgpl-2.1", "LGPL-2.1-only"),
        ("openrail", "openrail", None),
        ("bsd", "bsd", None),
        ("CC-BY-9.0", None, None),
        ("MIT-only", None, None),
        ("", None, None),
    ],
)
def test_both_names(name: str, hub: str | None, spdx: str | None) -> None:
    assert hub_id(name) == hub
    assert spdx_id(name) == spdx
    assert spdx_url(name) == (f"https://spdx.org/licenses/{spdx}.html" if spdx else None)


@pytest.mark.parametrize("stated", ["etalab-2.0", "epl-2.0", "cc-by-nc-sa-4.0", "Our own"])
def test_card_and_croissant_know_the_same_licences(tmp_path, stated: str) -> None:
    import json

    splits = splits_of(["a", "b"])
    run, answers = run_of(splits, sources=(source(None),)), Answers(license=stated)
    folder = write_dataset(tmp_path / "d", splits, run, answers)
    described = json.loads((folder / "croissant.json").read_text())["license"]
    assert (header(run, answers)["license"] == "other") == (described == stated)
