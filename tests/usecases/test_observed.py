from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from tests.factories.spending import ledger_of, price_row, priced_record

from tripoint.adapters.demand_files import read_trace
from tripoint.adapters.focus_files.read import read_bill
from tripoint.adapters.focus_files.write import write_csv
from tripoint.apps.wiring import load_estate
from tripoint.domain.demand import DemandProfile
from tripoint.domain.errors import FileError, OptionError
from tripoint.domain.ledger import Entry
from tripoint.domain.record import Usage, UsageRecord
from tripoint.domain.units import WorkloadId
from tripoint.engines.governance.observed.profiles import length_told, on_observed
from tripoint.testing.ledger_conformance import NOON
from tripoint.usecases.accounts.login import local_actor
from tripoint.usecases.close import Kept, close_days
from tripoint.usecases.demand import fit_demand
from tripoint.usecases.focus import ExportOptions, export_bill
from tripoint.usecases.observed import Span, observe_export, observe_ledger

PRICE = price_row("chat/a/llama", (200_000, 20_000, 800_000, 0))
ME = local_actor("me")
CHAT = WorkloadId("chat")


def traffic(hours: float, count: int = 600, seed: int = 7) -> list[UsageRecord]:
    """Requests of one workload at random times, a quarter of each input from a cache."""
    chance = Random(seed)
    times = sorted(round(NOON + chance.random() * hours * 3600, 6) for _ in range(count))
    found = []
    for number, at in enumerate(times):
        tokens_in, tokens_out = chance.randrange(4, 4000, 4), chance.randrange(1, 900)
        usage = Usage(tokens_in, tokens_out, tokens_in // 4, 0)
        found.append(priced_record(number, PRICE, usage, at=at, tenant=f"tenant-{number % 3}"))
    return found


def fitted(records: Sequence[UsageRecord], folder: Path) -> DemandProfile:
    """What `tripoint demand fit` makes of the same requests as a log."""
    log = folder / "log.csv"
    with log.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("timestamp", "input_tokens", "output_tokens"))
        writer.writerows((f"{r.at:.6f}", r.usage.tokens_in, r.usage.tokens_out) for r in records)
    return fit_demand(read_trace, str(log))


@pytest.mark.parametrize("hours", [0.05, 2, 30, 200])
def test_the_ledger_tells_what_a_log_of_the_same_requests_tells(hours: float, tmp_path: Path) -> None:
    """Rate, token shapes, burstiness, curve and peak, for windows of minutes to more than a week."""
    records = traffic(hours)
    with closing(ledger_of(tmp_path / "store.db", [PRICE], records)) as ledger:
        found = observe_ledger(ledger, ME).profiles[CHAT]
    expected = fitted(records, tmp_path)
    assert found.requests_per_s == pytest.approx(expected.requests_per_s)
    assert (found.input_tokens, found.output_tokens) == (expected.input_tokens, expected.output_tokens)
    assert found.burstiness_cv == pytest.approx(expected.burstiness_cv, rel=1e-5)
    assert found.hour_of_week == (expected.hour_of_week and pytest.approx(expected.hour_of_week))
    assert [block.level for block in found.curve] == pytest.approx([block.level for block in expected.curve], rel=1e-6)
    assert found.peak_to_mean == pytest.approx(expected.peak_to_mean)
    assert found.cacheable_share == pytest.approx(0.25)
    assert (found.rows, found.tenants) == (600, 3)


def test_a_sample_keeps_rates_and_the_curve(tmp_path: Path) -> None:
    """With a tenth of the requests looked at, volumes are still exact and shapes close."""
    records = traffic(48, 3000)
    with closing(ledger_of(tmp_path / "store.db", [PRICE], records)) as ledger:
        whole, part = (observe_ledger(ledger, ME, sample=size).profiles[CHAT] for size in (10_000, 300))
    assert part.rows == whole.rows == 3000
    assert part.requests_per_s == pytest.approx(whole.requests_per_s)
    assert part.cacheable_share == pytest.approx(0.25)
    assert part.input_tokens is not None
    assert whole.input_tokens is not None
    assert part.input_tokens.mean == pytest.approx(whole.input_tokens.mean, rel=0.15)
    assert any("requests out of 3,000" in note for note in part.notes)
    assert not any("out of" in note for note in whole.notes)


