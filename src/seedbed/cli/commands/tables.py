"""What is done with a table: look at it, write it in another format."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import JSON

app = typer.Typer()


@app.command(
    epilog="Examples: seedbed profile reviews.csv --label stars · seedbed profile reviews@latest --split test · "
    "seedbed profile 'logs/*.jsonl' --html profile.html"
)
def profile(  # noqa: PLR0913, PLR0917 (each option is an argument)
    table: Annotated[
        str,
        typer.Argument(
            metavar="FILE|RUN",
            help="A file, folder or glob; or a run, by its folder, the start of its id, a tag, NAME@latest.",
            show_default=False,
        ),
    ],
    text: Annotated[str | None, typer.Option("--text", help="Column with the text; found when left out.")] = None,
    label: Annotated[str | None, typer.Option("--label", help="Column with the label; found when left out.")] = None,
    columns: Annotated[
        list[str] | None, typer.Option("--column", metavar="NAME", help="Look at this column; may be given again.")
    ] = None,
    split: Annotated[str | None, typer.Option("--split", help="Of a run: this split only.")] = None,
    sample: Annotated[
        int | None, typer.Option("--sample", min=1, help="A quick look: so many rows, from all over the file.")
    ] = None,
    tokenizer: Annotated[
        str | None, typer.Option("--tokenizer", metavar="PATH", help="Count the tokens of a tokenizer.json.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, max=1024, help="Processes; as many as cores when left out.")
    ] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write a page, such as profile.html.")] = None,
    as_json: JSON = False,
) -> None:
    """Look at a table: what each column holds, what may be wrong, what hangs together. Findings first."""
    from seedbed.cli.profile import profile_table
    from seedbed.flow.profiling.files import Asked

    asked = Asked(text, label, tuple(columns or ()), tokenizer or "", sample, workers)
    profile_table(table, asked, split=split, html=html, as_json=as_json)


@app.command(
    epilog="Examples: seedbed export reviews@latest --to jsonl --out out/reviews · seedbed export data.csv --to "
    "parquet · seedbed export v1 --to csv --split test --set row_ids=false · seedbed export reviews@latest --to onnx"
)
def export(
    named: Annotated[
        str,
        typer.Argument(
            metavar="RUN|MODEL|FILE",
            help="A run (by folder, id, tag, NAME@latest), a model's folder, or a file, folder, glob or URL.",
            show_default=False,
        ),
    ],
    to: Annotated[str, typer.Option("--to", metavar="FORMAT", help="`seedbed parts exporters` lists them.")],
    out: Annotated[
        str | None,
        typer.Option("--out", metavar="PLACE", help="Where to; NAME-FORMAT, or FILE with another ending, if left out."),
    ] = None,
    splits: Annotated[
        list[str] | None, typer.Option("--split", help="Only this split of a run; may be given again.")
    ] = None,
    options: Annotated[
        list[str] | None, typer.Option("--set", metavar="OPTION=VALUE", help="An option of the format.")
    ] = None,
    trust: Annotated[
        bool, typer.Option("--trust", help="Read a pickle, or run functions of a model's maker: you know who it is.")
    ] = False,
    as_json: JSON = False,
) -> None:
    """Write a run's dataset, one of its models, or any file, in another format."""
    from seedbed.cli.export import export_rows
    from seedbed.flow.exporting.export import Asked

    asked = Asked(to, out, tuple(splits or ()), tuple(options or ()), trust)
    export_rows(named, asked, as_json=as_json)


@app.command(
    epilog="Examples: seedbed publish reviews@latest · seedbed publish v1 --to hub --out hf://datasets/me/reviews · "
    "seedbed publish v1 --waive 'license=its owner agreed by letter'"
)
def publish(
    named: Annotated[
        str, typer.Argument(metavar="RUN", help="A run: by folder, id, tag, NAME@latest.", show_default=False)
    ],
    to: Annotated[
        str | None, typer.Option("--to", metavar="FORMAT", help="Where to; where the recipe says, if left out.")
    ] = None,
    out: Annotated[
        str | None, typer.Option("--out", metavar="PLACE", help="With --to: a folder or an address.")
    ] = None,
    options: Annotated[
        list[str] | None, typer.Option("--set", metavar="OPTION=VALUE", help="With --to: an option of the format.")
    ] = None,
    waive: Annotated[
        list[str] | None,
        typer.Option("--waive", metavar="WHAT=REASON", help="Publish although this stands against it, and why."),
    ] = None,
    as_json: JSON = False,
) -> None:
    """Publish a run, unless a check, a gate, a licence or a blank of its card stands against it."""
    from seedbed.cli.publish import publish_rows

    publish_rows(named, to, out, options or (), waive or (), as_json=as_json)
