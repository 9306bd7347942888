"""What is done with a model: label rows, serve it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import JSON, MODEL, TRUST

app = typer.Typer()


@app.command(
    epilog="Examples: seedbed predict runs/reviews/latest/models/tfidf_logistic new.csv --out guesses.csv · "
    'seedbed predict runs/reviews/latest --text "I like it"'
)
def predict(
    model: MODEL,
    file: Annotated[str | None, typer.Argument(help="Rows to label: a file, a folder or a glob.")] = None,
    texts: Annotated[
        list[str] | None, typer.Option("--text", metavar="TEXT", help="A text, or a row as JSON; may be given again.")
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
    from seedbed.cli.predict import predict_rows

    predict_rows(model, file, texts=texts or [], out=out, columns=columns or [], trust=trust, as_json=as_json)


@app.command(epilog="Example: seedbed serve runs/reviews/latest --port 8000")
def serve(
    model: MODEL,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0 for any free one.")] = 8000,
    trust: TRUST = False,
) -> None:
    """Serve a model: a web page to type a text into, and a JSON API."""
    from seedbed.cli.serve import serve_model

    serve_model(model, host=host, port=port, trust=trust)
