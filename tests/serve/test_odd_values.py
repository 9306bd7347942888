"""Values of a table that a model was never taught: told wherever it is asked, in the same words."""

from __future__ import annotations

import csv
import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from listening import listening

from predicting_sample import small_run
from seedbed.flow.predicting.opening import open_model
from seedbed.flow.predicting.predict import predict_file
from seedbed.serve.api import make_app
from seedbed.serve.predictor import Predictor
from seedbed.serve.service import Service, Version
from table_sample import HOSTILE, LIKE, table_run

ODD: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"speed": "x"}, ["speed: 'x' is no integer: taken as missing"]),
    ({"hd": "33.5"}, ["hd: '33.5' is no integer: taken as missing"]),
    ({"rating": "good"}, ["rating: 'good' is no number: taken as missing"]),
    ({"speed": None, "cd": "", "rating": " ", "maker": None}, []),
    ({"cd": "maybe"}, ["cd: 'maybe' is not known: fewer than 3 training rows have it"]),
    ({"maker": "Once Ltd"}, ["maker: 'Once Ltd' is not known: fewer than 3 training rows have it"]),
    ({"maker": HOSTILE, "speed": 50, "rating": 4}, []),
    ({"hd": "340000"}, ["hd: '340000' is beyond the training rows, which have 81 to 2089"]),
    ({"hd": -2000}, ["hd: '-2000' is beyond the training rows, which have 81 to 2089"]),
    ({"hd": 2250}, []),
    ({"rating": "11"}, ["rating: '11' is beyond the training rows, which have 0 to 5"]),
    (
        {"speed": "ana@example.org " + "x" * 90},
        ["speed: '[e-mail] xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…' is no integer: taken as missing"],
    ),
]


@pytest.fixture(scope="module")
def model(table: Path) -> Predictor:
    return open_model(table)


def test_what_is_odd_is_said_of_its_column(model: Predictor) -> None:
    rows = [LIKE | odd for odd, _ in ODD]
    assert model.predict(rows)["warnings"].to_list() == [told for _, told in ODD]
    alone = [model.predict([row])["warnings"].to_list()[0] for row in rows]
    assert alone == [told for _, told in ODD], "a row alone is told what it is told among others"
    assert model.predict([])["warnings"].to_list() == []


def test_the_server_the_command_and_a_file_say_the_same(table: Path, model: Predictor, tmp_path: Path) -> None:
    rows = [LIKE | odd for odd, _ in ODD]
    expected = [told for _, told in ODD]
    with listening(make_app(model)) as site:
        status, told, _ = site.ask("/predict", {"rows": rows})
    assert status == 200 and [one["warnings"] for one in told["predictions"]] == expected

    with (tmp_path / "rows.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(LIKE))
        writer.writeheader()
        writer.writerows(rows)
    done = predict_file(open_model(table), str(tmp_path / "rows.csv"), tmp_path / "out.parquet")
    assert pl.read_parquet(tmp_path / "out.parquet")["warnings"].to_list() == expected
    assert done.warned == sum(map(bool, expected))

    command = [sys.executable, "-m", "seedbed", "predict", str(table), "--text", json.dumps(rows[1])]
    said = subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8").stdout
    assert f"warning: {expected[1][0]}" in said


def test_what_a_step_scales_is_told_as_it_was_given(tmp_path: Path) -> None:
    model = open_model(table_run(tmp_path, prepare=[{"use": "scale", "column": "hd"}]).folder)
    rows = [LIKE, LIKE | {"hd": "340000"}, LIKE | {"speed": "900"}]
    assert model.predict(rows)["warnings"].to_list() == [
        [],
        ["hd: '340000' is beyond the training rows"],
        ["speed: '900' is beyond the training rows, which have 25 to 66"],
    ]


def test_texts_know_nothing_of_it(tmp_path: Path) -> None:
    steps = [
        {"use": "cast", "types": {"stars": "integer"}, "on_error": "missing"},
        {"use": "derive", "column": "text", "template": "{said} ({stars})"},
    ]
    kinds = (("poor", "bad"), ("great", "good"))
    made = [{"said": f"a film {n} {kinds[n % 2][0]}", "stars": str(n % 5), "mood": kinds[n % 2][1]} for n in range(200)]
    task = {"kind": "text_classification", "text": "text", "label": "mood"}
    model = open_model(small_run(tmp_path, made, steps=steps, task=task).folder)
    assert not model.preparation.trained
    told = model.predict([{"said": "a great film", "stars": "x"}, {"said": "a great film", "stars": "9"}])
    assert told["warnings"].to_list() == [["stars: 'x' is no integer: taken as missing"], []]


def test_a_log_without_texts_holds_no_value_that_somebody_typed(model: Predictor) -> None:
    logged: list[pl.DataFrame] = []
    service = Service(Version(model, logged.append))
    with listening(make_app(service)) as site:
        assert site.ask("/predict", {"rows": [LIKE | {"speed": "it's 'me'"}, LIKE]})[0] == 200
    service.end()
    [frame] = logged
    assert frame["warnings"].to_list() == [["speed: … is no integer: taken as missing"], []]


def test_examples_are_not_neighbours(table: Path, model: Predictor) -> None:
    """Rows that stand side by side are often of one group: one route, one shop."""
    held = pl.concat(pl.read_parquet(one) for one in (table / "dataset" / "data").glob("validation-*.parquet"))
    shown = [(one.input["hd"], str(one.input["rating"])) for one in model.bundle.preprocess.golden]
    test = [(str(hd), str(rating)) for hd, rating in held.select("hd", "rating").iter_rows()]
    places = sorted(test.index(one) for one in shown)
    assert len(places) == 8 and min(b - a for a, b in itertools.pairwise(places)) > 1


def test_what_the_server_refuses_a_file_reads_as_training_did_and_says_so(
    table: Path, model: Predictor, tmp_path: Path
) -> None:
    """Numbers beyond 64 bits, lists and objects; what is no JSON is not answered at all."""
    odd = ["12345678901234567890123", "-9223372036854775809", '{"a": 1}', "[1, 2]", "[]", "{}"]
    columns = ("hd", "rating", "cd")
    lines = [json.dumps(LIKE | {name: "?"}).replace('"?"', value) for name in columns for value in (*odd, "1e400")]
    (tmp_path / "rows.jsonl").write_text("\n".join(lines))
    done = predict_file(open_model(table), str(tmp_path / "rows.jsonl"), tmp_path / "out.jsonl")
    told = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert (done.rows, done.malformed, len(told)) == (21, 3, 21)
    for name, some in zip(columns, (told[:7], told[7:14], told[14:]), strict=True):
        assert [one["predicted"] is None for one in some] == [False] * 6 + [True]
        assert some[-1]["warnings"][0].startswith("it could not be read: not_json")
        assert all(len(one["warnings"]) == 1 and one["warnings"][0].startswith(f"{name}: '") for one in some[:-1])
    with listening(make_app(model)) as site:
        assert {site.ask("/predict", f'{{"rows": [{line}]}}'.encode())[0] for line in lines} == {422}
