"""Why a scenario means nothing in an estate, told with what would let it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.factories.tried import FRAGILE, tried

from tripoint.domain.dependency import Dependency
from tripoint.engines.stress.agenda.absence import absence
from tripoint.engines.stress.scenarios.ground import Ground


def unused() -> Ground:
    """The fragile estate, had its plan left `cage` out, with a dependency nobody needs."""
    ground = tried(FRAGILE).ground
    idle = Dependency(id="idle")
    return replace(
        ground,
        estate=replace(ground.estate, dependencies=(*ground.estate.dependencies, idle)),
        sites=tuple(site for site in ground.sites if site.id != "cage"),
        pools=tuple(pool for pool in ground.pools if pool.site != "cage"),
    )


@pytest.mark.parametrize(
    ("missing", "told"),
    [
        ("cage", "the plan has nothing at `cage`"),
        ("cage/l40s-8", "the plan has nothing at `cage/l40s-8`"),
        ("cagee", "the estate has nothing called `cagee`; did you mean `cage`"),
        ("wokload", "the estate has nothing called `wokload`; did you mean `workload`"),
        ("idle", "no site and no workload needs `idle`"),
        ("quux-9", "the estate has nothing called `quux-9`"),
        ("conduit:dukt", "the estate and its plan have nothing of `conduit:dukt`; did you mean `duct`"),
        ("pool:spot", "the estate and its plan have nothing of `pool:spot`"),
    ],
)
def test_what_is_missing_is_told_with_the_nearest_name(missing: str, told: str) -> None:
    """Declared and unused, mistyped, or unlike anything there is: three things to do."""
    said = absence(missing, unused())
    assert said == told or said.startswith(f"{told} or ")


def test_what_nobody_declared_is_told_with_how_to_declare_it() -> None:
    """Services and failure domains are declared in the estate."""
    assert "dependencies: [{id: dns, kind: dns" in absence("dependants:dns", unused())
    assert "declare `failure_domains` of sites" in absence("domain", unused())
