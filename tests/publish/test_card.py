from __future__ import annotations

import datetime
import html
import re
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from publish_sample import ANSWERED, frame, run_of, source, splits_of, write_dataset

from seedbed.core.check import Finding
from seedbed.core.errors import BooksError, DataError
from seedbed.core.run import DatasetRecord, Run, Waived
from seedbed.publish.papers import QUESTIONS, Answers, card, datasheet
from seedbed.publish.papers.card import header
from seedbed.publish.papers.markdown import code, fenced, plain

HOSTILE = [
    "<script>alert(1)</script>",
    "a | b || c",
    "\n---\nlicense: stolen\n---\n# Heading",
    "`code` ```` ![x](http://evil.example/x.png) [l](javascript:alert(1))",
    "*bold* _em_ ~~gone~~ $x$ &lt; &amp; \\",
    "1. one",
    "- dash",
    "no",
    "2020-01-01",
    "null",
    "{{ 7 * 7 }} {% raw %} ${env:HOME}",
    "🙃 ünï \u2028 \x85 \x1b[31m",
    "",
    " spaces ",
]


def tokens_of(text: str) -> list[str]:
    """Types of all Markdown tokens of a page without its header."""
    found = []
    for token in parsed(text):
        found.append(token.type)
        found.extend(child.type for child in token.children or [])
    return found


def parsed(text: str) -> list:
    body = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(body)


def shown_text(text: str) -> str:
    """What a reader sees: the text of inline tokens, code included."""
    lines = []
    for token in parsed(text):
        if token.type == "inline":
            lines.append("".join(child.content for child in token.children or []))
        elif token.type == "fence":
            lines.append(token.content)
    return "\n".join(lines)


def card_data(text: str) -> dict:
    from huggingface_hub import DatasetCard

    return DatasetCard(text, ignore_metadata_errors=False).data.to_dict()


def load(folder: Path, cache: Path):
    import datasets

    datasets.disable_progress_bars()
    return datasets.load_dataset(str(folder), cache_dir=str(cache))


@pytest.mark.parametrize("shards", [1, 3])
def test_datasets_loads_what_was_written(tmp_path: Path, shards: int) -> None:
    splits = splits_of(["negative", "neutral", "positive"])
    folder = write_dataset(tmp_path / "dataset", splits, run_of(splits), ANSWERED, shards)
    loaded = load(folder, tmp_path / "cache")
    assert {name: split.num_rows for name, split in loaded.items()} == {"train": 40, "validation": 6, "test": 7}
    features = loaded["train"].features
    assert features["sentiment"].names == ["negative", "neutral", "positive"]
    assert {
        name: getattr(features[name], "dtype", "") for name in ("row", "text", "likes", "score", "seen", "spam")
    } == {
        "row": "string",
        "text": "string",
        "likes": "int64",
        "score": "float64",
        "seen": "timestamp[us]",
        "spam": "bool",
    }
    assert features["tags"].feature.dtype == "string"
    for name, rows in splits.items():
        back = loaded[name].to_list()
        for row in back:
            row["sentiment"] = features["sentiment"].int2str(row["sentiment"])
        assert back == rows.to_dicts()


def test_hostile_labels_and_columns_load_and_show_as_they_are(tmp_path: Path) -> None:
    column = "l<b>|\n---\n`x`"
    splits = {name: rows.rename({"sentiment": column}) for name, rows in splits_of(HOSTILE).items()}
    run = run_of(splits, label=column)
    folder = write_dataset(tmp_path / "dataset", splits, run, ANSWERED)
    loaded = load(folder, tmp_path / "cache")
    label = loaded["train"].features[column]
    assert sorted(label.names) == sorted(HOSTILE)
    assert [label.int2str(i) for i in loaded["train"][column]] == splits["train"][column].to_list()

    text = (folder / "README.md").read_text(encoding="utf-8")
    for page in (text, (folder / "datasheet.md").read_text(encoding="utf-8")):
        assert not {"html_inline", "html_block", "image", "link_open", "s_open"} & set(tokens_of(page))
        seen = html.unescape(shown_text(page))
        for shown in (
            "<script>alert(1)</script>",
            "a | b || c",
            "*bold* _em_ ~~gone~~ $x$ &lt; &amp; \\",
            "{{ 7 * 7 }}",
        ):
            assert html.unescape(shown) in seen, shown
    assert card_data(text)["license"] == "cc-by-4.0"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(["\x85", "\u2028", "a\r\n---\r\nb"], "---")
