"""The family that only the baseline `today` has: shares fixed to where things run now."""

from __future__ import annotations

from tripoint.engines.placement.columns.formulation import Formulation


def pin_today(form: Formulation) -> None:
    """Fixes each site's share to today's: sum over the site's lanes of serve = declared share, per block."""
    instance = form.instance
    for number, workload in enumerate(instance.estate.workloads):
        shares: dict[str, float] = {}
        for part in workload.today if workload.kind.is_interactive else ():
            shares[part.site] = shares.get(part.site, 0.0) + part.share
        for site, share in shares.items():
            _pin_site(form, number, site, share)


def _pin_site(form: Formulation, number: int, site: str, share: float) -> None:
    instance = form.instance
    lanes = [index for index, lane in form.lanes_of(number) if instance.sites[lane.site].site.id == site]
    for period in instance.periods:
        for block in instance.blocks:
            terms = [(form.serve[lane, period, block], 1.0) for lane in lanes if (lane, period, block) in form.serve]
            if terms:
                label = f"`{form.workload_id(number)}` as today at `{site}`"
                form.builder.row("today", label, terms, lower=share, upper=share)
