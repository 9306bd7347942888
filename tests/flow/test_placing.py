"""Where a run may go, and what its record says about where it was published."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import pytest
from test_run import go, recipe, texts, write

from seedbed.cli import main
from seedbed.core.context import Context
from seedbed.core.documents import write_document
from seedbed.core.errors import DataError, RecipeError
from seedbed.core.exporter import Exporter
from seedbed.core.run import Run
from seedbed.flow.papers.place import publish_run
from seedbed.publish import Folder
from seedbed.store.places import owner

CARD = "license: MIT\nlanguages: en\ncollected: made\nintended_uses: tests\nsensitive: nothing\ncontact: us\n"


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def record(folder: Path) -> Run:
    return Run.model_validate_json((folder / "run.json").read_text())


@pytest.mark.parametrize("out", [".", "..", ".seedbed", "rows.jsonl", "data"])
def test_the_users_own_files_are_never_replaced(tmp_path: Path, out: str) -> None:
    base = tmp_path / "project"
    (base / "data").mkdir(parents=True)
    rows = write(base, texts(60))
    done = go(base, "earlier")
    record_of_a_run = (done.folder / "run.json").read_text()
    for folder in (tmp_path, base, base / "data"):
        (folder / "run.json").write_text(record_of_a_run)
        (folder / "notes.md").write_text("mine")
    before = tree(tmp_path)
    with pytest.raises(RecipeError) as caught:
        go(base, out)
    assert caught.value.at.startswith("--out ") and rows.exists()
    assert tree(tmp_path) == before, "refused before anything ran"


def test_a_run_is_replaced_also_through_a_link(tmp_path: Path) -> None:
    write(tmp_path, texts(60))
    first = go(tmp_path, "real")
    (tmp_path / "link").symlink_to("real")
    again = go(tmp_path, "link")
    assert (tmp_path / "link").is_symlink() and not (tmp_path / "real").is_symlink()
    assert record(tmp_path / "real").started == again.run.started
    assert again.run.dataset.digest == first.run.dataset.digest
    assert sorted(p.name for p in tmp_path.iterdir()) == [".seedbed", "link", "real", "rows.jsonl"]


def test_leftovers_of_killed_runs_are_swept_at_the_start(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    dead = f"{ended.pid}@{owner().partition('@')[2]}"
    write(tmp_path, texts(60))
    left = [f".out.{dead}.partial", f".seedbed/work/run-{dead}-abc", f"runs/small/.x.{dead}.partial"]
    for name in left:
        (tmp_path / name).mkdir(parents=True)
    go(tmp_path)
    assert [name for name in left if (tmp_path / name).exists()] == [left[2]]
    from seedbed.flow import run
    from seedbed.recipe.loading import parse

    run(parse(recipe(), tmp_path), workers=1)
    assert not (tmp_path / left[2]).exists()


def test_the_published_copy_says_where_it_was_published(tmp_path: Path) -> None:
    write(tmp_path, texts(200))
    (tmp_path / "card.yaml").write_text(CARD)
    done = go(tmp_path, publish=[{"use": "folder", "path": "one"}, {"use": "folder", "path": "two"}])
    assert done.run.published == ("one", "two")
    for folder in (done.folder, tmp_path / "one", tmp_path / "two"):
        assert record(folder) == done.run
        assert "Published to:" in (folder / "report.html").read_text()


class Fails(Exporter):
    """Fails, in its own way."""

    use: Literal["fails"] = "fails"

    @property
    def place(self) -> str:
        return "nowhere"

    def export(self, run: Path, context: Context) -> None:
        raise OSError("the other end hung up")


@pytest.fixture(autouse=True)
def no_such_part_elsewhere() -> Any:
    Exporter.catalogue.pop("fails", None)


def test_a_failed_exporter_leaves_the_run_and_says_what_went_where(tmp_path: Path) -> None:
    write(tmp_path, texts(200))
    (tmp_path / "card.yaml").write_text(CARD)
    done = go(tmp_path)
    said: list[str] = []
    context = Context(base=tmp_path, store=tmp_path / ".seedbed")
    context.progress.say = said.append  # type: ignore[method-assign]
    with pytest.raises(DataError, match="the other end hung up"):
        publish_run(done.folder, [Folder(path="one"), Fails(), Folder(path="three")], done.run, context)
    own = record(done.folder)
    assert (own.published, own.unpublished) == (("one",), ("nowhere", "three"))
    assert "Not published to, because publishing failed" in (done.folder / "report.html").read_text()
    assert (tmp_path / "one" / "run.json").exists() and not (tmp_path / "three").exists()
    assert said == [f"the run is in {done.folder}; it was not published to nowhere, three"]


def test_the_exit_code_is_that_of_the_exporters_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, texts(200))
    (tmp_path / "card.yaml").write_text(CARD)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine.txt").write_text("mine")
    whole = recipe(publish=[{"use": "folder", "path": "one"}, {"use": "folder", "path": "taken"}])
    (tmp_path / "recipe.yaml").write_text(write_document(whole))
    with pytest.raises(SystemExit) as caught:
        main(["run", str(tmp_path / "recipe.yaml"), "--out", str(tmp_path / "out"), "--workers", "1"])
    said = capfd.readouterr().err
    assert caught.value.code == 2 and "Traceback" not in said
    assert "publish: folder: taken: this folder holds no run of Seedbed" in said
    own = json.loads((tmp_path / "out" / "run.json").read_text())
    assert (own["published"], own["unpublished"]) == (["one"], ["taken"])
    assert (tmp_path / "taken" / "mine.txt").read_text() == "mine"
