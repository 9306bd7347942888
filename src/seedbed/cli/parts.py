"""`seedbed parts`: the catalogue, and the page of a part."""

from __future__ import annotations

import json
import sys
from itertools import zip_longest
from typing import Any

from seedbed.core.documents import write_document
from seedbed.core.errors import RecipeError, did_you_mean
from seedbed.core.part import FAMILIES, Part, sections

from .terminal import clean, say


def show_parts(family: str | None, name: str | None, *, as_json: bool) -> None:
    """Print the catalogue, a family of it, or a part's page.

    Raises:
        RecipeError: There is no such family or part.
    """
    from seedbed.recipe import catalogue

    family, name = _meant(family, name)
    found = [part for _, use, part in catalogue.parts(family) if name in (None, use)]
    if name is not None and not found:
        known = FAMILIES[family].catalogue if family else {}
        raise RecipeError(f"{family} has no {name[:40]!r}", at="seedbed parts", hint=did_you_mean(name, known))
    if as_json:
        say(json.dumps([catalogue.entry(part) for part in found], indent=2, ensure_ascii=False))
    elif name is not None:
        _show_markdown("\n\n".join(page(part) for part in found))
    else:
        say(listing(found))


def _meant(family: str | None, name: str | None) -> tuple[str | None, str | None]:
    """The family and name that were meant: `step` is `steps`, and a part's name alone will do."""
    if family is None or family in FAMILIES:
        return family, name
    if f"{family}s" in FAMILIES:
        return f"{family}s", name
    if name is None and any(family in head.catalogue for head in FAMILIES.values()):
        return None, family
    names = [*FAMILIES, *(use for head in FAMILIES.values() for use in head.catalogue)]
    raise RecipeError(
        f"there is no family or part {family[:40]!r}", at="seedbed parts", hint=did_you_mean(family, names)
    )


def listing(parts: list[type[Part]]) -> str:
    """Names and summaries, by family."""
    width = max((len(part.model_fields["use"].default) for part in parts), default=0)
    lines: list[str] = []
    for family in dict.fromkeys(part.family for part in parts):
        lines += ["", family] if lines else [family]
        for part in parts:
            if part.family == family:
                extra = f" (pip install 'seedbed[{part.extra}]')" if part.extra else ""
                lines.append(f"  {part.model_fields['use'].default:<{width}}  {part.summary()}{extra}")
    return "\n".join(lines)


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
    text = value if isinstance(value, str) and value.isprintable() else json.dumps(value, ensure_ascii=False)
    return text.replace("|", "\\|")


def _options(schema: dict[str, Any]) -> str:
    required = schema.get("required", [])
    lines = []
    for name, option in schema["properties"].items():
        if name == "use":
            continue
        default = "required" if name in required else f"default `{json.dumps(option.get('default'))}`"
        lines.append(
            f"- `{name}` ({_type(option, schema.get('$defs', {}))}, {default}): {option.get('description', '')}"
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


def _type(option: dict[str, Any], shared: dict[str, Any]) -> str:
    if "$ref" in option:
        return _type(shared[option["$ref"].rpartition("/")[2]], shared)
    if "const" in option or "enum" in option:
        return ", ".join(f"`{json.dumps(v)}`" for v in option.get("enum", [option.get("const")]))
    if "anyOf" in option:
        kinds = [_type(one, shared) for one in option["anyOf"]]
        return " or ".join(kind for kind in dict.fromkeys(kinds) if kind != "null")
    return _TYPES.get(option.get("type", ""), "anything")


def _show_markdown(text: str) -> None:
    if not sys.stdout.isatty():
        say(text)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console(width=min(Console().width, 100)).print(Markdown(clean(text), hyperlinks=False))
