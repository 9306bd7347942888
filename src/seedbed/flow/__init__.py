"""Wires the stages: passes values from one to the next."""

from .running import Finished, run

__all__ = ["Finished", "run"]
