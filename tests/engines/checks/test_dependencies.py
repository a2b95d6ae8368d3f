"""What is asked of `dependencies`: names that lead somewhere, kinds that fit, no circle without a word."""

from __future__ import annotations

from typing import Any

import pytest

from tripoint.adapters.catalog_csv import load_catalog
from tripoint.domain.dependency import Dependency, DependencyKind, Leaving, Substitute
from tripoint.domain.errors import Finding
from tripoint.domain.estate import Estate
from tripoint.domain.link import Link
from tripoint.domain.modelspec import ModelSpec
from tripoint.domain.site import PowerEnvelope, Site, SiteKind
from tripoint.domain.units import LinkId, ModelId, SiteId, WorkloadId
from tripoint.domain.workload import Demand, Workload, WorkloadKind
from tripoint.engines.checks import check_estate

CATALOG = load_catalog()
MODEL = ModelId("llama3.1-8b")
CLOUD = Site(id=SiteId("cloud"), kind=SiteKind.CLOUD, provider="aws", region="eu-central-1", failure_domains=("fra",))
HALL = Site(
    id=SiteId("hall"), kind=SiteKind.COLO, country="DE", power=PowerEnvelope(it_kw=40), failure_domains=("fra",)
)
DUCT = Link(id=LinkId("line"), source=SiteId("cloud"), target=SiteId("hall"), conduits=("duct",))
CHAT = Workload(
    id=WorkloadId("chat"), kind=WorkloadKind.INFERENCE, model=MODEL,
    demand=Demand(requests_per_s=1.0, input_tokens=100.0, output_tokens=100.0),
)  # fmt: skip


def found(*dependencies: Dependency) -> list[Finding]:
    """What is said about them."""
    asked = Estate(
        apiVersion="tripoint/v1", sites=(CLOUD, HALL), models=(ModelSpec(id=MODEL),), workloads=(CHAT,), links=(DUCT,),
        dependencies=dependencies,
    )  # fmt: skip
    return [each for each in check_estate(asked, CATALOG) if each.path.startswith("dependencies")]


def one(**fields: Any) -> Dependency:
    """A dependency with some fields."""
    return Dependency(**({"id": "names", "kind": DependencyKind.DNS} | fields))


def told(*dependencies: Dependency) -> list[tuple[str, str]]:
    """Codes and paths of what is said."""
    return [(each.code, each.path.removeprefix("dependencies")) for each in found(*dependencies)]


def test_everything_the_estate_has_can_be_named() -> None:
    """Sites, links, domains, conduits, providers, regions, feeds, workloads, kinds, layers, and each other."""
    needs = ("cloud", "line", "fra", "duct", "aws", "aws:eu-central-1", "hall/1")
    users = ("chat", "all", "colo", "dense", "hall/2", "keys")
    other = one(id="keys", kind=DependencyKind.KEYS)
    assert told(one(needs=needs, needed_by=("chat", "all")), other) == []
    assert told(one(needed_by=users), other) == []


@pytest.mark.parametrize("field", ["needs", "needs_any", "needed_by"])
def test_a_name_that_leads_nowhere_is_told_with_the_nearest(field: str) -> None:
    """Each list of names is looked at."""
    (said,) = found(one(**{field: ("duct", "hal")}))
    assert (said.code, said.path) == ("TP1217", f"dependencies[0].{field}[1]")
    assert "`hall`" in said.hint


def test_a_workload_cannot_be_leaned_on() -> None:
    """Workloads need; nothing needs them."""
    assert told(one(needs=("chat",))) == [("TP1217", "[0].needs[0]")]


@pytest.mark.parametrize(
    ("kind", "name"),
    [("provider", "aws"), ("region", "aws:eu-central-1"), ("site", "hall"), ("link", "line"), ("conduit", "duct")],
)
def test_what_is_known_can_be_refined_and_what_is_not_cannot(kind: str, name: str) -> None:
    """A provider that no site has is a mistake; one that is there takes the figures."""
    assert told(one(id=name, kind=DependencyKind(kind), fails_per_year=2.0)) == []
    assert told(one(id="elsewhere", kind=DependencyKind(kind))) == [("TP1217", "[0].id")]


@pytest.mark.parametrize("name", ["hall", "chat", "colo", "fra", "all"])
def test_a_name_means_one_thing(name: str) -> None:
    """An id that already names something else is refused."""
    assert told(one(id=name)) == [("TP1215", "[0].id")]


def test_alternatives_must_be_enough() -> None:
    """Two of one, or of nothing, can never be."""
    assert told(one(needs_any=("hall",), at_least=2)) == [("TP1302", "[0].at_least")]
    assert told(one(at_least=2)) == [("TP1302", "[0].at_least")]


def test_figures_are_in_range() -> None:
    """Rates, times and months."""
    leaving = Leaving(rebuild_days=-1.0, substitutes=(Substitute(name="other", tested="lately"),))
    assert told(one(fails_per_year=-1.0, hours_to_repair=0.0, leaving=leaving)) == [
        ("TP1302", "[0].fails_per_year"),
        ("TP1302", "[0].hours_to_repair"),
        ("TP1302", "[0].leaving.rebuild_days"),
        ("TP1305", "[0].leaving.substitutes[0].tested"),
    ]


def test_a_circle_is_told_in_its_order() -> None:
    """Names run in the cloud region, whose site needs names: a cold start has nowhere to begin."""
    (said,) = found(one(needs=("hall",), needed_by=("hall",)))
    assert said.code == "TP1409"
    assert said.message in (
        "`site:hall` needs `dns:names` needs `site:hall`",
        "`dns:names` needs `site:hall` needs `dns:names`",
    )


def test_a_circle_through_what_the_estate_shows_is_found() -> None:
    """The provider's sign-in lives in its own region: region needs provider, provider needs it, it needs the region."""
    login = one(id="login", kind=DependencyKind.IDENTITY, needs=("aws:eu-central-1",), needed_by=("aws",))
    assert [each.code for each in found(login)] == ["TP1409"]
