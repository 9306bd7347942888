"""What an image is built of: linted, and its instructions followed by hand, as its plain user, without Docker."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
import urllib.request
from pathlib import Path

import pytest

from seedbed.core.context import Context
from seedbed.core.errors import DataError, RecipeError
from seedbed.flow.exporting.export import Asked, export
from seedbed.publish.docker import Docker

ROOT = Path(__file__).parents[2]
READY = 120
"""Seconds that a server may take to start on a busy machine."""


def ship(run: Path, out: Path, *options: str) -> list[tuple[str, str]]:
    """Export a model; the instructions of its Dockerfile, stage by stage."""
    asked = Asked("docker", str(out), options=("model=tfidf_logistic", *options))
    export(str(run), asked, Context(base=out.parent, store=out.parent / "store"))
    text = (out / "Dockerfile").read_text().replace("\\\n", "")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.partition(" ")[0], line.partition(" ")[2]) for line in lines]


def test_what_an_image_is_built_of(counting: Path, tmp_path: Path) -> None:
    told = ship(counting, tmp_path / "out")
    held = {path.relative_to(tmp_path / "out").as_posix(): path for path in (tmp_path / "out").rglob("*")}
    assert set(Docker.examples[0].after["folder"]) <= set(held)
    assert [name for name, path in held.items() if path.is_file() and path.stat().st_mode & 0o777 != 0o644] == []
    # What hadolint and Docker's own checks ask for.
    known = {"FROM", "WORKDIR", "COPY", "RUN", "LABEL", "ENV", "USER", "EXPOSE", "HEALTHCHECK", "CMD"}
    assert {name for name, _ in told} <= known
    bases = [value for name, value in told if name == "FROM"]
    assert len(bases) == 2, "two stages"
    assert all(re.match(r"python:3\.\d+-slim( AS \w+)?$", base) for base in bases)
    last = [value for name, value in told if name == "USER"][-1]
    assert int(last.split(":")[0]) > 0, "not root"
    runs = [value for name, value in told if name == "RUN"]
    assert all("--no-cache-dir" in run for run in runs if "pip install" in run)
    assert [name for name, _ in told][-1] == "CMD"
    for name, value in told:
        if name in ("CMD", "HEALTHCHECK"):
            assert json.loads(value[value.index("[") :])
        if name == "WORKDIR":
            assert value.startswith("/")
        if name == "COPY" and "--from" not in value:
            *sources, _ = value.split()
            assert any((tmp_path / "out").glob(one.strip()) for one in sources)
    lines = (tmp_path / "out" / "requirements.txt").read_text().splitlines()
    assert lines[0].startswith("seedbed[serve]==")


def test_what_cannot_be_an_image_is_told(counting: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="there is no such wheel"):
        ship(counting, tmp_path / "out", "seedbed=dist/none.whl")
    shutil.copytree(counting / "models" / "tfidf_logistic", tmp_path / "alone")
    with pytest.raises(DataError, match="no run stands around this model"):
        export(str(tmp_path / "alone"), Asked("docker", str(tmp_path / "out")))
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="an image is a Linux one")
def test_its_instructions_by_hand(counting: Path) -> None:
    """The commands run as they stand, with the image's paths below a folder and 127.0.0.1 for every address."""
    with tempfile.TemporaryDirectory(prefix="seedbed-image-") as folder:
        base = Path(folder)
        base.chmod(0o755)
        subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(base / "dist")],
            cwd=ROOT, check=True, capture_output=True, timeout=300,
        )  # fmt: skip
        wheel = next((base / "dist").glob("*.whl"))
        told = ship(counting, base / "out", f"seedbed={wheel}")
        shutil.copytree(base / "out", base / "build")
        shutil.copy2(wheel, base / "build")  # COPY wheels* ./ lays what is in it there
        shutil.copytree(base / "out" / "run", base / "srv" / "run")
        run = next(value for name, value in told if name == "RUN")
        made, _, install = run.partition(" && ")
        assert made == "python -m venv /venv"
        subprocess.run([sys.executable, "-m", "venv", str(base / "venv")], check=True, timeout=300)
        packages = next((base / "venv").glob("lib/python*/site-packages"))
        # What is pinned is there already: nothing is fetched, and pip finds fault with what does not fit.
        (packages / "ours.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
        needed = base / "build" / "requirements.txt"
        needed.write_text(needed.read_text().replace("file:///build", f"file://{base}/build"))
        command = shlex.split(install.replace("/venv/", f"{base}/venv/"))
        plain = {"PATH": os.environ["PATH"], "HOME": str(base)}
        done = subprocess.run(
            [*command, "--no-index", "--no-deps"],
            cwd=base / "build",
            env=plain,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        assert "Successfully installed seedbed" in done.stdout
        _serves(base, told)


def _serves(base: Path, told: list[tuple[str, str]]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = json.loads(told[-1][1])
    command = [
        one.replace("/srv/", f"{base}/srv/").replace("0.0.0.0", "127.0.0.1").replace("8000", port) for one in command
    ]
    command[0] = str(base / "venv" / "bin" / command[0])
    health = next(value for name, value in told if name == "HEALTHCHECK")
    check = [sys.executable, *json.loads(health[health.index("[") :])[1:]]
    plain = {"PATH": os.environ["PATH"], "HOME": "/tmp", "OMP_NUM_THREADS": "1"}
    python = Path(sys.executable).resolve()
    seen = os.geteuid() == 0 and all(folder.stat().st_mode & 0o001 for folder in python.parents)
    user = {"user": 10001, "group": 10001, "extra_groups": []} if seen else {}  # who else may run this Python
    with (base / "log").open("w") as log:
        process = subprocess.Popen(command, cwd="/", env=plain, stdout=log, stderr=log, **user)  # type: ignore[call-overload]
    try:
        ends = time.monotonic() + READY
        while subprocess.run([one.replace("8000", port) for one in check], capture_output=True, timeout=60).returncode:
            assert process.poll() is None, (base / "log").read_text()
            assert time.monotonic() < ends, (base / "log").read_text()
            time.sleep(0.5)
        body = json.dumps({"text": "I love it, a great film"}).encode()
        asked = urllib.request.Request(
            f"http://127.0.0.1:{port}/api/predict", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(asked, timeout=60) as reply:
            assert json.loads(reply.read())["predictions"][0]["predicted"] == "good"
    finally:
        process.terminate()
        assert process.wait(30) is not None
