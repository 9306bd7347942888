"""`as_in`: rows of an earlier run stay in its splits, whoever dealt them and wherever new rows come from."""

from __future__ import annotations

import json
import random
from pathlib import Path

import polars as pl
import pytest

from seedbed import run
from seedbed.core.errors import DataError
from seedbed.core.run import Run

RECIPE = {
    "seedbed": 1,
    "name": "staying",
    "task": {"kind": "text_classification", "text": "text", "label": "label"},
    "sources": [{"use": "jsonl", "path": "parts", "name": "parts"}],
    "steps": [{"use": "normalize"}],
    "split": {"use": "stratified", "seed": 4},
    "train": [{"use": "majority"}],
    "evaluate": {"intervals": {"resamples": 200}},
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(folder: Path, name: str, texts: list[str]) -> None:
    (folder / "parts").mkdir(exist_ok=True)
    lines = [json.dumps({"text": text, "label": "ab"[len(text) % 2]}) for text in texts]
    (folder / "parts" / f"{name}.jsonl").write_text("".join(f"{line}\n" for line in lines))


def texts(chance: random.Random, count: int) -> list[str]:
    return [
        " ".join("".join(chance.choices("abcdefghijklmnop", k=chance.randint(4, 8))) for _ in range(12))
        for _ in range(count)
    ]


def ran(folder: Path, out: str, split: dict[str, object]) -> Run:
    return run({**RECIPE, "split": split}, out=folder / out).run


def splits(folder: Path, out: str) -> dict[str, str]:
    found = {}
    for path in sorted((folder / out / "dataset" / "data").glob("*.parquet")):
        found |= dict.fromkeys(pl.read_parquet(path)["text"], path.name.partition("-")[0])
    return found


@pytest.mark.parametrize("prepare", [[], [{"use": "oversample"}]], ids=["plain", "prepared"])
def test_old_rows_stay_and_new_ones_join_those_they_are_near_to(
    tmp_path: Path, prepare: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RECIPE, "prepare", prepare)
    chance = random.Random(2)
    old = texts(chance, 300)
    write(tmp_path, "5-old", old)
    ran(tmp_path, "first", {"use": "stratified", "seed": 4})
    before = splits(tmp_path, "first")
    tested = [text for text, split in before.items() if split == "test"]
    trained = [text for text, split in before.items() if split == "train"]
    near = [f"{text} more" for text in tested[:5]]
    bridges = f"{tested[6]} {trained[6]} {tested[6]} {trained[6]}"
    # Before the old ones in every order that a folder is read in: they are not older for that.
    write(tmp_path, "1-new", [*near, *(f"{text} more" for text in trained[:5]), *texts(chance, 100)])
    write(tmp_path, "2-bridges", [bridges])
    record = ran(tmp_path, "second", {"use": "hashed", "as_in": "first", "seed": 4})
    after = splits(tmp_path, "second")
    assert {text: after[text] for text in old} == {text: before[text] for text in old}
    assert [after[text] for text in near] == ["test"] * 5
    assert [after[f"{text} more"] for text in trained[:5]] == ["train"] * 5
    certificate = json.loads((tmp_path / "second" / "certificate.json").read_text())
    assert certificate["passed"] and certificate["verified"]["pairs_found"] == 0
    assert record.dataset.splits["test"] > sum(split == "test" for split in before.values())


def test_another_split_of_the_earlier_run_is_another_split(tmp_path: Path) -> None:
    """What is kept of a split hangs on the rows that stay, not on the name of their folder."""
    write(tmp_path, "old", texts(random.Random(3), 200))
    found = []
    for seed in (1, 2):
        ran(tmp_path, "first", {"use": "random", "seed": seed})
        ran(tmp_path, "second", {"use": "hashed", "as_in": "first", "seed": 4})
        assert splits(tmp_path, "second") == splits(tmp_path, "first")
        found.append(splits(tmp_path, "second"))
    assert found[0] != found[1]


def test_what_holds_no_rows_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "old", texts(random.Random(3), 60))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no dataset"):
        ran(tmp_path, "second", {"use": "hashed", "as_in": "empty"})
    data = tmp_path / "other" / "dataset" / "data"
    data.mkdir(parents=True)
    pl.DataFrame({"words": ["a"]}).write_parquet(data / "train-00000-of-00001.parquet")
    with pytest.raises(DataError, match="no column 'text'"):
        ran(tmp_path, "second", {"use": "hashed", "as_in": "other"})
