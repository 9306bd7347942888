"""What all tests share."""

from __future__ import annotations

import os

from hypothesis import settings

# The machines that run this are shared: a slow example is no failure.
settings.register_profile("seedbed", deadline=None, print_blob=True)
settings.load_profile("seedbed")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
