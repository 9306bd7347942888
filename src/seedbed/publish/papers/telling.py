"""What the templates of the papers print, in words that fit the task: a table has no language, plain text no labels."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from seedbed.core import numbers
from seedbed.core.run import Run, SourceRecord

from .answers import Answers, blanks, licence
from .markdown import listed, plain
from .measured import Measured
from .questions import QUESTIONS, asked_of

#: Labels that a table of the card shows at most.
SHOWN_LABELS = 50

#: What a model is to answer, as papers call it.
_GIVEN = {
    "label": "labels",
    "labels": "labels",
    "number": "numbers",
    "spans": "answers",
    "turns": "words of the assistant",
    "text": "target texts",
}
_ROLES = {
    "text": "the text",
    "label": "the label",
    "question": "the question",
    "context": "the text that holds the answers",
    "answers": "the answers, with their places in the text",
    "start": "where the answer starts",
    "messages": "the turns of the conversation",
    "tools": "the tools that the assistant may call",
}
_ANSWERS = {"number": "the number to tell", "text": "the text to write", "labels": "the labels"}


def title(run: Run, answers: Answers) -> str:
    """What the dataset is called in headings."""
    return answers.pretty_name or run.name


def classes_of(run: Run) -> list[str]:
    """The dataset's labels: as the task orders them, then others, sorted."""
    counted = {label for split in run.dataset.labels.values() for label in split}
    asked = [str(label) for label in run.task.get("labels") or ()]
    return asked + sorted(counted.difference(asked))


def facts(run: Run, answers: Answers, measured: Measured | None = None) -> dict[str, Any]:
    """What the templates of the card, the datasheet and the data statement print.

    Args:
        run: What happened.
        answers: What only a person can say.
        measured: What the run knows about each question; read off the run alone where left out.
    """
    measured = measured or Measured(run)
    task = measured.task
    questions = asked_of(task)
    labels = classes_of(run) if task is None or task.says in ("label", "labels") else []

    def asked(name: str) -> Markup:
        value = getattr(answers, name) if name != "license" else licence(answers, run.sources)
        if value:
            return listed(value if isinstance(value, tuple) else (str(value),))
        if name not in questions:
            return Markup("Does not apply to this dataset.")
        return Markup("_Not answered yet: ") + plain(questions[name]) + Markup("_")

    def found(name: str) -> Markup:
        return Markup("\n").join(
            Markup("- Measured, ") + plain(f"{fact.name}: {fact.text}") for fact in measured.about(name)
        )

    return {
        "run": run,
        "answers": answers,
        "title": title(run, answers),
        "asked": asked,
        "asks": lambda name: name in questions,
        "question": lambda name: plain(questions.get(name, QUESTIONS[name])),
        "measured": found,
        "blanks": blanks(answers, run.sources, task),
        "roles": _roles(measured),
        "given": _GIVEN.get(task.says) if task else "labels",
        "labels": labels[:SHOWN_LABELS],
        "counts": {label: sum(split.get(label, 0) for split in run.dataset.labels.values()) for label in labels},
        "labels_left_out": max(0, len(labels) - SHOWN_LABELS),
        "total": sum(run.dataset.splits.values()),
        "judged": run.judging_split,
        "metrics": list(
            dict.fromkeys(name for model in run.models for name in model.scores.get(run.judging_split, {}))
        ),
        "level": numbers.level(run.intervals.get("level")),
        "groups": run.groups_in(run.judging_split),
        "kind": str(run.task.get("kind", "")).replace("_", " "),
        "fetched": [source for source in run.sources if source.fetched],
        "written_by_models": [source for source in run.sources if source.use == "generate"],
        "documents": _documents(run.sources),
    }


def _roles(measured: Measured) -> dict[str, str]:
    """What each column is to the task, in words."""
    task = measured.task
    if task is None:
        return {}
    names = {column: _ROLES.get(role, "read by a model") for role, column in task.roles.items()}
    if task.answer is not None and task.says in _ANSWERS:
        names[task.answer] = _ANSWERS[task.says]
    if task.says == "turns" and task.answer is not None:
        names[task.answer] = _ROLES["messages"]
    return names


def _documents(sources: tuple[SourceRecord, ...]) -> list[SourceRecord]:
    """Sources whose texts were read out of pages, where reading may go wrong."""
    return [source for source in sources if source.use in ("pdf", "html", "web")]
