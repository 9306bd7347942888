"""Worker processes: whoever interrupts the run does not wait for them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from seedbed.core.step import Step
from seedbed.engine.pool import Pool
from seedbed.engine.workers import LostWorkersError
from seedbed.sources.csv import Csv

LONG = 300.0


def slow_but_for_the_first(unit: int) -> int:
    if unit:
        time.sleep(LONG)
    return unit


def test_an_interruption_ends_workers_in_the_middle_of_their_units() -> None:
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt), Pool(2) as pool:
        for done in pool.run(slow_but_for_the_first, range(10)):
            assert done == 0
            assert len(multiprocessing.active_children()) == 2
            raise KeyboardInterrupt
    assert multiprocessing.active_children() == []
    assert time.monotonic() - begun < LONG / 2, "nobody waited for a unit to end"


def deadly(unit: tuple[Path, int]) -> int:
    times, number = unit
    for place in range(int(times.read_text()) if number == 5 else 0):
        with suppress(FileExistsError):
            times.with_name(f"died {place}").touch(exist_ok=False)
            os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_what_a_worker_died_over_is_done_once_more_and_no_more(tmp_path: Path) -> None:
    times = tmp_path / "times"
    times.write_text("1")
    with Pool(2) as pool:
        assert sorted(pool.run(deadly, [(times, number) for number in range(12)])) == list(range(12))
    times.write_text("3")
    with pytest.raises(LostWorkersError, match="died 2 times over the same piece"), Pool(2) as pool:
        list(pool.run(deadly, [(times, number) for number in range(12)]))
    assert multiprocessing.active_children() == []


def imported_by_a_worker(unit: Csv | str) -> set[str]:
    if isinstance(unit, str):
        assert Step.named(unit) is not None
        assert Step.named("nothing_of_the_kind") is None
    parts = ("sources.csv", "sources.xml", "steps.cast", "steps.where")
    return {part for part in parts if f"seedbed.{part}" in sys.modules}


def test_workers_import_the_parts_that_they_are_given_and_those_that_they_look_up() -> None:
    with Pool(2) as pool:
        assert set().union(*pool.run(imported_by_a_worker, [Csv(path="a.csv")] * 4)) == {"sources.csv"}
        given = pool.run(imported_by_a_worker, ["cast"] * 4)
        assert set().union(*given) == {"sources.csv", "steps.cast"}


def all_steps(unit: int) -> bool:
    import seedbed.steps

    assert not hasattr(seedbed.steps, "__wrapped__")
    assert issubclass(seedbed.steps.Where, Step)
    assert not hasattr(seedbed.steps, "NothingOfTheKind")
    return all(getattr(seedbed.steps, name).catalogue is Step.catalogue for name in seedbed.steps.__all__)


def test_a_worker_that_asks_for_a_family_has_all_of_it() -> None:
    with Pool(2) as pool:
        assert set(pool.run(all_steps, range(4))) == {True}
