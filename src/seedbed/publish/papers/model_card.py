"""`README.md` of a model's folder: a YAML header that model hubs read (model-index), then what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from seedbed.core.documents import write_document
from seedbed.core.metric import Score
from seedbed.core.run import Calibration
from seedbed.core.version import __version__

from .card import TASKS
from .markdown import one_line, render

#: What model hubs call metrics that have another name here.
_METRICS = {"macro_f1": "f1", "micro_f1": "f1", "weighted_f1": "f1", "token_f1": "f1", "macro_precision": "precision",
            "macro_recall": "recall", "matthews": "matthews_correlation", "r2": "r_squared"}  # fmt: skip


@dataclass(frozen=True)
class ModelFacts:
    """What a model's card tells."""

    name: str
    use: str
    """The learner."""
    options: Mapping[str, Any]
    task: str
    """Kind of task."""
    dataset: str
    """Name of the dataset, and its digest."""
    digest: str
    scores: Mapping[str, Mapping[str, Score]]
    """By split and metric."""
    reads: Sequence[str]
    """Columns that the model reads; those that a row must bring; and labels, if any."""
    inputs: Sequence[str]
    answer: str | None = None
    """The column that it tells; none where the text itself is told."""
    labels: Sequence[str] = ()
    calibration: Calibration | None = None
    license: str | None = None
    """What the dataset's licences allow it to bear, as the hub writes it."""
    tags: Sequence[str] = field(default=("seedbed",))


def model_card(facts: ModelFacts) -> str:
    """The card of a model."""
    metrics = list(dict.fromkeys(name for found in facts.scores.values() for name in found))
    shown = render(
        "model.md",
        name=facts.name,
        use=facts.use,
        options={name: _told(value) for name, value in facts.options.items()},
        kind=facts.task.replace("_", " "),
        dataset=facts.dataset,
        digest=facts.digest[:16],
        version=__version__,
        scores=facts.scores,
        metrics=metrics,
        reads=list(facts.reads),
        inputs=list(facts.inputs),
        answer=facts.answer,
        labels=list(facts.labels),
        calibration=facts.calibration,
    )
    return f"---\n{write_document(header(facts))}---\n\n{shown}"


def header(facts: ModelFacts) -> dict[str, Any]:
    """The YAML header, with the results as `model-index` has them: https://github.com/paperswithcode/model-index."""
    task = {"type": TASKS[facts.task], "name": facts.task.replace("_", " ")}
    results = [
        {
            "task": task,
            "dataset": {
                "type": one_line(facts.dataset),
                "name": one_line(facts.dataset),
                "split": split,
                "revision": facts.digest,
            },
            "metrics": [
                {"type": _METRICS.get(name, name), "name": name, "value": round(score.value, 6)}
                for name, score in found.items()
            ],
        }
        for split, found in facts.scores.items()
        if found
    ]
    told: dict[str, Any] = {"license": facts.license} if facts.license else {}
    told |= {"library_name": "seedbed", "pipeline_tag": TASKS[facts.task], "tags": list(facts.tags)}
    if results:
        told["model-index"] = [{"name": one_line(facts.name), "results": results}]
    return told


def _told(value: Any) -> str:
    return one_line(str(value))[:200]
