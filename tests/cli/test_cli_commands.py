"""The command line as a person meets it: help, catalogue, schemas, errors, exit codes."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import jsonschema
import polars as pl
import pytest
import typer

import seedbed
from seedbed.cli import main
from seedbed.cli.app import app
from seedbed.cli.terminal import clean
from seedbed.core.part import FAMILIES

RECIPE = """\
seedbed: 1
name: tweets
task: {kind: text_classification, text: text, label: sentiment}
sources:
  - {use: csv, path: nothing-here.csv}
"""


def outcome(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command run in this process."""
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    code = caught.value.code
    assert isinstance(code, int)
    return code, out, err


def spawned(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "seedbed", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize("fault", [ZeroDivisionError("a fault"), pl.exceptions.PanicException("a fault")], ids=repr)
def test_a_fault_of_ours_shows_no_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, fault: BaseException
) -> None:
    def fails(**_: object) -> None:
        raise fault

    monkeypatch.setattr("seedbed.cli.app.app", fails)
    code, _, err = outcome(capsys, "parts")
    details = Path(re.search(r"the details are in (\S+)", err).group(1))  # type: ignore[union-attr]
    assert (code, "Traceback" in err, err.count("\n")) == (1, False, 3)
    assert "Traceback" in details.read_text("utf-8")
    details.unlink()


