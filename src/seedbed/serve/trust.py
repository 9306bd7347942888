"""How far to trust a model, in sentences: the same on the server's page and in a Space."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seedbed.core.numbers import amount, count, metric, percent, score, typed


def score_said(told: Mapping[str, Any]) -> str:
    """How good it is, with its interval.

    Args:
        told: The model's facts (`about.facts`).
    """
    found = told["score"]
    if not found:
        return "Nobody measured it on rows that it never learned from."
    interval = f"{100 * found['level']:g} % interval" if found["level"] else "interval"
    rows = f"{count(found['n'])} {found['split']} rows that it never learned from"
    value, low, high = (score(found[name], found["value"]) for name in ("value", "low", "high"))
    measured = f"its {metric(found['metric'])} is {value} ({interval} {low} to {high})"
    right = found["accuracy"]
    if not right:
        return typed(f"On {rows}, {measured}.")
    what = "Exactly the right labels on" if told["says"] == "labels" else "Right on"
    ends = f"{interval} {percent(right['low'])} to {percent(right['high'])}"
    said = f"{what} {percent(right['value'])} of {rows} ({ends})."
    return typed(said if found["metric"] == "accuracy" else f"{said} I{measured[1:]}.")


def off_said(told: Mapping[str, Any]) -> str:
    """How far answers that are numbers were off; empty where nobody knows."""
    off = told["off"]
    if not off:
        return ""
    half, most = amount(off["half"]), amount(off["most"])
    return typed(f"Half of its answers to {off['split']} rows were off by at most {half}, 90 % by at most {most}.")


def honesty_said(told: Mapping[str, Any]) -> str:
    """What its percentages are worth; empty where it gives none."""
    if told["says"] not in ("label", "labels"):
        return ""
    on = told["calibration"]
    put = f"calibrated on {count(on['rows'])} {on['split']} rows" if on else "not calibrated"
    found, measured = told["reliability"], told["score"]
    split = found["split"] if found else measured["split"] if measured else ""
    ece = told["scores"].get(split, {}).get("expected_calibration_error")
    error = found["error"] if found else ece["value"] if ece else None
    if error is None and on:
        return f"Its percentages are {put}; how well they fit was not measured."
    if error is None:
        return f"Its percentages are {put}, and nobody measured how well they fit: take them as a rough guide."
    points = round(100 * error)
    off = "less than 1 point" if points < 1 else "1 point" if points == 1 else f"{points} points"
    said = (
        f"Its percentages are {put}. On {split} rows the stated confidence was off by {off} on average (expected "
        f"calibration error {error:.3f})."
    )
    if not found or not found["surest"]["rows"]:
        return said
    surest = found["surest"]
    of = f"{percent(surest['confidence'])} on average, {count(surest['rows'])} rows"
    return typed(f"{said} Where it was surest ({of}), it was right on {percent(surest['right'])}.")
