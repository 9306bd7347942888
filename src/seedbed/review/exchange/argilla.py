"""Records of Argilla (what its `records.to_json` writes and `from_json` reads), and people's responses back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seedbed.core.decision import MOST_WHY
from seedbed.core.rows import ROW
from seedbed.review.desk import Desk
from seedbed.store.places import write_whole

from .answers import Answer, items_of, key_of, read_each, told_of_other
from .label_studio import REJECT

#: The question of the dataset in Argilla: a label question with the task's labels and `REJECT`.
_QUESTION, _WHY = "label", "why"


def write_argilla(desk: Desk, path: Path, who: str) -> int:
    """Write all queues as records; one a line where the file's name says so, else as a list."""
    records = [_record(queue.name, item) for queue, item, _ in items_of(desk, who)]
    if path.suffix == ".jsonl":
        text = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in records)
    else:
        text = json.dumps(records, ensure_ascii=False, indent=1)
    write_whole(path, text.encode("utf-8", "replace"))
    return len(records)


def _record(queue: str, item: dict[str, Any]) -> dict[str, Any]:
    suggestion = {"value": item["suggested"], "score": item["score"], "agent": "seedbed"}
    told = {"queue": queue, "key": key_of(item), "label": item["label"] or "", "split": item["split"] or ""}
    beside = told_of_other(item)
    other = {name: beside[name] for name in ("other_label", "other_text") if beside[name]}
    return {
        "id": f"{queue}/{item[ROW]}",
        # Fields that the dataset need not require: most rows are no copies.
        "fields": {"text": item["text"] or ""} | other,
        "metadata": told,
        "suggestions": {_QUESTION: suggestion} if item["suggested"] else {},
        "responses": {},
        "vectors": {},
    }


def read_argilla(records: list[Any]) -> Iterator[Answer]:
    """The responses to records that were exported, one for each person who answered."""
    return read_each(records, "record", _answers)


def _answers(at: str, record: Any) -> Iterator[Answer]:
    if not isinstance(record, dict) or not isinstance(record.get("responses"), dict):
        return
    if not record["responses"]:
        yield Answer(at, "", "", "")
    elif _QUESTION not in record["responses"]:
        yield Answer(at, "", "", "", odd=f"its responses answer no question called {_QUESTION!r}")
    told = record.get("metadata") or {}
    queue, _, row = str(record.get("id", "")).partition("/")
    whys = {one.get("user_id"): str(one.get("value", "")) for one in record["responses"].get(_WHY) or []}
    for one in record["responses"].get(_QUESTION) or []:
        label, by = str(one.get("value") or ""), one.get("user_id")
        yield Answer(
            at=at,
            row=row,
            queue=queue,
            key=str(told.get("key", "")),
            action="reject" if label == REJECT else "",
            label="" if label == REJECT else label,
            why=whys.get(by, "")[:MOST_WHY],
            who="" if by is None else f"argilla {by}",
        )
