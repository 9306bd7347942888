"""`seedbed profile`: of files of every kind, of runs and datasets; what a run writes, and what is refused."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import seedbed
from seedbed.cli import main
from seedbed.core.errors import DataError, RecipeError
from seedbed.core.profile import DatasetProfile
from seedbed.core.source import Block
from seedbed.flow.profiling.files import Asked
from seedbed.flow.profiling.jobs import together
from seedbed.flow.profiling.profile import profile
from seedbed.sources import Csv

WORDS = ("train", "plane", "ship", "car", "road", "sea", "sky", "seat", "ticket", "crew")


def rows(n: int = 240) -> pl.DataFrame:
    """Texts with labels, a number and a category."""
    texts = [" ".join(WORDS[(i * k + k) % 10] for k in range(1, 9)) + f" number {i}" for i in range(n)]
    return pl.DataFrame({
        "text": texts,
        "label": ["good" if i % 3 else "bad" for i in range(n)],
        "price": [float(i % 17) for i in range(n)],
        "shop": [f"shop {i % 4}" for i in range(n)],
    })  # fmt: skip


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("profiled") / "rows.csv"
    rows().write_csv(path)
    return path


@pytest.fixture(scope="module")
def run(file: Path) -> Path:
    """The folder of a run."""
    recipe = {
        "seedbed": 1,
        "name": "profiled",
        "task": {"kind": "text_classification", "text": "text", "label": "label"},
        "sources": [{"use": "csv", "path": str(file)}],
        "train": [{"use": "majority"}],
        "evaluate": {"leakage": False},
    }
    place = file.parent / "recipe.yaml"
    place.write_text(json.dumps(recipe), "utf-8")
    return seedbed.run(place, out=file.parent / "run", workers=1).folder


def plain(found: DatasetProfile) -> dict[str, object]:
    """What does not depend on how a table is stored."""
    whole = found.whole
    return {
        one.name: (one.kind, one.rows, one.missing, one.distinct, one.values.top, one.numbers and one.numbers.spread)
        for one in whole.columns
    }


def test_files_of_other_kinds_and_workers_give_the_same(file: Path, tmp_path: Path) -> None:
    found = profile(str(file), Asked(workers=1))
    assert found.whole.rows == 240 and found.whole.text == "text" and found.whole.label is not None
    assert found.whole.label.column == "label"
    table = pl.read_csv(file, infer_schema_length=0)
    table.write_parquet(tmp_path / "rows.parquet")
    table.write_ndjson(tmp_path / "rows.jsonl")
    for name in ("rows.parquet", "rows.jsonl"):
        assert plain(profile(str(tmp_path / name), Asked(workers=1))) == plain(found), name


@pytest.mark.slow
def test_many_blocks_by_several_workers_give_what_one_gives(tmp_path: Path) -> None:
    pl.concat([rows(5_000).with_columns(pl.col("text") + f" {i} " + "word " * 40) for i in range(12)]).write_csv(
        tmp_path / "big.csv"
    )
    one = profile(str(tmp_path / "big.csv"), Asked(workers=1))
    two = profile(str(tmp_path / "big.csv"), Asked(workers=2))
    assert one == two and one.whole.rows == 60_000


def test_malformed_lines_are_counted(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n{"a": 2\n{"a": 3}\n', "utf-8")
    found = profile(str(tmp_path / "a.jsonl"), Asked()).whole
    assert found.rows == 2 and sum(found.malformed.values()) == 1
    assert found.remarks[0].kind == "malformed" and found.remarks[0].rows == 1


def test_columns_that_are_named_are_looked_at_and_no_other(file: Path) -> None:
    found = profile(str(file), Asked(columns=("price",))).whole
    assert [one.name for one in found.columns] == ["price"] and found.text is None and found.label is None
    with pytest.raises(RecipeError, match=r"no column 'prise'\s.*did you mean 'price'"):
        profile(str(file), Asked(columns=("prise",)))


def test_a_sample_says_that_it_is_one(file: Path) -> None:
    found = profile(str(file), Asked(sample=50)).whole
    assert found.rows == 50 and any("a sample of 50 of about 240 rows" in note for note in found.notes)


def test_a_run_writes_the_profile_of_its_dataset_by_split(run: Path) -> None:
    written = DatasetProfile.model_validate_json((run / "profile.json").read_bytes())
    record = json.loads((run / "run.json").read_text("utf-8"))
    assert written.digest == record["dataset"]["digest"]
    assert {name: one.rows for name, one in written.splits.items()} == record["dataset"]["splits"]
    assert written.whole.rows == sum(record["dataset"]["splits"].values())
    told = {one["name"]: (one["kind"], one["told"]) for one in record["dataset"]["columns"]}
    assert told["price"] == ("number", "0 to 16, median 8") and told["shop"][0] == "category"
    read = profile(str(run), Asked())
    assert read.model_copy(update={"named": ""}) == written
    again = profile(str(run / "dataset"), Asked(text="text", label="label"))
    assert plain(again) == plain(written) and list(again.splits) == ["train", "validation", "test"]
    assert "0 to 16, median 8" in (run / "dataset" / "README.md").read_text("utf-8")
    assert "0 to 16, median 8" in (run / "report.html").read_text("utf-8")


def test_a_second_run_finds_the_profile_in_the_store(run: Path, file: Path) -> None:
    kept = list((file.parent / ".seedbed" / "profiles").glob("*/profile.json"))
    assert len(kept) == 1
    before = kept[0].stat().st_mtime_ns
    again = seedbed.run(file.parent / "recipe.yaml", out=file.parent / "again", workers=1).folder
    assert (again / "profile.json").read_bytes() == (run / "profile.json").read_bytes()
    assert kept[0].stat().st_mtime_ns == before


def test_a_damaged_profile_is_measured_again(run: Path, tmp_path: Path) -> None:
    written = (run / "profile.json").read_bytes()
    try:
        (run / "profile.json").write_bytes(written[:100])
        assert profile(str(run), Asked()).whole.rows == 240
    finally:
        (run / "profile.json").write_bytes(written)


Told = subprocess.CompletedProcess[str]


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    """Types a command in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str) -> Told:
        with pytest.raises(SystemExit) as ended:
            main(["profile", *arguments])
        return Told(arguments, int(ended.value.code or 0), *capfd.readouterr())

    return command


