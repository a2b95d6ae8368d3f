"""`tripoint init --from-bill`: an estate that a bill alone can tell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.factories.bills import write_bill
from tests.factories.real_files import real_file

from tripoint.apps import wiring
from tripoint.apps.cli import cli
from tripoint.domain.purchase import PurchaseOption

COMMITTED = {
    "PricingCategory": "Committed",
    "CommitmentDiscountId": "ri-1",
    "CommitmentDiscountCategory": "Usage",
    "CommitmentDiscountType": "Reserved Instance",
    "CommitmentDiscountStatus": "Used",
    "ConsumedQuantity": "1116",
    "EffectiveCost": "33480",
    "BilledCost": "0",
    "ListCost": "61424.64",
}
ROWS = (
    {"ConsumedQuantity": "744", "EffectiveCost": "29760", "BilledCost": "29760", "ListCost": "40949.76"},
    COMMITTED,
    {**COMMITTED, "CommitmentDiscountStatus": "Unused", "ConsumedQuantity": "372", "EffectiveCost": "11160"},
    {
        "ChargeDescription": "$0.09 per GB - first 10 TB / month data transfer out\n  - {id: smuggled}",
        "ConsumedUnit": "GB",
        "PricingUnit": "GB",
        "ConsumedQuantity": "5000",
        "EffectiveCost": "450",
        "SubAccountName": "web",
    },
    {"ChargeCategory": "Credit", "EffectiveCost": "-100", "BilledCost": "-100"},
)


def ran(*arguments: str, code: int = 0) -> Result:
    """A command that must end with the code."""
    found = CliRunner().invoke(cli, list(arguments))
    assert found.exit_code == code, found.output
    return found


def test_a_draft_holds_what_the_bill_says_and_passes_the_checks(tmp_path: Path) -> None:
    """What runs where, at which rates; commitments and egress stand ready for the person who decides."""
    bill = write_bill(tmp_path / "october.csv", ROWS)
    folder = tmp_path / "estate"
    told = ran("init", str(folder), "--from-bill", str(bill)).stdout
    assert "drafted 1 site and 1 workload; " in told
    assert "check: no findings" in told
    text = (folder / "estate.yaml").read_text()
    assert "# committed: Reserved Instance ri-1, 75.0% of 44,640.00 USD used" in text
    assert "# TODO until when? commitments: [{nodes: 2, ends: YYYY-MM, usd_per_hour: 30}]" in text
    assert "# leaves, internet: 4,905.91 GB a month, 441.53 USD" in text
    loaded = wiring.load_estate(folder)
    assert not loaded.findings
    estate = loaded.estate
    assert [(site.id, site.region) for site in estate.sites] == [("aws-us-east-1", "us-east-1")]
    assert {(line.option, line.usd_per_hour) for line in estate.prices} == {
        (PurchaseOption.ON_DEMAND, 40.0),
        (PurchaseOption.COMMITTED, 30.0),
    }
    (workload,) = estate.workloads
    assert (workload.id, workload.demand.gpu_hours_per_month) == ("research", 14600.0)
    assert [(share.option, share.share) for share in workload.today] == [
        (PurchaseOption.COMMITTED, 0.6),
        (PurchaseOption.ON_DEMAND, 0.4),
    ]
    assert estate.horizon.start == "2026-11"


def test_usage_in_another_currency_is_a_decision_of_the_draft(tmp_path: Path) -> None:
    """With amount, place, tag and what to do; with a rate there is nothing to decide, and a credit is no usage."""
    euros = {"BillingCurrency": "EUR", "RegionId": "eu-west-1", "SubAccountName": "web\n  - {id: smuggled}"}
    rows = (*ROWS, {**euros, "EffectiveCost": "1234.5"}, {**euros, "EffectiveCost": "100"},
            {**euros, "ChargeCategory": "Credit", "EffectiveCost": "-9"},
            {"BillingCurrency": "JPY", "RegionId": "", "SubAccountName": "", "EffectiveCost": "70"})  # fmt: skip
    bill = str(write_bill(tmp_path / "bill.csv", rows))
    ran("init", str(tmp_path / "e"), "--from-bill", bill)
    text = (tmp_path / "e" / "estate.yaml").read_text()
    left = "# TODO usage in EUR is left out: aws eu-west-1, `web - {id: smuggled}` in the bill, 2 rows, 1,334.50 EUR"
    assert f"{left}; give its rate and draft again: `--usd-per EUR=USD`" in text
    assert "# TODO usage in JPY is left out: aws, no region, no tag, 1 row, 70.00 JPY; give its rate" in text
    assert not wiring.load_estate(tmp_path / "e").findings
    ran("init", str(tmp_path / "f"), "--from-bill", bill, "--usd-per", "EUR=1.08", "--usd-per", "JPY=0.0066")
    assert "is left out" not in (tmp_path / "f" / "estate.yaml").read_text()
    many = [{**euros, "SubAccountName": f"team-{number}", "EffectiveCost": str(number)} for number in range(1, 31)]
    ran("init", str(tmp_path / "g"), "--from-bill", str(write_bill(tmp_path / "many.csv", many)))
    text = (tmp_path / "g" / "estate.yaml").read_text()
    assert text.index("30.00 EUR") < text.index("11.00 EUR") < text.index("# and 10 more in other currencies")
    assert "`team-10` in the bill" not in text


def test_a_draft_is_a_document_too(tmp_path: Path) -> None:
    """For programs: what was written, read and left open."""
    bill = write_bill(tmp_path / "bill.csv", ROWS)
    run = ran("init", str(tmp_path / "e"), "--from-bill", str(bill), "--workload-tag", "app", "--json")
    found = json.loads(run.stdout)
    assert found["workloads"] == ["untagged"]
    assert found["check"] == "no findings"
    assert found["todo"] == (tmp_path / "e" / "estate.yaml").read_text().count("TODO") > 0
    assert found["import"]["commitments"][0]["utilisation"] == 0.75


def test_nothing_that_exists_is_overwritten(tmp_path: Path) -> None:
    """Exit code 2; flags that do not belong together end the same way."""
    bill = str(write_bill(tmp_path / "bill.csv", ROWS))
    folder = str(tmp_path / "e")
    ran("init", folder, "--from-bill", bill)
    assert "exists already" in ran("init", folder, "--from-bill", bill, code=2).stderr
    ran("init", folder, "--from-bill", bill, "--force")
    other = str(tmp_path / "f")
    assert "both are given" in ran("init", other, "--from-bill", bill, "--template", "hybrid", code=2).stderr
    assert "`--workload-tag` does not apply" in ran("init", other, "--workload-tag", "app", code=2).stderr
    assert not (tmp_path / "f").exists()


def test_our_own_charges_come_back_as_an_estate(tmp_path: Path) -> None:
    """The statement of a plan drafts an estate that passes, and whose rates are those the plan was made with."""
    ran("init", str(tmp_path / "e"), "--template", "cloud-only")
    ran("plan", str(tmp_path / "e"), "--out", str(tmp_path / "plan"), "--quiet")
    folder = tmp_path / "again"
    run = ran("init", str(folder), "--from-bill", str(tmp_path / "plan" / "charges.csv"), "--json")
    assert json.loads(run.stdout)["check"] == "no findings"
    plan = wiring.read_plan(tmp_path / "plan")
    rates = {
        (charge.provider, charge.resource, charge.option): charge.effective_usd / charge.quantity
        for charge in plan.charges
        if charge.unit == "node-hour" and charge.quantity > 0
    }
    drafted = wiring.load_estate(folder).estate
    hourly = {
        (line.provider, line.sku, str(line.option)): line.usd_per_hour
        for line in drafted.prices
        if line.option is not PurchaseOption.COMMITTED
    }
    assert hourly == pytest.approx(rates)
    assert {workload.id for workload in drafted.workloads} <= {workload.id for workload in plan.workloads}


def test_the_real_bill_drafts_places_and_asks_for_the_rest(tmp_path: Path) -> None:
    """It bills no node of the catalogue: sites with what is unknown there, no workload, and the check says so."""
    file = real_file("focus_1_0_sample/focus_sample_to_2024-09-20.csv.gz")
    folder = tmp_path / "estate"
    found = json.loads(ran("init", str(folder), "--from-bill", str(file), "--json").stdout)
    assert "aws-us-west-2" in found["sites"]
    assert found["workloads"] == []
    assert found["check"].startswith("1 error")
    text = (folder / "estate.yaml").read_text()
    assert "# not in the catalogue: $1.624 per On Demand Linux g5.4xlarge Instance Hour" in text
    assert "savingsplan/493f5705" in text
    assert not (folder / "prices.yaml").exists()
