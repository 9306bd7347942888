"""What all facts that a run or a profile writes down have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """Facts as they are written: nobody changes them, and a name that nobody knows is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
