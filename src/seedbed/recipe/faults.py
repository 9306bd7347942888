"""What is wrong with a recipe, in words that its writer uses: place, problem, way out; five lines at most."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from seedbed.core.documents import KeyPath
from seedbed.core.errors import RecipeError, did_you_mean
from seedbed.core.part import FAMILIES, Part

#: Faults that are shown; the others are counted.
MOST = 4

#: What one member of a family is called.
ONE_OF = {
    "sources": "a source",
    "steps": "a step",
    "checks": "a check",
    "splitters": "a splitter",
    "learners": "a learner",
    "metrics": "a metric",
    "exporters": "an exporter",
    "trackers": "a tracker",
}

_NEEDS = {
    "string": "text",
    "int": "a whole number",
    "float": "a number",
    "finite": "a finite number",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "set": "a list",
    "frozen": "a list",
    "dict": "a mapping",
    "mapping": "a mapping",
    "model": "a mapping",
    "none": "null",
}
_LIMITS = {
    "greater_than": ("above", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("below", "lt"),
    "less_than_equal": ("at most", "le"),
}


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong."""

    path: KeyPath
    problem: str
    hint: str = ""


def fault(problem: str, hint: str = "") -> PydanticCustomError:
    """An error for a validator to raise, with a way out."""
    return PydanticCustomError("seedbed", "{problem}", {"problem": problem, "hint": hint})


def several(title: str, faults: Iterable[Fault]) -> ValidationError:
    """An error for a model's validator to raise: faults at places below it."""
    details = [InitErrorDetails(type=fault(f.problem, f.hint), loc=f.path, input=None) for f in faults]
    return ValidationError.from_exception_data(title, details)


def refusal(faults: Sequence[Fault], place: Callable[[KeyPath], str], line: Callable[[KeyPath], int]) -> RecipeError:
    """One error for all faults, in the order of the lines that they are about.

    Args:
        faults: At least one.
        place: Where a path stands, for a person.
        line: Number to sort by.
    """
    ordered = sorted(
        (Fault(f.path, _on_a_line(f.problem), _on_a_line(f.hint)) for f in faults), key=lambda f: line(f.path)
    )
    if len(ordered) == 1:
        only = ordered[0]
        return RecipeError(only.problem, at=place(only.path), hint=only.hint)
    shown = ordered if len(ordered) <= MOST + 1 else ordered[:MOST]
    lines = [f"{place(f.path)}: {f.problem}{f' ({f.hint})' if 0 < len(f.hint) <= 80 else ''}" for f in shown]
    if len(ordered) > len(shown):
        lines.append(f"and {len(ordered) - len(shown)} more")
    return RecipeError("\n".join(lines))


def _on_a_line(text: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:300])


def dotted(path: KeyPath) -> str:
    """A path as a person writes it: `steps.2.column`."""
    return ".".join((str(key) if str(key).isprintable() else repr(key))[:60] for key in path)


def faults_of(error: ValidationError, model: type[BaseModel], data: Any) -> list[Fault]:
    """What pydantic found wrong with `data`, told with the paths of `data`.

    An option that may be one of several types fails once per type: where one type got further than the others, only
    what is wrong with that one is told. A list is not called too short because its items are wrong.
    """
    found = [_Found.of(details, data) for details in error.errors(include_url=False)]
    faults: list[Fault] = []
    for path in dict.fromkeys(f.path for f in found):
        here = [f for f in found if f.path == path]
        deeper = any(len(f.path) > len(path) and f.path[: len(path)] == path for f in found)
        certain = [f for f in here if not f.branch and not (deeper and f.details["type"] == "too_short")]
        told = certain or ([] if deeper else here)
        faults += _told(path, told, model, data) if told else []
    return faults


@dataclass(frozen=True)
class _Found:
    """An error of pydantic at a path of the data."""

    path: KeyPath
    branch: bool
    """Whether it is about one type of several that the option may have."""
    details: ErrorDetails
    value: Any

    @classmethod
    def of(cls, details: ErrorDetails, data: Any) -> _Found:
        """Follow pydantic's location through the data; what is not in the data names a part or a type."""
        path: list[int | str] = []
        here, tagged, branch = data, False, False
        for key in details["loc"]:
            branch = False
            if isinstance(here, Mapping) and here.get("use") == key and not tagged:
                tagged = True
            elif (isinstance(here, Mapping) and key in here) or (
                isinstance(here, list | tuple) and isinstance(key, int) and key < len(here)
            ):
                here, tagged = here[key], False  # type: ignore[index]
                path.append(key)
            else:
                branch = details["type"] not in ("missing", "seedbed")
        return cls(tuple(path), branch, details, here)


