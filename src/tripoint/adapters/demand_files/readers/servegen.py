"""Aggregates ServeGen client windows and the token distributions published beside them.

Each row is one client in one window: its rate and the coefficient of variation of its inter-arrival times.
Clients add up: rates sum, and the squared coefficients combine weighted by rate (asymptotic superposition of
renewal processes). Token distributions are given per client and longer window; they are mixed with the
client's rate in that window, so a busy client counts for as many requests as it sends.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tripoint.adapters.demand_files.arrivals import quantiles, span
from tripoint.adapters.demand_files.columns import SERVEGEN_TOKENS
from tripoint.adapters.demand_files.formats import inspect
from tripoint.adapters.demand_files.session import Session
from tripoint.adapters.demand_files.staging import Staged, column_names, stage
from tripoint.domain.demand import Distribution
from tripoint.domain.errors import OptionError
from tripoint.engines.sizing.demand.trace import Arrivals, LoadSeries, RequestTrace, Spell, TraceHeader, load_bin_s

WINDOW_ROLES = {"client": "client_id", "window": "window_start_s", "rate": "rate_rps", "cv": "iat_cv"}
TOKEN_ROLES = {name: name for name in SERVEGEN_TOKENS}
FULL_COVERAGE = 0.995


def aggregate_windows(
    session: Session, staged: Staged, header: TraceHeader, companion: Path | None, starts_s: float | None
) -> RequestTrace:
    """Trace of the client windows in table `staged`; `starts_s` is when it began, seconds since 1970."""
    dropped = _judge(session, staged)
    width_s, windows = _windows(session)
    tokens, notes = _tokens(session, companion)
    rows, clients = session.row("SELECT count(*), count(DISTINCT client) FILTER (rate > 0) FROM windows")
    arrivals = _arrivals(session, width_s, starts_s)
    return RequestTrace(
        header=replace(
            header,
            rows=int(rows),
            dropped=dropped,
            notes=(
                *header.notes,
                f"rows are windows of {span(width_s)} per client: rates are summed over clients, the peak "
                "is the busiest window, burstiness is the rate-weighted superposition of the clients' own "
                "coefficients of variation",
                *_gap_note(windows, width_s, arrivals),
                *_largest(session, int(clients)),
                *notes,
            ),
        ),
        arrivals=arrivals,
        input_tokens=tokens.get("input_tokens"),
        output_tokens=tokens.get("output_tokens"),
        tenants=int(clients),
    )


def companion_of(path: Path, named: str | None) -> Path | None:
    """File of the token distributions: the one named, else the sibling whose name says so, if it is there."""
    if named is not None:
        return Path(named)
    for part, other in (("client_windows", "token_pdfs"), ("windows", "token_pdfs")):
        sibling = path.with_name(path.name.replace(part, other))
        if sibling != path and sibling.exists():
            return sibling
    return None


def _judge(session: Session, staged: Staged) -> dict[str, int]:
    """Table `windows`: one row per client and window; counts what was set aside."""
    session.run("""
        CREATE TABLE judged AS SELECT row, client_ AS client, TRY_CAST(window_ AS DOUBLE) AS start_s,
            TRY_CAST(rate_ AS DOUBLE) AS rate, TRY_CAST(cv_ AS DOUBLE) AS cv FROM staged""")
    sound = (
        "client IS NOT NULL AND start_s >= 0 AND isfinite(start_s) AND rate >= 0 AND isfinite(rate) "
        "AND (rate = 0 OR (cv >= 0 AND isfinite(cv)))"
    )
    session.run(
        f"CREATE TABLE windows AS SELECT client, start_s, arg_min(rate, row) AS rate, arg_min(cv, row) AS cv "
        f"FROM judged WHERE {sound} GROUP BY client, start_s"
    )
    read, good, kept, load = session.row(
        f"SELECT (SELECT count(*) FROM judged), (SELECT count(*) FROM judged WHERE {sound}), "
        "count(*), sum(rate) FROM windows"
    )
    dropped = {
        "malformed row": staged.malformed,
        "bad window, rate or burstiness": read - good,
        "second row of a client's window": good - kept,
    }
    if not load:
        told = ", ".join(f"{count:,} for {reason}" for reason, count in dropped.items() if count) or "none dropped"
        raise OptionError(
            f"no client sends any request; rows dropped: {told}",
            hint="check that `rate_rps` holds requests per second",
        )
    return {reason: int(count) for reason, count in dropped.items() if count}


def _windows(session: Session) -> tuple[float, int]:
    """Width of a window (the least distance of two starts) and how many distinct ones there are."""
    width, count = session.row("""
        SELECT min(step), count(*) FROM (
            SELECT start_s - lag(start_s) OVER (ORDER BY start_s) AS step
            FROM (SELECT DISTINCT start_s FROM windows))""")
    if width is None:
        raise OptionError(
            "all rows belong to one window, whose length is unknown",
            hint="name a file with at least two windows",
        )
    return float(width), int(count)


def _arrivals(session: Session, width_s: float, starts_s: float | None) -> Arrivals:
    """Summed load, with each window's burstiness as one spell."""
    origin_s = starts_s or 0.0
    first, last, amount, peak = session.row(f"""
        SELECT min(start_s), max(start_s) + {width_s}, sum(rate) * {width_s},
            (SELECT max(total) FROM (SELECT sum(rate) AS total FROM windows GROUP BY start_s))
        FROM windows""")
    bin_s = max(load_bin_s(float(last) - float(first)), width_s)
    spells = session.rows(f"""
        SELECT sum(rate) * {width_s}, sqrt(sum(rate * cv * cv) / sum(rate)) FROM windows
        WHERE rate > 0 GROUP BY start_s ORDER BY start_s""")
    amounts = session.rows(f"""
        SELECT CAST(floor((start_s + {origin_s}) / {bin_s}) AS BIGINT) AS bin, sum(rate) * {width_s}
        FROM windows GROUP BY bin ORDER BY bin""")
    return Arrivals(
        amount=float(amount),
        first_s=origin_s + float(first),
        last_s=origin_s + float(last),
        has_calendar=starts_s is not None,
        peak_per_s=float(peak),
        spells=tuple(Spell(weight=float(weight), cv=float(cv)) for weight, cv in spells),
        load=LoadSeries(width_s=bin_s, origin_s=0.0, amounts=tuple((int(at), float(load)) for at, load in amounts)),
    )


