"""The crontab line and the GitHub Action of the page on monitoring: what they run, run as they run it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from test_watching import logged
from test_webhook import Service, served
from watched_sample import moods

from seedbed.flow.predicting.opening import open_model

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "monitor.md"


@pytest.fixture
def place(watched: Path, tmp_path: Path) -> Path:
    """A folder with a log of rows that are other than before, and a run of the name that the page has."""
    (tmp_path / "runs" / "reviews").mkdir(parents=True)
    (tmp_path / "runs" / "reviews" / "latest").symlink_to(watched)
    rows = [{**one, "said": f"parcel {one['said'][:18]} lost"} for one in moods(200, 3)]
    logged(open_model(watched / "models" / "tfidf_logistic"), tmp_path / "predictions", rows, datetime.now(UTC))
    return tmp_path


def ran(shell: list[str], command: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [*shell, command], cwd=folder, env={**os.environ, "PATH": path, **environment}, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip


def test_the_line_of_cron_tells_the_address_and_nobody_else(watched: Path, place: Path) -> None:
    (line,) = re.findall(r"^[\d*/ ]+ cd /srv/reviews && .*$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert "%" not in line  # cron takes it for the end of the line
    command = line.split(maxsplit=5)[5]
    assert len(line.split(maxsplit=5)) == 6
    service = Service()
    with served(service) as url:
        (place / "alarm-url").write_text(url)
        for written, here in (("/srv/reviews", str(place)), ("/etc/alarm-url", str(place / "alarm-url"))):
            command = command.replace(written, here)
        # The store of this run is beside it, and it has another name.
        command = command.replace("reviews@latest", "moods@latest")
        done = ran(["sh", "-c"], command, place, SEEDBED_STORE=str(watched.parent / ".seedbed"))
    assert done.returncode == 1, done.stderr
    assert len(service.bodies) == 1 and service.paths == ["/hooks/T0P-SECRET"]
    kept = "".join(one.read_text("utf-8") for one in place.glob("monitor.*"))
    assert '"alarm": true' in kept
    assert "T0P-SECRET" not in kept + done.stdout + done.stderr


@pytest.mark.parametrize("told", [True, False])
def test_the_step_of_the_action(place: Path, told: bool) -> None:
    block = r"^```yaml file=\.github/workflows/monitor\.yml\n(.*?)^```"
    (text,) = re.findall(block, PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    (job,) = yaml.safe_load(text)["jobs"].values()
    (step,) = [one for one in job["steps"] if "seedbed monitor" in one.get("run", "")]
    assert step["env"] == {"ALARM_URL": "${{ secrets.ALARM_URL }}"}
    service = Service()
    with served(service) as url:  # GitHub runs steps like this
        done = ran(["bash", "-eo", "pipefail", "-c"], step["run"], place, ALARM_URL=url if told else "")
    assert done.returncode == 1, done.stderr
    assert len(service.bodies) == int(told)
    assert (place / "monitor.html").is_file() and "T0P-SECRET" not in done.stdout + done.stderr
