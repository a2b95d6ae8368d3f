"""How many charge rows does the cost function price per second, against the arithmetic alone?

The activities are those of a shipped template's program, so their mix of rates is real. Two limits: the same
multiplications in a bare loop over floats, and the same rows made as frozen records without any arithmetic. The first
says what charges cost over numbers, the second how much of that is Python making records.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import tripoint
from benchmarks.measure import ROOT, alternated, ratio, say, short, start, table
from tripoint.apps.wiring import load_catalog
from tripoint.domain.charge import Charge
from tripoint.engines.costing.statement import Activity, price
from tripoint.engines.placement.formulate import formulate
from tripoint.engines.placement.instance.prepare import prepare

TEMPLATE = ROOT / "src" / "tripoint" / "templates" / "three-layer"
QUANTITY = 12.5


def activities() -> list[Activity]:
    """What the template's program may consume."""
    loaded = tripoint.load_estate(TEMPLATE)
    form, _ = formulate(prepare(loaded.estate, load_catalog(), loaded.profiles))
    return [term.activity for term in form.costs]


def priced(wanted: Sequence[Activity]) -> float:
    """The cost function itself: every charge row, then their sum."""
    return sum(charge.effective_usd for activity in wanted for charge in price(activity, QUANTITY))


def multiplied(rates: Sequence[tuple[float, float, float, float, float]], quantity: float) -> float:
    """Limit: the five products of a charge row, added up, nothing kept."""
    listed = contracted = billed = effective = carbon = 0.0
    for a, b, c, d, e in rates:
        listed += a * quantity
        contracted += b * quantity
        billed += c * quantity
        effective += d * quantity
        carbon += e * quantity
    return effective


def recorded(rows: Sequence[Charge]) -> int:
    """Limit: as many records of the same fields, made from values at hand."""
    made = 0
    for row in rows:
        Charge(
            period=row.period,
            kind=row.kind,
            provider=row.provider,
            site=row.site,
            layer=row.layer,
            resource=row.resource,
            option=row.option,
            workload=row.workload,
            status=row.status,
            quantity=row.quantity,
            unit=row.unit,
            list_usd=row.list_usd,
            contracted_usd=row.contracted_usd,
            billed_usd=row.billed_usd,
            effective_usd=row.effective_usd,
            carbon_kg=row.carbon_kg,
            basis=row.basis,
        )
        made += 1
    return made


def main(arguments: Sequence[str] | None = None) -> None:
    """Price the same activities three ways, in turn."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.cost")
    parser.add_argument("--repeat", type=int, default=7, help="runs of each")
    parser.add_argument("--charges", type=int, default=200_000, help="charge rows at least, per run")
    options = parser.parse_args(arguments)
    start("Cost function")
    once = activities()
    wanted = once * max(1, -(-options.charges // sum(len(activity.rates) for activity in once)))
    rates = [
        (rate.list_usd, rate.contracted_usd, rate.billed_usd, rate.effective_usd, rate.carbon_kg)
        for activity in wanted
        for rate in activity.rates
    ]
    rows = [charge for activity in once for charge in price(activity, QUANTITY)] * (len(wanted) // len(once))
    say(f"{len(wanted):,} activities, {len(rates):,} charge rows; both sums agree: {_agree(wanted, rates)}.\n")
    runs = (lambda: multiplied(rates, QUANTITY), lambda: recorded(rows), lambda: priced(wanted))
    times = alternated(runs, options.repeat)
    limit = times[0].median
    names = ("bare multiply-add loop (limit)", "records without arithmetic (limit)", "tripoint `price`")
    table(
        ("what", "median (spread)", "charge rows per second", "seconds, of the limit"),
        [
            (name, str(found), short(len(rates) / found.median), ratio(found.median, limit))
            for name, found in zip(names, times, strict=True)
        ],
    )


def _agree(wanted: Sequence[Activity], rates: Sequence[tuple[float, float, float, float, float]]) -> str:
    left, right = priced(wanted), multiplied(rates, QUANTITY)
    return "yes" if abs(left - right) <= 1e-9 * abs(right) else f"no, {left:,.2f} and {right:,.2f}"


if __name__ == "__main__":
    main()
