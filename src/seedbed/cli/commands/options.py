"""Arguments that several commands take."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from seedbed.core.errors import RecipeError


class Engine(StrEnum):
    """Who does the work."""

    local = "local"
    ray = "ray"


JSON = Annotated[bool, typer.Option("--json", help="Print facts as JSON.")]
TRUST = Annotated[bool, typer.Option("--trust", help="Run functions that the maker of the model put into its steps.")]
RUN = Annotated[
    Path, typer.Argument(help="A run: its folder, the start of its id, a tag, NAME@latest.", show_default=False)
]
MODEL = Annotated[
    Path, typer.Argument(help="A model's folder, or a run (by folder, id, tag): its best model.", show_default=False)
]
COLUMNS = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="INPUT=COLUMN",
        help="Read an input of the model from another column of the file, such as text=message; may be given again.",
    ),
]
ENGINE = Annotated[
    Engine, typer.Option("--engine", help="Who does the work: processes of this machine, or a Ray cluster.")
]
ADDRESS = Annotated[
    str | None,
    typer.Option(
        "--address", help="The Ray cluster, HOST:PORT or auto; RAY_ADDRESS, or one started here, when left out."
    ),
]


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
