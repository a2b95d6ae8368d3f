from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.apps.hybrid.callers.tally import Tally
from tripoint.apps.hybrid.screen.page import Page, gained, quantile
from tripoint.apps.hybrid.screen.watch import Watch

LAYERS = {"cloud": "public", "edge": "edge"}
UPSTREAMS = {"cloud-1": "cloud", "edge-1": "edge"}


def page(answered: dict[str, int], *, breaker: str = "closed", failovers: int = 0, shifts: int = 0) -> str:
    """A page of metrics as the gateway writes it."""
    rows = ["# HELP tripoint_requests_total Requests.", "# TYPE tripoint_requests_total counter", "", "nonsense"]
    for site, count in answered.items():
        rows.append(f'tripoint_requests_total{{site="{site}",ending="ok",workload="a"}} {count}')
        rows.append(f'tripoint_output_tokens_total{{site="{site}"}} {count * 40}')
        rows.append(f'tripoint_cost_usd_total{{site="{site}"}} {count * 0.001}')
        for edge, share in (("0.001", 0.0), ("0.005", 0.5), ("+Inf", 1.0)):
            rows.append(f'tripoint_time_to_first_token_seconds_bucket{{site="{site}",le="{edge}"}} {count * share}')
    rows += [
        f'tripoint_upstream_breaker_state{{upstream="edge-1",site="edge",state="{state}"}} {int(state == breaker)}'
        for state in ("closed", "half_open", "open")
    ]
    rows.append(f'tripoint_attempts_total{{upstream="cloud-1",reason="failover",failure=""}} {failovers}')
    rows.append(f'tripoint_shifts_total{{workload="a",source="edge-1",target="cloud-1"}} {shifts}')
    rows.append('tripoint_workload_share_ratio{workload="a",upstream="cloud-1"} 0.75')
    rows += [f'tripoint_degraded{{part="{part}"}} {int(breaker == "open")}' for part in ("access_log", "upstreams")]
    return "\n".join(rows)


def test_rates_events_and_shares_come_from_two_readings() -> None:
    """What grew between them is told a second, what changed as events."""
    watch = Watch("hybrid", "http://127.0.0.1:1/v1", "key", LAYERS, UPSTREAMS)
    watch.read(page({"cloud": 10, "edge": 10}), 1.0)
    watch.read(page({"cloud": 30, "edge": 10}, breaker="open", failovers=2, shifts=1), 3.0)
    view = watch.view(3.0, Tally(), is_ready=True, killed=set())
    cloud, edge = view.sites
    assert cloud.requests_per_s == pytest.approx(10.0)
    assert cloud.tokens_per_s == pytest.approx(400.0)
    assert cloud.usd_per_hour == pytest.approx(36.0)
    assert cloud.ttft_p50_s == pytest.approx(0.005)
    assert (edge.requests_per_s, edge.ttft_p50_s, edge.state) == (0.0, None, "shut")
    assert view.whole.requests_per_s == pytest.approx(10.0)
    assert view.shares == (("a", (("cloud-1", 0.75),)),)
    assert [event.told for event in view.events] == [
        "breaker of edge-1: open",
        "cloud-1 took over 2 requests",
        "a: traffic moved from edge-1 to cloud-1",
        "serving goes on without access log",
        "serving goes on without some of its upstreams",
    ]
    assert watch.opened_at == {"edge-1": 3.0}


def ledger_page(spent: float, *, idle: float = 0.0) -> str:
    """What the ledger process tells: one tenant with a small and a large budget, capacity nobody used."""
    return "\n".join((
        f'tripoint_spend_today_usd{{tenant="trial"}} {spent}',
        f'tripoint_spend_today_usd{{tenant=""}} {idle}',
        f'tripoint_spend_today_by_site_usd{{kind="usage",model="m",site="edge"}} {spent}',
        f'tripoint_spend_today_by_site_usd{{kind="idle",model="",site="edge"}} {idle}',
        'tripoint_budget_limit_usd{tenant="trial",budget="trial.day"} 2.0',
        f'tripoint_budget_spent_usd{{tenant="trial",budget="trial.day"}} {spent}',
        'tripoint_budget_limit_usd{tenant="trial",budget="trial.month"} 100.0',
        f'tripoint_budget_spent_usd{{tenant="trial",budget="trial.month"}} {spent + 5}',
    ))  # fmt: skip


