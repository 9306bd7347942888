"""Every way to get a recipe wrong: one table. Each is refused before anything runs, in five lines, with its place."""

# ruff: noqa: E501 (a table reads best with one case a line)

from __future__ import annotations

from pathlib import Path

import pytest

from seedbed.core.errors import RecipeError
from seedbed.recipe import load

HEAD = """\
seedbed: 1
name: tweets
task: {kind: text_classification, text: text, label: sentiment}
sources:
  - {use: csv, path: x.csv}
"""

NUMBERS = HEAD.replace("text_classification", "regression").replace("label:", "target:")
SEVERAL = HEAD.replace("text_classification", "multi_label_classification")

# (what is wrong, the recipe (HEAD stands before what starts with a line break), place, problem, way out)
BAD: list[tuple[str, str, str, str, str]] = [
    ("empty", "", "", "the recipe is empty", "at least the keys seedbed, name, task and sources"),
    ("only a comment", "# nothing\n", "", "the recipe is empty", "at least the keys"),
    ("a list", "- a\n- b\n", ":1", "the recipe is a list", "at least the keys"),
    ("a word", "tweets\n", ":1", "the recipe is a single value", "at least the keys"),
    ("a tab", "\nsteps:\n\t- {use: fix_text}\n", ":7:1", "a tab cannot indent YAML", "spaces"),
    ("not YAML", "\nsteps: [\n", ":7:1", "a value is missing", ""),
    ("a duplicate key", "\nname: again\n", ":6:1", "the key 'name' is given twice; the first stands on line 2", "keep one"),
    ("a NUL byte", "\n# \0\n", ":6:3", "a NUL byte", "text file"),
    ("a gate that nothing passes", "\ngates:\n  - {metric: accuracy, at_least: 60}\n", ":7: gates.0", "accuracy is at most 1", "0.6"),
    ("a glob without quotes", "\nsteps: *.csv\n", ":6", "starts with '*'", "quotes"),
    ("a typo in a key", "\nstep: []\n", ":6: step", "there is no such key", "did you mean 'steps'?"),
    ("a typo in an option", "\nsteps:\n  - use: text_length\n    at_leats: 3\n", ":8: steps.0.at_leats",
     "there is no such option of text_length", "did you mean 'at_least'?"),
    ("a typo in a part", "\nsteps:\n  - {use: text_lenght}\n", ":7: steps.0.use", "there is no step 'text_lenght'",
     "did you mean 'text_length'?"),
    ("a typo in the only part of a family", "\npublish: [{use: foldr, path: x}]\n", ":6: publish.0.use",
     "there is no exporter 'foldr'", "did you mean 'folder'?"),
    ("two formats in one folder", "\npublish: [{use: csv, path: out}, {use: jsonl, path: out}]\n", ":6: publish.1.path",
     "publish.0 writes there, too", "a folder of its own"),
    ("a part of another family", "\nsteps:\n  - {use: accuracy}\n", ":7: steps.0.use",
     "'accuracy' is a metric, not a step", "it goes into `evaluate.metrics`"),
    ("no use", "\nsteps: [{column: x}]\n", ":6: steps.0", "needs 'use', the name of a step", "known: "),
    ("no use where one part is known", "\npublish: [{path: x}]\n", ":6: publish.0", "needs 'use', the name of an exporter", "folder"),
    ("a list as use", "\nsteps: [{use: [a]}]\n", ":6: steps.0.use", "the name of a step is needed here, this is a list", ""),
    ("a typo in a kind", HEAD.replace("csv, path: x.csv", "rest, url: 'http://x', auth: {kind: apikey}"),
     ":5: sources.0.auth.kind", "there is no kind 'apikey'", "did you mean 'api_key'?"),
    ("no kind", HEAD.replace("csv, path: x.csv", "rest, url: 'http://x', pagination: {param: page}"),
     ":5: sources.0.pagination", "needs 'kind'", "known: cursor, link_header, next_link, none"),
    ("a typo in the name of a tokenizer", "\npublish: [{use: tokens, path: out, tokenizer: {use: bite}}]\n",
     ":6: publish.0.tokenizer.use", "there is no tokenizer 'bite'", "did you mean 'bytes'?"),
    ("no tokenizer", "\npublish: [{use: tokens, path: out, tokenizer: {path: x}}]\n", ":6: publish.0.tokenizer", "needs 'use'", "huggingface"),
    ("an option that means nothing for the task", "\npublish: [{use: tokens, path: out, tokenizer: {use: bytes}, pack: {}}]\n",
     ":6: publish.0.pack", "means nothing for text_classification and a model of kind encoder", "leave it out"),
    ("weights of labels where there are numbers", NUMBERS + "train: [{use: gradient_boosting, class_weight: balanced}]\n",
     ":6: train.0.class_weight", "means nothing for regression", "for tasks whose answer is one label or any number of labels"),
    ("weights of one label where there are several", SEVERAL + "train: [{use: transformer, class_weight: balanced}]\n",
     ":6: train.0.class_weight", "means nothing for multi_label_classification", "for tasks whose answer is one label"),
    ("a scale where there are labels", "\ntrain: [{use: decision_tree, scale: log}]\n",
     ":6: train.0.scale", "means nothing for text_classification", "for tasks whose answer is a number"),
    ("weights of labels in a search", NUMBERS + "train: [{use: tuned, learner: {use: decision_tree}, over: {class_weight: [none, balanced]}}]\n",
     ":6: train.0.over.class_weight", "means nothing for regression", "leave it out"),
    ("a metric of another task in a search", NUMBERS + "train: [{use: tuned, learner: {use: decision_tree}, metric: accuracy}]\n",
     ":6: train.0.metric", "'accuracy' does not measure regression", "known: "),
    ("weights of labels in an ensemble",
     NUMBERS + "train: [{use: ensemble, learners: [{use: mean}, {use: random_forest, class_weight: balanced}]}]\n",
     ":6: train.0.learners.1.class_weight", "means nothing for regression", "leave it out"),
    ("a typo in an option of a kind", HEAD.replace("csv, path: x.csv", "rest, url: 'http://x', pagination: {kind: page, parm: page}"),
     ":5: sources.0.pagination.parm", "there is no such key", "did you mean 'param'?"),
    ("a name where a part belongs", "\nsteps: [fix_text]\n", ":6: steps.0", "a mapping is needed here, this is the text 'fix_text'",
     "write {use: fix_text}"),
    ("a name where the split belongs", "\nsplit: random\n", ":6: split", "a mapping is needed here", "write {use: random}"),
    ("the label among what is to tell it", "\nprepare: [{use: select_features, column: [x, sentiment], best: 1}]\n",
     ":6: prepare.0.column.1", "'sentiment' is the label, which cannot tell itself", "leave it out of `column`"),
    ("the same with a label of its own", "\nprepare: [{use: select_features, column: [x], label: x, best: 1}]\n",
     ":6: prepare.0", "the label cannot tell itself: leave it out of `column`", ""),
    ("a number where a list belongs", "\nsteps: 3\n", ":6: steps", "a list is needed here, this is the number 3", "write [3]"),
    ("nothing where a list belongs", "\nsteps:\n", ":6: steps", "a list is needed here, this is empty", "remove the key"),
    ("a mapping where a list belongs", HEAD.replace("\n  - {", " {"), ":4: sources", "a list is needed here, this is a mapping", "'- '"),
    ("a number where text belongs", "\npublish: [{use: folder, path: 3}]\n", ":6: publish.0.path",
     "text is needed here, this is the number 3", "put it in quotes: '3'"),
    ("text where a number belongs", "\nchecks: [{use: row_count, at_least: many}]\n", ":6: checks.0.at_least",
     "a whole number is needed here, this is the text 'many'", ""),
    ("a trusted source that is not there", "\nsteps: [{use: near_duplicates, keep: most_trusted, trust: [nope]}]\n",
     ":6: steps.0.trust.0", "there is no source 'nope'", "0"),
    ("a wrong word", "\nchecks: [{use: row_count, at_least: 1, on_fail: stpo}]\n", ":6: checks.0.on_fail",
     "'warn' or 'stop' is needed here, this is the text 'stpo'", "did you mean 'stop'?"),
    ("true where a mapping or false belongs", "\nsplit: {use: stratified, keep_together: true}\n", ":6: split.keep_together",
     "a mapping or false is needed here, this is true", ""),
    ("a typo in a nested option", "\nsplit:\n  use: stratified\n  keep_together: {at_leats: 1}\n", ":8: split.keep_together.at_leats",
     "there is no such key", "did you mean 'at_least'?"),
    ("shares above 1", "\nsplit: {use: stratified, train: 0.9, validation: 0.3, test: 0.2}\n", ":6: split",
     "the shares of train, validation and test add up to 1.4, not 1", ""),
    ("a share above 1", "\nsplit: {use: stratified, train: 1.5}\n", ":6: split.train", "must be below 1, this is 1.5", ""),
    ("a negative share", "\nsplit: {use: stratified, validation: -0.1}\n", ":6: split.validation", "must be at least 0, this is -0.1", ""),
    ("missing keys", "seedbed: 1\nname: x\n", ":1", "needs 'task' and 'sources'", "What the models are to do"),
    ("a missing option", "\npublish:\n  - {use: folder}\n", ":7: publish.0", "needs 'path'", "path: Folder to write"),
    ("a missing kind", HEAD.replace("kind: text_classification, ", ""), ":3: task", "needs 'kind'", "text_classification"),
    ("another task", HEAD.replace("text_classification", "text_clasification"), ":3: task.kind",
     "there is no kind 'text_clasification'", "did you mean"),
    ("another version", HEAD.replace("seedbed: 1", "seedbed: 2"), ":1: seedbed",
     "this Seedbed reads version 1 of recipes, not 2", "seedbed: 1"),
    ("a name that is no folder", HEAD.replace("tweets", "my tweets!"), ":2: name", "cannot name a folder", "'my-tweets'"),
    ("a name that climbs", HEAD.replace("tweets", "../x"), ":2: name", "cannot name a folder", ""),
    ("no sources", HEAD.replace("\n  - {use: csv, path: x.csv}", " []"), ":4: sources", "must not be empty", ""),
    ("labels that are numbers", HEAD.replace("sentiment}", "sentiment, labels: [0, '1']}"), ":3: task.labels.0",
     "text is needed here, this is the number 0", "put it in quotes: '0'"),
    ("one label", HEAD.replace("sentiment}", "sentiment, labels: [a]}"), ":3: task.labels", "must have at least 2 items, this has 1", ""),
    ("a label twice", HEAD.replace("sentiment}", "sentiment, labels: [a, b, a]}"), ":3: task.labels.2", "given twice", ""),
    ("the label is the text", HEAD.replace("label: sentiment", "label: text"), ":3: task.label", "is the text already", "column"),
    ("an unknown metric", "\nevaluate:\n  metrics: [acuracy]\n", ":7: evaluate.metrics.0", "there is no metric 'acuracy'",
     "did you mean 'accuracy'?"),
    ("a level of 95", "\nevaluate: {intervals: {level: 95}}\n", ":6: evaluate.intervals.level", "must be below 1, this is 95", ""),
    ("a doubting learner that nobody trains", "\nchecks:\n  - {use: label_errors, learner: tfidf_logistik}\n", ":7: checks.0.learner",
     "there is no model 'tfidf_logistik' in `train`", "did you mean 'tfidf_logistic'"),
    ("a gate without a limit", "\ngates: [{metric: accuracy}]\n", ":6: gates.0", "the gate has no limit", "`at_least` or `at_most`"),
    ("a gate with two limits", "\ngates: [{metric: accuracy, at_least: 0, at_most: 1}]\n", ":6: gates.0", "the gate has two limits", ""),
    ("a gate on an unknown metric", "\ngates: [{metric: f1_macro, at_least: 0}]\n", ":6: gates.0.metric", "there is no metric 'f1_macro'",
     "macro_f1"),
    ("a gate on a metric that is not measured", "\nevaluate: {metrics: [macro_f1]}\ngates:\n  - metric: accuracy\n    at_least: 0\n",
     ":8: gates.0.metric", "'accuracy' is not measured", "add 'accuracy' to evaluate.metrics"),
    ("a gate on an unknown model", "\ngates:\n  - {metric: accuracy, at_least: 0, model: tfidf_logistc}\n", ":7: gates.0.model",
     "there is no model 'tfidf_logistc'", "did you mean 'tfidf_logistic'?"),
    ("a gate on rows that are not there", "\nsplit: {use: random, train: 0.9, validation: 0, test: 0.1}\n"
     "gates: [{metric: accuracy, at_least: 0, split: validation}]\n", ":7: gates.0.split", "no validation rows", "share"),
    ("a gate without models", "\ntrain: []\ngates: [{metric: accuracy, at_least: 0}]\n", ":7: gates", "no model", "train"),
    ("a typo in a waiver", "\ngates: [{metric: accuracy, at_least: 0}]\nwaive:\n  - what: acuracy\n    reason: x\n",
     ":8: waive.0.what", "'acuracy' is no check or gate of this recipe", "did you mean 'accuracy'?"),
    ("a waiver of a check that is not there", "\nwaive: [{what: row_count, reason: x}]\n", ":6: waive.0.what",
     "'row_count' is no check or gate", "known: collected, contact"),
    ("a waiver of a question that stops nothing", "\nwaive: [{what: funding, reason: x}]\n", ":6: waive.0.what",
     "no question that stops publishing", ""),
    ("a waiver twice", "\nwaive:\n  - {what: contact, reason: x}\n  - {what: contact, reason: y}\n", ":8: waive.1.what",
     "waive.0 waives 'contact' already", ""),
    ("a waiver without a reason", "\nwaive: [{what: contact}]\n", ":6: waive.0", "needs 'reason'", ""),
    ("the same model twice", "\ntrain:\n  - {use: majority}\n  - {use: majority}\n", ":8: train.1", "is the same as train.0", ""),
    ("two sources of one name", HEAD + "  - {use: csv, path: y.csv, name: '0'}\n", ":6: sources.1.name", "has the name '0' already", ""),
    ("a source name that breaks row ids", HEAD.replace("x.csv", "x.csv, name: 'a#b'"), ":5: sources.0.name", "does not fit the pattern", ""),
    ("a step that belongs before the split", "\nprepare:\n  - {use: fix_text}\n", ":7: prepare.0.use", "belongs before the split",
     "move it to `steps`"),
    ("a part that refuses its options", "\nsteps: [{use: text_length, at_least: 3, at_most: 2}]\n", ":6: steps.0", "at least 3 and at most 2", ""),
    ("keys that steer a terminal", '\n"\\e[2J\\n\\n\\n\\n\\n\\n\\nx": 1\n', ":6: '\\x1b[2J", "there is no such key", ""),
    ("a value that is huge", "\npublish: " + "x" * 5000 + "\n", ":6: publish", "a list is needed here", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place", "problem", "hint"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, place: str, problem: str, hint: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("recipe.yaml").write_text(HEAD + text[1:] if text.startswith("\n") else text)
    with pytest.raises(RecipeError) as caught:
        load(Path("recipe.yaml"))
    lines = str(caught.value).splitlines()
    assert caught.value.exit_code == 2
    assert lines[0].startswith(f"recipe.yaml{place}")
    assert problem in lines[0]
    assert len(lines) <= 5
    assert not hint or hint in str(caught.value)
    assert all(line.isprintable() for line in lines)
    assert "Traceback" not in str(caught.value)


@pytest.mark.parametrize("raw", [b"name: caf\xe9\n", b"\x00\x01\x02", "seedbed: 1".encode("utf-16"), b"\xff" * 100])
def test_bytes_that_are_no_recipe(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_bytes(raw)
    with pytest.raises(RecipeError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}")
    assert len(str(caught.value).splitlines()) <= 5


def test_several_faults_come_in_order_of_lines_and_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(HEAD + "steps:\n" + "".join(f"  - {{use: nothing_{i}}}\n" for i in range(7)) + "tain: 3\n")
    with pytest.raises(RecipeError) as caught:
        load(path)
    lines = str(caught.value).splitlines()
    assert [line.partition(": ")[0].rpartition(":")[2] for line in lines[:4]] == ["7", "8", "9", "10"]
    assert lines[4:] == ["and 4 more"]


def test_an_item_that_is_wrong_does_not_make_its_list_too_short(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(HEAD + "evaluate: {metrics: [nonsense_metric]}\n")
    with pytest.raises(RecipeError) as caught:
        load(path)
    assert "must not be empty" not in str(caught.value)
