"""The commands with commands of their own: `seedbed runs` and `seedbed store`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from .options import JSON

STORE = Annotated[
    Path | None,
    typer.Option("--store", help="Recipe's folder, or the store itself; the nearest .seedbed when left out."),
]


class _ListsByDefault(TyperGroup):
    """Lists where the first word is no command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `list` before words that name none of the commands."""
        if not args or (args[0] not in self.commands and args[0] not in ("-h", "--help")):
            args = ["list", *args]
        return super().parse_args(ctx, args)


class Sorting(StrEnum):
    """What runs are sorted by."""

    STARTED = "started"
    SCORE = "score"
    NAME = "name"


runs = typer.Typer(
    cls=_ListsByDefault,
    help="List the runs of a store; tag them; show which made what from what.",
    epilog="Examples: seedbed runs · seedbed runs tag 2026112 v1 · seedbed runs lineage v1",
)
store = typer.Typer(
    no_args_is_help=True,
    help="Bring datasets and models back by digest; see what the store takes; remove what no run needs.",
    epilog="Examples: seedbed store size · seedbed store gc --dry-run · seedbed store get v1 --out data",
)


@runs.command(
    "list",
    epilog="Examples: seedbed runs · seedbed runs --sort score --task regression · seedbed runs --dataset 3f9a1c22",
)
def list_runs(
    folder: Annotated[Path | None, typer.Argument(help="A recipe's folder; this one when left out.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="Only runs of recipes of this name.")] = None,
    dataset: Annotated[
        str | None, typer.Option("--dataset", help="Only runs that made this dataset: its digest, or the start of it.")
    ] = None,
    task: Annotated[str | None, typer.Option("--task", help="Only runs of this kind of task.")] = None,
    sort: Annotated[
        Sorting, typer.Option("--sort", help="By start (the newest first), by score of the best model, or by name.")
    ] = Sorting.STARTED,
    as_json: JSON = False,
) -> None:
    """List runs: id, state, rows, dataset, best model with its score and interval, tags, where. The word may be left
    out.
    """
    from seedbed.cli.runs import Wanted, show_runs

    show_runs(folder, Wanted(name, dataset, task, sort.value), as_json=as_json)


RUN = Annotated[str, typer.Argument(help="A run: its folder, the start of its id, a tag, NAME@latest, NAME@champion.")]


@runs.command("tag", epilog="Example: seedbed runs tag reviews@latest v1")
def tag_run(
    run: RUN,
    name: Annotated[str, typer.Argument(help="The tag: any command that takes a run takes it, too.")],
    force: Annotated[bool, typer.Option("--force", help="Move the tag from the run that has it.")] = False,
    at: STORE = None,
) -> None:
    """Give a run a name. `seedbed store gc` keeps what tagged runs made."""
    from seedbed.cli.runs import tag

    tag(run, name, force=force, at=at)


@runs.command("untag", epilog="Example: seedbed runs untag v1")
def untag_run(name: Annotated[str, typer.Argument(help="The tag.")], at: STORE = None) -> None:
    """Take a tag away."""
    from seedbed.cli.runs import untag

    untag(name, at=at)


WHY = Annotated[str, typer.Option("--why", help="Noted beside it.")]


@runs.command("promote", epilog="Example: seedbed runs promote reviews@latest --why 'seen by Ana'")
def promote_run(run: RUN, why: WHY = "", at: STORE = None) -> None:
    """Make a run the champion of its recipe: NAME@champion means it, and servers of that name go over to it."""
    from seedbed.cli.retrain import promote

    promote(run, why, at)


@runs.command("rollback", epilog="Example: seedbed runs rollback reviews --why 'complaints since Monday'")
def roll_back(name: Annotated[str, typer.Argument(help="The recipe's name.")], why: WHY = "", at: STORE = None) -> None:
    """Make the champion before this one champion again."""
    from seedbed.cli.retrain import rollback

    rollback(name, why, at)


@runs.command("lineage", epilog="Examples: seedbed runs lineage · seedbed runs lineage v1 --out lineage.html")
def show_lineage(
    run: Annotated[
        str | None, typer.Argument(help="Only what this run came from, and what came of it; all when left out.")
    ] = None,
    dot: Annotated[bool, typer.Option("--dot", help="Print it for Graphviz.")] = False,
    out: Annotated[Path | None, typer.Option("--out", help="Draw it on a page, such as lineage.html.")] = None,
    at: STORE = None,
    as_json: JSON = False,
) -> None:
    """Show which run made which dataset and models from which sources, and from which earlier datasets."""
    from seedbed.cli.runs import lineage

    lineage(run, dot=dot, out=out, at=at, as_json=as_json)


@store.command(
    "get", epilog="Examples: seedbed store get 3f9a1c22 --out data · seedbed store get v1 --model ridge --out m"
)
def get_from_store(
    named: Annotated[str, typer.Argument(help="Digest of a dataset, model or response (8 characters do), or a run.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to make.")],
    model: Annotated[str | None, typer.Option("--model", help="Of a run: this model, not the dataset.")] = None,
    at: STORE = None,
    as_json: JSON = False,
) -> None:
    """Bring a dataset or model back, checked, also when the run's folder is gone."""
    from seedbed.cli.store import get

    get(named, out=out, model=model, at=at, as_json=as_json)


@store.command("size", epilog="Example: seedbed store size --json")
def size_of_store(at: STORE = None, as_json: JSON = False) -> None:
    """Say what the store takes, by kind."""
    from seedbed.cli.store import show_size

    show_size(at, as_json=as_json)


@store.command("gc", epilog="Examples: seedbed store gc --dry-run · seedbed store gc --older-than 30 --keep-last 3")
def collect_garbage(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    older_than: Annotated[
        float | None, typer.Option("--older-than", min=0, metavar="DAYS", help="Only what was written before.")
    ] = None,
    keep_last: Annotated[
        int | None,
        typer.Option("--keep-last", min=0, metavar="N", help="Keep what the N newest runs of each name use, not all."),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also what interrupted runs would go on with, and shared caches.")
    ] = False,
    fetched: Annotated[
        bool, typer.Option("--fetched", help="Also what sources fetched, where no run names it: it may be gone there.")
    ] = False,
    at: STORE = None,
    as_json: JSON = False,
) -> None:
    """Remove what no run needs: no run whose folder is there, none with a tag, none that is not over."""
    from seedbed.cli.store import collect

    collect(
        at,
        older_than=older_than,
        keep_last=keep_last,
        everything=everything,
        fetched=fetched,
        dry_run=dry_run,
        as_json=as_json,
    )
