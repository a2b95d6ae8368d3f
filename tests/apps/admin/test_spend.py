"""Spend, entries, idle capacity and used budgets over HTTP: exact sums, in pages, of one's own tenant only."""

from __future__ import annotations

import time
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.factories.administering import AdminWorld, store_at
from tests.factories.records import record

from tripoint.apps.stores import make_charger, open_leases
from tripoint.domain.budget import Wish
from tripoint.domain.ledger import Adjustment, EntryKind, Piece
from tripoint.domain.money import NANO_PER_USD, usd
from tripoint.domain.tenancy import Role, Window
from tripoint.engines.governance.budget.windows import window_of

DAY_S = 86_400.0
BOTH = pytest.mark.parametrize(
    "world",
    ["sqlite", pytest.param("postgres", marks=[pytest.mark.slow, pytest.mark.enable_socket])],
    indirect=True,
)
"""On each database."""


def fill(world: AdminWorld) -> float:
    """Thirty requests of each tenant over three days, and idle capacity; midnight of the last day, s since 1970."""
    midnight = time.time() // DAY_S * DAY_S
    records = [
        record(
            number,
            at=midnight - DAY_S * (number % 3) + 1,
            tenant=("acme", "globex")[number % 2],
            key=f"key-of-{('acme', 'globex')[number % 2]}",
            workload=("chat", "draft")[number // 2 % 2],
            nano=1_000_000_001 + number,
        )
        for number in range(60)
    ]
    unused = Adjustment(
        id="idle-1", kind=EntryKind.IDLE, at=midnight + 1, tenant="", key="", workload="", model="llama",
        site="site-a", upstream="a", nano=7_000_000_000, list_nano=7_000_000_000, tokens_in=0, tokens_out=0,
        prices="p", corrects="", reason="an hour of one node",
    )  # fmt: skip
    world.stores.ledger.load([Piece("usage-0-aa-000000.seg", "aa", 0, 100, tuple(records))], [unused])
    return midnight


def items(world: AdminWorld, who: str, path: str) -> list[dict[str, Any]]:
    """All rows of a list."""
    found = world.call(who, "GET", path)
    assert found.status == 200, found.text
    rows: list[dict[str, Any]] = found.content["items"]
    return rows


def spent(numbers: range) -> str:
    """What these requests cost, as it is told."""
    return f"{usd(sum(1_000_000_001 + number for number in numbers)):f}".rstrip("0").rstrip(".")


@BOTH
def test_sums_are_exact_and_told_apart(world: AdminWorld) -> None:
    """By tenant, by day, by both, and all together; idle capacity is nobody's."""
    fill(world)
    by_tenant = items(world, "finance", "/v1/spend?by=tenant&kinds=usage")
    assert {row["by"]["tenant"]: row["usd"] for row in by_tenant} == {
        "acme": spent(range(0, 60, 2)), "globex": spent(range(1, 60, 2)),
    }  # fmt: skip
    whole = items(world, "finance", "/v1/spend")
    assert [row["usd"] for row in whole] == [f"{Decimal(spent(range(60))) + 7}"]
    assert sum(row["requests"] for row in items(world, "finance", "/v1/spend?by=day,tenant,workload")) == 60
    assert [(row["by"]["site"], row["usd"]) for row in items(world, "finance", "/v1/idle")] == [("site-a", "7")]


@BOTH
def test_who_is_bound_sees_its_own_whatever_it_asks(world: AdminWorld) -> None:
    """No filter, its own or another's: never a row, a sum or an entry of another tenant."""
    fill(world)
    for role in Role:
        for query in ("", "?by=tenant", "?by=key", "?by=tenant,day&kinds=usage,idle", "?key=key-of-globex&by=tenant"):
            found = items(world, f"acme.{role}", f"/v1/spend{query}")
            assert "globex" not in str(found)
            assert all(row["by"].get("tenant", "acme") == "acme" for row in found)
        assert sum(row["requests"] for row in items(world, f"acme.{role}", "/v1/spend")) == 30
        assert items(world, f"acme.{role}", "/v1/idle") == []
        assert world.call(f"acme.{role}", "GET", "/v1/spend?tenant=globex").status == 404
        assert world.call(f"acme.{role}", "GET", "/v1/spend?tenant=nobody").status == 404
    entries = items(world, "acme.auditor", "/v1/entries?limit=500")
    assert {row["tenant"] for row in entries} == {"acme"}
    assert len(entries) == 30
    assert world.call("acme.auditor", "GET", "/v1/entries?tenant=globex").status == 404


def test_another_tenant_and_none_are_told_alike(world: AdminWorld) -> None:
    """The words of the refusal do not say which of the two it is."""
    texts = []
    for name in ("globex", "xolbeg"):
        for path in (f"/v1/spend?tenant={name}", f"/v1/keys?tenant={name}", f"/v1/tenants/{name}"):
            found = world.call("acme.admin", "GET", path).content
            texts.append((path.partition("?")[0].replace(name, "*"), found["detail"].replace(name, "*"), found["hint"]))
    assert texts[:3] == texts[3:]


@BOTH
def test_entries_come_in_pages_both_ways(world: AdminWorld) -> None:
    """Each once, newest first or in order, filtered by time and kind."""
    midnight = fill(world)
    for order in ("true", "false"):
        seen: list[int] = []
        after = ""
        while True:
            page = world.call("auditor", "GET", f"/v1/entries?limit=7&newest_first={order}{after}").content
            seen += [row["number"] for row in page["items"]]
            if page["next"] is None:
                break
            after = f"&after={page['next']}"
        assert len(seen) == len(set(seen)) == 61
        assert seen == sorted(seen, reverse=order == "true")
    today = items(world, "auditor", f"/v1/entries?since={midnight}&kinds=usage&limit=500")
    assert len(today) == 20
    one = today[0]
    assert one["usd"].startswith("1.0000000")
    assert (one["tokens_in"], one["attempts"][0]["upstream"]) == (120, "a")


def test_a_page_of_sums_goes_on_where_the_last_ended(world: AdminWorld) -> None:
    """`next` counts rows."""
    fill(world)
    whole = items(world, "finance", "/v1/spend?by=day,tenant")
    page = world.call("finance", "GET", "/v1/spend?by=day,tenant&limit=4").content
    rest = world.call("finance", "GET", f"/v1/spend?by=day,tenant&limit=4&after={page['next']}").content
    assert page["items"] + rest["items"] == whole[:8]


@pytest.mark.parametrize("query", ["by=hour,key", "by=hour,key&since=2026-01-01", "since=2026-02-30", "by=hour,hours"])
def test_a_question_that_would_take_too_long_or_is_none(world: AdminWorld, query: str) -> None:
    """Refused before it is asked, with what can be asked instead."""
    assert world.call("finance", "GET", f"/v1/spend?{query}").status in (400, 422)


@BOTH
def test_budgets_are_told_with_what_is_used_of_them(world: AdminWorld) -> None:
    """Today's spend of the scope against the limit, in percent, with the warning that is reached."""
    fill(world)
    today = [number for number in range(60) if number % 3 == 0 and number % 2 == 0]
    nano = sum(1_000_000_001 + number for number in today)
    limit = usd(nano * 100 // 85)
    body = {"tenant": "acme", "window": "day", "limit_usd": f"{limit:f}"}
    made = world.call("admin", "POST", "/v1/budgets", body).content["id"]
    used = world.call("acme.developer", "GET", f"/v1/budgets/{made}/used").content
    assert (used["budget"], used["percent"], used["warning"]) == (made, 85, 80)
    assert Decimal(used["spent_usd"]) * NANO_PER_USD == nano
    assert used["ends_at"] - used["begins_at"] == DAY_S
    assert [row["budget"] for row in items(world, "acme.finance", "/v1/used")] == [made]
    assert items(world, "globex.finance", "/v1/used") == []
    assert world.call("globex.finance", "GET", f"/v1/budgets/{made}/used").status == 404


@BOTH
def test_a_correction_moves_the_sums_and_is_made_once(world: AdminWorld) -> None:
    """By finance, with its amount exact; a repetition answers with the first."""
    fill(world)
    before = Decimal(items(world, "finance", "/v1/spend?tenant=acme")[0]["usd"])
    body = {"tenant": "acme", "usd": "-0.000000001", "reason": "one too many", "workload": "chat"}
    made = world.call("finance", "POST", "/v1/corrections", body, idempotency_key="once")
    assert (made.status, made.content["usd"]) == (201, "-0.000000001")
    again = world.call("finance", "POST", "/v1/corrections", body, idempotency_key="once")
    assert (again.content, again.headers["idempotency-replayed"]) == (made.content, "true")
    assert world.call("finance", "POST", "/v1/corrections", {**body, "usd": "1"}, idempotency_key="once").status == 409
    after = Decimal(items(world, "finance", "/v1/spend?tenant=acme")[0]["usd"])
    assert before - after == Decimal("0.000000001")
    (entry,) = items(world, "auditor", "/v1/entries?kinds=correction")
    assert (entry["id"], entry["usd"], entry["reason"]) == (made.content["id"], "-0.000000001", "one too many")
    (act,) = [row for row in items(world, "auditor", "/v1/audit?limit=500") if row["action"] == "ledger.correct"]
    assert (act["subject"], act["actor"]) == (made.content["id"], "finance")


@pytest.mark.parametrize("usd", ["", "-", "+1", "1e3", "0.0000000001", "--1", "-1\n", "nan"])
def test_amounts_that_are_none_correct_nothing(world: AdminWorld, usd: str) -> None:
    """Refused with the place or the hint, and nothing is entered."""
    found = world.call("finance", "POST", "/v1/corrections", {"tenant": "acme", "usd": usd, "reason": "x"})
    assert found.status in (400, 422)
    assert found.content["hint"]
    assert items(world, "auditor", "/v1/entries?kinds=correction") == []


def test_a_credit_above_all_that_was_spent_is_forced_or_refused(world: AdminWorld) -> None:
    """Both numbers are told."""
    body = {"tenant": "acme", "usd": "-12.50", "reason": "a slip"}
    found = world.call("finance", "POST", "/v1/corrections", body)
    assert found.status == 422
    assert "12.5 USD is more than the 0 USD" in found.content["detail"]
    assert '"force": true' in found.content["hint"]
    assert world.call("finance", "POST", "/v1/corrections", {**body, "force": True}).status == 201


def test_what_workers_hold_of_a_budget_is_told(world: AdminWorld, tmp_path: Path) -> None:
    """A lease is held until it is charged or given back; one that took the rest leaves nothing to give."""
    body = {"tenant": "acme", "window": "day", "limit_usd": "3"}
    made = world.call("admin", "POST", "/v1/budgets", body).content["id"]
    unheld = world.call("finance", "GET", f"/v1/budgets/{made}/used").content
    assert (unheld["held_usd"], unheld["is_given_out"]) == ("0", False)
    charger = make_charger()
    with closing(open_leases(store_at(tmp_path / "admin"), None, charger)) as leases:
        leases.adopt(world.stores.accounts.accounts(time.time()))
        now, whole = time.time(), 3 * NANO_PER_USD
        leases.answer([("worker-1", Wish(made, window_of(now, Window.DAY), now, 0, whole, whole))])
    held = world.call("finance", "GET", f"/v1/budgets/{made}/used").content
    assert (held["held_usd"], held["is_given_out"], held["spent_usd"]) == ("3", True, "0")