def test_the_command_tells_findings_first_and_writes_the_page(
    file: Path, tmp_path: Path, typed: Callable[..., Told]
) -> None:
    told = typed(str(file), "--html", "p.html")
    assert told.returncode == 0, told.stderr
    flat = " ".join(told.stdout.split())  # where a line breaks depends on the length of the file's path
    assert flat.index("240 rows, 4 columns") < flat.index("column kind")
    assert max(map(len, told.stdout.splitlines())) <= 120
    assert (tmp_path / "p.html").read_text("utf-8").startswith("<!doctype html>")
    facts = json.loads(typed(str(file), "--json").stdout)
    assert DatasetProfile.model_validate(facts).whole.rows == 240


def test_the_command_profiles_a_split_of_a_run(run: Path, tmp_path: Path, typed: Callable[..., Told]) -> None:
    told = typed(str(run), "--split", "test")
    assert told.returncode == 0 and "run, test: 24 rows" in told.stdout
    wrong = typed(str(run), "--split", "tests")
    assert wrong.returncode == 2 and "did you mean 'test'" in wrong.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nothing.csv"], 3, "nothing.csv"),
        (["no-such-run"], 3, "no-such-run"),
        ([".", "--label", "x"], 3, ""),
        (["{file}", "--label", "lable"], 2, "did you mean 'label'"),
        (["{file}", "--html", "p.txt"], 2, "p.txt"),
        (["{file}", "--tokenizer", "nowhere"], 2, "tokenizer.json"),
        (["{file}", "--sample", "0"], 2, "--sample"),
    ],
)
def test_a_wrong_command_line_gets_a_clear_error(
    arguments: list[str], code: int, words: str, file: Path, typed: Callable[..., Told]
) -> None:
    told = typed(*(one.format(file=file) for one in arguments))
    assert told.returncode == code, told.stderr
    assert words in told.stderr and "Traceback" not in told.stderr and len(told.stderr.strip().splitlines()) <= 6


def test_a_tokenizer_counts_its_own_tokens(file: Path, tiny: Path) -> None:
    from tokenizers import Tokenizer

    found = profile(str(file), Asked(tokenizer=str(tiny))).whole.column("text").text
    tokenizer = Tokenizer.from_file(str(next(tiny.rglob("tokenizer.json"))))
    tokenizer.no_truncation()  # which stands in the file: texts are longer
    counted = [len(tokenizer.encode(text, add_special_tokens=False).ids) for text in rows()["text"]]
    assert found is not None and found.total_tokens == sum(counted) and str(tiny) in found.tokenizer


def test_a_dataset_that_is_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}", "utf-8")
    with pytest.raises(DataError):
        profile(str(tmp_path), Asked())


def test_blocks_of_a_wide_table_are_measured_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [len(some) for some in together(iter([Block(0, 1, 1, 1)] * 10), 5_000)] == [8, 2]
    assert [len(some) for some in together(iter([Block(0, 1, 1, 1)] * 3), 20)] == [1, 1, 1]
    wide = pl.DataFrame({f"c{i}": [(i + k * k) % 11 for k in range(90)] for i in range(250)})
    wide.write_csv(tmp_path / "wide.csv")
    monkeypatch.setattr(Csv, "block_bytes", 8_000)
    several = profile(str(tmp_path / "wide.csv"), Asked(workers=1))
    monkeypatch.setattr("seedbed.flow.profiling.jobs._MOST_BLOCKS", 1)
    assert profile(str(tmp_path / "wide.csv"), Asked(workers=1)) == several
    assert several.whole.rows == 90
    assert several.whole.column("c3").numbers.spread.mean == pytest.approx(wide["c3"].mean())  # type: ignore[union-attr]
