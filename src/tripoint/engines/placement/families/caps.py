"""Constraint families over the whole plan: standby, vendor concentration, budget and moves."""

from __future__ import annotations

from tripoint.domain.money import exactly
from tripoint.domain.policy import CostView
from tripoint.engines.placement.columns.coefficients import is_energy
from tripoint.engines.placement.columns.formulation import Formulation, Terms
from tripoint.engines.placement.columns.serving import keeps_standby
from tripoint.engines.placement.instance.instance import Instance


def contingencies(instance: Instance) -> list[tuple[str, frozenset[int]]]:
    """What may be lost at once: each site, and each failure domain two or more sites share."""
    sites = instance.sites
    losses = [(f"site `{model.site.id}`", frozenset({n})) for n, model in enumerate(sites)]
    domains = sorted({name for model in sites for name in model.site.failure_domains})
    for name in domains:
        members = frozenset(n for n, model in enumerate(sites) if name in model.site.failure_domains)
        if len(members) > 1:
            losses.append((f"failure domain `{name}`", members))
    return losses


def standby(form: Formulation) -> None:
    """Whatever single site or shared failure domain is lost, the required share is still served.

    For each workload with a recovery class, loss L, period and block: sum over lanes outside L of
    (serve[l,p,b] + standby[l,p] x peak / rate[b]) >= survive_share. Standby nodes appear in the capacity rows.
    """
    instance = form.instance
    for workload, declared in enumerate(instance.estate.workloads):
        if is_energy(declared) or not keeps_standby(form, workload):
            continue
        lanes = list(form.lanes_of(workload))
        used_sites = {lane.site for _, lane in lanes}
        for name, lost in contingencies(instance):
            if not lost & used_sites:
                continue
            label = f"`{declared.id}` survives the loss of {name}"
            for period in instance.periods:
                for block in instance.blocks:
                    terms = _surviving(form, workload, lost, period, block)
                    form.builder.row("standby", label, terms, lower=declared.recovery.survive_share)


def _surviving(form: Formulation, workload: int, lost: frozenset[int], period: int, block: int) -> Terms:
    rates = form.instance.grid.workloads[workload].peak_rate[period]
    stretch = max(rates) / rates[block] if rates[block] > 0 else 1.0
    terms: Terms = []
    for number, lane in form.lanes_of(workload):
        if lane.site in lost:
            continue
        if (number, period, block) in form.serve:
            terms.append((form.serve[number, period, block], 1.0))
        if (number, period) in form.standby:
            terms.append((form.standby[number, period], stretch))
    return terms


def moves(form: Formulation) -> None:
    """Moving in is counted, paid and capped.

    enter[w,s,p] >= present[w,place,p] - sum over places at s of present[w,.,p-1] (today's sites at p = 0);
    sum over workloads and sites of enter[w,s,p] <= max_moves_per_period.
    """
    instance = form.instance
    places: dict[tuple[int, int], set[str]] = {}
    for lane in instance.lanes:
        places.setdefault((lane.workload, lane.site), set()).add(lane.fit.pool)
    for (workload, site, period), column in form.enter.items():
        today = {share.site for share in instance.estate.workloads[workload].today}
        was_here = 1.0 if period == 0 and instance.sites[site].site.id in today else 0.0
        for place in sorted(places[workload, site]):
            before: Terms = [
                (form.present[workload, other, period - 1], 1.0) for other in sorted(places[workload, site]) if period
            ]
            terms = [(column, 1.0), (form.present[workload, place, period], -1.0), *before]
            label = f"`{form.workload_id(workload)}` moves to `{instance.sites[site].site.id}`"
            form.builder.row("moves", label, terms, lower=-was_here)
    cap = instance.estate.policies.max_moves_per_period
    if cap is None:
        return
    for period in instance.periods:
        total: Terms = [(column, 1.0) for (_, _, p), column in form.enter.items() if p == period]
        label = f"at most {cap} moves in {instance.grid.periods[period]}"
        form.builder.row("moves", label, total, upper=float(cap))


def spend(form: Formulation) -> None:
    """What each provider is paid in a period, where a rule asks: spend[view,v,p] = sum of unit cost x column.

    One column per provider and period keeps the rules over cost short: the long sum stands once.
    """
    policies = form.instance.estate.policies
    views = [CostView.EFFECTIVE] if policies.concentration else []
    if policies.budget is not None and policies.budget.view not in views:
        views.append(policies.budget.view)
    for view in views:
        for (period, provider), terms in sorted(_cost_terms(form, view).items()):
            column = form.builder.column(f"spend[{view.value},{provider},p{period}]")
            form.spend[view.value, provider, period] = column
            label = f"{view.value} cost with `{provider}` in {form.instance.grid.periods[period]}"
            form.builder.row("spend", label, [*terms, (column, -1.0)], lower=0.0, upper=0.0)


def concentration(form: Formulation) -> None:
    """No provider takes more than its share of effective cost: spend[v,p] <= cap x sum over all of spend[.,p]."""
    instance = form.instance
    view = CostView.EFFECTIVE.value
    for cap in instance.estate.policies.concentration:
        for period in instance.periods:
            paid = {v: column for (kind, v, p), column in form.spend.items() if kind == view and p == period}
            named = [cap.provider.lower()] if cap.provider else [v for v in sorted(paid) if v != "own"]
            everyone: Terms = [(column, -cap.max_share) for column in paid.values()]
            for provider in (name for name in named if name in paid):
                label = f"at most {cap.max_share:.0%} of cost with `{provider}`"
                form.builder.row("concentration", label, [(paid[provider], 1.0), *everyone], upper=0.0)


def budget(form: Formulation) -> None:
    """Cost of a period stays within budget, in the declared view (effective or billed)."""
    instance = form.instance
    limit = instance.estate.policies.budget
    if limit is None:
        return
    for period in instance.periods:
        terms: Terms = [
            (column, 1.0) for (view, _, p), column in form.spend.items() if p == period and view == limit.view.value
        ]
        label = f"budget {exactly(limit.usd_per_period)} USD ({limit.view.value}) in {instance.grid.periods[period]}"
        form.builder.row("budget", label, terms, upper=limit.usd_per_period)


def _cost_terms(form: Formulation, view: CostView) -> dict[tuple[int, str], Terms]:
    terms: dict[tuple[int, str], Terms] = {}
    for cost in form.costs:
        usd = cost.usd
        if view is CostView.BILLED:
            usd = sum(rate.billed_usd for rate in cost.activity.rates) * cost.quantity
        key = (cost.activity.period, cost.activity.provider.lower())
        terms.setdefault(key, []).append((cost.column, usd))
    return terms
