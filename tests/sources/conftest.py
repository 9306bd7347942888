"""What tests of sources share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from rest_reading import ITEMS

from serving.api import Api


@pytest.fixture
def api() -> Iterator[Api]:
    """A server with 25 records, and a place for each way from page to page."""
    with Api([dict(item) for item in ITEMS]) as server:
        yield server
