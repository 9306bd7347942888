"""Plugins that are really installed: a distribution on the path of a fresh interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PART = '''
from typing import Literal
import polars as pl
from seedbed.core.step import Map

class {name}(Map):
    """Nothing."""
    use: Literal["{use}"] = "{use}"

    def columns(self):
        return []
'''
SCRIPT = """
import seedbed.steps
from seedbed.core.errors import SeedbedError
from seedbed.core.plugins import load_plugins
from seedbed.core.step import Step
try:
    print(load_plugins() == load_plugins(), *load_plugins(), *sorted(set(Step.catalogue) - set("NAMES".split())))
except SeedbedError as error:
    print(error)
    raise SystemExit(error.exit_code)
"""


def _install(folder: Path, distribution: str, module: str, code: str) -> None:
    info = folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[seedbed.parts]\nmine = {module}\n")
    (folder / f"{module}.py").write_text(code)


def _run(folder: Path) -> subprocess.CompletedProcess[str]:
    known = "import seedbed.steps; from seedbed.core.step import Step; print(*Step.catalogue)"
    names = subprocess.run([sys.executable, "-c", known], capture_output=True, text=True, check=True).stdout.strip()
    return subprocess.run(
        [sys.executable, "-c", SCRIPT.replace("NAMES", names)],
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_plugin_brings_its_parts(tmp_path: Path) -> None:
    counted = "print('imported')\n" + PART.format(name="Shout", use="shout")
    _install(tmp_path, "seedbed-shout", "seedbed_shout", counted)
    _install(tmp_path, "seedbed-whisper", "seedbed_whisper", PART.format(name="Whisper", use="whisper"))
    done = _run(tmp_path)
    assert done.stdout.splitlines() == ["imported", "True seedbed-shout seedbed-whisper shout whisper"], done.stderr


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("raise ValueError", "ValueError: no message"),
        ("def f(:", "SyntaxError: "),
        (PART.format(name="Mine", use="fix_text"), "TypeError: seedbed_bad.Mine: 'fix_text' is already seedbed.steps"),
        (PART.format(name="Mine", use="x") + PART.format(name="Other", use="x"), "'x' is already seedbed_bad"),
    ],
)
def test_a_plugin_that_cannot_be_loaded(tmp_path: Path, code: str, cause: str) -> None:
    _install(tmp_path, "seedbed-bad", "seedbed_bad", code)
    done = _run(tmp_path)
    assert done.returncode == 2
    assert done.stdout.startswith("seedbed-bad (seedbed_bad): this plugin cannot be loaded: ")
    assert cause in done.stdout
    assert "pip install --upgrade seedbed-bad" in done.stdout
    assert len(done.stdout.splitlines()) <= 5
    assert "Traceback" not in done.stdout + done.stderr