@given(st.lists(st.text(max_size=30), min_size=1, max_size=5, unique=True), st.text(min_size=1, max_size=30))
def test_any_label_and_name_survives_the_header(labels: list[str], name: str) -> None:
    from datasets import Features

    splits = {"train": frame(10, list(labels)), "test": frame(5, list(labels))}
    text = card(run_of(splits), ANSWERED.model_copy(update={"pretty_name": name}))
    features = Features._from_yaml_list(card_data(text)["dataset_info"]["features"])
    counted = {label for rows in splits.values() for label in rows["sentiment"]}
    assert features["sentiment"].names == sorted(counted)
    assert not {"html_inline", "html_block", "image", "link_open"} & set(tokens_of(text))


@settings(deadline=None)
@example("```\n# out\n````\n<b>")
@example("a\n~~~\n# out")
@given(st.text(max_size=60))
def test_escaped_text_reads_as_it_was(text: str) -> None:
    for made in (plain(text), code(text)):
        read = [token for token in parsed(f"x {made}") if token.type == "inline"]
        seen = "".join(child.content for token in read for child in token.children or [])
        assert seen.split() == ["x", *re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", text).split()]
    assert [token.type for token in parsed(str(fenced(text)))] == ["fence"]
    assert set(token.type for token in parsed(str(plain(text)))) <= {"paragraph_open", "inline", "paragraph_close"}


def test_header_is_complete() -> None:
    splits = splits_of(["negative", "positive"])
    data = card_data(card(run_of(splits), ANSWERED))
    assert data["language"] == ["en", "no"]
    assert data["task_categories"] == ["text-classification"]
    assert data["size_categories"] == ["n<1K"]
    assert "seedbed" in data["tags"]
    assert data["configs"][0]["data_files"][0] == {"split": "train", "path": "data/train-*.parquet"}
    assert [split["num_examples"] for split in data["dataset_info"]["splits"]] == [40, 6, 7]


def test_header_states_measured_sizes(tmp_path: Path) -> None:
    splits = splits_of(["negative", "positive"])
    folder = write_dataset(tmp_path / "dataset", splits, run_of(splits), ANSWERED, 2)
    info = card_data((folder / "README.md").read_text(encoding="utf-8"))["dataset_info"]
    assert info["download_size"] == sum(path.stat().st_size for path in (folder / "data").iterdir())
    assert info["dataset_size"] == sum(split["num_bytes"] for split in info["splits"]) > 0


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("MIT", {"license": "mit"}),
        ("Apache-2.0", {"license": "apache-2.0"}),
        ("ODbL-1.0", {"license": "odbl"}),
        (
            "Our terms: https://example.org/terms",
            {
                "license": "other",
                "license_name": "our-terms-https-example.org-terms",
                "license_link": "https://example.org/terms",
            },
        ),
        (None, {"license": "unknown"}),
    ],
)
def test_licence_in_the_header(stated: str | None, expected: dict[str, str]) -> None:
    splits = splits_of(["a", "b"])
    made = header(run_of(splits, sources=(source(None),)), Answers(license=stated))
    assert {key: value for key, value in made.items() if key.startswith("license")} == expected


def test_a_label_that_is_not_always_known_stays_text(tmp_path: Path) -> None:
    splits = splits_of(["a", None, "b"])
    folder = write_dataset(tmp_path / "dataset", splits, run_of(splits), ANSWERED)
    loaded = load(folder, tmp_path / "cache")
    assert loaded["train"].features["sentiment"].dtype == "string"


def test_an_unknown_type_leaves_the_features_out_and_still_loads(tmp_path: Path) -> None:
    odd = pl.lit(datetime.time(1)).alias("odd")
    splits = {name: rows.with_columns(odd) for name, rows in splits_of(["a", "b"]).items()}
    folder = write_dataset(tmp_path / "dataset", splits, run_of(splits), ANSWERED)
    assert "features" not in card_data((folder / "README.md").read_text())["dataset_info"]
    assert load(folder, tmp_path / "cache")["test"][0]["odd"] == datetime.time(1)


