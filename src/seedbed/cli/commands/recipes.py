"""What is done with a recipe: write one, run it, hold a file against it; what it can name."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .options import ADDRESS, ENGINE, JSON, Engine, cluster_of

app = typer.Typer()


@app.command(
    epilog="Examples: seedbed init reviews.csv · seedbed init 'mails/*.jsonl' --text body --label folder · "
    "seedbed init book.xlsx --set sources.0.sheet=May · "
    "seedbed init faq.csv --task question_answering --column question=ask --column context=page --column answers=reply"
)
def init(  # noqa: PLR0913, PLR0917 (each option is an argument)
    file: Annotated[str, typer.Argument(help="The data: a file, a folder, a glob, or pkg://…", show_default=False)],
    text: Annotated[str | None, typer.Option("--text", help="Column with the text; found when left out.")] = None,
    label: Annotated[str | None, typer.Option("--label", help="Column with the label; found when left out.")] = None,
    kind: Annotated[
        str | None,
        typer.Option("--task", metavar="KIND", help="What the model is to do (regression, …); found when left out."),
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option("--column", metavar="ROLE=COLUMN", help="Which column is what to that task; may be given again."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Say how the file is read; may be given again."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for recipe.yaml and card.yaml; this one when left out.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a recipe.yaml or card.yaml that is there.")] = False,
    as_json: JSON = False,
) -> None:
    """Look at a file, and write a commented recipe.yaml and card.yaml for it."""
    from seedbed.cli.init import init_recipe

    init_recipe(
        file,
        text=text,
        label=label,
        kind=kind,
        columns=columns or [],
        settings=settings or [],
        out=out,
        force=force,
        as_json=as_json,
    )


class Ablate(StrEnum):
    """What a run leaves out, one after the other."""

    steps = "steps"


@app.command(
    epilog="Examples: seedbed run recipe.yaml --workers 2 --set split.seed=7 · seedbed run recipe.yaml --dry-run · "
    "seedbed run recipe.yaml --limit 1000 · seedbed run recipe.yaml --offline · seedbed run recipe.yaml --ablate steps"
)
def run(  # noqa: PLR0913, PLR0917 (each option is an argument)
    recipe: Annotated[Path, typer.Argument(help="The recipe, a YAML file.", show_default=False)],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for the run; runs/NAME/ID beside the recipe when left out."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, max=1024, help="Processes; as many as cores when left out.")
    ] = None,
    batch: Annotated[int | None, typer.Option("--batch", min=1, help="Most rows that a step sees at once.")] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Replace a value of the recipe; may be given again."),
    ] = None,
    engine: ENGINE = Engine.local,
    address: ADDRESS = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, help="A quick look: the first N records of each source; never published."),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Say what would be done, what the store holds, what it costs; write nothing."),
    ] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Fetch nothing: read what earlier runs kept, or fail.")
    ] = False,
    refresh: Annotated[bool, typer.Option("--refresh", help="Fetch again what earlier runs kept.")] = False,
    ablate: Annotated[
        Ablate | None,
        typer.Option(
            "--ablate",
            help="Also tell what each step is worth, judged on the same rows: without each, what follows it is done "
            "once more and a cheap learner trained 5 times. How long that takes is said before.",
        ),
    ] = None,
    as_json: JSON = False,
) -> None:
    """Run a recipe: collect, clean, check, split, train, judge, report, publish."""
    from seedbed.cli.run import preview_recipe, run_recipe

    cluster, given = cluster_of(engine, address), overrides or []
    if dry_run:
        preview_recipe(
            recipe,
            workers=workers,
            batch=batch,
            limit=limit,
            overrides=given,
            as_json=as_json,
            cluster=cluster,
            refresh=refresh,
        )
        return
    run_recipe(
        recipe,
        out=out,
        workers=workers,
        batch=batch,
        limit=limit,
        overrides=given,
        as_json=as_json,
        cluster=cluster,
        offline=offline,
        refresh=refresh,
        ablate=ablate is not None,
    )


@app.command(
    epilog="Examples: seedbed check new.csv --against recipe.yaml · "
    "seedbed check new.csv --against recipe.yaml --github --sarif findings.sarif"
)
def check(
    file: Annotated[str, typer.Argument(help="The data to look at.", show_default=False)],
    against: Annotated[
        Path, typer.Option("--against", help="The recipe whose steps and checks it must pass.", show_default=False)
    ],
    as_json: JSON = False,
    github: Annotated[
        bool, typer.Option("--github", help="Annotate the job of GitHub Actions that this runs in.")
    ] = False,
    sarif: Annotated[
        Path | None, typer.Option("--sarif", help="Write findings for code scanning (SARIF 2.1.0).")
    ] = None,
) -> None:
    """Hold a file against a recipe: its columns, steps and checks. Nothing is trained or published."""
    from seedbed.cli.check import check_file

    check_file(file, against, as_json=as_json, github=github, sarif=sarif)


@app.command(epilog="Examples: seedbed parts · seedbed parts steps · seedbed parts steps text_length")
def parts(
    family: Annotated[str | None, typer.Argument(help="A family: sources, steps, checks, …, or tasks")] = None,
    name: Annotated[str | None, typer.Argument(help="A part: its page is shown.")] = None,
    as_json: JSON = False,
) -> None:
    """List what a recipe can name, or show the page of one part."""
    from seedbed.cli.parts import show_parts

    show_parts(family, name, as_json=as_json)


@app.command(epilog="Examples: seedbed schema > recipe.schema.json · seedbed schema card > card.schema.json")
def schema(
    what: Annotated[str, typer.Argument(help="recipe, card, or run for that of run.json.")] = "recipe",
) -> None:
    """Print the JSON Schema of recipes or cards (for editors), or of run.json."""
    from seedbed.cli.schema import show_schema

    show_schema(what)
