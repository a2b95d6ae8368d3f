"""Aggregates a staged request log: which rows count, when they arrived, how many tokens they carried.

A row is dropped for one reason only, the first that holds: bad timestamp, missing, non-numeric, negative or
implausible tokens, exact duplicate, stray timestamp. Rows out of order are sorted, never dropped.
"""

from __future__ import annotations

from tripoint.adapters.demand_files.arrivals import (
    arrivals_of,
    note_gaps,
    note_order,
    quantiles,
    sort_arrivals,
)
from tripoint.adapters.demand_files.clocks import Clock, read_clock
from tripoint.adapters.demand_files.columns import Layout
from tripoint.adapters.demand_files.session import Session
from tripoint.adapters.demand_files.staging import Staged, dropped_rows
from tripoint.engines.sizing.demand.trace import RequestTrace, TraceHeader

MOST_TOKENS = 100_000_000
"""A request above this is a mistake of the log, not a request."""
DUPLICATE_RESOLUTION_SHARE = 0.5
SECOND_NS = 1_000_000_000


def aggregate_requests(
    session: Session, layout: Layout, staged: Staged, header: TraceHeader, clock: Clock
) -> RequestTrace:
    """Trace of the requests in table `staged`; `header` names it and may set its calendar."""
    _judge(session, layout, clock)
    dropped = {"malformed row": staged.malformed, **dropped_rows(session, "judged", "row")}
    order = note_order(session, "judged WHERE reason IS NULL")
    dropped["duplicate row"], note = _set_duplicates_aside(session)
    rows = sort_arrivals(session, "SELECT ns FROM originals")
    dropped["stray timestamp"] = rows.strays
    session.run(f"CREATE VIEW used AS SELECT * FROM originals WHERE ns BETWEEN {rows.first_ns} AND {rows.last_ns}")
    dropped = {reason: count for reason, count in dropped.items() if count}
    tenants, tenant_note = _tenants(session, layout, rows.count)
    total, repeated = _blocks(session, layout)
    notes = (
        *layout.notes,
        clock.note,
        *staged.notes,
        *_loss_note(dropped, rows.count),
        *order,
        *note,
        *rows.notes,
        *note_gaps(session, rows, clock.has_calendar),
        *tenant_note,
    )
    return RequestTrace(
        header=TraceHeader(
            name=header.name,
            source=header.source,
            rows=rows.count,
            dropped=dropped,
            notes=(*header.notes, *notes),
        ),
        arrivals=arrivals_of(session, rows, clock.has_calendar),
        input_tokens=quantiles(session, "SELECT input AS value, 1 AS weight FROM used"),
        output_tokens=quantiles(session, "SELECT output AS value, 1 AS weight FROM used"),
        prefix_blocks=total,
        repeated_blocks=repeated,
        tenants=tenants,
    )


def request_clock(session: Session, layout: Layout, unit: str | None) -> Clock:
    """Clock of the arrivals."""
    return read_clock(session, "staged", "timestamp_", layout.columns["timestamp"], unit or layout.unit)


def _judge(session: Session, layout: Layout, clock: Clock) -> None:
    """Table `judged`: parsed values and the reason a row is set aside, if any."""
    extra = "".join(f", {role}_ AS {role}" for role in ("tenant", "blocks") if role in layout.columns)
    session.run(f"""
        CREATE TABLE judged AS
        WITH parsed AS (
            SELECT row, twin, {clock.sql} AS ns, input_, output_,
                TRY_CAST(input_ AS DOUBLE) AS input, TRY_CAST(output_ AS DOUBLE) AS output {extra}
            FROM staged WHERE twin IS NOT NULL)
        SELECT * EXCLUDE (input_, output_), CASE
            WHEN ns IS NULL THEN 'bad timestamp'
            WHEN input_ IS NULL OR output_ IS NULL THEN 'missing tokens'
            WHEN input IS NULL OR output IS NULL OR isnan(input) OR isnan(output) THEN 'non-numeric tokens'
            WHEN input < 0 OR output < 0 THEN 'negative tokens'
            WHEN input > {MOST_TOKENS} OR output > {MOST_TOKENS} THEN 'implausible tokens'
            END AS reason
        FROM parsed""")
    session.run("DROP TABLE staged")


def _set_duplicates_aside(session: Session) -> tuple[int, tuple[str, ...]]:
    """Create `originals`: good rows less those identical in every column to an earlier one.

    Rows can only be told to be duplicates where the clock is finer than a second; else they are kept, and told.
    """
    session.run("CREATE VIEW originals AS SELECT * FROM judged WHERE reason IS NULL")
    session.run("""
        CREATE TABLE twins AS SELECT twin, ns, min(row) AS first_row, count(*) AS copies FROM originals
        GROUP BY twin, ns HAVING count(*) > 1""")
    copies = int(session.row("SELECT coalesce(sum(copies - 1), 0) FROM twins")[0])
    if not copies:
        return 0, ()
    fine = float(session.row(f"SELECT avg((ns % {SECOND_NS} <> 0)::INT) FROM originals")[0])
    if fine < DUPLICATE_RESOLUTION_SHARE:
        told = f"{copies:,} rows are identical in every column, but the clock ticks in whole seconds: "
        return 0, (told + "they were kept as separate requests",)
    session.run("DROP VIEW originals")
    # A join written to a new table spills to disk; an UPDATE of as many rows would be held in memory.
    session.run("""
        CREATE TABLE originals AS SELECT judged.* FROM judged LEFT JOIN twins USING (twin, ns)
        WHERE reason IS NULL AND (first_row IS NULL OR row = first_row)""")
    return copies, ()


def _loss_note(dropped: dict[str, int], kept: int) -> tuple[str, ...]:
    """A sentence when so much was dropped that the rate is in doubt."""
    lost = sum(dropped.values())
    if lost <= 0.05 * (lost + kept):
        return ()
    return (
        f"{100 * lost / (lost + kept):.1f} % of the rows were dropped: the true rate is higher if they were requests",
    )


def _tenants(session: Session, layout: Layout, rows: int) -> tuple[int | None, tuple[str, ...]]:
    """Distinct tenants, and how much of the traffic the largest one sends."""
    if "tenant" not in layout.columns:
        return None, ()
    count, most = session.row("""
        SELECT count(*) FILTER (tenant IS NOT NULL), max(requests) FROM (
            SELECT tenant, count(*) AS requests FROM used GROUP BY tenant)""")
    return int(count), (f"the largest of {int(count):,} tenants sends {100 * int(most) / rows:.1f} % of the requests",)


def _blocks(session: Session, layout: Layout) -> tuple[int, int]:
    """Prefix blocks asked for, and those asked for before: all but the first sight of each id (an infinite
    cache).
    """
    if "blocks" not in layout.columns:
        return 0, 0
    total, distinct = session.row("""
        SELECT count(block), count(DISTINCT block) FROM (
            SELECT unnest(TRY_CAST(blocks AS BIGINT[])) AS block FROM used)""")
    return int(total), int(total) - int(distinct)
