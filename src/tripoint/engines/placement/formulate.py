"""From an instance to a program: columns first, then every constraint family, each under its own name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tripoint.engines.costing.rates import port_month
from tripoint.engines.costing.statement import Activity
from tripoint.engines.placement.columns.flows import Network, caller_flows
from tripoint.engines.placement.columns.formulation import Formulation
from tripoint.engines.placement.columns.nodes import add_facility_columns, add_node_columns
from tripoint.engines.placement.columns.serving import (
    add_gang_columns,
    add_presence_columns,
    add_serving_columns,
    add_standby_columns,
)
from tripoint.engines.placement.families import caps as caps
from tripoint.engines.placement.families import datasets as store
from tripoint.engines.placement.families import facility, serving
from tripoint.engines.placement.families import network as net
from tripoint.engines.placement.instance.instance import Instance


@dataclass(frozen=True, slots=True)
class Family:
    """A named constraint family; its mathematics is the docstring of `build`."""

    name: str
    """Name, as in row labels, goldens and conflict sets."""
    build: Callable[[Formulation, Network], None]
    """Adds its rows."""


def _plain(build: Callable[[Formulation], None]) -> Callable[[Formulation, Network], None]:
    def with_network(form: Formulation, network: Network) -> None:
        del network
        build(form)

    with_network.__doc__ = build.__doc__
    return with_network


FAMILIES: tuple[Family, ...] = (
    Family("demand", _plain(serving.demand)),
    Family("deadline", _plain(serving.deadline)),
    Family("presence", _plain(serving.presence)),
    Family("indivisible", _plain(serving.indivisible)),
    Family("gang", _plain(serving.gang)),
    Family("capacity", _plain(serving.capacity)),
    Family("spare", _plain(serving.spare)),
    Family("burn", _plain(serving.burn)),
    Family("obtainable", _plain(serving.obtainable)),
    Family("keep", _plain(serving.keep_order)),
    Family("power", _plain(facility.power)),
    Family("contracted", _plain(facility.contracted)),
    Family("racks", _plain(facility.racks)),
    Family("expansion", _plain(facility.expansion)),
    Family("copies", _plain(store.copies)),
    Family("rpo", _plain(store.rpo)),
    Family("colocation", store.colocation),
    Family("standby", _plain(caps.standby)),
    Family("moves", _plain(caps.moves)),
    Family("links", net.links),
    Family("egress", net.egress),
    Family("spend", _plain(caps.spend)),
    Family("concentration", _plain(caps.concentration)),
    Family("budget", _plain(caps.budget)),
)
"""In build order: families that send bytes come before the two that carry and price them, cost caps come last."""


def formulate(instance: Instance) -> tuple[Formulation, Network]:
    """The whole program of an instance, with the network figures it used."""
    form = Formulation(instance=instance)
    network = Network(instance=instance)
    add_serving_columns(form)
    add_presence_columns(form)
    add_gang_columns(form)
    add_standby_columns(form)
    add_node_columns(form)
    add_facility_columns(form)
    _add_ports(form)
    for figure in store.add_copy_columns(form, network):
        network.figures[figure.key] = figure
    caller_flows(form, network)
    for family in FAMILIES:
        family.build(form, network)
    return form, network


def _add_ports(form: Formulation) -> None:
    """Declared ports and circuits are paid whatever flows over them."""
    instance = form.instance
    sites = {model.site.id: (number, model) for number, model in enumerate(instance.sites)}
    for link in instance.estate.links:
        if link.port_usd_per_month <= 0.0:
            continue
        _, model = sites.get(link.source) or sites.get(link.target) or (0, instance.sites[0])
        column = form.builder.column(f"port[{link.id}]", lower=1.0, upper=1.0)
        for period in instance.periods:
            activity = Activity(
                period=period,
                provider=model.site.provider,
                site=model.site.id,
                layer=model.layer,
                resource=link.id,
                option="",
                workload=None,
                status=None,
                rates=port_month(link),
            )
            form.charge(column, activity, float(instance.estate.horizon.period_months))
