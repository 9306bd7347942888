"""SemHash: texts are alike whose embeddings are near. Another notion: recall here says what it makes of edited words.

Its default encoder comes from a hub; this one, of the same kind, comes in a package (`tokenlearn-static-model`). The
threshold is SemHash's own default, 0.9 of cosine.
"""

from __future__ import annotations

from importlib.metadata import distribution
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from jobs import Asked
from model2vec import StaticModel
from semhash import SemHash


def encoder() -> StaticModel:
    """The packaged static embeddings."""
    files = distribution("tokenlearn-static-model").files or []
    configs = [Path(str(file.locate())) for file in files if file.name == "config.json"]
    return StaticModel.from_pretrained(configs[0].parent)


if __name__ == "__main__":
    asked = Asked.read()
    with asked.source.open("rb") as file:
        records = [{"id": record["id"], "text": record["text"]} for record in map(orjson.loads, file)]
    found = SemHash.from_records(records, columns=["text"], model=encoder()).self_deduplicate(threshold=0.9)
    pq.write_table(pa.table({"id": [record["id"] for record in found.selected]}), asked.out / "kept.parquet")
    asked.done([asked.out / "kept.parquet"], "cosine of static embeddings at 0.9: another notion of alike")
