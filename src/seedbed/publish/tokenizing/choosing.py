"""Which form a task's rows take, and what options mean for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from seedbed.core.task import Task
from seedbed.core.tokenizing import Tokens

from .chats import Chats
from .documents import Documents, Packed
from .form import Asked, Form
from .labelled import Labelled
from .pairs import Prompted, Translated
from .spans import Answered

Model = Literal["encoder", "decoder", "encoder_decoder"]
#: Forms by what a task's model says and what kind of model it is; the first kind is meant where none is named.
FORMS: Mapping[str, Mapping[str, type[Form]]] = {
    "label": {"encoder": Labelled, "decoder": Prompted},
    "labels": {"encoder": Labelled},
    "number": {"encoder": Labelled, "decoder": Prompted},
    "spans": {"encoder": Answered},
    "itself": {"decoder": Documents},
    "turns": {"decoder": Chats},
    "text": {"encoder_decoder": Translated, "decoder": Prompted},
}
#: Options that only some forms heed.
HEEDED: Mapping[str, tuple[type[Form], ...]] = {
    "pack": (Documents,),
    "template": (Chats,),
    "most_turns": (Chats,),
    "too_long": (Chats,),
    "prompt": (Prompted,),
    "completion": (Prompted,),
    "most_prompt": (Prompted,),
    "most_target": (Translated,),
    "offsets": (Answered,),
    "stride": (Labelled, Documents, Answered),
    "side": (Labelled, Documents, Answered, Translated, Prompted),
}


@dataclass(frozen=True)
class Choice:
    """What was chosen."""

    model: str
    form: type[Form]

    def open(self, task: Task, tokens: Tokens, asked: Asked, *, packed: bool) -> Form:
        """The form, for some rows."""
        return (Packed if packed else self.form)(task, tokens, asked)


def forms_of(task: Task) -> Mapping[str, type[Form]]:
    """The forms of a task's rows by the kind of model; none where they have no text."""
    return FORMS[task.says] if "text" in task.roles or task.says in ("spans", "turns") else {}


def choice_of(task: Task, model: str | None) -> Choice | None:
    """The form of a task's rows; none where they have no text, or no model of the kind reads them."""
    forms = forms_of(task)
    kind = model or next(iter(forms), "")
    return Choice(kind, forms[kind]) if kind in forms else None


def faults_of(task: Task, model: str | None, given: frozenset[str]) -> Iterator[tuple[str, str, str]]:
    """What cannot be: the option, the problem, the way out."""
    found = choice_of(task, model)
    if found is None:
        known = " or ".join(forms_of(task))
        hint = f"model: {known}" if known else "export columns with `parquet`, `numpy` or `torch`"
        what = f"no {model} reads" if known else "there is no text to tokenize in"
        yield "model" if known else "use", f"{what} rows of {task.kind}", hint
        return
    for option, forms in HEEDED.items():
        if option in given and found.form not in forms:
            yield option, f"means nothing for {task.kind} and a model of kind {found.model}", "leave it out"
    if "pack" in given:
        for option in given & {"stride", "side"}:
            yield (
                option,
                "means nothing where documents are packed: what a block cuts goes on in the next",
                "leave it out",
            )
