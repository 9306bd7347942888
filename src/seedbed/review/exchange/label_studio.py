"""Tasks of Label Studio (its JSON format), with the model's suggestion as a prediction, and its annotations back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from seedbed.core.decision import MOST_WHY
from seedbed.core.rows import ROW
from seedbed.review.desk import Desk
from seedbed.store.places import write_whole

from .answers import Answer, items_of, key_of, read_each, told_of_other

#: The choice of a person who would reject the row.
REJECT = "reject this row"
_FROM, _TO, _WHY = "label", "text", "why"


def write_label_studio(desk: Desk, path: Path, who: str) -> int:
    """Write all queues as tasks, and beside them the labelling interface to paste into the project's settings."""
    tasks = [_task(queue.name, item) for queue, item, _ in items_of(desk, who)]
    write_whole(path, json.dumps(tasks, ensure_ascii=False, indent=1).encode("utf-8", "replace"))
    copies = any(task["data"]["other_row"] for task in tasks)
    write_whole(interface_of(path), _interface(desk.labels, copies=copies).encode())
    return len(tasks)


def interface_of(path: Path) -> Path:
    """Where the labelling interface of an export stands."""
    return path.with_name(f"{path.stem}.interface.xml")


def _interface(labels: tuple[str, ...], *, copies: bool) -> str:
    choices = "\n".join(f"    <Choice value={quoteattr(label)}/>" for label in (*labels, REJECT))
    other = '  <Header value="$other_told"/>\n  <Text name="other" value="$other_text"/>\n' if copies else ""
    return (
        f'<View>\n  <Text name="{_TO}" value="$text"/>\n  <Header value="$told"/>\n{other}'
        f'  <Choices name="{_FROM}" toName="{_TO}" choice="single" showInLine="true">\n{choices}\n  </Choices>\n'
        f'  <TextArea name="{_WHY}" toName="{_TO}" placeholder="Why?" maxSubmissions="1"/>\n</View>\n'
    )


def _task(queue: str, item: dict[str, Any]) -> dict[str, Any]:
    told = f"{queue}: label {item['label']}" if item["label"] else queue
    data = {"text": item["text"] or "", "told": told, ROW: item[ROW], "queue": queue, "key": key_of(item)}
    other = told_of_other(item)
    which = {"yes": "the row that stayed", "no": "another row, rejected too"}.get(other["other_kept"], "")
    beside = f"{which}: label {other['other_label']}" if other["other_label"] else which
    task: dict[str, Any] = {"data": {**data, **other, "other_told": beside}}
    if item["suggested"]:
        value = {"choices": [item["suggested"]]}
        result = [{"from_name": _FROM, "to_name": _TO, "type": "choices", "value": value}]
        task["predictions"] = [{"model_version": "seedbed", "score": item["score"], "result": result}]
    return task


def read_label_studio(tasks: list[Any]) -> Iterator[Answer]:
    """The annotations of tasks that were exported (JSON); cancelled ones are skipped rows."""
    return read_each(tasks, "task", _answers)


def _answers(at: str, task: Any) -> Iterator[Answer]:
    data = task.get("data") if isinstance(task, dict) else None
    if isinstance(data, dict):
        annotations = task.get("annotations") or []
        yield from (_answer(at, data, one) for one in annotations)
        if not annotations:
            yield Answer(at, "", "", "")


def _answer(at: str, data: dict[str, Any], annotation: dict[str, Any]) -> Answer:
    found: dict[str, str] = {}
    for one in annotation.get("result") or []:
        value = one.get("value") or {}
        said = value.get("choices") or value.get("text") or []
        said = [said] if isinstance(said, str) else said
        if said:
            found[str(one.get("from_name"))] = str(said[0])
    label = found.get(_FROM, "")
    action = "skip" if annotation.get("was_cancelled") else "reject" if label == REJECT else ""
    strange = not action and not label and bool(found.keys() - {_WHY})
    by = annotation.get("completed_by")
    by = by.get("email") or by.get("id") if isinstance(by, dict) else by
    return Answer(
        at=at,
        row=str(data.get(ROW, "")),
        queue=str(data.get("queue", "")),
        key=str(data.get("key", "")),
        action=action,
        label="" if action else label,
        odd=f"its annotation is of another interface: nothing in it has the name {_FROM!r}" if strange else "",
        why=found.get(_WHY, "")[:MOST_WHY],
        who="" if by is None else f"label_studio {by}",
    )
