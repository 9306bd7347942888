"""The commands, and what each error does to the exit code. Parts are imported by the commands, not here."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

import seedbed
from seedbed.core.errors import RecipeError, SeedbedError

from .groups import runs, store
from .terminal import clean, complain, say, survive_any_encoding

INTERRUPTED = 130

app = typer.Typer(
    name="seedbed",
    help="From raw, messy sources to a dataset you can defend and a model you can trust, with one recipe.",
    epilog="Exit codes: 0 done · 1 a gate or check stopped it · 2 the recipe or the command line is wrong · "
    "3 a source or its data cannot be used · 4 a model or service failed · 130 interrupted, and resumable.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.add_typer(runs, name="runs")
app.add_typer(store, name="store")

JSON = Annotated[bool, typer.Option("--json", help="Print facts as JSON.")]
TRUST = Annotated[bool, typer.Option("--trust", help="Run functions that the maker of the model put into its steps.")]


def _version(asked: bool) -> None:
    if asked:
        say(f"seedbed {seedbed.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


class Engine(StrEnum):
    """Who does the work of a run."""

    local = "local"
    ray = "ray"


@app.command(
    epilog="Examples: seedbed run recipe.yaml --workers 2 --set split.seed=7 · seedbed run recipe.yaml --dry-run · "
    "seedbed run recipe.yaml --limit 1000 · seedbed run recipe.yaml --offline"
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
    engine: Annotated[
        Engine, typer.Option("--engine", help="Who does the work: processes of this machine, or a Ray cluster.")
    ] = Engine.local,
    address: Annotated[
        str | None,
        typer.Option(
            "--address", help="The Ray cluster, HOST:PORT or auto; RAY_ADDRESS, or one started here, when left out."
        ),
    ] = None,
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
    as_json: JSON = False,
) -> None:
    """Run a recipe: collect, clean, check, split, train, judge, report, publish."""
    from .run import preview_recipe, run_recipe

    cluster, given = cluster_of(engine, address), overrides or []
    if dry_run:
        preview_recipe(
            recipe, workers=workers, batch=batch, limit=limit, overrides=given, as_json=as_json, refresh=refresh
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
    )


def cluster_of(engine: Engine, address: str | None) -> str | None:
    """The cluster that does the work, as `flow.run` takes it.

    Raises:
        RecipeError: An address was given, but not the engine that it is of.
    """
    if engine is Engine.ray:
        return address or ""
    if address is not None:
        raise RecipeError("this is the address of a Ray cluster", at="--address", hint="say --engine ray, too")
    return None


@app.command(epilog="Examples: seedbed parts · seedbed parts steps · seedbed parts steps text_length")
def parts(
    family: Annotated[str | None, typer.Argument(help="A family: sources, steps, checks, …")] = None,
    name: Annotated[str | None, typer.Argument(help="A part: its page is shown.")] = None,
    as_json: JSON = False,
) -> None:
    """List what a recipe can name, or show the page of one part."""
    from .parts import show_parts

    show_parts(family, name, as_json=as_json)


@app.command(epilog="Example: seedbed schema > recipe.schema.json")
def schema(
    what: Annotated[str, typer.Argument(help="recipe, or run for that of run.json.")] = "recipe",
) -> None:
    """Print the JSON Schema of recipes (for editors), or of run.json."""
    from .schema import show_schema

    show_schema(what)


@app.command(epilog="Examples: seedbed init reviews.csv · seedbed init 'mails/*.jsonl' --text body --label folder")
def init(
    file: Annotated[str, typer.Argument(help="The data: a file, a folder, a glob, or pkg://…", show_default=False)],
    text: Annotated[str | None, typer.Option("--text", help="Column with the text; found when left out.")] = None,
    label: Annotated[str | None, typer.Option("--label", help="Column with the label; found when left out.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for recipe.yaml and card.yaml; this one when left out.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a recipe.yaml or card.yaml that is there.")] = False,
    as_json: JSON = False,
) -> None:
    """Look at a file, and write a commented recipe.yaml and card.yaml for it."""
    from .init import init_recipe

    init_recipe(file, text=text, label=label, out=out, force=force, as_json=as_json)


@app.command(epilog="Example: seedbed check new.csv --against recipe.yaml")
def check(
    file: Annotated[str, typer.Argument(help="The data to look at.", show_default=False)],
    against: Annotated[
        Path, typer.Option("--against", help="The recipe whose steps and checks it must pass.", show_default=False)
    ],
    as_json: JSON = False,
) -> None:
    """Hold a file against a recipe: its columns, steps and checks. Nothing is trained or published."""
    from .check import check_file

    check_file(file, against, as_json=as_json)


@app.command(epilog="Examples: seedbed show runs/reviews/latest · seedbed show runs/reviews/latest --json")
def show(
    run: Annotated[
        Path, typer.Argument(help="A run: its folder, the start of its id, a tag, NAME@latest.", show_default=False)
    ],
    as_json: JSON = False,
) -> None:
    """Show what a run came to, in the terminal."""
    from .show import show_run

    show_run(run, as_json=as_json)


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
    from .diff import show_diff

    show_diff(a, b, by=by, out=out, exit_code=exit_code, as_json=as_json)


@app.command(epilog="Example: seedbed explain runs/reviews/latest 'reviews:reviews.csv#1204'")
def explain(
    run: Annotated[
        Path, typer.Argument(help="A run: its folder, the start of its id, a tag, NAME@latest.", show_default=False)
    ],
    row: Annotated[str, typer.Argument(help="A row's id, as in the ledger and the dataset.", show_default=False)],
    trust: Annotated[
        bool, typer.Option("--trust", help="Run functions again that the maker of the recipe put into its steps.")
    ] = False,
    as_json: JSON = False,
) -> None:
    """Tell one row's whole story: origin, changes, why it was rejected or kept, neighbours, split, predictions."""
    from .explain import explain_row

    explain_row(run, row, trust=trust, as_json=as_json)


