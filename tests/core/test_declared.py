"""What the code imports is what the package asks for."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CODE = sorted((ROOT / "src").rglob("*.py"))


def _canonical(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\s<>=!~;\[]", requirement, maxsplit=1)[0]).lower()


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.partition(".")[0]


def _froms(trees: list[ast.Module]) -> Iterator[ast.ImportFrom]:
    return (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))


def _outside(names: Iterator[str]) -> set[str]:
    return {name for name in names if name not in sys.stdlib_module_names and name != "seedbed"}


def _undeclared(names: set[str], declared: set[str]) -> list[str]:
    brings = packages_distributions()
    return sorted(name for name in names if not {_canonical(dist) for dist in brings.get(name, [])} & declared)


def test_imports_are_declared() -> None:
    core = {_canonical(one) for one in PROJECT["dependencies"]}
    extras = {_canonical(one) for name, of in PROJECT["optional-dependencies"].items() if name != "test" for one in of}
    trees = [ast.parse(path.read_text("utf-8")) for path in CODE]
    everywhere = _outside(name for tree in trees for name in _imported(tree))
    # What is named after a library is imported by those who have it, and programs that are exported are run elsewhere.
    apart = {"seedbed.publish.loading": "loading", "seedbed.publish.shipping.runtimes": "runtimes"}
    ours = [tree for path, tree in zip(CODE, trees, strict=True) if path.parent.name not in apart.values()]
    assert not any(node.module and node.module.startswith(tuple(apart)) for node in _froms(ours))
    on_import = _outside(
        name
        for tree in ours
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in _imported(node)
    )
    assert {"polars", "pydantic"} <= on_import
    assert _undeclared(on_import, core) == []
    assert _undeclared(everywhere, core | extras) == []
