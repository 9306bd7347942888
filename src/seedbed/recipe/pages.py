"""Reference pages in Markdown, made from the parts' classes: what `seedbed parts` shows and `docs/reference/` holds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any

from seedbed.core.documents import write_document
from seedbed.core.learner import who_learns
from seedbed.core.metric import what_measures
from seedbed.core.part import INLINE, Part, sections
from seedbed.core.search import Range
from seedbed.core.step import Fitted, Make
from seedbed.core.task import Says, Task
from seedbed.evaluate import USUAL_METRICS
from seedbed.train import USUAL

#: Names of options that tell apart what another option may be.
_TOLD_BY = ("kind", "use")


def page(part: type[Part]) -> str:
    """A part's reference page in Markdown: its docstring, options and examples."""
    told = sections(part)
    use = part.model_fields["use"].default
    pieces = [f"# {use} ({part.family})", told.pop("")]
    pieces += [f"## {title.capitalize()}\n\n{text}" for title, text in told.items()]
    if part.extra:
        pieces.append(f"Needs `pip install 'seedbed[{part.extra}]'`.")
    schema = part.model_json_schema()
    pieces.append("## Options\n\n" + (_options(schema) or "None."))
    pieces += [f"### {name}\n\n{told}" for name, told in _ways(schema)]
    for example in part.examples:
        pieces.append(f"## Example{f': {example.title}' if example.title else ''}")
        pieces.append(f"```yaml\n{write_document(_in_recipe(part, {'use': use, **example.options}))}```")
        for name, lines in example.files.items():
            pieces.append(f"`{name}` beside the recipe:\n\n```text\n" + "\n".join(lines) + "\n```")
        pieces += [
            f"{when}:\n\n{_table(rows)}" for when, rows in (("Before", example.before), ("After", example.after))
        ]
    return "\n\n".join(pieces)


def task_page(task: type[Task]) -> str:
    """A task's reference page in Markdown: its docstring, what it reads, and rows as it takes or refuses them."""
    told, schema = sections(task), task.model_json_schema()
    kind = task.model_fields["kind"].default
    pieces = [f"# {kind} (tasks)", told.pop("")]
    pieces += [f"## {title.capitalize()}\n\n{text}" for title, text in told.items()]
    del schema["properties"]["kind"]
    pieces.append("## Options\n\n" + _options(schema))
    pieces += [f"### {name}\n\n{ways}" for name, ways in _ways(schema)]
    pieces.append(_models(kind, task.says))
    for example in task.examples:
        after = {name: values for name, values in example.after.items() if name != "refused"}
        rows = {**example.before, **{f"{name} (after)": values for name, values in after.items()}}
        pieces.append(f"## Example{f': {example.title}' if example.title else ''}")
        pieces.append(f"```yaml\n{write_document({'task': {'kind': kind, **example.options}})}```")
        refused = [one or "" for one in example.after["refused"]]
        pieces.append(f"The rows, and why one is refused:\n\n{_table({**rows, 'refused': refused})}")
    return "\n\n".join(pieces)


def _models(kind: str, says: Says) -> str:
    """Who learns a task, and what is measured."""
    learners, metrics = who_learns(kind), what_measures(says)
    usual = ", ".join(f"`{use}`" for use in USUAL.get(kind, ())) or "nobody, because what it costs hangs on the data"
    return (
        f"## Models\n\nIt is learned by {_links('learners', learners)}. Where a recipe names no learner: {usual}.\n\n"
        f"It is measured by {_links('metrics', metrics)}. Where a recipe names no metric: "
        f"{', '.join(f'`{name}`' for name in USUAL_METRICS[says])}; the first decides."
    )


def _links(family: str, names: Sequence[str]) -> str:
    return ", ".join(f"[`{name}`](../{family}/{name}.md)" for name in names)


def _in_recipe(part: type[Part], told: dict[str, Any]) -> dict[str, Any]:
    """How a part stands in a recipe."""
    if part.family == "splitters":
        return {"split": told}
    if part.family == "metrics":
        return {"evaluate": {"metrics": [told["use"]]}}
    if issubclass(part, Fitted | Make):
        return {"prepare": [told]}
    return {{"learners": "train", "exporters": "publish", "trackers": "track"}.get(part.family, part.family): [told]}


def _table(columns: dict[str, list[Any]]) -> str:
    """A Markdown table; columns may differ in length."""
    rows = zip_longest(*columns.values(), fillvalue="")
    lines = [list(columns), ["---"] * len(columns), *([_cell(value) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: Any) -> str:
    text = (
        value if isinstance(value, str) and value.isprintable() else json.dumps(value, ensure_ascii=False, default=str)
    )
    return text.replace("|", "\\|")


def _options(schema: dict[str, Any]) -> str:
    required = schema.get("required", [])
    lines = []
    for name, option in schema["properties"].items():
        if name == "use":
            continue
        default = "required" if name in required else f"default `{json.dumps(option.get('default'))}`"
        told = f"{option.get('description', '')}{_searched(option)}"
        lines.append(f"- `{name}` ({type_of(option, schema.get('$defs', {}))}, {default}): {told}")
    return "\n".join(lines)


def _searched(option: dict[str, Any]) -> str:
    """Where `tuned` looks for its best value, where the option says that."""
    if "search" not in option:
        return ""
    space = option["search"]
    told = ", ".join(map(json.dumps, space)) if isinstance(space, list) else str(Range(**space))
    return f" `tuned` searches {told}."


def _ways(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Of each option that is a mapping with keys of its own its name and what they are, way by way where there are
    several, told apart by `kind` or `use`."""
    shared = schema.get("$defs", {})
    for name, option in schema["properties"].items():
        told = []
        for way in _mappings(option, shared):
            by = next((key for key in _TOLD_BY if "const" in way["properties"].get(key, {})), "")
            lines = _options({**way, "properties": {key: one for key, one in way["properties"].items() if key != by}})
            found = way["properties"].get(by, {})
            told += [f"`{by}: {found['const']}`: {found.get('description', '')}" if by else "", lines]
        if told:
            yield name, "\n\n".join(filter(None, told))


def _mappings(option: dict[str, Any], shared: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The mappings with known keys that an option may be; other parts are none of them."""
    if "$ref" in option:
        option = shared[option["$ref"].rpartition("/")[2]]
    for one in (*option.get("anyOf", ()), *option.get("oneOf", ())):
        yield from _mappings(one, shared)
    if "properties" in option and ("use" not in option["properties"] or option.get(INLINE)):
        yield option


_TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "array": "list",
    "object": "mapping",
    "null": "null",
}


def type_of(option: dict[str, Any], shared: dict[str, Any]) -> str:
    """A JSON Schema type in words."""
    if "$ref" in option:
        return type_of(shared[option["$ref"].rpartition("/")[2]], shared)
    if "const" in option or "enum" in option:
        return ", ".join(f"`{json.dumps(v)}`" for v in option.get("enum", [option.get("const")]))
    if "anyOf" in option or "oneOf" in option:
        kinds = [type_of(one, shared) for one in option.get("anyOf") or option["oneOf"]]
        return " or ".join(kind for kind in dict.fromkeys(kinds) if kind != "null")
    kinds = option.get("type", "")
    if isinstance(kinds, list):
        return " or ".join(_TYPES.get(kind, "anything") for kind in kinds if kind != "null")
    return _TYPES.get(kinds, "anything")
