"""The worked example a finance reader checks by hand is what the code computes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.factories.tiny_catalog import colo, estate_of, tiny_catalog

from tripoint.domain.charge import ChargeKind
from tripoint.domain.estate import Finance
from tripoint.domain.purchase import NodePool
from tripoint.domain.site import ExpansionStep, PowerEnvelope
from tripoint.domain.units import NodeTypeId
from tripoint.engines.costing import rates
from tripoint.engines.costing.breakeven.threshold import break_even, within
from tripoint.engines.costing.statement import Activity, effective_usd
from tripoint.engines.facts.figures import finance_figures, node_figures, site_figures
from tripoint.engines.facts.pools import pool_specs

SITE = colo(
    power=PowerEnvelope(pue=1.35, energy_usd_per_kwh=0.19, colo_usd_per_kw_month=220.0),
    pool=NodePool(node_type=NodeTypeId("server"), purchase_usd=275_000.0),
)
FINANCE = Finance(
    discount_rate=0.08,
    amortisation_years=5,
    residual_share=0.08,
    maintenance_share_per_year=0.05,
    staff_usd_per_fte_year=230_000.0,
    gpus_per_fte=256,
)
SHARES = {"finance.fabric_share": 0.12, "finance.spares_share": 0.02, "power.idle_fraction": 0.35}


@pytest.fixture
def document(repo_root: Path) -> str:
    """The page."""
    return (repo_root / "docs" / "concepts" / "cost.md").read_text(encoding="utf-8")


def test_the_worked_example_is_what_the_code_computes(document: str) -> None:
    """Every line of the table, the total, the busy hour and the break-even."""
    catalog = tiny_catalog()
    estate = replace(estate_of(SITE), finance=FINANCE, assumptions=SHARES)
    pool = pool_specs(estate, catalog)[0]
    listed = node_figures(pool, catalog, SHARES)
    node = replace(listed, max_kw=replace(listed.max_kw, value=10.2))
    site, finance = site_figures(SITE, catalog, SHARES), finance_figures(estate, catalog)
    month = rates.owned_node_month(node, 8, site, finance)
    (busy,) = rates.owned_busy_hour(node, site, finance)
    held = effective_usd(
        Activity(
            period=0,
            provider="own",
            site="colo",
            layer="dense",
            resource="server",
            option="owned",
            workload=None,
            status=None,
            rates=month,
        )
    )
    use = break_even(within(held, 0.0), within(49.24, 0.0), busy_hour_usd=within(busy.effective_usd, 0.0)).utilisation
    for rate in month:
        assert f"| {rate.effective_usd:,.2f} |" in document, rate.kind
    assert f"**{held:,.2f}**" in document
    assert f"| energy per busy hour | {busy.effective_usd:.2f} |" in document
    assert f"threshold is {use:.1%}".replace("%", " %") in document
    assert f"either way costs {use * 730 * 49.24:,.2f} a month" in document


def test_the_expansion_step_of_the_document_is_what_the_code_computes(document: str) -> None:
    """65,000 over 15 years at 8 %."""
    finance = finance_figures(replace(estate_of(SITE), finance=FINANCE), tiny_catalog())
    month = rates.expansion_month(ExpansionStep(id="racks", one_off_usd=65_000.0), finance)
    effective = {rate.kind: rate.effective_usd for rate in month}
    told = f"costs {effective[ChargeKind.AMORTISATION]:,.2f} and {effective[ChargeKind.CAPITAL]:,.2f} a month at 8 %"
    assert told in document
