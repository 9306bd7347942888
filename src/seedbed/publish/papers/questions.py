"""The questions of the card that only people can answer: the fields of `card.yaml`, in order of importance.

They are those of Datasheets for Datasets (Gebru et al., Communications of the ACM 64(12), 2021), of data statements
(Bender and Friedman, Transactions of the ACL 6, 2018) and of Croissant's responsible-AI vocabulary (RAI 1.0) that no
measurement answers. A question that several papers ask is asked once.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from seedbed.core.task import Task

#: Questions that must be answered, or waived, before a dataset is published.
REQUIRED = ("license", "languages", "collected", "intended_uses", "sensitive", "contact")

#: The papers that are made of the answers, by the names that questions give them.
PAPERS = {
    "card": "dataset card",
    "datasheet": "datasheet",
    "croissant": "Croissant",
    "data_statement": "data statement",
}


def _texts(given: Any) -> Any:
    """One text is a list of one; what is empty is no answer."""
    if given is None:
        return ()
    items = [given] if isinstance(given, str) else given
    if not isinstance(items, list | tuple):
        return given
    return tuple(item for item in items if not (item is None or (isinstance(item, str) and not item.strip())))


def _text(given: Any) -> Any:
    return None if isinstance(given, str) and not given.strip() else given


def _days(given: Any) -> Any:
    """Days; a year alone is a number in YAML."""
    items = given if isinstance(given, list | tuple) else [given]
    return _texts([str(item) if isinstance(item, int) else item for item in items])


_ONE_OR_MORE = str | list[str] | None
Words = Annotated[str, StringConstraints(strip_whitespace=True)]
Texts = Annotated[tuple[Words, ...], BeforeValidator(_texts, json_schema_input_type=_ONE_OR_MORE)]
Text = Annotated[Words | None, BeforeValidator(_text)]
Language = Annotated[Words, StringConstraints(pattern=r"^([a-z]{2,3}(-[A-Za-z0-9]{1,8})*|code|multilingual)$")]
Languages = Annotated[tuple[Language, ...], BeforeValidator(_texts, json_schema_input_type=_ONE_OR_MORE)]
Day = Annotated[Words, StringConstraints(pattern=r"^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$")]
Days = Annotated[tuple[Day, ...], Field(max_length=2), BeforeValidator(_days, json_schema_input_type=_ONE_OR_MORE)]


def _ask(question: str, *, why: str, such_as: str, papers: str) -> Any:
    """A question: why it is asked, an example of an answer, and where it goes.

    Args:
        question: As people read it.
        why: What a reader of the papers does with the answer.
        such_as: An answer that somebody could give.
        papers: Papers with the section or property that holds the answer, as `PAPER SECTION; PAPER SECTION`.
    """
    named = dict(piece.strip().partition(" ")[::2] for piece in papers.split(";"))
    more: dict[str, Any] = {"why": why, "papers": named}
    return Field(default=None, validate_default=True, description=question, examples=[such_as], json_schema_extra=more)


Creators = Literal["crowdsourced", "expert-generated", "machine-generated", "found", "no-annotation", "other"]


class Answers(BaseModel):
    """A person's answers; every one may be left out. Longer ones are a text, or a list of texts shown as a list."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    license: Text = _ask(
        "Under which licence may others use the dataset (an SPDX id, or a name and where to read it)?",
        why="Without a licence nobody may use it. Those of the sources may demand one.",
        such_as="CC-BY-4.0",
        papers="card license; datasheet Distribution; croissant license",
    )
    languages: Languages = _ask(
        "Which languages are the texts in (codes such as en or pt-BR)?",
        why="Readers search by it, and a model works in the languages that it has seen.",
        such_as="en, de",
        papers="card language; datasheet Composition; croissant inLanguage; data_statement B",
    )
    collected: Texts = _ask(
        "How was the data collected, by whom, and over what time?",
        why="What a dataset can be trusted for depends on how its rows came to be in it.",
        such_as="Exported by the shop's support team from its ticket system, all tickets of 2024 with a rating.",
        papers="card source; datasheet Collection process; croissant rai:dataCollection; data_statement A",
    )
    intended_uses: Texts = _ask(
        "What is the dataset meant to be used for?",
        why="It says what you made choices for, so that others can tell whether those fit theirs.",
        such_as="To train and judge models that sort support tickets by urgency.",
        papers="card uses; datasheet Motivation; croissant rai:dataUseCases; data_statement A",
    )
    sensitive: Texts = _ask(
        "Does it hold personal, sensitive or offensive content, and what was done about it?",
        why="Whoever holds it must know whom it could hurt, and what the law asks of them.",
        such_as="Names and phone numbers were redacted by program; some texts are rude.",
        papers="card personal; datasheet Composition; croissant rai:personalSensitiveInformation",
    )
    contact: Text = _ask(
        "Who looks after the dataset, and how can they be reached?",
        why="Mistakes are found by its users; they need somebody to tell.",
        such_as="Data team of Example Ltd, data@example.org",
        papers="card contact; datasheet Maintenance; croissant creator",
    )
    consent: Texts = _ask(
        "Did the people in the data know and agree, and can they have their data removed?",
        why="What people agreed to bounds what may be done with what they said.",
        such_as="Customers agreed to quality analysis; a ticket is removed on request within 30 days.",
        papers="card consent; datasheet Collection process",
    )
    out_of_scope_uses: Texts = _ask(
        "What should it not be used for?",
        why="You know best where it would mislead.",
        such_as="Judging the people who answered the tickets.",
        papers="card uses; datasheet Uses; croissant rai:dataLimitations",
    )
    biases: Texts = _ask(
        "Which biases and limitations are known, and whom does the data leave out?",
        why="A model repeats what its data over- and underrepresents.",
        such_as="Only customers who write to support; those who left are missing.",
        papers="card biases; datasheet Composition, Uses; croissant rai:dataBiases; data_statement A",
    )
    social_impact: Texts = _ask(
        "Whom could its use harm or treat unfairly, and what can be done against that?",
        why="Reviewers ask it, and it is easier to answer before a model is in use.",
        such_as="Tickets in broken English could be sorted lower; compare scores by language before use.",
        papers="datasheet Uses; croissant rai:dataSocialImpact",
    )
    annotation: Texts = _ask(
        "Who gave the labels, by what instructions, and how far did they agree?",
        why="No model can be more right than its labels.",
        such_as="Two agents each, by a one-page guide; a third decided where they differed (8 % of tickets).",
        papers="card labels; datasheet Preprocessing; croissant rai:dataAnnotationProtocol; data_statement D",
    )
    annotations_creators: Creators | None = _ask(
        "What kind of annotators gave the labels?",
        why="The Hugging Face Hub filters by it.",
        such_as="expert-generated",
        papers="card annotations_creators",
    )
    maintenance: Texts = _ask(
        "Will it be corrected or extended, how often, and how are mistakes reported?",
        why="Users decide by it whether to build on it.",
        such_as="Every quarter; mistakes go to the issue tracker; older versions stay available for a year.",
        papers="card maintenance; datasheet Maintenance; croissant rai:dataReleaseMaintenancePlan",
    )
    summary: Texts = _ask(
        "What is in the dataset, in two or three sentences?",
        why="It is the first thing that people read, and often the only one.",
        such_as="Support tickets of an online shop, each with the urgency that an agent gave it.",
        papers="card summary; datasheet Composition; croissant description; data_statement F",
    )
    curation: Texts = _ask(
        "By what rule were rows chosen, and why by that one?",
        why="A sample stands for more than itself only where one knows how it was drawn.",
        such_as="All tickets with a rating; unrated ones were left out because nobody had judged them.",
        papers="datasheet Composition; data_statement A",
    )
    language_variety: Texts = _ask(
        "Which variety of each language is it: region, dialect, mixing of languages?",
        why="Models fail on varieties that they have not seen, and a language code does not tell them.",
        such_as="en-GB for the most part; customers in Wales mix in Welsh.",
        papers="data_statement B",
    )
    speakers: Texts = _ask(
        "Who wrote or spoke the texts: age, gender, region, first language, as far as it is known?",
        why="Whose language it is decides for whom a model works.",
        such_as="Adults in the United Kingdom; nothing else is known of them.",
        papers="datasheet Composition; data_statement C",
    )
    annotators: Texts = _ask(
        "Who are the annotators: how many, trained for what, and what of their background matters?",
        why="What counts as rude, urgent or right depends on who is asked.",
        such_as="Six support agents, all native speakers, with two years of experience or more.",
        papers="datasheet Collection process; croissant rai:annotatorDemographics; data_statement D",
    )
    speech_situation: Texts = _ask(
        "In which situation were the texts made: when and where, written or spoken, spontaneous or edited, for whom?",
        why="People write otherwise to a friend than to a company, and otherwise ten years ago.",
        such_as="Written spontaneously in a web form, to the company, in 2024.",
        papers="data_statement E",
    )
    text_characteristics: Texts = _ask(
        "What kind of texts are they: genre, topics, anything about their form?",
        why="A model carries over to texts of the same kind only.",
        such_as="Short complaints and questions about delivery, payment and returns.",
        papers="data_statement F",
    )
    recording_quality: Texts = _ask(
        "Were texts written down from sound or read off images, and how well?",
        why="Errors of recognition look like the language of the speakers.",
        such_as="No: all were typed by their authors.",
        papers="data_statement G",
    )
    timeframe: Days = _ask(
        "From when to when was the data made (2024-01-01, 2024-12-31)?",
        why="A model of old data does not know what is new; machines compare these dates.",
        such_as="2024-01-01, 2024-12-31",
        papers="datasheet Collection process; croissant rai:dataCollectionTimeframe; data_statement E",
    )
    ethics_review: Texts = _ask(
        "Did anybody review the ethics of collecting it, and what came of that?",
        why="Journals and institutions ask for it.",
        such_as="None was asked for; the works council agreed.",
        papers="datasheet Collection process",
    )
    paid: Texts = _ask(
        "Who did the work of collecting and labelling, and how were they paid?",
        why="Readers want to know whether the work was fair, and what care it allowed.",
        such_as="Employees within their working hours.",
        papers="datasheet Collection process",
    )
    used_for: Texts = _ask(
        "Has it been used for something already, and where can one read about that?",
        why="Others can build on what was found, or avoid what did not work.",
        such_as="It trained the first version of our sorting of tickets; nothing is published.",
        papers="datasheet Uses",
    )
    restrictions: Texts = _ask(
        "Do contracts, other people's rights or export rules restrict its use?",
        why="A licence gives only what is yours to give.",
        such_as="None that we know of.",
        papers="datasheet Distribution",
    )
    retention: Texts = _ask(
        "Must the data be deleted at some time, and who sees to it?",
        why="What people were promised holds for every copy.",
        such_as="Tickets are deleted three years after they were closed; new versions leave them out.",
        papers="datasheet Maintenance",
    )
    contributing: Texts = _ask(
        "Can others extend it or give something back, and how is that checked?",
        why="It tells people whether to copy it or to work with you.",
        such_as="By a pull request; two of us look at every row.",
        papers="datasheet Maintenance",
    )
    pretty_name: Text = _ask(
        "What is the dataset called in headings?",
        why="A name for people, where the recipe's is one for folders.",
        such_as="Support tickets by urgency",
        papers="card pretty_name; croissant name",
    )
    creators: Texts = _ask(
        "Which people or organisations made the dataset?",
        why="They are cited, and credited by search engines.",
        such_as="Example Ltd",
        papers="card creators; datasheet Motivation; croissant creator",
    )
    funding: Text = _ask(
        "Who paid for it?",
        why="Interests shape what is collected.",
        such_as="Example Ltd",
        papers="card funding; datasheet Motivation",
    )
    citation: Text = _ask(
        "How should it be cited (BibTeX, or a sentence)?",
        why="So that everybody cites it in the same way.",
        such_as="Example Ltd: Support tickets by urgency, 2025.",
        papers="card citation; datasheet Distribution; croissant citeAs",
    )
    homepage: Text = _ask(
        "At which web address can it be found?",
        why="Copies lead back to it.",
        such_as="https://example.org/tickets",
        papers="card homepage; datasheet Distribution; croissant url",
    )
    other: Texts = _ask(
        "Is there anything else that a reader should know?",
        why="No list of questions fits every dataset.",
        such_as="Ticket numbers are those of the public status page.",
        papers="datasheet Composition; data_statement H",
    )


