from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from seedbed.core.context import Context
from seedbed.core.errors import DataError, RecipeError, SeedbedError
from seedbed.publish import Folder

#: The least of a record of a run.
RUN = '{"seedbed": "0.1.0", "id": "1", "dataset": {}, "recipe_text": "seedbed: 1\\n"}'


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_the_published_part_of_a_run_is_copied_and_the_ledger_stays(run: Path, context: Context) -> None:
    Folder(path="out/tweets").export(run, context)
    whole = tree(run)
    assert tree(context.base / "out/tweets") == {name: raw for name, raw in whole.items() if "ledger" not in name}
    assert [p.name for p in (context.base / "out").iterdir()] == ["tweets"]


def test_a_published_run_is_replaced_whole(run: Path, context: Context) -> None:
    Folder(path="out").export(run, context)
    (context.base / "out" / "dataset" / "stale.txt").write_text("old")
    shutil.rmtree(run / "models")
    Folder(path="out").export(run, context)
    assert "dataset/stale.txt" not in tree(context.base / "out")
    assert not (context.base / "out" / "models").exists()
    assert sorted(p.name for p in context.base.iterdir()) == ["out", "runs"]


@pytest.mark.parametrize(
    "held",
    [
        {"notes.txt": "mine"},
        {"run.json": "[]"},
        {"run.json": "{}"},
        {"run.json": "not"},
        {"run.json": RUN, "notes.txt": "mine"},
        {"run.json": RUN, "recipe.yaml": "# my own notes\n"},
    ],
)
def test_a_foreign_folder_is_left_alone(run: Path, context: Context, held: dict[str, str]) -> None:
    target = context.base / "mine"
    target.mkdir()
    for name, text in held.items():
        (target / name).write_text(text)
    with pytest.raises(RecipeError, match="not replaced") as caught:
        Folder(path="mine").export(run, context)
    assert len(str(caught.value).splitlines()) <= 5
    assert tree(target) == {name: text.encode() for name, text in held.items()}


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (".", "recipe's own folder"),
        ("..", "recipe's own folder"),
        ("out/..", "recipe's own folder"),
        (".seedbed/out", "the store"),
        ("runs", "the run itself"),
        ("runs/tweets/1", "the run itself"),
        ("runs/tweets/1/out", "the run itself"),
        ("file", "a file of that name"),
        ("${env:SEEDBED_NOT_SET}/x", "is not set"),
    ],
)
def test_places_that_are_refused(run: Path, context: Context, path: str, said: str) -> None:
    (context.base / "file").write_text("mine")
    before = tree(context.base)
    with pytest.raises(RecipeError, match=said):
        Folder(path=path).export(run, context)
    assert tree(context.base) == before


def test_a_link_to_the_recipes_folder_is_refused(run: Path, context: Context) -> None:
    (context.base / "link").symlink_to(context.base, target_is_directory=True)
    with pytest.raises(RecipeError, match="own folder"):
        Folder(path="link").export(run, context)


def break_the_copy(run: Path) -> None:
    # A link that points nowhere stops the copy after the data was copied, also for root.
    (run / "models" / "zz").symlink_to(run / "gone")


def test_a_failure_in_the_middle_leaves_nothing(run: Path, context: Context) -> None:
    break_the_copy(run)
    with pytest.raises(DataError, match="cannot be written") as caught:
        Folder(path="out/deep/er").export(run, context)
    assert len(str(caught.value).splitlines()) <= 5
    assert sorted(p.name for p in context.base.iterdir()) == ["runs"]


def test_a_failure_in_the_middle_leaves_the_old_one(run: Path, context: Context) -> None:
    Folder(path="out").export(run, context)
    before = tree(context.base / "out")
    break_the_copy(run)
    with pytest.raises(DataError):
        Folder(path="out").export(run, context)
    assert tree(context.base / "out") == before
    assert sorted(p.name for p in context.base.iterdir()) == ["out", "runs"]


def test_an_interrupt_while_replacing_brings_the_old_one_back(
    run: Path, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    Folder(path="out").export(run, context)
    before = tree(context.base / "out")
    replace = os.replace

    def interrupted(source: Path, target: Path) -> None:
        if str(source).endswith(".partial"):
            raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Folder(path="out").export(run, context)
    monkeypatch.undo()
    assert tree(context.base / "out") == before
    assert sorted(p.name for p in context.base.iterdir()) == ["out", "runs"]


def test_a_folder_under_a_file_is_a_data_error(run: Path, context: Context) -> None:
    (context.base / "file").write_text("mine")
    with pytest.raises(SeedbedError):
        Folder(path="file/out").export(run, context)
    assert (context.base / "file").read_text() == "mine"


@pytest.mark.parametrize("missing", ["run.json", "dataset"])
def test_half_a_run_is_not_published(run: Path, context: Context, missing: str) -> None:
    (run / missing).rename(run.parent / missing)
    with pytest.raises(DataError, match=missing):
        Folder(path="out").export(run, context)
    assert not (context.base / "out").exists()


def test_what_was_published_is_a_run_and_loads(run: Path, context: Context, tmp_path: Path) -> None:
    import datasets

    Folder(path="out").export(run, context)
    assert json.loads((context.base / "out" / "run.json").read_text())["seedbed"]
    datasets.disable_progress_bars()
    loaded = datasets.load_dataset(str(context.base / "out" / "dataset"), cache_dir=str(tmp_path / "cache"))
    assert loaded["train"].num_rows == 40
