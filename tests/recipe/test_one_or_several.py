"""The section `track` holds one part or a list of them, and errors name the place where it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from seedbed.core.errors import RecipeError
from seedbed.recipe.catalogue import schema
from seedbed.recipe.loading import dump, load, parse
from seedbed.track import Mlflow, Tensorboard
from tracked_sample import asked


@pytest.mark.parametrize(
    ("track", "parts"),
    [
        ({"use": "mlflow"}, [Mlflow]),
        ([{"use": "mlflow"}], [Mlflow]),
        ([{"use": "mlflow"}, {"use": "tensorboard"}], [Mlflow, Tensorboard]),
        ([], []),
    ],
)
def test_one_or_several(track: Any, parts: list[type], tmp_path: Path) -> None:
    loaded = parse(asked(track=track), tmp_path)
    assert [type(one) for one in loaded.recipe.track] == parts
    (tmp_path / "again.yaml").write_text(dump(loaded.recipe))
    assert load(tmp_path / "again.yaml", []).recipe.track == loaded.recipe.track
    assert not list(Draft202012Validator(schema()).iter_errors(asked(track=track)))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("track: {use: mlfow}", r":6: track\.use: there is no tracker 'mlfow'\n  hint: did you mean 'mlflow'"),
        ("track: [{use: mlfow}]", r":6: track\.0\.use: there is no tracker 'mlfow'"),
        ("track: {use: mlflow, artefacts: perhaps}", r":6: track\.artefacts: true or false is needed"),
        ("track: {uri: x}", r":6: track: needs 'use', the name of a tracker"),
        ("track: mlflow", r":6: track.*\n.*\{use: mlflow\}"),
        ("track: {use: folder, path: x}", r"'folder' is an exporter, not a tracker\n.*`publish`"),
        ("publish: [{use: mlflow}]", r"'mlflow' is a tracker, not an exporter\n.*`track`"),
        ("track: [{use: mlflow}, {use: mlflow}]", r":6: track\.1: is the same as track\.0: it would be told twice"),
    ],
)
def test_what_is_wrong_is_told_where_it_stands(line: str, said: str, tmp_path: Path) -> None:
    head = "seedbed: 1\nname: small\ntask: {kind: text_classification, text: text, label: label}\nsources:\n"
    (tmp_path / "recipe.yaml").write_text(f"{head}  - {{use: csv, path: x.csv}}\n{line}\n")
    with pytest.raises(RecipeError) as refused:
        load(tmp_path / "recipe.yaml", [])
    import re

    assert re.search(said, str(refused.value)), str(refused.value)
