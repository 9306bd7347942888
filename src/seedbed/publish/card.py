"""The dataset card: `README.md` as the Hugging Face Hub and `datasets.load_dataset` read it.

Header fields: https://github.com/huggingface/hub-docs/blob/main/datasetcard.md
"""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup

from seedbed.core import numbers
from seedbed.core.documents import write_document
from seedbed.core.rows import ROW
from seedbed.core.run import Run

from .answers import QUESTIONS, Answers, blanks, licence
from .licences import hub_id
from .markdown import listed, one_line, plain, render
from .shards import Shards

#: Labels that a table of the card shows at most.
SHOWN_LABELS = 50

_TASKS = {
    "text_classification": "text-classification",
    "multi_label_classification": "text-classification",
    "question_answering": "question-answering",
    "causal_lm": "text-generation",
    "chat": "text-generation",
    "text_to_text": "text-generation",
    "tabular_classification": "tabular-classification",
    "tabular_regression": "tabular-regression",
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


def card(run: Run, answers: Answers, shards: Shards | None = None) -> str:
    """`README.md` of a dataset folder: YAML header, then what was measured and what a person answered.

    Args:
        run: What happened.
        answers: What only a person can say.
        shards: The folder's Parquet files; without them the header states no sizes.
    """
    head = write_document(header(run, answers, shards))
    return f"---\n{head}---\n\n{render('card.md', **facts(run, answers))}"


def header(run: Run, answers: Answers, shards: Shards | None = None) -> dict[str, Any]:
    """The card's YAML header; what is not known is left out."""
    rows = sum(run.dataset.splits.values())
    kind = _TASKS.get(str(run.task.get("kind")))
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
        "tags": ["seedbed", "leakage-checked"] if run.certificate and run.certificate.passed else ["seedbed"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": name, "path": f"data/{name}-*.parquet"} for name in _splits(run, shards)],
            }
        ],
        "dataset_info": _info(run, shards),
    }
    return {key: value for key, value in found.items() if value}


def title(run: Run, answers: Answers) -> str:
    """What the dataset is called in headings."""
    return answers.pretty_name or run.name


def classes_of(run: Run) -> list[str]:
    """The dataset's labels: as the task orders them, then others, sorted."""
    counted = {label for split in run.dataset.labels.values() for label in split}
    asked = [str(label) for label in run.task.get("labels") or ()]
    return asked + sorted(counted.difference(asked))


def _splits(run: Run, shards: Shards | None) -> list[str]:
    return list(shards.by_split()) if shards else list(run.dataset.splits)


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
        inner = re.fullmatch(r"List\((.+)\)", kind)
        dtype = _dtype(inner[1] if inner else kind)
        if dtype is None:
            return []
        names = classes_of(run) if name == run.task.get("label") and kind == "String" else []
        if names and _every_row_is_labelled(run):
            features.append(
                {"name": name, "dtype": {"class_label": {"names": {str(i): n for i, n in enumerate(names)}}}}
            )
        else:
            features.append({"name": name, "list" if inner else "dtype": dtype})
    return features


def _every_row_is_labelled(run: Run) -> bool:
    # Only then are the counted labels all there are, and a reader can turn each into its number.
    return all(sum(run.dataset.labels.get(split, {}).values()) == rows for split, rows in run.dataset.splits.items())


def _dtype(kind: str) -> str | None:
    if found := _DATETIME.fullmatch(kind):
        return f"timestamp[{found[1]}, tz={found[2]}]" if found[2] else f"timestamp[{found[1]}]"
    return _DTYPES.get(kind)


def facts(run: Run, answers: Answers) -> dict[str, Any]:
    """What the templates of the card and the datasheet print."""

    def asked(name: str) -> Markup:
        value = getattr(answers, name) if name != "license" else licence(answers, run.sources)
        if not value:
            return Markup("_Not answered yet: ") + plain(QUESTIONS[name]) + Markup("_")
        return listed(value if isinstance(value, tuple) else (str(value),))

    labels = classes_of(run)
    return {
        "run": run,
        "answers": answers,
        "title": title(run, answers),
        "asked": asked,
        "blanks": blanks(answers, run.sources),
        "labels": labels[:SHOWN_LABELS],
        "counts": {label: sum(split.get(label, 0) for split in run.dataset.labels.values()) for label in labels},
        "labels_left_out": max(0, len(labels) - SHOWN_LABELS),
        "total": sum(run.dataset.splits.values()),
        "judged": run.judging_split,
        "metrics": _metrics(run),
        "level": numbers.level(run.intervals.get("level")),
        "kind": str(run.task.get("kind", "")).replace("_", " "),
    }


def _metrics(run: Run) -> list[str]:
    return list(dict.fromkeys(name for model in run.models for name in model.scores.get(run.judging_split, {})))
