"""Trackers tell another tool about a run that is over, in that tool's own terms."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import ClassVar

from .context import Context
from .part import Part
from .run import Run


class Tracker(Part):
    """Enters a finished run in a tool that people follow experiments with. It only reads the run."""

    family: ClassVar[str] = "trackers"

    @abstractmethod
    def track(self, run: Run, folder: Path, context: Context) -> str:
        """Tell the tool about a run that stands in a folder.

        Returns:
            Where it can be seen now, for people.

        Raises:
            DataError: The tool does not take it, or cannot be reached. The run stays as it is.
        """
