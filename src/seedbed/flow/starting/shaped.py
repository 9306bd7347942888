"""A recipe for rows that are no labelled texts: conversations, questions about texts, pairs of texts, documents."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from seedbed.core import numbers
from seedbed.core.learner import who_learns
from seedbed.evaluate import USUAL_METRICS
from seedbed.train import USUAL

from .commented import beside, comment, listed, quoted, with_why
from .draft import Subject, given_lines, head
from .figures import rounded_down
from .shapes import FORMATS, Shape

#: Rows below which more of them are held out.
_SMALL = 400
#: Columns of a task that are told in a line.
_MOST_ROLES = 4
#: Share of the rows that the steps leave, as a rule.
_LEFT = 0.7
#: Rows of which answers can be doubted by one another, with many labels, too, in a time that a first run may take.
_DOUBTED = 20_000
#: Who learns a task that nobody learns by default, from the simplest.
_SIMPLEST = {
    "question_answering": ("best_sentence",),
    "causal_lm": ("ngram",),
    "chat": ("nearest",),
    "text_to_text": ("copy_input", "nearest"),
}
_DOES = {
    "chat": "answer as the assistant does",
    "question_answering": "find the answer to a question in a text, or say that it is not there",
    "text_to_text": "read a text and write another",
    "causal_lm": "continue a text",
    "multi_label_classification": "predict the labels of a text, any number of them",
    "regression": "predict a number from a text",
    "tabular_classification": "predict a label from the columns",
    "tabular_regression": "predict a number from the columns",
}


def draft_shaped(subject: Subject, shape: Shape) -> str:
    """The recipe, with comments."""
    sections = (
        head(subject),
        _task(shape),
        _sources(subject),
        _steps(subject, shape),
        _checks(subject, shape),
        _split(subject, shape),
        _train(subject, shape),
    )
    return "\n".join("\n".join(lines) + "\n" for lines in (*sections, _publish(shape)))


def _task(shape: Shape) -> list[str]:
    task = shape.task
    lines = [
        *comment(f"What the model is to do: {_DOES[task.kind]}."),
        "task:",
        beside(f"  kind: {task.kind}", shape.why),
    ]
    told = task.model_dump(exclude_none=True, exclude={"kind", "turns"})
    turns = getattr(task, "turns", None) or ()
    for key, value in told.items():
        if not turns or key != "messages":
            lines.append(f"  {key}: {listed(value) if isinstance(value, tuple | list) else quoted(str(value))}")
    if turns:
        lines.append("  turns:")
        lines += [f"    - {{role: {turn.role}, column: {quoted(turn.column)}}}" for turn in turns]
    return lines


def _sources(subject: Subject) -> list[str]:
    lines = [
        "# Where the rows come from. Several sources may stand here; paths start from this file's folder.",
        "sources:",
        beside(f"  - use: {subject.source.use}", f"found: {subject.found}" if subject.found else ""),
        f"    path: {quoted(subject.path)}",
        beside(f"    name: {quoted(subject.name)}", "row ids begin with it"),
        *given_lines(subject),
    ]
    if "license" not in subject.given:
        lines.append(beside("    # license: CC-BY-4.0", "the licence of the data, if you know it"))
    return lines


def _steps(subject: Subject, shape: Shape) -> list[str]:
    lines = [
        "# What is done to the rows, in order, before the split. Each rejected row is in the ledger with its reason."
    ]
    each = list(_each(subject, shape))
    return [*lines, "steps:", *each] if each else [*lines, "steps: []"]


def _each(subject: Subject, shape: Shape) -> Iterator[str]:
    for column in shape.texts:
        moves = "; the answers move along" if shape.task.following() else ""
        yield from with_why(
            f"  - {{use: fix_text, column: {quoted(column)}}}", f"broken encodings, HTML entities{moves}"
        )
    if shape.task.says == "turns" and not shape.texts:
        yield from with_why("  - {use: each_turn, steps: [{use: fix_text}]}", "broken encodings in what turns say")
        yield "  # - {use: each_turn, steps: [{use: redact_pii}]}       # personal data; pip install 'seedbed[pii]'"
    for body, why in shape.steps:
        yield from comment(why + ":", "  ")
        yield f"  - {{{body}}}"
    if shape.equal:
        why = "copies of a row before" + _differing(subject.rows, shape)
        yield from with_why(f"  - {{use: exact_duplicates, columns: {listed(shape.equal)}}}", why)
    if shape.task.says == "itself":
        body = f"use: near_duplicates, column: {quoted(shape.texts[0])}, at_least: 0.8"
        yield from with_why(f"  - {{{body}}}", "documents that are nearly another one")


def _differing(rows: pl.DataFrame, shape: Shape) -> str:
    """A clause on equal rows whose answers differ: of those the first stays, and the others' answers go."""
    answer = shape.task.answer
    if answer is None or answer in shape.equal or not {answer, *shape.equal} <= set(rows.columns):
        return ""
    told = rows.drop_nulls([answer, *shape.equal]).group_by(shape.equal).agg(pl.len(), n=pl.struct(answer).n_unique())
    again = told.filter(pl.col("len") > 1)
    differ = again.filter(pl.col("n") > 1).height
    many = f"{numbers.count(differ)} of {numbers.count(again.height)} that repeat"
    return f"; {many} have other answers, too: the first row's stay" if differ else ""


