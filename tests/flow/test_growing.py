"""Data that grows: old rows stay where they are, and only what is new is worked on."""

from __future__ import annotations

import json
import random
from pathlib import Path

import polars as pl
import pytest
import yaml

from seedbed import run
from seedbed.cli.explain import told as told_in_lines
from seedbed.core.run import Run
from seedbed.flow.explaining.explain import explain

FILES, ROWS = 60, 20
RECIPE = {
    "seedbed": 1,
    "name": "growing",
    "task": {"kind": "text_classification", "text": "text", "label": "label"},
    "sources": [{"use": "jsonl", "path": "parts", "name": "parts"}],
    "steps": [{"use": "normalize"}, {"use": "text_length", "at_least": 3}],
    "split": {"use": "hashed", "seed": 4},
    "train": [{"use": "majority"}],
    "evaluate": {"intervals": {"resamples": 200}},
}


class Place:
    """A recipe, its files, and what its runs wrote."""

    def __init__(self, folder: Path, count: int = FILES) -> None:
        self.folder, self.chance = folder, random.Random(1)
        (folder / "parts").mkdir()
        (folder / "recipe.yaml").write_text(yaml.safe_dump(RECIPE))
        self.ends: list[tuple[list[str], list[str], list[str]]] = []
        for number in range(count):
            self.write(f"{number:03}", [" ".join(self.words(40)) for _ in range(ROWS)])
        for _ in range(15):  # rows that one row in between will be near to, both of them
            one = self.words(40)
            between = [*self.words(4), *one[4:]]
            self.ends.append((one, between, [*between[:-4], *self.words(4)]))
        self.write("100", [" ".join(text) for one, _, other in self.ends for text in (one, other)])

    def words(self, count: int) -> list[str]:
        return ["".join(self.chance.choices("abcdefghijklmnop", k=6)) for _ in range(count)]

    def write(self, name: str, texts: list[str]) -> None:
        lines = [json.dumps({"text": text, "label": "ab"[at % 2]}) for at, text in enumerate(texts)]
        (self.folder / "parts" / f"{name}.jsonl").write_text("".join(f"{line}\n" for line in lines))

    def run(self, out: str, **options: object) -> Run:
        return run(self.folder / "recipe.yaml", out=self.folder / out, **options).run  # type: ignore[arg-type]

    def splits(self, out: str) -> dict[str, str]:
        found = {}
        for path in sorted((self.folder / out / "dataset" / "data").glob("*.parquet")):
            found |= dict.fromkeys(pl.read_parquet(path, columns=["row"])["row"], path.name.partition("-")[0])
        return found

    def units(self) -> int:
        """Units of rows in the store."""
        return len(list((self.folder / ".seedbed" / "units").glob("*/rows.parquet")))


class Heard:
    """What a stage was told: amounts that an earlier run had done, and amounts and rows that this one did."""

    def __init__(self, title: str = "") -> None:
        self.title, self.found, self.done, self.rows = title, 0.0, 0.0, 0
        self.stages: list[Heard] = []

    def start(self, title: str, total: float | None, unit: str) -> Heard:
        self.stages.append(Heard(title))
        return self.stages[-1]

    def advance(self, amount: float = 1, note: str = "", *, rows: int = 0, found: bool = False) -> None:
        self.found += amount if found else 0
        self.done += 0 if found else amount
        self.rows += rows

    def finish(self, stage: object) -> None: ...

    def say(self, text: str) -> None: ...


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("growing"))


@pytest.mark.slow
def test_rows_that_are_appended_move_no_old_row_and_cost_what_they_cost(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Small files are units by the handful; these stand for files above that size, a unit each.
    monkeypatch.setattr("seedbed.engine.passes._SMALL", 0)
    first = place.run("first", workers=1)
    before, units = place.splits("first"), place.units()
    assert units == FILES + 1
    assert first.rows.kept == FILES * ROWS + 30 == len(before)
    bridges = [
        between
        for at, (_, between, _) in enumerate(place.ends)
        if before[f"parts:100.jsonl#{2 * at + 1}"] != before[f"parts:100.jsonl#{2 * at + 2}"]
    ]
    assert bridges, "some ends are in different splits"
    # About 1 %: texts of their own, copies of old rows, and rows between two splits.
    copies = [json.loads((place.folder / "parts" / "007.jsonl").read_text().splitlines()[2])["text"] + " and more"]
    place.write("101", [" ".join(place.words(40)) for _ in range(6)] + copies + [" ".join(one) for one in bridges])
    heard = Heard()
    second = place.run("second", workers=1, progress=heard)
    reading = next(stage for stage in heard.stages if stage.title.startswith("Reading"))
    assert reading.rows == 7 + len(bridges), "only new rows are work; all others were found"
    assert reading.done < reading.found / 10
    after = place.splits("second")
    assert {row: after[row] for row in before} == before
    assert after["parts:101.jsonl#7"] == before["parts:007.jsonl#3"], "a new row goes where its neighbour is"
    rejected = {f"parts:101.jsonl#{number}" for number in range(8, 8 + len(bridges))}
    assert not rejected & set(after)
    assert second.rows.rejected == {"hashed": {"bridges_splits": len(bridges)}}
    assert second.rows.kept == len(after) == first.rows.kept + 7
    assert second.steps[-1].part == "hashed"
    assert second.steps[-1].rows_in - second.steps[-1].rows_out == len(bridges)
    assert second.certificate is not None
    assert second.certificate.passed
    # One new block was read; its shard was written once more without the rows that are rejected.
    assert place.units() == units + 2

    ledger = pl.scan_parquet(place.folder / "second" / "ledger" / "*.parquet").filter(part="hashed").collect()
    assert set(ledger["row"]) == rejected
    told = json.loads(ledger["evidence"][0])
    assert {one["of"] for one in told["neighbours"]} <= set(before)
    assert len({one["split"] for one in told["neighbours"]}) == 2
    assert all(before[one["of"]] == one["split"] and one["similarity"] >= 0.7 for one in told["neighbours"])
    story = explain(place.folder / "second", ledger["row"][0])
    assert story.rejection is not None
    assert story.rejection.reason == "bridges_splits"
    assert [(one.row, one.similarity, one.fate.split) for one in story.rejection.relatives] == [
        (one["of"], one["similarity"], one["split"]) for one in told["neighbours"]
    ]
    printed = "\n".join(told_in_lines(story))
    assert printed.count("like parts:") == 2 and "{" not in printed and "split:" not in printed

    monkeypatch.setenv("SEEDBED_STORE", str(place.folder / "other"))
    assert place.run("third", workers=2).dataset.digest == second.dataset.digest


def test_by_age_the_order_of_files_does_not_matter(tmp_path: Path) -> None:
    place = Place(tmp_path, 12)
    rng = random.Random(2)
    for path in (tmp_path / "parts").glob("*.jsonl"):
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        path.write_text("".join(json.dumps({**row, "when": rng.randrange(9)}) + "\n" for row in rows))
    recipe = {**RECIPE, "split": {"use": "hashed", "seed": 4, "age": "when"}}
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    texts = {}
    for out in ("before", "after"):
        place.run(out, workers=1)
        frames = {
            name: pl.read_parquet(tmp_path / out / "dataset" / "data" / f"{name}-*.parquet")
            for name in ("train", "validation", "test")
        }
        texts[out] = {name: sorted(frame["text"]) for name, frame in frames.items()}
        for old, new in (("100", "000a"), ("005", "200")) if out == "before" else ():
            (tmp_path / "parts" / f"{old}.jsonl").rename(tmp_path / "parts" / f"{new}.jsonl")
    assert texts["before"] == texts["after"]
