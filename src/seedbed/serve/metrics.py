"""What a server counts, as Prometheus reads it. Labels are of fixed sets: nothing that is asked becomes one."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

#: Where the processes of one server put what they count, so that any of them can tell the sum (prometheus-client's).
SHARED = "PROMETHEUS_MULTIPROC_DIR"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_ROWS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


class Metrics:
    """Counts of one process; `text` tells them, and those of its siblings where there are any."""

    def __init__(self, *, waiting: Callable[[], int], busy: Callable[[], int]) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

        self._shared = os.environ.get(SHARED)
        self._registry = CollectorRegistry()
        given: dict[str, Any] = {"registry": self._registry}
        live: dict[str, Any] = given | {"multiprocess_mode": "livesum"}
        self.requests = Counter("seedbed_requests", "Requests that were answered.", ["route", "status"], **given)
        self.seconds = Histogram(
            "seedbed_request_seconds", "From a request's first byte here to its answer.", ["route"],
            buckets=_SECONDS, **given,
        )  # fmt: skip
        self.refused = Counter("seedbed_refused", "Requests that were not let in.", ["why"], **given)
        self.rows = Counter("seedbed_rows", "Rows that were answered.", **given)
        self.together = Histogram(
            "seedbed_rows_together", "Rows that the model answered at once.", buckets=_ROWS, **given
        )
        self.predicted = Counter("seedbed_predicted", "Rows that were given a label.", ["label"], **given)
        self.failures = Counter("seedbed_failures", "Failures of the model, of the log, of a reload.", ["of"], **given)
        self.reloads = Counter("seedbed_reloads", "New versions of the model that took over.", **given)
        self.model = Gauge(
            "seedbed_model_info", "The model that answers; its labels say which.", ["name", "version"],
            multiprocess_mode="livemax", registry=self._registry,
        )  # fmt: skip
        self._waiting = Gauge("seedbed_waiting_requests", "Requests that wait for the model.", **live)
        self._busy = Gauge("seedbed_busy_threads", "Threads that answer.", **live)
        self._now = (waiting, busy)
        if not self._shared:
            ProcessCollector(registry=self._registry)

    def version(self, name: str, digest: str, *, before: tuple[str, str] | None = None) -> None:
        """A version answers from now on."""
        if before:
            self.model.labels(*before).set(0)
        self.model.labels(name, digest).set(1)

    def text(self) -> tuple[bytes, str]:
        """All that is counted, and its media type."""
        from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        for gauge, now in zip((self._waiting, self._busy), self._now, strict=True):
            gauge.set(now())
        registry = self._registry
        if self._shared:
            registry = CollectorRegistry()
            MultiProcessCollector(registry, self._shared)  # type: ignore[no-untyped-call]
        return generate_latest(registry), CONTENT_TYPE_LATEST