#: The questions by the key that answers them, in order of importance.
QUESTIONS: dict[str, str] = {name: field.description or "" for name, field in Answers.model_fields.items()}

_OF_TEXTS = (
    "languages",
    "language_variety",
    "speakers",
    "speech_situation",
    "text_characteristics",
    "recording_quality",
)
_OF_ANNOTATION = ("annotation", "annotations_creators", "annotators")
#: What was given by people or found, where it is not called a label.
_GIVEN = {
    "number": ("Who or what gave the numbers", "What kind of people or machines gave the numbers?"),
    "spans": ("Who wrote the questions and marked the answers", "What kind of annotators marked the answers?"),
    "turns": ("Who wrote what the assistant says", "What kind of writers wrote what the assistant says?"),
    "text": ("Who wrote the target texts", "What kind of writers wrote the target texts?"),
}


def asked_of(task: Task | None) -> dict[str, str]:
    """The questions that a dataset for a task raises, in order of importance, in words that fit it.

    A table without a text has no language, and texts that are only continued have no labels.

    Args:
        task: What the dataset is for; all questions, as they stand on the card, where that is not known.
    """
    if task is None:
        return dict(QUESTIONS)
    left_out = (_OF_TEXTS if task.shown is None else ()) + (_OF_ANNOTATION if task.says == "itself" else ())
    found = {key: question for key, question in QUESTIONS.items() if key not in left_out}
    if task.says in _GIVEN:
        who, kind = _GIVEN[task.says]
        found["annotation"] = f"{who}, by what instructions, and how far can that be relied on?"
        found["annotations_creators"] = kind
    return found


def why_of(key: str) -> str:
    """Why a question is asked."""
    return str(_more(key)["why"])


def papers_of(key: str) -> dict[str, str]:
    """The papers that an answer goes to, each with its section or property."""
    found: dict[str, str] = _more(key)["papers"]
    return found


def such_as(key: str) -> str:
    """An answer that somebody could give."""
    return str((Answers.model_fields[key].examples or [""])[0])


def choices_of(key: str) -> tuple[str, ...]:
    """The answers that there are to choose from; none where the answer is free."""
    return get_args(Creators) if key == "annotations_creators" else ()


def _more(key: str) -> dict[str, Any]:
    extra = Answers.model_fields[key].json_schema_extra
    assert isinstance(extra, dict)
    return extra
