"""`seedbed publish` brings a run's conversations to a hub, and `datasets.load_dataset` gets them from there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from hub_taking import TOKEN, taking

from seedbed.cli import main
from seedbed.core.documents import write_document
from serving.hub_server import OWNER, Dataset, hub_server

CARD = "license: MIT\nlanguages: en\ncollected: made\nintended_uses: tests\nsensitive: nothing\ncontact: us\n"
LOADING = f"""
import json
from datasets import load_dataset
found = load_dataset("{OWNER}")
print(json.dumps({{name: [one["messages"] for one in rows] for name, rows in found.items()}}))
"""


def seedbed(*arguments: str) -> int:
    with pytest.raises(SystemExit) as done:
        main(list(arguments))
    return int(done.value.code or 0)


@pytest.mark.slow
def test_there_and_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEEDBED_STORE", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    talks = [
        [{"role": "user", "content": f"What is {i * 7919} to {i * 104729}?"}, {"role": "assistant", "content": f"{i}"}]
        for i in range(60)
    ]
    (tmp_path / "talks.jsonl").write_text("\n".join(json.dumps({"messages": one}) for one in talks))
    (tmp_path / "card.yaml").write_text(CARD)
    source = {"use": "jsonl", "path": "talks.jsonl", "license": "MIT"}
    recipe = {"seedbed": 1, "name": "talks", "task": {"kind": "chat"}, "sources": [source]}
    (tmp_path / "recipe.yaml").write_text(write_document(recipe))
    assert seedbed("run", "recipe.yaml", "--workers", "1") == 0
    with taking() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        published = ["publish", "talks@latest", "--to", "hub", "--out", f"hf://datasets/{OWNER}"]
        assert seedbed(*published) == 0
        files = dict(hub.files)
    with hub_server(Dataset(files)) as serving:
        given = {"HF_ENDPOINT": serving.url, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "0", "HF_TOKEN": ""}
        done = subprocess.run(
            [sys.executable, "-c", LOADING], env={**os.environ, **given}, capture_output=True, text=True, timeout=300
        )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    for name in ("train", "validation", "test"):
        rows = pl.read_parquet(tmp_path / f"runs/talks/latest/dataset/data/{name}-*.parquet")
        assert found[name] == rows["messages"].to_list()
    said = [
        [{key: one[key] for key in ("role", "content")} for one in talk] for rows in found.values() for talk in rows
    ]
    assert sorted(said, key=json.dumps) == sorted(talks, key=json.dumps)
