"""Whole runs that ask for more than scores: promises, robustness, fairness, clusters of mistakes, people, growth."""

from __future__ import annotations

import csv
import hashlib
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scrutiny_sample import COMMON, recipe, rows
from sklearn.metrics import accuracy_score

from seedbed.core.run import Run
from seedbed.core.scrutiny import Conformal, Scrutiny
from seedbed.evaluate.conformal import promised
from seedbed.evaluate.forms import form_of
from seedbed.flow.finished import Finished
from seedbed.flow.judging.disturbed import KINDS, disturbed
from seedbed.flow.predicting.predict import predict_file
from seedbed.flow.running import run
from seedbed.recipe.loading import parse
from seedbed.serve.predictor import Predictor


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("scrutiny")
    given, chance = rows(1_200), random.Random(7)
    with (folder / "people.csv").open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["text", "who", "answer"])
        for one in given:
            for who, right in (("Ann", 0.97), ("Ben", 0.6)):
                if chance.random() < 0.8:
                    other = "sport" if one["label"] == "food" else "food"
                    out.writerow([one["text"], who, one["label"].upper() if chance.random() < right else other])
            out.writerow([one["text"], "Cid", "nonsense"])
    asked = recipe(
        folder,
        given,
        evaluate={
            "metrics": ["accuracy", "macro_f1", "log_loss"],
            "conformal": 0.9,
            "robustness": True,
            "fairness": ["region"],
            "clusters": True,
            "people": "people.csv",
            "curve": True,
        },
    )
    return run(parse(asked, folder), out=folder / "out", workers=1)


@pytest.fixture(scope="module")
def found(done: Finished) -> Scrutiny:
    assert done.run.scrutiny is not None
    return done.run.scrutiny


def test_the_record_can_be_read_again(done: Finished, found: Scrutiny) -> None:
    again = Run.model_validate_json((done.folder / "run.json").read_text())
    assert again.scrutiny == found
    assert found.notes == ()


def test_promises_are_measured_on_test_rows_for_every_model(done: Finished, found: Scrutiny) -> None:
    assert [one.model for one in found.conformal] == [model.name for model in done.run.models]
    for one in found.conformal:
        assert (one.fitted.split, one.fitted.rows, one.split, one.score.n) == ("validation", 300, "test", 300)
        assert one.kept and one.p_holm is not None and one.p_holm >= one.p
        told = pl.read_parquet(done.folder / "predictions" / f"{one.model}-test.parquet")
        probabilities = np.array(told["probabilities"].to_list())
        truth = np.where(told["truth"] == "food", 0, 1)
        inside = probabilities >= (one.fitted.at_least or 0)
        inside[np.arange(300), probabilities.argmax(1)] = True
        assert one.score.value == pytest.approx(inside[np.arange(300), truth].mean())
    assert found.conformal[0].size == 2.0  # who knows nothing must name both labels


def test_a_bundle_that_keeps_a_promise_gives_sets(done: Finished, found: Scrutiny) -> None:
    path = done.folder / "models" / str(done.run.best) / "conformal.json"
    fitted = Conformal.model_validate_json(path.read_text())
    assert fitted == next(one.fitted for one in found.conformal if one.model == done.run.best)
    told = pl.read_parquet(done.folder / "predictions" / f"{done.run.best}-test.parquet")
    test = next((done.folder / "dataset").rglob("test*.parquet"))
    rows_ = pl.read_parquet(test).join(told.select("row", "truth"), on="row", how="left", maintain_order="left")
    said = Predictor.open(path.parent).predict(rows_.select("text"))
    held = [truth in labels for truth, labels in zip(rows_["truth"], said["set"].to_list(), strict=True)]
    assert all(labels[0] == one for labels, one in zip(said["set"].to_list(), said["predicted"], strict=True))
    measured = next(one for one in found.conformal if one.model == done.run.best)
    assert np.mean(held) == pytest.approx(measured.score.value)
    out = done.folder.parent / "said.csv"
    predict_file(Predictor.open(path.parent), str(done.folder.parent / "rows.jsonl"), out)
    assert set(pl.read_csv(out)["set"].unique()) <= {'["food"]', '["sport"]', '["food","sport"]', '["sport","food"]'}


def test_sets_are_said_with_the_most_probable_label_first() -> None:
    task = parse(recipe_task(), Path()).recipe.task.model_copy(update={"labels": ("food", "sport")})
    fitted = Conformal(kind="sets", coverage=0.9, split="validation", rows=99, rank=90, at_least=0.2)
    told = promised(form_of(task), fitted, np.array([[0.3, 0.7], [0.9, 0.1], [0.5, 0.5]]))
    assert told["set"].to_list() == [["sport", "food"], ["food"], ["food", "sport"]]


