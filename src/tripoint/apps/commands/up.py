"""`tripoint up`: the local hybrid with real model servers, on this machine."""

from __future__ import annotations

import click

from tripoint.apps.answer import Answer, answering
from tripoint.apps.terminal.flags import FiniteRange


@click.command()
@click.option("--kill", metavar="SITE", help="Kill this site (or the site of this upstream) under traffic.")
@click.option("--kill-after", metavar="S", type=FiniteRange(min=0), default=10.0, show_default=True,
              help="When to kill it, seconds after traffic began.")  # fmt: skip
@click.option("--seconds", metavar="S", type=FiniteRange(min=0, min_open=True),
              help="How long to send traffic, seconds; until `q` or Ctrl-C when not given.")  # fmt: skip
@click.option("--rate", metavar="R", type=FiniteRange(min=0, min_open=True, max=200), default=12.0, show_default=True,
              help="Requests a second.")  # fmt: skip
@click.option("--workers", metavar="N", type=click.IntRange(1, 64), default=1, show_default=True,
              help="Workers of the gateway.")  # fmt: skip
@click.option("--port", metavar="P", type=click.IntRange(0, 65535), default=0, show_default=True,
              help="Port of the gateway on 127.0.0.1; 0 takes a free one.")  # fmt: skip
@click.option("--no-dashboard", is_flag=True, help="Print lines instead of the dashboard.")
@answering
def command(
    kill: str | None,
    kill_after: float,
    seconds: float | None,
    rate: float,
    workers: int,
    port: int,
    no_dashboard: bool,
) -> Answer:
    """Run the local hybrid: three sites with real model servers, the gateway and callers.

    Starts llama.cpp servers for a cloud, a dense and an edge site on loopback, plans the estate, serves the plan, sends
    gentle traffic and shows what happens. `--kill edge` kills a site under traffic; so does the key `k`. Ctrl-C
    or `q` ends it and leaves nothing running. Ends with exit code 1 when a request was lost or went where it must not.

    For example: tripoint up --kill dense --kill-after 20
    """
    from tripoint.apps.hybrid.run import HybridOptions, run_hybrid

    if kill is not None and seconds is not None and kill_after >= seconds:
        raise click.UsageError(f"`--kill-after {kill_after:g}` comes after the end, `--seconds {seconds:g}`")
    options = HybridOptions(
        kill=kill,
        kill_after_s=kill_after,
        seconds=seconds,
        rate=rate,
        workers=workers,
        port=port,
        is_dashboard=not no_dashboard,
    )
    summary = run_hybrid(options, lambda told: click.echo(told, err=True))
    return Answer(text=summary.text(), payload=summary.payload(), ok=summary.ok)