def test_money_is_what_the_ledger_tells() -> None:
    """By tenant, model and site; the fullest budget; each share of it that is passed, and the first refusal, told."""
    watch, tally = Watch("hybrid", "", "", LAYERS, UPSTREAMS), Tally()
    for second, spent in enumerate((0.0, 0.9, 1.7, 1.7)):
        watch.read(ledger_page(spent, idle=0.25), float(second))
    tally.refused["trial"] += 3
    tally.sent += 3
    view = watch.view(4.0, tally, is_ready=True, killed=set())
    watch.view(5.0, tally, is_ready=True, killed=set())
    trial, idle = view.tenants
    assert (trial.tenant, trial.today_usd, trial.limit_usd, trial.window, trial.refused) == (
        "trial",
        1.7,
        2.0,
        "day",
        3,
    )
    assert trial.share == pytest.approx(0.85)
    assert (idle.tenant, idle.today_usd, idle.limit_usd, idle.share) == ("idle", 0.25, 0.0, 0.0)
    assert view.models == (("m", 1.7), ("idle", 0.25))
    assert [site.today_usd for site in view.sites] == [0.0, pytest.approx(1.95)]
    assert view.whole.today_usd == pytest.approx(1.95)
    assert (view.refused, tally.lost, tally.open) == (3, 0, 0)
    assert [event.told for event in watch.view(6.0, tally, is_ready=True, killed=set()).events] == [
        "trial: 80 % of its budget for the day is spent",
        "trial: its budget has no room for another request; they are refused",
    ]


def test_states_of_a_site() -> None:
    """Killed by us, shut by its breaker, starting, serving."""
    watch = Watch("hybrid", "", "", LAYERS, UPSTREAMS)
    assert watch.view(0.0, Tally(), is_ready=False, killed=set()).sites[1].state == "serving"
    for breaker, killed, state in (
        ("open", {"edge"}, "killed"),
        ("open", set[str](), "shut"),
        ("half_open", set[str](), "starting"),
        ("closed", set[str](), "serving"),
    ):
        watch.read(page({}, breaker=breaker), 1.0)
        assert watch.view(1.0, Tally(), is_ready=True, killed=killed).sites[1].state == state


def test_a_restarted_counter_is_no_negative_rate() -> None:
    """Counters that fall count as nothing gained."""
    watch = Watch("hybrid", "", "", LAYERS, UPSTREAMS)
    for second in range(30):
        watch.read(page({"cloud": 100 - second}), float(second))
    view = watch.view(30.0, Tally(), is_ready=True, killed=set())
    assert view.whole.requests_per_s == 0.0
    assert len(view.sites[0].past) == 30


@given(st.lists(st.floats(0.0, 10.0), min_size=1, max_size=50), st.floats(0.01, 1.0))
def test_a_quantile_lies_in_its_bucket(values: list[float], share: float) -> None:
    """It is within the edges around the true one."""
    edges = [0.5, 1.0, 2.0, 5.0, float("inf")]
    rows = [f'h_bucket{{le="{edge}"}} {sum(value <= edge for value in values)}' for edge in edges]
    found = quantile(Page("\n".join(rows).replace("inf", "+Inf"), 1.0), Page("", 0.0), "h", share)
    true = sorted(values)[max(0, -(-len(values) * share // 1).__int__() - 1)] if share < 1 else max(values)
    upper = min(edge for edge in edges if true <= edge)
    lower = max([0.0, *(edge for edge in edges if edge < upper)])
    assert found is not None
    assert lower - 1e-9 <= found <= upper + 1e-9 or found == 5.0


def test_an_empty_histogram_has_no_quantile_and_gain_needs_growth() -> None:
    """Nothing is nothing."""
    assert quantile(Page("", 1.0), Page("", 0.0), "h", 0.5) is None
    assert gained(Page("a 1", 1.0), Page("a 3", 0.0), "a") == 0.0
    assert gained(Page("a 3", 1.0), Page("a 1", 0.0), "a") == 2.0