def test_sets_of_several_labels_hold_all_that_are_probable_enough() -> None:
    asked = {**recipe_task(), "task": {"kind": "multi_label_classification", "text": "text", "label": "label"}}
    task = parse(asked, Path()).recipe.task.model_copy(update={"labels": ("food", "sport", "north")})
    fitted = Conformal(kind="label_sets", coverage=0.9, split="validation", rows=99, rank=90, at_least=0.2)
    told = promised(form_of(task), fitted, np.array([[0.3, 0.7, 0.1], [0.1, 0.1, 0.1], [0.2, 0.9, 0.9]]))
    assert told["set"].to_list() == [["sport", "food"], [], ["sport", "north", "food"]]


def recipe_task() -> dict[str, Any]:
    return {
        "seedbed": 1,
        "name": "t",
        "task": {"kind": "text_classification", "text": "text", "label": "label"},
        "sources": [{"use": "jsonl", "path": "rows.jsonl"}],
    }


def test_half_of_the_text_loses_what_stood_there_and_capitals_lose_nothing(done: Finished, found: Scrutiny) -> None:
    assert found.robustness is not None
    kinds = {one.kind: one for one in found.robustness.kinds}
    assert list(kinds) == list(KINDS)
    assert (found.robustness.model, found.robustness.split) == (done.run.best, "validation")
    assert found.robustness.score.value == done.run.models[1].scores["validation"]["accuracy"].value
    # The telling word stands in the first half.
    assert kinds["second half"].verdict == "worse"
    assert kinds["second half"].difference.high < 0
    assert kinds["second half"].difference.value == pytest.approx(
        kinds["second half"].score.value - found.robustness.score.value
    )
    assert kinds["capitals"].changed == 1.0
    assert kinds["capitals"].answers_changed == 0.0
    assert kinds["lower case"].changed == 0.0
    assert kinds["capitals"].verdict == kinds["white space"].verdict == "not distinguishable"
    assert all(one.difference.p_holm >= one.difference.p for one in kinds.values())


def test_texts_are_disturbed_alike_whatever_else_is_disturbed() -> None:
    texts = pl.Series("text", ["Good morning, Mrs Winterbottom of Leeds", None, "", "短い文"])
    ids = pl.Series(["a", "b", "c", "d"])
    for kind in KINDS:
        whole = disturbed(texts, ids, kind, 1)
        alone = disturbed(texts[:1], ids[:1], kind, 1)
        assert whole[0] == alone[0]
        assert whole[1] is None
        assert whole.name == "text"
    assert disturbed(texts, ids, "typing errors", 1)[0] != texts[0]
    assert len(disturbed(texts, ids, "typing errors", 1)[0]) in range(len(texts[0]) - 1, len(texts[0]) + 2)
    halves = [disturbed(texts, ids, f"{which} half", 1)[0] for which in ("first", "second")]
    assert " ".join(halves) == texts[0]
    assert "".join(disturbed(texts, ids, "white space", 1)[0].split()) == "".join(texts[0].split())


def test_groups_are_told_apart_on_test_rows(done: Finished, found: Scrutiny) -> None:
    (one,) = found.fairness
    assert (one.column, one.split, one.model) == ("region", "test", done.run.best)
    assert sum(group.rows for group in one.groups) == 300
    rates = {group.value: {rate.measure: rate for rate in group.rates} for group in one.groups}
    assert rates["north"]["true positive rate"].score.value < rates["south"]["true positive rate"].score.value
    assert "equal opportunity difference" in {gap.measure for gap in one.gaps if gap.differs}


def test_mistakes_lie_where_they_were_planted(found: Scrutiny) -> None:
    assert found.clusters is not None
    worst = found.clusters.clusters[0]
    assert worst.more
    assert {"umbrella", "rain", "clouds"} & set(" ".join(worst.name).split())


