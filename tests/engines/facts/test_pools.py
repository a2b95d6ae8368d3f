"""Which pools exist, and how their nodes may be bought."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.factories.tiny_catalog import cloud, colo, estate_of, pool_of, tiny_catalog

from tripoint.domain.errors import InternalError
from tripoint.domain.hardware import NodeType
from tripoint.domain.purchase import NodePool, OwnPrice, PurchaseOption
from tripoint.domain.units import AcceleratorId, NodeTypeId
from tripoint.engines.facts.pools import OWNED_OPTIONS, RENTED_OPTIONS, find_node_type, pool_specs


def test_a_rented_site_without_pools_sells_what_is_priced_there() -> None:
    """The region's SKUs and the global ones, in catalogue order."""
    ids = [pool.id for pool in pool_specs(estate_of(cloud("us-east-1")), tiny_catalog())]
    assert ids == ["cloud/big", "cloud/small"]
    assert [pool.id for pool in pool_specs(estate_of(cloud("sa-east-1")), tiny_catalog())] == ["cloud/small"]


def test_a_cloud_without_a_region_sells_all_its_skus() -> None:
    """Nothing narrows them."""
    assert len(pool_specs(estate_of(cloud(None)), tiny_catalog())) == 2


def test_an_own_rate_opens_a_pool_the_catalogue_does_not_price() -> None:
    """A private offer in a region is as good as a list price."""
    estate = estate_of(cloud("sa-east-1"), prices=(OwnPrice(provider="aws", sku="big", usd_per_hour=40.0),))
    assert [pool.id for pool in pool_specs(estate, tiny_catalog())] == ["cloud/big", "cloud/small"]


def test_declared_pools_are_all_there_is() -> None:
    """Also none, when the list is empty."""
    declared = replace(pool_of(), max_nodes=3)
    assert [(pool.id, pool.max_nodes) for pool in pool_specs(estate_of(cloud(pool=declared)), tiny_catalog())] == [
        ("cloud/big", 3)
    ]
    assert pool_specs(estate_of(replace(cloud(), pools=())), tiny_catalog()) == ()


def test_options_follow_the_kind_of_site() -> None:
    """Rented places are rented, others owned, unless declared."""
    rented, owned = pool_specs(estate_of(cloud(pool=pool_of()), colo()), tiny_catalog())
    assert (rented.options, owned.options) == (RENTED_OPTIONS, OWNED_OPTIONS)
    leased = NodePool(node_type=NodeTypeId("server"), options=(PurchaseOption.COMMITTED,))
    assert pool_specs(estate_of(colo(pool=leased)), tiny_catalog())[0].options == (PurchaseOption.COMMITTED,)


def test_only_pools_that_can_be_bought_into_have_a_lead_time() -> None:
    """Declared months, else the catalogue's."""
    slow = NodePool(node_type=NodeTypeId("server"), lead_time_months=9)
    rented, owned, declared = pool_specs(estate_of(cloud(pool=pool_of()), colo(), colo(pool=slow)), tiny_catalog())
    assert rented.lead_time_months is None
    assert owned.lead_time_months is not None
    assert owned.lead_time_months.value == 3.0
    assert declared.lead_time_months is not None
    assert declared.lead_time_months.value == 9.0


def test_own_node_types_come_before_the_catalogues() -> None:
    """An estate may correct a server."""
    own = NodeType(id=NodeTypeId("server"), accelerator=AcceleratorId("chip"), gpus=4)
    estate = replace(estate_of(colo()), node_types=(own,))
    assert find_node_type(estate, tiny_catalog(), "server") is own
    assert pool_specs(estate, tiny_catalog())[0].node.gpus == 4


def test_an_unknown_node_type_is_a_failed_check() -> None:
    """Checks name it with its line; reaching the planner is our bug."""
    with pytest.raises(InternalError, match="ghost"):
        pool_specs(estate_of(colo(pool=NodePool(node_type=NodeTypeId("ghost")))), tiny_catalog())
