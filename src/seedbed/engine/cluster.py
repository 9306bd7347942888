"""A Ray cluster to work on: joined, or started on this machine; and asked whether it can do the work of a run."""

from __future__ import annotations

import importlib
import logging
import os
import secrets
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedbed.core.context import Context
from seedbed.core.errors import DataError, MissingExtraError, ModelError
from seedbed.store.places import beside, owner, owner_is_gone

from .provenance import versions

#: Bytes of the object store of a cluster that is started here: what a shuffle does not find room for, it spills.
OBJECT_STORE = 512 << 20
#: Seconds that the address of a cluster is given to answer.
_PATIENCE = 10
#: How the folder of a cluster that is started here is called, before its process and something random.
_FOLDER = "seedbed-ray-"
_SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is told to anybody
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_task_oom_retries": "3",  # without an end, as it comes, work that no node has memory for would go on for ever
    "POLARS_MAX_THREADS": "1",  # workers, not threads, share the cores
}
#: Ray's own name for two things: tries, of a minute each, to reach a cluster; seconds that one has to start.
_WAIT = "RAY_gcs_server_port_wait_time_s"
_TRIES, _SECONDS_TO_START = "2", "120"
#: Stores that all nodes of the cluster were seen to see.
_READY: set[Path] = set()


@contextmanager
def connected(context: Context) -> Iterator[None]:
    """Ray is there while the body runs, if it is the engine of the context. A connection that was there stays.

    Raises:
        MissingExtraError: Ray is not installed.
        ModelError: There is no cluster at the address, or a node of it lacks what the work needs.
        DataError: A node of it does not see the store.
    """
    if context.engine != "ray":
        yield
        return
    address = context.address or os.environ.get("RAY_ADDRESS", "")
    with _told(_SETTINGS):
        ray = _imported()
        if ray.is_initialized():
            _make_ready(context)
            yield
            return
        quieten("ray")
        with _joined(ray, address) if address else _started(ray, context.workers):
            _READY.clear()
            _make_ready(context)
            yield


def foretold(context: Context) -> str:
    """The cluster that a run would work on, in words. It is not asked, and none is started.

    Raises:
        MissingExtraError: Ray is not installed.
        ModelError: The address is none that a run could use.
    """
    if _imported().is_initialized():
        return "the Ray cluster that is connected"
    address = context.address or os.environ.get("RAY_ADDRESS", "")
    _refuse_client(address)
    if not address:
        cores = f"{context.workers} {'core' if context.workers == 1 else 'cores'}"
        return f"a Ray cluster that is started on this machine for the run, of {cores}"
    return "the Ray cluster of this machine" if address == "auto" else f"the Ray cluster at {address}"


def _make_ready(context: Context) -> None:
    """Look at the cluster, once for each store."""
    if context.store not in _READY:
        show_no_bars()
        check_nodes(context)
        _READY.add(context.store)


