"""`tripoint prices import`, as people and programs meet it: made-up files, real ones and damaged copies of those."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.factories.bills import write_bill
from tests.factories.real_files import real_file

from tripoint.apps import wiring
from tripoint.apps.cli import cli

SKY_HEADER = ("InstanceType", "AcceleratorName", "AcceleratorCount", "Price", "SpotPrice", "Region", "AvailabilityZone")
ESTATE = """\
apiVersion: tripoint/v1
sites:
  - id: cloud
    kind: cloud
    provider: aws
    region: us-east-1
    pools: [{node_type: p5.48xlarge}]
    apis: [openai/gpt-4.1]
models: [{id: llama3.1-8b}]
workloads:
  - {id: chat, kind: batch_inference, model: llama3.1-8b, demand: {mtok_per_month: 10}}
"""


def ran(*arguments: str, code: int = 0) -> Result:
    """A command that must end with the code."""
    found = CliRunner().invoke(cli, ["prices", "import", *arguments])
    assert found.exit_code == code, found.output
    return found


def document(*arguments: str, code: int = 0) -> dict[str, Any]:
    """Its one JSON document."""
    found: dict[str, Any] = json.loads(ran(*arguments, "--json", code=code).stdout)
    return found


def test_a_bill_becomes_prices_of_an_estate(tmp_path: Path) -> None:
    """The sheet written is read by the planner as it stands, as a file of the estate's folder."""
    rows = [
        {},
        {"PricingCategory": "Dynamic", "EffectiveCost": "11.5"},
        {"ChargeCategory": "Credit", "BilledCost": "-9"},
    ]
    bill = write_bill(tmp_path / "bill.csv", rows)
    folder = tmp_path / "estate"
    folder.mkdir()
    (folder / "estate.yaml").write_text(ESTATE)
    told = ran("focus", str(bill), "-o", str(folder / "prices.yaml")).stdout
    assert "read 3 prices, took 2 into 2 lines, dropped 1" in told
    assert "1 x it is not usage: Credit (40 USD), first at 4" in told
    loaded = wiring.load_estate(folder)
    assert [(line.option, line.usd_per_hour) for line in loaded.estate.prices] == [("on_demand", 40.0), ("spot", 11.5)]
    assert not loaded.findings


def test_parquet_gives_what_csv_gives(tmp_path: Path) -> None:
    """Exact, whatever types the columns have there."""
    duckdb = pytest.importorskip("duckdb", reason="reading Parquet needs the extra `demand`")
    bill = write_bill(tmp_path / "bill.csv", [{}, {"EffectiveCost": "41.5"}, {"BillingCurrency": "EUR"}])
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT * FROM read_csv('{bill}')) TO '{tmp_path / 'bill.parquet'}' (FORMAT parquet)")
    rate = ("--usd-per", "EUR=1.1")
    read, same = document("focus", str(bill), *rate), document("focus", str(tmp_path / "bill.parquet"), *rate)
    assert read["taken"][0]["usd_per_hour"] == pytest.approx((40 + 41.5 + 44) / 3)
    assert [each["usd_per_hour"] for each in read["taken"]] == [each["usd_per_hour"] for each in same["taken"]]


def test_nothing_is_overwritten_or_written_without_being_asked(tmp_path: Path) -> None:
    """Exit code 2 for a sheet that exists; without `--out` the run only tells."""
    bill = write_bill(tmp_path / "bill.csv", [{}])
    out = tmp_path / "prices.yaml"
    out.write_text("mine")
    assert "exists already" in ran("focus", str(bill), "-o", str(out), code=2).stderr
    assert out.read_text() == "mine"
    ran("focus", str(bill), "-o", str(out), "--force")
    assert out.read_text().startswith("# imported by `tripoint prices import focus`")
    assert document("focus", str(bill))["written"] is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bill.csv", "prices.yaml"]


def test_a_bill_without_effective_cost_is_read_by_billed_cost_and_says_so(tmp_path: Path) -> None:
    """One line says it, no other speaks of an effective cost, and `--cost billed` needs no such line."""
    used = {"CommitmentDiscountId": "sp-1", "CommitmentDiscountStatus": "Used", "PricingCategory": "Committed"}
    bill = write_bill(tmp_path / "bill.csv", [{}, {"BilledCost": "0", **used}])
    named = bill.read_text().replace("EffectiveCost", "x_EffectiveCost")
    bill.write_text(named)
    told = ran("focus", str(bill)).stdout
    assert "  rows of usage without `EffectiveCost`: 2; billed cost is taken for it" in told
    assert "billed cost is 0 where list cost is not" in told
    assert "sp-1 (aws us-east-1, p5.48xlarge): use not known: the bill gives no effective cost" in told
    assert "effective cost is 0" not in told
    assert "EffectiveCost" not in ran("focus", str(bill), "--cost", "billed").stdout
    bill.write_text(named.replace("x_EffectiveCost", "EffectiveCost"))
    assert "EffectiveCost" not in ran("focus", str(bill)).stdout


