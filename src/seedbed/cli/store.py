"""`seedbed store get`, `store size` and `store gc`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seedbed.core import numbers
from seedbed.core.numbers import count, things, typed

from .terminal import say, warn

if TYPE_CHECKING:
    from seedbed.store.collecting import Collection, Part, Size


def get(named: str, *, out: Path, model: str | None, at: Path | None, as_json: bool) -> None:
    """Bring a dataset or model back, and say what it is."""
    from seedbed.flow.versions.fetching import fetch

    from .runs import looked_through

    done = fetch(named, out, looked_through(at), model=model)
    if as_json:
        say(json.dumps({**vars(done), "folder": str(done.folder)}, indent=2))
        return
    size = typed(numbers.size(done.bytes))
    if done.kind == "response":
        say(f"response {done.digest[:12]} of {done.url}: {size}, verified\n{done.folder}")
        return
    what = f"model {done.model}" if done.model else "dataset"
    say(f"{what} {done.digest[:12]} of run {done.run}: {things(done.files, 'file')}, {size}, verified\n{done.folder}")


def show_size(at: Path | None, *, as_json: bool) -> None:
    """Print what the store takes."""
    from seedbed.flow.naming import store_near
    from seedbed.store.collecting import size_of

    size = size_of(store_near(at))
    warn(size.damaged)
    say(size.model_dump_json(indent=2) if as_json else typed("\n".join(sized(size))))


def sized(size: Size) -> list[str]:
    """What a store takes, for people."""
    lines = [size.root, f"{numbers.size(size.bytes)}, {count(size.runs)} {'run' if size.runs == 1 else 'runs'}"]
    if size.linked:
        lines.append(f"of that, {numbers.size(size.linked)} are also files of runs' folders and cost no room here")
    if size.interrupted:
        lines.append(f"{count(size.interrupted)} interrupted: what they would go on with is kept")
    return [*lines, "", *_table(size.parts)]


def _table(parts: Sequence[Part]) -> list[str]:
    width = max((len(part.kind) for part in parts), default=0)
    sizes = [numbers.size(part.bytes) for part in parts]
    amount = max((len(size) for size in sizes), default=0)
    items = max((len(count(part.items)) for part in parts), default=0)
    return [
        f"{part.kind:<{width}}  {size:>{amount}}  {count(part.items):>{items}}  {part.what}".rstrip()
        for part, size in zip(parts, sizes, strict=True)
    ]


def collect(
    at: Path | None,
    *,
    older_than: float | None,
    keep_last: int | None,
    everything: bool,
    fetched: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Remove what no run needs, and say what that was."""
    from seedbed.flow.naming import store_near
    from seedbed.store.collecting import Rule
    from seedbed.store.collecting import collect as collect_from

    rule = Rule(older_than=older_than, keep_last=keep_last, all=everything, fetched=fetched)
    done = collect_from(store_near(at), rule, dry_run=dry_run)
    say(done.model_dump_json(indent=2) if as_json else typed("\n".join(collected(done))))


def collected(done: Collection) -> list[str]:
    """What a collection came to, for people."""
    would = "would free" if done.dry_run else "freed"
    lines = [f"{would} {numbers.size(done.freed)} in {done.root}"]
    if done.removed:
        lines += ["", *_table(done.removed), ""]
    kept = len(done.kept_runs)
    lines.append(
        f"{count(kept)} {'run keeps' if kept == 1 else 'runs keep'} what {'it uses' if kept == 1 else 'they use'}"
    )
    why = "no tag, and its folder is gone or not among the newest"
    for run in done.let_go[:10]:
        lines.append(f"{'would let go' if done.dry_run else 'let go'} of run {run}: {why}")
    if len(done.let_go) > 10:
        lines.append(f"… and {count(len(done.let_go) - 10)} more")
    if done.interrupted:
        lines.append(f"{count(done.interrupted)} interrupted: what they would go on with stays (--all removes it)")
    if done.fetched:
        what = f"{numbers.size(done.fetched.bytes)} that {count(done.fetched.items)} "
        what += "source" if done.fetched.items == 1 else "sources"
        lines.append(f"{what} fetched and no run names stay: they may not be had again (--fetched removes them)")
    if done.fresh:
        lines.append(f"{count(done.fresh)} that no run names are less than an hour old and stay")
    return lines
