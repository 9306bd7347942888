"""How MLflow opens a bundle that the tracker `mlflow` logged: it imports this module by its name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from .predictor import Predictor

if TYPE_CHECKING:
    import pandas as pd


class Bundled:
    """A model of Seedbed as MLflow asks it."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor

    def predict(self, model_input: Any, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Answer raw rows, as `seedbed predict` does.

        Args:
            model_input: A frame of pandas with the columns that a row brings, a list of texts, or of mappings.
            params: Nothing is read of them.

        Returns:
            A row for each: `predicted`, or what else the task asks for; `confidence`, where the model says it; and
            `probability of LABEL`, where there are labels.
        """
        given = model_input if isinstance(model_input, list) else pl.from_pandas(model_input)
        told = self.predictor.predict(given).drop("read", "warnings")
        if "probabilities" in told.columns:
            told = told.with_columns(
                pl.col("probabilities").struct.field(label).alias(f"probability of {label}")
                for label in self.predictor.labels
            ).drop("probabilities")
        return told.to_pandas()


def _load_pyfunc(path: str, model_config: Mapping[str, Any] | None = None) -> Bundled:
    """What MLflow calls.

    Args:
        path: The bundle.
        model_config: With `trust: true`, steps that are functions of the model's maker may run.

    Raises:
        ModelError: It is no bundle, is damaged, or needs trust.
    """
    return Bundled(Predictor.open(Path(path), trust=bool((model_config or {}).get("trust"))))
