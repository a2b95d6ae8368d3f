"""Aggregates a staged GPU-job log: arrivals, accelerator-hours, gang sizes, durations, accelerators in use.

Accelerators in use follow exactly from starts and ends: with `d` the step of an event at time `e` (plus the
job's GPUs at its start, minus at its end), GPU-seconds up to `t` are the sum of `d (t - e)` over events
before `t`; grouping `d` and `d e` by bin gives the exact GPU-seconds of each bin without a row per job
leaving the database.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tripoint.adapters.demand_files.arrivals import (
    Sorted,
    arrivals_of,
    note_gaps,
    note_order,
    quantiles,
    sort_arrivals,
)
from tripoint.adapters.demand_files.clocks import NS_PER_UNIT, UNIT_NAMES, Clock, read_clock
from tripoint.adapters.demand_files.columns import Layout, unit_in_name
from tripoint.adapters.demand_files.session import Session
from tripoint.adapters.demand_files.staging import Staged, dropped_rows
from tripoint.domain.errors import OptionError
from tripoint.engines.sizing.demand.trace import Arrivals, JobTrace, LoadSeries, TraceHeader

NS = 1_000_000_000
MOST_GPUS = 1_000_000
LONGEST_S = 10 * 366 * 86_400


def job_clocks(session: Session, layout: Layout, unit: str | None) -> dict[str, Clock]:
    """Clock of each time column; they must agree on whether they know the calendar."""
    clocks = {
        role: read_clock(session, "staged", f"{role}_", layout.columns[role], unit)
        for role in ("submit", "start", "end")
        if role in layout.columns
    }
    if len({clock.has_calendar for clock in clocks.values()}) > 1:
        told = "; ".join(clock.note for clock in clocks.values())
        raise OptionError(f"the time columns disagree: {told}", hint="say the unit with `--unit`, or map other columns")
    return clocks


def aggregate_jobs(
    session: Session,
    layout: Layout,
    staged: Staged,
    header: TraceHeader,
    clocks: dict[str, Clock],
    duration_unit: str | None,
) -> JobTrace:
    """Trace of the jobs in table `staged`."""
    arrival = clocks.get("submit") or clocks["start"]
    duration_sql, duration_note = _duration(layout, clocks, duration_unit)
    _judge(session, clocks, duration_sql)
    dropped = {"malformed row": staged.malformed, **dropped_rows(session, "jobs", "job")}
    order = note_order(session, "jobs WHERE reason IS NULL")
    rows = sort_arrivals(session, "SELECT ns FROM jobs WHERE reason IS NULL")
    dropped["stray timestamp"] = rows.strays
    session.run(
        f"CREATE VIEW used AS SELECT * FROM jobs WHERE reason IS NULL AND ns BETWEEN {rows.first_ns} AND {rows.last_ns}"
    )
    (gpu_hours,) = session.row("SELECT sum(gpus * run_ns) / 3600e9 FROM used")
    gangs = quantiles(session, "SELECT gpus AS value, 1 AS weight FROM used")
    arrivals = arrivals_of(session, rows, arrival.has_calendar)
    return JobTrace(
        header=replace(
            header,
            rows=rows.count,
            dropped={reason: count for reason, count in dropped.items() if count},
            notes=(
                *header.notes,
                *layout.notes,
                arrival.note,
                duration_note,
                *staged.notes,
                *order,
                *rows.notes,
                *note_gaps(session, rows, arrival.has_calendar),
            ),
        ),
        arrivals=replace(arrivals, load=_in_use(session, rows, arrivals)),
        gpu_hours=float(gpu_hours),
        gang_gpus=round(gangs.p95),
        job_hours=quantiles(session, "SELECT run_ns / 3600e9 AS value, 1 AS weight FROM used"),
        tenants=_tenants(session, layout),
    )


def _duration(layout: Layout, clocks: dict[str, Clock], unit: str | None) -> tuple[str, str]:
    """Expression for a job's run time in nanoseconds, and how it was come by."""
    name = layout.columns.get("duration")
    if name is None:
        origin = "start" if "start" in clocks else "submit"
        queued = "" if origin == "start" else ", which includes the time in the queue"
        return "end_ns - start_ns", f"durations are end minus {origin}{queued}"
    known = unit or unit_in_name(name)
    said = "as given" if unit else "by its name" if known else "assumed, as its name does not say"
    shown = known or "s"
    text = "CAST(duration_ AS VARCHAR)"
    days = f"coalesce(TRY_CAST(nullif(split_part({text}, '-', -2), '') AS DOUBLE), 0)"
    clock = f"epoch(TRY_CAST(split_part({text}, '-', -1) AS INTERVAL))"
    number = f"TRY_CAST({text} AS DOUBLE) * {NS_PER_UNIT[shown]}"
    sql = f"CASE WHEN contains({text}, ':') THEN ({days} * 86400 + {clock}) * {NS} ELSE {number} END"
    return sql, f"durations of `{name}` are {UNIT_NAMES[shown]} ({said}), or [D-]HH:MM:SS"


