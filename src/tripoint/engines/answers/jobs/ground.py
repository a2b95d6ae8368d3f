"""What offers of jobs are looked up in: pools, rules and rates of an estate, once for all jobs."""

from __future__ import annotations

from datetime import date

from tripoint.domain.catalog import Catalog
from tripoint.domain.estate import Estate
from tripoint.engines.answers.jobs.offers import Desk
from tripoint.engines.facts.figures import finance_figures
from tripoint.engines.facts.pools import PoolSpec, pool_specs
from tripoint.engines.gateway.table.ground import Ground
from tripoint.engines.sizing.fit.desk import Desk as FitDesk
from tripoint.engines.sizing.policy import Place, place_of, rulebook


def desk_of(estate: Estate, catalog: Catalog, today: date) -> Desk:
    """The desk of an estate that passed its checks."""
    specs = pool_specs(estate, catalog)
    pools: dict[str, tuple[PoolSpec, ...]] = {}
    for spec in specs:
        pools[spec.site.id] = (*pools.get(spec.site.id, ()), spec)
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
