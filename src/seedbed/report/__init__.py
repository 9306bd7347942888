"""One self-contained HTML page that tells a run, made from its `Run` record and nothing else."""

from __future__ import annotations

from .page import render

__all__ = ["render"]
