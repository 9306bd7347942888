"""Measures whole tables, batch by batch: what is held does not grow with the rows, and measurers of parts merge."""

from __future__ import annotations

from .measurer import Measurer
from .plan import Plan, plan_of

__all__ = ["Measurer", "Plan", "plan_of"]
