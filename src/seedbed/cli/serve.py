"""`seedbed serve`."""

from __future__ import annotations

from pathlib import Path

from .interrupting import let_ctrl_c_through
from .terminal import complain, say


def serve_model(folder: Path, *, host: str, port: int, trust: bool = False) -> None:
    """Serve a model until Ctrl-C; exits with 1 where it may not be shown to others."""
    from seedbed.serve.api import check_needs

    check_needs()
    let_ctrl_c_through()
    try:
        _serve(folder, host, port, trust)
    except KeyboardInterrupt:
        say("stopped")  # the only way to end a server is no accident


def _serve(folder: Path, host: str, port: int, trust: bool) -> None:
    from seedbed.core.serving import address_of, listen
    from seedbed.flow.predicting.predict import open_model
    from seedbed.serve.server import refuse_unfit, serve

    predictor = open_model(folder, trust=trust)
    debts = refuse_unfit(predictor, host)
    difference = predictor.check_golden()
    with listen(host, port) as listening:
        say(f"{predictor.name} is served at {address_of(listening)} (Ctrl-C ends it)")
        say(f"  golden examples reproduce (largest difference {difference:.1g}); what is asked is not kept")
        for debt in debts:
            say(f"  not for publication: {debt}")
        serve(predictor, listening, complain=complain)