@app.command(
    epilog="Examples: seedbed predict runs/reviews/latest/models/tfidf_logistic new.csv --out guesses.csv · "
    'seedbed predict runs/reviews/latest --text "I like it"'
)
def predict(
    model: Annotated[
        Path,
        typer.Argument(help="A model's folder, or a run (by folder, id, tag): its best model.", show_default=False),
    ],
    file: Annotated[str | None, typer.Argument(help="Rows to label: a file, a folder or a glob.")] = None,
    texts: Annotated[
        list[str] | None, typer.Option("--text", metavar="TEXT", help="A text to label; may be given again.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Where to: .csv, .jsonl or .parquet; JSON lines on screen if left out.")
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option("--column", metavar="INPUT=COLUMN", help="Read an input of the model from a column of that name."),
    ] = None,
    trust: TRUST = False,
    as_json: JSON = False,
) -> None:
    """Label texts with a model, after the same preprocessing as in training."""
    from .predict import predict_rows

    predict_rows(model, file, texts=texts or [], out=out, columns=columns or [], trust=trust, as_json=as_json)


@app.command(epilog="Example: seedbed serve runs/reviews/latest --port 8000")
def serve(
    model: Annotated[
        Path,
        typer.Argument(help="A model's folder, or a run (by folder, id, tag): its best model.", show_default=False),
    ],
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0 for any free one.")] = 8000,
    trust: TRUST = False,
) -> None:
    """Serve a model: a web page to type a text into, and a JSON API."""
    from .serve import serve_model

    serve_model(model, host=host, port=port, trust=trust)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; ends the process with its exit code."""
    survive_any_encoding()
    try:
        code = _exit_code(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has gone: the rest has nowhere to go, and Python must not complain at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)


def _exit_code(arguments: Sequence[str] | None) -> int:
    try:
        result: Any = app(args=None if arguments is None else list(arguments), standalone_mode=False)
        code = result if isinstance(result, int) else 0
        return _interrupted() if code == INTERRUPTED else code  # as which typer returns a KeyboardInterrupt
    except SeedbedError as error:
        complain(f"error: {error}")
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return _interrupted()
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 (whatever else happens, nobody is shown a traceback)
        return _usage(error) if hasattr(error, "format_message") else _unexpected(error)


def _interrupted() -> int:
    complain("interrupted: nothing half-written is left; the same command goes on where this one stopped")
    return INTERRUPTED


def _usage(error: Any) -> int:
    """A wrong command line, as click tells it."""
    if not error.format_message().strip():
        return RecipeError.exit_code  # no command was named, and the help has been shown
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "seedbed"
    complain(f"error: {error.format_message()}\n  hint: {path} --help")
    return RecipeError.exit_code


def _unexpected(error: Exception) -> int:
    with tempfile.NamedTemporaryFile("w", prefix="seedbed-", suffix=".txt", delete=False, encoding="utf-8") as file:
        file.write(f"seedbed {seedbed.__version__}, Python {sys.version}, {sys.platform}\n\n")
        file.write("".join(traceback.format_exception(error)))
    what = clean(f"{type(error).__name__}: {error}").partition("\n")[0][:200]
    complain(
        f"error: this is a fault in Seedbed or in a part, not in what you did: {what}\n"
        f"  the details are in {file.name}\n"
        "  hint: please report it, with that file and the recipe"
    )
    return 1
