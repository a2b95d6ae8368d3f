from __future__ import annotations

import csv
import io
import math
from dataclasses import replace

import pytest
from tests.factories.plan import empty_plan, small_plan, synthetic_plan

from tripoint.adapters.charges_csv import COLUMNS, charges_to_csv
from tripoint.domain.plan import Plan


def rows_of(plan: Plan) -> list[dict[str, str]]:
    """The file as a spreadsheet reads it."""
    return list(csv.DictReader(io.StringIO(charges_to_csv(plan), newline="")))


@pytest.mark.parametrize(
    ("column", "field"),
    [
        ("ListCost", "list_usd"),
        ("ContractedCost", "contracted_usd"),
        ("BilledCost", "billed_usd"),
        ("EffectiveCost", "effective_usd"),
        ("x_CarbonKg", "carbon_kg"),
        ("ConsumedQuantity", "quantity"),
    ],
)
def test_columns_sum_exactly_to_the_plan(column: str, field: str) -> None:
    """Not a cent is lost between the plan and the spreadsheet."""
    plan = synthetic_plan()
    total = math.fsum(getattr(charge, field) for charge in plan.charges)
    assert math.fsum(float(row[column] or 0.0) for row in rows_of(plan)) == total


def test_emissions_nobody_publishes_are_a_blank_and_not_nought() -> None:
    """Rows of token APIs have no figure; all others have one."""
    rows = rows_of(synthetic_plan())
    assert {row["x_Kind"] for row in rows if row["x_CarbonKg"] == ""} == {"api_tokens"}
    assert all(row["x_CarbonKg"] == "" for row in rows if row["x_Kind"] == "api_tokens")


def test_effective_cost_is_the_plans_total() -> None:
    """The spreadsheet and the headline agree."""
    plan = synthetic_plan()
    assert math.fsum(float(row["EffectiveCost"]) for row in rows_of(plan)) == pytest.approx(plan.baselines[0].total_usd)


def test_periods_follow_each_other_without_gaps() -> None:
    """A period ends where the next one starts, in UTC, over a change of year."""
    bounds = sorted({(row["ChargePeriodStart"], row["ChargePeriodEnd"]) for row in rows_of(synthetic_plan())})
    assert bounds[0] == ("2027-01-01T00:00:00Z", "2027-04-01T00:00:00Z")
    assert bounds[-1] == ("2029-10-01T00:00:00Z", "2030-01-01T00:00:00Z")
    assert [end for _, end in bounds[:-1]] == [start for start, _ in bounds[1:]]


def test_values_of_focus_columns_are_those_focus_allows() -> None:
    """Categories and statuses come from the closed lists of FOCUS 1.2."""
    rows = rows_of(synthetic_plan())
    assert {row["ChargeCategory"] for row in rows} == {"Usage", "Purchase"}
    assert {row["PricingCategory"] for row in rows} <= {"Standard", "Dynamic", "Committed", "Other"}
    assert {row["CommitmentDiscountStatus"] for row in rows} == {"Used", "Unused", ""}
    assert {row["BillingCurrency"] for row in rows} == {"USD"}
    assert {row["RegionName"] for row in rows if row["x_Site"] == "aws-frankfurt"} == {"eu-central-1"}


def test_an_empty_plan_still_has_a_header() -> None:
    """Programs find the columns even when nothing is charged."""
    assert charges_to_csv(empty_plan()) == ",".join(COLUMNS) + "\n"


def test_a_name_that_looks_like_a_formula_is_not_run_by_a_spreadsheet() -> None:
    """Estate names are untrusted; commas, quotes and line ends stay inside their cell."""
    plan = small_plan()
    evil = '=HYPERLINK("x","y"),\n2'
    spoilt = replace(plan, charges=(replace(plan.charges[0], workload=evil, site="-1+1"),))
    (row,) = rows_of(spoilt)
    assert row["x_Workload"] == f"'{evil}"
    assert row["x_Site"] == "'-1+1"
