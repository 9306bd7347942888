from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from publish_sample import ANSWERED, run_of, source, splits_of, write_dataset

from seedbed.publish.papers import Answers

#: What the specification requires of a dataset (https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html).
REQUIRED = ("@context", "@type", "conformsTo", "name", "description", "license", "url", "creator", "datePublished")

#: The reference validator; it needs other versions than the tests have, so it is asked for by path or found on PATH.
MLCROISSANT = os.environ.get("MLCROISSANT") or shutil.which("mlcroissant", path=Path(sys.executable).parent)


def described(folder: Path) -> dict:
    return json.loads((folder / "croissant.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("shards", [1, 2])
@pytest.mark.parametrize("answers", [Answers(), ANSWERED])
def test_it_has_what_the_specification_requires(tmp_path: Path, shards: int, answers: Answers) -> None:
    splits = splits_of(["a", "b"])
    folder = write_dataset(tmp_path / "d", splits, run_of(splits, sources=(source(None),)), answers, shards)
    found = described(folder)
    assert all(found.get(key) for key in REQUIRED)
    assert found["datePublished"] == "2026-11-21"
    files = [node for node in found["distribution"] if node["@type"] == "cr:FileObject"]
    assert sorted(node["contentUrl"] for node in files) == sorted(f"data/{p.name}" for p in (folder / "data").iterdir())
    for node in files:
        raw = (folder / node["contentUrl"]).read_bytes()
        assert node["sha256"] == hashlib.sha256(raw).hexdigest()
        assert node["contentSize"] == f"{len(raw)} B"


def test_every_reference_has_a_target_and_every_id_is_its_own(tmp_path: Path) -> None:
    splits = {name: rows.rename({"text": "a b<c>"}) for name, rows in splits_of(["a", "b"]).items()}
    found = described(write_dataset(tmp_path / "d", splits, run_of(splits), ANSWERED, 2))
    nodes = [*found["distribution"], *found["recordSet"], *(f for r in found["recordSet"] for f in r["field"])]
    ids = [node["@id"] for node in nodes]
    assert len(ids) == len(set(ids))
    for record_set in found["recordSet"]:
        for field in record_set["field"]:
            assert field["source"]["fileSet"]["@id"] in ids
            assert field["source"]["extract"]["column"] in splits["train"].columns
    assert [node["includes"] for node in found["distribution"] if node["@type"] == "cr:FileSet"] == [
        f"data/{split}-*.parquet" for split in splits
    ]


def test_a_column_without_a_type_is_left_out_and_named(tmp_path: Path) -> None:
    deep = pl.struct(pl.struct("likes")).alias("deep")
    splits = {name: rows.with_columns(deep) for name, rows in splits_of(["a", "b"]).items()}
    record_set = described(write_dataset(tmp_path / "d", splits, run_of(splits), ANSWERED))["recordSet"][0]
    assert "deep" not in [field["name"] for field in record_set["field"]]
    assert "left out: deep" in record_set["description"]


@pytest.mark.skipif(not MLCROISSANT, reason="mlcroissant is not installed")
@pytest.mark.parametrize("shards", [1, 2])
def test_the_reference_validator_accepts_and_loads_it(tmp_path: Path, shards: int) -> None:
    splits = {name: rows.rename({"score": "a|<b>"}) for name, rows in splits_of(["a", "<script>"]).items()}
    folder = write_dataset(tmp_path / "d", splits, run_of(splits), ANSWERED, shards)
    command = [str(MLCROISSANT), "validate", "--jsonld", "croissant.json"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    for name, rows in splits.items():
        command = [str(MLCROISSANT), "load", "--jsonld", "croissant.json", "--record_set", name, "--num_records", "-1"]
        done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
        assert done.stdout.count(f"'{name}/row'") == rows.height
