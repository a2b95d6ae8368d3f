"""Our exports before the validator of the FOCUS project itself.

`make test` installs it in `out/focus-validator` under `CI=true`; `make out/focus-validator/.ready` does so elsewhere.
It ends with 0 whatever it finds: only its report counts.
"""

from __future__ import annotations

import subprocess
from contextlib import closing
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.conftest import ROOT, missing_component
from tests.factories.spending import ledger_of, price_row, priced_record

from tripoint.adapters.focus_files.write import write_csv, write_parquet
from tripoint.domain.ledger import EntryKind
from tripoint.domain.record import Usage
from tripoint.testing.ledger_conformance import NOON, idle
from tripoint.usecases.accounts.login import local_actor
from tripoint.usecases.focus import ExportOptions, export_bill

HOME = ROOT / "out" / "focus-validator"
LEAST_RULES = 130
"""Rules that must have been tried and passed: a validator that skips everything proves nothing."""
CRITERIA = (
    "ACCOUNT_NAMING_SUPPORTED", "CAPACITY_RESERVATION_SUPPORTED", "MULTIPLE_PRICING_CATEGORIES_SUPPORTED",
    "NEGOTIATED_PRICING_SUPPORTED", "PUBLIC_PRICE_LIST_SUPPORTED", "USAGE_MEASUREMENT_SUPPORTED",
    "UNIT_PRICING_SUPPORTED", "SUB_ACCOUNT_SUPPORTED", "BILLING_BASED_ON_PROVISIONED_RESOURCES_SUPPORTED",
    "RESOURCE_TYPE_ASSIGNMENT_SUPPORTED", "REGION_SUPPORTED", "TAGGING_SUPPORTED",
)  # fmt: skip
"""What our bills support; rules for anything else do not apply to them."""
COSMETIC = frozenset({"InvoiceId-C-004-C", "InvoiceId-C-005-C"})
"""One asks that the invoice be null, the other that it be not, both of every row; no file passes both."""
MALFORMED = frozenset(
    f"CapacityReservationStatus-C-{number}" for number in ("000-C", "002-C", "003-C", "004-C")
)  # fmt: skip
"""Conditions of 003 and 004 are spelt so that they are not read: one wants null everywhere, the other nowhere."""


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("criteria", [(), CRITERIA], ids=["as it comes", "all that applies"])
@pytest.mark.parametrize("has_corrections", [False, True], ids=["plain", "corrected"])
def test_the_real_validator_finds_nothing(
    ending: str, criteria: tuple[str, ...], has_corrections: bool, tmp_path: Path
) -> None:
    """Every rule that can pass passes, and many were tried."""
    if not (HOME / ".ready").exists():
        missing_component("the FOCUS validator is not installed: `make out/focus-validator/.ready`")
    file = _bill(tmp_path, ending, has_corrections=has_corrections)
    report = tmp_path / "report.xml"
    command = [
        str(HOME / "bin" / "python"), "-m", "focus_validator.main", "--data-file", str(file),
        "--validate-version", "1.2", "--block-download", "--focus-dataset", "CostAndUsage", "--output-type", "unittest",
        "--output-destination", str(report), *(["--applicability-criteria", ",".join(criteria)] if criteria else []),
    ]  # fmt: skip
    # It looks for its list of currencies under the folder it is run in.
    (package,) = HOME.glob("lib/python3*/site-packages/focus_validator")
    (tmp_path / "focus_validator").symlink_to(package)
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=280)
    passed, failed = _read(report)
    allowed = COSMETIC | (MALFORMED if criteria else set())
    assert failed <= allowed
    assert len(passed) >= LEAST_RULES * (2 if criteria else 1)


def _bill(folder: Path, ending: str, *, has_corrections: bool) -> Path:
    price = price_row("chat/a/llama", (200_000, 20_000, 800_000, 1_500))
    records = [
        priced_record(number, price, Usage(1000 + 7 * number, 90 + number, 13 * number % 900), at=NOON + 3_600 * number)
        for number in range(200)
    ]
    adjusted = [idle(f"idle/{hour}", 5_000 + hour, NOON + 3_600 * hour) for hour in range(30)]
    if has_corrections:
        adjusted.append(idle("fix", -300)._replace(kind=EntryKind.CORRECTION, tenant="acme"))
    file = folder / f"bill.{ending}"
    write = write_parquet if ending == "parquet" else write_csv
    with closing(ledger_of(folder / "store.db", [price], records, adjusted)) as ledger:
        export_bill(ledger, local_actor("me"), ExportOptions(), lambda columns, sheets: write(file, columns, sheets))
    return file


def _read(report: Path) -> tuple[set[str], set[str]]:
    """Names of rules that passed and that failed; skipped ones are neither."""
    passed, failed = set(), set()
    for case in ElementTree.parse(report).iter("testcase"):
        name = str(case.get("name")).split(" ", 1)[0]
        if case.find("failure") is not None or case.find("error") is not None:
            failed.add(name)
        elif case.find("skipped") is None:
            passed.add(name)
    return passed, failed
