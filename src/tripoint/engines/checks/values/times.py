"""Do months, horizon and currency fit together?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import MappingProxyType

from tripoint.domain.errors import Finding
from tripoint.domain.estate import Estate, Horizon
from tripoint.domain.findings import clip, finding

_MONTH = re.compile(r"(19|20|21)\d{2}-(0[1-9]|1[0-2])\Z")
_YEAR = re.compile(r"(19|20|21)\d{2}\Z")
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
_CURRENCIES = MappingProxyType(
    {
        **dict.fromkeys(("euro", "euros", "€"), "EUR"),
        **dict.fromkeys(("dollar", "dollars", "us dollar", "$", "us$"), "USD"),
        **dict.fromkeys(("pound", "pounds", "sterling", "£"), "GBP"),
        **dict.fromkeys(("franc", "francs", "sfr", "sfr."), "CHF"),
        **dict.fromkeys(("yen", "¥"), "JPY"),
    }
)
"""What people write for a currency, and its code."""


def is_month(text: str) -> bool:
    """True for `YYYY-MM`."""
    return bool(_MONTH.match(text))


def january(year: str) -> str:
    """First month of a year; of an example year where it is none."""
    return f"{year if _YEAR.match(year) else '2027'}-01"


def check_times(estate: Estate) -> Iterator[Finding]:
    """Months that are none, horizons of part periods, promises that ended, a currency without code or rate."""
    yield from _month("horizon.start", estate.horizon.start)
    yield from _whole_periods(estate.horizon)
    yield from _pool_months(estate)
    yield from _test_months(estate)
    yield from _currency(estate)


def _whole_periods(horizon: Horizon) -> Iterator[Finding]:
    """The horizon, and reviews within it, are whole periods long."""
    period = horizon.period_months
    if period >= 1 and horizon.months >= 1 and horizon.months % period:
        message = f"{horizon.months} months are not whole periods of {period} months"
        yield finding("TP1306", "horizon.months", message, f"use {_multiples(horizon.months, period)} months")
    if period >= 1 and 1 <= horizon.review_months < horizon.months and horizon.review_months % period:
        message = f"reviews every {horizon.review_months} months are not whole periods of {period} months"
        hint = f"use {_multiples(horizon.review_months, period)} months"
        yield finding("TP1306", "horizon.review_months", message, hint)


def _multiples(months: int, period: int) -> str:
    """The multiples of a period on both sides of a length."""
    below = months - months % period
    return f"{below} or {below + period}" if below else f"{period}"


def _currency(estate: Estate) -> Iterator[Finding]:
    finance = estate.finance
    if not _CURRENCY.match(finance.currency):
        message = f"expects an ISO 4217 code, three capital letters, found `{clip(finance.currency)}`"
        yield finding("TP1104", "finance.currency", message, _code_hint(finance.currency))
    elif finance.currency != "USD" and finance.usd_per_unit == 1.0:
        message = f"figures are shown in {clip(finance.currency)} at 1 USD each, as no rate is declared"
        yield finding("TP1311", "finance.currency", message, "declare `finance.usd_per_unit`")


def _code_hint(currency: str) -> str:
    """The code that was meant, or an example."""
    said = " ".join(currency.casefold().split())
    code = _CURRENCIES.get(said, said.upper())
    return f"write `{code}`" if _CURRENCY.match(code) else "for example `EUR`"


def _pool_months(estate: Estate) -> Iterator[Finding]:
    for index, site in enumerate(estate.sites):
        for place, pool in enumerate(site.pools or ()):
            path = f"sites[{index}].pools[{place}]"
            if pool.held_until is not None:
                yield from _month(f"{path}.held_until", pool.held_until)
            for number, commitment in enumerate(pool.commitments):
                yield from _ends(f"{path}.commitments[{number}].ends", commitment.ends, estate.horizon.start)


def _test_months(estate: Estate) -> Iterator[Finding]:
    for index, each in enumerate(estate.dependencies):
        for place, substitute in enumerate(each.leaving.substitutes if each.leaving else ()):
            if substitute.tested is not None:
                yield from _month(f"dependencies[{index}].leaving.substitutes[{place}].tested", substitute.tested)


def _month(path: str, text: str) -> Iterator[Finding]:
    if not is_month(text):
        hint = f"write `{text[:7]}`" if is_month(text[:7]) else f"for example `{january(text)}`"
        yield finding("TP1305", path, f"`{clip(text)}` is not a month, expects `YYYY-MM`", hint)


def _ends(path: str, ends: str, start: str) -> Iterator[Finding]:
    yield from _month(path, ends)
    if is_month(ends) and is_month(start) and ends < start:
        message = f"the commitment ends in {ends}, before the plan starts in {start}"
        yield finding("TP1308", path, message, "remove it, or correct its end")
