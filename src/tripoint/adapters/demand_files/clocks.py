"""Timestamps to nanoseconds, with the unit found out and said, never guessed.

A numeric clock is absolute when nearly all of its values fall between the years 2000 and 2100 in one of s,
ms, us or ns (the four ranges do not overlap); otherwise it counts from some start, and its unit must come
from the layout, the column's name or the caller. Text is ISO 8601 with up to nine decimals (the 100 ns ticks
of .NET logs have seven), with or without an offset; without one it is read as UTC.
"""

from __future__ import annotations

from dataclasses import dataclass

from tripoint.adapters.demand_files.columns import unit_in_name
from tripoint.adapters.demand_files.session import Session
from tripoint.domain.errors import OptionError

NS_PER_UNIT = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
UNIT_NAMES = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
YEAR_2000_S = 946_684_800
YEAR_2100_S = 4_102_444_800
CENTURY_S = 3_155_760_000
ABSOLUTE_SHARE = 0.95
MINORITY_SHARE = 0.2
ZONE = r"(:\d\d(?:\.\d+)?)\s*([+-])(\d\d):?(\d\d)?$"
"""An offset after a time of day: `+02:00`, `-0530`, `+00`."""
EXACT = "DECIMAL(28, 9)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """How one column tells the time."""

    sql: str
    """Expression over the staged column that gives nanoseconds (BIGINT), NULL for what is no time."""
    has_calendar: bool
    """Whether nanoseconds count from 1970 UTC."""
    note: str
    """What was detected, for the profile."""


def read_clock(session: Session, table: str, column: str, name: str, unit: str | None) -> Clock:
    """Clock of a staged column that the file calls `name`; `unit` is what the caller or the layout says."""
    kind = str(session.row(f"SELECT any_value(typeof({column})) FROM {table}")[0] or "VARCHAR")
    if kind.startswith(("TIMESTAMP", "DATE")):
        typed = f"epoch_us({column}) * 1000" if "ZONE" in kind else f"epoch_ns(TRY_CAST({column} AS TIMESTAMP_NS))"
        return Clock(
            sql=_in_range(typed),
            has_calendar=True,
            note=f"timestamps of `{name}` are {'zoned' if 'ZONE' in kind else 'without a zone: read as UTC'}",
        )
    # No number holds a colon; failing to cast every ISO text to a number took a fifth of a whole fit.
    number = f"CASE WHEN NOT contains({column}, ':') THEN {column} END" if kind == "VARCHAR" else column
    numbers, texts, filled = session.row(
        f"SELECT count(TRY_CAST({number} AS {EXACT})), "
        f"count(TRY_CAST(TRY_CAST({column} AS VARCHAR) AS TIMESTAMP_NS)), count({column}) FROM {table}"
    )
    if numbers + texts == 0:
        example = session.row(f"SELECT any_value({column}) FROM {table}")[0]
        shown = f", such as `{str(example)[:60]}`," if example is not None else ""
        raise OptionError(
            f"no value of `{name}`{shown} is a timestamp ({filled:,} filled)",
            hint="write ISO 8601 (`2026-01-31T18:15:46.68Z`) or numbers, or map another column",
        )
    if min(numbers, texts) > MINORITY_SHARE * (numbers + texts):
        raise OptionError(
            f"`{name}` mixes {numbers:,} numbers with {texts:,} ISO timestamps",
            hint="write all timestamps in one form",
        )
    if texts > numbers:
        return _text_clock(session, table, column, name)
    return _number_clock(session, table, column, name, unit)


def _text_clock(session: Session, table: str, column: str, name: str) -> Clock:
    """ISO 8601; DuckDB's zoned type stops at microseconds, so offsets are cut off and subtracted here."""
    zoned, zulu, decimals = session.row(
        f"SELECT count(*) FILTER (regexp_matches({column}, '{ZONE}')), "
        f"count(*) FILTER (regexp_matches({column}, '(Z|UTC|GMT)$')), "
        f"max(length(regexp_extract({column}, '\\.(\\d+)', 1))) FROM {table}"
    )
    plain = f"epoch_ns(TRY_CAST({column} AS TIMESTAMP_NS))"
    if zoned:
        part = "TRY_CAST(regexp_extract({column}, '{zone}', {group}) AS BIGINT)"
        hours, minutes = (part.format(column=column, zone=ZONE, group=group) for group in (3, 4))
        sign = f"CASE WHEN regexp_extract({column}, '{ZONE}', 2) = '-' THEN -1 ELSE 1 END"
        seconds = f"{sign} * (coalesce({hours}, 0) * 3600 + coalesce({minutes}, 0) * 60)"
        bare = f"regexp_replace({column}, '{ZONE}', '\\1')"
        plain = f"(epoch_ns(TRY_CAST({bare} AS TIMESTAMP_NS)) - ({seconds}) * 1000000000)"
    zone = "with offsets" if zoned else "in UTC" if zulu else "without a zone: read as UTC"
    return Clock(
        sql=_in_range(plain),
        has_calendar=True,
        note=f"timestamps of `{name}` are ISO 8601 with {decimals or 0} decimals, {zone}",
    )