@contextmanager
def _told(settings: Mapping[str, str]) -> Iterator[None]:
    """Ray, and every process that it starts, find settings; those of the person who runs it go first."""
    new = {name: value for name, value in settings.items() if name not in os.environ}
    os.environ.update(new)
    try:
        yield
    finally:
        for name in new:
            os.environ.pop(name, None)


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Being asked to end goes on to mean what it did; Ray would end the process without tidying up."""
    meant = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, meant)


def _imported() -> Any:
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise MissingExtraError(
            f"the engine 'ray' needs packages that are not installed ({error.name})",
            at="--engine ray",
            hint="pip install 'seedbed[ray]'",
        ) from None
    return ray


@contextmanager
def _joined(ray: Any, address: str) -> Iterator[None]:
    _refuse_client(address)
    try:
        _knock(address)
        with _signals_kept(), _told({_WAIT: _TRIES}):
            _forget_key()
            ray.init(address=address, log_to_driver=False, configure_logging=False)
    except Exception as error:  # noqa: BLE001 (Ray raises what its parts raise)
        said = str(error).partition("\n")[0][:200]
        raise ModelError(
            f"no Ray cluster can be reached: {said}",
            at=address,
            hint="`ray status` on this machine tells whether it is a node; without an address, Ray starts here",
        ) from None
    try:
        yield
    finally:
        ray.shutdown()


def _refuse_client(address: str) -> None:
    """Refuse the address of Ray's client.

    Raises:
        ModelError: It is one.
    """
    if address.startswith("ray://"):
        raise ModelError(
            "Ray Data cannot be driven from outside its cluster",
            at=address,
            hint="start the run on a node of the cluster (`ray job submit`), with --address auto",
        )


def _knock(address: str) -> None:
    """Whether anybody listens at HOST:PORT; Ray would try for minutes.

    Raises:
        OSError: Nobody does.
    """
    host, _, port = address.rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host, int(port)), timeout=_PATIENCE).close()


@contextmanager
def _started(ray: Any, workers: int) -> Iterator[None]:
    """A cluster of this machine. Its sockets and logs are in a folder that goes with it."""
    _sweep()
    place = Path(tempfile.mkdtemp(prefix=f"{_FOLDER}{os.getpid()}-"))
    try:
        # Without a token for this once, one that all later clusters know would be left in the home folder.
        with _told({"RAY_AUTH_TOKEN": secrets.token_hex(32)}):
            _forget_key()
            _start(ray, workers, place)
            yield
    finally:
        ray.shutdown()
        _remove(place)


def _forget_key() -> None:
    """Make Ray read its settings and key again: it keeps the first of a process, and each cluster has its own."""
    raylet: Any = importlib.import_module("ray._raylet")
    if hasattr(raylet, "AuthenticationTokenLoader"):  # a Ray before keys has none
        raylet.Config.initialize("")
        raylet.AuthenticationTokenLoader.instance().reset_cache()


def _sweep() -> None:
    """Remove the folders of clusters whose runs were killed; the clusters ended with them."""
    here = owner().partition("@")[2]
    for place in Path(tempfile.gettempdir()).glob(f"{_FOLDER}*"):
        if owner_is_gone(f"{place.name.removeprefix(_FOLDER).partition('-')[0]}@{here}"):
            _remove(place)


def _remove(place: Path) -> None:
    for _ in range(20):  # processes that are about to end may still write there
        shutil.rmtree(place, ignore_errors=True)
        if not place.exists():
            return
        time.sleep(0.1)


def _start(ray: Any, workers: int, place: Path) -> None:
    try:
        with _signals_kept(), _told({_WAIT: _SECONDS_TO_START}):
            ray.init(
                address="local",
                num_cpus=workers,
                include_dashboard=False,
                object_store_memory=OBJECT_STORE,
                log_to_driver=False,
                configure_logging=False,
                _temp_dir=str(place),
                _node_ip_address="127.0.0.1",
            )
    except Exception as error:  # noqa: BLE001 (Ray raises what its parts raise)
        said = str(error).partition("\n")[0][:200]
        raise ModelError(
            f"Ray did not start on this machine: {said}",
            at="--engine ray",
            hint="--engine local needs no cluster; Ray itself takes about a gigabyte of memory",
        ) from None


def quieten(*loggers: str) -> None:
    """Loggers tell of errors only."""
    for name in loggers:
        logging.getLogger(name).setLevel(logging.ERROR)


def show_no_bars() -> None:
    """Ray Data shows no bars and tells of no progress: a run has its own."""
    import ray

    settings = ray.data.DataContext.get_current()
    quieten("ray.data", "ray.data._internal.progress")
    settings.enable_progress_bars = False
    settings.enable_operator_progress_bars = False
    settings.print_on_execution_start = False


@dataclass(frozen=True)
class _Seen:
    """What a node tells of itself."""

    node: str
    sees_store: bool
    versions: dict[str, str]


def check_nodes(context: Context) -> None:
    """Ask every node whether it sees the store and has the versions that the rows are to be made by.

    Raises:
        DataError: A node does not see the store.
        ModelError: A node does not answer, or has other versions.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    nodes = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
    context.store.mkdir(parents=True, exist_ok=True)
    probe = beside(context.store / f"probe-{secrets.token_hex(4)}", "partial")
    probe.write_text("seen")
    look = ray.remote(num_cpus=0, max_retries=3)(_look)
    try:
        asked = [
            look.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)).remote(
                str(probe), node["NodeManagerAddress"]
            )
            for node in nodes
        ]
        found = [_Seen(*one) for one in ray.get(asked, timeout=300)]
    except Exception as error:  # noqa: BLE001 (Ray raises what its parts raise)
        said = (str(error).strip().splitlines() or [type(error).__name__])[-1][:200]
        raise ModelError(
            f"a node of the cluster cannot do the work: {said}",
            at="--engine ray",
            hint="every node needs Python and `pip install 'seedbed[ray]'` in the versions of this machine",
        ) from None
    finally:
        probe.unlink(missing_ok=True)
    _refuse(found, context.store)


def _look(probe: str, node: str) -> tuple[str, bool, dict[str, str]]:
    return node, Path(probe).is_file(), versions("ray")


def _refuse(found: list[_Seen], store: Path) -> None:
    here = versions("ray")
    for one in found:
        if not one.sees_store:
            raise DataError(
                f"the node {one.node} of the cluster does not see the store",
                at=str(store),
                hint="set SEEDBED_STORE to a folder of a file system that all nodes share, under one path",
            )
        other = [name for name in {**here, **one.versions} if here.get(name) != one.versions.get(name)]
        if other:
            name = other[0]
            raise ModelError(
                f"the node {one.node} has {name} {one.versions.get(name, '(none)')}, this machine "
                f"{here.get(name, '(none)')}; the rows would depend on who makes them",
                at="--engine ray",
                hint="install the same versions on all nodes",
            )