def _tokens(session: Session, companion: Path | None) -> tuple[dict[str, Distribution], tuple[str, ...]]:
    """Token distributions by field, mixed by rate, and how much of the traffic they cover."""
    if companion is None:
        return {}, ("no file of token distributions found beside it (`..._token_pdfs`): token counts are unknown",)
    file = inspect(str(companion))
    names = column_names(session, file)
    missing = [name for name in SERVEGEN_TOKENS if name not in names]
    if missing:
        raise OptionError(
            f"`{companion.name}` has no column `{missing[0]}`, so it holds no token distributions",
            hint=f"its columns: {', '.join(names[:12])}",
        )
    session.run("DROP TABLE staged")
    stage(session, file, TOKEN_ROLES)
    _mix(session)
    found = {
        field: quantiles(session, f"SELECT value, weight FROM mixed WHERE field = '{field}'")
        for (field,) in session.rows(
            "SELECT DISTINCT field FROM mixed WHERE field IN ('input_tokens', 'output_tokens')"
        )
    }
    (covered,) = session.row("""
        SELECT coalesce((SELECT sum(weight) FROM mixed WHERE field = 'input_tokens'), 0) / sum(rate)
        FROM loads""")
    notes = [f"token counts are from `{companion.name}`, weighted by requests{_plain_means(session)}"]
    if covered < FULL_COVERAGE:
        notes.append(
            f"token counts are known for {100 * covered:.0f} % of the requests; the rest are taken to be alike"
        )
    return found, tuple(notes)


def _mix(session: Session) -> None:
    """Tables `mixed(field, value, weight)`, probabilities times the client's load, and `loads`."""
    session.run("""
        CREATE TABLE pdfs AS SELECT client_id_ AS client, TRY_CAST(window_start_s_ AS DOUBLE) AS start_s,
            field_ AS field, TRY_CAST(value_ AS DOUBLE) AS value, TRY_CAST(prob_ AS DOUBLE) AS prob
        FROM staged WHERE TRY_CAST(prob_ AS DOUBLE) > 0 AND TRY_CAST(value_ AS DOUBLE) >= 0""")
    (width,) = session.row("""
        SELECT coalesce(min(step), 1e12) FROM (
            SELECT start_s - lag(start_s) OVER (ORDER BY start_s) AS step
            FROM (SELECT DISTINCT start_s FROM pdfs))""")
    session.run(f"""
        CREATE TABLE loads AS SELECT client, floor(start_s / {width}) * {width} AS start_s, sum(rate) AS rate
        FROM windows GROUP BY ALL""")
    session.run("""
        CREATE TABLE mixed AS
        WITH scaled AS (
            SELECT *, prob / sum(prob) OVER (PARTITION BY client, start_s, field) AS share FROM pdfs)
        SELECT field, value, sum(share * rate) AS weight FROM scaled JOIN loads USING (client, start_s)
        GROUP BY field, value HAVING sum(share * rate) > 0""")


def _plain_means(session: Session) -> str:
    """Means with every client window counting alike, as the publishers quote them."""
    means: dict[str, float] = dict(
        session.rows("""
        SELECT field, avg(mean) FROM (
            SELECT field, sum(value * prob) / sum(prob) AS mean FROM pdfs GROUP BY field, client, start_s)
        GROUP BY field""")
    )
    if not {"input_tokens", "output_tokens"} <= set(means):
        return ""
    return (
        f" (with every client window counting alike the means would be {means['input_tokens']:,.0f} in and "
        f"{means['output_tokens']:,.0f} out)"
    )


def _gap_note(windows: int, width_s: float, arrivals: Arrivals) -> tuple[str, ...]:
    """Windows the file lacks altogether."""
    lacking = round(arrivals.window_s / width_s) - windows
    return (f"{lacking:,} windows are absent: counted as quiet time",) if lacking > 0 else ()


def _largest(session: Session, clients: int) -> tuple[str, ...]:
    """Share of the busiest client."""
    (share,) = session.row("SELECT max(load) / sum(load) FROM (SELECT sum(rate) AS load FROM windows GROUP BY client)")
    return (f"the largest of {clients:,} clients sends {100 * share:.0f} % of the requests",)