COMMANDS = sorted(typer.main.get_group(app).list_commands(click.Context(click.Command("seedbed"))))


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)], ids=" ".join)
def test_every_command_has_help_with_an_example(capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    code, out, err = outcome(capsys, *command, "--help")
    assert (code, err) == (0, "")
    assert "Example" in out if command else "Exit codes" in out


def test_help_imports_no_part() -> None:
    script = (
        "import sys\n"
        "from seedbed.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print('\\n'.join(sys.modules), file=sys.stderr)\n"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    sys.stdout.write(f"CPU seconds: {after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime:.2f}\n")
    loaded = set(done.stderr.split())
    heavy = {"polars", "pyarrow", "numpy", "pydantic", "duckdb", "sklearn", "scipy", "jinja2", "fsspec", "yaml"}
    rooms = {f"seedbed.{room}" for room in ("recipe", "sources", "steps", "checks", "splits", "train", "flow")}
    assert "seedbed.cli.app" in loaded
    assert not loaded & (heavy | rooms | {"seedbed.core.part"})


def test_a_fault_is_told_where_its_details_cannot_be_kept() -> None:
    script = (
        "import tempfile\n"
        "import seedbed.cli.app as app\n"
        "tempfile.tempdir = '/nowhere/at/all'\n"
        "app.runs.registered_commands[0].callback = lambda: 1 / 0\n"
        "app.main(['runs', 'list'])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "this is a fault in Seedbed" in done.stderr
    assert "ZeroDivisionError: division by zero" in done.stderr
    assert "details cannot be kept" in done.stderr
    assert len(done.stderr.splitlines()) <= 5


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(capsys, "--version") == (0, f"seedbed {seedbed.__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["runn"], "Did you mean 'run'"),
        (["run"], "Missing argument"),
        (["run", "x.yaml", "--wrokers", "2"], "--workers"),
        (["run", "x.yaml", "--workers", "0"], "--workers"),
        (["run", "x.yaml", "--workers", "many"], "--workers"),
        (["run", "x.yaml", "--batch", "0"], "--batch"),
        (["run", "x.yaml", "y.yaml"], "y.yaml"),
        (["schema", "rn"], "did you mean 'run'?"),
        (["parts", "stps"], "did you mean 'steps'?"),
        (["parts", "steps", "text_lenght"], "did you mean 'text_length'?"),
        (["parts", "tasks", "chatt"], "did you mean 'chat'?"),
        (["parts", "xqzzz"], "families: tasks, "),
        (["parts", "text_lenght"], "did you mean 'text_length'?"),
    ],
)
def test_wrong_command_lines_exit_with_2(capsys: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    code, out, err = outcome(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert words in err
    assert len(err.splitlines()) <= 5


def test_no_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = outcome(capsys)
    assert code == 2
    assert "Usage" in out + err
    assert "error" not in err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("steps:\n\t- x\n", "recipe.yaml:7:1: a tab cannot indent YAML"),
        ("step: []\n", "recipe.yaml:6: step: there is no such key"),
        ("steps: [{use: accuracy}]\n", "recipe.yaml:6: steps.0.use: 'accuracy' is a metric, not a step"),
        ("split: {use: stratified, train: 0.9}\n", "recipe.yaml:6: split: the shares"),
        ("'\\e]0;pwned\\a': 1\n", "recipe.yaml:6: "),
    ],
)
def test_wrong_recipes_exit_with_2_and_leave_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("recipe.yaml").write_text(RECIPE + text)
    code, out, err = outcome(capsys, "run", "recipe.yaml", "--out", "out", "--json")
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {words}")
    assert len(err.splitlines()) <= 5
    assert "\x1b" not in err
    assert os.listdir() == ["recipe.yaml"]


def test_overrides_reach_the_recipe(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    code, _, err = outcome(capsys, "run", tmp_path / "recipe.yaml", "--set", "split.seed=1", "--set", "split.tran=1")
    assert code == 2
    assert err.splitlines() == [
        "error: --set split.tran=1: split.tran: there is no such option of stratified",
        "  hint: did you mean 'train'?",
    ]


def test_parts_as_json_is_the_whole_catalogue(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = outcome(capsys, "parts", "--json")
    found = json.loads(out)
    assert code == 0
    assert {(part["family"], part["use"]) for part in found} == {
        (family, use) for family, head in FAMILIES.items() for use in head.catalogue
    }
    for part in found:
        assert set(part) == {"family", "use", "summary", "extra", "schema"}
        assert part["summary"]
        jsonschema.Draft202012Validator.check_schema(part["schema"])


def test_parts_lists_and_shows_pages(capsys: pytest.CaptureFixture[str]) -> None:
    listed = outcome(capsys, "parts", "steps")[1]
    assert "text_length" in listed and "accuracy" not in listed
    shown = outcome(capsys, "parts", "steps", "text_length")[1]
    assert shown == outcome(capsys, "parts", "text_length")[1] == outcome(capsys, "parts", "step", "text_length")[1]
    for words in ("# text_length (steps)", "## Why", "## Limits", "- `at_least` (whole number", "- use: text_length"):
        assert words in shown


def test_every_part_has_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    for family, head in FAMILIES.items():
        for use in head.catalogue:
            code, out, _ = outcome(capsys, "parts", family, use)
            assert code == 0
            assert out.startswith(f"# {use} ({family})")


@pytest.mark.parametrize("what", ["recipe", "run"])
def test_schemas_are_valid(capsys: pytest.CaptureFixture[str], what: str) -> None:
    code, out, _ = outcome(capsys, "schema", what)
    assert code == 0
    found = json.loads(out)
    jsonschema.Draft202012Validator.check_schema(found)
    assert found["$schema"].endswith("2020-12/schema")


def test_whoever_stops_reading_hears_no_complaint() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "seedbed", "parts", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout and process.stderr
        process.stdout.close()
        assert process.stderr.read() == ""


def test_ctrl_c_exits_with_130_and_one_line(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    os.mkfifo(recipe)  # the command waits for somebody to write the recipe
    command = [sys.executable, "-m", "seedbed", "run", str(recipe)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process, recipe.open("w"):
        # `open` returned, so the command reads, and waits
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert len(err.splitlines()) == 1
    assert "goes on where this one stopped" in err


PLUGIN = """
from typing import Literal
from pydantic import model_validator
from seedbed.core.step import Map

class Faulty(Map):
    '''Fails.'''
    use: Literal["faulty"] = "faulty"

    @model_validator(mode="after")
    def _fails(self):
        raise ZeroDivisionError("\\x1b[31mbroken")

    def columns(self):
        return []
"""


def test_a_fault_of_a_part_shows_no_traceback_but_keeps_one(tmp_path: Path) -> None:
    (tmp_path / "faulty.py").write_text(PLUGIN)
    info = tmp_path / "faulty-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: faulty\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[seedbed.parts]\nfaulty = faulty\n")
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE + "steps: [{use: faulty}]\n")
    inherited = os.environ.get("PYTHONPATH")
    path = os.pathsep.join([str(tmp_path), *([inherited] if inherited else [])])
    done = spawned("run", recipe, PYTHONPATH=path, TMPDIR=str(tmp_path))
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
    assert "Traceback" not in done.stderr and "\x1b" not in done.stderr
    assert len(done.stderr.splitlines()) <= 5
    (details,) = tmp_path.glob("seedbed-*.txt")
    assert str(details) in done.stderr
    assert "Traceback" in details.read_text()


def test_a_terminal_that_cannot_show_a_character_is_no_obstacle(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE + "日: 3\n", encoding="utf-8")
    done = spawned("run", recipe, PYTHONIOENCODING="latin-1")
    assert done.returncode == 2
    assert ":6: ?: there is no such key" in done.stderr


def test_text_cannot_steer_the_terminal() -> None:
    assert clean("a\x1b[2Jb\x07\x9b31mc\u202etxt\r\n\td") == "a�[2Jb��31mc�txt�\n\td"
