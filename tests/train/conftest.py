from __future__ import annotations

from pathlib import Path

import pytest
from tiny_encoder import write_tiny_encoder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder that embeds a text in a millisecond, and knows nothing."""
    return write_tiny_encoder(tmp_path_factory.mktemp("tiny"))