def _number_clock(session: Session, table: str, column: str, name: str, unit: str | None) -> Clock:
    """Numbers since 1970, or since a start."""
    value = f"TRY_CAST({column} AS {EXACT})"
    absolute = _absolute_unit(session, table, value)
    unit_known = unit or unit_in_name(name)
    if absolute and unit in (None, absolute):
        scaled = _scaled(value, absolute, YEAR_2000_S, YEAR_2100_S)
        return Clock(
            sql=scaled,
            has_calendar=True,
            note=f"timestamps of `{name}` are {UNIT_NAMES[absolute]} since 1970",
        )
    if unit_known is None:
        low, high = session.row(f"SELECT min({value}), max({value}) FROM {table}")
        raise OptionError(
            f"`{name}` runs from {_plain(low)} to {_plain(high)}, which does not tell its unit",
            hint="say it with `--unit s`, `ms`, `us` or `ns`",
        )
    said = "by its name" if unit is None else "as its layout or the caller says"
    return Clock(
        sql=_scaled(value, unit_known, 0, CENTURY_S),
        has_calendar=False,
        note=f"timestamps of `{name}` are {UNIT_NAMES[unit_known]} since the start, {said}",
    )


def _absolute_unit(session: Session, table: str, value: str) -> str | None:
    """The unit in which nearly all values are years 2000 to 2100."""
    counts = ", ".join(
        f"count(*) FILTER ({value} >= {YEAR_2000_S * 10**power} AND {value} < {YEAR_2100_S * 10**power})"
        for power in (0, 3, 6, 9)
    )
    *by_unit, numbers = session.row(f"SELECT {counts}, count({value}) FROM {table}")
    most = max(range(4), key=lambda at: int(by_unit[at]))
    return tuple(NS_PER_UNIT)[most] if by_unit[most] >= ABSOLUTE_SHARE * numbers else None


def _scaled(value: str, unit: str, low_s: int, high_s: int) -> str:
    """Nanoseconds of a number in range, else NULL; decimal arithmetic keeps every digit."""
    per_s = 1_000_000_000 // NS_PER_UNIT[unit]
    inside = f"{value} >= {low_s * per_s} AND {value} < {high_s * per_s}"
    return f"CASE WHEN {inside} THEN CAST({value} * CAST({NS_PER_UNIT[unit]} AS DECIMAL(10, 0)) AS BIGINT) END"


def _in_range(nanoseconds: str) -> str:
    """Years 2000 to 2100; a zero date is a missing one."""
    low, high = YEAR_2000_S * 1_000_000_000, YEAR_2100_S * 1_000_000_000
    return f"CASE WHEN {nanoseconds} >= {low} AND {nanoseconds} < {high} THEN {nanoseconds} END"


def _plain(number: object) -> str:
    """A decimal without its trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
