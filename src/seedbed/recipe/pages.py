"""Reference pages in Markdown, made from the parts' classes: what `seedbed parts` shows and `docs/reference/` holds."""

from __future__ import annotations

import json
from itertools import zip_longest
from typing import Any

from seedbed.core.documents import write_document
from seedbed.core.part import Part, sections


def page(part: type[Part]) -> str:
    """A part's reference page in Markdown: its docstring, options and examples."""
    told = sections(part)
    use = part.model_fields["use"].default
    pieces = [f"# {use} ({part.family})", told.pop("")]
    pieces += [f"## {title.capitalize()}\n\n{text}" for title, text in told.items()]
    if part.extra:
        pieces.append(f"Needs `pip install 'seedbed[{part.extra}]'`.")
    pieces.append("## Options\n\n" + (_options(part.model_json_schema()) or "None."))
    for example in part.examples:
        pieces.append(f"## Example{f': {example.title}' if example.title else ''}")
        pieces.append(f"```yaml\n{write_document(_in_recipe(part.family, {'use': use, **example.options}))}```")
        for name, lines in example.files.items():
            pieces.append(f"`{name}` beside the recipe:\n\n```text\n" + "\n".join(lines) + "\n```")
        pieces += [
            f"{when}:\n\n{_table(rows)}" for when, rows in (("Before", example.before), ("After", example.after))
        ]
    return "\n\n".join(pieces)


def _in_recipe(family: str, part: dict[str, Any]) -> dict[str, Any]:
    """How a part stands in a recipe."""
    if family == "splitters":
        return {"split": part}
    if family == "metrics":
        return {"evaluate": {"metrics": [part["use"]]}}
    return {{"learners": "train", "exporters": "publish"}.get(family, family): [part]}


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
        lines.append(
            f"- `{name}` ({type_of(option, schema.get('$defs', {}))}, {default}): {option.get('description', '')}"
        )
    return "\n".join(lines)


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
    if "anyOf" in option:
        kinds = [type_of(one, shared) for one in option["anyOf"]]
        return " or ".join(kind for kind in dict.fromkeys(kinds) if kind != "null")
    kinds = option.get("type", "")
    if isinstance(kinds, list):
        return " or ".join(_TYPES.get(kind, "anything") for kind in kinds if kind != "null")
    return _TYPES.get(kinds, "anything")
