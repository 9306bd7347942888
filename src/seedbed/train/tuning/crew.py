"""Who tries options: this process, processes of this machine, or a Ray cluster that the run is connected to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from seedbed.core.context import Context
from seedbed.core.learner import Learner

from .known import Outcome
from .trying import Work, attempt

_DIED = "the process that tried it died, most likely for want of memory"
#: Times that Ray begins again after a worker, or its node, was lost.
_RETRIES = 2

Crew = Callable[[Sequence[Work]], Iterator[tuple[int, Outcome]]]


def crew_of(learner: Learner, context: Context) -> Crew:
    """Who tries a learner's options in a run: gives the place of each piece of work and what came of it, as it comes.

    A GPU of this machine is not shared: where the learner would use it, trials come one after the other. So they do
    where the learner asks a service, because this process counts what a run spends there; its calls are parallel, too.
    """
    if learner.services():
        return _here
    network = "torch" in learner.needs
    if context.engine == "ray" and _connected():
        return lambda work: _on_ray(work, gpu=network)
    if context.workers > 1 and not (network and _has_gpu()):
        return lambda work: _in_processes(work, context.workers)
    return _here


def _has_gpu() -> bool:
    import torch

    return bool(torch.cuda.is_available())


def _here(work: Sequence[Work]) -> Iterator[tuple[int, Outcome]]:
    for place, one in enumerate(work):
        yield place, attempt(one)


def _placed(place: int, work: Work) -> tuple[int, Outcome]:
    return place, attempt(work)


def _in_processes(work: Sequence[Work], workers: int) -> Iterator[tuple[int, Outcome]]:
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    if len(work) < 2:  # a process would do nothing that this one cannot
        yield from _here(work)
        return
    done: set[int] = set()
    try:
        for place, outcome in _parallel(list(enumerate(work)), min(workers, len(work))):
            done.add(place)
            yield place, outcome
    except TerminatedWorkerError:
        # Which one it was is not told: the others are tried alone, so that each dies for itself.
        for place, one in enumerate(work):
            if place not in done:
                try:
                    yield from _parallel([(place, one)], 2)
                except TerminatedWorkerError:
                    yield place, Outcome(None, 0.0, _DIED)


def _parallel(work: Sequence[tuple[int, Work]], workers: int) -> Iterator[tuple[int, Outcome]]:
    """In processes of joblib (loky), with one thread for each library: workers, not threads, share the cores."""
    from joblib import Parallel, delayed, parallel_config

    with parallel_config(backend="loky", inner_max_num_threads=1):
        found: Iterator[tuple[int, Outcome]] = Parallel(n_jobs=workers, return_as="generator_unordered")(
            delayed(_placed)(place, one) for place, one in work
        )
    yield from found


def _connected() -> bool:
    import ray

    return bool(ray.is_initialized())


def _on_ray(work: Sequence[Work], *, gpu: bool) -> Iterator[tuple[int, Outcome]]:
    import ray

    gpus = 1 if gpu and ray.cluster_resources().get("GPU", 0) >= 1 else 0
    tried: Any = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=_RETRIES)(attempt)
    waiting = {tried.remote(one): place for place, one in enumerate(work)}
    while waiting:
        (found,), _ = ray.wait(list(waiting), num_returns=1)
        place = waiting.pop(found)
        try:
            yield place, ray.get(found)
        except ray.exceptions.RayError:
            yield place, Outcome(None, 0.0, _DIED)
