"""Questions about installed packages, answered by what each says of itself: for `examples/questions/recipe.yaml`.

Usage: python examples/questions/questions.py [--to FILE]

Writes a question a line, as SQuAD 2 has them: a text, the answers with their places in characters, or none where the
text does not say. The texts are the packages' own METADATA files: the fields and the beginning of the description, as
they stand there. The questions are made by rule, so that nobody wrote them and everybody can check them.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

#: Fields that the text begins with, and characters of the description that it goes on with.
FIELDS = ("Name", "Version", "Summary", "Author", "Author-email", "Maintainer", "License", "License-Expression",
          "Requires-Python", "Keywords")  # fmt: skip
CHARACTERS = 2_000
DOCUMENTED = re.compile(r"https?://(?:docs\.|[\w-]+\.readthedocs\.|[\w.-]+/docs?\b)(?:[\w./#~-]*[\w/])?")

Fields = dict[str, list[str]]


def names(fields: Fields, *keys: str) -> list[str]:
    """People, without their addresses."""
    found = [one for key in keys for value in fields.get(key, []) for one in value.split(",")]
    return [name for one in found if (name := re.sub(r"<[^>]*>", "", one).strip(' "')) and "@" not in name]


QUESTIONS: dict[str, Callable[[Fields, str], list[str]]] = {
    "What is {}?": lambda fields, _: fields.get("Summary", []),
    "Who wrote {}?": lambda fields, _: names(fields, "Author", "Author-email"),
    "Who maintains {}?": lambda fields, _: names(fields, "Maintainer"),
    "Under which licence may {} be used?": lambda fields, _: [
        one for key in ("License-Expression", "License") for one in fields.get(key, []) if len(one) < 60
    ],
    "Which Python does {} need?": lambda fields, _: fields.get("Requires-Python", []),
    "Where is {} documented?": lambda _, text: DOCUMENTED.findall(text),
}


def asked_of(package: Distribution) -> Iterator[dict[str, object]]:
    """Questions about one package."""
    metadata = package.metadata
    fields = {key: [str(value) for value in metadata.get_all(key) or [] if "\n" not in str(value)] for key in FIELDS}
    lines = [f"{key}: {value}" for key, values in fields.items() for value in values]
    said = metadata.get_payload() or metadata.get("Description") or ""
    text = "\n".join(lines) + "\n\n" + str(said).strip()[:CHARACTERS]
    name = metadata["Name"]
    for place, (question, answers) in enumerate(QUESTIONS.items()):
        found = sorted(answers(fields, text), key=len)
        places = sorted({at: one for one in found for at in everywhere(one, text)}.items())  # of two, the longer one
        yield {
            "id": f"{name}-{place}",
            "title": name,
            "question": question.format(name),
            "context": text,
            "answers": {"text": [one for _, one in places], "answer_start": [at for at, _ in places]},
        }


def everywhere(answer: str, text: str) -> list[int]:
    """All places of an answer, in characters."""
    return [found.start() for found in re.finditer(re.escape(answer), text)] if answer.strip() else []


def main() -> None:
    """Write the questions about all packages, by name."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--to", type=Path, default=Path(__file__).with_name("questions.jsonl"), metavar="FILE")
    to = parser.parse_args().to
    packages = {package.metadata["Name"].lower(): package for package in distributions() if package.metadata["Name"]}
    rows = [row for _, package in sorted(packages.items()) for row in asked_of(package)]
    to.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    print(f"{len(rows):,} questions about {len(packages):,} packages: {to}")


if __name__ == "__main__":
    main()
