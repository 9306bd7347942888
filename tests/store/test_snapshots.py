"""A snapshot keeps what came, in order, whatever ends the process; the last whole generation counts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from seedbed.core.context import Context
from seedbed.core.errors import Damaged, DataError
from seedbed.core.source import Origin
from seedbed.store.snapshots import Snapshot, body_of, now

ASKED = {"url": "http://here/items"}


def context(tmp_path: Path, **more: bool) -> Context:
    return Context(base=tmp_path, store=tmp_path / "store", **more)


def origin(name: str) -> Origin:
    return Origin(f"http://here/{name}", now(), 200, "application/json", facts={"etag": "x"})


def fetch(tmp_path: Path, names: str, *, refresh: str = "never", end: bool = True, **more: bool) -> list[str]:
    """Names that are kept after a run that fetches `names`."""
    run = context(tmp_path, **more)
    snapshot = Snapshot.of(ASKED, run)
    with snapshot.fetching(refresh, run, at="items") as wanted:
        if wanted:
            for name in names:
                snapshot.keep(name, f"body of {name}".encode(), origin(name), cursor=name)
            if end:
                snapshot.end(requests=len(names))
    return [kept.name for kept in snapshot.kept]


def test_what_was_fetched_once_is_not_fetched_again(tmp_path: Path) -> None:
    assert fetch(tmp_path, "ab") == ["a", "b"]
    assert fetch(tmp_path, "xyz") == ["a", "b"]
    assert fetch(tmp_path, "xyz", refresh="always") == ["x", "y", "z"]
    snapshot = Snapshot.of(ASKED, context(tmp_path))
    assert snapshot.facts["requests"] == 3
    assert snapshot.facts["bytes"] == 3 * len("body of x")
    assert snapshot.body(snapshot.kept[0], at="items") == b"body of x"
    assert snapshot.kept[1].origin == Origin(**{**vars(origin("y")), "fetched": snapshot.kept[1].origin.fetched})


def test_new_things_add_to_the_old(tmp_path: Path) -> None:
    fetch(tmp_path, "ab")
    assert fetch(tmp_path, "c", refresh="new") == ["a", "b", "c"]
    assert fetch(tmp_path, "d", refresh="new") == ["a", "b", "c", "d"]
    assert fetch(tmp_path, "e", refresh="always") == ["e"]
    assert fetch(tmp_path, "f", refresh="new") == ["e", "f"]


def test_until_it_is_whole_the_generation_before_counts_and_the_next_run_goes_on(tmp_path: Path) -> None:
    assert fetch(tmp_path, "ab", end=False) == []
    with pytest.raises(DataError, match="nothing was kept of this source, and what was fetched of it is not whole"):
        fetch(tmp_path, "", offline=True)
    run = context(tmp_path)
    snapshot = Snapshot.of(ASKED, run)
    with snapshot.fetching("never", run, at="items") as wanted:
        assert wanted
        assert [(kept.name, kept.state["cursor"]) for kept in snapshot.kept] == [("a", "a"), ("b", "b")]
        snapshot.keep("c", b"", origin("c"))
        snapshot.end()
    assert fetch(tmp_path, "x", refresh="always", end=False) == ["a", "b", "c"]
    assert fetch(tmp_path, "", offline=True) == ["a", "b", "c"]
    assert fetch(tmp_path, "y") == ["x", "y"]


def test_a_run_fetches_once_however_often_it_looks(tmp_path: Path) -> None:
    run = context(tmp_path)
    for expected in (True, False):
        snapshot = Snapshot.of(ASKED, run)
        with snapshot.fetching("always", run, at="items") as wanted:
            assert wanted is expected
            if wanted:
                snapshot.end()


def test_offline_without_anything_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing was kept of this source") as error:
        fetch(tmp_path, "", offline=True)
    assert error.value.hint == "run once without --offline"


def test_notes_are_kept_with_the_generation(tmp_path: Path) -> None:
    run = context(tmp_path)
    snapshot = Snapshot.of(ASKED, run)
    with snapshot.fetching("never", run, at="items"):
        snapshot.note("refused", url="http://here/private", by="robots.txt")
        snapshot.end()
    assert Snapshot.of(ASKED, run).notes("refused") == [{"url": "http://here/private", "by": "robots.txt"}]


def test_a_torn_line_is_no_line(tmp_path: Path) -> None:
    fetch(tmp_path, "ab", end=False)
    [journal] = (tmp_path / "store").rglob("journal.jsonl")
    journal.write_bytes(journal.read_bytes()[:-40])
    assert fetch(tmp_path, "c") == ["a", "c"]
    assert fetch(tmp_path, "") == ["a", "c"]


def test_a_body_that_was_changed_is_found(tmp_path: Path) -> None:
    fetch(tmp_path, "a")
    snapshot = Snapshot.of(ASKED, context(tmp_path))
    [file] = snapshot.files()
    assert body_of(file, at="items") == b"body of a"
    Path(file.url).write_bytes(b"body of b")
    with pytest.raises(DataError, match="what was kept of a is damaged or gone"):
        body_of(file, at="items")


def bring(
    tmp_path: Path, answers: dict[str, str], *, refresh: str = "never", **more: bool
) -> tuple[Snapshot, list[str]]:
    """The snapshot of a source that wants all of `answers`, and for what it asked."""
    run, asked = context(tmp_path, **more), list[str]()
    snapshot = Snapshot.of(ASKED, run)

    def ask() -> None:
        there = {kept.name for kept in snapshot.kept}
        for name in answers if not snapshot.mending else [kept.name for kept in snapshot.lost]:
            if name not in there:
                asked.append(name)
                if answers.get(name):
                    snapshot.keep(name, answers[name].encode(), origin(name))
        snapshot.end(requests=len(asked))

    snapshot.bring(refresh, run, ask, at="items")
    return snapshot, asked


def bodies(snapshot: Snapshot) -> list[str]:
    return [f"{kept.name}={snapshot.body(kept, at='items').decode()}" for kept in snapshot.kept]


def test_what_is_damaged_is_fetched_again_and_nothing_else(tmp_path: Path) -> None:
    bring(tmp_path, {"a": "1", "b": "2"})
    whole, _ = bring(tmp_path, {"a": "1", "b": "2", "c": "3", "d": "3"}, refresh="new")
    assert bodies(whole) == ["a=1", "b=2", "c=3", "d=3"]
    for kept in (whole.kept[0], whole.kept[2]):
        whole.path(kept).write_bytes(b"x")
    with pytest.raises(Damaged, match="what was kept of a is damaged"):
        bring(tmp_path, {}, offline=True)
    found, asked = bring(tmp_path, {"a": "1", "c": "9", "d": "3"})
    assert asked == ["a", "c", "d"]  # `c` and `d` have one body
    assert bodies(found) == ["a=1", "b=2", "c=9", "d=3"]
    assert found.changes == [
        "damaged in the store, fetched again, and not what it was: c; --refresh fetches everything anew"
    ]
    offline, asked = bring(tmp_path, {}, offline=True)
    assert (bodies(offline), asked) == (bodies(found), [])
    assert bring(tmp_path, {"a": "1"}, refresh="always")[0].changes == []


def test_what_is_damaged_and_not_to_be_had_again_goes(tmp_path: Path) -> None:
    whole, _ = bring(tmp_path, {"a": "1", "b": "2", "c": "3"})
    whole.path(whole.kept[1]).unlink()
    found, asked = bring(tmp_path, {"a": "1"})
    assert (bodies(found), asked) == (["a=1", "c=3"], ["b"])
    again, asked = bring(tmp_path, {"a": "1"})
    assert (bodies(again), asked) == (["a=1", "c=3"], [])


def test_mending_that_is_cut_goes_on(tmp_path: Path) -> None:
    whole, _ = bring(tmp_path, {"a": "1", "b": "2", "c": "3"})
    for kept in whole.kept[:2]:
        whole.path(kept).unlink()
    run = context(tmp_path)
    snapshot = Snapshot.of(ASKED, run)

    def cut() -> None:
        snapshot.keep("a", b"1", origin("a"))
        raise DataError("cut")

    with pytest.raises(DataError, match="cut"):
        snapshot.bring("never", run, cut, at="items")
    found, asked = bring(tmp_path, {"b": "2"})
    assert (bodies(found), asked) == (["a=1", "b=2", "c=3"], ["b"])


def test_refresh_replaces_a_body_that_is_damaged(tmp_path: Path) -> None:
    whole, _ = bring(tmp_path, {"a": "1"})
    whole.path(whole.kept[0]).write_bytes(b"x")
    assert bodies(bring(tmp_path, {"a": "1"}, refresh="always")[0]) == ["a=1"]


def test_two_processes_do_not_fetch_the_same_at_once(tmp_path: Path) -> None:
    run = context(tmp_path)
    one = Snapshot.of(ASKED, run)
    with one.fetching("never", run, at="items") as wanted:
        assert wanted
        with pytest.raises(DataError, match="another run is fetching this source now"):
            fetch(tmp_path, "x")
        one.end()


WRITER = """
import sys
from pathlib import Path
from seedbed.core.context import Context
from seedbed.core.source import Origin
from seedbed.store.snapshots import Snapshot
run = Context(base=Path(sys.argv[1]), store=Path(sys.argv[1]) / "store")
snapshot = Snapshot.of({"url": "http://here/items"}, run)
with snapshot.fetching("never", run, at="items"):
    print(len(snapshot.kept), flush=True)
    for place in range(len(snapshot.kept), 100_000):
        snapshot.keep(str(place), b"%d" % place * 100, Origin("http://here", "now"))
"""


def test_what_a_killed_process_kept_is_there(tmp_path: Path) -> None:
    held = 0
    for _ in range(3):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout
            assert int(writer.stdout.readline()) >= held
            time.sleep(0.2)
            os.kill(writer.pid, signal.SIGKILL)
        run = context(tmp_path)
        snapshot = Snapshot.of(ASKED, run)
        with snapshot.fetching("never", run, at="items"):
            names = [kept.name for kept in snapshot.kept]
            assert names == [str(place) for place in range(len(names))]
            assert all(snapshot.body(kept, at="items") == kept.name.encode() * 100 for kept in snapshot.kept)
        assert len(names) > held
        held = len(names)
