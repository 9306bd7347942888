"""The example that collects: a database, an API and a web site become one dataset, with and without a network."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest

import seedbed
from seedbed.flow import explain

EXAMPLE = Path(__file__).parents[2] / "examples" / "collect"
KEY = "a-key-that-must-not-be-kept"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def shop(folder: Path, site: int, api: int) -> Iterator[None]:
    command = [sys.executable, str(folder / "shop.py"), "--site", str(site), "--api", str(api), "--rows", "400"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            assert process.stdout.readline().startswith(b"site ")
            yield
        finally:
            process.terminate()


@pytest.mark.slow
def test_three_kinds_of_sources_become_one_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_KEY", KEY)
    folder = tmp_path / "collect"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".seedbed", "runs", "*.sqlite"))
    site, api = free_port(), free_port()
    recipe = folder / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace("8731", str(site)).replace("8732", str(api)))
    with shop(folder, site, api):
        first = seedbed.run(recipe, out=folder / "first")
    assert first.run.state == "passed"
    assert first.run.rows.read == first.run.rows.kept == 400

    rows = pl.read_parquet(folder / "first" / "dataset" / "data" / "*.parquet")
    numbers = rows["description"].str.extract(r"This is number (\d+) of our").cast(pl.Int64)
    assert numbers.equals(rows["product"].cast(pl.Int64))  # the page of the product that the review is about
    assert all(
        re.search(rf"our {category} department", text)
        for category, text in rows.select("category", "description").iter_rows()
    )
    lineage = json.loads((folder / "first" / "lineage.json").read_text())
    web = next(source for source in lineage["sources"] if source["use"] == "web")
    assert [refused["robots"] for refused in web["fetching"]["refused"]] == ["refused: Disallow: /private/"]
    assert web["fetching"]["responses"] >= 120

    row = rows["row"][0]
    joined = explain(folder / "first", row, trust=True).joined  # a page of the API, and a page of the site
    assert len(joined) == 2 and all(one.fetched and one.fetched.status == 200 for one in joined)
    assert rows["product"].cast(pl.String)[0] in joined[0].fetched.url + joined[1].fetched.url  # type: ignore[union-attr]

    # The shop is closed.
    again = seedbed.run(recipe, out=tmp_path / "again", offline=True)
    assert again.run.dataset.digest == first.run.dataset.digest
    everything = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in everything if KEY.encode() in path.read_bytes()]
