"""What is asked of runs that are done: what came of it, of one row, of two of them; what a person should decide."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import JSON, RUN

app = typer.Typer()


@app.command(epilog="Examples: seedbed show runs/reviews/latest · seedbed show runs/reviews/latest --json")
def show(
    run: RUN,
    as_json: JSON = False,
) -> None:
    """Show what a run came to, in the terminal."""
    from seedbed.cli.show import show_run

    show_run(run, as_json=as_json)


@app.command(epilog="Example: seedbed explain runs/reviews/latest 'reviews:reviews.csv#1204'")
def explain(
    run: RUN,
    row: Annotated[str, typer.Argument(help="A row's id, as in the ledger and the dataset.", show_default=False)],
    trust: Annotated[
        bool, typer.Option("--trust", help="Run functions again that the maker of the recipe put into its steps.")
    ] = False,
    as_json: JSON = False,
) -> None:
    """Tell one row's whole story: origin, changes, why it was rejected or kept, neighbours, split, predictions."""
    from seedbed.cli.explain import explain_row

    explain_row(run, row, trust=trust, as_json=as_json)


@app.command(
    epilog="Examples: seedbed diff v1 reviews@latest · seedbed diff runs/reviews/latest old/data --out diff.html"
)
def diff(
    a: Annotated[str, typer.Argument(help="What was before: a run, or a folder of Parquet files.", show_default=False)],
    b: Annotated[str, typer.Argument(help="What is now.", show_default=False)],
    by: Annotated[
        str | None,
        typer.Option(
            "--by", help="What makes rows the same: row (their ids), content, or a column; found if left out."
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write a page, such as diff.html.")] = None,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="End with 1 where something differs.")] = False,
    as_json: JSON = False,
) -> None:
    """Compare two runs or datasets: rows, labels, splits, spread, checks, scores, recipe, rejections."""
    from seedbed.cli.diff import show_diff

    show_diff(a, b, by=by, out=out, exit_code=exit_code, as_json=as_json)


@app.command(
    epilog="Examples: seedbed compare v1 reviews@latest · seedbed compare v1 v2 v3 --metric accuracy --out compare.html"
)
def compare(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN RUN…",
            help="Two runs or more (folder, id, tag, NAME@latest), the oldest first.",
            show_default=False,
        ),
    ],
    metric: Annotated[
        str | None, typer.Option("--metric", help="What to compare by; the metric that decides when left out.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write a page, such as compare.html.")] = None,
    as_json: JSON = False,
) -> None:
    """Compare the models of runs: scores side by side, and paired differences where the same test rows judge."""
    from seedbed.cli.compare import show_compared

    show_compared(runs, metric=metric, out=out, as_json=as_json)


@app.command(
    epilog="Examples: seedbed card runs/reviews/latest · seedbed card recipe.yaml --set license=CC-BY-4.0 · "
    "seedbed card reviews@latest --render papers"
)
def card(
    named: Annotated[
        Path,
        typer.Argument(
            metavar="RUN|RECIPE", help="A run (folder, id, tag, NAME@latest), or a recipe.", show_default=False
        ),
    ],
    answers: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=ANSWER", help="Answer a question; may be given again.")
    ] = None,
    confirm: Annotated[
        list[str] | None, typer.Option("--confirm", metavar="KEY", help="Say that a stale answer still holds.")
    ] = None,
    render: Annotated[
        Path | None, typer.Option("--render", metavar="OUT", help="Write the four papers of the run to a folder.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--card", help="The card; card.yaml beside the recipe if left out.")
    ] = None,
    as_json: JSON = False,
) -> None:
    """Fill in the card: what only people know of a dataset, beside what a run measured; say how complete it is."""
    from seedbed.cli.card import fill_in

    fill_in(named, card=file, answers=answers or [], confirm=confirm or [], render=render, as_json=as_json)


@app.command(
    epilog="Examples: seedbed review runs/reviews/latest · seedbed review v1 --people ana,ben · "
    "seedbed review v1 --export human_input.csv · seedbed review --compare a.jsonl b.jsonl"
)
def review(  # noqa: PLR0913, PLR0917 (each option is an argument)
    run: Annotated[
        Path | None, typer.Argument(help="A run: its folder, the start of its id, a tag, NAME@latest.")
    ] = None,
    queue: Annotated[
        list[str] | None,
        typer.Option(
            "--queue",
            help="Only this queue; may be given again. All but `pairs` (answers of two models) when left out.",
        ),
    ] = None,
    people: Annotated[
        list[str] | None, typer.Option("--people", metavar="NAME,NAME", help="Who decides: each gets a link.")
    ] = None,
    decisions: Annotated[
        Path | None, typer.Option("--decisions", help="Their file; review.jsonl beside the recipe when left out.")
    ] = None,
    feedback: Annotated[
        Path | None,
        typer.Option(
            "--feedback", metavar="FOLDER", help="What `seedbed serve --feedback` kept; beside the recipe if left out."
        ),
    ] = None,
    export: Annotated[
        Path | None, typer.Option("--export", help="Write the queues to a .csv, label_studio.json or argilla.json.")
    ] = None,
    take: Annotated[Path | None, typer.Option("--import", help="Take in such a file, filled in.")] = None,
    compare: Annotated[
        tuple[Path, Path] | None, typer.Option("--compare", help="Two files of answers (JSON lines) side by side.")
    ] = None,
    summary: Annotated[bool, typer.Option("--summary", help="Say how far it is; of --compare, who wins.")] = False,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0 for any free one.")] = 8010,
    as_json: JSON = False,
) -> None:
    """Walk the rows of a run that need a person, on a local page; the next run applies what is decided."""
    from seedbed.cli.review import review_run

    review_run(
        run,
        compare=compare,
        queues=queue or [],
        people=people or [],
        decisions=decisions,
        feedback=feedback,
        export=export,
        take=take,
        summary=summary,
        host=host,
        port=port,
        as_json=as_json,
    )
