"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = Path("/usr/bin/chromium")

# The machines that run this are shared: a slow example is no failure. CI tries the same examples every time, so that
# whether a commit is accepted is no matter of luck; at a desk they are new ones, and find what CI has not seen.
settings.register_profile("seedbed", deadline=None, print_blob=True, derandomize=bool(os.environ.get("CI")))
settings.load_profile("seedbed")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# What tests compute is small: threads of BLAS and OpenMP that wait for those of the test beside took 20 times as long
# over a fit of a second. The libraries read it when they are first imported; processes that tests start have it, too.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder that embeds a text in a millisecond, and knows nothing."""
    from tiny_encoder import write_tiny_encoder

    return write_tiny_encoder(tmp_path_factory.mktemp("tiny"))


# For one module at a time: while it is open, Playwright's event loop runs in this thread, and `asyncio.run` is refused.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a window."""
    if not CHROMIUM.exists():
        pytest.skip(f"Chromium is not installed ({CHROMIUM})")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (pip install playwright)")
    with api.sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        yield browser
        browser.close()
