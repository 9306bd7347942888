"""What MLflow calls a dataset and a model, made from what stands in a run's folder."""

from __future__ import annotations

import json
import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from seedbed.core.errors import DataError
from seedbed.core.run import ModelRecord, Run
from seedbed.core.version import __version__

#: Loads a bundle when MLflow is asked for the model; MLflow only notes the name.
LOADER = "seedbed.serve.pyfunc"
#: The longest digest that MLflow takes.
_DIGEST = 36
#: What MLflow calls the rows that a model learned from.
_CONTEXTS = {"train": "training"}
#: A server that does not answer is given up after some seconds, not after MLflow's minutes.
_PATIENCE = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}


@contextmanager
def quietly() -> Iterator[None]:
    """MLflow without its reports on itself: to its makers, on the terminal, or by waiting for minutes.

    What a person has set in the environment holds.
    """
    # Read once, when MLflow is imported first: it would tell its makers how it is used.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    added = {name: value for name, value in _PATIENCE.items() if name not in os.environ}
    os.environ.update(added)
    loggers = [logging.getLogger(name) for name in ("mlflow", "alembic")]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import mlflow  # noqa: F401  (sets levels of its own)

            levels = [one.level for one in loggers]
            for one in loggers:
                one.setLevel(logging.ERROR)
            try:
                yield
            finally:
                for one, level in zip(loggers, levels, strict=True):
                    one.setLevel(level)
    finally:
        for name in added:
            os.environ.pop(name, None)


def digest_of(run: Run) -> str:
    """The digest of the run's dataset, as long as MLflow takes one."""
    return run.dataset.digest[:_DIGEST]


def dataset_name(run: Run, split: str) -> str:
    """What a split's rows are called: MLflow tells datasets apart by name and digest."""
    return f"{run.name}-{split}"


def dataset_inputs(run: Run, folder: Path) -> list[Any]:
    """Each split as an input of a run: source, schema, rows."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    found = []
    for split, rows in run.dataset.splits.items():
        files = sorted((folder / "dataset" / "data").glob(f"{split}-*.parquet"))
        dataset = Dataset(
            name=dataset_name(run, split),
            digest=digest_of(run),
            source_type="local",
            source=json.dumps({"uri": (folder / "dataset").resolve().as_uri()}),
            schema=json.dumps(_schema(pl.read_parquet_schema(files[0]))) if files else None,
            profile=json.dumps({"num_rows": rows, "dataset_digest": run.dataset.digest}),
        )
        found.append(DatasetInput(dataset, [InputTag("mlflow.data.context", _CONTEXTS.get(split, split))]))
    return found


def _schema(columns: Mapping[str, pl.DataType]) -> dict[str, Any]:
    from mlflow.types import ColSpec, Schema

    return {"mlflow_colspec": Schema([ColSpec(_type(kind), name) for name, kind in columns.items()]).to_dict()}


def _type(kind: pl.DataType) -> Any:
    """The nearest of MLflow's types."""
    from mlflow.types import DataType
    from mlflow.types.schema import Array, Object, Property

    if isinstance(kind, pl.List | pl.Array):
        return Array(_type(kind.inner))  # type: ignore[arg-type]
    if isinstance(kind, pl.Struct) and kind.fields:
        return Object([Property(one.name, _type(one.dtype)) for one in kind.fields])  # type: ignore[arg-type]
    if kind.is_integer():
        return DataType.long if kind in (pl.Int64, pl.UInt32, pl.UInt64) else DataType.integer
    if kind.is_numeric():
        return DataType.float if kind == pl.Float32 else DataType.double
    if kind.is_temporal():
        return DataType.datetime
    return {pl.Boolean: DataType.boolean, pl.Binary: DataType.binary}.get(kind.base_type(), DataType.string)


def write_model(bundle: Path, model: ModelRecord, extra: str, into: Path) -> None:
    """Write a bundle as a model of MLflow's: `MLmodel`, what it needs, and the bundle as it is, which no pickle holds.

    Raises:
        DataError: The bundle is not there.
    """
    import mlflow.pyfunc
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema
    from mlflow.types.schema import AnyType

    try:
        inputs = json.loads((bundle / "preprocess.json").read_bytes())["inputs"]
        columns = [ColSpec(DataType.string if one["type"] == "text" else AnyType(), one["name"]) for one in inputs]
    except (OSError, ValueError, KeyError, TypeError):
        raise DataError("the bundle of this model cannot be read", at=str(bundle)) from None
    mlflow.pyfunc.save_model(
        str(into),
        loader_module=LOADER,
        data_path=str(bundle),
        # MLflow would else import the model to find out.
        pip_requirements=[f"seedbed{f'[{extra}]' if extra else ''}=={__version__}", "pandas"],
        signature=ModelSignature(inputs=Schema(columns)),
        model_config={"trust": False},
        metadata={"learner": model.use},
    )
