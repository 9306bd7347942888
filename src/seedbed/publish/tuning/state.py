"""What was asked of a service so far, in `job.json`: nothing is uploaded or started twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from seedbed.core.errors import DataError, RecipeError
from seedbed.store.places import write_whole
from seedbed.store.runs import locked

STATE = "job.json"
_LOCK = ".lock"


class Asked(BaseModel):
    """A job that was asked for."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    model: str = Field(description="The model that is fine-tuned.")
    digest: str = Field(description="Of the run's dataset.")
    id: str | None = Field(None, description="The job, as the service calls it; null while nobody knows.")
    sent: bool = Field(False, description="Whether it was asked for: its id may have been lost on its way.")
    status: str = ""
    fine_tuned_model: str | None = None
    trained_tokens: int | None = None
    error: str = ""
    examples: dict[str, int] = Field(default_factory=dict, description="By the file that was sent.")
    waived: str | None = Field(None, description="Why it was sent although a service may refuse it.")
    checkpoints: list[dict[str, Any]] = Field(default_factory=list)
    results: list[str] = Field(default_factory=list, description="Files beside this one.")


class State(BaseModel):
    """Everything that was asked of one service from one folder."""

    model_config = ConfigDict(extra="forbid")

    endpoint: str
    files: dict[str, str] = Field(default_factory=dict, description="Ids of files, by what they hold (SHA-256).")
    jobs: dict[str, Asked] = Field(default_factory=dict, description="By what was asked for.")

    @classmethod
    def of(cls, folder: Path, endpoint: str, at: str) -> State:
        """The state that a folder holds; an empty one where it holds nothing.

        Raises:
            RecipeError: The folder holds something else, or jobs of another service.
            DataError: The state is damaged.
        """
        path = folder / STATE
        try:
            found = cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            if folder.exists() and any(one.name != _LOCK for one in folder.iterdir()):
                raise RecipeError(f"{folder.name}/ holds no {STATE}, and is not empty", at=at, hint=_ANOTHER) from None
            return cls(endpoint=endpoint)
        except NotADirectoryError:
            raise RecipeError(f"{folder.name} is no folder", at=at, hint=_ANOTHER) from None
        except OSError as error:
            raise DataError(f"cannot be read: {error.strerror or error}", at=str(path)) from None
        except ValidationError:
            hint = "was it changed by hand? Away with it, and what it knows of is uploaded and started anew"
            raise DataError("is not what was asked of a service", at=str(path), hint=hint) from None
        if found.endpoint != endpoint:
            raise RecipeError(f"{folder.name}/ follows jobs of {found.endpoint[:80]}", at=at, hint=_ANOTHER)
        return found

    def keep(self, folder: Path) -> None:
        """Write it, whole or not at all."""
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / STATE, (self.model_dump_json(indent=1) + "\n").encode())


@dataclass(frozen=True)
class Kept:
    """The state in a folder, which several processes may read and change."""

    folder: Path
    endpoint: str
    at: str

    def read(self) -> State:
        """As it is now; see `State.of`."""
        return State.of(self.folder, self.endpoint, self.at)

    @contextmanager
    def held(self) -> Iterator[State]:
        """The state, which nobody else changes while the body runs; what the body changes it writes with `keep`."""
        self.read()  # a folder of somebody's gets no lock
        with locked(self.folder / _LOCK):
            yield self.read()

    def note(self, key: str, asked: Asked) -> None:
        """Write what became of a job."""
        with self.held() as state:
            state.jobs[key] = asked
            state.keep(self.folder)


_ANOTHER = "name a folder of its own under `path`"
