"""Exporters bring a run's dataset and models to where they are used."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import ClassVar

from .context import Context
from .part import Part


class Exporter(Part):
    """Brings a finished run somewhere, in some form."""

    family: ClassVar[str] = "exporters"

    @property
    @abstractmethod
    def place(self) -> str:
        """Where it exports to, for people. The run's record says so before it is exported."""

    @abstractmethod
    def export(self, run: Path, context: Context) -> None:
        """Export the run that stands in a folder.

        Nothing half-written is left behind when it fails.
        """