def _told(path: KeyPath, found: list[_Found], model: type[BaseModel], data: Any) -> list[Fault]:
    missing = [str(f.details["loc"][-1]) for f in found if f.details["type"] == "missing"]
    others = [f for f in found if f.details["type"] != "missing"]
    faults = []
    if missing:
        option = options_at(model, data, path).get(missing[0])
        faults.append(Fault(path, f"needs {' and '.join(map(repr, missing))}", _about_option(missing[0], option)))
    needs = list(dict.fromkeys(need for f in others if (need := _need(f.details))))
    if len(others) > 1 and needs:
        faults.append(Fault(path, f"{' or '.join(needs)} is needed here, this is {shown(others[0].value)}"))
        return faults
    return faults + [_one(path, f, model, data) for f in others]


def _about_option(name: str, option: FieldInfo | None) -> str:
    if option is None:
        return ""
    if get_origin(option.annotation) is Literal:
        return f"{name}: {' or '.join(map(str, get_args(option.annotation)))}"
    return f"{name}: {option.description}" if option.description else ""


def _one(path: KeyPath, found: _Found, model: type[BaseModel], data: Any) -> Fault:
    about_name = _about_name(path, found, model, data)
    if about_name:
        return about_name
    kind, context = found.details["type"], found.details.get("ctx", {})
    if kind == "seedbed":
        return Fault(path, context["problem"], context["hint"])
    if kind == "string_pattern_mismatch" and "{env:" in context["pattern"]:  # it may be the secret itself
        return Fault(path, "a secret does not stand in a recipe", "write ${env:NAME}, and set NAME in the environment")
    need = _need(found.details)
    if need:
        hint = _type_hint(need, found.value, family_at(model, data, path), context)
        return Fault(path, f"{need} is needed here, this is {shown(found.value)}", hint)
    return Fault(path, _about_value(kind, context, found))


def _about_name(path: KeyPath, found: _Found, model: type[BaseModel], data: Any) -> Fault | None:
    """What is wrong with a key, or with the name of a part."""
    kind = found.details["type"]
    if kind == "extra_forbidden":
        return _unknown_key(path, model, data)
    if kind.startswith("union_tag"):
        family = family_at(model, data, path)
        if not family:
            return _unknown_kind(path, model, data, found.details.get("ctx", {}))
        if kind == "union_tag_invalid":
            return _unknown_part((*path, "use"), found.value["use"], family)
        return Fault(path, *unnamed(family, found.value))
    if kind == "literal_error" and path[-1:] == ("use",):
        return _unknown_part(path, found.value, family_at(model, data, path[:-1]))
    return None


def _about_value(kind: str, context: Mapping[str, Any], found: _Found) -> str:
    """What is wrong with a value of the right type."""
    if kind in _LIMITS:
        word, key = _LIMITS[kind]
        return f"must be {word} {context[key]:g}, this is {found.value}"
    if kind == "string_pattern_mismatch":
        return f"{str(found.value)[:40]!r} does not fit the pattern {context['pattern']}"
    if kind == "value_error":
        return str(context["error"])
    if kind in ("string_too_short", "too_short") and context["min_length"] == 1:
        return "must not be empty"
    if kind == "too_short":
        return f"must have at least {context['min_length']} items, this has {context['actual_length']}"
    return found.details["msg"].partition("\n")[0]


def _need(details: ErrorDetails) -> str:
    kind = details["type"]
    if kind == "literal_error":
        return str(details["ctx"]["expected"]).replace("False", "false").replace("True", "true")
    if kind.endswith(("_type", "_parsing", "_parsing_size", "_from_float", "_required", "_number")):
        return _NEEDS.get(kind.partition("_")[0], "")
    return ""


def _type_hint(need: str, value: Any, family: str, context: Mapping[str, Any]) -> str:
    simple = isinstance(value, str | int | float) and not isinstance(value, bool)
    hint = ""
    if need == "text" and (simple or isinstance(value, bool)):
        hint = f"put it in quotes: '{str(value).lower() if isinstance(value, bool) else value}'"
    elif need == "a list" and simple:
        hint = f"write [{str(value)[:40]}]"
    elif need == "a list":
        hint = "write [], or remove the key" if value is None else "start items with '- '"
    elif need == "a mapping" and family and isinstance(value, str):
        hint = f"write {{use: {value[:40]}}}"
    elif "expected" in context and isinstance(value, str):
        meant = did_you_mean(value, re.findall(r"'([^']*)'", context["expected"]))
        hint = meant if meant.startswith("did") else ""
    return hint


