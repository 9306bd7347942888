"""What came back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Response:
    """An answer with a status of 2xx (or, in `FetchError.response`, another)."""

    url: str
    """The address that answered, after redirects."""
    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Their names in lower case; of equal ones the values, with commas between."""
    body: bytes = field(repr=False)
    """Unpacked."""
    redirects: tuple[str, ...] = ()
    """The addresses that led here, in order."""

    @property
    def media_type(self) -> str:
        """What the header Content-Type says, without its parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()
