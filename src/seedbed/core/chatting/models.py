"""Limits and prices of models that services fine-tune: a table in YAML, and one of the user's that goes before it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from seedbed.core.documents import read_document
from seedbed.core.errors import DataError, RecipeError

_TABLE = Path(__file__).with_name("models.yaml")
#: Of any service, where nobody says otherwise.
AT_LEAST = 10


class TunedModel(BaseModel):
    """What a service takes of a training file for a model, and what training costs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    also: tuple[str, ...] = Field((), description="Other names of it.")
    at_least: int = Field(AT_LEAST, ge=1, description="Fewest examples of a training file.")
    example_tokens: int | None = Field(None, ge=1, description="Most tokens of an example.")
    job_tokens: int | None = Field(None, ge=1, description="Most tokens of a training file, counted once an epoch.")
    file_bytes: int | None = Field(None, ge=1, description="Most bytes of a file.")
    price: float | None = Field(None, ge=0, description="Of a million training tokens, counted once an epoch.")
    currency: str = Field("USD", min_length=1)
    encoding: str | None = Field(None, description="Of its tokens.")
    source: str = Field("", description="Where the numbers stand.")
    as_of: str = Field("", description="When they stood there.")

    def cost(self, tokens: float, epochs: float) -> float | None:
        """What training on so many tokens costs, where the price is known."""
        return None if self.price is None else self.price * tokens * epochs / 1e6


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    models: dict[str, TunedModel]


def model_named(name: str, table: Path | None = None) -> TunedModel | None:
    """What is known of a model; of one that was fine-tuned (`ft:MODEL:…`), that of the model it was made from.

    Args:
        name: As the service calls it.
        table: A file of the user's, which goes before ours.

    Raises:
        DataError: The file cannot be read.
        RecipeError: It is no such table.
    """
    base = name.split(":")[1] if name.startswith("ft:") and name.count(":") else name
    for path in (table, _TABLE):
        models = _read(path) if path else {}
        for known, told in models.items():
            if base == known or base in told.also:
                return told
    return None


def _read(path: Path) -> dict[str, TunedModel]:
    try:
        raw = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        said = getattr(error, "strerror", None) or "it is no UTF-8"
        raise DataError(f"the table of models cannot be read: {said}", at=str(path)) from None
    data: Any = read_document(raw, at=str(path)).data
    try:
        return _Table.model_validate(data).models
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        hint = "it looks like `models: {NAME: {example_tokens: 65536, price: 3}}`"
        raise RecipeError(f"{where}: {first['msg']}", at=str(path), hint=hint) from None