def _unknown_key(path: KeyPath, model: type[BaseModel], data: Any) -> Fault:
    key = str(path[-1])
    part = model_at(model, data, path[:-1])
    what = "key"
    if part is not None and issubclass(part, Part):
        what = f"option of {part.model_fields['use'].default}"
        if key.lower() in part.elsewhere:
            return Fault(path, f"there is no such {what}", part.elsewhere[key.lower()])
    return Fault(path, f"there is no such {what}", did_you_mean(key, options_at(model, data, path[:-1])))


def _unknown_kind(path: KeyPath, model: type[BaseModel], data: Any, context: Mapping[str, Any]) -> Fault:
    """Of options that may be one of several kinds."""
    models = [one for one in _models_at((model,), data, path) if _told_by(one)]
    key = _told_by(models[0]) if models else "kind"
    kinds = [str(one.model_fields[key].default) for one in models]
    if "tag" not in context:
        return Fault(path, f"needs {key!r}", did_you_mean("", kinds))
    tag = str(context["tag"])[:40]
    return Fault((*path, key), f"there is no {path[-1] if key == 'use' else key} {tag!r}", did_you_mean(tag, kinds))


def unnamed(family: str, value: Any = None) -> tuple[str, str]:
    """Problem and hint of a part without a name."""
    known = FAMILIES[family].catalogue
    named = next((key for key in value if key in known), None) if isinstance(value, Mapping) else None
    hint = f"write {{use: {named}, …}}, its options beside it" if named else did_you_mean("", known)
    return f"needs 'use', the name of {ONE_OF[family]}", hint


def _unknown_part(path: KeyPath, name: Any, family: str) -> Fault:
    one = ONE_OF[family]
    if not isinstance(name, str):
        return Fault(path, f"the name of {one} is needed here, this is {shown(name)}")
    for other, head in FAMILIES.items():
        if name in head.catalogue and other != family:
            return Fault(path, f"{name!r} is {ONE_OF[other]}, not {one}", _section_hint(other))
    return Fault(path, f"there is no {one.split()[1]} {name[:40]!r}", did_you_mean(name, FAMILIES[family].catalogue))


def _section_hint(family: str) -> str:
    section = {"splitters": "split", "learners": "train", "exporters": "publish", "metrics": "evaluate.metrics",
               "trackers": "track"}  # fmt: skip
    return f"it goes into `{section.get(family, family)}`"


def options_at(model: type[BaseModel], data: Any, path: KeyPath) -> dict[str, FieldInfo]:
    """The options of the mapping at a path."""
    found = model_at(model, data, path)
    return dict(found.model_fields) if found else {}


def family_at(model: type[BaseModel], data: Any, path: KeyPath) -> str:
    """The family of the parts that may stand at a path; empty when none may."""
    return next((m.family for m in _models_at((model,), data, path) if issubclass(m, Part)), "")


def model_at(model: type[BaseModel], data: Any, path: KeyPath) -> type[BaseModel] | None:
    """The class of the mapping at a path: for a part, the one that its `use` names, for another choice its `kind`."""
    value = data
    for key in path:
        value = value[key]
    return _chosen(_models_at((model,), data, path), value)


def _models_at(models: tuple[type[BaseModel], ...], data: Any, path: KeyPath) -> tuple[type[BaseModel], ...]:
    if not path:
        return models
    key, rest = path[0], path[1:]
    if isinstance(key, int):
        return _models_at(models, data[key], rest)
    chosen = _chosen(models, data)
    if chosen is None or key not in chosen.model_fields:
        return ()
    return _models_at(tuple(_models_in(chosen.model_fields[key].annotation)), data[key], rest)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if annotation in FAMILIES.values():  # a part inside a part's options: any of its family
        yield from annotation.catalogue.values()
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


def _chosen(models: Sequence[type[BaseModel]], value: Any) -> type[BaseModel] | None:
    if len(models) == 1 or not isinstance(value, Mapping):
        return models[0] if len(models) == 1 else None
    told = [(one, key) for one in models if (key := _told_by(one))]
    plain = [one for one in models if not _told_by(one)]
    if len(plain) == 1 and not {"use", "kind"} & set(value):
        return plain[0]
    return next((one for one, key in told if one.model_fields[key].default == value.get(key)), None)


def _told_by(model: type[BaseModel]) -> str:
    """The key that tells it from the others that may stand in its place; empty where there are none."""
    return next((key for key in ("use", "kind") if key in model.model_fields), "")


def shown(value: Any) -> str:
    """A value of a recipe, in words."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"the number {str(value)[:40]}"
    if isinstance(value, str):
        return f"the text {value[:40]!r}{'…' if len(value) > 40 else ''}"
    return (
        "a list" if isinstance(value, list | tuple) else "a mapping" if isinstance(value, Mapping) else repr(value)[:40]
    )
