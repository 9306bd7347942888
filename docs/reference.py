"""Writes `docs/reference/` from the code: parts, the recipe, the commands and run.json.

python docs/reference.py            # write the pages
python docs/reference.py --check    # exit with 1, and say which, where a page is stale
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel

from seedbed.cli.app import app
from seedbed.core.part import FAMILIES, Part
from seedbed.core.run import Run
from seedbed.recipe import catalogue
from seedbed.recipe.catalogue import TASKS
from seedbed.recipe.judged_by import JudgedBy
from seedbed.recipe.pages import page, task_page, type_of
from seedbed.recipe.recipe import Recipe
from seedbed.recipe.sections import Evaluate, Gate, Intervals, LearningCurve, Ledger, Thresholds, Waiver

HERE = Path(__file__).parent / "reference"
MADE = "<!-- Made by docs/reference.py from the code: edit that instead. -->"


def pages() -> Iterator[tuple[str, str]]:
    """Each page's path under `docs/reference/`, and its text."""
    ours = [(family, use, part) for family, use, part in catalogue.parts() if part.__module__.startswith("seedbed.")]
    yield "README.md", _index(ours)
    for family, use, part in ours:
        yield f"{family}/{use}.md", page(part)
    for kind, task in TASKS.items():
        yield f"tasks/{kind}.md", task_page(task)
    yield "recipe.md", _recipe()
    yield "commands.md", _commands()
    yield "run.md", _run()


def _index(parts: list[tuple[str, str, type[Part]]]) -> str:
    lines = [
        "# Reference",
        "",
        "[The recipe](recipe.md) · [The commands](commands.md) · [run.json](run.md)",
        "",
        "Everything that a recipe can name, by family. `seedbed parts FAMILY NAME` shows the same pages.",
    ]
    lines += ["", "## Tasks", "", "What a model is to do: which columns it needs, and which rows it can use.", ""]
    lines += [f"- [{kind}](tasks/{kind}.md): {task.summary()}" for kind, task in TASKS.items()]
    for family in dict.fromkeys(family for family, _, _ in parts):
        lines += ["", f"## {family.capitalize()}", "", _first_paragraph(FAMILIES[family]), ""]
        lines += [f"- [{use}]({family}/{use}.md): {part.summary()}" for one, use, part in parts if one == family]
    return "\n".join(lines)


def _first_paragraph(head: type[Part]) -> str:
    return (head.__doc__ or "").strip().split("\n\n")[0].replace("\n    ", " ")


def _recipe() -> str:
    pieces = [
        "# The recipe",
        "A YAML file (1.2). Unknown keys, unknown names and wrong types are refused before anything runs, with the "
        "line and what may be meant. `seedbed schema` prints the JSON Schema for editors; `--set train.1.c=4` "
        "replaces a value for one run. `${env:NAME}` stands for an environment variable and never reaches a log, a "
        "store or a page.",
    ]
    for title, model in (
        ("Sections", Recipe),
        ("evaluate", Evaluate),
        ("evaluate.intervals", Intervals),
        ("evaluate.curve", LearningCurve),
        ("evaluate.thresholds", Thresholds),
        ("evaluate.judged_by", JudgedBy),
        ("gates", Gate),
        ("waive", Waiver),
        ("ledger", Ledger),
    ):
        pieces += [f"## {title}", _fields(model)]
        if model is Recipe:
            kinds = "\n".join(f"- [`kind: {kind}`](tasks/{kind}.md): {task.summary()}" for kind, task in TASKS.items())
            pieces += [
                "## task",
                f"What the model is to do, told by `kind`; each kind has options of its own.\n\n{kinds}",
            ]
    return "\n\n".join(pieces)


_LISTS = {
    key: f"list of [{family}](README.md#{family})"
    for key, family in (
        ("sources", "sources"),
        ("steps", "steps"),
        ("prepare", "steps"),
        ("checks", "checks"),
        ("train", "learners"),
        ("publish", "exporters"),
    )
} | {
    "track": "a [tracker](README.md#trackers), or a list of them",
    "split": "a [splitter](README.md#splitters)",
    "task": "a [task](README.md#tasks)",
}


def _fields(model: type[BaseModel]) -> str:
    schema = model.model_json_schema()
    lines = ["| key | type | default | what |", "|---|---|---|---|"]
    for name, field in schema["properties"].items():
        kind = _LISTS.get(name, "") if model is Recipe else ""
        kind = kind or type_of(field, schema.get("$defs", {}))
        default = "required" if name in schema.get("required", []) else _default(field.get("default"))
        lines.append(f"| `{name}` | {kind} | {default} | {_cell(field.get('description', ''))} |")
    return "\n".join(lines)


def _default(value: Any) -> str:
    return "" if value is None or value in ({}, []) else f"`{json.dumps(value, ensure_ascii=False)}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _commands() -> str:
    group: Any = typer.main.get_command(app)
    pieces = ["# The commands", "`seedbed COMMAND --help` shows the same.", group.epilog]
    for name, command in _each(group):
        pieces.append(f"## seedbed {name}")
        pieces += [command.help, command.epilog]
        if hasattr(command, "commands"):
            continue
        lines = ["| argument or option | default | what |", "|---|---|---|"]
        for one in command.params:
            if one.name == "help":
                continue
            named = ", ".join(one.opts) if one.param_type_name == "option" else one.name.upper()
            given = "required" if one.required else _default(one.default if not callable(one.default) else None)
            lines.append(f"| `{named}` | {given} | {_cell(one.help or '')} |")
        pieces.append("\n".join(lines))
    return "\n\n".join(piece for piece in pieces if piece)


def _each(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Commands, and those of groups after them."""
    for name, command in group.commands.items():
        yield f"{before}{name}", command
        if hasattr(command, "commands"):
            yield from _each(command, f"{before}{name} ")


def _run() -> str:
    schema = Run.model_json_schema()
    pieces = ["# run.json", "The whole run, machine readable; `seedbed schema run` prints its JSON Schema."]
    for title, model in [("Run", schema), *sorted(schema["$defs"].items())]:
        if "properties" not in model:
            continue
        lines = ["| key | type | what |", "|---|---|---|"]
        for name, field in model["properties"].items():
            kind = field.get("$ref") or (field.get("items") or {}).get("$ref") or ""
            linked = kind.rpartition("/")[2]
            shown = f"[{linked}](#{linked.lower()})" if linked else type_of(field, schema["$defs"])
            lines.append(f"| `{name}` | {shown} | {_cell(field.get('description', ''))} |")
        pieces += [f"## {title}", _cell(model.get("description", "")), "\n".join(lines)]
    return "\n\n".join(piece for piece in pieces if piece)


def main(arguments: list[str]) -> int:
    """Write the pages, or check that they are what the code says."""
    wanted = {HERE / path: f"{MADE}\n\n{text.rstrip()}\n" for path, text in pages()}
    there = {path for path in HERE.rglob("*.md")}
    stale = [path for path, text in wanted.items() if path not in there or path.read_text("utf-8") != text]
    extra = sorted(there - set(wanted))
    if "--check" in arguments:
        for path in (*stale, *extra):
            print(f"{path.relative_to(HERE.parent)} is stale: python docs/reference.py", file=sys.stderr)  # noqa: T201
        return 1 if stale or extra else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path], "utf-8")
    for path in extra:
        path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
