"""Alternatives side by side: every column says the same of each of them."""

from __future__ import annotations

import pytest
from tests.factories.placement import chat, hall, horizon, place, servers, solved, training

from tripoint.engines.answers.baselines import baseline


def test_a_million_tokens_costs_the_idle_part_of_its_nodes_too() -> None:
    """Nodes held and not used are paid all the same: without them a hall looks cheaper than renting what it needs."""
    pool = servers(held=4, held_until="2030-12")
    outcome = solved(place(hall(pool=pool), workloads=(chat(rate=1.0),), horizon=horizon(4)))
    assert sum(row.effective_usd for row in outcome.charges if row.workload is None) > 0
    demand = outcome.instance.grid.workloads[0]
    mtok = sum(demand.mtok_in) + sum(demand.mtok_out)
    found = baseline("plan", "this plan", outcome)
    assert found.usd_per_mtok == pytest.approx(found.total_usd / mtok)


def test_training_has_no_part_in_it() -> None:
    """Without token workloads there is no such price."""
    outcome = solved(place(hall(), workloads=(training(),), horizon=horizon(4)))
    assert baseline("plan", "this plan", outcome).usd_per_mtok == 0.0
