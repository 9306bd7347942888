"""What a model is to do, one module a task; `AnyTask` is the type of a recipe's `task`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .causal_lm import CausalLm
from .chat import Chat
from .multi_label_classification import MultiLabelClassification
from .question_answering import QuestionAnswering
from .regression import Regression
from .saying import answers_said, fields_said, rows_said, said_set
from .tabular import TabularClassification, TabularRegression
from .task import Says, Task
from .text_classification import TextClassification, Unlabelled
from .text_to_text import TextToText

AnyTask = Annotated[
    TextClassification
    | MultiLabelClassification
    | Regression
    | TabularClassification
    | TabularRegression
    | QuestionAnswering
    | CausalLm
    | Chat
    | TextToText,
    Field(discriminator="kind"),
]

__all__ = [
    "AnyTask",
    "CausalLm",
    "Chat",
    "MultiLabelClassification",
    "QuestionAnswering",
    "Regression",
    "Says",
    "TabularClassification",
    "TabularRegression",
    "Task",
    "TextClassification",
    "TextToText",
    "Unlabelled",
    "answers_said",
    "fields_said",
    "rows_said",
    "said_set",
]
