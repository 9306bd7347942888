"""Scripts of `benchmarks/` are run by hand; what they take from Seedbed is there all the same."""

from __future__ import annotations

import ast
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).parents[2] / "benchmarks").rglob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_what_it_imports_is_there(script: Path) -> None:
    gone = [
        f"{node.module}.{name.name}"
        for node in ast.walk(ast.parse(script.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "seedbed"
        for name in node.names
        if not find_spec(str(node.module))
        or not (hasattr(import_module(str(node.module)), name.name) or find_spec(f"{node.module}.{name.name}"))
    ]
    assert gone == []
