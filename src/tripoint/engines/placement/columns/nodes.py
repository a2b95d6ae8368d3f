"""Columns that say what is bought when: nodes owned, kept, committed and rented; expansions; contracted power."""

from __future__ import annotations

import math
from dataclasses import replace

from tripoint.domain.charge import CommitmentStatus
from tripoint.engines.costing.rates import contracted_kw_month, expansion_month, expansion_one_off
from tripoint.engines.placement.columns.formulation import Formulation, activity_at, pool_activity
from tripoint.engines.placement.instance.instance import PoolModel, SiteModel, TermOffer


def add_node_columns(form: Formulation) -> None:
    """All node decisions of all pools, and the cost of promises already made."""
    for number, pool in enumerate(form.instance.pools):
        _add_held(form, number, pool)
        _add_signed(form, pool)
        _add_buys(form, number, pool)
        for index, term in enumerate(pool.terms):
            _add_commitments(form, number, pool, index, term)
        _add_rent(form, number, pool)
        _add_burn(form, number, pool)


def _months(form: Formulation) -> int:
    return form.instance.estate.horizon.period_months


def _constant(form: Formulation, name: str) -> int:
    """A column fixed at 1: how sunk costs enter the objective and the statement."""
    return form.builder.column(name, lower=1.0, upper=1.0)


def _add_held(form: Formulation, number: int, pool: PoolModel) -> None:
    if not pool.held:
        return
    sunk = _constant(form, f"sunk[{pool.spec.id}]")
    for period in form.instance.periods:
        review = form.instance.estate.horizon.review_of(period)
        if review == period:
            name = f"keep[{pool.spec.id},p{period}]"
            form.keep[number, period] = form.builder.column(name, upper=float(pool.held), integer=True)
        column = form.keep[number, review]
        form.keep[number, period] = column
        running = pool_activity(form, pool, period, "owned", pool.held_running)
        form.charge(column, running, float(pool.count * _months(form)))
        written = pool_activity(form, pool, period, "owned", pool.held_sunk)
        form.charge(sunk, written, float(pool.held * pool.count * pool.held_months[period]))


def _add_signed(form: Formulation, pool: PoolModel) -> None:
    for index, signed in enumerate(pool.signed):
        column = _constant(form, f"signed[{pool.spec.id},{index}]")
        for period in form.instance.periods:
            activity = pool_activity(form, pool, period, "committed", signed.month_rates)
            form.charge(column, activity, float(signed.nodes * signed.months[period]))


def _node_limit(pool: PoolModel) -> float:
    return pool.max_nodes if math.isfinite(pool.max_nodes) else math.inf


def _add_buys(form: Formulation, number: int, pool: PoolModel) -> None:
    if not pool.owned_month:
        return
    last = len(form.instance.periods)
    for order in range(last - pool.lead_periods):
        column = form.builder.column(f"buy[{pool.spec.id},p{order}]", upper=_node_limit(pool), integer=True)
        form.buy[number, order] = column
        purchase = pool_activity(form, pool, order, "owned", pool.owned_purchase)
        form.charge(column, purchase, float(pool.count))
        for period in range(order + pool.lead_periods, last):
            activity = pool_activity(form, pool, period, "owned", pool.owned_month)
            form.charge(column, activity, float(pool.count * _months(form)))


def may_start(periods: int, term: int, start: int) -> bool:
    """A new commitment must end within the horizon; one-year terms may run over by half.

    Otherwise the plan would sign long cheap terms in the last quarter and leave the liability outside the sum.
    """
    if term * 2 <= periods:
        return start + (term + 1) // 2 <= periods
    return start + term <= periods


def signing_periods(form: Formulation, pool: PoolModel) -> list[int]:
    """Commitments are signed at placement reviews, and when a signed one has run out."""
    periods = form.instance.periods
    reviews = {form.instance.estate.horizon.review_of(period) for period in periods}
    ends = {next((p for p in periods if signed.months[p] < max(signed.months)), len(periods)) for signed in pool.signed}
    return sorted(reviews | {end for end in ends if end < len(periods)})


def _add_commitments(form: Formulation, number: int, pool: PoolModel, index: int, term: TermOffer) -> None:
    last = len(form.instance.periods)
    for start in signing_periods(form, pool):
        if not may_start(last, term.periods, start):
            continue
        column = form.builder.column(
            f"commit[{pool.spec.id},{term.offer.term_months}m,p{start}]",
            upper=_node_limit(pool),
            integer=True,
        )
        form.commit[number, index, start] = column
        for period in range(start, min(last, start + term.periods)):
            activity = pool_activity(form, pool, period, "committed", term.month_rates)
            form.charge(column, activity, float(pool.count * _months(form)))


def _add_rent(form: Formulation, number: int, pool: PoolModel) -> None:
    if not pool.on_demand_hour:
        return
    for period in form.instance.periods:
        for block in form.instance.blocks:
            column = form.builder.column(f"rent[{pool.spec.id},p{period},b{block}]")
            form.rent[number, period, block] = column
            activity = pool_activity(form, pool, period, "on_demand", pool.on_demand_hour)
            form.charge(column, activity, form.instance.block_hours(block))


def _add_burn(form: Formulation, number: int, pool: PoolModel) -> None:
    """Where a pool can be rented as well as owned, only the node-hours its own nodes work draw its own power."""
    if not pool.on_demand_hour or not pool.busy_hour:
        return
    for period in form.instance.periods:
        for block in form.instance.blocks:
            column = form.builder.column(f"burn[{pool.spec.id},p{period},b{block}]")
            form.burn[number, period, block] = column
            worked = pool_activity(form, pool, period, "owned", pool.busy_hour)
            form.charge(column, replace(worked, status=CommitmentStatus.USED), 1.0)


def add_facility_columns(form: Formulation) -> None:
    """Expansion steps, ordered at reviews, and contracted power nobody draws."""
    for number, site in enumerate(form.instance.sites):
        _add_expansions(form, number, site)
        _add_slack_power(form, number, site)


def _add_expansions(form: Formulation, number: int, site: SiteModel) -> None:
    last = len(form.instance.periods)
    for index, step in enumerate(site.steps):
        for order in range(last - site.expansion_lead[index]):
            if form.instance.estate.horizon.review_of(order) != order:
                continue
            column = form.builder.column(f"expand[{site.site.id},{step.id},p{order}]", upper=1.0, integer=True)
            form.expand[number, index, order] = column
            one_off = activity_at(
                form,
                period=order,
                site=number,
                resource=step.id,
                option="",
                rates=expansion_one_off(step),
            )
            form.charge(column, one_off, float(site.site.count))
            for period in range(order + site.expansion_lead[index], last):
                running = activity_at(
                    form,
                    period=period,
                    site=number,
                    resource=step.id,
                    option="",
                    rates=expansion_month(step, form.instance.finance),
                )
                form.charge(column, running, float(site.site.count * _months(form)))


def _add_slack_power(form: Formulation, number: int, site: SiteModel) -> None:
    power = site.site.power
    if power is None or power.contracted_kw <= 0.0:
        return
    for period in form.instance.periods:
        column = form.builder.column(f"slack_kw[{site.site.id},p{period}]", upper=power.contracted_kw)
        form.slack_kw[number, period] = column
        activity = activity_at(
            form,
            period=period,
            site=number,
            resource="contracted power",
            option="",
            rates=contracted_kw_month(site.figures),
        )
        form.charge(column, activity, float(site.site.count * _months(form)))
