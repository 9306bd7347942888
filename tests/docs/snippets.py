"""Runs the fenced blocks of a page from top to bottom in an empty folder, as a reader who types them would.

The word after the fence says what a block is:

* ```` ```LANGUAGE file=NAME ````: the file of that name;
* ```` ```sh ````: commands, all of which succeed;
* ```` ```console ````: `$ COMMAND` and what it prints; `…` stands for anything, also for lines in between;
* ```` ```python ````: a script that runs by itself;
* ```` ```yaml ````: sections of a recipe, each part of which is accepted;
* ```` ```text ````: only shown.

A block inside an HTML comment is run, too: that is how a page gets data that its reader has anyway.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from seedbed.core.part import FAMILIES
from seedbed.recipe.recipe import Recipe

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```(\w+)?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SECTIONS = {"split": "splitters", "train": "learners", "publish": "exporters", "prepare": "steps"}


@dataclass(frozen=True)
class Block:
    """A fenced block."""

    page: Path
    line: int
    language: str
    said: str
    body: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def file(self) -> str | None:
        found = re.search(r"\bfile=(\S+)", self.said)
        return found[1] if found else None


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page."""
    text = page.read_text("utf-8")
    for found in _FENCE.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        yield Block(page, line, found[1] or "", found[2], found[3])


def run(block: Block, folder: Path) -> None:
    """Do what a reader would do with a block."""
    if block.file:
        path = folder / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.body, "utf-8")
    elif block.language == "sh":
        _shell(block, block.body, folder)
    elif block.language == "console":
        for command, expected in _commands(block.body):
            _compare(block, expected, _shell(block, command, folder, may_fail=True))
    elif block.language == "python":
        _shell(
            block, f"{shlex.quote(sys.executable)} -W error::DeprecationWarning -c {shlex.quote(block.body)}", folder
        )
    elif block.language == "yaml":
        _accepted(yaml.safe_load(block.body))
    else:
        assert block.language == "text", f"{block}: what is {block.language!r}? See tests/docs/snippets.py"


def _shell(block: Block, script: str, folder: Path, *, may_fail: bool = False) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SEEDBED", "COV"))}
    environment |= {"PATH": path, "PYTHONPATH": str(folder / "site"), "PIP_TARGET": str(folder / "site")}
    environment |= {"PIP_NO_BUILD_ISOLATION": "false", "PIP_NO_DEPS": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    environment |= {"COLUMNS": "100", "PYTHONUTF8": "1"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=550,
    )  # fmt: skip
    assert may_fail or done.returncode == 0, f"{block}: exit code {done.returncode}\n{script}\n{done.stdout}"
    return done.stdout


def _commands(body: str) -> Iterator[tuple[str, str]]:
    for piece in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        command, _, printed = piece.partition("\n")
        yield command, printed


def _compare(block: Block, expected: str, printed: str) -> None:
    pattern = "".join(".*?" if piece == "…" else re.escape(piece) for piece in re.split("(…)", expected.strip()))
    assert re.fullmatch(pattern, printed.strip(), re.DOTALL), f"{block}: printed was\n{printed}\nnot\n{expected}"


def _accepted(sections: Any) -> None:
    """Every part in some sections of a recipe is one that Seedbed has, with options that it takes."""
    assert isinstance(sections, dict), "a recipe is a mapping"
    for name, value in sections.items():
        assert name in Recipe.model_fields, name
        family = _SECTIONS.get(name, name)
        for part in value if isinstance(value, list) else [value]:
            if family in FAMILIES:
                FAMILIES[family].catalogue[part["use"]].model_validate(part)
    if "task" in sections and "sources" in sections:
        Recipe.model_validate({"seedbed": 1, "name": "x", **sections})
