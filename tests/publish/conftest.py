"""Nothing here may reach the network, or write outside the tests' own folders."""

from __future__ import annotations

import os
import tempfile

# Read when `datasets` and `huggingface_hub` are first imported.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("HF_HOME", os.path.join(tempfile.gettempdir(), "seedbed-tests-huggingface"))
