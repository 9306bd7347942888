"""`seedbed retrain`, `runs promote` and `runs rollback`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from seedbed.core import numbers
from seedbed.core.numbers import count, things

from .interrupting import ended_soon, let_ctrl_c_through
from .progress import shown_on
from .runs import looked_through
from .terminal import say

if TYPE_CHECKING:
    from seedbed.core.promotion import Grown, OnSlice, Retrained
    from seedbed.core.run import Comparison


def retrain_run(
    named: str,
    *,
    add: Sequence[Path],
    recipe: Path | None,
    feedback: Path | None,
    out: Path | None,
    workers: int | None,
    promote: bool,
    as_json: bool,
) -> None:
    """Run a recipe again and say who stands for it now; exits with 1 when the new model was not better."""
    let_ctrl_c_through()
    from seedbed.flow.retraining.retrain import retrain

    with ended_soon():
        found = retrain(
            named,
            add=add,
            recipe=recipe,
            feedback=feedback,
            out=out,
            promote=promote,
            workers=workers,
            progress=shown_on(),
        )
    if as_json:
        say(json.dumps(found.model_dump(mode="json"), indent=2, ensure_ascii=False))
    else:
        say("\n".join(told(found)))
    if found.against:
        raise typer.Exit(1)


def told(found: Retrained) -> Iterator[str]:
    """What a person wants to know of it, in lines."""
    old, new = found.champion, found.challenger
    yield f"champion    {old.model or 'no model'} of run {old.run} ({_rows(old.splits)})"
    yield f"challenger  {new.model or 'no model'} of run {new.run} ({_rows(new.splits)})"
    if found.grown:
        yield f"rows        {_grown(found.grown)}"
    yield f"judged on   {_judges(found)}"
    if found.comparison:
        yield f"            {_difference(found.comparison)}: {found.comparison.verdict}"
    if found.slices:
        worse = found.worse_on
        yield f"slices      {len(found.slices)}, {f'worse on {len(worse)}' if worse else 'worse on none'}"
        yield from (f"            {_slice(one)}" for one in worse)
    yield from (f"against     {one}" for one in found.against)
    if found.promoted:
        yield f"promoted: {found.name}@champion is run {new.run}; `seedbed runs rollback {found.name}` undoes it"
    elif found.against:
        still = "stays" if found.standing == old.run else "is"
        yield f"not promoted: {found.name}@champion {still} run {found.standing}; see {new.folder}/retrain.html"
    else:
        yield f"not promoted, as asked: `seedbed runs promote {new.run}` does"


def _judges(found: Retrained) -> str:
    """The rows that judge both."""
    if found.later:
        seen = f"; {count(found.later.seen)} more the champion had seen word for word" if found.later.seen else ""
        return f"{things(found.rows, 'later row')}, of {found.later.column} after {found.later.after}{seen}"
    gone = found.frozen - found.rows
    less = f"; {things(gone, 'other is', 'others are')} no longer test rows" if gone else ""
    more = f"; {things(found.relabelled, 'answer was', 'answers were')} corrected since" if found.relabelled else ""
    return f"{count(found.rows)} of {things(found.frozen, 'frozen test row')}{less}{more}"


def _grown(grown: Grown) -> str:
    told = f"{count(sum(grown.added.values()))} new, {count(grown.gone)} gone, {count(grown.corrected)} corrected"
    copies = sum(grown.copies.values())
    return f"{told}; {things(copies, 'new one says', 'new ones say')} what a test row says" if copies else told


def _rows(splits: dict[str, int]) -> str:
    return ", ".join(f"{count(rows)} {name}" for name, rows in splits.items()) or "no rows"


def _difference(one: Comparison) -> str:
    p = one.p if one.p_holm is None else one.p_holm
    groups = f" in {things(one.groups, 'group')}" if one.groups else ""
    return (
        f"{numbers.metric(one.metric)} {one.difference:+.3f} ({one.low:+.3f} to {one.high:+.3f}), p {p:.3g}, "
        f"{things(one.n, 'row')}{groups}"
    )


def _slice(one: OnSlice) -> str:
    return f"{one.by}: {one.value}: {_difference(one.comparison)}"


def promote(run: str, why: str, at: Path | None) -> None:
    """Make a run the champion, and say so."""
    from seedbed.flow.retraining.promoting import promote_run

    name, promoted = promote_run(run, why, looked_through(at))
    say(f"{name}@champion is run {promoted.run}")


def rollback(name: str, why: str, at: Path | None) -> None:
    """Give the champion's place back, and say to whom."""
    from seedbed.flow.retraining.promoting import roll_back

    was, now = roll_back(name.removesuffix("@champion"), why, looked_through(at))
    say(f"{name.removesuffix('@champion')}@champion is run {now.run} again, no longer {was.run}")
