"""Licences and papers of sources: findings in every run, a stop where something is to be published, waivers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from test_run import recipe as small
from test_run import texts, write

from seedbed.core.check import Finding
from seedbed.flow.running import Finished, run
from seedbed.recipe.loading import parse

CARD = "license: {}\nlanguages: en\ncollected: made\nintended_uses: tests\nsensitive: nothing\ncontact: us\n"
PAPERS = {"license": "CC-BY-4.0", "terms": "https://x.org/terms", "collected_by": "A <b>lab</b>", "consent": "asked"}


def go(folder: Path, *sources: dict[str, Any], card: str = "", **more: Any) -> Finished:
    write(folder, texts(160))
    (folder / "card.yaml").write_text(CARD.format(card or "null"))
    held = [
        {"use": "jsonl", "path": "rows.jsonl", "name": f"s{place}", "limit": 100 + place, **one}
        for place, one in enumerate(sources)
    ]
    return run(parse(small(sources=held, **more), folder), out=folder / "out", workers=1)


def finding(done: Finished, name: str) -> Finding | None:
    return next((one for one in done.run.findings if one.check == name), None)


PUBLISH = {"publish": [{"use": "folder", "path": "published"}]}


def test_papers_stand_everywhere(tmp_path: Path) -> None:
    done = go(tmp_path, PAPERS, card="CC-BY-4.0", **PUBLISH)
    assert done.run.state == "passed" and done.run.findings == ()
    [source] = done.run.sources
    assert {name: getattr(source, name) for name in PAPERS} == PAPERS
    lineage = json.loads((done.folder / "lineage.json").read_text())["sources"][0]
    assert {name: lineage[name] for name in PAPERS} == PAPERS
    for name in ("dataset/README.md", "dataset/datasheet.md", "report.html"):
        text = (done.folder / name).read_text().partition("```yaml")[0]
        assert "A &lt;b&gt;lab&lt;/b&gt;" in text and "<b>lab" not in text, name
        assert "asked" in text and "CC-BY-4.0" in text
    card = (tmp_path / "published" / "dataset" / "README.md").read_text()
    assert "These sources must be named" in card and "https://creativecommons.org/licenses/by/4.0/" in card
    assert "It is no legal advice" in card


def test_what_nobody_said_is_one_finding_and_stops_nothing(tmp_path: Path) -> None:
    done = go(tmp_path, PAPERS, {"license": "MIT"}, {})
    found = finding(done, "papers")
    assert done.run.state == "passed" and found and (found.passed, found.on_fail) == (False, "warn")
    assert found.value == 1 + 2 + 2 + 2
    for told in ("license of s2;", "terms of s1, s2", "collected_by of s1, s2", "consent of s1, s2"):
        assert told in found.message
    assert [one.check for one in done.run.findings] == ["papers"]
    assert done.run.licences and done.run.licences.problems == ("s2 states no licence",)


@pytest.mark.parametrize(
    ("sources", "card", "why"),
    [
        ([PAPERS, {}], "MIT", "s1 states no licence"),
        ([{"license": "Our own"}], "MIT", "s0 is under 'Our own', of which is not known what it allows"),
        ([{"license": "CC-BY-ND-4.0"}], "MIT", "does not allow changed versions to be handed on"),
        ([{"license": "CC-BY-SA-4.0"}, {"license": "ODbL-1.0"}], "", "each demand their own licence"),
        ([{"license": "CC-BY-SA-4.0"}], "MIT", "is not CC-BY-SA-4.0, which s0"),
        ([{"license": "CC-BY-NC-4.0"}], "CC-BY-4.0", "allows commercial use"),
    ],
)
def test_what_does_not_fit_stops_publishing_alone(
    tmp_path: Path, sources: list[dict[str, Any]], card: str, why: str
) -> None:
    plain = go(tmp_path, *sources, card=card)
    assert plain.run.state == "passed"
    stopped = go(tmp_path, *sources, card=card, **PUBLISH)
    assert stopped.run.state == "failed" and not (tmp_path / "published").exists()
    assert any(stop.startswith("licences: ") and why in stop for stop in stopped.run.stopped_by)
    assert why.replace("'", "&#39;") in (stopped.folder / "report.html").read_text()
    reason = "the <i>owners</i> agreed by letter"
    waived = go(tmp_path, *sources, card=card, waive=[{"what": "license", "reason": reason}], **PUBLISH)
    assert waived.run.state == "passed"
    assert ("licences", reason) in [(one.what, one.reason) for one in waived.run.waivers]
    card_told = (tmp_path / "published" / "dataset" / "README.md").read_text()
    assert "and was waived" in card_told and "the &lt;i&gt;owners&lt;/i&gt; agreed" in card_told


def test_the_licence_that_sources_demand_is_the_datasets(tmp_path: Path) -> None:
    done = go(tmp_path, {"license": "CC-BY-SA-3.0"}, {"license": "CC-BY-SA-4.0"}, {"license": "CC0-1.0"}, **PUBLISH)
    assert done.run.state == "passed" and done.run.licences and done.run.licences.under == "CC-BY-SA-4.0"
    assert "license: cc-by-sa-4.0" in (done.folder / "dataset" / "README.md").read_text()


def test_what_a_step_brings_counts_and_what_it_compares_with_does_not(tmp_path: Path) -> None:
    (tmp_path / "who.csv").write_text("who,country\n" + "\n".join(f"p{n},C" for n in range(37)))
    other = {"use": "csv", "path": "who.csv", "license": "CC-BY-ND-4.0"}
    against = {"use": "decontaminate", "against": [{**other, "columns": {"text": "country"}}], "against_column": "text"}
    compared = go(tmp_path, PAPERS, steps=[against])
    assert compared.run.licences and compared.run.licences.problems == ()
    brought = go(tmp_path, PAPERS, steps=[{"use": "join", "source": other, "on": "who"}])
    assert brought.run.licences and "join (CC-BY-ND-4.0) does not allow" in brought.run.licences.problems[0]
    assert finding(brought, "licences")


def test_the_check_stops_a_plain_run_where_it_is_told_to(tmp_path: Path) -> None:
    check = {"use": "license", "at_most": "attribution", "on_fail": "stop"}
    assert go(tmp_path, {"license": "CC-BY-4.0"}, checks=[check]).run.state == "passed"
    stopped = go(tmp_path, {"license": "CC-BY-NC-4.0"}, checks=[check])
    assert stopped.run.stopped_by == ("license",)
    found = finding(stopped, "license")
    assert found and "s0 (CC-BY-NC-4.0) asks for non commercial" in found.message
