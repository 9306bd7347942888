"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# The machines that run this are shared: a slow example is no failure.
settings.register_profile("seedbed", deadline=None, print_blob=True)
settings.load_profile("seedbed")
os.environ.setdefault("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder that embeds a text in a millisecond, and knows nothing."""
    from tiny_encoder import write_tiny_encoder

    return write_tiny_encoder(tmp_path_factory.mktemp("tiny"))
