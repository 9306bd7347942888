"""Trackers that ship with Seedbed, one module each; `telling/` holds what they share."""

from .mlflow import Mlflow
from .tensorboard import Tensorboard

__all__ = ["Mlflow", "Tensorboard"]