def test_people_are_matched_by_their_texts(done: Finished, found: Scrutiny) -> None:
    on_test, on_validation = found.people
    assert (on_test.split, on_validation.split) == ("test", "validation")
    for one in found.people:
        assert [person.who for person in one.people] == ["annotator 1", "annotator 2", "majority"]
        assert one.agreement is not None and 0 < one.agreement.high < 0.6
        assert "Ann" not in one.model_dump_json()
        assert any("300 answers" in note for note in one.notes)  # Cid's
    scores = sorted(person.scores["accuracy"].value for person in on_test.people[:2])
    assert scores[0] < 0.7 < 0.9 < scores[1]
    verdicts = {person.verdict for person in on_test.people[:2]}
    assert verdicts == {"better", "worse"}
    assert "log_loss" not in on_test.people[0].scores
    assert on_test.file == "people.csv"
    assert on_test.sha256 == hashlib.sha256((done.folder.parent / "people.csv").read_bytes()).hexdigest()
    told = pl.read_parquet(done.folder / "predictions" / f"{done.run.best}-test.parquet")
    of_model = accuracy_score(told["truth"], told["predicted"])
    assert on_test.people[0].model_scores["accuracy"].value == pytest.approx(of_model, abs=0.06)


def test_lock_and_lineage_know_what_people_answered(done: Finished, found: Scrutiny) -> None:
    size = (done.folder.parent / "people.csv").stat().st_size
    told = {"step": "evaluate.people", "file": "people.csv", "bytes": size, "sha256": found.people[0].sha256}
    for paper in ("recipe.lock", "lineage.json"):
        assert json.loads((done.folder / paper).read_text("utf-8"))["files"] == [told]


def test_the_curve_says_what_twice_the_rows_are_worth_or_why_not(done: Finished) -> None:
    curve = done.run.learning_curve
    assert curve is not None and curve.growth is not None
    assert curve.growth.rows == 2 * curve.points[-1].rows
    assert (curve.growth.refused == "") == (curve.growth.gain is not None)


def test_numbers_get_intervals_and_errors_by_group(tmp_path: Path) -> None:
    chance = random.Random(3)
    given = [
        {
            "x": (x := chance.random() * 10),
            "g": (g := chance.choice("ab")),
            "y": 2 * x + chance.gauss(0, 1) + 3 * (g == "b"),
        }
        for _ in range(600)
    ]
    asked = recipe(
        tmp_path,
        given,
        task={"kind": "tabular_regression", "target": "y", "features": ["x"]},
        split={"use": "random", "train": 0.5, "validation": 0.25, "test": 0.25},
        train=[{"use": "mean"}, {"use": "tabular_linear"}],
        evaluate={"conformal": 0.8, "fairness": ["g"]},
    )
    told = run(parse(asked, tmp_path), out=tmp_path / "out", workers=1).run.scrutiny
    assert told is not None
    assert [one.fitted.kind for one in told.conformal] == ["intervals", "intervals"]
    assert all(one.kept for one in told.conformal)
    assert told.conformal[1].size < told.conformal[0].size  # who knows more needs less room
    gaps = {gap.measure: gap for gap in told.fairness[0].gaps}
    assert gaps["mean error difference"].differs
    assert gaps["mean error difference"].low < 3 < gaps["mean error difference"].high


def rare(count: int, seed: int, sets: bool) -> list[dict[str, Any]]:
    """One row in eight is about soup; the word tells it in half of those, and stands in one in twenty others."""
    chance = random.Random(seed)
    found: list[dict[str, Any]] = []
    for number in range(count):
        soup = chance.random() < 0.12
        told = chance.random() < (0.5 if soup else 0.05)
        words = [*chance.choices(COMMON, k=8), *(["soup"] if told else []), f"{number:04}"]
        chance.shuffle(words)
        label: Any = "soup" if soup else "other"
        if sets:
            label = [*(["soup"] if soup else []), *(["long"] if number % 2 else [])]
        found.append({"text": " ".join(words), "label": label})
    return found


@pytest.mark.parametrize("sets", [False, True])
def test_thresholds_are_chosen_on_validation_rows_and_told_by_test_rows(tmp_path: Path, sets: bool) -> None:
    kind = "multi_label_classification" if sets else "text_classification"
    asked = recipe(
        tmp_path,
        rare(1_600, 5, sets),
        task={"kind": kind, "text": "text", "label": "label"},
        split={"use": "random", "train": 0.4, "validation": 0.3, "test": 0.3},
        train=[{"use": "tfidf_logistic", "characters": None, "class_weight": "none"}],
        evaluate={"metrics": ["macro_f1", "accuracy", "log_loss"], "thresholds": "f1"},
    )
    done = run(parse(asked, tmp_path), out=tmp_path / "out", workers=1)
    assert done.run.scrutiny is not None
    told = done.run.scrutiny.thresholds
    assert told is not None
    soup = next(one for one in told.labels if one.label == "soup")
    assert (soup.chosen, told.aim, told.chosen_on, told.split) == (True, "f1", "validation", "test")
    assert soup.at < 0.5  # the rarer one is looked for, and F1 asks for it sooner
    assert [one.metric for one in told.worth] == ["macro_f1", "accuracy"]
    f1 = told.worth[0]
    assert f1.score_before == done.run.models[0].scores["test"]["macro_f1"]
    assert f1.verdict == "better"
    assert f1.difference.value == pytest.approx(f1.score.value - f1.score_before.value)
    path = done.folder / "models" / "tfidf_logistic" / "thresholds.json"
    assert {one["label"]: one["at"] for one in json.loads(path.read_text())["labels"]}["soup"] == soup.at
    said = Predictor.open(path.parent).predict([f"the soup was good {place}" for place in range(3)])
    soups = said["probabilities"].struct.field("soup").to_numpy() >= soup.at
    assert soups.all()
    assert all("soup" in one for one in said["decided"]) if sets else said["decided"].to_list() == ["soup"] * 3


