"""A model that is served by its name: which version the name means now, and how that is opened."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedbed.core.errors import RecipeError
from seedbed.core.learner import Precision, Serving
from seedbed.flow.naming import find_run, store_near
from seedbed.serve.service import Version
from seedbed.train.bundle import BUNDLE, stamp_of

from .offering import Similar, near_of, reports_of
from .predicting.opening import open_model


@dataclass(frozen=True)
class Named:
    """A model by the name that a person gave. It is plain data, so that other processes can be told of it."""

    name: Path
    """A model's folder, or a run's, however it is named."""
    trust: bool = False
    log: Path | None = None
    """Where predictions are logged."""
    log_texts: bool = False
    precision: Precision = "fp32"
    host: str = "127.0.0.1"
    """The address that it is served at: others than this machine may see less."""
    similar: Similar = "auto"
    """Who may look up training rows."""
    feedback: Path | None = None
    """The folder for what people say is wrong, or `auto`: beside the recipe."""

    def standing(self) -> str:
        """The folder that the name means now, and when each file of what stands there was written.

        Raises:
            SeedbedError, OSError: It means none now.
        """
        return self._standing(self._place())

    def _standing(self, place: Path) -> str:
        if (place / BUNDLE).exists():
            return f"{place}\n{stamp_of(place)}"
        told = next((path for path in (place / "run.json",) if path.exists()), place).stat()
        return f"{place} {told.st_ino} {told.st_mtime_ns} {told.st_size}\n{stamp_of(place / 'models')}"

    def open(self) -> Version:
        """The model that the name means now.

        Raises:
            SeedbedError: See `open_model`.
        """
        # A link may point elsewhere half-way through: the folder that it means now is opened, and no other.
        place = self._place()
        standing = self._standing(place) if place.exists() else ""
        predictor = open_model(place, trust=self.trust, serving=Serving(_store_of(place), self.precision))
        near = near_of(predictor, self.similar, self.host, _store_of(place))
        more: dict[str, Any] = {"standing": standing, "near": near, "reports": reports_of(predictor, self.feedback)}
        if self.log is None:
            return Version(predictor, **more)
        from seedbed.flow.monitoring.logging import prediction_log

        try:
            log = prediction_log(predictor, self.log, texts=self.log_texts)
        except OSError as error:
            raise RecipeError(f"no log can be written there ({error.strerror})", at=f"--log {self.log}") from None
        return Version(predictor, log.write, log.close, **more, log_texts=self.log_texts)

    def _place(self) -> Path:
        place = find_run(self.name)
        return place.resolve() if place.exists() else place


def _store_of(place: Path) -> Path:
    """The store that a model stands beside; one that stands beside none gets the nearest one from here."""
    near = store_near(place)
    return near if near.is_dir() else store_near()
