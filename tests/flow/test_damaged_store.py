"""A store that was damaged: what is broken is made again, and the run ends as if nothing had been."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from test_run import go, texts, write


def test_a_damaged_store_is_made_again(tmp_path: Path) -> None:
    write(tmp_path, texts(150))
    before = go(tmp_path).run
    for shard in (tmp_path / ".seedbed" / "units").glob("*/rows.parquet"):
        pl.read_parquet(shard).head(5).write_parquet(shard)
    for seal in (tmp_path / ".seedbed" / "models").glob("*/model/*"):
        seal.write_bytes(b"broken")
    after = go(tmp_path, "again").run
    assert (after.rows, after.dataset.digest) == (before.rows, before.dataset.digest)
    assert after.models[0].scores == before.models[0].scores


@pytest.mark.parametrize("how", [b"junk", b"", b"\xff" * 80])
def test_weights_that_alone_are_damaged_are_learned_again(tmp_path: Path, how: bytes) -> None:
    write(tmp_path, texts(150))
    learners = [{"use": "majority"}, {"use": "tfidf_logistic"}]
    before = go(tmp_path, train=learners).run
    damaged = list((tmp_path / ".seedbed" / "models").glob("*/model/*.safetensors"))
    for weights in damaged:
        weights.write_bytes(how)
    after = go(tmp_path, "again", train=learners).run
    assert damaged
    assert [one.scores for one in after.models] == [one.scores for one in before.models]


@pytest.mark.parametrize("kind", ["verdicts", "splits", "passes", "models"])
@pytest.mark.parametrize("how", ["cut", "nothing in it", "files"])
def test_a_damaged_artefact_is_made_again(tmp_path: Path, kind: str, how: str) -> None:
    write(tmp_path, texts(150))
    before = go(tmp_path).run
    for place in (tmp_path / ".seedbed" / kind).iterdir():
        if how == "files":
            for file in place.rglob("*.parquet"):
                file.write_bytes(file.read_bytes()[:-50])
        else:
            seal = place / "done.json"
            seal.write_bytes(seal.read_bytes()[:20] if how == "cut" else b"[]")
    after = go(tmp_path, "again").run
    assert (after.rows, after.dataset.digest) == (before.rows, before.dataset.digest)
    assert after.models[0].scores == before.models[0].scores