def test_of_several_labels_no_threshold_is_chosen(tmp_path: Path) -> None:
    given = [{**one, "label": one["region"]} for one in rows(300)]
    told = run(parse(recipe(tmp_path, given, evaluate={"thresholds": "f1"}), tmp_path), out=tmp_path / "out", workers=1)
    assert told.run.scrutiny is not None
    assert told.run.scrutiny.thresholds is None
    assert told.run.scrutiny.notes[0].startswith("thresholds: of 3 labels")


EVERY = {
    "multi_label_classification": (
        {"text": "text", "label": "tags"},
        "tfidf_logistic",
        {"fairness": ["region"], "conformal": 0.9},
    ),
    "regression": ({"text": "text", "target": "y"}, "tfidf_ridge", {"fairness": ["region"], "conformal": 0.9}),
    "text_to_text": ({"text": "text", "target": "label"}, "nearest", {}),
    "question_answering": ({"question": "text", "context": "context", "answers": "answer"}, "best_sentence", {}),
}


@pytest.mark.parametrize("kind", list(EVERY))
def test_every_task_that_reads_a_text_can_be_looked_at_closely(tmp_path: Path, kind: str) -> None:
    columns, learner, more = EVERY[kind]
    given = rows(400)
    answers = []
    for place, row in enumerate(given):
        row["tags"] = [row["label"], *(["south"] if row["region"] == "south" else [])]
        row["context"] = f"Nothing is said here {place}. The word is {row['text'].split()[0]} today. All of it."
        row["answer"] = [{"text": row["text"].split()[0], "start": row["context"].index("word is ") + 8}]
        said = {"multi_label_classification": [row["label"]], "regression": row["y"], "text_to_text": row["label"]}
        answers.append({"text": row["text"], "who": "a", "answer": said.get(kind, row["answer"][0]["text"])})
    (tmp_path / "people.jsonl").write_text("".join(json.dumps(one) + "\n" for one in answers))
    asked = recipe(
        tmp_path,
        given,
        task={"kind": kind, **columns},
        split={"use": "random", "train": 0.5, "validation": 0.25, "test": 0.25},
        train=[{"use": learner}],
        evaluate={"robustness": True, "clusters": True, "people": "people.jsonl", **more},
    )
    done = run(parse(asked, tmp_path), out=tmp_path / "out", workers=1)
    told = done.run.scrutiny
    assert told is not None
    assert told.robustness is not None and len(told.robustness.kinds) == len(KINDS)
    assert told.people[0].split == "test" and 90 <= told.people[0].people[0].rows <= 110
    assert (told.clusters is None) == any(note.startswith("clusters") for note in told.notes)
    assert bool(told.fairness) == ("fairness" in more)
    assert bool(told.conformal) == ("conformal" in more)
    page = (done.folder / "report.html").read_text()
    assert 'id="robustness"' in page and 'id="people"' in page


def test_a_run_that_asks_for_nothing_has_none(tmp_path: Path) -> None:
    told = run(parse(recipe(tmp_path, rows(200)), tmp_path), out=tmp_path / "out", workers=1).run
    assert told.scrutiny is None
    assert "scrutiny" not in told.timings


def test_without_validation_rows_it_says_what_cannot_be_told(tmp_path: Path) -> None:
    asked = recipe(
        tmp_path,
        rows(300),
        split={"use": "random", "train": 0.7, "validation": 0, "test": 0.3},
        evaluate={"conformal": 0.9, "robustness": True, "clusters": True},
    )
    told = run(parse(asked, tmp_path), out=tmp_path / "out", workers=1).run.scrutiny
    assert told is not None
    assert [note.partition(":")[0] for note in told.notes] == ["conformal", "robustness", "clusters"]
    assert not told.conformal and told.robustness is None and told.clusters is None
