"""What is done with a model: label rows, serve it, watch it, train it again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from seedbed.core.errors import RecipeError

from .options import ADDRESS, COLUMNS, ENGINE, JSON, MODEL, TRUST, Engine, cluster_of

app = typer.Typer()


@app.command(
    epilog="Examples: seedbed predict runs/reviews/latest/models/tfidf_logistic new.csv --out guesses.csv · "
    'seedbed predict runs/reviews/latest --text "I like it"'
)
def predict(  # noqa: PLR0913, PLR0917 (each option is an argument)
    model: MODEL,
    file: Annotated[str | None, typer.Argument(help="Rows to label: a file, a folder or a glob.")] = None,
    texts: Annotated[
        list[str] | None, typer.Option("--text", metavar="TEXT", help="A text, or a row as JSON; may be given again.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Where to: .csv, .jsonl or .parquet; JSON lines on screen if left out.")
    ] = None,
    columns: COLUMNS = None,
    trust: TRUST = False,
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, max=1024, help="Processes for a file; one (Ray: one a core) when left out."),
    ] = None,
    engine: ENGINE = Engine.local,
    address: ADDRESS = None,
    probabilities: Annotated[
        str,
        typer.Option(
            "--probabilities",
            metavar="all|none|K",
            help="Of a file: of all labels, none, or the K most probable.",
        ),
    ] = "all",
    as_json: JSON = False,
) -> None:
    """Label texts with a model, after the same preprocessing as in training."""
    from seedbed.cli.predict import predict_rows

    cluster = cluster_of(engine, address)
    predict_rows(
        model, file, texts=texts or [], out=out, columns=columns or [], trust=trust, cluster=cluster,
        workers=workers, probabilities=probabilities, as_json=as_json,
    )  # fmt: skip


@app.command(
    epilog="Examples: seedbed serve runs/reviews/latest --port 8000 · seedbed serve --new-key ana --keys keys.txt · "
    "seedbed serve reviews@latest --host 0.0.0.0 --keys keys.txt --workers 2 --log predictions"
)
def serve(  # noqa: PLR0913, PLR0917 (each option is an argument)
    model: Annotated[
        Path | None,
        typer.Argument(help="A model's folder, or a run (by folder, id, tag): its best model.", show_default=False),
    ] = None,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0 for any free one.")] = 8000,
    workers: Annotated[
        int, typer.Option("--workers", min=1, max=256, help="Processes at one port, each with its own model.")
    ] = 1,
    keys: Annotated[
        Path | None, typer.Option("--keys", help="Let in those whose keys this file names, and nobody else.")
    ] = None,
    new_key: Annotated[
        str | None, typer.Option("--new-key", metavar="NAME", help="Print a new key for a name, once, and end.")
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option("--allow-origin", metavar="URL", help="A web page that may ask from a browser; again for more."),
    ] = None,
    queue: Annotated[
        int, typer.Option("--queue", min=1, max=100_000, help="Requests that may wait in a process; others get 429.")
    ] = 64,
    timeout: Annotated[
        float, typer.Option("--timeout", min=0.1, max=3600, help="Seconds that an answer may take; then 503.")
    ] = 30.0,
    log: Annotated[
        Path | None,
        typer.Option(
            "--log", help="Log answers there, for `seedbed monitor`, with numbers and categories, without texts."
        ),
    ] = None,
    log_texts: Annotated[bool, typer.Option("--log-texts", help="Log what people write, too.")] = False,
    access_log: Annotated[
        bool, typer.Option("--access-log", help="A line of JSON on standard error for each request, without texts.")
    ] = False,
    precision: Annotated[
        Literal["fp32", "int8"],
        typer.Option("--precision", help="Weights of a fine-tuned transformer; int8 is faster, and rounds."),
    ] = "fp32",
    similar: Annotated[
        str,
        typer.Option(
            "--similar",
            metavar="WHO",
            help="Training rows that are like a text: auto (this machine alone), names, texts (to all), off.",
        ),
    ] = "auto",
    feedback: Annotated[
        Path | None,
        typer.Option("--feedback", metavar="FOLDER|auto", help="Keep what people say is wrong, for `seedbed review`."),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch/--no-watch", help="Take over the model's new version as soon as there is one.")
    ] = True,
    trust: TRUST = False,
) -> None:
    """Serve a model: a web page to type a text into, and a JSON API."""
    from seedbed.cli.serve import Asked, make_key, serve_model

    if new_key is not None:
        return make_key(new_key, keys)
    if model is None:
        raise RecipeError("which model?", at="seedbed serve", hint="name a model's folder or a run: `seedbed runs`")
    serve_model(
        model,
        Asked(
            host=host, port=port, trust=trust, workers=workers, keys=keys, origins=tuple(allow_origin or ()),
            queue=queue, timeout=timeout, log=log, log_texts=log_texts, access_log=access_log, watch=watch,
            precision=precision, similar=similar, feedback=feedback,
        ),
    )  # fmt: skip


@app.command(
    epilog="Examples: seedbed monitor log --against runs/reviews/latest --window 7d --out monitor.html · "
    "seedbed monitor may.csv --against reviews@latest --labels may-labels.jsonl --json"
)
def monitor(  # noqa: PLR0913, PLR0917 (each option is an argument)
    rows: Annotated[
        str,
        typer.Argument(
            metavar="LOG|FILE", help="A folder that `seedbed serve` logs to, or a file with rows.", show_default=False
        ),
    ],
    against: Annotated[Path, typer.Option("--against", metavar="MODEL|RUN", help="The model, or a run: its best.")],
    window: Annotated[
        str, typer.Option("--window", metavar="SPAN", help="Of a log: how far back from now, such as 7d; all without.")
    ] = "",
    labels: Annotated[
        Path | None, typer.Option("--labels", help="What is right: .jsonl or .csv with `row` and `answer`.")
    ] = None,
    columns: COLUMNS = None,
    encoder: Annotated[
        str, typer.Option("--encoder", metavar="FOLDER", help="Compare what texts mean, too, by this sentence encoder.")
    ] = "",
    level: Annotated[
        float, typer.Option("--level", min=0.0001, max=0.5, help="Chance of a false alarm, of all tests together.")
    ] = 0.05,
    at_least: Annotated[
        float, typer.Option("--at-least", min=0, max=1, help="Smallest effect of drift that is an alarm.")
    ] = 0.02,
    out: Annotated[Path | None, typer.Option("--out", help="Write a page, such as monitor.html.")] = None,
    webhook: Annotated[
        str | None, typer.Option("--webhook", metavar="URL", help="POST alarms there; '${env:NAME}' keeps it secret.")
    ] = None,
    trust: TRUST = False,
    as_json: JSON = False,
) -> None:
    """Hold what a model is asked, and what it answers, against its held-out rows; ends with 1 on an alarm."""
    from seedbed.cli.monitor import Wanted, watch_model
    from seedbed.cli.predict import column_pairs
    from seedbed.flow.monitoring.watch import Asked

    pairs = column_pairs(columns or [])
    asked = Asked(window, labels, pairs, level, at_least, encoder, trust)
    watch_model(rows, against, asked, Wanted(out, webhook, as_json))


@app.command(
    epilog="Examples: seedbed retrain reviews@champion · seedbed retrain runs/reviews/latest --add may.csv --no-promote"
)
def retrain(
    run: Annotated[
        str, typer.Argument(help="A run of the recipe: its folder, id, tag, NAME@champion.", show_default=False)
    ],
    add: Annotated[
        list[Path] | None, typer.Option("--add", metavar="FILE", help="More rows, in a file like the recipe's first.")
    ] = None,
    recipe: Annotated[
        Path | None, typer.Option("--recipe", help="The recipe's file; the run's own copy when left out.")
    ] = None,
    feedback: Annotated[
        Path | None,
        typer.Option(
            "--feedback", metavar="FOLDER", help="What `seedbed serve --feedback` kept; beside the recipe if left out."
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the new run.")] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Worker processes; the number of cores when left out.")
    ] = None,
    promote: Annotated[
        bool, typer.Option("--promote/--no-promote", help="Whether a better model takes the champion's place.")
    ] = True,
    as_json: JSON = False,
) -> None:
    """Train again on what has come in, and promote the new model if it is better on the same frozen test rows.

    Ends with 1 where it is not.
    """
    from seedbed.cli.retrain import retrain_run

    retrain_run(
        run,
        add=add or [],
        recipe=recipe,
        feedback=feedback,
        out=out,
        workers=workers,
        promote=promote,
        as_json=as_json,
    )
