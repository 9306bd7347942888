"""The tracker `tensorboard`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from seedbed.core.context import Context
from seedbed.core.part import Example, Placed
from seedbed.core.run import ModelRecord, Run
from seedbed.core.tracker import Tracker

from .telling.flat import Training, options, scores


class Tensorboard(Placed, Tracker):
    """Writes the logs that TensorBoard shows: curves of training, scores, options and mistakes of each model.

    Logs for [TensorBoard](https://www.tensorflow.org/tensorboard) stand in `PATH/NAME/RUN/MODEL`, so that it lists each
    model of each run. Where a learner teaches a network, `train/loss`, `train/learning_rate` and what was measured on
    validation rows stand by step, whether the network was taught in this run or came from the store. Scores are
    `SPLIT/METRIC`, with `/low` and `/high` for the ends of their interval; they stand at step 0, because they are of
    the model that was kept. Options and the surest mistakes are texts.

    ## Why
    Whether a network still learned when it stopped, or stopped learning long before, shows in its curves and nowhere
    else.

    ## Limits
    `tensorboard --logdir tensorboard` shows them; it is no part of this package. Logs are never removed. Quick looks
    (`--limit`) are not tracked. Mistakes quote data, as the report does: personal data is masked.
    """

    use: Literal["tensorboard"] = "tensorboard"
    path: str = Field("tensorboard", min_length=1, description="Folder of the logs; relative to the recipe's folder.")
    mistakes: bool = Field(True, description="Whether mistakes are told, which quote rows.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="beside the recipe",
            before={"models": ["majority", "naive_bayes"]},
            after={
                "logs below the run": ["majority", "naive_bayes"],
                "scalars of a model": ["test/macro_f1", "test/macro_f1/high", "test/macro_f1/low"],
            },
        ),
    )
    extra: ClassVar[str] = "track"
    needs: ClassVar[tuple[str, ...]] = ("tensorboardX",)

    def track(self, run: Run, folder: Path, context: Context) -> str:
        """Write the logs."""
        logs = self._base / self.path / run.name / run.id
        for model in run.models:
            self._model(run, model, folder, logs / model.name)
        return f"{logs}: tensorboard --logdir {self._base / self.path}"

    def _model(self, run: Run, model: ModelRecord, folder: Path, logs: Path) -> None:
        from tensorboardX import SummaryWriter

        began = datetime.fromisoformat(run.started).timestamp()
        with SummaryWriter(logdir=str(logs), write_to_disk=True) as writer:
            for name, points in Training.of(folder / "models" / model.name).curves.items():
                for step, value in points:
                    writer.add_scalar(name, value, step, walltime=began)
            for _, name, value in scores(run, model):
                writer.add_scalar(name, value, 0, walltime=began + run.seconds)
            told = {"use": model.use, **dict(options(model.options)), "dataset": run.dataset.digest, "run": run.id}
            self._text(writer, "options", _table(("option", "value"), list(told.items())), began)
            if self.mistakes and model.mistakes:
                rows = [(one.row, one.truth, one.predicted, one.text) for one in model.mistakes]
                self._text(writer, "mistakes", _table(("row", "truth", "predicted", "text"), rows), began)

    def _text(self, writer: Any, name: str, text: str, when: float) -> None:
        writer.add_text(name, text, 0, walltime=when)


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A table in Markdown, which TensorBoard draws; what a cell holds is text and nothing else."""
    lines = [heads, ("---",) * len(heads), *(tuple(map(_cell, row)) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    plain = " ".join(text.split())
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "&#124;"), ("*", "&#42;"), ("_", "&#95;")):
        plain = plain.replace(sign, entity)
    return plain.replace("`", "&#96;").replace("[", "&#91;")
