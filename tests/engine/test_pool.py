"""Worker processes: whoever interrupts the run does not wait for them."""

from __future__ import annotations

import multiprocessing
import time

import pytest

from seedbed.engine.pool import Pool

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
