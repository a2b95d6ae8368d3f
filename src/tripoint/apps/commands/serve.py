"""`tripoint serve`: one endpoint in front of every site, by the estate and its plan."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tripoint.apps import stores, wiring
from tripoint.apps.answer import json_document, plural
from tripoint.apps.outcomes import EXIT_CODES, ExitCode, finding_lines, outcome_of
from tripoint.apps.settings import read_settings, state_folder
from tripoint.apps.terminal.flags import FileToRead, FiniteRange, NamedPath
from tripoint.domain.errors import FileError, OptionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tripoint.apps.gateway.fleet.supervisor import Standing, Tell
    from tripoint.apps.gateway.limits import Limits
    from tripoint.domain.table import RoutingTable


@click.command()
@click.argument("estate", type=NamedPath())
@click.option(
    "--plan", metavar="FILE", type=FileToRead(), help="Plan whose shares are followed: a plan.json or its folder."
)
@click.option("--host", metavar="ADDRESS", default="127.0.0.1", show_default=True,
              help="Address to listen on; any but loopback needs a certificate and keys.")  # fmt: skip
@click.option("--port", metavar="N", type=click.IntRange(0, 65535), default=8080, show_default=True,
              help="Port to listen on; 0 takes a free one.")  # fmt: skip
@click.option(
    "--workers", metavar="N", type=click.IntRange(1, 64), help="Worker processes; one per core when not given."
)
@click.option("--tls-cert", metavar="FILE", type=FileToRead(dir_okay=False), help="Certificate chain, PEM.")
@click.option("--tls-key", metavar="FILE", type=FileToRead(dir_okay=False), help="Its key, PEM.")
@click.option("--run-dir", metavar="DIR", type=NamedPath(file_okay=False),
              help="Where usage records and counters are kept; by default in this user's state.")  # fmt: skip
@click.option("--store", metavar="URL", help="Where usage is recorded, `sqlite:///FILE` or `postgresql://...`; "
              "TRIPOINT_STORE when not given, else a file in the run folder.")  # fmt: skip
@click.option("--durable", is_flag=True,
              help="End an answer only once its usage record is on disk; by default that takes up to a second more.",
              )  # fmt: skip
@click.option("--access-log", metavar="FILE", type=NamedPath(allow_dash=True, dir_okay=False),
              help="Write one JSON line per request here, `-` for standard output.")  # fmt: skip
@click.option("--otel-convention", metavar="VERSION",
              help="Version of OpenTelemetry's GenAI names for access lines and metrics, e.g. 1.41.0.")  # fmt: skip
@click.option("--trusted-proxy", "proxies", metavar="ADDRESS", multiple=True,
              help="Proxy in front that terminates TLS: nobody else may connect. Repeatable.")  # fmt: skip
@click.option("--max-body-mb", metavar="MB", type=FiniteRange(min=0, min_open=True), default=32.0, show_default=True,
              help="Longest request body, MB.")  # fmt: skip
@click.option("--max-connections", metavar="N", type=click.IntRange(1), default=16_000, show_default=True,
              help="Most connections at once, per worker.")  # fmt: skip
@click.option("--drain-s", metavar="S", type=FiniteRange(min=0), default=30.0, show_default=True,
              help="Longest time to finish what is under way when told to end, seconds.")  # fmt: skip
@click.option("--watch", is_flag=True, help="Reload when a file of the estate or the plan changes; SIGHUP always does.")
@click.option("--strict", is_flag=True, help="Refuse a plan that was made for another estate instead of warning.")
@click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON document, once it serves.")
@click.option("--debug", is_flag=True, help="Show the trace of an unexpected failure.")
def command(
    estate: str,
    plan: str | None,
    host: str,
    port: int,
    workers: int | None,
    tls_cert: str | None,
    tls_key: str | None,
    run_dir: str | None,
    store: str | None,
    durable: bool,
    access_log: str | None,
    otel_convention: str | None,
    proxies: tuple[str, ...],
    max_body_mb: float,
    max_connections: int,
    drain_s: float,
    watch: bool,
    strict: bool,
    as_json: bool,
    debug: bool,
) -> int:
    """Serve the plan: one OpenAI-compatible endpoint in front of every site.

    ESTATE is a YAML file or a folder. Ends on SIGTERM or Ctrl-C once requests under way are answered; SIGHUP reads
    estate and plan again and keeps the old ones where the new ones are wrong.
    For example: tripoint serve my-estate --plan answer --port 8080
    """
    import asyncio

    from tripoint.apps.gateway.fleet.options import ServeOptions
    from tripoint.apps.gateway.fleet.supervisor import Fleet

    del debug  # read by whoever shows a failure
    if as_json and access_log == "-":
        raise OptionError("`--access-log -` and `--json` both want standard output", hint="log to a file")
    records = Path(run_dir) if run_dir else _run_folder(host, port)
    options = ServeOptions(
        estate=estate,
        plan=plan,
        host=host,
        port=port,
        workers=workers or _cores(),
        run_dir=records,
        store=_store(store, records),
        is_durable=durable,
        access_log=access_log or "",
        tls_cert=tls_cert or "",
        tls_key=tls_key or "",
        convention=_convention(otel_convention),
        drain_s=drain_s,
        is_watching=watch,
        limits=_limits(max_body_mb, max_connections, proxies),
    )

    async def run() -> FileError | None:
        return await Fleet(options, _compiler(estate, plan, is_strict=strict), _tell(as_json=as_json)).run()

    return _ended(asyncio.run(run()))


def _ended(unwritten: FileError | None) -> ExitCode:
    """Exit code of a gateway that has ended; says on standard error what it could not write."""
    if unwritten is None:
        return ExitCode.YES
    _say(f"error: {unwritten.message}; hint: {unwritten.hint}", err=True)
    return EXIT_CODES[FileError]


def _store(told: str | None, records: Path) -> str:
    """URL of the store: as told, as set on this machine, else beside the records; refused where there is no such."""
    url = told or read_settings().store or f"sqlite:///{records.absolute() / 'store.db'}"
    stores.check_store(url)
    return url


def _compiler(estate: str, plan: str | None, *, is_strict: bool) -> Callable[[RoutingTable | None], RoutingTable]:
    """What makes a table of estate and plan as they are then, and says what is doubtful in them."""

    def compiled(previous: RoutingTable | None) -> RoutingTable:
        found = wiring.compile_routing(estate, plan, previous=previous, is_strict=is_strict)
        for line in finding_lines(found.findings):
            _say(line, err=True)
        return found.table

    return compiled


def _limits(max_body_mb: float, max_connections: int, proxies: tuple[str, ...]) -> Limits:
    from tripoint.apps.gateway.fleet.sockets import proxy_networks
    from tripoint.apps.gateway.limits import Limits

    max_body = int(max_body_mb * 2**20)
    return Limits(max_body=max_body, max_connections=max_connections, proxies=proxy_networks(proxies))


def _convention(wanted: str | None) -> str:
    """The version, which must be one there is a table for; empty for none."""
    from tripoint.engines.gateway.telemetry.semconv import CONVENTIONS

    if wanted and wanted not in CONVENTIONS:
        raise OptionError(
            f"`--otel-convention {wanted}` is not a known version", hint=f"one of {', '.join(CONVENTIONS)}"
        )
    return wanted or ""


def _tell(*, as_json: bool) -> Tell:
    from tripoint.apps.gateway.fleet.supervisor import Tell

    def ready(standing: Standing) -> None:
        if as_json:
            _say(json_document("serve", ok=True, findings=(), payload=_payload(standing)))
        else:
            _say(_line(standing))

    def note(text: str) -> None:
        _say(text, err=True)

    def refused(error: BaseException) -> None:
        outcome = outcome_of(error)
        for line in finding_lines(outcome.findings):
            note(line)
        note(f"not reloaded: {outcome.message}; the old one serves on")

    return Tell(ready, note, refused)


def _say(text: str, *, err: bool = False) -> None:
    with suppress(OSError):  # a full disk under a log, or a reader that has gone, must not end the service
        click.echo(text, err=err)


def _line(standing: Standing) -> str:
    table = standing.table
    state = f"degraded: {'; '.join(standing.degraded)}" if standing.degraded else "ready"
    sizes = f"{plural(len(table.targets), 'upstream')}, {plural(len(table.routes), 'workload')}"
    return f"serving `{table.name}` at {standing.address} with {plural(standing.workers, 'worker')}, {sizes}; {state}"


def _payload(standing: Standing) -> dict[str, Any]:
    table = standing.table
    return {
        "address": standing.address,
        "workers": standing.workers,
        "estate": table.name,
        "estate_digest": table.estate_digest,
        "plan_digest": table.plan_digest,
        "upstreams": [each.id for each in table.targets],
        "workloads": [each.workload for each in table.routes],
        "degraded": list(standing.degraded),
    }


def _cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _run_folder(host: str, port: int) -> Path:
    """Where this gateway keeps its state when nothing else is said: by the address served."""
    return state_folder() / f"serve-{host.replace(':', '_')}-{port}"
