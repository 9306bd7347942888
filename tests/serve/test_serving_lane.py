"""Requests that wait for a model: in order, together, no more than may, and no longer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import polars as pl
import pytest

from seedbed.core.errors import DataError, ModelError
from seedbed.serve.lane import FullError, Lane, LateError
from seedbed.serve.limits import Limits


class Answering:
    """Answers each number with its square, once it is let."""

    def __init__(self) -> None:
        self.free, self.batches = threading.Event(), list[list[int]]()
        self.free.set()

    def __call__(self, version: str, rows: pl.DataFrame) -> Sequence[Any]:
        asked = rows.to_series().to_list()
        self.batches.append(asked)
        assert self.free.wait(30)
        if -1 in asked:
            raise DataError("minus one")
        return [(version, number * number) for number in asked]


@contextmanager
def lane(answer: Any, **limits: Any) -> Iterator[Lane]:
    found = Lane(answer, Limits(**{"threads": 1} | limits))
    try:
        yield found
    finally:
        found.end()


def of(*numbers: int) -> pl.DataFrame:
    return pl.DataFrame({"n": numbers}, schema={"n": pl.Int64})


async def first_then(found: Lane, answering: Answering, *jobs: pl.DataFrame, version: str = "v") -> list[Any]:
    """Answers to the first, and to the others, which come while the first is answered."""
    answering.free.clear()
    asked = [asyncio.create_task(found.ask(version, jobs[0]))]
    while not answering.batches:
        await asyncio.sleep(0.001)
    asked += [asyncio.create_task(found.ask(version, job)) for job in jobs[1:]]
    while found.waiting < len(jobs) - 1:
        await asyncio.sleep(0.001)
    answering.free.set()
    return await asyncio.gather(*asked, return_exceptions=True)


def test_who_comes_while_all_are_busy_is_answered_together() -> None:
    answering = Answering()
    with lane(answering) as found:
        told = asyncio.run(first_then(found, answering, of(1), of(2, 3), of(), of(4)))
    assert told == [[("v", 1)], [("v", 4), ("v", 9)], [], [("v", 16)]]
    assert answering.batches == [[1], [2, 3, 4]]


def test_a_batch_has_so_many_rows_and_a_request_is_never_cut() -> None:
    answering = Answering()
    with lane(answering, together=3) as found:
        asyncio.run(first_then(found, answering, of(1), of(2), of(3, 4), of(5), of(6, 7, 8, 9), of(10)))
    assert answering.batches == [[1], [2, 3, 4], [5], [6, 7, 8, 9], [10]]


def test_alone_where_that_is_wanted() -> None:
    answering = Answering()
    with lane(answering, together=1) as found:
        asyncio.run(first_then(found, answering, of(1), of(2), of(3)))
    assert answering.batches == [[1], [2], [3]]


def test_rows_of_other_types_and_other_versions_are_not_put_together() -> None:
    answering = Answering()

    async def run(found: Lane) -> list[Any]:
        answering.free.clear()
        versions = ["old", "old", "old", "new", "new"]
        frames = [of(1), of(2), of(3).cast(pl.Int32), of(4), of(5)]
        asked = []
        for place, (version, frame) in enumerate(zip(versions, frames, strict=True)):
            asked.append(asyncio.create_task(found.ask(version, frame)))
            while not answering.batches or found.waiting < place:
                await asyncio.sleep(0.001)
        answering.free.set()
        return await asyncio.gather(*asked)

    with lane(answering) as found:
        told = asyncio.run(run(found))
    assert told == [[("old", 1)], [("old", 4)], [("old", 9)], [("new", 16)], [("new", 25)]]
    assert answering.batches == [[1], [2], [3], [4, 5]]


def test_one_that_fails_harms_no_other() -> None:
    answering = Answering()
    with lane(answering) as found:
        told = asyncio.run(first_then(found, answering, of(1), of(2), of(-1), of(3)))
        assert isinstance(told.pop(2), DataError)
        assert told == [[("v", 1)], [("v", 4)], [("v", 9)]]
        assert answering.batches == [[1], [2, -1, 3], [2], [-1], [3]]
        assert asyncio.run(found.ask("v", of(5))) == [("v", 25)]
        assert found.alive


def test_a_model_that_answers_too_few_rows_is_found_out() -> None:
    with lane(lambda _, rows: [0] * (rows.height - 1)) as found, pytest.raises(ModelError, match="2 rows were asked"):
        asyncio.run(found.ask("v", of(1, 2)))


def test_no_more_wait_than_may() -> None:
    answering = Answering()

    async def run(found: Lane) -> None:
        answering.free.clear()
        asked = [asyncio.create_task(found.ask("v", of(1)))]
        while not answering.batches:
            await asyncio.sleep(0.001)
        asked += [asyncio.create_task(found.ask("v", of(n))) for n in (2, 3)]
        await asyncio.sleep(0)
        with pytest.raises(FullError) as refused:
            await found.ask("v", of(4))
        assert refused.value.after >= 1
        answering.free.set()
        assert await asyncio.gather(*asked) == [[("v", 1)], [("v", 4)], [("v", 9)]]
        assert await found.ask("v", of(5)) == [("v", 25)]

    with lane(answering, waiting=2) as found:
        asyncio.run(run(found))


def test_nobody_waits_longer_than_may_be_and_what_is_late_is_not_answered() -> None:
    answering = Answering()

    async def run(found: Lane) -> None:
        answering.free.clear()
        both = [asyncio.create_task(found.ask("v", of(n))) for n in (1, 2)]
        told = await asyncio.gather(*both, return_exceptions=True)
        assert [type(one) for one in told] == [LateError, LateError]
        answering.free.set()
        assert await found.ask("v", of(3)) == [("v", 9)]

    with lane(answering, seconds=0.2, together=1) as found:
        asyncio.run(run(found))
    assert answering.batches == [[1], [3]]


def test_at_its_end_it_lets_nobody_in() -> None:
    with lane(Answering()) as found:
        assert found.alive
        found.end()
        assert not found.alive
        with pytest.raises(FullError):
            asyncio.run(found.ask("v", of(1)))
