"""Files of examples as they are sent to a service, and what is wrong with them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from seedbed.core.chatting.verdict import Verdict
from seedbed.core.exporter import Rows
from seedbed.core.rows import ROW
from seedbed.publish.shaping.shaped import Saying, Unsayable
from seedbed.store.places import arriving


@dataclass(frozen=True)
class Written:
    """A file that may be sent.

    Attributes:
        path: Where it stands.
        digest: SHA-256 of its bytes.
        verdict: What a service would say of it.
    """

    path: Path
    digest: str
    verdict: Verdict

    @property
    def name(self) -> str:
        """What the service is told that it is called; it says what it holds."""
        return f"{self.path.stem}-{self.digest[:16]}.jsonl"

    def moved(self, folder: Path) -> Written:
        """The same in another folder."""
        with arriving(folder / self.path.name) as fresh:
            shutil.move(self.path, fresh)
        return replace(self, path=folder / self.path.name)


def write_examples(saying: Saying, rows: Rows, path: Path, verdict: Verdict) -> Written:
    """Write rows as examples, a line each, and look at every one; what cannot be said is noted and left out."""
    digest = sha256()
    with path.open("wb") as file:
        for batch in rows.batches():
            names, examples = _said(saying, batch, verdict)
            verdict.look(names, examples)
            for example in examples:
                line = orjson.dumps(example, option=orjson.OPT_APPEND_NEWLINE)
                digest.update(line)
                file.write(line)
    return Written(path, digest.hexdigest(), verdict)


def _said(saying: Saying, batch: pl.DataFrame, verdict: Verdict) -> tuple[list[str], list[dict[str, Any]]]:
    """The rows that can be said, by name."""
    names: list[str] = []
    examples: list[dict[str, Any]] = []
    rows = saying.prepared(batch.select(saying.columns)).iter_rows(named=True)
    for name, row in zip(batch[ROW], rows, strict=True):
        try:
            example = saying.record(row)
        except Unsayable as why:
            verdict.note(why.reason, name)
            continue
        names.append(name)
        examples.append(example)
    return names, examples
