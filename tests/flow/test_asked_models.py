"""A model that is asked, through a whole run: judged, kept, offline, within its purse, and used afterwards."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from seedbed.flow.predicting.predict import open_model
from seedbed.flow.running import Finished, run
from seedbed.recipe.loading import parse
from serving.model import ModelServer, Reply, model_server

WORDS = {"bad": "awful sad broken angry late", "good": "lovely happy fine sunny early"}


def knowing(asked: dict[str, Any], tries: int) -> Reply | str:
    text = asked["messages"][-1]["content"].rpartition("Text: ")[2]
    return json.dumps({"answer": next(mood for mood, words in WORDS.items() if any(w in text for w in words.split()))})


def rows(folder: Path) -> None:
    draw = random.Random(3)
    moods = [draw.choice(list(WORDS)) for _ in range(120)]
    lines = [
        json.dumps(
            {
                "text": f"{place:x} " + " ".join(draw.choices(WORDS[mood].split(), k=4)) + f" {place * 7919:b}",
                "mood": mood,
            }
        )
        for place, mood in enumerate(moods)
    ]
    (folder / "rows.jsonl").write_text("\n".join(lines))


def made(server: ModelServer, folder: Path, *, offline: bool = False, **options: Any) -> Finished:
    asked = {"use": "prompted", "endpoint": server.url, "model_name": "m", "retries": 0, "show": 4, **options}
    recipe = {
        "seedbed": 1,
        "name": "moods",
        "task": {"kind": "text_classification", "text": "text", "label": "mood"},
        "sources": [{"use": "jsonl", "path": "rows.jsonl"}],
        "train": [{"use": "majority"}, asked],
        "split": {"use": "random", "train": 0.6, "validation": 0.2, "test": 0.2},
    }
    return run(parse(recipe, folder), workers=1, offline=offline)


def test_a_run_asks_once_and_needs_no_server_afterwards(tmp_path: Path) -> None:
    rows(tmp_path)
    with model_server(knowing) as server:
        first = made(server, tmp_path)
        [_, record] = first.run.models
        assert record.scores["test"]["accuracy"].value == 1
        asked = len(server.requests)
        assert asked <= 120 + 10  # the naive split shows other rows, and so asks anew
        made(server, tmp_path)
        assert len(server.requests) == asked
        texts = [one["messages"][-1]["content"] for one in server.requests]
        assert len(set(texts)) == len(texts)
    again = made(server, tmp_path, offline=True)
    assert again.run.models[1].scores == record.scores
    bundle = first.folder / "models" / "prompted"
    assert sorted(file.name for file in bundle.iterdir() if "example" in file.name) == []
    assert not any(text in (bundle / "model.json").read_text() for text in WORDS["bad"].split())


def test_a_purse_that_is_empty_stops_the_learner(tmp_path: Path) -> None:
    rows(tmp_path)
    with model_server(knowing) as server:
        with pytest.raises(Exception, match="stopped at most_requests: 9"):
            made(server, tmp_path, most_requests=9)
        assert len(server.requests) == 9


def test_a_bundle_asks_for_rows_that_nobody_saw(tmp_path: Path) -> None:
    rows(tmp_path)
    with model_server(knowing) as server:
        first = made(server, tmp_path, keep_examples=True)
        predictor = open_model(first.folder / "models" / "prompted")
        server.requests.clear()
        assert predictor.check_golden() == 0
        told = predictor.predict(["a lovely day", "a broken day"])
        assert told["predicted"].to_list() == ["good", "bad"]
        assert len(server.requests) >= 2
