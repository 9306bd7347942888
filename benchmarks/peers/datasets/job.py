"""`datasets.map` with plain Python functions, in batches and in as many processes as there are cores.

`load_dataset("json")` stops at the first malformed line, so the lines come from a generator, a piece of the file for
each process. Equal texts are found as the library's course does it: a `filter` in one process with a set.
"""

from __future__ import annotations

from typing import Any

import functions
import xxhash
from datasets import disable_progress_bars
from jobs import Asked
from plain import finish, opened
from profiles import Profile


def cleaned(batch: dict[str, list[Any]], profile: Profile) -> dict[str, list[Any]]:
    """The rows of a batch whose cleaned text is kept, with its hash."""
    columns: dict[str, list[Any]] = {name: [] for name in (*batch, "hash")}
    for place, raw in enumerate(batch["text"]):
        text = functions.clean(raw) if raw is not None else ""
        if functions.fits(text, profile):
            for name, values in batch.items():
                columns[name].append(text if name == "text" else values[place])
            columns["hash"].append(xxhash.xxh3_128_hexdigest(text.encode()))
    return columns


if __name__ == "__main__":
    asked = Asked.read()
    disable_progress_bars()
    kept = opened(asked).map(cleaned, batched=True, num_proc=asked.cores, fn_kwargs={"profile": asked.profile})
    finish(asked, kept)
