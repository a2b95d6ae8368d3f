"""What scenarios strike that this estate and its plan do not have, and what would let them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tripoint.domain.errors import Finding
from tripoint.domain.findings import did_you_mean, finding
from tripoint.domain.scenario import Scenario
from tripoint.domain.stress import PassedOver, Untried
from tripoint.engines.stress.scenarios.candidates import declared_ids, is_known, names_of, shadowed, sorts
from tripoint.engines.stress.scenarios.ground import Ground
from tripoint.engines.stress.scenarios.resolve import missed, untouched


def untried_of(scenarios: Sequence[Scenario], ground: Ground) -> tuple[Untried, ...]:
    """Scenarios that mean nothing here, with the reason."""
    return tuple(
        Untried(scenario=each.id, why=absence(missing, ground))
        for each in scenarios
        if (missing := untouched(each, ground))
    )


def passed_over(tried: Sequence[Scenario], ground: Ground) -> tuple[PassedOver, ...]:
    """Strikes beside a scenario's first that strike nothing here.

    A sort of thing the estate does not have is no mistake of a scenario of the catalogue; a name nobody has always is.
    """
    return tuple(
        PassedOver(scenario=each.id, strike=number, why=absence(hits, ground))
        for each in tried
        for number, hits in missed(each, ground)
        if not each.number or not is_known(hits)
    )


def shadowing(tried: Sequence[Scenario], ground: Ground) -> Iterator[Finding]:
    """Strikes of one's own that name a group of things although a site is called so."""
    for each in tried:
        for number, strike in enumerate(each.strikes if not each.number else ()):
            if name := shadowed(ground, strike.hits):
                message = f"`{strike.hits}` strikes every such thing, not only the site called `{name}`"
                yield finding("TP1218", f"{each.id}.strikes[{number}].hits", message, f"that site alone is `id:{name}`")


def absence(missing: str, ground: Ground) -> str:
    """Why a scenario that strikes this means nothing here, and what would let it."""
    sort, _, which = missing.partition(":")
    if not is_known(missing):
        declared = declared_ids(ground)
        if missing in (each.id for each in ground.estate.dependencies):
            return f"no site and no workload needs `{missing}`"
        if missing in declared:
            return f"the plan has nothing at `{missing}`"
        near = did_you_mean(missing, (*declared, *sorts()))
        return f"the estate has nothing called `{missing}`" + (f"; {near}" if near else "")
    told = f"the estate and its plan have nothing of `{missing}`"
    if sort == "dependants":
        return f"{told}; declare it: `dependencies: [{{id: {which}, kind: {which}, needed_by: [all]}}]`"
    near = did_you_mean(which, names_of(ground, sort)) if which else ""
    if near:
        return f"{told}; {near}"
    if sort in ("domain", "conduit"):
        where = "`failure_domains` of sites" if sort == "domain" else "`conduits` of links"
        return f"{told}; declare {where}, so that what fails together is known"
    return told
