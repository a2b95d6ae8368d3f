"""Do months, horizon and currency fit together?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tripoint.domain.errors import Finding
from tripoint.domain.estate import Estate
from tripoint.domain.findings import clip, finding

_MONTH = re.compile(r"(19|20|21)\d{2}-(0[1-9]|1[0-2])\Z")


def is_month(text: str) -> bool:
    """True for `YYYY-MM`."""
    return bool(_MONTH.match(text))


def check_times(estate: Estate) -> Iterator[Finding]:
    """Months that are none, horizons of part periods, promises that ended, a currency without a rate."""
    horizon = estate.horizon
    yield from _month("horizon.start", horizon.start)
    if horizon.months >= 1 and horizon.period_months >= 1 and horizon.months % horizon.period_months:
        below = horizon.months - horizon.months % horizon.period_months
        message = f"{horizon.months} months are not whole periods of {horizon.period_months} months"
        hint = f"use {below or horizon.period_months} or {below + horizon.period_months} months"
        yield finding("TP1306", "horizon.months", message, hint)
    yield from _pool_months(estate)
    finance = estate.finance
    if finance.currency.upper() != "USD" and finance.usd_per_unit == 1.0:
        message = f"figures are shown in {clip(finance.currency)} at 1 USD each, as no rate is declared"
        yield finding("TP1311", "finance.currency", message, "declare `finance.usd_per_unit`")


def _pool_months(estate: Estate) -> Iterator[Finding]:
    for index, site in enumerate(estate.sites):
        for place, pool in enumerate(site.pools or ()):
            path = f"sites[{index}].pools[{place}]"
            if pool.held_until is not None:
                yield from _month(f"{path}.held_until", pool.held_until)
            for number, commitment in enumerate(pool.commitments):
                yield from _ends(f"{path}.commitments[{number}].ends", commitment.ends, estate.horizon.start)


def _month(path: str, text: str) -> Iterator[Finding]:
    if not is_month(text):
        hint = f"write `{text[:7]}`" if is_month(text[:7]) else "for example `2027-01`"
        yield finding("TP1305", path, f"`{clip(text)}` is not a month, expects `YYYY-MM`", hint)


def _ends(path: str, ends: str, start: str) -> Iterator[Finding]:
    yield from _month(path, ends)
    if is_month(ends) and is_month(start) and ends < start:
        message = f"the commitment ends in {ends}, before the plan starts in {start}"
        yield finding("TP1308", path, message, "remove it, or correct its end")
