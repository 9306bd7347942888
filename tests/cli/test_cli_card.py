"""`seedbed card`: asked at a real terminal, told without one, answered by a script."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from seedbed.cli import main

Type = Callable[..., tuple[int, str, str]]
RECIPE = """seedbed: 1
name: reviews
task: {kind: text_classification, text: body, label: stars}
sources: [{use: csv, path: reviews.csv}]
"""
CARD = "# mine\nlicense: MIT # as the source\nlanguages: en\n"


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Type:
    """Types a command beside a recipe and its card: exit code, output, complaints."""
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    (tmp_path / "card.yaml").write_text(CARD)
    (tmp_path / "reviews.csv").write_text("body,stars\na,b\n")
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, err = capfd.readouterr()
        return int(ended.value.code or 0), out, err

    return command


def test_without_a_terminal_it_says_how_the_card_stands(typed: Type) -> None:
    code, out, err = typed("card", "recipe.yaml")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].endswith("card.yaml: 2 of 6 required, 2 of 34 in all")
    assert "dataset card 2 of 18" in lines[1] and "data statement 1 of 15" in lines[1]
    assert [line.split(":")[1].strip() for line in lines if line.startswith("open: ")] == [
        "collected",
        "intended_uses",
        "sensitive",
        "contact",
    ]


def test_a_script_answers_and_reads_json(typed: Type, tmp_path: Path) -> None:
    sets = ("--set", "contact=me", "--set", "biases=one", "--set", "biases=two: three", "--set", "languages=")
    code, out, _ = typed("card", "recipe.yaml", *sets, "--json")
    state = json.loads(out)
    assert code == 0 and state["required"] == {"answered": 2, "of": 6}
    asked = {one["key"]: one for one in state["questions"]}
    assert asked["biases"]["answer"] == "- one\n- two: three" and not asked["languages"]["answered"]
    assert asked["contact"]["papers"] == {"card": "contact", "datasheet": "Maintenance", "croissant": "creator"}
    assert (tmp_path / "card.yaml").read_text() == (
        "# mine\nlicense: MIT # as the source\nlanguages:\ncontact: me\nbiases:\n- one\n- 'two: three'\n"
    )


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("recipe.yaml", "--set", "licence=MIT"), 2, "did you mean 'license'"),
        (("recipe.yaml", "--set", "license"), 2, "is not KEY=ANSWER"),
        (("recipe.yaml", "--set", "languages=English"), 2, "no language code"),
        (("recipe.yaml", "--confirm", "license"), 2, "no run"),
        (("recipe.yaml", "--render", "papers"), 3, "name a run"),
        (("nothing.yaml",), 2, "there is no such recipe"),
        (("nothing",), 3, "there is no such folder"),
    ],
)
def test_what_cannot_be_done_is_told_and_changes_nothing(
    typed: Type, tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    found, out, err = typed("card", *arguments)
    assert (found, out) == (code, "") and said in err and len(err.splitlines()) <= 5
    assert (tmp_path / "card.yaml").read_text() == CARD
    assert not (tmp_path / "papers").exists()


def test_the_schema_knows_every_question(typed: Type) -> None:
    import jsonschema
    import yaml

    code, out, _ = typed("schema", "card")
    schema = json.loads(out)
    assert code == 0
    check = jsonschema.Draft202012Validator(schema).is_valid
    assert check(yaml.safe_load(CARD)) and check({"biases": ["a", "b"], "timeframe": ["2024", "2025"]})
    assert not check({"licence": "MIT"}) and not check({"license": 3})
    told = schema["properties"]["speakers"]
    assert "Goes to: data statement (C), datasheet (Composition)" in told["description"] and told["examples"]


class Terminal:
    """A process at a terminal of its own."""

    def __init__(self, end: int, process: subprocess.Popen[bytes]) -> None:
        self.end, self.process, self.seen = end, process, ""

    def wait_for(self, text: str) -> str:
        """All that was shown up to a text, since the last time."""
        until = time.monotonic() + 30
        while text not in self.seen:
            assert time.monotonic() < until, self.seen
            if select.select([self.end], [], [], 0.2)[0]:
                try:
                    self.seen += os.read(self.end, 65_536).decode()
                except OSError:  # the other end is gone
                    break
        before, _, self.seen = self.seen.partition(text)
        return before.replace("\r\n", "\n")

    def type(self, text: str) -> None:
        os.write(self.end, text.encode())


@contextmanager
def terminal(*command: str) -> Iterator[Terminal]:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "dumb", "COLUMNS": "200"}
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, close_fds=True)
    os.close(theirs)
    try:
        yield Terminal(ours, process)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def test_at_a_terminal_it_asks_what_is_open_and_keeps_what_was_answered(typed: Type, tmp_path: Path) -> None:
    with terminal(sys.executable, "-m", "seedbed", "card", "recipe.yaml") as screen:
        first = screen.wait_for("> ")
        assert "2 of 6 required" in first and "1 of 32: How was the data collected" in first
        assert "[required]" in first and "used in: dataset card (source)" in first and "such as: " in first
        screen.type("By hand,\n")
        screen.type("in 2024.\n\n")  # an empty line ends it
        assert "2 of 32: What is the dataset meant" in screen.wait_for("\n> ")
        screen.type("\n")  # left open
        assert "3 of 32: Does it hold personal" in screen.wait_for("\n> ")
        screen.type(":b\n")
        assert "2 of 32" in screen.wait_for("\n> ")
        screen.type("tests # of \x01cards\n\n")
        screen.wait_for("\n> ")
        screen.type("nothing\n\n")
        assert "4 of 32" in screen.wait_for("\n> ")
        screen.type(":q\n")
        assert "4 of 6 required" not in screen.wait_for("5 of 6 required")
        assert screen.process.wait(30) == 0
    text = (tmp_path / "card.yaml").read_text()
    assert text.startswith(CARD) and "collected: |-\n  By hand,\n  in 2024.\n" in text
    assert "intended_uses: 'tests # of" in text and "sensitive: nothing\n" in text


def test_what_is_no_answer_is_asked_again_and_ctrl_c_keeps_the_rest(typed: Type, tmp_path: Path) -> None:
    (tmp_path / "card.yaml").write_text("license: MIT\n")
    with terminal(sys.executable, "-m", "seedbed", "card", "recipe.yaml") as screen:
        screen.wait_for("> ")
        screen.type("English\n")
        assert "no language code" in screen.wait_for("1 of 33: Which languages")
        screen.wait_for("\n> ")
        screen.type("en\n")
        screen.wait_for("2 of 33")
        screen.wait_for("\n> ")
        screen.process.send_signal(signal.SIGINT)  # as the terminal does on Ctrl-C
        screen.wait_for("nothing half-written is left")
        assert screen.process.wait(30) == 130
    assert (tmp_path / "card.yaml").read_text() == "license: MIT\nlanguages: [en]\n"
