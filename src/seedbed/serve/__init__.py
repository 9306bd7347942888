"""A trained model at work: one predictor for files, Python, the web page and the JSON API."""

from .predictor import Predictor

__all__ = ["Predictor"]
