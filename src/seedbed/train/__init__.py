"""Learners that ship with Seedbed, one module each."""

from .majority import Majority
from .tfidf_logistic import TfidfLogistic

__all__ = ["Majority", "TfidfLogistic"]
