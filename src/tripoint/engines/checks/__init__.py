"""Does the estate make sense: names that exist, numbers in range, demand complete, nothing declared in vain.

Every check runs whatever the others find, so one reading tells all mistakes.
"""

from __future__ import annotations

from tripoint.domain.catalog import Catalog
from tripoint.domain.errors import Finding, Severity
from tripoint.domain.estate import Estate
from tripoint.engines.checks.labels import check_labels
from tripoint.engines.checks.references.dependencies import check_dependencies
from tripoint.engines.checks.references.known import known_names
from tripoint.engines.checks.references.models import check_models
from tripoint.engines.checks.references.names import check_ids, check_references
from tripoint.engines.checks.references.sites import check_sites
from tripoint.engines.checks.references.unused import check_unused
from tripoint.engines.checks.serving.addresses import check_addresses
from tripoint.engines.checks.serving.names import check_serving_names
from tripoint.engines.checks.values.assumptions import check_assumptions
from tripoint.engines.checks.values.demand import check_demand, check_profiles
from tripoint.engines.checks.values.plausible import check_plausible
from tripoint.engines.checks.values.ranges import check_values
from tripoint.engines.checks.values.recovery import check_recovery
from tripoint.engines.checks.values.times import check_times

__all__ = ["check_estate", "check_profiles"]


def check_estate(estate: Estate, catalog: Catalog) -> tuple[Finding, ...]:
    """Everything wrong or doubtful in an estate that has the right shape."""
    known = known_names(estate, catalog)
    found = (
        *check_ids(estate),
        *check_references(estate, known),
        *check_values(estate),
        *check_assumptions(estate, known),
        *check_times(estate),
        *check_sites(estate, catalog, known),
        *check_demand(estate),
        *check_models(estate, known),
        *check_unused(estate, catalog),
        *check_labels(estate, catalog),
        *check_addresses(estate),
        *check_serving_names(estate, known),
        *check_recovery(estate, catalog),
        *check_dependencies(estate),
    )
    refused = {said.path for said in found if said.severity is Severity.ERROR}
    # What is refused is not doubted as well.
    return (*found, *(said for said in check_plausible(estate, catalog) if said.path not in refused))
