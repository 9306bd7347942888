"""Options of which one of several ways is chosen, told apart by `kind`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict

PLACEHOLDER = "${env:"


class Choice(BaseModel):
    """One way; its subclasses have a `kind`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def model_post_init(self, _: Any) -> None:
        """A choice that is written out says which one it is, also where Python code left that to the class."""
        self.__pydantic_fields_set__.add("kind")


def _hidden(text: str) -> str:
    if PLACEHOLDER not in text:
        raise ValueError("a secret has no place in a recipe: write ${env:NAME}, and set that variable before the run")
    return text


#: A secret, as the recipe may name it: by an environment variable.
Secret = Annotated[str, AfterValidator(_hidden)]