@pytest.mark.parametrize(("kind", "name"), [("focus", "bill.csv"), ("litellm", "map.json")])
def test_a_file_without_a_price_says_why_nothing_was_taken(kind: str, name: str, tmp_path: Path) -> None:
    """A header alone, or an empty map: exit code 1 and a sentence."""
    file = tmp_path / name
    if kind == "focus":
        write_bill(file, [])
    else:
        file.write_text("{}")
    told = ran(kind, str(file), code=1).stdout
    assert told.startswith("read 0 prices, took 0 into 0 lines, dropped 0\nnothing to take: the file has no ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("skypilot", "vms.csv"), "does not say whose it is"),
        (("skypilot", "vms.csv", "--provider", "awz"), "knows no node type of `awz`"),
        (("focus", "bill.csv", "--provider", "aws"), "`--provider` does not apply to a focus file"),
        (("litellm", "map.json", "--cost", "billed"), "`--cost` does not apply to a litellm file"),
        (("focus", "bill.csv", "--usd-per", "EUR"), "`EUR` is not a rate"),
        (("focus", "bill.csv", "--usd-per", "EUR=-1"), "`EUR=-1` is not a rate"),
        (("focus", "bill.csv", "--usd-per", "EUR=1", "--usd-per", "eur=2"), "EUR has a rate already"),
    ],
)
def test_flags_that_cannot_be_used_are_told(
    arguments: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2, before any file is read."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / arguments[1]).touch()
    assert said in ran(*arguments, code=2).stderr


@pytest.mark.parametrize(
    ("kind", "name", "text", "said"),
    [
        ("focus", "bill.csv", "A,B\n1,2\n", "is not a FOCUS bill"),
        ("skypilot", "vms.csv", "A,B\n1,2\n", "it has no column `InstanceType`, `Price`, `Region`"),
        ("skypilot", "vms.csv", "InstanceType,Price,Region\nbig,1\n", "line 2 has 2 fields, the header has 3"),
        ("skypilot", "vms.csv.gz", "not packed", "cannot read"),
        ("litellm", "map.json", '{"a": {"mode"', "line 1, column 14 is not JSON"),
        ("litellm", "map.json", "[1]", "it holds no object of models"),
    ],
)
def test_files_that_cannot_be_read_name_the_place(tmp_path: Path, kind: str, name: str, text: str, said: str) -> None:
    """Exit code 3, and nothing is written."""
    file = tmp_path / name
    file.write_text(text)
    flags = ("--provider", "aws") if kind == "skypilot" else ()
    assert said in ran(kind, str(file), "-o", str(tmp_path / "p.yaml"), *flags, code=3).stderr
    assert not (tmp_path / "p.yaml").exists()


def test_a_price_map_becomes_token_prices_of_an_estate(tmp_path: Path) -> None:
    """Known models are taken, the sheet is read as it stands."""
    entry = {
        "litellm_provider": "openai",
        "mode": "chat",
        "input_cost_per_token": 1e-06,
        "output_cost_per_token": 4e-06,
    }
    (tmp_path / "map.json").write_text(json.dumps({"gpt-4.1": entry, "another": entry, "sample_spec": {}, "bad": 1}))
    folder = tmp_path / "estate"
    folder.mkdir()
    (folder / "estate.yaml").write_text(ESTATE)
    found = document("litellm", str(tmp_path / "map.json"), "-o", str(folder / "prices.yaml"))
    assert (found["read"], len(found["taken"]), sum(each["rows"] for each in found["dropped"])) == (4, 1, 3)
    (line,) = wiring.load_estate(folder).estate.prices
    assert (line.sku, line.usd_in_per_mtok, line.usd_out_per_mtok) == ("openai/gpt-4.1", 1.0, 4.0)


def test_a_sheet_for_an_estate_holds_what_its_sites_offer(tmp_path: Path) -> None:
    """The rest is told as dropped, so that the estate's check has nothing to say about it."""
    folder = tmp_path / "estate"
    folder.mkdir()
    (folder / "estate.yaml").write_text(ESTATE)
    bill = write_bill(tmp_path / "bill.csv", [{}, {"RegionId": "eu-central-1"}])
    found = document("focus", str(bill), "--for", str(folder), "-o", str(folder / "prices.yaml"))
    assert accounted(found)
    assert [each["region"] for each in found["taken"]] == ["us-east-1"]
    assert [(each["reason"], each["examples"]) for each in found["dropped"]] == [
        (
            "no site of the estate offers it",
            [{"says": "aws p5.48xlarge eu-central-1 on_demand", "rows": 1}],
        )
    ]
    assert not wiring.load_estate(folder).findings


def accounted(found: dict[str, Any]) -> bool:
    """Every price of the file is in one of the two lists."""
    rows = (*found["taken"], *found["dropped"])
    return bool(found["read"] == sum(each["rows"] for each in rows))


def test_the_real_bill() -> None:
    """Every row is accounted for; it bills none of the catalogue's nodes, and its commitments have no cost."""
    file = real_file("focus_1_0_sample/focus_sample_to_2024-09-20.csv.gz")
    found = document("focus", str(file), code=1)
    assert accounted(found)
    assert found["taken"] == []
    assert len(found["commitments"]) == 2
    assert {use["utilisation"] for use in found["commitments"]} == {None}
    assert {each["path"] for each in found["leaving"]} == {"internet", "inter_region", "zones"}
    (leaves,) = [each for each in found["dropped"] if "leave" in each["reason"]]
    assert not any("transfer from" in each["says"] or "transfer in " in each["says"] for each in leaves["examples"])
    reasons = {each["reason"] for each in found["dropped"]}
    assert {"it is negative", "it is not usage: Adjustment"} <= reasons


def test_the_real_bill_damaged(tmp_path: Path) -> None:
    """A cell that is no number is told with its line and column; a file that is cut off too."""
    packed = real_file("focus_1_0_sample/focus_sample_to_2024-09-20.csv.gz").read_bytes()
    text = gzip.decompress(packed).decode("utf-8")
    (tmp_path / "damaged.csv").write_text(text.replace("0.00015833330", "0.0OO158", 1))
    told = ran("focus", str(tmp_path / "damaged.csv"), code=3).stderr
    assert "line 3: `BilledCost` is `0.0OO158`, not a number" in told
    (tmp_path / "cut.csv").write_text("".join(text.splitlines(keepends=True)[:5]) + "NULL,0.1")
    assert "line 6 has 2 fields" in ran("focus", str(tmp_path / "cut.csv"), code=3).stderr
    (tmp_path / "mixed.csv").write_text(text.replace(",USD,", ",EUR,", 100).replace(",USD,", ",,", 10))
    found = document("focus", str(tmp_path / "mixed.csv"), code=1)
    assert accounted(found)
    rows = {each["reason"]: each["rows"] for each in found["dropped"]}
    assert rows["its currency is EUR, and no rate was given"] == 100
    assert rows["no currency is given"] == 10
    (tmp_path / "cut.csv.gz").write_bytes(packed[: len(packed) // 2])
    assert "cannot read" in ran("focus", str(tmp_path / "cut.csv.gz"), code=3).stderr


def test_the_real_price_list_in_skypilots_columns(tmp_path: Path) -> None:
    """A list of AWS as SkyPilot would write it: SKUs of the catalogue are taken at their price, the others told."""
    with gzip.open(real_file("gpu_prices/aws_gpu_ondemand_reserved_2025-11-30.csv.gz"), "rt") as stream:
        listed = list(csv.DictReader(stream))
    file = tmp_path / "vms.csv"
    with file.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(SKY_HEADER)
        for row in listed:
            writer.writerow(
                [row["instance"], row["gpu"], row["gpu_count"], row["on_demand_usd_h"], "", row["region"], ""]
            )
    found = document("skypilot", str(file), "--provider", "aws")
    assert accounted(found)
    price = {
        (row["instance"], row["region"]): float(row["on_demand_usd_h"]) for row in listed if row["on_demand_usd_h"]
    }
    assert len(found["taken"]) > 100
    assert all(each["usd_per_hour"] == price[each["sku"], each["region"]] for each in found["taken"])
    damaged = file.read_text().replace(",8.0,", ",7.0,")
    file.write_text(damaged)
    again = document("skypilot", str(file), "--provider", "aws")
    assert accounted(again)
    assert any("host alone" in each["reason"] for each in again["dropped"])


def test_the_real_price_map(tmp_path: Path) -> None:
    """A snapshot of LiteLLM's map, written as it writes it: models of the catalogue are taken at their price."""
    duckdb = pytest.importorskip("duckdb", reason="reading Parquet needs the extra `demand`")
    source = real_file("llm_token_prices/litellm_price_snapshots.parquet")
    with duckdb.connect() as connection:
        rows = connection.execute("SELECT * FROM read_parquet(?) WHERE snapshot = '2026-08-01'", [str(source)])
        names = [each[0] for each in rows.description]
        entries = [dict(zip(names, row, strict=True)) for row in rows.fetchall()]
    kept = {
        entry["model"]: {name: value for name, value in entry.items() if value is not None and name != "model"}
        for entry in entries
    }
    file = tmp_path / "map.json"
    file.write_text(json.dumps(kept))
    found = document("litellm", str(file))
    assert accounted(found)
    assert found["read"] == len(kept)
    by_name = {each["sku"]: each for each in found["taken"]}
    for sku, each in by_name.items():
        entry = kept.get(sku) or kept[sku.partition("/")[2]]
        assert each["usd_in_per_mtok"] == pytest.approx(entry["input_cost_per_token"] * 1e6, abs=1e-9)
    assert len(by_name) > 20
    file.write_text(file.read_text()[:-200])
    assert "is not JSON" in ran("litellm", str(file), code=3).stderr
