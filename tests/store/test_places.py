"""What may be replaced, how things appear at their place, and what killed processes leave."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from seedbed.core.errors import RecipeError
from seedbed.store.places import (
    arriving,
    beside,
    is_run,
    left_below,
    left_beside,
    move_into_place,
    owner,
    refuse_replacing,
    sweep,
)
from seedbed.store.store import Store

RUN = json.dumps({"seedbed": "0.1.0", "id": "1", "dataset": {}, "recipe_text": "seedbed: 1\n"})


def a_run(folder: Path) -> Path:
    (folder / "dataset").mkdir(parents=True)
    (folder / "run.json").write_text(RUN)
    (folder / "recipe.yaml").write_text("seedbed: 1\n")
    return folder


def refused(target: Path, base: Path) -> str:
    try:
        refuse_replacing(target, base=base, store=base / ".seedbed", at="--out")
    except RecipeError as error:
        assert len(str(error).splitlines()) <= 5
        return error.problem
    return ""


def gone() -> int:
    """The number of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def name_of(pid: int, host: str | None = None) -> str:
    return f"{pid}@{host or owner().partition('@')[2]}"


def test_nothing_an_empty_folder_and_a_run_may_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    a_run(tmp_path / "run")
    (tmp_path / "run" / f".run.json.{name_of(gone())}.partial").write_text("half")
    for name in ("new/deep", "empty", "run"):
        assert refused(tmp_path / name, tmp_path) == ""


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("base", "the recipe's own folder"),
        ("base/x/..", "the recipe's own folder"),
        (".", "the recipe's own folder"),
        ("base/.seedbed", "the store"),
        ("base/.seedbed/work/x", "the store"),
        ("base/file", "a file of that name"),
        ("base/link", "the recipe's own folder"),
    ],
)
def test_places_that_hold_the_users_own(tmp_path: Path, path: str, said: str) -> None:
    base = a_run(tmp_path / "base")  # also where a run.json lies there
    (base / "file").write_text("mine")
    (base / "link").symlink_to(base, target_is_directory=True)
    assert said in refused(tmp_path / path, base)


@pytest.mark.parametrize("name", ["data.csv", "notes.md", ".git", "recipe-2.yaml", ".hidden.1.partial"])
def test_a_run_with_anything_else_in_it_is_kept(tmp_path: Path, name: str) -> None:
    run = a_run(tmp_path / "run")
    (run / name).write_text("mine")
    assert repr(name) in refused(run, tmp_path / "base")


def test_a_run_whose_recipe_was_written_to_is_kept(tmp_path: Path) -> None:
    run = a_run(tmp_path / "run")
    (run / "recipe.yaml").write_text("# why I did this\nseedbed: 1\n")
    assert "recipe.yaml that is not the one that ran" in refused(run, tmp_path / "base")


@pytest.mark.parametrize("held", ["", "[]", "{}", "not json", '{"seedbed": 1}', '{"seedbed": 1, "id": 2}'])
def test_a_run_json_of_somebody_else_is_no_run(tmp_path: Path, held: str) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (target / "run.json").write_text(held)
    assert not is_run(target)
    assert "holds no run of Seedbed" in refused(target, tmp_path / "base")


def test_a_file_arrives_whole_or_not_at_all(tmp_path: Path) -> None:
    place = tmp_path / "new" / "x.txt"
    with pytest.raises(ZeroDivisionError), arriving(place) as partial:
        partial.write_text("half")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
    for text in ("one", "two"):
        with arriving(place) as partial:
            partial.write_text(text)
        assert place.read_text() == text
    assert [p.name for p in place.parent.iterdir()] == ["x.txt"]


def test_a_folder_replaces_a_folder_and_a_link_a_link(tmp_path: Path) -> None:
    for number in ("1", "2"):
        built = tmp_path / "built"
        built.mkdir()
        (built / number).touch()
        move_into_place(built, tmp_path / number)
        with arriving(tmp_path / "latest") as link:
            link.symlink_to(number)
    built.mkdir()
    move_into_place(built, tmp_path / "1")
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*")) == ["1", "2", "2/2", "latest"]
    assert os.readlink(tmp_path / "latest") == "2"


def test_a_reader_never_misses_a_file_that_is_replaced(tmp_path: Path) -> None:
    place, stop, missed = tmp_path / "x", threading.Event(), []
    place.write_text("0")

    def look() -> None:
        while not stop.is_set():
            if not place.exists() or not place.read_text():
                missed.append(1)

    reader = threading.Thread(target=look)
    reader.start()
    for i in range(200):
        with arriving(place) as partial:
            partial.write_text(str(i))
    stop.set()
    reader.join()
    assert missed == []


def test_what_killed_processes_left_is_swept(tmp_path: Path) -> None:
    dead, alive, afar = name_of(gone()), name_of(os.getppid()), name_of(gone(), "elsewhere")
    kept = {f".out.{alive}.partial", f".out.{afar}.partial", ".out.partial", ".out.12.partial", f"out.{dead}.partial"}
    for name in (*kept, f".out.{dead}.partial", f".out.{dead}.old"):
        (tmp_path / name).mkdir()
    (tmp_path / f".out.{dead}.partial" / "x").write_text("half")
    (tmp_path / f".out.{dead}.old" / "precious").write_text("was there")
    sweep(left_beside(tmp_path / "out"))
    assert {p.name for p in tmp_path.iterdir()} == {*kept, "out"}
    assert (tmp_path / "out" / "precious").read_text() == "was there", "nothing took its place: it is brought back"


def test_an_old_one_that_was_replaced_is_removed(tmp_path: Path) -> None:
    dead = name_of(gone())
    for name in ("out", f".out.{dead}.old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name.strip(".")[:3]).touch()
    sweep(tmp_path.iterdir())
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_the_store_is_swept(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    store.sweep()  # nothing there yet
    dead = name_of(gone())
    artefact = store.artefact("passes", "a" * 40).folder
    (artefact / f".rows.parquet.{dead}.partial").write_text("half")
    (artefact / "rows.parquet").write_text("whole")
    killed = store.root / "work" / f"run-{dead}-x_1y2z"
    killed.mkdir(parents=True)
    with store.workspace("run") as ours:
        store.sweep()
        assert ours.is_dir() and not killed.exists()
    assert [p.name for p in artefact.iterdir()] == ["rows.parquet"]
    assert left_below(store.root) == []


def test_this_process_names_what_it_leaves(tmp_path: Path) -> None:
    left = beside(tmp_path / "out.x", "partial")
    left.mkdir()
    assert left_beside(tmp_path / "out.x") == [left]
    sweep([left])
    assert left.exists(), "we still run"
