"""Arguments that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

JSON = Annotated[bool, typer.Option("--json", help="Print facts as JSON.")]
TRUST = Annotated[bool, typer.Option("--trust", help="Run functions that the maker of the model put into its steps.")]
RUN = Annotated[
    Path, typer.Argument(help="A run: its folder, the start of its id, a tag, NAME@latest.", show_default=False)
]
MODEL = Annotated[
    Path, typer.Argument(help="A model's folder, or a run (by folder, id, tag): its best model.", show_default=False)
]
