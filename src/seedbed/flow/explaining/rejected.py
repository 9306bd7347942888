"""The story of a row that was rejected: by which part, and which rows its fate hangs on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from .held import Held
from .story import Fate, Rejection, Relative

#: Relatives of a row that are followed.
MOST_RELATIVES = 10


def rejected_story(held: Held, row: str, entry: dict[str, Any]) -> dict[str, Any]:
    """What a story says of a rejected row alone, by its entry in the ledger."""
    parts = [step.part for step in held.finished.run.steps]
    rejection = Rejection(
        part=entry["part"],
        reason=entry["reason"],
        evidence=entry["evidence"],
        place=parts.index(entry["part"]) + 1 if entry["part"] in parts else None,
        places=len(parts),
        excerpt=entry["excerpt"],
        relatives=tuple(_relatives(held, row, entry)),
    )
    return {"fate": held.fate(entry, None), "rejection": rejection}


def _relatives(held: Held, row: str, entry: dict[str, Any]) -> Iterator[Relative]:
    """The rows that a rejected one is like, and where they were rejected too, the rows that those are like."""
    seen, waiting = {row}, [(row, entry)]
    while waiting and len(seen) <= MOST_RELATIVES:
        of, asked = waiting.pop(0)
        evidence = asked["evidence"]
        if isinstance(evidence.get("against"), str):  # a row of another dataset, of which the run keeps the name alone
            yield Relative(
                row=evidence["of"],
                relation="of",
                to=of,
                against=evidence["against"],
                similarity=evidence.get("similarity"),
                text="",
                fate=Fate(outcome="unknown"),
            )
            continue
        named = list(_named(evidence))
        names = [name for _, name, _ in named]
        gone, kept = held.rejected(names), held.kept(names)
        for relation, name, similarity in named:
            if name in seen:
                continue
            seen.add(name)
            values = kept[name][1] if name in kept else {}
            yield Relative(
                row=name,
                relation=relation,
                to=of,
                similarity=similarity,
                text=held.text_of(values) if values else gone.get(name, {}).get("excerpt", ""),
                label=held.label_of(values) if values else None,
                fate=held.fate(gone.get(name), kept.get(name)),
            )
            if name in gone:
                waiting.append((name, gone[name]))


def _named(evidence: Mapping[str, Any]) -> Iterator[tuple[Literal["of", "kept"], str, float | None]]:
    """The rows that evidence names: how, which, and how similar. Of a row between splits, a neighbour of each."""
    for one in evidence.get("neighbours") or [evidence]:
        if isinstance(one.get("of"), str):
            yield "of", one["of"], one.get("similarity")
    if isinstance(evidence.get("kept"), str):
        yield "kept", evidence["kept"], None
