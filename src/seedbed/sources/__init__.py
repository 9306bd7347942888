"""Sources that ship with Seedbed, one module each."""

from .csv import Csv
from .jsonl import Jsonl
from .parquet import Parquet

__all__ = ["Csv", "Jsonl", "Parquet"]
