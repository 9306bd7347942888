"""`seedbed export`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from seedbed.core import numbers

from .interrupting import let_ctrl_c_through
from .progress import shown_on
from .terminal import say, warn

if TYPE_CHECKING:
    from seedbed.flow.exporting.export import Asked, Exported

#: Reasons that are told.
_MOST = 4


def export_rows(named: str, asked: Asked, *, as_json: bool) -> None:
    """Write a run or a file in another format, and say what came of it."""
    let_ctrl_c_through()
    from seedbed.core.context import Context
    from seedbed.flow.exporting.export import export
    from seedbed.flow.naming import store_near

    done = export(named, asked, Context(store=store_near(), progress=shown_on()))
    if as_json:
        say(json.dumps(asdict(done), indent=2, ensure_ascii=False))
    else:
        say("\n".join(map(numbers.typed, summary(done))))
    warn(done.notes)


def summary(done: Exported) -> list[str]:
    """What came of it, in a line or two."""
    if done.model is not None:
        return [f"the model {done.model} to {done.out} ({done.format})", *done.told]
    rows = sum(done.rows.values())
    splits = ", ".join(f"{name} {numbers.count(count)}" for name, count in done.rows.items() if name)
    told = [f"{numbers.things(rows, 'row')} to {done.out} ({done.format})" + (f": {splits}" if splits else "")]
    if done.malformed:
        reasons = list(done.malformed.items())
        why = ", ".join(f"{reason} {numbers.count(n)}" for reason, n in reasons[:_MOST])
        more = f" and {len(reasons) - _MOST} more" if len(reasons) > _MOST else ""
        bad = sum(done.malformed.values())
        told.append(
            f"{numbers.count(bad)} {'record' if bad == 1 else 'records'} could not be read ({why}{more}); the first is "
            f"{done.first}; {done.rejected} has {'it' if bad == 1 else 'them'}"
        )
    return told
