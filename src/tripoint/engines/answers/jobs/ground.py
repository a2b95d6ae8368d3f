"""What offers of jobs are looked up in: pools, rules and rates of an estate, once for all jobs."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from tripoint.domain.catalog import Catalog
from tripoint.domain.estate import Estate
from tripoint.domain.job import JobFile
from tripoint.engines.answers.jobs.offers import Desk
from tripoint.engines.facts.figures import finance_figures
from tripoint.engines.facts.pools import PoolSpec, pool_specs
from tripoint.engines.gateway.table.ground import Ground
from tripoint.engines.sizing.fit.desk import Desk as FitDesk
from tripoint.engines.sizing.policy import Place, place_of, rulebook


def desk_of(file: JobFile, estate: Estate, catalog: Catalog, today: date) -> Desk:
    """The desk of an estate that passed its checks, for the accelerators a file of jobs asks for."""
    asked = {need.accelerator for job in file.jobs for need in job.runs_on}
    specs = [spec for spec in pool_specs(estate, catalog) if spec.node.accelerator in asked]
    pools: dict[str, tuple[PoolSpec, ...]] = {}
    for spec in specs:
        pools[spec.site.id] = (*pools.get(spec.site.id, ()), spec)
    skus = {spec.node.id for spec in specs}  # other rows would only be looked through
    catalog = replace(catalog, compute_prices=tuple(row for row in catalog.compute_prices if row.sku in skus))
    ground = Ground(
        estate=estate,
        catalog=catalog,
        desk=FitDesk(estate=estate, catalog=catalog),
        book=rulebook(estate, catalog),
        finance=finance_figures(estate, catalog),
        sites={site.id: site for site in estate.sites},
        pools={(spec.site.id, spec.node.id): spec for spec in specs},
        today=today,
        asked=(),
    )
    places: dict[str, Place] = {site.id: place_of(site, catalog) for site in estate.sites}
    return Desk(ground=ground, pools=pools, places=places)
