"""`seedbed publish`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from seedbed.core.errors import RecipeError

from .interrupting import let_ctrl_c_through
from .progress import shown_on
from .terminal import say


def publish_rows(
    named: str, to: str | None, out: str | None, options: Sequence[str], waivers: Sequence[str], *, as_json: bool
) -> None:
    """Publish a run, and say where it went."""
    let_ctrl_c_through()
    if to is None and (out or options):
        raise RecipeError("says how, and not where to", at="--out" if out else "--set", hint="add --to FORMAT")
    from seedbed.core.context import Context
    from seedbed.flow.exporting.export import Asked
    from seedbed.flow.exporting.publishing import publish
    from seedbed.flow.naming import store_near

    asked = Asked(to, out, options=tuple(options)) if to else None
    done = publish(named, asked, waivers, Context(store=store_near(), progress=shown_on()))
    if as_json:
        say(json.dumps(asdict(done), indent=2, ensure_ascii=False))
        return
    for what, reason in done.waived.items():
        say(f"waived {what}: {reason}")
    for place in done.places:
        say(f"published {done.run} to {place}")
