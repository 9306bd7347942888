"""A run with models, and its best model served."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from served_model import Served, serving

from predicting_sample import small_run
from table_sample import table_run


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with models."""
    return small_run(tmp_path_factory.mktemp("run")).folder


@pytest.fixture(scope="session")
def served(folder: Path) -> Iterator[Served]:
    """Its best model, served."""
    with serving(folder) as found:
        yield found


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose model reads a table."""
    return table_run(tmp_path_factory.mktemp("table")).folder
