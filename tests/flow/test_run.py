"""Whole runs on small data: what must stay true of every run."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import seedbed
from seedbed.core.errors import DataError, RecipeError, SeedbedError
from seedbed.core.ledger import LEDGER_SCHEMA
from seedbed.core.run import Run
from seedbed.core.step import Map, Step
from seedbed.flow.running import Finished, run
from seedbed.recipe.loading import load, parse

WORDS = {
    "food": ["soup", "bread", "apple", "cheese", "kitchen", "recipe", "tasty", "dinner"],
    "sport": ["goal", "match", "player", "team", "coach", "win"],
}
COMMON = [
    "the",
    "a",
    "very",
    "quite",
    "today",
    "yesterday",
    "my",
    "our",
    "it",
    "was",
    "is",
    "good",
    "bad",
    "new",
    "old",
]


def texts(count: int, seed: int = 1) -> list[dict[str, Any]]:
    """Rows with a label that words give away, some copies, some near copies, some dirt."""
    chance = random.Random(seed)
    rows: list[dict[str, Any]] = []
    for number in range(count):
        label = chance.choice(list(WORDS))
        words = [chance.choice(WORDS[label] if chance.random() < 0.3 else COMMON) for _ in range(chance.randint(6, 20))]
        rows.append({"text": " ".join([*words, str(number)]), "label": label, "who": f"p{number % 37}"})
        if number % 20 == 3:
            rows.append(dict(rows[-1]))
        if number % 20 == 7:
            rows.append({**rows[-1], "text": rows[-1]["text"] + "!"})
        if number % 50 == 9:
            rows.append({"text": None, "label": label, "who": None})
    return rows


def write(folder: Path, rows: list[dict[str, Any]], bad_lines: int = 0) -> Path:
    lines = [json.dumps(row) for row in rows]
    for place in range(bad_lines):
        lines.insert(place * 7, '{"text": "cut in the mid')
    path = folder / "rows.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


def recipe(**more: Any) -> dict[str, Any]:
    return {
        "seedbed": 1,
        "name": "small",
        "task": {"kind": "text_classification", "text": "text", "label": "label"},
        "sources": [{"use": "jsonl", "path": "rows.jsonl", "name": "small", "license": "MIT"}],
        "steps": [
            {"use": "normalize"},
            {"use": "drop_missing", "columns": ["text"]},
            {"use": "text_length", "at_least": 5},
            {"use": "conflicting_labels"},
            {"use": "exact_duplicates"},
            {"use": "near_duplicates"},
        ],
        "train": [{"use": "majority"}],
        "evaluate": {"intervals": {"resamples": 200}},
        **more,
    }


def go(folder: Path, out: str = "out", **options: Any) -> Finished:
    how = {key: options.pop(key) for key in ("workers", "batch") if key in options}
    return run(parse(recipe(**options), folder), out=folder / out, **{"workers": 1, **how})


def ledger(folder: Path) -> pl.DataFrame:
    return pl.concat([pl.read_parquet(path) for path in sorted((folder / "ledger").glob("*.parquet"))])


def dataset(folder: Path) -> pl.DataFrame:
    return pl.concat([pl.read_parquet(path) for path in sorted((folder / "dataset" / "data").glob("*.parquet"))])


def test_every_row_is_accounted_for(tmp_path: Path) -> None:
    rows = texts(400)
    write(tmp_path, rows, bad_lines=5)
    done = go(tmp_path)
    record = Run.model_validate_json((done.folder / "run.json").read_text())
    assert record.rows.read == len(rows) + 5
    assert record.rows.read == record.rows.kept + record.rows.rejected_rows
    entries = ledger(done.folder)
    assert dict(entries.schema) == LEDGER_SCHEMA
    rejected = entries.filter(pl.col("action") == "rejected")
    everything = sorted([*rejected["row"], *dataset(done.folder)["row"]])
    assert everything == sorted(f"small:rows.jsonl#{n}" for n in range(1, len(rows) + 6))
    assert record.rows.rejected["jsonl"] == {"not_json": 5}
    assert record.rows.rejected["drop_missing"] == {"missing": 8}
    lines = rejected.filter(pl.col("part") == "jsonl").select(pl.col("evidence").str.json_path_match("$.line"))
    assert lines.to_series().to_list() == ["1", "8", "15", "22", "29"]
    duplicate = rejected.filter(pl.col("part") == "exact_duplicates").row(0, named=True)
    evidence = json.loads(duplicate["evidence"])
    assert evidence["kept"] in set(dataset(done.folder)["row"]) | set(rejected["row"])
    for before, after in zip(record.steps, record.steps[1:], strict=False):
        assert before.rows_out == after.rows_in
        assert before.rows_in - before.rows_out == sum(before.rejected.values())
    assert record.steps[-1].rows_out == record.rows.kept == sum(record.dataset.splits.values())


def test_digest_does_not_depend_on_workers_or_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from seedbed.sources.jsonl import Jsonl

    write(tmp_path, texts(600), bad_lines=3)
    found = {}
    for place, (workers, batch, block) in enumerate([(1, 50_000, 1 << 22), (1, 7, 1 << 12), (2, 100, 1 << 11)]):
        monkeypatch.setattr(Jsonl, "block_bytes", block)
        monkeypatch.setenv("SEEDBED_STORE", str(tmp_path / f"store{place}"))
        done = go(tmp_path, f"out{place}", workers=workers, batch=batch)
        entries = ledger(done.folder).sort("row", "part", "action")
        found[place] = (done.run.dataset.digest, done.run.rows, entries.to_dicts())
    assert found[0] == found[1] == found[2]


def test_another_row_gives_another_digest(tmp_path: Path) -> None:
    rows = texts(200)
    write(tmp_path, rows)
    before = go(tmp_path).run.dataset.digest
    assert go(tmp_path, "again").run.dataset.digest == before
    rows[5]["text"] += " changed"
    write(tmp_path, rows)
    assert go(tmp_path, "other").run.dataset.digest != before


@pytest.mark.parametrize("steps", [[], None], ids=["no duplicates removed", "duplicates removed"])
def test_nothing_similar_straddles(tmp_path: Path, steps: list[Any] | None) -> None:
    rows = texts(300)
    for row in list(rows)[:60]:
        if row["text"]:
            rows.append({**row, "text": row["text"] + " indeed"})
    write(tmp_path, [row for row in rows if row["text"]])
    done = go(tmp_path, **({} if steps is None else {"steps": steps}))
    certificate = json.loads((done.folder / "certificate.json").read_text())
    assert certificate["passed"] and certificate["verified"]["pairs_found"] == 0
    kept = {
        name: [frozenset(t[i : i + 5] for i in range(max(1, len(t) - 4))) for t in part["text"].str.to_lowercase()]
        for name in ("train", "validation", "test")
        for part in [pl.read_parquet(next((done.folder / "dataset/data").glob(f"{name}-*")))]
    }
    for held in ("validation", "test"):
        for one in kept[held]:
            for other in (text for name, found in kept.items() if name != held for text in found):
                assert len(one & other) / len(one | other) < 0.7


def test_groups_stay_together(tmp_path: Path) -> None:
    write(tmp_path, [row for row in texts(400) if row["text"]])
    done = go(tmp_path, split={"use": "stratified", "group": "who"})
    splits = [set(pl.read_parquet(p)["who"]) for p in (done.folder / "dataset/data").glob("*.parquet")]
    assert len(splits) == 3
    assert sum(len(people) for people in splits) == len(set.union(*splits))


def test_a_failed_check_stops_and_leaves_the_folder(tmp_path: Path) -> None:
    write(tmp_path, texts(100))
    done = go(tmp_path, checks=[{"use": "row_count", "at_least": 5000, "on_fail": "stop"}])
    assert done.run.state == "failed"
    assert done.run.stopped_by == ("row_count",)
    assert (done.folder / "report.html").exists() and not done.run.models


def test_a_failed_gate_stops_publishing_and_a_waiver_needs_a_reason(tmp_path: Path) -> None:
    write(tmp_path, texts(200))
    (tmp_path / "card.yaml").write_text(
        "license: MIT\nlanguages: en\ncollected: made\nintended_uses: tests\nsensitive: nothing\ncontact: us\n"
    )
    publish = [{"use": "folder", "path": "published"}]
    gate = {"metric": "accuracy", "at_least": 0.99}
    done = go(tmp_path, gates=[gate], publish=publish)
    assert done.run.state == "failed" and not (tmp_path / "published").exists()
    waived = go(tmp_path, "waived", gates=[{**gate, "waive": "only a demonstration"}], publish=publish)
    assert waived.run.state == "passed" and (tmp_path / "published" / "run.json").exists()
    assert "only a demonstration" in (tmp_path / "published" / "dataset" / "README.md").read_text()


def test_a_blank_card_stops_publishing_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path, texts(200))
    plain = go(tmp_path)
    assert plain.run.state == "passed" and plain.run.blanks
    asked = go(tmp_path, "asked", publish=[{"use": "folder", "path": "published"}])
    assert asked.run.state == "failed" and any("contact" in stop for stop in asked.run.stopped_by)
    assert not (tmp_path / "published").exists()


def test_the_recipe_that_ran_can_be_run_again(tmp_path: Path) -> None:
    write(tmp_path, texts(200))
    first = go(tmp_path)
    (tmp_path / "again.yaml").write_text((first.folder / "recipe.yaml").read_text())
    again = run(load(tmp_path / "again.yaml"), out=tmp_path / "again", workers=1)
    assert again.run.dataset.digest == first.run.dataset.digest


def test_a_run_without_out_goes_beside_the_recipe(tmp_path: Path) -> None:
    write(tmp_path, texts(150))
    done = run(parse(recipe(), tmp_path), workers=1)
    assert done.folder.parent == tmp_path / "runs" / "small"
    assert (tmp_path / "runs/small/latest/run.json").exists()


def test_a_folder_that_is_no_run_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path, texts(50))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious.txt").write_text("mine")
    with pytest.raises(Exception, match="no run of Seedbed"):
        go(tmp_path)
    assert (tmp_path / "out" / "precious.txt").read_text() == "mine"


row = st.fixed_dictionaries(
    {
        "text": st.one_of(
            st.none(), st.text(max_size=25), st.sampled_from(["one and the same text", "One and the same text"])
        ),
        "label": st.sampled_from(["a", "b", None, ""]),
    }
)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(row, max_size=60), junk=st.lists(st.binary(max_size=20), max_size=5))
def test_no_step_loses_or_invents_rows(rows: list[dict[str, Any]], junk: list[bytes], tmp_path_factory: Any) -> None:
    folder = tmp_path_factory.mktemp("books")
    lines = [json.dumps(r).encode() for r in rows] + [line.replace(b"\n", b" ").replace(b"\r", b" ") for line in junk]
    (folder / "rows.jsonl").write_bytes(b"\n".join(lines))
    try:
        done = go(folder)
    except DataError:
        return  # said clearly: nothing left, one class, too few rows
    seen = sum(1 for line in lines if line.strip())
    books = done.run.rows
    assert books.read == seen == books.kept + books.rejected_rows
    assert ledger(done.folder).filter(pl.col("action") == "rejected").height == books.rejected_rows


def test_a_script_without_a_guard_can_use_workers(tmp_path: Path) -> None:
    """Workers must not run the user's script again."""
    (tmp_path / "parts").mkdir()
    for part in range(6):
        (tmp_path / "parts" / f"{part}.jsonl").write_text("\n".join(json.dumps(r) for r in texts(60, part)) + "\n")
    mapping = recipe(sources=[{"use": "jsonl", "path": "parts", "name": "small"}])
    (tmp_path / "script.py").write_text(
        f"import seedbed\nprint('hello')\nprint(seedbed.run({mapping!r}, out='out', workers=2).run.state)\n"
    )
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=200)
    assert (done.returncode, done.stdout) == (0, "hello\npassed\n"), done.stderr


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"split": {"use": "group", "group": "whom"}}, "split.group"),
        ({"split": {"use": "stratified", "keep_together": {"column": "txt"}}}, "split.keep_together.column"),
        ({"checks": [{"use": "class_share", "column": "lable", "at_least": 0.1}]}, "checks.0.column"),
    ],
)
def test_columns_of_later_parts_are_checked_before_rows_are_read(
    tmp_path: Path, change: dict[str, Any], place: str
) -> None:
    write(tmp_path, texts(60))
    with pytest.raises(RecipeError, match="did you mean") as error:
        go(tmp_path, **change)
    assert place in error.value.at
    assert not (tmp_path / ".seedbed" / "passes").exists()


