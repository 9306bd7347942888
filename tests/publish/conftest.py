"""Nothing here may reach the network, or write outside the tests' own folders."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from publish_sample import finished

from seedbed.core.context import Context

# Read when `datasets` and `huggingface_hub` are first imported.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("HF_HOME", os.path.join(tempfile.gettempdir(), "seedbed-tests-huggingface"))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A finished run beside its recipe."""
    return finished(tmp_path / "recipe" / "runs" / "tweets" / "1")


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """Of that recipe."""
    return Context(base=tmp_path / "recipe", store=tmp_path / "recipe" / ".seedbed")
