"""`seedbed runs`, `store` and `diff` as a person types them."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import polars as pl
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "store"))
from stored import artefact, entry, key

from seedbed.cli import main
from seedbed.store.objects import Objects
from seedbed.store.runs import Best

HOSTILE = "\x1b]0;owned\x07<script>\u202eevil"


class Typed:
    """Types commands and reads what they print."""

    def __init__(self, capfd: pytest.CaptureFixture[str]) -> None:
        self.capfd = capfd

    def __call__(self, *words: object, code: int = 0) -> str:
        with pytest.raises(SystemExit) as caught:
            main([str(word) for word in words])
        out, err = self.capfd.readouterr()
        assert (caught.value.code or 0) == code, (out, err)
        assert "Traceback" not in err and not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", out + err)
        return out if code in (0, 1) else err


@pytest.fixture
def seedbed(capfd: pytest.CaptureFixture[str]) -> Typed:
    return Typed(capfd)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with two runs, one of which read what the other made."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEEDBED_STORE", raising=False)
    root = tmp_path / ".seedbed"
    folder = dataset(tmp_path / "made", rows(30))
    files = Objects(root).keep_folder(folder)
    raw = {"source": "raw", "file": f"{HOSTILE}.csv", "sha256": "a" * 64, "bytes": 1234}
    made = {"source": "made", "file": "train.parquet", "sha256": files[0].sha256, "bytes": files[0].bytes}
    score = {"value": 0.9, "low": 0.8, "high": 0.95, "n": 30}
    best = Best.model_validate({"model": "ridge", "metric": "macro_f1", "split": "test", "score": score})
    from seedbed.flow.versions.fetching import dataset_digest

    used = artefact(root, "verdicts", key("1"))
    entry(root, "alpha-01", dataset=dataset_digest(folder), files=files, inputs=(raw,), best=best, used=(used,))
    entry(root, "omega-02", name="second", dataset="e" * 64, inputs=(made,), state="failed", gone=True)
    return root


def rows(count: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "row": [f"s:f#{n}" for n in range(count)],
            "text": [f"text {n}" for n in range(count)],
            "label": ["a", "b"] * (count // 2),
        }
    )


def dataset(folder: Path, table: pl.DataFrame) -> Path:
    (folder / "data").mkdir(parents=True)
    table.write_parquet(folder / "data" / "train-00000-of-00001.parquet")
    return folder


def test_runs_are_listed_tagged_and_found(seedbed: Typed, store: Path) -> None:
    listed = seedbed("runs")
    assert listed.index("omega-02") < listed.index("alpha-01")
    assert "best: ridge, macro-F1 on test 0.900 (0.800 to 0.950)" in listed and "(gone)" in listed
    assert seedbed("runs", "tag", "alpha", "v1") == "v1: run alpha-01 of small\n"
    assert "[v1]" in seedbed("runs", "list", ".") == seedbed("runs", ".")
    told = json.loads(seedbed("runs", "--json"))
    assert [(one["id"], one["standing"], one["tags"]) for one in told] == [
        ("omega-02", "gone", []),
        ("alpha-01", "here", ["v1"]),
    ]
    assert "that of run alpha-01" in seedbed("runs", "tag", "second@latest", "v1", code=2)
    seedbed("runs", "tag", "second@latest", "v1", "--force")
    assert "omega-02" in seedbed("runs", "untag", "v1")
    assert "no such run" in seedbed("runs", "tag", "nobody", "v1", code=2)
    assert "no such folder, and no such command" in seedbed("runs", "tagg", code=2)
    assert "is gone" in seedbed("show", "omega", code=3)


@pytest.mark.parametrize("command", ["runs", "store size", "runs lineage", "runs lineage omega"])
def test_a_damaged_entry_is_left_out_with_a_warning(
    capfd: pytest.CaptureFixture[str], store: Path, command: str
) -> None:
    (store / "runs" / "alpha-01.json").write_text("{")
    for more in ([], ["--json"]):
        out, err = typed(capfd, *command.split(), *more)
        assert "omega-02" in out or "1 run" in out or '"runs": 1' in out
        assert (
            err.count("\n") == 1 and err.startswith("warning: ") and "alpha-01.json" in err and "remove the file" in err
        )
        assert more == [] or json.loads(out)


def typed(capfd: pytest.CaptureFixture[str], *words: object, code: int = 0) -> tuple[str, str]:
    """What a command prints, and what it complains of."""
    with pytest.raises(SystemExit) as caught:
        main([str(word) for word in words])
    out, err = capfd.readouterr()
    assert (caught.value.code or 0) == code, (out, err)
    return out, err


def test_a_damaged_entry_of_another_run_is_no_obstacle(capfd: pytest.CaptureFixture[str], store: Path) -> None:
    (store / "runs" / "a-broken-00.json").write_text("{")
    warning = re.compile(r"warning: .*a-broken-00\.json.*remove the file.*\n")
    out, err = typed(capfd, "runs", "tag", "alpha", "v1")
    assert out == "v1: run alpha-01 of small\n" and warning.fullmatch(err)
    for named in ("v1", "small@latest", "alpha-01"):
        out, err = typed(capfd, "store", "get", named, "--out", f"back-{named[:2]}")
        assert "verified" in out and warning.fullmatch(err)
    assert "no longer" in typed(capfd, "runs", "untag", "v1")[0]
    # Where it may be what was asked for, it is named, with the way out.
    for words in (("diff", "a-broken", "alpha"), ("show", "elsewhere")):
        assert "a-broken-00.json" in typed(capfd, *words, code=3)[1]
    assert "a-broken-00.json" in typed(capfd, "runs", "tag", "nobody", "v2", code=2)[1]


def test_nobody_knows_the_latest_run_where_a_later_entry_is_damaged(
    capfd: pytest.CaptureFixture[str], store: Path
) -> None:
    (store / "runs" / "zeta-03.json").write_text("{")
    assert "zeta-03.json" in typed(capfd, "runs", "tag", "small@latest", "v1", code=3)[1]
    assert "v1: run alpha-01" in typed(capfd, "runs", "tag", "alpha", "v1")[0]


def test_many_damaged_entries_are_counted(capfd: pytest.CaptureFixture[str], store: Path) -> None:
    for place in range(9):
        (store / "runs" / f"broken-{place}.json").write_text("{")
    with pytest.raises(SystemExit):
        main(["runs"])
    assert capfd.readouterr().err.splitlines()[3:] == [
        f"warning: {store / 'runs' / 'broken-3.json'}: this entry of the index of runs cannot be read: "
        "it is not what a run wrote; remove the file: the run's folder stays, but the index forgets it",
        "… and 5 more",
    ]


def test_nothing_is_brought_into_the_store(seedbed: Typed, store: Path) -> None:
    for out in (store, store / "datasets" / "mine", store.parent / "x" / ".." / ".seedbed" / "y"):
        assert "inside the store" in seedbed("store", "get", "alpha-01", "--out", out, code=2)
    assert not (store / "datasets").exists() and not (store / "y").exists()


def test_a_quick_look_is_marked(seedbed: Typed, store: Path) -> None:
    entry(store, "quick-03", limit=1000, gone=True)
    assert "passed, limit 1000" in seedbed("runs") and seedbed("runs").count("limit 1000") == 1
    assert "(quick-03, passed, limit 1000, gone)" in seedbed("runs", "lineage")


def test_a_run_that_is_gone_comes_back_from_where_it_is_kept(seedbed: Typed, store: Path) -> None:
    def hint(id: str, **more: object) -> str:
        entry(store, id, gone=True, **more)
        return seedbed("show", id, code=3)

    assert "seedbed store get here-03 --out DIR" in hint("here-03", dataset="a" * 64)
    gone = hint("lost-04", dataset="b" * 64, collected="2026-02-03T00:00:00")
    assert "store get" not in gone and "`seedbed store gc` on 2026-02-03: run the recipe again" in gone
    assert "seedbed store get aaaaaaaaaaaa --out DIR" in hint("twin-05", dataset="a" * 64, collected="2026-02-03")
    assert "made no dataset" in hint("none-06", dataset="")


def test_a_mistyped_run_is_guessed(seedbed: Typed, store: Path) -> None:
    seedbed("runs", "tag", "alpha", "week1")
    for words in (("diff", "wek1", "omega"), ("show", "wek1"), ("show", "wek1/models/ridge")):
        assert "did you mean 'week1'?" in seedbed(*words, code=3)
    assert "did you mean 'second@latest'?" in seedbed("show", "secnd@latest", code=3)
    assert "did you mean 'second@latest'?" in seedbed("show", "secnd", code=3)
    assert "did you mean" not in seedbed("show", "elsewhere/week1", code=3)


def test_no_runs_yet(seedbed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "no runs in" in seedbed("runs") and "no runs in" in seedbed("runs", "lineage")
    assert json.loads(seedbed("runs", "--json")) == []
    assert not (tmp_path / ".seedbed").exists()


def test_lineage_in_four_ways(seedbed: Typed, store: Path, tmp_path: Path) -> None:
    drawn = seedbed("runs", "lineage")
    assert re.search(
        r"\.csv.*\n└─ run small .*\n   └─ dataset .*\n      └─ run second \(omega-02, failed, gone\)", drawn
    )
    told = json.loads(seedbed("runs", "lineage", "omega", "--json"))
    assert [node["kind"] for node in told["nodes"]] == ["source", "run", "dataset", "run", "dataset"]
    dot = seedbed("runs", "lineage", "--dot")
    assert dot.startswith("digraph lineage {") and dot.count(" -> ") == 4 and dot.rstrip().endswith("}")
    seedbed("runs", "lineage", "--out", "lineage.html")
    page = (tmp_path / "lineage.html").read_text("utf-8")
    assert "<svg" in page and "<script>" not in page and "&lt;script&gt;" in page and "\x1b" not in page
    assert "no name for a page" in seedbed("runs", "lineage", "--out", ".", code=2)


def test_a_dataset_comes_back(seedbed: Typed, store: Path, tmp_path: Path) -> None:
    told = json.loads(seedbed("store", "get", "alpha", "--out", "back", "--json"))
    assert told["kind"] == "dataset" and told["files"] == 1
    assert pl.read_parquet(tmp_path / "back" / "data").equals(rows(30))
    assert "something already" in seedbed("store", "get", "alpha", "--out", "back", code=2)
    assert "no such run" in seedbed("store", "get", "beta", "--out", "none", code=2)
    assert "no such model" in seedbed("store", "get", "alpha", "--model", "ridge", "--out", "none", code=2)


def test_the_store_is_measured_and_collected(seedbed: Typed, store: Path) -> None:
    assert re.search(r"verdicts +1\d\d B +1  what whole-table steps decided", seedbed("store", "size"))
    assert {part["kind"] for part in json.loads(seedbed("store", "size", "--json"))["parts"]} == {
        "datasets", "runs", "verdicts",
    }  # fmt: skip
    dry = seedbed("store", "gc", "--dry-run", "--all", "--keep-last", "0")
    assert "would free" in dry and "would let go of run alpha-01" in dry
    assert (store / "verdicts" / key("1")).exists()
    done = json.loads(seedbed("store", "gc", "--all", "--keep-last", "0", "--json"))
    assert done["let_go"] == ["omega-02", "alpha-01"] and not list((store / "verdicts").iterdir())
    assert "gc" in seedbed("store", "get", "alpha", "--out", "back", code=3)


def test_a_difference_is_told_printed_and_drawn(seedbed: Typed, tmp_path: Path) -> None:
    table = rows(40)
    dataset(tmp_path / "a", table)
    edited = table.with_columns(text=pl.when(pl.col("row") == "s:f#3").then(pl.lit(HOSTILE)).otherwise("text"))
    dataset(tmp_path / "b", edited.head(38))
    a, b, page = tmp_path / "a", tmp_path / "b", tmp_path / "d.html"
    told = seedbed("diff", a, b, "--by", "row", "--out", page)
    assert "differs in rows" in told and "37 the same, 0 added, 2 removed, 1 changed, 0 moved" in told
    assert max(map(len, told.partition("differs")[2].splitlines()[:-1])) <= 80
    drawn = page.read_text("utf-8")
    assert "<script>" not in drawn and "&lt;script&gt;" in drawn and not re.search("[\x00-\x08\x1b\u202e]", drawn)
    facts = json.loads(seedbed("diff", a, b, "--by", "row", "--json", "--exit-code", code=1))
    assert facts["rows"]["changed"] == 1 and facts["differs"] == ["rows"]
    assert "nothing differs" in seedbed("diff", a, a, "--exit-code")
    assert "no such folder" in seedbed("diff", a, tmp_path / "none", code=3)
    assert "no column of both" in seedbed("diff", a, b, "--by", "x", code=2)
    assert "no name for a page" in seedbed("diff", a, b, "--out", tmp_path / "page.txt", code=2)


@pytest.mark.parametrize(
    "command", [["runs"], ["runs", "tag"], ["runs", "lineage"], ["store"], ["store", "gc"], ["store", "get"], ["diff"]]
)
def test_help_has_an_example(seedbed: Typed, command: list[str]) -> None:
    assert "Example" in seedbed(*command, "--help")