def _checks(subject: Subject, shape: Shape) -> list[str]:
    answered = shape.task.says in ("label", "labels", "number")
    left = subject.profile.records * (_LEFT if subject.profile.whole else 0.5)
    return [
        "# What must hold. `stop` fails the run (exit code 1), `warn` only says so; without `on_fail` it is `warn`.",
        "checks:",
        f"  - {{use: row_count, at_least: {rounded_down(left)}}}",
        beside("  - {use: no_leakage, on_fail: stop}", "no copy of a test row is among the training rows"),
        *([_doubts(left)] if answered else []),
    ]


def _doubts(rows: float) -> str:
    """The check of the answers: as a comment where it would take longer than all the rest."""
    why = "which answers seem wrong: seedbed review shows them"
    if rows <= _DOUBTED:
        return beside("  - {use: label_errors}", why)
    return beside("  # - {use: label_errors}", why + " (of so many rows it takes minutes)")


def _split(subject: Subject, shape: Shape) -> list[str]:
    train, held = (0.6, 0.2) if subject.profile.records < _SMALL else (0.8, 0.1)
    together = {
        "question_answering": "Questions about one text, or about nearly the same one, always stay together.",
        "causal_lm": "Each document is in one split as a whole; blocks of tokens are cut afterwards.",
        "tabular_classification": "Equal rows always stay together.",
        "tabular_regression": "Equal rows always stay together.",
    }.get(shape.task.kind, "Near copies always stay together.")
    groups = [name for name in subject.profile.roles.groups if name != shape.task.answer]
    use = "stratified" if shape.task.says in ("label", "labels", "number") else "random"
    return [
        *comment(f"Which rows train, which choose between models and which judge. {together}"),
        f"split: {{use: {use}, train: {train}, validation: {held}, test: {held}, seed: 13}}",
        *(line for group in groups[:2] for line in comment(_belongs(subject, group))),
    ]


def _belongs(subject: Subject, group: str) -> str:
    """The question whether rows with one value of a column are rows of one person, or place."""
    found = subject.profile.column(group)
    each = f" ({numbers.count(found.unique)} values in {numbers.things(found.filled, 'row')})" if found.unique else ""
    return (
        f"If rows of one {quoted(group)} belong together{each}, as those of a person or a device, add to it: "
        f"group: {quoted(group)}; else models know from training rows whom they are tested on, and scores flatter."
    )


def _train(subject: Subject, shape: Shape) -> list[str]:
    kind = shape.task.kind
    able = [name for name in who_learns(kind) if name in subject.learners]
    ladder = [name for name in USUAL.get(kind) or _SIMPLEST.get(kind, ()) if name in able]
    lines = ["# Models, from the simplest; each is compared with the one before, on the same rows.", "train:"]
    for name in ladder:
        lines += with_why(f"  - {{use: {name}}}", subject.learners[name])
    for name in able:
        if name not in ladder:
            lines += with_why(f"  # - {{use: {name}}}", subject.learners[name])
    left = int(subject.profile.records * _LEFT)
    folds = beside("  # folds: 5", "cross-validate, too: steadier figures") if left < 10 * _SMALL else ""
    return [
        *lines,
        "",
        "# How they are judged. The first metric decides which model is best on validation rows.",
        "evaluate:",
        f"  metrics: {listed(USUAL_METRICS[shape.task.says])}",
        "  intervals: {level: 0.95, resamples: 10000}",
        *([folds] if folds else []),
    ]


def _publish(shape: Shape) -> list[str]:
    lines = ["# Next: formats that trainers read. Publishing waits for answers in card.yaml.", "# publish:"]
    formats = FORMATS[shape.task.kind]
    return [*lines, *(beside(f"#   - {{use: {use}, path: out/{use}}}", f"for {what}") for use, what in formats)]


def told(shape: Shape, rows: int) -> str:
    """What was found, in a line for a person."""
    turns = getattr(shape.task, "turns", None)
    named = {turn.role: turn.column for turn in turns} if turns else shape.task.roles
    roles = [f"{role}: {numbers.short(name)}" for role, name in named.items()]
    columns = ", ".join(roles[:_MOST_ROLES]) + (", …" if len(roles) > _MOST_ROLES else "")
    return f"{shape.task.kind} ({shape.why}; {numbers.things(rows, 'row')} looked at); {columns}"
