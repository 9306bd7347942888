"""New versions take over while a model is served, and no request is lost; several processes at one socket."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from listening import Site, listening
from served_model import serving

import seedbed
from learned_sample import learned
from seedbed.core.errors import ModelError
from seedbed.flow.serving import Named
from seedbed.serve import reloading
from seedbed.serve.api import make_app
from seedbed.serve.reloading import Watcher, refuse_others
from seedbed.serve.server import ended_by_signals, open_fit
from seedbed.serve.service import Service
from seedbed.train import bundle

GREAT = {"text": "what a great and brilliant film about life"}


def point(link: Path, to: Path) -> None:
    """Let a link mean another folder, in one move."""
    fresh = link.with_name("fresh")
    fresh.symlink_to(to)
    os.replace(fresh, link)


def until(true: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture
def link(folder: Path, tmp_path: Path) -> Path:
    point(tmp_path / "now", folder / "models/majority")
    return tmp_path / "now"


class Watched:
    """A model that is served by the name of a link, and what was complained of."""

    def __init__(self, link: Path) -> None:
        self.complaints: list[str] = []
        source = Named(link)
        self.service = Service(open_fit(source, "127.0.0.1")[0], complain=self.complaints.append)
        self.watcher = Watcher(self.service, source.standing, lambda: open_fit(source, "127.0.0.1")[0])
        self.app = make_app(self.service)


@pytest.fixture
def watched(link: Path) -> Iterator[Watched]:
    yield Watched(link)


def test_nothing_happens_while_nothing_changes(watched: Watched) -> None:
    with listening(watched.app):
        before = watched.service.version
        assert not watched.watcher.look()
        assert watched.service.version is before


def test_no_request_is_lost_when_a_new_version_takes_over(watched: Watched, link: Path, folder: Path) -> None:
    names = {seedbed.load_model(folder / "models" / name).digest: name for name in ("majority", "tfidf_logistic")}
    told: list[tuple[int, Any]] = []
    over = threading.Event()

    def ask(site: Site) -> None:
        while not over.is_set():
            status, answer, _ = site.ask("/predict", GREAT)
            told.append((status, answer))

    with listening(watched.app) as site, ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask, site) for _ in range(4)]
        try:
            until(lambda: len(told) > 20)
            for name in ("tfidf_logistic", "majority", "tfidf_logistic"):
                point(link, folder / "models" / name)
                assert watched.watcher.look()
                seen = len(told)
                until(lambda seen=seen: len(told) > seen + 20)
        finally:
            over.set()
        for one in asking:
            one.result()
        assert site.counted("seedbed_reloads_total") == 3
    assert {status for status, _ in told} == {200}
    assert {answer["model"] for _, answer in told} == {"majority", "tfidf_logistic"}
    shares = {(answer["model"], answer["predictions"][0]["confidence"]) for _, answer in told}
    assert len(shares) == 2  # each version gives its own answer, always
    assert all(names[answer["version"]] == answer["model"] for _, answer in told)
    assert told[-1][1]["model"] == "tfidf_logistic"
    assert len(watched.complaints) == 3 and all("was taken over: " in one for one in watched.complaints)


def test_a_version_that_is_damaged_does_not_take_over(watched: Watched, link: Path, tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/bundle.json").write_text("{}")
    with listening(watched.app) as site:
        point(link, tmp_path / "broken")
        assert not watched.watcher.look()
        assert not watched.watcher.look()  # and is told once
        link.unlink()
        assert not watched.watcher.look()
        assert site.ask("/predict", GREAT)[1]["model"] == "majority"
        assert site.counted('seedbed_failures_total{of="reload"}') == 1
    (complaint,) = watched.complaints
    assert complaint.startswith("the new version was not taken over, and the one before goes on: ")


def test_a_version_that_is_still_being_copied_takes_over_once_it_is_whole(
    watched: Watched, link: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reloading, "_PAUSES", (0.0,))
    new, half = folder / "models/tfidf_logistic", tmp_path / "half"
    shutil.copytree(new, half)
    late = next(file for file in half.rglob("*") if file.is_file() and file.name != "bundle.json")
    late.rename(tmp_path / "late")
    with listening(watched.app) as site:
        point(link, half)
        assert not watched.watcher.look() and not watched.watcher.look()
        assert len(watched.complaints) == 1
        (tmp_path / "late").rename(late)
        assert watched.watcher.look()
        assert site.ask("/predict", GREAT)[1]["version"] == seedbed.load_model(new).digest


def overwrite(place: Path, by: Path) -> None:
    """Write another model's files over those of a folder, one after the other and in two halves: as nobody should."""
    for file in sorted(path for path in by.rglob("*") if path.is_file()):
        held, there = file.read_bytes(), place / file.relative_to(by)
        with there.open("wb") as out:
            for half in (held[: len(held) // 2], held[len(held) // 2 :]):
                out.write(half)
                out.flush()
                time.sleep(0.02)


def test_files_that_are_overwritten_in_place_never_answer_wrong(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reloading, "_PAUSES", (0.0,))
    place, others = tmp_path / "served", [folder / "models" / name for name in ("majority", "tfidf_logistic")]
    shutil.copytree(others[0], place)
    watched, told, over = Watched(place), [], threading.Event()
    right = {(one.digest, one.answer(GREAT)) for one in map(Known, others)}

    def look() -> None:
        while not over.is_set():
            watched.watcher.look()

    def ask(site: Site) -> None:
        while not over.is_set():
            told.append(site.ask("/predict", GREAT)[:2])

    with listening(watched.app) as site, ThreadPoolExecutor(2) as pool:
        busy = [pool.submit(look), pool.submit(ask, site)]
        try:
            for other in (*reversed(others), others[1]):
                overwrite(place, other)
                until(lambda other=other: watched.service.version.predictor.digest == Known(other).digest)
                seen = len(told)
                until(lambda seen=seen: len(told) > seen + 3)
        finally:
            over.set()
        for one in busy:
            one.result()
    answered = {(said["version"], said["predictions"][0]["confidence"]) for status, said in told if status == 200}
    assert {status for status, _ in told} <= {200, 503} and answered == right
    assert any("not taken over, and the one before goes on" in one for one in watched.complaints)


class Known:
    """What a model answers that nobody touches."""

    def __init__(self, folder: Path) -> None:
        self.model = seedbed.load_model(folder)
        self.digest = self.model.digest

    def answer(self, asked: dict[str, str]) -> float:
        found: float = self.model.predict([asked["text"]])["confidence"][0]
        return found


def test_damage_in_place_is_told_and_what_was_read_goes_on(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "models/tfidf_logistic", tmp_path / "served")
    watched = Watched(tmp_path / "served")
    with listening(watched.app) as site:
        before = site.ask("/predict", GREAT)[1]["predictions"]
        weights = tmp_path / "served/weights.safetensors"
        weights.write_bytes(bytes(weights.stat().st_size))
        assert not watched.watcher.look()
        assert site.ask("/predict", GREAT)[1]["predictions"] == before
    (complaint,) = watched.complaints
    assert "the one before goes on" in complaint and "weights.safetensors" in complaint and "damaged" in complaint


def test_a_bundle_that_is_written_while_it_is_read_is_none(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(folder / "models/majority", tmp_path / "served")
    reading = bundle.load_bundle

    def meanwhile(place: Path, **more: Any) -> Any:
        found = reading(place, **more)
        overwrite(place, folder / "models/tfidf_logistic")
        return found

    monkeypatch.setattr(seedbed.serve.predictor, "load_bundle", meanwhile)
    with pytest.raises(ModelError, match="was written while it was read"):
        Named(tmp_path / "served").open()


def test_what_a_model_keeps_is_read_with_it(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "models/tfidf_logistic", tmp_path / "there")
    here = seedbed.load_model(folder / "models/tfidf_logistic")
    found = Named(tmp_path / "there").open().predictor
    shutil.rmtree(tmp_path / "there")
    assert (found.digest, found.kept, found.card) == (here.digest, here.kept, here.card)


def test_a_version_whose_golden_examples_differ_does_not_take_over(
    watched: Watched, link: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seedbed.serve.predictor, "TOLERANCE", -1.0)
    with listening(watched.app):
        point(link, folder / "models/tfidf_logistic")
        assert not watched.watcher.look()
        assert watched.service.version.predictor.name == "majority"
    assert "golden examples differ" in watched.complaints[0]


def test_a_version_that_nobody_could_ask_is_refused(folder: Path, tmp_path: Path) -> None:
    before = seedbed.load_model(folder)
    other = seedbed.load_model(learned("tabular_regression", tmp_path).folder)
    with pytest.raises(ModelError, match="answers otherwise"):
        refuse_others(before, other)
    (one,) = before.preparation.inputs
    renamed = replace(before, preparation=replace(before.preparation, inputs=(one.model_copy(update={"name": "x"}),)))
    with pytest.raises(ModelError, match="reads 'x', which nobody sends"):
        refuse_others(before, renamed)
    known = one.model_copy(update={"name": "x", "known_as": (one.name,)})
    refuse_others(before, replace(before, preparation=replace(before.preparation, inputs=(known,))))


def test_being_told_to_end_stays_that_whatever_a_library_makes_of_it() -> None:
    with pytest.raises(KeyboardInterrupt), ended_by_signals():
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt:
            raise ValueError from None  # pydantic's SchemaError, where a server was ended in its first second
    with pytest.raises(ValueError), ended_by_signals():
        raise ValueError


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")
def test_processes_are_replaced_and_take_new_versions_over(link: Path, folder: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with serving(link, "--workers", 2, "--no-watch", "--log", log, "--access-log") as served:
        asked = [served.ask("/predict", GREAT) for _ in range(20)]
        assert {status for status, _ in asked} == {200}
        text = _text(served.url + "/metrics")
        assert 'seedbed_requests_total{route="/predict",status="200"} 20.0' in text  # of both processes
        first, second = _children(served.process.pid)
        os.kill(first, signal.SIGKILL)
        assert served.ask("/predict", GREAT)[0] == 200
        until(lambda: len(_children(served.process.pid)) == 2 and first not in _children(served.process.pid))
        point(link, folder / "models/tfidf_logistic")
        served.process.send_signal(signal.SIGHUP)
        until(lambda: all(served.ask("/predict", GREAT)[1]["model"] == "tfidf_logistic" for _ in range(10)))
        # What a process had that was killed is told no more: `first` answered by the version before.
        assert 'seedbed_model_info{name="majority"' in (told := _text(served.url + "/metrics"))
        assert all(line.endswith(" 0.0") for line in told.splitlines() if 'seedbed_model_info{name="majority"' in line)
        last = served.ask("/predict", GREAT)[1]["request"]
        os.kill(second, 0)
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(60) == 0
        assert "a process of the server died (exit code -9)" in served.said()
        assert served.said().endswith("stopped\n")
    rows = pl.concat(pl.read_parquet(file) for file in log.iterdir() if file.suffix == ".parquet")
    assert f"{last}#0" in rows["row"].to_list()
    assert "said" not in rows.columns
    assert GREAT["text"] not in served.said()


def _text(url: str) -> str:
    import urllib.request

    with urllib.request.urlopen(url, timeout=60) as reply:
        return str(reply.read().decode())


def _children(pid: int) -> list[int]:
    """Processes that serve: the tracker of multiprocessing's resources is none."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return [child for child in found if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]