@pytest.mark.parametrize("is_hourly", [True, False])
def test_an_export_gives_the_same_volumes(is_hourly: bool, tmp_path: Path) -> None:
    """Sums by hour keep the hours of the day; those by day keep the volume only."""
    records = traffic(72)
    file = tmp_path / "bill.csv"
    with closing(ledger_of(tmp_path / "store.db", [PRICE], records)) as ledger:
        options = ExportOptions(is_hourly=is_hourly)
        export_bill(ledger, ME, options, lambda columns, sheets: write_csv(file, columns, sheets))
        expected = observe_ledger(ledger, ME).profiles[CHAT]
    found = observe_export(read_bill(file), "bill.csv").profiles[CHAT]
    assert found.rows == expected.rows
    assert found.requests_per_s == pytest.approx(expected.requests_per_s)
    assert found.cacheable_share == pytest.approx(expected.cacheable_share)
    assert found.input_tokens is not None
    assert expected.input_tokens is not None
    assert found.input_tokens.mean == pytest.approx(expected.input_tokens.mean)
    assert (found.hour_of_week is not None) is is_hourly


@pytest.mark.parametrize("is_hourly", [True, False])
@pytest.mark.parametrize("hours", [0.003, 0.2, 20, 36])
def test_an_export_gives_the_rates_the_ledger_gives(hours: float, is_hourly: bool, tmp_path: Path) -> None:
    """Of a part of an hour as of days: it tells when its first and last request began, and doubts alike."""
    file = tmp_path / "bill.csv"
    with closing(ledger_of(tmp_path / "store.db", [PRICE], traffic(hours))) as ledger:
        options = ExportOptions(is_hourly=is_hourly)
        export_bill(ledger, ME, options, lambda columns, sheets: write_csv(file, columns, sheets))
        known = observe_ledger(ledger, ME)
        sampled = observe_ledger(ledger, ME, sample=50)
    found = observe_export(read_bill(file), "bill.csv")
    rate = known.profiles[CHAT].requests_per_s
    assert found.window == known.window == sampled.window
    assert found.doubt == known.doubt == sampled.doubt
    assert bool(known.doubt) is (hours < 24)
    for other in (found.profiles[CHAT], sampled.profiles[CHAT]):
        assert other.requests_per_s == pytest.approx(rate)
        assert 1.0 <= other.peak_to_mean <= known.profiles[CHAT].peak_to_mean


def test_an_export_of_one_tenant_is_of_the_time_that_tenant_asked(tmp_path: Path) -> None:
    """As its sums are: others' requests say nothing about it."""
    records = traffic(10)
    own = [each.at for each in records if each.tenant == "tenant-1"]
    file = tmp_path / "bill.csv"
    with closing(ledger_of(tmp_path / "store.db", [PRICE], records)) as ledger:
        options = ExportOptions(tenant="tenant-1")
        export_bill(ledger, ME, options, lambda columns, sheets: write_csv(file, columns, sheets))
    assert observe_export(read_bill(file), "bill.csv").window == (min(own), max(own), 0.0)


@pytest.mark.parametrize("is_hourly", [True, False])
@pytest.mark.parametrize(("hours", "is_enough"), [(0.2, False), (36, False), (96, True)])
def test_an_export_that_does_not_tell_its_time_doubts_more(
    hours: float, is_enough: bool, is_hourly: bool, tmp_path: Path
) -> None:
    """Its first and last day (hour) may have been served in part: the time surely observed decides, and both are told.

    The ledger's own window lies between the two.
    """
    file = tmp_path / "bill.csv"
    with closing(ledger_of(tmp_path / "store.db", [PRICE], traffic(hours))) as ledger:
        options = ExportOptions(is_hourly=is_hourly)
        export_bill(ledger, ME, options, lambda columns, sheets: write_csv(file, columns, sheets))
        known = observe_ledger(ledger, ME)
    rows = read_bill(file)
    untold = [
        row._replace(custom={name: text for name, text in row.custom.items() if "Observed" not in name}) for row in rows
    ]
    found = observe_export(untold, "bill.csv")
    seen_s = known.window.last_s - known.window.first_s
    assert found.sure_s <= seen_s <= found.window.last_s - found.window.first_s
    assert known.sure_s == seen_s
    if is_enough:
        assert (known.doubt, found.doubt) == ("", "")
        return
    step = "hours" if is_hourly else "days"
    if known.doubt or not is_hourly:
        assert f"known by whole {step} only" in found.doubt
        assert "at least 24 h are needed" in found.doubt
        assert ("--hourly" in found.doubt) is not is_hourly
    else:
        assert found.doubt == ""