def test_golden_examples_are_raw_and_reproduce(tmp_path: Path) -> None:
    rows = [row for row in texts(200) if row["text"]]
    write(tmp_path, [{**row, "text": f"  {row['text']}   &amp; more "} for row in rows])
    steps = [{"use": "fix_text"}, {"use": "normalize"}, {"use": "near_duplicates"}]
    done = go(tmp_path, steps=steps, train=[{"use": "tfidf_logistic"}])
    predictor = seedbed.load_model(done.folder)
    before = predictor.bundle.preprocess
    assert [step.name for step in before.steps] == ["fix_text", "normalize"]
    assert [one.name for one in before.inputs] == ["text"]
    assert len(before.golden) == 8
    assert all(golden.input["text"].endswith("&amp; more ") for golden in before.golden)
    found = predictor.predict([golden.input for golden in before.golden])
    assert found["read"].to_list() == [golden.text for golden in before.golden]
    assert found["probabilities"].to_list() == [pytest.approx(golden.predicted) for golden in before.golden]


def test_what_a_bundle_shows_and_who_may_read_it(tmp_path: Path) -> None:
    rows = [row for row in texts(200) if row["text"]]
    asked = [f"{row['text']} call +49 171 73{n:05}" if n % 3 else row["text"] for n, row in enumerate(rows)]
    write(tmp_path, [{**row, "text": text} for row, text in zip(rows, asked, strict=True)])
    done = go(tmp_path, train=[{"use": "tfidf_logistic"}])
    golden = seedbed.load_model(done.folder).bundle.preprocess.golden
    assert golden
    assert not any("+49" in one.input["text"] for one in golden)
    modes = {path.stat().st_mode for path in (done.folder / "models" / "tfidf_logistic").iterdir()}
    assert modes == {(done.folder / "run.json").stat().st_mode}


