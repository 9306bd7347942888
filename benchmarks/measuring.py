"""Runs a command on given cores and measures the whole tree of its processes.

* CPU seconds are exact: this process makes itself the reaper of every orphan below it (`PR_SET_CHILD_SUBREAPER`), so
  each process of the tree is waited for either by its parent, whose bill then carries it, or here.
* Peak memory is the largest sum over the tree of each process's share (PSS: a page that two processes map counts half
  in each), sampled every 50 ms. `anonymous` is the part of it that is not pages of files.

Needs Linux.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

_SUBREAPER = 36
_EVERY = 0.05
_GRACE = 10.0


@dataclass(frozen=True)
class Measured:
    """What a command cost."""

    code: int
    """Its exit code; negative for a signal, 124 where it was stopped because it took too long."""
    wall: float
    cpu: float
    """Seconds, user and system, of the whole tree."""
    peak: float
    """MB (10^6 bytes) of the whole tree."""
    anonymous: float

    @staticmethod
    def middle(runs: Sequence[Measured]) -> Measured:
        """The median of each number."""
        wall, cpu, peak, anonymous = (
            median(getattr(run, name) for run in runs) for name in ("wall", "cpu", "peak", "anonymous")
        )
        return Measured(max(abs(run.code) for run in runs), wall, cpu, peak, anonymous)


def measure(
    command: Sequence[str], *, cores: Sequence[int], log: Path, env: Mapping[str, str], longest: float = 7200
) -> Measured:
    """Run a command to its end.

    Args:
        command: The program and its arguments.
        cores: The cores that the tree may use.
        log: Where what it prints goes.
        env: Its environment.
        longest: Seconds after which it is killed.
    """
    if sys.platform != "linux":
        sys.exit("the benchmarks measure through /proc, which only Linux has")
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    log.parent.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    with log.open("wb") as out:
        main = subprocess.Popen(
            list(command), stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=dict(env),
            preexec_fn=lambda: os.sched_setaffinity(0, cores), start_new_session=True,
        )  # fmt: skip
    try:
        return _watch(main, start, longest)
    except BaseException:  # an interrupt must not leave them behind: they have a session of their own
        _kill()
        raise


def _watch(main: subprocess.Popen[bytes], start: float, longest: float) -> Measured:
    cpu = peak = anonymous = wall = 0.0
    code: int | None = None
    while True:
        looked = time.perf_counter()
        memory, own = _memory()
        peak, anonymous = max(peak, memory), max(anonymous, own)
        for pid, status, usage in _ended():
            cpu += usage.ru_utime + usage.ru_stime
            if pid == main.pid:
                main.returncode = os.waitstatus_to_exitcode(status)
                if code is None:
                    code, wall = main.returncode, time.perf_counter() - start
        now = time.perf_counter()
        if code is not None and not list(_descendants()):
            return Measured(code, wall, cpu, peak, anonymous)
        if code is None and now - start > longest:
            code, wall = 124, now - start
            _kill()
        if code is not None and now - start > wall + _GRACE:
            _kill()
        time.sleep(max(_EVERY if code is None else 0.01, min(10 * (now - looked), 1.0)) if now - start > 0.5 else 0.005)


def _ended() -> Iterator[tuple[int, int, object]]:
    while True:
        try:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        yield pid, status, usage


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as file:
                found += map(int, file.read().split())
    except OSError:
        pass
    return found


def _descendants() -> Iterator[int]:
    waiting = _children(os.getpid())
    while waiting:
        pid = waiting.pop()
        yield pid
        waiting += _children(pid)


def _memory() -> tuple[float, float]:
    """MB of the tree, and MB that are no pages of files."""
    total = own = 0
    for pid in _descendants():
        with contextlib.suppress(OSError):  # it has ended
            sizes = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
            total += int(sizes.get("Pss", "0").split()[0])
            own += int(sizes.get("Pss_Anon", "0").split()[0])
    return total * 1024 / 1e6, own * 1024 / 1e6


def _kill() -> None:
    for pid in list(_descendants()):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
