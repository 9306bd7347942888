"""`seedbed serve`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from seedbed.core.errors import RecipeError, SeedbedError

from .interrupting import let_ctrl_c_through
from .terminal import complain, say

if TYPE_CHECKING:
    from seedbed.core.learner import Precision
    from seedbed.flow.offering import Similar
    from seedbed.flow.serving import Named
    from seedbed.serve.server import Opened, Terms


@dataclass(frozen=True)
class Asked:
    """What a person asked for."""

    host: str
    port: int
    trust: bool = False
    workers: int = 1
    keys: Path | None = None
    origins: tuple[str, ...] = ()
    queue: int = 64
    timeout: float = 30.0
    log: Path | None = None
    log_texts: bool = False
    precision: Precision = "fp32"
    access_log: bool = False
    watch: bool = True
    similar: str = "auto"
    feedback: Path | None = None


def make_key(name: str, keys: Path | None) -> None:
    """Write the digest of a new key, and say the key, once."""
    from seedbed.serve.keys import new_key

    if keys is None:
        raise RecipeError("a key needs a file to stand in", at="--new-key", hint=f"--new-key {name} --keys keys.txt")
    say(new_key(keys, name))
    complain(f"this is the key of {name}, told this once; {keys} keeps its SHA-256 alone")


def serve_model(folder: Path, asked: Asked) -> None:
    """Serve a model until Ctrl-C; exits with 1 where it may not be shown to others."""
    from seedbed.flow.offering import SIMILAR
    from seedbed.serve.api import check_needs
    from seedbed.serve.server import ended_by_signals

    check_needs()
    if asked.similar not in SIMILAR:
        raise RecipeError(f"{asked.similar[:40]!r} is no choice", at="--similar", hint=", ".join(SIMILAR))
    if asked.log_texts and asked.log is None:
        raise RecipeError("there is no log for texts to stand in", at="--log-texts", hint="--log FOLDER --log-texts")
    let_ctrl_c_through()
    try:
        with ended_by_signals():
            _serve(folder, asked)
    except KeyboardInterrupt:
        say("stopped")  # the only way to end a server is no accident


def _serve(folder: Path, asked: Asked) -> None:
    from seedbed.core.serving import address_of, listen
    from seedbed.flow.serving import Named
    from seedbed.serve.keys import Keys
    from seedbed.serve.limits import Limits
    from seedbed.serve.server import Terms, open_fit, serve
    from seedbed.serve.workers import Workers

    if asked.keys is not None:
        Keys.read(asked.keys)
    source = Named(
        folder,
        asked.trust,
        asked.log,
        asked.log_texts,
        asked.precision,
        host=asked.host,
        similar=cast("Similar", asked.similar),
        feedback=asked.feedback,
    )
    terms = Terms(
        host=asked.host,
        limits=Limits(waiting=asked.queue, seconds=asked.timeout),
        keys=asked.keys,
        origins=asked.origins,
        say_requests=asked.access_log,
        watch=Terms.watch if asked.watch else 0,
    )
    if asked.workers == 1:
        version, told = open_fit(source, asked.host)
        try:
            listening = listen(asked.host, asked.port)
        except SeedbedError:
            version.close()
            raise
        with listening:
            _tell(told, address_of(listening), source, terms)
            serve(source, version, listening, terms, complain=complain)
    with (
        listen(asked.host, asked.port) as listening,
        Workers(source, listening, terms, asked.workers, complain) as processes,
    ):
        told = processes.start()
        _tell(told, address_of(listening), source, terms, asked.workers)
        processes.watch()


def _tell(told: Opened, address: str, source: Named, terms: Terms, workers: int = 1) -> None:
    """What is served, where, and on which terms."""
    by = f" by {workers} processes" if workers > 1 else ""
    say(f"{told.name} is served at {address}{by} (Ctrl-C ends it)")
    texts = "with texts" if source.log_texts else "without texts"
    if told.tabular and not source.log_texts:
        texts = "with numbers and categories as they are, without other texts"
    kept = "what is asked is not kept" if source.log is None else f"answers are logged in {source.log}, {texts}"
    say(f"  golden examples reproduce (largest difference {told.difference:.1g}); {kept}")
    if source.feedback is not None:
        say("  what people say is wrong is kept for `seedbed review`, with its text")
    if source.similar in ("names", "texts"):
        say(f"  whoever asks is shown {'texts' if source.similar == 'texts' else 'names and labels'} of training rows")
    if terms.keys is not None:
        say(f"  whoever asks needs a key of {terms.keys}")
    for debt in told.debts:
        say(f"  not for publication: {debt}")
