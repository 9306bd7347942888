"""A run whose model is watched."""

from __future__ import annotations

from pathlib import Path

import pytest
from watched_sample import watched_run


@pytest.fixture(scope="session")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its folder."""
    return watched_run(tmp_path_factory.mktemp("watched")).folder
