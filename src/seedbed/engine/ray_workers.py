"""Does many pieces of work on a Ray cluster, by Ray Data: `Workers` of many machines."""

from __future__ import annotations

import itertools
import os
import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

# Nothing that imports Polars: a Ray worker says how many threads it may have before it does.
from seedbed.core.errors import SeedbedError

from .workers import LostWorkersError

#: Times that work is done again after its worker, or its node, was lost.
RETRIES = 4
#: Units of a wave, for each core of the cluster; the next wave begins when the slowest of them is done.
_PER_CORE = 64
#: Share of the cluster's object store that the units of a wave may take (those that carry bytes).
_SHARE = 4
#: Pieces of work that a task does, one after the other, where units are many.
_MOST_IN_TASK = 8


@dataclass(frozen=True)
class RayWorkers:
    """The workers of the cluster that this process is connected to."""

    cores: int
    held: int
    """Bytes of the object stores of its nodes."""

    @classmethod
    def connected(cls) -> RayWorkers:
        """Those of the cluster that is connected."""
        import ray

        has = ray.cluster_resources()
        return cls(max(int(has.get("CPU", 1)), 1), int(has.get("object_store_memory", 1 << 30)))

    def run(self, work: Callable[[Any], Any], units: Iterable[Any]) -> Iterator[Any]:
        """What `work` returns for each unit, as they come. Units are taken from their iterator a wave at a time.

        Raises:
            SeedbedError: What the work raised, or workers died again and again.
        """
        import ray

        todo = ray.cloudpickle.dumps(work)
        units = iter(units)
        while wave := list(self._wave(units)):
            yield from self._done(todo, wave)

    def _wave(self, units: Iterator[Any]) -> Iterator[bytes]:
        import ray

        size = 0
        for unit in itertools.islice(units, _PER_CORE * self.cores):
            told = ray.cloudpickle.dumps(unit)
            size += len(told)
            yield told
            if size * _SHARE > self.held:
                return

    def _done(self, work: bytes, wave: list[bytes]) -> Iterator[Any]:
        import ray

        in_task = min(max(len(wave) // (8 * self.cores), 1), _MOST_IN_TASK)
        items = ray.data.from_items([{"unit": unit} for unit in wave], override_num_blocks=-(-len(wave) // in_task))
        done = items.map_batches(_outcomes, batch_size=1, batch_format="pyarrow", fn_kwargs={"work": work}, num_cpus=1)
        for batch in done.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
            yield from (_told(outcome.as_py()) for outcome in batch["outcome"])


def _told(outcome: bytes) -> Any:
    value, error = pickle.loads(outcome)
    if error is not None:
        raise error
    return value


def _outcomes(batch: Any, work: bytes) -> Mapping[str, list[bytes]]:
    """Does units in a Ray worker. What they raise is an outcome, too: Ray would wrap it and tell everybody."""
    os.environ.setdefault("POLARS_MAX_THREADS", "1")  # workers, not threads, share the cores
    lost = _losses()
    if lost > RETRIES:
        return {"outcome": [pickle.dumps((None, _given_up(lost))) for _ in batch["unit"]]}
    return {"outcome": [pickle.dumps(_outcome(work, unit.as_py())) for unit in batch["unit"]]}


def _losses() -> int:
    """How often this task was begun before, and lost with its worker: Ray begins it again without an end."""
    # Ray 2.60 tells it nowhere else, and its own limit (`max_retries` to `map_batches`) is deprecated, to go with 2.64.
    from ray._private.worker import global_worker

    return int(global_worker.core_worker.get_current_task_attempt_number())


def _given_up(lost: int) -> SeedbedError:
    return LostWorkersError(
        f"a worker died {lost} times over the same piece of work, most likely for want of memory",
        at="--engine ray",
        hint="use a smaller --batch, or nodes with more memory for each core; a run that is started again goes on",
    )


def _outcome(work: bytes, unit: bytes) -> tuple[Any, Exception | None]:
    try:
        return _unpickled(work)(pickle.loads(unit)), None
    except Exception as error:  # noqa: BLE001 (it is raised again where the run is)
        return None, _portable(error)


def _portable(error: Exception) -> Exception:
    """The error, if it survives the way back; what it says, if not."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 (whatever an error's own code does)
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


@lru_cache(maxsize=2)
def _unpickled(work: bytes) -> Callable[[Any], Any]:
    made: Callable[[Any], Any] = pickle.loads(work)
    return made
