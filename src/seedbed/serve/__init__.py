"""Predictions from a saved model: one predictor for files, texts and the web."""
