"""Numbers as people read them: money in the plan's currency, shares, volumes, months."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from tripoint.domain.plan import Plan

_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
_STEPS = ((1e9, "B"), (1e6, "M"), (1e3, "k"))
_VOLUMES = ((1e6, "PB"), (1e3, "TB"), (1.0, "GB"))
_NEVER = "9999-99"


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """Writes USD amounts in the currency of a plan."""

    currency: str = "USD"
    """ISO 4217 code."""
    usd_per_unit: float = 1.0
    """USD per unit of it."""

    @property
    def sign(self) -> str:
        """The currency as a prefix: its sign, or its code and a space."""
        return _SIGNS.get(self.currency, f"{self.currency} ")

    def units(self, usd: float) -> float:
        """The amount in the plan's currency."""
        return usd / self.usd_per_unit

    def short(self, usd: float) -> str:
        """Three significant digits with k, M or B: `$38.1M`, `$214k`, `$950`; less than half a cent is nothing."""
        amount = abs(self.units(usd))
        return self._signed(usd, compact(amount if amount >= 0.005 else 0.0, three_digits))

    def rate(self, usd: float | None) -> str:
        """A unit price with three significant digits: `$5.40`, `$0.0347`; a dash when there is none."""
        return "–" if usd is None else self._signed(usd, three_digits(abs(self.units(usd))))

    def tick(self, units: float) -> str:
        """A mark on an axis, already in the currency: `$7.5M`."""
        return f"{self.sign}{compact(units)}"

    def full(self, usd: float) -> str:
        """Whole units with separators: `$38,120,431`."""
        return self._signed(usd, f"{abs(self.units(usd)):,.0f}")

    def _signed(self, usd: float, text: str) -> str:
        return f"{'-' if usd < 0 and text.strip('0.') else ''}{self.sign}{text}"


def money_of(plan: Plan) -> Money:
    """How this plan writes money."""
    return Money(currency=plan.currency, usd_per_unit=plan.usd_per_unit or 1.0)


def three_digits(value: float) -> str:
    """Three significant digits, zeros kept, with separators, never in scientific notation: `5.40`."""
    if not math.isfinite(value):
        return "unlimited" if value > 0 else "–"
    if value == 0:
        return "0"
    decimals = max(0, 2 - math.floor(math.log10(abs(value)) + 1e-12))
    return f"{value:,.{min(decimals, 8)}f}"


def significant(value: float) -> str:
    """Three significant digits without trailing zeros: `5.4`, `0.08`, `330,000`."""
    text = three_digits(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def compact(value: float, write: Callable[[float], str] = significant) -> str:
    """Three significant digits with k, M or B."""
    for step, suffix in _STEPS:
        if math.isfinite(value) and abs(value) >= 0.9995 * step:
            return write(value / step) + suffix
    return write(value)


def percent(share: float) -> str:
    """A share in whole percent, with one decimal below ten: `18 %`, `0.4 %`."""
    points = share * 100
    if not math.isfinite(points):
        return three_digits(points)
    if points and abs(points) < 0.05:
        return "<0.1 %"
    return f"{points:.0f} %" if abs(points) >= 9.95 or points == int(points) else f"{points:.1f} %"


def volume(gb: float) -> str:
    """GB, TB or PB, three significant digits."""
    for step, unit in _VOLUMES:
        if abs(gb) >= 0.9995 * step:
            return f"{significant(gb / step)} {unit}"
    return "0 GB" if gb == 0 else f"{significant(gb)} GB"


def carbon(kg: float) -> str:
    """Tonnes of CO2e above a tonne, kilograms below."""
    return f"{significant(kg / 1000)} t" if abs(kg) >= 1000 else f"{significant(kg)} kg"


def carbon_told(kg: float, unknown_usd: float) -> str:
    """`5.3 t`; `not known` where no figure is published for any of it, `at least 5.3 t` for part of it."""
    if unknown_usd <= 0:
        return carbon(kg)
    return f"at least {carbon(kg)}" if kg > 0 else "not known"


def emissions(kg: float, unknown_usd: float) -> str:
    """The same within a sentence: `5.3 t CO2e`, `CO2e not known`."""
    told = carbon_told(kg, unknown_usd)
    return f"CO2e {told}" if kg <= 0 and unknown_usd > 0 else f"{told} CO2e"


def month_at(plan: Plan, period: int) -> str:
    """First month of a period, `YYYY-MM`; periods before the horizon are negative."""
    return months_on(plan.start, period * plan.period_months)


def months_on(start: str, months: int) -> str:
    """The month so many months after `start`, `YYYY-MM`; before it when negative."""
    year, month = (int(part) for part in start.split("-")[:2])
    index = year * 12 + month - 1 + months
    return f"{index // 12:04d}-{index % 12 + 1:02d}"


def horizon_told(plan: Plan) -> str:
    """`2027-Q1 to 2029-Q4`, or first and last month where periods are no calendar quarters; empty without periods."""
    if not plan.periods:
        return ""
    last = plan.periods[-1]
    if "Q" not in last:  # such a label is the month its period starts in, and the horizon ends with that period
        last = months_on(plan.start, len(plan.periods) * plan.period_months - 1)
    return f"{plan.periods[0]} to {last}"


def period_word(plan: Plan) -> str:
    """What a period of the plan is called: `quarter`."""
    return {1: "month", 3: "quarter", 6: "half-year", 12: "year"}.get(plan.period_months, "period")


def month_key(label: str) -> str:
    """Something to sort `2028-Q2` and `2028-05` by; blank labels last."""
    if not label:
        return _NEVER
    head, _, tail = label.partition("-")
    return f"{head}-{(int(tail[1:]) - 1) * 3 + 1:02d}" if tail.startswith("Q") and tail[1:].isdigit() else label


def plural(count: float, noun: str) -> str:
    """`1 node`, `2.5 nodes`, `no nodes`."""
    if count == 0:
        return f"no {noun}s"
    if not math.isfinite(count):
        return f"{three_digits(count)} {noun}s"
    shown = f"{count:,.0f}" if abs(count - round(count)) < 1e-6 else f"{count:,.1f}"
    return f"{shown} {noun}" if shown == "1" else f"{shown} {noun}s"


def gap_percent(gap: float) -> str:
    """An optimality gap in percent with two significant digits: `0.082 %`."""
    return "0 %" if gap < 1e-7 else f"{gap * 100:.2g} %"