def test_blanks_are_marked_and_answers_replace_the_mark() -> None:
    run = run_of(splits_of(["a", "b"]), sources=(source(None),))
    for make in (card, datasheet):
        blank, told = shown_text(make(run, Answers())), shown_text(make(run, ANSWERED))
        for key in ("license", "collected", "intended_uses", "sensitive", "contact"):
            assert f"Not answered yet: {QUESTIONS[key]}" in blank
            assert f"Not answered yet: {QUESTIONS[key]}" not in told
        assert "Ada <ada@example.org>" in told
        assert f"Not answered yet: {QUESTIONS['biases']}" in told
    assert "6 of the required questions" in card(run, Answers())


def test_the_card_states_what_was_measured() -> None:
    text = shown_text(card(run_of(splits_of(["a", "b"])), ANSWERED))
    for fact in (
        "60 rows read + 0 made = 53 kept + 7 rejected",
        "missing 7",
        "4 rows were decoded as cp1252",
        "0.740 (0.700 to 0.780)",
        "+0.540",
        "better",
        "compared 13 of 13 held-out rows",
        "0.21\u00a0%",
        "2 of 12 held-out rows",
        "ab" * 32,
    ):
        assert fact in text, fact


def test_waivers_are_printed() -> None:
    used = (*run_of(splits_of(["a", "b"])).waivers, Waived(what="question contact", reason="nobody | is left"))
    recipe = "waive:\n  - {what: accuracy, reason: was not needed}\n"
    run = run_of(splits_of(["a", "b"]), waivers=used, recipe_text=recipe)
    text = shown_text(card(run, ANSWERED)).split("Waivers", 1)[1].split("Who looks after it", 1)[0]
    assert "gate macro_f1 on test: good enough for a test" in text
    assert "question contact: nobody | is left" in text
    assert "was not needed" not in text, "only what was used is printed"


def test_a_waived_check_is_not_called_failed() -> None:
    failed = Finding(check="row_count", passed=False, value=3, limit=10, message="3 rows", on_fail="stop")
    waived = (Waived(what="check row_count", reason="a pilot"),)
    for waivers, said in (((), "FAILED: row_count: 3 rows"), (waived, "waived: row_count: 3 rows")):
        text = shown_text(card(run_of(splits_of(["a", "b"]), findings=(failed,), waivers=waivers), ANSWERED))
        assert said in text


def bare_run() -> Run:
    """A run that was stopped before anything was split or trained."""
    nothing = DatasetRecord(digest="", splits={}, columns=(), labels={}, labels_before={}, lengths=None)
    return run_of(
        splits_of(["a", "b"]),
        state="failed",
        stopped_by=("row_count",),
        dataset=nothing,
        certificate=None,
        models=(),
        best=None,
        comparisons=(),
        leakage=None,
        gates=(),
        findings=(),
        steps=(),
        versions={},
        recipe_text="",
        command="",
    )


def test_a_run_that_failed_early_still_has_papers(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "dataset", {}, bare_run(), Answers())
    text = (folder / "README.md").read_text()
    assert "This run failed: row" in text
    assert "No model was trained" in text
    assert card_data(text)["license"] == "mit"


def test_files_that_do_not_hold_the_rows_of_the_run_are_refused(tmp_path: Path) -> None:
    splits = splits_of(["a", "b"])
    fewer = {**splits, "test": splits["test"].head(3)}
    with pytest.raises(BooksError, match="3 rows of 'test', the run 7"):
        write_dataset(tmp_path / "dataset", fewer, run_of(splits), ANSWERED)


def test_a_broken_data_file_is_a_data_error(tmp_path: Path) -> None:
    splits = splits_of(["a", "b"])
    (tmp_path / "dataset" / "data").mkdir(parents=True)
    (tmp_path / "dataset" / "data" / "train-00000-of-00001.parquet").write_bytes(b"PAR1 nonsense")
    from seedbed.publish.papers import write_papers

    with pytest.raises(DataError, match="train-00000-of-00001"):
        write_papers(tmp_path / "dataset", run_of(splits), ANSWERED)
    assert not (tmp_path / "dataset" / "README.md").exists()
