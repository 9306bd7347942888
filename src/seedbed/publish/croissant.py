"""`croissant.json`: the dataset in the words of MLCommons Croissant 1.1 (https://docs.mlcommons.org/croissant/).

The responsible-AI properties are those of Croissant RAI 1.0.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import resources
from typing import Any

from seedbed.core.rows import ROW
from seedbed.core.run import Run

from .answers import Answers, licence
from .card import title
from .licences import spdx_url
from .markdown import one_line
from .shards import Shard, Shards

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


@cache
def _context() -> dict[str, Any]:
    text = resources.files("seedbed.publish").joinpath("templates", "croissant-context.json").read_text("utf-8")
    context: dict[str, Any] = json.loads(text)
    return context


def croissant(run: Run, answers: Answers, shards: Shards) -> dict[str, Any]:
    """The JSON-LD of a dataset: its files with digests, and one record set a split.

    A split in several files is read through a file set. A column whose type has no Croissant type is left out, and the
    description of the record set says so.
    """
    splits = shards.by_split()
    rai = _responsible(answers, run)
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
    measured = f"{sum(run.dataset.splits.values()):,} rows ({rows}), made by Seedbed {run.seedbed}."
    return " ".join([*answers.summary, measured])


def _creators(answers: Answers) -> tuple[str, ...]:
    return answers.creators or ((answers.contact,) if answers.contact else (NOT_ANSWERED,))


def _licence(name: str | None) -> str:
    return (spdx_url(name) or name) if name else NOT_ANSWERED


def _responsible(answers: Answers, run: Run) -> dict[str, Any]:
    found = {
        "rai:dataCollection": " ".join(answers.collected),
        "rai:dataUseCases": list(answers.intended_uses),
        "rai:dataLimitations": list(answers.out_of_scope_uses),
        "rai:dataBiases": list(answers.biases),
        "rai:personalSensitiveInformation": list(answers.sensitive),
        "rai:dataAnnotationProtocol": list(answers.annotation),
        "rai:dataReleaseMaintenancePlan": " ".join(answers.maintenance),
        "rai:dataPreprocessingProtocol": [
            f"{step.part}: {step.changed:,} rows changed, {sum(step.rejected.values()):,} rejected"
            for step in run.steps
        ],
    }
    return {key: value for key, value in found.items() if value}


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
    about = f"The {split} split: {sum(f.rows for f in files):,} rows."
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
    many = re.fullmatch(r"List\((.+)\)", kind)
    inner = many[1] if many else kind
    data_type = "sc:DateTime" if inner.startswith("Datetime") else _TYPES.get(inner)
    if data_type is None:
        return None
    # An id is a part of an IRI: a name with other characters is told by its place.
    own = name if re.fullmatch(r"[A-Za-z_][\w.-]*", name, flags=re.ASCII) else f"column-{place}"
    about = {ROW: "Source, file and record that the row comes from.", run.task.get("label"): "The label."}
    return {
        "@type": "cr:Field",
        "@id": f"{split}/{own}",
        "name": name,
        "description": about.get(name, f"The column {one_line(name)}."),
        "dataType": data_type,
        **({"isArray": True, "arrayShape": "-1"} if many else {}),
        "source": {**source, "extract": {"column": name}},
    }
