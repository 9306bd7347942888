"""`seedbed predict`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from seedbed.core import numbers
from seedbed.core.errors import RecipeError

from .interrupting import ended_soon, let_ctrl_c_through
from .progress import shown_on
from .terminal import clean, complain, say

if TYPE_CHECKING:
    from seedbed.core.context import Context
    from seedbed.core.task import Says
    from seedbed.flow.predicting.labelling import Labelled
    from seedbed.serve import Predictor

#: Labels shown after the one that was decided.
_RUNNERS_UP = 4
_MOST_LABELS = 1_000_000

#: Seconds in which workers end and what they had begun goes, on a busy machine, too.
_PATIENCE = 20.0


def predict_rows(  # noqa: PLR0913 (each option is an argument)
    folder: Path,
    file: str | None,
    *,
    texts: Sequence[str],
    out: Path | None,
    columns: Sequence[str] = (),
    trust: bool = False,
    workers: int | None = None,
    cluster: str | None = None,
    probabilities: str = "all",
    as_json: bool,
) -> None:
    """Answer texts or a file, and say what came of it.

    Args:
        folder: A model, or a run.
        file: Rows.
        texts: Texts in its place.
        out: A file to write.
        columns: INPUT=COLUMN, each.
        trust: Whether steps may run functions of the model's maker.
        workers: Processes that label a file; one when left out, on a cluster that is started here one a core.
        cluster: The address of the Ray cluster that does it; empty for one that is started here, none for no cluster.
        probabilities: `all`, `none`, or of how many labels, the most probable first.
        as_json: Whether facts are printed as JSON.
    """
    most = most_of(probabilities)
    if (file is None) == (not texts):
        problem = "a file and texts cannot be labelled at once" if texts else "there is nothing to label"
        raise RecipeError(problem, at="seedbed predict", hint='give a file, or --text "…", which may be given again')
    if texts and out is not None:
        raise RecipeError("--out is for files", at="seedbed predict", hint="leave it out, or give a file")
    if texts and (cluster is not None or workers is not None):
        problem = "--engine ray and --workers are for files"
        raise RecipeError(problem, at="seedbed predict", hint="leave them out, or give a file")
    if texts and most is not None:
        raise RecipeError("--probabilities is for files", at="seedbed predict", hint="leave it out, or give a file")
    renamed = column_pairs(columns)
    let_ctrl_c_through()
    from seedbed.flow.predicting.opening import open_model

    predictor = open_model(folder, trust=trust)
    predictor.check_golden()
    if file is None:
        _show_texts(predictor, texts, as_json=as_json)
        return
    context = context_of(workers, cluster)
    with ended_soon(_PATIENCE):
        done = _label(predictor, file, out, columns=renamed, context=context, trust=trust, probabilities=most)
    if as_json and out is not None:
        say(json.dumps(facts(predictor, done, out), indent=2, ensure_ascii=False))
    else:
        complain("\n".join(numbers.typed(line) for line in summary(done, out, answer=_named(predictor))))


def _named(predictor: Predictor) -> str:
    """What an answer is called."""
    return "label" if predictor.bundle.task.says in ("label", "labels") else "answer"


def column_pairs(given: Sequence[str]) -> dict[str, str]:
    """INPUT=COLUMN, as typed.

    Raises:
        RecipeError: One is none.
    """
    pairs = dict(text.partition("=")[::2] for text in given)
    for name, column in pairs.items():
        if not name or not column:
            raise RecipeError("this is no INPUT=COLUMN", at=f"--column {name}", hint="such as --column text=message")
    return pairs


def most_of(given: str) -> int | None:
    """Of how many labels the probabilities are kept; none for all.

    Raises:
        RecipeError: It is no number of labels.
    """
    if given in ("all", "none"):
        return None if given == "all" else 0
    if not (given.isascii() and given.isdecimal()) or not 0 < int(given) <= _MOST_LABELS:
        hint = "all, none, or a number such as 3 for the three most probable labels"
        raise RecipeError("this says of no number of labels", at=f"--probabilities {given[:40]}", hint=hint)
    return int(given)


def context_of(workers: int | None, cluster: str | None) -> Context:
    """Who labels a file, and where progress is shown."""
    from seedbed.core.context import Context, store_of, workers_for

    return Context(
        store=store_of(Path.cwd()),
        workers=workers or (1 if cluster is None else workers_for(None)),
        engine="local" if cluster is None else "ray",
        address=cluster or "",
        progress=shown_on(),
    )


def _label(predictor: Predictor, file: str, out: Path | None, **how: Any) -> Labelled:
    from seedbed.flow.predicting.predict import predict_file

    def show(rows: pl.DataFrame) -> None:
        for line in json_lines(rows):
            say(line)

    return predict_file(predictor, file, out or show, **how)


def json_lines(rows: pl.DataFrame) -> list[str]:
    """Rows as JSON lines whose text steers no terminal and still says the same: by escapes."""
    from seedbed.core.rows import as_json

    return [line if clean(line) == line else "".join(map(_escaped, line)) for line in as_json(rows)]


def _escaped(character: str) -> str:
    return character if clean(character) == character else f"\\u{ord(character):04x}"


def _show_texts(predictor: Predictor, texts: Sequence[str], *, as_json: bool) -> None:
    found = predictor.predict(_rows(predictor, texts))
    if as_json:
        table = pl.DataFrame({"text": list(texts)}).hstack(found)
        say("\n".join(json_lines(table)))
        return
    says = predictor.bundle.task.says
    blocks = [answer(text, row, says) for text, row in zip(texts, found.iter_rows(named=True), strict=True)]
    say("\n\n".join("\n".join(lines) for lines in blocks))


def _rows(predictor: Predictor, texts: Sequence[str]) -> Sequence[str] | Sequence[Mapping[str, Any]]:
    """Texts as a model takes them: where it reads several columns, each is a row as JSON."""
    if len(predictor.inputs) == 1:
        return texts
    rows = []
    for text in texts:
        try:
            row = json.loads(text)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            such = json.dumps(dict.fromkeys(predictor.inputs, "…"), ensure_ascii=False)
            raise RecipeError(
                f"this model reads {len(predictor.inputs)} columns, so that a text alone says too little",
                at=f"--text {numbers.short(text, 40)}",
                hint=f"give each row as JSON, such as '{such}', or a file",
            )
        rows.append(row)
    return rows


def answer(text: str, found: dict[str, Any], says: Says = "label") -> list[str]:
    """What a model makes of a text, for people: the answer, how sure it is, the runners-up, what is odd."""
    shown = f"  text: {numbers.short(' '.join(text.split()), 72)}"
    warnings = [f"  warning: {warning}" for warning in found["warnings"]]
    if says != "label":
        return [*_answered(found, says), shown, *_promised(found), *warnings]
    return [*_labelled(found, shown), *_promised(found), *warnings]


def _promised(found: dict[str, Any]) -> list[str]:
    """What the bundle's thresholds decide and what its conformal sets or intervals promise, where it has them."""
    lines = []
    if found.get("decided") is not None:
        of = found["decided"] if isinstance(found["decided"], list) else [found["decided"]]
        lines.append(f"  decided at thresholds: {', '.join(map(str, of)) or '(none)'}")
    if found.get("set") is not None:
        lines.append(f"  set: {', '.join(map(str, found['set'])) or '(none)'}")
    if found.get("low") is not None and found.get("high") is not None:
        lines.append(f"  interval: {numbers.amount(found['low'])} to {numbers.amount(found['high'])}")
    return lines


