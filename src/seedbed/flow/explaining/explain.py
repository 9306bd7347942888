"""One row's whole story, from a run's folder: origin, changes, why it was rejected or kept, neighbours, predictions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seedbed.core.context import Progress, utc_now
from seedbed.core.errors import DataError
from seedbed.core.held_out import ReadOfTest, note
from seedbed.flow.finished import open_run

from .descent import made_story
from .held import Held, Kept, damage_told
from .kept import kept_story
from .made import maker_of
from .rejected import rejected_story
from .reread import Reread, reread
from .showing import same, shown
from .story import Change, Decided, Fetched, Joined, Origin, Story


def explain(folder: str | Path, row: str, *, progress: Progress | None = None, trust: bool = False) -> Story:
    """Tell one row's story.

    What the run's folder holds is enough. Where the sources are still what they were, the row is read again and the
    row-wise steps are done again, so that every change shows; else the changes are those that the ledger sampled.

    Args:
        folder: A run's folder.
        row: The row's id (`SOURCE:FILE#RECORD`); the record alone will do where the run read one file.
        progress: Where progress is shown.
        trust: Whether steps that are functions of whoever made the recipe (`python`) may run again.

    Raises:
        DataError: It is not the folder of a run, a copy of one without its ledger, or damaged.
        RecipeError: The run read no such row.
    """
    held = Held(open_run(folder))
    if not all((held.folder / name).exists() for name in ("ledger", "recipe.lock", "recipe.yaml")):
        raise DataError(
            "this copy of a run holds no ledger",
            at=str(folder),
            hint="name the run's own folder, such as runs/NAME/latest",
        )
    with damage_told(held.folder):
        if (maker := maker_of(row, held.finished.run)) is not None:
            return made_story(held, row.strip(), maker)
        return _story(held, held.place_of(row), progress=progress, trust=trust)


def _story(held: Held, at: tuple[str, str, int], *, progress: Progress | None, trust: bool) -> Story:
    """The story of a row that was read."""
    row = f"{at[0]}:{at[1]}#{at[2]}"
    rejected = held.rejected([row]).get(row)
    kept = held.kept([row]).get(row)
    if rejected is None and kept is None and held.finished.run.dataset.splits:
        raise held.no_such_row(row, at)
    by, training = (rejected["part"], True) if rejected else (None, bool(kept and kept[0] == "train"))
    values = kept[1] if kept else None
    again = reread(held.finished, at, by, training=training, kept=values, progress=progress, trust=trust)
    if rejected is None and kept is None and not again.read:
        raise held.no_such_row(row, at)
    parts = rejected_story(held, row, rejected) if rejected else kept_story(held, row, kept)
    if kept and kept[0] == "test":
        read = [ReadOfTest.of(one.model, "explanation", 1, utc_now()) for one in parts.get("predictions", ())]
        note(held.folder, read)
    changed = held.entries([row], "changed")
    return Story(
        run=held.finished.run.id,
        row=row,
        text=held.text,
        label=held.label,
        origin=_origin(held, at, rejected, again),
        read=again.read,
        joined=tuple(
            Joined(part=part, file=file, record=record, fetched=_fetched(held, part, file))
            for part, file, record in again.met
        ),
        changes=again.changes if again.changes or again.whole else tuple(_sampled(changed)),
        all_changes=again.whole,
        decided=tuple(_decided(changed, held.label)),
        **{"values": _final(again, kept), **parts},
        notes=tuple(_notes(held, rejected, kept, again)),
    )


def _origin(held: Held, at: tuple[str, str, int], rejected: dict[str, Any] | None, again: Reread) -> Origin:
    source, file, record = at
    told = next(one for one in held.finished.run.sources if one.name == source)
    line = again.line or (rejected or {}).get("evidence", {}).get("line")
    return Origin(
        source=source,
        use=told.use,
        path=told.path,
        file=file,
        record=record,
        line=line,
        **{name: getattr(told, name) for name in ("license", "terms", "collected_by", "consent")},
        fetched=_fetched(held, source, file),
    )


def _fetched(held: Held, source: str, file: str) -> Fetched | None:
    """Where a file was fetched, by the run's lineage."""
    try:
        lineage = json.loads((held.folder / "lineage.json").read_text("utf-8"))
        files = next(one["files"] for one in lineage["sources"] if one["name"] == source)
        found = next(one for one in files if one["name"] == file)
        return Fetched(**found["origin"], sha256=found["sha256"]) if "origin" in found else None
    except (OSError, ValueError, KeyError, TypeError, StopIteration):  # an older run, or a damaged one
        return None


def _sampled(changed: list[dict[str, Any]]) -> Iterator[Change]:
    """Changes by the ledger's entries of the row."""
    for entry in changed:
        after = entry["evidence"].get("after", {})
        for column, before in entry["evidence"].get("before", {}).items():
            yield Change(part=entry["part"], column=column, before=before, after=after.get(column))


def _decided(changed: list[dict[str, Any]], label: str) -> Iterator[Decided]:
    """What people decided about the row, by the ledger's entries: its label, or that it stays."""
    for entry in changed:
        told = entry["evidence"]
        if "who" in told:
            yield Decided(
                part=entry["part"],
                who=told["who"],
                when=told.get("when") or "",
                why=told.get("why") or "",
                was=told.get("before", {}).get(label),
                lifted=told.get("lifted"),
                reason=told.get("reason"),
            )


def _final(again: Reread, kept: Kept | None) -> dict[str, str | None] | None:
    values = kept[1] if kept else again.values
    return values and {name: shown(value) for name, value in values.items()}


def _notes(held: Held, rejected: dict[str, Any] | None, kept: Kept | None, again: Reread) -> Iterator[str]:
    if again.note:
        yield again.note
    elif again.read and again.rejected_by and (not rejected or rejected["part"] != again.rejected_by):
        yield f"Done again today, {again.rejected_by} rejects this row: it is not what it was when the run was made."
    elif kept and again.values and not all(same(again.values.get(name), value) for name, value in kept[1].items()):
        yield "Done again today, the steps give other values than those in the dataset: a part has changed since."
    if not again.whole and not again.changes:
        yield "Changes are sampled in the ledger, and not all of them are told here."
    if not held.finished.run.dataset.splits:
        why = ", ".join(held.finished.run.stopped_by)
        yield f"The run was stopped before its rows were split ({why}): there is no dataset and no model."
