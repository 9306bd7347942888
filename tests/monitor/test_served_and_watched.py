"""A model that is really served writes a log that is really watched."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from watched_sample import moods

from predicting_sample import write
from seedbed.flow.monitoring.watch import Asked, watch
from seedbed.monitor.log import read_log


@pytest.mark.slow
def test_what_a_server_answers_is_watched(watched: Path, tmp_path: Path) -> None:
    pytest.importorskip("fastapi")
    command = [sys.executable, "-m", "seedbed", "serve", str(watched), "--port", "0", "--log", str(tmp_path / "log")]
    server = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    labels = []
    try:
        assert server.stdout is not None
        url = server.stdout.readline().split(" at ")[1].split()[0]
        for part in range(2):
            made = moods(200, 50 + part, good=0.85)
            body = json.dumps({"rows": [{"said": one["said"]} for one in made]}).encode()
            request = urllib.request.Request(f"{url}/api/predict", body, {"Content-Type": "application/json"})
            with urllib.request.urlopen(request, timeout=120) as reply:
                named = json.loads(reply.read())["request"]
            labels += [{"row": f"{named}#{place}", "answer": one["mood"]} for place, one in enumerate(made)]
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=120)
    finally:
        server.kill()
        server.wait()
    assert server.returncode == 0
    assert made[0]["said"] not in str(read_log(tmp_path / "log").to_dicts())
    found = watch(str(tmp_path / "log"), watched, Asked(window="1d"))
    assert found.window.rows == 400
    assert "predicted" in {one.what for one in found.alarms}
    later = Asked(window="1d", labels=write(tmp_path / "labels.jsonl", labels))
    assert {"predicted", "what is right"} <= {one.what for one in watch(str(tmp_path / "log"), watched, later).alarms}
