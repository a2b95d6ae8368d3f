"""Reads request logs, published traces and GPU-job logs with DuckDB, in bounded memory: the `TraceReader` of
a fit.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tripoint.adapters.demand_files.clocks import Clock
from tripoint.adapters.demand_files.columns import Layout, layout_of
from tripoint.adapters.demand_files.formats import inspect
from tripoint.adapters.demand_files.readers.jobs import aggregate_jobs, job_clocks
from tripoint.adapters.demand_files.readers.requests import aggregate_requests, request_clock
from tripoint.adapters.demand_files.readers.servegen import WINDOW_ROLES, aggregate_windows, companion_of
from tripoint.adapters.demand_files.session import open_session
from tripoint.adapters.demand_files.staging import column_names, stage
from tripoint.domain.errors import OptionError
from tripoint.engines.sizing.demand.trace import JobTrace, RequestTrace, TraceHeader, TraceRows
from tripoint.usecases.demand import FitOptions

MOST_REQUESTS = 2_000_000
"""Requests of a log that are played one by one."""
_NS = 1e9
SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet", ".gz", ".log", ".txt")


def read_trace(path: str, options: FitOptions) -> RequestTrace | JobTrace:
    """Aggregate the log at `path`.

    Raises `OptionError` where columns, units or rows leave no answer, `FileError` for a damaged or unreadable
    file, `MissingExtraError` without DuckDB and `PlatformError` when memory and disk run out.
    """
    file_name = Path(path).name
    with open_session(options.memory_mb, file_name) as session:
        file = inspect(path)
        layout = layout_of(column_names(session, file), options.columns, options.kind, file_name)
        header = _header(file_name, layout, options)
        starts_s = _starts_s(options.starts_at)
        if layout.kind == "client_windows":
            staged = stage(session, file, WINDOW_ROLES)
            companion = companion_of(file.path, options.companion)
            return aggregate_windows(session, staged, header, companion, starts_s)
        staged = stage(session, file, layout.columns, hashed=("tenant",))
        if layout.kind == "gpu_jobs":
            clocks = {
                role: _anchored(clock, starts_s) for role, clock in job_clocks(session, layout, options.unit).items()
            }
            return aggregate_jobs(session, layout, staged, header, clocks, options.duration_unit)
        clock = _anchored(request_clock(session, layout, options.unit), starts_s)
        return aggregate_requests(session, layout, staged, header, clock)


def read_requests(path: str, options: FitOptions, most: int = MOST_REQUESTS) -> TraceRows:
    """The first `most` requests of the log at `path`, one by one in the order they came; cleaned as a fit cleans them.

    Raises what `read_trace` raises, and `OptionError` for a log that does not tell single requests.
    """
    file_name = Path(path).name
    with open_session(options.memory_mb, file_name) as session:
        file = inspect(path)
        layout = layout_of(column_names(session, file), options.columns, options.kind, file_name)
        if layout.kind in ("client_windows", "gpu_jobs"):
            message = f"`{file_name}` holds {layout.kind.replace('_', ' ')}, not single requests"
            raise OptionError(message, hint="take a log with a time and token counts of each request")
        staged = stage(session, file, layout.columns, hashed=("tenant",))
        clock = _anchored(request_clock(session, layout, options.unit), _starts_s(options.starts_at))
        aggregate_requests(session, layout, staged, _header(file_name, layout, options), clock)
        rows = session.rows(f"SELECT ns, input, output FROM used ORDER BY ns, input, output LIMIT {most}")
    first = rows[0][0]
    return TraceRows(
        at_s=tuple((row[0] - first) / _NS for row in rows),
        input_tokens=tuple(int(row[1]) for row in rows),
        output_tokens=tuple(int(row[2]) for row in rows),
    )


def _header(file_name: str, layout: Layout, options: FitOptions) -> TraceHeader:
    """Name and source of the profile."""
    name = file_name
    while Path(name).suffix.lower() in SUFFIXES:
        name = Path(name).stem
    described = options.description or layout.title
    return TraceHeader(name=options.name or name, source=f"{file_name} ({described})", rows=0)


def _starts_s(starts_at: str | None) -> float | None:
    """The instant a relative trace began, seconds since 1970 UTC."""
    if starts_at is None:
        return None
    try:
        instant = datetime.fromisoformat(starts_at)
    except ValueError as error:
        message = f"`{starts_at}` is not an ISO 8601 instant"
        raise OptionError(message, hint="write it as in `2026-01-05T00:00Z`") from error
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp()


def _anchored(clock: Clock, starts_s: float | None) -> Clock:
    """A relative clock set to a known start; an absolute one stays."""
    if starts_s is None or clock.has_calendar:
        return clock
    return replace(clock, sql=f"(({clock.sql}) + {round(starts_s * 1e9)})", has_calendar=True)


__all__ = ["read_requests", "read_trace"]
