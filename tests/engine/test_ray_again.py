"""One process may start one cluster after the other: each has its own key, and Ray would keep the first."""

from pathlib import Path

import pytest

from seedbed.core.context import Context
from seedbed.engine.cluster import connected


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # Ray warns of itself
def test_a_process_starts_one_cluster_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ray = pytest.importorskip("ray")
    context = Context(store=tmp_path, engine="ray", workers=1)
    for mode in ("disabled", "token", "token"):
        monkeypatch.setenv("RAY_AUTH_MODE", mode)
        with connected(context):
            assert ray.is_initialized()
        assert not ray.is_initialized()
