"""The dataset card: `README.md` as the Hugging Face Hub and `datasets.load_dataset` read it.

Header fields: https://github.com/huggingface/hub-docs/blob/main/datasetcard.md
"""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup

from seedbed.core.documents import read_document, write_document
from seedbed.core.errors import RecipeError
from seedbed.core.metric import Score
from seedbed.core.rows import ROW
from seedbed.core.run import ModelRecord, Run

from .answers import QUESTIONS, Answers, blanks, licence
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
#: Licence ids that the Hub knows (https://huggingface.co/docs/hub/repositories-licenses); others are named in words.
_LICENCES = re.compile(
    r"""apache-2\.0|mit|isc|zlib|wtfpl|unlicense|postgresql|ncsa|ms-pl|mpl-2\.0|ofl-1\.1|osl-3\.0|lppl-1\.3c
    |openrail|bigscience-openrail-m|creativeml-openrail-m|afl-3\.0|artistic-2\.0|bsl-1\.0|ecl-2\.0|etalab-2\.0
    |bsd(-[23]-clause)?|bsd-3-clause-clear|c-uda|epl-[12]\.0|eupl-1\.[12]|gfdl|agpl-3\.0|l?gpl(-3\.0)?|gpl-2\.0|lgpl-2\.1
    |cc|cc0-1\.0|cc-by-(2\.0|2\.5|3\.0|4\.0)|cc-by-sa-[34]\.0|cc-by-nc-[234]\.0|cc-by-nd-4\.0|cc-by-nc-nd-[34]\.0
    |cc-by-nc-sa-[234]\.0|cdla-sharing-1\.0|cdla-permissive-[12]\.0|odc-by|odbl|pddl""",
    re.VERBOSE,
)
_SPDX = {"odbl-1.0": "odbl", "odc-by-1.0": "odc-by", "pddl-1.0": "pddl", "cc0": "cc0-1.0"}
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


def labels_of(run: Run) -> list[str]:
    """The dataset's labels: as the task orders them, then others, sorted."""
    counted = {label for split in run.dataset.labels.values() for label in split}
    asked = [str(label) for label in run.task.get("labels") or ()]
    return asked + sorted(counted.difference(asked))


def _splits(run: Run, shards: Shards | None) -> list[str]:
    return list(shards.by_split()) if shards else list(run.dataset.splits)


def _licence(name: str | None) -> dict[str, str]:
    if not name:
        return {"license": "unknown"}
    known = _SPDX.get(name.casefold(), name.casefold())
    if _LICENCES.fullmatch(known):
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
        names = labels_of(run) if name == run.task.get("label") and kind == "String" else []
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

    labels = labels_of(run)
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
        "judged": judged_split(run),
        "metrics": _metrics(run),
        "interval": interval,
        "level": f"{run.intervals.get('level', 0.95) * 100:g} %",
        "probability": probability,
        "waivers": waivers(run),
        "kind": str(run.task.get("kind", "")).replace("_", " "),
    }


def judged_split(run: Run) -> str:
    """The split that judges models: test, where there is one."""
    return "test" if "test" in run.dataset.splits or not run.dataset.splits else list(run.dataset.splits)[-1]


def _metrics(run: Run) -> list[str]:
    models: tuple[ModelRecord, ...] = run.models
    return list(dict.fromkeys(metric for model in models for metric in model.scores.get(judged_split(run), {})))


def interval(score: Score | None) -> str:
    """A score with its interval."""
    return f"{score.value:.3f} ({score.low:.3f} to {score.high:.3f})" if score else "not measured"


def probability(p: float) -> str:
    """A p-value, for a sentence."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def waivers(run: Run) -> list[tuple[str, str]]:
    """What was waived and why: gates as judged, and what the recipe's `waive` lists."""
    found = [(f"gate {gate.metric} on {gate.split}", gate.waived) for gate in run.gates if gate.waived]
    try:
        recipe = read_document(run.recipe_text, at="recipe").data
    except RecipeError:
        recipe = None
    listed_ = recipe.get("waive") if isinstance(recipe, dict) else None
    for entry in listed_ if isinstance(listed_, list) else []:
        if isinstance(entry, dict) and entry.get("what"):
            found.append((str(entry["what"]), str(entry.get("reason") or "no reason given")))
    return found
