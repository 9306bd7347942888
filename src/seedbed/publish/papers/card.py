"""The dataset card: `README.md` as the Hugging Face Hub and `datasets.load_dataset` read it.

Header fields: https://github.com/huggingface/hub-docs/blob/main/datasetcard.md
"""

from __future__ import annotations

import re
from typing import Any

from seedbed.core.documents import write_document
from seedbed.core.rows import ROW
from seedbed.core.run import Run

from .answers import Answers, licence
from .configurations import configurations, infos
from .licences import hub_id
from .markdown import one_line, render
from .measured import Measured
from .nested import Kind, ListOf, Plain, StructOf, kind_of
from .shards import Shards
from .telling import classes_of, facts, title

#: What model hubs call kinds of tasks.
TASKS = {
    "text_classification": "text-classification",
    "multi_label_classification": "text-classification",
    "regression": "text-classification",
    "question_answering": "question-answering",
    "causal_lm": "text-generation",
    "chat": "text-generation",
    "text_to_text": "text-generation",
    "tabular_classification": "tabular-classification",
    "tabular_regression": "tabular-regression",
}
_TASK_IDS = {
    "multi_label_classification": "multi-label-classification",
    "regression": "text-scoring",
    "question_answering": "extractive-qa",
    "causal_lm": "language-modeling",
    "chat": "dialogue-generation",
}
_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"))
_LARGER = ((10**8, "10M<n<100M"), (10**9, "100M<n<1B"), (10**10, "1B<n<10B"), (10**11, "10B<n<100B"))
_DTYPES = {
    "String": "string",
    "Boolean": "bool",
    "Date": "date32",
    "Binary": "binary",
    **{name: name.lower() for name in ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64")},
    **{name: name.lower() for name in ("Float32", "Float64")},
}
_DATETIME = re.compile(r"Datetime\(time_unit='(ms|us|ns)', time_zone=(?:None|'([\w/+-]+)')\)")


def card(run: Run, answers: Answers, shards: Shards | None = None, measured: Measured | None = None) -> str:
    """`README.md` of a dataset folder: YAML header, then what was measured and what a person answered.

    Args:
        run: What happened.
        answers: What only a person can say.
        shards: The folder's Parquet files; without them the header states no sizes.
        measured: What the run knows about each question; read off the run alone where left out.
    """
    head = write_document(header(run, answers, shards))
    return f"---\n{head}---\n\n{render('card.md', **facts(run, answers, measured))}"


def header(run: Run, answers: Answers, shards: Shards | None = None) -> dict[str, Any]:
    """The card's YAML header; what is not known is left out."""
    rows = sum(run.dataset.splits.values())
    kind = TASKS.get(str(run.task.get("kind")))
    found: dict[str, Any] = {
        "pretty_name": one_line(title(run, answers)),
        "language": list(answers.languages),
        **_licence(licence(answers, run.sources)),
        "annotations_creators": [answers.annotations_creators] if answers.annotations_creators else [],
        "multilinguality": ["monolingual" if len(answers.languages) == 1 else "multilingual"]
        if answers.languages
        else [],
        "size_categories": [next((name for limit, name in (*_SIZES, *_LARGER) if rows < limit), "n>1T")],
        "task_categories": [kind] if kind else [],
        "task_ids": [_TASK_IDS[str(run.task["kind"])]] if run.task.get("kind") in _TASK_IDS else [],
        "tags": ["seedbed", "leakage-checked"] if run.certificate and run.certificate.passed else ["seedbed"],
        "configs": configurations(run, shards),
        "dataset_info": infos(run, shards, _info(run, shards)),
    }
    return {key: value for key, value in found.items() if value}


def _licence(name: str | None) -> dict[str, str]:
    if not name:
        return {"license": "unknown"}
    known = hub_id(name)
    if known:
        return {"license": known}
    # The Hub wants an id-like name for what it does not know.
    slug = re.sub(r"[^a-z0-9.]+", "-", name.casefold()).strip("-")[:60] or "other"
    link = re.search(r"https?://[^\s<>\"')]+", name)
    return {"license": "other", "license_name": slug, **({"license_link": link[0]} if link else {})}


def _info(run: Run, shards: Shards | None) -> dict[str, Any]:
    columns = shards.columns if shards else {ROW: "String", **{c.name: c.type for c in run.dataset.columns}}
    found: dict[str, Any] = {}
    features = _features(run, columns)
    if features:
        found["features"] = features
    if shards is None:
        return {**found, "splits": [{"name": name, "num_examples": n} for name, n in run.dataset.splits.items()]}
    found["splits"] = [
        {"name": name, "num_bytes": sum(f.arrow_bytes for f in files), "num_examples": sum(f.rows for f in files)}
        for name, files in shards.by_split().items()
    ]
    found["download_size"] = sum(f.stored_bytes for f in shards.files)
    found["dataset_size"] = sum(f.arrow_bytes for f in shards.files)
    return found


def _features(run: Run, columns: dict[str, str]) -> list[dict[str, Any]]:
    """Columns with their Hub types, or nothing when one has no such type. The label becomes a class label."""
    features: list[dict[str, Any]] = []
    for name, kind in columns.items():
        told = _feature(kind_of(kind))
        if told is None:
            return []
        names = classes_of(run) if name == run.task.get("label") and kind == "String" else []
        if names and _every_row_is_labelled(run):
            features.append(
                {"name": name, "dtype": {"class_label": {"names": {str(i): n for i, n in enumerate(names)}}}}
            )
        else:
            features.append({"name": name, **told})
    return features


def _feature(kind: Kind) -> dict[str, Any] | None:
    """A type as the Hub's `datasets` says it; None where it has no word for it."""
    match kind:
        case ListOf(StructOf() as inner):
            return _holding("list", inner)
        case ListOf(inner):
            told = _feature(inner)
            return {"list": told.get("dtype", told)} if told else None
        case StructOf():
            return _holding("struct", kind)
        case Plain(name):
            dtype = _dtype(name)
            return {"dtype": dtype} if dtype else None
    return None


def _holding(what: str, kind: StructOf) -> dict[str, Any] | None:
    told = [(name, _feature(one)) for name, one in kind.fields]
    fields = [{"name": name, **one} for name, one in told if one]
    return {what: fields} if fields and len(fields) == len(told) else None


def _every_row_is_labelled(run: Run) -> bool:
    # Only then are the counted labels all there are, and a reader can turn each into its number.
    return all(sum(run.dataset.labels.get(split, {}).values()) == rows for split, rows in run.dataset.splits.items())


def _dtype(kind: str) -> str | None:
    if found := _DATETIME.fullmatch(kind):
        return f"timestamp[{found[1]}, tz={found[2]}]" if found[2] else f"timestamp[{found[1]}]"
    return _DTYPES.get(kind)
