"""The example on each format's reference page is what is written."""

from __future__ import annotations

import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl
import pytest
from rows_of_all_kinds import rows_of

from seedbed.core.exporter import Exporter
from seedbed.core.part import Example
from seedbed.publish.files.splits import Splits


def _lines(path: Path) -> list[Any]:
    return path.read_text("utf-8").splitlines()


def _tar(path: Path) -> list[Any]:
    with tarfile.open(path) as held:
        return [orjson.loads(held.extractfile(one).read()) for one in held]  # type: ignore[union-attr]


def _table(path: Path) -> list[Any]:
    import duckdb

    with duckdb.connect(str(path.parent / "dataset.duckdb"), read_only=True) as database:
        return pl.DataFrame(database.sql(f"SELECT * FROM {path.name}").to_arrow_table()).to_dicts()


def _examples(path: Path) -> list[Any]:
    import tensorflow as tf

    kinds = {"bytes_list": lambda one: one.decode(), "int64_list": int}
    found = []
    for raw in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        features = tf.train.Example.FromString(raw).features.feature
        told = {name: (one.WhichOneof("kind"), one) for name, one in features.items()}
        found.append({name: kinds[kind](getattr(one, kind).value[0]) for name, (kind, one) in told.items()})
    return found


def _elements(path: Path) -> list[Any]:
    import tensorflow as tf

    return [[text.decode(), int(code)] for text, code in tf.data.Dataset.load(str(path)).as_numpy_iterator()]


READ: dict[str, Callable[[Path], list[Any]]] = {
    ".jsonl": _lines,
    ".csv": _lines,
    ".parquet": lambda path: pl.read_parquet(path).to_dicts(),
    ".arrow": lambda path: pl.read_ipc(path).to_dicts(),
    ".pkl": lambda path: list(pickle.loads(path.read_bytes())),
    ".npy": lambda path: list(np.load(path).tolist()),
    ".tar": _tar,
    ".tfrecord": _examples,
}
FORMATS = [
    part for part in Exporter.catalogue.values() if issubclass(part, Splits) and part.__module__[:7] == "seedbed"
]
CASES = [
    pytest.param(part, example, id=part.__name__, marks=[pytest.mark.slow] if part.extra == "tensorflow" else [])
    for part in FORMATS
    for example in part.examples
]


@pytest.mark.filterwarnings("ignore::DeprecationWarning:tensorflow")
@pytest.mark.parametrize(("part", "example"), CASES)
def test_example(part: type[Splits], example: Example, tmp_path: Path) -> None:
    exporter = part.model_validate({"use": part.model_fields["use"].default, **example.options})
    rows = exporter.chosen(rows_of(pl.DataFrame(example.before)))
    exporter.write_splits({"train": rows}, tmp_path)
    others: dict[str, Callable[[Path], list[Any]]] = {"duckdb": _table, "tf_data": _elements}
    for name, expected in example.after.items():
        read = others.get(exporter.use) or READ[Path(name).suffix]
        assert read(tmp_path / name) == expected
