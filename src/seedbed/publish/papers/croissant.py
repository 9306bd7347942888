"""`croissant.json`: the dataset in the words of MLCommons Croissant 1.1 (https://docs.mlcommons.org/croissant/).

The responsible-AI properties are those of Croissant RAI 1.0.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import resources
from typing import Any

from seedbed.core.numbers import things
from seedbed.core.rows import ROW
from seedbed.core.run import Run

from .answers import Answers, licence
from .licences import spdx_url
from .markdown import one_line
from .measured import Measured
from .nested import Kind, ListOf, Plain, StructOf, kind_of
from .responsible import responsible
from .shards import Shard, Shards
from .telling import title

CONFORMS_TO = "http://mlcommons.org/croissant/1.1"
RAI_CONFORMS_TO = "http://mlcommons.org/croissant/RAI/1.0"
PARQUET = "application/x-parquet"

#: Where Croissant requires a value that only a person knows.
NOT_ANSWERED = "Not answered yet"

_TYPES = {
    "String": "sc:Text",
    "Boolean": "sc:Boolean",
    "Date": "sc:Date",
    **{name: f"cr:{name}" for name in ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64")},
    **{name: f"cr:{name}" for name in ("Float32", "Float64")},
}
_SIMPLE = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)


@cache
def _context() -> dict[str, Any]:
    text = resources.files("seedbed.publish.papers").joinpath("templates", "croissant-context.json").read_text("utf-8")
    context: dict[str, Any] = json.loads(text)
    return context


def croissant(run: Run, answers: Answers, shards: Shards, measured: Measured | None = None) -> dict[str, Any]:
    """The JSON-LD of a dataset: its files with digests, and one record set a split.

    A split in several files is read through a file set. A column whose type has no Croissant type is left out, and the
    description of the record set says so.
    """
    splits = shards.by_split()
    rai = responsible(answers, measured or Measured(run))
    found = {
        "@context": _context(),
        "@type": "sc:Dataset",
        "conformsTo": [CONFORMS_TO, RAI_CONFORMS_TO] if rai else CONFORMS_TO,
        "name": one_line(title(run, answers)),
        "description": _description(run, answers),
        "license": _licence(licence(answers, run.sources)),
        "url": answers.homepage or "./",
        "creator": [{"@type": "sc:Organization", "name": name} for name in _creators(answers)],
        "datePublished": run.started[:10],
        "version": f"1.0.0+{run.dataset.digest[:12]}",
        "identifier": f"sha256:{run.dataset.digest}",
        "keywords": ["seedbed", *([str(run.task["kind"]).replace("_", " ")] if run.task.get("kind") else [])],
        "inLanguage": list(answers.languages),
        "citeAs": answers.citation,
        **rai,
        "distribution": [
            *(_file(shard) for shard in shards.files),
            *(_file_set(name) for name, files in splits.items() if len(files) > 1),
        ],
        "recordSet": [_record_set(name, files, shards, run) for name, files in splits.items()],
    }
    return {key: value for key, value in found.items() if value}


def _description(run: Run, answers: Answers) -> str:
    rows = ", ".join(f"{n:,} {split}" for split, n in run.dataset.splits.items())
    measured = f"{things(sum(run.dataset.splits.values()), 'row')} ({rows}), made by Seedbed {run.seedbed}."
    return " ".join([*answers.summary, measured])


def _creators(answers: Answers) -> tuple[str, ...]:
    return answers.creators or ((answers.contact,) if answers.contact else (NOT_ANSWERED,))


def _licence(name: str | None) -> str:
    return (spdx_url(name) or name) if name else NOT_ANSWERED


def _file(shard: Shard) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": shard.path,
        "name": shard.path,
        "contentUrl": shard.path,
        "contentSize": f"{shard.stored_bytes} B",
        "encodingFormat": PARQUET,
        "sha256": shard.sha256,
    }


def _file_set(split: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": f"{split}-files",
        "name": f"{split}-files",
        "description": f"All files of the {split} split.",
        "encodingFormat": PARQUET,
        "includes": f"data/{split}-*.parquet",
    }


def _record_set(split: str, files: list[Shard], shards: Shards, run: Run) -> dict[str, Any]:
    source = {"fileObject": {"@id": files[0].path}} if len(files) == 1 else {"fileSet": {"@id": f"{split}-files"}}
    fields = [_field(split, i, name, kind, source, run) for i, (name, kind) in enumerate(shards.columns.items(), 1)]
    left_out = [name for name, field in zip(shards.columns, fields, strict=True) if field is None]
    about = f"The {split} split: {things(sum(f.rows for f in files), 'row')}."
    if left_out:
        about += f" Columns of a type that Croissant does not know are left out: {', '.join(left_out)}."
    return {
        "@type": "cr:RecordSet",
        "@id": split,
        "name": split,
        "description": about,
        "field": [field for field in fields if field],
    }


def _field(split: str, place: int, name: str, kind: str, source: dict[str, Any], run: Run) -> dict[str, Any] | None:
    # An id is a part of an IRI: a name with other characters is told by its place.
    own = f"{split}/{name if _SIMPLE.fullmatch(name) else f'column-{place}'}"
    kept = kind_of(kind)
    inner = kept.inner if isinstance(kept, ListOf) else kept
    told = _told(inner, own, {**source, "extract": {"column": name}})
    if told is None:
        return None
    about = {ROW: "Source, file and record that the row comes from.", run.task.get("label"): "The label."}
    return {
        "@type": "cr:Field",
        "@id": own,
        "name": name,
        "description": about.get(name, f"The column {one_line(name)}."),
        **({"isArray": True, "arrayShape": "-1"} if isinstance(kept, ListOf) else {}),
        **told,
    }


def _told(kind: Kind, own: str, source: dict[str, Any]) -> dict[str, Any] | None:
    """What a field holds and where that is; None for a type that Croissant does not know."""
    match kind:
        case Plain(name):
            data_type = "sc:DateTime" if name.startswith("Datetime") else _TYPES.get(name)
            return {"dataType": data_type, "source": source} if data_type else None
        case StructOf(fields):
            below = [_sub_field(name, one, own, source) for name, one in fields]
            return {"subField": below} if below and all(below) else None
    return None


def _sub_field(name: str, kind: Kind, own: str, source: dict[str, Any]) -> dict[str, Any] | None:
    """A field of a struct, which a path leads to; None where none can, or where it holds others."""
    if not _SIMPLE.fullmatch(name) or not isinstance(kind, Plain):
        return None
    told = _told(kind, own, {**source, "transform": {"jsonPath": f"'{name}'"}})
    return told and {"@type": "cr:Field", "@id": f"{own}/{name}", "name": name, **told}
