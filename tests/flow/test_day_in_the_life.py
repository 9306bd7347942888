"""A model's day: trained, served, asked, watched; what it is asked changes, people look, a better one comes."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from retrained_sample import RECIPE, rows, write

pytestmark = pytest.mark.slow

GAMES = ("game", "level", "player", "score", "boss", "button", "patch", "quest")


class Day:
    """A folder with a recipe, and the commands a person types in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {key: value for key, value in os.environ.items() if key != "SEEDBED_STORE"}

    def said(self, *arguments: str, code: int = 0) -> str:
        ended = subprocess.run(
            [sys.executable, "-m", "seedbed", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert ended.returncode == code, (arguments, ended.stdout, ended.stderr)
        return ended.stdout

    def told(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self.said(*arguments, "--json", code=code))

    @contextmanager
    def served(self, *arguments: str) -> Iterator[str]:
        """The address of a server, which is ended by its own process id."""
        command = [sys.executable, "-m", "seedbed", "serve", *arguments, "--port", "0"]
        server = subprocess.Popen(
            command, cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert server.stdout is not None
        with server:
            try:
                found = re.search(r"http://127\.0\.0\.1:\d+", server.stdout.readline())
                assert found, server.stdout.read()
                reading = threading.Thread(target=server.stdout.read, daemon=True)
                reading.start()  # a pipe that nobody empties would stop the server
                yield found[0]
            finally:
                server.send_signal(signal.SIGTERM)
                assert server.wait(60) is not None
                reading.join(10)


def ask(address: str, text: str) -> dict[str, Any]:
    body = json.dumps({"text": text}).encode()
    request = urllib.request.Request(f"{address}/predict", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as reply:
        found: dict[str, Any] = json.loads(reply.read())
    return found


def asked(address: str, told: list[dict[str, str]]) -> list[dict[str, Any]]:
    """Answers to all of them, asked by eight at a time; none fails."""
    with ThreadPoolExecutor(8) as people:
        return list(people.map(lambda row: ask(address, row["text"]), told))


def version(address: str) -> str:
    with urllib.request.urlopen(f"{address}/model", timeout=60) as reply:
        return str(json.loads(reply.read())["run"]["id"])


def changes_to(address: str, run: str) -> bool:
    """Whether a server goes over to a run; meanwhile it answers."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert ask(address, "a film with a goodnorth1 plot")["predictions"][0]["predicted"] in ("good", "bad")
        if version(address) == run:
            return True
        time.sleep(0.1)
    return False


def test_a_day_in_the_life_of_a_model(tmp_path: Path) -> None:
    day = Day(tmp_path)
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    write(tmp_path / "films.jsonl", rows(700, 1))
    day.said("run", "recipe.yaml")
    first = day.told("runs")[0]["id"]
    day.said("runs", "promote", "films@latest", "--why", "the first")

    # A morning like those that it learned from: no alarm.
    usual = rows(400, 3)
    with day.served("films@champion", "--log", "morning") as address:
        answers = asked(address, usual)
        assert version(address) == first
    by_file = day.said("predict", "films@champion", str(write(tmp_path / "usual.jsonl", usual))).splitlines()
    assert [one["predictions"][0]["predicted"] for one in answers] == [json.loads(one)["predicted"] for one in by_file]
    quiet = day.told("monitor", "morning", "--against", "films@champion")
    assert not quiet["alarm"], quiet

    # By noon people write of games, at length: an alarm, for what is read; nobody's texts were kept.
    games = rows(400, 4, of=GAMES, more=12)
    with day.served("films@champion", "--log", "noon") as address:
        asked(address, games)
    alarmed = day.told("monitor", "noon", "--against", "films@champion", code=1)
    assert alarmed["alarm"]
    kept = pl.concat(map(pl.read_parquet, (tmp_path / "noon").rglob("*.parquet")), how="diagonal_relaxed")
    assert "text" not in kept.columns and "game" not in kept.select(pl.col(pl.String)).write_json()

    # Somebody looks at what the model doubts, and decides; a file of them comes back filled in.
    day.said("review", "films@champion", "--export", "human_input.csv")
    with (tmp_path / "human_input.csv").open(newline="", encoding="utf-8-sig") as file:
        table = list(csv.DictReader(file))
    decided = [{**row, "action": "accept", "who": "ana"} for row in table if row["split"] == "train"][:5]
    with (tmp_path / "filled.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(table[0]))
        writer.writeheader()
        writer.writerows(decided)
    day.said("review", "films@champion", "--import", "filled.csv")
    assert len((tmp_path / "review.jsonl").read_text().splitlines()) == 5

    # The new rows, with answers, come in; the better model takes over while the old one is asked.
    write(tmp_path / "more.jsonl", [*rows(1500, 5), *games])
    with day.served("films@champion", "--log", "evening") as address:
        retrained = day.told("retrain", "films@champion", "--add", "more.jsonl")
        assert retrained["promoted"] and retrained["champion"]["run"] == first
        second = retrained["challenger"]["run"]
        assert changes_to(address, second)
        asked(address, rows(100, 6))
        late = write(tmp_path / "late.jsonl", [*rows(550, 7), *rows(100, 8, of=GAMES, more=12)])
        assert not day.told("monitor", str(late), "--against", "films@champion")["alarm"], "games are nothing new"
        # And back, by one command.
        day.said("runs", "rollback", "films", "--why", "for the test")
        assert changes_to(address, first)
