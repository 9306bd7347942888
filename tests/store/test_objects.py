"""Files by their digest: kept once, checked on their way back."""

from __future__ import annotations

from pathlib import Path

import pytest

from seedbed.core.errors import DataError
from seedbed.store.objects import LINKED_FROM, Objects
from seedbed.store.runs import KeptFile


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "run" / "dataset"
    (place / "data").mkdir(parents=True)
    (place / "data" / "train.parquet").write_bytes(b"r" * LINKED_FROM)
    (place / "README.md").write_text("a card")
    (place / "copy.md").write_text("a card")
    return place


def test_what_is_equal_is_kept_once_and_large_files_cost_no_room(tmp_path: Path, folder: Path) -> None:
    objects = Objects(tmp_path / "store")
    kept = objects.keep_folder(folder)
    assert [file.name for file in kept] == ["README.md", "copy.md", "data/train.parquet"]
    assert kept[0].sha256 == kept[1].sha256
    assert objects.keep_folder(folder) == kept
    assert len([path for path in (tmp_path / "store").rglob("*") if path.is_file()]) == 2
    assert objects.place(kept[2].sha256).samefile(folder / "data" / "train.parquet")
    assert not objects.place(kept[0].sha256).samefile(folder / "README.md"), "an edited card must not change it"


def test_what_comes_back_is_what_was_kept(tmp_path: Path, folder: Path) -> None:
    objects = Objects(tmp_path / "store")
    kept = objects.keep_folder(folder)
    (folder / "README.md").write_text("edited")
    objects.bring(kept, tmp_path / "back", what="dataset")
    assert (tmp_path / "back" / "README.md").read_text() == "a card"
    assert (tmp_path / "back" / "data" / "train.parquet").read_bytes() == b"r" * LINKED_FROM


def test_damage_and_loss_are_told(tmp_path: Path, folder: Path) -> None:
    objects = Objects(tmp_path / "store")
    kept = objects.keep_folder(folder)
    with (folder / "data" / "train.parquet").open("r+b") as file:  # in place, so that the kept one changes, too
        file.write(b"changed")
    with pytest.raises(DataError, match=r"damaged"):
        objects.bring(kept, tmp_path / "one", what="dataset")
    again = objects.keep_folder(folder)
    assert objects.place(again[2].sha256).exists() and again[2].sha256 != kept[2].sha256
    objects.place(kept[0].sha256).unlink()
    with pytest.raises(DataError, match="no longer holds"):
        objects.bring(kept, tmp_path / "two", what="dataset")


@pytest.mark.parametrize("name", ["../out", "/etc/out", "a/../../out"])
def test_a_name_does_not_lead_out(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="leads out"):
        Objects(tmp_path).bring([KeptFile(name=name, sha256="0" * 64, bytes=1)], tmp_path / "x", what="dataset")
