"""A run that fetches, one that may not, one that must again; and what looks at them and never fetches by itself."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from test_run import recipe, texts

import seedbed
from seedbed import flow
from seedbed.cli import main
from seedbed.core.errors import NotKept, RecipeError
from seedbed.core.source import InputFile, Origin, Scan
from seedbed.flow.holding import hold
from seedbed.flow.papers.sources import fetched
from seedbed.flow.running import Finished, run
from seedbed.flow.versions.fetching import fetch
from seedbed.recipe.loading import parse
from seedbed.store.collecting import Rule, collect, size_of
from serving.api import Api
from serving.file_server import FileServer, file_server

ROWS = [{**row, "n": place} for place, row in enumerate(texts(240))]
LINES = "\n".join(map(json.dumps, ROWS)).encode()
WHO = "who,country\n" + "\n".join(f"p{n},C{n % 5}" for n in range(37))


@pytest.fixture
def server() -> Iterator[FileServer]:
    with file_server({"/rows.jsonl": LINES, "/who.csv": WHO.encode()}) as held:
        yield held


def asked(server: FileServer, **more: Any) -> dict[str, Any]:
    source = {"use": "jsonl", "path": f"{server.url}/rows.jsonl", "name": "far", "license": "CC-BY-4.0"}
    join = {"use": "join", "source": {"use": "csv", "path": f"{server.url}/who.csv"}, "on": "who"}
    return recipe(sources=[source], steps=[{"use": "normalize"}, join, {"use": "exact_duplicates"}], **more)


def go(folder: Path, server: FileServer, **how: Any) -> Finished:
    return run(parse(asked(server), folder), workers=1, **how)


def test_what_was_fetched_is_enough_for_the_same_digest(tmp_path: Path, server: FileServer) -> None:
    first = go(tmp_path, server)
    assert sorted(server.got()) == ["/rows.jsonl", "/who.csv"]
    again = go(tmp_path, server, offline=True)
    anew = go(tmp_path, server, refresh=True)
    assert len(server.got()) == 4
    assert first.run.dataset.digest == again.run.dataset.digest == anew.run.dataset.digest
    assert [(one.run.offline, one.run.refreshed) for one in (first, again, anew)] == [
        (False, False),
        (True, False),
        (False, True),
    ]
    server.files["/rows.jsonl"] = LINES + b'\n{"text": "something new is here today", "label": "food", "who": "p1"}'
    assert go(tmp_path, server).run.dataset.digest == first.run.dataset.digest
    assert go(tmp_path, server, refresh=True).run.rows.read == first.run.rows.read + 1


def test_offline_fails_where_something_was_not_kept(tmp_path: Path, server: FileServer) -> None:
    with pytest.raises(NotKept, match="nothing was kept of this source") as error:
        go(tmp_path, server, offline=True)
    assert error.value.exit_code == 3 and error.value.at == f"{server.url}/rows.jsonl"
    assert server.asked == [] and not (tmp_path / "runs").exists()
    with pytest.raises(RecipeError, match="nothing can be fetched again offline"):
        go(tmp_path, server, offline=True, refresh=True)


def test_the_evidence_stands_in_the_record_the_lineage_and_the_report(tmp_path: Path, server: FileServer) -> None:
    done = go(tmp_path, server)
    far, who = done.run.sources
    assert far.fetched and (far.fetched.responses, far.fetched.bytes) == (1, len(LINES))
    assert far.fetched.hosts == {server.url.removeprefix("http://"): 1} and far.fetched.statuses == {"200": 1}
    assert who.fetched and who.fetched.bytes == len(WHO)
    lineage = json.loads((done.folder / "lineage.json").read_text())
    [file] = lineage["sources"][0]["files"]
    assert file["origin"]["url"] == far.path and file["origin"]["status"] == 200
    assert file["origin"]["fetched"].endswith("Z") and "ETag" in file["origin"]["facts"]
    assert lineage["sources"][0]["license"] == "CC-BY-4.0" and lineage["sources"][0]["consent"] is None
    page = (done.folder / "report.html").read_text()
    assert "What was fetched" in page and server.url.removeprefix("http://") in page
    card = (done.folder / "dataset" / "README.md").read_text()
    assert "far was fetched on" in card


def test_nothing_that_looks_fetches_by_itself(tmp_path: Path, server: FileServer) -> None:
    loaded = parse(asked(server), tmp_path)
    seen = flow.preview(loaded, workers=1)
    assert [one.partition(" ")[0] for one in seen.fetches] == [f"{server.url}/rows.jsonl", f"{server.url}/who.csv"]
    assert seen.passes == () and server.asked == [] and not (tmp_path / ".seedbed").exists()
    (tmp_path / "new.jsonl").write_bytes(LINES[: LINES.index(b"\n", 5_000)])
    with pytest.raises(NotKept):  # the step `join` cannot work without its source
        hold(str(tmp_path / "new.jsonl"), loaded, workers=1)
    done = run(loaded, workers=1)
    before = len(server.asked)
    assert flow.preview(loaded, workers=1).passes[0].there
    assert flow.preview(loaded, workers=1, refresh=True).fetches == (
        f"{server.url}/rows.jsonl (again)",
        f"{server.url}/who.csv (again)",
    )
    held = hold(str(tmp_path / "new.jsonl"), loaded, workers=1)
    assert held.known and held.known.rows == held.known.of > 0
    row = pl.read_parquet(done.folder / "dataset" / "data" / "train-*.parquet")["row"][0]
    story = flow.explain(done.folder, row)
    assert story.read and story.all_changes and story.origin.fetched
    assert (story.origin.fetched.url, story.origin.fetched.status) == (f"{server.url}/rows.jsonl", 200)
    seedbed.load_model(done.folder)
    assert len(server.asked) == before


def test_a_file_that_is_named_on_the_command_line_is_fetched_each_time(tmp_path: Path, server: FileServer) -> None:
    loaded = parse(asked(server), tmp_path)
    run(loaded, workers=1)
    server.files["/new.jsonl"] = LINES
    before = server.got()
    for count in (1, 2):
        held = hold(f"{server.url}/new.jsonl", loaded, workers=1)
        assert held.rows.read == len(ROWS)
        assert server.got()[len(before) :].count("/new.jsonl") == count


def ended(words: list[str]) -> int:
    with pytest.raises(SystemExit) as end:
        main(words)
    return int(end.value.code or 0)


def test_the_commands(
    tmp_path: Path, server: FileServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("recipe.yaml").write_text(json.dumps(asked(server)))
    assert ended(["run", "recipe.yaml", "--offline"]) == 3
    told = capsys.readouterr().err
    assert "nothing was kept of this source" in told and "run once without --offline" in told
    assert ended(["run", "recipe.yaml", "--dry-run"]) == 0
    assert "a run would fetch; nothing is fetched" in capsys.readouterr().out
    assert ended(["run", "recipe.yaml", "--offline", "--refresh"]) == 2
    assert ended(["run", "recipe.yaml", "--workers", "1"]) == 0
    assert ended(["run", "recipe.yaml", "--workers", "1", "--offline", "--out", "out"]) == 0
    assert json.loads(Path("out/run.json").read_text())["command"].endswith("--offline")
    capsys.readouterr()
    row = pl.read_parquet("out/dataset/data/train-*.parquet")["row"][0]
    assert ended(["explain", "out", row]) == 0
    shown = capsys.readouterr().out
    assert "fetched 20" in shown and f"{server.url}/rows.jsonl" in shown and "status 200" in shown


def test_the_store_keeps_what_runs_fetched_and_tells_of_the_rest(tmp_path: Path, server: FileServer) -> None:
    store = tmp_path / ".seedbed"
    done = go(tmp_path, server)
    [held] = [part for part in size_of(store).parts if part.kind == "snapshots"]
    assert held.items == 2 and held.bytes >= len(LINES) + len(WHO)
    collect(store, Rule(all=True, fetched=True))
    again = go(tmp_path, server, offline=True)
    assert again.run.dataset.digest == done.run.dataset.digest
    for folder in (done.folder, again.folder):
        shutil.rmtree(folder)
    first = collect(store, Rule(all=True))
    assert first.fetched and first.fetched.items == 2 and first.fetched.bytes >= len(LINES)
    assert go(tmp_path, server, offline=True, out=tmp_path / "out").run.dataset.digest == done.run.dataset.digest
    shutil.rmtree(tmp_path / "out")
    second = collect(store, Rule(all=True, fetched=True))
    assert second.fetched is None and "snapshots" in [part.kind for part in second.removed]
    with pytest.raises(NotKept):
        go(tmp_path, server, offline=True)


def test_what_came_can_be_had_as_it_came(tmp_path: Path, server: FileServer) -> None:
    done = go(tmp_path, server)
    [file] = json.loads((done.folder / "lineage.json").read_text())["sources"][0]["files"]
    found = fetch(file["sha256"][:12], tmp_path / "raw", tmp_path / ".seedbed")
    assert (found.kind, found.url, found.bytes) == ("response", f"{server.url}/rows.jsonl", len(LINES))
    assert (tmp_path / "raw" / "rows.jsonl").read_bytes() == LINES


def test_what_a_crawl_tells_is_counted_and_bounded() -> None:
    def page(n: int) -> InputFile:
        robots = "allowed: no rule" if n else "allowed: /robots.txt, line 3"
        origin = Origin(f"http://h{n % 30}/p{n}", f"2026-01-0{1 + n % 2}", 200 + n % 2, robots=robots)
        return InputFile(f"p{n}", f"/store/{n}", 10, "0" * 64, origin=origin)

    refused = [{"url": f"http://h/private/{n}", "by": "robots.txt"} for n in range(50)]
    facts = {"began": "2026-01-01", "ended": "2026-01-03", "requests": 120, "refused": refused}
    scan = Scan(tuple(map(page, range(60))), pl.Schema({"text": pl.String()}), fetching=facts)
    told = fetched(scan)
    assert told and (told.began, told.ended, told.requests) == ("2026-01-01", "2026-01-03", 120)
    assert (told.responses, told.bytes, told.statuses) == (60, 600, {"200": 30, "201": 30})
    assert told.robots == {"allowed: no rule": 59, "allowed: /robots.txt, line 3": 1}
    assert len(told.hosts) == 20 and told.refused == 50 and len(told.refused_urls) == 20
    assert told.refused_urls[0] == "http://h/private/0"
    assert fetched(Scan((InputFile("a", "a", 1),), pl.Schema())) is None


def test_records_of_an_api_lead_back_to_their_page(tmp_path: Path) -> None:
    with Api([{**row, "id": place} for place, row in enumerate(ROWS[:200])]) as api:
        source = {"use": "rest", "name": "api", "url": api.url("/next"), "per_second": 1000}
        done = run(parse(recipe(sources=[source], steps=[]), tmp_path), workers=1)
        count = len(api.asked)
    again = run(parse(recipe(sources=[source], steps=[]), tmp_path), workers=1, offline=True)
    assert again.run.dataset.digest == done.run.dataset.digest
    [told] = again.run.sources
    assert told.fetched and told.fetched.requests == told.fetched.responses == count > 1
    row = pl.read_parquet(done.folder / "dataset" / "data" / "train-*.parquet")["row"][0]
    story = flow.explain(done.folder, row)
    assert story.read and story.all_changes, "read again from what was kept, the server being gone"
    assert story.origin.fetched and story.origin.fetched.status == 200
    assert story.origin.fetched.url.startswith(source["url"])
