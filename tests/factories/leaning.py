"""Small estates that lean on things, for the tests of dependencies: no plan needed, `today` says who runs where."""

from __future__ import annotations

from typing import Any

from tripoint.domain.cut import DependencyReport, Reliance
from tripoint.domain.dependency import Dependency, DependencyKind
from tripoint.domain.estate import Estate
from tripoint.domain.link import Link
from tripoint.domain.modelspec import ModelSpec
from tripoint.domain.purchase import NodePool
from tripoint.domain.site import PowerEnvelope, Redundancy, Site, SiteKind
from tripoint.domain.units import LinkId, ModelId, NodeTypeId, SiteId, WorkloadId
from tripoint.domain.workload import Caller, Demand, Recovery, TodayShare, Workload, WorkloadKind
from tripoint.engines.resilience.cuts.derive.served import Seat, Served
from tripoint.engines.resilience.loss.report import Question, dependency_report

MODEL = ModelId("llama3.1-8b")


def cloud(name: str, region: str = "eu-central-1", provider: str = "aws", **fields: Any) -> Site:
    """A rented site."""
    return Site(id=SiteId(name), kind=SiteKind.CLOUD, provider=provider, region=region, **fields)


def colo(name: str, feeds: Redundancy = Redundancy.N_PLUS_1, **fields: Any) -> Site:
    """A site with nodes of one's own; two feeds of which one must work, unless told otherwise."""
    power = PowerEnvelope(it_kw=40, feeds=feeds)
    pools = (NodePool(node_type=NodeTypeId("dgx-h100"), held=1),)
    usual: dict[str, Any] = {"id": SiteId(name), "kind": SiteKind.COLO, "country": "DE", "power": power, "pools": pools}
    usual.update(fields)
    return Site(**usual)


def link(name: str, source: str, target: str, *conduits: str, **fields: Any) -> Link:
    """A link over some conduits."""
    return Link(id=LinkId(name), source=SiteId(source), target=SiteId(target), conduits=conduits, **fields)


def chat(*shares: tuple[str, float], least: float = 1.0, name: str = "chat", callers: tuple[str, ...] = ()) -> Workload:
    """A workload that runs at these sites today and is down below `least`."""
    return Workload(
        id=WorkloadId(name), kind=WorkloadKind.INFERENCE, model=MODEL,
        demand=Demand(requests_per_s=1.0, input_tokens=100.0, output_tokens=100.0),
        today=tuple(TodayShare(site=SiteId(site), share=share) for site, share in shares),
        recovery=Recovery(survive_share=least),
        callers=tuple(Caller(place=place, share=1.0 / len(callers)) for place in callers),
    )  # fmt: skip


def shared(name: str, kind: str = "dns", **fields: Any) -> Dependency:
    """A declared dependency."""
    return Dependency(id=name, kind=DependencyKind(kind), **fields)


def estate(*sites: Site, workloads: tuple[Workload, ...], **fields: Any) -> Estate:
    """An estate of these sites and workloads."""
    models = (ModelSpec(id=MODEL),)
    return Estate(apiVersion="tripoint/v1", sites=sites, models=models, workloads=workloads, **fields)


def served(asked: Estate) -> tuple[Served, ...]:
    """[workload] seats as `today` says."""
    return tuple(
        Served(workload=each, seats=tuple(Seat(site=share.site, share=share.share) for share in each.today))
        for each in asked.workloads
    )


def report(asked: Estate, catalog: Any, **fields: Any) -> DependencyReport:
    """What it leans on, as it runs today."""
    copies = {str(each.id): tuple(map(str, each.copies)) for each in asked.datasets}
    usual: dict[str, Any] = {"served": served(asked), "copies": copies, "back_hours": {}}
    question = Question(**(usual | fields))
    return dependency_report(asked, catalog, question)


def singles(found: Reliance) -> list[str]:
    """Names of what takes it down alone, in order."""
    return sorted(cut.members[0] for cut in found.singles)


def pairs(found: Reliance) -> list[tuple[str, ...]]:
    """Names of what takes it down together, in order."""
    return sorted(tuple(sorted(cut.members)) for cut in found.pairs)
