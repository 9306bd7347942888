"""DataTrove's filters for quality, on texts of a JSON file: which of them it keeps, and how long that took."""

from __future__ import annotations

import copy
import json
import re
import sys
import time
from pathlib import Path

from datatrove.data import Document
from datatrove.pipeline import filters
from datatrove.pipeline.filters import c4_filters, fineweb_quality_filter, gopher_quality_filter
from datatrove.pipeline.filters import gopher_repetition_filter as repetition

_SENTENCE = re.compile(r"[^.!?]*[.!?]+|[^.!?]+$")
#: What Seedbed takes for the end of a line that is a sentence.
_STOPS = tuple(".!?\"'”’»…。．！？؟۔।॥]")


def _words(text: str, *_: object) -> list[str]:
    return text.split()


def _sentences(text: str, *_: object) -> list[str]:
    return _SENTENCE.findall(text)


def main() -> None:
    """Judge the texts."""
    given, told, words = sys.argv[1:]
    if words == "same":
        for module in (fineweb_quality_filter, gopher_quality_filter, repetition):
            module.split_into_words = _words
        c4_filters.split_into_sentences = _sentences
    texts = json.loads(Path(given).read_text())
    found = {}
    for preset, judge in {
        "gopher": filters.GopherQualityFilter(),
        "gopher_repetition": filters.GopherRepetitionFilter(),
        "c4": filters.C4QualityFilter(min_num_sentences=3, min_words_per_line=5),
        # The limit of the paper; lines per word are a rule that the paper does not have.
        "fineweb": filters.FineWebQualityFilter(
            stop_chars=_STOPS if words == "same" else None, char_duplicates_ratio=0.1, new_line_ratio=float("inf")
        ),
    }.items():
        documents = [Document(text=text, id=str(place)) for place, text in enumerate(copy.copy(texts))]
        judge.filter(Document(text="Once, so that what it loads is not counted.", id=""))
        begin = time.process_time()
        kept = [judge.filter(document) is True for document in documents]
        found[preset] = (kept, time.process_time() - begin)
    Path(told).write_text(json.dumps(found))


main()