def test_a_column_called_split_is_kept(tmp_path: Path) -> None:
    write(tmp_path, [{**row, "_split": "mine", "split": "too"} for row in texts(120) if row["text"]])
    done = go(tmp_path, checks=[{"use": "no_leakage"}])
    assert set(dataset(done.folder)["_split"]) == {"mine"}


def test_a_part_that_fails_is_named(tmp_path: Path) -> None:
    class Breaks(Map):
        """Fails on some rows."""

        use: Literal["breaks"] = "breaks"

        def columns(self) -> list[pl.Expr]:
            return [pl.col("text").map_elements(self.fail, return_dtype=pl.String)]

        @staticmethod
        def fail(text: str) -> str:
            raise ZeroDivisionError("on purpose")

    write(tmp_path, texts(40))
    try:
        with pytest.raises(DataError, match=r"rows small:rows\.jsonl#1 to small:rows\.jsonl#") as error:
            loaded = parse(recipe(steps=[]), tmp_path)
            steps = (Breaks(),)
            run(
                replace(loaded, recipe=loaded.recipe.model_copy(update={"steps": steps})),
                out=tmp_path / "out",
                workers=1,
            )
        assert error.value.at == "breaks"
    finally:
        Step.catalogue.pop("breaks")


def test_the_leakage_claim_can_be_left_out(tmp_path: Path) -> None:
    write(tmp_path, texts(150))
    done = go(tmp_path, evaluate={"leakage": False, "intervals": {"resamples": 200}})
    assert done.run.leakage is None