def _judge(session: Session, clocks: dict[str, Clock], duration_sql: str) -> None:
    """Table `jobs`: parsed values and the reason a row is set aside, if any."""
    arrival = (clocks.get("submit") or clocks["start"]).sql
    start = (clocks.get("start") or clocks["submit"]).sql
    end = clocks["end"].sql if "end" in clocks else "NULL::BIGINT"
    session.run(f"""
        CREATE TABLE jobs AS
        WITH timed AS (SELECT *, {arrival} AS ns, {start} AS start_ns, {end} AS end_ns FROM staged
            WHERE twin IS NOT NULL),
        parsed AS (SELECT *, {duration_sql} AS run_raw, TRY_CAST(gpus_ AS DOUBLE) AS gpus FROM timed)
        SELECT * EXCLUDE (run_raw), TRY_CAST(run_raw AS BIGINT) AS run_ns, CASE
            WHEN ns IS NULL OR start_ns IS NULL THEN 'bad timestamp'
            WHEN gpus IS NULL OR isnan(gpus) OR gpus < 0 OR gpus > {MOST_GPUS} THEN 'bad GPU count'
            WHEN gpus = 0 THEN 'no GPUs'
            WHEN TRY_CAST(run_raw AS BIGINT) IS NULL THEN 'no end or duration'
            WHEN run_raw < 0 THEN 'ends before it starts'
            WHEN run_raw > {LONGEST_S * NS} THEN 'implausible duration'
            END AS reason
        FROM parsed""")
    session.run("DROP TABLE staged")


def _in_use(session: Session, rows: Sorted, arrivals: Arrivals) -> LoadSeries:
    """Accelerator-seconds in use per bin of the arrivals' series, within the window."""
    width_ns, origin_ns = int(arrivals.load.width_s * NS), int(arrivals.load.origin_s * NS)
    first, last = (rows.first_ns - origin_ns) // width_ns, (rows.last_ns - origin_ns) // width_ns
    # Clipping to the window keeps the series as long as the window, however long the last job runs.
    clipped = f"greatest(least({{}}, {rows.last_ns}), {rows.first_ns})"
    begin, finish = clipped.format("start_ns"), clipped.format("start_ns + run_ns")
    events = session.rows(f"""
        WITH events AS (
            SELECT {begin} AS ns, gpus AS step FROM used UNION ALL
            SELECT {finish}, -gpus FROM used)
        SELECT (ns - {origin_ns}) // {width_ns} AS bin, sum(step),
            sum(step * (({width_ns} - (ns - {origin_ns}) % {width_ns}) / 1e9))
        FROM events GROUP BY bin ORDER BY bin""")
    steps, partial = np.zeros(last - first + 1), np.zeros(last - first + 1)
    for at, step, seconds in events:
        steps[int(at) - first], partial[int(at) - first] = float(step), float(seconds)
    carried = np.concatenate(([0.0], np.cumsum(steps)[:-1]))
    in_use = np.maximum(carried * arrivals.load.width_s + partial, 0.0)
    return replace(arrivals.load, amounts=tuple((first + at, float(used)) for at, used in enumerate(in_use)))


def _tenants(session: Session, layout: Layout) -> int | None:
    """Distinct tenants."""
    if "tenant" not in layout.columns:
        return None
    return int(session.row("SELECT count(DISTINCT tenant_) FROM used")[0])
