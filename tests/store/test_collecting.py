"""What `gc` removes and what it never touches, on stores with every kind of user."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from stored import artefact, entry, key, there

from seedbed.core.errors import DataError
from seedbed.store.collecting import FRESH, Rule, collect, size_of
from seedbed.store.going import Journal, forget_resumed, journals
from seedbed.store.objects import Objects
from seedbed.store.places import owner
from seedbed.store.runs import Index


def age(root: Path, seconds: float = 2 * FRESH) -> None:
    then = time.time() - seconds
    for path in root.rglob("*"):
        if path.name != ".lock":
            os.utime(path, (then, then))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


def dead_owner() -> str:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return f"{ended.pid}@{owner().partition('@')[2]}"


def interrupted(root: Path, *used: str) -> Path:
    place = root / "going" / f"{dead_owner()}-abcdef.txt"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("".join(f"{name}\n" for name in used))
    return place


def test_what_runs_use_stays_and_the_rest_goes(root: Path) -> None:
    artefact(root, "units", key("a"))
    artefact(root, "units", key("b"))
    artefact(root, "units", key("c"))
    here = artefact(root, "passes", key("1"), units=[key("a"), key("b")])
    gone = artefact(root, "passes", key("2"), units=[key("b"), key("c")])
    tagged = artefact(root, "verdicts", key("3"))
    entry(root, "run-01", used=(here,))
    entry(root, "run-02", used=(gone,), gone=True)
    entry(root, "run-03", used=(tagged,), gone=True, tags=("v1",))
    age(root)
    told = collect(root, Rule(), dry_run=True)
    assert there(root) == {here, gone, tagged, *(f"units/{key(one)}" for one in "abc")}, "a dry run touches nothing"
    done = collect(root, Rule())
    assert there(root) == {here, tagged, f"units/{key('a')}", f"units/{key('b')}"}, "what two passes share stays"
    assert told.removed == done.removed and told.freed == done.freed == sum(part.bytes for part in done.removed)
    assert done.let_go == ("run-02",) and done.kept_runs == ("run-03", "run-01")
    collected = next(one for one in Index(root).entries() if one.id == "run-02")
    assert collected.collected and not collected.used, "the index remembers it, for the lineage"
    assert collect(root, Rule()).removed == () and collect(root, Rule()).let_go == ()


def test_a_running_run_loses_nothing(root: Path) -> None:
    used, other = artefact(root, "passes", key("1"), units=[key("a")]), artefact(root, "verdicts", key("2"))
    artefact(root, "units", key("a"))
    artefact(root, "units", key("b"))
    sealed = artefact(root, "passes", key("3"), units=[key("b")])  # of a run that is gone; a new pass may share b
    entry(root, "run-01", used=(sealed, used, other), gone=True)
    age(root)
    journal = Journal()
    journal.begin(root)
    journal.add(used)
    done = collect(root, Rule(all=True))
    assert "units" not in {part.kind for part in done.removed}, "what is told is what is done"
    assert there(root) == {used, f"units/{key('a')}", f"units/{key('b')}"}
    journal.end()
    collect(root, Rule(all=True))
    assert there(root) == set()


def test_an_interrupted_run_goes_on_unless_everything_is_to_go(root: Path) -> None:
    used = artefact(root, "passes", key("1"), units=[key("a")])
    artefact(root, "units", key("a"))
    artefact(root, "units", key("b"))  # of the pass that was interrupted: nothing names it
    left = interrupted(root, used)
    age(root)
    assert not journals(root)[0].alive
    done = collect(root, Rule())
    assert done.interrupted == 1 and done.removed == () and size_of(root).interrupted == 1
    assert there(root) == {used, f"units/{key('a')}", f"units/{key('b')}"}
    collect(root, Rule(all=True))
    assert there(root) == set() and not left.exists()


def test_a_run_that_came_to_its_end_ends_the_interrupted_one(root: Path) -> None:
    one, two = interrupted(root, "passes/1"), interrupted(root, "passes/1", "passes/9")
    journal = Journal()
    journal.begin(root)
    journal.add("passes/1")
    forget_resumed(root, {"passes/1", "passes/2"})
    assert not one.exists() and two.exists() and len(journals(root)) == 2, "another run's, and our own, stay"
    journal.end()
    assert [going.path for going in journals(root)] == [two]


def test_what_nobody_names_stays_for_an_hour(root: Path) -> None:
    artefact(root, "verdicts", key("1"))
    done = collect(root, Rule())
    assert done.fresh == 1 and there(root)
    age(root)
    assert collect(root, Rule()).freed > 0 and not there(root)


def test_days_and_newest_runs(root: Path) -> None:
    names = [artefact(root, "verdicts", key(letter)) for letter in "123"]
    for place, name in enumerate(names):
        entry(root, f"run-0{place}", used=(name,))
    entry(root, "run-09", used=(), name="other")
    age(root, 5 * 86_400)
    assert collect(root, Rule()).removed == ()
    assert collect(root, Rule(keep_last=1, older_than=6)).removed == ()
    done = collect(root, Rule(keep_last=1, older_than=4))
    assert there(root) == {names[2]} and set(done.kept_runs) == {"run-02", "run-09"}


def test_embeddings_are_shared(root: Path) -> None:
    name = artefact(root, "embeddings", key("e"))
    one = entry(root, "run-01")
    age(root)
    assert collect(root, Rule()).removed == () and there(root) == {name}
    (Path(one.folder) / "run.json").unlink()
    assert collect(root, Rule()).freed > 0


def test_a_damaged_entry_stops_it(root: Path) -> None:
    name = artefact(root, "verdicts", key("1"))
    entry(root, "run-01", used=(name,))
    (root / "runs" / "run-01.json").write_text("{}")
    with pytest.raises(DataError):
        collect(root, Rule(all=True))
    assert there(root) == {name}


def test_files_that_a_run_folder_has_too_free_nothing(root: Path, tmp_path: Path) -> None:
    folder = tmp_path / "dataset"
    folder.mkdir()
    (folder / "big.parquet").write_bytes(b"x" * 100_000)
    (folder / "small.md").write_bytes(b"y" * 1000)
    entry(root, "run-01", files=Objects(root).keep_folder(folder), gone=True)
    size = size_of(root)
    assert next(part for part in size.parts if part.kind == "datasets").bytes == 101_000
    assert size.linked == 100_000 and size.runs == 1
    done = collect(root, Rule())
    assert done.freed == 1000 and sum(part.bytes for part in done.removed) == 101_000
    assert not list((root / "objects").rglob("*")) and (folder / "big.parquet").exists()


def test_there_may_be_no_store(tmp_path: Path) -> None:
    assert size_of(tmp_path / "none").bytes == 0
    assert collect(tmp_path / "none", Rule()).freed == 0
    assert not (tmp_path / "none").exists()
