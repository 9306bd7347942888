"""Suspects among sets of labels, numbers and rows of tables: planted faults are found, and what is not used for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from seedbed.cli import main
from seedbed.core.context import Context
from seedbed.core.doubts import FILES, SUSPECTS
from seedbed.core.rows import ROW
from seedbed.core.task import MultiLabelClassification, Regression, TabularRegression, Task
from seedbed.flow.doubting import suspects_of
from seedbed.flow.doubting.doubt import doubted, learner_for
from seedbed.flow.doubting.labelled import Labelled

WORDS = {
    "comedy": ["joke", "clown", "laugh", "mixup", "wedding"],
    "drama": ["tears", "grief", "court", "letter", "family"],
    "music": ["band", "song", "stage", "guitar", "chorus"],
    "war": ["front", "soldier", "bomb", "trench", "general"],
}
LABELS = tuple(WORDS)
PRICES = {"bed": 400.0, "chair": 50.0, "lamp": 20.0, "sofa": 300.0}
MADE_OF = {"leather": 2.0, "oak": 1.5, "pine": 1.0, "steel": 1.2}


def films(rows: int = 400, seed: int = 3) -> tuple[list[dict[str, Any]], dict[int, str]]:
    """Plots and sets of genres, a tenth of which have one too many or one too few."""
    rng, planted, made = np.random.default_rng(seed), {}, []
    for number in range(rows):
        own = sorted({str(one) for one in rng.choice(LABELS, int(rng.integers(1, 3)))})
        words = [*(word for label in own for word in rng.choice(WORDS[label], 3)), "a", "night", "in", str(number)]
        given = list(own)
        if number % 10 == 0:
            others = [label for label in LABELS if label not in own]
            planted[number] = "missing" if len(own) > 1 and rng.random() < 0.5 else "wrong"
            given = own[:-1] if planted[number] == "missing" else sorted([*own, others[0]])
        made.append({"plot": " ".join(map(str, words)), "genres": given})
    return made, planted


def goods(rows: int = 400, seed: int = 3) -> tuple[list[dict[str, Any]], set[int]]:
    """Things and their prices, of which a tenth are ten times too high or too low."""
    rng, planted, made = np.random.default_rng(seed), set(), []
    for number in range(rows):
        kind, wood, weight = str(rng.choice(list(PRICES))), str(rng.choice(list(MADE_OF))), rng.uniform(1, 2)
        price = PRICES[kind] * MADE_OF[wood] * weight * float(np.exp(rng.normal(0, 0.05)))
        if number % 10 == 0:
            planted.add(number)
            price *= 10 if rng.random() < 0.5 else 0.1
        told = f"{kind} of {wood}, {'heavy' if weight > 1.5 else 'light'}, item {number}"
        made.append({"told": told, "kind": kind, "wood": wood, "weight": str(round(weight, 2)), "price": price})
    return made, planted


def labelled(task: Task, rows: list[dict[str, Any]], *, test: int = 0, columns: tuple[str, ...] = ()) -> Labelled:
    names = ["test" if n >= len(rows) - test else "train" for n in range(len(rows))]
    frame = pl.DataFrame(rows).with_columns(pl.Series(ROW, [f"0:t#{n}" for n in range(len(rows))]))
    frame = frame.with_columns(pl.Series("_split", names))
    compared, kind = ("", "rows") if columns else (str(task.shown), "characters")
    every = np.ones(len(rows), np.bool_)
    return Labelled(frame, np.arange(len(rows)), every, task, compared, kind, 0.7, columns)  # type: ignore[arg-type]


def places(suspects: pl.DataFrame) -> list[int]:
    return [int(row.partition("#")[2]) for row in suspects[ROW]]


def doubts_of(rows: Labelled, store: Path) -> tuple[Any, pl.DataFrame]:
    found, folder = doubted(rows, learner_for(rows), Context(base=store, store=store))
    return found, pl.read_parquet(folder / Path(FILES[True]).name)


FILMS = MultiLabelClassification(text="plot", label="genres", labels=LABELS)
GOODS = Regression(text="told", target="price")
TABLE = TabularRegression(target="price", features=("kind", "wood", "weight"))


def test_labels_too_many_and_too_few(tmp_path: Path) -> None:
    made, planted = films()
    found, _ = doubts_of(labelled(FILMS, made), tmp_path)
    assert found.suspects.schema == SUSPECTS
    assert found.suspects["self_confidence"].is_sorted()
    at = places(found.suspects)
    assert np.mean([place in planted for place in at[:20]]) > 0.9
    assert len(planted.keys() & set(at)) > 0.4 * len(planted)
    for place, kind, given, suggested in zip(
        at, *(found.suspects[name] for name in ("kind", "given", "suggested")), strict=True
    ):
        assert json.loads(given) == made[place]["genres"]
        less, more = (
            set(json.loads(given)) - set(json.loads(suggested)),
            set(json.loads(suggested)) - set(json.loads(given)),
        )
        expected = {(True, False): "wrong", (False, True): "missing", (True, True): "wrong_and_missing"}
        assert kind == expected[bool(less), bool(more)]
        if place in planted and kind in ("wrong", "missing"):
            assert kind == planted[place]
    wrong = sum(kind == "wrong" for kind in planted.values()) / sum(len(one["genres"]) for one in made)
    assert found.share.low <= wrong * 1.3
    assert found.share.value == pytest.approx(wrong, abs=0.03)
    assert found.of == "labels"


@pytest.mark.parametrize("task", [GOODS, TABLE], ids=["of_texts", "of_tables"])
def test_numbers_too_high_and_too_low(task: Task, tmp_path: Path) -> None:
    made, planted = goods()
    columns = ("kind", "wood", "weight") if task is TABLE else ()
    found, _ = doubts_of(labelled(task, made, columns=columns), tmp_path)
    at = places(found.suspects)
    assert np.mean([place in planted for place in at[:20]]) > 0.9
    assert len(planted & set(at)) > 0.6 * len(planted)
    assert set(found.suspects["kind"]) == {"too_high", "too_low"}
    for place, kind, given, foretold in zip(
        at, *(found.suspects[name] for name in ("kind", "given", "suggested")), strict=True
    ):
        assert float(given) == made[place]["price"]
        assert (float(given) > float(foretold)) == (kind == "too_high")
    assert found.suspects["confidence"].is_null().all()
    assert found.share.value == pytest.approx(0.1, abs=0.05)


@pytest.mark.parametrize("task", [FILMS, GOODS, TABLE], ids=["sets", "numbers", "tables"])
def test_answers_of_test_rows_change_no_doubt_of_others(task: Task, tmp_path: Path) -> None:
    made, _ = films(200) if task is FILMS else goods(200)
    columns = ("kind", "wood", "weight") if task is TABLE else ()
    plain, _ = doubts_of(labelled(task, made, test=40, columns=columns), tmp_path)
    other: dict[str, Any] = {"genres": ["war"]} if task is FILMS else {"price": 7777.0}
    turned, suspects = doubts_of(
        labelled(task, [*made[:-40], *({**one, **other} for one in made[-40:])], test=40, columns=columns), tmp_path
    )
    same = [name for name in SUSPECTS if name != "neighbours"]
    assert plain.suspects.select(same).equals(turned.suspects.select(same))
    assert (plain.share, plain.accuracy) == (turned.share, turned.accuracy)
    assert suspects.height > 20
    assert set(suspects["split"]) == {"test"}


def test_copies_with_other_labels_name_each_other(tmp_path: Path) -> None:
    made, _ = films(100)
    made.append({"plot": "zebra umbrella at the seaside with a song", "genres": ["music"]})
    made.append({"plot": "Zebra umbrella at the seaside, with a song", "genres": ["war"]})
    rows = labelled(FILMS, made)
    rows.clusters[101] = rows.clusters[100]
    found, _ = doubts_of(rows, tmp_path)
    copies = found.suspects.filter(kind="near_copy")
    assert set(places(copies)) == {100, 101}
    assert {one["label"] for near in copies["neighbours"] for one in near} == {'["music"]', '["war"]'}


RECIPES = {
    "sets": "{kind: multi_label_classification, text: plot, label: genres}",
    "numbers": "{kind: regression, text: told, target: price}",
    "tables": "{kind: tabular_regression, target: price, features: [kind, wood, weight]}",
    "labels of tables": "{kind: tabular_classification, label: kind, features: [wood, weight, price]}",
}


@pytest.mark.parametrize("what", RECIPES)
def test_a_run_writes_its_suspects(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, planted = films(300) if what == "sets" else goods(300)
    pl.DataFrame(made).write_ndjson(tmp_path / "rows.jsonl")
    (tmp_path / "recipe.yaml").write_text(
        f"seedbed: 1\nname: planted\ntask: {RECIPES[what]}\nsources: [{{use: jsonl, name: rows, path: rows.jsonl}}]\n"
        "checks: [{use: label_errors, at_most: 0.001, on_fail: stop}]\n"
    )
    monkeypatch.setenv("SEEDBED_STORE", str(tmp_path / "store"))
    with pytest.raises(SystemExit) as ended:
        main(["run", str(tmp_path / "recipe.yaml"), "--out", str(tmp_path / "run"), "--workers", "1"])
    assert ended.value.code == 1
    written = suspects_of(tmp_path / "run")
    if what != "labels of tables":  # whose labels are right
        assert np.mean([place - 1 in planted for place in places(written)[:10]]) > 0.8
    assert set(written["split"]) <= {"train", "validation"}
    record = json.loads((tmp_path / "run/run.json").read_text())
    (finding,) = [one for one in record["findings"] if one["check"] == "label_errors"]
    assert finding["rows"] == written[ROW].head(10).to_list()
    (tmp_path / "run/review/suspects.parquet").unlink()
    again = suspects_of(tmp_path / "run")  # from the folder alone: folds are others
    assert len(set(places(again)) & set(places(written))) > 0.5 * written.height


# What people decided comes into the next run


@pytest.mark.parametrize("what", ["sets", "numbers", "tables", "lists"])
def test_decisions_are_applied(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = films(80) if what in ("sets", "lists") else goods(200)
    kind = {"sets": "sets", "lists": "sets"}.get(what, what)
    if what == "lists":
        pl.DataFrame(made).write_parquet(tmp_path / "rows.parquet")
    else:
        plain = [{**one, "genres": "|".join(one["genres"])} if "genres" in one else one for one in made]
        pl.DataFrame(plain).write_csv(tmp_path / "rows.csv")
    source = (
        "{use: parquet, name: rows, path: rows.parquet}"
        if what == "lists"
        else "{use: csv, name: rows, path: rows.csv}"
    )
    task = RECIPES[kind].replace("label: genres}", 'label: genres, separator: "|"}')
    (tmp_path / "recipe.yaml").write_text(
        f"seedbed: 1\nname: planted\ntask: {task}\nsources: [{source}]\nsteps: [{{use: apply_review}}]\n"
    )
    monkeypatch.setenv("SEEDBED_STORE", str(tmp_path / "store"))

    def typed(*words: str) -> None:
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 0

    run = ("run", str(tmp_path / "recipe.yaml"), "--workers", "1", "--out", str(tmp_path / "run"))
    typed(*run)
    typed("review", str(tmp_path / "run"), "--queue", "suspects", "--export", str(tmp_path / "in.csv"))
    asked = pl.read_csv(tmp_path / "in.csv", infer_schema=False)
    assert asked.height
    row, label = asked["row"][0], "comedy, war" if kind == "sets" else "123.5"
    if what == "tables":
        assert asked["text"][0].splitlines()[0].startswith("kind: ")
    answered = asked.head(1).with_columns(new_label=pl.lit(label), who=pl.lit("ana"))
    answered.write_csv(tmp_path / "out.csv")
    typed("review", str(tmp_path / "run"), "--import", str(tmp_path / "out.csv"))
    typed(*run)
    rows = pl.read_parquet(tmp_path / "run/dataset/data/*.parquet")
    answer = rows.filter(pl.col(ROW) == row)["genres" if kind == "sets" else "price"].to_list()
    assert answer == ([["comedy", "war"]] if kind == "sets" else [123.5])
    typed("explain", str(tmp_path / "run"), str(row))
