"""A recipe whose split has a group: what judges knows the groups, in the run, in comparisons and in retraining."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import seedbed
from seedbed.cli.compare import told
from seedbed.cli.monitor import summary
from seedbed.core.metric import metric_named
from seedbed.evaluate.groups import grouped
from seedbed.evaluate.intervals import row_scores
from seedbed.flow import Finished
from seedbed.flow.monitoring.watch import watch
from seedbed.flow.retraining.retrain import retrain
from seedbed.flow.running import run
from seedbed.flow.splitting.belonging import Belonging
from seedbed.recipe.loading import parse
from seedbed.report.compared import render as rendered
from seedbed.report.monitoring import render as shown
from seedbed.report.told import best_lines, plain

RECIPE: dict[str, Any] = {
    "seedbed": 1,
    "name": "flights",
    "task": {"kind": "tabular_regression", "target": "delay", "features": ["miles", "hour", "wind"]},
    "sources": [{"use": "jsonl", "path": "flights.jsonl", "name": "flights"}],
    "split": {"use": "group", "group": "route", "train": 0.4, "validation": 0.2, "test": 0.4},
    "train": [{"use": "mean"}, {"use": "tabular_linear"}],
    "evaluate": {"metrics": ["rmse", "mae"], "intervals": {"resamples": 500}, "leakage": False, "slices": ["season"]},
}


def flights(routes: int, first: int = 0) -> list[dict[str, Any]]:
    """Four to eight flights of each route; those of a route are late by the same, which nothing else says."""
    found = []
    for route in range(first, first + routes):
        chance = random.Random(route)
        late, miles = chance.gauss(0, 10), chance.randint(100, 900)
        for _ in range(chance.randint(4, 8)):
            hour, wind, season = chance.randint(5, 22), chance.randint(0, 3), chance.choice(["summer", "winter"])
            delay = round(late + hour + 5 * wind + chance.gauss(0, 3), 2)
            found.append({"route": f"r{route}", "miles": miles, "hour": hour, "wind": wind, "season": season})
            found[-1]["delay"] = delay
    return found


def write(path: Path, told: list[dict[str, Any]]) -> Path:
    path.write_text("".join(f"{json.dumps(one)}\n" for one in told))
    return path


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Finished, Finished, Finished]:
    """By routes, by routes with another learner, and of the same rows as if each were by itself."""
    folder = tmp_path_factory.mktemp("flights")
    write(folder / "flights.jsonl", flights(150))
    plain = {"use": "random", "train": 0.4, "validation": 0.2, "test": 0.4}
    other = [{"use": "mean"}, {"use": "tabular_linear", "c": 0.001}]
    changed = ({}, {"train": other}, {"split": plain, "name": "by_rows"})
    one, two, rows = (run(parse(RECIPE | more, folder), workers=1) for more in changed)
    return one, two, rows


def predictions(finished: Finished, model: str) -> pl.DataFrame:
    return pl.read_parquet(finished.folder / "predictions" / f"{model}-test.parquet")


@pytest.mark.slow
def test_the_run_resamples_routes_and_says_so(runs: tuple[Finished, ...]) -> None:
    done = runs[0].run
    test = pl.read_parquet(next((runs[0].folder / "dataset" / "data").glob("test-*.parquet")))
    routes, rows = test["route"].n_unique(), test.height
    assert done.intervals["groups"]["test"] == routes < rows  # type: ignore[index]
    assert f"{routes} groups of {rows} test rows" in str(done.intervals["method"])
    page = runs[0].report.read_text()
    assert f"{routes} groups of {rows} test rows" in page and f"test in {routes} groups" in page
    assert f"{rows} rows in {routes} groups" in "\n".join(best_lines(done))
    assert f"over {routes} groups of rows that belong together" in (runs[0].folder / "dataset/README.md").read_text()
    assert done.certificate is not None and done.certificate.passed
    assert done.certificate.group == {"column": "route", "values": 150, "straddle": 0}
    kept = "none of 150 values of route in several splits"
    assert (
        kept in " ".join(plain(done, runs[0].folder).split())
        and "of 150 values none stands in more than one split" in page
    )
    told = predictions(runs[0], "tabular_linear").join(test.select("row", "route"), on="row")
    assert told.select("group", "route").n_unique() == told["group"].n_unique() == told["route"].n_unique()
    by_row, by_route = (
        row_scores(
            told["truth"].to_numpy(), told["predicted"].to_numpy()[:, None], [metric_named("rmse")],
            level=0.95, resamples=500, seed=done.seed, groups=groups,
        )["rmse"].score
        for groups in (None, grouped(told["group"].to_numpy()))
    )  # fmt: skip
    model = next(one for one in done.models if one.name == "tabular_linear")
    assert model.scores["test"]["rmse"] == by_route
    assert by_route.high - by_route.low > 1.4 * (by_row.high - by_row.low)
    assert model.distances["test"].bias.high - model.distances["test"].bias.low > 2.5
    assert {one.groups for one in done.comparisons} == {routes}
    assert [one.by for one in model.slices["test"]] == ["season", "season"]
    assert all(one.p is not None for one in model.slices["test"])


@pytest.mark.slow
def test_without_groups_nothing_is_said_and_rows_are_drawn(runs: tuple[Finished, ...]) -> None:
    done = runs[2].run
    assert "groups" not in done.intervals and done.intervals["method"] == "percentile bootstrap over rows"
    assert {one.groups for one in done.comparisons} == {None}
    told = predictions(runs[2], "tabular_linear")
    assert "group" not in told.columns
    truth, answers = told["truth"].to_numpy(), told["predicted"].to_numpy()[:, None]
    found = row_scores(truth, answers, [metric_named("rmse")], level=0.95, resamples=500, seed=done.seed)
    assert (
        next(one for one in done.models if one.name == "tabular_linear").scores["test"]["rmse"] == found["rmse"].score
    )


@pytest.mark.slow
def test_comparisons_of_two_runs_exchange_routes(runs: tuple[Finished, ...]) -> None:
    found = seedbed.compare(runs[0], runs[1])
    routes = runs[0].run.intervals["groups"]["test"]  # type: ignore[index]
    assert {one.groups for one in found.comparisons} == {routes}
    mixed = seedbed.compare(runs[0], runs[2])  # test rows of both; groups as the one run knows them
    groups = {one.groups for one in mixed.comparisons}
    assert "by groups of rows that belong together" in "\n".join(told(mixed))
    beware = "only a keeps rows of one route together: models of b may know"
    assert mixed.pairs[0].unlike is not None and mixed.pairs[0].unlike.startswith(beware)
    assert beware in " ".join("\n".join(told(mixed)).split()) and beware in rendered(mixed)
    assert found.pairs[0].unlike is None
    assert len(groups) == 1 and 20 < (groups.pop() or 0) < mixed.pairs[0].rows


def test_retraining_goes_by_the_routes_of_the_frozen_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "flights.jsonl", flights(60))
    (tmp_path / "recipe.yaml").write_text(json.dumps(RECIPE))
    champion = seedbed.run(tmp_path / "recipe.yaml")
    told = {"use": "derive", "column": "delay", "expression": "CASE WHEN route = 'r3' THEN delay + 1 ELSE delay END"}
    (tmp_path / "corrected.yaml").write_text(json.dumps(RECIPE | {"steps": [told]}))
    more = write(tmp_path / "more.jsonl", flights(30, first=60))
    found = retrain("flights@latest", add=[more], recipe=tmp_path / "corrected.yaml")
    assert found.grown is not None
    assert found.grown.corrected == sum(one["route"] == "r3" for one in flights(60))
    assert found.comparison is not None and found.frozen == champion.run.dataset.splits["test"]
    assert found.comparison.groups == champion.run.intervals["groups"]["test"]  # type: ignore[index]
    assert np.isfinite([found.comparison.low, found.comparison.high]).all()
    page = (Path(found.challenger.folder) / "retrain.html").read_text()
    assert f"in {found.comparison.groups} groups" in page
    assert found.slices and all(1 < (one.comparison.groups or 0) <= found.comparison.groups for one in found.slices)


def test_a_group_that_straddles_fails_the_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "flights.jsonl", flights(60))
    monkeypatch.setattr(Belonging, "groups", property(lambda rows: []))  # as if nobody kept routes together
    done = run(parse(RECIPE | {"train": [{"use": "mean"}]}, tmp_path), workers=1).run
    assert done.certificate is not None and not done.certificate.passed
    assert done.certificate.group is not None and done.certificate.group["straddle"] > 20


def test_few_groups_are_told(tmp_path: Path) -> None:
    write(tmp_path / "flights.jsonl", flights(20))
    done = run(parse(RECIPE | {"train": [{"use": "mean"}]}, tmp_path), workers=1).run
    groups = done.intervals["groups"]
    assert f"the test rows are only {groups['test']} groups: intervals of so few groups are too narrow" in done.notices  # type: ignore[index]


def test_near_copies_are_drawn_together_and_equal_rows_of_a_table_are_not(tmp_path: Path) -> None:
    chance = random.Random(1)
    texts = [" ".join(chance.choices([f"w{n}" for n in range(400)], k=12)) for _ in range(60)]
    copies = [{"text": f"{text}{end}", "label": chance.choice("ab")} for text in texts for end in ("", " !", " ?", ".")]
    write(tmp_path / "texts.jsonl", copies)
    told = RECIPE | {
        "task": {"kind": "text_classification", "text": "text", "label": "label"},
        "sources": [{"use": "jsonl", "path": "texts.jsonl"}],
        "split": {"use": "random", "train": 0.4, "validation": 0.2, "test": 0.4},
        "train": [{"use": "majority"}],
        "evaluate": {"intervals": {"resamples": 200}, "leakage": False},
    }
    done = run(parse(told, tmp_path), workers=1).run
    assert done.intervals["groups"]["test"] * 4 == done.dataset.splits["test"]
    assert done.models[0].classes["test"]["a"].recall.n > 0
    table = [{"miles": n % 7, "hour": n % 5, "wind": n % 2, "delay": n % 3, "season": "s"} for n in range(630)]
    write(tmp_path / "flights.jsonl", table)
    even = told | {key: RECIPE[key] for key in ("task", "sources")} | {"train": [{"use": "mean"}]}
    done = run(parse(even | {"evaluate": {"leakage": False}}, tmp_path), workers=1).run
    assert done.certificate is not None and done.certificate.largest_cluster > 1
    assert "groups" not in done.intervals


@pytest.mark.slow
def test_a_window_against_few_groups_promises_no_rate(runs: tuple[Finished, ...], tmp_path: Path) -> None:
    window = write(tmp_path / "window.jsonl", flights(10, first=500))
    by_routes, by_rows = (watch(str(window), one.folder) for one in (runs[0], runs[2]))
    assert not by_routes.independent and by_routes.reference.groups == runs[0].run.intervals["groups"]["validation"]  # type: ignore[index]
    assert "were rows independent; those of the reference are" in summary(by_routes)[0]
    assert "of windows raise an alarm though nothing differs" in shown(by_routes)
    assert by_rows.independent and "were rows independent" not in summary(by_rows)[0]
    assert "of windows would raise an alarm" in shown(by_rows)
