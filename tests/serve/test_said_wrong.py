"""“This is wrong”, from a visitor's browser to the next model: reported, reviewed, learned from."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from served_model import serving
from typer.testing import CliRunner

from retrained_sample import RECIPE, rows, write
from seedbed import run
from seedbed.cli.app import app
from seedbed.core.reported import Reports
from visiting import visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.slow]
HOSTILE = 'a film <img src=x onerror="window.hacked=1"> =cmd() of badsouth1 superbnorth2 kind'


def said(*arguments: str, codes: tuple[int, ...] = (0,)) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code in codes, result.output
    return result.stdout


def test_from_the_page_to_the_next_model(browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEEDBED_STORE", raising=False)
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    write(tmp_path / "films.jsonl", rows(300, 1))
    run(tmp_path / "recipe.yaml")
    with (
        serving("films@latest", "--feedback", "auto") as mine,
        visit(browser, mine.url, ready="#ask:enabled") as (page, heard, _),
    ):
        page.set_default_timeout(60_000)
        for text in (HOSTILE, "never looked at by anybody at all in town"):
            page.locator("textarea").first.fill(text)
            page.keyboard.press("Enter")
            page.wait_for_selector("#result:not([hidden]):not([aria-busy])")
            page.wait_for_function("text => document.getElementById('read').textContent === text", arg=text)
            page.locator("#wrong summary").click()
            page.locator("#send").click()
            assert page.locator("#thanks").inner_text() == "Say what is right first."
            page.locator("#right-one").select_option("good")
            page.locator("#reason").fill("<b>irony</b>")
            page.locator("#send").click()
            page.get_by_text("Thank you.").wait_for()
        assert page.evaluate("window.hacked") is None and heard == []
    first = Reports.of(tmp_path / "feedback", "films").read()[0]
    assert (first.row["text"], first.said.label, first.said.why, first.said.who) == (
        HOSTILE,
        "good",
        "<b>irony</b>",
        "page",
    )

    # A reviewer sees both, decides on one.
    waiting = json.loads(said("review", "films@latest", "--summary", "--json"))
    assert waiting["reported"] == {"rows": 2, "decided": 0}
    said("review", "films@latest", "--queue", "reported", "--export", "human_input.csv")
    with (tmp_path / "human_input.csv").open(newline="", encoding="utf-8-sig") as file:
        table = list(csv.DictReader(file))
    assert [row["row"] for row in table] == ["feedback:films.jsonl#1", "feedback:films.jsonl#2"]
    assert table[0]["suggested"] == "good" and HOSTILE in table[0]["text"]
    with (tmp_path / "filled.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(table[0]))
        writer.writeheader()
        writer.writerow({**table[0], "new_label": table[0]["suggested"], "who": "ana"})
    assert "1 decision written" in said("review", "films@latest", "--import", "filled.csv")

    # The next model learns from that one, and from the other it does not.
    challenger = json.loads(said("retrain", "films@latest", "--json", codes=(0, 1)))["challenger"]
    folder = Path(challenger["folder"])
    dataset = pl.concat(pl.read_parquet(one) for one in (folder / "dataset" / "data").glob("*.parquet"))
    ours = dataset.filter(pl.col("row").str.starts_with("feedback:"))
    assert ours.select("row", "text", "label").rows() == [("feedback:films.jsonl#1", HOSTILE, "good")]
    assert set(dataset.columns) == {"row", "text", "label", "place"}
    ledger = pl.read_parquet(folder / "ledger" / "*.parquet").filter(pl.col("row").str.starts_with("feedback:"))
    rejected = ledger.filter(action="rejected")
    assert rejected.select("row", "reason").rows() == [("feedback:films.jsonl#2", "unlabelled")]
    assert "ana" in ledger.filter(row="feedback:films.jsonl#1", action="changed")["evidence"].item()