def test_what_no_upstream_answered_is_told_and_not_counted(tmp_path: Path, repo_root: Path) -> None:
    """Refused requests would drag the means down."""
    refused = [record._replace(id=f"no-{record.id}", upstream="", site="", tariff="", prices="", nano=0, list_nano=0,
                               marginal_nano=0, usage=Usage(0, 0)) for record in traffic(1, 50)]  # fmt: skip
    lone = [record._replace(id=f"rag-{record.id}", workload="assistant") for record in refused[:7]]
    with closing(ledger_of(tmp_path / "store.db", [PRICE], [*traffic(1), *refused, *lone])) as ledger:
        observed = observe_ledger(ledger, ME)
    found = observed.profiles[CHAT]
    assert found.rows == 600
    assert found.dropped == {"answered by no upstream": 50}
    estate = load_estate(repo_root / "examples" / "break-even")
    _, told = on_observed(estate, observed, lambda loaded: loaded.digest)
    assert "`assistant`: no traffic observed, planned as declared; 7 requests were answered by no upstream" in told
    assert "`chat`: observed, but not in this estate; 50 requests were answered by no upstream" in told


def test_a_workload_asked_for_an_hour_is_not_asked_all_day(tmp_path: Path) -> None:
    """All share the window, and one with a single request has no rate."""
    brief = [record._replace(id=f"rag-{record.id}", workload="rag") for record in traffic(1, 100)]
    lone = traffic(1, 1)[0]._replace(id="lone", workload="lone")
    with closing(ledger_of(tmp_path / "store.db", [PRICE], [*traffic(100), *brief, lone])) as ledger:
        observed = observe_ledger(ledger, ME)
    assert observed.profiles[WorkloadId("rag")].requests_per_s == pytest.approx(100 / (100 * 3600), rel=0.05)
    assert observed.sparse == ("lone",)


def test_too_short_a_time_is_told_with_both_numbers(tmp_path: Path, repo_root: Path) -> None:
    """A burst of seconds is not what is asked for months; a workload with a single request is not one without any."""
    lone = traffic(1, 1)[0]._replace(id="lone", workload="assistant")
    with closing(ledger_of(tmp_path / "store.db", [PRICE], [*traffic(3 / 3600, 6), lone])) as ledger:
        observed = observe_ledger(ledger, ME)
    assert re.search(r"traffic of [\d.,]+ s is too short .*, at least 24 h are needed", observed.doubt)
    _, told = on_observed(load_estate(repo_root / "examples" / "break-even"), observed, lambda loaded: loaded.digest)
    assert told[0] == observed.doubt
    assert told[1] == "`assistant`: too few requests to tell a rate, planned as declared"
    with closing(ledger_of(tmp_path / "long.db", [PRICE], traffic(48))) as ledger:
        assert observe_ledger(ledger, ME).doubt == ""


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(7.738, "7.74 s"), (1500.0, "1,500 s"), (5400.0, "1.5 h"), (86_399.0, "24 h"), (2_592_000.0, "720 h"),
     (31_536_000.0, "8,760 h")],
)  # fmt: skip
def test_a_length_of_time_is_written_out(seconds: float, told: str) -> None:
    """Never as a power of ten."""
    assert length_told(seconds) == told


def test_days_that_were_closed_are_observed_by_their_sums(tmp_path: Path) -> None:
    """Their entries have left the store: rates are those of whole hours, and token counts are means."""
    records = traffic(48)

    def write(day: str, entries: Iterable[Entry]) -> tuple[str, Kept]:
        moved = list(entries)
        return day, Kept(len(moved), sum(each.nano for each in moved), sum(each.requests for each in moved))

    with closing(ledger_of(tmp_path / "store.db", [PRICE], records)) as ledger:
        whole = observe_ledger(ledger, ME)
        assert close_days(ledger, "2030-01-01", "2030-01-01", write)
        sums = observe_ledger(ledger, ME)
    assert sums.profiles[CHAT].rows == len(records)
    assert sums.window.first_s <= whole.window.first_s < whole.window.last_s <= sums.window.last_s
    assert sums.profiles[CHAT].requests_per_s == pytest.approx(whole.profiles[CHAT].requests_per_s, rel=0.05)


def test_no_traffic_is_told(tmp_path: Path) -> None:
    """With the days that were asked for; an empty export likewise."""
    with closing(ledger_of(tmp_path / "store.db", [PRICE], traffic(1))) as ledger:
        with pytest.raises(OptionError, match="no answered request from 2020-01-01 to 2020-01-02"):
            observe_ledger(ledger, ME, Span("2020-01-01", "2020-01-02"))
        assert replace(observe_ledger(ledger, ME, Span("2026-11-18")).profiles[CHAT], source="").rows == 600
    with pytest.raises(OptionError, match="holds no answered request"):
        observe_export([], "bill.csv")
    with pytest.raises(FileError, match="cannot read"):
        list(read_bill(tmp_path / "none.csv"))