def test_similar_rows_above_the_exact_limit_do_not_come_from_another_recipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The keys of the banded way are in the store; another threshold must not find them."""
    monkeypatch.setattr("seedbed.flow.splitting.split.EXACT_UP_TO", 10)
    write(tmp_path, [row for row in texts(200) if row["text"]])
    for threshold in (0.97, 0.5):
        done = go(
            tmp_path, f"out{threshold}", steps=[], split={"use": "stratified", "keep_together": {"at_least": threshold}}
        )
        assert done.run.certificate is not None and done.run.certificate.passed
        assert done.run.certificate.rounds == 1


def test_an_edited_gate_trains_nothing_again(tmp_path: Path) -> None:
    write(tmp_path, texts(150))
    go(tmp_path)
    kept = {seal: seal.stat().st_mtime_ns for seal in (tmp_path / ".seedbed").glob("*/*/done.json")}
    assert {seal.parent.parent.name for seal in kept} == {
        "passes",
        "units",
        "keys",
        "verdicts",
        "splits",
        "models",
        "profiles",
    }
    go(tmp_path, "again", gates=[{"metric": "accuracy", "at_least": 0.1}])
    assert {seal: seal.stat().st_mtime_ns for seal in (tmp_path / ".seedbed").glob("*/*/done.json")} == kept


def test_equal_texts_stay_together_whatever_column_says_what_is_similar(tmp_path: Path) -> None:
    rows = [row for row in texts(120) if row["text"]]
    for number, row in enumerate(rows):
        row["text"], row["title"] = rows[number % 40]["text"], f"{number * 7919} title of its own {number}"
    write(tmp_path, rows)
    done = go(tmp_path, steps=[], split={"use": "stratified", "keep_together": {"column": "title"}})
    found = [set(pl.read_parquet(path)["text"]) for path in (done.folder / "dataset/data").glob("*.parquet")]
    assert sum(map(len, found)) == len(set.union(*found))


def test_what_looks_odd_is_pointed_out(tmp_path: Path) -> None:
    rows = [row for row in texts(200) if row["text"]]
    for row in rows[::9]:
        row["label"] = row["label"].upper()
    write(tmp_path, rows)
    told = " ".join(go(tmp_path).run.notices)
    assert "'FOOD', 'food'" in told and "test rows" in told


def test_a_label_column_that_is_an_id_is_refused(tmp_path: Path) -> None:
    write(tmp_path, [{"text": f"{number * 7919} words {number}", "label": f"id{number}"} for number in range(1200)])
    with pytest.raises(DataError, match="1,200 different labels"):
        go(tmp_path)


def test_columns_that_are_no_text_or_number_go_through(tmp_path: Path) -> None:
    rows = [row for row in texts(150) if row["text"]]
    table = pl.DataFrame(rows).with_columns(
        binary=pl.lit(b"\xff\x00"),
        span=pl.lit(None, pl.Duration),
        none=pl.lit(float("nan")),
        many=pl.concat_list(pl.lit(1), pl.lit(2)),
    )
    table.write_parquet(tmp_path / "rows.parquet")
    done = go(tmp_path, sources=[{"use": "parquet", "path": "rows.parquet"}])
    assert dataset(done.folder)["binary"].to_list()[0] == b"\xff\x00"


def test_a_wrong_encoding_is_the_datas_fault(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("text,label\nwords,a\n")
    for encoding in ("utf-16", "idna", "no-such-code"):
        with pytest.raises(SeedbedError) as error:
            go(tmp_path, sources=[{"use": "csv", "path": "rows.csv", "encoding": encoding}])
        assert error.value.exit_code in (2, 3)


def test_the_ledger_has_a_file_a_pass_however_many_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seedbed.sources.jsonl.Jsonl.block_bytes", 2_000)
    write(tmp_path, texts(150))
    done = go(tmp_path)
    files = sorted(path.name for path in (done.folder / "ledger").iterdir())
    assert files == [f"pass-{place}.parquet" for place in range(4)]