def _answered(found: dict[str, Any], says: Says) -> list[str]:
    from seedbed.evaluate.forms import in_words, surprise_in_words
    from seedbed.serve.predictor import sureness

    if says == "itself":
        return [surprise_in_words(found)]
    lines = in_words(says, found["predicted"]).splitlines() or ["(nothing)"]
    if says == "spans" and found["confidence"] is not None:
        at = "" if found["start"] is None else f", from character {numbers.count(found['start'])} on"
        lines[-1] += f"  {_percent(found['confidence'])}, {sureness(found['confidence'])}{at}"
    if says == "labels":
        shares = sorted(found["probabilities"].items(), key=lambda pair: -pair[1])
        more = f", {len(shares) - _RUNNERS_UP} more" if len(shares) > _RUNNERS_UP else ""
        lines.append(
            f"  each: {', '.join(f'{label} {_percent(share)}' for label, share in shares[:_RUNNERS_UP])}{more}"
        )
    return lines


def _labelled(found: dict[str, Any], shown: str) -> list[str]:
    from seedbed.serve.predictor import sureness

    others = sorted(found["probabilities"].items(), key=lambda pair: -pair[1])
    others = [(label, share) for label, share in others if label != found["predicted"]]
    told = ", ".join(f"{label} {_percent(share)}" for label, share in others[:_RUNNERS_UP])
    more = f", {len(others) - _RUNNERS_UP} more" if len(others) > _RUNNERS_UP else ""
    return [
        f"{found['predicted']}  {_percent(found['confidence'])}, {sureness(found['confidence'])}",
        shown,
        f"  then: {told}{more}",
    ]


def _percent(share: float) -> str:
    return numbers.typed(numbers.percent(share))


def summary(done: Labelled, out: Path | None, *, answer: str = "label") -> list[str]:
    """What came of a file, in at most five lines."""
    most = ", ".join(f"{label} {numbers.count(n)}" for label, n in done.predicted.most_common(6))
    more = ", …" if len(done.predicted) > 6 else ""
    lines = [
        f"{numbers.things(done.rows, 'row')}" + (f" to {out}" if out else "") + (f": {most}{more}" if most else "")
    ]
    odd = []
    if done.malformed:
        odd.append(f"{numbers.count(done.malformed)} could not be read and have no {answer}")
    if done.warned:
        odd.append(f"{numbers.count(done.warned)} have a warning: training left out rows like them, or a value is odd")
    if done.empty:
        odd.append(f"{numbers.count(done.empty)} leave nothing to read, so that their {answer} says nothing of them")
    lines += ["; ".join(odd)] if odd else []
    accuracy = done.accuracy()
    if accuracy is not None:
        lines.append(
            f"{numbers.count(done.right)} of {numbers.things(done.labelled, 'row')} with a label of their own got that "
            f"one: accuracy {numbers.scored(accuracy)} (if the model was not trained on them)"
        )
    elif done.strange:
        lines.append(
            f"{numbers.things(done.strange, 'row brings a label', 'rows bring labels')} that the model "
            "does not know: not compared"
        )
    return [*lines, *(f"note: {note}" for note in done.notes)]


def facts(predictor: Predictor, done: Labelled, out: Path) -> dict[str, Any]:
    """What `--json` prints of a file."""
    accuracy = done.accuracy()
    return {
        "out": str(out),
        "model": predictor.name,
        "rows": done.rows,
        "malformed": done.malformed,
        "warned": done.warned,
        "empty": done.empty,
        "predicted": dict(done.predicted.most_common()),
        "accuracy": accuracy.model_dump() if accuracy else None,
        "notes": list(done.notes),
    }
