"""Frames handed over from Python, through whole runs and into worker processes."""

from __future__ import annotations

import pickle
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pydantic import ValidationError
from source_reading import read

from seedbed.core.errors import RecipeError
from seedbed.flow.running import run
from seedbed.recipe.loading import dump, load, parse
from seedbed.sources import Frame
from seedbed.sources.frames.held import Held

ROWS = {"text": [f"text number {n} of many" for n in range(300)], "label": [("a", "b", "c")[n % 3] for n in range(300)]}


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(ROWS), pl.DataFrame(ROWS), pl.LazyFrame(ROWS), pa.table(ROWS), ROWS,
        [dict(zip(ROWS, row, strict=True)) for row in zip(*ROWS.values(), strict=True)],
        pd.DataFrame(ROWS)[lambda rows: rows.index >= 0], 
        pl.DataFrame(ROWS, schema={"text": pl.String, "label": pl.Categorical}),
    ],
    ids=["pandas", "polars", "lazy", "arrow", "dict", "list", "filtered", "categories"],
)  # fmt: skip
def test_every_kind_of_frame(frame: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Frame, "block_rows", 77)
    source = Frame(frame=frame)
    found = read(source, tmp_path)
    assert found.table.equals(pl.DataFrame(ROWS))
    assert found.records == list(range(1, 301))
    assert source == Frame(frame=pl.DataFrame(ROWS))
    assert source != Frame(frame=pl.DataFrame(ROWS).head(299))
    assert read(Frame(frame=frame, limit=100), tmp_path).table.height == 100


def test_values_that_are_objects(tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": [{1: 2}, "x"]}, schema={"a": pl.Object})
    assert read(Frame(frame=frame), tmp_path).table["a"].to_list() == ['{"1":2}', "x"]


@pytest.mark.parametrize("frame", [7, "rows.parquet", object(), {"a": object()}, [{"a": 1}, 2], {}])
def test_what_is_no_frame(frame: object) -> None:
    with pytest.raises(ValidationError) as error:
        Frame(frame=frame)
    assert "Traceback" not in str(error.value)


RECIPE = {
    "seedbed": 1,
    "name": "handed",
    "task": {"kind": "text_classification", "text": "text", "label": "label"},
    "train": [{"use": "majority"}],
}


@pytest.mark.slow
def test_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.DataFrame(ROWS)
    loaded = parse({**RECIPE, "sources": [Frame(frame=frame, name="mine")]}, tmp_path)
    frame["text"] = "changed"
    digests = set()
    for workers in (1, 2):
        monkeypatch.setenv("SEEDBED_STORE", str(tmp_path / f"store{workers}"))
        done = run(loaded, out=tmp_path / f"out{workers}", workers=workers)
        assert done.run.rows.read == 300
        digests.add(done.run.dataset.digest)
    assert len(digests) == 1
    rows = pl.read_parquet(tmp_path / "out1" / "dataset" / "data" / "*.parquet")
    assert "mine:frame#1" in rows["row"].to_list()
    written = (tmp_path / "out1" / "recipe.yaml").read_text()
    assert "changed" not in written
    assert "text number" not in written
    again = load(tmp_path / "out1" / "recipe.yaml")
    assert again.recipe.sources == loaded.recipe.sources
    with pytest.raises(RecipeError, match="not there any more") as error:
        run(again, out=tmp_path / "out3")
    assert error.value.exit_code == 2


def test_a_recipe_file_cannot_hold_one(tmp_path: Path) -> None:
    for number, frame in enumerate(("df", "[{text: a, label: b}]", "{text: [a], label: [b]}")):
        path = tmp_path / f"{number}.yaml"
        path.write_text(
            "seedbed: 1\nname: x\ntask: {kind: text_classification, text: text, label: label}\n"
            f"sources:\n  - {{use: frame, frame: {frame}}}\n"
        )
        with pytest.raises(RecipeError, match=r"yaml:5: sources\.0\.frame") as error:
            load(path)
        assert "to_parquet" in str(error.value)
        assert len(str(error.value).splitlines()) <= 5


def test_workers_do_not_get_the_frame() -> None:
    source = Frame(frame=ROWS)
    sent = pickle.loads(pickle.dumps(source))
    assert sent == source
    assert len(pickle.dumps(source)) < 2_000
    with pytest.raises(RecipeError):
        _ = sent.frame.table
    assert isinstance(source.frame, Held)
    assert "text number" not in dump(parse({**RECIPE, "sources": [source]}).recipe)
