"""When things arrived, from nanoseconds in the staging database: order, gaps, burstiness by hour, load per
bin.

Sorting and grouping run out of core in DuckDB; what leaves it is one row per hour or minute. Quantiles come
from the exact histogram of distinct values (the smallest value at or below which the asked share lies), not
from a sketch.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from tripoint.adapters.demand_files.session import Session
from tripoint.domain.demand import Distribution
from tripoint.domain.errors import OptionError
from tripoint.domain.units import SECONDS_PER_HOUR, SECONDS_PER_MINUTE
from tripoint.engines.sizing.demand.trace import Arrivals, LoadSeries, Spell, load_bin_s

NS = 1_000_000_000
JUMP_S = 60.0
"""A step back in file order of more than this is a clock jump; less is normal interleaving of writers."""
GAP_S = 600.0
"""A silence longer than this (and than 100 mean inter-arrival times) is told."""
STRAY_SHARE = 0.001
COARSE_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """Arrivals in table `arrivals(ns, gap)`, ascending."""

    count: int
    """How many."""
    first_ns: int
    """First arrival."""
    last_ns: int
    """Last arrival."""
    strays: int
    """Arrivals set aside as far from all others."""
    notes: tuple[str, ...]
    """What was odd about the times."""


def sort_arrivals(session: Session, query: str) -> Sorted:
    """Create table `arrivals` from a query of `ns`; raises `OptionError` when no time passes."""
    session.run(f"CREATE TABLE ordered AS SELECT ns FROM ({query}) ORDER BY ns")
    session.run("CREATE TABLE arrivals AS SELECT ns, ns - lag(ns) OVER () AS gap FROM ordered")
    session.run("DROP TABLE ordered")
    strays = _drop_strays(session)
    count, first, last, distinct, tick = session.row(
        "SELECT count(*), min(ns), max(ns), count(DISTINCT ns), min(gap) FILTER (gap > 0) FROM arrivals"
    )
    if first == last:
        raise OptionError(
            f"all {count:,} rows carry the same timestamp, so there is no rate to tell",
            hint="map the column of arrival times with `--map timestamp=COLUMN`",
        )
    notes = [f"{strays:,} rows lie further from the others than these span together: dropped as stray timestamps"]
    notes = notes if strays else []
    if distinct < COARSE_SHARE * count:
        notes.append(
            f"timestamps fall on {distinct:,} distinct values at least {tick / NS:g} s apart: burstiness "
            "below that is not seen and the coefficient of variation is inflated"
        )
    return Sorted(count=count, first_ns=first, last_ns=last, strays=strays, notes=tuple(notes))


def arrivals_of(session: Session, rows: Sorted, has_calendar: bool) -> Arrivals:
    """Arrivals of table `arrivals`, every row counting one."""
    width_s = load_bin_s((rows.last_ns - rows.first_ns) / NS)
    origin_ns = rows.first_ns if width_s < SECONDS_PER_HOUR else 0
    bins = f"(ns - {origin_ns}) // {int(width_s * NS)}"
    amounts = session.rows(f"SELECT {bins} AS bin, count(*) FROM arrivals GROUP BY bin ORDER BY bin")
    load = LoadSeries(
        width_s=width_s,
        origin_s=origin_ns / NS,
        amounts=tuple((int(at), float(count)) for at, count in amounts),
    )
    return Arrivals(
        amount=float(rows.count),
        first_s=rows.first_ns / NS,
        last_s=rows.last_ns / NS,
        has_calendar=has_calendar,
        peak_per_s=_peak(session, rows),
        spells=_spells(session, rows),
        load=load,
    )


def note_order(session: Session, source: str) -> tuple[str, ...]:
    """Rows earlier than the one before them in the file; `source` has `ns` in file order."""
    late, jumps, furthest = session.row(f"""
        SELECT count(*) FILTER (step < 0), count(*) FILTER (step < {int(-JUMP_S * NS)}), min(step)
        FROM (SELECT ns - lag(ns) OVER () AS step FROM {source})""")
    if not late:
        return ()
    clock = f", {jumps:,} of them by more than {JUMP_S:g} s (clock jumps, or merged logs)" if jumps else ""
    rows = "row is" if late == 1 else "rows are"
    return (
        f"{late:,} {rows} earlier than the row before{clock}, by up to {span(-furthest / NS)}: "
        "sorted by time, none dropped",
    )


def note_gaps(session: Session, rows: Sorted, has_calendar: bool) -> tuple[str, ...]:
    """Silences long enough to be an outage of the log; they count as quiet time."""
    window_s = (rows.last_ns - rows.first_ns) / NS
    limit_s = max(GAP_S, 100 * window_s / rows.count)
    gaps, total, longest, after = session.row(
        f"SELECT count(*), sum(gap), max(gap), arg_max(ns, gap) FROM arrivals WHERE gap > {int(limit_s * NS)}"
    )
    if not gaps:
        return ()
    silent_s = float(total) / NS
    start = moment((int(after) - int(longest)) / NS, rows, has_calendar)
    rate = rows.count / max(window_s - silent_s, 1e-9)
    return (
        f"{gaps:,} gap{'s' if gaps > 1 else ''} longer than {span(limit_s)}, {span(silent_s)} in all, "
        f"the longest {span(float(longest) / NS)} from {start}: counted as quiet time "
        f"(outside, the rate is {rate:.3g} per s)",
    )


def quantiles(session: Session, query: str) -> Distribution:
    """Exact weighted mean and quantiles of a query of `value, weight`."""
    mean, p50, p95, p99 = session.row(f"""
        WITH histogram AS (SELECT value, sum(weight)::DOUBLE AS weight FROM ({query}) GROUP BY value),
        ranked AS (SELECT value, weight, sum(weight) OVER (ORDER BY value) AS below FROM histogram),
        whole AS (SELECT sum(weight) AS total FROM histogram)
        SELECT sum(value * weight) / any_value(total),
            min(value) FILTER (below >= 0.50 * total * (1 - 1e-12)),
            min(value) FILTER (below >= 0.95 * total * (1 - 1e-12)),
            min(value) FILTER (below >= 0.99 * total * (1 - 1e-12))
        FROM ranked, whole""")
    return Distribution(mean=float(mean), p50=float(p50), p95=float(p95), p99=float(p99))


def span(seconds: float) -> str:
    """A length of time in the unit a person would use."""
    for limit, size, unit in ((120.0, 1.0, "s"), (7200.0, 60.0, "min"), (172_800.0, SECONDS_PER_HOUR, "h")):
        if seconds < limit:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 86_400:.1f} days"


def moment(seconds: float, rows: Sorted, has_calendar: bool) -> str:
    """An instant in UTC, or its distance from the start of a trace without a calendar."""
    if has_calendar:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{span(seconds - rows.first_ns / NS)} after the start"


def _drop_strays(session: Session) -> int:
    """Set aside a handful of rows before or after a silence longer than everything else together."""
    dropped = 0
    for _ in range(4):
        count, window, longest, after = session.row(
            "SELECT count(*), max(ns) - min(ns), max(gap), arg_max(ns, gap) FROM arrivals"
        )
        if not longest or longest < 86_400 * NS or longest < window / 2:
            break
        before = int(session.row(f"SELECT count(*) FROM arrivals WHERE ns < {after}")[0])
        few = min(before, count - before)
        if few > STRAY_SHARE * count:
            break
        session.run(f"DELETE FROM arrivals WHERE ns {'<' if before == few else '>='} {after}")
        session.run(f"UPDATE arrivals SET gap = NULL WHERE ns = {after} AND gap = {longest}")
        dropped += few
    return dropped


def _peak(session: Session, rows: Sorted) -> float:
    """Rate of the busiest minute, minutes counted from the first arrival."""
    window_s = (rows.last_ns - rows.first_ns) / NS
    minutes = f"(ns - {rows.first_ns}) // {int(SECONDS_PER_MINUTE * NS)}"
    (most,) = session.row(f"SELECT max(n) FROM (SELECT count(*) AS n FROM arrivals GROUP BY {minutes})")
    return float(most) / min(SECONDS_PER_MINUTE, window_s)


def _spells(session: Session, rows: Sorted) -> tuple[Spell, ...]:
    """Burstiness of each hour from the first arrival; a log of an hour is one spell."""
    hours = session.rows(f"""
        SELECT count(gap), stddev_samp(gap) / avg(gap) FROM arrivals
        WHERE gap IS NOT NULL GROUP BY (ns - {rows.first_ns}) // {int(SECONDS_PER_HOUR * NS)}
        HAVING avg(gap) > 0 ORDER BY min(ns)""")
    return tuple(Spell(weight=float(count), cv=float(cv)) for count, cv in hours if cv is not None)
